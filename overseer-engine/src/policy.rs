//! The one piece of code that turns p-values into severities and alerts, for `watch`, `score` and `replay` alike.
//!
//! An alarm budget of B alerts a week allows, with one sample every s seconds, a p-value of B·s / 604 800 per sample:
//! if p-values are calibrated, that many samples of a healthy host fall below it. Neighbouring exceedances belong to
//! one event, so the alerts stay within the budget. For the same reason samples within five steps, up to five minutes,
//! are one chance and not five: detectors look at windows of several rows. The budget never hides an incident: the state shows it as long as
//! it lasts, and a severity that rises alerts again.

use overseer_core::{Error, Result, Severity, Span, Timestamp, host};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

const WEEK: Span = Span::from_secs(7 * 86_400);

/// Samples within so many steps are one chance of a false alert, unless that is longer than the second: then those
/// within the second, or if the step is longer still, each.
const DEPENDENT_STEPS: usize = 5;
const DEPENDENT_AT_MOST: Span = Span::from_secs(300);
/// Samples closer than this are no chances of their own either: host metrics taken that fast repeat themselves.
const INDEPENDENT: Span = Span::from_secs(5);

/// How many alerts a healthy host may raise: the user's one knob for noise.
///
/// Written `1/week`, `2/day`, `0.5/month`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AlarmBudget {
    alerts: f64,
    per: Span,
}

impl AlarmBudget {
    /// A budget of `alerts` in every span of length `per`.
    ///
    /// # Errors
    /// If either is not positive and finite.
    pub fn new(alerts: f64, per: Span) -> Result<Self> {
        if alerts.is_finite() && alerts > 0.0 && per > Span::default() {
            Ok(Self { alerts, per })
        } else {
            Err(Error::invalid_parameter("alarm budget", "must be a positive number of alerts"))
        }
    }

    /// Alerts a week.
    #[must_use]
    pub fn per_week(&self) -> f64 {
        self.alerts * WEEK.as_secs_f64() / self.per.as_secs_f64()
    }

    /// The p-value per sample that spends the budget when samples are `step` apart, at most 0.01. Samples within five
    /// steps, at most five minutes, count as one; steps under 5 s count as 5 s.
    #[must_use]
    pub fn threshold(&self, step: Span) -> f64 {
        let step = step.max(INDEPENDENT);
        let step = step.times(DEPENDENT_STEPS).min(DEPENDENT_AT_MOST.max(step));
        (self.per_week() * step.as_secs_f64() / WEEK.as_secs_f64()).clamp(1e-12, 0.01)
    }
}

impl Default for AlarmBudget {
    fn default() -> Self {
        Self { alerts: 1.0, per: WEEK }
    }
}

impl FromStr for AlarmBudget {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid_parameter(
                "alarm budget",
                format!(
                    "`{text}` is not a number of alerts per hour, day, week or month, such as 1/week"
                ),
            )
        };
        let (alerts, per) = text.split_once('/').ok_or_else(wrong)?;
        let alerts: f64 = alerts.trim().parse().map_err(|_| wrong())?;
        let per = match per.trim() {
            "hour" => Span::from_secs(3600),
            "day" => Span::from_secs(86_400),
            "week" => WEEK,
            "month" => Span::from_secs(30 * 86_400),
            _ => return Err(wrong()),
        };
        Self::new(alerts, per).map_err(|_| wrong())
    }
}

impl fmt::Display for AlarmBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per.as_millis() {
            3_600_000 => "hour",
            86_400_000 => "day",
            604_800_000 => "week",
            2_592_000_000 => "month",
            _ => return write!(f, "{}/week", self.per_week()),
        };
        write!(f, "{}/{per}", self.alerts)
    }
}

impl TryFrom<String> for AlarmBudget {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<AlarmBudget> for String {
    fn from(budget: AlarmBudget) -> Self {
        budget.to_string()
    }
}

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
}

impl<'a> Evidence<'a> {
    /// Evidence from a model that learned at the step.
    #[must_use]
    pub fn new(timestamp: Timestamp, score: f64, p_value: f64) -> Self {
        Self { timestamp, score, p_value, host: None, provisional: false }
    }

    /// The same, with the host's values to judge impact by.
    #[must_use]
    pub fn of_host(mut self, values: &'a [f64], provisional: bool) -> Self {
        self.host = Some(values);
        self.provisional = provisional;
        self
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
    /// The score, if this sample would open an event at that level: nothing within the refractory period scored as
    /// high. Otherwise 0.
    pub onset: f64,
}

/// Alarm budget, refractory period and hysteresis over a stream of samples.
#[derive(Debug, Clone)]
pub struct AlarmPolicy {
    threshold: f64,
    refractory: Span,
    step: Span,
    last_seen: Option<Timestamp>,
    event: Option<Event>,
    /// Scores of the refractory period that nothing later has reached, falling from front to back.
    recent_peaks: VecDeque<(Timestamp, f64)>,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    /// The highest severity alerted, and when that was.
    alerted: Severity,
    alerted_at: Timestamp,
    /// Samples in a row that were clearly normal again.
    calm: usize,
    open: bool,
}

/// The refractory period in steps, and within what bounds.
const REFRACTORY_STEPS: usize = 144;
const REFRACTORY: (Span, Span) = (Span::from_secs(3600), Span::from_secs(43_200));

/// Samples in a row that end an event's state: fewer flap, more report an incident that is over.
pub(crate) const CALM_SAMPLES: usize = 3;
/// Hysteresis: a sample is calm only when its p-value is this many times the threshold.
const CALM_FACTOR: f64 = 30.0;

impl AlarmPolicy {
    /// A policy for samples `step` apart, with a refractory period of 144 steps, at least an hour and at most half a
    /// day: what belongs together takes the longer, the less often one looks.
    #[must_use]
    pub fn new(budget: AlarmBudget, step: Span) -> Self {
        Self {
            threshold: budget.threshold(step),
            refractory: step.times(REFRACTORY_STEPS).clamp(REFRACTORY.0, REFRACTORY.1),
            step,
            last_seen: None,
            event: None,
            recent_peaks: VecDeque::new(),
        }
    }

    /// The p-value at which a sample becomes medium.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The severity of one sample by itself: rarity joined with impact, whatever came before.
    #[must_use]
    pub fn classify(&self, evidence: &Evidence<'_>) -> Severity {
        if evidence.host.is_some_and(host::is_saturated) {
            return Severity::Critical;
        }
        let rarity = match evidence.p_value {
            p if p <= self.threshold / 100.0 => Severity::Critical,
            p if p <= self.threshold / 10.0 => Severity::High,
            p if p <= self.threshold => Severity::Medium,
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
        self.notice_gaps(now);
        let onset = self.onset(now, evidence.score);
        let own = self.classify(evidence);
        if own > Severity::None {
            let known = self.event.filter(|e| e.open || now.since(e.alerted_at) < self.refractory);
            let alert = known.is_none_or(|e| own > e.alerted);
            self.event = Some(Event {
                alerted: known.map_or(own, |e| e.alerted.max(own)),
                alerted_at: known.filter(|_| !alert).map_or(now, |e| e.alerted_at),
                calm: 0,
                open: true,
            });
            return Verdict { severity: own, lingering: false, alert, onset };
        }
        let mut severity = Severity::None;
        if let Some(event) = self.event.as_mut().filter(|e| e.open) {
            // A missing p-value is no evidence of calm, so it neither ends the event nor goes on for ever.
            let calm = evidence.p_value > (self.threshold * CALM_FACTOR).min(0.5);
            event.calm = if calm || evidence.p_value.is_nan() { event.calm + 1 } else { 0 };
            if event.calm >= CALM_SAMPLES {
                event.open = false;
            } else {
                severity = event.alerted;
            }
        }
        Verdict { severity, lingering: severity > Severity::None, alert: false, onset }
    }

    /// Goes on where another process stopped: an alert of `severity` was given at `at`.
    pub fn resume(&mut self, severity: Severity, at: Timestamp) {
        self.event = Some(Event { alerted: severity, alerted_at: at, calm: 0, open: false });
    }

    /// Nobody knows whether an event went on over a gap; and what lies in the future was never seen.
    fn notice_gaps(&mut self, now: Timestamp) {
        let before = self.last_seen.replace(now);
        if before.is_some_and(|b| now < b) {
            self.event = None;
            self.recent_peaks.clear();
        } else if before.is_some_and(|b| Timestamp::is_gap(b, now, self.step))
            && let Some(event) = &mut self.event
        {
            event.open = false;
        }
    }

    /// The sliding maximum over the refractory period decides whether a score stands out from it.
    fn onset(&mut self, now: Timestamp, score: f64) -> f64 {
        if score.is_nan() {
            return 0.0;
        }
        while self.recent_peaks.front().is_some_and(|&(t, _)| now.since(t) > self.refractory) {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(secs: i64, p: f64) -> Evidence<'static> {
        Evidence::new(Timestamp::from_millis(1000 * secs), 1.0 - p, p)
    }

    fn policy() -> AlarmPolicy {
        AlarmPolicy::new(AlarmBudget::default(), Span::from_secs(60))
    }

    #[test]
    fn budgets_are_written_as_people_say_them() {
        let b: AlarmBudget = "2/day".parse().unwrap();
        assert_eq!((b.per_week(), b.to_string().as_str()), (14.0, "2/day"));
        for wrong in ["", "1", "-1/week", "1/fortnight", "inf/day", "0/week"] {
            assert!(wrong.parse::<AlarmBudget>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn severity_follows_the_budget() {
        let p = policy();
        let t = p.threshold();
        assert!((t - 300.0 / 604_800.0).abs() < 1e-12);
        assert_eq!(p.classify(&at(0, 2.0 * t)), Severity::None);
        assert_eq!(p.classify(&at(0, t)), Severity::Medium);
        assert_eq!(p.classify(&at(0, t / 10.0)), Severity::High);
        assert_eq!(p.classify(&at(0, t / 100.0)), Severity::Critical);
        assert_eq!(p.classify(&at(0, f64::NAN)), Severity::None);
    }

    #[test]
    fn cpu_memory_and_load_all_saturated_is_critical_whatever_was_learned() {
        let mut row = vec![f64::NAN; host::schema().len()];
        row[host::CPU_UTILIZATION] = 1.0;
        row[host::MEMORY_UTILIZATION] = 0.99;
        row[host::LOAD_PER_CORE] = 0.96;
        assert_eq!(policy().classify(&at(0, 1.0).of_host(&row, true)), Severity::Critical);
    }

    #[test]
    fn a_rare_thing_on_an_idle_host_is_at_most_medium() {
        let mut row = vec![0.0; host::schema().len()];
        row[host::CPU_UTILIZATION] = 0.3;
        assert_eq!(policy().classify(&at(0, 1e-30).of_host(&row, false)), Severity::Medium);
    }

    #[test]
    fn an_event_is_one_alert_and_a_rise_is_another() {
        let mut p = policy();
        let t = p.threshold();
        let alerts: Vec<bool> = [1.0, t, t, 0.9 * t, 1.0, 1.0, 1.0, t, t / 100.0]
            .iter()
            .enumerate()
            .map(|(i, &x)| p.observe(&at(60 * i as i64, x)).alert)
            .collect();
        assert_eq!(alerts, [false, true, false, false, false, false, false, false, true]);
    }

    #[test]
    fn after_the_refractory_period_a_new_event_alerts() {
        let mut p = policy();
        let t = p.threshold();
        assert!(p.observe(&at(0, t)).alert);
        for i in 1..144 {
            p.observe(&at(60 * i, 1.0));
        }
        assert!(p.observe(&at(8640, t)).alert);
    }

    #[test]
    fn what_recurs_within_the_period_alerts_again_when_the_period_is_over() {
        let mut p = policy();
        let t = p.threshold();
        let alerts = (0..400)
            .filter(|i| {
                let rare = if i % 50 == 0 { t } else { 1.0 };
                p.observe(&at(60 * i, rare)).alert
            })
            .count();
        assert_eq!(alerts, 3, "at minutes 0, 150 and 300");
    }

    #[test]
    fn an_event_does_not_stay_open_over_a_gap_and_a_clock_set_back_hides_nothing() {
        let mut p = policy();
        let t = p.threshold();
        assert!(p.observe(&at(0, t)).alert);
        assert!(p.observe(&at(36_000, t)).alert, "after ten hours of sleep");
        assert!(p.observe(&at(0, t)).alert, "after the clock went back");
    }

    #[test]
    fn another_process_goes_on_where_the_last_stopped() {
        let mut p = policy();
        let t = p.threshold();
        p.resume(Severity::High, Timestamp::from_millis(0));
        assert!(!p.observe(&at(600, t)).alert);
        assert!(p.observe(&at(660, t / 100.0)).alert, "but a rise is told");
    }

    #[test]
    fn the_state_outlasts_a_flicker_and_then_ends() {
        let mut p = policy();
        let t = p.threshold();
        assert!(!p.observe(&at(0, t)).lingering);
        assert!(p.observe(&at(60, 1.0)).lingering);
        assert_eq!(p.observe(&at(120, 1.0)).severity, Severity::Medium);
        assert_eq!(p.observe(&at(180, 1.0)).severity, Severity::None);
    }

    proptest! {
        #[test]
        fn onset_is_the_score_exactly_when_it_tops_the_refractory_period(
            scores in proptest::collection::vec(0.0..1.0f64, 1..200)
        ) {
            let mut p = policy();
            for (i, &score) in scores.iter().enumerate() {
                let e = Evidence::new(Timestamp::from_millis(60_000 * i as i64), score, 1.0);
                let onset = p.observe(&e).onset;
                let tops = scores[i.saturating_sub(144)..i].iter().all(|&s| s < score);
                prop_assert_eq!(onset, if tops { score } else { 0.0 });
            }
        }
    }
}
