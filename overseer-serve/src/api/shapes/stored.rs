//! What is kept: what people say, what is sent, and what the history amounts to.

use super::{AlarmRate, Anomaly, Model, Notice, Recommendation};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a person said of an anomaly.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The anomaly's time, which names it.
    pub anomaly: i64,
    /// `false_alarm`, `incident` or `expected`.
    pub kind: String,
    /// When that was said.
    pub made_at: i64,
    /// Why.
    pub note: String,
}

/// A time in which nothing is sent.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// Its number.
    pub id: i64,
    /// `silence` or `maintenance`.
    pub kind: String,
    /// When it begins.
    pub starts_at: i64,
    /// When it ends.
    pub ends_at: i64,
    /// How it recurs.
    pub recurrence: Option<String>,
    /// The features it is about; empty for all.
    pub features: Vec<String>,
    /// Why.
    pub reason: String,
    /// When it was made.
    pub made_at: i64,
    /// When it was ended early.
    pub lifted_at: Option<i64>,
}

/// A message in the outbox.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Its number; later alerts have higher ones.
    pub id: i64,
    /// When the incident began.
    pub incident: i64,
    /// `pending`, `firing`, `acknowledged` or `resolved`.
    pub state: String,
    /// `none`, `medium`, `high` or `critical`.
    pub severity: String,
    /// When this was written.
    pub made_at: i64,
    /// Who is told.
    pub sink: String,
    /// What is told.
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When to try next.
    pub next_attempt: Option<i64>,
    /// When it was delivered.
    pub delivered_at: Option<i64>,
    /// Why the last failed attempt failed.
    pub last_error: Option<String>,
}

/// A recommendation with its number.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredRecommendation {
    /// Its number.
    pub id: i64,
    /// When it was made.
    pub made_at: i64,
    /// The name of the catalogue's action, where it is one.
    pub catalogue_action: Option<String>,
    /// What was advised.
    pub recommendation: Recommendation,
}

/// A model and its age.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelAge {
    /// What is known of it.
    pub metadata: Model,
    /// Time since it was trained.
    pub age: i64,
}

/// What the stored history amounts to.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    /// When this was made.
    pub timestamp: i64,
    /// How much is stored in all.
    pub stored: Option<StoredCounts>,
    /// How many samples are summarised.
    pub samples: u64,
    /// Time between those samples.
    pub interval: i64,
    /// One entry a feature.
    pub features: Vec<FeatureSummary>,
    /// Notable correlations, the strongest first.
    pub correlations: Vec<Correlation>,
    /// The models in use.
    pub models: Vec<ModelAge>,
    /// The host over time, oldest first.
    pub health: Vec<Health>,
    /// How many alerts there really were, beside the budget.
    pub alarm_rate: Option<AlarmRate>,
    /// The newest anomalies, newest first.
    pub anomalies: Vec<Anomaly>,
    /// What failed or is missing.
    pub notices: Vec<Notice>,
}

/// How much a store holds.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredCounts {
    /// Samples of any interval.
    pub samples: u64,
    /// Predictions.
    pub predictions: u64,
    /// Anomalies.
    pub anomalies: u64,
    /// Pattern analyses.
    pub patterns: u64,
    /// Models described.
    pub models: u64,
    /// First and last time of the samples.
    pub span: Option<(i64, i64)>,
}

/// One feature over the history.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureSummary {
    /// Its name.
    pub feature: String,
    /// Its unit.
    pub unit: String,
    /// How many values are known.
    pub known: u64,
    /// How many are missing.
    pub missing: u64,
    /// Their mean.
    pub mean: Option<f64>,
    /// 5 % of the values are lower.
    pub p5: Option<f64>,
    /// Half of the values are lower.
    pub median: Option<f64>,
    /// 95 % of the values are lower.
    pub p95: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
}

/// Two features that move together, or against each other.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Correlation {
    /// The two features.
    pub features: (String, String),
    /// Pearson's coefficient, −1 to 1.
    pub r: f64,
    /// From how many samples.
    pub samples: u64,
}

/// A stretch of time.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Its first moment.
    pub from: i64,
    /// The first moment after it.
    pub to: i64,
    /// How many samples it holds.
    pub samples: u64,
    /// Mean performance score.
    pub mean_score: Option<f64>,
    /// Highest performance score.
    pub max_score: Option<f64>,
    /// Anomalies that began in it.
    pub anomalies: u64,
}
