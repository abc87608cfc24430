//! Writes the figures down: tables for the terminal, and `docs/accuracy.md` with its plots.

mod goals;
mod peers;
mod plot;
pub(crate) mod svg;
mod tables;

use crate::data::{Checked, NAB};
use crate::measure::Results;
use overseer_engine::core::{Error, Result};
use plot::Quality;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const HEADING: &str = "\
# How well it detects

Written by the command below; edit `benches/accuracy/src/report`, not this. Every series is scored row by row with what
`overseer score` runs, in one configuration, and nothing said of a row depends on a later one: each series is scored a
second time cut off at 60 %, and the rows before the cut must get the same numbers to the last bit.

How well it forecasts is in [forecasts.md](forecasts.md), with plots of forecasts and their intervals.
";

const DATA: &str = "\
## What was measured

| corpus | what | learned from | source, licence |
|---|---|---|---|
| smd | server machines, 38 metrics every minute | the first half of each | Server Machine Dataset (NetManAIOps/OmniAnomaly) through zhhlee/InterFusion, MIT |
| asd | application servers, 19 metrics every 5 minutes | a month before | zhhlee/InterFusion, MIT |
| js2 | services, 19 metrics in raw units every 5 minutes | 20 days before | NetManAIOps/JumpStarter, MIT |
| nab | single metrics with their times | the rows before, as they come | numenta/NAB |

These are a development split: the detector was designed while looking at its figures, so expect somewhat less on hosts
that nobody has seen. `benches/accuracy/README.md` says where to get the data and how to measure others.
";

const SHIPPED: &str = "\
## As shipped

Alerts and states at the default alarm budget of one a week; nothing is chosen in hindsight. An event counts as found
by an *alert inside* if one is raised within it or the five rows after it; *inside any alert* counts also one that falls
into the state of an alert raised before. A false alarm is an hour of normal time with an alert. *Time in alarm* is the
share of normal rows in an alert's state: a detector that never stops would find everything.
";

const RANKING: &str = "\
## Scores

What the scores could do with the right threshold. *VUS-PR* is the area under the precision-recall curve, averaged over
how much lenience is given at the edges of events, which nobody labels to the row (Paparrizos et al., PVLDB 15(11),
2022); 1 is perfect, and chance is about the share of anomalous rows, 0.01 to 0.16 here. The areas and F1 score beside
it are row by row. *Events at 1 false alarm a day* is the share of events found at the threshold that spends this
budget, chosen in hindsight: first by each series for itself, then one for all series of the corpus.
";

const NAB_TEXT: &str = "\
## The Numenta Anomaly Benchmark

100 finds every window at its start without a false alert, 0 is silence (Lavin and Ahmad, ICMLA 2015). The benchmark
chooses the best threshold in hindsight, over the files it judges. The last column does not: each file is judged at the
threshold that is best for all the others. There are few windows: of 26, one found or missed is worth four points.
";

const PEERS: &str = "\
## Beside others

Peers' figures were measured once, on the same split with the same scripts, each in one configuration for all series; the
command above measures only ours and agrees with those scripts. NAB is the standard score at the best threshold in
hindsight; published scores are the detectors' own results on these files, judged again. \\* with a rest after each alert
and, where it helped, scores as tail probabilities.
";

const ABLATION: &str = "\
## What each part is worth

The same measurement with one thing about the detector different. Recalls and false alarms are means over the corpora,
*events at 1 a day* at one threshold for a whole corpus. How far the row with another seed is from the first is chance;
so are smaller differences of the others. Told less memory than it likes, a detector gives up past rows and scores, trees, and
how many features it looks at together.

The forest is worth 0.035 of VUS-PR, most of it on long events, and events as shipped. The spike is worth most where one
threshold serves a whole corpus; the range tells most on single metrics, as novelty does, and the distance hardly more than
chance. What has stopped changing is worth 0.009 of VUS-PR. More trees than 100 add nothing.
";

const PLOTS: &str = "\
## Where it wins and loses

A line for each series: how well its rows are ranked, what became of each event as shipped, and its false alarms a week.
";

/// All tables, for the terminal.
#[must_use]
pub fn tables(results: &Results, variants: &[(String, Results)]) -> String {
    let mut parts = vec![tables::shipped(results)];
    parts.extend(results.mts.as_ref().map(tables::ranking));
    parts.extend(results.nab.as_ref().map(tables::nab));
    if !variants.is_empty() {
        parts.push(tables::ablation(variants));
    }
    parts.join("\n")
}

/// Whether a page can stand there, which is worth knowing before measuring.
///
/// # Errors
/// If the path does not end in `.md`: its plots lie in the folder of the same name without that.
pub fn check_path(path: &Path) -> Result<()> {
    if path.extension().is_none_or(|e| e != "md") {
        return Err(Error::invalid_parameter("report", "the file's name must end in .md"));
    }
    Ok(())
}

/// The page at `path` and its plots, in the folder of the same name without `.md`.
///
/// # Errors
/// As [`check_path`].
pub fn files(
    path: &Path,
    results: &Results,
    variants: &[(String, Results)],
    checked: &Checked,
) -> Result<Vec<(PathBuf, String)>> {
    check_path(path)?;
    let folder = path.with_extension("");
    let plots = plots(results);
    let mut page = HEADING.to_owned();
    let ablate = if variants.is_empty() { "" } else { " --ablate" };
    let _ = write!(
        page,
        "\n- Command: `cargo run --release -p overseer-accuracy -- DIR{ablate} --report {}`\n- Files as listed in \
         `benches/accuracy/checksums.sha256`: {} of {}\n- Rows before a cut unchanged in every series: {}\n\n",
        path.display(),
        checked.same,
        checked.of,
        if results.is_causal() { "yes" } else { "**no**" }
    );
    let mut section = |text: &str, rest: &str| {
        let _ = write!(page, "{text}\n{rest}\n");
    };
    section(DATA, "");
    section(SHIPPED, &tables::shipped(results));
    if let Some(many) = &results.mts {
        section(RANKING, &tables::ranking(many));
    }
    if let Some(nab) = &results.nab {
        section(NAB_TEXT, &tables::nab(nab));
    }
    section(goals::GOALS, &(goals::goals(results) + "\n" + goals::TRIED));
    section(PEERS, &tables::peers(results));
    if !variants.is_empty() {
        section(ABLATION, &tables::ablation(variants));
    }
    let stem = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let images: Vec<String> = plots
        .iter()
        .map(|(name, _)| format!("![{name}, series by series]({stem}/{name}.svg)\n"))
        .collect();
    section(PLOTS, &images.join("\n"));
    let page = page.trim_end().replace("\n\n\n", "\n\n") + "\n";
    let mut files = vec![(path.to_owned(), page)];
    files.extend(plots.into_iter().map(|(name, svg)| (folder.join(format!("{name}.svg")), svg)));
    Ok(files)
}

/// One plot for each corpus, by its name.
fn plots(results: &Results) -> Vec<(String, String)> {
    let mut plots = Vec::new();
    for (name, corpus) in results.mts.iter().flat_map(|m| &m.corpora) {
        let quality = Quality::VusPr { best_peer: peers::best_vus_pr(name) };
        plots.push((name.clone(), plot::plot(name, &corpus.series, quality)));
    }
    if let Some(nab) = &results.nab {
        plots.push((NAB.to_owned(), plot::plot(NAB, &nab.series, Quality::Points)));
    }
    plots
}

/// Writes a file, and the folders it lies in.
///
/// # Errors
/// If that cannot be done; the message names the file.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let wrong = |e| Error::other(format!("writing {}", path.display()), e);
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    std::fs::write(path, text).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Many, OfSeries};
    use crate::metrics::events::{AtBudget, Summary};
    use crate::metrics::shipped::{Fate, Shipped};
    use std::collections::BTreeMap;

    fn results() -> Results {
        let summary = Summary {
            events: 3,
            recall: 1.0 / 3.0,
            precision: 0.5,
            fa_per_day: 0.25,
            delay_median: None,
            delay_mean: None,
        };
        let at = AtBudget { per_series: summary, together: summary };
        let as_shipped = Shipped {
            events: 3,
            recall_onset: 1.0 / 3.0,
            recall_state: 2.0 / 3.0,
            fa_per_week: 1.75,
            fa_per_week_worst: 1.75,
            time_in_alarm: 0.0123,
            delay_median: Some(2.5),
        };
        let one = OfSeries {
            name: "machine-1-6".to_owned(),
            vus_pr: Some(0.625),
            points: None,
            fates: vec![Fate::Alerted, Fate::Ongoing, Fate::Missed],
            fa_per_week: 1.75,
        };
        let corpus = crate::measure::Corpus {
            vus_pr: 0.625,
            auc_pr: 0.5,
            auc_roc: 0.75,
            f1: f64::NAN,
            n: 1,
            a_day: at,
            a_week: at,
            as_shipped,
            series: vec![one],
        };
        let corpora = BTreeMap::from([("smd".to_owned(), corpus)]);
        Results { mts: Some(Many { causal: Some(true), corpora, vus_pr_mean: 0.625 }), nab: None }
    }

    fn checked() -> Checked {
        Checked { same: 3, of: 4, warnings: Vec::new() }
    }

    #[test]
    fn the_page_holds_figures_where_they_belong_and_links_its_plots() {
        let variants = [("as shipped".to_owned(), results()), ("without it".to_owned(), results())];
        let files = files(Path::new("docs/page.md"), &results(), &variants, &checked()).unwrap();
        let [(path, page), (plot_path, plot)] = &files[..] else { panic!("{files:?}") };
        assert_eq!(
            (path.as_path(), plot_path.as_path()),
            (Path::new("docs/page.md"), Path::new("docs/page/smd.svg"))
        );
        for line in [
            "| smd | 1 | 3 | 0.33 | 0.67 | 2.5 | 1.75 | 1.8 | 1.23 % |",
            "| smd | 0.625 | 0.500 | 0.750 | – | 0.33, 0.33 | 0.33, 0.33 |",
            "| **Overseer** |  |  | **0.625** |  |",
            "| without it | 0.625 | 0.625 | 0.33 | 0.33 | 0.33 | 1.75 | – | – |",
            "- Files as listed in `benches/accuracy/checksums.sha256`: 3 of 4",
            "](page/smd.svg)",
            "--ablate --report docs/page.md",
        ] {
            assert!(page.contains(line), "{line} in {page}");
        }
        // One of each fate, apart from the legend's, and both figures beside their bars.
        for (class, count) in [("found", 2), ("half", 2), ("open", 2)] {
            assert_eq!(plot.matches(&format!("class=\"{class}\"")).count(), count, "{class}");
        }
        assert!(plot.contains(">0.62</text>") && plot.contains(">1.8</text>"));
    }

    #[test]
    fn a_page_without_ablation_has_no_such_section_and_must_be_markdown() {
        let of = |path: &str| files(Path::new(path), &results(), &[], &checked());
        assert!(!of("a.md").unwrap()[0].1.contains("each part"));
        assert!(of("a.html").unwrap_err().to_string().contains(".md"));
    }
}
