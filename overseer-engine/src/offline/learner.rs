//! A detector that judges rows one after the other and learns as it goes: what `score` and `replay` share.

use overseer_core::{
    Detector, DetectorTrainer, Error, FeatureEvidence, Frame, Judgement, Result, Sample, Schema,
    Span, Summary, Timestamp,
};

/// Rows that are learned from anew, each time half as many more have come, where there is no history; a detector that has
/// seen as many only goes on learning from each row.
pub(crate) const GROWN: usize = 5_000;

/// Judges rows and learns from them. A row's judgement depends on it and the rows before it only.
#[derive(Debug)]
pub(crate) struct Learner {
    trainer: Box<dyn DetectorTrainer>,
    detector: Option<Box<dyn Detector>>,
    step: Span,
    learned: Frame,
    last: Option<Timestamp>,
    rows: usize,
    next_fit: usize,
    with_history: bool,
    first_fit: Option<usize>,
}

impl Learner {
    /// For rows of `schema` that are `step` apart.
    ///
    /// # Errors
    /// If the step is zero.
    pub(crate) fn new(
        schema: Schema,
        trainer: Box<dyn DetectorTrainer>,
        step: Span,
    ) -> Result<Self> {
        if step == Span::default() {
            return Err(Error::invalid_parameter("step", "must be longer than nothing"));
        }
        let next_fit = trainer.min_rows().max(60);
        Ok(Self {
            trainer,
            detector: None,
            step,
            learned: Frame::new(schema),
            last: None,
            rows: 0,
            next_fit,
            with_history: false,
            first_fit: None,
        })
    }

    /// Learns from a history before the first row, and from what is known in less detail of the time before that.
    ///
    /// # Errors
    /// If its features are not the learner's, or it is too short to learn from.
    pub(crate) fn learn(&mut self, past: Option<&Summary>, history: &Frame) -> Result<()> {
        if history.schema() != self.learned.schema() {
            return Err(Error::schema_mismatch(
                format!("{:?}", self.learned.schema()),
                format!("{:?}", history.schema()),
            ));
        }
        self.detector = Some(match past {
            Some(past) => self.trainer.fit_after(past, history)?,
            None => self.trainer.fit(history)?,
        });
        self.last = history.timestamps().last().copied();
        self.with_history = true;
        self.first_fit = Some(0);
        Ok(())
    }

    /// What the rows are of.
    pub(crate) fn schema(&self) -> &Schema {
        self.learned.schema()
    }

    /// From which row on, counted from 0, scores are known.
    pub(crate) fn known_from(&self) -> Option<usize> {
        self.first_fit
    }

    /// Judges the next row; `None` while nothing is known. [`Learner::take_in`] must follow.
    ///
    /// # Errors
    /// If the row does not fit the schema.
    pub(crate) fn judge(&mut self, sample: &Sample) -> Result<Option<Judgement>> {
        let is_gap = self.last.is_some_and(|l| Timestamp::is_gap(l, sample.timestamp, self.step));
        self.last = Some(sample.timestamp);
        let Some(detector) = &mut self.detector else { return Ok(None) };
        if is_gap {
            detector.reset_lags();
        }
        detector.observe(sample).map(Some)
    }

    /// Why the row judged last was judged so; ask before [`Learner::take_in`], which may replace who judged it.
    pub(crate) fn explain(&self) -> Vec<FeatureEvidence> {
        self.detector.as_ref().map(|d| d.explain()).unwrap_or_default()
    }

    /// How many rows the detector has learned from.
    pub(crate) fn seen(&self) -> usize {
        self.rows
            + self.detector.as_ref().filter(|_| self.with_history).map_or(0, |d| d.metadata().rows)
    }

    /// Learns anew whenever half as many rows again have come, until there were many.
    ///
    /// # Errors
    /// If the row does not fit the schema, or the trainer refuses it for another reason than that there is too little.
    pub(crate) fn take_in(&mut self, sample: &Sample) -> Result<()> {
        self.rows += 1;
        if self.with_history || self.learned.len() > GROWN {
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
                Err(e) if e.is_not_enough_data() => {
                    tracing::debug!("no detector after {} rows: {e}", self.rows);
                }
                Err(e) => return Err(e),
            }
            self.next_fit = self.rows + (self.rows / 2).max(30);
        }
        if is_last && self.detector.is_none() {
            self.learned = self.learned.slice(GROWN / 2, usize::MAX);
        }
        Ok(())
    }
}
