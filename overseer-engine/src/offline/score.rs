//! Scores rows one after the other, learning as it goes.

use crate::policy::{AlarmBudget, AlarmPolicy, Evidence};
use overseer_core::{
    Detector, DetectorTrainer, Error, Frame, Result, Sample, Schema, Severity, Span, Timestamp,
    host,
};

/// Rows that are learned from anew, each time half as many more have come, where there is no history; a detector that has
/// seen as many only goes on learning from each row.
const GROWN: usize = 5_000;

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
    trainer: Box<dyn DetectorTrainer>,
    detector: Option<Box<dyn Detector>>,
    policy: AlarmPolicy,
    step: Span,
    learned: Frame,
    is_host: bool,
    last: Option<Timestamp>,
    rows: usize,
    next_fit: usize,
    with_history: bool,
    first_fit: Option<usize>,
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
        if step == Span::default() {
            return Err(Error::invalid_parameter("step", "must be longer than nothing"));
        }
        let next_fit = trainer.min_rows().max(60);
        Ok(Self {
            trainer,
            detector: None,
            policy: AlarmPolicy::new(budget, step),
            step,
            is_host: schema == host::schema(),
            learned: Frame::new(schema),
            last: None,
            rows: 0,
            next_fit,
            with_history: false,
            first_fit: None,
        })
    }

    /// Learns from a history before the first row.
    ///
    /// # Errors
    /// If its features are not the scorer's, or it is too short to learn from.
    pub fn learn(&mut self, history: &Frame) -> Result<()> {
        if history.schema() != self.learned.schema() {
            return Err(Error::schema_mismatch(
                format!("{:?}", self.learned.schema()),
                format!("{:?}", history.schema()),
            ));
        }
        self.detector = Some(self.trainer.fit(history)?);
        self.last = history.timestamps().last().copied();
        self.with_history = true;
        self.first_fit = Some(0);
        Ok(())
    }

    /// From which row on, counted from 0, scores are known: 0 after a history, else once enough was seen; `None` while
    /// it was not.
    #[must_use]
    pub fn known_from(&self) -> Option<usize> {
        self.first_fit
    }

    /// Judges the next row and learns from it.
    ///
    /// # Errors
    /// If the row does not fit the schema.
    pub fn observe(&mut self, sample: &Sample) -> Result<ScoreRow> {
        let is_gap = self.last.is_some_and(|l| Timestamp::is_gap(l, sample.timestamp, self.step));
        let (mut score, mut p_value) = (f64::NAN, f64::NAN);
        if let Some(detector) = &mut self.detector {
            if is_gap {
                detector.reset_lags();
            }
            let judgement = detector.observe(sample)?;
            (score, p_value) = (judgement.score, judgement.p_value);
        }
        let mut evidence = Evidence::new(sample.timestamp, score, p_value);
        if self.is_host {
            evidence = evidence.of_host(&sample.values, false);
        }
        let verdict = self.policy.observe(&evidence);
        self.last = Some(sample.timestamp);
        if !self.with_history {
            self.learn_on(sample)?;
        }
        Ok(ScoreRow {
            score,
            onset: verdict.onset,
            p_value,
            is_anomaly: verdict.alert,
            severity: verdict.severity,
        })
    }

    /// Learns anew whenever half as many rows again have come, until there were many.
    fn learn_on(&mut self, sample: &Sample) -> Result<()> {
        self.rows += 1;
        if self.learned.len() > GROWN {
            return Ok(());
        }
        self.learned.push(sample)?;
        let is_last = self.learned.len() > GROWN;
        if self.rows >= self.next_fit || is_last {
            match self.trainer.fit(&self.learned) {
                Ok(detector) => {
                    self.detector = Some(detector);
                    self.first_fit.get_or_insert(self.rows);
                }
                // A stretch of nothing but missing values teaches nothing; later rows may.
                Err(e) => tracing::debug!("no detector after {} rows: {e}", self.rows),
            }
            self.next_fit = self.rows + (self.rows / 2).max(30);
        }
        if is_last && self.detector.is_none() {
            self.learned = self.learned.slice(GROWN / 2, usize::MAX);
        }
        Ok(())
    }
}
