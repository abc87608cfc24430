//! The newest samples in memory, bounded, of one interval.

use overseer_core::{Frame, Result, Sample, Schema, Span, Timestamp};
use std::collections::VecDeque;

/// Newest samples, oldest first, never more than its capacity.
#[derive(Debug, Clone)]
pub(crate) struct History {
    capacity: usize,
    interval: Span,
    samples: VecDeque<Sample>,
}

impl History {
    pub(crate) fn new(capacity: usize, interval: Span) -> Self {
        Self { capacity, interval, samples: VecDeque::new() }
    }

    /// The time between these samples when none is missing.
    pub(crate) fn interval(&self) -> Span {
        self.interval
    }

    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(crate) fn last(&self) -> Option<&Sample> {
        self.samples.back()
    }

    /// Keeps the sample if it is later than all kept; says whether a gap lies before it.
    pub(crate) fn push(&mut self, sample: Sample) -> Pushed {
        let gap = match self.last() {
            Some(last) if sample.timestamp <= last.timestamp => return Pushed::NotLater,
            Some(last) => Timestamp::is_gap(last.timestamp, sample.timestamp, self.interval),
            None => false,
        };
        if self.samples.len() == self.capacity {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
        if gap { Pushed::AfterGap } else { Pushed::InSequence }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Sample> {
        self.samples.iter()
    }

    /// The newest `n` samples as a frame.
    pub(crate) fn frame(&self, schema: &Schema, n: usize) -> Result<Frame> {
        Frame::from_samples(schema.clone(), self.iter().skip(self.len().saturating_sub(n)))
    }
}

/// What became of a pushed sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    InSequence,
    AfterGap,
    NotLater,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_ordered_and_notices_gaps() {
        let mut h = History::new(3, Span::from_secs(1));
        let s = |t: i64| Sample::new(Timestamp::from_millis(t), vec![t as f64]);
        assert_eq!(h.push(s(0)), Pushed::InSequence);
        assert_eq!(h.push(s(3000)), Pushed::InSequence);
        assert_eq!(h.push(s(6001)), Pushed::AfterGap);
        assert_eq!(h.push(s(6001)), Pushed::NotLater);
        h.push(s(7000));
        assert_eq!(h.iter().map(|s| s.values[0]).collect::<Vec<_>>(), [3000.0, 6001.0, 7000.0]);
    }
}
