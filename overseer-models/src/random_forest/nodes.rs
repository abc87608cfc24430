//! The fast layout: all trees in a few flat arrays.
//!
//! A node's two children lie side by side and behind it, so a walk only ever moves forward and always ends.

/// Marks a leaf in place of a column.
const LEAF: u32 = u32::MAX;
/// Set beside the column where missing values go left.
const MISSING_LEFT: u32 = 1 << 31;
/// No forest has this many columns, so that the marks above are free.
pub(super) const MAX_COLUMNS: usize = (1 << 31) - 1;

/// A split or a leaf in 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// Known values up to it go left.
    pub(super) threshold: f64,
    /// The column with [`MISSING_LEFT`], or [`LEAF`].
    column: u32,
    /// The left child, with the right one behind it; of a leaf its number.
    pub(super) next: u32,
}

impl Node {
    pub(super) fn leaf(number: u32) -> Self {
        Self { threshold: 0.0, column: LEAF, next: number }
    }

    pub(super) fn split(column: u32, threshold: f64, missing_left: bool, left: u32) -> Self {
        let mark = if missing_left { MISSING_LEFT } else { 0 };
        Self { threshold, column: column | mark, next: left }
    }

    /// The leaf's number, if it is one.
    pub(super) fn as_leaf(&self) -> Option<u32> {
        (self.column == LEAF).then_some(self.next)
    }

    /// The column a split looks at.
    pub(super) fn column(&self) -> u32 {
        self.column & !MISSING_LEFT
    }

    pub(super) fn missing_left(&self) -> bool {
        self.column & MISSING_LEFT != 0
    }

    fn goes_left(&self, value: f64) -> bool {
        value <= self.threshold || (value.is_nan() && self.missing_left())
    }
}

/// The number of the leaf that `value_of(column)` leads to from `root`.
pub(super) fn walk(nodes: &[Node], root: u32, value_of: impl Fn(usize) -> f64) -> usize {
    let mut node = &nodes[root as usize];
    while node.column != LEAF {
        let right = !node.goes_left(value_of(node.column() as usize));
        node = &nodes[node.next as usize + usize::from(right)];
    }
    node.next as usize
}

/// All trees of a forest.
#[derive(Debug, Clone, Default)]
pub(super) struct Trees {
    /// The nodes of the first tree, then of the second, and so on.
    pub(super) nodes: Vec<Node>,
    /// Where each tree begins.
    pub(super) roots: Vec<u32>,
    /// Where each leaf's rows begin, and the end of the last.
    pub(super) leaf_starts: Vec<u32>,
    /// The training rows of each leaf in ascending order, repeated as often as the bootstrap drew them.
    pub(super) leaf_rows: Vec<u32>,
    /// The mean target of each leaf's rows, one value per target.
    pub(super) leaf_means: Vec<f64>,
}

impl Trees {
    pub(super) fn len(&self) -> usize {
        self.roots.len()
    }

    /// [`walk`] through these trees.
    pub(super) fn walk(&self, root: u32, value_of: impl Fn(usize) -> f64) -> usize {
        walk(&self.nodes, root, value_of)
    }

    /// The training rows of a leaf.
    pub(super) fn rows_of(&self, leaf: usize) -> &[u32] {
        &self.leaf_rows[self.leaf_starts[leaf] as usize..self.leaf_starts[leaf + 1] as usize]
    }

    /// Computes every leaf's means from its rows and their targets.
    pub(super) fn set_means(&mut self, y: &[f64], targets: usize) {
        let leaves = self.leaf_starts.len().saturating_sub(1);
        let mut means = vec![0.0; leaves * targets];
        for (leaf, mean) in means.chunks_exact_mut(targets).enumerate() {
            for (i, &row) in self.rows_of(leaf).iter().enumerate() {
                let values = &y[row as usize * targets..][..targets];
                for (m, &v) in mean.iter_mut().zip(values) {
                    // A running mean stays within the values' range where a sum could leave it.
                    *m += (v - *m) / (i + 1) as f64;
                }
            }
        }
        self.leaf_means = means;
    }
}
