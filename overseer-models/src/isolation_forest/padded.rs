//! Trees padded to one depth, which is how they are walked fastest.
//!
//! A tree is a heap without links: the children of place `i` are `2 i` and `2 i + 1`, and every walk takes the same
//! number of steps. So nothing branches, and a row walks down several trees in step, which hides how long each waits for
//! memory. Where a leaf is higher up, the places below it let no key pass on the way to its left.

use super::path::AveragePaths;
use super::tree::{ColumnSplit, Tree};
use crate::walk::Columns;

/// The steps of every walk.
const STEPS: u32 = 8;
const LEAVES: usize = 1 << STEPS;
/// So many trees are walked in step, which is as many places as the processor has registers for.
const LANES: usize = 10;
/// So many where what is expected at each place is to be kept as well.
const TOLD_LANES: usize = 5;
/// No key is above it.
const NO_KEY: u32 = u32::MAX;

/// Trees of fewer nodes than this on average are walked no slower by their links, in a fraction of the memory.
const FEWEST_NODES: usize = 32;

/// The keys of a row, and whatever follows them: so many that every slot is one of them.
pub(super) type Window = [u32; WINDOW];
pub(super) const WINDOW: usize = 1 << u8::BITS;

/// A forest of padded trees.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Padded {
    walked: Vec<Walked>,
    told: Vec<Told>,
}

/// What a walk reads. The first four levels lie in one cache line.
#[derive(Debug, Clone, PartialEq)]
#[repr(align(64))]
struct Walked {
    thresholds: [u32; LEAVES],
    slots: [u8; LEAVES],
    /// The path of each leaf, in units.
    paths: [u32; LEAVES],
}

/// What tells of a tree beyond its scores.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    /// The mean path of the training rows below each place, in units.
    expected: [u32; LEAVES],
    /// The training rows of each leaf; 0 where none is.
    rows: [u16; LEAVES],
    /// How many nodes the plain tree has.
    nodes: u16,
}

impl Padded {
    /// What a tree takes in memory.
    pub(super) const TREE_BYTES: usize = size_of::<Walked>() + size_of::<Told>();

    /// Whether trees of this depth and sample, for rows of this many keys, can be padded.
    pub(super) fn fits(slots: usize, depth: usize, rows: usize) -> bool {
        slots <= WINDOW && depth <= STEPS as usize && rows <= usize::from(u16::MAX)
    }

    /// Lays trees out if they can be padded and are worth it.
    pub(super) fn lay_out(
        columns: &Columns,
        trees: &[Tree<ColumnSplit>],
        averages: &AveragePaths,
    ) -> Option<Self> {
        let mut padded =
            Self { walked: Vec::with_capacity(trees.len()), told: Vec::with_capacity(trees.len()) };
        padded.replace(0, columns, trees, averages).then_some(padded)
    }

    /// Lets the oldest trees go, so many, and lays new ones out behind the others, if all these can be padded and are
    /// worth it. Changes nothing otherwise.
    pub(super) fn replace(
        &mut self,
        oldest: usize,
        columns: &Columns,
        new: &[Tree<ColumnSplit>],
        averages: &AveragePaths,
    ) -> bool {
        let fit = |tree: &Tree<_>| Self::fits(columns.slots(), tree.depth(), tree.rows());
        let kept = self.told[oldest..].iter().map(|told| usize::from(told.nodes));
        let nodes: usize = kept.chain(new.iter().map(|tree| tree.nodes.len())).sum();
        let trees = self.len() - oldest + new.len();
        if nodes < FEWEST_NODES * trees || !new.iter().all(fit) {
            return false;
        }
        self.walked.drain(..oldest);
        self.told.drain(..oldest);
        new.iter().for_each(|tree| self.push(tree, &tree.expected(averages)));
        // Where fewer came than went.
        self.walked.shrink_to_fit();
        self.told.shrink_to_fit();
        true
    }

    fn push(&mut self, tree: &Tree<ColumnSplit>, expected: &[u32]) {
        let mut walked =
            Walked { thresholds: [NO_KEY; LEAVES], slots: [0; LEAVES], paths: [0; LEAVES] };
        let nodes = tree.nodes.len() as u16;
        let mut told = Told { expected: [0; LEAVES], rows: [0; LEAVES], nodes };
        let mut places = vec![1; tree.nodes.len()];
        for (at, (node, &expected)) in tree.nodes.iter().zip(expected).enumerate() {
            let mut place: usize = places[at];
            if let Some(child) = node.child() {
                (places[child], places[child + 1]) = (2 * place, 2 * place + 1);
                walked.thresholds[place] = node.split.threshold;
                walked.slots[place] = node.split.slot as u8;
                told.expected[place] = expected;
                continue;
            }
            while place < LEAVES {
                told.expected[place] = expected;
                place *= 2;
            }
            walked.paths[place - LEAVES] = expected;
            told.rows[place - LEAVES] = node.rows as u16;
        }
        self.walked.push(walked);
        self.told.push(told);
    }

    pub(super) fn len(&self) -> usize {
        self.walked.len()
    }

    /// The plain tree of this number.
    pub(super) fn plain(&self, number: usize) -> Tree<ColumnSplit> {
        let (walked, told) = (&self.walked[number], &self.told[number]);
        // The rows below every place: a leaf's are at the end of its way to the left.
        let mut rows = [0; 2 * LEAVES];
        for place in (1..2 * LEAVES).rev() {
            rows[place] = match place.checked_sub(LEAVES) {
                Some(leaf) => u32::from(told.rows[leaf]),
                None => rows[2 * place] + rows[2 * place + 1],
            };
        }
        let mut tree = Tree::root(rows[1]);
        // The left child is taken from the stack first, so that all below it comes first.
        let mut stack = vec![(0, 1)];
        while let Some((at, place)) = stack.pop() {
            if place >= LEAVES || walked.thresholds[place] == NO_KEY {
                continue;
            }
            let (slot, threshold) = (u32::from(walked.slots[place]), walked.thresholds[place]);
            let (left, right) = (2 * place, 2 * place + 1);
            let child = tree.divide(at, ColumnSplit { slot, threshold }, rows[left], rows[right]);
            stack.extend([(child + 1, right), (child, left)]);
        }
        tree
    }

    /// The sum over all trees of a row's path.
    pub(super) fn path(&self, keys: &Window) -> u64 {
        let (many, rest) = self.walked.as_chunks::<LANES>();
        let mut total = 0;
        for trees in many {
            total += paths(trees, keys);
        }
        for tree in rest {
            total += paths(std::array::from_ref(tree), keys);
        }
        total
    }

    /// Adds to `totals` the paths of as many rows, whose keys lie `stride` apart with a [`Window`] behind each.
    pub(super) fn add_paths(&self, keys: &[u32], stride: usize, totals: &mut [u64]) {
        let (many, rest) = self.walked.as_chunks::<LANES>();
        many.iter().for_each(|trees| add_paths(trees, keys, stride, totals));
        rest.iter().for_each(|tree| add_paths(std::array::from_ref(tree), keys, stride, totals));
    }

    /// Adds to `credits`, per slot, by how much the splits on it made the path to be expected shorter.
    pub(super) fn add_credits(&self, keys: &Window, credits: &mut [i64; WINDOW]) {
        let (many, rest) = self.walked.as_chunks::<TOLD_LANES>();
        let (many_told, rest_told) = self.told.as_chunks::<TOLD_LANES>();
        for (trees, told) in many.iter().zip(many_told) {
            add_credits(trees, told, keys, credits);
        }
        for (tree, told) in rest.iter().zip(rest_told) {
            add_credits(std::array::from_ref(tree), std::array::from_ref(told), keys, credits);
        }
    }
}

impl Walked {
    #[inline(always)]
    fn step(&self, at: usize, keys: &Window) -> usize {
        // To add one where the key is above would say the same, but not become an addition with carry.
        2 * at + 1 - usize::from(self.thresholds[at] >= keys[usize::from(self.slots[at])])
    }
}

/// Adds to `totals` the paths of as many rows down some trees.
fn add_paths<const N: usize>(trees: &[Walked; N], keys: &[u32], stride: usize, totals: &mut [u64]) {
    for (total, keys) in totals.iter_mut().zip(keys.windows(WINDOW).step_by(stride)) {
        if let Some(keys) = keys.first_chunk() {
            *total += paths(trees, keys);
        }
    }
}

/// The sum of a row's paths down some trees, a step in each after the other.
///
/// It is not made part of a loop, which would rearrange its sums. The steps are written out, so that the compiler knows
/// how far each can lead and checks none.
#[inline(never)]
fn paths<const N: usize>(trees: &[Walked; N], keys: &Window) -> u64 {
    let mut at = [1; N];
    step(trees, &mut at, keys);
    step(trees, &mut at, keys);
    step(trees, &mut at, keys);
    step(trees, &mut at, keys);
    step(trees, &mut at, keys);
    step(trees, &mut at, keys);
    step(trees, &mut at, keys);
    step(trees, &mut at, keys);
    trees.iter().zip(at).map(|(tree, at)| u64::from(tree.paths[at - LEAVES])).sum()
}

#[inline(always)]
fn step<const N: usize>(trees: &[Walked; N], at: &mut [usize; N], keys: &Window) {
    for (tree, at) in trees.iter().zip(at) {
        *at = tree.step(*at, keys);
    }
}

/// Adds to `credits`, per slot, what a row's steps down some trees, one in each after the other, took from the path to
/// be expected.
fn add_credits<const N: usize>(
    trees: &[Walked; N],
    told: &[Told; N],
    keys: &Window,
    credits: &mut [i64; WINDOW],
) {
    let mut at = [1; N];
    let mut before: [u32; N] = std::array::from_fn(|i| told[i].expected[1]);
    for step in 1..=STEPS {
        for i in 0..N {
            let slot = usize::from(trees[i].slots[at[i]]);
            at[i] = trees[i].step(at[i], keys);
            let after =
                if step < STEPS { told[i].expected[at[i]] } else { trees[i].paths[at[i] - LEAVES] };
            credits[slot] += i64::from(before[i]) - i64::from(after);
            before[i] = after;
        }
    }
}
