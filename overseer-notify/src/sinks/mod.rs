//! The sinks, each in a file of its own.

#[cfg(feature = "http")]
mod alertmanager;
mod command;
#[cfg(feature = "desktop")]
mod desktop;
#[cfg(feature = "email")]
mod email;
mod file;
#[cfg(feature = "http")]
mod http;
mod log;
#[cfg(feature = "http")]
mod webhook;

#[cfg(feature = "http")]
pub use alertmanager::{AlertmanagerOptions, AlertmanagerSink};
pub use command::CommandSink;
#[cfg(feature = "desktop")]
pub use desktop::DesktopSink;
#[cfg(feature = "email")]
pub use email::{EmailOptions, EmailSink, MailTls};
pub use file::FileSink;
#[cfg(feature = "http")]
pub use http::HttpOptions;
pub use log::LogSink;
#[cfg(feature = "http")]
pub use webhook::{BodyFormat, WebhookOptions, WebhookSink};
