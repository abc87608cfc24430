//! What a person who watches is told: the start, each change of state, and the end.

use super::style::{Style, clock};
use overseer_engine::core::{Severity, host};
use overseer_engine::report::Learned;
use overseer_engine::{Config, Report, Stage, said};
use std::fmt::Write;

/// The line before the first sample.
pub(crate) fn watch_start(learned: &Learned, config: &Config, style: &Style) -> String {
    let known = match (learned.models.is_empty(), learned.provisional) {
        (true, _) => format!(
            "nothing is known yet; the first verdict comes after {} samples",
            config.min_samples
        ),
        (false, true) => "what is known is provisional, so only what hurts is reported".to_owned(),
        (false, false) => format!("learned from {} samples", learned.samples),
    };
    let text = format!(
        "Watching every {}, alarm budget {}; {known}. Ctrl-C ends.",
        config.step, config.alarm_budget
    );
    format!("{}\n", style.dim(&text))
}

/// What changed with this tick: something is wrong, models were trained, an event opened or is over.
pub(crate) fn watch_line(report: &Report, before: Severity, style: &Style) -> Option<String> {
    let mut out = String::new();
    let time = clock(report.timestamp);
    for n in report.notices.iter().filter(|n| n.warning) {
        let _ = writeln!(out, "{time}  {} {}", style.warning("!"), n.message);
    }
    for n in report.notices.iter().filter(|n| !n.warning && n.stage == Stage::Train) {
        let _ = writeln!(out, "{time}  {}", style.dim(&n.message));
    }
    let severity = report.anomaly.as_ref().map_or(Severity::None, |a| a.severity);
    if let Some(anomaly) = report.anomaly.as_ref().filter(|_| report.alert) {
        let word = style.severity(severity, &severity.as_str().to_uppercase());
        let _ = writeln!(out, "{time}  {word}  {}", anomaly.description);
        for r in report.recommendations.iter().take(1) {
            for p in &r.processes {
                let _ = writeln!(out, "          {}: {}", host::plain_name(&r.feature), said(p));
            }
        }
    } else if before > Severity::None && severity == Severity::None {
        let _ = writeln!(out, "{time}  {}  back to normal", style.severity(severity, "ok"));
    }
    (!out.is_empty()).then_some(out)
}

/// The line after the last sample.
pub(crate) fn watch_end(ticks: u64, learned: &Learned, style: &Style) -> String {
    let place = learned.data_dir.as_deref().map_or_else(
        || "nothing is kept".to_owned(),
        |dir| format!("everything is stored in {dir}"),
    );
    format!("{}\n", style.dim(&format!("Stopped after {ticks} samples; {place}.")))
}
