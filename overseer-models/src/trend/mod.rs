//! Which polynomial does a window follow, and is its slope more than chance?
//!
//! Least squares in a well-conditioned basis, for even and uneven times, with the errors that autocorrelated metrics
//! call for: the noise a slope is tested against is told apart first, so that a random walk is not taken for a trend.
//!
//! ```
//! use overseer_core::Timestamp;
//! use overseer_models::trend::PolynomialTrend;
//!
//! // Memory that grows by a byte a second, measured every five.
//! let times: Vec<_> = (0..100).map(|i| Timestamp::from_millis(5_000 * i)).collect();
//! let bytes: Vec<_> = (0..100).map(|i| 1_000.0 + 5.0 * f64::from(i)).collect();
//!
//! let trend = PolynomialTrend::builder().degree(1).build()?.fit(&times, &bytes)?;
//! assert!((trend.slope_per_second - 1.0).abs() < 1e-9);
//! assert!((trend.predict(Timestamp::from_millis(1_000_000)) - 2_000.0).abs() < 1e-6);
//! assert_eq!(trend.slope_p_value, 0.0);
//! # Ok::<(), overseer_core::Error>(())
//! ```

mod basis;
pub(crate) mod distribution;
mod fitted;
#[cfg(feature = "lapack")]
mod lapack;
mod least_squares;
mod noise;

pub use basis::MAX_DEGREE;
pub use fitted::FittedTrend;
#[cfg(feature = "lapack")]
pub use lapack::LapackQr;
pub use least_squares::{HouseholderQr, LeastSquares, Solution};
pub use noise::ResidualNoise;

use fitted::Points;
use overseer_core::{Error, Result, Timestamp};

/// What a degree is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Criterion {
    /// Akaike's, corrected for short series: predicts well, at times with a degree too many.
    Aicc,
    /// Schwarz's: settles on the true degree as data grow.
    #[default]
    Bic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Degree {
    Fixed(usize),
    UpTo(usize),
}

/// A polynomial trend ready to be fitted; its parameters were checked by the builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolynomialTrend {
    degree: Degree,
    criterion: Criterion,
}

/// Gathers the parameters of a [`PolynomialTrend`]: a straight line unless told otherwise.
#[derive(Debug, Clone, Copy)]
pub struct PolynomialTrendBuilder {
    degree: Degree,
    criterion: Criterion,
}

impl PolynomialTrendBuilder {
    /// Fits exactly this degree, 0 (a level) to [`MAX_DEGREE`].
    #[must_use]
    pub fn degree(mut self, degree: usize) -> Self {
        self.degree = Degree::Fixed(degree);
        self
    }

    /// Fits every degree from 0 to `max_degree` that the points suffice for and keeps the one the criterion prefers.
    #[must_use]
    pub fn degree_by_criterion(mut self, max_degree: usize) -> Self {
        self.degree = Degree::UpTo(max_degree);
        self
    }

    /// What the degree is chosen by, if it is chosen; [`Criterion::Bic`] unless told otherwise.
    #[must_use]
    pub fn criterion(mut self, criterion: Criterion) -> Self {
        self.criterion = criterion;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If a degree is above [`MAX_DEGREE`].
    pub fn build(self) -> Result<PolynomialTrend> {
        let (Degree::Fixed(d) | Degree::UpTo(d)) = self.degree;
        if d > MAX_DEGREE {
            return Err(Error::invalid_parameter(
                "degree",
                format!("must be 0–{MAX_DEGREE}, was {d}"),
            ));
        }
        Ok(PolynomialTrend { degree: self.degree, criterion: self.criterion })
    }
}

impl PolynomialTrend {
    /// A builder that fits a straight line unless told otherwise.
    #[must_use]
    pub fn builder() -> PolynomialTrendBuilder {
        PolynomialTrendBuilder { degree: Degree::Fixed(1), criterion: Criterion::default() }
    }

    /// Fits the polynomial to values at times that never decrease; missing values (NaN) are left out.
    ///
    /// # Errors
    /// If there are fewer known values than the degree plus two ([`Error::is_not_enough_data`]), fewer distinct times
    /// than the degree plus one, all known values are of one moment, the times bunch so that the problem is
    /// ill-conditioned, a value is infinite, a time decreases, or the slices differ in length.
    pub fn fit(&self, times: &[Timestamp], values: &[f64]) -> Result<FittedTrend> {
        self.fit_with(&HouseholderQr, times, values, None)
    }

    /// The same with a weight for each value: its precision, the inverse of its noise's variance, in any unit. Weight 0
    /// leaves it out.
    ///
    /// Coefficients are as if a value of weight 2 were there twice; standard errors and tests are not, for a precise
    /// value is still one. Multiplying all weights by one factor changes the residual variance, `aicc` and `bic` only.
    ///
    /// # Errors
    /// As [`PolynomialTrend::fit`], and if a weight is negative or not finite.
    pub fn fit_weighted(
        &self,
        times: &[Timestamp],
        values: &[f64],
        weights: &[f64],
    ) -> Result<FittedTrend> {
        self.fit_with(&HouseholderQr, times, values, Some(weights))
    }

    /// The same through a solver of the caller's choice.
    ///
    /// # Errors
    /// As [`PolynomialTrend::fit_weighted`], and those of the solver.
    pub fn fit_with(
        &self,
        solver: &dyn LeastSquares,
        times: &[Timestamp],
        values: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<FittedTrend> {
        let points = Points::new(times, values, weights)?;
        match self.degree {
            Degree::Fixed(degree) => FittedTrend::fit(solver, &points, degree),
            Degree::UpTo(most) => {
                let mut best = FittedTrend::fit(solver, &points, 0)?;
                for degree in 1..=most {
                    if points.check(degree).is_err() {
                        break;
                    }
                    let next = FittedTrend::fit(solver, &points, degree)?;
                    if self.value(&next) < self.value(&best) {
                        best = next;
                    }
                }
                Ok(best)
            }
        }
    }

    fn value(&self, fit: &FittedTrend) -> f64 {
        match self.criterion {
            Criterion::Aicc => fit.aicc,
            Criterion::Bic => fit.bic,
        }
    }
}

#[cfg(test)]
mod tests;
