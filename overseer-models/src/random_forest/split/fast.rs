//! The fast way, by the number of targets.

use super::several::Several;
use super::single::Single;
use super::{Best, Finder, Judge, Part};
use crate::random_forest::bins::Bins;

/// How many bins a column of `u8` has, that of missing values included.
pub(super) const BINS: usize = 256;

/// Memory of the fast ways.
#[derive(Debug)]
pub(in crate::random_forest) enum Fast {
    Single(Single),
    Several(Several),
}

impl Fast {
    /// For rows of so many targets.
    pub(in crate::random_forest) fn new(width: usize) -> Self {
        if width == 1 { Self::Single(Single::new()) } else { Self::Several(Several::new(width)) }
    }
}

impl Finder<u8> for Fast {
    #[inline]
    fn look(
        &mut self,
        bins: &Bins<u8>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    ) {
        match self {
            Self::Single(single) => single.look(bins, part, judge, column, best),
            Self::Several(several) => several.look(bins, part, judge, column, best),
        }
    }

    #[inline]
    fn bound(&mut self, part: Part<'_>, judge: &Judge<'_>) -> f64 {
        match self {
            Self::Single(single) => single.bound(part, judge),
            Self::Several(several) => several.bound(part, judge),
        }
    }
}

/// The occupied bins of a histogram.
#[derive(Debug, Default)]
pub(super) struct Occupied([u64; BINS / 64]);

impl Occupied {
    /// Marks these bins.
    #[inline(always)]
    pub(super) fn fill(&mut self, bins: impl Iterator<Item = u8>) {
        for bin in bins {
            self.0[usize::from(bin) / 64] |= 1 << (bin % 64);
        }
    }

    /// Calls `each` with every occupied bin, ascending, and forgets them.
    #[inline(always)]
    pub(super) fn drain(&mut self, mut each: impl FnMut(u8)) {
        for (word, bits) in (0_u8..).zip(&mut self.0) {
            while *bits != 0 {
                each(word * 64 + bits.trailing_zeros() as u8);
                *bits &= *bits - 1;
            }
        }
    }
}
