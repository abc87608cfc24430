//! Incidents, and what can be done about what is found.

use super::{Evidence, Label, Process};
use serde::Deserialize;
use utoipa::ToSchema;

/// One event on the host, however many features move together.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Its number.
    pub id: i64,
    /// `anomaly`, `full` or `missing`.
    pub kind: String,
    /// Of a hard rule, the feature it is about; empty for an anomaly.
    pub subject: String,
    /// `pending`, `firing`, `acknowledged` or `resolved`.
    pub state: String,
    /// The worst so far: `medium`, `high` or `critical`.
    pub severity: String,
    /// The first sample of it.
    pub began_at: i64,
    /// When the change behind it began.
    pub since: Option<i64>,
    /// When it began to fire; `null` if it never did.
    pub fired_at: Option<i64>,
    /// Its worst sample.
    pub peak: Peak,
    /// The newest sample that belongs to it.
    pub last_seen: i64,
    /// When it was over; `null` while it goes on.
    pub ended_at: Option<i64>,
    /// How many samples belong to it.
    pub samples: u64,
    /// Whether the alarm budget allowed it to be an alert.
    pub alert: bool,
    /// Whether something of it was not told because of a silence.
    pub silenced: bool,
    /// What was told of it last.
    pub told: Option<ToldLast>,
    /// That somebody looks after it.
    pub acknowledged: Option<Acknowledgement>,
    /// What a person said it was.
    pub label: Option<Label>,
    /// The features that made it, the largest contribution first.
    pub features: Vec<Evidence>,
    /// The processes that used the most when it was found.
    pub processes: Vec<Process>,
    /// What happened, for a person.
    pub description: String,
    /// What a person could do.
    pub suggested_actions: Vec<String>,
}

/// The worst sample of an incident.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// When it was taken.
    pub at: i64,
    /// How much it mattered.
    pub severity: String,
    /// Its score, 0–1; `null` where a hard rule found it.
    pub score: Option<f64>,
    /// Its p-value; `null` where a hard rule found it.
    pub p_value: Option<f64>,
}

/// What was told of an incident last.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldLast {
    /// `fired`, `worse`, `reminder`, `acknowledged` or `resolved`.
    pub reason: String,
    /// When.
    pub at: i64,
    /// The highest severity that was told.
    pub severity: String,
}

/// That somebody looks after an incident.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Since when.
    pub at: i64,
    /// What that person said.
    pub note: String,
}

/// An action of the catalogue that could help.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposedAction {
    /// Its name.
    pub action: String,
    /// The very command that a person would type.
    pub command: String,
    /// What the command sets: a `knob`, what of, and the `value`.
    #[schema(value_type = Vec<Object>)]
    pub settings: Vec<serde_json::Map<String, serde_json::Value>>,
    /// What is expected of it, from -1 (worse) to 1 (helped).
    pub expected: Option<f64>,
    /// The standard deviation of that belief.
    pub uncertainty: Option<f64>,
    /// How many outcomes of it are known.
    pub tried: u32,
}

/// What could be cleaned up; nothing deletes it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reclaimable {
    /// Where.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it is larger, for not all of it was walked.
    pub at_least: bool,
}

/// How many alerts there really were on normal behaviour.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmRate {
    /// What the budget allows, alerts a week.
    pub budget_per_week: f64,
    /// What was measured; `null` while less than a day was watched.
    pub measured_per_week: Option<f64>,
    /// How long the host was watched, in milliseconds.
    pub watched: i64,
    /// Alerts in that time.
    pub alerts: u64,
    /// Those that a person called an incident, and that do not count.
    pub of_incidents: u64,
    /// Those that a person called a false alarm or expected.
    pub labelled_harmless: u64,
}
