//! The first stored form, which is read but no longer written.
//!
//! Number of features, rows per tree (`u32` each), then as arrays: where each tree begins, and for every node its code
//! (feature, missing direction, or leaf), threshold, left child and training rows.
//!
//! Its thresholds were of 64 bits. They become keys, so a value within the rounding of `f32` of one may go another way
//! than it did.

use super::forest::IsolationForest;
use super::layout::{PlainTrees, Trees};
use super::store::corrupt;
use super::tree::{ColumnSplit, Tree};
use super::{DEEPEST, MOST_ROWS, MOST_TREES};
use crate::file::Reader;
use crate::stats;
use crate::walk::Columns;
use overseer_core::Result;
use std::ops::Range;

const MISSING_RIGHT: u32 = 1 << 31;
const LEAF: u32 = MISSING_RIGHT - 1;

/// Reads a forest of so many features, which came first.
pub(super) fn read_from(features: u32, r: &mut Reader<'_>) -> Result<IsolationForest> {
    let features = features as usize;
    let sample_size = r.u32()? as usize;
    let roots = r.u32s()?;
    let nodes =
        Nodes { codes: r.u32s()?, thresholds: r.f64s()?, children: r.u32s()?, sizes: r.u32s()? };
    let count = nodes.codes.len();
    let shape = (1..LEAF as usize).contains(&features) && (1..=MOST_ROWS).contains(&sample_size);
    let lengths = [nodes.thresholds.len(), nodes.children.len(), nodes.sizes.len()]
        .iter()
        .all(|&n| n == count);
    let ordered = roots.first() == Some(&0) && roots.windows(2).all(|w| w[0] < w[1]);
    let within = roots.len() <= MOST_TREES && roots.last().is_some_and(|&r| (r as usize) < count);
    if !(shape && lengths && ordered && within) {
        return Err(corrupt("its arrays do not fit together"));
    }
    // A forest in use has split on every column that can matter; so more columns than nodes are no memory well spent.
    if features > count.max(1 << 16) {
        return Err(corrupt("it has more features than nodes"));
    }
    let columns = nodes.columns(features)?;
    let ends = roots.iter().skip(1).map(|&r| r as usize).chain([count]);
    let trees: Result<Vec<_>> = roots
        .iter()
        .zip(ends)
        .map(|(&root, end)| nodes.tree(root as usize..end, &columns, sample_size))
        .collect();
    let plain = PlainTrees::ByColumn(trees?);
    let grown = roots.len() as u64;
    let trees = Trees::lay_out(&columns, &plain).map_err(|_| corrupt("its trees are too large"))?;
    Ok(IsolationForest { columns, extension_level: 0, grown, trees })
}

struct Nodes {
    codes: Vec<u32>,
    thresholds: Vec<f64>,
    children: Vec<u32>,
    sizes: Vec<u32>,
}

impl Nodes {
    /// The column of a split and whether missing values go right there.
    fn column(&self, at: usize) -> Option<(usize, bool)> {
        let column = self.codes[at] & !MISSING_RIGHT;
        (column != LEAF).then_some((column as usize, self.codes[at] & MISSING_RIGHT != 0))
    }

    /// Columns whose origins are the medians of their thresholds, which lie among the values.
    fn columns(&self, features: usize) -> Result<Columns> {
        let mut thresholds = vec![Vec::new(); features];
        for (at, &threshold) in self.thresholds.iter().enumerate() {
            let Some((column, _)) = self.column(at) else { continue };
            if column >= features || !threshold.is_finite() {
                return Err(corrupt("a split is out of range"));
            }
            thresholds[column].push(threshold);
        }
        let middle = |known: Vec<f64>| {
            let known = stats::sorted_known(known);
            known.get(known.len() / 2).copied().unwrap_or_default()
        };
        Ok(Columns::new(thresholds.into_iter().map(middle).collect()))
    }

    /// Rebuilds one tree: every node but the root is the child of exactly one node before it, and rows add up.
    fn tree(
        &self,
        range: Range<usize>,
        columns: &Columns,
        sample_size: usize,
    ) -> Result<Tree<ColumnSplit>> {
        let root = range.start;
        let mut tree = Tree::root(self.sizes[root]);
        let mut seen = 1;
        let mut stack = vec![(0, root, 0)];
        while let Some((to, at, depth)) = stack.pop() {
            if self.sizes[at] == 0 {
                return Err(corrupt("a node is empty"));
            }
            let Some((column, missing_right)) = self.column(at) else { continue };
            let left = self.children[at] as usize;
            // What leads on to nodes seen before would make more nodes than there are.
            seen += 2;
            if left <= at || left + 1 >= range.end || seen > range.len() || depth == DEEPEST {
                return Err(corrupt("a child is not behind its parent"));
            }
            let (l, r) = (self.sizes[left], self.sizes[left + 1]);
            if u64::from(l) + u64::from(r) != u64::from(self.sizes[at]) {
                return Err(corrupt("the rows of two children are not their parent's"));
            }
            // Values at the threshold went right; now it is those above it that do.
            let key = columns.key(column, self.thresholds[at]) - 1;
            let threshold = key.max(columns.key(column, f64::MIN));
            let slot = columns.slot(column, missing_right) as u32;
            let child = tree.divide(to, ColumnSplit { slot, threshold }, l, r);
            stack.extend([(child + 1, left + 1, depth + 1), (child, left, depth + 1)]);
        }
        if seen != range.len() || tree.rows() != sample_size {
            return Err(corrupt("a tree does not hold its nodes and rows"));
        }
        Ok(tree)
    }
}
