//! Random draws by the names that the simulation uses.

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;

/// A stream of random numbers; the same seed and stream give the same numbers.
#[derive(Debug, Clone)]
pub struct Draw {
    rng: Pcg64Mcg,
}

impl Draw {
    /// The stream `stream` of a seed, so that what one part draws does not move the others.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let apart = stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { rng: Pcg64Mcg::seed_from_u64(seed.wrapping_add(apart)) }
    }

    /// Evenly between `low` and `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.rng.random::<f64>()
    }

    /// Evenly in the logarithm between two positive numbers.
    pub fn log_between(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// A whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: usize, high: usize) -> usize {
        self.rng.random_range(low..=high)
    }

    /// `true` with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.rng.random::<f64>() < p
    }

    /// Normal, of mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.rng)
    }

    /// Exponential, as the time between events that know nothing of each other.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        let e: f64 = Exp1.sample(&mut self.rng);
        mean * e
    }

    /// Lognormal of this median; `sigma` is the standard deviation of the logarithm.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Pareto, at least `least`: the share above x falls as x to the power of −`shape`.
    pub fn pareto(&mut self, least: f64, shape: f64) -> f64 {
        let e: f64 = Exp1.sample(&mut self.rng);
        least * (e / shape).exp()
    }
}
