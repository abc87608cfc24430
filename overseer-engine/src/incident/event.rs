//! One incident that goes on: what each sample adds to it, and when something of it is to be told.
//!
//! Time is counted in samples. A clock that is set, or a host that slept, neither fires nor resolves anything.

use super::merged::Merged;
use crate::policy::CALM_SAMPLES;
use overseer_core::{
    AlertState, FeatureEvidence, Incident, IncidentKind, NotificationReason, Peak, ProcessUsage,
    Severity, Span, Timestamp, ToldLast,
};

/// What is stored of an incident that merely goes on is at most so many samples old.
const STORED_EVERY: usize = 12;

/// What a sample says of an incident.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) kind: IncidentKind,
    pub(super) subject: String,
    /// The sample; its severity is the state, which outlasts a few calm samples.
    pub(super) peak: Peak,
    /// Whether the sample is not unusual by itself.
    pub(super) lingering: bool,
    /// Whether the alarm budget allows it to be an alert.
    pub(super) alert: bool,
    pub(super) features: Vec<FeatureEvidence>,
    pub(super) description: String,
    pub(super) actions: Vec<String>,
}

impl Seen {
    /// Whether it belongs to an event, rather than to the calm after one.
    pub(super) fn is_unusual(&self) -> bool {
        self.peak.severity > Severity::None && !self.lingering
    }
}

/// How incidents are told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) step: Span,
    pub(super) min_duration: Span,
    pub(super) remind_every: Span,
}

/// An incident that goes on.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) incident: Incident,
    merged: Merged,
    /// Samples in a row that were not unusual.
    calm: usize,
    since_told: usize,
    since_stored: usize,
    /// Whether what is stored of it is not what it is.
    pub(super) changed: bool,
}

impl Event {
    /// The event that begins with an unusual sample.
    pub(super) fn begin(seen: &Seen, processes: &[ProcessUsage]) -> Self {
        let mut incident = Incident::new(seen.kind, seen.peak);
        incident.subject.clone_from(&seen.subject);
        incident.alert = seen.alert;
        let mut event = Self::of(incident);
        event.merged.add(&seen.features);
        event.describe(seen);
        event.look(processes);
        event.sum_up();
        event.changed = true;
        event
    }

    /// An incident that was known before, going on.
    pub(super) fn of(incident: Incident) -> Self {
        let merged = Merged::of(&incident);
        Self { incident, merged, calm: 0, since_told: 0, since_stored: 0, changed: false }
    }

    /// The same after a restart, with the time since it was told last as far as the clocks agree.
    pub(super) fn resumed(incident: Incident, now: Timestamp, pace: Pace) -> Self {
        let passed = incident.told.map_or(Span::default(), |told| now.since(told.at));
        let mut event = Self::of(incident);
        if event.incident.is_open() && event.incident.acknowledged.is_some() {
            event.incident.state = AlertState::Acknowledged;
        }
        event.since_told = passed.min(pace.remind_every).steps(pace.step);
        event
    }

    pub(super) fn is_of(&self, kind: IncidentKind, subject: &str) -> bool {
        self.incident.kind == kind && self.incident.subject == subject
    }

    /// Goes on with an incident that had ended.
    pub(super) fn reopen(&mut self) {
        let (fired, acknowledged) =
            (self.incident.fired_at.is_some(), self.incident.acknowledged.is_some());
        self.incident.ended_at = None;
        self.incident.state = match (acknowledged, fired) {
            (true, _) => AlertState::Acknowledged,
            (false, true) => AlertState::Firing,
            (false, false) => AlertState::Pending,
        };
        self.changed = true;
    }

    /// Takes in the next sample.
    pub(super) fn take(&mut self, seen: &Seen) {
        self.since_told += 1;
        self.since_stored += 1;
        if !seen.is_unusual() {
            self.calm += 1;
            return;
        }
        let incident = &mut self.incident;
        // What was calm in between turned out to belong to it.
        incident.samples += 1 + self.calm as u64;
        self.calm = 0;
        incident.last_seen = seen.peak.at;
        let is_news = seen.alert && !incident.alert;
        incident.alert |= seen.alert;
        self.merged.add(&seen.features);
        if incident.peak.is_below(&seen.peak) {
            self.changed |= seen.peak.severity > incident.severity;
            incident.severity = incident.severity.max(seen.peak.severity);
            incident.peak = seen.peak;
            self.describe(seen);
        } else if is_news {
            self.describe(seen);
        }
        self.changed |= is_news || self.since_stored >= STORED_EVERY;
        self.sum_up();
    }

    fn describe(&mut self, seen: &Seen) {
        self.incident.description.clone_from(&seen.description);
        self.incident.suggested_actions.clone_from(&seen.actions);
    }

    /// Notes which processes used the most, if that was looked at.
    pub(super) fn look(&mut self, processes: &[ProcessUsage]) {
        if !processes.is_empty() {
            let most = processes.len().min(Incident::MOST_PROCESSES);
            self.incident.processes = processes[..most].to_vec();
        }
    }

    fn sum_up(&mut self) {
        self.incident.features = self.merged.features(Incident::MOST_FEATURES);
        self.incident.since = self.incident.features.iter().filter_map(|f| f.since).min();
    }

    /// Ends it if the state is over and enough samples in a row were calm; after a gap the state alone does not tell.
    pub(super) fn end_if_over(&mut self, seen: &Seen) -> bool {
        let is_over = seen.peak.severity == Severity::None && self.calm >= CALM_SAMPLES;
        if is_over {
            self.end(seen.peak.at);
        }
        is_over
    }

    /// It is over.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.incident.state = AlertState::Resolved;
        self.incident.ended_at = Some(at.max(self.incident.began_at));
        self.changed = true;
    }

    /// Somebody looks after it now, or says more about it.
    pub(super) fn acknowledge(&mut self, by: overseer_core::Acknowledgement) {
        self.incident.state = AlertState::Acknowledged;
        self.incident.acknowledged = Some(by);
        self.changed = true;
    }

    /// Begins to fire if it lasted long enough, and says what is due to be told.
    pub(super) fn due(&mut self, at: Timestamp, pace: Pace) -> Option<NotificationReason> {
        use NotificationReason::{Fired, Reminder, Resolved, Worse};
        let incident = &mut self.incident;
        // Hard rules wait for as long as each of them says, and no longer.
        let is_rule = incident.kind != IncidentKind::Anomaly;
        let steps = usize::try_from(incident.samples).unwrap_or(usize::MAX).saturating_sub(1);
        let lasted = pace.step.times(steps);
        let fires = is_rule || (incident.alert && lasted >= pace.min_duration);
        if incident.state == AlertState::Pending && fires {
            incident.state = AlertState::Firing;
            incident.fired_at = Some(at);
            self.changed = true;
        }
        let reminds = pace.step.times(self.since_told) >= pace.remind_every;
        match (incident.state, incident.told) {
            (AlertState::Resolved, Some(told)) => (told.reason != Resolved).then_some(Resolved),
            (AlertState::Firing, None) => Some(Fired),
            (AlertState::Firing | AlertState::Acknowledged, Some(told))
                if incident.severity > told.severity =>
            {
                Some(Worse)
            }
            (AlertState::Firing, Some(_)) if reminds => Some(Reminder),
            _ => None,
        }
    }

    /// Notes that it was told.
    pub(super) fn told(&mut self, reason: NotificationReason, at: Timestamp) {
        self.incident.told = Some(ToldLast::new(reason, at, self.incident.severity));
        self.since_told = 0;
        self.changed = true;
    }

    /// Notes that it was stored, under this number.
    pub(super) fn stored(&mut self, number: i64) {
        self.incident.id = number;
        self.changed = false;
        self.since_stored = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::Acknowledgement;

    const PACE: Pace = Pace {
        step: Span::from_secs(5),
        min_duration: Span::from_secs(0),
        remind_every: Span::from_secs(60),
    };

    fn at(i: i64) -> Timestamp {
        Timestamp::from_millis(5000 * i)
    }

    fn seen(i: i64, severity: Severity, alert: bool) -> Seen {
        Seen {
            kind: IncidentKind::Anomaly,
            subject: String::new(),
            peak: Peak::new(at(i), severity, 0.9, 1e-6),
            lingering: false,
            alert,
            features: vec![FeatureEvidence::new("cpu", 0.9, (0.1, 0.2), 0.8)],
            description: format!("sample {i}"),
            actions: Vec::new(),
        }
    }

    fn tell(event: &mut Event, i: i64) -> Option<NotificationReason> {
        let due = event.due(at(i), PACE);
        if let Some(reason) = due {
            event.told(reason, at(i));
        }
        due
    }

    #[test]
    fn it_is_pending_until_it_is_an_alert_and_is_told_when_it_fires_worsens_goes_on_and_ends() {
        let mut event = Event::begin(&seen(0, Severity::Medium, false), &[]);
        assert_eq!((tell(&mut event, 0), event.incident.state), (None, AlertState::Pending));
        event.take(&seen(1, Severity::Medium, true));
        assert_eq!(tell(&mut event, 1), Some(NotificationReason::Fired));
        event.take(&seen(2, Severity::High, false));
        assert_eq!(tell(&mut event, 2), Some(NotificationReason::Worse));
        let told: Vec<i64> = (3..30)
            .filter(|&i| {
                event.take(&seen(i, Severity::High, false));
                tell(&mut event, i) == Some(NotificationReason::Reminder)
            })
            .collect();
        assert_eq!(told, [14, 26], "twelve samples are a minute");
        event.acknowledge(Acknowledgement::new(at(30), ""));
        assert!((30..60).all(|i| {
            event.take(&seen(i, Severity::High, false));
            tell(&mut event, i).is_none()
        }));
        event.take(&seen(60, Severity::Critical, false));
        assert_eq!(tell(&mut event, 60), Some(NotificationReason::Worse), "whoever looks after it");
        for i in 61..63 {
            event.take(&seen(i, Severity::None, false));
            assert!(!event.end_if_over(&seen(i, Severity::None, false)));
        }
        event.take(&seen(63, Severity::None, false));
        assert!(event.end_if_over(&seen(63, Severity::None, false)));
        assert_eq!(tell(&mut event, 63), Some(NotificationReason::Resolved));
        assert_eq!(tell(&mut event, 64), None);
        let incident = event.incident;
        assert_eq!((incident.samples, incident.last_seen), (61, at(60)));
        assert_eq!((incident.ended_at, incident.peak.at), (Some(at(63)), at(60)));
        assert_eq!(incident.description, "sample 60");
    }

    #[test]
    fn what_is_over_before_it_lasted_long_enough_never_fires() {
        let pace = Pace { min_duration: Span::from_secs(10), ..PACE };
        let mut event = Event::begin(&seen(0, Severity::High, true), &[]);
        assert_eq!(event.due(at(0), pace), None);
        event.take(&seen(1, Severity::High, false));
        assert_eq!(event.due(at(1), pace), None);
        let mut longer = event.clone();
        longer.take(&seen(2, Severity::High, false));
        assert_eq!(longer.due(at(2), pace), Some(NotificationReason::Fired));
        event.end(at(2));
        assert_eq!(event.due(at(2), pace), None);
        assert_eq!(event.incident.fired_at, None);

        // A full disk was full for a minute when it begins, and needs nobody's permission.
        let full = Seen { kind: IncidentKind::Full, ..seen(0, Severity::High, false) };
        assert_eq!(Event::begin(&full, &[]).due(at(0), pace), Some(NotificationReason::Fired));
    }
}
