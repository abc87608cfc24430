//! What an engine says after a look at the host: plain data, stable as JSON.

use overseer_core::{
    AnomalyDetection, Auxiliary, FeatureValue, HostInfo, Incident, Interval, MissingValue,
    ModelMetadata, Origin, PatternAnalysis, Prediction, Probability, ProcessUsage, Recommendation,
    Span, Timestamp, Unit, missing,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of the JSON that [`Report`] becomes; it changes when a field changes its meaning or goes away.
pub const REPORT_VERSION: u32 = 1;

/// A stage of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Opening the data directory and what lies in it.
    Open,
    /// Taking samples.
    Collect,
    /// Writing to and reading from the store.
    Store,
    /// Fitting models.
    Train,
    /// Judging the newest sample.
    Detect,
    /// Forecasting.
    Predict,
    /// Looking for patterns.
    Patterns,
    /// Asking when things are full.
    Room,
    /// Giving advice.
    Recommend,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Collect => "collect",
            Self::Store => "store",
            Self::Train => "train",
            Self::Detect => "detect",
            Self::Predict => "predict",
            Self::Patterns => "patterns",
            Self::Room => "room",
            Self::Recommend => "recommend",
        })
    }
}

/// Something a reader of the report must know: what failed, what is missing, what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notice {
    /// Where it arose.
    pub stage: Stage,
    /// Whether something is wrong, rather than merely worth knowing.
    pub warning: bool,
    /// One sentence.
    pub message: String,
}

impl Notice {
    /// Whether it is of a stored model that could not be used and that a new one takes the place of, so that nothing
    /// learned from now on is lost.
    #[must_use]
    pub fn is_of_replaced_model(&self) -> bool {
        self.stage == Stage::Open && self.message.ends_with(crate::stored_models::TRAINED_ANEW)
    }

    /// Something worth knowing.
    pub fn info(stage: Stage, message: impl Into<String>) -> Self {
        Self { stage, warning: false, message: message.into() }
    }

    /// Something wrong.
    pub fn warning(stage: Stage, message: impl Into<String>) -> Self {
        Self { stage, warning: true, message: message.into() }
    }
}

/// How long a stage took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timing {
    /// The stage.
    pub stage: Stage,
    /// Wall time in milliseconds.
    pub ms: f64,
}

impl Timing {
    pub(crate) fn new(stage: Stage, ms: f64) -> Self {
        Self { stage, ms }
    }
}

/// One feature now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CurrentValue {
    /// Its name and value.
    #[serde(flatten)]
    pub value: FeatureValue,
    /// Its unit.
    pub unit: Unit,
    /// The range it usually keeps, if one was learned.
    pub usual: Option<(f64, f64)>,
}

/// The host now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Current {
    /// When the sample was taken.
    pub timestamp: Timestamp,
    /// Every feature in the schema's order.
    pub values: Vec<CurrentValue>,
    /// 0 (idle) to 100 (saturated); `null` where it cannot be known.
    #[serde(with = "missing")]
    pub performance_score: f64,
    /// The feature that sets the score.
    pub driver: Option<String>,
    /// The mount whose fullness is reported.
    pub fullest_mount: Option<String>,
    /// What has no value, and why.
    pub missing: Vec<MissingValue>,
    /// What the values are of: the host, or a container within its limits.
    #[serde(default)]
    pub origin: Origin,
}

/// What the engine knows, and how little that may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Learned {
    /// Samples that could be learned from, at `interval`.
    pub samples: usize,
    /// Time between those samples.
    pub interval: Span,
    /// First and last of them.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Whether only the fast samples of a first run were seen.
    pub provisional: bool,
    /// How much of what a full calibration takes has been seen, 0–1.
    pub readiness: f64,
    /// The models in use.
    pub models: Vec<ModelMetadata>,
    /// Where all of it is kept; `null` if nothing is stored.
    pub data_dir: Option<String>,
}

/// When what can be full will be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoomLeft {
    /// When this was found.
    pub timestamp: Timestamp,
    /// What grows and will be full, the nearest first.
    pub filling: Vec<Prediction>,
    /// Programs whose memory grows, each of which is in `filling` too.
    #[serde(default)]
    pub growing: Vec<Growing>,
    /// What will not be full within a time that what was seen can speak for.
    pub with_room: Vec<WithRoom>,
    /// What was seen for too short a time.
    pub not_known: Vec<TooLittleSeen>,
}

impl RoomLeft {
    pub(crate) fn new(timestamp: Timestamp) -> Self {
        Self {
            timestamp,
            filling: Vec::new(),
            growing: Vec::new(),
            with_room: Vec::new(),
            not_known: Vec::new(),
        }
    }

    /// For how long what is not known yet was seen, in words. Values are kept by the minute, so that nothing shorter
    /// can be told apart.
    #[must_use]
    pub fn seen_for(&self) -> String {
        let seen = self.not_known.iter().map(|n| n.seen).max().unwrap_or_default();
        if seen < Span::from_secs(60) { "less than 1 min".to_owned() } else { seen.to_string() }
    }
}

/// A program whose memory grows, and will meet its limit if it goes on so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Growing {
    /// The systemd service, else the name of the executable.
    pub program: String,
    /// How many processes it has; `null` where it cannot be seen now.
    pub processes: Option<usize>,
    /// The largest of them, in the same way.
    pub largest: Option<ProcessUsage>,
    /// Resident memory of all of them.
    pub memory_bytes: f64,
    /// By how much it grows an hour.
    pub bytes_per_hour: f64,
    /// Where that is meant to lie.
    pub interval: Interval,
    /// For how long it has been seen to grow so.
    pub grown_for: Span,
    /// The memory at which it meets its limit.
    pub limit_bytes: f64,
    /// The control group whose limit that is; empty where it is what the host has left.
    pub limited_by: String,
    /// The median of the seconds until then; `null` if beyond the prediction's horizon.
    #[serde(with = "missing")]
    pub reached_in: f64,
    /// Where those seconds are meant to lie.
    pub reached_between: Interval,
}

/// Something that will not be full soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithRoom {
    /// As a person calls it: `/var`, `inodes of /var`, `memory`.
    pub what: String,
    /// It will not be full within this span.
    pub within: Span,
}

/// Something of which it is not known when it is full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TooLittleSeen {
    /// As a person calls it.
    pub what: String,
    /// How long it was seen.
    pub seen: Span,
    /// How long it must be seen.
    pub needed: Span,
}

/// A quantity that is kept beside the samples, now and in an hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuxiliaryValue {
    /// Its name, instance, unit, value and capacity.
    #[serde(flatten)]
    pub auxiliary: Auxiliary,
    /// How far ahead the rest is of.
    pub horizon: Span,
    /// The predicted median; missing while too little is known.
    #[serde(with = "missing")]
    pub median: f64,
    /// Where the truth is meant to lie; `null` while too little is known.
    pub interval: Option<Interval>,
    /// The share of the newest third of its history that such an interval would have held; 0 where none was checked.
    pub confidence: Probability,
}

/// The result of a look at the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// When it was made.
    pub timestamp: Timestamp,
    /// The host it is about.
    pub host: HostInfo,
    /// What is behind it.
    pub learned: Learned,
    /// The host now; `null` if no sample could be had.
    pub current: Option<Current>,
    /// Whether that is unusual; `null` if no detector could be trained.
    pub anomaly: Option<AnomalyDetection>,
    /// Whether this look opens an event, and so is an alert.
    pub alert: bool,
    /// The incidents that go on, and those that ended with this look.
    #[serde(default)]
    pub incidents: Vec<Incident>,
    /// What comes next; empty if not asked for or not possible.
    pub predictions: Vec<Prediction>,
    /// When what can be full will be; `null` if not asked for, or not looked at anew.
    #[serde(default)]
    pub room: Option<RoomLeft>,
    /// What is kept beside the samples; empty if not asked for, or not looked at anew.
    #[serde(default)]
    pub auxiliary: Vec<AuxiliaryValue>,
    /// What shapes were found; empty if not asked for or too little is known.
    pub patterns: Vec<PatternAnalysis>,
    /// What to do.
    pub recommendations: Vec<Recommendation>,
    /// The processes that use the most, where they were looked at.
    pub processes: Vec<ProcessUsage>,
    /// What failed or is missing.
    pub notices: Vec<Notice>,
    /// How long each stage took.
    pub timings: Vec<Timing>,
    /// How long all of it took, in milliseconds.
    pub tick_ms: f64,
}

impl Report {
    /// Takes over from the report before what this one did not look for: predictions, patterns, room, what is kept beside
    /// the samples, and processes. For whoever shows one tick after another.
    pub fn keep_found(&mut self, before: &Self) {
        if self.predictions.is_empty() {
            self.predictions.clone_from(&before.predictions);
        }
        if self.patterns.is_empty() {
            self.patterns.clone_from(&before.patterns);
        }
        if self.room.is_none() {
            self.room.clone_from(&before.room);
        }
        if self.auxiliary.is_empty() {
            self.auxiliary.clone_from(&before.auxiliary);
        }
        if self.processes.is_empty() {
            self.processes.clone_from(&before.processes);
        }
    }

    /// Whether anything went wrong on the way.
    #[must_use]
    pub fn has_warnings(&self) -> bool {
        self.notices.iter().any(|n| n.warning)
    }
}
