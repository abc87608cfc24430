//! One target: a row's target and weight are one number, and so is a bin of a histogram.

use super::fast::{BINS, Occupied, SPARSE};
use super::{Best, Finder, Judge, MARGIN, Part, Place, Side};
use crate::random_forest::bins::{Bins, Code};
use crate::random_forest::targets::Packed;

/// For nodes of up to so many rows the best split that any column could have is found beforehand.
const FEW: usize = 8;

/// Memory of the search.
#[derive(Debug)]
pub(in crate::random_forest) struct Single {
    /// Zero between searches.
    histogram: Box<[Packed; BINS]>,
    /// A second one, so that neighbouring rows of equal bins need not wait for one another.
    other: Box<[Packed; BINS]>,
    occupied: Occupied,
}

impl Single {
    pub(super) fn new() -> Self {
        Self {
            histogram: Box::new([0; BINS]),
            other: Box::new([0; BINS]),
            occupied: Occupied::new(),
        }
    }
}

/// The splits of one column, tried from left to right. What every one of them asks for is copied here.
struct Sweep<'a> {
    mask: i64,
    bits: u32,
    sides: &'a [Side],
    column: u32,
    /// The sum of missing values; 0 if there are none.
    missing: Packed,
    left: Packed,
    last: usize,
    /// What a split must gain to be better.
    floor: f64,
}

impl<'a> Sweep<'a> {
    fn new(judge: &'a Judge<'_>, column: u32, missing: Packed, best: &Best) -> Self {
        let floor = best.gain * MARGIN;
        let (mask, bits) = judge.targets.packing();
        Self { mask, bits, sides: &judge.sides, column, missing, left: 0, last: 0, floor }
    }

    /// Tries the place before this occupied bin, then adds it to the left side.
    #[inline(always)]
    fn bin(&mut self, bin: usize, sum: Packed, best: &mut Best) {
        if self.left != 0 {
            self.consider(self.left, Some(bin), false, best);
            if self.missing != 0 {
                self.consider(self.left + self.missing, Some(bin), true, best);
            }
        }
        self.left += sum;
        self.last = bin;
    }

    /// Tries known values against missing ones.
    #[inline(always)]
    fn end(mut self, best: &mut Best) {
        if self.missing != 0 && self.left != 0 {
            self.consider(self.left, None, false, best);
        }
    }

    #[inline(always)]
    fn consider(
        &mut self,
        left: Packed,
        right: Option<usize>,
        missing_left: bool,
        best: &mut Best,
    ) {
        let on_left = left & self.mask;
        let side = self.sides[on_left as usize];
        let sum = (left >> self.bits) as f64 - side.rest;
        let gain = sum * sum * side.reciprocals;
        if gain > self.floor {
            self.floor = gain * MARGIN;
            // Where nothing is missing in a node, missing values go to its larger side.
            let larger = 2 * on_left as usize + 1 >= self.sides.len();
            let missing_left = if self.missing == 0 { larger } else { missing_left };
            let place = Place { column: self.column, left: self.last, right, missing_left };
            *best = Best { gain, place };
        }
    }
}

impl Finder<u16> for Single {
    #[inline]
    fn look(
        &mut self,
        bins: &Bins<u16>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    ) {
        match part.rows.len() {
            0..=8 => few::<8>(bins, part, judge, column, best),
            9..=16 => few::<16>(bins, part, judge, column, best),
            17..=32 => few::<32>(bins, part, judge, column, best),
            33..=64 => few::<64>(bins, part, judge, column, best),
            65..=SPARSE => self.sparse(bins, part, judge, column, best),
            _ => self.dense(bins, part, judge, column, best),
        }
    }

    /// The best split of the rows in the order of their targets, which no order of a column can beat (W. D. Fisher,
    /// *On Grouping for Maximum Homogeneity*, JASA 53, 1958).
    fn bound(&mut self, part: Part<'_>, judge: &Judge<'_>) -> f64 {
        let n = part.rows.len();
        if n > FEW {
            return f64::INFINITY;
        }
        let mut order = [(0_i64, 0_i64); FEW];
        let order = &mut order[..n];
        for ((place, &row), &value) in order.iter_mut().zip(part.rows).zip(part.values) {
            *place = (judge.targets.row(row)[0], value);
        }
        insertion_sort(order);
        let (mut bound, mut left) = (0.0, 0);
        for &(_, value) in &order[..n - 1] {
            left += value;
            judge.raise(&[left], &mut bound);
        }
        bound
    }
}

impl Single {
    fn sparse(
        &mut self,
        bins: &Bins<u16>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    ) {
        let Self { histogram, occupied, .. } = self;
        let (codes, stride) = bins.codes(column, part.rows.len());
        occupied.fill(part.rows.iter().zip(part.values).map(|(&row, &value)| {
            let code = codes[row as usize * stride];
            histogram[usize::from(code) % BINS] += value;
            code
        }));
        let missing = std::mem::take(&mut histogram[usize::from(u16::MISSING)]);
        let mut sweep = Sweep::new(judge, column, missing, best);
        occupied.drain(|bin| {
            let sum = std::mem::take(&mut histogram[bin % BINS]);
            if bin != usize::from(u16::MISSING) {
                sweep.bin(bin, sum, best);
            }
        });
        sweep.end(best);
    }

    fn dense(
        &mut self,
        bins: &Bins<u16>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    ) {
        let codes = bins.column(column);
        let ((rows, row), (values, value)) =
            (part.rows.as_chunks::<2>(), part.values.as_chunks::<2>());
        for (row, value) in rows.iter().zip(values) {
            self.histogram[usize::from(codes[row[0] as usize]) % BINS] += value[0];
            self.other[usize::from(codes[row[1] as usize]) % BINS] += value[1];
        }
        for (&row, &value) in row.iter().zip(value) {
            self.histogram[usize::from(codes[row as usize]) % BINS] += value;
        }
        let last = usize::from(u16::MISSING);
        let missing = self.histogram[last] + self.other[last];
        let mut sweep = Sweep::new(judge, column, missing, best);
        (self.histogram[last], self.other[last]) = (0, 0);
        let both = self.histogram.iter_mut().zip(self.other.iter_mut()).take(bins.count(column));
        for (bin, (a, b)) in both.enumerate() {
            let sum = std::mem::take(a) + std::mem::take(b);
            if sum != 0 {
                sweep.bin(bin, sum, best);
            }
        }
        sweep.end(best);
    }
}

/// A node of at most `N` rows. The place of a row's bin in the order is how many rows have lower ones, which is counted
/// without a branch: that is quadratic, but sixteen comparisons cost less than one branch that was predicted wrong.
#[inline(never)]
fn few<const N: usize>(
    bins: &Bins<u16>,
    part: Part<'_>,
    judge: &Judge<'_>,
    column: u32,
    best: &mut Best,
) {
    let n = part.rows.len().min(N);
    let (rows, values) = (&part.rows[..n], &part.values[..n]);
    let (codes, stride) = bins.codes(column, n);
    // Unused places are above all bins. Signed numbers are what the processor compares many of at once.
    let mut keys = [i16::MAX; N];
    for i in 0..n {
        keys[i] = codes[rows[i] as usize * stride] as i16;
    }
    let mut places = [0_i16; N];
    for j in 0..n {
        // Without the hint the compiler turns the two loops inside out, and runs out of registers.
        let lower = std::hint::black_box(keys[j]);
        for i in 0..N {
            places[i] += i16::from(lower < keys[i]);
        }
    }
    // Rows of equal bins share a place, and those behind it stay empty.
    let (mut order, mut sums) = ([0_i16; N], [0; N]);
    for i in 0..n {
        let place = places[i] as usize % N;
        order[place] = keys[i];
        sums[place] += values[i];
    }
    let mut last = n;
    let mut missing = 0;
    if bins.has_missing(column) {
        let missing_bin = u16::MISSING as i16;
        last = keys[..n].iter().filter(|&&key| key < missing_bin).count();
        missing = sums[last..n].iter().sum();
    }
    let mut sweep = Sweep::new(judge, column, missing, best);
    for (&bin, &sum) in order[..last].iter().zip(&sums) {
        if sum != 0 {
            sweep.bin(bin as usize, sum, best);
        }
    }
    sweep.end(best);
}

/// Sorts a few items by their first part.
fn insertion_sort(items: &mut [(i64, Packed)]) {
    for i in 1..items.len() {
        let item = items[i];
        let mut at = i;
        while at > 0 && items[at - 1].0 > item.0 {
            items[at] = items[at - 1];
            at -= 1;
        }
        items[at] = item;
    }
}
