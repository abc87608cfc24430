//! Forecasts from many origins of one recorded series, each from what was known there.

use overseer_core::{
    Error, Forecast, ForecastTarget, Forecaster, ForecasterTrainer, Frame, Interval, Probability,
    Result, Sample,
};

/// Rows that a refit learns from at most.
const KEPT_ROWS: usize = 6_000;
/// Values whose spread stands in where the forecaster has no lags.
const FALLBACK_WINDOW: usize = 288;

/// The forecast of one origin and step.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct BacktestRow {
    /// 0-based index of the last row known.
    pub origin: usize,
    /// How many rows ahead.
    pub step: usize,
    /// The forecast median; NaN if no value was known yet.
    pub median: f64,
    /// Lower bound of the 90 % interval.
    pub lower: f64,
    /// Upper bound of the 90 % interval.
    pub upper: f64,
}

/// A backtest of one column of a frame.
#[derive(Debug)]
pub struct Backtest<'a> {
    frame: &'a Frame,
    column: usize,
    train_rows: usize,
    horizon: usize,
}

impl<'a> Backtest<'a> {
    /// Forecasts `horizon` rows ahead after learning from the first `train_rows` rows.
    ///
    /// # Errors
    /// If there is no such column, the horizon or the number of training rows is zero, or there are fewer rows.
    pub fn new(frame: &'a Frame, column: usize, train_rows: usize, horizon: usize) -> Result<Self> {
        if column >= frame.schema().len() {
            return Err(Error::invalid_parameter("column", format!("there is no column {column}")));
        }
        if horizon == 0 {
            return Err(Error::invalid_parameter("horizon", "must be at least 1"));
        }
        if train_rows == 0 {
            return Err(Error::invalid_parameter("train_rows", "must be at least 1"));
        }
        if train_rows > frame.len() {
            return Err(Error::not_enough_data("the training rows", train_rows, frame.len()));
        }
        Ok(Self { frame, column, train_rows, horizon })
    }

    /// The origins `stride` rows apart, from the last training row to the last row.
    pub fn origins(&self, stride: usize) -> impl Iterator<Item = usize> + use<> {
        (self.train_rows - 1..self.frame.len()).step_by(stride.max(1))
    }

    /// Runs it, passing each forecast to `sink`. Origins must ascend; ones before the last training row are errors.
    ///
    /// # Errors
    /// If an origin is out of place, the training rows do not suffice, or the sink fails.
    pub fn run(
        &self,
        trainer: &dyn ForecasterTrainer,
        origins: impl IntoIterator<Item = usize>,
        mut sink: impl FnMut(BacktestRow) -> Result<()>,
    ) -> Result<()> {
        let mut seen = self.train_rows;
        let mut model = self.fit(trainer, seen)?;
        let mut next_fit = seen + next_gap(seen);
        let mut previous = None;
        for origin in origins {
            if origin >= self.frame.len()
                || origin + 1 < self.train_rows
                || previous >= Some(origin)
            {
                return Err(Error::invalid_value(
                    format!("origin {origin}"),
                    format!(
                        "origins must ascend within {}–{}",
                        self.train_rows - 1,
                        self.frame.len() - 1
                    ),
                ));
            }
            previous = Some(origin);
            while seen <= origin {
                let row = Sample::new(self.frame.timestamps()[seen], self.frame.row(seen).to_vec());
                model.observe(&row)?;
                seen += 1;
                if seen >= next_fit {
                    match self.fit(trainer, seen) {
                        Ok(newer) => model = newer,
                        // A stretch of missing values teaches nothing; what was learned before still holds.
                        Err(e) => tracing::debug!("no newer forecaster after {seen} rows: {e}"),
                    }
                    next_fit = seen + next_gap(seen);
                }
            }
            self.emit(model.as_ref(), origin, &mut sink)?;
        }
        Ok(())
    }

    fn fit(&self, trainer: &dyn ForecasterTrainer, rows: usize) -> Result<Box<dyn Forecaster>> {
        let known = self.frame.slice(rows.saturating_sub(KEPT_ROWS), rows);
        trainer.fit(&known, ForecastTarget::Column(self.column), self.horizon)
    }

    fn emit(
        &self,
        model: &dyn Forecaster,
        origin: usize,
        sink: &mut impl FnMut(BacktestRow) -> Result<()>,
    ) -> Result<()> {
        let path = match model.forecast(self.horizon) {
            Ok(path) => path,
            Err(e) if e.is_not_enough_data() => self.spread_of_the_past(origin),
            Err(e) => return Err(e),
        };
        for f in path {
            sink(BacktestRow {
                origin,
                step: f.step,
                median: f.median,
                lower: f.interval.lower,
                upper: f.interval.upper,
            })?;
        }
        Ok(())
    }

    /// After a gap there are no lags: the last known value, and the spread of the values before the origin.
    fn spread_of_the_past(&self, origin: usize) -> Vec<Forecast> {
        let from = (origin + 1).saturating_sub(FALLBACK_WINDOW);
        let mut known: Vec<f64> = (from..=origin)
            .map(|i| self.frame.row(i)[self.column])
            .filter(|v| !v.is_nan())
            .collect();
        let last = known.last().copied().unwrap_or(f64::NAN);
        known.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| {
            let position = (known.len().saturating_sub(1) as f64 * q).round() as usize;
            known.get(position).copied().unwrap_or(f64::NAN)
        };
        let interval =
            Interval::new(at(0.05).min(last), at(0.95).max(last), Probability::saturating(0.9));
        (1..=self.horizon).map(|step| Forecast::new(step, last, interval)).collect()
    }
}

/// Refits come when half as many rows again are known, but no less often than every thousand.
fn next_gap(rows: usize) -> usize {
    (rows / 2).clamp(200, 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Schema, Timestamp};

    #[test]
    fn what_is_asked_wrongly_is_told_as_it_is() {
        let mut frame = Frame::new(Schema::from_names(["a"]).unwrap());
        for i in 0..10 {
            frame.push_row(Timestamp::from_millis(1000 * i), &[0.5]).unwrap();
        }
        let error = |rows| Backtest::new(&frame, 0, rows, 1).unwrap_err().to_string();
        assert!(error(0).contains("train_rows") && error(0).contains("at least 1"), "{}", error(0));
        assert!(error(11).contains("11 needed, 10 found"), "{}", error(11));
    }
}
