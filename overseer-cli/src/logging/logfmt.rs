//! Events as `key=value` pairs (<https://brandur.org/logfmt>): what many collectors of logs read without being told how.

use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// `ts=2026-11-26T17:50:02.123Z level=warn target=overseer_engine::engine msg="…" stage=store`
#[derive(Debug)]
pub(super) struct Logfmt;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (metadata, now) = (event.metadata(), jiff::Timestamp::now());
        let level = metadata.level().as_str().to_lowercase();
        let mut pairs = Pairs(format!("ts={now:.3} level={level}"));
        pairs.push("target", metadata.target());
        event.record(&mut pairs);
        writer.write_str(&pairs.0)
    }
}

struct Pairs(String);

impl Pairs {
    fn push(&mut self, key: &str, value: &str) {
        let key = if key == "message" { "msg" } else { key };
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '"' && c != '=';
        if !value.is_empty() && value.chars().all(is_plain) {
            let _ = write!(self.0, " {key}={value}");
            return;
        }
        let _ = write!(self.0, " {key}=\"");
        for c in value.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                c if c.is_control() => self.0.extend(c.escape_default()),
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}

impl Visit for Pairs {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_only_where_they_must_be() {
        let mut pairs = Pairs("level=info".to_owned());
        for (key, value) in [
            ("message", "a \"b\"\nc=d"),
            ("stage", "store"),
            ("none", ""),
            ("path", "C:\\x"),
            ("tab", "a\tb"),
        ] {
            pairs.push(key, value);
        }
        let expected = r#"level=info msg="a \"b\"\nc=d" stage=store none="" path=C:\x tab="a\tb""#;
        assert_eq!(pairs.0, expected);
    }
}
