//! Several targets: a bin of a histogram holds a sum for each.

use super::fast::{BINS, Occupied};
use super::{Best, Finder, Judge, Part, Place};
use crate::random_forest::bins::{Bins, Code};
use crate::random_forest::targets::Packed;

/// Memory of the search.
#[derive(Debug)]
pub(in crate::random_forest) struct Several {
    width: usize,
    /// Zero between searches, but for the bin of missing values.
    histogram: Vec<Packed>,
    occupied: Occupied,
    left: Vec<Packed>,
    with_missing: Vec<Packed>,
}

impl Several {
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            histogram: vec![0; BINS * width],
            occupied: Occupied::default(),
            left: vec![0; width],
            with_missing: vec![0; width],
        }
    }

    /// Gathers the rows by their bins.
    fn fill(&mut self, bins: &Bins<u8>, column: u32, part: Part<'_>) {
        let Self { width, histogram, occupied, .. } = self;
        let (codes, stride) = bins.codes(column, part.rows.len());
        let rows = part.rows.iter().zip(part.values.chunks_exact(*width));
        occupied.fill(rows.map(|(&row, values)| {
            let code = codes[row as usize * stride];
            add(&mut histogram[usize::from(code) * *width..][..*width], values);
            code
        }));
    }
}

#[inline(always)]
fn add(sums: &mut [Packed], values: &[Packed]) {
    sums.iter_mut().zip(values).for_each(|(s, v)| *s += v);
}

impl Finder<u8> for Several {
    fn look(
        &mut self,
        bins: &Bins<u8>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    ) {
        self.fill(bins, column, part);
        let Self { width, histogram, occupied, left, with_missing } = self;
        let width = *width;
        let last_bin = usize::from(u8::MISSING);
        let (known, missing) = histogram.split_at_mut(last_bin * width);
        let some_missing = missing[0] != 0;
        left.fill(0);
        let (mut last, mut own) = (None, Best::NONE);
        occupied.drain(|bin| {
            let bin = usize::from(bin);
            if bin == last_bin {
                return;
            }
            if let Some(last) = last {
                let place =
                    |missing_left| Place { column, left: last, right: Some(bin), missing_left };
                if some_missing {
                    judge.consider(left, &mut own, |_| place(false));
                    with_missing.copy_from_slice(left);
                    add(with_missing, missing);
                    judge.consider(with_missing, &mut own, |_| place(true));
                } else {
                    judge.consider(left, &mut own, place);
                }
            }
            let sums = &mut known[bin * width..][..width];
            add(left, sums);
            sums.fill(0);
            last = Some(bin);
        });
        if let (true, Some(last)) = (some_missing, last) {
            let place = Place { column, left: last, right: None, missing_left: false };
            judge.consider(left, &mut own, |_| place);
        }
        missing.fill(0);
        best.take(own);
    }

    /// Two rows can be parted in one way only.
    fn bound(&mut self, part: Part<'_>, judge: &Judge<'_>) -> f64 {
        if part.rows.len() > 2 {
            return f64::INFINITY;
        }
        let mut bound = 0.0;
        judge.raise(&part.values[..self.width], &mut bound);
        bound
    }
}
