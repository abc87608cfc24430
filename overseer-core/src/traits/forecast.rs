//! Models that say what comes next.

use crate::{Frame, Interval, ModelMetadata, Probability, Result, Sample, Schema};
use std::fmt;

/// What a forecaster predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForecastTarget {
    /// [`crate::host::performance_score`] of the host's schema, 0–100.
    PerformanceScore,
    /// The column of this index.
    Column(usize),
}

/// The predicted value `step` steps ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Forecast {
    /// How many steps ahead, from 1.
    pub step: usize,
    /// The predicted median.
    pub median: f64,
    /// Where the truth is meant to lie.
    pub interval: Interval,
    /// Share of the recent intervals about this far ahead that held the truth; `None` while too few could be checked.
    pub coverage: Option<Probability>,
}

impl Forecast {
    /// A forecast whose coverage is not yet known.
    #[must_use]
    pub fn new(step: usize, median: f64, interval: Interval) -> Self {
        Self { step, median, interval, coverage: None }
    }
}

/// A fitted forecaster that is kept up to date with each further sample.
pub trait Forecaster: Send + fmt::Debug {
    /// The features it was fitted on.
    fn schema(&self) -> &Schema;

    /// What it predicts.
    fn target(&self) -> ForecastTarget;

    /// The farthest step it can predict.
    fn max_horizon(&self) -> usize;

    /// Takes the next sample: checks the intervals that ended here, and moves the lags on.
    ///
    /// # Errors
    /// If the sample has another number of values or an infinite one; the forecaster is unchanged then.
    fn observe(&mut self, sample: &Sample) -> Result<()>;

    /// The values 1 to `horizon` steps after the newest sample.
    ///
    /// # Errors
    /// If `horizon` is 0 or beyond [`Forecaster::max_horizon`], or fewer samples than the model's lags have been
    /// observed since the last gap.
    fn forecast(&self, horizon: usize) -> Result<Vec<Forecast>>;

    /// Forgets the lags but nothing that was learned, as after a gap.
    fn reset_lags(&mut self);

    /// A copy that can go its own way.
    fn boxed_clone(&self) -> Box<dyn Forecaster>;

    /// The payload of a model file, from which [`ForecasterTrainer::load`] restores an equal forecaster.
    ///
    /// # Errors
    /// If the forecaster cannot be stored.
    fn to_bytes(&self) -> Result<Vec<u8>>;

    /// What is known about its training.
    fn metadata(&self) -> &ModelMetadata;
}

/// Fits forecasters and restores stored ones. Its parameters were checked when it was built.
pub trait ForecasterTrainer: Send + fmt::Debug {
    /// The fewest rows it can learn from to predict `horizon` steps ahead.
    fn min_rows(&self, horizon: usize) -> usize;

    /// Learns to predict `target` up to `horizon` steps ahead; the fitted lags end at the frame's last row.
    ///
    /// # Errors
    /// If there are too few rows with a known target, or the target is not in the frame.
    fn fit(
        &self,
        frame: &Frame,
        target: ForecastTarget,
        horizon: usize,
    ) -> Result<Box<dyn Forecaster>>;

    /// Restores a forecaster from [`Forecaster::to_bytes`].
    ///
    /// # Errors
    /// If the bytes are damaged, of an unknown version, or for another schema than `schema`.
    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Forecaster>>;
}
