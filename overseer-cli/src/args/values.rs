//! Values as people type them: kinds of rows, moments, lengths of time.

use overseer_engine::core::{Span, Timestamp};
use overseer_engine::host::store::ModelDirectory;
use overseer_engine::host::store::transfer::Kind;

/// A whole number above 0.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err(format!("`{text}` is not a whole number")),
    }
}

/// How many versions of a model are kept.
pub(super) fn versions(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|_| format!("`{text}` is not a whole number"))?;
    ModelDirectory::check_keep(number).map_err(|e| e.to_string())
}

/// Kinds of rows, as one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kinds(pub(crate) Vec<Kind>);

/// A kind of rows, or all of them.
pub(super) fn kinds(text: &str) -> Result<Kinds, String> {
    if text == "all" {
        return Ok(Kinds(Kind::ALL.to_vec()));
    }
    let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let kind = Kind::from_word(text);
    kind.map(|kind| Kinds(vec![kind])).ok_or_else(|| format!("one of {}, all", known.join(", ")))
}

/// A moment: as such, or so long before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Before(Span),
}

impl Moment {
    pub(crate) fn given(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Before(span) => now - span,
        }
    }
}

/// A time, or a length of time before now.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(millis) = text.trim().parse() {
        return Ok(Moment::At(Timestamp::from_millis(millis)));
    }
    if let Ok(time) = text.trim().parse::<jiff::Timestamp>() {
        return Ok(Moment::At(Timestamp::from_millis(time.as_millisecond())));
    }
    span(text).map(Moment::Before).map_err(|_| {
        "write a length of time before now such as 12h or 7d, a time such as \
         2026-05-01T00:00:00Z, or Unix milliseconds"
            .to_owned()
    })
}

/// A positive length of time: a number and one of ms, s, m, min, h, d.
pub(crate) fn span(text: &str) -> Result<Span, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis = match unit.trim() {
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 60e3,
        "h" => 3600e3,
        "d" => 86_400e3,
        _ => return Err("write a number and a unit, such as 500ms, 5s, 30m, 2h or 1d".to_owned()),
    };
    let value: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    let total = value * millis;
    if (1.0..=1e13).contains(&total) {
        Ok(Span::from_millis(total.round() as i64))
    } else {
        Err("must be between 1 ms and 300 years".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_so_long_before_now() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let given = |text| moment(text).map(|m| m.given(now).as_millis());
        assert_eq!(given("1d"), Ok(1_699_913_600_000));
        assert_eq!(given("1699913600000"), Ok(1_699_913_600_000));
        assert_eq!(given("2023-11-13T22:13:20Z"), Ok(1_699_913_600_000));
        assert!(given("yesterday").unwrap_err().contains("2026-05-01"));
        assert_eq!(kinds("minutes"), Ok(Kinds(vec![Kind::Minutes])));
        assert!(kinds("songs").unwrap_err().contains("predictions"));
    }

    #[test]
    fn spans_are_written_as_people_do() {
        assert_eq!(span("30m"), Ok(Span::from_secs(1800)));
        assert_eq!(span("1.5h"), Ok(Span::from_secs(5400)));
        assert_eq!(span("250 ms"), Ok(Span::from_millis(250)));
        for wrong in ["", "5", "s", "-5s", "1e3s", "0s", "5 weeks", "99999999999999d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
