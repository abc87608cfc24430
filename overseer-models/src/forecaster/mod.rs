//! What comes next, and how far off may that be?
//!
//! A direct forecaster: each of a grid of horizons is predicted from the present, none from another prediction.
//!
//! - *Inputs*: the last ten samples of the target as differences from the current one, medians and ranges of the last
//!   forty; the first sixteen other features of the schema, now and as changes since the row before; the time of day
//!   and within the hour, once enough of them were seen; how long ago the target was last high; three samples farther
//!   back. All of it known at the time.
//! - *Analogues*: a [random forest](crate::random_forest) finds the moments of the past that resemble the present, and
//!   what came after them is the forecast, once as it was and once as a change from the current value. Their 5 % and
//!   95 % quantiles are a first interval. This is after Meinshausen (2006, *Quantile Regression Forests*) but not quite
//!   it: each leaf that the present reaches gives its newest ten moments, and all of them count alike.
//! - *Experts*: at each horizon the two forecasts compete with the last value and the medians of the newest 3 to 288,
//!   weighted by how much better than the answer each did lately (Wintenberger 2017, *Optimal learning with Bernstein
//!   online aggregation*); the answer is their weighted median. The bounds of a first interval are weighted means of
//!   the analogues' and of the newest 288 samples' quantiles, by their recent pinball losses.
//! - *Intervals*: widened or narrowed by what held the stated share of the recent truths: conformal scores (Romano,
//!   Patterson and Candès 2019, *Conformalized Quantile Regression*) over a trailing window of 1,000, so that they follow
//!   a changing series, and a correction in proportion to how far the trailing share of misses is off. This aims at
//!   the level and measures what it reached; it guarantees nothing.
//!
//! The code calls one horizon with its experts, its intervals and its forecasts that await their truth a *lane*. There
//! is one for each of the horizons 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360 and so on, and for
//! the farthest; steps between are interpolated. A lane issues a forecast to be checked later at every step up to 39
//! ahead, and farther out only at every `horizon / 20`-th step, so at most forty wait in one.
//!
//! Weights and intervals start from the last 30 % of the training rows, forecast by a forest that saw only earlier
//! ones; then the forest is grown again on all rows. Truths that arrive later go on improving both, and moments whose
//! future became known join the analogues in the leaves, until 5,000 have; then, or earlier, it is time to fit again,
//! which alone grows new trees. Fitting learns from the newest 5,000 usable rows and as many more as the horizon.
//!
//! That much is the default. The builder leaves out inputs and experts, and changes lags, trees, leaves and how much is
//! learned from, for hosts that want it otherwise. [`Rule`]s, such as repeating the last value, are forecasters of
//! their own with the same intervals: what anything more must be better than.
//!
//! A step is the usual interval of the training rows. A sample that was lost is a step whose target is missing. Missing
//! targets are borne, three in a row at most: a forecast made at one starts from the last known value. More of them, a
//! time difference of more than three intervals, or a step back in time restart the lags: nothing is learned from or
//! predicted across it.
//!
//! ```
//! use overseer_core::{ForecastTarget, ForecasterTrainer, Frame, Schema, Timestamp};
//! use overseer_models::forecaster::ForestForecasterTrainer;
//!
//! let mut frame = Frame::new(Schema::from_names(["load"])?);
//! for i in 0..200_i64 {
//!     frame.push_row(Timestamp::from_millis(5_000 * i), &[(i % 12) as f64])?;
//! }
//! let trainer = ForestForecasterTrainer::builder().trees(20).build()?;
//! let forecaster = trainer.fit(&frame, ForecastTarget::Column(0), 10)?;
//! let next = forecaster.forecast(3)?;
//! // Row 199 held 7, and the saw-tooth goes on.
//! assert_eq!(next[0].step, 1);
//! assert!((next[0].median - 8.0).abs() < 0.5, "{next:?}");
//! assert!(next[0].interval.contains(next[0].median));
//! # Ok::<(), overseer_core::Error>(())
//! ```

mod analogues;
mod conformal;
mod experts;
mod grid;
mod inputs;
mod lane;
mod online;
mod regret;
mod rule;
mod steps;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod training;

pub use online::ForestForecaster;
pub use rule::{Rule, RuleForecaster, RuleForecasterBuilder, RuleForecasterTrainer};

use overseer_core::{
    Error, ForecastTarget, Forecaster, ForecasterTrainer, Frame, Probability, Result, Schema,
};

/// Collects a forecaster's parameters; [`ForestForecasterBuilder::build`] checks them.
#[derive(Debug, Clone)]
pub struct ForestForecasterBuilder {
    settings: Settings,
}

/// What a forecaster was built with.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Settings {
    trees: usize,
    lags: usize,
    level: f64,
    seed: u64,
    min_leaf: usize,
    moments: usize,
    others: bool,
    clock: bool,
    experts: ExpertSet,
}

/// Which forecasts compete, at each horizon, for the answer and for the bounds of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ExpertSet {
    /// The analogues of the forest, the last value, medians and quantiles of the newest values.
    #[default]
    All,
    /// The analogues of the forest alone.
    Analogues,
    /// The last value, medians and quantiles of the newest values alone.
    Rules,
}

impl ForestForecasterBuilder {
    /// Number of trees, 1–10,000; 50 unless told.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.settings.trees = trees;
        self
    }

    /// How many of the newest samples of the target the forest sees, 2–40; 10 unless told. As many steps must have
    /// passed since the last gap before anything is predicted.
    #[must_use]
    pub fn lags(mut self, lags: usize) -> Self {
        self.settings.lags = lags;
        self
    }

    /// The share of truths the intervals are to hold, in 0.5–0.99; 0.9 unless told.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.settings.level = level;
        self
    }

    /// How many moments a leaf of the forest holds at least, 1–1,000; 5 unless told. More makes steadier forecasts.
    #[must_use]
    pub fn min_leaf(mut self, moments: usize) -> Self {
        self.settings.min_leaf = moments;
        self
    }

    /// How many moments are learned from at most, the newest, 100–100,000; 5,000 unless told. Fewer follow a host that
    /// changed; as many as the horizon are taken besides.
    #[must_use]
    pub fn moments(mut self, moments: usize) -> Self {
        self.settings.moments = moments;
        self
    }

    /// Whether the forest sees other features than the target; it does unless told.
    #[must_use]
    pub fn other_features(mut self, seen: bool) -> Self {
        self.settings.others = seen;
        self
    }

    /// Whether the forest sees the time of day and within the hour, once enough of them were seen; it does unless told.
    #[must_use]
    pub fn clock(mut self, seen: bool) -> Self {
        self.settings.clock = seen;
        self
    }

    /// Which forecasts compete; all unless told.
    #[must_use]
    pub fn experts(mut self, experts: ExpertSet) -> Self {
        self.settings.experts = experts;
        self
    }

    /// Where randomness starts; 0 unless told. The same seed and rows give the same forecaster.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If one is outside the range its setter names.
    pub fn build(self) -> Result<ForestForecasterTrainer> {
        self.settings.check()?;
        Ok(ForestForecasterTrainer { settings: self.settings })
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        let outside = |name: &str, range: &str, found: String| {
            Err(Error::invalid_parameter(name, format!("must be in {range}, was {found}")))
        };
        if !(1..=10_000).contains(&self.trees) {
            return outside("trees", "1–10,000", self.trees.to_string());
        }
        if !(2..=inputs::MAX_LAGS).contains(&self.lags) {
            return outside("lags", "2–40", self.lags.to_string());
        }
        if !(0.5..=0.99).contains(&self.level) {
            return outside("level", "0.5–0.99", self.level.to_string());
        }
        if !(1..=1_000).contains(&self.min_leaf) {
            return outside("min_leaf", "1–1,000", self.min_leaf.to_string());
        }
        if !(100..=100_000).contains(&self.moments) {
            return outside("moments", "100–100,000", self.moments.to_string());
        }
        Ok(())
    }

    /// The columns beside the target that the forest sees.
    fn others(&self, target: ForecastTarget, schema: &Schema) -> Vec<usize> {
        if self.others { target::others(target, schema) } else { Vec::new() }
    }

    /// The share of truths that may lie on either side of an interval.
    fn tail(&self) -> f64 {
        0.5 * (1.0 - self.level)
    }

    fn level(&self) -> Probability {
        Probability::saturating(self.level)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trees: 50,
            lags: 10,
            level: 0.9,
            seed: 0,
            min_leaf: 5,
            moments: 5_000,
            others: true,
            clock: true,
            experts: ExpertSet::All,
        }
    }
}

/// Fits [`ForestForecaster`]s.
#[derive(Debug, Clone)]
pub struct ForestForecasterTrainer {
    settings: Settings,
}

impl ForestForecasterTrainer {
    /// A trainer with ten lags, 50 trees and 90 % intervals; the setters change that.
    #[must_use]
    pub fn builder() -> ForestForecasterBuilder {
        ForestForecasterBuilder { settings: Settings::default() }
    }

    /// [`ForecasterTrainer::fit`], giving the concrete type.
    ///
    /// Only the newest usable rows, [as many as told](ForestForecasterBuilder::moments) and the horizon, are learned
    /// from.
    ///
    /// # Errors
    /// As [`ForecasterTrainer::fit`]; and if the performance score is asked of another schema than the host's.
    pub fn fit_forest(
        &self,
        frame: &Frame,
        target: ForecastTarget,
        horizon: usize,
    ) -> Result<ForestForecaster> {
        training::fit(self.settings, frame, target, horizon)
    }

    /// [`ForecasterTrainer::load`], giving the concrete type. The stored forecaster keeps the settings it was built
    /// with; this trainer's play no part.
    ///
    /// # Errors
    /// As [`ForecasterTrainer::load`].
    pub fn load_forest(&self, bytes: &[u8], schema: &Schema) -> Result<ForestForecaster> {
        store::load(bytes, schema)
    }
}

impl ForecasterTrainer for ForestForecasterTrainer {
    /// The lags, twice the horizon and 30: learning `h` steps ahead takes rows with `h` known ones behind them, and
    /// checking without a look ahead takes as many again. 60 rows at ten lags and ten steps.
    fn min_rows(&self, horizon: usize) -> usize {
        training::min_rows(self.settings.lags, horizon)
    }

    fn fit(
        &self,
        frame: &Frame,
        target: ForecastTarget,
        horizon: usize,
    ) -> Result<Box<dyn Forecaster>> {
        Ok(Box::new(self.fit_forest(frame, target, horizon)?))
    }

    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Forecaster>> {
        Ok(Box::new(self.load_forest(bytes, schema)?))
    }
}
