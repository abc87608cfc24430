//! The words of Overseer as types, and the traits its parts meet at.
//!
//! Nothing in this crate reads a file, a clock or the network, starts a thread, or knows an array library. A caller
//! passes the time in; a collector, a store and a model are whatever implements the traits in [`traits`].
//!
//! | word | type |
//! |---|---|
//! | feature, schema | [`Feature`], [`Schema`], and the host's own in [`host`] |
//! | sample, frame | [`Sample`], [`Frame`]; a missing value is NaN |
//! | finding | [`AnomalyDetection`], [`Prediction`], [`PatternAnalysis`], [`Recommendation`] |
//! | detector, forecaster, pattern analyzer | [`Detector`], [`Forecaster`], [`PatternAnalyzer`] |
//! | when something is full | [`FillForecaster`] |
//! | what follows from findings | [`Incident`], [`Label`], [`Silence`], [`Alert`], [`Outcome`] |
//! | what can be done on a host, and what was | [`ProposedAction`], [`Actuator`], [`AppliedAction`] |
//! | clocks on the wall | [`LocalTime`]; [`Utc`] for want of better ones |
//! | source and memory of samples | [`Collector`], [`Store`], [`ModelRepository`] |
//!
//! # Example
//!
//! ```
//! use overseer_core::{Frame, Sample, Schema, Timestamp, host};
//!
//! let schema = host::schema();
//! let mut frame = Frame::new(schema.clone());
//! let mut values = vec![f64::NAN; schema.len()];
//! values[host::CPU_UTILIZATION] = 0.25;
//! frame.push(&Sample::new(Timestamp::from_millis(0), values))?;
//! assert_eq!(frame.column(host::CPU_UTILIZATION).next(), Some(0.25));
//! # Ok::<(), overseer_core::Error>(())
//! ```

#[macro_use]
mod words;

mod action;
pub mod decision;
mod error;
pub mod finding;
mod frame;
pub mod host;
mod incident;
mod local_time;
pub mod missing;
mod model;
mod notification;
mod probability;
mod sample;
mod schema;
mod selection;
mod summary;
mod time;
pub mod traits;

pub use action::{AppliedAction, AppliedState, Knob, KnobSetting, ProposedAction, Reclaimable};
pub use decision::{
    Alert, AlertState, Delivery, Label, LabelKind, Outcome, OutcomeKind, Silence, SilenceKind,
    StoredRecommendation,
};
pub use error::{Error, ErrorKind, Result};
pub use finding::{
    AnomalyDetection, ChangeKind, ChangePoint, Crossing, FeatureEvidence, FeatureValue, Interval,
    PatternAnalysis, PatternType, Periodicity, Prediction, PredictionType, Priority, ProcessUsage,
    ProgramMemory, Recommendation, RobustSlope, Severity, Trend,
};
pub use frame::Frame;
pub use incident::{Acknowledgement, Incident, IncidentKind, Peak, ToldLast, WhichIncidents};
pub use local_time::{LocalTime, Utc};
pub use model::{ModelKind, ModelMetadata, Quality};
pub use notification::{Notification, NotificationReason};
pub use probability::Probability;
pub use sample::{Auxiliary, AuxiliarySeries, Interruption, MissingValue, Origin, Reading, Sample};
pub use schema::{Feature, Schema, Unit};
pub use selection::{Selection, SelectionEnd, Standing};
pub use summary::{Summary, SummaryBuilder, SummaryCell, SummaryQuery};
pub use time::{Span, Timestamp};
pub use traits::{
    Actuator, Appended, AuxiliaryQuery, Collector, Damaged, Detector, DetectorTrainer, Dropped,
    FillForecaster, FillOutlook, Filling, Forecast, ForecastTarget, Forecaster, ForecasterTrainer,
    HostInfo, Judgement, Maintenance, ModelRepository, PatternAnalyzer, SampleQuery, Sink, Store,
    StoredCounts, TickRecord,
};
