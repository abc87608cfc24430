//! Growing one tree: node by node the split that leaves the least squared error.

use super::RandomForestParams;
use super::bins::{Bins, Code};
use super::draws::Draws;
use super::partition::{partition, partition_with};
use super::split::{Best, Finder, Judge, Part, Place, is_over};
use super::store::mean;
use super::targets::{Packed, Targets};
use crate::walk::{Node, Packing};
use ndarray::ArrayView2;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What all trees of a forest share while they grow.
pub(super) struct Plot<'a, C> {
    pub(super) params: &'a RandomForestParams,
    pub(super) bins: &'a Bins<C>,
    pub(super) targets: &'a Targets,
    /// The targets as given.
    pub(super) y: &'a ArrayView2<'a, f64>,
    /// Columns that can be split.
    pub(super) columns: Vec<u32>,
    /// How many columns a split looks at.
    pub(super) per_split: usize,
    pub(super) packing: Packing,
}

/// A grown tree by itself: leaves count from 0.
#[derive(Debug, Default)]
pub(super) struct Grown {
    pub(super) nodes: Vec<Node>,
    /// Where each leaf's rows end.
    pub(super) leaf_ends: Vec<u32>,
    /// The rows of each leaf in ascending order, repeated as often as the bootstrap drew them.
    pub(super) leaf_rows: Vec<u32>,
    /// The mean targets of each leaf's rows.
    pub(super) leaf_means: Vec<f64>,
    /// By how much the splits on each column reduced the squared error.
    pub(super) gains: Vec<f64>,
    /// The rows that the bootstrap left out, each with the leaf it reaches.
    pub(super) left_out: Vec<(u32, u32)>,
}

/// A node that is still to be split or closed: its place, and its ranges of the rows drawn and of those left out.
struct Open {
    node: usize,
    depth: usize,
    rows: std::ops::Range<usize>,
    out: std::ops::Range<usize>,
}

/// Memory of the tree that is growing, reused from tree to tree.
pub(super) struct Grower<'a, C, F> {
    plot: &'a Plot<'a, C>,
    finder: F,
    judge: Judge<'a>,
    rng: Pcg64Mcg,
    draws: Draws,
    /// How often the bootstrap drew each row.
    weights: Vec<u32>,
    /// The rows drawn at least once, and their targets; a node is a range of them.
    rows: Vec<u32>,
    values: Vec<Packed>,
    /// The targets of the node at hand, centred.
    centred: Vec<Packed>,
    /// The rows left out.
    out: Vec<u32>,
    open: Vec<Open>,
    /// The sums of the open nodes, last on top.
    sums: Vec<Packed>,
    spare_rows: Vec<u32>,
    spare_values: Vec<Packed>,
    grown: Grown,
}

impl<'a, C: Code, F: Finder<C>> Grower<'a, C, F> {
    pub(super) fn new(plot: &'a Plot<'a, C>, finder: F) -> Self {
        let rows = plot.y.nrows();
        Self {
            plot,
            finder,
            judge: Judge::new(plot.targets, rows, plot.params.min_leaf),
            rng: Pcg64Mcg::seed_from_u64(0),
            draws: Draws::of(plot.columns.clone()),
            weights: vec![0; rows],
            rows: Vec::with_capacity(rows),
            values: Vec::with_capacity(rows * plot.targets.width),
            centred: Vec::with_capacity(rows * plot.targets.width),
            out: Vec::with_capacity(rows),
            open: Vec::new(),
            sums: Vec::new(),
            spare_rows: vec![0; rows],
            spare_values: vec![0; rows * plot.targets.width],
            grown: Grown::default(),
        }
    }

    /// Draws a bootstrap sample and grows the tree of this number on it.
    pub(super) fn grow(&mut self, tree: usize) -> Grown {
        // Each tree has a stream of its own, so that its randomness does not hang on the trees before it.
        let stream = self.plot.params.seed ^ (tree as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.rng = Pcg64Mcg::seed_from_u64(stream);
        self.grown = Grown { gains: vec![0.0; self.plot.bins.width()], ..Grown::default() };
        self.draw();
        self.grown.nodes.push(Node::leaf(0));
        let (rows, out) = (0..self.rows.len(), 0..self.out.len());
        self.open.push(Open { node: 0, depth: 0, rows, out });
        while let Some(open) = self.open.pop() {
            let sums = self.sums.len() - self.plot.targets.width;
            let deep = open.depth >= self.plot.params.max_depth;
            let best = if deep { None } else { self.best_split(&open, sums) };
            self.sums.truncate(sums);
            match best {
                Some(best) => self.split(open, best),
                None => self.close(&open),
            }
        }
        std::mem::take(&mut self.grown)
    }

    /// The bootstrap sample, and its sums as those of the first open node.
    fn draw(&mut self) {
        let targets = self.plot.targets;
        let n = self.weights.len();
        self.weights.fill(0);
        for _ in 0..n {
            self.weights[self.rng.random_range(0..n as u32) as usize] += 1;
        }
        self.rows.clear();
        self.out.clear();
        self.values.clear();
        for (row, &weight) in self.weights.iter().enumerate() {
            let row = row as u32;
            if weight == 0 {
                self.out.push(row);
            } else {
                self.rows.push(row);
                targets.append(row, weight, &mut self.values);
            }
        }
        self.sums.clear();
        self.sums.resize(targets.width, 0);
        for values in self.values.chunks_exact(targets.width) {
            self.sums.iter_mut().zip(values).for_each(|(s, v)| *s += v);
        }
    }

    /// The best split over the columns drawn for this node, whose sums begin at the place `sums`; `None` if the node is
    /// pure or too small.
    fn best_split(&mut self, open: &Open, sums: usize) -> Option<Best> {
        let plot = self.plot;
        let total = &self.sums[sums..];
        let large = self.judge.turn_to(plot.targets.count(total[0]));
        let rows = &self.rows[open.rows.clone()];
        if !large || plot.targets.all_equal(rows) {
            return None;
        }
        let width = plot.targets.width;
        let values = &self.values[open.rows.start * width..open.rows.end * width];
        let unit = plot.targets.centre(total, values, &mut self.centred);
        let part = Part { rows, values: &self.centred };
        self.judge.take_note(part);
        let bound = self.finder.bound(part, &self.judge);
        let mut best = Best::NONE;
        self.draws.begin(self.rng.random());
        let mut drawn = 0;
        while drawn < plot.per_split || !best.is_some() {
            let Some(column) = self.draws.next() else { break };
            drawn += 1;
            self.finder.look(plot.bins, part, &self.judge, column, &mut best);
            if is_over(&best, bound) {
                break;
            }
        }
        best.is_some().then_some(Best { gain: best.gain * unit, ..best })
    }

    fn split(&mut self, open: Open, best: Best) {
        let plot = self.plot;
        let Place { column, left: from, right: to, missing_left } = best.place;
        let cut = plot.bins.cut(column, from, to);
        self.grown.gains[column as usize] += best.gain;
        let left = self.grown.nodes.len();
        let slot = plot.bins.columns.slot(column as usize, !missing_left);
        let threshold = plot.bins.threshold(column, cut);
        self.grown.nodes[open.node] = plot.packing.split(slot, threshold, left - open.node);
        self.grown.nodes.extend([Node::leaf(0); 2]);

        // From where the search has just read.
        let (codes, stride) = plot.bins.codes(column, open.rows.len());
        let goes_left = |row: u32| {
            let code = codes[row as usize * stride];
            if code == C::MISSING { missing_left } else { code.number() <= cut }
        };
        let middle = open.rows.start + self.part_rows(open.rows.clone(), goes_left);
        let spare = &mut self.spare_rows;
        let out = &mut self.out[open.out.clone()];
        let middle_out = open.out.start + partition(out, spare, |&row| goes_left(row));
        let depth = open.depth + 1;
        let Open { rows, out, .. } = open;
        // The left side is closed first: it lies on top of the stack.
        let sides = [
            (left + 1, middle..rows.end, middle_out..out.end),
            (left, rows.start..middle, out.start..middle_out),
        ];
        for (node, rows, out) in sides {
            let width = plot.targets.width;
            let at = self.sums.len();
            self.sums.resize(at + width, 0);
            for values in self.values[rows.start * width..rows.end * width].chunks_exact(width) {
                self.sums[at..].iter_mut().zip(values).for_each(|(s, v)| *s += v);
            }
            self.open.push(Open { node, depth, rows, out });
        }
    }

    /// Brings the rows of the left side, with their targets, to the front of a range; says how many they are.
    fn part_rows(
        &mut self,
        range: std::ops::Range<usize>,
        goes_left: impl Fn(u32) -> bool + Copy,
    ) -> usize {
        let width = self.plot.targets.width;
        let rows = &mut self.rows[range.clone()];
        let values = &mut self.values[range.start * width..range.end * width];
        if width == 1 {
            partition_with(rows, values, &mut self.spare_rows, &mut self.spare_values, goes_left)
        } else {
            let (mut left, mut right) = (0, 0);
            for (i, &row) in rows.iter().enumerate() {
                let value = i * width..(i + 1) * width;
                if goes_left(row) {
                    values.copy_within(value, left * width);
                    left += 1;
                } else {
                    self.spare_values[right * width..(right + 1) * width]
                        .copy_from_slice(&values[value]);
                    right += 1;
                }
            }
            values[left * width..].copy_from_slice(&self.spare_values[..right * width]);
            partition(rows, &mut self.spare_rows, |&row| goes_left(row))
        }
    }

    /// Makes the node a leaf of its rows.
    fn close(&mut self, open: &Open) {
        let grown = &mut self.grown;
        let leaf = grown.leaf_ends.len() as u32;
        grown.nodes[open.node] = Node::leaf(leaf);
        let from = grown.leaf_rows.len();
        for &row in &self.rows[open.rows.clone()] {
            let times = self.weights[row as usize] as usize;
            grown.leaf_rows.extend(std::iter::repeat_n(row, times));
        }
        grown.leaf_ends.push(grown.leaf_rows.len() as u32);
        let held = &grown.leaf_rows[from..];
        for target in 0..self.plot.targets.width {
            grown.leaf_means.push(mean(held, |row| self.plot.y[(row, target)]));
        }
        grown.left_out.extend(self.out[open.out.clone()].iter().map(|&row| (row, leaf)));
    }
}
