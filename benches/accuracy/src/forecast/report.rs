//! Tables of what was measured, as Markdown.

use super::Outcome;
use super::figures::{Figures, geometric_mean, median};
use std::collections::BTreeSet;
use std::fmt::Write as _;

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

/// The page of a report.
#[must_use]
pub fn page(outcomes: &[Outcome]) -> String {
    let tried: Vec<bool> = outcomes.iter().filter_map(|o| o.causal).collect();
    let same = tried.iter().filter(|causal| **causal).count();
    format!(
        "{HEAD}\n{}\n{same} of {} series forecast a second time with their end cut off got the same numbers to the last \
         bit.\n{TAIL}",
        tables(outcomes),
        tried.len()
    )
}

const HEAD: &str = "# How well it forecasts

Written by the command below; edit `benches/accuracy/src/forecast/report.rs`, not this. What `overseer backtest` runs
forecasts one column of a recording from many rows on, 1 to 10 rows ahead, after learning from the first part and
learning on; one configuration for all, and nothing read beyond the row it forecasts from.

- Command: `cargo run --release -p overseer-accuracy --bin forecasts -- DIR --report docs/forecasts.md`

*rel* is the mean absolute error over that of the last value, as geometric mean over the series; below 1 is better.
*CRPS3* is the pinball loss at 5, 50 and 95 %, *MSIS* the interval score (Gneiting and Raftery 2007), both in usual
changes from row to row; less is better. *Coverage* is the share of truths within their 90 % interval, as mean over the
series and of the series where it is least.
";

const TAIL: &str = "
What others reach on these series (24 of them unless said), as published with the data:

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
