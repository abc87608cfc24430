//! The parameters of an analysis and their checks.

use super::ShapeAnalyzer;
use super::autocorrelation::Autocorrelation;
use super::grid::{FEW_CELLS, MOST_CELLS};
use crate::trend::{MAX_DEGREE, PolynomialTrend};
use overseer_core::{Error, LocalTime, Result, Utc};
use std::sync::Arc;

/// The fewest values from which any of the tests can say something.
const FEWEST_POINTS: usize = 8;

/// Gathers the parameters of a [`ShapeAnalyzer`].
#[derive(Debug, Clone)]
pub struct ShapeAnalyzerBuilder {
    significance: f64,
    min_points: usize,
    max_degree: usize,
    min_rhythm_strength: f64,
    volatile_spread: f64,
    limits: Vec<(String, f64)>,
    local_time: Arc<dyn LocalTime>,
}

impl Default for ShapeAnalyzerBuilder {
    fn default() -> Self {
        Self {
            significance: 0.01,
            min_points: 12,
            max_degree: 2,
            min_rhythm_strength: 0.2,
            volatile_spread: 0.25,
            limits: Vec::new(),
            local_time: Arc::new(Utc),
        }
    }
}

impl ShapeAnalyzerBuilder {
    /// The p-value below which a trend or a rhythm is stated: 0.01 unless told otherwise. Changes, of which a series may
    /// hold several, are stated below a tenth of it.
    #[must_use]
    pub fn significance(mut self, p_value: f64) -> Self {
        self.significance = p_value;
        self
    }

    /// The fewest known values to say anything of: 12 unless told otherwise, at least 8.
    #[must_use]
    pub fn min_points(mut self, points: usize) -> Self {
        self.min_points = points;
        self
    }

    /// The highest degree of the trend, 1–8; the degree is chosen by Schwarz's criterion. 2 unless told otherwise.
    #[must_use]
    pub fn max_degree(mut self, degree: usize) -> Self {
        self.max_degree = degree;
        self
    }

    /// The least share of the detrended variance that a rhythm must explain, 0–1: 0.2 unless told otherwise.
    #[must_use]
    pub fn min_rhythm_strength(mut self, share: f64) -> Self {
        self.min_rhythm_strength = share;
        self
    }

    /// The spread over the level above which a feature without direction or rhythm is volatile, positive: 0.25 unless
    /// told otherwise. To be stable it must, besides, surely not have moved by as much from one end to the other.
    #[must_use]
    pub fn volatile_spread(mut self, relative: f64) -> Self {
        self.volatile_spread = relative;
        self
    }

    /// A limit of a feature, of which a trend towards it says when it is reached; finite. That of a ratio is 1 unless
    /// told otherwise.
    #[must_use]
    pub fn limit(mut self, feature: impl Into<String>, limit: f64) -> Self {
        self.limits.push((feature.into(), limit));
        self
    }

    /// The clocks by which the phases of rhythms are said; UTC unless told otherwise.
    #[must_use]
    pub fn local_time(mut self, clocks: Arc<dyn LocalTime>) -> Self {
        self.local_time = clocks;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If one is outside the range its method names.
    pub fn build(self) -> Result<ShapeAnalyzer> {
        let refuse = |name: &str, range: &str, was: String| {
            Err(Error::invalid_parameter(name, format!("must be {range}, was {was}")))
        };
        if !(self.significance > 0.0 && self.significance < 1.0) {
            return refuse("significance", "between 0 and 1", self.significance.to_string());
        }
        if self.min_points < FEWEST_POINTS {
            return refuse("min_points", "8 or more", self.min_points.to_string());
        }
        if !(1..=MAX_DEGREE).contains(&self.max_degree) {
            return refuse("max_degree", "1–8", self.max_degree.to_string());
        }
        if !(0.0..=1.0).contains(&self.min_rhythm_strength) {
            return refuse("min_rhythm_strength", "0–1", self.min_rhythm_strength.to_string());
        }
        if !(self.volatile_spread > 0.0 && self.volatile_spread.is_finite()) {
            return refuse("volatile_spread", "positive", self.volatile_spread.to_string());
        }
        if let Some((name, limit)) = self.limits.iter().find(|(_, limit)| !limit.is_finite()) {
            return refuse("limit", &format!("finite for {name}"), limit.to_string());
        }
        let trends = (1..=self.max_degree)
            .map(|d| PolynomialTrend::builder().degree(d).build())
            .collect::<Result<_>>()?;
        Ok(ShapeAnalyzer {
            significance: self.significance,
            min_points: self.min_points,
            min_rhythm_strength: self.min_rhythm_strength,
            volatile_spread: self.volatile_spread,
            limits: self.limits,
            local_time: self.local_time,
            trends,
            correlators: [
                Autocorrelation::new(FEW_CELLS),
                Autocorrelation::new(2 * FEW_CELLS),
                Autocorrelation::new(MOST_CELLS),
            ],
        })
    }
}
