//! One sink's thread: what is tried when, and what becomes of it.

use super::outbox::Outbox;
use super::repeats::{MOST, RECALLED, Repeats};
use super::{Notices, WorkerOptions};
use crate::message::one_line;
use crate::retry::RetryAfter;
use overseer_core::{
    Alert, AlertState, Delivery, Error, Notification, Sink, Span, Timestamp, WhichIncidents,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// Of the messages that wait for this sink, so many of the oldest are looked at.
const WINDOW: usize = 256;
/// A longer error is cut before it is stored.
const ERROR_CHARACTERS: usize = 500;
/// A receiver is left alone for so long at most, whatever it asks for.
const LONGEST_WAIT: Span = Span::from_secs(86_400);

#[derive(Debug)]
pub(super) struct Lane {
    sink: Box<dyn Sink>,
    name: String,
    outbox: Arc<Outbox>,
    options: WorkerOptions,
    notices: Notices,
    /// Until when nothing is tried, since the sink failed.
    rests_until: Option<Timestamp>,
    /// How often it failed since it last delivered.
    failures: u32,
    /// What became of a message and could not be noted yet. Before it is, nothing else is tried.
    to_note: Option<(i64, Delivery)>,
    repeats: Repeats,
    has_recalled: bool,
    /// Whether the outbox could not be read, and that was told.
    is_blind: bool,
}

impl Lane {
    pub(super) fn new(
        sink: Box<dyn Sink>,
        outbox: Arc<Outbox>,
        options: WorkerOptions,
        notices: Notices,
    ) -> Self {
        Self {
            name: sink.name().to_owned(),
            sink,
            outbox,
            options,
            notices,
            rests_until: None,
            failures: 0,
            to_note: None,
            repeats: Repeats::default(),
            has_recalled: false,
            is_blind: false,
        }
    }

    /// Delivers until told to stop, and then what is due until the deadline.
    pub(super) fn run(mut self) {
        loop {
            let has_worked = self.round();
            if let Some(deadline) = self.options.stop.deadline() {
                while Instant::now() < deadline && self.round() {}
                return;
            }
            if !has_worked {
                // What was queued while waiting is seen to after the word, too.
                let _ = self.options.stop.wait(self.options.poll);
            }
        }
    }

    /// Tries the one message that is next, if there is one; says whether there may be another.
    fn round(&mut self) -> bool {
        let now = (self.options.clock)();
        if !self.note() || !self.recall() || self.rests(now) {
            return false;
        }
        let waiting = self.outbox.with(|store| store.waiting_alerts_for(&self.name, WINDOW));
        match waiting {
            Ok(waiting) => {
                self.is_blind = false;
                match next_of(&waiting, now) {
                    Some(alert) => self.attempt(alert),
                    None => return self.repeat(now),
                }
                true
            }
            Err(e) => {
                if !std::mem::replace(&mut self.is_blind, true) {
                    let name = &self.name;
                    self.notices.add(format!("the sink `{name}` is told nothing for now: {e}"));
                }
                false
            }
        }
    }

    /// Notes what became of the last message; says whether nothing is left to note.
    fn note(&mut self) -> bool {
        let Some((id, delivery)) = &self.to_note else { return true };
        match self.outbox.with(|store| store.note_delivery(*id, delivery)) {
            Ok(_) => {
                self.to_note = None;
                true
            }
            Err(e) => {
                tracing::warn!(sink = self.name, id, "noting what became of a message: {e}");
                false
            }
        }
    }

    /// Looks up, once, what went on when the program last ended; says whether that is known.
    fn recall(&mut self) -> bool {
        if self.has_recalled || self.sink.repeats_every().is_none() {
            return true;
        }
        match self.outbox.with(|store| store.alerts(RECALLED)) {
            Ok(newest_first) => {
                self.repeats.recall(&self.name, &newest_first);
                self.has_recalled = true;
            }
            Err(e) => tracing::warn!(sink = self.name, "reading the outbox: {e}"),
        }
        self.has_recalled
    }

    fn rests(&mut self, now: Timestamp) -> bool {
        // Beyond any wait there is: the clock was set back.
        self.rests_until = self.rests_until.filter(|&until| now < until && !is_absurd(until, now));
        self.rests_until.is_some()
    }

    fn attempt(&mut self, alert: &Alert) {
        let id = alert.id;
        let parsed = serde_json::from_str::<Notification>(&alert.message);
        let told = match parsed {
            Ok(message) => self.sink.deliver(id, &message).map(|()| Some(message)),
            Err(e) => Err(Error::invalid_value("the stored message", e.to_string())),
        };
        let now = (self.options.clock)();
        let delivery = match told {
            Ok(message) => {
                self.reached();
                if let Some(message) = message.filter(|_| self.sink.repeats_every().is_some()) {
                    self.repeats.learn(id, &message, now);
                }
                tracing::info!(sink = self.name, id, "delivered");
                Delivery::Delivered { at: now }
            }
            Err(e) => {
                let attempts = alert.attempts.saturating_add(1);
                let is_final = e.is_invalid_input();
                let wait =
                    if is_final { Span::default() } else { self.missed(&e, id, attempts, now) };
                let is_old = self.options.backoff.is_hopeless(attempts, now.since(alert.made_at));
                let error = one_line(&e.to_string(), ERROR_CHARACTERS);
                let gives_up = is_final || is_old;
                if gives_up {
                    self.give_up(alert, attempts, &error);
                }
                Delivery::Failed { error, retry_at: (!gives_up).then_some(now + wait) }
            }
        };
        self.to_note = Some((id, delivery));
        self.note();
    }

    fn give_up(&mut self, alert: &Alert, attempts: u32, error: &str) {
        let id = alert.id;
        self.notices.add(format!(
            "message {id} for the sink `{}` was given up after {attempts} attempts: {error}",
            self.name
        ));
        // What is over is not repeated, even if nobody could be told that it is.
        if let Ok(message) = serde_json::from_str::<Notification>(&alert.message)
            && message.state == AlertState::Resolved
        {
            self.repeats.learn(id, &message, alert.made_at);
        }
    }

    /// Tells again of what goes on, if that is due; says whether there may be more.
    fn repeat(&mut self, now: Timestamp) -> bool {
        let Some(every) = self.sink.repeats_every() else { return false };
        if self.repeats.is_in_doubt(now) {
            match self.outbox.with(|store| store.incidents(WhichIncidents::Open, MOST)) {
                Ok(open) => self.repeats.confirm(&open, now),
                Err(e) => tracing::warn!(sink = self.name, "reading the incidents: {e}"),
            }
        }
        let Some(repeat) = self.repeats.next(every, now) else { return false };
        match self.sink.deliver(repeat.id, &repeat.message) {
            Ok(()) => {
                self.reached();
                true
            }
            Err(e) => {
                self.repeats.failed(repeat.message.incident);
                self.missed(&e, repeat.id, self.failures + 1, now);
                false
            }
        }
    }

    fn reached(&mut self) {
        if self.failures > 0 {
            self.notices.add(format!("the sink `{}` takes messages again", self.name));
        }
        self.failures = 0;
        self.rests_until = None;
    }

    /// Lets the sink rest after a failure, and says how long the message waits.
    fn missed(&mut self, error: &Error, id: i64, attempts: u32, now: Timestamp) -> Span {
        self.failures = self.failures.saturating_add(1);
        let said = one_line(&error.to_string(), ERROR_CHARACTERS);
        if self.failures == 1 {
            let name = &self.name;
            self.notices
                .add(format!("the sink `{name}` took no message and is tried again: {said}"));
        } else {
            tracing::warn!(sink = self.name, id, attempts, "not delivered: {said}");
        }
        let asked = RetryAfter::of(error).unwrap_or_default().min(LONGEST_WAIT);
        // Who forgets what it is not reminded of is not left alone for longer than that.
        let most = self.sink.repeats_every().unwrap_or(LONGEST_WAIT);
        let backoff = &self.options.backoff;
        let wait = |failures| backoff.wait(failures, id.unsigned_abs()).min(most).max(asked);
        self.rests_until = Some(now + wait(self.failures));
        wait(attempts)
    }
}

/// The message to try now: of each incident only the oldest is, and of those that are due the one due the longest.
fn next_of(waiting: &[Alert], now: Timestamp) -> Option<&Alert> {
    let mut seen = BTreeSet::new();
    let heads = waiting.iter().filter(|alert| seen.insert(alert.incident));
    let due = heads.filter_map(|alert| {
        let next = alert.next_attempt?;
        // A clock that was set back must not hold up what was never tried, nor what was tried by the other clock.
        let is_due = alert.attempts == 0 || next <= now || is_absurd(next, now);
        is_due.then_some((next, alert.id, alert))
    });
    due.min_by_key(|&(next, id, _)| (next, id)).map(|(_, _, alert)| alert)
}

/// Whether a time is further ahead than any wait there is.
fn is_absurd(until: Timestamp, now: Timestamp) -> bool {
    until.since(now) > LONGEST_WAIT.times(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::Severity;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    fn waiting(id: i64, incident: i64, attempts: u32, next: i64) -> Alert {
        let (state, severity) = (AlertState::Firing, Severity::High);
        let mut alert = Alert::new(at(incident), state, severity, at(0), "x", "");
        (alert.id, alert.attempts, alert.next_attempt) = (id, attempts, Some(at(next)));
        alert
    }

    #[test]
    fn incidents_do_not_wait_for_each_other_but_their_messages_do() {
        let next = |all: &[Alert], now| next_of(all, at(now)).map(|alert| alert.id);
        let all = [waiting(1, 10, 1, 130), waiting(2, 10, 0, 50), waiting(3, 20, 0, 60)];
        assert_eq!(
            next(&all, 100),
            Some(3),
            "the second of the first incident waits for the first"
        );
        assert_eq!(next(&all[..2], 100), None);
        assert_eq!(next(&all[..2], 130), Some(1));
        let all = [waiting(1, 10, 2, 90), waiting(3, 20, 1, 60)];
        assert_eq!(next(&all, 100), Some(3), "due the longest");
    }

    #[test]
    fn a_clock_that_was_set_back_holds_up_nothing() {
        let never_tried = [waiting(1, 500, 0, 500)];
        assert!(next_of(&never_tried, at(0)).is_some());
        let tried = [waiting(1, 0, 3, 9 * 86_400)];
        assert!(next_of(&tried, at(0)).is_some());
        let rests = [waiting(1, 0, 3, 3600)];
        assert!(next_of(&rests, at(0)).is_none());
    }
}
