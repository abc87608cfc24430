//! Patterns in the newest samples, and in the last days, which alone can show a daily rhythm.

use crate::engine::Engine;
use crate::report::{Notice, Stage};
use overseer_core::{Frame, PatternAnalysis, PatternType, Result, SampleQuery, Span, Timestamp};

/// How far back the long look goes: far enough for a rhythm of a day to repeat itself often.
const LONG: Span = Span::from_secs(7 * 86_400);
/// The long look sees means over this time.
const CELL: Span = Span::from_secs(600);
/// The long look changes slowly.
const LONG_EVERY: Span = Span::from_secs(3600);
/// The store is read in pieces of this length, so that memory stays bounded.
const PIECE: Span = Span::from_secs(86_400);

impl Engine {
    /// Looks for patterns in the newest samples, and where there are days of them, in those.
    ///
    /// A feature has one analysis: the long one where that shows a rhythm or a direction, else the short one.
    ///
    /// # Errors
    /// If the history cannot be put into a frame.
    pub fn patterns(&mut self) -> Result<Vec<PatternAnalysis>> {
        self.timed(Stage::Patterns, |e| {
            let frame = e.training_frame(e.config.pattern_window)?;
            let recent = frame.slice(after_last_gap(&frame, e.active().interval()), usize::MAX);
            let mut found = e.parts.pattern_analyzer.analyze(&recent)?;
            for long in e.long_patterns()? {
                match found.iter_mut().find(|short| short.features == long.features) {
                    Some(short) => *short = long,
                    None => found.push(long),
                }
            }
            Ok(found)
        })
    }

    /// Makes new analyses for a tick or a report.
    pub(crate) fn refresh_patterns(&mut self, now: Timestamp) {
        match self.patterns() {
            Ok(found) => self.patterns = found,
            Err(e) => self.note(Notice::warning(Stage::Patterns, e.to_string())),
        }
        self.patterns_at = Some(now);
    }

    /// The rhythms and directions of the last days, looked for once an hour.
    fn long_patterns(&mut self) -> Result<Vec<PatternAnalysis>> {
        let Some(last) = self.history.last().map(|s| s.timestamp) else { return Ok(Vec::new()) };
        if let Some((at, found)) = &self.long_patterns
            && last >= *at
            && last.since(*at) < LONG_EVERY
        {
            return Ok(found.clone());
        }
        let frame = self.averaged(last)?;
        let longer = frame.timestamps().first().is_some_and(|&first| {
            last.since(first) > self.config.step.times(self.config.pattern_window)
        });
        let mut found =
            if longer { self.parts.pattern_analyzer.analyze(&frame)? } else { Vec::new() };
        found.retain(|p| matches!(p.pattern_type, PatternType::Periodic | PatternType::Trending));
        self.long_patterns = Some((last, found.clone()));
        Ok(found)
    }

    /// Means over [`CELL`] of the last days' samples at the step. Cells without any known value are left out.
    fn averaged(&mut self, last: Timestamp) -> Result<Frame> {
        let mut averaged = Frame::new(self.schema.clone());
        let step = self.config.step;
        let Some(store) = &mut self.parts.store else { return Ok(averaged) };
        let mut from = last - LONG;
        let mut cell = Cell::new(self.schema.len());
        while from <= last {
            let mut query = SampleQuery::latest(step, usize::MAX);
            query.from = from;
            query.to = (from + PIECE - Span::from_millis(1)).min(last);
            for (timestamp, row) in store.samples(&query)?.rows() {
                let start = timestamp.as_millis().div_euclid(CELL.as_millis()) * CELL.as_millis();
                if cell.start != Some(start) {
                    cell.finish(&mut averaged)?;
                    cell.start = Some(start);
                }
                cell.add(row);
            }
            from = from + PIECE;
        }
        cell.finish(&mut averaged)?;
        Ok(averaged)
    }
}

/// The row behind the last gap: a window with a hole in it has no rhythm or direction of its own.
fn after_last_gap(frame: &Frame, interval: Span) -> usize {
    let times = frame.timestamps();
    (1..times.len())
        .rev()
        .find(|&i| Timestamp::is_gap(times[i - 1], times[i], interval))
        .unwrap_or(0)
}

/// Sums of one cell's known values.
struct Cell {
    start: Option<i64>,
    sums: Vec<f64>,
    counts: Vec<u32>,
}

impl Cell {
    fn new(features: usize) -> Self {
        Self { start: None, sums: vec![0.0; features], counts: vec![0; features] }
    }

    fn add(&mut self, row: &[f64]) {
        for ((sum, count), &value) in self.sums.iter_mut().zip(&mut self.counts).zip(row) {
            if !value.is_nan() {
                *sum += value;
                *count += 1;
            }
        }
    }

    fn finish(&mut self, into: &mut Frame) -> Result<()> {
        if let Some(start) = self.start.take()
            && self.counts.iter().any(|&c| c > 0)
        {
            // Of no values the mean is NaN, which is how a missing value is written.
            let means: Vec<f64> =
                self.sums.iter().zip(&self.counts).map(|(s, &c)| s / f64::from(c)).collect();
            into.push_row(Timestamp::from_millis(start), &means)?;
        }
        self.sums.fill(0.0);
        self.counts.fill(0);
        Ok(())
    }
}
