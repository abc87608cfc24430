//! Who is told of incidents, and the worker that tells them from the stored outbox.
//!
//! A sink is whatever implements [`Sink`](overseer_core::Sink). Those of this crate:
//!
//! | sink | tells by | feature |
//! |---|---|---|
//! | [`LogSink`] | a line of logfmt | |
//! | [`FileSink`] | a line of JSON at the end of a file | |
//! | [`CommandSink`] | a program, which is never run through a shell | |
//! | `WebhookSink` | an HTTP POST of JSON, signed if wanted | `http` |
//! | `AlertmanagerSink` | the API of Prometheus' Alertmanager | `http` |
//! | `DesktopSink` | a notification on the desktop of who runs it | `desktop` |
//! | `EmailSink` | a mail of plain text | `email` |
//!
//! [`Worker`] delivers what waits in a [`Store`](overseer_core::Store): each message at least once, those of one
//! incident in order, and no sink delays another. This crate knows no particular store and reads no clock but the one
//! it is given.
//!
//! # Example
//!
//! ```
//! use overseer_core::{AlertState, Notification, NotificationReason, Severity, Sink, Timestamp};
//! use overseer_notify::{FileSink, text};
//!
//! let at = Timestamp::from_millis(1_764_126_725_000);
//! let mut told = Notification::new(
//!     "web-1", at, NotificationReason::Fired, AlertState::Firing, Severity::High, at,
//! );
//! told.description = "CPU is far above its usual 2–8 %".to_owned();
//! assert_eq!(text::subject(7, &told), "[high] web-1: CPU is far above its usual 2–8 %");
//!
//! # let dir = std::env::temp_dir().join(format!("overseer-notify-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir).unwrap();
//! # let path = dir.join("alerts.jsonl");
//! FileSink::new("file", &path).deliver(7, &told)?;
//! assert!(std::fs::read_to_string(&path).unwrap().contains("\"reason\":\"fired\""));
//! # std::fs::remove_dir_all(&dir).unwrap();
//! # Ok::<(), overseer_core::Error>(())
//! ```

mod context;
mod message;
mod retry;
#[cfg(any(feature = "http", feature = "email"))]
mod secret;
mod sinks;
pub mod text;
mod worker;

pub use context::{Clock, Stop};
pub use message::{TEST_ID, test_notification};
pub use retry::RetryAfter;
#[cfg(any(feature = "http", feature = "email"))]
pub use secret::Secret;
#[cfg(feature = "desktop")]
pub use sinks::DesktopSink;
#[cfg(feature = "http")]
pub use sinks::{
    AlertmanagerOptions, AlertmanagerSink, BodyFormat, HttpOptions, WebhookOptions, WebhookSink,
};
pub use sinks::{CommandSink, FileSink, LogSink};
#[cfg(feature = "email")]
pub use sinks::{EmailOptions, EmailSink, MailTls};
pub use worker::{Backoff, OpenStore, Worker, WorkerOptions};
