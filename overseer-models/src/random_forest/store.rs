//! The payload of a stored forest.
//!
//! | what | how |
//! |---|---|
//! | columns, targets | `u64` each |
//! | training targets, out-of-bag predictions, their errors, importances | `f64` arrays |
//! | where each tree begins | `u32` array |
//! | nodes | a count, then threshold `f64`, column `u32` (all ones: a leaf), missing left `u8`, next `u32` each |
//! | where each leaf's rows begin; the rows | `u32` arrays |
//!
//! The leaves' means follow from the rest and are computed again.

use super::RandomForest;
use super::nodes::{MAX_COLUMNS, Node, Trees};
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

const STORED_LEAF: u32 = u32::MAX;

fn corrupt(why: &str) -> Error {
    Error::corrupt("the stored forest", why)
}

impl RandomForest {
    /// Appends the forest to `w`.
    pub fn write_to(&self, w: &mut Writer) {
        w.u64(self.columns as u64);
        w.u64(self.targets as u64);
        for values in [&self.y, &self.oob, &self.oob_mse, &self.importances] {
            w.f64s(values.iter().copied());
        }
        w.u32s(self.trees.roots.iter().copied());
        w.u64(self.trees.nodes.len() as u64);
        for node in &self.trees.nodes {
            w.f64(node.threshold);
            w.u32(if node.as_leaf().is_some() { STORED_LEAF } else { node.column() });
            w.u8(u8::from(node.as_leaf().is_none() && node.missing_left()));
            w.u32(node.next);
        }
        w.u32s(self.trees.leaf_starts.iter().copied());
        w.u32s(self.trees.leaf_rows.iter().copied());
    }

    /// Reads a forest that [`RandomForest::write_to`] wrote, checking that no row can make it fail or never end.
    ///
    /// # Errors
    /// [`Error::is_corrupt`] if anything is out of range.
    pub fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let small = |v: u64| {
            usize::try_from(v)
                .ok()
                .filter(|n| (1..=MAX_COLUMNS).contains(n))
                .ok_or_else(|| corrupt("its width"))
        };
        let columns = small(r.u64()?)?;
        let targets = small(r.u64()?)?;
        let y = r.f64s()?;
        let oob = r.f64s()?;
        let oob_mse = r.f64s()?;
        let importances = r.f64s()?;
        if y.is_empty() || y.len() % targets != 0 || oob.len() != y.len() {
            return Err(corrupt("the number of its training targets"));
        }
        if oob_mse.len() != targets || importances.len() != columns {
            return Err(corrupt("the number of its errors or importances"));
        }
        if !y.iter().chain(&importances).all(|v| v.is_finite()) {
            return Err(corrupt("a training target or importance is not finite"));
        }
        let roots = r.u32s()?;
        let count = r.length()?;
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(read_node(r)?);
        }
        let mut trees = Trees {
            nodes,
            roots,
            leaf_starts: r.u32s()?,
            leaf_rows: r.u32s()?,
            leaf_means: Vec::new(),
        };
        check(&trees, columns, y.len() / targets)?;
        trees.set_means(&y, targets);
        Ok(Self { columns, targets, trees, y, oob, oob_mse, importances })
    }
}

fn read_node(r: &mut Reader<'_>) -> Result<Node> {
    let threshold = r.finite()?;
    let column = r.u32()?;
    let missing_left = r.u8()?;
    let next = r.u32()?;
    match (column, missing_left) {
        (STORED_LEAF, 0) => Ok(Node::leaf(next)),
        (column, 0 | 1) if (column as usize) < MAX_COLUMNS => {
            Ok(Node::split(column, threshold, missing_left == 1, next))
        }
        _ => Err(corrupt("a node is neither split nor leaf")),
    }
}

/// Every walk from a root moves forward, stays in its tree and ends at a leaf with rows that exist.
fn check(trees: &Trees, columns: usize, rows: usize) -> Result<()> {
    let nodes = trees.nodes.len();
    let ordered = trees.roots.first() == Some(&0)
        && trees.roots.windows(2).all(|w| w[0] < w[1])
        && trees.roots.last().is_some_and(|&r| (r as usize) < nodes);
    if !ordered {
        return Err(corrupt("its trees do not follow one another"));
    }
    let starts = &trees.leaf_starts;
    let filled = starts.first() == Some(&0)
        && starts.windows(2).all(|w| w[0] < w[1])
        && starts.last().map(|&s| s as usize) == Some(trees.leaf_rows.len());
    if !filled {
        return Err(corrupt("its leaves do not follow one another"));
    }
    if trees.leaf_rows.iter().any(|&row| row as usize >= rows) {
        return Err(corrupt("a leaf names a row that does not exist"));
    }
    let leaves = starts.len() - 1;
    let ends = trees.roots.iter().skip(1).map(|&r| r as usize).chain([nodes]);
    for (&root, end) in trees.roots.iter().zip(ends) {
        for at in root as usize..end {
            let node = &trees.nodes[at];
            let next = node.next as usize;
            let sound = match node.as_leaf() {
                Some(_) => next < leaves,
                None => (node.column() as usize) < columns && next > at && next + 1 < end,
            };
            if !sound {
                return Err(corrupt("a node leads out of its tree"));
            }
        }
    }
    Ok(())
}
