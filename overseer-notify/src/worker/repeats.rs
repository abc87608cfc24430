//! What goes on and must be told again, for receivers that forget.

use overseer_core::{Alert, AlertState, Notification, Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// So many incidents are repeated at once; of more the oldest are not.
const MOST: usize = 256;
/// An incident of which nothing new was written for so long is repeated no more: nobody knows whether it goes on.
const FORGOTTEN_AFTER: Span = Span::from_secs(7 * 86_400);
/// So many of the newest messages are looked through at a start.
pub(super) const RECALLED: usize = 1000;

/// The newest message of each incident that goes on.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    going_on: BTreeMap<Timestamp, Repeat>,
}

#[derive(Debug, Clone)]
pub(super) struct Repeat {
    pub(super) id: i64,
    pub(super) message: Notification,
    told_at: Option<Timestamp>,
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
                self.going_on
                    .insert(alert.incident, Repeat { id: alert.id, message, told_at: None });
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
        let repeat = Repeat { id, message: message.clone(), told_at: Some(now) };
        self.going_on.insert(message.incident, repeat);
        self.bound();
    }

    /// The repetition that is due the longest, which counts as told from now on.
    pub(super) fn next(&mut self, every: Span, now: Timestamp) -> Option<Repeat> {
        self.going_on.retain(|_, repeat| now.since(repeat.message.made_at) < FORGOTTEN_AFTER);
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
    use overseer_core::{NotificationReason, Severity};

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
