//! Alerts of late make the next rarer.

use super::AlarmBudget;
use overseer_core::{Span, Timestamp};

/// How much rarer alerts of late make the next need to be, at most.
const SPENT: f64 = 3.0;
/// The half-life of that, as a share of the time in which the budget allows an alert.
const HALF_LIFE: f64 = 0.15;

/// How many alerts there have been lately.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ration {
    half_life: Span,
    alerts: f64,
    /// When they were counted.
    pub(super) at: Option<Timestamp>,
}

impl Ration {
    /// A host nobody knows yet counts as one that has just alerted.
    pub(super) fn new(budget: AlarmBudget) -> Self {
        let half_life = Span::from_millis((HALF_LIFE * budget.period().as_millis() as f64) as i64);
        Self { half_life, alerts: 1.0, at: None }
    }

    fn alerts(&self, now: Timestamp) -> f64 {
        // A clock set back brings no alert back.
        let passed = self.at.map_or(0.0, |at| now.since(at).as_secs_f64().max(0.0));
        self.alerts * (-passed / self.half_life.as_secs_f64().max(1.0)).exp2()
    }

    pub(super) fn spend(&mut self, now: Timestamp) {
        self.alerts = self.alerts(now) + 1.0;
        self.at = Some(now);
    }

    /// The share of the threshold that a sample needs to be below now.
    pub(super) fn share(&self, now: Timestamp) -> f64 {
        SPENT.powf(-self.alerts(now)).max(1.0 / SPENT)
    }
}
