//! Tables of what was measured, as Markdown.

use super::figures::{Figures, geometric_mean, median};
use super::{Outcome, plot};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// So many of the best and the worst series are shown.
const SHOWN: usize = 5;

/// What a horizon is called, and which figures are its.
type Part = (&'static str, fn(&Outcome) -> Figures);
const PARTS: [Part; 3] = [("1", |o| o.h1), ("10", |o| o.h10), ("1–10", |o| o.all)];

/// The tables.
#[must_use]
pub fn tables(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    let corpora: BTreeSet<&str> = outcomes.iter().map(|o| o.corpus.as_str()).collect();
    out.push_str("| corpus | series | rows ahead | rel | CRPS3, median | MSIS, median | coverage of 90 % | worst series |\n");
    out.push_str("|---|---|---|---|---|---|---|---|\n");
    let all: Vec<&Outcome> = outcomes.iter().collect();
    for corpus in corpora {
        let of: Vec<&Outcome> = outcomes.iter().filter(|o| o.corpus == corpus).collect();
        line(&mut out, corpus, &of, PARTS[2]);
    }
    for part in PARTS {
        line(&mut out, "all", &all, part);
    }
    let mut order = all;
    order.sort_by(|a, b| a.all.rel.total_cmp(&b.all.rel));
    let worst = order.len().saturating_sub(SHOWN).max(SHOWN.min(order.len()));
    out.push_str("\nThe series forecast best and worst, 1–10 rows ahead:\n\n");
    out.push_str("| series | rel | CRPS3 | MSIS | coverage of 90 % |\n|---|---|---|---|---|\n");
    for o in order.iter().take(SHOWN).chain(&order[worst..]) {
        let Figures { rel, crps3, cov90, msis } = o.all;
        let _ = writeln!(
            out,
            "| {}/{} | {rel:.3} | {crps3:.3} | {msis:.2} | {cov90:.3} |",
            o.corpus, o.name
        );
    }
    out
}

fn line(out: &mut String, name: &str, of: &[&Outcome], (ahead, figures): Part) {
    let get = |field: fn(Figures) -> f64| of.iter().map(move |o| field(figures(o)));
    let worst = get(|f| f.cov90).fold(f64::INFINITY, f64::min);
    let mean = get(|f| f.cov90).sum::<f64>() / of.len() as f64;
    let _ = writeln!(
        out,
        "| {name} | {} | {ahead} | {:.3} | {:.3} | {:.2} | {mean:.3} | {worst:.3} |",
        of.len(),
        geometric_mean(get(|f| f.rel)),
        median(get(|f| f.crps3)),
        median(get(|f| f.msis)),
    );
}

/// What each part is worth, by variant.
pub type Ablation = Vec<(&'static str, Vec<Outcome>)>;

/// The table of variants, the first of them as shipped.
#[must_use]
pub fn ablation(variants: &Ablation) -> String {
    let mut out = String::from(
        "| forecaster | rel, 1–10 rows | rel, 1 row | CRPS3, mean | MSIS, median | coverage, worst |\n\
         |---|---|---|---|---|---|\n",
    );
    for (name, of) in variants {
        let get = |field: fn(Figures) -> f64| of.iter().map(move |o| field(o.all));
        let coverage = get(|f| f.cov90).sum::<f64>() / of.len() as f64;
        let _ = writeln!(
            out,
            "| {name} | {:.3} | {:.3} | {:.3} | {:.2} | {coverage:.3}, {:.3} |",
            geometric_mean(get(|f| f.rel)),
            geometric_mean(of.iter().map(|o| o.h1.rel)),
            geometric_mean(get(|f| f.crps3)),
            median(get(|f| f.msis)),
            get(|f| f.cov90).fold(f64::INFINITY, f64::min),
        );
    }
    out
}

/// The page at `path`, which ends in `.md`, and its plot in the folder of the same name.
#[must_use]
pub fn files(
    path: &Path,
    outcomes: &[Outcome],
    parts: Option<&(usize, Ablation)>,
) -> Vec<(PathBuf, String)> {
    let folder = path.with_extension("");
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let image = format!("{stem}/hosts.svg");
    vec![
        (path.to_owned(), page(outcomes, parts, &image)),
        (folder.join("hosts.svg"), plot::plot(outcomes)),
    ]
}

/// The page of a report.
fn page(outcomes: &[Outcome], parts: Option<&(usize, Ablation)>, image: &str) -> String {
    let tried: Vec<bool> = outcomes.iter().filter_map(|o| o.causal).collect();
    let same = tried.iter().filter(|causal| **causal).count();
    let (option, parts) = match parts {
        None => (String::new(), String::new()),
        Some((every, variants)) => {
            let series = variants.first().map_or(0, |(_, of)| of.len());
            let parts = format!(
                "\n## What its parts are worth\n\nThe same on every {every}th of the series, {series} in all, without \
                 one part each; CRPS3 as geometric mean. The\nsecond line differs in chance alone.\n\n{}\n{VERDICT}",
                ablation(variants)
            );
            (format!(" --ablate {every}"), parts)
        }
    };
    format!(
        "{}\n{}\n{same} of {} series forecast a second time with their end cut off got the same numbers to the last \
         bit.\n{PLOT}\n![forecasts with their intervals, and what came]({image})\n{parts}{TAIL}",
        HEAD.replace("{option}", &option),
        tables(outcomes),
        tried.len()
    )
}

const HEAD: &str = "# How well it forecasts

Written by the command below; edit `benches/accuracy/src/forecast/report.rs`, not this. What `overseer backtest` runs
forecasts one column of a recording from many rows on, 1 to 10 rows ahead, after learning from the first part and
learning on; one configuration for all, and nothing read beyond the row it forecasts from.

- Command: `cargo run --release -p overseer-accuracy --bin forecasts -- DIR{option} --report docs/forecasts.md`

*rel* is the mean absolute error over that of the last value, as geometric mean over the series; below 1 is better.
*CRPS3* is the pinball loss at 5, 50 and 95 %, *MSIS* the interval score (Gneiting and Raftery 2007), both in usual
changes from row to row; less is better. *Coverage* is the share of truths within their 90 % interval, as mean over the
series and of the series where it is least.
";

const PLOT: &str = "
## Forecasts, good and bad

From the best to the worst of the series, and the one whose intervals held least; of each the dozen forecasts in the
middle of all that were made. Nobody chose where they look good.
";

const VERDICT: &str = "\
Differences of .01 are chance on so few series, as the second line shows. The forest is surely worth its place, above all
one row ahead; the other metrics seem to narrow intervals; of the rest nothing can be said here.
";

const TAIL: &str = "
## Tried and left out

On every third series, 25 in all, against the forecaster as shipped; the change of rel over 1–10 rows and of CRPS3, both
as geometric means, with one standard error over the series:

| tried | rel | CRPS3 |
|---|---|---|
| the median of the forest's levels and changes taken together as one more expert, and five more for the bounds (quantiles of the newest 20, 50 and 100, of the last value's and of a median's recent errors, and the joint quantiles), weighed by regret | −0.6 ± 0.5 % | −0.2 ± 0.5 % |
| learning from 8,000 moments instead of 5,000 | −0.2 ± 0.5 % | −0.7 ± 0.6 % |
| trees boosted on absolute errors (LightGBM 4.7, on much the same inputs), a fifth of the median theirs | +0.4 ± 0.7 % | |
| the same, half of the median theirs; they alone | +2.5 ± 1.5 %; +8.1 ± 2.5 % | |
| such trees learned from other machines than the one forecast, values in usual changes, a fifth theirs; they alone | +2.1 ± 0.9 %; +15 ± 4 % | |

None of these gains beyond noise. The boosted trees were tried 1, 4 and 10 rows ahead, outside of this program. The
first makes the median MSIS worse (12.1 where it was 10.7), and the second takes more memory and a longer training. Earlier, none of these changed rel by more than .001: long medians, all horizons as targets of splits, more
columns to choose from in a split, leaves of 3 or 10 moments, 100 trees, averages of experts as experts.
Not tried yet: what many hosts have in common as the start of a new one alone, and a model of metrics that mostly
take one value.

## What others reach

On these series (24 of them unless said), as published with the data:

| forecaster | rel, 1–10 rows | rel, 1 row | CRPS3, median | coverage, worst |
|---|---|---|---|---|
| last value | 1 | 1 | 1.02 | .86, .64 |
| seasonal naive, one day | 1.90 | 2.75 | 1.32 | .82, .57 |
| exponential smoothing | .957 | .976 | 1.06 | .86, .64 |
| AR(10) | 1.26 | 1.43 | .991 | .86, .56 |
| random forest on 10 lags, recursive | 1.96 | 1.60 | 1.33 | .73, .00 |
| gradient-boosted quantiles | .864 | .842 | .770 | .88, .71 |
| AutoETS, Theta, AutoARIMA, MSTL (10 series) | 1.09, 1.02, 1.38, 1.76 | | | |

The series are virtual machines of Bitbrains (GWA-T-12), AWS metrics of numenta/NAB and means of Alibaba's 2018 cluster
trace. They are a development split: the forecaster was designed while looking at its figures.
";
