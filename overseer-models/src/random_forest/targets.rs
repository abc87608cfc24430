//! Targets as whole numbers, so that sums of them are exact: the best split hangs neither on the order in which rows
//! are added up nor on the way the sums are found.

use ndarray::ArrayView2;

/// Targets minus their means, all divided by one power of two, rounded.
///
/// A target keeps 32 bits, or fewer if there are more than 32,767 rows, so that sums and counts of rows together fit an
/// `i64`; 22 bits for a million rows.
#[derive(Debug)]
pub(super) struct Targets {
    /// How many targets a row has.
    pub(super) width: usize,
    /// Row after row.
    values: Vec<i64>,
    /// How many bits a number of rows takes.
    count_bits: u32,
    /// Those bits.
    count_mask: i64,
    /// How many bits a target takes.
    bits: u32,
}

/// A row's targets times its weight, or a sum of such. In the first one its weight, or the sum of weights, takes the
/// lowest [`Targets::count_bits`], so that one addition adds both.
pub(super) type Packed = i64;

impl Targets {
    /// `y` is finite, and has at most 2^23 rows.
    pub(super) fn new(y: &ArrayView2<'_, f64>) -> Self {
        let (rows, width) = y.dim();
        let count_bits = usize::BITS - rows.leading_zeros();
        let bits = (62 - 2 * count_bits as i32).min(32);
        let mean = |column: ndarray::ArrayView1<'_, f64>| {
            // A running mean stays in range where a sum might not.
            column.iter().enumerate().fold(0.0, |m, (i, v)| m + (v - m) / (i + 1) as f64)
        };
        let means: Vec<f64> = y.columns().into_iter().map(mean).collect();
        let centred =
            || y.rows().into_iter().flat_map(|row| row.into_iter().zip(&means)).map(|(v, m)| v - m);
        let largest = centred().fold(0.0_f64, |a, v| a.max(v.abs()));
        // One power of two for all targets: scaling them by another changes no split.
        let scale = if largest > f64::MIN_POSITIVE {
            (f64::from(bits - 2) - largest.log2().floor()).exp2()
        } else {
            0.0
        };
        let values = if scale.is_finite() {
            centred().map(|v| (v * scale).round() as i64).collect()
        } else {
            // Targets this close to zero differ by rounding only.
            vec![0; rows * width]
        };
        let count_mask = (1 << count_bits) - 1;
        Self { width, values, count_bits, count_mask, bits: bits.unsigned_abs() }
    }

    /// The targets of one row.
    pub(super) fn row(&self, row: u32) -> &[i64] {
        &self.values[row as usize * self.width..][..self.width]
    }

    /// Whether these rows, of which there are some, have the same targets.
    pub(super) fn all_equal(&self, rows: &[u32]) -> bool {
        let first = self.row(rows[0]);
        // Nearly always the second row tells; one number is compared without a call for that.
        rows[1..].iter().all(|&row| self.row(row)[0] == first[0] && self.row(row) == first)
    }

    /// Appends a row's targets, taken `weight` times, to `out`.
    pub(super) fn append(&self, row: u32, weight: u32, out: &mut Vec<Packed>) {
        let weight = i64::from(weight);
        let first = out.len();
        out.extend(self.row(row).iter().map(|v| v * weight));
        out[first] = (out[first] << self.count_bits) | weight;
    }

    /// The number of rows in a first sum, repetitions counted.
    #[inline(always)]
    pub(super) fn count(&self, first: Packed) -> i64 {
        first & self.count_mask
    }

    /// The sum of targets in a first sum.
    #[inline(always)]
    pub(super) fn sum(&self, first: Packed) -> i64 {
        first >> self.count_bits
    }

    /// The bits that hold a first sum's count, and how many they are.
    pub(super) fn packing(&self) -> (i64, u32) {
        (self.count_mask, self.count_bits)
    }

    /// Turns the `values` of a node's rows into their differences from its means, in as fine a unit as their sums leave
    /// room for; `total` is their sum. What is returned turns squares of the new unit into those of the old.
    pub(super) fn centre(&self, total: &[Packed], values: &[Packed], out: &mut Vec<Packed>) -> f64 {
        let count = self.count(total[0]);
        let count_size = i64::BITS - count.leading_zeros();
        let finer = 62 - self.bits - count_size - self.count_bits;
        let mean = |sum: i64| {
            // Rounded to the nearest; a division of whole numbers is the same everywhere.
            let sum = i128::from(sum) << (finer + 1);
            ((sum + i128::from(count)).div_euclid(2 * i128::from(count))) as i64
        };
        out.clear();
        if self.width == 1 {
            let mean = mean(self.sum(total[0]));
            out.extend(values.iter().map(|&value| {
                let (sum, weight) = (self.sum(value), self.count(value));
                (((sum << finer) - weight * mean) << self.count_bits) | weight
            }));
        } else {
            let means: Vec<i64> = std::iter::once(self.sum(total[0]))
                .chain(total[1..].iter().copied())
                .map(mean)
                .collect();
            for values in values.chunks_exact(self.width) {
                let weight = self.count(values[0]);
                let first = ((self.sum(values[0]) << finer) - weight * means[0]) << self.count_bits;
                out.push(first | weight);
                let others = values.iter().zip(&means).skip(1);
                out.extend(others.map(|(&sum, mean)| (sum << finer) - weight * mean));
            }
        }
        (-2.0 * f64::from(finer)).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn sums_and_counts_travel_together() {
        let targets = Targets::new(&array![[1.0, 5.0], [3.0, 5.0], [2.0, 5.0]].view());
        let mut packed = Vec::new();
        targets.append(0, 2, &mut packed);
        targets.append(1, 1, &mut packed);
        assert_eq!(targets.row(0)[0], -targets.row(1)[0]);
        assert_eq!((targets.row(2)[0], packed[1], packed[3]), (0, 0, 0));
        let both = packed[0] + packed[2];
        assert_eq!(targets.count(both), 3);
        assert_eq!(targets.sum(both), targets.row(0)[0]);
    }

    #[test]
    fn the_largest_sum_times_the_largest_count_fits() {
        for rows in [1, 2, 1_000, 4_096] {
            let y = ndarray::Array2::from_shape_fn(
                (rows, 1),
                |(i, _)| if i == 0 { 1e300 } else { -1e300 },
            );
            let targets = Targets::new(&y.view());
            let largest = (0..rows as u32).map(|r| targets.row(r)[0].abs()).max().unwrap();
            let n = rows as i64;
            assert!(
                largest.checked_mul(n).and_then(|v| v.checked_mul(n)).is_some_and(|v| v <= 1 << 62)
            );
        }
    }
}
