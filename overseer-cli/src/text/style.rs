//! Colour, times and line lengths.

use jiff::tz::TimeZone;
use overseer_engine::core::{
    AnomalyDetection, ModelMetadata, Priority, Quality, Severity, Timestamp,
};
use std::io::IsTerminal;

/// How text may look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    color: bool,
}

impl Style {
    /// Colour if stdout is a terminal that has it, and `NO_COLOR` (no-color.org) is not set.
    pub(crate) fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let able = std::env::var_os("TERM").is_none_or(|t| t != "dumb");
        Self { color: wanted && able && std::io::stdout().is_terminal() }
    }

    /// Without any colour.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { color: false }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn heading(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::None => self.paint("32", text),
            Severity::Medium => self.paint("33", text),
            Severity::High => self.paint("31", text),
            Severity::Critical => self.paint("1;31", text),
        }
    }

    pub(crate) fn priority(self, priority: Priority) -> String {
        let word = format!("{priority:<8}");
        match priority {
            Priority::Critical | Priority::High => self.paint("31", &word),
            Priority::Medium => self.paint("33", &word),
            _ => word,
        }
    }
}

/// A share as people read it: `12.3 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A moment in the local time zone: `2026-11-22 23:48:32`.
pub(crate) fn local(timestamp: Timestamp) -> String {
    in_zone(timestamp, "%Y-%m-%d %H:%M:%S")
}

/// The time of day in the local time zone: `23:48:32`.
pub(crate) fn clock(timestamp: Timestamp) -> String {
    in_zone(timestamp, "%H:%M:%S")
}

/// The day and the time, as short as it goes: `12 Nov 03:10`.
#[cfg(feature = "top")]
pub(crate) fn short(timestamp: Timestamp) -> String {
    in_zone(timestamp, "%-d %b %H:%M")
}

/// A moment as part of a file's name: `20261122-234832`.
#[cfg(feature = "top")]
pub(crate) fn stamp(timestamp: Timestamp) -> String {
    in_zone(timestamp, "%Y%m%d-%H%M%S")
}

/// When something like an anomaly was before, as a sentence to add: ` Like on 12 Nov 03:10 and 5 Nov 03:12.`; empty if
/// it never was.
pub(crate) fn before(anomaly: &AnomalyDetection) -> String {
    let times: Vec<String> = anomaly.similar.iter().map(|&t| in_zone(t, "%-d %b %H:%M")).collect();
    match times.as_slice() {
        [] => String::new(),
        [one] => format!(" Like on {one}."),
        [first @ .., last] => format!(" Like on {} and {last}.", first.join(", ")),
    }
}

fn in_zone(timestamp: Timestamp, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(timestamp.as_millis()) {
        Ok(t) => t.to_zoned(TimeZone::system()).strftime(format).to_string(),
        Err(_) => format!("{} ms", timestamp.as_millis()),
    }
}

/// How long training took, with so many decimals: `12.3 ms`.
pub(crate) fn took(model: &ModelMetadata, decimals: usize) -> String {
    if model.duration_ms.is_finite() {
        format!("{:.decimals$} ms", model.duration_ms)
    } else {
        "unknown time".to_owned()
    }
}

/// Measures of quality in words: `flagged share 0.002, heldout rows 300`.
pub(crate) fn quality(model: &ModelMetadata) -> String {
    if model.quality.is_empty() {
        return "quality unknown".to_owned();
    }
    let one = |(name, q): (&String, &Quality)| {
        let name = name.replace('_', " ");
        match q.0 {
            v if v.is_nan() => format!("{name} unknown"),
            v if v.fract() == 0.0 && v.abs() >= 2.0 => format!("{name} {v}"),
            v => format!("{name} {v:.3}"),
        }
    };
    model.quality.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Stored or foreign text as a terminal may have it: nothing in it moves the cursor or changes a colour.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Breaks plain text at spaces into lines of at most `width` characters, each after `indent`; a number keeps its `%`.
/// Styles come after it: what of the text is for a terminal alone is left out.
pub(crate) fn wrap(text: &str, indent: &str, width: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    let kept = plain(text).replace(" %", "\u{a0}%");
    for word in kept.split(' ').filter(|w| !w.is_empty()) {
        let long = word.chars().count();
        if length == 0 {
            out.push_str(indent);
        } else if length + 1 + long > width {
            out.push('\n');
            out.push_str(indent);
            length = 0;
        } else {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += long;
    }
    out.push('\n');
    out.replace('\u{a0}', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_keep_every_word() {
        let text = "one two three four";
        assert_eq!(wrap(text, "  ", 9), "  one two\n  three\n  four\n");
        assert_eq!(wrap("unbreakable", "", 3), "unbreakable\n");
        assert_eq!(wrap("a note\u{1b}[2J\r\nof\tsomebody", "", 40), "a note [2J of somebody\n");
        assert_eq!(wrap("in 90 % of", "", 6), "in\n90 %\nof\n");
    }

    #[test]
    fn earlier_events_are_listed_as_one_says_it() {
        let at = |days: i64| Timestamp::from_millis(86_400_000 * (365 + days) + 43_200_000);
        let mut anomaly = AnomalyDetection::new(at(0), Severity::High, 0.9, 1e-6);
        assert_eq!(before(&anomaly), "");
        anomaly.similar = vec![at(-1)];
        let said = before(&anomaly);
        assert!(
            said.starts_with(" Like on 31 Dec ") || said.starts_with(" Like on 1 Jan "),
            "{said}"
        );
        anomaly.similar = vec![at(-1), at(-2), at(-3)];
        let said = before(&anomaly);
        assert!(said.contains(", ") && said.contains(" and ") && said.ends_with('.'), "{said}");
    }

    #[test]
    fn plain_text_has_no_escapes() {
        assert_eq!(Style::plain().severity(Severity::Critical, "x"), "x");
    }
}
