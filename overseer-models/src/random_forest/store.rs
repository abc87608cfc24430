//! The payload of a stored forest.
//!
//! | what | how |
//! |---|---|
//! | columns, targets | `u64` each |
//! | training targets, out-of-bag predictions, their errors, importances | `f64` arrays |
//! | where each tree begins | `u32` array |
//! | nodes | a count, then threshold `f64`, column `u32` (all ones: a leaf), missing left `u8`, next `u32` each |
//! | where each leaf's rows begin; the rows | `u32` arrays |
//! | the means of each leaf | `f64` array, leaf after leaf |
//!
//! The means follow from the rest and are stored all the same: so a forest read takes no more memory than its file has
//! bytes, whatever numbers of leaves and targets the file claims.

use super::RandomForest;
use super::nodes::{MAX_COLUMNS, Node, Trees};
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

const STORED_LEAF: u32 = u32::MAX;

pub(super) fn corrupt(why: &str) -> Error {
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
        write_nodes(w, &self.trees.roots, &self.trees.nodes);
        w.u32s(self.trees.leaf_starts.iter().copied());
        w.u32s(self.trees.leaf_rows.iter().copied());
        w.f64s(self.trees.leaf_means.iter().copied());
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
        let (roots, nodes) = read_nodes(r)?;
        let (leaf_starts, leaf_rows, leaf_means) = (r.u32s()?, r.u32s()?, r.f64s()?);
        check_rows(&leaf_starts, &leaf_rows, y.len() / targets)?;
        let leaves = leaf_starts.len() - 1;
        check_nodes(&roots, &nodes, columns, leaves)?;
        if leaves.checked_mul(targets) != Some(leaf_means.len())
            || !leaf_means.iter().all(|v| v.is_finite())
        {
            return Err(corrupt("the means of its leaves"));
        }
        let trees = Trees { nodes, roots, leaf_starts, leaf_rows, leaf_means };
        Ok(Self { columns, targets, trees, y, oob, oob_mse, importances })
    }
}

pub(super) fn write_nodes(w: &mut Writer, roots: &[u32], nodes: &[Node]) {
    w.u32s(roots.iter().copied());
    w.u64(nodes.len() as u64);
    for node in nodes {
        w.f64(node.threshold);
        w.u32(if node.as_leaf().is_some() { STORED_LEAF } else { node.column() });
        w.u8(u8::from(node.as_leaf().is_none() && node.missing_left()));
        w.u32(node.next);
    }
}

/// Roots and nodes as they are stored; [`check_nodes`] says whether they make trees.
pub(super) fn read_nodes(r: &mut Reader<'_>) -> Result<(Vec<u32>, Vec<Node>)> {
    let roots = r.u32s()?;
    let nodes = (0..r.length()?).map(|_| read_node(r)).collect::<Result<_>>()?;
    Ok((roots, nodes))
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

/// Every leaf has rows, and they exist.
fn check_rows(starts: &[u32], leaf_rows: &[u32], rows: usize) -> Result<()> {
    let filled = starts.first() == Some(&0)
        && starts.windows(2).all(|w| w[0] < w[1])
        && starts.last().map(|&s| s as usize) == Some(leaf_rows.len());
    if !filled {
        return Err(corrupt("its leaves do not follow one another"));
    }
    if leaf_rows.iter().any(|&row| row as usize >= rows) {
        return Err(corrupt("a leaf names a row that does not exist"));
    }
    Ok(())
}

/// Every walk from a root moves forward, stays in its tree and ends at a leaf, and each leaf belongs to one node.
pub(super) fn check_nodes(
    roots: &[u32],
    nodes: &[Node],
    columns: usize,
    leaves: usize,
) -> Result<()> {
    let ordered = roots.first() == Some(&0)
        && roots.windows(2).all(|w| w[0] < w[1])
        && roots.last().is_some_and(|&r| (r as usize) < nodes.len());
    if !ordered {
        return Err(corrupt("its trees do not follow one another"));
    }
    // No more leaves than nodes, so that memory for them is in proportion to the file.
    if nodes.iter().filter(|node| node.as_leaf().is_some()).count() != leaves {
        return Err(corrupt("the number of its leaves"));
    }
    let mut owned = vec![false; leaves];
    let ends = roots.iter().skip(1).map(|&r| r as usize).chain([nodes.len()]);
    for (&root, end) in roots.iter().zip(ends) {
        for (at, node) in nodes.iter().enumerate().take(end).skip(root as usize) {
            let next = node.next as usize;
            let sound = match node.as_leaf() {
                Some(_) => owned.get_mut(next).is_some_and(|owned| !std::mem::replace(owned, true)),
                None => (node.column() as usize) < columns && next > at && next + 1 < end,
            };
            if !sound {
                return Err(corrupt("a node leads out of its tree or to another's leaf"));
            }
        }
    }
    Ok(())
}
