//! Tables: the history's summary, and what training came to.

use super::style::{Style, local, quality, took};
use overseer_engine::analytics::Analytics;
use overseer_engine::core::{ModelMetadata, host};
use overseer_engine::report::Learned;
use overseer_engine::{TrainOutcome, TrainSummary};
use std::fmt::Write;

/// The summary of the stored history.
pub(crate) fn analytics(a: &Analytics, style: &Style) -> String {
    let mut out = String::new();
    match &a.stored {
        Some(s) => {
            let span = s.span.map_or_else(String::new, |(from, to)| {
                format!(", {} to {}", local(from), local(to))
            });
            let _ = writeln!(
                out,
                "{}\n  {} samples{span}\n  {} anomalies, {} predictions, {} patterns, {} models",
                style.heading("Stored"),
                s.samples,
                s.anomalies,
                s.predictions,
                s.patterns,
                s.models
            );
        }
        None => out.push_str("Nothing is stored.\n"),
    }
    if a.samples == 0 {
        out.push_str("\nNo samples yet: run `overseer analyze` or `overseer watch` first.\n");
        notices(&mut out, a, *style);
        return out;
    }
    let _ = writeln!(
        out,
        "\n{}  {} samples {} apart",
        style.heading("Features"),
        a.samples,
        a.interval
    );
    let _ = writeln!(
        out,
        "  {:<16} {:>13} {:>13} {:>13} {:>13} {:>13} {:>8}",
        "", "mean", "5 %", "median", "95 %", "max", "missing"
    );
    for f in &a.features {
        let u = |v: f64| if v.is_nan() { "–".to_owned() } else { f.unit.humanize(v) };
        let _ = writeln!(
            out,
            "  {:<16} {:>13} {:>13} {:>13} {:>13} {:>13} {:>8}",
            host::plain_name(&f.feature),
            u(f.mean),
            u(f.p5),
            u(f.median),
            u(f.p95),
            u(f.max),
            f.missing
        );
    }
    let _ = writeln!(out, "\n{}", style.heading("Move together"));
    if a.correlations.is_empty() {
        out.push_str("  No two features clearly do.\n");
    }
    for c in a.correlations.iter().take(10) {
        let (x, y) = (host::plain_name(&c.features.0), host::plain_name(&c.features.1));
        let _ = writeln!(out, "  {x} and {y}: r = {:+.2}", c.r);
    }
    let _ = writeln!(out, "\n{}", style.heading("Models"));
    if a.models.is_empty() {
        out.push_str("  None yet.\n");
    }
    for m in &a.models {
        let _ = writeln!(out, "  {}, {} old", model(&m.metadata), m.age);
    }
    let _ = writeln!(out, "\n{}", style.heading("Health"));
    let _ = writeln!(
        out,
        "  {:<21} {:>8} {:>10} {:>9} {:>10}",
        "from", "samples", "mean score", "max score", "anomalies"
    );
    for h in a.health.iter().filter(|h| h.samples > 0) {
        let _ = writeln!(
            out,
            "  {:<21} {:>8} {:>10.0} {:>9.0} {:>10}",
            local(h.from),
            h.samples,
            h.mean_score,
            h.max_score,
            h.anomalies
        );
    }
    let _ = writeln!(out, "\n{}\n  {}", style.heading("Alerts"), alerts(a));
    if !a.anomalies.is_empty() {
        let _ = writeln!(out, "\n{}", style.heading("Newest anomalies"));
        for x in a.anomalies.iter().take(5) {
            let _ = writeln!(
                out,
                "  {}  {}  {}",
                local(x.timestamp),
                style.severity(x.severity, x.severity.as_str()),
                x.description
            );
        }
    }
    notices(&mut out, a, *style);
    out
}

/// The true rate of alerts beside the budget, with from how much it was measured.
fn alerts(a: &Analytics) -> String {
    let Some(rate) = &a.alarm_rate else { return "nothing measured yet".to_owned() };
    let budget = rate.budget_per_week;
    if rate.measured_per_week.is_nan() {
        return format!(
            "nothing measured yet, for less than a day was watched ({}); the budget is {budget} a week",
            rate.watched
        );
    }
    let plural = if rate.alerts == 1 { "" } else { "s" };
    let counted = match (rate.of_incidents, rate.labelled_harmless) {
        (0, 0) => String::new(),
        (incidents, harmless) => {
            format!(", {incidents} of them labelled incidents and {harmless} not to be told")
        }
    };
    format!(
        "{:.2} a week on normal behaviour, beside a budget of {budget} a week: from {} alert{plural} in {}{counted}",
        rate.measured_per_week, rate.alerts, rate.watched
    )
}

fn notices(out: &mut String, a: &Analytics, style: Style) {
    for n in &a.notices {
        let _ = writeln!(out, "{} {}", style.warning("!"), n.message);
    }
}

/// A table of what was learned, how good it is, and how long it took.
pub(crate) fn training(summary: &TrainSummary, learned: &Learned, style: &Style) -> String {
    let mut out = String::new();
    for outcome in &summary.models {
        let line = match outcome {
            TrainOutcome::Trained(m) => format!("trained  {}", model(m)),
            TrainOutcome::Kept(m) => format!("kept     {} (fresh; --force trains anew)", model(m)),
            TrainOutcome::Failed { name, reason } => format!("failed   {name}: {reason}"),
            _ => continue,
        };
        let _ = writeln!(out, "{line}");
    }
    let word = if learned.provisional { ", provisional" } else { "" };
    let _ = writeln!(out, "{} samples {} apart{word}", learned.samples, learned.interval);
    for n in summary.notices.iter().filter(|n| n.warning) {
        let _ = writeln!(out, "{} {}", style.warning("!"), n.message);
    }
    out
}

fn model(m: &ModelMetadata) -> String {
    format!(
        "{:<18} {:<16} {:>6} samples {:>12} {:>8.1} kB  {}",
        m.name,
        m.algorithm,
        m.rows,
        took(m, 1),
        m.bytes as f64 / 1000.0,
        quality(m)
    )
}
