//! Noise with memory.

use crate::draw::Draw;

/// A first-order autoregression in continuous time (Ornstein and Uhlenbeck 1930) of mean 0 and variance 1.
///
/// Sampled every s seconds its coefficient is exp(−s / memory), whether or not the samples are even.
#[derive(Debug, Clone)]
pub struct Noise {
    memory: f64,
    value: f64,
}

impl Noise {
    /// Noise that has forgotten all but a third of itself after `memory` seconds; starts anywhere it may be.
    pub fn new(memory: f64, draw: &mut Draw) -> Self {
        Self { memory, value: draw.normal() }
    }

    /// The value `elapsed` seconds after the last one.
    pub fn next(&mut self, elapsed: f64, draw: &mut Draw) -> f64 {
        let kept = (-elapsed / self.memory).exp();
        self.value = kept * self.value + (1.0 - kept * kept).sqrt() * draw.normal();
        self.value
    }

    /// The same as a factor of mean 1, lognormal with this standard deviation of the logarithm.
    pub fn factor(&mut self, elapsed: f64, sigma: f64, draw: &mut Draw) -> f64 {
        (sigma * self.next(elapsed, draw) - 0.5 * sigma * sigma).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_and_memory_are_as_promised_whatever_the_step() {
        for step in [20.0, 100.0] {
            let mut draw = Draw::new(1, 0);
            let mut noise = Noise::new(200.0, &mut draw);
            let x: Vec<f64> = (0..100_000).map(|_| noise.next(step, &mut draw)).collect();
            let n = x.len() as f64;
            let variance = x.iter().map(|v| v * v).sum::<f64>() / n;
            let covariance = x.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / n;
            assert!((variance - 1.0).abs() < 0.06, "{variance}");
            assert!((covariance / variance - (-step / 200.0_f64).exp()).abs() < 0.02);
        }
    }
}
