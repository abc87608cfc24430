//! Where the rows of a replay come from: samples at the step, and before the first of them one-minute means.

use crate::offline::learner::GROWN;
use crate::training::{PAST, PAST_RESOLUTION};
use overseer_core::{
    Frame, Result, SampleQuery, Schema, Span, Store, Summary, SummaryQuery, Timestamp,
};

/// Rows that are read at once.
pub(super) const AT_ONCE: usize = 20_000;
const MINUTE: Span = Span::from_secs(60);
const HOUR_MS: i64 = 3_600_000;
/// Points that a look for the beginning of the history is made of.
const LOOK: usize = 2_000;

/// One stretch of history of equally spaced rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// Rows at or after this time.
    pub(super) from: Timestamp,
    /// Rows before this time.
    pub(super) to: Timestamp,
    /// The time between them.
    pub(super) interval: Span,
    /// Whether they are means of minutes in place of samples.
    pub(super) approximate: bool,
    /// Values that a minute holds at the step.
    per_minute: u64,
}

/// What there is of the time asked for: minutes first, then samples.
pub(super) fn spans(
    store: &mut dyn Store,
    step: Span,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Source>> {
    let sample = |from, to| Source { from, to, interval: step, approximate: false, per_minute: 0 };
    let end = until + Span::from_millis(1);
    let first_sample = store.counts()?.span.map_or(end, |(first, _)| first).max(since).min(end);
    let mut all = Vec::new();
    if first_sample > since && step <= MINUTE {
        let look = SummaryQuery::in_points(since, first_sample, LOOK);
        if let Some(&first) = store.summary(&look)?.starts.first() {
            let minutes = (60_000 / step.as_millis().max(1)).max(1).unsigned_abs();
            // The minute in which samples begin is theirs.
            let (from, to) = (first.max(since), floor_to_minute(first_sample));
            let span =
                Source { from, to, interval: MINUTE, approximate: true, per_minute: minutes };
            all.extend((from < to).then_some(span));
        }
    }
    all.extend((first_sample < end).then(|| sample(first_sample, end)));
    Ok(all)
}

fn floor_to_minute(at: Timestamp) -> Timestamp {
    let millis = at.as_millis();
    Timestamp::from_millis(millis.saturating_sub(millis.rem_euclid(60_000)))
}

/// The features that are stored.
pub(super) fn schema(store: &mut dyn Store, step: Span) -> Result<Schema> {
    Ok(store.samples(&SampleQuery::latest(step, 1))?.schema().clone())
}

impl Source {
    /// The rows from `from` to before `to`.
    pub(super) fn read(
        &self,
        store: &mut dyn Store,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Frame> {
        if self.approximate {
            return self.read_minutes(store, from, to);
        }
        let mut query = SampleQuery::latest(self.interval, usize::MAX);
        (query.from, query.to) = (from, to - Span::from_millis(1));
        store.samples(&query)
    }

    /// The newest rows before this source's first, as many as are learned from.
    pub(super) fn history(&self, store: &mut dyn Store) -> Result<Frame> {
        if self.approximate {
            let rows = self.read_minutes(store, self.from - MINUTE.times(GROWN), self.from)?;
            return Ok(rows);
        }
        let mut query = SampleQuery::latest(self.interval, GROWN);
        query.to = self.from - Span::from_millis(1);
        store.samples(&query)
    }

    /// What is known in less detail of the time before these rows.
    pub(super) fn past(&self, store: &mut dyn Store, rows: &Frame) -> Result<Option<Summary>> {
        let Some(&first) = rows.timestamps().first() else { return Ok(None) };
        // Summaries begin at whole minutes: that of the first row tells of it.
        let to = first - MINUTE;
        let past = store.summary(&SummaryQuery::new(to - PAST, to, PAST_RESOLUTION))?;
        Ok((!past.is_empty()).then_some(past))
    }

    /// A minute's mean is known when the minute is over, and is a row of that time.
    fn read_minutes(&self, store: &mut dyn Store, from: Timestamp, to: Timestamp) -> Result<Frame> {
        let schema = schema(store, self.interval)?;
        let (first, last) = (from - MINUTE, to - MINUTE - Span::from_millis(1));
        let summary = store.summary(&SummaryQuery::new(first, last, MINUTE))?;
        let mut rows = Frame::new(schema);
        let mut values = Vec::new();
        for (index, &start) in summary.starts.iter().enumerate() {
            // The minute in which the range begins is given whole; it belongs to the range before.
            let known = start + MINUTE;
            if known < from || known >= to || self.is_hour(&summary, index) {
                continue;
            }
            values.clear();
            values.extend(summary.point(index).iter().map(|cell| cell.mean));
            rows.push_row(known, &values)?;
        }
        Ok(rows)
    }

    /// Where minutes are gone, a summary gives hours in their place, which are no minutes.
    fn is_hour(&self, summary: &Summary, index: usize) -> bool {
        let start = summary.starts[index].as_millis();
        let next = summary.starts.get(index + 1).map_or(i64::MAX, |at| at.as_millis());
        start.rem_euclid(HOUR_MS) == 0
            && next.saturating_sub(start) >= HOUR_MS
            && summary.point(index).iter().any(|cell| cell.count > self.per_minute)
    }
}
