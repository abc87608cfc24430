//! The trees as version 1 of stored forecasters held them: `f64` thresholds, nodes in the order they were made.

use super::store::corrupt;
use super::structure::Structure;
use super::trees::{Step, Trees};
use crate::file::Reader;
use crate::walk::Columns;
use overseer_core::Result;

const LEAF: u32 = u32::MAX;

/// A node as it was stored.
#[derive(Clone, Copy)]
struct Node {
    /// Values up to it go left.
    threshold: f64,
    column: u32,
    missing_left: bool,
    /// The left child, before the right one; of a leaf its number.
    next: u32,
}

/// Reads the structure. Thresholds are rounded to keys, so a value within a ten-millionth of one may change sides.
pub(super) fn read(r: &mut Reader<'_>) -> Result<Structure> {
    let number =
        |v: u64| usize::try_from(v).map_err(|_| corrupt("its number of columns or leaves"));
    let (width, leaves) = (number(r.u64()?)?, number(r.u64()?)?);
    let roots = r.u32s()?;
    let nodes = (0..r.length()?).map(|_| read_node(r)).collect::<Result<Vec<Node>>>()?;
    let splits = || nodes.iter().filter(|node| node.column != LEAF);
    if splits().any(|node| node.column as usize >= width) || width > nodes.len().max(1 << 16) {
        return Err(corrupt("a split looks at a column that does not exist"));
    }
    let columns = Columns::new(origins(width, splits()));
    let ends = roots.iter().skip(1).map(|&root| root as usize).chain([nodes.len()]);
    let bounds: Vec<_> = roots.iter().map(|&root| root as usize).zip(ends).collect();
    let sides = columns.clone();
    let (mut tree, mut open, mut leaf) = (0, Vec::new(), 0);
    let trees = Trees::build(columns, bounds.len(), || {
        let at = open.pop().unwrap_or_else(|| {
            tree += 1;
            bounds[tree - 1].0
        });
        let end = bounds[tree - 1].1;
        let node =
            nodes.get(at).filter(|_| at < end).ok_or_else(|| corrupt("a node is missing"))?;
        let next = node.next as usize;
        if node.column == LEAF {
            // Leaves were numbered in this very order; so none is met twice.
            if next != leaf {
                return Err(corrupt("a leaf is out of order"));
            }
            leaf += 1;
            return Ok(Step::Leaf);
        }
        if next <= at {
            return Err(corrupt("a child is not behind its parent"));
        }
        open.extend([next + 1, next]);
        let column = node.column as usize;
        let slot = sides.slot(column, !node.missing_left);
        Ok(Step::Split { slot, threshold: sides.key(column, node.threshold) })
    })?;
    if trees.leaf_count() != leaves {
        return Err(corrupt("the number of its leaves"));
    }
    Ok(Structure(trees))
}

fn read_node(r: &mut Reader<'_>) -> Result<Node> {
    let (threshold, column) = (r.finite()?, r.u32()?);
    let (missing_left, next) = (r.u8()? == 1, r.u32()?);
    Ok(Node { threshold, column, missing_left, next })
}

/// The median threshold of each column.
fn origins<'a>(width: usize, splits: impl Iterator<Item = &'a Node>) -> Vec<f64> {
    let mut thresholds = vec![Vec::new(); width];
    for node in splits {
        thresholds[node.column as usize].push(node.threshold);
    }
    let middle = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    thresholds.into_iter().map(middle).collect()
}
