//! What a sink tells a person or another program about an incident.

use crate::{AlertState, FeatureEvidence, ProcessUsage, Severity, Timestamp};
use serde::{Deserialize, Serialize};

words! {
    /// Why something is told now.
    NotificationReason {
        /// An incident began to fire.
        Fired = "fired",
        /// It became more severe.
        Worse = "worse",
        /// It still fires, and nobody has acknowledged it.
        Reminder = "reminder",
        /// Somebody looks after it.
        Acknowledged = "acknowledged",
        /// It is over.
        Resolved = "resolved",
    }
}

/// What is told of an incident at one moment: everything a sink needs, so that it asks nothing else.
///
/// Its JSON is the message of an [`Alert`](crate::Alert) in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notification {
    /// The name of the host.
    pub host: String,
    /// When the incident began, which names it.
    pub incident: Timestamp,
    /// Its number, by which `overseer acknowledge` and `label` know it; none where it is kept nowhere.
    #[serde(default)]
    pub number: Option<i64>,
    /// Why this is told.
    pub reason: NotificationReason,
    /// Where the incident stands.
    pub state: AlertState,
    /// How much it matters: the worst so far.
    pub severity: Severity,
    /// When this was written.
    pub made_at: Timestamp,
    /// When the incident was over; none while it goes on.
    pub ended_at: Option<Timestamp>,
    /// What happened, in one sentence for a person.
    pub description: String,
    /// The features that made it, the largest contribution first.
    pub features: Vec<FeatureEvidence>,
    /// The processes that used the most when it was found.
    pub processes: Vec<ProcessUsage>,
    /// What a person could do, most useful first.
    pub suggested_actions: Vec<String>,
}

impl Notification {
    /// A notification that only says that something happened.
    pub fn new(
        host: impl Into<String>,
        incident: Timestamp,
        reason: NotificationReason,
        state: AlertState,
        severity: Severity,
        made_at: Timestamp,
    ) -> Self {
        Self {
            host: host.into(),
            incident,
            number: None,
            reason,
            state,
            severity,
            made_at,
            ended_at: None,
            description: String::new(),
            features: Vec::new(),
            processes: Vec::new(),
            suggested_actions: Vec::new(),
        }
    }
}
