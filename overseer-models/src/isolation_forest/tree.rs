//! A tree as it is grown and stored: plain, before it is laid out for walking.

use super::MOST_ROWS;
use super::path::{AveragePaths, in_units};

/// How large a tree may be: the rows it sees and the splits on the way to a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Shape {
    pub(super) rows: usize,
    pub(super) depth: usize,
}

impl Shape {
    /// The larger of both, each way.
    pub(super) fn or_more(self, other: Self) -> Self {
        Self { rows: self.rows.max(other.rows), depth: self.depth.max(other.depth) }
    }
}

/// A tree of the usual sample has about so many nodes.
const USUAL_NODES: usize = 160;

/// The nodes of one tree, the root first. The two children of a split lie side by side behind it, and everything below
/// the left one lies before anything below the right one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree<S> {
    pub(super) nodes: Vec<TreeNode<S>>,
    /// The terms of the hyperplanes, one after another; empty where splits look at one column each.
    pub(super) terms: Vec<Term>,
}

/// A split or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TreeNode<S> {
    /// How many rows of the sample reach it.
    pub(super) rows: u32,
    /// The number of splits on the way to it.
    pub(super) depth: u8,
    /// Where the left child is; 0 for a leaf.
    pub(super) child: u32,
    /// How rows are divided; means nothing for a leaf.
    pub(super) split: S,
}

/// A split by one column: keys above the threshold go right.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct ColumnSplit {
    /// The place of the key, as [`Columns::slot`](crate::walk::Columns::slot) says.
    pub(super) slot: u32,
    pub(super) threshold: u32,
}

/// A split by a hyperplane: rows whose terms add up to more than the threshold go right.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct PlaneSplit {
    /// Where its terms begin, and how many there are.
    pub(super) terms: u32,
    pub(super) width: u32,
    pub(super) threshold: f32,
    /// Whether a row goes right that misses a value of some term.
    pub(super) missing_right: bool,
}

/// One coordinate of a hyperplane's normal, for distances from the column's origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Term {
    pub(super) column: u32,
    pub(super) weight: f32,
}

impl<S: Copy + Default> Tree<S> {
    /// A root and nothing else.
    pub(super) fn root(rows: u32) -> Self {
        let mut nodes = Vec::with_capacity(USUAL_NODES.min(2 * rows as usize).max(1));
        nodes.push(TreeNode::leaf(rows, 0));
        Self { nodes, terms: Vec::new() }
    }

    /// Turns the leaf at `at` into a split and says where its left child is, a leaf as yet; the right one follows.
    pub(super) fn divide(&mut self, at: usize, split: S, left: u32, right: u32) -> usize {
        let child = self.nodes.len();
        let node = &mut self.nodes[at];
        node.split = split;
        node.child = child as u32;
        let depth = node.depth + 1;
        self.nodes.extend([TreeNode::leaf(left, depth), TreeNode::leaf(right, depth)]);
        child
    }
}

impl<S> Tree<S> {
    /// How many rows the tree was grown on.
    pub(super) fn rows(&self) -> usize {
        self.nodes[0].rows as usize
    }

    /// Gives every split the rows of its children together; none if the root has more than [`MOST_ROWS`].
    pub(super) fn add_up_rows(&mut self) -> Option<()> {
        for at in (0..self.nodes.len()).rev() {
            if let Some(child) = self.nodes[at].child() {
                let rows = self.nodes[child].rows.checked_add(self.nodes[child + 1].rows)?;
                self.nodes[at].rows = rows;
            }
        }
        (self.rows() <= MOST_ROWS).then_some(())
    }

    /// The most splits on the way to a leaf.
    pub(super) fn depth(&self) -> usize {
        self.nodes.iter().map(|node| usize::from(node.depth)).max().unwrap_or_default()
    }

    /// The mean path of the training rows below each node, [in units](in_units): of a leaf, the splits on the way to it
    /// and what a tree of its rows would take on average.
    pub(super) fn expected(&self, averages: &AveragePaths) -> Vec<u32> {
        let mut paths = vec![0.0; self.nodes.len()];
        // Children stand behind their parents, so backwards every child is known before its parent.
        for (at, node) in self.nodes.iter().enumerate().rev() {
            paths[at] = if let Some(child) = node.child() {
                let of = |at: usize| f64::from(self.nodes[at].rows) * paths[at];
                (of(child) + of(child + 1)) / f64::from(node.rows)
            } else {
                f64::from(node.depth) + averages.of(node.rows as usize)
            };
        }
        let average = averages.of(self.rows());
        paths.iter().map(|&path| in_units(path, average)).collect()
    }
}

impl<S: Default> TreeNode<S> {
    fn leaf(rows: u32, depth: u8) -> Self {
        Self { rows, depth, child: 0, split: S::default() }
    }
}

impl<S> TreeNode<S> {
    /// Where the left child is, if this is a split.
    pub(super) fn child(&self) -> Option<usize> {
        (self.child > 0).then_some(self.child as usize)
    }
}
