//! What goes on and must be told again, for receivers that forget.

use overseer_core::{Alert, AlertState, Incident, Notification, Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// So many incidents are repeated at once; of more the oldest are not.
pub(super) const MOST: usize = 256;
/// An incident that was not known to go on for so long is repeated no more.
const FORGOTTEN_AFTER: Span = Span::from_secs(7 * 86_400);
/// Of one of which nothing was told for so long it is asked whether it goes on: nobody is reminded of what somebody
/// acknowledged.
const DOUBTED_AFTER: Span = Span::from_secs(86_400);
/// How often that is asked.
const ASKED_EVERY: Span = Span::from_secs(3600);
/// So many of the newest messages are looked through at a start.
pub(super) const RECALLED: usize = 1000;

/// The newest message of each incident that goes on.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    going_on: BTreeMap<Timestamp, Repeat>,
    asked_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(super) struct Repeat {
    pub(super) id: i64,
    pub(super) message: Notification,
    told_at: Option<Timestamp>,
    /// When it last was known to go on.
    known_at: Timestamp,
}

impl Repeats {
    /// What went on for `sink` when the program last ended, from the newest messages, newest first.
    pub(super) fn recall(&mut self, sink: &str, newest_first: &[Alert]) {
        let mut seen = BTreeSet::new();
        for alert in newest_first.iter().filter(|alert| alert.sink == sink) {
            // One that waits is told by itself, and is then the newest.
            let is_done = alert.next_attempt.is_none();
            if !is_done || !seen.insert(alert.incident) || alert.state == AlertState::Resolved {
                continue;
            }
            if let Ok(message) = serde_json::from_str(&alert.message) {
                let message: Notification = message;
                let known_at = message.made_at;
                let repeat = Repeat { id: alert.id, message, told_at: None, known_at };
                self.going_on.insert(alert.incident, repeat);
            }
        }
        self.bound();
    }

    /// Notes that a message was told, or, if that failed for good, that it should have been.
    pub(super) fn learn(&mut self, id: i64, message: &Notification, now: Timestamp) {
        if message.state == AlertState::Resolved {
            self.going_on.remove(&message.incident);
            return;
        }
        let (message, known_at) = (message.clone(), message.made_at);
        let incident = message.incident;
        let repeat = Repeat { id, message, told_at: Some(now), known_at };
        self.going_on.insert(incident, repeat);
        self.bound();
    }

    /// Whether it is to be asked which incidents are open: of some nothing was heard for long.
    pub(super) fn is_in_doubt(&mut self, now: Timestamp) -> bool {
        let is_due = self.asked_at.is_none_or(|at| now < at || now.since(at) >= ASKED_EVERY);
        let is_doubted = |repeat: &Repeat| now.since(repeat.known_at) >= DOUBTED_AFTER;
        let asks = is_due && self.going_on.values().any(is_doubted);
        if asks {
            self.asked_at = Some(now);
        }
        asks
    }

    /// Notes which incidents are open: they go on as long as samples of them are seen. What is doubted and was cleaned
    /// away is not repeated any more.
    pub(super) fn confirm(&mut self, open: &[Incident], now: Timestamp) {
        self.going_on.retain(|began_at, repeat| {
            match open.iter().find(|i| i.began_at == *began_at) {
                Some(incident) => {
                    repeat.known_at = repeat.known_at.max(incident.last_seen);
                    true
                }
                None => now.since(repeat.known_at) < DOUBTED_AFTER,
            }
        });
    }

    /// The repetition that is due the longest, which counts as told from now on.
    pub(super) fn next(&mut self, every: Span, now: Timestamp) -> Option<Repeat> {
        self.going_on.retain(|_, repeat| now.since(repeat.known_at) < FORGOTTEN_AFTER);
        // A clock that was set back makes it due as well.
        let is_due =
            |told: Option<Timestamp>| told.is_none_or(|t| now < t || now.since(t) >= every);
        let due = self.going_on.values_mut().filter(|repeat| is_due(repeat.told_at));
        let repeat = due.min_by_key(|repeat| repeat.told_at)?;
        repeat.told_at = Some(now);
        Some(repeat.clone())
    }

    /// Puts off nothing: what could not be told is due at once.
    pub(super) fn failed(&mut self, incident: Timestamp) {
        if let Some(repeat) = self.going_on.get_mut(&incident) {
            repeat.told_at = None;
        }
    }

    fn bound(&mut self) {
        while self.going_on.len() > MOST {
            self.going_on.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{IncidentKind, NotificationReason, Peak, Severity};

    const EVERY: Span = Span::from_secs(60);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    fn told(incident: i64, state: AlertState, made_at: i64) -> Notification {
        let reason = NotificationReason::Fired;
        Notification::new("web-1", at(incident), reason, state, Severity::High, at(made_at))
    }

    fn row(id: i64, n: &Notification, waits: bool) -> Alert {
        let message = serde_json::to_string(n).unwrap();
        let mut alert = Alert::new(n.incident, n.state, n.severity, n.made_at, "am", message);
        alert.id = id;
        alert.next_attempt = waits.then_some(n.made_at);
        alert
    }

    #[test]
    fn what_goes_on_is_repeated_until_it_is_over() {
        let mut repeats = Repeats::default();
        repeats.learn(1, &told(0, AlertState::Firing, 0), at(0));
        assert!(repeats.next(EVERY, at(59)).is_none());
        assert_eq!(repeats.next(EVERY, at(60)).unwrap().id, 1);
        assert!(repeats.next(EVERY, at(61)).is_none());
        repeats.failed(at(0));
        assert!(repeats.next(EVERY, at(62)).is_some());
        assert!(repeats.next(EVERY, at(-9999)).is_some(), "a clock set back stops nothing");
        repeats.learn(2, &told(0, AlertState::Resolved, 70), at(70));
        assert!(repeats.next(EVERY, at(999)).is_none());
        repeats.learn(3, &told(0, AlertState::Acknowledged, 0), at(0));
        assert!(repeats.next(EVERY, at(7 * 86_400)).is_none(), "nobody knows whether it goes on");
    }

    #[test]
    fn what_somebody_looks_after_is_repeated_as_long_as_it_is_open_and_what_was_cleaned_away_is_not()
     {
        const DAY: i64 = 86_400;
        let open = |last_seen: i64| {
            let peak = Peak::new(at(0), Severity::High, 0.9, 1e-6);
            let mut incident = Incident::new(IncidentKind::Anomaly, peak);
            incident.last_seen = at(last_seen);
            incident
        };
        let mut repeats = Repeats::default();
        repeats.learn(1, &told(0, AlertState::Acknowledged, 0), at(0));
        assert!(!repeats.is_in_doubt(at(DAY - 1)));
        for day in 1..30 {
            assert!(repeats.is_in_doubt(at(day * DAY)) && !repeats.is_in_doubt(at(day * DAY + 9)));
            repeats.confirm(&[open(day * DAY - 60)], at(day * DAY));
            assert!(repeats.next(EVERY, at(day * DAY)).is_some(), "day {day}");
        }
        // It is open, but nobody samples any more.
        repeats.confirm(&[open(29 * DAY)], at(37 * DAY));
        assert!(repeats.next(EVERY, at(37 * DAY)).is_none());

        repeats.learn(1, &told(0, AlertState::Firing, 0), at(0));
        repeats.confirm(&[], at(60));
        assert!(repeats.next(EVERY, at(60)).is_some(), "told a minute ago");
        repeats.confirm(&[], at(2 * DAY));
        assert!(repeats.next(EVERY, at(2 * DAY)).is_none(), "it is stored no more");
    }

    #[test]
    fn at_a_start_the_newest_message_that_is_done_tells_what_goes_on() {
        let firing = told(0, AlertState::Firing, 0);
        let over = told(0, AlertState::Resolved, 9);
        let mut repeats = Repeats::default();
        repeats.recall("other", &[row(1, &firing, false)]);
        assert!(repeats.next(EVERY, at(10)).is_none());
        repeats.recall("am", &[row(2, &over, false), row(1, &firing, false)]);
        assert!(repeats.next(EVERY, at(10)).is_none());
        repeats.recall("am", &[row(2, &over, true), row(1, &firing, false)]);
        assert_eq!(repeats.next(EVERY, at(10)).unwrap().id, 1);
    }

    #[test]
    fn it_is_bounded() {
        let mut repeats = Repeats::default();
        for n in 0..1000 {
            repeats.learn(n, &told(n, AlertState::Firing, 0), at(0));
        }
        assert_eq!(repeats.going_on.len(), MOST);
        assert!(repeats.going_on.contains_key(&at(999)));
    }
}
