//! What a user gets who changes nothing: the alerts and the state at the default alarm budget, no threshold chosen in
//! hindsight.

use super::events::{Summary, Truth};
use serde::Serialize;

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// An alert was raised inside it.
    Alerted,
    /// It fell into the state of an alert raised before it.
    Ongoing,
    /// Nothing was said.
    Missed,
}

/// What became of each event.
#[must_use]
pub fn fates(truth: &Truth, alert: &[bool], state: &[bool]) -> Vec<Fate> {
    let alerted = truth.delays(|row| alert[row]);
    let ongoing = truth.delays(|row| state[row]);
    alerted
        .iter()
        .zip(&ongoing)
        .map(|pair| match pair {
            (Some(_), _) => Fate::Alerted,
            (None, Some(_)) => Fate::Ongoing,
            (None, None) => Fate::Missed,
        })
        .collect()
}

/// False alarms a week of normal time in one series.
#[must_use]
pub fn false_alarms_per_week(truth: &Truth, alert: &[bool]) -> f64 {
    7.0 * truth.outcome(|row| alert[row]).false_alarms as f64 / truth.days().max(1e-9)
}

/// Alerts and state of several series taken together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shipped {
    /// How many events there were.
    pub events: usize,
    /// The share with an alert raised inside.
    pub recall_onset: f64,
    /// The share with any row in an alert's state.
    pub recall_state: f64,
    /// False alarms a week of normal time.
    pub fa_per_week: f64,
    /// The same of the worst series.
    pub fa_per_week_worst: f64,
    /// The share of normal rows in an alert's state, so that a detector that never stops does not pass.
    pub time_in_alarm: f64,
    /// The median number of rows from an event's start to the alert raised inside.
    pub delay_median: Option<f64>,
}

impl Shipped {
    /// Of each series its truth, the rows that raise an alert, and the rows in a state above none.
    #[must_use]
    pub fn of(series: &[(&Truth, &[bool], &[bool])]) -> Self {
        let alerts: Vec<_> = series.iter().map(|(t, a, _)| t.outcome(|row| a[row])).collect();
        let states: Vec<_> =
            series.iter().map(|(t, a, s)| t.outcome(|row| s[row] || a[row])).collect();
        let (mut normal, mut alarmed) = (0_usize, 0_usize);
        for (truth, _, state) in series {
            for (is_normal, in_alarm) in truth.normal().iter().zip(*state) {
                normal += usize::from(*is_normal);
                alarmed += usize::from(*is_normal && *in_alarm);
            }
        }
        let together = Summary::of(&alerts);
        let per_week = |o: &super::events::Outcome| 7.0 * o.false_alarms as f64 / o.days.max(1e-9);
        Self {
            events: together.events,
            recall_onset: together.recall,
            recall_state: Summary::of(&states).recall,
            fa_per_week: 7.0 * together.fa_per_day,
            fa_per_week_worst: alerts.iter().map(per_week).fold(0.0, f64::max),
            time_in_alarm: alarmed as f64 / normal.max(1) as f64,
            delay_median: together.delay_median,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{self, close};
    use overseer_engine::core::Span;

    fn rows(which: &[std::ops::Range<usize>]) -> Vec<bool> {
        (0..golden::ROWS).map(|row| which.iter().any(|r| r.contains(&row))).collect()
    }

    #[test]
    fn another_implementation_counts_the_same() {
        let truth = Truth::new(golden::ROWS, &golden::events(), Span::from_secs(300));
        let alert = rows(&[50..51, 52..53, 70..71, 110..111, 307..309, 450..451]);
        let state = rows(&[50..60, 110..130, 307..314, 450..480]);
        let (other_alert, other_state) = (rows(&[1..2, 0..0]), rows(&[1..10, 0..0]));
        let shipped =
            Shipped::of(&[(&truth, &alert, &state), (&truth, &other_alert, &other_state)]);
        assert_eq!((shipped.events, shipped.recall_onset, shipped.recall_state), (10, 0.3, 0.4));
        close(shipped.fa_per_week, 6.3);
        close(shipped.fa_per_week_worst, 12.6);
        assert!((shipped.time_in_alarm - 0.0417).abs() < 5e-5);
        assert_eq!(shipped.delay_median, Some(7.0));
        close(false_alarms_per_week(&truth, &alert), 12.6);
        use Fate::{Alerted, Missed, Ongoing};
        assert_eq!(fates(&truth, &alert, &state), [Missed, Alerted, Alerted, Ongoing, Missed]);
    }
}
