//! Fitting: checks, the growing of all trees, and what the rows left out say.

use super::bins::{Bins, Code};
use super::grow::{Grower, Grown, Plot};
use super::predict::ranges;
use super::split::{Fast, Finder, Plain};
use super::targets::Targets;
use super::trees::Trees;
use super::{RandomForest, RandomForestParams, Search};
use crate::walk::{LARGEST_LEAF, Nodes, Packing};
use ndarray::ArrayView2;
use overseer_core::{Error, Result};

/// Beyond it differences of two targets could overflow.
const MAX_TARGET: f64 = 1e300;
/// Row numbers with repetition must fit 32 bits: rows times trees may not exceed this.
const MAX_ENTRIES: usize = u32::MAX as usize / 2;

impl RandomForestParams {
    /// Learns `y` (n rows × targets) from `x` (n rows × columns, NaN where missing).
    ///
    /// # Errors
    /// If there are no rows, columns or targets, the numbers of rows differ, `x` holds an infinite value, or `y` one
    /// that is missing, infinite or beyond ±10³⁰⁰; the message names row and column. Or if there is too much: more
    /// than 2²³ rows, or rows times columns beyond about 2³⁰.
    #[allow(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn fit(&self, x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<RandomForest> {
        let packing = self.check(&x, &y)?;
        let width = y.ncols();
        match self.search {
            Search::Fast => Ok(self.grow::<u8, _>(&x, &y, packing, || Fast::new(width))),
            Search::Plain => Ok(self.grow::<u8, _>(&x, &y, packing, Plain::default)),
            Search::Exact => Ok(self.grow::<u32, _>(&x, &y, packing, Plain::default)),
        }
    }

    fn grow<C: Code, F: Finder<C>>(
        &self,
        x: &ArrayView2<'_, f64>,
        y: &ArrayView2<'_, f64>,
        packing: Packing,
        finder: impl Fn() -> F + Send + Sync,
    ) -> RandomForest {
        let (bins, targets) = (Bins::<C>::new(x), Targets::new(y));
        let plot = Plot {
            params: self,
            bins: &bins,
            targets: &targets,
            y,
            columns: bins.splittable(),
            per_split: self.features_per_split.of(x.ncols()),
            packing,
        };
        let mut sum = Sum::new(x.ncols(), y.dim(), packing);
        #[cfg(feature = "rayon")]
        {
            use rayon::prelude::*;
            // In batches, so that not all trees wait for their place in the sum at once.
            let batch = 4 * rayon::current_num_threads();
            for first in (0..self.trees).step_by(batch) {
                let grown: Vec<Grown> = (first..self.trees.min(first + batch))
                    .into_par_iter()
                    .map_init(|| Grower::new(&plot, finder()), Grower::grow)
                    .collect();
                grown.into_iter().for_each(|tree| sum.add(tree));
            }
        }
        #[cfg(not(feature = "rayon"))]
        {
            let mut grower = Grower::new(&plot, finder());
            (0..self.trees).for_each(|tree| sum.add(grower.grow(tree)));
        }
        sum.finish(bins.columns, y)
    }

    fn check(&self, x: &ArrayView2<'_, f64>, y: &ArrayView2<'_, f64>) -> Result<Packing> {
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
        let large = || Error::invalid_parameter("x", "is too large for so many trees");
        if rows > LARGEST_LEAF as usize || rows.saturating_mul(self.trees) > MAX_ENTRIES {
            return Err(large());
        }
        let packing = Packing::new(2 * x.ncols(), 2 * rows).ok_or_else(large)?;
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
        Ok(packing)
    }
}

/// The forest so far: trees join it in the order of their numbers, whichever thread grew them.
struct Sum {
    nodes: Nodes,
    roots: Vec<u32>,
    first_leaves: Vec<u32>,
    leaf_starts: Vec<u32>,
    leaf_rows: Vec<u32>,
    leaf_means: Vec<f64>,
    gains: Vec<f64>,
    targets: usize,
    /// The mean so far over the trees that left a row out, row after row, and how many they are.
    oob: Vec<f64>,
    oob_trees: Vec<u32>,
}

impl Sum {
    fn new(columns: usize, (rows, targets): (usize, usize), packing: Packing) -> Self {
        Self {
            nodes: Nodes { nodes: Vec::new(), packing },
            roots: Vec::new(),
            first_leaves: vec![0],
            leaf_starts: vec![0],
            leaf_rows: Vec::new(),
            leaf_means: Vec::new(),
            gains: vec![0.0; columns],
            targets,
            oob: vec![f64::NAN; rows * targets],
            oob_trees: vec![0; rows],
        }
    }

    fn add(&mut self, tree: Grown) {
        self.roots.push(self.nodes.nodes.len() as u32);
        self.nodes.nodes.extend(tree.nodes);
        let rows_before = self.leaf_rows.len() as u32;
        self.leaf_starts.extend(tree.leaf_ends.iter().map(|end| rows_before + end));
        self.leaf_rows.extend(tree.leaf_rows);
        self.first_leaves.push(self.leaf_starts.len() as u32 - 1);
        self.gains.iter_mut().zip(tree.gains).for_each(|(sum, gain)| *sum += gain);
        for (row, leaf) in tree.left_out {
            let (row, leaf) = (row as usize, leaf as usize);
            self.oob_trees[row] += 1;
            let trees = f64::from(self.oob_trees[row]);
            let predicted = &tree.leaf_means[leaf * self.targets..][..self.targets];
            let means = &mut self.oob[row * self.targets..][..self.targets];
            for (mean, &v) in means.iter_mut().zip(predicted) {
                *mean = if trees == 1.0 { v } else { *mean + (v - *mean) / trees };
            }
        }
        self.leaf_means.extend(tree.leaf_means);
    }

    fn finish(mut self, columns: crate::walk::Columns, y: &ArrayView2<'_, f64>) -> RandomForest {
        let y: Vec<f64> = y.iter().copied().collect();
        let oob_mse = mean_squared_errors(&self.oob, &y, self.targets);
        let whole: f64 = self.gains.iter().sum();
        if whole > 0.0 {
            self.gains.iter_mut().for_each(|g| *g /= whole);
        }
        let Self { nodes, roots, first_leaves, .. } = self;
        RandomForest {
            targets: self.targets,
            trees: Trees { columns, nodes, roots, first_leaves },
            leaf_starts: self.leaf_starts,
            leaf_rows: self.leaf_rows,
            leaf_means: self.leaf_means,
            ranges: ranges(&y, self.targets),
            y,
            oob: self.oob,
            oob_mse,
            importances: self.gains,
        }
    }
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
