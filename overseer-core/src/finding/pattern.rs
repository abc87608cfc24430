//! The shape of a feature over a window: level, direction, rhythm, breaks.

use crate::{Probability, Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The dominant shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PatternType {
    /// Keeps its level with little spread.
    Stable,
    /// Goes up or down by more than chance explains.
    Trending,
    /// Spreads widely without direction or rhythm.
    Volatile,
    /// Repeats.
    Periodic,
}

impl PatternType {
    /// The lower-case word used in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Trending => "trending",
            Self::Volatile => "volatile",
            Self::Periodic => "periodic",
        }
    }
}

impl fmt::Display for PatternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A rhythm that a test found significant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Periodicity {
    /// The time after which the feature repeats.
    pub period: Span,
    /// Share of the variance that the rhythm explains, 0–1.
    pub strength: f64,
}

impl Periodicity {
    /// A rhythm.
    #[must_use]
    pub fn new(period: Span, strength: f64) -> Self {
        Self { period, strength }
    }
}

/// A polynomial fitted to the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trend {
    /// Coefficients, constant first, of the polynomial in time scaled to −1 (window start) … +1 (window end).
    pub coefficients: Vec<f64>,
    /// Average slope over the window, in the feature's unit per hour.
    pub slope_per_hour: f64,
    /// Share of the variance the polynomial explains, 0–1.
    pub r_squared: f64,
    /// Probability of a slope this far from zero if there were none, with autocorrelation allowed for.
    pub p_value: f64,
}

impl Trend {
    /// A fitted trend.
    #[must_use]
    pub fn new(coefficients: Vec<f64>, slope_per_hour: f64, r_squared: f64, p_value: f64) -> Self {
        Self { coefficients, slope_per_hour, r_squared, p_value }
    }
}

/// A moment at which the level changed for good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangePoint {
    /// The first sample of the new level.
    pub timestamp: Timestamp,
    /// Mean before and after, in the feature's unit.
    pub levels: (f64, f64),
}

impl ChangePoint {
    /// A change from one level to another.
    #[must_use]
    pub fn new(timestamp: Timestamp, before: f64, after: f64) -> Self {
        Self { timestamp, levels: (before, after) }
    }
}

/// What one feature did over a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PatternAnalysis {
    /// The dominant shape.
    pub pattern_type: PatternType,
    /// How strongly that shape shows, 0–1. For `trending` and `periodic` the share of variance explained; with `r`,
    /// the spread over the level, `r / (1 + r)` for `volatile` and `1 / (1 + r)` for `stable`.
    pub pattern_strength: f64,
    /// The strongest significant rhythm, or none.
    pub periodicity: Option<Periodicity>,
    /// The fitted polynomial, where there were enough points.
    pub trend: Option<Trend>,
    /// One minus the p-value of the test behind `pattern_type`.
    pub confidence: Probability,
    /// The features this is about.
    pub features: Vec<String>,
    /// Sentences for a person; nothing that is not significant is stated.
    pub insights: Vec<String>,
    /// Lasting changes of level, oldest first.
    pub change_points: Vec<ChangePoint>,
    /// First and last time of the window.
    pub window: (Timestamp, Timestamp),
    /// How many known values the window held.
    pub points: usize,
}

impl PatternAnalysis {
    /// An analysis of `feature` that says only its shape.
    pub fn new(
        feature: impl Into<String>,
        pattern_type: PatternType,
        pattern_strength: f64,
        confidence: Probability,
    ) -> Self {
        Self {
            pattern_type,
            pattern_strength,
            periodicity: None,
            trend: None,
            confidence,
            features: vec![feature.into()],
            insights: Vec::new(),
            change_points: Vec::new(),
            window: (Timestamp::default(), Timestamp::default()),
            points: 0,
        }
    }
}
