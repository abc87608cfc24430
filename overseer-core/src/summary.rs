//! Means, minima, maxima and counts over equal lengths of time: what charts show and what long spans are learned from.

use crate::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which summaries to read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SummaryQuery {
    /// Only samples at or after this time.
    pub from: Timestamp,
    /// Only samples at or before this time.
    pub to: Timestamp,
    /// The length of time that each point summarises, above zero.
    pub resolution: Span,
    /// Only these features, in this order; empty for all of the schema.
    pub features: Vec<String>,
}

impl SummaryQuery {
    /// Every feature from `from` to `to`, a point for each `resolution`; one of zero is taken as a millisecond.
    #[must_use]
    pub fn new(from: Timestamp, to: Timestamp, resolution: Span) -> Self {
        let resolution = resolution.max(Span::from_millis(1));
        Self { from, to, resolution, features: Vec::new() }
    }

    /// The same range in at most `points` points, each of whole hours or minutes where it is longer than one, so that
    /// stored summaries can serve it. Fewer than two points are taken as two.
    #[must_use]
    pub fn in_points(from: Timestamp, to: Timestamp, points: usize) -> Self {
        // Points begin at multiples of their length, so one more than the quotient may be touched.
        let parts = i64::try_from(points.max(2) - 1).unwrap_or(i64::MAX);
        let length = to.since(from).as_millis();
        let exact = length.saturating_add(parts - 1) / parts;
        let unit = match exact {
            ..=60_000 => 1,
            60_001..=3_600_000 => 60_000,
            _ => 3_600_000,
        };
        let whole = exact.saturating_add(unit - 1) / unit * unit;
        Self::new(from, to, Span::from_millis(whole))
    }

    /// The same of these features only.
    #[must_use]
    pub fn of(mut self, features: Vec<String>) -> Self {
        self.features = features;
        self
    }
}

/// Samples summarised over equal lengths of time, oldest first. A point without any known value is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The features, in the order of the columns.
    pub features: Vec<String>,
    /// The length of time of each point.
    pub resolution: Span,
    /// When each point begins: a multiple of the resolution since 1970 UTC.
    pub starts: Vec<Timestamp>,
    /// One cell for each point and feature, point after point: `starts.len() * features.len()` of them.
    pub cells: Vec<SummaryCell>,
}

impl Summary {
    /// The cells of point `index`, in the order of the features.
    ///
    /// # Panics
    /// If there is no such point, as indexing a slice does.
    #[must_use]
    pub fn point(&self, index: usize) -> &[SummaryCell] {
        let d = self.features.len();
        &self.cells[index * d..(index + 1) * d]
    }

    /// How many points there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are no points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }
}

/// The known values of one feature over one length of time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SummaryCell {
    /// Their mean, NaN of none.
    #[serde(with = "crate::missing")]
    pub mean: f64,
    /// The smallest, NaN of none.
    #[serde(with = "crate::missing")]
    pub min: f64,
    /// The largest, NaN of none.
    #[serde(with = "crate::missing")]
    pub max: f64,
    /// How many there are.
    pub count: u64,
}

impl SummaryCell {
    /// Of no values.
    pub const EMPTY: Self = Self { mean: f64::NAN, min: f64::NAN, max: f64::NAN, count: 0 };

    /// Of values with this mean, range and number; of none if that is 0 or the mean is not known.
    #[must_use]
    pub fn new(mean: f64, min: f64, max: f64, count: u64) -> Self {
        if count == 0 || mean.is_nan() { Self::EMPTY } else { Self { mean, min, max, count } }
    }

    /// Of one value, or of none if it is missing.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Self::new(value, value, value, 1)
    }

    /// Takes the values of `other` in.
    pub fn merge(&mut self, other: Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            return;
        }
        let count = self.count.saturating_add(other.count);
        // The step from the mean so far does not overflow where the sum of all values would.
        self.mean += (other.mean - self.mean) * (other.count as f64 / count as f64);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count = count;
    }
}

impl PartialEq for SummaryCell {
    fn eq(&self, o: &Self) -> bool {
        let same = crate::missing::same;
        same(self.mean, o.mean)
            && same(self.min, o.min)
            && same(self.max, o.max)
            && self.count == o.count
    }
}

/// Puts samples, or finer summaries, into the points they belong to, in whatever order they come.
#[derive(Debug)]
pub struct SummaryBuilder {
    features: Vec<String>,
    resolution: Span,
    points: BTreeMap<i64, Vec<SummaryCell>>,
}

impl SummaryBuilder {
    /// Without any point yet; a resolution of zero is taken as a millisecond.
    #[must_use]
    pub fn new(features: Vec<String>, resolution: Span) -> Self {
        let resolution = resolution.max(Span::from_millis(1));
        Self { features, resolution, points: BTreeMap::new() }
    }

    /// Adds one row of cells, as many as there are features, of which the earliest value is of `at`.
    pub fn add(&mut self, at: Timestamp, row: impl IntoIterator<Item = SummaryCell>) {
        let millis = at.as_millis();
        let start = millis.saturating_sub(millis.rem_euclid(self.resolution.as_millis()));
        let features = self.features.len();
        let point = self.points.entry(start).or_insert_with(|| vec![SummaryCell::EMPTY; features]);
        for (cell, more) in point.iter_mut().zip(row) {
            cell.merge(more);
        }
    }

    /// The points that have a known value.
    #[must_use]
    pub fn build(self) -> Summary {
        let mut summary = Summary {
            features: self.features,
            resolution: self.resolution,
            starts: Vec::new(),
            cells: Vec::new(),
        };
        for (start, cells) in self.points {
            if cells.iter().any(|c| c.count > 0) {
                summary.starts.push(Timestamp::from_millis(start));
                summary.cells.extend(cells);
            }
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_few_enough_and_of_whole_minutes_or_hours() {
        let at = Timestamp::from_millis;
        for (length, points) in
            [(1_000, 500), (7_000_000, 500), (5_000_000_000, 500), (i64::MAX, 2)]
        {
            let q = SummaryQuery::in_points(at(123), at(length).max(at(123)), points);
            let ms = q.resolution.as_millis();
            assert!(ms >= 1);
            let touched = length / ms - 123 / ms + 1;
            assert!(touched as usize <= points, "{length}: {touched} points of {ms} ms");
            assert!(ms <= 60_000 || ms % 60_000 == 0, "{ms}");
            assert!(ms <= 3_600_000 || ms % 3_600_000 == 0, "{ms}");
        }
        assert_eq!(SummaryQuery::new(at(0), at(1), Span::default()).resolution.as_millis(), 1);
    }

    #[test]
    fn parts_merge_to_what_the_whole_gives_and_missing_counts_for_nothing() {
        let values = [3.0, f64::NAN, -1.0, 10.0, 0.0];
        let mut whole = SummaryCell::EMPTY;
        values.iter().for_each(|&v| whole.merge(SummaryCell::of(v)));
        assert_eq!(whole, SummaryCell::new(3.0, -1.0, 10.0, 4));
        let mut parts = SummaryCell::new(1.0, -1.0, 3.0, 2);
        parts.merge(SummaryCell::EMPTY);
        parts.merge(SummaryCell::new(5.0, 0.0, 10.0, 2));
        assert_eq!(parts, whole);
        let mut huge = SummaryCell::of(f64::MAX);
        huge.merge(SummaryCell::of(f64::MAX));
        assert_eq!(huge.mean, f64::MAX);
    }

    #[test]
    fn a_point_begins_at_a_multiple_of_its_length_also_before_1970() {
        let mut b = SummaryBuilder::new(vec!["a".into()], Span::from_millis(10));
        b.add(Timestamp::from_millis(-1), [SummaryCell::of(1.0)]);
        b.add(Timestamp::from_millis(25), [SummaryCell::of(f64::NAN)]);
        b.add(Timestamp::from_millis(i64::MIN), [SummaryCell::of(2.0)]);
        b.add(Timestamp::from_millis(-10), [SummaryCell::of(3.0)]);
        let s = b.build();
        assert_eq!(s.starts, [i64::MIN, -10].map(Timestamp::from_millis));
        assert_eq!(s.point(1), [SummaryCell::new(2.0, 1.0, 3.0, 2)]);
    }
}
