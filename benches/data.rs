//! What forests are measured on: a host of eight features, and what a forecaster makes of it.

use ndarray::{Array2, ArrayView1, Axis};
use overseer_engine::core::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;
use std::f64::consts::TAU;

/// How many features the host has.
pub const FEATURES: usize = 8;
/// How many past rows a random forest sees.
pub const LAGS: usize = 10;

/// Rows in a day.
const DAY: f64 = 1440.0;
/// What is left of a deviation a row later.
const MEMORY: f64 = 0.9;
/// The share of rows in which something spikes.
const SPIKES: f64 = 0.005;

/// `rows` rows of a host: in each feature the rhythm of a day and autoregressive noise of deviation 1, and in half a
/// per cent of the rows a spike in one to three features.
#[must_use]
pub fn host_rows(rows: usize, seed: u64) -> Array2<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let phases: [f64; FEATURES] = std::array::from_fn(|_| rng.random());
    let mut noise: [f64; FEATURES] = std::array::from_fn(|_| rng.sample(StandardNormal));
    let mut made = Array2::zeros((rows, FEATURES));
    for (number, mut row) in made.axis_iter_mut(Axis(0)).enumerate() {
        for ((value, state), phase) in row.iter_mut().zip(&mut noise).zip(phases) {
            let shock: f64 = rng.sample(StandardNormal);
            *state = MEMORY * *state + (1.0 - MEMORY * MEMORY).sqrt() * shock;
            *value = 2.0 * (TAU * (number as f64 / DAY + phase)).sin() + *state;
        }
        if rng.random::<f64>() < SPIKES {
            for _ in 0..rng.random_range(1..=3) {
                row[rng.random_range(0..FEATURES)] += rng.random_range(4.0..8.0);
            }
        }
    }
    made
}

/// What a forest learns from a host: inputs of ten past rows with the newest first, 80 columns, and the next value of
/// the first feature.
///
/// # Errors
/// Never; it is what shaping an array returns.
pub fn lagged(rows: usize, seed: u64) -> Result<(Array2<f64>, Array2<f64>)> {
    let host = host_rows(rows + LAGS, seed);
    let mut x = Vec::with_capacity(rows * LAGS * FEATURES);
    let mut y = Vec::with_capacity(rows);
    for next in LAGS..host.nrows() {
        for lag in 1..=LAGS {
            x.extend(host.row(next - lag));
        }
        y.push(host[(next, 0)]);
    }
    let shaped = |columns: usize, values| {
        Array2::from_shape_vec((rows, columns), values).map_err(|e| Error::other("shaping lags", e))
    };
    Ok((shaped(LAGS * FEATURES, x)?, shaped(1, y)?))
}

/// Rows one after another for ever, each far from the one before: a row that repeats, or follows its neighbour in time,
/// flatters whoever walks trees with it.
#[derive(Debug)]
pub struct Rotation {
    rows: Array2<f64>,
    at: usize,
}

impl Rotation {
    /// Goes round these rows; the number of them must not be a multiple of 7919.
    #[must_use]
    pub fn new(rows: Array2<f64>) -> Self {
        Self { rows, at: 0 }
    }

    /// The next row.
    pub fn next_row(&mut self) -> ArrayView1<'_, f64> {
        self.at = (self.at + 7919) % self.rows.nrows();
        self.rows.row(self.at)
    }
}
