//! Instants and lengths of time, in whole milliseconds.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

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
/// Serialised as that integer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
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
    fn spans_read_as_people_say_them() {
        let said = |ms| Span::from_millis(ms).to_string();
        assert_eq!(said(250), "250 ms");
        assert_eq!(said(5_000), "5 s");
        assert_eq!(said(90 * 60_000), "90 min");
        assert_eq!(said(26 * 3_600_000), "26 h");
        assert_eq!(said(72 * 3_600_000), "3 days");
    }
}
