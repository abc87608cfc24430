//! Columns as small numbers: each value becomes the number of its bin, so that the best split of a node is found by
//! adding up a short histogram instead of sorting.

use crate::walk::Columns;
use ndarray::ArrayView2;

/// The number of a bin: `u8` for columns cut into quantiles, `u32` where every distinct value keeps a bin of its own.
pub(super) trait Code: Copy + Eq + Send + Sync {
    /// The bin of missing values, above all others.
    const MISSING: Self;
    /// How many bins a column is cut into at most.
    const MOST: usize;
    /// The bin of this number, which is below that of [`Code::MISSING`].
    fn of(number: usize) -> Self;
    /// Its number.
    fn number(self) -> usize;
}

impl Code for u8 {
    const MISSING: Self = Self::MAX;
    const MOST: usize = 255;
    fn of(number: usize) -> Self {
        number as Self
    }
    fn number(self) -> usize {
        usize::from(self)
    }
}

impl Code for u32 {
    const MISSING: Self = Self::MAX;
    const MOST: usize = usize::MAX;
    fn of(number: usize) -> Self {
        number as Self
    }
    fn number(self) -> usize {
        self as usize
    }
}

/// A binned matrix.
#[derive(Debug)]
pub(super) struct Bins<C> {
    /// Column after column, one bin per row: for nodes of many rows, which read one column.
    by_column: Vec<C>,
    /// Row after row: for nodes of few rows, which read all of them.
    by_row: Vec<C>,
    rows: usize,
    /// For each column the upper ends of its bins but the last, as keys.
    ends: Vec<Vec<u32>>,
    has_missing: Vec<bool>,
    pub(super) columns: Columns,
}

impl<C: Code> Bins<C> {
    /// Cuts the columns of `x`, whose values are finite or NaN.
    pub(super) fn new(x: &ArrayView2<'_, f64>) -> Self {
        let (rows, width) = x.dim();
        let columns = Columns::new(x.columns().into_iter().map(|c| middle(c.iter())).collect());
        let mut bins = Self {
            by_column: Vec::with_capacity(rows * width),
            by_row: vec![C::MISSING; rows * width],
            rows,
            ends: Vec::with_capacity(width),
            has_missing: Vec::with_capacity(width),
            columns,
        };
        let (mut keys, mut known) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (number, column) in x.columns().into_iter().enumerate() {
            keys.clear();
            keys.extend(column.iter().map(|&v| (!v.is_nan()).then(|| bins.columns.key(number, v))));
            known.clear();
            known.extend(keys.iter().copied().flatten());
            known.sort_unstable();
            let ends = bin_ends(&known, C::MOST, &|a, b| middle_key(&bins.columns, number, a, b));
            for (row, key) in keys.iter().enumerate() {
                let code = key.map_or(C::MISSING, |key| C::of(ends.partition_point(|&e| e < key)));
                bins.by_column.push(code);
                bins.by_row[row * width + number] = code;
            }
            bins.ends.push(ends);
            bins.has_missing.push(known.len() < rows);
        }
        bins
    }

    /// The bins of one column, row after row.
    pub(super) fn column(&self, column: u32) -> &[C] {
        &self.by_column[column as usize * self.rows..][..self.rows]
    }

    /// The bins of a column for a node of so many rows, and how far apart those of two rows are.
    ///
    /// Few rows are read with all their columns, which stay near while the node is looked at. Of many rows one column
    /// is read, unless it is so long that it would not stay near.
    #[inline]
    pub(super) fn codes(&self, column: u32, rows: usize) -> (&[C], usize) {
        if rows <= 64 || (rows <= 512 && self.rows > 4096) {
            (&self.by_row[column as usize..], self.width())
        } else {
            (self.column(column), 1)
        }
    }

    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.ends.len()
    }

    /// How many bins of known values a column has.
    pub(super) fn count(&self, column: u32) -> usize {
        self.ends[column as usize].len() + 1
    }

    /// Whether a column has missing values.
    pub(super) fn has_missing(&self, column: u32) -> bool {
        self.has_missing[column as usize]
    }

    /// The last bin on the left of a split of rows of which none are between the bins `left` and `right`: the middle one
    /// of those between, so that bending a column by an increasing function moves no row to the other side. If there
    /// is nothing on the right, larger values belong on the left as well.
    pub(super) fn cut(&self, column: u32, left: usize, right: Option<usize>) -> usize {
        right.map_or_else(|| self.count(column) - 1, |right| left.midpoint(right - 1))
    }

    /// The key up to which values belong to the bins up to `bin`, which may be the last.
    pub(super) fn threshold(&self, column: u32, bin: usize) -> u32 {
        let ends = &self.ends[column as usize];
        // Every known value is below the end of the last bin.
        ends.get(bin).copied().unwrap_or_else(|| self.columns.key(column as usize, f64::MAX))
    }

    /// The columns that hold more than one bin and so can be split.
    pub(super) fn splittable(&self) -> Vec<u32> {
        let varies = |column: &u32| {
            let codes = self.column(*column);
            codes.iter().any(|&code| code != codes[0])
        };
        (0..self.width() as u32).filter(varies).collect()
    }
}

/// The median of at most 63 known values, evenly spaced among the rows; 0 if there are none.
fn middle<'a>(values: impl ExactSizeIterator<Item = &'a f64>) -> f64 {
    let step = values.len().div_ceil(63).max(1);
    let mut some: Vec<f64> = values.step_by(step).copied().filter(|v| !v.is_nan()).collect();
    some.sort_unstable_by(f64::total_cmp);
    some.get(some.len() / 2).copied().unwrap_or(0.0)
}

/// The key in the middle between two values, at least `a` and below `b`.
fn middle_key(columns: &Columns, column: usize, a: u32, b: u32) -> u32 {
    let value = columns.value(column, a) / 2.0 + columns.value(column, b) / 2.0;
    columns.key(column, value).clamp(a, b - 1)
}

/// Cuts ascending keys into at most `most` bins, never between equal ones; `between` gives the end of a bin whose last
/// key and the next one's first are given. With no more distinct keys than bins each has a bin of its own.
///
/// Bins hold fewer rows the nearer they are to either end of the order, by a factor of 13 between middle and ends: what
/// lies far out is what matters most to squared errors, and quantile bins of equal counts would merge it with the
/// ordinary. A key so frequent that it fills a bin alone does not take bins from the others: what is left of the rows
/// is shared among the bins that are left.
fn bin_ends(sorted: &[u32], most: usize, between: &dyn Fn(u32, u32) -> u32) -> Vec<u32> {
    // The share of bins that belongs to the lowest rows: the integral of 1 / (r + c) + 1 / (1 - r + c).
    const C: f64 = 0.02;
    let n = sorted.len() as f64;
    let place = |rows: usize| {
        let r = rows as f64 / n;
        ((r + C) / (1.0 - r + C)).ln()
    };
    let distinct = 1 + sorted.windows(2).filter(|w| w[0] != w[1]).count();
    let (mut ends, mut runs_left, mut seen) = (Vec::new(), distinct, 0);
    let (mut in_bin, mut left) = (0.0, place(sorted.len()) - place(0));
    for run in sorted.chunk_by(|a, b| a == b) {
        in_bin += place(seen + run.len()) - place(seen);
        seen += run.len();
        let bins_left = most - ends.len();
        let full = runs_left <= bins_left || in_bin * bins_left as f64 >= left;
        runs_left -= 1;
        if let (true, Some(&next)) = (full && bins_left > 1, sorted.get(seen)) {
            ends.push(between(run[0], next));
            left -= in_bin;
            in_bin = 0.0;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    #[test]
    fn few_distinct_values_are_kept_apart_and_missing_has_its_own_bin() {
        let bins = Bins::<u8>::new(&array![[2.0], [f64::NAN], [1.0], [2.0], [4.0]].view());
        assert_eq!(bins.column(0), [1, u8::MISSING, 0, 1, 2]);
        assert_eq!(bins.by_row, bins.column(0));
        let end = |bin| bins.columns.value(0, bins.threshold(0, bin));
        assert_eq!((end(0), end(1)), (1.5, 3.0));
    }

    #[test]
    fn a_frequent_value_leaves_the_other_bins_to_the_rest() {
        let column =
            Array2::from_shape_fn((5_000, 1), |(i, _)| if i < 4_900 { 0.0 } else { i as f64 });
        let bins = Bins::<u8>::new(&column.view());
        assert_eq!(bins.count(0), 101);
        assert_eq!(bins.column(0).iter().filter(|&&b| b == 0).count(), 4_900);
    }

    #[test]
    fn outermost_values_have_finer_bins_than_ordinary_ones() {
        let column = Array2::from_shape_fn((20_000, 1), |(i, _)| i as f64);
        let bins = Bins::<u8>::new(&column.view());
        let rows_in = |bin: u8| bins.column(0).iter().filter(|&&b| b == bin).count();
        assert_eq!(bins.count(0), 255);
        assert!(rows_in(0) < 20 && rows_in(254) < 20 && rows_in(127) > 100);
    }

    #[test]
    fn columns_of_one_value_cannot_be_split() {
        let bins = Bins::<u8>::new(&array![[1.0, f64::NAN, 1.0], [1.0, f64::NAN, f64::NAN]].view());
        assert_eq!(bins.splittable(), [2]);
    }

    proptest! {
        #[test]
        fn bins_keep_the_order_and_thresholds_agree_with_them(
            values in proptest::collection::vec(
                prop_oneof![-3.0..3.0f64, Just(0.0), Just(f64::MAX), Just(f64::MIN)], 1..700)
        ) {
            let x = Array2::from_shape_vec((values.len(), 1), values.clone()).unwrap();
            let bins = Bins::<u8>::new(&x.view());
            let exact = Bins::<u32>::new(&x.view());
            for (i, &value) in values.iter().enumerate() {
                let code = bins.column(0)[i].number();
                let key = bins.columns.key(0, value);
                prop_assert!(code < u8::MISSING.number());
                prop_assert!(key <= bins.threshold(0, code));
                prop_assert!(code == 0 || key > bins.threshold(0, code - 1));
                for (j, &other) in values.iter().enumerate() {
                    let (a, b) = (exact.column(0)[i], exact.column(0)[j]);
                    prop_assert!(bins.columns.key(0, other) != key || a == b);
                    prop_assert!(a >= b || value < other);
                }
            }
        }
    }
}
