//! When models are trained, what they are trained on, and how they are kept.

use crate::engine::Engine;
use crate::report::{Notice, Stage};
use overseer_core::{
    Error, Forecaster, Frame, ModelMetadata, Result, Span, Summary, SummaryQuery, Timestamp, host,
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The name detectors are stored under.
pub(crate) const DETECTOR: &str = "detector";
/// The name forecasters of the performance score are stored under.
pub(crate) const FORECASTER: &str = "performance_score";

/// How far before its samples a detector trained anew looks: what has not recurred for weeks is forgotten anyway.
pub(crate) const PAST: Span = Span::from_secs(8 * 7 * 86_400);
/// How finely: the clocks of every time zone differ from UTC by a multiple of this.
pub(crate) const PAST_RESOLUTION: Span = Span::from_secs(900);

/// Where a trainer says from how many points of the past it learned.
const EARLIER_POINTS: &str = "earlier_points";

/// A model in use with what is known about it.
#[derive(Debug)]
pub(crate) struct Fitted<M: ?Sized> {
    pub(crate) model: Box<M>,
    pub(crate) metadata: ModelMetadata,
    /// The newest sample in the model's lags.
    pub(crate) seen: Timestamp,
}

impl<M: ?Sized> Fitted<M> {
    /// A model with what is known of it. How it was chosen is long, and the engine keeps it apart.
    pub(crate) fn new(model: Box<M>, mut metadata: ModelMetadata) -> Self {
        metadata.selection = None;
        let seen = metadata.trained_on.1;
        Self { model, metadata, seen }
    }
}

/// What became of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrainOutcome {
    /// It was trained now.
    Trained(ModelMetadata),
    /// It was fresh enough and was left alone.
    Kept(ModelMetadata),
    /// It could not be trained, and why.
    Failed {
        /// The model's name.
        name: String,
        /// The reason.
        reason: String,
    },
}

/// What became of every model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainSummary {
    /// One entry a model.
    pub models: Vec<TrainOutcome>,
    /// What failed or is worth knowing.
    pub notices: Vec<Notice>,
}

impl TrainSummary {
    /// Whether any model was trained now.
    #[must_use]
    pub fn trained(&self) -> bool {
        self.models.iter().any(|m| matches!(m, TrainOutcome::Trained(_)))
    }
}

impl Engine {
    /// Trains what is due, or with `force` everything, and keeps the result in files and metadata.
    ///
    /// Models are due when there are none, when the provisional ones can be replaced by real ones, and when the
    /// samples since the last training are half of what that saw (between a minimum and an hour at the default step). A
    /// detector trained on half of `training_rows` is not replaced any more: it learns from each sample, and what it
    /// learned is stored instead.
    pub fn train(&mut self, force: bool, now: Timestamp) -> TrainSummary {
        let models = self.timed(Stage::Train, |e| e.train_due(force, now));
        TrainSummary { models, notices: self.notices.clone() }
    }

    /// Whether a tick would train now.
    #[must_use]
    pub(crate) fn is_training_due(&self) -> bool {
        self.is_detector_due() || self.is_state_due() || self.is_forecaster_due()
    }

    /// How many samples pass between two trainings, and between two times that what a grown detector learned is stored.
    fn patience(&self) -> usize {
        self.config.history_capacity.min(720).max(self.config.min_samples)
    }

    /// Whether a detector has seen so much that it only goes on learning from each sample: one trained anew would know
    /// less of the week than it does.
    fn is_grown(&self) -> bool {
        self.detector.as_ref().is_some_and(|d| {
            !d.metadata.provisional && d.metadata.rows >= self.config.training_rows / 2
        })
    }

    /// Whether what a grown detector learned since is to be stored.
    fn is_state_due(&self) -> bool {
        self.role == crate::Role::Sampler
            && self.is_grown()
            && self.since_training >= self.patience()
    }

    fn is_detector_due(&self) -> bool {
        if self.role == crate::Role::Reader && self.detector.is_some() {
            return false;
        }
        let enough = self.parts.detector_trainer.min_rows().max(self.config.min_samples);
        let Some(detector) = &self.detector else { return self.active().len() >= enough };
        if detector.metadata.provisional {
            return self.history.len() >= self.config.min_samples;
        }
        let (least, most) = (self.config.min_samples, self.patience());
        !self.is_grown() && self.since_training >= (detector.metadata.rows / 2).clamp(least, most)
    }

    /// A forecaster is trained with the detector, and by itself only if there is none.
    fn is_forecaster_due(&self) -> bool {
        self.forecaster.is_none()
            && self.forecaster_pause == 0
            && self.schema == host::schema()
            && self.active().len() >= self.config.min_samples
    }

    fn train_due(&mut self, force: bool, now: Timestamp) -> Vec<TrainOutcome> {
        let detector_due = force || self.is_detector_due();
        let state_due = !detector_due && self.is_state_due();
        let forecaster_due = detector_due || state_due || self.is_forecaster_due();
        tracing::info!(detector_due, forecaster_due, samples = self.active().len(), "training");
        let was_provisional = self.is_provisional() || self.fast.len() > 0;
        let mut outcomes = Vec::new();
        if state_due && let Err(e) = self.store_detector(now) {
            self.note(Notice::warning(
                Stage::Train,
                format!("what the detector learned is not stored: {e}"),
            ));
        }
        let trained = detector_due.then(|| self.train_detector(now));
        let replaced = matches!(trained, Some(Ok(_)));
        let kept = self.detector.as_ref().map(|d| d.metadata.clone());
        outcomes.extend(self.outcome(DETECTOR, trained, kept));
        if replaced {
            self.since_training = 0;
            if !self.is_provisional() && was_provisional {
                let samples = self.history.len();
                self.note(Notice::info(
                    Stage::Train,
                    format!(
                        "{samples} samples at the step are known: what was learned from them is no longer provisional"
                    ),
                ));
                self.drop_fast_samples();
            }
        }
        let horizon = self.default_horizon();
        let elsewhere = forecaster_due && !force && self.is_refit_elsewhere();
        self.refit_due |= elsewhere;
        let trained = (forecaster_due && !elsewhere).then(|| self.train_forecaster(now, horizon));
        let refitted = matches!(trained, Some(Ok(_)));
        if matches!(trained, Some(Err(_))) {
            self.forecaster_pause = self.config.min_samples;
        }
        let mut kept = self.forecaster.as_ref().map(|f| f.metadata.clone());
        if let Some(kept) = &mut kept {
            kept.selection.clone_from(&self.selection);
        }
        outcomes.extend(self.outcome(FORECASTER, trained, kept));
        if replaced {
            self.judgement = None;
        }
        self.catch_up_with(replaced, refitted);
        outcomes
    }

    /// What became of a model, noting why if it could not be trained.
    pub(crate) fn outcome(
        &mut self,
        name: &str,
        trained: Option<Result<ModelMetadata>>,
        kept: Option<ModelMetadata>,
    ) -> Option<TrainOutcome> {
        match trained {
            None => kept.map(TrainOutcome::Kept),
            Some(Ok(metadata)) => Some(TrainOutcome::Trained(metadata)),
            Some(Err(e)) => {
                // That history is still short is how every installation begins, and a prediction says itself that no
                // model made it: nothing to trouble anybody with.
                if name == FORECASTER && e.is_not_enough_data() {
                    tracing::debug!("no new `{name}` model: {e}");
                } else {
                    self.note(Notice::info(Stage::Train, format!("no new `{name}` model: {e}")));
                }
                Some(TrainOutcome::Failed { name: name.to_owned(), reason: e.to_string() })
            }
        }
    }

    /// Stores what the detector has learned since it was trained.
    fn store_detector(&mut self, now: Timestamp) -> Result<()> {
        let start = Instant::now();
        let interval = self.active().interval();
        self.since_training = 0;
        let Some(detector) = &self.detector else { return Ok(()) };
        let bytes = detector.model.to_bytes()?;
        let mut metadata = detector.model.metadata().clone();
        DETECTOR.clone_into(&mut metadata.name);
        self.keep(&mut metadata, &bytes, interval, now, start.elapsed());
        if let Some(detector) = &mut self.detector {
            detector.metadata = metadata;
        }
        Ok(())
    }

    /// Fits a detector on all but the newest sample, which is left to be judged by it.
    fn train_detector(&mut self, now: Timestamp) -> Result<ModelMetadata> {
        let start = Instant::now();
        let interval = self.active().interval();
        let frame = self.training_frame(self.config.training_rows)?;
        let rows = frame.slice(0, frame.len().saturating_sub(1));
        let past = self.past_of(&rows, interval);
        let trainer = &self.parts.detector_trainer;
        let model = match &past {
            Some(past) => trainer.fit_after(past, &rows)?,
            None => trainer.fit(&rows)?,
        };
        let bytes = model.to_bytes()?;
        let mut metadata = model.metadata().clone();
        DETECTOR.clone_into(&mut metadata.name);
        let was_used = metadata.quality.get(EARLIER_POINTS).is_some_and(|points| points.0 > 0.0);
        if let (Some(past), Some(&first), true) = (&past, rows.timestamps().first(), was_used) {
            let before = past.starts.first().map_or(Span::default(), |&start| first.since(start));
            self.note(Notice::info(
                Stage::Train,
                format!(
                    "the detector also learned from the {before} before its samples, of which less detail is kept: what is usual at each hour of the week, and between which values each feature stays"
                ),
            ));
        }
        self.keep(&mut metadata, &bytes, interval, now, start.elapsed());
        self.detector = Some(Fitted::new(model, metadata.clone()));
        Ok(metadata)
    }

    /// What is kept in less detail of the time before a training frame of samples at the step.
    fn past_of(&mut self, rows: &Frame, interval: Span) -> Option<Summary> {
        let first = rows.timestamps().first().copied()?;
        if interval != self.config.step {
            return None;
        }
        // Summaries begin at whole minutes: that of the first row tells of it.
        let to = first - Span::from_secs(60);
        let query = SummaryQuery::new(to - PAST, to, PAST_RESOLUTION);
        match self.parts.store.as_mut()?.summary(&query) {
            Ok(past) => (!past.is_empty()).then_some(past),
            Err(e) => {
                self.note(Notice::warning(Stage::Store, e.to_string()));
                None
            }
        }
    }

    /// Fits a forecaster of the performance score for `horizon`, or as much of it as the history allows, and keeps it.
    pub(crate) fn train_forecaster(
        &mut self,
        now: Timestamp,
        horizon: usize,
    ) -> Result<ModelMetadata> {
        let start = Instant::now();
        let rows = self.forecaster_rows()?;
        let model = self.fit_chosen(&rows, horizon, false)?;
        let bytes = model.to_bytes()?;
        // A job that waits would fit the same once more.
        self.refit_due = false;
        Ok(self.put_forecaster(model, &bytes, now, start.elapsed()))
    }

    /// Uses a forecaster of the performance score from now on, and keeps it.
    pub(crate) fn put_forecaster(
        &mut self,
        model: Box<dyn Forecaster>,
        bytes: &[u8],
        now: Timestamp,
        took: Duration,
    ) -> ModelMetadata {
        let interval = self.active().interval();
        let mut metadata = model.metadata().clone();
        FORECASTER.clone_into(&mut metadata.name);
        metadata.selection.clone_from(&self.selection);
        self.keep(&mut metadata, bytes, interval, now, took);
        self.forecaster = Some(Fitted::new(model, metadata.clone()));
        metadata
    }

    /// A forecaster for exactly `horizon` steps, for one question: it is not kept.
    pub(crate) fn fit_forecaster(&mut self, horizon: usize) -> Result<Fitted<dyn Forecaster>> {
        let interval = self.active().interval();
        let rows = self.forecaster_rows()?;
        let needed = self.parts.forecaster_trainer.min_rows(horizon);
        if needed > rows.len() {
            let what =
                format!("a prediction {} ahead (samples at {interval})", interval.times(horizon));
            return Err(Error::not_enough_data(what, needed, rows.len()));
        }
        let model = self.fit_chosen(&rows, horizon, true)?;
        let mut metadata = model.metadata().clone();
        metadata.interval_ms = interval.as_millis();
        Ok(Fitted::new(model, metadata))
    }

    pub(crate) fn forecaster_rows(&mut self) -> Result<Frame> {
        if self.schema != host::schema() {
            return Err(Error::unsupported(
                "the performance score of another schema than the host's",
            ));
        }
        let frame = self.training_frame(self.config.training_rows)?;
        Ok(frame.slice(0, frame.len().saturating_sub(1)))
    }

    /// How far ahead forecasters are trained: as configured, but never so far that a third of the history is spent
    /// on waiting for the truth.
    pub(crate) fn default_horizon(&self) -> usize {
        self.config.horizon_steps.min(self.active().len() / 3).max(1)
    }

    /// Completes the metadata, and writes the model file and the metadata.
    fn keep(
        &mut self,
        metadata: &mut ModelMetadata,
        bytes: &[u8],
        interval: Span,
        now: Timestamp,
        took: Duration,
    ) {
        metadata.trained_at = now;
        metadata.interval_ms = interval.as_millis();
        metadata.provisional = interval != self.config.step;
        metadata.bytes = bytes.len();
        metadata.duration_ms = 1000.0 * took.as_secs_f64();
        tracing::info!(
            model = metadata.name,
            rows = metadata.rows,
            ms = metadata.duration_ms,
            "trained"
        );
        if self.role == crate::Role::Reader {
            return; // The sampler owns the models; this one is for this process only.
        }
        self.save_model(metadata, bytes, now);
    }
}
