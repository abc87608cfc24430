//! Which column and threshold split a node best: what a split is worth, and ways of finding the best one.

mod fast;
mod plain;
mod several;
mod single;

pub(super) use fast::Fast;
pub(super) use plain::Plain;

use super::bins::{Bins, Code};
use super::targets::{Packed, Targets};

/// A column's split counts as better than another column's only if it is by this share, so that rounding does not
/// decide between equal ones: of those the first that was looked at is kept.
const MARGIN: f64 = 1.0 + 1e-12;

/// The rows of a node.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Their numbers, ascending, each once.
    pub(super) rows: &'a [u32],
    /// Their targets, centred, times how often the bootstrap drew them, row after row.
    pub(super) values: &'a [Packed],
}

/// Where a split is: between two bins of a column that rows of the node are in, and that are neighbours there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) column: u32,
    /// The last bin on the left.
    pub(super) left: usize,
    /// The first bin on the right; none if all known values are on the left.
    pub(super) right: Option<usize>,
    pub(super) missing_left: bool,
}

/// The best split so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    /// By how much it reduces the squared error.
    pub(super) gain: f64,
    pub(super) place: Place,
}

impl Best {
    /// What every split that gains anything beats.
    pub(super) const NONE: Self =
        Self { gain: 0.0, place: Place { column: 0, left: 0, right: None, missing_left: false } };

    pub(super) fn is_some(&self) -> bool {
        self.gain > 0.0
    }

    /// Takes the best split of another column if it is better.
    #[inline(always)]
    fn take(&mut self, other: Self) {
        if other.gain > self.gain * MARGIN {
            *self = other;
        }
    }
}

/// Judges the splits of one node, of which the values are centred: they add up to nothing but rounding, and that is
/// taken off. So with a sum `L` on the left there is `-L` on the right, and a split gains `L² (1 / n_left + 1 / n_right)`.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    targets: &'a Targets,
    /// The node's number of rows, repetitions counted.
    count: i64,
    min_leaf: i64,
    /// What rounding left to each row of the node, on average, in each target.
    rest: Vec<f64>,
    /// One over each number of rows.
    reciprocals: Vec<f64>,
    sides: Vec<Side>,
}

/// What hangs on the number of rows on the left only.
#[derive(Debug, Clone, Copy)]
struct Side {
    /// The sum of one over the numbers on both sides; 0 if one of them is too small.
    reciprocals: f64,
    /// What rounding left to those rows in the first target.
    rest: f64,
}

impl<'a> Judge<'a> {
    pub(super) fn new(targets: &'a Targets, rows: usize, min_leaf: usize) -> Self {
        Self {
            targets,
            count: 0,
            // No node has more rows than there are.
            min_leaf: min_leaf.min(rows + 1) as i64,
            rest: vec![0.0; targets.width],
            reciprocals: (0..=rows).map(|n| 1.0 / n as f64).collect(),
            sides: Vec::with_capacity(rows + 1),
        }
    }

    /// Turns to a node of so many rows; says whether it is large enough to be split.
    pub(super) fn turn_to(&mut self, count: i64) -> bool {
        self.count = count;
        count >= 2 * self.min_leaf
    }

    /// Takes note of the node's values.
    pub(super) fn take_note(&mut self, part: Part<'_>) {
        for (target, rest) in self.rest.iter_mut().enumerate() {
            let values = part.values.iter().skip(target).step_by(self.targets.width);
            let sum: i64 = values.sum();
            let sum = if target == 0 { self.targets.sum(sum) } else { sum };
            *rest = sum as f64 / self.count as f64;
        }
        let (rest, min_leaf) = (self.rest[0], self.min_leaf);
        let pairs = self.reciprocals[..=self.count as usize].iter();
        self.sides.clear();
        self.sides.extend(pairs.clone().zip(pairs.rev()).zip(0..).map(|((left, right), n)| {
            let allowed = n >= min_leaf && self.count - n >= min_leaf;
            let reciprocals = if allowed { left + right } else { 0.0 };
            Side { reciprocals, rest: rest * n as f64 }
        }));
    }

    /// What these sums on the left gain; 0 if a side has too few rows.
    #[inline(always)]
    fn gain(&self, left: &[Packed]) -> f64 {
        let on_left = self.targets.count(left[0]);
        let side = self.sides[on_left as usize];
        let first = self.targets.sum(left[0]) as f64 - side.rest;
        let mut squares = first * first;
        for (&sum, &rest) in left.iter().zip(&self.rest).skip(1) {
            let sum = sum as f64 - rest * on_left as f64;
            squares += sum * sum;
        }
        squares * side.reciprocals
    }

    /// Takes the split with these sums on the left for the best of its column if it is better; `place` is told which way missing
    /// values go where none are missing.
    #[inline(always)]
    fn consider(&self, left: &[Packed], best: &mut Best, place: impl FnOnce(bool) -> Place) {
        let gain = self.gain(left);
        if gain > best.gain {
            // Where nothing is missing in a node, missing values go to its larger side.
            let on_left = self.targets.count(left[0]);
            *best = Best { gain, place: place(2 * on_left >= self.count) };
        }
    }

    /// Raises a bound to what these sums on the left would gain if sides of any size were allowed.
    fn raise(&self, left: &[Packed], bound: &mut f64) {
        let on_left = self.targets.count(left[0]);
        let reciprocals =
            self.reciprocals[on_left as usize] + self.reciprocals[(self.count - on_left) as usize];
        let mut squares = 0.0;
        for (target, (&sum, &rest)) in left.iter().zip(&self.rest).enumerate() {
            let sum = if target == 0 { self.targets.sum(sum) } else { sum };
            let sum = sum as f64 - rest * on_left as f64;
            squares += sum * sum;
        }
        *bound = bound.max(squares * reciprocals);
    }
}

/// A way of finding the best split of a node.
pub(super) trait Finder<C: Code> {
    /// Looks at a column, and keeps its best split in `best` if it is better.
    fn look(
        &mut self,
        bins: &Bins<C>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    );

    /// A gain that no split of these rows exceeds, where that is cheap to know: once it is reached, no further column
    /// need be looked at.
    fn bound(&mut self, _part: Part<'_>, _judge: &Judge<'_>) -> f64 {
        f64::INFINITY
    }
}

/// Whether nothing up to `bound` would count as better than `best`.
pub(super) fn is_over(best: &Best, bound: f64) -> bool {
    best.is_some() && bound <= best.gain * MARGIN
}
