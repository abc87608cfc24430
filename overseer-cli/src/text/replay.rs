//! What a configuration would have alerted on.

use super::report::{WIDTH, heading};
use super::style::{Style, local, wrap};
use overseer_engine::core::{Severity, Span, host};
use overseer_engine::replay::{Played, ReplayReport, ReplayedAlert};
use std::fmt::Write;

/// Writes what a replay found.
pub(crate) fn replay(report: &ReplayReport, style: &Style) -> String {
    let mut out = String::new();
    heading(&mut out, *style, "Replayed");
    for span in &report.spans {
        let what = if span.approximate { "one-minute means, approximate" } else { "samples" };
        let before = match span.learned_before {
            0 => String::new(),
            rows => format!(", after {rows} of before"),
        };
        let _ = writeln!(
            out,
            "  {} – {}: {} {what}, {} apart{before}",
            local(span.from),
            local(span.to),
            span.rows,
            span.interval
        );
    }
    table(&mut out, report, *style);
    match &report.new {
        None => list(&mut out, "Alerts", &report.in_force.alerts, *style),
        Some(_) => {
            list(&mut out, "Added by the new configuration", &report.added, *style);
            list(&mut out, "Removed by the new configuration", &report.removed, *style);
            changed(&mut out, report, *style);
        }
    }
    if !report.notes.is_empty() {
        heading(&mut out, *style, "Notes");
        for note in &report.notes {
            let text = wrap(note, "    ", WIDTH);
            let _ = write!(out, "  - {}", text.trim_start());
        }
    }
    out
}

fn table(out: &mut String, report: &ReplayReport, style: Style) {
    heading(out, style, "Alerts and state");
    let columns: Vec<&Played> = std::iter::once(&report.in_force).chain(&report.new).collect();
    let mut line = |name: &str, cell: &dyn Fn(&Played) -> String| {
        let _ = write!(out, "  {name:<16}");
        for played in &columns {
            let _ = write!(out, " {:>22}", cell(played));
        }
        out.push('\n');
    };
    if columns.len() > 1 {
        line("", &|p| if std::ptr::eq(p, columns[0]) { "in force" } else { "new" }.to_owned());
    }
    line("alarm budget", &|p| p.alarm_budget.to_string());
    if columns.iter().any(|p| p.min_duration > Span::default()) {
        line("min duration", &|p| p.min_duration.to_string());
    }
    line("alerts", &|p| p.alerts.len().to_string());
    for severity in [Severity::Critical, Severity::High, Severity::Medium] {
        line(&format!("  {severity}"), &|p| {
            p.alerts.iter().filter(|a| a.severity == severity).count().to_string()
        });
    }
    line("alerts a week", &|p| match p.alerts_per_week {
        rate if rate.is_finite() => format!("{rate:.2}"),
        _ => "less than a day".to_owned(),
    });
    line("time in alarm", &|p| {
        let share = p.time_in_alarm.as_secs_f64() / p.time_judged.as_secs_f64();
        match share.is_finite() {
            true => format!("{} ({:.2} %)", p.time_in_alarm, 100.0 * share),
            false => "not known".to_owned(),
        }
    });
}

fn list(out: &mut String, title: &str, alerts: &[ReplayedAlert], style: Style) {
    heading(out, style, &format!("{title}: {}", alerts.len()));
    for alert in alerts {
        let word = alert.severity.as_str().to_uppercase();
        head(out, alert, &style.severity(alert.severity, &word), style);
        out.push_str(&wrap(&alert.description, "      ", WIDTH));
    }
}

fn changed(out: &mut String, report: &ReplayReport, style: Style) {
    if report.changed.is_empty() {
        return;
    }
    heading(out, style, &format!("With another severity: {}", report.changed.len()));
    for change in &report.changed {
        let (old, new) = (change.in_force.severity, change.new.severity);
        let word = format!("{old} → {}", style.severity(new, new.as_str()));
        head(out, &change.new, &word, style);
        out.push_str(&wrap(&change.new.description, "      ", WIDTH));
    }
}

fn head(out: &mut String, alert: &ReplayedAlert, word: &str, style: Style) {
    let names: Vec<&str> = alert.features.iter().map(|f| host::plain_name(&f.feature)).collect();
    let approximate = if alert.approximate { "  (approximate)" } else { "" };
    let _ = writeln!(
        out,
        "  {}  {word}{approximate}  {}",
        local(alert.timestamp),
        style.dim(&names.join(", "))
    );
}
