//! The page of what choosing is worth, as Markdown.

use super::{Outcome, Past};
use crate::forecast::figures::{geometric_mean, median};
use overseer_engine::core::SelectionEnd;
use std::fmt::Write as _;

/// What is told of the contests over one past, in words and a number each.
fn summary(all: &[&Outcome]) -> [(&'static str, String); 10] {
    let changed: Vec<&Outcome> = all.iter().copied().filter(|o| o.later.is_some()).collect();
    let count = |verdict: i8| changed.iter().filter(|o| o.verdict() == verdict).count();
    let mean = |of: &[&Outcome], ratio: fn(&Outcome) -> f64| match of {
        [] => "–".to_owned(),
        of => format!("{:.3}", geometric_mean(of.iter().map(|o| ratio(o)))),
    };
    let both = |ratio| format!("{}, {}", mean(all, ratio), mean(&changed, ratio));
    let early = all.iter().filter(|o| o.end == SelectionEnd::Decided).count();
    let seconds = all.iter().map(|o| o.seconds);
    [
        ("series", all.len().to_string()),
        ("the default was kept", (all.len() - changed.len()).to_string()),
        ("something else was chosen", changed.len().to_string()),
        ("and was better on later rows, beyond noise", count(-1).to_string()),
        ("alike, within noise", count(0).to_string()),
        ("worse, beyond noise", count(1).to_string()),
        (
            "loss on later rows over the default's: mean of all, of those where something else was chosen",
            both(Outcome::ratio),
        ),
        ("the same of absolute errors", both(|o| o.later.map_or(1.0, |l| l.rel))),
        ("contests that were decided early", early.to_string()),
        (
            "a contest: rows, median; seconds on a busy machine, median and most",
            format!(
                "{:.0}; {:.0}, {:.0}",
                median(all.iter().map(|o| o.rows as f64)),
                median(seconds.clone()),
                seconds.fold(0.0, f64::max)
            ),
        ),
    ]
}

/// The tables.
#[must_use]
pub fn tables(outcomes: &[Outcome]) -> String {
    let of = |past| outcomes.iter().filter(move |o| o.past == past).collect::<Vec<_>>();
    let pasts: Vec<(&str, Vec<&Outcome>)> =
        [("a short past", of(Past::Short)), ("the whole past", of(Past::Whole))]
            .into_iter()
            .filter(|(_, of)| !of.is_empty())
            .collect();
    let mut out = String::new();
    let names: Vec<&str> = pasts.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(out, "| | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(names.len()));
    let summaries: Vec<_> = pasts.iter().map(|(_, of)| summary(of)).collect();
    if let Some(first) = summaries.first() {
        for (i, (what, _)) in first.iter().enumerate() {
            let cells: Vec<&str> = summaries.iter().map(|s| s[i].1.as_str()).collect();
            let _ = writeln!(out, "| {what} | {} |", cells.join(" | "));
        }
    }
    let mut changed: Vec<&Outcome> = outcomes.iter().filter(|o| o.later.is_some()).collect();
    if changed.is_empty() {
        return out;
    }
    out.push_str(
        "\n| series | past | chosen | better in the contest | loss on later rows over the default's | ± |\n\
         |---|---|---|---|---|---|\n",
    );
    changed.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    for o in changed {
        let error = o.later.map_or(f64::NAN, |l| l.error);
        let past = if o.past == Past::Short { "short" } else { "whole" };
        let _ = writeln!(
            out,
            "| {}/{} | {past} | {} | {:.1} % | {:.3} | {error:.3} |",
            o.corpus,
            o.name,
            o.chosen,
            100.0 * o.gain,
            o.ratio()
        );
    }
    out
}

/// The page of a report, of the whole past on every so many-th series.
#[must_use]
pub fn page(outcomes: &[Outcome], every: usize) -> String {
    let stride = if every == 1 { String::new() } else { format!(" --every {every}") };
    format!(
        "{HEAD}\n## On the data\n\nWritten by `cargo run --release -p overseer-accuracy --bin automl -- DIR{stride} --report \
         docs/automl.md`; edit\n`benches/accuracy/src/automl/report.rs`, not this.\n{EXPLAINED}\n{}",
        tables(outcomes)
    )
}

const HEAD: &str = "# Forecasters that choose themselves

Hosts differ in what forecasts them best. `overseer train --auto` lets forecasters compete over the stored history,
shows the leaderboard, and keeps what is better than the default beyond noise; `overseer watch` does so once a day in the
background, from a day of history on.

```text
overseer train --auto --budget 60s
```

- *Who competes*: the default forest; the last value, which all are measured by; forests without the other features or
  the clock, with fewer or more lags, larger or smaller leaves, fewer rows, other experts; medians; what was an hour
  before; and whoever else joins (`host::Options::challengers`, `examples/own_forecaster.rs`).
- *How*: each stretch of the history is forecast after learning from the rows before it, with as many rows as the horizon
  between; by successive halving (Jamieson and Talwalkar 2016; Karnin, Koren and Somekh 2013) the better half goes on to
  twice as many stretches. The order of the stretches hangs on a fixed seed: the same history gives the same choice.
- *Loss*: pinball losses at 5, 50 and 95 % at up to eight steps ahead, each as a share of the last value's.
- *Noise*: something else than the default is chosen only where its advantage, block by block on the same rows (Diebold
  and Mariano 1995), is beyond what chance does once in twenty contests, however many compete.
- *Limits*: the budget is time, and a contest that runs out of it counts its completed rounds. Memory is bounded by the
  rows looked at (20,000) and by the size of a stored model (64 MiB): who is larger drops out, as does who fails, with the
  reason in the leaderboard.
- *Kept*: the choice, leaderboard and margin are the column `selection` of `model_metadata`.
- *While watching*: the contest has a thread and a reading connection of its own, takes at most half of one processor
  and on Linux only what nobody else wants; a tick never waits for it. Its outcome is used from the next training on.
  `auto = \"off\"` in the configuration file switches it off. On 20,000 samples of a made-up host a contest raised the
  peak of `watch` from 35 to 57 MB, which is what training on 5,000 rows takes and as much again; and on a machine whose
  two processors were wanted by twenty others, samples came 4.98 to 5.02 s apart while it ran.
";

const EXPLAINED: &str = "
On series of the [forecasts](forecasts.md) a contest sees rows from before the first forecast that is measured: a short
past of the newest 600, where chance has most to say, and, on some of the series, for it takes minutes, all of them. What
it chose and the default then forecast the rest, 1 to 10 rows ahead, both learning on. The loss is the mean pinball loss
at 5, 50 and 95 %; beyond noise is two standard errors over thirty blocks of rows.

A contest may choose wrongly once in twenty times by design, and a choice that was right on a short past need not stay so:
a forest that leaves out the other metrics has less to learn, which helps while there are few rows and no longer once
there are many. While watching a contest is held each day anew. Whole pasts were looked at once before, on every fifth
series: the default was kept on all fifteen.
";
