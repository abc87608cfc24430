//! Fitting: which moments are learned from, the honest check on the newest of them, the final forest.

use super::analogues::Analogues;
use super::inputs::{
    Outline, Scene, TIME_OF_DAY, TIME_OF_HOUR, WINDOW, append_inputs, newest, width,
};
use super::lane::Issued;
use super::steps::{MAX_MISSING, missing_at_end, passed};
use super::{ForestForecaster, Settings, grid, target};
use ndarray::ArrayView2;
use overseer_core::{Error, ForecastTarget, Frame, Result, Span, Timestamp};

/// The fewest moments to learn from and to check on, together.
const MIN_MOMENTS: usize = 28;

/// The fewest rows, without gaps and missing values, that [`fit`] takes.
pub(super) fn min_rows(lags: usize, horizon: usize) -> usize {
    horizon.saturating_mul(2).saturating_add(lags + 30)
}

/// A frame as a series of the target, step by step.
pub(super) struct History<'a> {
    frame: &'a Frame,
    /// The target at each step, NaN where missing.
    values: Vec<f64>,
    /// For each step the first one of its run without a gap; of one that no run goes through the step behind it.
    starts: Vec<usize>,
    /// The step of each row.
    step_of: Vec<usize>,
}

impl<'a> History<'a> {
    pub(super) fn new(frame: &'a Frame, target: ForecastTarget, interval: Span) -> Self {
        let rows = frame.len();
        let mut history = Self {
            frame,
            values: Vec::with_capacity(rows),
            starts: Vec::with_capacity(rows),
            step_of: Vec::with_capacity(rows),
        };
        let mut last = None;
        let mut start = 0;
        for (time, row) in frame.rows() {
            let passed = passed(last, time, interval);
            last = Some(time);
            if passed.is_none() {
                start = history.values.len();
            }
            for _ in 1..passed.unwrap_or(1) {
                history.push(f64::NAN, &mut start);
            }
            history.push(target::value(target, row), &mut start);
            history.step_of.push(history.values.len() - 1);
        }
        history
    }

    /// Appends a step to the run that began at `start`. A run begins with a known value, and ends with too many
    /// missing ones.
    fn push(&mut self, value: f64, start: &mut usize) {
        self.values.push(value);
        let run = self.values.get(*start..).unwrap_or_default();
        if value.is_nan() && (run.len() == 1 || missing_at_end(run) > MAX_MISSING) {
            *start = self.values.len();
        }
        self.starts.push(*start);
    }

    /// The newest rows with a known value, `lags` steps up to them, and known values behind them at every horizon of
    /// `grid`, with no gap between: at most so many and the horizon.
    fn moments(&self, lags: usize, grid: &[usize], most: usize) -> Vec<usize> {
        let horizon = grid.last().copied().unwrap_or(0);
        let mut moments: Vec<usize> = (0..self.step_of.len())
            .filter(|&row| {
                let t = self.step_of[row];
                self.has_lags(t, lags)
                    && self.starts.get(t + horizon) == Some(&self.starts[t])
                    && grid.iter().all(|&h| !self.values[t + h].is_nan())
            })
            .collect();
        // As many as the horizon are lost between what is learned from and what is checked on.
        moments.drain(..moments.len().saturating_sub(most.saturating_add(horizon)));
        moments
    }

    /// Whether the target is known at step `t`, and so many steps up to it are in its run.
    fn has_lags(&self, t: usize, lags: usize) -> bool {
        !self.values[t].is_nan() && t + 1 - self.starts[t] >= lags
    }

    /// Appends what the forest sees of a row to `out`; `scratch` is memory to work in.
    pub(super) fn append_inputs(
        &self,
        row: usize,
        lags: usize,
        others: &[usize],
        scratch: &mut Vec<f64>,
        out: &mut Vec<f64>,
    ) {
        let t = self.step_of[row];
        let recent = newest(&self.values[self.starts[t]..=t], WINDOW);
        let of = |row: usize| -> Vec<f64> {
            let values = self.frame.row(row);
            others.iter().map(|&c| values[c]).collect()
        };
        let scene = Scene {
            recent,
            time: self.frame.timestamps()[row],
            others: &of(row),
            before: &row.checked_sub(1).map(of).unwrap_or_default(),
            high: Outline::high_of(recent, scratch),
        };
        append_inputs(&scene, lags, out);
    }

    /// What the forest sees so many steps before the last one, if a moment can be there.
    fn inputs_back(&self, back: usize, lags: usize, others: &[usize]) -> Option<Vec<f64>> {
        let t = self.values.len().checked_sub(back + 1)?;
        let row = self.step_of.binary_search(&t).ok()?;
        if !self.has_lags(t, lags) {
            return None;
        }
        let mut inputs = Vec::new();
        self.append_inputs(row, lags, others, &mut Vec::new(), &mut inputs);
        Some(inputs)
    }

    /// A time of day that came but once, or a time of the hour that came but twice, says how old a moment is and not
    /// when something recurs: it is made the same for all, so that nothing splits on it.
    /// So are both where the forest is not to see them at all.
    fn hide_times(&self, seen: bool, moments: &[usize], columns: usize, inputs: &mut [f64]) {
        let times = self.frame.timestamps();
        let (Some(&first), Some(&last)) = (moments.first(), moments.last()) else { return };
        let spanned = times[last].since(times[first]);
        for (place, needed) in
            [(TIME_OF_DAY, Span::from_secs(2 * 86_400)), (TIME_OF_HOUR, Span::from_secs(3 * 3_600))]
        {
            if !seen || spanned < needed {
                inputs.iter_mut().skip(columns - place).step_by(columns).for_each(|v| *v = 0.0);
            }
        }
    }

    fn analogues(
        &self,
        settings: Settings,
        others: &[usize],
        grid: &[usize],
        moments: &[usize],
    ) -> Result<Analogues> {
        let columns = width(settings.lags, others.len());
        let mut inputs = Vec::with_capacity(moments.len() * columns);
        let mut scratch = Vec::new();
        for &row in moments {
            self.append_inputs(row, settings.lags, others, &mut scratch, &mut inputs);
        }
        self.hide_times(settings.clock, moments, columns, &mut inputs);
        let inputs = ArrayView2::from_shape((moments.len(), columns), &inputs)
            .map_err(|e| Error::other("shaping a forecaster's inputs", e))?;
        let value = |row: usize, ahead: usize| self.values[self.step_of[row] + ahead];
        let current = moments.iter().map(|&row| value(row, 0)).collect();
        let later =
            grid.iter().map(|&h| moments.iter().map(|&row| value(row, h)).collect()).collect();
        Analogues::grow(settings, &inputs, current, later)
    }
}

/// The median of the positive time differences in milliseconds, 0 if there are none.
pub(super) fn median_interval(times: &[Timestamp]) -> i64 {
    let mut steps: Vec<i64> = times
        .windows(2)
        .map(|w| w[1].as_millis().saturating_sub(w[0].as_millis()))
        .filter(|&step| step > 0)
        .collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(0)
}

/// How forecasts of rows not learned from fared.
#[derive(Default)]
struct Tally {
    checks: usize,
    hits: usize,
    error: f64,
    last_value_error: f64,
}

/// Learns on the first 70 % or so, checks and calibrates on the rest, learns again on all.
pub(super) fn fit(
    settings: Settings,
    frame: &Frame,
    target: ForecastTarget,
    horizon: usize,
) -> Result<ForestForecaster> {
    let interval = Span::from_millis(median_interval(frame.timestamps()));
    let history = History::new(frame, target, interval);
    let mut tally = Tally::default();
    let (mut forecaster, moments, held_out) =
        evaluate(settings, &history, target, horizon, interval, |issued, truth| {
            tally.checks += 1;
            tally.hits += usize::from((issued.lower..=issued.upper).contains(&truth));
            tally.error += (truth - issued.raw.median).abs();
            tally.last_value_error += (truth - issued.current).abs();
        })?;
    let others = forecaster.others.clone();
    let analogues = history.analogues(settings, &others, &forecaster.grid, &moments)?;
    forecaster
        .replace_analogues(analogues, |back| history.inputs_back(back, settings.lags, &others))?;
    describe(&mut forecaster, frame, &tally, held_out);
    tracing::debug!(
        target = %forecaster.metadata.name,
        rows = frame.len(),
        moments = moments.len(),
        "forecaster fitted"
    );
    Ok(forecaster)
}

/// Learns on the early moments and forecasts from each row behind them, with each truth learning to weigh and to widen;
/// `checked` hears of each forecast whose truth is known. Gives the forecaster as it is then, all moments, and how many
/// rows were held out.
pub(super) fn evaluate(
    settings: Settings,
    history: &History<'_>,
    target: ForecastTarget,
    horizon: usize,
    interval: Span,
    mut checked: impl FnMut(&Issued, f64),
) -> Result<(ForestForecaster, Vec<usize>, usize)> {
    let frame = history.frame;
    target::check(target, frame.schema())?;
    if horizon == 0 {
        return Err(Error::invalid_parameter("horizon", "must be at least 1"));
    }
    let known = history.values.iter().filter(|v| !v.is_nan()).count();
    let needed = min_rows(settings.lags, horizon);
    if known < needed {
        return Err(Error::not_enough_data("rows with a known target", needed, known));
    }
    let grid = grid::horizons(horizon);
    let moments = history.moments(settings.lags, &grid, settings.moments);
    let usable = moments.len().saturating_sub(horizon);
    if usable < MIN_MOMENTS {
        return Err(Error::not_enough_data(
            "learning a forecast: rows in a row, each with known values before it and as far behind it as is forecast",
            horizon.saturating_add(MIN_MOMENTS),
            moments.len(),
        ));
    }
    let others = settings.others(target, frame.schema());
    let early = &moments[..usable - usable * 3 / 10];
    let analogues = history.analogues(settings, &others, &grid, early)?;
    let schema = frame.schema().clone();
    let mut forecaster = ForestForecaster::new(settings, schema, target, interval, grid, analogues);

    // The early forest knows values up to this step; what it predicts from there on is honest.
    let seen = early.last().map_or(0, |&row| history.step_of[row] + horizon);
    let first_unseen = history.step_of.partition_point(|&t| t <= seen);
    let first_lag = history.step_of.partition_point(|&t| t + WINDOW <= seen);
    for (time, row) in frame.rows().take(first_unseen).skip(first_lag) {
        forecaster.advance(time, row);
    }
    forecaster.look()?;
    forecaster.issue();
    for (time, row) in frame.rows().skip(first_unseen) {
        forecaster.take(time, row, &mut checked)?;
    }
    Ok((forecaster, moments, frame.len() - first_unseen))
}

fn describe(forecaster: &mut ForestForecaster, frame: &Frame, tally: &Tally, held_out: usize) {
    let (times, interval_ms) = (frame.timestamps(), forecaster.interval.as_millis());
    let metadata = &mut forecaster.metadata;
    if let (Some(&first), Some(&last)) = (times.first(), times.last()) {
        metadata.trained_on = (first, last);
        metadata.trained_at = last;
    }
    metadata.rows = frame.len();
    metadata.interval_ms = interval_ms;
    metadata.schema_fingerprint = frame.schema().fingerprint();
    let per_check = |sum: f64| if tally.checks == 0 { f64::NAN } else { sum / tally.checks as f64 };
    let ratio = if tally.error == tally.last_value_error {
        1.0
    } else {
        tally.error / tally.last_value_error
    };
    metadata.set_quality("mae", per_check(tally.error));
    metadata.set_quality("mae_ratio_to_last_value", ratio);
    metadata.set_quality("interval_coverage", per_check(tally.hits as f64));
    metadata.set_quality("heldout_rows", held_out as f64);
}
