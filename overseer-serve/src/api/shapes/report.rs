//! What an analysis or a tick says of the host as a whole.

use super::{Anomaly, Incident, Interval, Pattern, Prediction, Process, Recommendation};
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
    /// The incidents that go on, and those that ended with this look.
    pub incidents: Vec<Incident>,
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

/// When what can be full will be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomLeft {
    /// When this was found.
    pub timestamp: i64,
    /// What grows and will be full, the nearest first.
    pub filling: Vec<Prediction>,
    /// Programs whose memory grows, each of which is in `filling` too.
    pub growing: Vec<Growing>,
    /// What will not be full soon.
    pub with_room: Vec<WithRoom>,
    /// What was seen for too short a time.
    pub not_known: Vec<TooLittleSeen>,
}

/// A program whose memory grows, and will meet its limit if it goes on so.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Growing {
    /// The systemd service, else the name of the executable.
    pub program: String,
    /// How many processes it has.
    pub processes: Option<usize>,
    /// The largest of them.
    pub largest: Option<Process>,
    /// Resident memory of all of them.
    pub memory_bytes: f64,
    /// By how much it grows an hour.
    pub bytes_per_hour: f64,
    /// Where that is meant to lie.
    pub interval: Interval,
    /// For how long it has been seen to grow so, in milliseconds.
    pub grown_for: i64,
    /// The memory at which it meets its limit.
    pub limit_bytes: f64,
    /// The control group whose limit that is; empty where it is what the host has left.
    pub limited_by: String,
    /// The median of the seconds until then; null if beyond the prediction's horizon.
    pub reached_in: Option<f64>,
    /// Where those seconds are meant to lie.
    pub reached_between: Interval,
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
