//! Incidents and silences as lists.

use super::report::WIDTH;
use super::style::{Style, clock, local, percent, plain, wrap};
use overseer_engine::core::{
    AlertState, AnomalyDetection, Incident, Label, LabelKind, LocalTime, Silence, SilenceKind,
    Timestamp, host,
};
use overseer_engine::host::collect::SystemZone;
use overseer_engine::incident::Weekly;
use overseer_engine::said;
use std::fmt::Write;

const INDENT: &str = "     ";

/// The newest incidents, each with what is known of it.
pub(crate) fn incidents(list: &[Incident], all: bool, now: Timestamp, style: &Style) -> String {
    if list.is_empty() {
        let more = if all { "" } else { " --all also lists what never became an alert." };
        return format!("No incidents.{more}\n");
    }
    list.iter().map(|i| incident(i, now, style)).collect::<Vec<_>>().join("\n")
}

/// An anomaly that is part of no incident, and what was said of it.
pub(crate) fn labelled(a: &AnomalyDetection, kind: LabelKind) -> String {
    let kind = kind.as_str().replace('_', " ");
    format!("The anomaly of {} is labelled {kind}: {}\n", local(a.timestamp), plain(&a.description))
}

/// One incident.
pub(crate) fn incident(i: &Incident, now: Timestamp, style: &Style) -> String {
    let lasted = match i.ended_at {
        Some(_) if i.samples == 1 => "one sample".to_owned(),
        Some(_) => format!("lasted {}", i.last_seen.since(i.began_at)),
        None => format!("for {}", now.since(i.began_at)),
    };
    let state = match (i.state, i.fired_at) {
        (AlertState::Resolved, None) => "never fired",
        (state, _) => state.as_str(),
    };
    let id = format!("#{}", i.id);
    let severity =
        style.severity(i.severity, &format!("{:<8}", i.severity.as_str().to_uppercase()));
    let mut out = format!(
        "{} {severity}  {state}  {}, {lasted}\n",
        style.heading(&format!("{id:<4}")),
        local(i.began_at)
    );
    out.push_str(&wrap(&i.description, INDENT, WIDTH));
    let features: Vec<String> = i
        .features
        .iter()
        .filter(|f| f.contribution >= 0.05)
        .map(|f| format!("{} {}", host::plain_name(&f.feature), percent(f.contribution)))
        .collect();
    if features.len() > 1 {
        out.push_str(&wrap(&format!("Features: {}", features.join(", ")), INDENT, WIDTH));
    }
    let mut busiest = i.processes.clone();
    busiest.sort_by(|a, b| b.cpu_cores.total_cmp(&a.cpu_cores));
    let busiest: Vec<String> =
        busiest.iter().filter(|p| p.cpu_cores >= 0.01).take(3).map(said).collect();
    if !busiest.is_empty() {
        out.push_str(&wrap(&format!("Processes: {}", busiest.join(", ")), INDENT, WIDTH));
    }
    let facts = facts(i);
    if !facts.is_empty() {
        out.push_str(&style.dim(&wrap(&format!("{}.", facts.join("; ")), INDENT, WIDTH)));
    }
    out
}

/// What was told and decided of it, a sentence each, without full stops.
pub(crate) fn facts(i: &Incident) -> Vec<String> {
    let noted = |note: &str| if note.is_empty() { String::new() } else { format!(": {note}") };
    let mut facts = Vec::new();
    if let Some(told) = i.told {
        facts.push(format!("Told at {} ({})", clock(told.at), told.reason));
    }
    if i.silenced {
        facts.push("A silence covered it".to_owned());
    }
    if let Some(by) = &i.acknowledged {
        facts.push(format!("Acknowledged at {}{}", clock(by.at), noted(&by.note)));
    }
    if let Some(label) = &i.label {
        facts.push(format!("Labelled {}{}", label_word(label), noted(&label.note)));
    }
    facts
}

fn label_word(label: &Label) -> String {
    label.kind.as_str().replace('_', " ")
}

/// Silences, each with when it holds.
pub(crate) fn silences(list: &[Silence], now: Timestamp, style: &Style) -> String {
    if list.is_empty() {
        return "No silences.\n".to_owned();
    }
    list.iter().map(|s| silence(s, now, *style)).collect()
}

fn silence(s: &Silence, now: Timestamp, style: Style) -> String {
    let lasting = s.ends_at.since(s.starts_at);
    let when = match &s.recurrence {
        None if now < s.starts_at => {
            format!("from {} until {}", local(s.starts_at), local(s.ends_at))
        }
        None => format!("until {}", local(s.ends_at)),
        Some(text) => recurring(text, s, now),
    };
    let what = match s.kind {
        SilenceKind::Maintenance => "maintenance",
        _ => "silence",
    };
    let names: Vec<&str> = s.features.iter().map(|f| host::plain_name(f)).collect();
    let about = if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) };
    let reason =
        if s.reason.is_empty() { String::new() } else { format!(": {}", plain(&s.reason)) };
    let id = style.heading(&format!("{:<4}", format!("#{}", s.id)));
    let mut out = String::new();
    let _ = writeln!(out, "{id} {what}{about}, {when}, for {lasting}{reason}");
    out
}

fn recurring(text: &str, s: &Silence, now: Timestamp) -> String {
    let lasting = s.ends_at.since(s.starts_at);
    let Ok(weekly) = Weekly::from_json(text) else { return format!("as {text}") };
    let Ok(zone) = SystemZone::named(weekly.zone()) else { return weekly.to_string() };
    match weekly.next(now.max(s.starts_at), lasting, &zone as &dyn LocalTime) {
        Some((from, to)) if from <= now => format!("{weekly}, now until {}", local(to)),
        Some((from, _)) => format!("{weekly}, next {}", local(from)),
        None => weekly.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_engine::core::{
        Acknowledgement, FeatureEvidence, IncidentKind, LabelKind, Peak, ProcessUsage, Severity,
        Span,
    };

    #[test]
    fn an_incident_says_what_how_long_by_whom_and_what_was_decided() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let mut i = Incident::new(IncidentKind::Anomaly, Peak::new(at, Severity::High, 0.9, 1e-6));
        i.id = 12;
        i.description = "CPU is far above its usual.".into();
        i.features = vec![
            FeatureEvidence::new("system.cpu.utilization", 1.0, (0.0, 0.1), 0.62),
            FeatureEvidence::new("linux.pressure.cpu", 1.0, (0.0, 0.1), 0.3),
        ];
        let mut burn = ProcessUsage::new(1, "burn");
        burn.cpu_cores = 1.5;
        i.processes = vec![burn];
        i.acknowledged = Some(Acknowledgement::new(at, "mine"));
        i.label = Some(Label::new(at, LabelKind::FalseAlarm, at));
        let text = incident(&i, at + Span::from_secs(720), &Style::plain());
        for said in [
            "#12  HIGH      pending  ",
            ", for 12 min\n",
            "Features: CPU 62.0 %, CPU pressure 30.0 %",
            "Processes: burn (pid 1, 1.50 CPUs)",
            ": mine; Labelled false alarm.",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        i.state = AlertState::Resolved;
        assert!(incident(&i, at, &Style::plain()).contains("never fired"));
        assert!(incidents(&[], false, at, &Style::plain()).contains("--all"));
    }

    #[test]
    fn a_silence_says_of_what_until_when_and_how_it_recurs() {
        let at = Timestamp::from_millis(1_704_506_400_000); // A Saturday, 02:00 UTC.
        let mut s = Silence::new(SilenceKind::Maintenance, at, at + Span::from_secs(10_800), at);
        (s.id, s.reason) = (3, "backup\u{1b}".into());
        s.features = vec!["system.disk.io.write".into()];
        let text = silences(&[s.clone()], at, &Style::plain());
        assert!(text.starts_with("#3   maintenance of disk writes, until "), "{text}");
        assert!(text.ends_with("for 3 h: backup \n"), "{text}");
        s.recurrence = Some(Weekly::new("sat,sun 02:00", "UTC").unwrap().to_json().unwrap());
        let now = silences(&[s.clone()], at, &Style::plain());
        assert!(now.contains("sat,sun 02:00 UTC, now until "), "{now}");
        let later = silences(&[s], at + Span::from_secs(20_000), &Style::plain());
        assert!(later.contains("sat,sun 02:00 UTC, next "), "{later}");
    }
}
