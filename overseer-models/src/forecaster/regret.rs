//! Forecasts that compete by regret: each weighs by how much better it did than what was answered.

use super::experts::HALF_LIFE;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// How fast weights move, as a share of the rate that theory allows. Errors of a host's metrics are heavy-tailed: at
/// the full rate a handful of spikes decides.
const CAUTION: f64 = 0.2;
/// So much of the weights always follows the prior, so that no expert is lost for ever.
const KEPT_FOR_PRIOR: f64 = 0.01;
/// Regrets beyond it count as this much, so that their squares stay finite; no quantity of a host comes near.
const LARGEST_REGRET: f64 = 1e140;
/// No discounted sum of [`HALF_LIFE`] exceeds its largest term times this.
const LONGEST_SUM: f64 = 1e4;

/// Bernstein online aggregation (Wintenberger 2017, *Optimal learning with Bernstein online aggregation*) of `K`
/// experts, with discounted sums so that it follows a changing series.
///
/// Each expert has a learning rate of its own, from the largest and from the summed squared regret of the answer
/// against it: `c · min(1 / 2E, √(ln(K + 1) / V))`. Its weight is its prior times exp(rate · summed regret).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Regrets<const K: usize> {
    prior: [f64; K],
    /// The largest absolute regret of late, fading.
    largest: [f64; K],
    /// Discounted sum of squared regrets.
    squares: [f64; K],
    /// Discounted sum of regrets; positive where the expert did better than the answer.
    sums: [f64; K],
}

impl<const K: usize> Regrets<K> {
    /// Experts of which nothing is known yet. The priors are not negative, and not all 0; an expert of prior 0 takes no
    /// part.
    #[must_use]
    pub(super) fn new(prior: [f64; K]) -> Self {
        let whole: f64 = prior.iter().sum();
        Self {
            prior: prior.map(|p| p / whole),
            largest: [0.0; K],
            squares: [0.0; K],
            sums: [0.0; K],
        }
    }

    /// Takes in how much more the answer lost than each expert, all at the same check.
    pub(super) fn learn(&mut self, regrets: [f64; K]) {
        let keep = (-1.0 / HALF_LIFE).exp2();
        for (k, regret) in regrets.into_iter().enumerate() {
            let regret = (0.5 * regret).clamp(-LARGEST_REGRET, LARGEST_REGRET);
            self.largest[k] = regret.abs().max(keep * self.largest[k]);
            self.squares[k] = keep * self.squares[k] + regret * regret;
            self.sums[k] = keep * self.sums[k] + regret;
        }
    }

    /// The weights now, summing to 1: positive, but 0 for those that take no part.
    #[must_use]
    pub(super) fn weights(&self) -> [f64; K] {
        let exponents: [f64; K] = std::array::from_fn(|k| {
            let (largest, squares) = (self.largest[k], self.squares[k]);
            // Squares of the smallest numbers vanish; such regrets say nothing.
            if largest <= 0.0 || squares <= 0.0 || self.prior[k] <= 0.0 {
                return 0.0;
            }
            let rate = (0.5 / largest).min((((K + 1) as f64).ln() / squares).sqrt());
            let exponent = CAUTION * rate * self.sums[k];
            if exponent.is_finite() { exponent } else { 0.0 }
        });
        let taking_part = exponents.iter().zip(&self.prior).filter(|(_, prior)| **prior > 0.0);
        let most = taking_part.map(|(e, _)| *e).fold(f64::NEG_INFINITY, f64::max);
        let raw: [f64; K] = std::array::from_fn(|k| self.prior[k] * (exponents[k] - most).exp());
        let whole: f64 = raw.iter().sum();
        std::array::from_fn(|k| {
            (1.0 - KEPT_FOR_PRIOR) * raw[k] / whole + KEPT_FOR_PRIOR * self.prior[k]
        })
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        let numbers = self.largest.iter().chain(&self.squares).chain(&self.sums);
        numbers.for_each(|&v| w.f64(v));
    }

    pub(super) fn read_into(&mut self, r: &mut Reader<'_>) -> Result<()> {
        let largest = LARGEST_REGRET * LONGEST_SUM;
        let limits = [(0.0, LARGEST_REGRET), (0.0, LARGEST_REGRET * largest), (-largest, largest)];
        let sets = [&mut self.largest, &mut self.squares, &mut self.sums];
        for (values, (least, most)) in sets.into_iter().zip(limits) {
            for value in values {
                *value = r.finite()?;
                if !(least..=most).contains(value) {
                    return Err(Error::corrupt("the stored forecaster", "an expert's regret"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_better_expert_takes_over_and_its_prior_yields() {
        let mut experts = Regrets::new([4.0, 1.0]);
        assert!((experts.weights()[0] - 0.8).abs() < 1e-12);
        for _ in 0..1_000 {
            // The answer is the first expert's; the second one loses half as much.
            experts.learn([0.0, 1.0]);
        }
        assert!(experts.weights()[1] > 0.9, "{:?}", experts.weights());
    }

    #[test]
    fn one_spike_moves_little() {
        let mut experts = Regrets::new([1.0, 1.0]);
        for i in 0..200 {
            experts.learn([0.0, if i % 2 == 0 { 1.0 } else { -1.0 }]);
        }
        experts.learn([0.0, 1e6]);
        assert!(experts.weights()[1] < 0.6, "{:?}", experts.weights());
    }

    proptest! {
        #[test]
        fn weights_are_positive_and_sum_to_one(
            regrets in proptest::collection::vec(proptest::array::uniform3(prop_oneof![
                -1.0..1.0f64, -1e300..1e300f64, Just(0.0), Just(f64::MIN_POSITIVE),
            ]), 0..60),
        ) {
            let mut experts = Regrets::new([4.0, 1.0, 1.0]);
            for regrets in regrets {
                experts.learn(regrets);
                let weights = experts.weights();
                prop_assert!(weights.iter().all(|w| *w > 0.0));
                prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }
}
