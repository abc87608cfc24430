//! Forecasters that follow one fixed rule: what anything more must be better than.
//!
//! A rule names the value to come; the interval around it is calibrated as the forest's is, by the errors of the rule's
//! own earlier forecasts, at each horizon of the same grid. There is nothing to grow, so fitting takes milliseconds.

mod store;
#[cfg(test)]
mod tests;

use super::conformal::{Conformal, Raw};
use super::inputs::{last_known, newest};
use super::steps::{MAX_MISSING, missing_at_end, passed};
use super::{grid, target, training};
use crate::stats::median;
use overseer_core::{
    Error, Forecast, ForecastTarget, Forecaster, ForecasterTrainer, Frame, Interval, ModelKind,
    ModelMetadata, Probability, Result, Sample, Schema, Span, Timestamp,
};
use std::collections::VecDeque;

/// No median is wider, and it is how many values are kept at least.
const WIDEST: usize = 1_000;
/// No period is longer than so many steps.
const LONGEST: usize = 100_000;
/// So many rows beyond what the rule looks at and twice the horizon are needed to say how wide an interval must be.
const CHECKED: usize = 28;

/// What a value to come is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The newest one.
    LastValue,
    /// The median of the newest so many, 1–1,000, as far as they are known.
    Median(usize),
    /// What it was a whole number of these periods before, the newest that is known.
    Before(Span),
}

impl Rule {
    /// How many of the newest steps it looks at, where a step is so long.
    fn window(self, interval: Span) -> usize {
        match self {
            Self::LastValue => MAX_MISSING + 1,
            Self::Median(width) => width.max(MAX_MISSING + 1),
            Self::Before(period) => steps_in(period, interval),
        }
    }

    /// The value `ahead` steps after the newest; NaN if it cannot be told yet.
    fn value(self, recent: &[f64], ahead: usize, interval: Span) -> f64 {
        match self {
            Self::LastValue => last_known(recent),
            Self::Median(width) => {
                let value = median(newest(recent, width).iter().copied());
                if value.is_nan() { last_known(recent) } else { value }
            }
            Self::Before(period) => {
                let period = steps_in(period, interval);
                let back = (period - 1) - (ahead - 1) % period;
                let at = recent.len().checked_sub(1 + back);
                at.map_or(f64::NAN, |at| recent[at])
            }
        }
    }
}

fn steps_in(period: Span, interval: Span) -> usize {
    let (period, step) = (period.as_millis(), interval.as_millis().max(1));
    usize::try_from(period.saturating_add(step / 2) / step).unwrap_or(usize::MAX).max(1)
}

/// Collects a rule's parameters; [`RuleForecasterBuilder::build`] checks them.
#[derive(Debug, Clone)]
pub struct RuleForecasterBuilder {
    rule: Rule,
    level: f64,
}

impl RuleForecasterBuilder {
    /// The share of truths the intervals are to hold, in 0.5–0.99; 0.9 unless told.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If the level or what the rule holds is out of range.
    pub fn build(self) -> Result<RuleForecasterTrainer> {
        if !(0.5..=0.99).contains(&self.level) {
            return Err(Error::invalid_parameter("level", "must be in 0.5–0.99"));
        }
        match self.rule {
            Rule::Median(width) if !(1..=WIDEST).contains(&width) => {
                Err(Error::invalid_parameter("median", "must be of 1–1,000 values"))
            }
            Rule::Before(period) if period == Span::default() => {
                Err(Error::invalid_parameter("before", "the period must be longer than nothing"))
            }
            rule => Ok(RuleForecasterTrainer { rule, level: self.level }),
        }
    }
}

/// Fits [`RuleForecaster`]s.
#[derive(Debug, Clone)]
pub struct RuleForecasterTrainer {
    rule: Rule,
    level: f64,
}

impl RuleForecasterTrainer {
    /// A trainer for this rule with 90 % intervals.
    #[must_use]
    pub fn builder(rule: Rule) -> RuleForecasterBuilder {
        RuleForecasterBuilder { rule, level: 0.9 }
    }

    /// [`ForecasterTrainer::fit`], giving the concrete type.
    ///
    /// # Errors
    /// As [`ForecasterTrainer::fit`]; and if a period is shorter than a step or longer than 100,000.
    pub fn fit_rule(
        &self,
        frame: &Frame,
        target: ForecastTarget,
        horizon: usize,
    ) -> Result<RuleForecaster> {
        target::check(target, frame.schema())?;
        if horizon == 0 {
            return Err(Error::invalid_parameter("horizon", "must be at least 1"));
        }
        let interval = Span::from_millis(training::median_interval(frame.timestamps()));
        if let Rule::Before(period) = self.rule
            && (period < interval || steps_in(period, interval) > LONGEST)
        {
            return Err(Error::unsupported(format!("a period of {period} at steps of {interval}")));
        }
        let window = self.rule.window(interval);
        let needed = window.saturating_add(horizon.saturating_mul(2)).saturating_add(CHECKED);
        let known = frame.rows().filter(|(_, row)| !target::value(target, row).is_nan()).count();
        if known < needed {
            return Err(Error::not_enough_data(target::KNOWN, needed, known));
        }
        let mut forecaster = RuleForecaster::new(
            self.rule,
            self.level,
            frame.schema().clone(),
            target,
            interval,
            horizon,
        );
        let mut tally = Tally::default();
        for (time, row) in frame.rows() {
            forecaster.take(time, row, |issued, truth| tally.add(issued, truth));
        }
        forecaster.describe(frame, &tally);
        Ok(forecaster)
    }
}

impl ForecasterTrainer for RuleForecasterTrainer {
    /// What the rule looks at, twice the horizon and 28; of a period, which is of unknown length in steps, nothing.
    fn min_rows(&self, horizon: usize) -> usize {
        let window = match self.rule {
            Rule::Before(_) => 1,
            rule => rule.window(Span::default()),
        };
        window.saturating_add(horizon.saturating_mul(2)).saturating_add(CHECKED)
    }

    fn fit(
        &self,
        frame: &Frame,
        target: ForecastTarget,
        horizon: usize,
    ) -> Result<Box<dyn Forecaster>> {
        Ok(Box::new(self.fit_rule(frame, target, horizon)?))
    }

    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Forecaster>> {
        Ok(Box::new(store::load(bytes, schema)?))
    }
}

/// A forecast that waits for its truth.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Issued {
    due: u64,
    current: f64,
    value: f64,
    scale: f64,
    lower: f64,
    upper: f64,
}

impl Issued {
    fn raw(&self) -> Raw {
        Raw { lower: self.value, median: self.value, upper: self.value }
    }
}

/// One horizon of the grid.
#[derive(Debug, Clone)]
struct Lane {
    conformal: Conformal,
    pending: VecDeque<Issued>,
}

/// How earlier forecasts fared.
#[derive(Debug, Default)]
struct Tally {
    checks: f64,
    hits: f64,
    error: f64,
    last_value_error: f64,
}

impl Tally {
    fn add(&mut self, issued: &Issued, truth: f64) {
        self.checks += 1.0;
        self.hits += f64::from(u8::from((issued.lower..=issued.upper).contains(&truth)));
        self.error += (truth - issued.value).abs();
        self.last_value_error += (truth - issued.current).abs();
    }
}

/// A rule with its intervals, fitted by [`RuleForecasterTrainer`].
#[derive(Debug, Clone)]
pub struct RuleForecaster {
    rule: Rule,
    level: f64,
    schema: Schema,
    target: ForecastTarget,
    interval: Span,
    metadata: ModelMetadata,
    grid: Vec<usize>,
    lanes: Vec<Lane>,
    /// The least and the greatest value there can be.
    limits: (f64, f64),
    /// The target since the last gap step by step, oldest first, NaN where missing; at least what the rule looks at.
    recent: Vec<f64>,
    last: Option<Timestamp>,
    step: u64,
}

impl RuleForecaster {
    fn new(
        rule: Rule,
        level: f64,
        schema: Schema,
        target: ForecastTarget,
        interval: Span,
        horizon: usize,
    ) -> Self {
        let grid = grid::horizons(horizon);
        let name = target::name(target, &schema);
        let algorithm = match rule {
            Rule::LastValue => "last value",
            Rule::Median(_) => "median",
            Rule::Before(_) => "period before",
        };
        let lane =
            Lane { conformal: Conformal::new(0.5 * (1.0 - level)), pending: VecDeque::new() };
        Self {
            rule,
            level,
            metadata: ModelMetadata::new(name, ModelKind::Forecaster, algorithm),
            lanes: vec![lane; grid.len()],
            limits: target::bounds(target, &schema),
            schema,
            target,
            interval,
            grid,
            recent: Vec::new(),
            last: None,
            step: 0,
        }
    }

    fn take(&mut self, time: Timestamp, row: &[f64], mut checked: impl FnMut(&Issued, f64)) {
        let truth = target::value(self.target, row);
        let passed = passed(self.last, time, self.interval);
        self.last = Some(time);
        self.step = self.step.saturating_add(passed.unwrap_or(1) as u64);
        if passed.is_none() {
            self.reset_lags();
        }
        for _ in 1..passed.unwrap_or(1) {
            self.push(f64::NAN);
        }
        self.push(truth);
        if passed.is_some() && !truth.is_nan() {
            for lane in &mut self.lanes {
                while lane.pending.front().is_some_and(|issued| issued.due < self.step) {
                    lane.pending.pop_front();
                }
                if let Some(issued) = lane.pending.front().copied().filter(|i| i.due == self.step) {
                    lane.pending.pop_front();
                    let bounds = (issued.lower, issued.upper);
                    lane.conformal.learn(&issued.raw(), issued.scale, bounds, truth);
                    checked(&issued, truth);
                }
            }
        }
        for place in 0..self.grid.len() {
            if self.step.is_multiple_of(grid::stride(self.grid[place]) as u64)
                && let Some(issued) = self.issue(place)
            {
                self.lanes[place].pending.push_back(issued);
            }
        }
    }

    /// Appends the target of the next step.
    fn push(&mut self, value: f64) {
        if self.recent.is_empty() && value.is_nan() {
            return;
        }
        let kept = self.rule.window(self.interval).max(WIDEST);
        if self.recent.len() >= 2 * kept {
            self.recent.drain(..self.recent.len() - kept);
        }
        self.recent.push(value);
        if missing_at_end(&self.recent) > MAX_MISSING {
            self.reset_lags();
        }
    }

    /// The forecast at a horizon of the grid; none if the rule cannot tell yet.
    fn issue(&self, place: usize) -> Option<Issued> {
        let ahead = self.grid[place];
        let (least, greatest) = self.limits;
        let said = self.rule.value(&self.recent, ahead, self.interval);
        let current = last_known(&self.recent);
        // Where the sample a period before was lost, the newest one stands in.
        let has_past = self.recent.len() >= self.rule.window(self.interval).min(self.needed());
        if !has_past || current.is_nan() {
            return None;
        }
        let value = if said.is_nan() { current } else { said }.clamp(least, greatest);
        let raw = Raw { lower: value, median: value, upper: value };
        let conformal = &self.lanes[place].conformal;
        let scale = conformal.scale(&raw);
        let (lower, upper) = conformal.adjust(&raw, scale);
        let (lower, upper) = (lower.clamp(least, greatest), upper.clamp(least, greatest));
        let due = self.step.saturating_add(ahead as u64);
        Some(Issued { due, current, value, scale, lower, upper })
    }

    /// How many steps must have passed since the last gap.
    fn needed(&self) -> usize {
        match self.rule {
            Rule::Before(_) => self.rule.window(self.interval),
            _ => 1,
        }
    }

    fn describe(&mut self, frame: &Frame, tally: &Tally) {
        let times = frame.timestamps();
        let metadata = &mut self.metadata;
        if let (Some(&first), Some(&last)) = (times.first(), times.last()) {
            metadata.trained_on = (first, last);
            metadata.trained_at = last;
        }
        metadata.rows = frame.len();
        metadata.interval_ms = self.interval.as_millis();
        metadata.schema_fingerprint = frame.schema().fingerprint();
        let ratio = if tally.error == tally.last_value_error {
            1.0
        } else {
            tally.error / tally.last_value_error
        };
        metadata.set_quality("mae", tally.error / tally.checks);
        metadata.set_quality("mae_ratio_to_last_value", ratio);
        metadata.set_quality("interval_coverage", tally.hits / tally.checks);
        metadata.set_quality("heldout_rows", frame.len() as f64);
    }
}

impl Forecaster for RuleForecaster {
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
        super::online::check_sample(&self.schema, sample)?;
        self.take(sample.timestamp, &sample.values, |_, _| ());
        Ok(())
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<Forecast>> {
        if horizon == 0 || horizon > self.max_horizon() {
            return Err(Error::invalid_parameter(
                "horizon",
                format!("must be in 1–{}, was {horizon}", self.max_horizon()),
            ));
        }
        let (_, last, _) = grid::between(&self.grid, horizon);
        let direct: Option<Vec<Issued>> = (0..=last).map(|place| self.issue(place)).collect();
        let Some(direct) = direct else {
            let (needed, known) = (self.needed(), self.recent.len());
            return Err(Error::not_enough_data("samples since the last gap", needed, known));
        };
        let (least, greatest) = self.limits;
        let steps = (1..=horizon).map(|step| {
            let (a, b, t) = grid::between(&self.grid, step);
            // The rule tells each step's value; how far off it may be lies between its neighbours on the grid.
            let said = self.rule.value(&self.recent, step, self.interval);
            let value = if said.is_nan() { direct[a].current } else { said };
            let value = value.clamp(least, greatest);
            let mix = |of: fn(&Issued) -> f64| {
                let (low, high) = (of(&direct[a]), of(&direct[b]));
                if a == b { low } else { (1.0 - t) * low + t * high }
            };
            let lower = (value - mix(|i| i.value - i.lower)).clamp(least, value);
            let upper = (value + mix(|i| i.upper - i.value)).clamp(value, greatest);
            let interval = Interval::new(lower, upper, Probability::saturating(self.level));
            let mut forecast = Forecast::new(step, value, interval);
            let nearest = if t < 0.5 { a } else { b };
            forecast.coverage = self.lanes[nearest].conformal.coverage();
            forecast
        });
        Ok(steps.collect())
    }

    fn reset_lags(&mut self) {
        self.recent.clear();
        self.lanes.iter_mut().for_each(|lane| lane.pending.clear());
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
