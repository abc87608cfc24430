//! The fitted forest: what it answers and how its nodes lie in memory.

use super::fit::infinite;
use ndarray::ArrayView2;
use overseer_core::{Error, Result};

const MISSING_RIGHT: u32 = 1 << 31;
const LEAF: u32 = MISSING_RIGHT - 1;

const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// A node in 16 bytes. The two children of a split lie side by side, behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// A split sends values at or above it to the right; a leaf keeps its path length here.
    pub(super) threshold: f64,
    /// Where the left child is; the right one follows.
    pub(super) child: u32,
    /// The feature, with [`MISSING_RIGHT`] where a missing value goes right; [`LEAF`] for a leaf.
    pub(super) code: u32,
}

impl Node {
    pub(super) const fn leaf(path: f64) -> Self {
        Self { threshold: path, child: 0, code: LEAF }
    }

    pub(super) const fn split(
        feature: u32,
        threshold: f64,
        child: u32,
        missing_right: bool,
    ) -> Self {
        Self { threshold, child, code: feature | if missing_right { MISSING_RIGHT } else { 0 } }
    }

    pub(super) const fn feature(self) -> Option<usize> {
        let feature = self.code & !MISSING_RIGHT;
        if feature == LEAF { None } else { Some(feature as usize) }
    }

    #[inline]
    pub(super) fn goes_right(self, value: f64) -> bool {
        // Without branches: which way a row goes cannot be predicted.
        (value >= self.threshold) | (value.is_nan() & (self.code & MISSING_RIGHT != 0))
    }
}

/// A tree while it is grown, its root first.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// How many training rows reached each node.
    pub(super) sizes: Vec<u32>,
}

impl Tree {
    /// Makes room for a node and says where it is.
    pub(super) fn push_unfinished(&mut self) -> usize {
        self.nodes.push(Node::leaf(0.0));
        self.sizes.push(0);
        self.nodes.len() - 1
    }
}

/// The average number of splits that isolate one of `n` rows in a random tree: `c(n) = 2 H(n-1) - 2 (n-1) / n` in the
/// paper, with the harmonic number itself rather than the logarithm that approximates it.
pub(super) fn average_path(n: usize) -> f64 {
    if n < 2 {
        return 0.0;
    }
    let k = (n - 1) as f64;
    let harmonic: f64 = if n <= 1000 {
        (1..n).map(|i| 1.0 / i as f64).sum()
    } else {
        // Euler and Maclaurin's series; what is left out is below 1e-14 here.
        k.ln() + EULER_GAMMA + 1.0 / (2.0 * k) - 1.0 / (12.0 * k * k)
    };
    2.0 * harmonic - 2.0 * k / n as f64
}

/// A fitted isolation forest, which says of any row how easily it is separated from those it was fitted on.
#[derive(Debug, Clone, PartialEq)]
pub struct IsolationForest {
    pub(super) features: usize,
    /// The rows each tree was grown on.
    pub(super) sample_size: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) sizes: Vec<u32>,
    pub(super) roots: Vec<u32>,
    /// The mean path length of the training rows below each node.
    expected: Vec<f64>,
    /// The paper's `c(psi)`.
    average: f64,
}

impl IsolationForest {
    pub(super) fn from_trees(
        features: usize,
        sample_size: usize,
        trees: impl Iterator<Item = Tree>,
    ) -> Self {
        let (mut nodes, mut sizes, mut roots) = (Vec::new(), Vec::new(), Vec::new());
        for tree in trees {
            let root = nodes.len() as u32;
            roots.push(root);
            nodes.extend(tree.nodes.into_iter().map(|mut node| {
                if node.feature().is_some() {
                    node.child += root;
                }
                node
            }));
            sizes.extend(tree.sizes);
        }
        Self::assemble(features, sample_size, nodes, sizes, roots)
    }

    /// Adds to the nodes what follows from them.
    pub(super) fn assemble(
        features: usize,
        sample_size: usize,
        nodes: Vec<Node>,
        sizes: Vec<u32>,
        roots: Vec<u32>,
    ) -> Self {
        let mut expected = vec![0.0; nodes.len()];
        // Children stand behind their parents, so backwards every child is known before its parent.
        for at in (0..nodes.len()).rev() {
            let node = nodes[at];
            expected[at] = if node.feature().is_none() {
                node.threshold
            } else {
                let child = node.child as usize;
                let (left, right) = (f64::from(sizes[child]), f64::from(sizes[child + 1]));
                (left * expected[child] + right * expected[child + 1]) / (left + right)
            };
        }
        let average = average_path(sample_size);
        Self { features, sample_size, nodes, sizes, roots, expected, average }
    }

    /// How many features a row has.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// The score of one row, between 0 and 1 exclusive: about 0.5 or less for a row like the others, towards 1 for one
    /// that few splits separate. It is 0.5 for every row if the forest saw but one row or only equal ones.
    ///
    /// A value beyond all training values scores as the outermost of them.
    ///
    /// # Errors
    /// If the row has another number of values ([`Error::is_schema_mismatch`]) or an infinite one.
    pub fn score(&self, row: &[f64]) -> Result<f64> {
        self.check(0, row)?;
        Ok(self.score_checked(row))
    }

    /// The scores of all rows into `out`, which is cleared first.
    ///
    /// # Errors
    /// As [`IsolationForest::score`]; an infinite value is named by its row and column, counted from 0.
    pub fn score_rows(&self, rows: ArrayView2<'_, f64>, out: &mut Vec<f64>) -> Result<()> {
        out.clear();
        let rows = rows.as_standard_layout();
        for (number, row) in rows.rows().into_iter().enumerate() {
            let row = row.to_slice().unwrap_or_default();
            self.check(number, row)?;
            out.push(self.score_checked(row));
        }
        Ok(())
    }

    /// How much each feature adds to the score of a row, into `out`; positive pushes towards anomalous.
    ///
    /// Following the row down each tree, a split is credited with how much it shortened the path length to be expected
    /// (A. Saabas, *Interpreting random forests*, 2014, for path lengths). In units of `c(psi)` and averaged over the
    /// trees, so that the contributions add up to how much shorter the row's path is than an average training row's.
    ///
    /// # Errors
    /// As [`IsolationForest::score`], also if `out` has not one place per feature.
    pub fn contributions(&self, row: &[f64], out: &mut [f64]) -> Result<()> {
        self.check(0, row)?;
        if out.len() != self.features {
            return Err(self.mismatch(out.len()));
        }
        out.fill(0.0);
        for &root in &self.roots {
            let mut at = root as usize;
            while let Some(feature) = self.nodes[at].feature() {
                let next = self.step(at, row[feature]);
                out[feature] += self.expected[at] - self.expected[next];
                at = next;
            }
        }
        // One row per tree makes no splits: there is nothing to divide and no path to explain.
        let whole = self.roots.len() as f64 * self.average.max(f64::MIN_POSITIVE);
        out.iter_mut().for_each(|v| *v /= whole);
        Ok(())
    }

    /// [`IsolationForest::score`] of a row known to fit and to be free of infinities.
    pub(crate) fn score_checked(&self, row: &[f64]) -> f64 {
        if self.average == 0.0 {
            return 0.5;
        }
        (-self.mean_path(row) / self.average).exp2()
    }

    /// The mean over the trees of the row's path length.
    fn mean_path(&self, row: &[f64]) -> f64 {
        let mut total = 0.0;
        for &root in &self.roots {
            let mut at = root as usize;
            while let Some(feature) = self.nodes[at].feature() {
                at = self.step(at, row[feature]);
            }
            total += self.nodes[at].threshold;
        }
        total / self.roots.len() as f64
    }

    #[inline]
    fn step(&self, at: usize, value: f64) -> usize {
        let node = self.nodes[at];
        node.child as usize + usize::from(node.goes_right(value))
    }

    fn check(&self, number: usize, row: &[f64]) -> Result<()> {
        if row.len() != self.features {
            return Err(self.mismatch(row.len()));
        }
        match row.iter().position(|v| v.is_infinite()) {
            Some(column) => Err(infinite(number, column)),
            None => Ok(()),
        }
    }

    fn mismatch(&self, found: usize) -> Error {
        Error::schema_mismatch(format!("{} values", self.features), format!("{found} values"))
    }
}
