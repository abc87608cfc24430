//! One target: a row's target and weight are one number, and so is a bin of a histogram.

use super::fast::{BINS, Occupied};
use super::{Best, Finder, Judge, MARGIN, Part, Place};
use crate::random_forest::bins::{Bins, Code};
use crate::random_forest::targets::Packed;

/// For nodes of up to so many rows the best split that any column could have is found beforehand.
const FEW: usize = 8;

/// Up to so many rows, the occupied bins of a histogram are looked for; beyond, most are.
const SPARSE: usize = 128;

/// Memory of the search.
#[derive(Debug)]
pub(in crate::random_forest) struct Single {
    /// Zero between searches.
    histogram: Box<[Packed; BINS]>,
    /// A second one, so that neighbouring rows of equal bins need not wait for one another.
    other: Box<[Packed; BINS]>,
    occupied: Occupied,
    /// The occupied bins and their sums, ascending.
    numbers: Box<[u8; SPARSE]>,
    sums: Box<[Packed; SPARSE]>,
}

impl Single {
    pub(super) fn new() -> Self {
        Self {
            histogram: Box::new([0; BINS]),
            other: Box::new([0; BINS]),
            occupied: Occupied::default(),
            numbers: Box::new([0; SPARSE]),
            sums: Box::new([0; SPARSE]),
        }
    }
}

/// The sums of some bins of a column, in the order of the bins. Bins may be empty.
trait Sums {
    fn sums(&self) -> impl Iterator<Item = Packed>;
    /// The number of the bin that stands at a place.
    fn bin(&self, at: usize) -> usize;
}

/// Takes the best split of a column in which no row of the node is missing a value, if it is better.
///
/// Every place is tried without a branch, those behind empty bins too: they gain what the place before them gains, and
/// of equal places the first counts.
#[inline(always)]
fn try_known(judge: &Judge<'_>, column: u32, bins: &impl Sums, best: &mut Best) {
    let (mask, bits) = judge.targets.packing();
    let (mut left, mut most, mut at) = (0, 0, 0);
    for (i, sum) in bins.sums().enumerate() {
        left += sum;
        let side = judge.sides[(left & mask) as usize];
        let sum = (left >> bits) as f64 - side.rest;
        // Numbers that are not negative are in the order of their bits, which are compared and chosen from sooner.
        let gain = (sum * sum * side.reciprocals).to_bits();
        let better = gain > most;
        most = if better { gain } else { most };
        at = if better { i } else { at };
    }
    let gain = f64::from_bits(most);
    if gain > best.gain * MARGIN {
        let on_left = bins.sums().take(at + 1).sum::<Packed>() & mask;
        let right = at + 1 + bins.sums().skip(at + 1).take_while(|&sum| sum == 0).count();
        let place = Place {
            column,
            left: bins.bin(at),
            right: Some(bins.bin(right)),
            // Where nothing is missing in a node, missing values go to its larger side.
            missing_left: 2 * on_left as usize + 1 >= judge.sides.len(),
        };
        *best = Best { gain, place };
    }
}

/// The same where these rows are `missing` a value: they are tried on either side, and against all others.
#[inline(always)]
fn try_missing(judge: &Judge<'_>, column: u32, bins: &impl Sums, missing: Packed, best: &mut Best) {
    let mut own = Best::NONE;
    let (mut left, mut last) = (0, 0);
    for (i, sum) in bins.sums().enumerate().filter(|&(_, sum)| sum != 0) {
        let bin = bins.bin(i);
        if left != 0 {
            let place = |missing_left| Place { column, left: last, right: Some(bin), missing_left };
            judge.consider(&[left], &mut own, |_| place(false));
            judge.consider(&[left + missing], &mut own, |_| place(true));
        }
        left += sum;
        last = bin;
    }
    if left != 0 {
        let place = Place { column, left: last, right: None, missing_left: false };
        judge.consider(&[left], &mut own, |_| place);
    }
    best.take(own);
}

#[inline(always)]
fn try_all(judge: &Judge<'_>, column: u32, bins: &impl Sums, missing: Packed, best: &mut Best) {
    if missing == 0 {
        try_known(judge, column, bins, best);
    } else {
        try_missing(judge, column, bins, missing, best);
    }
}

/// Some bins by their numbers.
struct Chosen<'a> {
    bins: &'a [u8],
    sums: &'a [Packed],
}

impl Sums for Chosen<'_> {
    #[inline(always)]
    fn sums(&self) -> impl Iterator<Item = Packed> {
        self.sums.iter().copied()
    }

    #[inline(always)]
    fn bin(&self, at: usize) -> usize {
        usize::from(self.bins[at])
    }
}

/// All bins from the first on, each in two halves.
struct Halves<'a>(&'a [Packed], &'a [Packed]);

impl Sums for Halves<'_> {
    #[inline(always)]
    fn sums(&self) -> impl Iterator<Item = Packed> {
        self.0.iter().zip(self.1).map(|(a, b)| a + b)
    }

    #[inline(always)]
    fn bin(&self, at: usize) -> usize {
        at
    }
}

impl Finder<u8> for Single {
    #[inline]
    fn look(
        &mut self,
        bins: &Bins<u8>,
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
        bins: &Bins<u8>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    ) {
        let Self { histogram, occupied, numbers, sums, .. } = self;
        let (codes, stride) = bins.codes(column, part.rows.len());
        occupied.fill(part.rows.iter().zip(part.values).map(|(&row, &value)| {
            let code = codes[row as usize * stride];
            histogram[usize::from(code)] += value;
            code
        }));
        let mut found = 0;
        occupied.drain(|bin| {
            numbers[found % SPARSE] = bin;
            sums[found % SPARSE] = std::mem::take(&mut histogram[usize::from(bin)]);
            found += 1;
        });
        let mut missing = 0;
        if bins.has_missing(column) && numbers[found - 1] == u8::MISSING {
            found -= 1;
            missing = sums[found];
        }
        let chosen = Chosen { bins: &numbers[..found], sums: &sums[..found] };
        try_all(judge, column, &chosen, missing, best);
    }

    fn dense(
        &mut self,
        bins: &Bins<u8>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    ) {
        let codes = bins.column(column);
        let ((rows, row), (values, value)) =
            (part.rows.as_chunks::<2>(), part.values.as_chunks::<2>());
        for (row, value) in rows.iter().zip(values) {
            self.histogram[usize::from(codes[row[0] as usize])] += value[0];
            self.other[usize::from(codes[row[1] as usize])] += value[1];
        }
        for (&row, &value) in row.iter().zip(value) {
            self.histogram[usize::from(codes[row as usize])] += value;
        }
        let last = usize::from(u8::MISSING);
        let missing =
            std::mem::take(&mut self.histogram[last]) + std::mem::take(&mut self.other[last]);
        let count = bins.count(column).min(BINS);
        let (one, other) = (&mut self.histogram[..count], &mut self.other[..count]);
        try_all(judge, column, &Halves(one, other), missing, best);
        one.fill(0);
        other.fill(0);
    }
}

/// A node of at most `N` rows. The place of a row's bin in the order is how many rows have lower ones, which is counted
/// without a branch: that is quadratic, but sixteen comparisons cost less than one branch that was predicted wrong.
#[inline(never)]
fn few<const N: usize>(
    bins: &Bins<u8>,
    part: Part<'_>,
    judge: &Judge<'_>,
    column: u32,
    best: &mut Best,
) {
    let n = part.rows.len().min(N);
    let (rows, values) = (&part.rows[..n], &part.values[..n]);
    let (codes, stride) = bins.codes(column, n);
    // Signed numbers are what the processor compares many of at once.
    let signed = |code: u8| (code ^ 0x80) as i8;
    let mut keys = [i8::MAX; N];
    for i in 0..n {
        keys[i] = signed(codes[rows[i] as usize * stride]);
    }
    let mut places = [0_i8; N];
    for j in 0..n {
        // Without the hint the compiler turns the two loops inside out, and runs out of registers.
        let lower = std::hint::black_box(keys[j]);
        for i in 0..N {
            places[i] += i8::from(lower < keys[i]);
        }
    }
    // Rows of equal bins share a place, and those behind it stay empty.
    let (mut order, mut sums) = ([0_u8; N], [0; N]);
    for i in 0..n {
        let place = places[i] as usize % N;
        order[place] = keys[i] as u8 ^ 0x80;
        sums[place] += values[i];
    }
    let mut known = n;
    let mut missing = 0;
    if bins.has_missing(column) {
        known = keys[..n].iter().filter(|&&key| key < signed(u8::MISSING)).count();
        missing = sums[known..n].iter().sum();
    }
    let chosen = Chosen { bins: &order[..known], sums: &sums[..known] };
    try_all(judge, column, &chosen, missing, best);
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
