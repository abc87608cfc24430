//! Time as a host lives through it: seconds of its own clock, whose week begins on a Monday at midnight.

/// Seconds in an hour.
pub const HOUR: f64 = 3600.0;
/// Seconds in a day.
pub const DAY: f64 = 86_400.0;
/// Seconds in a week.
pub const WEEK: f64 = 604_800.0;

/// The time from one sample to the next, in seconds since some Monday at midnight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// When it begins.
    pub from: f64,
    /// When it ends, later than that.
    pub to: f64,
}

impl Interval {
    /// How long it is.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.to - self.from
    }

    /// The share of the interval that lies between `start` and `end`.
    #[must_use]
    pub fn share(&self, start: f64, end: f64) -> f64 {
        ((end.min(self.to) - start.max(self.from)) / self.seconds()).max(0.0)
    }

    /// Its middle as hours since midnight, 0–24.
    #[must_use]
    pub fn hour_of_day(&self) -> f64 {
        (0.5 * (self.from + self.to)).rem_euclid(DAY) / HOUR
    }

    /// The day it lies in, counted from 0, a Monday.
    #[must_use]
    pub fn day(&self) -> i64 {
        (0.5 * (self.from + self.to)).div_euclid(DAY) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_days_and_hours_are_those_of_a_clock() {
        let interval = Interval { from: 8.0 * DAY + HOUR, to: 8.0 * DAY + 2.0 * HOUR };
        assert_eq!((interval.day(), interval.hour_of_day()), (8, 1.5));
        assert_eq!(interval.share(0.0, interval.from + 900.0), 0.25);
        assert_eq!(interval.share(interval.to, interval.to + 1.0), 0.0);
    }
}
