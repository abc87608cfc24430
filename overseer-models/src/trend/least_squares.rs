//! The least-squares problem behind every trend, and our own way of solving it.

use ndarray::{Array1, Array2, ArrayView1};
use overseer_core::{Error, Result};
use std::fmt;

/// A column whose part perpendicular to the columns before it is smaller than this share of it counts as dependent.
const DEPENDENT: f64 = 1.0e-10;

/// What solving a least-squares problem of `n` rows and `p` columns gives.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Solution {
    /// The `p` coefficients that make the sum of squared residuals smallest.
    pub coefficients: Array1<f64>,
    /// The inverse of `XᵀX`, `p` by `p`: times the residual variance it is the coefficients' covariance.
    pub unscaled_covariance: Array2<f64>,
    /// The sum of squared residuals.
    pub residual_sum_of_squares: f64,
    /// The inverse of `R`, whose leading part is that of the leading columns.
    inverse_r: Array2<f64>,
    /// The response along each column of `Q`.
    projections: Array1<f64>,
}

impl Solution {
    /// The solution from the inverse of `R` and the response along each column of `Q`.
    pub(super) fn new(
        design: &Array2<f64>,
        response: &Array1<f64>,
        inverse_r: Array2<f64>,
        projections: Array1<f64>,
    ) -> Self {
        let coefficients = inverse_r.dot(&projections);
        let residuals = residuals(design, response, &coefficients);
        Self {
            unscaled_covariance: inverse_r.dot(&inverse_r.t()),
            residual_sum_of_squares: residuals.dot(&residuals),
            coefficients,
            inverse_r,
            projections,
        }
    }

    /// The squares that columns 0 to `last` leave over. What later columns explain is added, so no digit cancels.
    pub(super) fn squares_left(&self, last: usize) -> f64 {
        let later: f64 = self.projections.iter().skip(last + 1).map(|p| p * p).sum();
        self.residual_sum_of_squares + later
    }

    /// The coefficients of the problem that has only the first `columns` columns.
    pub(super) fn leading_coefficients(&self, columns: usize) -> Array1<f64> {
        let product = |row: ArrayView1<'_, f64>| -> f64 {
            row.iter().zip(&self.projections).take(columns).map(|(r, p)| r * p).sum()
        };
        self.inverse_r.rows().into_iter().take(columns).map(product).collect()
    }

    pub(super) fn inverse_r(&self) -> &Array2<f64> {
        &self.inverse_r
    }

    pub(super) fn projections(&self) -> &Array1<f64> {
        &self.projections
    }
}

/// What the columns that have coefficients leave over of the response.
pub(super) fn residuals(
    design: &Array2<f64>,
    response: &Array1<f64>,
    coefficients: &Array1<f64>,
) -> Array1<f64> {
    let mut residuals = response.clone();
    for (column, b) in design.columns().into_iter().zip(coefficients) {
        residuals.scaled_add(-b, &column);
    }
    residuals
}

/// A way of solving least-squares problems of full column rank.
pub trait LeastSquares: fmt::Debug {
    /// Finds the coefficients `b` that minimise the length of `response - design · b`.
    ///
    /// # Errors
    /// If there are fewer rows than columns, the numbers of rows differ, a value is not finite, or a column depends on
    /// those before it to within a share of 1e-10.
    fn solve(&self, design: &Array2<f64>, response: &Array1<f64>) -> Result<Solution>;
}

/// Checks what every implementation asks of its input, and gives the lengths of the design's columns.
pub(super) fn check(design: &Array2<f64>, response: &Array1<f64>) -> Result<Vec<f64>> {
    let (n, p) = design.dim();
    if n != response.len() {
        return Err(Error::schema_mismatch(
            format!("{n} responses, one for each row"),
            format!("{} responses", response.len()),
        ));
    }
    if p == 0 {
        return Err(Error::invalid_parameter("design", "it has no columns"));
    }
    if n < p {
        return Err(Error::not_enough_data("a least-squares fit", p, n));
    }
    let lengths: Vec<f64> =
        design.columns().into_iter().map(|column| column.dot(&column).sqrt()).collect();
    // Lengths that are finite are of finite values, and quicker to look at.
    let suspicious = !(lengths.iter().all(|v| v.is_finite()) && response.dot(response).is_finite());
    if suspicious && !design.iter().chain(response).all(|v| v.is_finite()) {
        return Err(Error::invalid_value("the least-squares problem", "a value is not finite"));
    }
    Ok(lengths)
}

/// Checks the diagonal of `R` against the lengths of the design's columns.
pub(super) fn check_rank(lengths: &[f64], diagonal: impl Iterator<Item = f64>) -> Result<()> {
    for (j, (r, length)) in diagonal.zip(lengths).enumerate() {
        // Written so that NaN fails too.
        let independent = r.abs() > DEPENDENT * length;
        if !independent {
            return Err(Error::invalid_value(
                format!("the least-squares problem, column {j}"),
                "it depends on the columns before it, so the problem is ill-conditioned",
            ));
        }
    }
    Ok(())
}

/// QR decomposition by Householder reflections (Golub and Van Loan, Matrix Computations, 4th edition, 5.2 and 5.3).
#[derive(Debug, Clone, Copy, Default)]
pub struct HouseholderQr;

impl LeastSquares for HouseholderQr {
    fn solve(&self, design: &Array2<f64>, response: &Array1<f64>) -> Result<Solution> {
        let lengths = check(design, response)?;
        let (n, p) = design.dim();
        // Column after column, the response as the last one, so that reflections run over contiguous memory.
        let mut columns: Vec<f64> = Vec::with_capacity(n * (p + 1));
        for column in design.columns().into_iter().chain([response.view()]) {
            match column.to_slice() {
                Some(column) => columns.extend_from_slice(column),
                None => columns.extend(column),
            }
        }
        let mut diagonal = vec![0.0; p];
        for j in 0..p {
            let (head, tail) = columns.split_at_mut((j + 1) * n);
            let v = &mut head[j * n + j..];
            let length = dot(v, v).sqrt();
            diagonal[j] = if v[0] > 0.0 { -length } else { length };
            // Half the squares of the reflected direction, of which only the first number changes.
            let half_squares = length * (length + v[0].abs());
            v[0] -= diagonal[j];
            if half_squares > 0.0 {
                for column in tail.chunks_exact_mut(n) {
                    let below = &mut column[j..];
                    let scale = dot(v, below) / half_squares;
                    below.iter_mut().zip(v.iter()).for_each(|(b, a)| *b -= scale * a);
                }
            }
        }
        check_rank(&lengths, diagonal.iter().copied())?;
        // R stands above the diagonal of the reflected columns; its inverse gives coefficients and covariance.
        let r = |i: usize, j: usize| if i == j { diagonal[j] } else { columns[j * n + i] };
        let mut inverse = Array2::<f64>::zeros((p, p));
        for j in 0..p {
            inverse[[j, j]] = 1.0 / diagonal[j];
            for i in (0..j).rev() {
                let sum: f64 = (i + 1..=j).map(|k| r(i, k) * inverse[[k, j]]).sum();
                inverse[[i, j]] = -sum / diagonal[i];
            }
        }
        let projections = columns[p * n..p * n + p].iter().copied().collect();
        Ok(Solution::new(design, response, inverse, projections))
    }
}

/// The product of two columns, summed in lanes that run side by side.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (blocks_a, blocks_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = blocks_a.remainder().iter().zip(blocks_b.remainder());
    let mut sums = [0.0; LANES];
    for (a, b) in blocks_a.zip(blocks_b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    rest.fold(sums.iter().sum(), |sum, (a, b)| sum + a * b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    #[test]
    fn a_line_through_three_points_by_hand() {
        // Normal equations: 3a + 3b = 6, 3a + 5b = 8, so a = 1, b = 1.
        let x = array![[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]];
        let s = HouseholderQr.solve(&x, &array![1.0, 2.0, 3.0]).unwrap();
        assert!((s.coefficients[0] - 1.0).abs() < 1e-14 && (s.coefficients[1] - 1.0).abs() < 1e-14);
        assert!(s.residual_sum_of_squares < 1e-28);
        // The inverse of [[3, 3], [3, 5]] is [[5, -3], [-3, 3]] / 6.
        assert!((s.unscaled_covariance[[0, 0]] - 5.0 / 6.0).abs() < 1e-14);
        assert!((s.unscaled_covariance[[1, 0]] + 0.5).abs() < 1e-14);
    }

    #[test]
    fn what_cannot_be_solved_is_refused_with_the_reason() {
        let twice = array![[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]];
        let e = HouseholderQr.solve(&twice, &array![1.0, 2.0, 3.0]).unwrap_err();
        assert!(e.to_string().contains("column 1") && e.to_string().contains("ill-conditioned"));
        let e = HouseholderQr.solve(&array![[1.0, 2.0]], &array![1.0]).unwrap_err();
        assert!(e.is_not_enough_data());
        let e = HouseholderQr.solve(&array![[1.0]], &array![1.0, 2.0]).unwrap_err();
        assert!(e.is_schema_mismatch());
        let e = HouseholderQr.solve(&array![[f64::NAN]], &array![1.0]).unwrap_err();
        assert!(e.is_invalid_input());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn residuals_are_perpendicular_to_every_column(
            cells in proptest::collection::vec(-10.0..10.0f64, 60),
            response in proptest::collection::vec(-10.0..10.0f64, 15),
        ) {
            let x = Array2::from_shape_vec((15, 4), cells).unwrap();
            let y = Array1::from_vec(response);
            let s = HouseholderQr.solve(&x, &y).unwrap();
            let residuals = &y - &x.dot(&s.coefficients);
            for column in x.columns() {
                prop_assert!(column.dot(&residuals).abs() < 1e-8);
            }
            let identity = x.t().dot(&x).dot(&s.unscaled_covariance);
            prop_assert!((&identity - &Array2::<f64>::eye(4)).iter().all(|v| v.abs() < 1e-8));
        }
    }
}
