//! What a fitted forest answers: means, quantiles, neighbours.

use super::RandomForest;
use super::trees::Keys;
use ndarray::{Array2, ArrayView2};
use overseer_core::{Error, Result};

/// So many rows at most go down each tree before the next one is taken up, and not many more keys than the second: a
/// tree that was fetched is used for as long as there are rows, but the memory for their keys is bounded.
const BLOCK: usize = 1 << 14;
const BLOCK_KEYS: usize = 1 << 22;

/// The leaves of one row in up to so many trees are kept on the stack.
const SOME_TREES: usize = 256;

/// How many of so many rows to take at a time, so that every thread has some.
fn block(rows: usize, slots: usize) -> usize {
    #[cfg(feature = "rayon")]
    let threads = rayon::current_num_threads();
    #[cfg(not(feature = "rayon"))]
    let threads = 1;
    rows.div_ceil(threads).max(64).min(BLOCK_KEYS / slots).clamp(1, BLOCK)
}

/// Memory for a block of rows.
#[derive(Debug, Default)]
struct Scratch {
    keys: Keys,
    /// The leaf that each row reaches in the tree at hand.
    leaves: Vec<u32>,
}

impl RandomForest {
    /// The mean over the trees of the leaves' means, one value per target, into `out`.
    ///
    /// # Errors
    /// If `row` has not one value per column, one is infinite, or `out` has not one place per target.
    pub fn predict(&self, row: &[f64], out: &mut [f64]) -> Result<()> {
        if out.len() != self.targets {
            return Err(Error::invalid_parameter(
                "out",
                format!("has {} places for {} targets", out.len(), self.targets),
            ));
        }
        let (mut some, mut many) = ([0; SOME_TREES], Vec::new());
        let leaves = some.get_mut(..self.trees.len()).unwrap_or_else(|| {
            many.resize(self.trees.len(), 0);
            &mut many
        });
        self.trees.leaves(row, leaves)?;
        if let [out] = out {
            *out = leaves.iter().map(|&leaf| self.leaf_means[leaf as usize]).sum();
        } else {
            out.fill(0.0);
            leaves.iter().for_each(|&leaf| self.add_means(leaf, out));
        }
        self.finish(out);
        Ok(())
    }

    /// [`RandomForest::predict`] of each row of `x`: n rows × targets.
    ///
    /// # Errors
    /// As [`RandomForest::predict`], with the row named.
    #[allow(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn predict_rows(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        let width = self.columns();
        self.trees.check_width(x.ncols())?;
        let rows = x.as_standard_layout();
        let rows = rows.as_slice().unwrap_or_default();
        let mut out = vec![0.0; x.nrows() * self.targets];
        let block = block(x.nrows(), self.trees.columns.slots());
        let predict = |values: &mut [f64], number: usize, scratch: &mut Scratch| {
            let first = number * block;
            let rows = &rows[first * width..][..values.len() / self.targets * width];
            self.predict_block(rows, first, values, scratch)
        };
        #[cfg(feature = "rayon")]
        {
            use rayon::prelude::*;
            out.par_chunks_mut(block * self.targets)
                .enumerate()
                .try_for_each_init(Scratch::default, |scratch, (number, values)| {
                    predict(values, number, scratch)
                })?;
        }
        #[cfg(not(feature = "rayon"))]
        {
            let mut scratch = Scratch::default();
            for (number, values) in out.chunks_mut(block * self.targets).enumerate() {
                predict(values, number, &mut scratch)?;
            }
        }
        Array2::from_shape_vec((x.nrows(), self.targets), out)
            .map_err(|e| Error::other("shaping predictions", e))
    }

    /// Predictions of some rows, of which the first has the number `first`, into `out`.
    fn predict_block(
        &self,
        rows: &[f64],
        first: usize,
        out: &mut [f64],
        Scratch { keys, leaves }: &mut Scratch,
    ) -> Result<()> {
        keys.read(&self.trees.columns, rows, |row, column| {
            format!("row {}, column {column}", first + row)
        })?;
        leaves.resize(keys.rows().len(), 0);
        for tree in 0..self.trees.len() {
            self.trees.walk_rows(tree, keys.rows(), leaves);
            if self.targets == 1 {
                for (out, &leaf) in out.iter_mut().zip(leaves.iter()) {
                    *out += self.leaf_means[leaf as usize];
                }
            } else {
                for (out, &leaf) in out.chunks_exact_mut(self.targets).zip(leaves.iter()) {
                    self.add_means(leaf, out);
                }
            }
        }
        out.chunks_exact_mut(self.targets).for_each(|out| self.finish(out));
        Ok(())
    }

    #[inline]
    fn add_means(&self, leaf: u32, out: &mut [f64]) {
        let means = &self.leaf_means[leaf as usize * self.targets..][..self.targets];
        out.iter_mut().zip(means).for_each(|(o, m)| *o += m);
    }

    /// Turns sums over the trees into means.
    fn finish(&self, out: &mut [f64]) {
        let trees = self.trees.len() as f64;
        for (o, &(low, high)) in out.iter_mut().zip(&self.ranges) {
            // Rounding must not lead out of the range of what was seen.
            *o = (*o / trees).clamp(low, high);
        }
    }

    /// The number of the leaf that `row` reaches in each tree, into `leaves`, which is cleared first; numbers run
    /// through all trees.
    ///
    /// # Errors
    /// If `row` has not one value per column, or one is infinite.
    pub fn leaves(&self, row: &[f64], leaves: &mut Vec<u32>) -> Result<()> {
        self.trees.push_leaves(row, leaves)
    }

    /// How many leaves all trees have together.
    #[must_use]
    pub fn leaf_count(&self) -> usize {
        self.trees.leaf_count()
    }

    /// The training rows in a leaf: ascending, repeated as often as the tree's bootstrap drew them.
    ///
    /// Over all trees the rows that share `row`'s leaves are its neighbours in the forest's own metric (Lin and Jeon
    /// 2006, *Random Forests and Adaptive Nearest Neighbors*), for callers that keep outcomes of their own.
    ///
    /// # Panics
    /// If there is no such leaf, as indexing a slice does.
    #[must_use]
    pub fn leaf_rows(&self, leaf: usize) -> &[u32] {
        &self.leaf_rows[self.leaf_starts[leaf] as usize..self.leaf_starts[leaf + 1] as usize]
    }

    /// The quantiles `levels` (each 0–1) of one target given `row`, into `out`.
    ///
    /// Meinshausen's: a training row weighs the mean over the trees of its share of `row`'s leaf, and a quantile is the
    /// smallest target at which the summed weights reach the level. So every answer is a target that was seen.
    ///
    /// # Errors
    /// As [`RandomForest::predict`]; or if there is no such target, a level is outside 0–1, or `out` has not one place
    /// per level.
    pub fn quantiles(
        &self,
        row: &[f64],
        target: usize,
        levels: &[f64],
        out: &mut [f64],
    ) -> Result<()> {
        if target >= self.targets {
            return Err(Error::invalid_parameter(
                "target",
                format!("{target} where there are {}", self.targets),
            ));
        }
        if let Some(level) = levels.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(Error::invalid_parameter("levels", format!("must be in 0–1, was {level}")));
        }
        if out.len() != levels.len() {
            return Err(Error::invalid_parameter(
                "out",
                format!("has {} places for {} levels", out.len(), levels.len()),
            ));
        }
        let mut leaves = Vec::new();
        self.trees.push_leaves(row, &mut leaves)?;
        let mut weighted: Vec<(f64, f64)> = Vec::new();
        for leaf in leaves {
            let rows = self.leaf_rows(leaf as usize);
            let weight = 1.0 / rows.len() as f64;
            weighted
                .extend(rows.iter().map(|&r| (self.y[r as usize * self.targets + target], weight)));
        }
        weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let whole: f64 = weighted.iter().map(|w| w.1).sum();
        for (o, &level) in out.iter_mut().zip(levels) {
            // The margin keeps rounding of the sum from pushing a level reached exactly to the next value.
            let wanted = (level - 1e-12) * whole;
            let mut reached = 0.0;
            let found = weighted.iter().find(|w| {
                reached += w.1;
                reached >= wanted
            });
            *o = found.or(weighted.last()).map_or(f64::NAN, |w| w.0);
        }
        Ok(())
    }
}

/// The least and the greatest of each target.
pub(super) fn ranges(y: &[f64], targets: usize) -> Vec<(f64, f64)> {
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); targets];
    for row in y.chunks_exact(targets) {
        for ((low, high), &v) in ranges.iter_mut().zip(row) {
            *low = low.min(v);
            *high = high.max(v);
        }
    }
    ranges
}
