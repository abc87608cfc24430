//! Models that say when something is full.

use crate::{Probability, Span, Timestamp};
use std::fmt;

/// What can be said of when something is full.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum FillOutlook {
    /// Too little was seen of it.
    Unknown {
        /// How long it was seen.
        seen: Span,
        /// How long it must be seen.
        needed: Span,
    },
    /// It is not expected to be full within this span, which is never longer than what was seen can speak for.
    Room {
        /// How far ahead that holds.
        within: Span,
    },
    /// It grows, and will be full.
    Filling(Filling),
}

/// When something that grows will be full, if it goes on as it did.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Filling {
    /// The lower bound: it is full sooner in half of what `level` leaves out.
    pub earliest: Span,
    /// As likely sooner as later; `None` if more likely after `horizon`.
    pub median: Option<Span>,
    /// The upper bound; `None` if it lies beyond `horizon`.
    pub latest: Option<Span>,
    /// The probability that the two bounds are meant to have.
    pub level: Probability,
    /// How far ahead was looked: never farther than how long it has grown can speak for.
    pub horizon: Span,
    /// The share of the futures drawn that are full within `horizon`.
    pub share: Probability,
    /// For how long it has been seen to grow.
    pub grown_for: Span,
    /// How fast it grows, as a share of what fits, an hour.
    pub per_hour: f64,
    /// Between which bounds that lies, with the probability `level`.
    pub per_hour_between: (f64, f64),
    /// How fast it grew lately, in the newest quarter or so of that time: what slows down may be about to end.
    pub lately_per_hour: f64,
}

impl Filling {
    /// Of something that is full already.
    #[must_use]
    pub fn full(level: Probability) -> Self {
        let now = Span::default();
        Self {
            earliest: now,
            median: Some(now),
            latest: Some(now),
            level,
            horizon: now,
            share: Probability::ONE,
            grown_for: now,
            per_hour: 0.0,
            per_hour_between: (0.0, 0.0),
            lately_per_hour: 0.0,
        }
    }

    /// Whether it is full already.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.latest == Some(Span::default())
    }
}

/// Says when something is full, from how full it was.
pub trait FillForecaster: Send + fmt::Debug {
    /// Looks ahead from the newest point of `history`: times and shares of what fits (1 is full), oldest first, as
    /// near or far from each other as they were kept; where a point is a mean, its time is the middle of what it is of.
    /// A point that is not finite, or not after the one before, takes no part.
    fn outlook(&self, history: &[(Timestamp, f64)]) -> FillOutlook;

    /// How long a history is of use; what is older changes nothing.
    fn memory(&self) -> Span;
}
