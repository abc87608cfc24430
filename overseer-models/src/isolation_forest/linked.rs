//! Trees of any depth, linked: what is used where padding would take too much memory or rows have too many keys.

use super::path::AveragePaths;
use super::tree::{ColumnSplit, Tree};
use crate::walk::{Columns, Node, Nodes, Packing, Rows};
use overseer_core::{Error, Result};

/// So many rows or trees are walked at a time.
const WALKS: usize = 256;

/// A forest of linked trees.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linked {
    /// The nodes of all trees. The number of a leaf is that of its training rows.
    nodes: Nodes,
    /// The mean path of the training rows below each node, in units.
    expected: Vec<u32>,
    roots: Vec<u32>,
}

impl Linked {
    /// What a node takes in memory.
    pub(super) const NODE_BYTES: usize = size_of::<Node>() + size_of::<u32>();
    /// What a tree takes besides its nodes.
    pub(super) const TREE_BYTES: usize = size_of::<u32>();

    /// Lays trees out one after another.
    pub(super) fn lay_out(
        columns: &Columns,
        trees: &[Tree<ColumnSplit>],
        averages: &AveragePaths,
    ) -> Result<Self> {
        let largest = trees.iter().map(|tree| tree.nodes.len()).max().unwrap_or_default();
        let total: usize = trees.iter().map(|tree| tree.nodes.len()).sum();
        let too_large = |what: &str| Error::invalid_parameter("sample_size", what);
        let packing = Packing::new(columns.slots(), largest)
            .ok_or_else(|| too_large("rows of so many columns ask for smaller trees"))?;
        if total > u32::MAX as usize {
            return Err(too_large("so many trees of so many rows do not fit one forest"));
        }
        let mut nodes = Vec::with_capacity(total);
        let mut expected = Vec::with_capacity(total);
        let mut roots = Vec::with_capacity(trees.len());
        for tree in trees {
            roots.push(nodes.len() as u32);
            expected.extend(tree.expected(averages));
            nodes.extend(tree.nodes.iter().enumerate().map(|(at, node)| match node.child() {
                Some(child) => {
                    packing.split(node.split.slot as usize, node.split.threshold, child - at)
                }
                None => Node::leaf(node.rows),
            }));
        }
        Ok(Self { nodes: Nodes { nodes, packing }, expected, roots })
    }

    pub(super) fn len(&self) -> usize {
        self.roots.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.expected.len() * Self::NODE_BYTES + self.roots.len() * Self::TREE_BYTES
    }

    /// The plain tree of this number.
    pub(super) fn plain(&self, number: usize) -> Tree<ColumnSplit> {
        let (all, packing) = (&self.nodes.nodes, self.nodes.packing);
        let root = self.roots[number] as usize;
        let end = self.roots.get(number + 1).map_or(all.len(), |&next| next as usize);
        let mut rows = vec![0; end - root];
        for (at, &node) in all[root..end].iter().enumerate().rev() {
            let below = || rows[at + packing.ahead(node)] + rows[at + packing.ahead(node) + 1];
            rows[at] = node.as_leaf().unwrap_or_else(below);
        }
        let mut tree = Tree::root(rows[0]);
        let mut stack = vec![(0, 0)];
        while let Some((at, place)) = stack.pop() {
            let node = all[root + place];
            if node.as_leaf().is_some() {
                continue;
            }
            let split =
                ColumnSplit { slot: packing.slot(node) as u32, threshold: node.threshold() };
            let left = place + packing.ahead(node);
            let child = tree.divide(at, split, rows[left], rows[left + 1]);
            stack.extend([(child + 1, left + 1), (child, left)]);
        }
        tree
    }

    /// The sum over all trees of a row's path.
    pub(super) fn path(&self, keys: &[u32]) -> u64 {
        let rows = Rows::new(keys, keys.len() / 2);
        let mut leaves = [0; WALKS];
        let mut total = 0;
        for roots in self.roots.chunks(WALKS) {
            let leaves = &mut leaves[..roots.len()];
            self.nodes.arrive(rows, |tree| (roots[tree], 0), leaves);
            total += leaves.iter().map(|&at| u64::from(self.expected[at as usize])).sum::<u64>();
        }
        total
    }

    /// Adds to `totals` the paths of as many rows, each of keys for so many columns.
    pub(super) fn add_paths(&self, keys: &[u32], columns: usize, totals: &mut [u64]) {
        let rows = Rows::new(keys, columns);
        let mut leaves = [0; WALKS];
        for &root in &self.roots {
            for (number, totals) in totals.chunks_mut(WALKS).enumerate() {
                let leaves = &mut leaves[..totals.len()];
                let start = |row| (root, rows.offset(number * WALKS + row));
                self.nodes.arrive(rows, start, leaves);
                for (total, &at) in totals.iter_mut().zip(leaves.iter()) {
                    *total += u64::from(self.expected[at as usize]);
                }
            }
        }
    }

    /// Adds to `credits`, per slot, by how much the splits on it made the path to be expected shorter.
    pub(super) fn add_credits(&self, keys: &[u32], credits: &mut [i64]) {
        let (all, packing) = (&self.nodes.nodes, self.nodes.packing);
        for &root in &self.roots {
            let mut at = root as usize;
            let mut before = self.expected[at];
            while all[at].as_leaf().is_none() {
                let node = all[at];
                let slot = packing.slot(node);
                at += packing.ahead(node) + usize::from(node.threshold() < keys[slot]);
                let after = self.expected[at];
                credits[slot] += i64::from(before) - i64::from(after);
                before = after;
            }
        }
    }
}
