//! Whether a frequency stands out of the noise around it.
//!
//! Noise of metrics is rarely white and never known, so a frequency's power is compared with that of its neighbours
//! rather than with a model: in a short stretch of the spectrum any noise is nearly flat. Where it falls towards higher
//! frequencies, as a random walk's does, neighbours are raised by as much as the spectrum of an autoregression falls
//! that remembers as much over an eighth of the period. The ratio of one exponential variable to the mean of `m` others
//! exceeds `r` with probability `(1 + r/m)^-m`; see Thomson, Proc. IEEE 70 (1982), on local tests for lines, and Mann
//! and Lees, Climatic Change 33 (1996), on red noise.

use super::autocorrelation::{Autocorrelation, of_neighbors};
use crate::goertzel::powers;
use std::f64::consts::{PI, TAU};

/// Neighbours stand this many bins of `1/n` away on either side: outside the taper's main lobe.
const NEIGHBORS: std::ops::RangeInclusive<usize> = 3..=10;
/// Powers of adjacent bins are correlated under the taper; so many independent ones is each worth.
const INDEPENDENT_SHARE: f64 = 0.6;

/// A Hann taper for series of one length.
#[derive(Debug)]
pub(super) struct Taper(Vec<f64>);

impl Taper {
    /// For so many values.
    pub(super) fn new(length: usize) -> Self {
        let n = length as f64;
        // Chebyshev's recurrence: cosines of even steps cost a product each.
        let twice = 2.0 * (TAU / n).cos();
        let (mut before, mut cosine) = ((0.5 * TAU / n).cos(), (0.5 * TAU / n).cos());
        let weights = (0..length).map(|_| {
            let weight = 0.5 - 0.5 * cosine;
            (before, cosine) = (cosine, twice * cosine - before);
            weight
        });
        Self(weights.collect())
    }

    /// Takes the mean away from as many values and tapers them; a missing value becomes the mean.
    pub(super) fn of(&self, values: &[f64]) -> Tapered {
        // The mean under the taper, so that no level leaks into the lowest frequencies.
        let (mut sum, mut weight) = (0.0, 0.0);
        for (v, w) in values.iter().zip(&self.0).filter(|(v, _)| !v.is_nan()) {
            sum += v * w;
            weight += w;
        }
        let mean = sum / weight;
        let taper = |(v, w): (&f64, &f64)| if v.is_nan() { 0.0 } else { (v - mean) * w };
        Tapered(values.iter().zip(&self.0).map(taper).collect())
    }
}

/// A series under a taper, ready for powers at any frequency.
#[derive(Debug)]
pub(super) struct Tapered(Vec<f64>);

impl Tapered {
    /// The powers at these frequencies in cycles a cell.
    pub(super) fn powers(&self, frequencies: &[f64]) -> Vec<f64> {
        powers(&self.0, frequencies)
    }
}

/// The noise around a rhythm, which has been taken away.
#[derive(Debug)]
pub(super) struct LocalNoise {
    /// The powers at evenly spaced frequencies from 0 to a half, at least two a bin.
    powers: Vec<f64>,
    /// How many values they are of.
    length: usize,
    /// Share of the noise that was taken away together with the rhythm.
    taken: f64,
    /// Cells that count as one step of the autoregression, and its coefficient.
    block: f64,
    memory: f64,
}

impl LocalNoise {
    /// Of what a rhythm of this period left over; `None` of more values than were planned for.
    pub(super) fn new(
        taper: &Taper,
        correlator: &Autocorrelation,
        rest: &[f64],
        period: f64,
    ) -> Option<Self> {
        let size = ((period / 8.0) as usize).max(1);
        let blocks: Vec<f64> = rest.chunks_exact(size).map(mean_of_known).collect();
        let r = of_neighbors(&blocks).max(0.0);
        // The trend that was taken away hid some of the memory (Kendall, Biometrika 41, 1954).
        let memory = (r + (2.0 + 4.0 * r) / blocks.len().max(1) as f64).min(1.0);
        let cycles = rest.len() as f64 / period;
        let taken = (1.5 / cycles).min(0.5);
        let powers = correlator.powers(taper.of(rest).0).ok()?;
        Some(Self { powers, length: rest.len(), taken, block: size as f64, memory })
    }

    /// The power at the nearest frequency that was transformed, within a quarter of a bin.
    fn power(&self, frequency: f64) -> f64 {
        let last = self.powers.len().saturating_sub(1);
        let at = (frequency * 2.0 * last as f64).round() as usize;
        self.powers.get(at.min(last)).copied().unwrap_or(f64::NAN)
    }

    /// The autoregression's spectrum at a frequency, up to a factor.
    fn fall(&self, frequency: f64) -> f64 {
        let angle = (TAU * frequency * self.block).min(PI);
        1.0 / (1.0 + self.memory * (self.memory - 2.0 * angle.cos())).max(1.0e-12)
    }

    /// The probability of so much power at `frequency` from noise alone; `None` if there are too few neighbours.
    pub(super) fn p_value(&self, frequency: f64, power: f64) -> Option<f64> {
        let bin = 1.0 / self.length as f64;
        let neighbors: Vec<f64> = [-1.0, 1.0]
            .into_iter()
            .flat_map(|side| NEIGHBORS.map(move |offset| frequency + side * offset as f64 * bin))
            .filter(|&f| f >= bin && f <= 0.5)
            .collect();
        if neighbors.len() < 4 {
            return None;
        }
        // Rounding alone is no noise to stand out of.
        if power <= 0.0 {
            return Some(1.0);
        }
        let count = neighbors.len() as f64;
        let here = self.fall(frequency);
        let (mut flat, mut falling) = (0.0, 0.0);
        for f in neighbors {
            let power = self.power(f);
            flat += power / count;
            falling += power / count * here / self.fall(f);
        }
        let noise = flat.max(falling) / (1.0 - self.taken);
        let m = INDEPENDENT_SHARE * count;
        Some((1.0 + power / (noise * m)).powf(-m))
    }
}

fn mean_of_known(values: &[f64]) -> f64 {
    let known = values.iter().filter(|v| !v.is_nan());
    known.clone().sum::<f64>() / known.count() as f64
}

/// Frequencies about `center` within `reach`, `step` apart.
pub(super) fn around(center: f64, reach: f64, step: f64) -> impl Iterator<Item = f64> {
    let steps = (reach / step).floor().min(64.0) as i32;
    (-steps..=steps).map(move |i| center + f64::from(i) * step)
}

/// The phase of a place in a rhythm, 0–1.
pub(super) fn phase(place: f64, period: f64) -> f64 {
    let turns = place / period;
    // Cutting off whole turns is exact, and many times as fast as a remainder; this far, turns still have fractions.
    if (0.0..4e15).contains(&turns) { turns - (turns as i64) as f64 } else { turns.rem_euclid(1.0) }
}

/// A sine of this period at a place.
#[cfg(test)]
pub(super) fn sine(place: f64, period: f64) -> f64 {
    (TAU * phase(place, period)).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tapered(values: &[f64]) -> Tapered {
        Taper::new(values.len()).of(values)
    }

    fn local_noise(values: &[f64], period: f64) -> LocalNoise {
        let n = values.len();
        LocalNoise::new(&Taper::new(n), &Autocorrelation::new(n), values, period).unwrap()
    }

    #[test]
    fn the_power_of_a_sine_stands_where_its_frequency_is() {
        let v: Vec<f64> = (0..500).map(|i| 7.0 + sine(f64::from(i), 25.0)).collect();
        let t = tapered(&v);
        let p = t.powers(&[0.04, 0.05, 0.08, 0.002, 0.4, 0.041, 0.03, 0.2, 0.04]);
        assert!(p[1..8].iter().all(|x| *x < 0.8 * p[0]), "{p:?}");
        // A Hann taper's mean is a half, so the amplitude at the peak is n/4.
        assert!((p[0].sqrt() - 125.0).abs() < 1.0 && p[0] == p[8]);
    }

    #[test]
    fn a_power_like_its_neighbours_is_no_line_and_one_far_above_them_is() {
        let noise: Vec<f64> = (0..500).map(|i| f64::from((i * i * 37 + i * 11) % 101)).collect();
        let local = local_noise(&noise, 25.0);
        let usual = tapered(&noise).powers(&[0.04])[0];
        assert!(local.p_value(0.04, usual).unwrap() > 0.01);
        assert!(local.p_value(0.04, 1000.0 * usual).unwrap() < 1e-9);
        // A dozen values have no neighbours to speak of.
        assert_eq!(local_noise(&noise[..12], 4.0).p_value(0.25, 1.0), None);
    }

    #[test]
    fn powers_of_all_frequencies_at_once_are_those_of_one_at_a_time() {
        let noise: Vec<f64> = (0..500).map(|i| f64::from((i * i * 37 + i * 11) % 101)).collect();
        let local = local_noise(&noise, 25.0);
        let half = local.powers.len() - 1;
        assert!(half >= noise.len(), "two a bin");
        for at in [0, 1, 77, half / 2, half - 1, half] {
            let frequency = 0.5 * at as f64 / half as f64;
            let alone = tapered(&noise).powers(&[frequency])[0];
            let scale = local.powers.iter().fold(0.0_f64, |most, p| most.max(*p));
            assert!((local.power(frequency) - alone).abs() < 1e-9 * scale, "{frequency}");
        }
        assert_eq!(local.power(0.7), local.powers[half], "there is nothing beyond a half");
    }

    #[test]
    fn a_phase_is_what_whole_turns_leave() {
        let places = [0.0, 0.3, 1.0, 2.75, 999.0, 1e15 + 0.5, 3e15, 5e15, 1e300, -0.25, -7.0];
        for (place, period) in places.into_iter().flat_map(|p| [(p, 1.0), (p, 24.0), (p, 7.3)]) {
            assert_eq!(phase(place, period), (place / period).rem_euclid(1.0), "{place} {period}");
        }
    }

    #[test]
    fn powers_agree_with_the_plain_transform() {
        let v: Vec<f64> = (0..97).map(|i| f64::from((i * 37) % 101)).collect();
        let t = tapered(&v);
        for f in [0.0123, 0.1, 0.25, 0.4999] {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, x) in t.0.iter().enumerate() {
                re += x * (TAU * f * i as f64).cos();
                im += x * (TAU * f * i as f64).sin();
            }
            let plain = re * re + im * im;
            assert!((t.powers(&[f])[0] - plain).abs() < 1e-6 * plain.max(1.0));
        }
    }
}
