//! Patterns in the newest samples, and in the last days, which alone can show a daily rhythm.

use crate::digits::short_pattern;
use crate::engine::Engine;
use crate::report::{Notice, Stage};
use overseer_core::{Frame, PatternAnalysis, PatternType, Result, Span, SummaryQuery, Timestamp};

/// How far back the long look goes: far enough for a rhythm of a day to repeat itself often.
const LONG: Span = Span::from_secs(7 * 86_400);
/// The long look sees means over this time.
const CELL: Span = Span::from_secs(600);
/// The long look changes slowly.
const LONG_EVERY: Span = Span::from_secs(3600);

impl Engine {
    /// Looks for patterns in the newest samples, and where there are days of them, in those.
    ///
    /// A feature has one analysis: the long one where that shows a rhythm, a direction or a change, else the short one.
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
            Ok(found.into_iter().map(short_pattern).collect())
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

    /// The rhythms, directions and changes of the last days, looked for once an hour.
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
        found.retain(|p| {
            matches!(p.pattern_type, PatternType::Periodic | PatternType::Trending)
                || !p.change_points.is_empty()
        });
        self.long_patterns = Some((last, found.clone()));
        Ok(found)
    }

    /// Means over [`CELL`] of the last days' samples. Cells without any known value are left out.
    fn averaged(&mut self, last: Timestamp) -> Result<Frame> {
        let mut averaged = Frame::new(self.schema.clone());
        let Some(store) = &mut self.parts.store else { return Ok(averaged) };
        let summary = store.summary(&SummaryQuery::new(last - LONG, last, CELL))?;
        for (index, &start) in summary.starts.iter().enumerate() {
            let means: Vec<f64> = summary.point(index).iter().map(|cell| cell.mean).collect();
            averaged.push_row(start, &means)?;
        }
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
