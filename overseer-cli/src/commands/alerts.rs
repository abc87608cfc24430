//! The outbox: who was told what, and what still waits.

use super::{json, print};
use crate::args::{Alerts, Format};
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::core::{Alert, AlertState, Notification, Severity, Store, Timestamp};
use overseer_engine::host;
use serde::Serialize;

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    Delivered,
    Waiting,
    GivenUp,
}

/// A message with its notification.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    pub(crate) id: i64,
    pub(crate) sink: String,
    /// Whether the configuration in use knows the sink.
    pub(crate) configured: bool,
    pub(crate) progress: Progress,
    pub(crate) incident: Timestamp,
    pub(crate) state: AlertState,
    pub(crate) severity: Severity,
    pub(crate) made_at: Timestamp,
    pub(crate) attempts: u32,
    pub(crate) next_attempt: Option<Timestamp>,
    pub(crate) delivered_at: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
    /// None where the stored text is not one.
    pub(crate) notification: Option<Notification>,
}

impl Told {
    fn of(alert: Alert, settings: &Settings) -> Self {
        let progress = match (alert.delivered_at, alert.next_attempt) {
            (Some(_), _) => Progress::Delivered,
            (None, Some(_)) => Progress::Waiting,
            (None, None) => Progress::GivenUp,
        };
        Self {
            configured: settings.sinks.iter().any(|sink| sink.name == alert.sink),
            notification: serde_json::from_str(&alert.message).ok(),
            id: alert.id,
            sink: alert.sink,
            progress,
            incident: alert.incident,
            state: alert.state,
            severity: alert.severity,
            made_at: alert.made_at,
            attempts: alert.attempts,
            next_attempt: alert.next_attempt,
            delivered_at: alert.delivered_at,
            last_error: alert.last_error,
        }
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    alerts: &'a [Told],
}

pub(crate) fn alerts(settings: &Settings, args: &Alerts) -> Outcome {
    let mut store = host::open_store(&settings.engine("alerts", false), false)?;
    let alerts = store.alerts(args.limit)?;
    let alerts: Vec<Told> = alerts.into_iter().map(|a| Told::of(a, settings)).collect();
    match settings.format {
        Format::Json => json(&Listed { alerts: &alerts })?,
        Format::Text => print(&text::alerts(&alerts, host::now(), &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}
