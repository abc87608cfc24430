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
        let pairs = Sums::of_pairs::<D>(before, after, level);

        let unpaired = before.len() % LANES;
        let others = before.iter().rev().zip(after).take(unpaired);
        let mut nearest = Sums::<1>::default();
        let mut distance = nearest_distance(n);
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

/// How many steps the innermost pair of `n` values is from their middle.
fn nearest_distance(n: usize) -> f64 {
    if n % 2 == 0 { 0.5 } else { 1.0 }
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
    fn of_pairs<const D: usize>(before: &[f64], after: &[f64], level: f64) -> Self {
        let mut sums = Self::default();
        let furthest = nearest_distance(before.len() + after.len()) + before.len() as f64 - 1.0;
        let mut distance = Lanes::from_fn(|lane| furthest - lane as f64);
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
