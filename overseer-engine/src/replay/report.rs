//! What a replay says: plain data, stable as JSON.

use super::compare::{Pairs, pairs};
use crate::policy::AlarmBudget;
use overseer_core::{AnomalyDetection, FeatureEvidence, Severity, Span, Timestamp, missing};
use serde::{Deserialize, Serialize};

/// Version of the JSON that [`ReplayReport`] becomes; it changes when a field changes its meaning or goes away.
pub const REPLAY_VERSION: u32 = 1;

/// An alert that a configuration would have given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplayedAlert {
    /// When.
    pub timestamp: Timestamp,
    /// How much it mattered then.
    pub severity: Severity,
    /// The features that made the score, the largest contribution first.
    pub features: Vec<FeatureEvidence>,
    /// One sentence for a person.
    pub description: String,
    /// The detector's score, 0–1; `null` where none was known.
    #[serde(with = "missing")]
    pub score: f64,
    /// The detector's p-value; `null` where none was known.
    #[serde(with = "missing")]
    pub p_value: f64,
    /// Whether it was found in one-minute means.
    pub approximate: bool,
}

impl ReplayedAlert {
    pub(super) fn new(anomaly: AnomalyDetection, approximate: bool) -> Self {
        Self {
            timestamp: anomaly.timestamp,
            severity: anomaly.severity,
            features: anomaly.features,
            description: anomaly.description,
            score: anomaly.score,
            p_value: anomaly.p_value,
            approximate,
        }
    }
}

/// A stretch of history of equally spaced rows that was replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplayedSpan {
    /// The first row.
    pub from: Timestamp,
    /// The last row.
    pub to: Timestamp,
    /// How many rows.
    pub rows: usize,
    /// The time between them.
    pub interval: Span,
    /// Whether the rows are one-minute means in place of samples that are gone.
    pub approximate: bool,
    /// How many rows before the first were learned from.
    pub learned_before: usize,
    /// From when on scores were known; none if they never were.
    pub known_from: Option<Timestamp>,
}

impl ReplayedSpan {
    pub(super) fn new(interval: Span, approximate: bool) -> Self {
        let at = Timestamp::default();
        Self {
            from: at,
            to: at,
            rows: 0,
            interval,
            approximate,
            learned_before: 0,
            known_from: None,
        }
    }

    pub(super) fn take_in(&mut self, timestamp: Timestamp, known: bool) {
        if self.rows == 0 {
            self.from = timestamp;
        }
        self.to = timestamp;
        self.rows += 1;
        if known && self.known_from.is_none() {
            self.known_from = Some(timestamp);
        }
    }
}

/// What one configuration would have said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Played {
    /// The alarm budget it has.
    pub alarm_budget: AlarmBudget,
    /// How long an event must last before it is told.
    #[serde(default)]
    pub min_duration: Span,
    /// Its alerts, in the order of time.
    pub alerts: Vec<ReplayedAlert>,
    /// Alerts a week of the time that could be judged; `null` where that is less than a day.
    #[serde(with = "missing")]
    pub alerts_per_week: f64,
    /// Alerts of events that were over before the silence that covered them was: nobody would have been told.
    #[serde(default)]
    pub silenced: usize,
    /// How long the state was not calm, whether that was an alert or not.
    pub time_in_alarm: Span,
    /// The time that could be judged: rows with a score, times the time between them.
    pub time_judged: Span,
}

impl Played {
    pub(super) fn of(alarm_budget: AlarmBudget, min_duration: Span) -> Self {
        Self { alarm_budget, min_duration, alerts_per_week: f64::NAN, ..Self::default() }
    }

    /// With its alerts a week.
    pub(super) fn rated(mut self) -> Self {
        let weeks = self.time_judged.as_secs_f64() / (7.0 * 86_400.0);
        // From less than a day nobody can tell what a week is like.
        if self.time_judged >= Span::from_secs(86_400) {
            self.alerts_per_week = self.alerts.len() as f64 / weeks;
        }
        self
    }
}

/// An alert that both configurations give, with another severity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// As the configuration in force gives it.
    pub in_force: ReplayedAlert,
    /// As the new one does.
    pub new: ReplayedAlert,
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplayReport {
    /// [`REPLAY_VERSION`].
    pub version: u32,
    /// From when it was asked for.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The installation's step.
    pub step: Span,
    /// What was replayed, in the order of time.
    pub spans: Vec<ReplayedSpan>,
    /// The configuration in force.
    pub in_force: Played,
    /// The new one, if there is one.
    pub new: Option<Played>,
    /// Alerts that only the new one gives.
    pub added: Vec<ReplayedAlert>,
    /// Alerts that only the one in force gives.
    pub removed: Vec<ReplayedAlert>,
    /// Alerts that both give, with another severity.
    pub changed: Vec<Change>,
    /// What else a reader should know, in whole sentences.
    pub notes: Vec<String>,
}

impl ReplayReport {
    pub(super) fn new(
        (since, until): (Timestamp, Timestamp),
        step: Span,
        spans: Vec<ReplayedSpan>,
        in_force: Played,
        new: Option<Played>,
    ) -> Self {
        let Pairs { added, removed, changed } =
            new.as_ref().map(|new| pairs(&in_force.alerts, &new.alerts)).unwrap_or_default();
        let notes = notes(&spans, since);
        Self {
            version: REPLAY_VERSION,
            since,
            until,
            step,
            spans,
            in_force,
            new,
            added,
            removed,
            changed,
            notes,
        }
    }

    /// Says what of people's decisions was obeyed.
    pub(super) fn note_decisions(&mut self, labels: usize, silences: usize) {
        let several = |n: usize, one: &str, more: &str| match n {
            1 => format!("1 {one}"),
            n => format!("{n} {more}"),
        };
        if labels + silences > 0 {
            self.notes.push(format!(
                "{} and {} were obeyed, each from the time on at which it was given.",
                several(labels, "label", "labels"),
                several(silences, "silence", "silences")
            ));
        }
        let played = [Some(("in force", &self.in_force)), self.new.as_ref().map(|n| ("new", n))];
        for (which, played) in played.into_iter().flatten().filter(|(_, p)| p.silenced > 0) {
            self.notes.push(format!(
                "Of {} of the configuration {which} nobody would have been told: silences covered what it was about until \
                 that was over.",
                several(played.silenced, "alert", "alerts")
            ));
        }
    }

    /// Says that hard rules told something in that time, which no configuration changes.
    pub(super) fn note_rules(&mut self, incidents: usize) {
        let what = match incidents {
            0 => return,
            1 => "1 incident of a hard rule (full, missing) is".to_owned(),
            n => format!("{n} incidents of hard rules (full, missing) are"),
        };
        self.notes.push(format!(
            "{what} stored of that time, and none of these alerts: hard rules hang on no configuration, so that they are \
             not replayed. `overseer incidents` lists them."
        ));
    }

    /// How many rows were replayed.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.spans.iter().map(|s| s.rows).sum()
    }
}

fn notes(spans: &[ReplayedSpan], since: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(first) = spans.first() {
        let late = first.from.since(since);
        if late > first.interval.times(3).max(Span::from_secs(60)) {
            notes.push(format!(
                "Of the first {late} that were asked for neither samples nor minutes are kept."
            ));
        }
    }
    for span in spans {
        if span.approximate {
            let length = span.to.since(span.from);
            notes.push(format!(
                "The samples of the first {length} are gone: their one-minute means were replayed, which is approximate. \
                 What lasts less than a minute is lost in them, and what is rare among minutes is not what is rare among \
                 samples."
            ));
        }
        match span.known_from {
            None => notes.push(format!(
                "{} rows {} apart are too few to learn from: nothing is known of them.",
                span.rows, span.interval
            )),
            Some(known) if known > span.from => notes.push(format!(
                "The first {} of the rows {} apart were only learned from.",
                known.since(span.from),
                span.interval
            )),
            Some(_) => {}
        }
    }
    notes
}
