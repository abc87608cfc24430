//! Least squares at any times and with any weights, by a decomposition of the design matrix.

use super::basis::{TERMS, design, to_powers};
use super::least_squares::{LeastSquares, Solution, residuals};
use super::points::Points;
use super::polynomial::{Polynomial, Rest, Terms, change};
use super::{Degree, PolynomialTrend};
use ndarray::{Array1, Array2};
use overseer_core::Result;

/// A polynomial fitted to points.
#[derive(Debug)]
pub(super) struct GeneralFit {
    pub(super) polynomial: Polynomial,
    design: Array2<f64>,
    response: Array1<f64>,
    coefficients: Array1<f64>,
}

impl GeneralFit {
    /// Solves for the highest degree, whose decomposition holds those of all lower ones.
    pub(super) fn new(
        trend: &PolynomialTrend,
        solver: &dyn LeastSquares,
        points: &Points,
    ) -> Result<Self> {
        let most = match trend.degree {
            Degree::Fixed(degree) => {
                points.check(degree)?;
                degree
            }
            Degree::UpTo(most) => {
                points.check(0)?;
                (1..=most).take_while(|&degree| points.check(degree).is_ok()).last().unwrap_or(0)
            }
        };
        let design = design(most, &points.x, points.root_weights.as_deref())?;
        // Far from zero, digits are better spent on what values do than on where they are.
        let level = points.y.first().copied().unwrap_or(0.0);
        let response: Array1<f64> = match &points.root_weights {
            Some(weights) => points.y.iter().zip(weights).map(|(y, w)| w * (y - level)).collect(),
            None => points.y.iter().map(|y| y - level).collect(),
        };
        let solution = solver.solve(&design, &response)?;

        let mut rest = Rest {
            squares: solution.residual_sum_of_squares,
            total: solution.squares_left(0),
            points: points.x.len(),
            largest: points.largest,
            unit: points.unit,
        };
        let degree = match trend.degree {
            Degree::Fixed(degree) => degree,
            Degree::UpTo(_) => {
                let floor = rest.floor();
                let left = |degree: usize| solution.squares_left(degree).max(floor);
                trend.criterion.choose(most, rest.points, left)
            }
        };
        rest.squares = solution.squares_left(degree);
        let terms = in_powers(degree, &solution);
        Ok(Self {
            polynomial: Polynomial::new(degree, points.scale, level, &terms, rest),
            design,
            response,
            coefficients: solution.leading_coefficients(degree + 1),
        })
    }

    /// What the polynomial leaves over, in units and times the roots of the weights.
    pub(super) fn residuals(&self) -> Vec<f64> {
        residuals(&self.design, &self.response, &self.coefficients).to_vec()
    }
}

/// The solution for the first `degree + 1` Legendre polynomials in powers of scaled time.
fn in_powers(degree: usize, solution: &Solution) -> Terms {
    let powers = to_powers(degree);
    let inverse = solution.inverse_r();
    let mut terms =
        Terms { coefficients: [0.0; TERMS], variances: [0.0; TERMS], change_variance: 0.0 };
    for (k, weight) in solution.projections().iter().enumerate().take(degree + 1) {
        // One of the perpendicular polynomials that the decomposition found.
        let mut perpendicular = [0.0; TERMS];
        for (legendre, factor) in powers.iter().zip(inverse.column(k)).take(k + 1) {
            perpendicular.iter_mut().zip(legendre).for_each(|(p, power)| *p += factor * power);
        }
        for (j, power) in perpendicular.iter().enumerate() {
            terms.coefficients[j] += weight * power;
            terms.variances[j] += power * power;
        }
        terms.change_variance += change(&perpendicular).powi(2);
    }
    terms
}
