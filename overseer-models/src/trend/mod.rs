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
//!
//! Where only the polynomial is wanted, [`PolynomialTrend::fit_curve`] leaves the slope untested. Values that are evenly
//! spaced and complete then take a single pass and no matrix, whatever the degree or the choice among degrees:
//!
//! ```
//! use overseer_core::{Span, Timestamp};
//! use overseer_models::trend::PolynomialTrend;
//!
//! // A disk that fills ever faster: 1 % at first and 90 % after an hour.
//! let percent: Vec<_> = (0..61).map(|m| 1.0 + 89.0 * (f64::from(m) / 60.0).powi(2)).collect();
//! let trend = PolynomialTrend::builder().degree_by_criterion(4).build()?;
//!
//! let curve = trend.fit_uniform(Timestamp::from_millis(0), Span::from_secs(60), &percent)?;
//! assert_eq!(curve.degree(), 2);
//! assert!((curve.change() - 89.0).abs() < 1e-9);
//! assert!((curve.predict(Timestamp::from_millis(1_800_000)) - 23.25).abs() < 1e-9);
//! # Ok::<(), overseer_core::Error>(())
//! ```

mod basis;
mod criterion;
pub(crate) mod distribution;
mod fitted;
mod general;
mod gram;
mod grid;
#[cfg(feature = "lapack")]
mod lapack;
mod least_squares;
mod moments;
pub(crate) mod noise;
mod points;
mod polynomial;
pub(crate) mod robust;
pub(crate) mod slow;

pub use basis::MAX_DEGREE;
pub use criterion::Criterion;
pub use fitted::FittedTrend;
#[cfg(feature = "lapack")]
pub use lapack::LapackQr;
pub use least_squares::{HouseholderQr, LeastSquares, Solution};
pub use noise::ResidualNoise;
pub use polynomial::Polynomial;
pub use robust::{Reach, RobustTrend};

use general::GeneralFit;
use gram::GramFit;
use grid::{even_window, evenly_spaced};
use overseer_core::{Error, Result, Span, Timestamp};
use points::Points;

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

    /// Fits the polynomial to values at times that never decrease, and tests its slope; missing values (NaN) are left
    /// out.
    ///
    /// # Errors
    /// If there are fewer known values than the degree plus two ([`Error::is_not_enough_data`]), fewer distinct times
    /// than the degree plus one, all known values are of one moment, the times bunch so that the problem is
    /// ill-conditioned, a value is infinite, a time decreases, or the slices differ in length.
    pub fn fit(&self, times: &[Timestamp], values: &[f64]) -> Result<FittedTrend> {
        match self.closed_form(times, values) {
            Some(fit) => Ok(FittedTrend::new(&fit.polynomial, values, || fit.residuals(values))),
            None => self.fit_with(&HouseholderQr, times, values, None),
        }
    }

    /// Fits the polynomial without a test of its slope, which is most of the work of [`fit`](Self::fit). Of evenly
    /// spaced times and values of which none is missing it is a single pass.
    ///
    /// # Errors
    /// As [`PolynomialTrend::fit`].
    pub fn fit_curve(&self, times: &[Timestamp], values: &[f64]) -> Result<Polynomial> {
        match self.closed_form(times, values) {
            Some(fit) => Ok(fit.polynomial),
            None => self.general_curve(times, values),
        }
    }

    /// The same for values of which the first is at `start` and each is a `step` after the one before.
    ///
    /// # Errors
    /// As [`PolynomialTrend::fit`], and if the last time would be beyond what a timestamp can hold.
    pub fn fit_uniform(&self, start: Timestamp, step: Span, values: &[f64]) -> Result<Polynomial> {
        let fit = even_window(start, step, values.len())
            .and_then(|window| GramFit::new(self, window, values));
        match fit {
            Some(fit) => Ok(fit.polynomial),
            None => self.general_curve(&grid::times(start, step, values.len())?, values),
        }
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
        let fit = GeneralFit::new(self, solver, &points)?;
        Ok(FittedTrend::new(&fit.polynomial, &points.y, || fit.residuals()))
    }

    fn general_curve(&self, times: &[Timestamp], values: &[f64]) -> Result<Polynomial> {
        let points = Points::new(times, values, None)?;
        Ok(GeneralFit::new(self, &HouseholderQr, &points)?.polynomial)
    }

    /// The fit of a complete and uniform window; any other is left to the general way.
    fn closed_form(&self, times: &[Timestamp], values: &[f64]) -> Option<GramFit> {
        let window = evenly_spaced(times).filter(|_| times.len() == values.len())?;
        GramFit::new(self, window, values)
    }
}

#[cfg(test)]
mod tests;
