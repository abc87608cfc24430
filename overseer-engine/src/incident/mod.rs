//! Incidents: one for each event, from the first unusual sample to the last, and what is told of it when.
//!
//! An incident is *pending* from the first sample whose state is not none. It *fires* once the alarm budget allows an alert
//! and it has lasted as long as it must, and is then told; again when it worsens, and from time to time while nobody has
//! *acknowledged* it. It is *resolved* when the policy's state is over and three samples in a row were calm. One that is
//! like the last and begins within the refractory period after it is the last, going on. Hard rules open incidents of
//! their own. While a silence covers an incident nothing is told of it, but it is recorded; if it still fires when the
//! silence is over, it is told then.

mod decisions;
mod event;
mod labels;
mod merged;
mod outbox;
mod recurrence;
mod rules;

pub use decisions::ZoneByName;
pub(crate) use decisions::{Holding, only_utc};
pub(crate) use labels::{Labelled, REMEMBERED, like, loose};
pub use recurrence::Weekly;

use crate::engine::{Engine, Role};
use crate::report::{Notice, Stage};
use crate::similar::is_like;
use decisions::Decisions;
use event::{Event, Pace, Seen};
use overseer_core::{
    Acknowledgement, Alert, AnomalyDetection, Auxiliary, Incident, IncidentKind,
    NotificationReason, Peak, Schema, Span, Timestamp, WhichIncidents,
};
use rules::{Look, Rules};
use std::collections::VecDeque;

/// More than can be open at once: an anomaly, memory and eight mounts that are full, and what is missing.
const MOST_OPEN: usize = 16;
/// Closed ones that wait for the store.
const MOST_CLOSED: usize = 100;
/// Messages that wait for the store; the oldest is lost first.
const MOST_MESSAGES: usize = 1000;
/// Resolved ones that are told when their silence is over.
const MOST_OWED: usize = 20;

/// Every incident that matters now.
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    open: Vec<Event>,
    /// The last anomaly that is over: what is like it and comes soon is the same.
    last: Option<Event>,
    /// Those that are over but not stored as such yet.
    closed: VecDeque<Event>,
    /// Those that were told and ended while a silence covered them.
    owed: Vec<Event>,
    /// Those that ended with this tick.
    ended: Vec<Incident>,
    messages: VecDeque<Alert>,
    rules: Rules,
    decisions: Decisions,
    /// Whether what an earlier process left was taken up.
    is_resumed: bool,
    followed: Option<Timestamp>,
    ruled: Option<Timestamp>,
}

impl Incidents {
    /// Those that go on, and those that ended with this tick.
    pub(crate) fn report(&mut self) -> Vec<Incident> {
        let open = self.open.iter().map(|e| e.incident.clone());
        open.chain(std::mem::take(&mut self.ended)).collect()
    }

    /// What people said of past events.
    pub(crate) fn labelled(&self) -> &[Labelled] {
        self.decisions.labelled()
    }

    /// The next tick reads again what people decided.
    pub(crate) fn forget_decisions(&mut self) {
        self.decisions.forget();
    }

    /// What the collector told beside its samples, for the rules.
    pub(crate) fn take_mounts(&mut self, values: &[Auxiliary], schema: &Schema) {
        self.rules.take_mounts(values, schema);
    }

    /// What is not stored, or not as it is.
    pub(crate) fn unsaved(&self) -> (Vec<Incident>, Vec<Alert>) {
        let open = self.open.iter().filter(|e| e.changed);
        let incidents = open.chain(&self.closed).map(|e| e.incident.clone()).collect();
        (incidents, self.messages.iter().cloned().collect())
    }

    /// Notes that what [`Incidents::unsaved`] gave was stored, the incidents under these numbers.
    pub(crate) fn stored(&mut self, numbers: &[i64]) {
        let open = self.open.iter_mut().filter(|e| e.changed);
        for (event, &number) in open.chain(&mut self.closed).zip(numbers) {
            event.stored(number);
            for other in self.last.iter_mut().chain(&mut self.owed) {
                if is_same(&other.incident, &event.incident) {
                    other.incident.id = number;
                }
            }
        }
        self.closed.clear();
        self.messages.clear();
    }

    /// What is stored of open ones is to be what they are, for the process ends.
    pub(crate) fn touch(&mut self) {
        self.open.iter_mut().for_each(|event| event.changed = true);
    }

    fn close(&mut self, event: Event) {
        if event.incident.kind == IncidentKind::Anomaly {
            self.last = Some(event.clone());
        }
        if self.closed.len() >= MOST_CLOSED {
            self.closed.pop_front();
        }
        self.closed.push_back(event);
    }

    /// The last anomaly, if a sample goes on with it.
    fn reopened(&mut self, seen: &Seen, refractory: Span) -> Option<Event> {
        let labelled = self.decisions.labelled();
        let goes_on = |last: &mut Event| {
            let i = &last.incident;
            let soon = i.ended_at.is_some_and(|ended| {
                seen.peak.at >= ended && seen.peak.at.since(ended) < refractory
            });
            soon && last.is_of(seen.kind, &seen.subject)
                && !labelled.iter().any(|l| l.began_at == i.began_at)
                && is_like(&seen.features, &i.features)
        };
        let mut event = self.last.take_if(goes_on)?;
        self.closed.retain(|e| !is_same(&e.incident, &event.incident));
        self.owed.retain(|e| !is_same(&e.incident, &event.incident));
        event.reopen();
        event.take(seen);
        Some(event)
    }
}

fn is_same(a: &Incident, b: &Incident) -> bool {
    (a.began_at, a.kind) == (b.began_at, b.kind) && a.subject == b.subject
}

impl Engine {
    fn pace(&self) -> Pace {
        let (min_duration, remind_every) = (self.config.min_duration, self.config.remind_every);
        Pace { step: self.config.step, min_duration, remind_every }
    }

    /// Goes on with what an earlier process left open, once it can be read.
    fn resume_incidents(&mut self, now: Timestamp) {
        let Some(store) = &mut self.parts.store else { return };
        let open = store.incidents(WhichIncidents::Open, MOST_OPEN);
        let recent = open.and_then(|open| {
            let notable = store.incidents(WhichIncidents::Notable, MOST_OWED)?;
            Ok((open, notable.into_iter().filter(|i| !i.is_open()).collect::<Vec<_>>()))
        });
        let (open, over) = match recent {
            Ok(recent) => recent,
            Err(e) => return self.note(Notice::warning(Stage::Store, e.to_string())),
        };
        self.incidents.is_resumed = true;
        let (pace, longest) = (self.pace(), self.policy.refractory());
        if self.role == Role::Sampler {
            for sample in self.history.iter() {
                self.incidents.rules.remember(&sample.values);
            }
        }
        for incident in over.into_iter().rev().chain(open.into_iter().rev()) {
            let event = Event::resumed(incident, now, pace);
            let incident = &event.incident;
            let was_told = incident.told.is_some_and(|t| t.reason != NotificationReason::Resolved);
            let is_known =
                self.incidents.open.iter().any(|e| e.is_of(incident.kind, &incident.subject));
            let is_old = now.since(incident.last_seen) > longest || is_known;
            if !incident.is_open() {
                if was_told && self.incidents.owed.len() < MOST_OWED {
                    self.incidents.owed.push(event);
                }
            } else if self.role == Role::Sampler && is_old {
                // Nobody knows when it was over; it was not seen any more after this.
                self.end_incident(now, event);
            } else {
                self.incidents.rules.resume(incident, &self.schema, pace.step);
                self.incidents.open.push(event);
            }
        }
    }

    /// Ends an incident at the newest sample that belonged to it.
    fn end_incident(&mut self, now: Timestamp, mut event: Event) {
        event.end(event.incident.last_seen);
        self.tell(now, &mut event);
        self.incidents.close(event);
    }

    /// Takes the newest judgement and the newest sample into the incidents, and queues what is to be told.
    pub(crate) fn follow_incidents(&mut self, now: Timestamp, anomaly: Option<&AnomalyDetection>) {
        if self.role == Role::Reader {
            return;
        }
        let mut seen = Vec::new();
        if let (Some(anomaly), Some((at, verdict))) = (anomaly, self.verdict)
            && anomaly.timestamp == at
            && self.incidents.followed.replace(at) != Some(at)
            && (anomaly.is_anomaly || !self.incidents.open.is_empty())
        {
            seen.push(Seen {
                kind: IncidentKind::Anomaly,
                subject: String::new(),
                peak: Peak::new(at, verdict.severity, anomaly.score, anomaly.p_value),
                lingering: verdict.lingering,
                alert: verdict.alert,
                features: self.explained.clone(),
                description: anomaly.description.clone(),
                actions: anomaly.suggested_actions.clone(),
            });
        }
        if let Some(reading) = &self.reading
            && self.incidents.ruled.replace(reading.sample.timestamp)
                != Some(reading.sample.timestamp)
        {
            seen.extend(self.incidents.rules.look(Look {
                at: reading.sample.timestamp,
                schema: &self.schema,
                values: &reading.sample.values,
                mount: reading.fullest_mount.as_deref(),
                step: self.config.step,
            }));
        }
        for seen in &seen {
            self.follow(now, seen);
        }
        let mut open = std::mem::take(&mut self.incidents.open);
        for event in &mut open {
            self.tell(now, event);
        }
        self.incidents.open = open;
        self.tell_owed(now);
    }

    /// Takes one sample into the incident that it is of, opening or ending it.
    fn follow(&mut self, now: Timestamp, seen: &Seen) {
        let position = self.incidents.open.iter().position(|e| e.is_of(seen.kind, &seen.subject));
        let Some(index) = position else {
            if seen.is_unusual() && self.incidents.open.len() < MOST_OPEN {
                self.open_incident(seen);
            }
            return;
        };
        let event = &mut self.incidents.open[index];
        event.take(seen);
        if seen.alert {
            event.look(&self.processes);
        }
        if event.end_if_over(seen) {
            let mut event = self.incidents.open.swap_remove(index);
            self.tell(now, &mut event);
            self.incidents.ended.push(event.incident.clone());
            self.incidents.close(event);
        }
    }

    /// Opens an incident, or the last one again, with who is behind it; and stores it, so that it has its number.
    fn open_incident(&mut self, seen: &Seen) {
        if self.processes.is_empty() {
            self.look_at_processes();
        }
        let refractory = self.policy.refractory();
        let mut event = match self.incidents.reopened(seen, refractory) {
            Some(event) => event,
            None => {
                let mut event = Event::begin(seen, &self.processes);
                // The time an incident began names it, also where two begin with the same sample.
                let is_taken = |at| self.incidents.open.iter().any(|e| e.incident.began_at == at);
                while is_taken(event.incident.began_at) {
                    event.incident.began_at = event.incident.began_at + Span::from_millis(1);
                }
                event
            }
        };
        if let Some(store) = &mut self.parts.store
            && let Ok(number) = store.put_incident(&event.incident)
        {
            // What fails here is tried again with the findings of this tick, and told then.
            event.stored(number);
        }
        self.incidents.open.push(event);
    }

    /// Queues what is due to be told of an incident, unless a silence covers it.
    fn tell(&mut self, now: Timestamp, event: &mut Event) {
        let reason = event.due(now, self.pace());
        if self.incidents.decisions.cover(&event.incident, now) {
            event.changed |= !event.incident.silenced;
            event.incident.silenced = true;
            let was_told = event.incident.told.is_some();
            if reason == Some(NotificationReason::Resolved)
                && was_told
                && self.incidents.owed.len() < MOST_OWED
            {
                self.incidents.owed.push(event.clone());
            }
        } else if let Some(reason) = reason {
            event.told(reason, now);
            self.queue(now, &event.incident, reason);
        }
    }

    /// Tells what ended under a silence that is over.
    fn tell_owed(&mut self, now: Timestamp) {
        for mut event in std::mem::take(&mut self.incidents.owed) {
            if self.incidents.decisions.cover(&event.incident, now) {
                self.incidents.owed.push(event);
                continue;
            }
            event.told(NotificationReason::Resolved, now);
            self.queue(now, &event.incident, NotificationReason::Resolved);
            match self.incidents.closed.iter_mut().find(|e| is_same(&e.incident, &event.incident)) {
                Some(waiting) => *waiting = event,
                None => self.incidents.closed.push_back(event),
            }
        }
    }

    /// Takes over that somebody looks after an incident.
    fn take_acknowledgement(&mut self, now: Timestamp, id: i64, by: Acknowledgement) {
        let position = self.incidents.open.iter().position(|e| e.incident.id == id);
        let Some(index) = position else { return };
        let event = &mut self.incidents.open[index];
        let is_new = event.incident.acknowledged.is_none();
        event.acknowledge(by);
        let incident = event.incident.clone();
        let is_told = is_new && incident.told.is_some();
        if is_told && !self.incidents.decisions.cover(&incident, now) {
            self.incidents.open[index].told(NotificationReason::Acknowledged, now);
            self.queue(now, &incident, NotificationReason::Acknowledged);
        }
    }

    /// Puts a message to each sink where the next write to the store takes it from.
    fn queue(&mut self, now: Timestamp, incident: &Incident, reason: NotificationReason) {
        tracing::info!(incident = incident.id, %reason, severity = %incident.severity, "told");
        if self.parts.store.is_none() {
            return; // There is no outbox.
        }
        let told = outbox::notification(&self.host, incident, reason, now);
        match outbox::messages(&told, &self.config.sinks) {
            Ok(messages) => self.incidents.messages.extend(messages),
            Err(e) => self.note(Notice::warning(Stage::Detect, format!("a message: {e}"))),
        }
        let extra = self.incidents.messages.len().saturating_sub(MOST_MESSAGES);
        if extra > 0 {
            self.incidents.messages.drain(..extra);
            self.note(Notice::warning(
                Stage::Store,
                "the store has been unavailable for so long that the oldest messages to sinks are lost",
            ));
        }
    }

    /// The incidents that go on, as far as is known here.
    #[must_use]
    pub fn open_incidents(&self) -> Vec<&Incident> {
        self.incidents.open.iter().map(|e| &e.incident).collect()
    }
}
