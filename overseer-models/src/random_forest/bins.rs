//! Columns as small numbers: each value becomes the number of its quantile bin, so that the best split of a node is
//! found by adding up a short histogram instead of sorting.

use ndarray::ArrayView2;

/// The bin of missing values; known values take the bins below it. 64 in all, so that one `u64` says which bins of a
/// node are occupied.
pub(super) const MISSING: u8 = 63;

/// A binned matrix.
#[derive(Debug)]
pub(super) struct Bins {
    /// Column after column, one bin per row.
    codes: Vec<u8>,
    rows: usize,
    /// For each column the upper ends of its bins: a value belongs to the first bin whose end is not below it. The
    /// last bin's end is [`f64::MAX`].
    ends: Vec<Vec<f64>>,
}

impl Bins {
    pub(super) fn new(x: &ArrayView2<'_, f64>) -> Self {
        let (rows, columns) = x.dim();
        let mut codes = Vec::with_capacity(rows * columns);
        let mut ends = Vec::with_capacity(columns);
        for column in x.columns() {
            let mut known: Vec<f64> = column.iter().copied().filter(|v| !v.is_nan()).collect();
            known.sort_unstable_by(f64::total_cmp);
            let column_ends = bin_ends(&known);
            codes.extend(column.iter().map(|&v| {
                if v.is_nan() { MISSING } else { column_ends.partition_point(|&end| end < v) as u8 }
            }));
            ends.push(column_ends);
        }
        Self { codes, rows, ends }
    }

    /// The bins of one column, row after row.
    pub(super) fn column(&self, column: usize) -> &[u8] {
        &self.codes[column * self.rows..(column + 1) * self.rows]
    }

    /// The threshold that has the bins up to `bin` on its left (`value <= threshold`).
    pub(super) fn threshold(&self, column: usize, bin: usize) -> f64 {
        self.ends[column][bin]
    }

    /// The last bin of known values of a column that has any.
    pub(super) fn last(&self, column: usize) -> usize {
        self.ends[column].len() - 1
    }

    /// The columns that hold more than one bin and so can be split.
    pub(super) fn splittable(&self) -> Vec<u32> {
        (0..self.ends.len())
            .filter(|&c| {
                let codes = self.column(c);
                codes.iter().any(|&b| b != codes[0])
            })
            .map(|c| c as u32)
            .collect()
    }
}

/// Cuts ascending values into at most 63 bins of about equal counts, never between equal values.
///
/// A value so frequent that it fills a bin alone does not take resolution from the others: what is left is shared
/// among the bins that are left.
fn bin_ends(sorted: &[f64]) -> Vec<f64> {
    let runs: Vec<&[f64]> = sorted.chunk_by(|a, b| a == b).collect();
    let mut ends = Vec::new();
    let mut rows_left = sorted.len();
    let mut in_bin = 0;
    for (i, run) in runs.iter().enumerate() {
        in_bin += run.len();
        let bins_left = MISSING as usize - ends.len();
        let runs_left = runs.len() - i;
        // With no more distinct values than bins, each value has a bin of its own.
        let full = runs_left <= bins_left || in_bin * bins_left >= rows_left;
        if let (true, Some(next)) = (full && bins_left > 1, runs.get(i + 1)) {
            ends.push(between(run[0], next[0]));
            rows_left -= in_bin;
            in_bin = 0;
        }
    }
    if !sorted.is_empty() {
        ends.push(f64::MAX);
    }
    ends
}

/// A number that is at least `a` and below `b`, near the middle.
fn between(a: f64, b: f64) -> f64 {
    let middle = a / 2.0 + b / 2.0;
    if a <= middle && middle < b { middle } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    #[test]
    fn few_distinct_values_are_kept_apart_and_missing_has_its_own_bin() {
        let bins = Bins::new(&array![[2.0], [f64::NAN], [1.0], [2.0], [4.0]].view());
        assert_eq!(bins.column(0), [1, MISSING, 0, 1, 2]);
        assert_eq!((bins.threshold(0, 0), bins.threshold(0, 1)), (1.5, 3.0));
    }

    #[test]
    fn a_frequent_value_leaves_the_other_bins_to_the_rest() {
        let column =
            Array2::from_shape_fn((5_000, 1), |(i, _)| if i < 4_900 { 0.0 } else { i as f64 });
        let bins = Bins::new(&column.view());
        let used = bins.column(0).iter().copied().max().unwrap();
        assert!(used >= 45, "{used}");
        assert_eq!(bins.column(0).iter().filter(|&&b| b == 0).count(), 4_900);
    }

    #[test]
    fn columns_of_one_value_cannot_be_split() {
        let bins = Bins::new(&array![[1.0, f64::NAN, 1.0], [1.0, f64::NAN, f64::NAN]].view());
        assert_eq!(bins.splittable(), [2]);
    }

    proptest! {
        #[test]
        fn bins_keep_the_order_and_thresholds_agree_with_them(
            values in proptest::collection::vec(prop_oneof![-3.0..3.0f64, Just(0.0), Just(f64::MAX), Just(f64::MIN)], 1..300)
        ) {
            let x = Array2::from_shape_vec((values.len(), 1), values.clone()).unwrap();
            let bins = Bins::new(&x.view());
            let codes = bins.column(0);
            for (&v, &code) in values.iter().zip(codes) {
                prop_assert!(code < MISSING);
                prop_assert!(v <= bins.threshold(0, code as usize));
                prop_assert!(code == 0 || v > bins.threshold(0, code as usize - 1));
            }
        }
    }
}
