//! What all learn from: a made-up host of eight features, written once as raw little-endian numbers.
//!
//! Each feature has a rhythm of a day, noise that remembers its past (first-order autoregression) and in half a
//! per cent of the rows a spike in one to three features, a minute a row. All features are of one scale, because an
//! extended forest, unlike the others, depends on scales.

use crate::Result;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

/// How many features the host has.
pub const FEATURES: usize = 8;
/// How many past rows a forest sees.
pub const LAGS: usize = 10;
/// The columns that makes.
pub const COLUMNS: usize = FEATURES * LAGS;
/// How many columns a split looks at when it looks at a third of them; said as a number, for peers round differently.
pub const THIRD: usize = 27;
/// The points that a polynomial is fitted to.
pub const POINTS: usize = 1000;

const SEED: u64 = 20;
/// Rows in a day.
const DAY: f64 = 1440.0;
/// What is left of a deviation after a minute.
const MEMORY: f64 = 0.9;
const SPIKES: f64 = 0.005;

/// How much of everything there is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sizes {
    /// Whether this is a smoke test, whose figures mean nothing.
    pub quick: bool,
    /// Trees in every forest.
    pub trees: usize,
    /// Rows of the small isolation forest's training, and of a middling batch.
    pub iforest_small: usize,
    /// Rows of the large one's, and of a large batch.
    pub iforest_large: usize,
    /// Further rows, which isolation forests are judged on.
    pub iforest_held: usize,
    /// Rows of the small random forest's training.
    pub forest_small: usize,
    /// Rows of the large one's.
    pub forest_large: usize,
    /// Further rows, which random forests predict and are judged on.
    pub forest_held: usize,
    /// Seconds that one row of one peer is repeated for.
    pub budget_seconds: f64,
}

impl Sizes {
    /// The sizes that goals are stated for.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            quick: false,
            trees: 100,
            iforest_small: 1000,
            iforest_large: 100_000,
            iforest_held: 20_000,
            forest_small: 1000,
            forest_large: 20_000,
            forest_held: 10_000,
            budget_seconds: 1.0,
        }
    }

    /// The sizes that [`generate`] wrote beside its data.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read(dir: &Path) -> Result<Self> {
        Ok(serde_json::from_slice(&fs::read(dir.join("sizes.json"))?)?)
    }

    /// Enough to see that everything runs.
    #[must_use]
    pub const fn quick() -> Self {
        Self {
            quick: true,
            trees: 10,
            iforest_small: 300,
            iforest_large: 5000,
            iforest_held: 5000,
            forest_small: 200,
            forest_large: 1000,
            forest_held: 500,
            budget_seconds: 0.05,
        }
    }
}

/// Everything that is read by more than one of the benches.
#[derive(Debug)]
pub struct Data {
    /// How much there is.
    pub sizes: Sizes,
    /// Rows × features for isolation forests to learn from, spikes among them.
    pub host: Array2<f64>,
    /// Further rows × features.
    pub held: Array2<f64>,
    /// Which of those have a spike.
    pub is_spike: Vec<bool>,
    /// Rows × lag columns for random forests: the newest row's features first.
    pub x: Array2<f64>,
    /// The next value of the first feature.
    pub y: Array1<f64>,
    /// Further rows × lag columns.
    pub held_x: Array2<f64>,
    /// What they led to.
    pub held_y: Array1<f64>,
    /// Twice as many points as a polynomial is fitted to, so that the window can move.
    pub series: Vec<f64>,
}

/// Makes the data and writes it into `dir`, with the sizes as `sizes.json`.
///
/// # Errors
/// If a file cannot be written.
pub fn generate(dir: &Path, sizes: &Sizes) -> Result<()> {
    fs::create_dir_all(dir)?;
    let forest_rows = sizes.forest_large + sizes.forest_held + LAGS;
    let rows = forest_rows.max(sizes.iforest_large + sizes.iforest_held).max(2 * POINTS);
    let (values, spikes) = simulate(rows);

    let (large, held) = (sizes.iforest_large * FEATURES, sizes.iforest_held * FEATURES);
    put(dir, "host", &values[..large])?;
    put(dir, "held", &values[large..large + held])?;
    put(dir, "spikes", &spikes[sizes.iforest_large..][..sizes.iforest_held])?;

    let (mut x, mut y) = (Vec::new(), Vec::new());
    for next in LAGS..forest_rows {
        for lag in 1..=LAGS {
            x.extend_from_slice(&values[(next - lag) * FEATURES..][..FEATURES]);
        }
        y.push(values[next * FEATURES]);
    }
    put(dir, "x", &x[..sizes.forest_large * COLUMNS])?;
    put(dir, "y", &y[..sizes.forest_large])?;
    put(dir, "held_x", &x[sizes.forest_large * COLUMNS..])?;
    put(dir, "held_y", &y[sizes.forest_large..])?;

    let series: Vec<f64> = values.chunks_exact(FEATURES).map(|r| r[0]).take(2 * POINTS).collect();
    put(dir, "series", &series)?;
    fs::write(dir.join("sizes.json"), serde_json::to_vec_pretty(sizes)?)?;
    Ok(())
}

/// Values row after row, and for each row 1 if it has a spike, else 0.
fn simulate(rows: usize) -> (Vec<f64>, Vec<f64>) {
    let mut rng = Pcg64Mcg::seed_from_u64(SEED);
    let phases: [f64; FEATURES] = std::array::from_fn(|_| rng.random());
    let mut noise: [f64; FEATURES] = std::array::from_fn(|_| rng.sample(StandardNormal));
    let (mut values, mut spikes) = (Vec::with_capacity(rows * FEATURES), Vec::new());
    for row in 0..rows {
        for (state, phase) in noise.iter_mut().zip(phases) {
            let shock: f64 = rng.sample(StandardNormal);
            *state = MEMORY * *state + (1.0 - MEMORY * MEMORY).sqrt() * shock;
            values.push(2.0 * (TAU * (row as f64 / DAY + phase)).sin() + *state);
        }
        let is_spike = rng.random::<f64>() < SPIKES;
        if is_spike {
            for _ in 0..rng.random_range(1..=3) {
                let feature = rng.random_range(0..FEATURES);
                values[row * FEATURES + feature] += rng.random_range(4.0..8.0);
            }
        }
        spikes.push(f64::from(u8::from(is_spike)));
    }
    (values, spikes)
}

impl Data {
    /// Reads what [`generate`] wrote.
    ///
    /// # Errors
    /// If a file is missing or of another length than the sizes say.
    pub fn read(dir: &Path) -> Result<Self> {
        let sizes = Sizes::read(dir)?;
        let matrix = |name: &str, rows: usize, columns: usize| {
            Array2::from_shape_vec((rows, columns), get(dir, name)?).map_err(crate::boxed)
        };
        Ok(Self {
            host: matrix("host", sizes.iforest_large, FEATURES)?,
            held: matrix("held", sizes.iforest_held, FEATURES)?,
            is_spike: get(dir, "spikes")?.into_iter().map(|v| v > 0.0).collect(),
            x: matrix("x", sizes.forest_large, COLUMNS)?,
            y: get(dir, "y")?.into(),
            held_x: matrix("held_x", sizes.forest_held, COLUMNS)?,
            held_y: get(dir, "held_y")?.into(),
            series: get(dir, "series")?,
            sizes,
        })
    }
}

fn put(dir: &Path, name: &str, values: &[f64]) -> Result<()> {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Ok(fs::write(dir.join(name).with_extension("f64"), bytes)?)
}

fn get(dir: &Path, name: &str) -> Result<Vec<f64>> {
    let bytes = fs::read(dir.join(name).with_extension("f64"))?;
    let (numbers, _) = bytes.as_chunks::<8>();
    Ok(numbers.iter().map(|&b| f64::from_le_bytes(b)).collect())
}

/// Numbers of `wanted` rows of `rows`, spread over all of them: neighbours in time are so alike that one would warm the
/// way for the next.
#[must_use]
pub fn spread(rows: usize, wanted: usize) -> Vec<usize> {
    // A prime larger than any factor of the sizes visits every row once before any twice.
    (0..wanted.min(rows)).map(|i| (i * 7919) % rows).collect()
}

/// The first `rows` rows.
#[must_use]
pub fn top(values: &Array2<f64>, rows: usize) -> ArrayView2<'_, f64> {
    values.slice_axis(Axis(0), (..rows).into())
}
