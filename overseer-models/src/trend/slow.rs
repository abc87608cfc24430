//! How much noise lives in the slowest part of a series, where trends and steps do.
//!
//! An autoregression of few lags forgets exponentially. Some noise does not: the sum of many sources forgets by a power
//! law, and a random walk seen through noise never does, though both look harmless from one value to the next. So three
//! spectra of one parameter each are fitted by Whittle's likelihood (Ark. Mat. 2, 1953): an autoregression of one lag,
//! fractional noise (Hosking, Biometrika 68, 1981), and a walk under white noise (Harvey's local level). They and white
//! noise tell, each by its Akaike weight (Burnham and Anderson 2002), how much noise there is at the frequencies that a
//! slope is made of; and the best of them how likely a series is if nothing but noise made it.

use crate::goertzel::powers;
use std::f64::consts::{PI, TAU};

/// A straight line's power is highest here, in radians a step times the steps: near the maximum of `j₁(x/2)²`.
const OF_SLOPES: f64 = 3.6;
/// What was taken away took some of the slowest noise with it, which hides so much of a memory.
const HIDDEN_MEMORY: f64 = 0.05;
/// By how much likelier than white noise an autoregression, fractional noise and a hidden walk must be to count as much:
/// a parameter's price by Akaike's criterion, and more for what the usual noise of metrics is easily taken for.
const PRICES: (f64, f64, f64) = (1.0, 1.5, 2.5);
/// ... and takes this factor of a walk's.
const HIDDEN_WALK: f64 = 2.0;
/// Fewer residuals have no spectrum to speak of.
const FEWEST: usize = 24;

const PERSISTENCE: [f64; 12] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98];
/// In steps of [`MEMORY_STEP`].
const MEMORY: [usize; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14];
const MEMORY_STEP: f64 = 0.05;
const WALK: [f64; 9] = [0.0005, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
/// White noise, which is a walk that stands still, and those.
const WALKS: usize = WALK.len() + 1;

/// The long-run variance of one residual of a line, as far as slopes are concerned; 0 of too few.
pub(super) fn slow_variance(residuals: &[f64]) -> f64 {
    if residuals.len() < FEWEST {
        return 0.0;
    }
    let at = OF_SLOPES / residuals.len() as f64;
    let mut candidates = Spectrum::of(residuals, true).candidates(at);
    let [white, .., hidden] = &mut candidates;
    // Walks by what is exact of them, for their spectrum is not.
    let [(plain, _), walks @ ..] = walks(residuals);
    for (q, (ln_likelihood, noise)) in WALK.into_iter().zip(walks) {
        let ln_likelihood = white.ln_likelihood + ln_likelihood - plain;
        if ln_likelihood > hidden.ln_likelihood {
            let variance = noise * (1.0 + HIDDEN_WALK * q / Wave::at(at).gap);
            *hidden = Candidate { ln_likelihood, variance, ..*hidden };
        }
    }
    let best = candidates.iter().map(Candidate::score).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut weights) = (0.0, 0.0);
    for candidate in candidates {
        let weight = (candidate.score() - best).exp();
        sum += weight * candidate.variance;
        weights += weight;
    }
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// How likely what a model leaves over is if nothing but slow noise made it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Likelihood {
    by_spectrum: f64,
    by_walk: f64,
}

impl Likelihood {
    pub(crate) fn of(left_over: &[f64]) -> Self {
        let by_spectrum = ln_likelihood(left_over);
        Self { by_spectrum, by_walk: ln_likelihood_of_walk(left_over) }
    }

    /// By how much likelier it is than what another model leaves over, in logarithms, whichever kind of slow noise suits
    /// either best; the smaller gain by spectra and by a walk, and 0 of too few.
    pub(crate) fn gain_over(self, other: Self) -> f64 {
        let by_spectrum = self.by_spectrum - other.by_spectrum;
        let by_walk = self.by_walk - other.by_walk;
        let gain = by_spectrum.min(by_walk);
        if gain.is_nan() { 0.0 } else { gain }
    }
}

/// The logarithm of how likely values are as noise of the kind that suits them best, but for a constant that depends on
/// their number alone; -∞ of too few.
fn ln_likelihood(values: &[f64]) -> f64 {
    if values.len() < FEWEST {
        return f64::NEG_INFINITY;
    }
    let candidates = Spectrum::of(values, false).candidates(1.0);
    candidates.iter().map(|c| c.ln_likelihood).fold(f64::NEG_INFINITY, f64::max)
}

/// The same of values as a walk under white noise, exactly: a spectrum knows too little of the ends of a walk.
fn ln_likelihood_of_walk(values: &[f64]) -> f64 {
    walks(values).into_iter().map(|(ln_likelihood, _)| ln_likelihood).fold(f64::NAN, f64::max)
}

/// How likely values are as white noise and as a walk under it, one with each of the shares of [`WALK`] that a step of
/// the walk has of that noise's variance, in logarithms, and that variance; -∞ of too few.
fn walks(values: &[f64]) -> [(f64, f64); WALKS] {
    let Some((&first, rest)) = values.split_first().filter(|_| values.len() >= FEWEST) else {
        return [(f64::NEG_INFINITY, 0.0); WALKS];
    };
    let mut shares = [0.0; WALKS];
    shares.iter_mut().skip(1).zip(WALK).for_each(|(share, q)| *share = q);
    let count = rest.len() as f64;
    // Kalman's filter from a level that is known as well as the first value tells it, in variances of the noise; for all
    // walks side by side, since each step waits for the one before.
    let (mut level, mut variance) = ([first; WALKS], [1.0; WALKS]);
    let (mut squares, mut product, mut ln) = ([0.0; WALKS], [1.0_f64; WALKS], [0.0; WALKS]);
    for (i, v) in rest.iter().enumerate() {
        for w in 0..WALKS {
            let predicted = variance[w] + shares[w];
            let spread = predicted + 1.0;
            let error = v - level[w];
            squares[w] += error * error / spread;
            product[w] *= spread;
            let gain = predicted / spread;
            level[w] += gain * error;
            variance[w] = gain;
        }
        if i % 8 == 7 {
            ln.iter_mut()
                .zip(&mut product)
                .for_each(|(ln, p)| *ln += std::mem::replace(p, 1.0).ln());
        }
    }
    std::array::from_fn(|w| {
        let noise = squares[w] / count;
        (-0.5 * (count * noise.ln() + ln[w] + product[w].ln()), noise)
    })
}

/// What spectra are made of at one frequency.
#[derive(Debug, Clone, Copy)]
struct Wave {
    twice_cosine: f64,
    /// `2 - 2 cos`, the power of a difference.
    gap: f64,
}

impl Wave {
    /// Of a frequency in radians a step.
    fn at(frequency: f64) -> Self {
        let twice_cosine = 2.0 * frequency.cos();
        let gap = 4.0 * (0.5 * frequency).sin().powi(2);
        Self { twice_cosine, gap }
    }

    /// The gap to the power of each of [`MEMORY`].
    fn to_memories(self) -> [f64; MEMORY.len()] {
        let step = self.gap.powf(MEMORY_STEP);
        let mut power = 1.0;
        let mut powers = [1.0; MEMORY[MEMORY.len() - 1]];
        powers.iter_mut().for_each(|p| {
            power *= step;
            *p = power;
        });
        MEMORY.map(|times| powers[times - 1])
    }
}

/// How likely a spectrum with its best parameter is, and its variance at the frequency that was asked for.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    ln_likelihood: f64,
    variance: f64,
    /// By how much likelier it must be than white noise to count as much.
    price: f64,
}

impl Candidate {
    fn score(&self) -> f64 {
        self.ln_likelihood - self.price
    }
}

/// The power at each frequency that fits a whole number of times, in variances.
#[derive(Debug)]
struct Spectrum(Vec<(Wave, f64)>);

impl Spectrum {
    /// Of residuals of a line, if it is said so, the share that a line takes of the slowest waves is put back.
    fn of(residuals: &[f64], of_line: bool) -> Self {
        let n = residuals.len();
        let cycles = 1..=(n - 1) / 2;
        let frequencies: Vec<f64> = cycles.clone().map(|k| k as f64 / n as f64).collect();
        let powers = powers(residuals, &frequencies);
        let wave = |((k, f), power): ((usize, f64), f64)| {
            let left = if of_line { 1.0 - 3.0 / (PI * k as f64).powi(2) } else { 1.0 };
            (Wave::at(TAU * f), power / (n as f64 * left))
        };
        Self(cycles.zip(frequencies).zip(powers).map(wave).collect())
    }

    /// White noise and the most likely spectrum of each family.
    fn candidates(&self, at: f64) -> [Candidate; 4] {
        let at = Wave::at(at);
        let white = self.best(at, |_| [1.0]);
        let mut ar = self.best(at, |wave| PERSISTENCE.map(|p| 1.0 + p * (p - wave.twice_cosine)));
        let mut fractional = self.best(at, Wave::to_memories);
        fractional.variance *= (-HIDDEN_MEMORY * at.gap.ln()).exp();
        let mut walk = self.best(at, |wave| {
            let by_gap = 1.0 / wave.gap;
            WALK.map(|q| 1.0 / (1.0 + q * by_gap))
        });
        (ar.price, fractional.price, walk.price) = PRICES;
        [white, ar, fractional, walk]
    }

    /// The most likely of a family of spectra, of which `inverse` tells one over each at a wave.
    fn best<const N: usize>(&self, at: Wave, inverse: impl Fn(Wave) -> [f64; N]) -> Candidate {
        let count = self.0.len() as f64;
        // All of them side by side, for sums and products wait for the ones before.
        let (mut sums, mut products, mut ln) = ([0.0; N], [1.0_f64; N], [0.0; N]);
        for (i, &(wave, power)) in self.0.iter().enumerate() {
            let inverse = inverse(wave);
            for j in 0..N {
                sums[j] += power * inverse[j];
                products[j] *= inverse[j];
            }
            // Few logarithms do, as long as the product neither overflows nor vanishes.
            if i % 8 == 7 {
                for (ln, product) in ln.iter_mut().zip(&mut products) {
                    *ln += std::mem::replace(product, 1.0).ln();
                }
            }
        }
        let mut best = Candidate { ln_likelihood: f64::NEG_INFINITY, variance: 0.0, price: 0.0 };
        let here = inverse(at);
        for j in 0..N {
            let scale = sums[j] / count;
            let ln_likelihood = ln[j] + products[j].ln() - count * scale.ln();
            if ln_likelihood > best.ln_likelihood {
                best = Candidate { ln_likelihood, variance: scale / here[j], price: 0.0 };
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::autoregression;

    fn mean_of(series: impl Fn(u64) -> Vec<f64>) -> f64 {
        (0..100).map(|seed| slow_variance(&series(seed))).sum::<f64>() / 100.0
    }

    #[test]
    fn the_variance_of_slow_parts_is_that_of_the_spectrum() {
        let white = mean_of(|seed| autoregression(0.0, 100, seed));
        assert!((0.9..2.0).contains(&white), "{white}");
        // 1 / (1 - 0.5)² at frequency 0, and more for what may be hidden: it errs on that side.
        let red = mean_of(|seed| autoregression(0.5, 100, seed));
        assert!((3.0..16.0).contains(&red), "{red}");
    }

    #[test]
    fn a_walk_under_noise_is_heard() {
        let hidden = mean_of(|seed| {
            let walk = autoregression(1.0, 100, seed);
            let white = autoregression(0.0, 100, 1000 + seed);
            walk.iter().zip(white).map(|(w, e)| w + 5.0 * e).collect()
        });
        // 25 + (100 / 3.6)² = 797; neighbours alone would say about 30. What a line takes is missing here.
        assert!(hidden > 100.0, "{hidden}");
    }

    #[test]
    fn a_series_is_more_likely_as_what_it_is() {
        let white = ln_likelihood(&autoregression(0.0, 100, 1));
        let larger: Vec<f64> = autoregression(0.0, 100, 1).iter().map(|v| 10.0 * v).collect();
        assert!(white > ln_likelihood(&larger) + 100.0);
        // A walk's steps are as large as white noise, and the walk is nearly as likely once that is known.
        let walk = autoregression(1.0, 100, 1);
        assert!((ln_likelihood(&walk) - white).abs() < 20.0);
        assert_eq!(ln_likelihood(&[1.0; 10]), f64::NEG_INFINITY);
    }

    #[test]
    fn too_few_values_and_constants_have_none() {
        assert_eq!(slow_variance(&[1.0, -1.0].repeat(10)), 0.0);
        assert_eq!(slow_variance(&[0.0; 50]), 0.0);
    }
}
