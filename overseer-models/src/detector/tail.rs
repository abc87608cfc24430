//! From a score of any kind to the share of normal rows that score as high.
//!
//! Most past scores are counted; above a high quantile the few there are cannot be, so their excess over it is taken
//! for exponential: the peaks-over-threshold method (Balkema and de Haan 1974, Pickands 1975) with the generalised
//! Pareto distribution's shape at 0. A handful of past scores says little about the tail, so its scale starts from a
//! cautious guess that counts as some scores of its own. Where a tail decides about alerts, it also counts how little the
//! scale is known: the predictive distribution of an exponential whose scale was estimated from `k` of its values is a
//! Pareto one, `(1 + x / (k scale))^-k` (J. Aitchison and I. R. Dunsmore, *Statistical Prediction Analysis*, 1975), and
//! rows that belong together count as one value.

use super::memory::{bytes_of, make_room};
use crate::file::{Reader, Writer};
use crate::isolation_forest::pooled::mix;
use overseer_core::{Error, Probability, Result};
use std::f64::consts::LN_10;

/// No score is believed to be rarer than 1 in 10 to the power of this.
const RAREST: f64 = 15.0;

/// Nor than so many times what all that ever came could show: a tail fitted to a handful must not shout.
const BORNE_OUT: f64 = 2.0;

/// Before there are so many past scores nobody knows which of them is wild, and all count as they are.
const FEW: usize = 50;

/// How many excesses the guessed scale is worth.
const GUESS_WEIGHT: f64 = 10.0;
/// The guessed scale, as a share of the distance from the median to where the tail begins. An exponential's is 0.31.
const GUESS: f64 = 0.31;

/// An entry whose evidence is above this is unusual, as one in a hundred is. While more than [`Kind::many`] of them are,
/// one in [`THINNED`] is kept: an incident does not become usual by lasting. To thin out the few that are always there
/// would make them rarer and rarer.
const UNUSUAL: f64 = 2.0;
const THINNED: u32 = 10;
/// The newest entry's share of how many are unusual.
const NEWEST: f64 = 0.02;

/// How a kind of score is calibrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kind {
    /// How many past scores are kept: a fair sample of what is remembered.
    pub(super) kept: usize,
    /// What is remembered, as a share of all that ever came; at least as many as are kept.
    pub(super) remembered: f64,
    /// The share of unusual scores above which there is an incident.
    pub(super) many: f64,
    /// A past score counts for no more than the one whose evidence is this, so that a few wild rows cannot blunt the
    /// tail.
    pub(super) wildest: f64,
    /// So many unusual scores in a row are one, as far as the tail's scale is known by them; 0 takes the scale for known.
    pub(super) together: f64,
    /// The least mean excess that is believed, in the score's own unit, and the largest.
    pub(super) least: f64,
    pub(super) most: f64,
}

/// The past scores of one kind and the tail fitted to them.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    kind: Kind,
    /// The entries kept, each at the place it was drawn for.
    entries: Vec<f32>,
    /// The same, ascending.
    sorted: Vec<f32>,
    /// How many entries were ever offered, of how many of them the sample is one, and how many unusual ones came since
    /// one was kept.
    offered: u64,
    memory: u64,
    unusual: u32,
    /// The share of unusual ones lately.
    incidence: f64,
    /// Where the tail begins, the share of entries beyond it, and their mean excess.
    threshold: f64,
    share: f64,
    scale: f64,
    /// How many excesses that are no part of each other the scale is known by; infinite where it is taken for known.
    known_by: f64,
}

impl Tail {
    /// What a past score takes: it is kept by when it came and by its size.
    pub(super) const SCORE_BYTES: usize = 2 * size_of::<f32>();

    /// A tail that remembers about the last `memory` entries.
    pub(super) fn new(kind: Kind, memory: u64) -> Self {
        Self {
            kind,
            memory: memory.max(kind.kept as u64),
            entries: Vec::new(),
            sorted: Vec::new(),
            offered: 0,
            unusual: 0,
            incidence: 0.0,
            threshold: 0.0,
            share: 1.0,
            scale: 1.0,
            known_by: f64::INFINITY,
        }
    }

    /// How unusual a score is: minus the decimal logarithm of the share of past scores that are as high; never
    /// negative, and 0 before any score was learned.
    pub(super) fn evidence(&self, score: f64) -> f64 {
        let n = self.sorted.len();
        if n == 0 {
            return 0.0;
        }
        let evidence = if score > self.threshold {
            let excess = (score - self.threshold) / self.scale;
            let k = self.known_by;
            let rarity = if k.is_finite() { k * (excess / k).ln_1p() } else { excess };
            rarity / LN_10 - self.share.log10()
        } else {
            let lower = self.sorted.partition_point(|&s| f64::from(s) < score);
            -((n - lower + 1) as f64 / (n + 1) as f64).log10()
        };
        evidence.min(RAREST).min(BORNE_OUT * (self.offered.max(2) as f64).log10())
    }

    /// The share of past scores that are lower; 0 before any was learned.
    pub(super) fn rank(&self, score: f64) -> Probability {
        let lower = self.sorted.partition_point(|&s| f64::from(s) < score);
        Probability::share(lower, self.sorted.len())
    }

    /// Takes a score into the past.
    pub(super) fn learn(&mut self, score: f64) {
        self.offered += 1;
        let is_unusual = self.evidence(score) > UNUSUAL;
        self.incidence += NEWEST * (f64::from(u8::from(is_unusual)) - self.incidence);
        if is_unusual && self.incidence > self.kind.many {
            self.unusual += 1;
            if self.unusual < THINNED {
                return;
            }
            self.unusual = 0;
        }
        let ceiling =
            self.threshold + self.scale * LN_10 * (self.kind.wildest + self.share.log10());
        let score = if self.sorted.len() < FEW { score } else { score.min(ceiling) } as f32;
        if self.entries.len() < self.kind.kept {
            make_room(&mut self.entries, 1, self.kind.kept);
            make_room(&mut self.sorted, 1, self.kind.kept);
            self.entries.push(score);
        } else {
            // J. S. Vitter's algorithm R (1985); with a bounded count, older entries fade (C. C. Aggarwal 2006).
            let remembered = (self.offered as f64 * self.kind.remembered) as u64;
            let place = mix(self.offered) % remembered.clamp(self.kind.kept as u64, self.memory);
            let Some(entry) = self.entries.get_mut(place as usize) else { return };
            let oldest = std::mem::replace(entry, score);
            let at = self.sorted.partition_point(|&s| s < oldest);
            self.sorted.remove(at);
        }
        let at = self.sorted.partition_point(|&s| s < score);
        self.sorted.insert(at, score);
        self.fit();
    }

    /// Keeps at most so many entries from now on; of more, ones evenly spread, which are as fair a sample.
    pub(super) fn keep(&mut self, kept: usize) {
        self.kind.kept = kept;
        let n = self.entries.len();
        if n > kept {
            self.entries = (0..kept).map(|at| self.entries[at * n / kept]).collect();
            self.sorted = self.entries.clone();
            self.sorted.sort_unstable_by(f32::total_cmp);
            self.fit();
        }
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.entries) + bytes_of(&self.sorted)
    }

    /// Fits the tail to the entries kept: beyond the 98 % quantile, or the 90 % quantile of fewer than 500.
    fn fit(&mut self) {
        let n = self.sorted.len();
        let part = if n < 500 { 10 } else { 50 };
        let beyond = n.div_ceil(part).min(n - 1);
        let threshold = f64::from(self.sorted[n - 1 - beyond]);
        let median = f64::from(self.sorted[n / 2]);
        let excess: f64 = self.sorted[n - beyond..].iter().map(|&s| f64::from(s) - threshold).sum();
        let guess = GUESS * (threshold - median);
        self.threshold = threshold;
        self.share = (beyond + 1) as f64 / (n + 1) as f64;
        // An exponential that is cut at this many of its scales has a smaller mean by this share.
        let cut = LN_10 * (self.kind.wildest + self.share.log10()).max(0.0);
        let left = if n < FEW { 1.0 } else { 1.0 - (-cut).exp() };
        let weight = beyond as f64 + GUESS_WEIGHT;
        let pooled = (excess / left.max(0.1) + GUESS_WEIGHT * guess) / weight;
        self.scale = pooled.max(1e-3 * threshold.abs()).max(self.kind.least).min(self.kind.most);
        if self.kind.together > 0.0 {
            let remembered = (self.offered as f64 * self.kind.remembered).min(self.memory as f64);
            let kept = n as f64 / remembered.max(n as f64);
            self.known_by = weight / (self.kind.together * kept).max(1.0);
        }
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.f32s(self.entries.iter().copied());
        w.u64(self.offered);
        w.u64(self.memory);
        w.u32(self.unusual);
        w.f64(self.incidence);
    }

    pub(super) fn read_from(r: &mut Reader<'_>, kind: Kind) -> Result<Self> {
        let mut tail = Self::new(kind, 0);
        tail.entries = r.f32s()?;
        tail.offered = r.u64()?;
        tail.memory = r.u64()?;
        tail.unusual = r.u32()?;
        tail.incidence = r.finite()?;
        let usable = tail.entries.len() <= kind.kept
            && tail.offered >= tail.entries.len() as u64
            && tail.unusual < THINNED
            && tail.memory >= kind.kept as u64
            && (0.0..=1.0).contains(&tail.incidence)
            && tail.entries.iter().all(|s| s.is_finite());
        if !usable {
            return Err(Error::corrupt("the detector's calibration", "a value is out of range"));
        }
        tail.sorted.reserve_exact(tail.entries.len());
        tail.sorted.extend(&tail.entries);
        tail.sorted.sort_unstable_by(f32::total_cmp);
        if !tail.sorted.is_empty() {
            tail.fit();
        }
        Ok(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        kept: 4096,
        remembered: 1.0,
        many: f64::INFINITY,
        wildest: 2.3,
        together: 0.0,
        least: 1e-3,
        most: f64::INFINITY,
    };

    /// Exponential scores with a mean of 1.
    fn taught(kind: Kind, scores: u64) -> Tail {
        let mut tail = Tail::new(kind, scores);
        for i in 0..scores {
            let even = (mix(i) >> 11) as f64 / (1_u64 << 53) as f64;
            tail.learn(-(1.0 - even).ln());
        }
        tail
    }

    #[test]
    fn cutting_what_is_wild_does_not_make_the_rest_rarer_than_it_is() {
        let kept = 20_000;
        for wildest in [2.3, 3.0, 9.0] {
            let tail = taught(Kind { kept, wildest, ..KIND }, kept as u64);
            for decades in [1.0, 2.0, 3.0, 5.0] {
                let found = tail.evidence(decades * LN_10);
                assert!((found - decades).abs() < 0.12 * decades, "{wildest} {decades} {found}");
            }
        }
    }

    #[test]
    fn wild_scores_that_nobody_labelled_hardly_hide_the_next() {
        let mut tail = taught(KIND, 5000);
        let before = tail.evidence(4.0 * LN_10);
        // One in a hundred.
        for i in 0..5000 {
            let even = (mix(i + 9000) >> 11) as f64 / (1_u64 << 53) as f64;
            tail.learn(if i % 100 == 0 { 50.0 } else { -(1.0 - even).ln() });
        }
        let after = tail.evidence(4.0 * LN_10);
        assert!(before > 3.6 && after > 2.2, "{before} {after}");
    }

    #[test]
    fn a_tail_known_by_few_is_believed_less_far_out_and_the_more_the_longer_it_was_seen() {
        let far = 4.0 * LN_10;
        let plain = taught(KIND, 1000).evidence(far);
        let kind = Kind { together: 4.0, ..KIND };
        let [few, more, many] = [300, 1000, 100_000].map(|n| taught(kind, n).evidence(far));
        assert!(few < more && more < plain - 0.3, "{few} {more} {plain}");
        // Of so many, those that are kept are hardly ever neighbours.
        assert!((many - 4.0).abs() < 0.3, "{many}");
    }
}
