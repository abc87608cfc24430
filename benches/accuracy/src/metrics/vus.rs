//! VUS-PR, the volume under the precision-recall surface.
//!
//! Paparrizos, Boniol, Palpanas, Tsay, Elmore and Franklin, "Volume Under the Surface: A New Accuracy Evaluation
//! Measure for Time-Series Anomaly Detection", PVLDB 15(11), 2022, with the buffers of its extension, arXiv:2502.13318.
//!
//! An event's edges are labelled by eye, so a detector that speaks up a little early or late is not wrong. Each event
//! therefore gets a buffer on both sides whose rows count for less the farther they are. The area under the
//! precision-recall curve with buffers of one length is the range-based AUC-PR; its mean over all lengths from none to
//! the longest is the volume, which needs no length chosen.

use super::{Event, by_falling_score, events, labels};

/// So many thresholds are tried, evenly spread over the ranks of the scores.
const THRESHOLDS: usize = 250;
/// Buffers grow by so many rows.
const BUFFER_STEP: usize = 2;

/// The volume, 0–1, for buffers up to `longest` rows, half of them on either side; `None` without an event.
///
/// Scores hold no NaN.
#[must_use]
pub fn vus_pr(score: &[f64], truth: &[Event], longest: usize) -> Option<f64> {
    if truth.is_empty() || score.is_empty() {
        return None;
    }
    let ranks = Ranks::new(score);
    let areas: Vec<f64> =
        (0..=longest).step_by(BUFFER_STEP).map(|l| ranks.area(score, truth, l)).collect();
    Some(areas.iter().sum::<f64>() / areas.len() as f64)
}

/// What all buffer lengths have in common.
#[derive(Debug)]
struct Ranks {
    /// Rows by falling score.
    order: Vec<usize>,
    /// Of each threshold the last rank whose score reaches it.
    last: Vec<usize>,
}

impl Ranks {
    fn new(score: &[f64]) -> Self {
        let order = by_falling_score(score);
        let lowest = score.len() - 1;
        let gap = lowest as f64 / (THRESHOLDS - 1) as f64;
        let mut picked: Vec<usize> =
            (0..THRESHOLDS - 1).map(|i| (i as f64 * gap) as usize).chain([lowest]).collect();
        picked.dedup();
        let last = picked
            .into_iter()
            .map(|rank| order.partition_point(|&row| score[row] >= score[order[rank]]) - 1)
            .collect();
        Self { order, last }
    }

    /// The range-based AUC-PR with buffers of `length` rows.
    fn area(&self, score: &[f64], truth: &[Event], length: usize) -> f64 {
        let labelled = labels(score.len(), truth);
        let weight = weights(score.len(), truth, length);
        let positives = labelled.iter().filter(|&&l| l).count() as f64;
        // What the alerts catch: weight in all, and weight in buffers alone.
        let (mut caught, mut in_buffers) = (0.0, 0.0);
        let caught: Vec<(f64, f64)> = self
            .order
            .iter()
            .map(|&row| {
                caught += weight[row];
                in_buffers += if labelled[row] { 0.0 } else { weight[row] };
                (caught, in_buffers)
            })
            .collect();
        let peaks = peaks(score, &weight);
        let mut recall_before = 0.0;
        let mut area = 0.0;
        for &last in &self.last {
            let (hits, in_buffers) = caught[last];
            let threshold = score[self.order[last]];
            // Buffers add to what there is to find only where an alert reached into them.
            let to_find = positives + in_buffers / 2.0;
            let touched = peaks.len() - peaks.partition_point(|&p| p < threshold);
            let recall = (hits / to_find).min(1.0) * touched as f64 / peaks.len() as f64;
            area += (recall - recall_before) * hits / (last + 1) as f64;
            recall_before = recall;
        }
        area
    }
}

/// How much of an anomaly each row is: 1 in an event, `sqrt(1 - distance / length)` within half the buffer's length
/// of one; where buffers overlap, their sum, at most 1.
fn weights(rows: usize, truth: &[Event], length: usize) -> Vec<f64> {
    let mut weights: Vec<f64> =
        labels(rows, truth).into_iter().map(|l| f64::from(u8::from(l))).collect();
    for event in truth {
        for distance in 1..=length / 2 {
            let weight = (1.0 - distance as f64 / length as f64).sqrt();
            let before = event.start().checked_sub(distance);
            for row in [before, event.end().checked_add(distance)].into_iter().flatten() {
                if let Some(w) = weights.get_mut(row) {
                    *w += weight;
                }
            }
        }
    }
    weights.into_iter().map(|w| w.min(1.0)).collect()
}

/// The highest score of each event with its buffers, ascending; events whose buffers meet are one.
fn peaks(score: &[f64], weight: &[f64]) -> Vec<f64> {
    let buffered: Vec<bool> = weight.iter().map(|&w| w > 0.0).collect();
    let mut peaks: Vec<f64> = events(&buffered)
        .into_iter()
        .map(|event| score[event].iter().copied().fold(f64::NEG_INFINITY, f64::max))
        .collect();
    peaks.sort_by(f64::total_cmp);
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{self, close};
    use proptest::prelude::*;

    #[test]
    fn another_implementation_gets_the_same_volumes() {
        let of = |longest| vus_pr(&golden::score(), &golden::events(), longest).unwrap();
        close(of(0), 0.216_829_472_496_025_66);
        close(of(24), 0.335_205_834_139_764_5);
        close(of(100), 0.492_436_165_956_893_8);
    }

    #[test]
    fn a_score_that_is_the_label_has_the_whole_volume_without_buffers() {
        let events = [10..=14, 40..=40];
        let score: Vec<f64> = weights(60, &events, 0);
        close(vus_pr(&score, &events, 0).unwrap(), 1.0);
        assert!(vus_pr(&score, &[], 10).is_none());
    }

    #[test]
    fn being_a_little_late_costs_less_than_being_elsewhere() {
        let events = [100..=109];
        let alarm_at = |first: usize| -> Vec<f64> {
            (0..400).map(|row| f64::from(u8::from((first..first + 10).contains(&row)))).collect()
        };
        let of = |first| vus_pr(&alarm_at(first), &events, 24).unwrap();
        assert!(of(100) > of(104) && of(104) > of(108) && of(108) > of(300));
    }

    #[test]
    fn buffers_fade_with_distance_and_add_up_to_one_at_most() {
        let w = weights(20, &[5..=6, 10..=10], 4);
        let fade = |distance: f64| (1.0 - distance / 4.0).sqrt();
        for (row, expected) in [(2, 0.0), (3, fade(2.0)), (4, fade(1.0)), (5, 1.0), (12, fade(2.0))]
        {
            close(w[row], expected);
        }
        // Two rows from both events.
        close(w[8], 1.0);
        assert_eq!(peaks(&[0.5; 20], &w).len(), 1);
    }

    proptest! {
        #[test]
        fn the_volume_is_a_share_and_knows_only_the_order(
            rows in proptest::collection::vec((0_u8..9, 0_u8..6), 2..300), longest in 0_usize..30
        ) {
            let labels: Vec<bool> = rows.iter().map(|r| r.1 == 0).collect();
            let score: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let stretched: Vec<f64> = score.iter().map(|s| (s / 3.0).exp() - 9.0).collect();
            let truth = events(&labels);
            let volume = vus_pr(&score, &truth, longest);
            prop_assert_eq!(volume, vus_pr(&stretched, &truth, longest));
            prop_assert!(volume.is_none_or(|v| (0.0..=1.0 + 1e-12).contains(&v)));
        }
    }
}
