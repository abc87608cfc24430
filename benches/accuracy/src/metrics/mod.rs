//! What is measured, written from the definitions.
//!
//! | module | question |
//! |---|---|
//! | `ranking` | do anomalous rows score higher than others, row by row |
//! | `vus` | the same, lenient at the edges of events, which nobody labels to the row |
//! | `events` | how many events are found for so many false alarms a day, thresholds chosen in hindsight |
//! | `shipped` | what a user gets who changes nothing |
//! | `nab` | the Numenta Anomaly Benchmark, which rewards early alerts |

pub mod events;
#[cfg(test)]
mod golden;
pub mod nab;
pub mod ranking;
pub mod shipped;
pub mod vus;

use std::ops::RangeInclusive;

/// The first and last row of something that was labelled anomalous.
pub type Event = RangeInclusive<usize>;

/// The runs of labelled rows, in order.
#[must_use]
pub fn events(labels: &[bool]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut start = None;
    for (row, &labelled) in labels.iter().enumerate() {
        match (labelled, start) {
            (true, None) => start = Some(row),
            (false, Some(first)) => {
                events.push(first..=row - 1);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(first) = start {
        events.push(first..=labels.len() - 1);
    }
    events
}

/// Whether each of so many rows lies in an event.
#[must_use]
pub fn labels(rows: usize, events: &[Event]) -> Vec<bool> {
    let mut labels = vec![false; rows];
    for event in events {
        for row in event.clone().take_while(|&r| r < rows) {
            labels[row] = true;
        }
    }
    labels
}

/// The rows by falling score; equal scores keep their order.
fn by_falling_score(score: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..score.len()).collect();
    order.sort_by(|&a, &b| score[b].total_cmp(&score[a]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn events_are_runs_of_labels_even_at_both_ends() {
        let labels = [true, true, false, true, false, false, true];
        assert_eq!(events(&labels), [0..=1, 3..=3, 6..=6]);
        assert!(events(&[]).is_empty());
        assert!(events(&[false; 4]).is_empty());
    }

    proptest! {
        #[test]
        fn labels_and_events_say_the_same(rows in proptest::collection::vec(any::<bool>(), 0..60)) {
            prop_assert_eq!(labels(rows.len(), &events(&rows)), rows);
        }
    }
}
