//! The JSON of findings as types: what the API's description is made from, and what a client in Rust may read answers
//! into.
//!
//! They are the engine's own structures as JSON (`docs/json.md`). Times are milliseconds since 1970 UTC, spans are
//! milliseconds, ratios are 0–1, and what is not known is `null`. Tests read real answers into them, strictly.

mod finding;
mod incident;
mod report;
mod stored;

pub use finding::{
    Anomaly, ChangePoint, Crossing, Evidence, FeatureValue, Interval, Pattern, Periodicity,
    Prediction, PredictionType, Process, Recommendation, RobustSlope, Trend,
};
pub use incident::{
    Acknowledgement, AlarmRate, Incident, Peak, ProposedAction, Reclaimable, ToldLast,
};
pub use report::{
    AuxiliaryValue, Current, CurrentValue, Growing, Host, Learned, Missing, Model, Notice, Origin,
    Report, RoomLeft, Timing, TooLittleSeen, TrainOutcome, TrainSummary, WithRoom,
};
pub use stored::{
    Alert, Analytics, Correlation, FeatureSummary, Health, Label, ModelAge, Silence, StoredCounts,
    StoredRecommendation,
};
