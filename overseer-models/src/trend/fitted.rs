//! A fitted polynomial and what it answers.

use super::basis::{Scale, evaluate, legendre, to_powers};
use super::least_squares::LeastSquares;
use super::noise::{Fit, ResidualNoise, test_slope};
use ndarray::{Array1, Array2};
use overseer_core::{Error, Result, Timestamp};

/// The known points of a window with their weights.
#[derive(Debug)]
pub(super) struct Points {
    pub(super) scale: Scale,
    /// Times scaled to −1…+1.
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    /// Square roots of the weights, or none if all weigh the same.
    pub(super) root_weights: Option<Vec<f64>>,
}

impl Points {
    /// Leaves out missing values and points of weight zero.
    pub(super) fn new(
        times: &[Timestamp],
        values: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        if times.len() != values.len() || weights.is_some_and(|w| w.len() != values.len()) {
            return Err(Error::schema_mismatch(
                format!("{} values and weights, one for each time", times.len()),
                format!("{} values", values.len()),
            ));
        }
        let (Some(&start), Some(&end)) = (times.first(), times.last()) else {
            return Err(Error::not_enough_data("a trend", 2, 0));
        };
        if let Some(i) = times.windows(2).position(|w| w[1] < w[0]) {
            return Err(Error::invalid_value(
                format!("row {}", i + 1),
                "its time is before the row above",
            ));
        }
        if let Some(i) = values.iter().position(|v| v.is_infinite()) {
            return Err(Error::invalid_value(format!("row {i}"), "the value is infinite"));
        }
        let scale = Scale { start, end };
        let known = |i: &usize| !values[*i].is_nan() && weights.is_none_or(|w| w[*i] != 0.0);
        let rows: Vec<usize> = (0..values.len()).filter(known).collect();
        let root_weights = match weights {
            None => None,
            Some(w) => {
                if let Some(i) = w.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
                    let why = format!("the weight must be finite and not negative, was {}", w[i]);
                    return Err(Error::invalid_value(format!("row {i}"), why));
                }
                Some(rows.iter().map(|&i| w[i].sqrt()).collect())
            }
        };
        Ok(Self {
            scale,
            x: rows.iter().map(|&i| scale.scaled(times[i])).collect(),
            y: rows.iter().map(|&i| values[i]).collect(),
            root_weights,
        })
    }

    fn root_weight(&self, i: usize) -> f64 {
        self.root_weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// Checks that a polynomial of `degree` can be fitted with a residual left over.
    pub(super) fn check(&self, degree: usize) -> Result<()> {
        let what = || format!("a polynomial of degree {degree} and its error");
        if self.x.len() < degree + 2 {
            return Err(Error::not_enough_data(what(), degree + 2, self.x.len()));
        }
        let distinct = 1 + self.x.windows(2).filter(|w| w[1] > w[0]).count();
        if degree > 0 && distinct == 1 {
            return Err(Error::invalid_value(
                "the times",
                "all known values are of one moment, so no slope can be told",
            ));
        }
        if distinct < degree + 1 {
            return Err(Error::not_enough_data(
                format!("{}, in distinct moments", what()),
                degree + 1,
                distinct,
            ));
        }
        Ok(())
    }
}

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
    pub(super) fn fit(solver: &dyn LeastSquares, points: &Points, degree: usize) -> Result<Self> {
        points.check(degree)?;
        let (n, p) = (points.x.len(), degree + 1);
        let mut cells = Vec::with_capacity(n * p);
        for (i, &x) in points.x.iter().enumerate() {
            let weight = points.root_weight(i);
            cells.extend(legendre(degree, x).map(|value| weight * value));
        }
        let design = Array2::from_shape_vec((n, p), cells)
            .map_err(|e| Error::other("laying out a design matrix", e))?;
        // Values near the largest number would overflow when squared, so they are solved for in units of their size.
        let unit = points.y.iter().fold(0.0, |most: f64, y| most.max(y.abs()));
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let scaled: Array1<f64> =
            points.y.iter().enumerate().map(|(i, y)| points.root_weight(i) * (y / unit)).collect();
        let solution = solver.solve(&design, &scaled)?;
        let rest = solution.residual_sum_of_squares;

        let powers = to_powers(degree);
        let coefficients = powers.dot(&solution.coefficients);
        let variance = rest / (n - p) as f64;
        let covariance = powers.dot(&solution.unscaled_covariance).dot(&powers.t());

        let fitted = design.dot(&solution.coefficients);
        let residuals: Vec<f64> = scaled.iter().zip(&fitted).map(|(y, f)| y - f).collect();
        let total = sum_about_mean(points, unit);
        // Odd powers differ by two between the ends of the window, even ones not at all.
        let odd = || (1..p).step_by(2);
        let change = 2.0 * odd().map(|i| coefficients[i]).sum::<f64>();
        let unit_variance = 4.0
            * odd()
                .flat_map(|i| odd().map(move |j| (i, j)))
                .map(|(i, j)| covariance[[i, j]])
                .sum::<f64>();

        // What rounding alone leaves over.
        let floor = n as f64 * (64.0 * f64::EPSILON).powi(2);
        let (p_value, noise, effective_points) = if degree == 0 {
            (1.0, ResidualNoise::Stationary, n as f64)
        } else if rest <= floor {
            let p = if change.abs() > 1.0e-12 { 0.0 } else { 1.0 };
            (p, ResidualNoise::Absent, n as f64)
        } else {
            // A walk's steps are those of the values themselves; weighting them would make steps of a level.
            let unweighted: Vec<f64> = points.y.iter().map(|y| y / unit).collect();
            let test = test_slope(Fit {
                degree,
                values: &unweighted,
                residuals: &residuals,
                change,
                unit_variance,
            });
            (test.p_value, test.noise, test.effective_points)
        };

        let n = n as f64;
        let k = (p + 1) as f64;
        // The unit's logarithm keeps the criteria those of the values as given.
        let deviance = n * ((rest.max(floor) / n).ln() + 2.0 * unit.ln());
        let spare = n - k - 1.0;
        let seconds = points.scale.seconds();
        Ok(Self {
            coefficients: coefficients.iter().map(|c| c * unit).collect(),
            standard_errors: covariance
                .diag()
                .iter()
                .map(|c| (variance * c).max(0.0).sqrt() * unit)
                .collect(),
            r_squared: if total > floor { (1.0 - rest / total).clamp(0.0, 1.0) } else { 0.0 },
            residual_variance: variance * unit * unit,
            aicc: if spare > 0.0 {
                deviance + 2.0 * k + 2.0 * k * (k + 1.0) / spare
            } else {
                f64::INFINITY
            },
            bic: deviance + k * n.ln(),
            points: points.x.len(),
            effective_points,
            window: (points.scale.start, points.scale.end),
            slope_per_second: if seconds > 0.0 { change * unit / seconds } else { 0.0 },
            slope_p_value: p_value,
            residual_noise: noise,
        })
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
        2.0 * self.coefficients.iter().skip(1).step_by(2).sum::<f64>()
    }
}

/// The weighted sum of squares about the weighted mean, in units of `unit`.
fn sum_about_mean(points: &Points, unit: f64) -> f64 {
    let weight = |i: usize| points.root_weight(i).powi(2);
    let (mut weights, mut sum) = (0.0, 0.0);
    for (i, y) in points.y.iter().enumerate() {
        weights += weight(i);
        sum += weight(i) * (y / unit);
    }
    let mean = sum / weights;
    points.y.iter().enumerate().map(|(i, y)| weight(i) * (y / unit - mean).powi(2)).sum()
}
