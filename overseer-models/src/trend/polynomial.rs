//! A fitted polynomial by itself: what least squares says, without the tests that a slope needs.

use super::basis::{Scale, TERMS, evaluate};
use super::criterion::{Criterion, deviance};
use overseer_core::Timestamp;

/// A polynomial in time fitted to a window of values by least squares.
///
/// It lives without heap memory, for windows are fitted by the thousand. Its errors are those of independent residuals;
/// [`PolynomialTrend::fit`](super::PolynomialTrend::fit) tests the slope of a series that remembers its past.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Polynomial {
    /// Share of the (weighted) variance that the polynomial explains, 0–1; 0 for constant values.
    pub r_squared: f64,
    /// Variance of the (weighted) residuals, in the values' unit squared, 0 or more.
    pub residual_variance: f64,
    /// How many known values it was fitted to.
    pub points: usize,
    /// First and last time of the window, those of missing values included.
    pub window: (Timestamp, Timestamp),
    degree: usize,
    coefficients: [f64; TERMS],
    standard_errors: [f64; TERMS],
    change_variance: f64,
    rest: Rest,
}

/// What a fit leaves over, in squares of a unit that keeps them from overflowing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rest {
    pub(super) squares: f64,
    /// The sum about the (weighted) mean: what there was to explain.
    pub(super) total: f64,
    pub(super) points: usize,
    /// The largest value in units; 0 if so much is left over that rounding is out of the question.
    pub(super) largest: f64,
    pub(super) unit: f64,
}

/// The share of the squares of values that rounding alone may leave over.
pub(super) const ROUNDING: f64 = (64.0 * f64::EPSILON) * (64.0 * f64::EPSILON);

impl Rest {
    /// What rounding alone leaves over.
    pub(super) fn floor(&self) -> f64 {
        self.points as f64 * ROUNDING * self.largest * self.largest
    }

    /// Whether nothing but rounding is left.
    pub(super) fn is_rounding(&self) -> bool {
        self.squares <= self.floor()
    }
}

/// Coefficients of the powers of scaled time, and the variances they would have if residuals had a variance of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) coefficients: [f64; TERMS],
    pub(super) variances: [f64; TERMS],
    pub(super) change_variance: f64,
}

impl Polynomial {
    /// Puts results in the values' unit. `terms` and `level`, which was taken off the values, are in the rest's.
    #[inline]
    pub(super) fn new(degree: usize, scale: Scale, level: f64, terms: &Terms, rest: Rest) -> Self {
        let (unit, points) = (rest.unit, rest.points);
        let variance = rest.squares / (points - degree - 1) as f64;
        let mut coefficients = [0.0; TERMS];
        let mut standard_errors = [0.0; TERMS];
        for j in 0..TERMS.min(degree + 1) {
            coefficients[j] = terms.coefficients[j] * unit;
            standard_errors[j] = (variance * terms.variances[j]).sqrt() * unit;
        }
        coefficients[0] = (terms.coefficients[0] + level) * unit;
        Self {
            r_squared: if rest.total > rest.floor() {
                (1.0 - rest.squares / rest.total).clamp(0.0, 1.0)
            } else {
                0.0
            },
            residual_variance: variance * unit * unit,
            points,
            window: (scale.start, scale.end),
            degree,
            coefficients,
            standard_errors,
            change_variance: terms.change_variance,
            rest,
        }
    }

    /// The polynomial's degree, 0–8.
    #[must_use]
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// Coefficients of the powers of scaled time, constant first, in the values' unit; one more than the degree. Scaled
    /// time is −1 at the window's start and +1 at its end.
    #[must_use]
    pub fn coefficients(&self) -> &[f64] {
        self.coefficients.get(..=self.degree).unwrap_or(&self.coefficients)
    }

    /// The coefficients' standard errors as if residuals were independent, in the same order and unit.
    #[must_use]
    pub fn standard_errors(&self) -> &[f64] {
        self.standard_errors.get(..=self.degree).unwrap_or(&self.standard_errors)
    }

    /// The polynomial at a time, in the values' unit. Beyond the window it is an extrapolation, which high degrees make
    /// worthless.
    #[must_use]
    pub fn predict(&self, t: Timestamp) -> f64 {
        evaluate(self.coefficients(), self.scale().scaled(t))
    }

    /// The change of the polynomial from the window's start to its end, in the values' unit.
    #[must_use]
    pub fn change(&self) -> f64 {
        change(self.coefficients())
    }

    /// The standard error of [`change`](Self::change) as if residuals were independent, in the values' unit.
    #[must_use]
    pub fn change_error(&self) -> f64 {
        (self.residual_variance * self.change_variance).sqrt()
    }

    /// Average slope over the window, in the values' unit per second; 0 for a window without length.
    #[must_use]
    pub fn slope_per_second(&self) -> f64 {
        let seconds = self.scale().seconds();
        if seconds > 0.0 { self.change() / seconds } else { 0.0 }
    }

    /// Akaike's information criterion with Hurvich and Tsai's correction (Biometrika 76, 1989); lower is better.
    /// Infinite where there are too few points for the correction.
    #[must_use]
    pub fn aicc(&self) -> f64 {
        Criterion::Aicc.value(self.deviance(), self.points, self.degree)
    }

    /// Schwarz's information criterion (Ann. Statist. 6, 1978); lower is better.
    #[must_use]
    pub fn bic(&self) -> f64 {
        Criterion::Bic.value(self.deviance(), self.points, self.degree)
    }

    /// The change's variance if residuals had a variance of one.
    pub(super) fn change_variance(&self) -> f64 {
        self.change_variance
    }

    pub(super) fn rest(&self) -> Rest {
        self.rest
    }

    fn scale(&self) -> Scale {
        Scale { start: self.window.0, end: self.window.1 }
    }

    fn deviance(&self) -> f64 {
        // The unit's logarithm keeps the criteria those of the values as given.
        deviance(self.rest.squares.max(self.rest.floor()), self.points)
            + 2.0 * self.points as f64 * self.rest.unit.ln()
    }
}

/// Odd powers differ by two between the ends of the window, even ones not at all.
pub(super) fn change(coefficients: &[f64]) -> f64 {
    2.0 * coefficients.iter().skip(1).step_by(2).sum::<f64>()
}
