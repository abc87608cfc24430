//! Scores rows one after the other, learning as it goes.

use super::learner::Learner;
use crate::policy::{AlarmBudget, AlarmPolicy, Evidence};
use overseer_core::{
    DetectorTrainer, Frame, Judgement, Result, Sample, Schema, Severity, Span, host,
};

/// What is said about one row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ScoreRow {
    /// 0–1, higher is more anomalous; NaN while nothing is known.
    pub score: f64,
    /// The score, where it would open an event at that level, else 0.
    pub onset: f64,
    /// Share of normal rows that score at least as high; NaN while nothing is known.
    pub p_value: f64,
    /// Whether this row opens an event within the alarm budget.
    pub is_anomaly: bool,
    /// The state.
    pub severity: Severity,
}

/// Detection over a recording: the detector and policy that `watch` runs, fed row by row.
///
/// A row's result depends on it and the rows before it only.
#[derive(Debug)]
pub struct Scorer {
    learner: Learner,
    policy: AlarmPolicy,
    is_host: bool,
}

impl Scorer {
    /// A scorer for rows of `schema` that are `step` apart.
    ///
    /// # Errors
    /// If the step is zero.
    pub fn new(
        schema: Schema,
        trainer: Box<dyn DetectorTrainer>,
        budget: AlarmBudget,
        step: Span,
    ) -> Result<Self> {
        let is_host = schema == host::schema();
        let learner = Learner::new(schema, trainer, step)?;
        Ok(Self { learner, policy: AlarmPolicy::new(budget, step), is_host })
    }

    /// Learns from a history before the first row.
    ///
    /// # Errors
    /// If its features are not the scorer's, or it is too short to learn from.
    pub fn learn(&mut self, history: &Frame) -> Result<()> {
        self.learner.learn(None, history)
    }

    /// From which row on, counted from 0, scores are known: 0 after a history, else once enough was seen; `None` while
    /// it was not.
    #[must_use]
    pub fn known_from(&self) -> Option<usize> {
        self.learner.known_from()
    }

    /// Judges the next row and learns from it.
    ///
    /// # Errors
    /// If the row does not fit the schema.
    pub fn observe(&mut self, sample: &Sample) -> Result<ScoreRow> {
        let judgement = self.learner.judge(sample)?;
        let evidence = evidence(sample, judgement.as_ref(), self.is_host);
        let (score, p_value) = (evidence.score, evidence.p_value);
        let verdict = self.policy.observe(&evidence);
        self.learner.take_in(sample)?;
        Ok(ScoreRow {
            score,
            onset: verdict.onset,
            p_value,
            is_anomaly: verdict.alert,
            severity: verdict.severity,
        })
    }
}

/// What the policy is told of a row that was judged, or could not be yet.
pub(crate) fn evidence<'a>(
    sample: &'a Sample,
    judgement: Option<&Judgement>,
    is_host: bool,
) -> Evidence<'a> {
    let (score, p_value) = judgement.map_or((f64::NAN, f64::NAN), |j| (j.score, j.p_value));
    let evidence = Evidence::new(sample.timestamp, score, p_value);
    if is_host { evidence.of_host(&sample.values, false) } else { evidence }
}
