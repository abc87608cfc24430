//! What a store is asked, and what it says of itself.

use crate::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// What became of samples that were handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Appended {
    /// Newly stored.
    pub stored: usize,
    /// Of a time already stored at this interval; the stored one was kept.
    pub duplicates: usize,
    /// Without any known value; never stored.
    pub blank: usize,
    /// Of a minute whose samples were summarised and removed long ago: not stored, for they could not be told from
    /// those that its summary already counts.
    pub late: usize,
}

impl Appended {
    /// Counts of what became of samples.
    #[must_use]
    pub fn new(stored: usize, duplicates: usize, blank: usize) -> Self {
        Self { stored, duplicates, blank, late: 0 }
    }
}

/// Which samples to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SampleQuery {
    /// Only samples taken at this interval: the installation's step, or the fast one of a first run.
    pub interval: Span,
    /// Only samples at or after this time.
    pub from: Timestamp,
    /// Only samples at or before this time.
    pub to: Timestamp,
    /// Only the newest so many of those.
    pub limit: usize,
}

impl SampleQuery {
    /// The newest `limit` samples taken at `interval`.
    #[must_use]
    pub fn latest(interval: Span, limit: usize) -> Self {
        Self {
            interval,
            from: Timestamp::from_millis(i64::MIN),
            to: Timestamp::from_millis(i64::MAX),
            limit,
        }
    }
}

/// Which values of auxiliary series to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuxiliaryQuery {
    /// Only values at or after this time.
    pub from: Timestamp,
    /// Values as they were taken from this time on; before it the means of whole hours, at the middle of the hour.
    pub fine_from: Timestamp,
    /// Only values at or before this time.
    pub to: Timestamp,
}

impl AuxiliaryQuery {
    /// Hours from `from`, values as they were taken from `fine_from`, until `to`.
    #[must_use]
    pub fn new(from: Timestamp, fine_from: Timestamp, to: Timestamp) -> Self {
        Self { from, fine_from, to }
    }
}

/// What a store did to keep itself in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Maintenance {
    /// Minutes and hours that were summarised.
    pub summarised: usize,
    /// Rows that were older than is kept, and removed.
    pub expired: usize,
    /// What was removed although it was not older than is kept, because the store was larger than it may be.
    pub dropped: Vec<Dropped>,
    /// Free pages that were given back to the file system.
    pub pages_given_back: u64,
    /// Whether there is more to do: the next call goes on.
    pub behind: bool,
    /// Whether the store is larger than it may be and holds nothing more that may be removed.
    pub too_large: bool,
    /// Rows that are no longer what was stored, found by their checksum. They were left as they are.
    pub damaged: Vec<Damaged>,
    /// What else a person should know, in whole sentences: that a damaged store was moved aside, or is back.
    pub told: Vec<String>,
}

impl Maintenance {
    /// Adds what was dropped to what of its kind was dropped before.
    pub fn note_dropped(&mut self, more: Dropped) {
        match self.dropped.iter_mut().find(|d| d.what == more.what) {
            Some(known) => {
                known.rows += more.rows;
                known.before = known.before.max(more.before);
            }
            None => self.dropped.push(more),
        }
    }
}

/// Rows that were removed to keep a store small.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Rows of what, in the plural: `samples`, `minutes`, `predictions`.
    pub what: String,
    /// How many.
    pub rows: usize,
    /// All of them of before this time.
    pub before: Timestamp,
}

impl Dropped {
    /// Rows that were removed.
    pub fn new(what: impl Into<String>, rows: usize, before: Timestamp) -> Self {
        Self { what: what.into(), rows, before }
    }
}

/// A span of time whose stored rows are not those that were stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Damaged {
    /// Rows of what, in the plural: `samples`, `minutes`, `predictions`.
    pub what: String,
    /// The start of the span.
    pub from: Timestamp,
    /// The end of the span, the first moment that is not of it.
    pub to: Timestamp,
}

impl Damaged {
    /// Rows from `from` to before `to`.
    pub fn new(what: impl Into<String>, from: Timestamp, to: Timestamp) -> Self {
        Self { what: what.into(), from, to }
    }
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredCounts {
    /// Samples of any interval.
    pub samples: u64,
    /// Predictions.
    pub predictions: u64,
    /// Anomalies.
    pub anomalies: u64,
    /// Pattern analyses.
    pub patterns: u64,
    /// Models described.
    pub models: u64,
    /// First and last time of the samples.
    pub span: Option<(Timestamp, Timestamp)>,
}
