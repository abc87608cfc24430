//! Polynomials on time scaled to −1…+1.
//!
//! Powers of time are nearly parallel columns; Legendre polynomials (DLMF 18.9) are nearly perpendicular for evenly
//! spaced times, so a fit in them loses no digits. Results are given in powers, which is what a reader expects.

use ndarray::Array2;
use overseer_core::Timestamp;

/// The highest degree on offer.
pub const MAX_DEGREE: usize = 8;

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
}

/// Milliseconds from `b` to `a`, exact as long as they fit 53 bits.
fn difference(a: Timestamp, b: Timestamp) -> f64 {
    let (a, b) = (a.as_millis(), b.as_millis());
    // Wide integers are slow, and only extremes need them.
    a.checked_sub(b).map_or_else(|| (i128::from(a) - i128::from(b)) as f64, |d| d as f64)
}

/// The Legendre polynomials of degree 0 to `degree` at `x`.
pub(super) fn legendre(degree: usize, x: f64) -> impl Iterator<Item = f64> {
    let (mut previous, mut current) = (0.0, 1.0);
    (0..=degree).map(move |k| {
        let value = current;
        let k = k as f64;
        current = ((2.0 * k + 1.0) * x * value - k * previous) / (k + 1.0);
        previous = value;
        value
    })
}

/// The matrix that turns coefficients of Legendre polynomials into those of powers, constant first.
pub(super) fn to_powers(degree: usize) -> Array2<f64> {
    let size = degree + 1;
    let mut m = Array2::<f64>::zeros((size, size));
    m[[0, 0]] = 1.0;
    if size > 1 {
        m[[1, 1]] = 1.0;
    }
    for k in 1..degree {
        let n = k as f64;
        for i in 0..=k + 1 {
            let shifted = if i > 0 { m[[i - 1, k]] } else { 0.0 };
            m[[i, k + 1]] = ((2.0 * n + 1.0) * shifted - n * m[[i, k - 1]]) / (n + 1.0);
        }
    }
    m
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
        let p: Vec<f64> = legendre(3, x).collect();
        let printed = [1.0, x, 0.5 * (3.0 * x * x - 1.0), 0.5 * (5.0 * x.powi(3) - 3.0 * x)];
        assert!(p.iter().zip(printed).all(|(a, b)| (a - b).abs() < 1e-15));
    }

    #[test]
    fn both_bases_describe_the_same_polynomial() {
        let m = to_powers(MAX_DEGREE);
        for step in 0..=20 {
            let x = f64::from(step) / 10.0 - 1.0;
            for (k, value) in legendre(MAX_DEGREE, x).enumerate() {
                let powers: Vec<f64> = m.column(k).to_vec();
                assert!((evaluate(&powers, x) - value).abs() < 1e-12, "degree {k} at {x}");
            }
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
