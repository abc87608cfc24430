//! Intervals that held the stated share of the recent truths.

use super::target::LARGEST_STORED;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Probability, Result};
use std::collections::VecDeque;

/// So many of the newest checks are remembered.
const MEMORY: usize = 1_000;
/// A share of fewer checks says too little to be stated.
const FEWEST_CHECKS: usize = 20;
/// The scale of a first interval is its width and this share of the recent error.
const ERROR_IN_SCALE: f64 = 0.3;
/// When an error becomes known, the scale it is measured by is at least this share of it.
const LEAST_SCALE: f64 = 0.03;
/// No score is beyond it: an error is at most 1 / [`LEAST_SCALE`] of its scale, and a first interval at most one.
const LARGEST_SCORE: f64 = 40.0;
/// What the largest error keeps of itself from check to check.
const LARGEST_KEEPS: f64 = 0.998;
/// How fast the miss rates of the issued bounds forget.
const MISS_RATE: f64 = 0.002;

/// The newest [`MEMORY`] numbers, in the order of their coming and in the order of their size.
#[derive(Debug, Clone, Default, PartialEq)]
struct Trailing {
    by_time: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl Trailing {
    fn push(&mut self, value: f64) {
        let place = |sorted: &[f64], v: f64| sorted.partition_point(|s| s.total_cmp(&v).is_lt());
        if self.by_time.len() == MEMORY
            && let Some(oldest) = self.by_time.pop_front()
        {
            self.sorted.remove(place(&self.sorted, oldest));
        }
        self.by_time.push_back(value);
        self.sorted.insert(place(&self.sorted, value), value);
    }

    /// About the share `p` of further exchangeable numbers is at or below it; 0 of none.
    ///
    /// It stands where the conformal quantile does, at the place p · (n + 1) from 1, but between two places it is
    /// interpolated and beyond the last it is the last. So the share is met closely and not guaranteed from below.
    fn quantile(&self, p: f64) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else { return 0.0 };
        let position = (p * (last + 2) as f64 - 1.0).clamp(0.0, last as f64);
        let below = position.floor() as usize;
        let above = (below + 1).min(last);
        let t = position - below as f64;
        self.sorted[below] + t * (self.sorted[above] - self.sorted[below])
    }
}

/// A first interval, to be adjusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Raw {
    /// Lower bound.
    pub lower: f64,
    /// The predicted median.
    pub median: f64,
    /// Upper bound.
    pub upper: f64,
}

/// Adjusts the intervals of one horizon by what became of earlier ones.
///
/// A truth scores by how far it lay outside the first interval, below and above apart, in units of a scale: the
/// interval's width and the recent error. The next interval is moved by the scores' quantile over a trailing window.
/// What one side cannot use of its share of misses, as below a metric that rests at its floor, goes to the other; and
/// the whole is corrected, within narrow limits, in proportion to how far the trailing share of misses is off.
///
/// A miss that dwarfs its scale, as when a metric that stood still moves, is scored by 3 % of itself instead; and no
/// bound is moved by more than the largest error of late, so that what was learned in calm cannot blow up in a storm.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conformal {
    /// Share of truths that may miss on each side.
    tail: f64,
    below: Trailing,
    above: Trailing,
    /// Trailing share of truths below and above the issued bounds.
    misses: [f64; 2],
    /// Discounted sums of absolute errors and of their number.
    error: f64,
    errors: f64,
    /// The largest absolute error of late, fading.
    largest: f64,
    /// Whether the newest issued intervals held the truth.
    held: VecDeque<bool>,
    hits: usize,
}

impl Conformal {
    /// Nothing known yet; intervals are meant to hold the share `1 - 2 * tail`.
    #[must_use]
    pub(super) fn new(tail: f64) -> Self {
        Self {
            tail,
            below: Trailing::default(),
            above: Trailing::default(),
            misses: [tail; 2],
            error: 0.0,
            errors: 0.0,
            largest: 0.0,
            held: VecDeque::new(),
            hits: 0,
        }
    }

    /// The scale of a first interval now; positive.
    #[must_use]
    pub(super) fn scale(&self, raw: &Raw) -> f64 {
        let recent = if self.errors > 0.0 { self.error / self.errors } else { 0.0 };
        let tiny = 1e-9 * (1.0 + raw.median.abs());
        (raw.upper - raw.lower).max(0.0) + ERROR_IN_SCALE * recent + tiny
    }

    /// The adjusted bounds of a first interval of this scale; the median lies within.
    #[must_use]
    pub(super) fn adjust(&self, raw: &Raw, scale: f64) -> (f64, f64) {
        let [low, high] = self.misses;
        let owed = 2.0 * self.tail - low - high;
        let share = |other: f64| {
            let spare = (self.tail - other).max(0.0);
            (self.tail + spare + owed).clamp(0.6 * self.tail, 2.4 * self.tail)
        };
        let lower = raw.lower - (scale * self.below.quantile(1.0 - share(high))).min(self.largest);
        let upper = raw.upper + (scale * self.above.quantile(1.0 - share(low))).min(self.largest);
        (lower.min(raw.median), upper.max(raw.median))
    }

    /// Takes in the truth about an interval that was issued as `(lower, upper)` from `raw` at `scale`.
    pub(super) fn learn(&mut self, raw: &Raw, scale: f64, issued: (f64, f64), truth: f64) {
        let scale = scale.max(LEAST_SCALE * (truth - raw.median).abs());
        let score = |outside: f64| (outside / scale).clamp(-LARGEST_SCORE, LARGEST_SCORE);
        self.below.push(score(raw.lower - truth));
        self.above.push(score(truth - raw.upper));
        let missed = [truth < issued.0, truth > issued.1];
        for (rate, missed) in self.misses.iter_mut().zip(missed) {
            *rate += MISS_RATE * (f64::from(u8::from(missed)) - *rate);
        }
        let keep = 0.995;
        let error = (truth - raw.median).abs();
        self.error = keep * self.error + error;
        self.largest = error.max(LARGEST_KEEPS * self.largest);
        self.errors = keep * self.errors + 1.0;
        if self.held.len() == MEMORY && self.held.pop_front() == Some(true) {
            self.hits -= 1;
        }
        let hit = !missed[0] && !missed[1];
        self.held.push_back(hit);
        self.hits += usize::from(hit);
    }

    /// The share of the remembered intervals that held the truth; `None` of fewer than 20.
    #[must_use]
    pub(super) fn coverage(&self) -> Option<Probability> {
        (self.held.len() >= FEWEST_CHECKS).then(|| Probability::share(self.hits, self.held.len()))
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        for trailing in [&self.below, &self.above] {
            w.f64s(trailing.by_time.iter().copied());
        }
        self.misses
            .iter()
            .chain([&self.error, &self.errors, &self.largest])
            .for_each(|&v| w.f64(v));
        w.u64(self.held.len() as u64);
        self.held.iter().for_each(|&hit| w.u8(u8::from(hit)));
    }

    pub(super) fn read_into(&mut self, r: &mut Reader<'_>) -> Result<()> {
        let corrupt = || Error::corrupt("the stored forecaster", "what became of its intervals");
        for trailing in [&mut self.below, &mut self.above] {
            let scores = r.f64s()?;
            if scores.len() > MEMORY || !scores.iter().all(|v| v.abs() <= LARGEST_SCORE) {
                return Err(corrupt());
            }
            scores.into_iter().for_each(|score| trailing.push(score));
        }
        let sums = [&mut self.error, &mut self.errors, &mut self.largest];
        for value in self.misses.iter_mut().chain(sums) {
            *value = r.finite()?;
        }
        let sound = self.misses.iter().all(|m| (0.0..=1.0).contains(m))
            // Two hundred is what the discounted number of checks tends to.
            && (0.0..=201.0).contains(&self.errors)
            && (0.0..=LARGEST_STORED * self.errors).contains(&self.error)
            && (0.0..=LARGEST_STORED).contains(&self.largest);
        let count = r.length()?;
        if !sound || count > MEMORY {
            return Err(corrupt());
        }
        for _ in 0..count {
            let hit = r.u8()? == 1;
            self.held.push_back(hit);
            self.hits += usize::from(hit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// Feeds truths to a conformal step whose first interval is `raw`, and gives the share that was held.
    fn held(raw: Raw, truths: impl Iterator<Item = f64>) -> f64 {
        let mut conformal = Conformal::new(0.05);
        let (mut hits, mut checks) = (0.0, 0.0);
        for (i, truth) in truths.enumerate() {
            let scale = conformal.scale(&raw);
            let issued = conformal.adjust(&raw, scale);
            if i >= 500 {
                checks += 1.0;
                hits += f64::from(u8::from(issued.0 <= truth && truth <= issued.1));
            }
            conformal.learn(&raw, scale, issued, truth);
        }
        hits / checks
    }

    #[test]
    fn intervals_too_narrow_and_too_wide_are_brought_to_the_level() {
        for half_width in [0.01, 0.3, 5.0] {
            let mut rng = Pcg64Mcg::seed_from_u64(8);
            let raw = Raw { lower: -half_width, median: 0.0, upper: half_width };
            let share = held(raw, (0..4_000).map(|_| rng.random_range(-1.0..1.0)));
            assert!((share - 0.9).abs() < 0.02, "{share} for {half_width}");
        }
    }

    #[test]
    fn a_side_that_never_misses_leaves_its_share_to_the_other() {
        let mut rng = Pcg64Mcg::seed_from_u64(9);
        let truths =
            (0..4_000).map(|_| if rng.random_bool(0.6) { 0.0 } else { rng.random::<f64>() });
        let share = held(Raw { lower: 0.0, median: 0.0, upper: 0.5 }, truths);
        assert!((share - 0.9).abs() < 0.02, "{share}");
    }

    #[test]
    fn coverage_counts_what_was_issued() {
        let mut conformal = Conformal::new(0.05);
        assert_eq!(conformal.coverage(), None);
        let raw = Raw { lower: 0.0, median: 0.5, upper: 1.0 };
        for i in 0..20 {
            assert_eq!(conformal.coverage(), None, "{i} checks say too little");
            conformal.learn(&raw, 1.0, (0.0, 1.0), if i % 4 == 2 { 7.0 } else { 0.5 });
        }
        assert_eq!(conformal.coverage().unwrap().get(), 0.75);
    }

    #[test]
    fn a_step_after_a_calm_stretch_moves_bounds_by_no_more_than_its_height() {
        let mut conformal = Conformal::new(0.05);
        let calm = Raw { lower: 0.0, median: 0.0, upper: 0.0 };
        for i in 0..200 {
            let scale = conformal.scale(&calm);
            let issued = conformal.adjust(&calm, scale);
            conformal.learn(&calm, scale, issued, if i < 160 { 0.0 } else { 100.0 });
        }
        let wide = Raw { lower: 0.0, median: 100.0, upper: 200.0 };
        let (lower, upper) = conformal.adjust(&wide, conformal.scale(&wide));
        assert!(lower >= -100.0 && upper <= 300.0, "{lower} {upper}");
    }
}
