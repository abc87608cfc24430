//! Sums of values times powers of time, in one pass.
//!
//! With time counted from the middle of the window, values as far before it as after it share their powers: the sum of
//! such a pair takes the even ones and their difference the odd ones, which halves the work.

use super::basis::TERMS;
use std::ops::{Add, Mul, Sub};

/// As many numbers as a register of every x86-64 or AArch64 machine holds; with more the sums would not fit registers.
const LANES: usize = 2;

/// The sums over a window of values above some level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    /// Times powers of time in steps from the middle of the window, beginning with the power 0.
    pub(super) sums: [f64; TERMS],
    /// Of their squares. Not finite if a value is not.
    pub(super) squares: f64,
}

impl Moments {
    /// The sums up to power `D`, which is at most 8.
    #[inline]
    pub(super) fn of<const D: usize>(values: &[f64], level: f64) -> Self {
        let n = values.len();
        let (before, rest) = values.split_at(n / 2);
        let (middle, after) = rest.split_at(n % 2);
        // How many steps the innermost pair is from the middle.
        let innermost = if n.is_multiple_of(2) { 0.5 } else { 1.0 };
        let pairs = Sums::of_pairs::<D>(before, after, innermost, level);

        let unpaired = before.len() % LANES;
        let others = before.iter().rev().zip(after).take(unpaired);
        let mut nearest = Sums::<1>::default();
        let mut distance = innermost;
        for (a, b) in others {
            nearest.add::<D>(Lanes([distance]), Lanes([*a]), Lanes([*b]), level);
            distance += 1.0;
        }
        let mut sums = [0.0; TERMS];
        for (power, sum) in sums.iter_mut().enumerate().take(D + 1) {
            *sum = pairs.powers[power].sum() + nearest.powers[power].sum();
        }
        let mut squares = 0.5 * (pairs.squares.sum() + nearest.squares.sum());
        if let [middle] = middle {
            let value = middle - level;
            sums[0] += value;
            squares += value * value;
        }
        Self { sums, squares }
    }
}

/// Sums over pairs of values.
#[derive(Clone, Copy)]
struct Sums<const L: usize> {
    powers: [Lanes<L>; TERMS],
    /// Of the pairs' sums and differences: twice that of the values.
    squares: Lanes<L>,
}

impl<const L: usize> Default for Sums<L> {
    fn default() -> Self {
        Self { powers: [Lanes([0.0; L]); TERMS], squares: Lanes([0.0; L]) }
    }
}

impl Sums<LANES> {
    /// Goes through both halves from their outer ends; pairs that do not fill the lanes are left out.
    ///
    /// It is a function of its own, never inlined, so that the sums leave it through memory lane beside lane. Where the
    /// compiler sees lanes added up, it keeps powers side by side instead and spends twice the instructions on shuffles.
    #[inline(never)]
    fn of_pairs<const D: usize>(before: &[f64], after: &[f64], innermost: f64, level: f64) -> Self {
        let mut sums = Self::default();
        let outermost = innermost + before.len() as f64 - 1.0;
        let mut distance = Lanes::from_fn(|lane| outermost - lane as f64);
        for (a, b) in before.chunks_exact(LANES).zip(after.rchunks_exact(LANES)) {
            let a = Lanes::from_fn(|lane| a[lane]);
            let b = Lanes::from_fn(|lane| b[LANES - 1 - lane]);
            sums.add::<D>(distance, a, b, level);
            distance = distance - Lanes([LANES as f64; LANES]);
        }
        sums
    }
}

impl<const L: usize> Sums<L> {
    /// Takes in values `distance` steps before and after the middle.
    #[inline(always)]
    fn add<const D: usize>(
        &mut self,
        distance: Lanes<L>,
        before: Lanes<L>,
        after: Lanes<L>,
        level: f64,
    ) {
        let squared = distance * distance;
        let mut even = (before + after) - Lanes([2.0 * level; L]);
        let mut odd = after - before;
        self.squares = self.squares + (even * even + odd * odd);
        odd = odd * distance;
        let mut power = 0;
        while power <= D {
            self.powers[power] = self.powers[power] + even;
            even = even * squared;
            if power < D {
                self.powers[power + 1] = self.powers[power + 1] + odd;
                odd = odd * squared;
            }
            power += 2;
        }
    }
}

/// Numbers that the compiler works on at once.
#[derive(Clone, Copy)]
struct Lanes<const L: usize>([f64; L]);

impl<const L: usize> Lanes<L> {
    #[inline(always)]
    fn from_fn(f: impl Fn(usize) -> f64) -> Self {
        Self(std::array::from_fn(f))
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        self.0.iter().sum()
    }
}

impl<const L: usize> Add for Lanes<L> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::from_fn(|lane| self.0[lane] + other.0[lane])
    }
}

impl<const L: usize> Sub for Lanes<L> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::from_fn(|lane| self.0[lane] - other.0[lane])
    }
}

impl<const L: usize> Mul for Lanes<L> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::from_fn(|lane| self.0[lane] * other.0[lane])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(values: &[f64], level: f64, power: i32) -> f64 {
        let middle = 0.5 * (values.len() as f64 - 1.0);
        values.iter().enumerate().map(|(i, v)| (v - level) * (i as f64 - middle).powi(power)).sum()
    }

    #[test]
    fn three_values_by_hand() {
        let moments = Moments::of::<2>(&[1.0, 4.0, 9.0], 1.0);
        // 0 + 3 + 8; -1 · 0 + 1 · 8; 0 + 8; 0 + 9 + 64.
        assert_eq!(moments.sums[..3], [11.0, 8.0, 8.0]);
        assert_eq!(moments.squares, 73.0);
    }

    #[test]
    fn a_value_that_is_not_finite_is_noticed_wherever_it_stands() {
        for n in 1..20 {
            for i in 0..n {
                for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    let mut values = vec![1.0; n];
                    values[i] = bad;
                    let squares = Moments::of::<3>(&values, 1.0).squares;
                    assert!(!squares.is_finite(), "{bad} at {i} of {n}: {squares}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn folded_sums_are_those_of_all_values_for_every_length(
            values in proptest::collection::vec(-10.0..10.0f64, 1..40), level in -10.0..10.0f64,
        ) {
            let all = Moments::of::<8>(&values, level);
            let few = Moments::of::<3>(&values, level);
            prop_assert_eq!(few.sums[..4].to_vec(), all.sums[..4].to_vec());
            prop_assert_eq!(few.sums[4..].to_vec(), vec![0.0; 5]);
            for (power, sum) in all.sums.iter().enumerate() {
                let meant = naive(&values, level, power as i32);
                // The largest term, of which some may cancel.
                let size = 1.0 + 20.0 * (0.5 * values.len() as f64).powi(power as i32);
                prop_assert!((sum - meant).abs() < 1e-13 * size * values.len() as f64, "{power}: {sum} {meant}");
            }
            let squares: f64 = values.iter().map(|v| (v - level).powi(2)).sum();
            prop_assert!((all.squares - squares).abs() < 1e-12 * (1.0 + squares));
        }
    }
}
