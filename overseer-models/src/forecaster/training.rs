//! Fitting: which moments are learned from, the honest check on the newest of them, the final forest.

use super::analogues::Analogues;
use super::inputs::{WINDOW, append_inputs, width};
use super::online::is_gap;
use super::{ForestForecaster, Settings, grid, target};
use ndarray::ArrayView2;
use overseer_core::{Error, ForecastTarget, Frame, Result, Timestamp};

/// At most so many moments are learned from: the newest.
const MAX_MOMENTS: usize = 5_000;
/// The fewest moments to learn from and to check on, together.
const MIN_MOMENTS: usize = 28;

/// The fewest rows, without gaps, that [`fit`] takes.
pub(super) fn min_rows(lags: usize, horizon: usize) -> usize {
    horizon.saturating_mul(2).saturating_add(lags + 30)
}

/// A frame as a series of the target.
struct History<'a> {
    frame: &'a Frame,
    values: Vec<f64>,
    /// For each row the first row of its run without gaps and missing values; of a missing one the row behind it.
    starts: Vec<usize>,
}

impl<'a> History<'a> {
    fn new(frame: &'a Frame, target: ForecastTarget, interval_ms: i64) -> Self {
        let values: Vec<f64> = frame.rows().map(|(_, row)| target::value(target, row)).collect();
        let times = frame.timestamps();
        let mut starts = Vec::with_capacity(values.len());
        let mut start = 0;
        for (i, value) in values.iter().enumerate() {
            if i > 0 && is_gap(times[i - 1], times[i], interval_ms) {
                start = i;
            }
            if value.is_nan() {
                start = i + 1;
            }
            starts.push(start);
        }
        Self { frame, values, starts }
    }

    /// The newest rows with `lags` known values up to them and `horizon` known ones behind, nothing missing between.
    fn moments(&self, lags: usize, horizon: usize) -> Vec<usize> {
        let mut moments: Vec<usize> = (0..self.values.len().saturating_sub(horizon))
            .filter(|&t| {
                let start = self.starts[t];
                start <= t && t + 1 - start >= lags && self.starts[t + horizon] == start
            })
            .collect();
        moments.drain(..moments.len().saturating_sub(MAX_MOMENTS));
        moments
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
        for &t in moments {
            let from = self.starts[t].max((t + 1).saturating_sub(WINDOW));
            let row = self.frame.row(t);
            let recent = &self.values[from..=t];
            append_inputs(recent, settings.lags, others.iter().map(|&c| row[c]), &mut inputs);
        }
        let inputs = ArrayView2::from_shape((moments.len(), columns), &inputs)
            .map_err(|e| Error::other("shaping a forecaster's inputs", e))?;
        let current = moments.iter().map(|&t| self.values[t]).collect();
        let later =
            grid.iter().map(|&h| moments.iter().map(|&t| self.values[t + h]).collect()).collect();
        Analogues::grow(settings.trees, settings.seed, &inputs, current, later)
    }
}

/// The median of the positive time differences in milliseconds, 0 if there are none.
fn median_interval(times: &[Timestamp]) -> i64 {
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
    target::check(target, frame.schema())?;
    if horizon == 0 {
        return Err(Error::invalid_parameter("horizon", "must be at least 1"));
    }
    let interval_ms = median_interval(frame.timestamps());
    let history = History::new(frame, target, interval_ms);
    let known = history.values.iter().filter(|v| !v.is_nan()).count();
    if known < min_rows(settings.lags, horizon) {
        let needed = min_rows(settings.lags, horizon);
        return Err(Error::not_enough_data("rows with a known target", needed, known));
    }
    let moments = history.moments(settings.lags, horizon);
    let usable = moments.len().saturating_sub(horizon);
    if usable < MIN_MOMENTS {
        return Err(Error::not_enough_data(
            "rows with the lags before and the horizon behind them, free of gaps",
            horizon.saturating_add(MIN_MOMENTS),
            moments.len(),
        ));
    }
    let grid = grid::horizons(horizon);
    let others = target::others(target, frame.schema());
    let early = &moments[..usable - usable * 3 / 10];
    let analogues = history.analogues(settings, &others, &grid, early)?;
    let schema = frame.schema().clone();
    let mut forecaster =
        ForestForecaster::new(settings, schema, target, interval_ms, grid, analogues);

    // The early forest knows values up to here; what it predicts from here on is honest.
    let seen = early.last().map_or(0, |&t| t + horizon);
    let lags = (seen + 1).saturating_sub(WINDOW);
    for (time, row) in frame.rows().take(seen + 1).skip(lags) {
        forecaster.advance(time, row);
    }
    forecaster.look()?;
    forecaster.issue();
    let mut tally = Tally::default();
    for (time, row) in frame.rows().skip(seen + 1) {
        forecaster.take(time, row, |issued, truth| {
            tally.checks += 1;
            tally.hits += usize::from((issued.lower..=issued.upper).contains(&truth));
            tally.error += (truth - issued.raw.median).abs();
            tally.last_value_error += (truth - issued.current).abs();
        })?;
    }
    let analogues = history.analogues(settings, &forecaster.others, &forecaster.grid, &moments)?;
    forecaster.replace_analogues(analogues)?;
    describe(&mut forecaster, frame, &tally, frame.len() - 1 - seen);
    tracing::debug!(
        target = %forecaster.metadata.name,
        rows = frame.len(),
        moments = moments.len(),
        "forecaster fitted"
    );
    Ok(forecaster)
}

fn describe(forecaster: &mut ForestForecaster, frame: &Frame, tally: &Tally, held_out: usize) {
    let (times, interval_ms) = (frame.timestamps(), forecaster.interval_ms);
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
