//! What an analysis says: anomalies, predictions, patterns and recommendations.
//!
//! All of them are plain data that compare, print as JSON and can grow: they are made with a constructor that takes
//! what is always known, and their public fields take the rest.

mod anomaly;
mod pattern;
mod prediction;
mod process_memory;
mod recommendation;

pub use anomaly::{AnomalyDetection, ChangeKind, FeatureEvidence, Severity};
pub use pattern::{
    ChangePoint, Crossing, PatternAnalysis, PatternType, Periodicity, RobustSlope, Trend,
};
pub use prediction::{FeatureValue, Interval, Prediction, PredictionType};
pub use process_memory::ProgramMemory;
pub use recommendation::{Priority, ProcessUsage, Recommendation};
