//! How many alerts there really were, beside how many the budget allows.

use crate::engine::Engine;
use crate::incident::Labelled;
use crate::policy::AlarmBudget;
use crate::report::{Notice, Stage};
use overseer_core::{
    AnomalyDetection, LabelKind, Result, Span, SummaryQuery, Timestamp, WhichIncidents, missing,
};
use serde::{Deserialize, Serialize};

/// Over how much of the past it is measured.
const PAST: Span = Span::from_secs(90 * 86_400);
const HOUR: Span = Span::from_secs(3600);
const WEEK: f64 = 7.0 * 86_400.0;
/// A rate from less than this is noise.
const LEAST: Span = Span::from_secs(86_400);
/// More alerts than a policy raises in that time.
const MOST_ALERTS: usize = 10_000;
/// More labels than people give in that time.
const MOST_LABELLED: usize = 10_000;

/// Alerts on normal behaviour, as they were: what the alarm budget is about.
///
/// Quiet time counts as much as alerts do: the rate is the number of alerts that nobody called an incident, over the time
/// that was watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AlarmRate {
    /// What the budget allows, alerts a week.
    pub budget_per_week: f64,
    /// What was measured, alerts a week; `null` while less than a day was watched.
    #[serde(with = "missing")]
    pub measured_per_week: f64,
    /// How long the host was watched in the last 90 days: its samples times the time between them.
    pub watched: Span,
    /// Alerts in that time.
    pub alerts: usize,
    /// Those of them that a person called an incident, and that do not count.
    pub of_incidents: usize,
    /// Those that a person called a false alarm or expected; those nobody labelled count too.
    pub labelled_harmless: usize,
}

impl AlarmRate {
    fn new(
        budget: AlarmBudget,
        watched: Span,
        alerts: &[Timestamp],
        labelled: &[Labelled],
    ) -> Self {
        let kind = |at: Timestamp| {
            let is_of = |l: &&Labelled| l.is_anomaly && l.span.0 <= at && at <= l.span.1;
            let of = labelled.iter().find(is_of);
            of.map(|l| l.kind)
        };
        let kinds: Vec<Option<LabelKind>> = alerts.iter().map(|&at| kind(at)).collect();
        let of_incidents = kinds.iter().filter(|k| **k == Some(LabelKind::Incident)).count();
        let labelled_harmless = kinds.iter().flatten().count() - of_incidents;
        let counted = (alerts.len() - of_incidents) as f64;
        let weeks = watched.as_secs_f64() / WEEK;
        Self {
            budget_per_week: budget.per_week(),
            measured_per_week: if watched < LEAST { f64::NAN } else { counted / weeks },
            watched,
            alerts: alerts.len(),
            of_incidents,
            labelled_harmless,
        }
    }
}

impl Engine {
    /// How many alerts there really were in the last 90 days, beside how many the budget allows; `None` without a store
    /// that could tell how long was watched. It reads the hours of those days: some milliseconds.
    pub fn measured_alarm_rate(&mut self, now: Timestamp) -> Option<AlarmRate> {
        let store = self.parts.store.as_mut()?;
        let anomalies = store.anomalies_between(now - PAST, now, MOST_ALERTS);
        match anomalies {
            Ok(anomalies) => self.alarm_rate(&anomalies, now),
            Err(e) => {
                self.note(Notice::warning(Stage::Store, e.to_string()));
                None
            }
        }
    }

    /// The rate of the alerts among `anomalies`; `None` without a store that could tell how long was watched.
    pub(crate) fn alarm_rate(
        &mut self,
        anomalies: &[AnomalyDetection],
        now: Timestamp,
    ) -> Option<AlarmRate> {
        match self.watched(now)? {
            Ok((watched, labelled)) => {
                let within =
                    |a: &&AnomalyDetection| a.timestamp <= now && now.since(a.timestamp) <= PAST;
                let alerts: Vec<Timestamp> =
                    anomalies.iter().filter(within).map(|a| a.timestamp).collect();
                Some(AlarmRate::new(self.config.alarm_budget, watched, &alerts, &labelled))
            }
            Err(e) => {
                self.note(Notice::warning(Stage::Store, e.to_string()));
                None
            }
        }
    }

    /// How long the host was watched, and what people said of what happened then.
    fn watched(&mut self, now: Timestamp) -> Option<Result<(Span, Vec<Labelled>)>> {
        let step = self.config.step;
        let store = self.parts.store.as_mut()?;
        let summary = match store.summary(&SummaryQuery::new(now - PAST, now, HOUR)) {
            Ok(summary) => summary,
            Err(e) => return Some(Err(e)),
        };
        let features = summary.features.len().max(1);
        let samples = |cells: &[overseer_core::SummaryCell]| {
            cells.iter().map(|cell| cell.count).max().unwrap_or_default()
        };
        // Samples of a first look are closer than a step, and no hour is longer than one.
        let watched: i64 = summary
            .cells
            .chunks(features)
            .map(|cells| step.times(usize::try_from(samples(cells)).unwrap_or(usize::MAX)))
            .map(|watched| watched.min(HOUR).as_millis())
            .sum();
        let watched = Span::from_millis(watched);
        let labelled = store.incidents(WhichIncidents::Labelled, MOST_LABELLED);
        Some(labelled.map(|all| (watched, all.iter().filter_map(Labelled::of).collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Incident, IncidentKind, Label, Peak, Severity};

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(3_600_000 * hours)
    }

    fn labelled(hours: i64, kind: LabelKind) -> Labelled {
        let peak = Peak::new(at(hours), Severity::High, 0.9, 1e-6);
        let mut incident = Incident::new(IncidentKind::Anomaly, peak);
        incident.label = Some(Label::new(at(hours), kind, at(hours + 1)));
        Labelled::of(&incident).unwrap()
    }

    #[test]
    fn what_a_person_calls_an_incident_is_no_alert_on_normal_behaviour() {
        let alerts = [at(10), at(20), at(30), at(40)];
        let said = [labelled(20, LabelKind::Incident), labelled(30, LabelKind::FalseAlarm)];
        let budget = AlarmBudget::default();
        let rate = AlarmRate::new(budget, Span::from_secs(14 * 86_400), &alerts, &said);
        assert_eq!((rate.measured_per_week, rate.budget_per_week), (1.5, 1.0));
        assert_eq!((rate.alerts, rate.of_incidents, rate.labelled_harmless), (4, 1, 1));
        let quiet = AlarmRate::new(budget, Span::from_secs(86_400), &[], &[]);
        assert_eq!(quiet.measured_per_week, 0.0, "quiet time is evidence");
        let early = AlarmRate::new(budget, Span::from_secs(86_399), &alerts, &[]);
        assert!(early.measured_per_week.is_nan());
    }
}
