//! Fitting a forecaster anew somewhere else than in the engine, such as in a thread of its own, so that no tick waits.

use crate::engine::Engine;
use crate::report::{Notice, Stage};
use crate::selection::{Contest, fit_by};
use crate::training::FORECASTER;
use overseer_core::{Forecaster, Frame, Result, Span, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A forecaster to be fitted, with all that it takes.
#[derive(Debug)]
pub struct RefitJob {
    contest: Arc<Contest>,
    /// Who was chosen; none for the default.
    chosen: Option<String>,
    rows: Frame,
    interval: Span,
    horizon: usize,
}

/// What came of a [`RefitJob`], for [`Engine::adopt_forecaster`].
#[derive(Debug)]
pub struct Refitted {
    model: Box<dyn Forecaster>,
    bytes: Vec<u8>,
    interval: Span,
    took: Duration,
}

impl RefitJob {
    /// Fits the forecaster. It is the very one that a tick would have fitted.
    ///
    /// # Errors
    /// If the rows are too few for it.
    pub fn run(&self) -> Result<Refitted> {
        let start = Instant::now();
        let model = fit_by(&self.contest, self.chosen.as_deref(), &self.rows, self.horizon)?;
        let bytes = model.to_bytes()?;
        Ok(Refitted { model, bytes, interval: self.interval, took: start.elapsed() })
    }
}

impl Engine {
    /// Whether a forecaster that is due only replaces an older one, which goes on until somebody has run the job.
    pub(crate) fn is_refit_elsewhere(&self) -> bool {
        let interval = self.active().interval().as_millis();
        self.config.refit_elsewhere
            && self.contest.is_some()
            && self.forecaster.as_ref().is_some_and(|f| f.metadata.interval_ms == interval)
    }

    /// A forecaster to be fitted elsewhere, if one is due; only with
    /// [`Config::refit_elsewhere`](crate::Config::refit_elsewhere). To be asked between two ticks: it reads the rows.
    pub fn due_refit(&mut self) -> Option<RefitJob> {
        if !std::mem::take(&mut self.refit_due) {
            return None;
        }
        let contest = Arc::clone(self.contest.as_ref()?);
        let horizon = self.default_horizon();
        let interval = self.active().interval();
        let chosen = self.selection.as_ref().filter(|s| s.is_other()).map(|s| s.chosen.clone());
        match self.forecaster_rows() {
            Ok(rows) => Some(RefitJob { contest, chosen, rows, interval, horizon }),
            Err(e) => {
                self.note(Notice::info(Stage::Train, format!("no new `{FORECASTER}` model: {e}")));
                None
            }
        }
    }

    /// Takes a forecaster over that was fitted elsewhere, or notes why there is none. It sees what came meanwhile, and is
    /// stored.
    pub fn adopt_forecaster(&mut self, refitted: Result<Refitted>, now: Timestamp) {
        match refitted {
            // Whoever changed to other samples meanwhile has trained a forecaster of those.
            Ok(r) if r.interval == self.active().interval() => {
                self.put_forecaster(r.model, &r.bytes, now, r.took);
                self.catch_up_forecaster();
            }
            Ok(_) => tracing::debug!("a forecaster of other samples is not needed any more"),
            Err(e) => {
                self.note(Notice::info(Stage::Train, format!("no new `{FORECASTER}` model: {e}")));
            }
        }
    }
}
