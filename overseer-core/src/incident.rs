//! One event, from the first unusual sample to the last, with what is known and was told of it.

use crate::{
    AlertState, FeatureEvidence, Label, NotificationReason, ProcessUsage, Severity, Timestamp,
    missing,
};
use serde::{Deserialize, Serialize};

words! {
    /// What makes an incident.
    IncidentKind {
        /// Samples that are unusual for this host.
        Anomaly = "anomaly",
        /// Something is practically full, whatever was learned: a hard rule.
        Full = "full",
        /// A feature that was there has had no value for minutes: a hard rule.
        Missing = "missing",
    }
}

/// The sample at which an incident was worst.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Peak {
    /// When it was taken.
    pub at: Timestamp,
    /// How much that sample mattered by itself.
    pub severity: Severity,
    /// Its score, 0–1; NaN where a hard rule found it.
    #[serde(with = "missing")]
    pub score: f64,
    /// Its p-value; NaN where a hard rule found it.
    #[serde(with = "missing")]
    pub p_value: f64,
}

impl Peak {
    /// A sample's part in it.
    #[must_use]
    pub fn new(at: Timestamp, severity: Severity, score: f64, p_value: f64) -> Self {
        Self { at, severity, score, p_value }
    }

    /// Whether `other` is worse: more severe, or as severe and rarer.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        (other.severity, -other.p_value) > (self.severity, -self.p_value)
    }
}

impl PartialEq for Peak {
    fn eq(&self, o: &Self) -> bool {
        self.at == o.at
            && self.severity == o.severity
            && missing::same(self.score, o.score)
            && missing::same(self.p_value, o.p_value)
    }
}

/// What was told of an incident last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToldLast {
    /// Why.
    pub reason: NotificationReason,
    /// When.
    pub at: Timestamp,
    /// The highest severity that was told.
    pub severity: Severity,
}

impl ToldLast {
    /// What was told.
    #[must_use]
    pub fn new(reason: NotificationReason, at: Timestamp, severity: Severity) -> Self {
        Self { reason, at, severity }
    }
}

/// That somebody looks after an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Acknowledgement {
    /// Since when.
    pub at: Timestamp,
    /// What that person said; may be empty.
    pub note: String,
}

impl Acknowledgement {
    /// An acknowledgement.
    pub fn new(at: Timestamp, note: impl Into<String>) -> Self {
        Self { at, note: note.into() }
    }
}

/// One event on a host: one, however many features move together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Incident {
    /// Its number in the store, above zero, by which a person names it; 0 until it was stored.
    pub id: i64,
    /// What makes it.
    pub kind: IncidentKind,
    /// Of a hard rule, the feature it is about, and behind a space the mount where it is about one of several; empty for an
    /// anomaly.
    pub subject: String,
    /// Where it stands.
    pub state: AlertState,
    /// The worst so far.
    pub severity: Severity,
    /// The first sample of it, since when it is pending.
    pub began_at: Timestamp,
    /// When the change behind it began, as far as the detector can tell: at or before `began_at`.
    pub since: Option<Timestamp>,
    /// When it began to fire; none if it never did.
    pub fired_at: Option<Timestamp>,
    /// Its worst sample.
    pub peak: Peak,
    /// The newest sample that belongs to it.
    pub last_seen: Timestamp,
    /// When it was over; none while it goes on.
    pub ended_at: Option<Timestamp>,
    /// How many samples belong to it.
    pub samples: u64,
    /// Whether the alarm budget allowed it to be an alert. Hard rules do not ask the budget: theirs are not.
    pub alert: bool,
    /// Whether a silence covered it at some time, so that something of it was not told.
    pub silenced: bool,
    /// What was told of it last; none if nothing was.
    pub told: Option<ToldLast>,
    /// That somebody looks after it; only [`Store::acknowledge_incident`](crate::Store::acknowledge_incident) writes it.
    pub acknowledged: Option<Acknowledgement>,
    /// What a person says it was: the newest label of a sample of it. Only read; labels are stored by themselves.
    pub label: Option<Label>,
    /// The features that made it, the largest contribution first, at most [`Incident::MOST_FEATURES`]. A contribution is
    /// the mean over its samples; what was observed is farthest from what was expected.
    pub features: Vec<FeatureEvidence>,
    /// The processes that used the most when it was found, at most [`Incident::MOST_PROCESSES`].
    pub processes: Vec<ProcessUsage>,
    /// What happened, in a sentence or two for a person, as of when it was told last or was worst.
    pub description: String,
    /// What a person could do, most useful first.
    pub suggested_actions: Vec<String>,
}

impl Incident {
    /// How many features are kept.
    pub const MOST_FEATURES: usize = 8;
    /// How many processes are kept.
    pub const MOST_PROCESSES: usize = 10;

    /// An incident that begins with this sample, is pending, and of which nothing else is known.
    #[must_use]
    pub fn new(kind: IncidentKind, peak: Peak) -> Self {
        Self {
            id: 0,
            kind,
            subject: String::new(),
            state: AlertState::Pending,
            severity: peak.severity,
            began_at: peak.at,
            since: None,
            fired_at: None,
            peak,
            last_seen: peak.at,
            ended_at: None,
            samples: 1,
            alert: false,
            silenced: false,
            told: None,
            acknowledged: None,
            label: None,
            features: Vec::new(),
            processes: Vec::new(),
            description: String::new(),
            suggested_actions: Vec::new(),
        }
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != AlertState::Resolved
    }
}

/// Which incidents to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhichIncidents {
    /// Every one, also those that never fired.
    #[default]
    All,
    /// Those that go on.
    Open,
    /// Those that fired, and those that go on.
    Notable,
    /// Those that a person has labelled.
    Labelled,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_samples_the_more_severe_is_worse_and_of_equals_the_rarer() {
        let at = Timestamp::from_millis;
        let medium = Peak::new(at(0), Severity::Medium, 0.9, 1e-9);
        let high = Peak::new(at(1), Severity::High, 0.8, 1e-3);
        let rarer = Peak::new(at(2), Severity::High, 0.8, 1e-4);
        assert!(medium.is_below(&high) && high.is_below(&rarer));
        assert!(!high.is_below(&medium) && !high.is_below(&high));
    }

    #[test]
    fn an_incident_is_the_same_after_json() {
        let peak = Peak::new(Timestamp::from_millis(5), Severity::High, 0.9, f64::NAN);
        let mut incident = Incident::new(IncidentKind::Full, peak);
        incident.features.push(FeatureEvidence::new("cpu", f64::NAN, (0.0, f64::NAN), 0.5));
        incident.acknowledged = Some(Acknowledgement::new(peak.at, "mine"));
        let text = serde_json::to_string(&incident).unwrap();
        assert_eq!(serde_json::from_str::<Incident>(&text).unwrap(), incident);
        assert!(text.contains(r#""p_value":null"#) && text.contains(r#""kind":"full""#), "{text}");
    }
}
