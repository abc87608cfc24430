//! A regression forest: what value do rows like this one lead to?
//!
//! Breiman's random forest (2001, *Random Forests*, Machine Learning 45): each tree is grown on a bootstrap sample of
//! the rows, each split looks at a random few of the columns, and the prediction is the mean over the trees. Several
//! targets are learned at once by one structure: a split maximises the *sum* over the targets of the reduction in
//! their squared error, so targets of different units should be brought to one scale by the caller.
//!
//! A leaf keeps the numbers of the training rows that fell into it. So the forest answers not only with means but with
//! quantiles (Meinshausen 2006, *Quantile Regression Forests*), and with the neighbours themselves
//! ([`RandomForest::leaf_rows`]).
//!
//! A missing value (NaN) goes to the side that proved better for missing values when the split was learned, and to the
//! larger side where none were missing then. Infinite values are errors.
//!
//! ```
//! use ndarray::Array2;
//! use overseer_models::random_forest::RandomForest;
//!
//! // The target is the first column squared; the second column is noise.
//! let x = Array2::from_shape_fn((200, 2), |(i, j)| if j == 0 { i as f64 / 200.0 } else { ((i * 37) % 11) as f64 });
//! let y = Array2::from_shape_fn((200, 1), |(i, _)| (i as f64 / 200.0).powi(2));
//! let forest = RandomForest::builder().trees(50).seed(7).build()?.fit(x.view(), y.view())?;
//!
//! let mut predicted = [0.0];
//! forest.predict(&[0.5, 3.0], &mut predicted)?;
//! assert!((predicted[0] - 0.25).abs() < 0.05);
//! assert!(forest.importances()[0] > 0.9);
//! # Ok::<(), overseer_core::Error>(())
//! ```

mod bins;
mod draws;
mod fit;
mod grow;
mod partition;
mod predict;
mod split;
mod store;
mod store_v1;
mod structure;
mod targets;
#[cfg(test)]
mod tests;
mod trees;

pub use structure::Structure;

use overseer_core::{Error, Result};
use trees::Trees;

/// How many columns a split looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum FeaturesPerSplit {
    /// This share of them, in (0, 1], rounded up to at least one.
    Share(f64),
    /// So many, at least one; more than there are means all.
    Count(usize),
}

impl FeaturesPerSplit {
    fn of(self, columns: usize) -> usize {
        let wanted = match self {
            Self::Share(share) => (share * columns as f64).ceil() as usize,
            Self::Count(count) => count,
        };
        wanted.clamp(1, columns.max(1))
    }
}

/// How the best split of a node is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Search {
    /// By histograms over at most 255 bins of each column: where there are no more distinct values each has a bin of its
    /// own, else bins are finer towards the ends of the column's order.
    #[default]
    Fast,
    /// The same bins and the same forest, by sorting each column in each node: the reference that the fast way is held
    /// against, many times slower.
    Plain,
    /// As `Plain`, with every distinct value in a bin of its own.
    Exact,
}

/// Collects the parameters of a forest; [`RandomForestBuilder::build`] checks them.
#[derive(Debug, Clone)]
pub struct RandomForestBuilder {
    trees: usize,
    max_depth: Option<usize>,
    min_leaf: usize,
    features_per_split: FeaturesPerSplit,
    search: Search,
    seed: u64,
}

impl RandomForestBuilder {
    /// Number of trees, 1–10,000; 100 unless told.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// The most splits between root and leaf, at least 1; without a limit unless told.
    #[must_use]
    pub fn max_depth(mut self, depth: impl Into<Option<usize>>) -> Self {
        self.max_depth = depth.into();
        self
    }

    /// The fewest rows of a bootstrap sample, counted with repetition, on either side of a split; 1 unless told.
    #[must_use]
    pub fn min_leaf(mut self, rows: usize) -> Self {
        self.min_leaf = rows;
        self
    }

    /// How many columns a split looks at; a third of them unless told.
    ///
    /// When none of those can split a node, further ones are drawn until one can or all were tried.
    #[must_use]
    pub fn features_per_split(mut self, features: FeaturesPerSplit) -> Self {
        self.features_per_split = features;
        self
    }

    /// How splits are found; [`Search::Fast`] unless told.
    #[must_use]
    pub fn search(mut self, search: Search) -> Self {
        self.search = search;
        self
    }

    /// Where randomness starts; 0 unless told. The same seed and data give the same forest.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If one is outside the range its setter names.
    pub fn build(self) -> Result<RandomForestParams> {
        if !(1..=10_000).contains(&self.trees) {
            return Err(Error::invalid_parameter(
                "trees",
                format!("must be in 1–10,000, was {}", self.trees),
            ));
        }
        if self.max_depth == Some(0) {
            return Err(Error::invalid_parameter("max_depth", "must be at least 1"));
        }
        if self.min_leaf == 0 {
            return Err(Error::invalid_parameter("min_leaf", "must be at least 1"));
        }
        match self.features_per_split {
            FeaturesPerSplit::Share(share) if !(share > 0.0 && share <= 1.0) => {
                return Err(Error::invalid_parameter(
                    "features_per_split",
                    format!("a share must be in (0, 1], was {share}"),
                ));
            }
            FeaturesPerSplit::Count(0) => {
                return Err(Error::invalid_parameter("features_per_split", "must be at least 1"));
            }
            _ => {}
        }
        Ok(RandomForestParams {
            trees: self.trees,
            max_depth: self.max_depth.unwrap_or(usize::MAX),
            min_leaf: self.min_leaf,
            features_per_split: self.features_per_split,
            search: self.search,
            seed: self.seed,
        })
    }
}

/// Checked parameters, ready to fit ([`RandomForestParams::fit`]).
#[derive(Debug, Clone)]
pub struct RandomForestParams {
    trees: usize,
    max_depth: usize,
    min_leaf: usize,
    features_per_split: FeaturesPerSplit,
    search: Search,
    seed: u64,
}

/// A fitted forest.
#[derive(Debug, Clone)]
pub struct RandomForest {
    targets: usize,
    trees: Trees,
    /// Where each leaf's rows begin, and the end of the last.
    leaf_starts: Vec<u32>,
    /// The training rows of each leaf in ascending order, repeated as often as the bootstrap drew them.
    leaf_rows: Vec<u32>,
    /// The mean targets of each leaf's rows.
    leaf_means: Vec<f64>,
    /// The training targets, row-major: what quantiles are taken of.
    y: Vec<f64>,
    /// Out-of-bag predictions, row-major; NaN in rows that no tree left out.
    oob: Vec<f64>,
    oob_mse: Vec<f64>,
    importances: Vec<f64>,
    /// The least and the greatest of each target.
    ranges: Vec<(f64, f64)>,
}

impl RandomForest {
    /// A forest of 100 unlimited trees with a third of the columns a split; the setters change that.
    #[must_use]
    pub fn builder() -> RandomForestBuilder {
        RandomForestBuilder {
            trees: 100,
            max_depth: None,
            min_leaf: 1,
            features_per_split: FeaturesPerSplit::Share(1.0 / 3.0),
            search: Search::default(),
            seed: 0,
        }
    }

    /// How many columns a row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.trees.columns.len()
    }

    /// How many targets are predicted.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.targets
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// How many rows it was trained on.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.y.len() / self.targets
    }

    /// Out-of-bag predictions, one row of targets per training row: the mean over the trees whose bootstrap sample
    /// left that row out, NaN where none did.
    #[must_use]
    pub fn oob_predictions(&self) -> &[f64] {
        &self.oob
    }

    /// Mean squared error of the out-of-bag predictions, one per target: an honest estimate of the error on further
    /// rows as long as rows are exchangeable. NaN if no row was ever out of bag.
    #[must_use]
    pub fn oob_mse(&self) -> &[f64] {
        &self.oob_mse
    }

    /// The share of the whole reduction in squared error that splits on each column brought: non-negative, summing to
    /// 1; all 0 if there was nothing to split.
    #[must_use]
    pub fn importances(&self) -> &[f64] {
        &self.importances
    }
}
