//! What is stored together.

use crate::{Alert, AnomalyDetection, Incident, PatternAnalysis, Prediction};

/// What one tick leaves to be stored together.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TickRecord<'a> {
    /// Anomalies.
    pub anomalies: &'a [AnomalyDetection],
    /// Predictions.
    pub predictions: &'a [Prediction],
    /// Patterns.
    pub patterns: &'a [PatternAnalysis],
    /// Incidents that are new or have changed.
    pub incidents: &'a [Incident],
    /// Messages for the outbox.
    pub alerts: &'a [Alert],
}

impl TickRecord<'_> {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anomalies.is_empty()
            && self.predictions.is_empty()
            && self.patterns.is_empty()
            && self.incidents.is_empty()
            && self.alerts.is_empty()
    }
}
