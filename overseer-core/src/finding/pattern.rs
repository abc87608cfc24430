//! The shape of a feature over a window: level, direction, rhythm, breaks.

use crate::{ChangeKind, Probability, Span, Timestamp};
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
    /// Probability of so regular a rhythm from noise alone, all periods that were tried allowed for; unknown of one
    /// that an earlier release stored.
    #[serde(default)]
    pub p_value: Option<f64>,
    /// The last moment of the window at which the rhythm stood highest; unknown of one that an earlier release stored.
    #[serde(default)]
    pub peak: Option<Timestamp>,
}

impl Periodicity {
    /// A rhythm of which no more is known.
    #[must_use]
    pub fn new(period: Span, strength: f64) -> Self {
        Self { period, strength, p_value: None, peak: None }
    }
}

/// A slope that outliers do not move, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RobustSlope {
    /// The median slope between two moments of the window, in the feature's unit per hour.
    pub slope_per_hour: f64,
    /// Its 95 % interval, autocorrelation allowed for.
    pub interval: (f64, f64),
    /// Probability of an order as clear as this if there were no trend, autocorrelation allowed for, 0–1.
    pub p_value: f64,
}

impl RobustSlope {
    /// A slope with its interval.
    #[must_use]
    pub fn new(slope_per_hour: f64, interval: (f64, f64), p_value: f64) -> Self {
        Self { slope_per_hour, interval, p_value }
    }
}

/// When a trend reaches a limit if it goes on as it did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Crossing {
    /// The limit, in the feature's unit.
    pub limit: f64,
    /// When the trend is there.
    pub expected: Timestamp,
    /// The beginning of the 95 % interval of that moment.
    pub earliest: Timestamp,
    /// Its end; none if the trend may also never get there.
    pub latest: Option<Timestamp>,
}

impl Crossing {
    /// A crossing with its interval.
    #[must_use]
    pub fn new(
        limit: f64,
        expected: Timestamp,
        earliest: Timestamp,
        latest: Option<Timestamp>,
    ) -> Self {
        Self { limit, expected, earliest, latest }
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
    /// Probability of values in so clear an order if there were no trend, with autocorrelation allowed for, 0–1: it does
    /// not depend on the degree that was chosen.
    pub p_value: f64,
    /// The slope that outliers do not move; unknown of a trend that an earlier release stored.
    #[serde(default)]
    pub robust: Option<RobustSlope>,
    /// When a significant trend reaches the feature's limit; none if it has no limit, does not go there, or would be
    /// there later than so short a window can tell. Unknown of a trend that an earlier release stored.
    #[serde(default)]
    pub crossing: Option<Crossing>,
}

impl Trend {
    /// A fitted trend.
    #[must_use]
    pub fn new(coefficients: Vec<f64>, slope_per_hour: f64, r_squared: f64, p_value: f64) -> Self {
        Self { coefficients, slope_per_hour, r_squared, p_value, robust: None, crossing: None }
    }
}

/// A moment at which a feature changed for good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangePoint {
    /// The first sample after the change.
    pub timestamp: Timestamp,
    /// Mean before and after, in the feature's unit.
    pub levels: (f64, f64),
    /// What changed: [`ChangeKind::Level`], [`ChangeKind::Trend`] or [`ChangeKind::Variance`].
    #[serde(default = "level")]
    pub kind: ChangeKind,
    /// That which changed, before and after: the level, the slope in the unit per hour, or the standard deviation.
    /// None of a change of level, which `levels` tells.
    #[serde(default)]
    pub sizes: Option<(f64, f64)>,
    /// Probability of such a change in noise that has none; unknown where it was not told.
    #[serde(default)]
    pub p_value: Option<f64>,
}

fn level() -> ChangeKind {
    ChangeKind::Level
}

impl ChangePoint {
    /// A change from one level to another.
    #[must_use]
    pub fn new(timestamp: Timestamp, before: f64, after: f64) -> Self {
        Self {
            timestamp,
            levels: (before, after),
            kind: ChangeKind::Level,
            sizes: None,
            p_value: None,
        }
    }

    /// A change of something else than the level: of the slope or the spread from one size to another.
    #[must_use]
    pub fn of_kind(mut self, kind: ChangeKind, before: f64, after: f64) -> Self {
        self.kind = kind;
        self.sizes = Some((before, after));
        self
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
    /// Further significant rhythms, none of which is a harmonic of another, the strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_rhythms: Vec<Periodicity>,
    /// The fitted polynomial, where there were enough points.
    pub trend: Option<Trend>,
    /// The spread of what direction, rhythm and steps leave over, in standard deviations over the level (or what a
    /// person would act on, if that is more): 0 for a constant, unknown about a level of nothing.
    #[serde(default)]
    pub volatility: Option<f64>,
    /// One minus the p-value of the test behind `pattern_type`: that it is volatile, or stable, is tested too.
    pub confidence: Probability,
    /// The features this is about.
    pub features: Vec<String>,
    /// Sentences for a person; nothing that is not significant is stated.
    pub insights: Vec<String>,
    /// Lasting changes of level, direction or spread, oldest first.
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
            further_rhythms: Vec::new(),
            volatility: None,
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
