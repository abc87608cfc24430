//! What was seen of each feature over the shown span: from the store as far as it has it, and each newer tick.

use overseer_engine::core::{Span, Summary, Timestamp, host};
use overseer_engine::report::Current;
use serde::Serialize;

/// In how many points a span is read.
pub(super) const POINTS: usize = 300;
/// No more points than this are kept, however many ticks follow before the store is read again.
const MOST: usize = 4 * POINTS;
/// A pause of more than so many steps is a gap, and is shown as one.
const GAP: usize = 3;

/// A value over some length of time; NaN where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Point {
    /// When it begins, in milliseconds since 1970 UTC.
    pub(super) start: i64,
    /// How long it is, in milliseconds.
    pub(super) length: i64,
    pub(super) mean: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// The points of one feature, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Line {
    pub(super) feature: String,
    pub(super) points: Vec<Point>,
}

/// The points of each feature, and of the performance score.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Series {
    pub(super) score: Vec<Point>,
    pub(super) features: Vec<Line>,
}

impl Series {
    /// What the store gave replaces what it covers; newer ticks stay.
    pub(super) fn read(&mut self, summary: &Summary) {
        let length = summary.resolution.as_millis();
        let point = |start: Timestamp, mean, min, max| Point {
            start: start.as_millis(),
            length,
            mean,
            min,
            max,
        };
        let end = summary.starts.last().map_or(i64::MIN, |t| t.as_millis().saturating_add(length));
        let is_host = host::schema().features().iter().map(|f| &f.name).eq(&summary.features);
        let mut score = Vec::new();
        for (index, &start) in summary.starts.iter().enumerate().filter(|_| is_host) {
            let means: Vec<f64> = summary.point(index).iter().map(|c| c.mean).collect();
            let value = host::performance_score(&means).map_or(f64::NAN, |s| s.value);
            score.push(point(start, value, value, value));
        }
        newer(&mut score, &self.score, end);
        self.score = score;
        let mut features = Vec::new();
        for (column, feature) in summary.features.iter().enumerate() {
            let mut points: Vec<Point> = Vec::with_capacity(summary.len());
            for (index, &start) in summary.starts.iter().enumerate() {
                let cell = summary.point(index)[column];
                points.push(point(start, cell.mean, cell.min, cell.max));
            }
            newer(&mut points, self.of(feature), end);
            features.push(Line { feature: feature.clone(), points });
        }
        self.features = features;
    }

    /// Adds what a tick saw, a point as long as the step.
    pub(super) fn tick(&mut self, current: &Current, step: Span) {
        let start = current.timestamp.as_millis();
        let point = |v: f64| Point { start, length: step.as_millis(), mean: v, min: v, max: v };
        push(&mut self.score, point(current.performance_score));
        for value in &current.values {
            let name = &value.value.feature;
            let known = self.features.iter().position(|l| l.feature == *name);
            let index = known.unwrap_or_else(|| {
                self.features.push(Line { feature: name.clone(), points: Vec::new() });
                self.features.len() - 1
            });
            push(&mut self.features[index].points, point(value.value.value));
        }
    }

    /// The points of a feature; none if it is not known.
    pub(super) fn of(&self, feature: &str) -> &[Point] {
        let line = self.features.iter().find(|l| l.feature == feature);
        line.map_or(&[], |l| l.points.as_slice())
    }
}

fn push(points: &mut Vec<Point>, point: Point) {
    // The clock may have gone back; what was there stays until the store is read.
    if points.last().is_none_or(|last| last.start < point.start) {
        points.push(point);
    }
    let extra = points.len().saturating_sub(MOST);
    points.drain(..extra);
}

fn newer(points: &mut Vec<Point>, known: &[Point], end: i64) {
    let fresh = known.iter().filter(|p| p.start >= end).copied();
    points.extend(fresh);
    let extra = points.len().saturating_sub(MOST);
    points.drain(..extra);
}

/// The points in so many equal columns from one time to another: the mean, the smallest and the largest of each, `None`
/// where nothing is known. A point counts from when it begins until the next, but no longer than a few of its lengths.
pub(super) fn columns(
    points: &[Point],
    (from, to): (i64, i64),
    count: usize,
) -> Vec<Option<(f64, f64, f64)>> {
    let mut out = vec![None; count];
    let width = (to.saturating_sub(from)) as f64;
    if count == 0 || width <= 0.0 {
        return out;
    }
    let mut sums = vec![(0.0, 0_u32); count];
    for (index, p) in points.iter().enumerate().filter(|(_, p)| p.mean.is_finite()) {
        let longest = p.start.saturating_add(p.length.saturating_mul(GAP as i64));
        let end = points.get(index + 1).map_or(p.start.saturating_add(p.length), |n| n.start);
        let end = end.min(longest).max(p.start.saturating_add(1));
        if p.start > to || end <= from {
            continue;
        }
        let place = |t: i64| ((t.saturating_sub(from)) as f64 / width * count as f64).max(0.0);
        let first = place(p.start) as usize;
        let last = (place(end).ceil() as usize).max(first + 1).min(count);
        for column in first..last {
            let (sum, n) = &mut sums[column];
            (*sum, *n) = (*sum + p.mean, *n + 1);
            let (_, low, high) = out[column].unwrap_or((0.0, f64::INFINITY, f64::NEG_INFINITY));
            out[column] = Some((*sum / f64::from(*n), low.min(p.min), high.max(p.max)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(i64, f64)]) -> Vec<Point> {
        let one = |&(start, v): &(i64, f64)| Point { start, length: 10, mean: v, min: v, max: v };
        values.iter().map(one).collect()
    }

    fn means(points: &[Point], range: (i64, i64), count: usize) -> Vec<Option<f64>> {
        columns(points, range, count).into_iter().map(|c| c.map(|c| c.0)).collect()
    }

    #[test]
    fn a_gap_stays_empty_and_a_missing_value_is_no_zero() {
        let p = points(&[(0, 1.0), (10, 2.0), (60, f64::NAN), (70, 4.0)]);
        let seen = means(&p, (0, 80), 8);
        // The value of 10 holds for three of its lengths at most.
        let expected = [Some(1.0), Some(2.0), Some(2.0), Some(2.0), None, None, None, Some(4.0)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn columns_narrower_than_points_repeat_and_wider_ones_average() {
        let p = points(&[(0, 1.0), (10, 3.0)]);
        assert_eq!(means(&p, (0, 20), 4), [Some(1.0), Some(1.0), Some(3.0), Some(3.0)]);
        assert_eq!(columns(&p, (0, 20), 1), [Some((2.0, 1.0, 3.0))]);
        assert_eq!(means(&p, (100, 200), 2), [None, None]);
        assert!(columns(&p, (5, 5), 3).iter().all(Option::is_none));
        let wild = points(&[(i64::MIN, 1.0), (i64::MAX, 2.0)]);
        assert_eq!(columns(&wild, (0, 10), 2).len(), 2);
    }
}
