//! The least-squares problem solved by the system's LAPACK: the same answers as our own QR, from code that others wrote
//! and tested, so that the one can be held against the other.

use super::least_squares::{LeastSquares, Solution, check, check_rank};
use ndarray::{Array1, Array2};
use ndarray_linalg::{Diag, QR, SolveTriangular, UPLO};
use overseer_core::{Error, Result};

/// QR decomposition by LAPACK (`dgeqrf`, `dorgqr`, `dtrtrs`). Only with the feature `lapack`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LapackQr;

impl LeastSquares for LapackQr {
    fn solve(&self, design: &Array2<f64>, response: &Array1<f64>) -> Result<Solution> {
        let lengths = check(design, response)?;
        let failed = |e| Error::other("solving a least-squares problem with LAPACK", e);
        let (q, r) = design.qr().map_err(failed)?;
        check_rank(&lengths, r.diag().iter().copied())?;
        let rotated = q.t().dot(response);
        let inverse = r
            .solve_triangular(UPLO::Upper, Diag::NonUnit, &Array2::eye(design.ncols()))
            .map_err(failed)?;
        Ok(Solution::new(design, response, inverse, rotated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trend::{HouseholderQr, PolynomialTrend};
    use overseer_core::Timestamp;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn lapack_and_our_own_qr_give_the_same_solution(
            (columns, cells, response) in (1_usize..7).prop_flat_map(|p| (
                Just(p),
                proptest::collection::vec(-10.0..10.0f64, 20 * p),
                proptest::collection::vec(-10.0..10.0f64, 20),
            )),
        ) {
            let x = Array2::from_shape_vec((20, columns), cells).unwrap();
            let y = Array1::from_vec(response);
            let ours = HouseholderQr.solve(&x, &y).unwrap();
            let theirs = LapackQr.solve(&x, &y).unwrap();
            let pairs = ours.coefficients.iter().zip(&theirs.coefficients);
            let covariances = ours.unscaled_covariance.iter().zip(&theirs.unscaled_covariance);
            for (a, b) in pairs.chain(covariances) {
                prop_assert!(close(*a, *b), "{a} and {b}");
            }
            prop_assert!(close(ours.residual_sum_of_squares, theirs.residual_sum_of_squares));
        }

        #[test]
        fn lapack_our_own_qr_and_closed_forms_fit_the_same_polynomial(
            degree in 0_usize..=8,
            chosen in any::<bool>(),
            offset in -1e4..1e4f64,
            values in proptest::collection::vec(-10.0..10.0f64, 12..400),
        ) {
            let times: Vec<_> = (0..values.len() as i64).map(|i| Timestamp::from_millis(5_000 * i)).collect();
            let values: Vec<f64> = values.iter().map(|v| offset + v).collect();
            let builder = PolynomialTrend::builder();
            let builder = if chosen { builder.degree_by_criterion(degree) } else { builder.degree(degree) };
            let trend = builder.build().unwrap();
            let theirs = trend.fit_with(&LapackQr, &times, &values, None).unwrap();
            let ours = trend.fit_with(&HouseholderQr, &times, &values, None).unwrap();
            let closed = trend.fit(&times, &values).unwrap();
            for fit in [ours, closed] {
                prop_assert_eq!(fit.degree(), theirs.degree());
                let pairs = fit.coefficients.iter().zip(&theirs.coefficients);
                for (a, b) in pairs.chain(fit.standard_errors.iter().zip(&theirs.standard_errors)) {
                    prop_assert!(close(*a, *b), "{a} and {b}");
                }
                for (a, b) in [
                    (fit.residual_variance, theirs.residual_variance),
                    (fit.r_squared, theirs.r_squared),
                    (fit.aicc, theirs.aicc),
                    (fit.bic, theirs.bic),
                    (fit.slope_p_value, theirs.slope_p_value),
                ] {
                    prop_assert!(close(a, b) , "{a} and {b}");
                }
            }
        }

        #[test]
        fn lapack_and_our_own_qr_fit_the_same_weighted_polynomial_to_uneven_times(
            degree in 0_usize..=8,
            rows in proptest::collection::vec((1_i64..10_000, -10.0..10.0f64, 0.1..10.0f64), 30..80),
        ) {
            let mut now = 0;
            let times: Vec<_> = rows.iter().map(|(gap, _, _)| { now += gap; Timestamp::from_millis(now) }).collect();
            let values: Vec<f64> = rows.iter().map(|(_, v, _)| *v).collect();
            let weights: Vec<f64> = rows.iter().map(|(_, _, w)| *w).collect();
            let trend = PolynomialTrend::builder().degree_by_criterion(degree).build().unwrap();
            let ours = trend.fit_weighted(&times, &values, &weights).unwrap();
            let theirs = trend.fit_with(&LapackQr, &times, &values, Some(&weights)).unwrap();
            let pairs = ours.coefficients.iter().zip(&theirs.coefficients);
            for (a, b) in pairs.chain(ours.standard_errors.iter().zip(&theirs.standard_errors)) {
                prop_assert!(close(*a, *b), "{a} and {b}");
            }
        }
    }

    #[test]
    fn lapack_refuses_what_our_own_qr_refuses() {
        let twice = Array2::from_elem((4, 2), 1.0);
        let y = Array1::zeros(4);
        assert!(LapackQr.solve(&twice, &y).unwrap_err().is_invalid_input());
    }
}
