//! How the trees of a forest lie in memory.

use super::linked::Linked;
use super::padded::{Padded, WINDOW};
use super::path::AveragePaths;
use super::planes::Planes;
use super::rows::first_infinite;
use super::tree::{ColumnSplit, PlaneSplit, Shape, Tree};
use crate::walk::Columns;
use overseer_core::Result;

/// Trees as they are walked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trees {
    Padded(Padded),
    Linked(Linked),
    Planes(Planes),
}

/// Trees as they are grown and stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PlainTrees {
    ByColumn(Vec<Tree<ColumnSplit>>),
    ByPlane(Vec<Tree<PlaneSplit>>),
}

/// Memory to score a block of rows in.
#[derive(Debug)]
pub(super) struct Scratch {
    /// The keys of the rows, with a window behind the last one's.
    keys: Vec<u32>,
    /// The rows as distances from the origins.
    distances: Vec<f32>,
    totals: Vec<u64>,
}

/// So many rows are scored at a time: all by some trees before any by the next ones.
const BLOCK: usize = 128;
/// Fewer if they are wide, so that they stay in the processor's second memory.
const BLOCK_KEYS: usize = 1 << 16;

impl Trees {
    /// Lays trees out.
    pub(super) fn lay_out(columns: &Columns, trees: &PlainTrees) -> Result<Self> {
        match trees {
            PlainTrees::ByColumn(trees) => {
                let averages = average_paths(trees);
                Ok(match Padded::lay_out(columns, trees, &averages) {
                    Some(padded) => Self::Padded(padded),
                    None => Self::Linked(Linked::lay_out(columns, trees, &averages)?),
                })
            }
            PlainTrees::ByPlane(trees) => {
                Ok(Self::Planes(Planes::lay_out(trees, &average_paths(trees))?))
            }
        }
    }

    /// The trees as they were grown.
    pub(super) fn plain(&self) -> PlainTrees {
        let all = 0..self.len();
        match self {
            Self::Padded(trees) => PlainTrees::ByColumn(all.map(|i| trees.plain(i)).collect()),
            Self::Linked(trees) => PlainTrees::ByColumn(all.map(|i| trees.plain(i)).collect()),
            Self::Planes(trees) => PlainTrees::ByPlane(all.map(|i| trees.plain(i)).collect()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Padded(trees) => trees.len(),
            Self::Linked(trees) => trees.len(),
            Self::Planes(trees) => trees.len(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Padded(trees) => trees.len() * Padded::TREE_BYTES,
            Self::Linked(trees) => trees.bytes(),
            Self::Planes(trees) => trees.bytes(),
        }
    }

    /// The most bytes that a tree up to this shape can take, among trees up to this shape.
    pub(super) fn most_bytes(d: usize, width: usize, shape: Shape) -> usize {
        let Shape { rows, depth } = shape;
        // No more leaves than rows, nor than the depth allows.
        let leaves = 1_usize.checked_shl(depth as u32).map_or(rows, |most| most.min(rows)).max(1);
        let (nodes, splits) = (2 * leaves - 1, leaves - 1);
        if width > 1 {
            let terms = splits * width * Planes::TERM_BYTES;
            return nodes * Planes::NODE_BYTES + terms + Planes::TREE_BYTES;
        }
        // Of trees that can be padded small ones are linked, which take less.
        if Padded::fits(2 * d, depth, rows) {
            return Padded::TREE_BYTES;
        }
        nodes * Linked::NODE_BYTES + Linked::TREE_BYTES
    }

    /// The sum over all trees of a row's path, or the column of an infinite value.
    #[inline]
    pub(super) fn path(&self, columns: &Columns, row: &[f64]) -> Result<u64, usize> {
        match self {
            Self::Padded(trees) => {
                let mut keys = [0; WINDOW];
                columns.keys(row, &mut keys[..columns.slots()]).map_err(|e| e.column)?;
                Ok(trees.path(&keys))
            }
            Self::Linked(trees) => {
                let mut keys = vec![0; columns.slots()];
                columns.keys(row, &mut keys).map_err(|e| e.column)?;
                Ok(trees.path(&keys))
            }
            Self::Planes(trees) => Ok(trees.path(&distances(columns, row)?)),
        }
    }

    /// How many rows are scored at a time.
    pub(super) fn block(columns: &Columns) -> usize {
        (BLOCK_KEYS / columns.slots()).clamp(8, BLOCK)
    }

    /// Memory for blocks of so many rows.
    pub(super) fn scratch(&self, columns: &Columns, rows: usize) -> Scratch {
        let (keys, distances) = match self {
            Self::Padded(_) | Self::Linked(_) => (rows * columns.slots() + WINDOW, 0),
            Self::Planes(_) => (0, rows * columns.len()),
        };
        Scratch { keys: vec![0; keys], distances: vec![0.0; distances], totals: vec![0; rows] }
    }

    /// The sums over all trees of the rows' paths, or the row and column of the first infinite value.
    pub(super) fn paths<'s>(
        &self,
        columns: &Columns,
        values: &[f64],
        scratch: &'s mut Scratch,
    ) -> Result<&'s [u64], (usize, usize)> {
        let (d, slots) = (columns.len(), columns.slots());
        let Scratch { keys, distances, totals } = scratch;
        let rows = values.chunks_exact(d).enumerate();
        let totals = &mut totals[..values.len() / d];
        totals.fill(0);
        match self {
            Self::Padded(_) | Self::Linked(_) => {
                for ((number, row), keys) in rows.zip(keys.chunks_exact_mut(slots)) {
                    columns.keys(row, keys).map_err(|e| (number, e.column))?;
                }
            }
            Self::Planes(_) => {
                for ((number, row), distances) in rows.zip(distances.chunks_exact_mut(d)) {
                    columns.distances(row, distances);
                    // Infinities become the ends of `f32`, so it is the row that tells of them.
                    first_infinite(row, d).map_or(Ok(()), |(_, column)| Err((number, column)))?;
                }
            }
        }
        match self {
            Self::Padded(trees) => trees.add_paths(keys, slots, totals),
            Self::Linked(trees) => trees.add_paths(keys, d, totals),
            Self::Planes(trees) => trees.add_paths(distances, d, totals),
        }
        Ok(totals)
    }

    /// By how much the splits on each column made a row's path shorter than was to be expected, summed over all trees,
    /// into `out`; or the column of an infinite value.
    pub(super) fn credits(
        &self,
        columns: &Columns,
        row: &[f64],
        out: &mut [f64],
    ) -> Result<(), usize> {
        let of_slots = |credits: &[i64], out: &mut [f64]| {
            for (out, [below, above]) in out.iter_mut().zip(credits.as_chunks::<2>().0) {
                *out = (below + above) as f64;
            }
        };
        match self {
            Self::Padded(trees) => {
                let (mut keys, mut credits) = ([0; WINDOW], [0; WINDOW]);
                columns.keys(row, &mut keys[..columns.slots()]).map_err(|e| e.column)?;
                trees.add_credits(&keys, &mut credits);
                of_slots(&credits, out);
            }
            Self::Linked(trees) => {
                let mut keys = vec![0; columns.slots()];
                columns.keys(row, &mut keys).map_err(|e| e.column)?;
                let mut credits = vec![0; columns.slots()];
                trees.add_credits(&keys, &mut credits);
                of_slots(&credits, out);
            }
            Self::Planes(trees) => {
                out.fill(0.0);
                trees.add_credits(&distances(columns, row)?, out);
            }
        }
        Ok(())
    }
}

/// The average paths of samples up to the largest that some tree saw.
pub(super) fn average_paths<S>(trees: &[Tree<S>]) -> AveragePaths {
    AveragePaths::up_to(trees.iter().map(Tree::rows).max().unwrap_or_default())
}

fn distances(columns: &Columns, row: &[f64]) -> Result<Vec<f32>, usize> {
    let mut distances = vec![0.0; row.len()];
    columns.distances(row, &mut distances);
    first_infinite(row, row.len()).map_or(Ok(distances), |(_, column)| Err(column))
}
