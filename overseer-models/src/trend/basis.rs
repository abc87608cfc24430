//! Polynomials on time scaled to −1…+1.
//!
//! Powers of time are nearly parallel columns; Legendre polynomials (DLMF 18.9) are nearly perpendicular for evenly
//! spaced times, so a fit in them loses no digits. Results are given in powers, which is what a reader expects.

use ndarray::{Array2, ShapeBuilder};
use overseer_core::{Error, Result, Timestamp};

/// The highest degree on offer.
pub const MAX_DEGREE: usize = 8;

/// Coefficients of a polynomial of that degree.
pub(super) const TERMS: usize = MAX_DEGREE + 1;

/// A window of time as the range −1…+1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl Scale {
    /// The window's length in seconds; 0 if it is a single moment.
    pub(super) fn seconds(self) -> f64 {
        difference(self.end, self.start) / 1000.0
    }

    /// −1 at the window's start, +1 at its end, beyond them outside; −1 if the window is a single moment.
    pub(super) fn scaled(self, t: Timestamp) -> f64 {
        let length = difference(self.end, self.start);
        if length > 0.0 { 2.0 * difference(t, self.start) / length - 1.0 } else { -1.0 }
    }

    /// The same of many times.
    pub(super) fn all_scaled(self, times: impl Iterator<Item = Timestamp>) -> Vec<f64> {
        let mut x: Vec<f64> = times.map(|t| difference(t, self.start)).collect();
        let length = difference(self.end, self.start);
        let scaled = |d: f64| if length > 0.0 { 2.0 * d / length - 1.0 } else { -1.0 };
        x.iter_mut().for_each(|d| *d = scaled(*d));
        x
    }
}

/// Milliseconds from `b` to `a`, exact as long as they fit 53 bits.
fn difference(a: Timestamp, b: Timestamp) -> f64 {
    let (a, b) = (a.as_millis(), b.as_millis());
    // Wide integers are slow, and only extremes need them.
    a.checked_sub(b).map_or_else(|| (i128::from(a) - i128::from(b)) as f64, |d| d as f64)
}

/// What the Legendre polynomial of degree `k + 1` takes of `x` times that of `k`, and of that of `k - 1`.
fn legendre_step(k: usize) -> (f64, f64) {
    let k = k as f64;
    ((2.0 * k + 1.0) / (k + 1.0), k / (k + 1.0))
}

/// The design matrix of the Legendre polynomials of degree 0 to `degree`, a column each, at the places `x`. Rows are
/// multiplied by the roots of their weights, if there are any. Columns are contiguous.
pub(super) fn design(
    degree: usize,
    x: &[f64],
    root_weights: Option<&[f64]>,
) -> Result<Array2<f64>> {
    let n = x.len();
    let mut cells = vec![1.0; n * (degree + 1)];
    if let Some(weights) = root_weights {
        cells.iter_mut().zip(weights).for_each(|(cell, w)| *cell = *w);
    }
    for k in 0..degree {
        let (a, b) = legendre_step(k);
        let (earlier, next) = cells.split_at_mut((k + 1) * n);
        let (before, current) = earlier.split_at(k * n);
        // The first has none before it, and its factor is 0.
        let before = before.get(before.len().saturating_sub(n)..).filter(|b| !b.is_empty());
        let before = before.unwrap_or(current);
        for (((next, x), current), before) in next.iter_mut().zip(x).zip(current).zip(before) {
            *next = a * x * current - b * before;
        }
    }
    Array2::from_shape_vec((n, degree + 1).f(), cells)
        .map_err(|e| Error::other("laying out a design matrix", e))
}

/// The coefficients of powers in each Legendre polynomial up to `degree`, a row each, constant first.
pub(super) fn to_powers(degree: usize) -> [[f64; TERMS]; TERMS] {
    let mut rows = [[0.0; TERMS]; TERMS];
    rows[0][0] = 1.0;
    for k in 0..degree.min(MAX_DEGREE) {
        let (a, b) = legendre_step(k);
        for i in 0..=k + 1 {
            let shifted = if i > 0 { rows[k][i - 1] } else { 0.0 };
            let before = if k > 0 { rows[k - 1][i] } else { 0.0 };
            rows[k + 1][i] = a * shifted - b * before;
        }
    }
    rows
}

/// The polynomial with these coefficients, constant first, at `x` (Horner's rule).
pub(super) fn evaluate(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |value, c| value * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legendre_polynomials_are_the_printed_ones() {
        let x: f64 = 0.3;
        let p = design(3, &[x], None).unwrap();
        let printed = [1.0, x, 0.5 * (3.0 * x * x - 1.0), 0.5 * (5.0 * x.powi(3) - 3.0 * x)];
        assert!(p.iter().zip(printed).all(|(a, b)| (a - b).abs() < 1e-15), "{p}");
    }

    #[test]
    fn both_bases_describe_the_same_polynomial_and_weights_multiply_rows() {
        let rows = to_powers(MAX_DEGREE);
        let x: Vec<f64> = (0..=20).map(|step| f64::from(step) / 10.0 - 1.0).collect();
        let weights: Vec<f64> = (1..=21).map(f64::from).collect();
        let p = design(MAX_DEGREE, &x, Some(&weights)).unwrap();
        for ((i, k), value) in p.indexed_iter() {
            let meant = weights[i] * evaluate(&rows[k], x[i]);
            assert!((value - meant).abs() < 1e-11, "degree {k} at {}", x[i]);
        }
    }

    #[test]
    fn extreme_times_stay_in_range() {
        let scale = Scale {
            start: Timestamp::from_millis(i64::MIN),
            end: Timestamp::from_millis(i64::MAX),
        };
        assert_eq!(scale.scaled(scale.start), -1.0);
        assert_eq!(scale.scaled(scale.end), 1.0);
        assert!(scale.seconds() > 1.8e16);
    }
}
