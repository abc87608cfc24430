//! What follows from findings: labels, silences, alerts to deliver, and what came of advice.
//!
//! All of it may be written by any process at any time, and a sampler obeys by its next tick.

use crate::{Recommendation, Severity, Timestamp, missing};
use serde::{Deserialize, Serialize};

words! {
    /// What a person says of an anomaly.
    LabelKind {
        /// Nothing was wrong, and nobody should have been told.
        FalseAlarm = "false_alarm",
        /// Something was wrong: not to be learned from as normal.
        Incident = "incident",
        /// Unusual, but wanted: a backup, a release.
        Expected = "expected",
    }
}

/// What a person said of the anomaly at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Label {
    /// The anomaly's time, which names it: a host has one judgement a sample.
    pub anomaly: Timestamp,
    /// What it was.
    pub kind: LabelKind,
    /// When that was said; of several about one anomaly the newest counts.
    pub made_at: Timestamp,
    /// Why, for whoever reads it later; may be empty.
    pub note: String,
}

impl Label {
    /// A label without a note.
    #[must_use]
    pub fn new(anomaly: Timestamp, kind: LabelKind, made_at: Timestamp) -> Self {
        Self { anomaly, kind, made_at, note: String::new() }
    }
}

words! {
    /// Why nothing is sent.
    SilenceKind {
        /// Nobody wants to be told.
        Silence = "silence",
        /// Work is being done on the host.
        Maintenance = "maintenance",
    }
}

/// A time in which nothing is sent. What happens meanwhile is recorded all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Silence {
    /// Its number in the store, above zero; 0 until it was stored.
    pub id: i64,
    /// Why.
    pub kind: SilenceKind,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends; of the first occurrence, where it recurs.
    pub ends_at: Timestamp,
    /// How it recurs, in the words of whoever interprets it; none for once.
    pub recurrence: Option<String>,
    /// The features it is about; empty for all.
    pub features: Vec<String>,
    /// Why, for a person; may be empty.
    pub reason: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it was ended early; none while it holds.
    pub lifted_at: Option<Timestamp>,
}

impl Silence {
    /// A silence of all features, once, that is not stored yet.
    #[must_use]
    pub fn new(
        kind: SilenceKind,
        starts_at: Timestamp,
        ends_at: Timestamp,
        made_at: Timestamp,
    ) -> Self {
        Self {
            id: 0,
            kind,
            starts_at,
            ends_at,
            recurrence: None,
            features: Vec::new(),
            reason: String::new(),
            made_at,
            lifted_at: None,
        }
    }
}

words! {
    /// Where an incident stands.
    AlertState {
        /// Unusual, but not yet for long enough.
        Pending = "pending",
        /// Somebody should look.
        Firing = "firing",
        /// Somebody does.
        Acknowledged = "acknowledged",
        /// It is over.
        Resolved = "resolved",
    }
}

/// A message in the outbox: who is to be told what, and how far that got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alert {
    /// Its number in the store, above zero; 0 until it was stored. Later alerts have higher ones.
    pub id: i64,
    /// When the incident began: alerts of one incident share it.
    pub incident: Timestamp,
    /// Where the incident stands.
    pub state: AlertState,
    /// How much it matters.
    pub severity: Severity,
    /// When this was written.
    pub made_at: Timestamp,
    /// The name of who is told.
    pub sink: String,
    /// What is told, in the form the sink takes.
    pub message: String,
    /// How often it was tried to deliver it.
    pub attempts: u32,
    /// When to try next; none once it was delivered or given up.
    pub next_attempt: Option<Timestamp>,
    /// When it was delivered, if it was.
    pub delivered_at: Option<Timestamp>,
    /// Why the last failed attempt failed.
    pub last_error: Option<String>,
}

impl Alert {
    /// A message that waits for its first attempt, which is due at once.
    pub fn new(
        incident: Timestamp,
        state: AlertState,
        severity: Severity,
        made_at: Timestamp,
        sink: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            id: 0,
            incident,
            state,
            severity,
            made_at,
            sink: sink.into(),
            message: message.into(),
            attempts: 0,
            next_attempt: Some(made_at),
            delivered_at: None,
            last_error: None,
        }
    }
}

/// What came of an attempt to deliver an [`Alert`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// It arrived.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It did not.
    Failed {
        /// Why, for a person.
        error: String,
        /// When to try again; none to give up.
        retry_at: Option<Timestamp>,
    },
}

/// A recommendation with its number in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredRecommendation {
    /// Its number in the store, above zero.
    pub id: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// The name of the catalogue's action, where it is one.
    pub catalogue_action: Option<String>,
    /// What was advised.
    pub recommendation: Recommendation,
}

impl StoredRecommendation {
    /// A recommendation as a store gives it back.
    #[must_use]
    pub fn new(
        id: i64,
        made_at: Timestamp,
        catalogue_action: Option<String>,
        recommendation: Recommendation,
    ) -> Self {
        Self { id, made_at, catalogue_action, recommendation }
    }
}

words! {
    /// What came of following a recommendation.
    OutcomeKind {
        /// It got better.
        Helped = "helped",
        /// It stayed as it was.
        NoChange = "no_change",
        /// It got worse.
        Worse = "worse",
    }
}

/// What came of a recommendation, as measured or as a person reports it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The number of the recommendation in the store.
    pub recommendation: i64,
    /// What came of it.
    pub kind: OutcomeKind,
    /// When that was known.
    pub made_at: Timestamp,
    /// The watched feature before and after, in its unit; NaN where nothing was measured.
    #[serde(with = "missing::pair")]
    pub measured: (f64, f64),
    /// More, for a person; may be empty.
    pub note: String,
}

impl Outcome {
    /// An outcome that was reported and not measured.
    #[must_use]
    pub fn new(recommendation: i64, kind: OutcomeKind, made_at: Timestamp) -> Self {
        Self { recommendation, kind, made_at, measured: (f64::NAN, f64::NAN), note: String::new() }
    }
}

impl PartialEq for Outcome {
    fn eq(&self, o: &Self) -> bool {
        self.recommendation == o.recommendation
            && self.kind == o.kind
            && self.made_at == o.made_at
            && missing::same(self.measured.0, o.measured.0)
            && missing::same(self.measured.1, o.measured.1)
            && self.note == o.note
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_tables_and_json_are_the_same() {
        fn check<T: Serialize>(values: &[T], as_str: impl Fn(&T) -> &'static str) {
            for value in values {
                let json = serde_json::to_string(value).unwrap();
                assert_eq!(json, format!("\"{}\"", as_str(value)));
            }
        }
        use AlertState::{Acknowledged, Firing, Pending, Resolved};
        check(&[LabelKind::FalseAlarm, LabelKind::Incident, LabelKind::Expected], |k| k.as_str());
        check(&[OutcomeKind::Helped, OutcomeKind::NoChange, OutcomeKind::Worse], |k| k.as_str());
        check(&[SilenceKind::Silence, SilenceKind::Maintenance], |k| k.as_str());
        check(&[Pending, Firing, Acknowledged, Resolved], |s| s.as_str());
    }
}
