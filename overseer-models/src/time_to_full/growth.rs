//! Whether something grew over a window, all along, still, and unlike what ended by itself before.

use super::{AHEAD, DAY, HOUR};
use crate::stats;

/// A span of the newest history, cut into equal parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Seconds.
    pub(super) length: i64,
    parts: usize,
    /// So many times its length is the farthest that it speaks for.
    pub(super) ahead: i64,
}

impl Window {
    /// The longest first. Of those of days most have parts of whole days, which a daily rhythm cannot tilt.
    pub(super) const ALL: [Self; 12] = [
        Self { length: 32 * DAY, parts: 8, ahead: AHEAD },
        Self { length: 16 * DAY, parts: 8, ahead: AHEAD },
        Self { length: 8 * DAY, parts: 8, ahead: AHEAD },
        Self { length: 6 * DAY, parts: 6, ahead: AHEAD },
        Self { length: 4 * DAY, parts: 4, ahead: AHEAD },
        Self { length: 2 * DAY, parts: 8, ahead: AHEAD },
        Self { length: DAY, parts: 8, ahead: AHEAD },
        Self { length: 16 * HOUR, parts: 8, ahead: AHEAD },
        Self { length: 8 * HOUR, parts: 8, ahead: 2 },
        Self { length: 4 * HOUR, parts: 8, ahead: 2 },
        Self { length: 2 * HOUR, parts: 8, ahead: 1 },
        Self { length: HOUR, parts: 8, ahead: 1 },
    ];

    fn part(self) -> f64 {
        self.length as f64 / self.parts as f64
    }
}

/// The mean step must be so many times its own standard error.
const CLEAR: f64 = 4.0;
/// The newest two steps may be so much slower or faster than all of them.
const EVEN: (f64, f64) = (0.5, 2.0);
/// A rise of so much of this one's height was one like it.
const ALIKE: f64 = 0.8;
/// So many rises alike that ended by themselves make this one another of them.
const ENDED: usize = 2;

/// Into so many cells a part is cut for its shape: hours, of a day.
pub(super) const CELLS: usize = 24;

/// What a window that grew is continued with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Growth {
    /// The level now, as the median of a part that began half a part ago would have it.
    pub(super) level: f64,
    /// From each part's median to the next.
    pub(super) steps: Vec<f64>,
    /// How far each part rose above the line through its median, from its beginning to its end.
    pub(super) shapes: Vec<[f64; CELLS]>,
    /// The length of a part in seconds.
    pub(super) part: f64,
}

impl Growth {
    /// `None` if the newest `window` did not grow, or not in a way that may be continued. `points` are times (seconds,
    /// the newest 0) and values, oldest first.
    pub(super) fn of(points: &[(f64, f64)], window: Window) -> Option<Self> {
        let (n, part) = (window.parts, window.part());
        let medians = medians(points, part, n)?;
        let steps: Vec<f64> = medians.windows(2).map(|m| m[1] - m[0]).collect();
        let rising = steps.iter().filter(|s| **s > 0.0).count();
        let (mean, variance, _) = stats::mean_and_variance(steps.iter().copied());
        let error = (variance / steps.len() as f64).sqrt();
        let newest = 0.5 * (steps[n - 2] + steps[n - 3]);
        let is_even = (EVEN.0 * mean..=EVEN.1 * mean).contains(&newest);
        // Of few steps none may lead down.
        let enough = if n >= 8 { n - 2 } else { n - 1 };
        if rising < enough || mean <= CLEAR * error || !is_even {
            return None;
        }
        let start = points.partition_point(|p| p.0 < -(window.length as f64));
        let newest = points.len().saturating_sub(3).max(start);
        let lowest = points[start..newest].iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        // What was cleaned up just now does not grow any more.
        if stats::median(points[newest..].iter().map(|p| p.1)) < lowest {
            return None;
        }
        if ended_alike(points, part, medians[n - 1] - medians[0]) >= ENDED {
            return None;
        }
        let rate = mean / part;
        let (shapes, offset) = shapes(&points[start..], &medians, part, rate);
        if offset < -0.5 * (medians[n - 1] - medians[0]) {
            return None; // Half of it is gone again.
        }
        Some(Self { level: medians[n - 1] + 0.5 * mean + offset, steps, shapes, part })
    }

    /// Growth a second.
    pub(super) fn rate(&self) -> f64 {
        stats::mean_and_variance(self.steps.iter().copied()).0 / self.part
    }

    /// Growth a second over the newest two steps.
    pub(super) fn newest_rate(&self) -> f64 {
        let n = self.steps.len();
        0.5 * (self.steps[n - 1] + self.steps[n - 2]) / self.part
    }

    /// Between which bounds the rate lies, in four of five cases: Student's interval of the mean step. Noise of the
    /// medians makes neighbouring steps differ the more, and the interval rather too wide than too narrow.
    pub(super) fn rate_between(&self) -> (f64, f64) {
        let (mean, variance, n) = stats::mean_and_variance(self.steps.iter().copied());
        let off = student_90(n.saturating_sub(1)) * (variance / n as f64).sqrt();
        ((mean - off) / self.part, (mean + off) / self.part)
    }
}

/// The value that Student's t of so many degrees of freedom is below in nine of ten cases, from the usual tables.
fn student_90(degrees: usize) -> f64 {
    const T: [f64; 9] = [3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383];
    T[degrees.clamp(1, T.len()) - 1]
}

/// The shape of each part, and how much higher or lower than the ends of parts usually do the newest one ends: a walk
/// goes on from where it is, and a rhythm from where it will be.
///
/// Parts of whole days begin at this time of day, and so will the future's.
fn shapes(
    points: &[(f64, f64)],
    medians: &[f64],
    part: f64,
    rate: f64,
) -> (Vec<[f64; CELLS]>, f64) {
    let n = medians.len();
    let mut shapes = vec![[f64::NEG_INFINITY; CELLS]; n];
    let mut ends = vec![Vec::new(); n];
    let end = (END * part).min(HOUR as f64);
    for &(t, x) in points {
        let into = (t / part + n as f64).max(0.0);
        let k = (into as usize).min(n - 1);
        let within = into - k as f64;
        let above = x - (medians[k] + rate * part * (within - 0.5));
        let cell = &mut shapes[k][((within * CELLS as f64) as usize).min(CELLS - 1)];
        *cell = cell.max(above);
        if (1.0 - within) * part <= end {
            ends[k].push(above);
        }
    }
    let ends: Vec<f64> = ends.into_iter().map(stats::median).collect();
    let offset = ends[n - 1] - stats::median(ends.iter().copied());
    (shapes, if offset.is_finite() { offset } else { 0.0 })
}

/// The share of a part that is its end, of long ones the last hour.
const END: f64 = 0.125;

/// The median of each of the newest `n` parts, oldest first; `None` if one of them has no point.
fn medians(points: &[(f64, f64)], part: f64, n: usize) -> Option<Vec<f64>> {
    let mut found = Vec::with_capacity(n);
    let mut from = points.partition_point(|p| p.0 < -part * n as f64);
    if from == 0 && points.first().is_none_or(|p| p.0 > -part * (n as f64 - 0.5)) {
        return None; // Half a part at least, so that its median is of its middle.
    }
    let mut values = Vec::new();
    for k in 1..=n {
        let end = -part * (n - k) as f64;
        let to = if k == n { points.len() } else { points.partition_point(|p| p.0 < end) };
        values.clear();
        values.extend(points[from..to].iter().map(|p| p.1));
        if values.is_empty() {
            return None;
        }
        let middle = values.len() / 2;
        let (_, &mut median, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
        found.push(median);
        from = to;
    }
    Some(found)
}

/// How many rises about as high as `height` fell back by half of it or more, anywhere in the history, seen as medians
/// of parts: what is shorter than half a part is not seen at all.
fn ended_alike(points: &[(f64, f64)], part: f64, height: f64) -> usize {
    let (mut ended, mut counted) = (0, false);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut see = |x: f64| {
        if x >= high {
            high = x;
        }
        if high - low >= ALIKE * height && high - x >= 0.5 * height && !counted {
            ended += 1;
            counted = true;
        }
        if counted || x < low {
            (low, high, counted) = (x, x, false);
        }
    };
    let mut values = Vec::new();
    let mut cell = f64::NEG_INFINITY;
    for &(t, x) in points {
        let of = (t / part).floor();
        if of > cell {
            if !values.is_empty() {
                see(stats::median(values.drain(..)));
            }
            cell = of;
        }
        values.push(x);
    }
    if !values.is_empty() {
        see(stats::median(values));
    }
    ended
}
