//! The one piece of code that turns p-values into severities and alerts, for `watch`, `score` and `replay` alike.
//!
//! An [`AlarmBudget`] allows a p-value a sample, the threshold. A sample that is as rare alerts, once an event, and not
//! within the refractory period of the last alert, unless its severity rises. Hosts differ, so alerts are rationed: each
//! alert of late makes the next need to be three times rarer, but never more than that, and is forgotten with a half-life
//! of a seventh of the time in which the budget allows one. And on some hosts what is unusual stays so for long, and on
//! others it comes in single samples, so that as many of them make more events: what alerts follows how long this host's
//! events are, within bounds. What is eight times likelier than the threshold is already a
//! state that a person can see. So the budget never hides an incident: the state shows it as long as it lasts.
//!
//! What people say of past events moves this, within bounds. A sample like an event that was labelled a false alarm or
//! expected is excused: no state, no alert, unless the host is saturated. One like an event that was labelled an incident
//! alerts at three times the p-value. And each such label moves the threshold for everything: by a quarter, to between half
//! and twice what the budget gives.

mod budget;
mod events;
mod ration;

pub use budget::AlarmBudget;

use events::Events;
use ration::Ration;

use overseer_core::{LabelKind, Severity, Span, Timestamp, host};
use std::collections::VecDeque;

/// What the policy is told about one sample.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Evidence<'a> {
    /// When it was taken.
    pub timestamp: Timestamp,
    /// The detector's score, 0–1; NaN where none is known.
    pub score: f64,
    /// The detector's p-value; NaN where none is known.
    pub p_value: f64,
    /// The sample's values, if they are of the host's schema, so that impact can be judged.
    pub host: Option<&'a [f64]>,
    /// Whether the model has only seen the fast samples of a first run.
    pub provisional: bool,
    /// What a person said of the nearest past event that was like this sample.
    pub label: Option<LabelKind>,
}

impl<'a> Evidence<'a> {
    /// Evidence from a model that learned at the step.
    #[must_use]
    pub fn new(timestamp: Timestamp, score: f64, p_value: f64) -> Self {
        Self { timestamp, score, p_value, host: None, provisional: false, label: None }
    }

    /// The same, with the host's values to judge impact by.
    #[must_use]
    pub fn of_host(mut self, values: &'a [f64], provisional: bool) -> Self {
        self.host = Some(values);
        self.provisional = provisional;
        self
    }

    /// The same, like a past event of which a person said this.
    #[must_use]
    pub fn like(mut self, label: Option<LabelKind>) -> Self {
        self.label = label;
        self
    }

    /// Whether it is like what should not have been told, and does not hurt whatever was learned.
    fn is_excused(&self) -> bool {
        matches!(self.label, Some(LabelKind::FalseAlarm | LabelKind::Expected))
            && !self.host.is_some_and(host::is_saturated)
    }
}

/// What the policy decides about one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The state: lasts as long as the event does.
    pub severity: Severity,
    /// Whether this sample is not unusual by itself and only has not been calm for long enough.
    pub lingering: bool,
    /// Whether this sample opens an event or makes it more severe, and so is an alert.
    pub alert: bool,
    /// The score, if this sample would open an event at that level: nothing in the 144 steps before (at least an hour,
    /// at most half a day) scored as high. Otherwise 0.
    pub onset: f64,
    /// Whether this sample would be unusual if a person had not said of one like it that it need not be told.
    pub excused: bool,
}

/// Alarm budget, refractory period and hysteresis over a stream of samples.
#[derive(Debug, Clone)]
pub struct AlarmPolicy {
    /// What the budget gives.
    threshold: f64,
    /// What people's labels make of that, as a factor.
    moved: f64,
    ration: Ration,
    /// How long the events of this host are.
    events: Events,
    refractory: Span,
    /// Within this time an onset is the highest score.
    standing_out: Span,
    step: Span,
    last_seen: Option<Timestamp>,
    /// The event that is going on.
    event: Option<Event>,
    told: Option<Told>,
    /// Scores of the time in which an onset stands out that nothing later has reached, falling from front to back.
    recent_peaks: VecDeque<(Timestamp, f64)>,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    /// The highest severity so far.
    worst: Severity,
    /// Whether it was an alert.
    told: bool,
    /// Samples in a row that were clearly normal again.
    calm: usize,
}

/// The last alert.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: Timestamp,
    /// The highest severity that was told.
    severity: Severity,
}

/// A sample is medium at this many times the p-value that spends the budget, but never above [`MEDIUM_AT_MOST`].
const MEDIUM: f64 = 8.0;
const MEDIUM_AT_MOST: f64 = 0.05;
/// And high at this share of it, critical at a hundredth.
const HIGH: f64 = 0.1;
const CRITICAL: f64 = 0.01;

/// Each label of an incident lets the threshold rise by this factor, and each of a false alarm fall.
const MOVE: f64 = 1.25;
/// So far at most, up or down.
const MOVED_AT_MOST: f64 = 2.0;
/// A sample like a labelled incident alerts at this many times the p-value.
const SOONER: f64 = 3.0;

/// The refractory period in steps, and within what bounds.
const REFRACTORY_STEPS: usize = 36;
const REFRACTORY: (Span, Span) = (Span::from_secs(3600), Span::from_secs(10_800));

/// The same for the onset, which compares a score with what came before at any level: also with what is nobody's alert.
const ONSET_STEPS: usize = 144;
const ONSET: (Span, Span) = (Span::from_secs(3600), Span::from_secs(43_200));

/// Samples in a row that end an event's state: fewer flap, more report an incident that is over.
pub(crate) const CALM_SAMPLES: usize = 3;
/// Hysteresis: a sample is calm only when its p-value is this many times what makes it medium.
const CALM_FACTOR: f64 = 5.0;

impl AlarmPolicy {
    /// A policy for samples `step` apart, with a refractory period of 36 steps, at least an hour and at most three:
    /// what belongs together takes the longer, the less often one looks.
    #[must_use]
    pub fn new(budget: AlarmBudget, step: Span) -> Self {
        let refractory = step.times(REFRACTORY_STEPS).clamp(REFRACTORY.0, REFRACTORY.1);
        Self {
            threshold: budget.threshold(step),
            moved: 1.0,
            ration: Ration::new(budget),
            events: Events::new(refractory),
            refractory,
            standing_out: step.times(ONSET_STEPS).clamp(ONSET.0, ONSET.1),
            step,
            last_seen: None,
            event: None,
            told: None,
            recent_peaks: VecDeque::new(),
        }
    }

    /// The p-value that spends the budget. Eight times that, at most 0.05, makes a sample medium; a tenth of it high; a
    /// hundredth critical.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold * self.moved
    }

    /// Takes to heart how many past events people have called incidents and how many false alarms: each of the first
    /// raises the threshold by a quarter and each of the second lowers it as much, to between half and twice what the
    /// budget gives. Without labels it is what the budget gives.
    pub fn heed(&mut self, incidents: usize, false_alarms: usize) {
        let most = |n: usize| i32::try_from(n).unwrap_or(i32::MAX).min(100);
        let moved = MOVE.powi(most(incidents) - most(false_alarms));
        self.moved = moved.clamp(1.0 / MOVED_AT_MOST, MOVED_AT_MOST);
    }

    /// The time after an alert in which another event is told only if it is more severe.
    #[must_use]
    pub fn refractory(&self) -> Span {
        self.refractory
    }

    fn medium(&self) -> f64 {
        (MEDIUM * self.threshold()).min(MEDIUM_AT_MOST)
    }

    /// The severity of one sample by itself: rarity joined with impact, whatever came before.
    #[must_use]
    pub fn classify(&self, evidence: &Evidence<'_>) -> Severity {
        if evidence.host.is_some_and(host::is_saturated) {
            return Severity::Critical;
        }
        let rarity = match evidence.p_value {
            p if p <= CRITICAL * self.threshold() => Severity::Critical,
            p if p <= HIGH * self.threshold() => Severity::High,
            p if p <= self.medium() => Severity::Medium,
            _ => Severity::None,
        };
        let Some(values) = evidence.host else { return rarity };
        if host::peak_utilization(values) < 0.5 {
            return rarity.min(Severity::Medium);
        }
        rarity
    }

    /// Takes the next sample and decides its state and whether it alerts.
    pub fn observe(&mut self, evidence: &Evidence<'_>) -> Verdict {
        let now = evidence.timestamp;
        // An alert of a clock that was ahead fades from now on.
        self.ration.at = Some(self.ration.at.map_or(now, |at| at.min(now)));
        self.notice_gaps(now);
        let onset = self.onset(now, evidence.score);
        let own = self.classify(evidence);
        self.events.count(now, evidence.p_value <= self.medium());
        let excused = own > Severity::None && evidence.is_excused();
        if own > Severity::None && !excused {
            let alert = self.take_in(now, own, evidence);
            return Verdict { severity: own, lingering: false, alert, onset, excused };
        }
        let calm = self.medium() * CALM_FACTOR;
        if let Some(event) = &mut self.event {
            // A missing p-value is no evidence of calm, so it neither ends the event nor goes on for ever.
            let is_calm = evidence.p_value > calm || evidence.p_value.is_nan() || excused;
            event.calm = if is_calm { event.calm + 1 } else { 0 };
            if event.calm >= CALM_SAMPLES {
                self.event = None;
            }
        }
        let severity = self.event.map_or(Severity::None, |e| e.worst);
        Verdict { severity, lingering: severity > Severity::None, alert: false, onset, excused }
    }

    /// Opens or goes on with an event, and says whether that is an alert.
    fn take_in(&mut self, now: Timestamp, own: Severity, evidence: &Evidence<'_>) -> bool {
        let mut event = self.event.unwrap_or(Event { worst: own, told: false, calm: 0 });
        let known = self
            .told
            .filter(|told| event.told || (now >= told.at && now.since(told.at) < self.refractory))
            .map_or(Severity::None, |told| told.severity);
        // Above medium it is rare enough, or hurts whatever was learned.
        let sooner = if evidence.label == Some(LabelKind::Incident) { SOONER } else { 1.0 };
        let is_rare = own > Severity::Medium || evidence.p_value <= sooner * self.limit(now);
        let alert = is_rare && own > known;
        if alert {
            self.ration.spend(now);
            self.told = Some(Told { at: now, severity: own });
        }
        event.told |= alert;
        self.event = Some(Event { worst: event.worst.max(own), calm: 0, ..event });
        alert
    }

    /// The p-value at which a sample alerts now.
    fn limit(&self, now: Timestamp) -> f64 {
        self.threshold() * self.events.factor() * self.ration.share(now)
    }

    /// Goes on where another process stopped: an alert of `severity` was given at `at`.
    pub fn resume(&mut self, severity: Severity, at: Timestamp) {
        self.ration.spend(at);
        self.told = Some(Told { at, severity });
    }

    /// The wall clock was set by so much, forward or back: what is known of the past moves along, so that the jump alone
    /// neither ends an event nor opens one.
    pub fn clock_was_set(&mut self, forward: bool, by: Span) {
        let moved = |at: Timestamp| if forward { at + by } else { at - by };
        self.last_seen = self.last_seen.map(moved);
        self.ration.at = self.ration.at.map(moved);
        self.events.last = self.events.last.map(moved);
        if let Some(told) = &mut self.told {
            told.at = moved(told.at);
        }
        for (at, _) in &mut self.recent_peaks {
            *at = moved(*at);
        }
    }

    /// Nobody knows whether an event went on over a gap; and what lies in the future was never seen.
    fn notice_gaps(&mut self, now: Timestamp) {
        let Some(before) = self.last_seen.replace(now) else { return };
        if now < before {
            self.event = None;
            self.told = None;
            self.recent_peaks.clear();
        } else if Timestamp::is_gap(before, now, self.step) {
            self.event = None;
        }
    }

    /// The sliding maximum of what came before decides whether a score stands out from it.
    fn onset(&mut self, now: Timestamp, score: f64) -> f64 {
        if score.is_nan() {
            return 0.0;
        }
        while self.recent_peaks.front().is_some_and(|&(t, _)| now.since(t) > self.standing_out) {
            self.recent_peaks.pop_front();
        }
        let stands_out = self.recent_peaks.front().is_none_or(|&(_, peak)| score > peak);
        while self.recent_peaks.back().is_some_and(|&(_, s)| s <= score) {
            self.recent_peaks.pop_back();
        }
        self.recent_peaks.push_back((now, score));
        if stands_out { score } else { 0.0 }
    }
}

#[cfg(test)]
mod tests;
