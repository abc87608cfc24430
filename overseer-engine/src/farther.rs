//! Predictions farther ahead than samples reach: from the means that are kept by the minute and by the hour.
//!
//! A forecaster needs more than twice its horizon of rows in a row, and learns from at most
//! [`training_rows`](crate::Config::training_rows) of them: at a sample every five seconds that is no farther than some
//! hours. Whoever asks about tomorrow is answered by a forecaster of the same kind, fitted to that question alone on means
//! over a minute, ten minutes or an hour, for which the tiers hold days, months and years. It sees of the past what its
//! inputs are made of (the time of day, what came after moments like this one), only coarser.
//!
//! It says so: its range is about such means, which vary less than single samples do, and the score is that of what the
//! features came to on average.

use crate::engine::Engine;
use crate::prediction::report_steps;
use overseer_core::{
    Error, ForecastTarget, Frame, Prediction, Result, Span, SummaryQuery, Timestamp,
};

/// Over how long a time means may be, from fine to coarse.
const CELLS: [Span; 3] = [Span::from_secs(60), Span::from_secs(600), Span::from_secs(3600)];
/// A horizon of more cells is left to coarser ones.
const MOST_STEPS: usize = 300;
/// Means that ended longer ago than so many of them say nothing of now.
const FRESH: usize = 3;

impl Engine {
    /// Predictions from means, up to exactly `horizon`, at the times that a person is shown; none where the store keeps
    /// too little, or nothing fresh enough, for that.
    pub(crate) fn scores_by_means(&mut self, horizon: Span) -> Result<Option<Vec<Prediction>>> {
        let Some(newest) = self.newest().map(|s| s.timestamp) else { return Ok(None) };
        let wanted = horizon.as_millis();
        for cell in CELLS {
            let steps = horizon.steps(cell);
            // Exactly the horizon that was asked for, in whole cells.
            if steps == 0 || steps > MOST_STEPS || cell.times(steps).as_millis() != wanted {
                continue;
            }
            match self.by_means_over(cell, steps, newest) {
                Err(e) if e.is_not_enough_data() => {}
                answer => return answer.map(Some),
            }
        }
        Ok(None)
    }

    fn by_means_over(
        &mut self,
        cell: Span,
        steps: usize,
        newest: Timestamp,
    ) -> Result<Vec<Prediction>> {
        // The running cell is not over, so that the one which holds the end of the horizon is a step farther.
        let farthest = steps + 1;
        let trainer = &self.parts.forecaster_trainer;
        let needed = trainer.min_rows(farthest);
        let most = self.config.training_rows.max(needed).saturating_add(farthest);
        let rows = self.means(cell, newest, most)?;
        let what = || format!("a prediction {} ahead (means of {cell})", cell.times(steps));
        if rows.len() < needed {
            return Err(Error::not_enough_data(what(), needed, rows.len()));
        }
        let ends = rows.timestamps().last().map(|&start| start + cell);
        if ends.is_none_or(|end| newest.since(end) > cell.times(FRESH)) {
            return Err(Error::not_enough_data(what(), needed, 0));
        }
        let span = rows.timestamps().first().map_or(Span::default(), |&first| newest.since(first));
        let caveat = format!(
            "single samples do not reach so far, so this is about means of {cell}, learned from {span} of them"
        );
        let mut told = Vec::new();
        for ahead in report_steps(steps, cell) {
            // Between the horizons that it learns a forecaster draws a line, which cuts the top off any rhythm. So each
            // of these few has one that learned just it.
            let trainer = &self.parts.forecaster_trainer;
            let model = trainer.fit(&rows, ForecastTarget::PerformanceScore, ahead + 1)?;
            let path = model.forecast(ahead + 1)?;
            if let Some(f) = path.last() {
                let horizon = cell.times(ahead);
                told.push(self.finding(f.median, f.interval, f.coverage, horizon, Some(&caveat)));
            }
        }
        Ok(told)
    }

    /// The newest means over `cell` that are over, at most so many.
    fn means(&mut self, cell: Span, newest: Timestamp, most: usize) -> Result<Frame> {
        let mut rows = Frame::new(self.schema.clone());
        let Some(store) = &mut self.parts.store else { return Ok(rows) };
        let query = SummaryQuery::new(newest - cell.times(most), newest, cell);
        let summary = store.summary(&query)?;
        for (index, &start) in summary.starts.iter().enumerate() {
            if start + cell > newest {
                break;
            }
            let means: Vec<f64> = summary.point(index).iter().map(|c| c.mean).collect();
            rows.push_row(start, &means)?;
        }
        Ok(rows)
    }
}
