//! A line of logfmt: `key=value` pairs that a person reads and log collectors parse.

use crate::message::{TEST_ID, one_line};
use crate::text::rfc3339;
use overseer_core::{Error, Notification, Result, Sink};
use std::fmt::{self, Write as _};
use std::io::{self, Write};

/// A longer value is cut.
const VALUE_CHARACTERS: usize = 2000;

/// Writes each notification as one line, by default to stderr, where systemd and containers collect it.
pub struct LogSink {
    name: String,
    to: Box<dyn Write + Send>,
}

impl LogSink {
    /// Lines on stderr.
    pub fn stderr(name: impl Into<String>) -> Self {
        Self::to(name, Box::new(io::stderr()))
    }

    /// Lines into whatever takes them.
    pub fn to(name: impl Into<String>, to: Box<dyn Write + Send>) -> Self {
        Self { name: name.into(), to }
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSink").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Sink for LogSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, id: i64, notification: &Notification) -> Result<()> {
        // One write, so that lines of several threads do not mix.
        let line = line(id, notification);
        self.to
            .write_all(line.as_bytes())
            .and_then(|()| self.to.flush())
            .map_err(|e| Error::unavailable("the log", e.to_string()))
    }
}

fn line(id: i64, n: &Notification) -> String {
    let mut out = format!("time={}", rfc3339(n.made_at));
    let mut pair = |key: &str, value: &str| {
        let _ = write!(out, " {key}={}", quoted(value));
    };
    if id == TEST_ID {
        pair("test", "true");
    }
    pair("severity", n.severity.as_str());
    pair("reason", n.reason.as_str());
    pair("state", n.state.as_str());
    pair("host", &n.host);
    pair("incident", &rfc3339(n.incident));
    if let Some(end) = n.ended_at {
        pair("ended", &rfc3339(end));
    }
    pair("id", &id.to_string());
    let features: Vec<&str> = n.features.iter().map(|f| f.feature.as_str()).collect();
    pair("features", &features.join(","));
    pair("msg", &n.description);
    out.push('\n');
    out
}

/// A value as logfmt has it: in quotes where it holds more than letters, digits and plain signs.
fn quoted(value: &str) -> String {
    let value = one_line(value, VALUE_CHARACTERS);
    let plain = |c: char| c.is_alphanumeric() || ".,:;_-+/%@[](){}".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value;
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_notification;
    use overseer_core::{FeatureEvidence, Timestamp};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_notification_is_one_line_that_no_text_can_break() {
        let written = Shared::default();
        let mut sink = LogSink::to("log", Box::new(written.clone()));
        let mut told = test_notification("web-1", Timestamp::from_millis(0));
        told.description = "say \"hi\"\nseverity=none".to_owned();
        for name in ["system.cpu.utilization", "x"] {
            told.features.push(FeatureEvidence::new(name, 1.0, (0.0, 0.5), 0.5));
        }
        sink.deliver(7, &told).unwrap();
        let lines = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            lines,
            "time=1970-01-01T00:00:00Z severity=medium reason=fired state=firing host=web-1 \
             incident=1970-01-01T00:00:00Z id=7 features=system.cpu.utilization,x \
             msg=\"say \\\"hi\\\" severity=none\"\n"
        );
        sink.deliver(crate::TEST_ID, &told).unwrap();
        let lines = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(lines.lines().nth(1).unwrap().contains(" test=true "));
    }
}
