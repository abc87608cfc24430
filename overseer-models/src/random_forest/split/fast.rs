//! The fast way, by the number of targets.

use super::several::Several;
use super::single::Single;
use super::{Best, Finder, Judge, Part};
use crate::random_forest::bins::Bins;

/// How many bins a column of `u16` has, that of missing values included.
pub(super) const BINS: usize = 4096;
/// Up to so many rows, a histogram is read by looking for its occupied bins; beyond, most are.
pub(super) const SPARSE: usize = 512;

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

impl Finder<u16> for Fast {
    #[inline]
    fn look(
        &mut self,
        bins: &Bins<u16>,
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

/// The occupied bins of a histogram, in two levels: which words of the lower one have any.
#[derive(Debug)]
pub(super) struct Occupied {
    words: [u64; BINS / 64],
    upper: u64,
}

impl Occupied {
    pub(super) fn new() -> Self {
        Self { words: [0; BINS / 64], upper: 0 }
    }

    /// Marks these bins.
    #[inline(always)]
    pub(super) fn fill(&mut self, bins: impl Iterator<Item = u16>) {
        let mut upper = self.upper;
        for bin in bins {
            let word = usize::from(bin) / 64 % (BINS / 64);
            self.words[word] |= 1 << (bin % 64);
            upper |= 1 << word;
        }
        self.upper = upper;
    }

    /// Calls `each` with every occupied bin, ascending, and forgets them.
    #[inline(always)]
    pub(super) fn drain(&mut self, mut each: impl FnMut(usize)) {
        let mut upper = std::mem::take(&mut self.upper);
        while upper != 0 {
            let word = upper.trailing_zeros() as usize;
            upper &= upper - 1;
            let mut bits = std::mem::take(&mut self.words[word]);
            while bits != 0 {
                each(word * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }
}
