//! What a fitted forest answers: means, quantiles, neighbours.

use super::RandomForest;
use super::structure::check_row;
use ndarray::{Array2, ArrayView2};
use overseer_core::{Error, Result};

impl RandomForest {
    /// The mean over the trees of the leaves' means, one value per target, into `out`.
    ///
    /// # Errors
    /// If `row` has not one value per column, one is infinite, or `out` has not one place per target.
    pub fn predict(&self, row: &[f64], out: &mut [f64]) -> Result<()> {
        check_row(row, self.columns)?;
        if out.len() != self.targets {
            return Err(Error::invalid_parameter(
                "out",
                format!("has {} places for {} targets", out.len(), self.targets),
            ));
        }
        out.fill(0.0);
        for (tree, &root) in self.trees.roots.iter().enumerate() {
            let leaf = self.trees.walk(root, |c| row[c]);
            let means = &self.trees.leaf_means[leaf * self.targets..][..self.targets];
            for (o, m) in out.iter_mut().zip(means) {
                *o += (m - *o) / (tree + 1) as f64;
            }
        }
        Ok(())
    }

    /// [`RandomForest::predict`] of each row of `x`: n rows × targets.
    ///
    /// # Errors
    /// As [`RandomForest::predict`], with the row named.
    #[allow(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn predict_rows(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        let mut out = vec![0.0; x.nrows() * self.targets];
        let mut values = Vec::with_capacity(self.columns);
        for (i, (row, o)) in
            x.rows().into_iter().zip(out.chunks_exact_mut(self.targets)).enumerate()
        {
            values.clear();
            values.extend(row.iter().copied());
            self.predict(&values, o).map_err(|e| Error::other(format!("row {i}"), e))?;
        }
        Array2::from_shape_vec((x.nrows(), self.targets), out)
            .map_err(|e| Error::other("shaping predictions", e))
    }

    /// The number of the leaf that `row` reaches in each tree; numbers run through all trees.
    ///
    /// # Errors
    /// As [`RandomForest::predict`].
    pub fn leaves<'a>(
        &'a self,
        row: &'a [f64],
    ) -> Result<impl ExactSizeIterator<Item = usize> + 'a> {
        check_row(row, self.columns)?;
        Ok(self.trees.roots.iter().map(move |&root| self.trees.walk(root, |c| row[c])))
    }

    /// How many leaves all trees have together.
    #[must_use]
    pub fn leaf_count(&self) -> usize {
        self.trees.leaf_starts.len() - 1
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
        self.trees.rows_of(leaf)
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
        let mut weighted: Vec<(f64, f64)> = Vec::new();
        for leaf in self.leaves(row)? {
            let rows = self.leaf_rows(leaf);
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
