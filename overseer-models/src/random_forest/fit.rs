//! Fitting: checks, bootstraps, trees, and what the rows left out say.

use super::bins::Bins;
use super::grow::{Grower, Plot};
use super::nodes::{MAX_COLUMNS, Trees};
use super::{RandomForest, RandomForestParams};
use ndarray::ArrayView2;
use overseer_core::{Error, Result};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// Beyond it differences of two targets could overflow.
const MAX_TARGET: f64 = 1e300;
/// Row numbers with repetition must fit 32 bits: rows times trees may not exceed this.
const MAX_ENTRIES: usize = u32::MAX as usize / 2;

impl RandomForestParams {
    /// Learns `y` (n rows × targets) from `x` (n rows × columns, NaN where missing).
    ///
    /// Columns are cut into at most 63 quantile bins, so thresholds lie between those; a column of at most 63 distinct
    /// values loses nothing.
    ///
    /// # Errors
    /// If there are no rows, columns or targets, the numbers of rows differ, `x` holds an infinite value, or `y` one
    /// that is missing, infinite or beyond ±10³⁰⁰; the message names row and column.
    #[allow(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn fit(&self, x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<RandomForest> {
        self.check(&x, &y)?;
        let (rows, columns) = x.dim();
        let targets = y.ncols();
        let bins = Bins::new(&x);
        let normal = normalized(&y);
        let splittable = bins.splittable();
        let plot = Plot {
            params: self,
            bins: &bins,
            y: &normal,
            targets,
            per_split: self.features_per_split.of(columns),
            columns: splittable,
        };
        let y: Vec<f64> = y.iter().copied().collect();
        let mut trees = Trees { leaf_starts: vec![0], ..Trees::default() };
        let mut gains = vec![0.0; columns];
        let mut grower = Grower::new(&plot);
        // Which rows each tree left out, tree after tree.
        let mut left_out: Vec<Vec<u32>> = Vec::with_capacity(self.trees);
        for tree in 0..self.trees {
            // Each tree has a stream of its own, so that its randomness does not hang on the trees before it.
            let stream = self.seed ^ (tree as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut rng = Pcg64Mcg::seed_from_u64(stream);
            grower.grow(&mut rng, &mut trees, &mut gains);
            left_out.push((0..rows as u32).filter(|&r| grower.weights[r as usize] == 0).collect());
        }
        trees.set_means(&y, targets);
        let oob = out_of_bag(&trees, &left_out, &x, targets);
        let oob_mse = mean_squared_errors(&oob, &y, targets);
        let whole: f64 = gains.iter().sum();
        if whole > 0.0 {
            gains.iter_mut().for_each(|g| *g /= whole);
        }
        Ok(RandomForest { columns, targets, trees, y, oob, oob_mse, importances: gains })
    }

    fn check(&self, x: &ArrayView2<'_, f64>, y: &ArrayView2<'_, f64>) -> Result<()> {
        let rows = x.nrows();
        if rows == 0 {
            return Err(Error::not_enough_data("rows to grow a forest on", 1, 0));
        }
        if x.ncols() == 0 || y.ncols() == 0 {
            return Err(Error::invalid_parameter("x and y", "need at least one column each"));
        }
        if y.nrows() != rows {
            return Err(Error::invalid_parameter(
                "y",
                format!("has {} rows where x has {rows}", y.nrows()),
            ));
        }
        if x.ncols() > MAX_COLUMNS || rows.saturating_mul(self.trees) > MAX_ENTRIES {
            return Err(Error::invalid_parameter("x", "is too large for so many trees"));
        }
        if let Some(((row, column), _)) = x.indexed_iter().find(|(_, v)| v.is_infinite()) {
            return Err(Error::invalid_value(
                format!("row {row}, column {column}"),
                "the value is infinite",
            ));
        }
        // NaN is not within the bound either.
        let usable = |v: f64| v.abs() <= MAX_TARGET;
        if let Some(((row, column), v)) = y.indexed_iter().find(|&(_, &v)| !usable(v)) {
            return Err(Error::invalid_value(
                format!("row {row}, target {column}"),
                if v.is_nan() {
                    "the value is missing; leave such rows out".to_owned()
                } else {
                    format!("{v} is beyond what can be learned")
                },
            ));
        }
        Ok(())
    }
}

/// Targets minus their means, divided by one power of two for all, so that squares neither overflow nor vanish and
/// scaling all targets changes no split.
fn normalized(y: &ArrayView2<'_, f64>) -> Vec<f64> {
    let targets = y.ncols();
    let means: Vec<f64> = y
        .columns()
        .into_iter()
        .map(|c| c.iter().enumerate().fold(0.0, |m, (i, v)| m + (v - m) / (i + 1) as f64))
        .collect();
    let mut centred: Vec<f64> = y.iter().enumerate().map(|(i, v)| v - means[i % targets]).collect();
    let largest = centred.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
    if largest > f64::MIN_POSITIVE {
        let scale = largest.log2().floor().exp2();
        centred.iter_mut().for_each(|v| *v /= scale);
    }
    centred
}

/// The mean over the trees that left a row out, row after row.
fn out_of_bag(
    trees: &Trees,
    left_out: &[Vec<u32>],
    x: &ArrayView2<'_, f64>,
    targets: usize,
) -> Vec<f64> {
    let rows = x.nrows();
    let mut means = vec![f64::NAN; rows * targets];
    let mut seen = vec![0_u32; rows];
    for (&root, rows) in trees.roots.iter().zip(left_out) {
        for &row in rows {
            let row = row as usize;
            let leaf = trees.walk(root, |c| x[(row, c)]);
            seen[row] += 1;
            let predicted = &trees.leaf_means[leaf * targets..][..targets];
            for (mean, &v) in means[row * targets..][..targets].iter_mut().zip(predicted) {
                *mean = if seen[row] == 1 { v } else { *mean + (v - *mean) / f64::from(seen[row]) };
            }
        }
    }
    means
}

fn mean_squared_errors(predicted: &[f64], y: &[f64], targets: usize) -> Vec<f64> {
    (0..targets)
        .map(|t| {
            let errors = predicted.iter().zip(y).skip(t).step_by(targets);
            let (sum, n) = errors
                .filter(|(p, _)| !p.is_nan())
                .fold((0.0, 0_usize), |(sum, n), (p, y)| (sum + (p - y) * (p - y), n + 1));
            if n == 0 { f64::NAN } else { sum / n as f64 }
        })
        .collect()
}
