//! How many events are found for how many false alarms.
//!
//! Normal time is cut into bins of one hour; an hour with an alert is one false alarm, however many alerts it holds: a
//! person is disturbed once. Hours that hold rows of an event, or of the [`TOLERANCE`] around it, count on neither
//! side.

use super::Event;
use overseer_engine::core::Span;
use serde::Serialize;

/// An alert so many rows after an event still finds it; so many rows around an event are not normal time.
pub const TOLERANCE: usize = 5;

/// What alerts on one series are held against.
#[derive(Debug, Clone)]
pub struct Truth {
    rows: usize,
    events: Vec<Event>,
    /// Rows in an hour.
    hour: usize,
    /// Whether a row lies in an hour of normal time.
    normal: Vec<bool>,
    days: f64,
}

impl Truth {
    /// Of so many rows that are `step` apart.
    #[must_use]
    pub fn new(rows: usize, events: &[Event], step: Span) -> Self {
        let hour = ((3600.0 / step.as_secs_f64()).round() as usize).max(1);
        let mut near = vec![false; rows.div_ceil(hour)];
        for event in events {
            let first = event.start().saturating_sub(TOLERANCE);
            let last = (event.end() + TOLERANCE).min(rows.saturating_sub(1));
            for row in first..=last {
                near[row / hour] = true;
            }
        }
        let normal: Vec<bool> = (0..rows).map(|row| !near[row / hour]).collect();
        let count = normal.iter().filter(|&&n| n).count();
        let days = count as f64 * step.as_secs_f64() / 86_400.0;
        Self { rows, events: events.to_vec(), hour, normal, days }
    }

    /// The events, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether each row lies in an hour of normal time.
    #[must_use]
    pub fn normal(&self) -> &[bool] {
        &self.normal
    }

    /// How much normal time there is.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.days
    }

    /// For each event how many rows after its start the first alert comes; `None` if it is missed.
    pub fn delays(&self, is_alert: impl Fn(usize) -> bool) -> Vec<Option<usize>> {
        self.events
            .iter()
            .map(|event| {
                let end = (event.end() + TOLERANCE + 1).min(self.rows);
                (*event.start()..end).position(&is_alert)
            })
            .collect()
    }

    /// What alerts on the rows that `is_alert` names come to.
    pub fn outcome(&self, is_alert: impl Fn(usize) -> bool) -> Outcome {
        let delays = self.delays(&is_alert).into_iter().flatten().collect();
        let false_alarms = self.hours().filter(|hour| hour.clone().any(&is_alert)).count();
        Outcome { events: self.events.len(), delays, false_alarms, days: self.days }
    }

    /// The highest score of each hour of normal time.
    #[must_use]
    pub fn hourly_peaks(&self, score: &[f64]) -> Vec<f64> {
        self.hours()
            .map(|hour| score[hour].iter().copied().fold(f64::NEG_INFINITY, f64::max))
            .collect()
    }

    /// The rows of each hour of normal time.
    fn hours(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        (0..self.rows)
            .step_by(self.hour)
            .filter(|&row| self.normal[row])
            .map(|row| row..(row + self.hour).min(self.rows))
    }
}

/// What alerts on one series came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How many events there were.
    pub events: usize,
    /// Of each event found, how many rows after its start the first alert came.
    pub delays: Vec<usize>,
    /// Hours of normal time with an alert.
    pub false_alarms: usize,
    /// Days of normal time.
    pub days: f64,
}

/// The lowest threshold of which these hours of normal time exceed no more than `budget` a day: alerts are scores
/// above it.
#[must_use]
pub fn threshold(mut hourly_peaks: Vec<f64>, days: f64, budget: f64) -> f64 {
    hourly_peaks.sort_by(|a, b| b.total_cmp(a));
    let allowed = (budget * days) as usize;
    hourly_peaks.get(allowed).copied().unwrap_or(f64::NEG_INFINITY)
}

/// Several series taken together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    /// How many events there were.
    pub events: usize,
    /// The share that was found.
    pub recall: f64,
    /// Events found, of those and the false alarms.
    pub precision: f64,
    /// False alarms a day of normal time.
    pub fa_per_day: f64,
    /// The median number of rows from an event's start to its first alert; of the events found.
    pub delay_median: Option<f64>,
    /// The mean of the same.
    pub delay_mean: Option<f64>,
}

impl Summary {
    /// Adds up what came of each series.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let events: usize = outcomes.iter().map(|o| o.events).sum();
        let false_alarms: usize = outcomes.iter().map(|o| o.false_alarms).sum();
        let days: f64 = outcomes.iter().map(|o| o.days).sum();
        let mut delays: Vec<usize> = outcomes.iter().flat_map(|o| &o.delays).copied().collect();
        delays.sort_unstable();
        let n = delays.len();
        let median = |d: &[usize]| (d[(n - 1) / 2] + d[n / 2]) as f64 / 2.0;
        let mean = |d: &[usize]| d.iter().sum::<usize>() as f64 / n as f64;
        Self {
            events,
            recall: n as f64 / events.max(1) as f64,
            precision: n as f64 / (n + false_alarms).max(1) as f64,
            fa_per_day: false_alarms as f64 / days.max(1e-9),
            delay_median: (n > 0).then(|| median(&delays)),
            delay_mean: (n > 0).then(|| mean(&delays)),
        }
    }
}

/// Events found at one budget of false alarms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtBudget {
    /// Each series with the threshold that spends its own budget.
    pub per_series: Summary,
    /// All with the one threshold that spends the budget of all.
    #[serde(rename = "global_")]
    pub together: Summary,
}

impl AtBudget {
    /// Of series with their scores, at `budget` false alarms a day.
    #[must_use]
    pub fn of(series: &[(&Truth, &[f64])], budget: f64) -> Self {
        let at = |truth: &Truth, score: &[f64], t: f64| truth.outcome(|row| score[row] > t);
        let per_series: Vec<Outcome> = series
            .iter()
            .map(|&(truth, score)| {
                let t = threshold(truth.hourly_peaks(score), truth.days(), budget);
                at(truth, score, t)
            })
            .collect();
        let peaks: Vec<f64> = series.iter().flat_map(|(t, s)| t.hourly_peaks(s)).collect();
        let days: f64 = series.iter().map(|(t, _)| t.days()).sum();
        let t = threshold(peaks, days, budget);
        let together: Vec<Outcome> = series.iter().map(|(truth, s)| at(truth, s, t)).collect();
        Self { per_series: Summary::of(&per_series), together: Summary::of(&together) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{self, close};
    use proptest::prelude::*;

    const STEP: Span = Span::from_secs(300);

    fn truth() -> Truth {
        Truth::new(golden::ROWS, &golden::events(), STEP)
    }

    #[test]
    fn another_implementation_counts_the_same() {
        let (truth, score) = (truth(), golden::score());
        close(truth.days(), 5.0 / 3.0);
        assert_eq!(truth.normal().iter().filter(|&&n| n).count(), 480);
        for (budget, t, delays, false_alarms) in [
            (1.0, 0.95, vec![3, 2, 2], 1),
            (1.0 / 7.0, 1.85, vec![], 0),
            (5.0, 0.95, vec![3, 2, 2], 1),
        ] {
            close(threshold(truth.hourly_peaks(&score), truth.days(), budget), t);
            let outcome = truth.outcome(|row| score[row] > t + 1e-12);
            assert_eq!((outcome.delays, outcome.false_alarms), (delays, false_alarms));
        }
        let mut late = score.clone();
        late.rotate_right(7);
        late.iter_mut().for_each(|s| *s *= 0.9);
        let both = AtBudget::of(&[(&truth, &score), (&truth, &late)], 1.0);
        let own = both.per_series;
        assert_eq!((own.events, own.recall, own.delay_median), (10, 0.7, Some(4.0)));
        close(own.precision, 7.0 / 9.0);
        close(own.fa_per_day, 0.6);
        close(own.delay_mean.unwrap(), 39.0 / 7.0);
        let one = both.together;
        assert_eq!((one.recall, one.delay_median, one.delay_mean), (0.5, Some(3.0), Some(5.2)));
        close(one.precision, 5.0 / 7.0);
        close(one.fa_per_day, 0.6);
    }

    #[test]
    fn alerts_of_one_hour_are_one_false_alarm_and_none_counts_near_an_event() {
        let truth = Truth::new(48, &[24..=25], STEP);
        // Rows 12 to 23 hold rows that are near the event, as do 24 to 35.
        let at = |rows: &[usize]| truth.outcome(|row| rows.contains(&row)).false_alarms;
        assert_eq!((at(&[0, 5, 11]), at(&[0, 12]), at(&[11, 36]), at(&[23, 30])), (1, 1, 2, 0));
        let found = |row| truth.delays(|r| r == row)[0];
        assert_eq!((found(23), found(24), found(30), found(31)), (None, Some(0), Some(6), None));
    }

    #[test]
    fn rows_farther_apart_than_an_hour_are_an_hour_each() {
        let truth = Truth::new(10, &[], Span::from_secs(7200));
        assert_eq!(truth.outcome(|row| row < 4).false_alarms, 4);
    }

    proptest! {
        /// The budget is kept, and no lower threshold among the peaks would keep it.
        #[test]
        fn a_threshold_spends_the_budget_and_no_more(
            peaks in proptest::collection::vec(0_u8..20, 1..50), days in 0.1_f64..40.0
        ) {
            let peaks: Vec<f64> = peaks.into_iter().map(f64::from).collect();
            let above = |t: f64| peaks.iter().filter(|&&p| p > t).count() as f64;
            let t = threshold(peaks.clone(), days, 1.0);
            prop_assert!(above(t) <= days);
            if let Some(lower) = peaks.iter().copied().filter(|&p| p < t).reduce(f64::max) {
                prop_assert!(above(lower) > days.floor());
            }
        }
    }
}
