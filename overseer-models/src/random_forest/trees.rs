//! All trees of a forest, and walks down them.

use super::store::corrupt;
use crate::walk::{Columns, Infinite, LARGEST_LEAF, Node, Nodes, Packing, Rows};
use overseer_core::{Error, Result};

/// The keys of some rows, memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: Vec<u32>,
    columns: usize,
    known: bool,
}

impl Keys {
    /// Takes rows of one value a column; `place` names a row and column in an error.
    pub(super) fn read(
        &mut self,
        columns: &Columns,
        rows: &[f64],
        place: impl Fn(usize, usize) -> String,
    ) -> Result<()> {
        let width = columns.len();
        let infinite = |row: usize, Infinite { column }: Infinite| {
            Error::invalid_value(place(row, column), "the value is infinite")
        };
        self.columns = width;
        self.known = true;
        self.keys.resize(rows.len(), 0);
        let each = rows.chunks_exact(width).zip(self.keys.chunks_exact_mut(width));
        for (i, (row, keys)) in each.enumerate() {
            self.known &= columns.known_keys(row, keys).map_err(|at| infinite(i, at))?;
        }
        if !self.known {
            self.keys.resize(2 * rows.len(), 0);
            let each = rows.chunks_exact(width).zip(self.keys.chunks_exact_mut(2 * width));
            for (i, (row, keys)) in each.enumerate() {
                columns.keys(row, keys).map_err(|at| infinite(i, at))?;
            }
        }
        Ok(())
    }

    /// The rows.
    pub(super) fn rows(&self) -> Rows<'_> {
        if self.known {
            Rows::known(&self.keys, self.columns)
        } else {
            Rows::new(&self.keys, self.columns)
        }
    }
}

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

    /// The number of the leaf that `row` reaches in each tree, counted through all trees, into `leaves`, which has a
    /// place for each tree.
    pub(super) fn leaves(&self, row: &[f64], leaves: &mut [u32]) -> Result<()> {
        self.check_width(row.len())?;
        let mut keys = Keys::default();
        keys.read(&self.columns, row, |_, column| format!("column {column}"))?;
        self.nodes.walk(keys.rows(), |tree| (self.roots[tree], 0), leaves);
        for (leaf, first) in leaves.iter_mut().zip(&self.first_leaves) {
            *leaf += first;
        }
        Ok(())
    }

    /// As [`Trees::leaves`], but makes the places.
    pub(super) fn push_leaves(&self, row: &[f64], leaves: &mut Vec<u32>) -> Result<()> {
        leaves.clear();
        leaves.resize(self.len(), 0);
        self.leaves(row, leaves)
    }

    /// The number of the leaf that each row reaches in one tree, counted through all trees, into `leaves`.
    pub(super) fn walk_rows(&self, tree: usize, rows: Rows<'_>, leaves: &mut [u32]) {
        let (root, first) = (self.roots[tree], self.first_leaves[tree]);
        self.nodes.walk(rows, |row| (root, rows.offset(row)), leaves);
        leaves.iter_mut().for_each(|leaf| *leaf += first);
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
