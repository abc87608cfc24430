//! Growing one tree: which column and threshold leave the least squared error, node by node.

use super::RandomForestParams;
use super::bins::{Bins, MISSING};
use super::nodes::{Node, Trees};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

const BINS: usize = MISSING as usize + 1;

/// What all trees of a forest share while they grow.
pub(super) struct Plot<'a> {
    pub(super) params: &'a RandomForestParams,
    pub(super) bins: &'a Bins,
    /// Centred and scaled targets, row-major.
    pub(super) y: &'a [f64],
    pub(super) targets: usize,
    /// Columns that can be split.
    pub(super) columns: Vec<u32>,
    /// How many columns a split looks at.
    pub(super) per_split: usize,
}

/// The best split of a node.
#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    column: u32,
    /// The last bin on the left.
    bin: usize,
    missing_left: bool,
}

/// Memory and randomness of the tree that is growing, reused from tree to tree.
pub(super) struct Grower<'a> {
    plot: &'a Plot<'a>,
    /// The columns in the order they are drawn.
    columns: Vec<u32>,
    /// How often the bootstrap drew each row.
    pub(super) weights: Vec<u32>,
    /// Targets times weights.
    weighted: Vec<f64>,
    /// The rows drawn at least once; a node is a range of it.
    rows: Vec<u32>,
    counts: [u32; BINS],
    sums: Vec<f64>,
    /// Sums of the node, and of the left side during a scan.
    total: Vec<f64>,
    left: Vec<f64>,
}

/// A node that is still to be split or closed.
struct Open {
    node: usize,
    from: usize,
    to: usize,
    depth: usize,
}

impl<'a> Grower<'a> {
    pub(super) fn new(plot: &'a Plot<'a>) -> Self {
        let rows = plot.y.len() / plot.targets;
        Self {
            plot,
            columns: plot.columns.clone(),
            weights: vec![0; rows],
            weighted: vec![0.0; plot.y.len()],
            rows: Vec::with_capacity(rows),
            counts: [0; BINS],
            sums: vec![0.0; BINS * plot.targets],
            total: vec![0.0; plot.targets],
            left: vec![0.0; plot.targets],
        }
    }

    /// Draws a bootstrap sample, grows a tree on it at the end of `trees`, and adds each split's gain to its column.
    pub(super) fn grow(&mut self, rng: &mut Pcg64Mcg, trees: &mut Trees, gains: &mut [f64]) {
        self.draw(rng);
        self.columns.copy_from_slice(&self.plot.columns);
        trees.roots.push(trees.nodes.len() as u32);
        let mut open =
            vec![Open { node: trees.nodes.len(), from: 0, to: self.rows.len(), depth: 0 }];
        trees.nodes.push(Node::leaf(0));
        while let Some(Open { node, from, to, depth }) = open.pop() {
            let split = if depth < self.plot.params.max_depth {
                self.best_split(rng, from, to)
            } else {
                None
            };
            let Some(split) = split else {
                trees.nodes[node] = Node::leaf(trees.leaf_starts.len() as u32 - 1);
                self.close_leaf(trees, from, to);
                continue;
            };
            gains[split.column as usize] += split.gain;
            let middle = self.partition(split, from, to);
            let left = trees.nodes.len();
            let threshold = self.plot.bins.threshold(split.column as usize, split.bin);
            trees.nodes[node] =
                Node::split(split.column, threshold, split.missing_left, left as u32);
            trees.nodes.extend([Node::leaf(0); 2]);
            // The left side is closed first: it lies on top of the stack.
            open.push(Open { node: left + 1, from: middle, to, depth: depth + 1 });
            open.push(Open { node: left, from, to: middle, depth: depth + 1 });
        }
    }

    fn draw(&mut self, rng: &mut Pcg64Mcg) {
        let n = self.weights.len();
        self.weights.fill(0);
        for _ in 0..n {
            self.weights[rng.random_range(0..n)] += 1;
        }
        self.rows.clear();
        self.rows.extend((0..n as u32).filter(|&r| self.weights[r as usize] > 0));
        let k = self.plot.targets;
        for (row, &weight) in self.weights.iter().enumerate() {
            for t in row * k..(row + 1) * k {
                self.weighted[t] = f64::from(weight) * self.plot.y[t];
            }
        }
    }

    fn close_leaf(&mut self, trees: &mut Trees, from: usize, to: usize) {
        let rows = &mut self.rows[from..to];
        rows.sort_unstable();
        for &row in rows.iter() {
            let times = self.weights[row as usize] as usize;
            trees.leaf_rows.extend(std::iter::repeat_n(row, times));
        }
        trees.leaf_starts.push(trees.leaf_rows.len() as u32);
    }

    /// The best split over the columns drawn for this node; `None` if the node is pure or too small.
    fn best_split(&mut self, rng: &mut Pcg64Mcg, from: usize, to: usize) -> Option<Split> {
        let k = self.plot.targets;
        let mut count = 0;
        let mut squares = 0.0;
        self.total.fill(0.0);
        for &row in &self.rows[from..to] {
            let weight = self.weights[row as usize];
            count += weight;
            let at = row as usize * k;
            for t in 0..k {
                let value = self.plot.y[at + t];
                self.total[t] += self.weighted[at + t];
                squares += f64::from(weight) * value * value;
            }
        }
        if to - from < 2 || (count as usize) < self.plot.params.min_leaf.saturating_mul(2) {
            return None;
        }
        let score = sum_of_squares(&self.total) / f64::from(count);
        let impurity = squares - score;
        // What is left after rounding is not worth a split.
        if impurity <= 1e-12 * squares {
            return None;
        }
        let mut best: Option<Split> = None;
        for drawn in 0..self.columns.len() {
            if drawn >= self.plot.per_split && best.is_some() {
                break;
            }
            let swap = rng.random_range(drawn..self.columns.len());
            self.columns.swap(drawn, swap);
            let floor = best.map_or(1e-10 * impurity, |b| b.gain);
            if let Some(split) =
                self.best_threshold(self.columns[drawn], from, to, count, score, floor)
            {
                best = Some(split);
            }
        }
        best
    }

    /// The best threshold of one column, if it gains more than `floor`.
    fn best_threshold(
        &mut self,
        column: u32,
        from: usize,
        to: usize,
        count: u32,
        score: f64,
        floor: f64,
    ) -> Option<Split> {
        let k = self.plot.targets;
        let mut occupied = self.fill_histogram(column, from, to);
        let missing_count =
            if occupied >> MISSING == 1 { self.counts[MISSING as usize] } else { 0 };
        occupied &= !(1 << MISSING);
        let min_leaf = self.plot.params.min_leaf as u32;
        self.left.fill(0.0);
        let mut left_count = 0;
        let mut best: Option<Split> = None;
        while occupied != 0 {
            let bin = occupied.trailing_zeros() as usize;
            occupied &= occupied - 1;
            left_count += self.counts[bin];
            for (left, sum) in self.left.iter_mut().zip(&self.sums[bin * k..]) {
                *left += sum;
            }
            // Missing values are tried on the right, then on the left.
            for missing_left in [false, true] {
                if missing_left && missing_count == 0 {
                    break;
                }
                let on_left = left_count + if missing_left { missing_count } else { 0 };
                let on_right = count - on_left;
                if on_left < min_leaf || on_right < min_leaf {
                    continue;
                }
                let (mut left_squares, mut right_squares) = (0.0, 0.0);
                for t in 0..k {
                    let missing =
                        if missing_left { self.sums[MISSING as usize * k + t] } else { 0.0 };
                    let left = self.left[t] + missing;
                    let right = self.total[t] - left;
                    left_squares += left * left;
                    right_squares += right * right;
                }
                let gain =
                    left_squares / f64::from(on_left) + right_squares / f64::from(on_right) - score;
                if gain > best.map_or(floor, |b: Split| b.gain) {
                    // With every known value of the node on the left, larger ones belong there too.
                    let bin =
                        if occupied == 0 { self.plot.bins.last(column as usize) } else { bin };
                    // Where nothing was missing, the larger side is the likelier one.
                    let missing_left =
                        if missing_count > 0 { missing_left } else { on_left >= on_right };
                    best = Some(Split { gain, column, bin, missing_left });
                }
            }
        }
        best
    }

    /// Adds the node's rows up by their bin; says which bins are occupied. Others hold leftovers.
    fn fill_histogram(&mut self, column: u32, from: usize, to: usize) -> u64 {
        let k = self.plot.targets;
        let codes = self.plot.bins.column(column as usize);
        let mut occupied = 0_u64;
        for &row in &self.rows[from..to] {
            let bin = codes[row as usize] as usize;
            let values = &self.weighted[row as usize * k..][..k];
            let sums = &mut self.sums[bin * k..][..k];
            if occupied & (1 << bin) == 0 {
                occupied |= 1 << bin;
                self.counts[bin] = self.weights[row as usize];
                sums.copy_from_slice(values);
            } else {
                self.counts[bin] += self.weights[row as usize];
                for (s, v) in sums.iter_mut().zip(values) {
                    *s += v;
                }
            }
        }
        occupied
    }

    /// Brings the left side's rows to the front of the range; says where the right side begins.
    fn partition(&mut self, split: Split, from: usize, to: usize) -> usize {
        let codes = self.plot.bins.column(split.column as usize);
        let mut middle = from;
        for i in from..to {
            let code = codes[self.rows[i] as usize];
            let left =
                if code == MISSING { split.missing_left } else { code as usize <= split.bin };
            if left {
                self.rows.swap(i, middle);
                middle += 1;
            }
        }
        middle
    }
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum()
}
