//! What the engine does with a contest: when one is due, and what becomes of its outcome.

use super::{Contest, Progress};
use crate::engine::{Engine, Role};
use crate::report::{Notice, Stage};
use crate::training::{FORECASTER, TrainSummary};
use overseer_core::{
    Error, ForecastTarget, Forecaster, ForecasterTrainer, Frame, Result, SampleQuery, Schema,
    Selection, Span, Store, Timestamp, host,
};
use std::sync::Arc;

/// From so much history on a running engine lets its forecasters compete: a day shows what a day is like.
const LEAST_HISTORY: Span = Span::from_secs(86_400);
/// A contest that came to nothing is tried again after this time.
const RETRY: Span = Span::from_secs(3_600);

/// A contest to be run somewhere else than in the engine, such as in a thread of its own, so that no tick waits for it.
#[derive(Debug, Clone)]
pub struct ContestJob {
    contest: Arc<Contest>,
    interval: Span,
    horizon: usize,
}

impl ContestJob {
    /// Reads the newest history from a store, which may be open for reading only, and lets the candidates compete.
    /// What comes of it is for [`Engine::adopt`].
    ///
    /// # Errors
    /// If the store cannot be read, holds less than a day at the step, or as [`Contest::run`].
    pub fn run(
        &self,
        store: &mut dyn Store,
        now: Timestamp,
        go_on: impl FnMut(&Progress) -> bool,
    ) -> Result<Selection> {
        let mut old = SampleQuery::latest(self.interval, 1);
        old.to = now - LEAST_HISTORY;
        if store.samples(&old)?.is_empty() {
            let needed = LEAST_HISTORY.steps(self.interval);
            return Err(Error::not_enough_data("a contest while watching", needed, 0));
        }
        let mut query = SampleQuery::latest(self.interval, self.contest.history_rows);
        query.to = now;
        let history = store.samples(&query)?;
        self.contest.run(&history, &[ForecastTarget::PerformanceScore], self.horizon, go_on)
    }
}

impl Engine {
    /// How the forecaster was chosen, if it was.
    #[must_use]
    pub fn selection(&self) -> Option<&Selection> {
        self.selection.as_ref()
    }

    /// Lets the candidates compete over the known history, now. What comes of it is for [`Engine::adopt`].
    ///
    /// # Errors
    /// If there is no contest, the samples are not of the host's schema, or as [`Contest::run`].
    pub fn choose_forecaster(&mut self, go_on: impl FnMut(&Progress) -> bool) -> Result<Selection> {
        let Some(contest) = self.contest.clone() else {
            return Err(Error::unsupported("choosing among forecasters without candidates"));
        };
        if self.schema != host::schema() {
            return Err(Error::unsupported(
                "the performance score of another schema than the host's",
            ));
        }
        let history = self.training_frame(contest.history_rows)?;
        let horizon = self.config.horizon_steps;
        contest.run(&history, &[ForecastTarget::PerformanceScore], horizon, go_on)
    }

    /// A contest to be run elsewhere, if one is due: there are candidates, models have left their first look behind, the
    /// last choice is older than [`Config::choose_every`](crate::Config::choose_every), and none was tried within the
    /// last hour. Takes no time.
    pub fn due_contest(&mut self, now: Timestamp) -> Option<ContestJob> {
        let every = self.config.choose_every?;
        let is_past = |at: Timestamp, span| now < at || now.since(at) >= span;
        let is_due = self.role == Role::Sampler
            && self.parts.store.is_some()
            && self.schema == host::schema()
            && self.forecaster.as_ref().is_some_and(|f| !f.metadata.provisional)
            && self.selection.as_ref().is_none_or(|s| is_past(s.at, every))
            && self.contest_tried.is_none_or(|at| is_past(at, RETRY));
        let contest = self.contest.clone().filter(|_| is_due)?;
        self.contest_tried = Some(now);
        let (interval, horizon) = (self.config.step, self.config.horizon_steps);
        Some(ContestJob { contest, interval, horizon })
    }

    /// Takes an outcome over: it is stored beside what is known of the forecaster, and the next training, if not another
    /// comes before, fits what was chosen. One that no round was completed for does not replace an earlier one.
    pub fn adopt(&mut self, mut selection: Selection, now: Timestamp) {
        if selection.rungs == 0 && self.selection.as_ref().is_some_and(|s| s.rungs > 0) {
            self.note(Notice::info(
                Stage::Train,
                "the forecasters could not be compared in time; the earlier choice stays",
            ));
            return;
        }
        selection.at = now;
        let before = self.selection.as_ref().map_or(&selection.default, |s| &s.chosen);
        let message = if *before == selection.chosen {
            format!("the forecaster `{}` was chosen again", selection.chosen)
        } else {
            format!("the forecaster `{}` was chosen in place of `{before}`", selection.chosen)
        };
        self.note(Notice::info(Stage::Train, message));
        self.selection = Some(selection);
        if self.role == Role::Reader {
            return;
        }
        let known = self.forecaster.as_ref().map(|f| f.metadata.clone());
        if let (Some(mut metadata), Some(store)) = (known, &mut self.parts.store) {
            metadata.selection.clone_from(&self.selection);
            if let Err(e) = store.put_model_metadata(&metadata) {
                self.note(Notice::warning(Stage::Store, e.to_string()));
            }
        }
    }

    /// Fits what was chosen to the newest history at once, and leaves the other models alone.
    pub fn train_forecaster_now(&mut self, now: Timestamp) -> TrainSummary {
        let horizon = self.default_horizon();
        let trained = self.timed(Stage::Train, |e| e.train_forecaster(now, horizon));
        let outcome = self.outcome(FORECASTER, Some(trained), None);
        self.catch_up_forecaster();
        let mut summary = TrainSummary::default();
        summary.models.extend(outcome);
        summary.notices.clone_from(&self.notices);
        summary
    }

    /// What the stored metadata tells of an earlier choice.
    pub(crate) fn recall_choice(&mut self) {
        let stored = self.parts.store.as_mut().and_then(|s| s.model_metadata().ok());
        let known = stored.into_iter().flatten().find(|m| m.name == FORECASTER);
        self.selection = known.and_then(|m| m.selection);
    }

    /// What was chosen, unless it is the default or takes no part any more.
    fn chosen_trainer(&self) -> Option<&dyn ForecasterTrainer> {
        let chosen = self.selection.as_ref().filter(|s| s.is_other())?;
        let candidates = self.contest.as_ref()?.candidates();
        candidates.iter().find(|c| c.name() == chosen.chosen).map(super::Candidate::trainer)
    }

    /// Fits what was chosen, or where that cannot be, the default, to rows of the performance score: for exactly
    /// `horizon` steps, or for as many of them as the rows allow.
    pub(crate) fn fit_chosen(
        &self,
        rows: &Frame,
        horizon: usize,
        exactly: bool,
    ) -> Result<Box<dyn Forecaster>> {
        let default = &*self.parts.forecaster_trainer;
        fit_either(self.chosen_trainer(), default, rows, horizon, exactly)
    }

    /// Restores a forecaster by whoever can: what was chosen, the default, or another candidate.
    pub(crate) fn load_forecaster(
        &self,
        bytes: &[u8],
        schema: &Schema,
    ) -> Result<Box<dyn Forecaster>> {
        if let Some(Ok(model)) = self.chosen_trainer().map(|chosen| chosen.load(bytes, schema)) {
            return Ok(model);
        }
        self.parts.forecaster_trainer.load(bytes, schema).or_else(|e| {
            let others = self.contest.iter().flat_map(|contest| contest.candidates());
            let mut loaded = others.map(|c| c.trainer().load(bytes, schema));
            loaded.find_map(Result::ok).ok_or(e)
        })
    }
}

/// Fits what was chosen among the candidates, or where it cannot be, their default, for as many of `horizon` steps as
/// there are rows for.
pub(crate) fn fit_by(
    contest: &Contest,
    chosen: Option<&str>,
    rows: &Frame,
    horizon: usize,
) -> Result<Box<dyn Forecaster>> {
    let mut candidates = contest.candidates().iter();
    let default = candidates.clone().next();
    let chosen = chosen.and_then(|name| candidates.find(|c| c.name() == name));
    let default = default.ok_or_else(|| Error::unsupported("a contest without candidates"))?;
    fit_either(chosen.map(super::Candidate::trainer), default.trainer(), rows, horizon, false)
}

/// Fits by what was chosen, or where that cannot be, by the default.
fn fit_either(
    chosen: Option<&dyn ForecasterTrainer>,
    default: &dyn ForecasterTrainer,
    rows: &Frame,
    horizon: usize,
    exactly: bool,
) -> Result<Box<dyn Forecaster>> {
    if let Some(chosen) = chosen {
        match fit(chosen, rows, horizon, exactly) {
            Ok(model) => return Ok(model),
            Err(e) => tracing::info!("the chosen forecaster cannot be fitted: {e}"),
        }
    }
    fit(default, rows, horizon, exactly)
}

/// Fits for exactly `horizon` steps, or for as many of them as there are rows for.
fn fit(
    trainer: &dyn ForecasterTrainer,
    rows: &Frame,
    horizon: usize,
    exactly: bool,
) -> Result<Box<dyn Forecaster>> {
    let mut possible = horizon;
    if !exactly {
        // More rows are never needed for a shorter horizon, so halving finds the longest possible one.
        let mut too_far = horizon.min(rows.len()) + 1;
        possible = 0;
        while possible + 1 < too_far {
            let middle = possible.midpoint(too_far);
            if trainer.min_rows(middle) <= rows.len() {
                possible = middle;
            } else {
                too_far = middle;
            }
        }
    }
    let needed = trainer.min_rows(possible.max(1));
    if possible == 0 || needed > rows.len() {
        return Err(Error::not_enough_data("a forecaster", needed, rows.len()));
    }
    trainer.fit(rows, ForecastTarget::PerformanceScore, possible)
}
