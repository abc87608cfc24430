//! The one text of a notification, for people: a subject and a body that can be understood when woken by it.

use crate::message::{TEST_ID, one_line};
use jiff::tz::TimeZone;
use overseer_core::{
    AlertState, FeatureEvidence, Notification, NotificationReason, ProcessUsage, Span, Timestamp,
    Unit, host,
};
use std::fmt::Write;

/// So many features, processes and actions are written out; the JSON has all of them.
const LISTED: usize = 8;
/// A longer subject is cut.
const SUBJECT_CHARACTERS: usize = 160;

/// One line: severity, host, what happened, and why it is told if not for the first time. A test says so first.
#[must_use]
pub fn subject(id: i64, n: &Notification) -> String {
    let test = if id == TEST_ID { "TEST " } else { "" };
    let why = match n.reason {
        NotificationReason::Worse => "worse: ",
        NotificationReason::Reminder => "still: ",
        NotificationReason::Acknowledged => "acknowledged: ",
        NotificationReason::Resolved => "over: ",
        _ => "",
    };
    let said = if n.description.trim().is_empty() { "something unusual" } else { &n.description };
    one_line(&format!("{test}[{}] {}: {why}{said}", n.severity, n.host), SUBJECT_CHARACTERS)
}

/// Everything a person needs at first, most important first, in lines of plain text.
#[must_use]
pub fn body(id: i64, n: &Notification) -> String {
    let mut out = String::new();
    if id == TEST_ID {
        out.push_str("This is a test that somebody asked for. Nothing is wrong.\n\n");
    }
    let said = if n.description.trim().is_empty() { "Something unusual." } else { &n.description };
    let _ = writeln!(out, "{}\n", one_line(said, 2000));
    let lasted = Span::to_string(&n.ended_at.unwrap_or(n.made_at).since(n.incident));
    let _ = writeln!(out, "Host      {}", one_line(&n.host, 200));
    let _ = writeln!(out, "Severity  {}", n.severity);
    let _ = writeln!(out, "State     {}", standing(n));
    match n.ended_at {
        Some(end) => {
            let _ = writeln!(out, "From      {}", local(n.incident));
            let _ = writeln!(out, "Until     {}, it lasted {lasted}", local(end));
        }
        None => {
            let _ =
                writeln!(out, "Since     {}, {lasted} before this was written", local(n.incident));
        }
    }
    section(&mut out, "What is unusual", &n.features, feature);
    section(&mut out, "Who used the most when it was found", &n.processes, process);
    section(&mut out, "What could be done", &n.suggested_actions, |a| one_line(a, 400));
    let _ = writeln!(
        out,
        "\nIncident {}, message {id} of Overseer on {}. There, `overseer analyze` says how it is now.",
        n.incident.as_millis(),
        one_line(&n.host, 200)
    );
    out
}

fn section<T>(out: &mut String, heading: &str, items: &[T], line: impl Fn(&T) -> String) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{heading}:");
    for item in items.iter().take(LISTED) {
        let _ = writeln!(out, "  - {}", line(item));
    }
    if items.len() > LISTED {
        let _ = writeln!(out, "  and {} more", items.len() - LISTED);
    }
}

fn standing(n: &Notification) -> String {
    let why = match n.reason {
        NotificationReason::Fired => "told for the first time",
        NotificationReason::Worse => "it has become worse",
        NotificationReason::Reminder => "a reminder: it goes on, and nobody has acknowledged it",
        NotificationReason::Acknowledged => "somebody looks after it",
        NotificationReason::Resolved => "it is over",
        _ => return n.state.to_string(),
    };
    if n.state == AlertState::Resolved { why.to_owned() } else { format!("{}; {why}", n.state) }
}

fn feature(f: &FeatureEvidence) -> String {
    let unit = unit_of(&f.feature);
    let mut line = format!("{} {}", one_line(&f.feature, 100), unit.humanize(f.observed));
    let (low, high) = f.expected;
    if low.is_finite() && high.is_finite() {
        let _ = write!(line, ", usually {} to {}", unit.humanize(low), unit.humanize(high));
    }
    if f.contribution.is_finite() {
        let _ = write!(line, " ({:.0} % of the score)", 100.0 * f.contribution);
    }
    line
}

fn process(p: &ProcessUsage) -> String {
    let mut line = format!("{} (pid {}", one_line(&p.name, 60), p.pid);
    if !p.unit.is_empty() {
        let _ = write!(line, ", {}", one_line(&p.unit, 80));
    }
    line.push(')');
    let mut uses = Vec::new();
    if p.cpu_cores.is_finite() {
        uses.push(format!("{:.2} cores", p.cpu_cores));
    }
    for (value, unit, what) in [
        (p.memory_bytes, Unit::Bytes, "of memory"),
        (p.io_bytes_per_second, Unit::BytesPerSecond, "read and written"),
    ] {
        if value.is_finite() {
            uses.push(format!("{} {what}", unit.humanize(value)));
        }
    }
    if !uses.is_empty() {
        let _ = write!(line, ": {}", uses.join(", "));
    }
    line
}

/// The unit of a feature of the host's own schema; of another nothing is known.
fn unit_of(feature: &str) -> Unit {
    let schema = host::schema();
    schema.index_of(feature).map_or(Unit::Unknown, |i| schema.features()[i].unit)
}

/// A moment by this host's clocks, with their zone: `2026-11-26 03:12:05 CET`.
fn local(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(t) => t.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        Err(_) => format!("{} ms after 1970", at.as_millis()),
    }
}

/// A moment as RFC 3339 has it, in UTC; one that no calendar reaches is the last it does.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let beyond =
        if at < Timestamp::default() { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(beyond).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::Severity;

    fn told() -> Notification {
        let at = Timestamp::from_millis(1_764_126_725_000);
        let (reason, state) = (NotificationReason::Fired, AlertState::Firing);
        let mut n = Notification::new("web-1", at, reason, state, Severity::Critical, at);
        n.made_at = at + Span::from_secs(180);
        n.description = "CPU has been far above its usual 2–8 % for 3 min".to_owned();
        n.features = vec![FeatureEvidence::new("system.cpu.utilization", 0.97, (0.02, 0.08), 0.61)];
        let mut busy = ProcessUsage::new(42, "sh");
        busy.cpu_cores = 0.98;
        busy.unit = "cron.service".to_owned();
        n.processes = vec![busy];
        n.suggested_actions = vec!["See what cron runs at night.".to_owned()];
        n
    }

    #[test]
    fn the_body_says_what_where_since_when_and_what_to_do() {
        let text = body(17, &told());
        for said in [
            "CPU has been far above its usual 2–8 % for 3 min\n",
            "Host      web-1\n",
            "Severity  critical\n",
            "State     firing; told for the first time\n",
            "3 min before this was written",
            "  - system.cpu.utilization 97.0 %, usually 2.0 % to 8.0 % (61 % of the score)\n",
            "  - sh (pid 42, cron.service): 0.98 cores\n",
            "  - See what cron runs at night.\n",
            "message 17 of Overseer on web-1",
        ] {
            assert!(text.contains(said), "{said:?} is not in\n{text}");
        }
        assert!(!text.contains("test"));
    }

    #[test]
    fn the_end_and_a_test_are_told_apart_at_a_glance() {
        let mut n = told();
        (n.reason, n.state) = (NotificationReason::Resolved, AlertState::Resolved);
        n.ended_at = Some(n.incident + Span::from_secs(600));
        assert!(subject(17, &n).starts_with("[critical] web-1: over: CPU has"));
        assert!(body(17, &n).contains("it lasted 10 min\n"));
        assert!(subject(TEST_ID, &n).starts_with("TEST [critical]"));
        assert!(body(TEST_ID, &n).starts_with("This is a test"));
    }

    #[test]
    fn hostile_text_breaks_no_line_and_missing_values_are_said() {
        let mut n = told();
        n.host = "web\r\nBcc: all".to_owned();
        n.description = format!("x\n{}", "y".repeat(9000));
        n.features =
            vec![FeatureEvidence::new("a\nb", f64::NAN, (f64::NAN, f64::NAN), f64::NAN); 9];
        let subject = subject(1, &n);
        assert!(!subject.contains(['\r', '\n']) && subject.chars().count() <= SUBJECT_CHARACTERS);
        let body = body(1, &n);
        assert!(body.contains("  - a b no value\n") && body.contains("  and 1 more\n"), "{body}");
        assert!(body.len() < 9000);
    }

    #[test]
    fn times_beyond_any_calendar_are_still_times() {
        assert_eq!(rfc3339(Timestamp::from_millis(1_500)), "1970-01-01T00:00:01.5Z");
        let last = rfc3339(Timestamp::from_millis(i64::MAX));
        assert!(last.starts_with("9999-"), "{last}");
        assert!(local(Timestamp::from_millis(i64::MIN)).contains("after 1970"));
    }
}
