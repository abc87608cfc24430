//! The figures as tables in Markdown.

use super::peers::{CORPORA, PEERS};
use crate::measure::{Many, Nab, Results};
use crate::metrics::nab::PROFILES;
use crate::metrics::shipped::Shipped;
use std::fmt::Write;

/// A figure of two or three digits; a dash where there is none.
fn digits(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "–".to_owned() }
}

/// What a user gets who changes nothing.
pub(super) fn shipped(results: &Results) -> String {
    let mut text = "| corpus | series | events | alert inside | inside any alert | median delay, rows | false alarms a \
                    week | worst series | time in alarm |\n|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let mut row = |name: &str, n: usize, s: &Shipped| {
        let delay = s.delay_median.map_or("–".to_owned(), |d| d.to_string());
        let _ = writeln!(
            text,
            "| {name} | {n} | {} | {:.2} | {:.2} | {delay} | {:.2} | {:.1} | {:.2} % |",
            s.events,
            s.recall_onset,
            s.recall_state,
            s.fa_per_week,
            s.fa_per_week_worst,
            100.0 * s.time_in_alarm
        );
    };
    for (name, corpus) in results.mts.iter().flat_map(|m| &m.corpora) {
        row(name, corpus.n, &corpus.as_shipped);
    }
    if let Some(nab) = &results.nab {
        row("nab", nab.files, &nab.as_shipped);
    }
    text
}

/// How well rows and events are ranked.
pub(super) fn ranking(many: &Many) -> String {
    let mut text = "| corpus | VUS-PR | AUC-PR | AUC-ROC | best F1 | events at 1 false alarm a day: own threshold, one \
                    for all | at 1 a week |\n|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (name, c) in &many.corpora {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {:.2}, {:.2} | {:.2}, {:.2} |",
            digits(c.vus_pr, 3),
            digits(c.auc_pr, 3),
            digits(c.auc_roc, 3),
            digits(c.f1, 3),
            c.a_day.per_series.recall,
            c.a_day.together.recall,
            c.a_week.per_series.recall,
            c.a_week.together.recall
        );
    }
    if many.corpora.len() > 1 {
        let _ = writeln!(text, "| mean | {} | | | | | |", digits(many.vus_pr_mean, 3));
    }
    text
}

/// The Numenta Anomaly Benchmark.
pub(super) fn nab(nab: &Nab) -> String {
    let mut text = "| profile | best threshold in hindsight | each file at the others' threshold |\n|---|---|---|\n".to_owned();
    for profile in PROFILES {
        if let Some(score) = nab.profiles.get(profile.name) {
            let name = profile.name.replace('_', " ");
            let _ = writeln!(text, "| {name} | {:.1} | {:.1} |", score.score, score.leave_one_out);
        }
    }
    text
}

/// NAB's standard score of results.
fn standard(results: &Results) -> Option<(f64, f64)> {
    let score = results.nab.as_ref()?.profiles.get(PROFILES[0].name)?;
    Some((score.score, score.leave_one_out))
}

/// Ours beside the peers'.
pub(super) fn peers(results: &Results) -> String {
    let mut text = format!(
        "| detector | VUS-PR {} | NAB standard |\n|---|---|---|---|---|\n",
        CORPORA.join(" | ")
    );
    for p in PEERS {
        let vus = CORPORA.map(|c| p.vus_pr(c).map_or(String::new(), |v| digits(v, 3)));
        let _ = writeln!(text, "| {} | {} | {} |", p.name, vus.join(" | "), p.nab);
    }
    let ours = CORPORA.map(|c| {
        let corpus = results.mts.as_ref().and_then(|m| m.corpora.get(c));
        corpus.map_or(String::new(), |c| format!("**{}**", digits(c.vus_pr, 3)))
    });
    let nab = standard(results).map_or(String::new(), |(score, _)| format!("**{score:.1}**"));
    let _ = writeln!(text, "| **Overseer** | {} | {nab} |", ours.join(" | "));
    text
}

/// What each part is worth. Recalls are means over the corpora.
pub(super) fn ablation(variants: &[(String, Results)]) -> String {
    let Some((_, Results { mts, .. })) = variants.first() else { return String::new() };
    let names: Vec<&String> = mts.iter().flat_map(|m| m.corpora.keys()).collect();
    let mut text = "| detector |".to_owned();
    for name in &names {
        let _ = write!(text, " VUS-PR {name} |");
    }
    text.push_str(
        " mean | events at 1 a day | at 1 a week | alert inside, shipped | false alarms a week | NAB standard | \
         others' threshold |\n|---|",
    );
    text.push_str(&"---|".repeat(names.len() + 7));
    text.push('\n');
    for (name, results) in variants {
        let _ = write!(text, "| {name} |");
        let corpora: Vec<_> = results.mts.iter().flat_map(|m| m.corpora.values()).collect();
        let n = corpora.len() as f64;
        for c in &corpora {
            let _ = write!(text, " {} |", digits(c.vus_pr, 3));
        }
        let mean = results.mts.as_ref().map_or(f64::NAN, |m| m.vus_pr_mean);
        let nab = standard(results);
        let _ = writeln!(
            text,
            " {} | {} | {} | {} | {} | {} | {} |",
            digits(mean, 3),
            digits(corpora.iter().map(|c| c.a_day.together.recall).sum::<f64>() / n, 2),
            digits(corpora.iter().map(|c| c.a_week.together.recall).sum::<f64>() / n, 2),
            digits(corpora.iter().map(|c| c.as_shipped.recall_onset).sum::<f64>() / n, 2),
            digits(corpora.iter().map(|c| c.as_shipped.fa_per_week).sum::<f64>() / n, 2),
            digits(nab.map_or(f64::NAN, |s| s.0), 1),
            digits(nab.map_or(f64::NAN, |s| s.1), 1)
        );
    }
    text
}
