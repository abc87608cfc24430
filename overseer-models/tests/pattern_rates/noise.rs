//! Series without a trend, a rhythm or a change, but for the one that its family names.

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal, StandardNormal, StudentT};
use rand_pcg::Pcg64Mcg;

/// A kind of noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Family {
    White,
    /// Student's t with two degrees of freedom: its variance is infinite.
    HeavyTails,
    /// One value in fifty stands 10 to 30 deviations above the others.
    Spikes,
    /// Rounded to whole deviations.
    Quantised,
    /// One value in twenty is missing.
    Missing,
    Constant,
    /// An autoregression of one lag; 1 is a random walk.
    Autoregression(f64),
    /// Fractionally integrated noise of this order: it never quite forgets.
    LongMemory(f64),
    /// A random walk under white noise of this deviation.
    HiddenWalk(f64),
    /// White noise whose level changes once by 3 deviations.
    Step,
}

impl Family {
    pub(crate) const ALL: [Self; 15] = [
        Self::White,
        Self::HeavyTails,
        Self::Spikes,
        Self::Quantised,
        Self::Missing,
        Self::Constant,
        Self::Autoregression(0.5),
        Self::Autoregression(0.9),
        Self::Autoregression(0.98),
        Self::Autoregression(1.0),
        Self::HiddenWalk(5.0),
        Self::HiddenWalk(20.0),
        Self::LongMemory(0.2),
        Self::LongMemory(0.4),
        Self::Step,
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Self::White => "white noise".to_owned(),
            Self::HeavyTails => "white, Student's t of 2".to_owned(),
            Self::Spikes => "white, 2 % spikes".to_owned(),
            Self::Quantised => "white, whole numbers".to_owned(),
            Self::Missing => "white, 5 % missing".to_owned(),
            Self::Constant => "constant".to_owned(),
            Self::Autoregression(1.0) => "random walk".to_owned(),
            Self::Autoregression(phi) => format!("AR(1) {phi}"),
            Self::HiddenWalk(blur) => format!("random walk + {blur} × white"),
            Self::LongMemory(d) => format!("long memory, d = {d}"),
            Self::Step => "white, one step".to_owned(),
        }
    }

    /// A series of `n` values about 20, of deviation about 1.
    pub(crate) fn series(self, n: usize, seed: u64) -> Vec<f64> {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let values = match self {
            Self::White => white(&mut rng, n),
            Self::HeavyTails => {
                let t = StudentT::new(2.0).expect("two degrees are enough");
                (0..n).map(|_| t.sample(&mut rng)).collect()
            }
            Self::Spikes => {
                let mut values = white(&mut rng, n);
                for v in &mut values {
                    if rng.random::<f64>() < 0.02 {
                        *v += 10.0 + 20.0 * rng.random::<f64>();
                    }
                }
                values
            }
            Self::Quantised => white(&mut rng, n).into_iter().map(f64::round).collect(),
            Self::Missing => {
                let mut values = white(&mut rng, n);
                for v in &mut values {
                    if rng.random::<f64>() < 0.05 {
                        *v = f64::NAN;
                    }
                }
                values
            }
            Self::Constant => vec![f64::from((seed % 7) as u32); n],
            Self::Autoregression(phi) => autoregression(&mut rng, phi, n),
            Self::HiddenWalk(blur) => {
                let walk = autoregression(&mut rng, 1.0, n);
                walk.iter().zip(white(&mut rng, n)).map(|(w, e)| w + blur * e).collect()
            }
            Self::LongMemory(d) => long_memory(&mut rng, d, n),
            Self::Step => {
                let mut values = white(&mut rng, n);
                let at = (n as f64 * (0.2 + 0.6 * rng.random::<f64>())) as usize;
                values[at..].iter_mut().for_each(|v| *v += 3.0);
                values
            }
        };
        values.into_iter().map(|v| 20.0 + v).collect()
    }
}

pub(crate) fn white(rng: &mut Pcg64Mcg, n: usize) -> Vec<f64> {
    (0..n).map(|_| StandardNormal.sample(rng)).collect()
}

/// With steps of variance one, from its stationary distribution, or from zero if it has none.
pub(crate) fn autoregression(rng: &mut Pcg64Mcg, phi: f64, n: usize) -> Vec<f64> {
    let spread = if phi < 1.0 { (1.0 - phi * phi).sqrt().recip() } else { 0.0 };
    let mut x = Normal::new(0.0, spread).expect("finite").sample(rng);
    white(rng, n)
        .into_iter()
        .map(|e| {
            x = phi * x + e;
            x
        })
        .collect()
}

/// Hosking's fractional noise (Biometrika 68, 1981) by its moving average, a thousand terms of it.
fn long_memory(rng: &mut Pcg64Mcg, d: f64, n: usize) -> Vec<f64> {
    const TERMS: usize = 1000;
    let mut weights = vec![1.0; TERMS];
    for k in 1..TERMS {
        weights[k] = weights[k - 1] * (k as f64 - 1.0 + d) / k as f64;
    }
    let shocks = white(rng, n + TERMS);
    (0..n)
        .map(|t| weights.iter().enumerate().map(|(k, w)| w * shocks[t + TERMS - k - 1]).sum())
        .collect()
}
