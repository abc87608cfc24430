//! Forecasts that compete: each weighs by how well it did lately.

use super::target::LARGEST_STORED;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// Half of what is known of an expert's losses is forgotten in so many checks.
pub(super) const HALF_LIFE: f64 = 1_500.0;
/// How sharply weights tell experts apart once much is known.
const SHARPEST: f64 = 30.0;

/// Discounted mean losses of `K` experts and the weights that follow.
///
/// The exponentially weighted average forecaster on relative losses: an expert whose mean loss is the share r above
/// the best one's weighs its prior times exp(−η r). After n checks η = √n, at most 30, so that little evidence moves
/// little (Cesa-Bianchi and Lugosi 2006, chapter 2).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Experts<const K: usize> {
    prior: [f64; K],
    losses: [f64; K],
    /// The discounted number of checks.
    checks: f64,
}

impl<const K: usize> Experts<K> {
    /// Experts of whose losses nothing is known yet; one whose prior is 0 takes no part.
    #[must_use]
    pub(super) fn new(prior: [f64; K]) -> Self {
        Self { prior, losses: [0.0; K], checks: 0.0 }
    }

    /// Takes in what each lost, all of them at the same check; not negative.
    pub(super) fn learn(&mut self, losses: [f64; K]) {
        let keep = (-1.0 / HALF_LIFE).exp2();
        self.checks = keep * self.checks + 1.0;
        for (sum, loss) in self.losses.iter_mut().zip(losses) {
            *sum = keep * *sum + loss;
        }
    }

    /// The weights now: not negative, summing to 1.
    #[must_use]
    pub(super) fn weights(&self) -> [f64; K] {
        let mut weights = self.prior;
        let taking_part = self.losses.iter().zip(&self.prior).filter(|(_, prior)| **prior > 0.0);
        let best = taking_part.map(|(loss, _)| *loss).fold(f64::INFINITY, f64::min);
        let whole: f64 = self.losses.iter().sum();
        // An expert that never erred would make every other one infinitely worse.
        let unit = best.max(1e-3 * whole / K as f64);
        if unit > 0.0 && whole.is_finite() {
            let sharpness = self.checks.sqrt().min(SHARPEST);
            for (weight, loss) in weights.iter_mut().zip(self.losses).filter(|(w, _)| **w > 0.0) {
                *weight *= (-sharpness * (loss - best) / unit).exp();
            }
        }
        let sum: f64 = weights.iter().sum();
        weights.map(|w| w / sum)
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        self.losses.iter().chain([&self.checks]).for_each(|&v| w.f64(v));
    }

    /// Reads what [`Experts::write_to`] wrote of the first `known` experts. The others are taken to have lost twice as
    /// much as the worst of those, so that they hardly weigh until they proved themselves.
    pub(super) fn read_into(&mut self, r: &mut Reader<'_>, known: usize) -> Result<()> {
        let losses = self.losses.iter_mut().take(known);
        for value in losses.chain([&mut self.checks]) {
            *value = r.finite()?;
            // Losses of numbers that are stored add up to less than HALF_LIFE / ln 2 of the largest.
            if !(0.0..=1e4 * LARGEST_STORED).contains(value) {
                return Err(Error::corrupt("the stored forecaster", "an expert's loss"));
            }
        }
        let worst = self.losses.iter().take(known).copied().fold(0.0, f64::max);
        self.losses.iter_mut().skip(known).for_each(|loss| *loss = 2.0 * worst);
        Ok(())
    }
}

/// The lower weighted median: the first value in ascending order with which the weights reach half of their sum. A
/// median of medians holds up where a mean follows one expert's spike.
#[must_use]
pub(super) fn weighted_median<const K: usize>(values: [f64; K], weights: [f64; K]) -> f64 {
    let mut order: [usize; K] = std::array::from_fn(|i| i);
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let half = 0.5 * weights.iter().sum::<f64>();
    let mut reached = 0.0;
    for i in order {
        reached += weights[i];
        if reached >= half {
            return values[i];
        }
    }
    order.last().map_or(f64::NAN, |&i| values[i])
}

/// The weighted mean.
#[must_use]
pub(super) fn weighted_mean<const K: usize>(values: [f64; K], weights: [f64; K]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_expert_takes_over_and_its_prior_yields() {
        let mut experts = Experts::new([4.0, 1.0]);
        assert_eq!(experts.weights(), [0.8, 0.2]);
        for _ in 0..200 {
            experts.learn([2.0, 1.0]);
        }
        assert!(experts.weights()[1] > 0.99);
    }

    #[test]
    fn experts_without_losses_keep_their_prior() {
        let mut experts = Experts::new([1.0, 1.0, 2.0]);
        experts.learn([0.0; 3]);
        assert_eq!(experts.weights(), [0.25, 0.25, 0.5]);
    }

    #[test]
    fn an_expert_without_a_prior_never_weighs_and_hides_nobody() {
        let mut experts = Experts::new([0.0, 1.0, 1.0]);
        for _ in 0..2_000 {
            experts.learn([0.0, 5.0, 5.0]);
        }
        assert_eq!(experts.weights(), [0.0, 0.5, 0.5]);
    }

    #[test]
    fn a_weighted_median_is_one_of_the_values() {
        assert_eq!(weighted_median([3.0, 1.0, 2.0], [0.2, 0.4, 0.4]), 2.0);
        assert_eq!(weighted_median([3.0, 1.0], [0.5, 0.5]), 1.0);
    }
}
