//! Instants and lengths of time, in whole milliseconds.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// So many steps may pass between two samples that still follow each other.
const GAP_STEPS: usize = 3;

/// A moment, as milliseconds since 1970-01-01T00:00:00 UTC without leap seconds.
///
/// Serialised as that integer. Arithmetic saturates, so no stored or typed value can overflow it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, with their fraction.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }

    /// Whether nothing may be carried over from a sample at `before` to the next at `after`: more than three steps
    /// lie between them, or time went back.
    ///
    /// A `step` of zero means that the usual time between samples is not known; then only going back is a gap.
    #[must_use]
    pub fn is_gap(before: Self, after: Self, step: Span) -> bool {
        after < before || (step > Span::default() && after.since(before) > step.times(GAP_STEPS))
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// A length of time in milliseconds, never negative.
///
/// Serialised as that integer; a negative one is refused when read back.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "i64", into = "i64")]
pub struct Span(i64);

impl Span {
    /// A span of `millis` milliseconds; a negative number gives zero.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 { 0 } else { millis })
    }

    /// A span of whole seconds; a negative number gives zero.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds with their fraction.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// This many of these, saturating.
    #[must_use]
    pub const fn times(self, n: usize) -> Self {
        let n = if n > i64::MAX as usize { i64::MAX } else { n as i64 };
        Self(self.0.saturating_mul(n))
    }

    /// How many whole steps of length `step` this span takes, rounded up; zero for a zero step.
    #[must_use]
    pub const fn steps(self, step: Self) -> usize {
        if step.0 == 0 { 0 } else { self.0.unsigned_abs().div_ceil(step.0.unsigned_abs()) as usize }
    }
}

/// Reads a stored number of milliseconds, which unlike [`Span::from_millis`] must not be negative.
impl TryFrom<i64> for Span {
    type Error = Error;
    fn try_from(millis: i64) -> Result<Self> {
        if millis < 0 {
            return Err(Error::invalid_parameter(
                "span",
                format!("must not be negative, was {millis} ms"),
            ));
        }
        Ok(Self(millis))
    }
}

impl From<Span> for i64 {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl From<Duration> for Span {
    fn from(d: Duration) -> Self {
        Self(i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }
}

impl From<Span> for Duration {
    fn from(s: Span) -> Self {
        Self::from_millis(s.0.unsigned_abs())
    }
}

/// Prints the way a person says it: `250 ms`, `5 s`, `2 min`, `1.5 h`, `3 days`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.as_secs_f64();
        let (value, unit) = match s {
            s if s < 1.0 => return write!(f, "{} ms", self.0),
            s if s < 120.0 => (s, "s"),
            s if s < 7200.0 => (s / 60.0, "min"),
            s if s < 172_800.0 => (s / 3600.0, "h"),
            s => (s / 86_400.0, "days"),
        };
        let rounded = (value * 10.0).round() / 10.0;
        write!(f, "{rounded} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_becomes_steps_rounded_up() {
        assert_eq!(Span::from_secs(30).steps(Span::from_secs(5)), 6);
        assert_eq!(Span::from_secs(31).steps(Span::from_secs(5)), 7);
        assert_eq!(Span::from_secs(31).steps(Span::default()), 0);
    }

    #[test]
    fn extremes_saturate() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end + Span::from_secs(1), end);
        assert_eq!(Timestamp::from_millis(i64::MIN).since(end), Span::default());
        assert_eq!(Span::from_millis(-5), Span::default());
    }

    #[test]
    fn more_than_three_steps_or_going_back_is_a_gap() {
        let step = Span::from_secs(5);
        let gap = |before, after, step| {
            Timestamp::is_gap(Timestamp::from_millis(before), Timestamp::from_millis(after), step)
        };
        assert!(!gap(0, 5_000, step) && !gap(0, 0, step) && !gap(0, 15_000, step));
        assert!(gap(0, 15_001, step) && gap(0, -1, step));
        assert!(!gap(0, i64::MAX, Span::default()) && gap(0, -1, Span::default()));
        assert!(gap(i64::MIN, i64::MAX, step) && gap(i64::MAX, i64::MIN, step));
    }

    #[test]
    fn a_negative_stored_span_is_refused() {
        assert!(serde_json::from_str::<Span>("-1").is_err());
        assert_eq!(serde_json::from_str::<Span>("1500").unwrap(), Span::from_millis(1500));
        assert_eq!(serde_json::to_string(&Span::from_millis(1500)).unwrap(), "1500");
    }

    #[test]
    fn spans_read_as_people_say_them() {
        let said = |ms| Span::from_millis(ms).to_string();
        assert_eq!(said(250), "250 ms");
        assert_eq!(said(5_000), "5 s");
        assert_eq!(said(90 * 60_000), "90 min");
        assert_eq!(said(26 * 3_600_000), "26 h");
        assert_eq!(said(72 * 3_600_000), "3 days");
    }
}
