//! One event is one line, whatever is in it, with the level where the journal reads it.

use std::fmt;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes what another form writes, as one line: a newline within a message, which a process may have in its name, would
/// let it write lines of its own.
#[derive(Debug)]
pub(super) struct OneLine<F> {
    inner: F,
    has_priority: bool,
}

impl<F> OneLine<F> {
    pub(super) fn new(inner: F, has_priority: bool) -> Self {
        Self { inner, has_priority }
    }
}

impl<S, N, F> FormatEvent<S, N> for OneLine<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        self.inner.format_event(context, Writer::new(&mut text), event)?;
        if self.has_priority {
            write!(writer, "<{}>", priority(*event.metadata().level()))?;
        }
        writeln!(writer, "{}", on_one(&text))
    }
}

/// The level as syslog(3) numbers it.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

/// Without the newline at the end, and with what would end a line or steer a terminal written out.
fn on_one(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim_end_matches('\n').chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_an_event_ends_its_line_or_steers_a_terminal() {
        assert_eq!(on_one("busiest: a\nWARN b\r\x1b[2J ü\n"), "busiest: a\\nWARN b\\r\\u{1b}[2J ü");
    }

    #[test]
    fn levels_are_numbered_as_syslog_does() {
        let of = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE].map(priority);
        assert_eq!(of, [3, 4, 6, 7, 7]);
    }
}
