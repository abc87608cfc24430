//! One candidate on one fold: fitted to the rows before it, then let live through it.

use super::Candidate;
use super::plan::Plan;
use overseer_core::{
    Error, Forecast, ForecastTarget, Forecaster, Frame, Result, Sample, Span, Timestamp, host,
};

/// The levels at which bounds and median are scored, whatever level an interval states.
const LEVELS: [f64; 3] = [0.05, 0.5, 0.95];
/// The contest asks whether to go on once in so many rows.
const ASKED_EVERY: usize = 32;

/// A fold of a history.
#[derive(Debug)]
pub(super) struct Fold<'a> {
    pub(super) frame: &'a Frame,
    /// What is learned from: the rows that end before the fold.
    pub(super) train: Frame,
    /// Its first row.
    pub(super) start: usize,
    pub(super) interval: Span,
    pub(super) plan: &'a Plan,
    pub(super) targets: &'a [ForecastTarget],
    /// How large a stored model may be.
    pub(super) model_bytes: usize,
}

/// Losses of one candidate on one fold: for each origin, target after target and step after step; NaN where the truth
/// is missing.
pub(super) type Losses = Vec<Vec<f64>>;

/// How a trial went.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Losses),
    /// Why it failed.
    Failed(Error),
    /// Somebody said stop.
    Stopped,
}

impl<'a> Fold<'a> {
    /// The rows to forecast from. The first is so late that no truth that counts lies within the horizon of what was
    /// learned from, and the last so early that all its truths lie within the fold.
    pub(super) fn origins(&self) -> impl Iterator<Item = usize> + use<'a> {
        let first = self.start + self.plan.horizon - 1;
        let last = self.start + self.plan.fold_rows - 1 - self.plan.horizon;
        (first..=last).step_by(self.plan.stride)
    }

    /// Lets a candidate forecast the fold. Where it cannot answer for want of lags, as after a gap, what `instead` lost
    /// there counts.
    pub(super) fn trial(
        &self,
        candidate: &Candidate,
        instead: Option<&Losses>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Outcome {
        let cells = self.targets.len() * self.plan.steps.len();
        let mut losses = vec![vec![f64::NAN; cells]; self.origins().count()];
        for (place, &target) in self.targets.iter().enumerate() {
            if !go_on() {
                return Outcome::Stopped;
            }
            match self.live(candidate, target, place, &mut losses, instead, go_on) {
                Ok(true) => {}
                Ok(false) => return Outcome::Stopped,
                Err(e) => return Outcome::Failed(e),
            }
        }
        Outcome::Done(losses)
    }

    /// Fits the candidate to one target, and writes its losses down; says whether it came to the end.
    fn live(
        &self,
        candidate: &Candidate,
        target: ForecastTarget,
        place: usize,
        losses: &mut Losses,
        instead: Option<&Losses>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<bool> {
        let horizon = self.plan.horizon;
        let mut model = candidate.trainer().fit(&self.train, target, horizon)?;
        let bytes = model.to_bytes()?.len();
        if bytes > self.model_bytes {
            return Err(Error::unsupported(format!(
                "a model of {bytes} bytes where {} are allowed",
                self.model_bytes
            )));
        }
        let cells = place * self.plan.steps.len()..(place + 1) * self.plan.steps.len();
        let mut before = self.train.timestamps().last().copied();
        let mut origins = self.origins().enumerate().peekable();
        for row in self.start..self.start + self.plan.fold_rows {
            if row % ASKED_EVERY == 0 && !go_on() {
                return Ok(false);
            }
            let time = self.frame.timestamps()[row];
            if before.is_some_and(|before| Timestamp::is_gap(before, time, self.interval)) {
                model.reset_lags();
            }
            before = Some(time);
            model.observe(&Sample::new(time, self.frame.row(row).to_vec()))?;
            let Some((origin, _)) = origins.next_if(|(_, origin)| *origin == row) else { continue };
            let found = self.lost(&*model, target, row)?;
            let out = &mut losses[origin][cells.clone()];
            match (found, instead) {
                (Some(found), _) => out.copy_from_slice(&found),
                (None, Some(instead)) => out.copy_from_slice(&instead[origin][cells.clone()]),
                (None, None) => {}
            }
        }
        Ok(true)
    }

    /// What a forecast from `origin` loses at each step; nothing if there is none.
    fn lost(
        &self,
        model: &dyn Forecaster,
        target: ForecastTarget,
        origin: usize,
    ) -> Result<Option<Vec<f64>>> {
        let path = match model.forecast(self.plan.horizon) {
            Ok(path) => path,
            Err(e) if e.is_not_enough_data() => return Ok(None),
            Err(e) => return Err(e),
        };
        let at = |step: &usize| -> Result<f64> {
            let forecast = path.get(step - 1).filter(|f| f.step == *step).ok_or_else(|| {
                Error::invalid_value(format!("the forecast of step {step}"), "there is none")
            })?;
            let truth = value(target, self.frame.row(origin + step));
            loss(forecast, truth)
        };
        self.plan.steps.iter().map(at).collect::<Result<_>>().map(Some)
    }
}

/// Twice the mean pinball loss; NaN of a missing truth.
fn loss(forecast: &Forecast, truth: f64) -> Result<f64> {
    let said = [forecast.interval.lower, forecast.median, forecast.interval.upper];
    if said.iter().any(|v| !v.is_finite()) {
        let place = format!("the forecast of step {}", forecast.step);
        return Err(Error::invalid_value(place, format!("{said:?} are not all numbers")));
    }
    let pinball = |(q, x): (f64, f64)| (q * (truth - x)).max((q - 1.0) * (truth - x));
    Ok(LEVELS.into_iter().zip(said).map(pinball).sum::<f64>() * 2.0 / 3.0)
}

/// The target in a row; NaN where it is missing.
fn value(target: ForecastTarget, row: &[f64]) -> f64 {
    match target {
        ForecastTarget::PerformanceScore => {
            host::performance_score(row).map_or(f64::NAN, |score| score.value)
        }
        ForecastTarget::Column(column) => row.get(column).copied().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}
