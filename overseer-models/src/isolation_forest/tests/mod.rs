//! Examples and properties of the forest; what one module alone does is tested there.

mod budget;
mod contributions;
mod layouts;
mod refresh;
mod scores;
mod store;
#[cfg(feature = "rayon")]
mod threads;

use super::*;
use ndarray::Array2;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Sums of four uniforms around 0, which is near enough to a normal with a deviation of 0.58.
fn cloud(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, columns), || {
        (0..4).map(|_| rng.random::<f64>() - 0.5).sum()
    })
}

/// A cloud of which some values are missing.
fn cloud_with_gaps(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(!seed);
    cloud(rows, columns, seed).mapv(|v| if rng.random::<f64>() < 0.1 { f64::NAN } else { v })
}

fn builder() -> IsolationForestBuilder {
    IsolationForest::builder().seed(7)
}

fn fitted(rows: &Array2<f64>) -> IsolationForest {
    builder().build().unwrap().fit(rows.view()).unwrap()
}

fn scores(forest: &IsolationForest, rows: &Array2<f64>) -> Vec<f64> {
    let mut scores = Vec::new();
    forest.score_rows(rows.view(), &mut scores).unwrap();
    scores
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// One forest of each layout, on rows of four columns: padded, linked, and hyperplanes of two and of all columns.
fn one_of_each(rows: &Array2<f64>) -> [IsolationForest; 4] {
    [
        builder().trees(23),
        builder().trees(23).max_depth(20),
        builder().trees(23).extension_level(1),
        builder().trees(23).extension_level(3),
    ]
    .map(|builder| builder.build().unwrap().fit(rows.view()).unwrap())
}

/// Values as they come: ordinary, repeated, extreme or missing.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0f64,
        2 => Just(0.0),
        1 => Just(f64::NAN),
        1 => prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(-1e-40)],
    ]
}
