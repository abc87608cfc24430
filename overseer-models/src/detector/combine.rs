//! From several kinds of evidence to one number, and from that to a p-value.

use super::knob::knob;

/// So many kinds of score are combined.
pub(super) const BRANCHES: usize = 7;
/// The pooled forest's score over all evidence.
pub(super) const FOREST: usize = 0;
/// How far features have been from what is usual at this time of day.
pub(super) const SEASON: usize = 1;
/// The largest residuals of the row alone.
pub(super) const SPIKE: usize = 2;
/// How far outside the range of all past rows.
pub(super) const RANGE: usize = 3;
/// Contexts never seen before.
pub(super) const NOVELTY: usize = 4;
/// The same, lately.
pub(super) const LATELY: usize = 5;
/// For how long nothing has changed.
pub(super) const FROZEN: usize = 6;

/// What the combined evidence is that a usual host passes about once a week, whose score is one half.
pub(super) const MIDDLE: f64 = 2.3;

/// How much each kind counts. With one feature there is nothing to combine it with, so that where it has been before
/// tells most; the more features, the more the forest knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    features: usize,
    many: [f64; BRANCHES],
    one: [f64; BRANCHES],
    share_of_one: f64,
}

impl Weights {
    pub(super) fn new(features: usize) -> Self {
        let j = 1.0 - 1.0 / (features.max(1) as f64).sqrt();
        let f = knob("WF", 1.0);
        Self {
            features,
            many: [f * (1.25 + 4.0 * j), knob("WS", 1.0) * (2.0 - 1.8 * j), knob("WT", 1.0) * 0.5 * j, knob("WR", 0.5), 0.0, knob("WN", 0.0), 0.0],
            one: [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
            share_of_one: if features <= 1 { knob("ONE", 1.0) } else { knob("A", 0.0) * (1.0 - j) },
        }
    }

    /// The number of features they are for.
    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// The combined evidence: of many features a power mean, which keeps a single strong voice audible; of one a plain
    /// mean, which asks for agreement.
    pub(super) fn combine(&self, evidence: &[f64; BRANCHES]) -> f64 {
        let total: f64 = self.many.iter().sum();
        let sum: f64 = self.many.iter().zip(evidence).map(|(w, l)| w * l.powi(4)).sum();
        let many = (sum / total).powf(0.25);
        let total: f64 = self.one.iter().sum();
        let one = self.one.iter().zip(evidence).map(|(w, l)| w * l).sum::<f64>() / total;
        many + self.share_of_one * (one - many)
    }
}

impl Weights {
    /// How much each kind had to do with the combined evidence.
    pub(super) fn shares(&self, evidence: &[f64; BRANCHES]) -> [f64; BRANCHES] {
        let many: f64 = self.many.iter().sum();
        let one: f64 = self.one.iter().sum();
        std::array::from_fn(|b| {
            let l = evidence[b];
            (1.0 - self.share_of_one) * self.many[b] / many * l.powi(4)
                + self.share_of_one * self.one[b] / one * l
        })
    }
}

/// The score of combined evidence, 0–1.
pub(super) fn score(evidence: f64) -> f64 {
    evidence / (evidence + MIDDLE)
}

/// Minus the decimal logarithm of the p-value of combined evidence.
pub(super) fn rarity(evidence: f64) -> f64 {
    let offset = knob("OFF", 1.0);
    if evidence < 1.0 { evidence * (1.0 + offset) } else { evidence + offset }
}
