//! The JSON of findings as types: what the API's description is made from, and what a client in Rust may read answers
//! into.
//!
//! They are the engine's own structures as JSON (`docs/json.md`). Times are milliseconds since 1970 UTC, spans are
//! milliseconds, ratios are 0–1, and what is not known is `null`. Tests read real answers into them, strictly.

use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What an analysis or a tick says.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this structure.
    pub version: u32,
    /// When it was made.
    pub timestamp: i64,
    /// The host it is about.
    pub host: Host,
    /// What is behind it.
    pub learned: Learned,
    /// The host now; `null` if no sample could be had.
    pub current: Option<Current>,
    /// Whether that is unusual; `null` if no detector could be trained.
    pub anomaly: Option<Anomaly>,
    /// Whether this look opens an event, and so is an alert.
    pub alert: bool,
    /// What comes next.
    pub predictions: Vec<Prediction>,
    /// When what can be full will be; `null` where that is not known.
    pub room: Option<RoomLeft>,
    /// What is kept beside the samples.
    pub auxiliary: Vec<AuxiliaryValue>,
    /// What shapes were found.
    pub patterns: Vec<Pattern>,
    /// What to do.
    pub recommendations: Vec<Recommendation>,
    /// The processes that use the most, where they were looked at.
    pub processes: Vec<Process>,
    /// What failed or is missing.
    pub notices: Vec<Notice>,
    /// How long each stage took.
    pub timings: Vec<Timing>,
    /// How long all of it took, in milliseconds.
    pub tick_ms: f64,
}

/// A host.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Operating system and version.
    pub system: String,
    /// Logical CPUs.
    pub logical_cpus: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
}

/// What the engine knows, and how little that may be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// Samples that could be learned from, at `interval`.
    pub samples: u64,
    /// Time between those samples.
    pub interval: i64,
    /// First and last of them.
    pub span: Option<(i64, i64)>,
    /// Whether only the fast samples of a first run were seen.
    pub provisional: bool,
    /// How much of what a full calibration takes has been seen, 0–1.
    pub readiness: f64,
    /// The models in use.
    pub models: Vec<Model>,
    /// Where all of it is kept; `null` if nothing is stored.
    pub data_dir: Option<String>,
}

/// A fitted model.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name it is stored under.
    pub name: String,
    /// `detector` or `forecaster`.
    pub kind: String,
    /// The algorithm in the papers' words.
    pub algorithm: String,
    /// When training ended.
    pub trained_at: i64,
    /// First and last time of the rows it saw.
    pub trained_on: (i64, i64),
    /// How many rows it saw.
    pub rows: u64,
    /// The time between those rows.
    pub interval_ms: i64,
    /// How long training took.
    pub duration_ms: Option<f64>,
    /// Whether it is to be replaced soon.
    pub provisional: bool,
    /// What features it was trained on.
    pub schema_fingerprint: u64,
    /// Size of the stored model in bytes.
    pub bytes: u64,
    /// Measures of quality on held-back data, by name.
    pub quality: BTreeMap<String, Option<f64>>,
    /// How it was chosen among others, if it was.
    #[schema(value_type = Option<Object>)]
    pub selection: Option<serde_json::Value>,
}

/// The host now.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Current {
    /// When the sample was taken.
    pub timestamp: i64,
    /// Every feature.
    pub values: Vec<CurrentValue>,
    /// 0 (idle) to 100 (saturated).
    pub performance_score: Option<f64>,
    /// The feature that sets the score.
    pub driver: Option<String>,
    /// The mount whose fullness is reported.
    pub fullest_mount: Option<String>,
    /// What has no value, and why.
    pub missing: Vec<Missing>,
    /// What the values are of.
    pub origin: Origin,
}

/// What values are of: the host, or a container within its limits.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// `host`, `container`, `recording`, `script` or `unknown`.
    pub kind: String,
    /// Version of a container's control groups.
    pub cgroup_version: Option<u8>,
    /// How many CPUs a container may keep busy.
    pub cpu_limit: Option<f64>,
    /// How many bytes of memory a container may use.
    pub memory_limit: Option<u64>,
}

/// One feature now.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentValue {
    /// Its name.
    pub feature: String,
    /// Its value.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: String,
    /// The range it usually keeps, if one was learned.
    pub usual: Option<(f64, f64)>,
}

/// Something without a value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// What.
    pub feature: String,
    /// Why.
    pub reason: String,
}

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

/// When what can be full will be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomLeft {
    /// When this was found.
    pub timestamp: i64,
    /// What grows and will be full, the nearest first.
    pub filling: Vec<Prediction>,
    /// What will not be full soon.
    pub with_room: Vec<WithRoom>,
    /// What was seen for too short a time.
    pub not_known: Vec<TooLittleSeen>,
}

/// Something that will not be full soon.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithRoom {
    /// As a person calls it.
    pub what: String,
    /// It will not be full within this span.
    pub within: i64,
}

/// Something of which it is not known when it is full.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TooLittleSeen {
    /// As a person calls it.
    pub what: String,
    /// How long it was seen.
    pub seen: i64,
    /// How long it must be seen.
    pub needed: i64,
}

/// A quantity that is kept beside the samples.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuxiliaryValue {
    /// Its name.
    pub name: String,
    /// Which of several.
    pub instance: String,
    /// Its unit.
    pub unit: String,
    /// Its value.
    pub value: f64,
    /// At which it is full, if it can be.
    pub capacity: Option<f64>,
    /// How far ahead the rest is of.
    pub horizon: i64,
    /// The predicted median.
    pub median: Option<f64>,
    /// Where the truth is meant to lie.
    pub interval: Option<Interval>,
    /// The share of recent values that such an interval would have held.
    pub confidence: f64,
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

/// Something a reader must know.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Where it arose.
    pub stage: String,
    /// Whether something is wrong.
    pub warning: bool,
    /// One sentence.
    pub message: String,
}

/// How long a stage took.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// The stage.
    pub stage: String,
    /// Milliseconds.
    pub ms: f64,
}

/// What became of a training.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainSummary {
    /// One entry a model.
    pub models: Vec<TrainOutcome>,
    /// What failed or is worth knowing.
    pub notices: Vec<Notice>,
}

/// What became of one model.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TrainOutcome {
    /// It was trained now.
    Trained(Model),
    /// It was fresh enough and was left alone.
    Kept(Model),
    /// It could not be trained, and why.
    Failed {
        /// The model's name.
        name: String,
        /// The reason.
        reason: String,
    },
}

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
