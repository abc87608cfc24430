//! Runs rows through detectors and policies, and keeps what they alerted on.

use super::MakeTrainer;
use super::decided::Decided;
use super::report::{Played, ReplayedAlert, ReplayedSpan};
use super::source::Source;
use crate::detection::{describe, named};
use crate::offline::learner::{GROWN, Learner};
use crate::offline::score::evidence;
use crate::policy::{AlarmBudget, AlarmPolicy, Evidence, Verdict};
use overseer_core::{
    AnomalyDetection, FeatureEvidence, Judgement, Result, Sample, Schema, Severity, Span, Store,
    Timestamp, host,
};

/// What of a configuration decides about alerts, beside its detector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) budget: AlarmBudget,
    /// How long an event must last before it is told.
    pub(super) min_duration: Span,
}

/// One configuration.
#[derive(Debug)]
struct Seat {
    rule: Rule,
    policy: AlarmPolicy,
    played: Played,
    /// Samples of the event that goes on, with the calm ones that turned out to belong to it, and calm ones since.
    samples: (usize, usize),
    /// An alert whose event has not lasted long enough yet.
    early: Option<ReplayedAlert>,
    /// An alert that a silence holds back while what it is about goes on.
    held: Option<ReplayedAlert>,
}

impl Seat {
    /// Decides about a row, which people may have said something about.
    fn decide(
        &mut self,
        evidence: &Evidence<'_>,
        decided: &Decided,
        features: impl FnOnce() -> Vec<FeatureEvidence>,
    ) -> Verdict {
        // What a row is like matters only where it is unusual, and asking for the features takes time.
        if decided.says_anything() && self.policy.classify(evidence) > Severity::None {
            return self.policy.observe(&evidence.like(decided.label(&features())));
        }
        self.policy.observe(evidence)
    }

    /// Counts how long the event has lasted, as an incident does.
    fn count(&mut self, verdict: Verdict) {
        let (samples, calm) = self.samples;
        self.samples = match verdict.severity {
            Severity::None => (0, 0),
            _ if verdict.lingering => (samples, calm + 1),
            _ => (samples + 1 + calm, 0),
        };
        if verdict.severity == Severity::None {
            self.early = None;
        }
    }

    /// Tells an alert that waited once its event has lasted long enough.
    fn tell_early(&mut self, now: Timestamp, interval: Span, decided: &Decided) {
        let lasted = interval.times(self.samples.0.saturating_sub(1));
        if lasted >= self.rule.min_duration
            && let Some(mut alert) = self.early.take()
        {
            alert.timestamp = now;
            self.tell(alert, decided);
        }
    }

    /// Tells an alert, unless a silence covers it.
    fn tell(&mut self, alert: ReplayedAlert, decided: &Decided) {
        if decided.cover(lead(&alert), alert.timestamp) {
            self.held = Some(alert);
        } else {
            self.held = None;
            self.played.alerts.push(alert);
        }
    }

    /// Tells what was held back once the silence is over, if it still goes on then.
    fn follow(&mut self, now: Timestamp, verdict: Verdict, decided: &Decided) {
        let Some(mut alert) = self.held.take() else { return };
        if verdict.severity == Severity::None {
            self.played.silenced += 1;
        } else if decided.cover(lead(&alert), now) {
            self.held = Some(alert);
        } else {
            alert.timestamp = now;
            self.played.alerts.push(alert);
        }
    }
}

fn lead(alert: &ReplayedAlert) -> Option<&str> {
    alert.features.first().map(|f| f.feature.as_str())
}

/// All configurations, and the detectors that they share or have of their own.
#[derive(Debug)]
pub(super) struct Player {
    schema: Schema,
    is_host: bool,
    seats: Vec<Seat>,
    /// One for all seats, or one a seat.
    learners: Vec<Learner>,
    decided: Decided,
    span: Option<ReplayedSpan>,
    interval: Span,
    sample: Sample,
}

impl Player {
    pub(super) fn new(rules: &[Rule], schema: Schema, decided: Decided) -> Self {
        let seats = rules.iter().map(|&rule| {
            let policy = AlarmPolicy::new(rule.budget, Span::from_secs(1));
            let played = Played::of(rule.budget, rule.min_duration);
            Seat { rule, policy, played, samples: (0, 0), early: None, held: None }
        });
        Self {
            is_host: schema == host::schema(),
            seats: seats.collect(),
            learners: Vec::new(),
            decided,
            span: None,
            interval: Span::default(),
            sample: Sample::new(Timestamp::default(), Vec::new()),
            schema,
        }
    }

    /// Starts with a source: learns from what precedes it, or where that is little, lets the rows of it go first.
    pub(super) fn begin(
        &mut self,
        source: &Source,
        detectors: &[MakeTrainer<'_>],
        store: &mut dyn Store,
    ) -> Result<()> {
        self.interval = source.interval;
        self.learners.clear();
        for make in detectors {
            self.learners.push(Learner::new(self.schema.clone(), make()?, source.interval)?);
        }
        for seat in &mut self.seats {
            seat.policy = AlarmPolicy::new(seat.rule.budget, source.interval);
            (seat.samples, seat.early) = ((0, 0), None);
            // A rows' spacing is no reason to forget what was told.
            if let Some(last) = seat.played.alerts.last() {
                seat.policy.resume(last.severity, last.timestamp);
            }
        }
        self.decided.begin();
        let mut span = ReplayedSpan::new(source.interval, source.approximate);
        let history = self.decided.without_incidents(source.history(store)?, source.from)?;
        span.learned_before = history.len();
        if history.len() >= GROWN / 2 {
            let past = source.past(store, &history)?;
            for learner in &mut self.learners {
                learner.learn(past.as_ref(), &history)?;
            }
        } else {
            for (timestamp, values) in history.rows() {
                self.warm_up(timestamp, values)?;
            }
        }
        self.span = Some(span);
        Ok(())
    }

    /// A row of before the replay: everything sees it, and nothing is told of it.
    fn warm_up(&mut self, timestamp: Timestamp, values: &[f64]) -> Result<()> {
        let sample = Sample::new(timestamp, values.to_vec());
        let shared = self.learners.len() == 1;
        self.decided.heed(timestamp, self.seats.iter_mut().map(|s| &mut s.policy));
        for (index, learner) in self.learners.iter_mut().enumerate() {
            let judgement = learner.judge(&sample)?;
            let evidence = evidence(&sample, judgement.as_ref(), self.is_host);
            for seat in seats_of(&mut self.seats, index, shared) {
                let verdict = seat.decide(&evidence, &self.decided, || learner.explain());
                seat.count(verdict);
            }
            learner.take_in(&sample)?;
        }
        Ok(())
    }

    /// Judges a row, lets each configuration decide, and learns from it.
    pub(super) fn row(&mut self, timestamp: Timestamp, values: &[f64]) -> Result<()> {
        self.sample.timestamp = timestamp;
        self.sample.values.clear();
        self.sample.values.extend_from_slice(values);
        let shared = self.learners.len() == 1;
        let approximate = self.span.as_ref().is_some_and(|s| s.approximate);
        let mut known = false;
        self.decided.heed(timestamp, self.seats.iter_mut().map(|s| &mut s.policy));
        for (index, learner) in self.learners.iter_mut().enumerate() {
            let judgement = learner.judge(&self.sample)?;
            let evidence = evidence(&self.sample, judgement.as_ref(), self.is_host);
            for seat in seats_of(&mut self.seats, index, shared) {
                let verdict = seat.decide(&evidence, &self.decided, || learner.explain());
                seat.follow(timestamp, verdict, &self.decided);
                seat.count(verdict);
                if verdict.severity > Severity::None {
                    seat.played.time_in_alarm = and(seat.played.time_in_alarm, self.interval);
                }
                if verdict.alert {
                    let alert =
                        told(learner, &self.sample, verdict.severity, judgement, self.is_host);
                    seat.early = Some(ReplayedAlert::new(alert, approximate));
                }
                seat.tell_early(timestamp, self.interval, &self.decided);
                if judgement.is_some() {
                    seat.played.time_judged = and(seat.played.time_judged, self.interval);
                }
            }
            known |= judgement.is_some();
            learner.take_in(&self.sample)?;
        }
        if let Some(span) = &mut self.span {
            span.take_in(timestamp, known);
        }
        Ok(())
    }

    /// What was replayed since [`Player::begin`]; `None` if there was no row.
    pub(super) fn end(&mut self) -> Option<ReplayedSpan> {
        self.span.take().filter(|span| span.rows > 0)
    }

    /// What each configuration alerted on, and what else a reader should know.
    pub(super) fn played(self) -> (Vec<Played>, Vec<String>) {
        let played = self.seats.into_iter().map(|mut seat| {
            seat.played.silenced += usize::from(seat.held.is_some());
            seat.played.rated()
        });
        (played.collect(), self.decided.notes)
    }
}

fn and(so_far: Span, more: Span) -> Span {
    Span::from_millis(so_far.as_millis().saturating_add(more.as_millis()))
}

/// The configurations that go by a detector.
fn seats_of(seats: &mut [Seat], index: usize, shared: bool) -> &mut [Seat] {
    if shared { seats } else { seats.get_mut(index..=index).unwrap_or_default() }
}

/// What would have been told, in the words of the engine.
fn told(
    learner: &Learner,
    sample: &Sample,
    severity: Severity,
    judgement: Option<Judgement>,
    is_host: bool,
) -> AnomalyDetection {
    let (score, p_value) = judgement.map_or((f64::NAN, f64::NAN), |j| (j.score, j.p_value));
    let mut anomaly = AnomalyDetection::new(sample.timestamp, severity, score, p_value);
    anomaly.features = named(learner.explain());
    if let Some(judgement) = judgement {
        let values = is_host.then_some(sample.values.as_slice());
        let seen = learner.seen();
        anomaly.description = describe(&anomaly, learner.schema(), values, &judgement, seen, &[]);
    } else {
        "All resources were saturated before anything was learned."
            .clone_into(&mut anomaly.description);
    }
    anomaly
}
