//! Growing trees, whichever way a node's rows are divided.

use super::sample::{Sample, Source};
use super::tree::{Term, Tree};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::ops::Range;

/// What all trees are grown on and how.
#[derive(Debug)]
pub(super) struct Growth<'a> {
    pub(super) source: &'a Source<'a>,
    /// How many rows a tree sees, at most as many as there are.
    pub(super) sample_size: usize,
    pub(super) max_depth: usize,
    pub(super) seed: u64,
}

/// How the rows of a node are divided.
pub(super) trait Cutter: Send {
    /// What the node keeps of it.
    type Split: Copy + Default + Send;

    /// Begins with another sample, whose rows begin at these places.
    fn renew(&mut self, _rows: &[u32]) {}

    /// Draws a split, adds its terms if it has any, brings the rows that go left to the front, and says how many they
    /// are, at least one and not all of them. None if no column varies.
    fn cut(
        &mut self,
        sample: &Sample<'_>,
        rows: &mut [u32],
        front: &mut Front<'_>,
        rng: &mut Pcg64Mcg,
        terms: &mut Vec<Term>,
    ) -> Option<(Self::Split, usize)>;
}

/// All columns, those in front that may still vary below some node. A column found constant goes behind them, as it is
/// constant in the whole subtree.
#[derive(Debug)]
pub(super) struct Front<'a> {
    pub(super) columns: &'a mut [u32],
    pub(super) varying: usize,
}

impl Front<'_> {
    /// Takes the column at a place out of those that may vary.
    pub(super) fn drop_constant(&mut self, at: usize) {
        self.varying -= 1;
        self.columns.swap(at, self.varying);
    }
}

impl Growth<'_> {
    /// Grows the trees of these numbers.
    #[cfg(not(feature = "rayon"))]
    pub(super) fn trees<C: Cutter>(
        &self,
        numbers: Range<u64>,
        cutter: impl Fn() -> C + Sync,
    ) -> Vec<Tree<C::Split>> {
        let mut grower = Grower::new(self, cutter());
        numbers.map(|number| grower.tree(number)).collect()
    }

    /// Grows the trees of these numbers on all cores.
    #[cfg(feature = "rayon")]
    pub(super) fn trees<C: Cutter>(
        &self,
        numbers: Range<u64>,
        cutter: impl Fn() -> C + Sync,
    ) -> Vec<Tree<C::Split>> {
        use rayon::prelude::*;
        let count = (numbers.end - numbers.start) as usize;
        (0..count)
            .into_par_iter()
            .map_init(
                || Grower::new(self, cutter()),
                |grower, i| grower.tree(numbers.start + i as u64),
            )
            .collect()
    }
}

/// Grows one tree after another in the same memory.
struct Grower<'a, C> {
    growth: &'a Growth<'a>,
    sample: Sample<'a>,
    /// Where the rows begin in the sample.
    rows: Vec<u32>,
    columns: Vec<u32>,
    cutter: C,
}

impl<'a, C: Cutter> Grower<'a, C> {
    fn new(growth: &'a Growth<'a>, cutter: C) -> Self {
        let sample = Sample::new(growth.source, growth.sample_size);
        Self { growth, sample, rows: Vec::new(), columns: Vec::new(), cutter }
    }

    fn tree(&mut self, number: u64) -> Tree<C::Split> {
        let Growth { sample_size, max_depth, seed, .. } = *self.growth;
        // Every tree has random numbers of its own, so that the order of growing does not matter.
        let mut rng = Pcg64Mcg::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.sample.draw(&mut rng, sample_size, &mut self.rows);
        self.cutter.renew(&self.rows);
        let d = self.sample.columns().len();
        self.columns.clear();
        self.columns.extend(0..d as u32);
        let mut growing = Growing {
            cutter: &mut self.cutter,
            sample: &self.sample,
            columns: &mut self.columns,
            rng,
            tree: Tree::root(sample_size as u32),
        };
        growing.grow(0, &mut self.rows, max_depth, d);
        growing.tree
    }
}

/// A tree that is being grown.
struct Growing<'g, 'a, C: Cutter> {
    cutter: &'g mut C,
    sample: &'g Sample<'a>,
    columns: &'g mut [u32],
    rng: Pcg64Mcg,
    tree: Tree<C::Split>,
}

impl<C: Cutter> Growing<'_, '_, C> {
    /// Grows the subtree of the node at `at` on `rows`, of which only the first `varying` columns may vary.
    fn grow(&mut self, at: usize, rows: &mut [u32], depth_left: usize, varying: usize) {
        if depth_left == 0 || rows.len() < 2 {
            return;
        }
        let mut front = Front { columns: self.columns, varying };
        let terms = &mut self.tree.terms;
        let cut = self.cutter.cut(self.sample, rows, &mut front, &mut self.rng, terms);
        let varying = front.varying;
        let Some((split, middle)) = cut else { return };
        let (left, right) = rows.split_at_mut(middle);
        let child = self.tree.divide(at, split, left.len() as u32, right.len() as u32);
        self.grow(child, left, depth_left - 1, varying);
        self.grow(child + 1, right, depth_left - 1, varying);
    }
}
