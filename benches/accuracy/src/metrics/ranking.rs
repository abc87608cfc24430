//! Whether rows of events score higher than other rows: areas under curves, row by row.

use super::by_falling_score;

/// What alerting on every score at or above some threshold comes to, row by row.
#[derive(Debug, Clone, Copy)]
struct Point {
    alerted: f64,
    hits: f64,
}

/// One point for each distinct score, from the highest to the lowest.
fn curve(score: &[f64], labels: &[bool]) -> Vec<Point> {
    let order = by_falling_score(score);
    let mut points = Vec::new();
    let mut hits = 0.0;
    for (rank, &row) in order.iter().enumerate() {
        hits += f64::from(u8::from(labels[row]));
        if order.get(rank + 1).is_none_or(|&next| score[next] != score[row]) {
            points.push(Point { alerted: (rank + 1) as f64, hits });
        }
    }
    points
}

/// Areas under the curves of one series, and the best of its F1 scores; all 0–1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Average precision: precision summed over the gains in recall.
    pub auc_pr: f64,
    /// The area under the receiver's operating characteristic: one half for a coin.
    pub auc_roc: f64,
    /// The best F1 score of any threshold.
    pub f1: f64,
}

impl Ranking {
    /// Judges scores without NaN; `None` unless there are labelled rows and others.
    #[must_use]
    pub fn of(score: &[f64], labels: &[bool]) -> Option<Self> {
        let positives = labels.iter().filter(|&&l| l).count() as f64;
        let negatives = labels.len() as f64 - positives;
        if positives == 0.0 || negatives == 0.0 {
            return None;
        }
        let mut above = Point { alerted: 0.0, hits: 0.0 };
        let mut ranking = Self { auc_pr: 0.0, auc_roc: 0.0, f1: 0.0 };
        for point in curve(score, labels) {
            ranking.auc_pr += (point.hits - above.hits) / positives * point.hits / point.alerted;
            let false_alerts = (point.alerted - point.hits) - (above.alerted - above.hits);
            ranking.auc_roc +=
                false_alerts / negatives * (point.hits + above.hits) / (2.0 * positives);
            ranking.f1 = ranking.f1.max(2.0 * point.hits / (point.alerted + positives));
            above = point;
        }
        Some(ranking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{self, close};
    use crate::metrics::labels;
    use proptest::prelude::*;

    #[test]
    fn another_implementation_gets_the_same_areas() {
        let labels = labels(golden::ROWS, &golden::events());
        let r = Ranking::of(&golden::score(), &labels).unwrap();
        close(r.auc_pr, 0.275_571_359_244_202_3);
        close(r.auc_roc, 0.689_441_964_285_714_2);
        close(r.f1, 0.448_275_862_068_965_5);
    }

    #[test]
    fn a_perfect_order_has_every_area_and_a_reversed_one_none_of_the_second() {
        let labels = [false, true, true, false];
        let best = Ranking::of(&[0.1, 0.9, 0.8, 0.2], &labels).unwrap();
        assert_eq!(best, Ranking { auc_pr: 1.0, auc_roc: 1.0, f1: 1.0 });
        let worst = Ranking::of(&[0.9, 0.1, 0.2, 0.8], &labels).unwrap();
        close(worst.auc_roc, 0.0);
        close(worst.auc_pr, (1.0 / 3.0 + 2.0 / 4.0) / 2.0);
    }

    #[test]
    fn equal_scores_everywhere_are_a_coin() {
        let r = Ranking::of(&[0.5; 10], &[true, false, false, false, false].repeat(2)).unwrap();
        close(r.auc_roc, 0.5);
        close(r.auc_pr, 0.2);
        close(r.f1, 2.0 * 2.0 / 12.0);
    }

    #[test]
    fn without_labelled_rows_or_without_others_there_is_nothing_to_rank() {
        assert!(Ranking::of(&[0.1, 0.2], &[false, false]).is_none());
        assert!(Ranking::of(&[0.1, 0.2], &[true, true]).is_none());
    }

    proptest! {
        /// The second area is the chance that a labelled row outscores another, ties counting half.
        #[test]
        fn the_area_is_the_share_of_pairs_in_order(
            rows in proptest::collection::vec((0_u8..6, any::<bool>()), 2..40)
        ) {
            let score: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let labels: Vec<bool> = rows.iter().map(|r| r.1).collect();
            let (mut won, mut pairs) = (0.0, 0.0);
            for (a, la) in score.iter().zip(&labels) {
                for (b, lb) in score.iter().zip(&labels) {
                    if *la && !*lb {
                        pairs += 1.0;
                        won += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                    }
                }
            }
            match Ranking::of(&score, &labels) {
                Some(r) => prop_assert!((r.auc_roc - won / pairs).abs() < 1e-12),
                None => prop_assert_eq!(pairs, 0.0),
            }
        }
    }
}
