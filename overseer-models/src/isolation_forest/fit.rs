//! Growing the trees.

use super::forest::{IsolationForest, Node, Tree, average_path};
use super::{IsolationForestBuilder, IsolationForestParams};
use ndarray::ArrayView2;
use overseer_core::{Error, Result};
use rand::{RngExt, SeedableRng, seq::index};
use rand_pcg::Pcg64Mcg;

impl IsolationForestParams {
    /// Grows a forest on `rows`, one sample a row and one feature a column; NaN is missing.
    ///
    /// # Errors
    /// If there is no row or no column ([`Error::is_not_enough_data`]), or a value is infinite, which names its row
    /// and column counted from 0.
    pub fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<IsolationForest> {
        let (n, d) = rows.dim();
        let usable = n.min(d);
        if usable == 0 {
            return Err(Error::not_enough_data("an isolation forest", 1, 0));
        }
        if let Some(((row, column), _)) = rows.indexed_iter().find(|(_, v)| v.is_infinite()) {
            return Err(infinite(row, column));
        }
        let values = rows.as_standard_layout();
        let values = values.as_slice().unwrap_or_default();
        let IsolationForestBuilder { trees, sample_size, max_depth, min_span, seed } = self.0;
        let psi = sample_size.min(n);
        let balanced = psi.next_power_of_two().trailing_zeros().max(1) as usize;
        let max_depth = max_depth.unwrap_or(balanced);

        let grown = (0..trees as u64).map(|number| {
            // Every tree has random numbers of its own, so that the order of growing does not matter.
            let mut rng =
                Pcg64Mcg::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let mut sample = index::sample(&mut rng, n, psi).into_vec();
            let columns = (0..d as u32).collect();
            let tree = Tree::default();
            let mut grower = Grower { values, d, max_depth, min_span, rng, columns, tree };
            grower.tree.push_unfinished();
            grower.grow(0, &mut sample, 0, d);
            grower.tree
        });
        Ok(IsolationForest::from_trees(d, psi, grown))
    }
}

/// The error of an infinite value.
pub(super) fn infinite(row: usize, column: usize) -> Error {
    Error::invalid_value(format!("row {row}, column {column}"), "the value is infinite")
}

struct Grower<'a> {
    values: &'a [f64],
    d: usize,
    max_depth: usize,
    min_span: f64,
    rng: Pcg64Mcg,
    /// All features. At every node those that may still vary stand in front, and their number is passed down.
    columns: Vec<u32>,
    tree: Tree,
}

impl Grower<'_> {
    fn value(&self, row: usize, column: u32) -> f64 {
        self.values[row * self.d + column as usize]
    }

    /// Grows the subtree of the node at `at` on `rows`, of which only the first `varying` columns may vary.
    fn grow(&mut self, at: usize, rows: &mut [usize], depth: usize, varying: usize) {
        self.tree.sizes[at] = rows.len() as u32;
        let split = if depth < self.max_depth { self.draw_split(rows, varying) } else { None };
        let Some(Split { column, threshold, varying }) = split else {
            self.tree.nodes[at] = Node::leaf(depth as f64 + average_path(rows.len()));
            return;
        };
        let known = rows.iter().filter(|&&r| !self.value(r, column).is_nan()).count();
        let right = rows.iter().filter(|&&r| self.value(r, column) >= threshold).count();
        let missing_right = 2 * right > known;
        let child = self.tree.push_unfinished();
        self.tree.push_unfinished();
        let node = Node::split(column, threshold, child as u32, missing_right);
        self.tree.nodes[at] = node;

        let mut middle = 0;
        for i in 0..rows.len() {
            if !node.goes_right(self.value(rows[i], column)) {
                rows.swap(i, middle);
                middle += 1;
            }
        }
        let (left, right) = rows.split_at_mut(middle);
        self.grow(child, left, depth + 1, varying);
        self.grow(child + 1, right, depth + 1, varying);
    }

    /// Draws a feature that varies among `rows` and a threshold that leaves rows on both sides; `None` if none varies.
    fn draw_split(&mut self, rows: &[usize], mut varying: usize) -> Option<Split> {
        while varying > 0 && rows.len() > 1 {
            let drawn = self.rng.random_range(0..varying as u32) as usize;
            let column = self.columns[drawn];
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for &row in rows {
                // `min` and `max` pass over NaN.
                let value = self.value(row, column);
                low = low.min(value);
                high = high.max(value);
            }
            if high > low && high - low > self.min_span {
                let u: f64 = self.rng.random();
                let drawn = low + u * (high - low);
                // Rounding may leave the drawn value on the lower edge, or outside when the span overflows.
                let threshold = if drawn > low && drawn <= high { drawn } else { high };
                return Some(Split { column, threshold, varying });
            }
            // Constant here is constant in the whole subtree.
            varying -= 1;
            self.columns.swap(drawn, varying);
        }
        None
    }
}

struct Split {
    column: u32,
    threshold: f64,
    varying: usize,
}
