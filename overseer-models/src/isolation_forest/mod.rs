//! The isolation forest: rows that random splits separate early are unlike the others.
//!
//! After F. T. Liu, K. M. Ting and Z.-H. Zhou, *Isolation-Based Anomaly Detection*, ACM TKDD 6(1), 2012. Each tree is
//! grown on a sub-sample drawn without replacement; a node draws a feature and a threshold between the least and the
//! greatest value its rows have there. The score of a row is `2^(-E[h] / c(psi))`: `h` is the number of splits on its
//! way to a leaf, plus what a tree of the leaf's rows would have taken, and `c(psi)` is what an average row takes.
//!
//! What the paper leaves open:
//! - a missing value (NaN) goes the way most of the node's known training rows went, and is never filled in: what is
//!   not known should not set a row apart;
//! - a column that is constant among a node's rows is not drawn there, so constant columns cost no depth;
//! - why a row scores as it does is told per feature, by how much each split on its way changed the path length to be
//!   expected ([`IsolationForest::contributions`]);
//! - old trees can give way to trees grown on newer rows ([`IsolationForest::refresh`]), and a forest can be held
//!   within a number of bytes ([`IsolationForestBuilder::max_bytes`]).
//!
//! Splits can be random hyperplanes instead ([`IsolationForestBuilder::extension_level`]). With the feature `rayon`
//! trees are grown and rows are scored on all cores; the same seed and rows give the same forest on any number of them.
//!
//! ```
//! use ndarray::Array2;
//! use overseer_models::isolation_forest::IsolationForest;
//!
//! let rows = Array2::from_shape_fn((200, 2), |(i, j)| ((i * 7 + j * 3) % 11) as f64);
//! let forest = IsolationForest::builder().seed(1).build()?.fit(rows.view())?;
//! assert!(forest.score(&[40.0, -9.0])? > forest.score(&[5.0, 5.0])?);
//!
//! let mut why = [0.0; 2];
//! forest.contributions(&[40.0, 5.0], &mut why)?;
//! assert!(why[0] > why[1]);
//! # Ok::<(), overseer_core::Error>(())
//! ```
//!
//! How it is made: rows are told as keys or distances from typical values (`rows`, `sample`), trees are
//! grown plain (`grow`, `by_column`, `by_plane`, `divide`, `tree`) and then laid out for walking (`layout`, `padded`,
//! `linked`, `planes`), which the tests hold equal to the plain ones.

mod by_column;
mod by_plane;
mod contributions;
mod divide;
mod draw;
mod fit;
mod forest;
mod grow;
mod layout;
mod linked;
mod padded;
mod path;
mod planes;
pub(crate) mod pooled;
mod refresh;
mod rows;
mod sample;
mod store;
mod store_v1;
#[cfg(test)]
mod tests;
mod tree;

pub use forest::IsolationForest;

use overseer_core::{Error, Result};

/// The deepest tree that may be asked for.
const DEEPEST: usize = 64;
/// The most trees.
const MOST_TREES: usize = 10_000;
/// The most rows a tree may see.
const MOST_ROWS: usize = 1 << 20;

/// Collects parameters; [`IsolationForestBuilder::build`] checks them.
#[derive(Debug, Clone)]
pub struct IsolationForestBuilder {
    trees: usize,
    sample_size: usize,
    max_depth: Option<usize>,
    min_span: f64,
    extension_level: usize,
    max_bytes: Option<usize>,
    seed: u64,
}

impl Default for IsolationForestBuilder {
    fn default() -> Self {
        Self {
            trees: 100,
            sample_size: 256,
            max_depth: None,
            min_span: 0.0,
            extension_level: 0,
            max_bytes: None,
            seed: 0,
        }
    }
}

impl IsolationForestBuilder {
    /// How many trees to grow, 1 to 10,000; 100 unless told.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// How many rows each tree sees, 2 to 1,048,576; 256 unless told. Fewer rows are all seen by every tree.
    #[must_use]
    pub fn sample_size(mut self, rows: usize) -> Self {
        self.sample_size = rows;
        self
    }

    /// The most splits on the way to a leaf, 1 to 64; unless told, the binary logarithm of the rows a tree sees,
    /// rounded up, which is the depth of an average leaf.
    #[must_use]
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = Some(depth);
        self
    }

    /// The least span of values worth a split, in the features' common unit, finite and not negative; 0 unless told.
    ///
    /// A feature whose values among a node's rows span no more than this is treated as constant there.
    #[must_use]
    pub fn min_span(mut self, span: f64) -> Self {
        self.min_span = span;
        self
    }

    /// How many columns beyond the first a split looks at, below the number of columns; 0 unless told.
    ///
    /// 0 splits by one column at a time, as the original forest. Above that, splits are random hyperplanes (S. Hariri,
    /// M. C. Kind, R. J. Brunner, *Extended Isolation Forest*, IEEE TKDE 33(4), 2021), which leave no streaks along the
    /// axes beside clusters of rows, at several times the cost. A node where fewer columns vary is divided by these.
    ///
    /// A row that misses a value of any column of a hyperplane goes the learned way, so the row is judged by the other
    /// planes only. Where values are often missing, a low level is better.
    #[must_use]
    pub fn extension_level(mut self, level: usize) -> Self {
        self.extension_level = level;
        self
    }

    /// The most bytes of memory that the fitted forest may take; no limit unless told.
    ///
    /// As many trees as can fit are grown, counted by what a tree can take at most; so the limit also holds after a
    /// [refresh](IsolationForest::refresh). Fitting takes more for the moment.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Where the random numbers start; the same seed and rows give the same forest.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If one is outside the range its method documents ([`Error::is_invalid_input`]).
    pub fn build(self) -> Result<IsolationForestParams> {
        let within = |name: &str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                let message = format!("must be {least} to {most}, was {value}");
                Err(Error::invalid_parameter(name, message))
            }
        };
        within("trees", self.trees, 1, MOST_TREES)?;
        within("sample_size", self.sample_size, 2, MOST_ROWS)?;
        within("max_depth", self.max_depth.unwrap_or(1), 1, DEEPEST)?;
        if !(self.min_span.is_finite() && self.min_span >= 0.0) {
            let message = format!("must be finite and not negative, was {}", self.min_span);
            return Err(Error::invalid_parameter("min_span", message));
        }
        Ok(IsolationForestParams(self))
    }
}

/// Checked parameters, which can be fitted to any number of data sets.
#[derive(Debug, Clone)]
pub struct IsolationForestParams(IsolationForestBuilder);

impl IsolationForest {
    /// Starts from the paper's parameters: 100 trees of 256 rows each.
    #[must_use]
    pub fn builder() -> IsolationForestBuilder {
        IsolationForestBuilder::default()
    }
}
