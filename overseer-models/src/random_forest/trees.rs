//! All trees of a forest, and walks down them.

use super::store::corrupt;
use crate::walk::{Columns, Infinite, LARGEST_LEAF, Node, Nodes, Packing};
use overseer_core::{Error, Result};

/// So many walks go in step.
const LANES: usize = 8;
/// A row of up to so many keys is kept on the stack.
const SHORT: usize = 256;

/// The splits of all trees: which leaf a row reaches in each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trees {
    pub(super) columns: Columns,
    /// The nodes of the first tree, then of the second, and so on. A leaf's number counts from its tree's first leaf.
    pub(super) nodes: Nodes,
    /// Where each tree begins.
    pub(super) roots: Vec<u32>,
    /// The first leaf of each tree, then the number of all leaves.
    pub(super) first_leaves: Vec<u32>,
}

impl Trees {
    /// How many trees there are.
    pub(super) fn len(&self) -> usize {
        self.roots.len()
    }

    /// How many leaves all trees have together.
    pub(super) fn leaf_count(&self) -> usize {
        self.first_leaves.last().copied().unwrap_or(0) as usize
    }

    /// Calls `each` with every tree's number and the leaf that `row` reaches in it.
    pub(super) fn leaves(&self, row: &[f64], each: impl FnMut(usize, usize)) -> Result<()> {
        self.check_width(row.len())?;
        let slots = self.columns.slots();
        let (mut short, mut long);
        let keys = if slots <= SHORT {
            short = [0; SHORT];
            &mut short[..slots]
        } else {
            long = vec![0; slots];
            &mut long[..]
        };
        let infinite = |Infinite { column }| {
            Error::invalid_value(format!("column {column}"), "the value is infinite")
        };
        self.columns.keys(row, keys).map_err(infinite)?;
        self.walk_one(keys, each);
        Ok(())
    }

    /// One row down all trees, several trees at a time.
    fn walk_one(&self, keys: &[u32], mut each: impl FnMut(usize, usize)) {
        let (groups, rest) = self.roots.as_chunks::<LANES>();
        for (group, &roots) in groups.iter().enumerate() {
            let leaves = self.nodes.walk(roots, keys, [0; LANES]);
            for (i, leaf) in leaves.into_iter().enumerate() {
                let tree = group * LANES + i;
                each(tree, (self.first_leaves[tree] + leaf) as usize);
            }
        }
        for (i, &root) in rest.iter().enumerate() {
            let tree = groups.len() * LANES + i;
            let [leaf] = self.nodes.walk([root], keys, [0]);
            each(tree, (self.first_leaves[tree] + leaf) as usize);
        }
    }

    /// Rows, whose keys lie one after the other, down one tree, several rows at a time: calls `each` with every row's
    /// number and leaf.
    pub(super) fn walk_rows(&self, tree: usize, keys: &[u32], mut each: impl FnMut(usize, usize)) {
        let slots = self.columns.slots();
        let (root, first) = (self.roots[tree], self.first_leaves[tree]);
        let rows = keys.len() / slots;
        let mut row = 0;
        while row + LANES <= rows {
            let offsets = std::array::from_fn(|i| ((row + i) * slots) as u32);
            let leaves = self.nodes.walk([root; LANES], keys, offsets);
            for (i, leaf) in leaves.into_iter().enumerate() {
                each(row + i, (first + leaf) as usize);
            }
            row += LANES;
        }
        for row in row..rows {
            let [leaf] = self.nodes.walk([root], keys, [(row * slots) as u32]);
            each(row, (first + leaf) as usize);
        }
    }

    /// Checks the number of values in a row.
    pub(super) fn check_width(&self, found: usize) -> Result<()> {
        if found == self.columns.len() {
            return Ok(());
        }
        Err(Error::schema_mismatch(
            format!("{} values", self.columns.len()),
            format!("{found} values"),
        ))
    }
}

/// What a tree is made of, a node before its left side before its right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Keys at this place above the threshold go right.
    Split { slot: usize, threshold: u32 },
    /// The next leaf.
    Leaf,
}

impl Trees {
    /// All trees, one after the other.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> {
        let Nodes { nodes, packing } = &self.nodes;
        self.roots.iter().flat_map(move |&root| {
            let mut open = vec![root as usize];
            std::iter::from_fn(move || {
                let at = open.pop()?;
                let node = nodes[at];
                if node.as_leaf().is_some() {
                    return Some(Step::Leaf);
                }
                let left = at + packing.ahead(node);
                open.extend([left + 1, left]);
                Some(Step::Split { slot: packing.slot(node), threshold: node.threshold() })
            })
        })
    }

    /// So many trees from what `next` gives, which is asked until the last of them is whole.
    pub(super) fn build(
        columns: Columns,
        trees: usize,
        mut next: impl FnMut() -> Result<Step>,
    ) -> Result<Self> {
        // Where the left side of each node is, counted from its tree's first node, beside the node's step.
        let mut steps: Vec<(Step, usize)> = Vec::new();
        let (mut roots, mut first_leaves, mut leaves) = (Vec::new(), vec![0], 0_u32);
        let (mut largest, mut open) = (0, Vec::new());
        for _ in 0..trees {
            let root = steps.len();
            roots.push(u32::try_from(root).map_err(|_| corrupt("the number of its nodes"))?);
            steps.push((Step::Leaf, 0));
            open.push(root);
            while let Some(at) = open.pop() {
                let step = next()?;
                match step {
                    Step::Leaf => {
                        steps[at] = (step, leaves as usize);
                        leaves += 1;
                    }
                    Step::Split { .. } => {
                        let left = steps.len();
                        steps[at] = (step, left - at);
                        steps.extend([(Step::Leaf, 0); 2]);
                        open.extend([left + 1, left]);
                    }
                }
            }
            largest = largest.max(steps.len() - root);
            first_leaves.push(leaves);
        }
        let packing = Packing::new(columns.slots(), largest)
            .filter(|_| trees > 0 && largest < LARGEST_LEAF as usize)
            .ok_or_else(|| corrupt("the size of its trees"))?;
        let mut nodes = Vec::with_capacity(steps.len());
        for (tree, &first) in roots.iter().zip(&first_leaves).enumerate().map(|(i, (_, f))| (i, f))
        {
            let end = roots.get(tree + 1).map_or(steps.len(), |&root| root as usize);
            nodes.extend(steps[roots[tree] as usize..end].iter().map(|&(step, at)| match step {
                Step::Leaf => Node::leaf(at as u32 - first),
                Step::Split { slot, threshold } => packing.split(slot, threshold, at),
            }));
        }
        Ok(Self { columns, nodes: Nodes { nodes, packing }, roots, first_leaves })
    }
}
