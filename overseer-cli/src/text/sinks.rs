//! Who is told, and what they were told.

use super::style::{Style, local, plain, wrap};
use crate::commands::alerts::{Progress, Told};
use crate::settings::SinkSettings;
use overseer_engine::core::Timestamp;
use std::fmt::Write;

/// All sinks, a line each.
pub(crate) fn sinks(sinks: &[SinkSettings], style: &Style) -> String {
    if sinks.is_empty() {
        return "Nobody is told of incidents: write `[[sinks]]` into the file that --config names.\n"
            .to_owned();
    }
    let mut out = style.heading(&format!("{:<20} {:<13} to", "name", "type"));
    out.push('\n');
    for sink in sinks {
        let _ = writeln!(out, "{:<20} {:<13} {}", sink.name, sink.kind, plain(&sink.to));
    }
    out
}

/// Messages of the outbox, newest first: to whom, how far it got, what it says, and what went wrong.
pub(crate) fn alerts(alerts: &[Told], now: Timestamp, style: &Style) -> String {
    if alerts.is_empty() {
        return "No message was written for a sink yet.\n".to_owned();
    }
    let mut out = String::new();
    for told in alerts {
        let reason = told.notification.as_ref().map_or("", |n| n.reason.as_str());
        let _ = writeln!(
            out,
            "{} {:>5}  {:<8} {:<12} to {}: {}",
            local(told.made_at),
            told.id,
            style.severity(told.severity, told.severity.as_str()),
            reason,
            style.heading(&plain(&told.sink)),
            progress(told, now, *style)
        );
        match &told.notification {
            Some(n) => out.push_str(&wrap(&n.description, "    ", 96)),
            None => out.push_str("    the stored message cannot be read\n"),
        }
        if let Some(why) = told.last_error.as_ref().filter(|_| told.progress != Progress::Delivered)
        {
            out.push_str(&style.warning(&wrap(why, "    ", 96)));
        }
    }
    out
}

fn progress(told: &Told, now: Timestamp, style: Style) -> String {
    let attempts = match told.attempts {
        1 => "1 attempt".to_owned(),
        n => format!("{n} attempts"),
    };
    match (told.progress, told.delivered_at) {
        (Progress::Delivered, Some(at)) if told.attempts > 1 => {
            format!("delivered after {}, {attempts}", at.since(told.made_at))
        }
        (Progress::Delivered, _) => "delivered".to_owned(),
        (Progress::GivenUp, _) => style.warning(&format!("given up after {attempts}")),
        (Progress::Waiting, _) if !told.configured => {
            style.warning("waits; this configuration has no sink of this name")
        }
        (Progress::Waiting, _) => match told.next_attempt {
            Some(next) if next > now && told.attempts > 0 => {
                style.warning(&format!("{attempts}, the next in {}", next.since(now)))
            }
            _ => "waits".to_owned(),
        },
    }
}
