//! The Numenta Anomaly Benchmark.
//!
//! Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark", ICMLA 2015,
//! arXiv:1510.03336. In each labelled window only the earliest alert counts, for the more the earlier it is; each alert
//! outside costs, for the more the longer ago the last window was; each window without an alert costs. One threshold
//! serves all files: the best in hindsight, as the paper has it, or for each file the best of the others.

use super::{Event, by_falling_score};
use serde::Serialize;

/// What is worth how much to whom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// What the paper calls it.
    pub name: &'static str,
    true_positive: f64,
    false_negative: f64,
    false_positive: f64,
}

/// The profiles of the paper: standard, few false positives, few false negatives.
pub const PROFILES: [Profile; 3] = [
    Profile { name: "standard", true_positive: 1.0, false_negative: 1.0, false_positive: 0.11 },
    Profile {
        name: "reward_low_FP_rate",
        true_positive: 1.0,
        false_negative: 1.0,
        false_positive: 0.22,
    },
    Profile {
        name: "reward_low_FN_rate",
        true_positive: 1.0,
        false_negative: 2.0,
        false_positive: 0.11,
    },
];

/// How many rows at the start are not judged: 15 % of the file, at most 750.
#[must_use]
pub fn probation(rows: usize) -> usize {
    ((0.15 * rows as f64) as usize).min(750)
}

/// The value of an alert at a place relative to a window, −1 at its start and 0 at its end: from 1 falling to −1.
fn value_at(place: f64) -> f64 {
    if place > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * place).exp()) - 1.0 }
}

/// What an alert on a row is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Worth {
    /// In a window, by its number: 0–1.
    Found { window: usize, value: f64 },
    /// Outside: −1 to 0.
    False(f64),
}

fn worth(rows: usize, windows: &[Event]) -> Vec<Worth> {
    let mut worth = vec![Worth::False(-1.0); rows];
    for (window, event) in windows.iter().enumerate() {
        let (first, last) = (*event.start(), *event.end());
        let width = (last - first + 1) as f64;
        for row in event.clone() {
            let place = -((last - row + 1) as f64) / width;
            worth[row] = Worth::Found { window, value: value_at(place) / value_at(-1.0) };
        }
        let next = windows.get(window + 1).map_or(rows, |w| *w.start());
        for (row, worth) in worth.iter_mut().enumerate().take(next).skip(last + 1) {
            *worth = Worth::False(value_at((row - last) as f64 / (width - 1.0).max(1.0)));
        }
    }
    worth
}

/// How one file's points change as the threshold falls.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Each distinct score, falling, and what lowering the threshold to it adds.
    steps: Vec<(f64, f64)>,
    /// Before any alert.
    floor: f64,
    windows: usize,
}

impl Curve {
    /// Of a file's onset scores, without NaN; an alert is a score at or above the threshold. Windows ascend and lie
    /// within the file.
    #[must_use]
    pub fn new(onset: &[f64], windows: &[Event], profile: &Profile) -> Self {
        let worth = worth(onset.len(), windows);
        let judged = probation(onset.len());
        let mut found: Vec<Option<f64>> = vec![None; windows.len()];
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for row in by_falling_score(onset).into_iter().filter(|&row| row >= judged) {
            let gain = match worth[row] {
                Worth::False(value) => value * profile.false_positive,
                Worth::Found { window, value } => {
                    let best = found[window].map_or(value, |v| v.max(value));
                    let gain = match found[window] {
                        Some(before) => (best - before) * profile.true_positive,
                        None => best * profile.true_positive + profile.false_negative,
                    };
                    found[window] = Some(best);
                    gain
                }
            };
            match steps.last_mut() {
                Some((score, sum)) if *score == onset[row] => *sum += gain,
                _ => steps.push((onset[row], gain)),
            }
        }
        let floor = 0.0 - profile.false_negative * windows.len() as f64;
        Self { steps, floor, windows: windows.len() }
    }

    /// The file's points at a threshold.
    #[must_use]
    pub fn points(&self, threshold: f64) -> f64 {
        let reached = self.steps.iter().take_while(|(score, _)| *score >= threshold);
        self.floor + reached.map(|(_, gain)| gain).sum::<f64>()
    }
}

/// The threshold that gains these files most; the highest such, and infinite if no alert gains anything.
fn best_threshold<'a>(curves: impl Iterator<Item = &'a Curve>) -> f64 {
    let mut steps: Vec<(f64, f64)> = curves.flat_map(|c| &c.steps).copied().collect();
    steps.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut best, mut best_at, mut sum) = (0.0, f64::INFINITY, 0.0);
    for (i, &(score, gain)) in steps.iter().enumerate() {
        sum += gain;
        let is_last_of_score = steps.get(i + 1).is_none_or(|next| next.0 != score);
        if is_last_of_score && sum > best {
            (best, best_at) = (sum, score);
        }
    }
    best_at
}

/// One profile's score of a corpus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Of the best threshold in hindsight: 100 finds every window at its start without a false alert, 0 is silence.
    pub score: f64,
    /// The points before that scaling.
    pub raw: f64,
    /// The threshold.
    pub threshold: Option<f64>,
    /// The same scaling, but each file at the threshold that is best for all the others: nothing of a file has
    /// chosen its own threshold.
    pub leave_one_out: f64,
    /// Each file's points at the threshold of the others.
    #[serde(skip)]
    pub points: Vec<f64>,
}

impl Score {
    /// Scores files by their curves; `None` without a window.
    #[must_use]
    pub fn of(curves: &[Curve], profile: &Profile) -> Option<Self> {
        let windows = curves.iter().map(|c| c.windows).sum::<usize>() as f64;
        if windows == 0.0 {
            return None;
        }
        let silence = -profile.false_negative * windows;
        let scaled =
            |raw: f64| 100.0 * (raw - silence) / (profile.true_positive * windows - silence);
        let threshold = best_threshold(curves.iter());
        let raw: f64 = curves.iter().map(|c| c.points(threshold)).sum();
        let points: Vec<f64> = (0..curves.len())
            .map(|left_out| {
                let others = curves.iter().enumerate().filter(|(i, _)| *i != left_out);
                curves[left_out].points(best_threshold(others.map(|(_, c)| c)))
            })
            .collect();
        Some(Self {
            score: scaled(raw),
            raw,
            threshold: threshold.is_finite().then_some(threshold),
            leave_one_out: scaled(points.iter().sum()),
            points,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::close;
    use proptest::prelude::*;

    /// Two files with their onset scores and windows.
    fn files() -> [(Vec<f64>, Vec<Event>); 2] {
        let mut long: Vec<f64> = (0..1000)
            .map(|i| match (i * i * 7 + 3 * i) % 97 {
                k @ 0..9 => k as f64 / 10.0 + 0.05,
                _ => 0.0,
            })
            .collect();
        let alerts = [
            (205, 0.9),
            (230, 0.95),
            (405, 0.6),
            (600, 0.92),
            (850, 0.7),
            (120, 0.99),
            (950, 0.91),
        ];
        for (row, score) in alerts {
            long[row] = score;
        }
        let mut short = vec![0.0; 400];
        for (row, score) in [(100, 0.5), (150, 0.93), (300, 0.8), (390, 0.7)] {
            short[row] = score;
        }
        [(long, vec![200..=249, 400..=409, 800..=899]), (short, vec![140..=180])]
    }

    fn scores(files: &[(Vec<f64>, Vec<Event>)]) -> [Score; 3] {
        PROFILES.map(|profile| {
            let curves: Vec<Curve> =
                files.iter().map(|(o, w)| Curve::new(o, w, &profile)).collect();
            Score::of(&curves, &profile).unwrap()
        })
    }

    #[test]
    fn another_implementation_scores_the_same() {
        let both = scores(&files());
        let expected = [
            (75.121_857_588_608_49, 2.009_748_607_088_68, 44.003_544_250_730_53),
            (52.786_824_692_047_59, 0.222_945_975_363_806_78, 41.253_545_091_961_655),
            (83.414_571_725_738_95, 2.009_748_607_088_674_5, 46.002_362_833_820_364),
        ];
        for (got, (score, raw, leave_one_out)) in both.iter().zip(expected) {
            close(got.score, score);
            close(got.raw, raw);
            close(got.leave_one_out, leave_one_out);
            assert_eq!(got.threshold, Some(0.6));
        }
        close(both[0].points[0], -1.228_073_060_178_911_8);
        close(both[0].points[1], 0.748_356_600_237_354_5);
        let one = scores(&files()[..1]);
        close(one[0].score, 71.023_200_114_188_73);
        close(one[1].score, 44.909_821_797_132_714);
        close(one[2].score, 80.682_133_409_459_15);
    }

    #[test]
    fn silence_is_nothing_and_an_alert_at_each_window_start_is_everything() {
        let windows = vec![200..=249, 400..=409];
        let silent = scores(&[(vec![0.0; 500], windows.clone())]);
        // One threshold alerts on every row, or on none: none is better.
        assert!(silent.iter().all(|s| s.score == 0.0 && s.threshold.is_none()));
        let mut perfect = vec![0.0; 500];
        perfect[200] = 0.7;
        perfect[400] = 0.8;
        // The other file lets each be judged at a threshold that both share.
        for s in scores(&[(perfect.clone(), windows.clone()), (perfect, windows)]) {
            close(s.score, 100.0);
            close(s.leave_one_out, 100.0);
        }
    }

    #[test]
    fn rows_of_the_probation_are_not_judged() {
        assert_eq!((probation(1000), probation(10_000), probation(3)), (150, 750, 0));
        let windows = vec![300..=349];
        let with = |row: usize| {
            let mut onset = vec![0.0; 1000];
            onset[310] = 0.5;
            onset[row] = 0.9;
            Curve::new(&onset, &windows, &PROFILES[0]).points(0.5)
        };
        assert!(with(149) > with(150));
    }

    proptest! {
        /// The definition, plainly: the best alert of each window, each false alert, each miss.
        #[test]
        fn points_are_those_of_the_definition(
            onset in proptest::collection::vec(0_u8..5, 60..200), start in 20_usize..40, width in 1_usize..15
        ) {
            let onset: Vec<f64> = onset.into_iter().map(|o| f64::from(o) / 4.0).collect();
            let windows = vec![start..=start + width - 1];
            for profile in PROFILES {
                let curve = Curve::new(&onset, &windows, &profile);
                let worth = worth(onset.len(), &windows);
                for threshold in [0.25, 0.5, 0.75, 1.0, 2.0] {
                    let mut best: Option<f64> = None;
                    let mut points = 0.0;
                    for row in probation(onset.len())..onset.len() {
                        match worth[row] {
                            _ if onset[row] < threshold => {}
                            Worth::Found { value, .. } => best = Some(best.map_or(value, |b| b.max(value))),
                            Worth::False(value) => points += value * profile.false_positive,
                        }
                    }
                    points += best.map_or(-profile.false_negative, |b| b * profile.true_positive);
                    prop_assert!((curve.points(threshold) - points).abs() < 1e-9);
                }
            }
        }
    }
}
