//! The power of a series at single frequencies.

use std::f64::consts::TAU;

/// Frequencies transformed together.
const LANES: usize = 8;

/// The squared sizes of a series' Fourier transform at these frequencies, in cycles a value: by G. Goertzel's recurrence
/// (Am. Math. Monthly 65, 1958), which costs a product a value for each.
pub(crate) fn powers(series: &[f64], frequencies: &[f64]) -> Vec<f64> {
    let mut powers = Vec::with_capacity(frequencies.len());
    for chunk in frequencies.chunks(LANES) {
        let mut factor = [0.0; LANES];
        for (c, f) in factor.iter_mut().zip(chunk) {
            *c = 2.0 * (TAU * f).cos();
        }
        let (mut last, mut before) = ([0.0; LANES], [0.0; LANES]);
        for &x in series {
            for i in 0..LANES {
                // In this order only a product and a sum wait for the step before.
                let next = factor[i] * last[i] + (x - before[i]);
                before[i] = last[i];
                last[i] = next;
            }
        }
        powers.extend((0..chunk.len()).map(|i| {
            let (a, b) = (last[i], before[i]);
            (a * a + b * b - factor[i] * a * b).max(0.0)
        }));
    }
    powers
}
