//! From several kinds of evidence to one number, and from that to a p-value.

use std::fmt;

/// So many kinds of score are combined.
pub(super) const BRANCHES: usize = 7;
/// The pooled forest's score over all evidence: many weak signs.
pub(super) const FOREST: usize = 0;
/// The distance over all evidence: how far out a row is, where a forest only sees that it is.
pub(super) const DISTANCE: usize = 1;
/// The largest residuals of the row alone.
pub(super) const SPIKE: usize = 2;
/// How far outside the range of past rows.
pub(super) const RANGE: usize = 3;
/// For how long nothing has changed.
pub(super) const FROZEN: usize = 4;
/// Contexts never seen before.
pub(super) const NOVELTY: usize = 5;
/// What carries the judgement, lately: of several features the forest's score, of one the novelty.
pub(super) const LATELY: usize = 6;

/// A part of the detector that can be left out, to see what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Branch {
    /// The isolation forest over all evidence, of the row and lately.
    Forest,
    /// The distance over all evidence.
    Distance,
    /// The largest residuals of a row.
    Spike,
    /// Values outside the range of everything before.
    Range,
    /// Features that have stopped changing.
    Frozen,
    /// Contexts a single feature has never been in.
    Novelty,
}

impl Branch {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Forest, Self::Distance, Self::Spike, Self::Range, Self::Frozen, Self::Novelty];

    /// Its bit in a list of what is left out.
    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The kinds of score it is made of, where there is one feature or several.
    fn kinds(self, is_alone: bool) -> &'static [usize] {
        match self {
            Self::Forest if is_alone => &[FOREST],
            Self::Novelty if !is_alone => &[NOVELTY],
            Self::Forest => &[FOREST, LATELY],
            Self::Distance => &[DISTANCE],
            Self::Spike => &[SPIKE],
            Self::Range => &[RANGE],
            Self::Frozen => &[FROZEN],
            Self::Novelty => &[NOVELTY, LATELY],
        }
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forest => "forest",
            Self::Distance => "distance",
            Self::Spike => "spike",
            Self::Range => "range",
            Self::Frozen => "frozen",
            Self::Novelty => "novelty",
        })
    }
}

/// How much each kind counts where there are several features. The forest carries the judgement; the others are heard
/// where they are far out, since the mean is one of squares. With twice as much for the forest what is far out is drowned:
/// on real hosts it ranks rows as well and finds fewer events for a false alarm a day.
const MANY: [f64; BRANCHES] = [1.25, 0.25, 0.25, 0.6, 0.25, 0.0, 0.15];
/// The same where there is but one, and nothing to combine it with: where it has been before tells most.
const ONE: [f64; BRANCHES] = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];

/// What the combined evidence is that a usual host passes about once a week, whose score is one half.
const MIDDLE: f64 = 2.0;

/// How many decades a p-value may be below what the combined evidence says by itself: of one feature, where kinds of
/// evidence seldom agree, and of several, where it is less while that is under a decade: beside a past that is constant
/// anything at all is rarer than all of it.
const MARGIN: f64 = 1.8;
const MARGIN_ALONE: f64 = 1.5;

/// How rare a row may be that is next to what was usual, in features whose resolution is known, as minus the decimal
/// logarithm; and what each decade beyond that counts.
const UNREMARKABLE: f64 = 2.6;
const BEYOND: f64 = 0.1;

/// How the kinds of evidence of a schema become one number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    is_alone: bool,
    weights: [f64; BRANCHES],
    total: f64,
    without: u8,
}

impl Weights {
    /// For one feature that `is_alone`, or for several; `without` has the bit of each branch that is left out.
    pub(super) fn new(is_alone: bool, without: u8) -> Self {
        let mut weights = if is_alone { ONE } else { MANY };
        for branch in Branch::ALL.into_iter().filter(|branch| without & branch.bit() != 0) {
            branch.kinds(is_alone).iter().for_each(|&kind| weights[kind] = 0.0);
        }
        // Where nothing is left nothing is ever unusual.
        let total = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        Self { is_alone, weights, total, without }
    }

    /// Whether a kind has any part in the evidence.
    pub(super) fn counts(&self, kind: usize) -> bool {
        self.weights[kind] > 0.0
    }

    /// The branches that are left out.
    pub(super) fn without(&self) -> u8 {
        self.without
    }

    /// The combined evidence: of several features a mean of squares, which keeps a single strong voice audible; of one a
    /// plain mean, which asks for agreement.
    pub(super) fn combine(&self, evidence: &[f64; BRANCHES]) -> f64 {
        let sum: f64 = self.parts(evidence).iter().sum();
        if self.is_alone { sum } else { sum.sqrt() }
    }

    /// How much each kind had to do with it.
    pub(super) fn parts(&self, evidence: &[f64; BRANCHES]) -> [f64; BRANCHES] {
        let power = if self.is_alone { 1 } else { 2 };
        std::array::from_fn(|b| self.weights[b] / self.total * evidence[b].powi(power))
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
/// matter, a row that is next to what was usual in all of them is hardly ever rarer than 1 in 400.
pub(super) fn rarity(
    evidence: f64,
    by_past: f64,
    by_reach: f64,
    readiness: f64,
    is_known: bool,
    is_alone: bool,
) -> f64 {
    let margin = if is_alone { MARGIN_ALONE } else { MARGIN * evidence.min(1.0) };
    let learned = by_past.min(evidence + margin);
    let rarity = by_reach + readiness * (learned - by_reach);
    let most = UNREMARKABLE + by_reach;
    if is_known && rarity > most { most + BEYOND * (rarity - most) } else { rarity }
}
