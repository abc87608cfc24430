//! Series with known properties, for tests.

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

/// An autoregression of one lag with normal steps of variance 1; `phi` 0 is white noise and 1 a random walk.
pub(crate) fn autoregression(phi: f64, n: usize, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut x = 0.0;
    (0..n)
        .map(|_| {
            let e: f64 = StandardNormal.sample(&mut rng);
            x = phi * x + e;
            x
        })
        .collect()
}
