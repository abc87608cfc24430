//! A fitted polynomial whose slope was tested, and what it answers.

use super::basis::{Scale, evaluate};
use super::noise::{Fit, ResidualNoise, test_slope};
use super::polynomial::{Polynomial, change};
use overseer_core::Timestamp;

/// A polynomial in time fitted to a window of values.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FittedTrend {
    /// Coefficients of the powers of scaled time, constant first, in the values' unit. Scaled time is −1 at the
    /// window's start and +1 at its end.
    pub coefficients: Vec<f64>,
    /// The coefficients' standard errors as if residuals were independent, in the same order and unit.
    pub standard_errors: Vec<f64>,
    /// Share of the (weighted) variance that the polynomial explains, 0–1; 0 for constant values.
    pub r_squared: f64,
    /// Variance of the (weighted) residuals, in the unit squared.
    pub residual_variance: f64,
    /// Akaike's information criterion with Hurvich and Tsai's correction (Biometrika 76, 1989); lower is better.
    /// Infinite where there are too few points for the correction.
    pub aicc: f64,
    /// Schwarz's information criterion (Ann. Statist. 6, 1978); lower is better.
    pub bic: f64,
    /// How many known values it was fitted to.
    pub points: usize,
    /// How many independent values those are worth, 2 to `points`: fewer the more alike neighbours are.
    pub effective_points: f64,
    /// First and last time of the window, those of missing values included.
    pub window: (Timestamp, Timestamp),
    /// Average slope over the window, in the values' unit per second; 0 for a window without length.
    pub slope_per_second: f64,
    /// Probability of an average slope this far from zero if there were none, autocorrelation allowed for, 0–1.
    pub slope_p_value: f64,
    /// Which noise that test found.
    pub residual_noise: ResidualNoise,
}

impl FittedTrend {
    /// Tests the slope of a polynomial that was fitted to these values. Residuals are asked for only where there is
    /// something to test. Values and residuals are in units, residuals times the roots of their weights.
    pub(super) fn new(
        polynomial: &Polynomial,
        values: &[f64],
        residuals: impl FnOnce() -> Vec<f64>,
    ) -> Self {
        let (n, rest) = (polynomial.points as f64, polynomial.rest());
        let change = polynomial.change() / rest.unit;
        let (slope_p_value, residual_noise, effective_points) = if polynomial.degree() == 0 {
            (1.0, ResidualNoise::Stationary, n)
        } else if rest.is_rounding() {
            let p = if change.abs() > 1.0e-12 * rest.largest { 0.0 } else { 1.0 };
            (p, ResidualNoise::Absent, n)
        } else {
            let residuals = residuals();
            let test = test_slope(Fit {
                degree: polynomial.degree(),
                values,
                residuals: &residuals,
                change,
                unit_variance: polynomial.change_variance(),
            });
            (test.p_value, test.noise, test.effective_points)
        };
        Self {
            coefficients: polynomial.coefficients().to_vec(),
            standard_errors: polynomial.standard_errors().to_vec(),
            r_squared: polynomial.r_squared,
            residual_variance: polynomial.residual_variance,
            aicc: polynomial.aicc(),
            bic: polynomial.bic(),
            points: polynomial.points,
            effective_points,
            window: polynomial.window,
            slope_per_second: polynomial.slope_per_second(),
            slope_p_value,
            residual_noise,
        }
    }

    /// The polynomial's degree, 0–8.
    #[must_use]
    pub fn degree(&self) -> usize {
        self.coefficients.len().saturating_sub(1)
    }

    /// The polynomial at a time, in the values' unit. Beyond the window it is an extrapolation, which high degrees make
    /// worthless.
    #[must_use]
    pub fn predict(&self, t: Timestamp) -> f64 {
        let scale = Scale { start: self.window.0, end: self.window.1 };
        evaluate(&self.coefficients, scale.scaled(t))
    }

    /// The change of the polynomial from the window's start to its end, in the values' unit.
    #[must_use]
    pub fn change(&self) -> f64 {
        change(&self.coefficients)
    }
}
