//! What is found: anomalies, predictions, patterns, advice.

use super::{Missing, ProposedAction, Reclaimable};
use serde::Deserialize;
use utoipa::ToSchema;

/// Whether a sample is unusual, how much, and by which features.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// Whether the severity is not `none`.
    pub is_anomaly: bool,
    /// `none`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The share of held-back normal samples that score lower, times readiness.
    pub confidence: f64,
    /// The time of the sample, which names the anomaly.
    pub timestamp: i64,
    /// The features behind it, the largest contribution first.
    pub features: Vec<Evidence>,
    /// One sentence.
    pub description: String,
    /// What may be done.
    pub suggested_actions: Vec<String>,
    /// 0–1, higher is more anomalous.
    pub score: f64,
    /// How rare that is among normal samples.
    pub p_value: Option<f64>,
    /// When earlier events like it began.
    pub similar: Vec<i64>,
}

/// What one feature did to a score.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Its name.
    pub feature: String,
    /// Its value.
    pub observed: Option<f64>,
    /// The range that was expected.
    pub expected: (Option<f64>, Option<f64>),
    /// Its share of the score.
    pub contribution: f64,
    /// What kind of change it is, if any.
    pub kind: Option<String>,
    /// Since when.
    pub since: Option<i64>,
}

/// Where a value is meant to lie.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower bound.
    pub lower: Option<f64>,
    /// The upper bound.
    pub upper: Option<f64>,
    /// How often it is meant to hold, 0–1.
    pub level: f64,
}

/// A value of a feature.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureValue {
    /// Its name.
    pub feature: String,
    /// Its value.
    pub value: Option<f64>,
}

/// What a prediction is of: `"performance_score"`, `{"feature": name}` or `{"time_to_full": {…}}`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PredictionType {
    /// The performance score.
    PerformanceScore,
    /// A feature.
    Feature(String),
    /// When something is full.
    TimeToFull {
        /// What is measured.
        feature: String,
        /// Which of several.
        instance: String,
    },
}

/// What a quantity will be, and how far off that may be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// Of what.
    pub prediction_type: PredictionType,
    /// The median; seconds where it is a time to full.
    pub value: Option<f64>,
    /// Where the truth is meant to lie.
    pub interval: Interval,
    /// How far ahead.
    pub horizon: i64,
    /// The share of recent intervals that held; 0 where none was checked.
    pub confidence: f64,
    /// When it was made.
    pub timestamp: i64,
    /// The values then.
    pub features: Vec<FeatureValue>,
    /// The feature that will set the score.
    pub driver: Option<String>,
    /// One sentence.
    pub explanation: String,
    /// What may be done.
    pub recommendations: Vec<String>,
}

/// A rhythm.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Periodicity {
    /// Its length.
    pub period: i64,
    /// The share of the variance that it explains.
    pub strength: f64,
    /// How often chance alone would show one so clear.
    pub p_value: Option<f64>,
    /// When it peaks.
    pub peak: Option<i64>,
}

/// A robust slope.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RobustSlope {
    /// Change an hour.
    pub slope_per_hour: f64,
    /// Its 95 % interval.
    pub interval: (f64, f64),
    /// How often chance alone would show one so steep.
    pub p_value: f64,
}

/// When a limit is crossed if a trend goes on.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Crossing {
    /// The limit.
    pub limit: f64,
    /// When.
    pub expected: i64,
    /// At the earliest.
    pub earliest: i64,
    /// At the latest, if ever.
    pub latest: Option<i64>,
}

/// A direction.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trend {
    /// Of the polynomial.
    pub coefficients: Vec<Option<f64>>,
    /// Change an hour.
    pub slope_per_hour: Option<f64>,
    /// The share of the variance that it explains.
    pub r_squared: Option<f64>,
    /// How often chance alone would show one so clear.
    pub p_value: Option<f64>,
    /// The same by robust means.
    pub robust: Option<RobustSlope>,
    /// When a limit is crossed.
    pub crossing: Option<Crossing>,
}

/// A break in a feature.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePoint {
    /// When.
    pub timestamp: i64,
    /// The levels before and after.
    pub levels: (Option<f64>, Option<f64>),
    /// `level`, `trend` or `variance`.
    pub kind: String,
    /// The sizes before and after, where it is not of the level.
    pub sizes: Option<(Option<f64>, Option<f64>)>,
    /// How often chance alone would show one so clear.
    pub p_value: Option<f64>,
}

/// The shape of a feature over a window.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// `stable`, `trending`, `volatile` or `periodic`.
    pub pattern_type: String,
    /// 0–1.
    pub pattern_strength: Option<f64>,
    /// Its rhythm, if it has one.
    pub periodicity: Option<Periodicity>,
    /// Further rhythms.
    #[serde(default)]
    pub further_rhythms: Vec<Periodicity>,
    /// Its direction, if it has one.
    pub trend: Option<Trend>,
    /// Spread over level.
    pub volatility: Option<f64>,
    /// One minus the p-value of its test.
    pub confidence: f64,
    /// Of which features.
    pub features: Vec<String>,
    /// Sentences.
    pub insights: Vec<String>,
    /// Its breaks.
    pub change_points: Vec<ChangePoint>,
    /// From when to when.
    pub window: (i64, i64),
    /// Of how many points.
    pub points: u64,
}

/// What to do about a finding.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// About which feature.
    pub feature: String,
    /// `low`, `medium`, `high` or `critical`.
    pub priority: String,
    /// Why.
    pub evidence: String,
    /// What.
    pub action: String,
    /// The processes behind it.
    pub processes: Vec<Process>,
    /// Its number, by which an outcome is told; absent where it is not stored.
    #[serde(default)]
    pub id: Option<i64>,
    /// Actions that could help, the most promising first.
    #[serde(default)]
    pub actions: Vec<ProposedAction>,
    /// What could be cleaned up.
    #[serde(default)]
    pub reclaimable: Vec<Reclaimable>,
}

/// What a process uses.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its command line.
    pub command: String,
    /// 1 is one CPU kept busy.
    pub cpu_cores: Option<f64>,
    /// Resident memory.
    pub memory_bytes: Option<f64>,
    /// Read and written.
    pub io_bytes_per_second: Option<f64>,
    /// Its control group, where known.
    #[serde(default)]
    pub cgroup: String,
    /// Its systemd unit, where known.
    #[serde(default)]
    pub unit: String,
    /// What could not be read of it.
    #[serde(default)]
    pub missing: Vec<Missing>,
}
