//! What is remembered of one series: its minutes of a day, its hours before that.

use overseer_core::{Auxiliary, AuxiliarySeries, Span, Timestamp, Unit};
use std::collections::VecDeque;

/// Values are remembered as they were taken for so long.
pub(super) const FINE: Span = Span::from_secs(86_400);
const HOUR: i64 = 3_600_000;
/// More values than a day of minutes has: what comes faster is not remembered longer.
const MOST_FINE: usize = 2000;

/// One series and what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) name: String,
    pub(crate) instance: String,
    pub(crate) unit: Unit,
    pub(crate) capacity: Option<f64>,
    /// Middle and mean of whole hours, and how many values the newest is of.
    hours: VecDeque<(Timestamp, f64)>,
    newest_hour: u32,
    fine: VecDeque<(Timestamp, f64)>,
}

impl Watched {
    pub(super) fn new(of: &Auxiliary) -> Self {
        Self {
            name: of.name.clone(),
            instance: of.instance.clone(),
            unit: of.unit,
            capacity: of.capacity,
            hours: VecDeque::new(),
            newest_hour: 0,
            fine: VecDeque::new(),
        }
    }

    pub(super) fn is(&self, name: &str, instance: &str) -> bool {
        self.name == name && self.instance == instance
    }

    /// What a store kept of it; hours come first.
    pub(super) fn read(series: &AuxiliarySeries, memory: Span) -> Self {
        let mut of = Auxiliary::new(&series.name, &series.instance, series.unit, 0.0);
        of.capacity = series.capacity;
        let mut watched = Self::new(&of);
        let newest = series.points.last().map_or(Timestamp::default(), |p| p.0);
        for &(at, value) in &series.points {
            if newest.since(at) > FINE {
                watched.age(at, value);
            } else {
                watched.push(at, value, memory);
            }
        }
        watched
    }

    /// Takes a value in; one that is not after the newest tells that the clock was set back, and what came after it is
    /// forgotten.
    pub(super) fn push(&mut self, at: Timestamp, value: f64, memory: Span) {
        while self.fine.back().is_some_and(|p| p.0 >= at) {
            self.fine.pop_back();
        }
        if self.fine.is_empty() {
            while self.hours.back().is_some_and(|p| p.0 >= at) {
                self.hours.pop_back();
            }
        }
        self.fine.push_back((at, value));
        while self.fine.front().is_some_and(|p| at.since(p.0) > FINE) || self.fine.len() > MOST_FINE
        {
            let Some((old, value)) = self.fine.pop_front() else { break };
            self.age(old, value);
        }
        while self.hours.front().is_some_and(|p| at.since(p.0) > memory) {
            self.hours.pop_front();
        }
    }

    /// Lets a value become part of its hour's mean.
    fn age(&mut self, at: Timestamp, value: f64) {
        let start = at.as_millis().saturating_sub(at.as_millis().rem_euclid(HOUR));
        let middle = Timestamp::from_millis(start.saturating_add(HOUR / 2));
        match self.hours.back_mut() {
            Some((newest, mean)) if *newest == middle => {
                self.newest_hour += 1;
                *mean += (value - *mean) / f64::from(self.newest_hour);
            }
            Some((newest, _)) if *newest > middle => {}
            _ => {
                self.hours.push_back((middle, value));
                self.newest_hour = 1;
            }
        }
    }

    /// The newest value with its time.
    pub(crate) fn newest(&self) -> Option<(Timestamp, f64)> {
        self.fine.back().copied()
    }

    /// Times and values of the last day.
    pub(super) fn minutes(&self) -> (Vec<Timestamp>, Vec<f64>) {
        self.fine.iter().copied().unzip()
    }

    /// Everything, as shares of what fits; `None` if there is no such.
    pub(super) fn shares(&self) -> Option<Vec<(Timestamp, f64)>> {
        let capacity = self.capacity?;
        let first_fine = self.fine.front().map(|p| p.0);
        // An hour of which the later part is still there as it was taken.
        let hours = self.hours.iter().filter(|p| first_fine.is_none_or(|f| p.0 < f));
        Some(hours.chain(&self.fine).map(|&(at, value)| (at, value / capacity)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(m: i64) -> Timestamp {
        Timestamp::from_millis(60_000 * m)
    }

    fn filled(minutes: i64) -> Watched {
        let of = Auxiliary::new("a", "", Unit::Count, 0.0).of_capacity(200.0);
        let mut watched = Watched::new(&of);
        for m in 0..minutes {
            watched.push(minute(m), m as f64, Span::from_secs(40 * 3600));
        }
        watched
    }

    #[test]
    fn a_day_is_kept_by_the_minute_and_the_rest_by_the_hour_for_as_long_as_is_of_use() {
        let watched = filled(3000);
        assert_eq!(watched.fine.len(), 1441);
        let shares = watched.shares().unwrap();
        assert!(shares.windows(2).all(|p| p[0].0 < p[1].0));
        // 50 hours were seen, 40 are of use.
        assert_eq!(shares[0].0, minute(10 * 60 + 30));
        assert!((shares[0].1 * 200.0 - 629.5).abs() < 1e-9);
        assert!(shares.len() < 1441 + 40);
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_no_future_behind() {
        let mut watched = filled(100);
        watched.push(minute(50), 7.0, FINE);
        assert_eq!(watched.newest(), Some((minute(50), 7.0)));
        assert_eq!(watched.fine.len(), 51);
    }

    #[test]
    fn what_a_store_kept_is_what_would_be_remembered() {
        let live = filled(3000);
        let mut series =
            AuxiliarySeries::of(&Auxiliary::new("a", "", Unit::Count, 0.0).of_capacity(200.0));
        series.points = live.hours.iter().chain(&live.fine).copied().collect();
        let read = Watched::read(&series, Span::from_secs(40 * 3600));
        assert_eq!(read.shares().unwrap().len(), live.shares().unwrap().len());
        assert_eq!(read.newest(), live.newest());
    }
}
