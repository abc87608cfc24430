//! The inner loops of growing: dividing the rows of a node by one number each, a value or a projection.
//!
//! Nothing branches on a number, since which side a row is on cannot be foreseen. A missing one (NaN) compares as
//! false.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// The least and the greatest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) low: f32,
    pub(super) high: f32,
}

impl Extent {
    /// Of no number: infinite and the wrong way round.
    pub(super) const NONE: Self = Self { low: f32::INFINITY, high: f32::NEG_INFINITY };

    /// Takes a known number in, which is one instruction for each end.
    #[inline(always)]
    pub(super) fn take_known(&mut self, number: f32) {
        self.low = if self.low < number { self.low } else { number };
        self.high = if self.high > number { self.high } else { number };
    }

    /// Takes a number in unless it is missing.
    #[inline(always)]
    pub(super) fn take(&mut self, number: f32) {
        self.low = if number < self.low { number } else { self.low };
        self.high = if number > self.high { number } else { self.high };
    }

    /// Whether the ends are so far apart that a split is worth it.
    pub(super) fn varies(self, min_span: f64) -> bool {
        self.low < self.high && f64::from(self.high) - f64::from(self.low) > min_span
    }
}

/// A threshold drawn evenly between two different ends, which leaves the low one below or at it and the high one above.
#[inline]
pub(super) fn draw_between(Extent { low, high }: Extent, rng: &mut Pcg64Mcg) -> f32 {
    let (from, to) = (f64::from(low), f64::from(high));
    let drawn = (from + rng.random::<f64>() * (to - from)) as f32;
    // Rounding may end on the upper edge.
    if drawn < high { drawn.max(low) } else { low }
}

/// Where the rows of a node went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Division {
    /// How many went left.
    pub(super) middle: usize,
    /// Whether those whose number is missing went right.
    pub(super) missing_right: bool,
}

/// Brings the rows with numbers up to the threshold to the front. Those that miss it go where most of the known ones
/// go, since what is not known should not set a row apart.
#[inline]
pub(super) fn divide(
    numbers: &[f32],
    rows: &mut [u32],
    threshold: f32,
    some_missing: bool,
) -> Division {
    let known_right = |v| v > threshold;
    if !some_missing {
        let middle = partition(numbers, rows, known_right);
        return Division { middle, missing_right: 2 * middle < rows.len() };
    }
    let right = count(numbers, known_right);
    let missing_right = 2 * right > numbers.len() - count(numbers, f32::is_nan);
    let goes_right = |v: f32| known_right(v) | (missing_right & v.is_nan());
    Division { middle: partition(numbers, rows, goes_right), missing_right }
}

#[inline]
fn count(numbers: &[f32], of: impl Fn(f32) -> bool) -> usize {
    numbers.iter().map(|&v| u32::from(of(v))).sum::<u32>() as usize
}

/// Brings the rows that do not go right to the front and says how many there are.
#[inline]
fn partition(numbers: &[f32], rows: &mut [u32], goes_right: impl Fn(f32) -> bool) -> usize {
    let numbers = &numbers[..rows.len()];
    // With a counter of its own the compiler sees that it stays within both.
    let (mut at, mut middle) = (0, 0);
    while at < rows.len() {
        rows.swap(at, middle);
        middle += usize::from(!goes_right(numbers[at]));
        at += 1;
    }
    middle
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    proptest! {
        #[test]
        fn a_division_leaves_known_rows_on_both_sides_and_loses_none(
            mut values in proptest::collection::vec(
                prop_oneof![3 => -4..4_i8, 1 => Just(i8::MIN)], 2..40),
            seed in any::<u64>(),
        ) {
            values[0] = -5;
            values[1] = 5;
            let values: Vec<f32> =
                values.iter().map(|&v| if v == i8::MIN { f32::NAN } else { f32::from(v) }).collect();
            let mut rows: Vec<u32> = (0..values.len() as u32).collect();
            let mut extent = Extent::NONE;
            values.iter().for_each(|&v| extent.take(v));
            prop_assert_eq!(extent, Extent { low: -5.0, high: 5.0 });
            let t = draw_between(extent, &mut Pcg64Mcg::seed_from_u64(seed));
            let Division { middle, missing_right } = divide(&values, &mut rows, t, true);
            let at = |side: &[u32]| -> Vec<f32> { side.iter().map(|&row| values[row as usize]).collect() };
            let (left, right) = (at(&rows[..middle]), at(&rows[middle..]));
            prop_assert!(left.contains(&-5.0) && right.contains(&5.0));
            prop_assert!(left.iter().all(|&v| v <= t || (v.is_nan() && !missing_right)));
            prop_assert!(right.iter().all(|&v| v > t || (v.is_nan() && missing_right)));
            let known = |side: &[f32]| side.iter().filter(|v| !v.is_nan()).count();
            prop_assert_eq!(missing_right, known(&right) > known(&left));
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..values.len() as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn between_two_neighbours_there_is_a_threshold() {
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let above = 1.0_f32.next_up();
        for (low, high) in
            [(1.0, above), (-above, -1.0), (0.0, f32::MIN_POSITIVE), (-f32::MAX, f32::MAX)]
        {
            for _ in 0..20 {
                let t = draw_between(Extent { low, high }, &mut rng);
                assert!(low <= t && t < high, "{low} {t} {high}");
            }
        }
    }
}
