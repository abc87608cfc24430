//! From several kinds of evidence to one number, and from that to a p-value.

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

/// How many decades a p-value may be below what the combined evidence says by itself.
const MARGIN: f64 = 1.0;

/// How rare a row may be that is next to what was usual, as minus the decimal logarithm.
const UNREMARKABLE: f64 = 3.5;

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
    /// Of so many features that vary; `is_alone` if the schema has no other.
    pub(super) fn new(features: usize, is_alone: bool) -> Self {
        let j = 1.0 - 1.0 / (features.max(1) as f64).sqrt();
        Self {
            features,
            many: [1.25 + 4.0 * j, 2.0 - 1.8 * j, 0.5 * j, 0.5, 0.0, 0.0, 0.0],
            one: [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
            share_of_one: if is_alone { 1.0 } else { 0.0 },
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

/// Minus the decimal logarithm of the p-value of combined evidence, of which the host's own past says what is rarer.
///
/// The past alone would believe a tail that it has seen little of. While little of it is known at all (`readiness`
/// 0–1), how far out the row is in units that matter stands in for it; and where people have said which changes
/// matter, a row that is next to what was usual in all of them is never rarer than 1 in 3000.
pub(super) fn rarity(
    evidence: f64,
    by_past: f64,
    by_reach: f64,
    readiness: f64,
    is_known: bool,
) -> f64 {
    let learned = by_past.min(evidence + MARGIN);
    let rarity = by_reach + readiness * (learned - by_reach);
    if is_known { rarity.min(UNREMARKABLE + by_reach) } else { rarity }
}
