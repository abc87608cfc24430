//! What is logged: to stderr, in the form and from the level that was asked for.
//!
//! The journal keeps its own time and takes the level from a prefix (sd-daemon(3)): `<4>` is a warning. Nothing is ever
//! rotated here, because nothing is ever written to a file.

mod journal;
mod line;
mod logfmt;

use crate::args::LogFormat;
use line::OneLine;
use overseer_engine::core::{Error, Result};
use std::sync::OnceLock;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, JsonFields};

/// Takes a filter, such as `info` or `warn,overseer_store=debug`.
const FILTER: &str = "OVERSEER_LOG";
/// Our own crates, of which `-v` tells.
const OURS: &str = "overseer=info,overseer_engine=info,overseer_store=info,overseer_collect=info,overseer_models=info,overseer_notify=info,overseer_serve=info";

/// Whether what a person is told goes out as log lines too.
static IS_LOG: OnceLock<bool> = OnceLock::new();

/// Where the log goes and what it is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) format: Option<LogFormat>,
    /// How many `-v` there were.
    pub(crate) verbose: u8,
    /// Nothing may be written to a terminal, which shows something else.
    pub(crate) is_screen: bool,
}

/// Starts logging. Without `-v`, `OVERSEER_LOG`, a chosen form or a journal to log to, nothing is logged.
///
/// # Errors
/// If `OVERSEER_LOG` is no filter.
pub(crate) fn start(wanted: Wanted) -> Result<()> {
    let filter = filter(wanted, journal::is_stderr())?;
    let is_log = wanted.format.is_some_and(|f| f != LogFormat::Text) || journal::is_stderr();
    let _ = IS_LOG.set(is_log);
    if wanted.is_screen && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        return Ok(());
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let in_journal = journal::is_stderr();
    match wanted.format.unwrap_or(LogFormat::Text) {
        LogFormat::Text if in_journal => {
            builder.event_format(OneLine::new(Format::default().without_time(), true)).init();
        }
        LogFormat::Text => builder.event_format(OneLine::new(Format::default(), false)).init(),
        LogFormat::Logfmt => {
            builder.event_format(OneLine::new(logfmt::Logfmt, in_journal)).init();
        }
        LogFormat::Json => {
            let format = Format::default().json().flatten_event(true).with_current_span(false);
            let format = format.with_span_list(false);
            let builder = builder.fmt_fields(JsonFields::new());
            builder.event_format(OneLine::new(format, in_journal)).init();
        }
    }
    Ok(())
}

fn filter(wanted: Wanted, in_journal: bool) -> Result<EnvFilter> {
    if let Some(text) = std::env::var(FILTER).ok().filter(|text| !text.trim().is_empty()) {
        return EnvFilter::try_new(&text).map_err(|e| {
            let why = format!("`{text}` is no filter, such as info or warn,overseer_store=debug");
            Error::invalid_parameter(FILTER, format!("{why}: {e}"))
        });
    }
    let is_chosen = wanted.format.is_some() || in_journal;
    Ok(EnvFilter::new(match wanted.verbose {
        0 if !is_chosen => "off",
        0 | 1 => OURS,
        2 => "debug",
        _ => "trace",
    }))
}

/// Tells whoever started the command something in passing; it is an event of the log where that is for machines.
#[cfg(feature = "serve")]
pub(crate) fn tell(said: &str) {
    if is_log() && tracing::enabled!(target: "overseer", Level::INFO) {
        tracing::info!(target: "overseer", "{said}");
    } else if !is_log() {
        print(said);
    }
}

/// Tells whoever started the command that something is wrong, in the log where that is for machines.
pub(crate) fn warn(said: &str) {
    if is_log() && tracing::enabled!(target: "overseer", Level::WARN) {
        tracing::warn!(target: "overseer", "{said}");
    } else {
        print(said);
    }
}

/// Tells why the command ends, as [`warn`] does; never left out.
pub(crate) fn fail(said: &str) {
    if is_log() && tracing::enabled!(target: "overseer", Level::ERROR) {
        tracing::error!(target: "overseer", "{said}");
    } else {
        print(said);
    }
}

fn is_log() -> bool {
    IS_LOG.get().copied().unwrap_or(false)
}

#[allow(clippy::print_stderr, reason = "this is where the command speaks; stdout is for data")]
fn print(said: &str) {
    eprintln!("overseer: {said}");
}
