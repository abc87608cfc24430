//! The fitted forecaster, sample by sample.

use super::analogues::Analogues;
use super::inputs::{Outline, Scene, WINDOW, append_inputs, last_known, newest};
use super::lane::{Issued, Lane, Views};
use super::steps::{MAX_MISSING, missing_at_end, passed};
use super::{Settings, grid, store, target};
use overseer_core::{
    Error, Forecast, ForecastTarget, Forecaster, Interval, ModelMetadata, Result, Sample, Schema,
    Span, Timestamp,
};
use std::collections::VecDeque;

/// A forecaster fitted by [`ForestForecasterTrainer`](super::ForestForecasterTrainer).
#[derive(Debug, Clone)]
pub struct ForestForecaster {
    pub(super) settings: Settings,
    pub(super) schema: Schema,
    pub(super) target: ForecastTarget,
    /// How long a step is.
    pub(super) interval: Span,
    pub(super) metadata: ModelMetadata,
    /// The horizons predicted directly, ascending.
    pub(super) grid: Vec<usize>,
    /// The columns beside the target that the forest sees.
    pub(super) others: Vec<usize>,
    pub(super) analogues: Analogues,
    /// One for each horizon of the grid.
    pub(super) lanes: Vec<Lane>,
    pub(super) stream: Stream,
    now: Present,
}

/// What the samples so far leave behind.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    /// The target since the last gap step by step, oldest first, NaN where missing; at least its newest [`WINDOW`].
    /// Never more than three in a row are missing.
    pub(super) recent: Vec<f64>,
    /// The newest values of the other features.
    pub(super) others: Vec<f64>,
    /// Those of the row before.
    pub(super) before: Vec<f64>,
    pub(super) last: Option<Timestamp>,
    /// How many steps were taken, those of lost samples included.
    pub(super) step: u64,
    /// The steps since the last gap of which it is not yet known all that came after.
    pub(super) waiting: VecDeque<Moment>,
}

/// A moment that will be learned from.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// The target; NaN where missing.
    pub(super) value: f64,
    /// Where the forest placed it; empty if it is missing itself or there were too few steps before it.
    pub(super) leaves: Vec<u32>,
}

/// What follows from the stream, kept so that it is computed once.
#[derive(Debug, Clone, Default)]
struct Present {
    /// Where the forest places the present.
    leaves: Vec<u32>,
    /// The past moments that resemble the present; none while lags are missing.
    found: Vec<u32>,
    /// The experts' views at those horizons of the grid that were looked at.
    views: Vec<Option<Views>>,
    /// What the target was like of late, where anything was found.
    outline: Outline,
    inputs: Vec<f64>,
    scratch: Vec<f64>,
    /// Memory to put values in order in.
    order: Vec<i64>,
}

impl ForestForecaster {
    pub(super) fn new(
        settings: Settings,
        schema: Schema,
        target: ForecastTarget,
        interval: Span,
        grid: Vec<usize>,
        analogues: Analogues,
    ) -> Self {
        let limits = target::bounds(target, &schema);
        let lane = Lane::new(settings.tail(), limits, settings.experts);
        Self {
            settings,
            metadata: ModelMetadata::new(
                target::name(target, &schema),
                overseer_core::ModelKind::Forecaster,
                "random forest",
            ),
            others: settings.others(target, &schema),
            lanes: vec![lane; grid.len()],
            schema,
            target,
            interval,
            grid,
            analogues,
            stream: Stream::default(),
            now: Present::default(),
        }
    }

    /// The target since the last gap, cut to what inputs look at.
    fn recent(&self) -> &[f64] {
        newest(&self.stream.recent, WINDOW)
    }

    /// Takes a row into the lags without predicting from it. Says whether the truth it brings can be compared with
    /// what was predicted of it.
    pub(super) fn advance(&mut self, time: Timestamp, row: &[f64]) -> Option<f64> {
        let truth = target::value(self.target, row);
        let passed = passed(self.stream.last, time, self.interval);
        self.stream.last = Some(time);
        self.stream.step = self.stream.step.saturating_add(passed.unwrap_or(1) as u64);
        if passed.is_none() {
            self.reset_lags();
        }
        for _ in 1..passed.unwrap_or(1) {
            self.push(f64::NAN);
        }
        self.push(truth);
        std::mem::swap(&mut self.stream.others, &mut self.stream.before);
        self.stream.others.clear();
        self.stream.others.extend(self.others.iter().map(|&c| row[c]));
        (passed.is_some() && !truth.is_nan()).then_some(truth)
    }

    /// Appends the target of the next step.
    fn push(&mut self, value: f64) {
        let recent = &mut self.stream.recent;
        if recent.is_empty() && value.is_nan() {
            return;
        }
        if recent.len() == 2 * WINDOW {
            recent.drain(..WINDOW);
        }
        recent.push(value);
        if missing_at_end(recent) > MAX_MISSING {
            self.reset_lags();
        } else {
            self.learn(value);
        }
    }

    /// Lets the present wait for what comes, and learns from the moment of which all is known now.
    fn learn(&mut self, value: f64) {
        let waiting = &mut self.stream.waiting;
        waiting.push_back(Moment { value, leaves: Vec::new() });
        let farthest = self.grid.last().copied().unwrap_or(0);
        if waiting.len() <= farthest {
            return;
        }
        if let Some(moment) = waiting.pop_front()
            && !moment.leaves.is_empty()
            && self.grid.iter().all(|&h| !waiting[h - 1].value.is_nan())
        {
            let later = self.grid.iter().map(|&h| waiting[h - 1].value);
            self.analogues.learn(&moment.leaves, moment.value, later);
        }
    }

    /// Has another forest find what resembles the present from now on. What waits is placed anew: `inputs` gives the
    /// inputs of the step so many before the last one, if they are known.
    pub(super) fn replace_analogues(
        &mut self,
        analogues: Analogues,
        inputs: impl Fn(usize) -> Option<Vec<f64>>,
    ) -> Result<()> {
        self.analogues = analogues;
        for (back, moment) in self.stream.waiting.iter_mut().rev().enumerate() {
            moment.leaves.clear();
            if let Some(inputs) = inputs(back) {
                self.analogues.leaves(&inputs, &mut moment.leaves)?;
            }
        }
        self.look()
    }

    /// Finds what resembles the present.
    pub(super) fn look(&mut self) -> Result<()> {
        let mut now = std::mem::take(&mut self.now);
        now.leaves.clear();
        now.found.clear();
        now.views.clear();
        now.views.resize(self.grid.len(), None);
        let mut looked = Ok(());
        if self.stream.recent.len() >= self.settings.lags {
            now.inputs.clear();
            now.outline = Outline::of(self.recent(), self.settings.tail(), &mut now.scratch);
            let scene = Scene {
                recent: self.recent(),
                time: self.stream.last.unwrap_or_default(),
                others: &self.stream.others,
                before: &self.stream.before,
                high: now.outline.high,
            };
            append_inputs(&scene, self.settings.lags, &mut now.inputs);
            // A forest of an older payload knows only the first of them.
            let known = &now.inputs[..now.inputs.len().min(self.analogues.width())];
            looked = self.analogues.leaves(known, &mut now.leaves);
            self.analogues.find(&now.leaves, &mut now.found);
            if let Some(moment) = self.stream.waiting.back_mut()
                && !moment.value.is_nan()
            {
                moment.leaves.clone_from(&now.leaves);
            }
        }
        self.now = now;
        looked
    }

    /// Predicts from the present what will be compared with the truth later.
    pub(super) fn issue(&mut self) {
        if self.now.found.is_empty() {
            return;
        }
        let mut order = std::mem::take(&mut self.now.order);
        for place in 0..self.grid.len() {
            if self.stream.step.is_multiple_of(grid::stride(self.grid[place]) as u64) {
                let views = self.view(place, &mut order);
                self.now.views[place] = Some(views);
                let issued = self.combine(place, &views);
                self.lanes[place].await_truth(issued);
            }
        }
        self.now.order = order;
    }

    /// The inputs that were last looked at.
    #[cfg(test)]
    pub(super) fn inputs_now(&self) -> &[f64] {
        &self.now.inputs
    }

    fn view(&self, place: usize, order: &mut Vec<i64>) -> Views {
        let outlook = self.analogues.outlook(&self.now.found, place, self.settings.tail(), order);
        Views::new(&outlook, self.recent(), &self.now.outline)
    }

    fn combine(&self, place: usize, views: &Views) -> Issued {
        let current = last_known(self.recent());
        let due = self.stream.step.saturating_add(self.grid[place] as u64);
        self.lanes[place].combine(views, current, due)
    }

    /// Takes the next row in; `checked` hears of each forecast that ended here and its truth.
    pub(super) fn take(
        &mut self,
        time: Timestamp,
        row: &[f64],
        mut checked: impl FnMut(&Issued, f64),
    ) -> Result<()> {
        if let Some(truth) = self.advance(time, row) {
            for lane in &mut self.lanes {
                if let Some(issued) = lane.settle(self.stream.step, truth) {
                    checked(&issued, truth);
                }
            }
        }
        self.look()?;
        self.issue();
        Ok(())
    }
}

impl Forecaster for ForestForecaster {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn target(&self) -> ForecastTarget {
        self.target
    }

    fn max_horizon(&self) -> usize {
        self.grid.last().copied().unwrap_or(0)
    }

    fn observe(&mut self, sample: &Sample) -> Result<()> {
        check_sample(&self.schema, sample)?;
        self.take(sample.timestamp, &sample.values, |_, _| ())
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<Forecast>> {
        if horizon == 0 || horizon > self.max_horizon() {
            return Err(Error::invalid_parameter(
                "horizon",
                format!("must be in 1–{}, was {horizon}", self.max_horizon()),
            ));
        }
        if self.now.found.is_empty() {
            return Err(Error::not_enough_data(
                "samples since the last gap",
                self.settings.lags,
                self.stream.recent.len(),
            ));
        }
        let (_, last, _) = grid::between(&self.grid, horizon);
        let mut order = Vec::new();
        let direct: Vec<Issued> = (0..=last)
            .map(|place| {
                let views = self.now.views[place].unwrap_or_else(|| self.view(place, &mut order));
                self.combine(place, &views)
            })
            .collect();
        let steps = (1..=horizon).map(|step| {
            let (a, b, t) = grid::between(&self.grid, step);
            let mix = |of: fn(&Issued) -> f64| {
                let (low, high) = (of(&direct[a]), of(&direct[b]));
                if a == b { low } else { (1.0 - t) * low + t * high }
            };
            let interval = Interval::new(mix(|i| i.lower), mix(|i| i.upper), self.settings.level());
            let median = mix(|i| i.raw.median).clamp(interval.lower, interval.upper);
            let mut forecast = Forecast::new(step, median, interval);
            let nearest = if t < 0.5 { a } else { b };
            forecast.coverage = self.lanes[nearest].conformal.coverage();
            forecast
        });
        Ok(steps.collect())
    }

    fn reset_lags(&mut self) {
        self.stream.recent.clear();
        self.stream.waiting.clear();
        self.lanes.iter_mut().for_each(Lane::forget_pending);
        self.now.found.clear();
        self.now.views.fill(None);
    }

    fn boxed_clone(&self) -> Box<dyn Forecaster> {
        Box::new(self.clone())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        store::to_bytes(self)
    }

    fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }
}

/// Whether a sample has a value for each feature, and none that is infinite.
pub(super) fn check_sample(schema: &Schema, sample: &Sample) -> Result<()> {
    if sample.values.len() != schema.len() {
        return Err(Error::schema_mismatch(
            format!("{} values", schema.len()),
            format!("{} values", sample.values.len()),
        ));
    }
    match sample.values.iter().position(|v| v.is_infinite()) {
        Some(column) => Err(Error::invalid_value(
            format!("column `{}`", schema.features()[column]),
            "the value is infinite",
        )),
        None => Ok(()),
    }
}
