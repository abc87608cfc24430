//! Sinks and the worker against real counterparts: servers on sockets, programs, files, a database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in tests a panic is the report"
)]

#[cfg(feature = "http")]
mod alertmanager;
#[cfg(feature = "email")]
mod email;
mod server;
#[cfg(feature = "http")]
mod webhook;
mod worker;

use overseer_core::{AlertState, Notification, NotificationReason, Severity, Timestamp};

/// What is told of an incident that began at this second.
fn notification(incident: i64) -> Notification {
    let at = Timestamp::from_millis(incident * 1000);
    let (reason, state) = (NotificationReason::Fired, AlertState::Firing);
    let mut told = Notification::new("web-1", at, reason, state, Severity::High, at);
    told.description = "CPU is far above its usual 2–8 %".to_owned();
    told
}
