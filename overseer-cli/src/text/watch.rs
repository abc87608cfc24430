//! What a person who watches is told: the start, each change of state, and the end.

use super::style::{Style, before, clock};
use overseer_engine::core::{AlertState, Incident, IncidentKind, PredictionType, Severity, host};
use overseer_engine::report::Learned;
use overseer_engine::{Config, Notice, Report, Stage, said, series_name};
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

/// Seconds.
const DAY: f64 = 86_400.0;

/// What a person was told already: only what changes is told again.
#[derive(Debug, Default)]
pub(crate) struct Before {
    severity: Severity,
    warnings: Vec<String>,
    /// What will be full within a day.
    filling: Vec<String>,
    /// The incidents that go on, as they stood.
    incidents: Vec<Incident>,
}

impl Before {
    /// What changed with this tick: something is wrong, models were trained, an event opened, goes on, or is over.
    pub(crate) fn changes(&mut self, report: &Report, style: &Style) -> String {
        let mut out = String::new();
        let time = clock(report.timestamp);
        let warnings: Vec<String> =
            report.notices.iter().filter(|n| n.warning).map(|n| n.message.clone()).collect();
        for warning in warnings.iter().filter(|w| !self.warnings.contains(w)) {
            let _ = writeln!(out, "{time}  {} {warning}", style.warning("!"));
        }
        self.warnings = warnings;
        for n in report.notices.iter().filter(|n| !n.warning && n.stage == Stage::Train) {
            let _ = writeln!(out, "{time}  {}", style.dim(&n.message));
        }
        out.push_str(&self.room(report, &time, style));
        let severity = report.anomaly.as_ref().map_or(Severity::None, |a| a.severity);
        match &report.anomaly {
            Some(anomaly)
                if report.alert || (self.severity == Severity::None && anomaly.is_anomaly) =>
            {
                let word = style.severity(severity, &severity.as_str().to_uppercase());
                let incident = report.incidents.iter().find(|i| i.kind == IncidentKind::Anomaly);
                let again = match incident.map(|i| i.state) {
                    _ if report.alert => "",
                    Some(AlertState::Pending) => "pending, no alert yet: ",
                    _ => "again, soon after its alert: ",
                };
                let number = number_of(report);
                let _ = writeln!(
                    out,
                    "{time}  {word}  {number}{again}{}{}",
                    anomaly.description,
                    before(anomaly)
                );
                for r in report.recommendations.iter().take(1) {
                    for p in &r.processes {
                        let name = host::plain_name(&r.feature);
                        let _ = writeln!(out, "          {name}: {}", said(p));
                    }
                }
            }
            _ if self.severity > Severity::None && severity == Severity::None => {
                let _ = writeln!(out, "{time}  {}  back to normal", style.severity(severity, "ok"));
            }
            _ => {}
        }
        self.severity = severity;
        out.push_str(&self.incidents(report, &time, style));
        out
    }

    /// What a person or a hard rule did about incidents; anomalies are told with the sample that makes them.
    fn incidents(&mut self, report: &Report, time: &str, style: &Style) -> String {
        let mut out = String::new();
        for i in &report.incidents {
            let known = self.incidents.iter().find(|k| k.id == i.id && k.began_at == i.began_at);
            let is_new = known.is_none_or(|k| k.state != i.state);
            let is_worse = known.is_some_and(|k| k.severity < i.severity);
            let is_rule = i.kind != IncidentKind::Anomaly;
            let word = style.severity(i.severity, &i.severity.as_str().to_uppercase());
            match i.state {
                AlertState::Firing if is_rule && (is_new || is_worse) => {
                    let _ = writeln!(out, "{time}  {word}  #{} {}", i.id, i.description);
                }
                AlertState::Resolved if is_rule && i.fired_at.is_some() => {
                    let word = style.severity(Severity::None, "ok");
                    let _ = writeln!(out, "{time}  {word}  #{} is over", i.id);
                }
                AlertState::Acknowledged if is_new => {
                    let note = i.acknowledged.as_ref().map_or("", |by| by.note.as_str());
                    let note = if note.is_empty() { String::new() } else { format!(": {note}") };
                    let text = format!("#{} is looked after{note}", i.id);
                    let _ = writeln!(out, "{time}  {}", style.dim(&text));
                }
                _ => {}
            }
        }
        self.incidents = report.incidents.iter().filter(|i| i.is_open()).cloned().collect();
        out
    }

    /// What will be full within a day and was not told yet, and what will not any more.
    fn room(&mut self, report: &Report, time: &str, style: &Style) -> String {
        let mut out = String::new();
        let Some(room) = &report.room else { return out };
        let mut filling = Vec::new();
        for p in room.filling.iter().filter(|p| p.value <= DAY) {
            let PredictionType::TimeToFull { feature, instance } = &p.prediction_type else {
                continue;
            };
            let name = series_name(feature, instance);
            if !self.filling.contains(&name) {
                let _ = writeln!(out, "{time}  {}  {}", style.warning("room"), p.explanation);
            }
            filling.push(name);
        }
        for name in self.filling.iter().filter(|name| !filling.contains(name)) {
            let text = format!("{name} is not expected to be full within a day any more");
            let _ = writeln!(out, "{time}  {}", style.dim(&text));
        }
        self.filling = filling;
        out
    }
}

/// The number of the anomaly's incident, to be typed after `acknowledge` or `label`, and whether a silence covers it.
pub(super) fn number_of(report: &Report) -> String {
    let mut open = report.incidents.iter().filter(|i| i.is_open() && i.id > 0);
    let incident = open.find(|i| i.kind == IncidentKind::Anomaly);
    match incident {
        Some(i) if i.silenced && i.told.is_none() => format!("#{} (silenced) ", i.id),
        Some(i) => format!("#{} ", i.id),
        None => String::new(),
    }
}

/// The line after the last sample.
pub(crate) fn watch_end(
    ticks: u64,
    learned: &Learned,
    unsaved: &[Notice],
    style: &Style,
) -> String {
    let place = match (&learned.data_dir, unsaved.iter().find(|n| n.warning)) {
        (_, Some(problem)) => format!("not all of it could be stored: {}", problem.message),
        (Some(dir), None) => format!("everything is stored in {dir}"),
        (None, None) => "nothing is kept".to_owned(),
    };
    format!("{}\n", style.dim(&format!("Stopped after {ticks} samples; {place}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_engine::core::{Span, Timestamp};

    #[test]
    fn a_warning_is_told_once_until_it_changes() {
        let mut engine = overseer_engine::host::with_our_models(
            Box::new(overseer_engine::host::collect::ScriptedHost::builder(1).build().unwrap()),
            None,
            None,
            Config::default(),
            overseer_engine::Role::Sampler,
        )
        .unwrap();
        let mut before = Before::default();
        let mut tell = |message: &str, seconds: i64| {
            engine.note(Notice::warning(Stage::Store, message));
            let now = Timestamp::from_millis(0) + Span::from_secs(seconds);
            before.changes(&engine.tick(now), &Style::plain()).contains(message)
        };
        assert_eq!([tell("a", 5), tell("a", 10), tell("b", 15)], [true, false, true]);
    }
}
