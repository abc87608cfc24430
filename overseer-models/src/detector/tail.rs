//! From a score of any kind to the share of normal rows that score as high.
//!
//! Most past scores are counted; above a high quantile the few there are cannot be, so their excess over it is taken
//! for exponential: the peaks-over-threshold method (Balkema and de Haan 1974, Pickands 1975) with the generalised
//! Pareto distribution's shape at 0. A handful of past scores says little about the tail, so its scale starts from a
//! cautious guess that counts as some scores of its own.

use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};
use std::f64::consts::LN_10;

/// How many past scores are kept.
pub(super) const KEPT: usize = 4096;

/// No score is believed to be rarer than 1 in 10 to the power of this.
const RAREST: f64 = 30.0;

/// A past score counts for no more than the one whose evidence is this, so that one wild row cannot blunt the tail.
const BLUNTED: f64 = 4.0;

/// How many excesses the guessed scale is worth.
const GUESS_WEIGHT: f64 = 10.0;

/// What is assumed of a kind of score before it is known, in its own unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TailGuess {
    /// The mean excess.
    pub(super) scale: f64,
    /// The least mean excess that is ever believed.
    pub(super) least: f64,
    /// How far the tail may be drawn beyond what was counted, in powers of ten.
    pub(super) decades: f64,
}

/// The past scores of one kind and the tail fitted to them.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    guess: TailGuess,
    /// The last [`KEPT`] scores in a ring.
    ring: Vec<f64>,
    next: usize,
    /// How many came since the fit.
    unfitted: usize,
    /// The scores of the last fit, ascending.
    sorted: Vec<f64>,
    /// Where the tail begins.
    threshold: f64,
    /// The share of scores beyond it.
    share: f64,
    /// The mean excess over it.
    scale: f64,
}

impl Tail {
    pub(super) fn new(guess: TailGuess) -> Self {
        Self {
            guess,
            ring: Vec::with_capacity(KEPT),
            next: 0,
            unfitted: 0,
            sorted: Vec::with_capacity(KEPT),
            threshold: 0.0,
            share: 1.0,
            scale: guess.scale,
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
            let beyond = (score - self.threshold) / (self.scale * LN_10);
            beyond - self.share.log10()
        } else {
            let lower = self.sorted.partition_point(|&s| s < score);
            -((n - lower + 1) as f64 / (n + 1) as f64).log10()
        };
        let counted = ((n + 1) as f64).log10();
        evidence.min(counted + self.guess.decades).min(RAREST)
    }

    /// Takes a score of a normal row into the past.
    pub(super) fn learn(&mut self, score: f64) {
        let ceiling = self.threshold + self.scale * LN_10 * (BLUNTED + self.share.log10());
        let score = if self.sorted.is_empty() { score } else { score.min(ceiling) };
        if self.ring.len() < KEPT {
            self.ring.push(score);
        } else {
            self.ring[self.next] = score;
            self.next = (self.next + 1) % KEPT;
        }
        self.unfitted += 1;
        if self.unfitted > self.ring.len() / 20 {
            self.fit();
        }
    }

    /// Fits the tail to the scores kept: beyond the 98 % quantile, or the 90 % quantile of fewer than 500.
    pub(super) fn fit(&mut self) {
        self.unfitted = 0;
        self.sorted.clear();
        self.sorted.extend_from_slice(&self.ring);
        self.sorted.sort_unstable_by(f64::total_cmp);
        let n = self.sorted.len();
        if n == 0 {
            return;
        }
        let part = if n < 500 { 10 } else { 50 };
        let beyond = n.div_ceil(part).min(n - 1);
        self.threshold = self.sorted[n - 1 - beyond];
        self.share = (beyond + 1) as f64 / (n + 1) as f64;
        let excess: f64 = self.sorted[n - beyond..].iter().map(|s| s - self.threshold).sum();
        let pooled = (excess + GUESS_WEIGHT * self.guess.scale) / (beyond as f64 + GUESS_WEIGHT);
        self.scale = pooled.max(self.guess.least);
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.f64s(self.ring.iter().copied());
        w.u64(self.next as u64);
        w.u64(self.unfitted as u64);
        w.f64s(self.sorted.iter().copied());
        for v in [self.threshold, self.share, self.scale] {
            w.f64(v);
        }
    }

    pub(super) fn read_from(r: &mut Reader<'_>, guess: TailGuess) -> Result<Self> {
        let mut tail = Self::new(guess);
        tail.ring.extend(r.f64s()?);
        tail.next = r.u64()? as usize;
        tail.unfitted = r.u64()? as usize;
        tail.sorted.extend(r.f64s()?);
        tail.threshold = r.finite()?;
        tail.share = r.finite()?;
        tail.scale = r.finite()?;
        let lengths = tail.ring.len() <= KEPT && tail.sorted.len() <= KEPT;
        let places = tail.next < KEPT && (tail.next == 0 || tail.ring.len() == KEPT);
        let known = tail.ring.iter().chain(&tail.sorted).all(|s| s.is_finite());
        let fitted = tail.unfitted <= KEPT
            && tail.sorted.is_sorted()
            && tail.share > 0.0
            && tail.share <= 1.0
            && tail.scale >= guess.least;
        if lengths && places && known && fitted {
            Ok(tail)
        } else {
            Err(Error::corrupt("the detector's calibration", "a value is out of range"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GUESS: TailGuess = TailGuess { scale: 1.0, least: 0.1, decades: 20.0 };

    fn learned(scores: impl IntoIterator<Item = f64>) -> Tail {
        let mut tail = Tail::new(GUESS);
        scores.into_iter().for_each(|s| tail.learn(s));
        tail
    }

    /// `n` scores whose survival function is exp(-s).
    fn exponential(n: usize) -> impl Iterator<Item = f64> {
        // Multiples of the golden ratio fill the unit interval evenly in any stretch.
        (0..n).map(|i| -(1.0 - (0.5 + i as f64 * 0.618_033_988_749_895).fract()).ln())
    }

    #[test]
    fn an_exponential_s_tail_is_drawn_on_as_it_is() {
        let tail = learned(exponential(4000));
        for score in [1.0, 5.0, 12.0] {
            let evidence = tail.evidence(score);
            let truth = score / LN_10;
            assert!((evidence - truth).abs() < 0.1 * truth + 0.05, "{score}: {evidence}");
        }
    }

    #[test]
    fn few_scores_give_little_evidence_for_the_same_row() {
        let small = |n| learned(exponential(n).map(|s| 0.2 * s));
        assert!(small(20).evidence(4.0) < 0.7 * small(4000).evidence(4.0));
        assert_eq!(Tail::new(GUESS).evidence(9.0), 0.0);
        let equal = learned([0.0; 100]);
        assert_eq!(equal.evidence(0.0), 0.0);
    }

    #[test]
    fn memory_is_bounded_and_old_scores_are_forgotten() {
        let mut tail = learned(vec![5.0; KEPT]);
        (0..KEPT).for_each(|_| tail.learn(1.0));
        tail.fit();
        assert_eq!((tail.ring.len(), tail.ring.capacity()), (KEPT, KEPT));
        assert!(tail.sorted.iter().all(|&s| s == 1.0));
    }

    #[test]
    fn one_wild_score_cannot_blunt_the_tail() {
        let calm = learned(exponential(200));
        let mut hit = calm.clone();
        hit.learn(1e6);
        hit.fit();
        assert!(hit.evidence(12.0) > 0.75 * calm.evidence(12.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn more_is_never_less_unusual(
            scores in proptest::collection::vec(0.0..10.0f64, 1..200), a in 0.0..50.0f64, b in 0.0..50.0f64,
        ) {
            let tail = learned(scores);
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(tail.evidence(low) <= tail.evidence(high) + 1e-12);
            prop_assert!(tail.evidence(low) >= 0.0);
        }
    }
}
