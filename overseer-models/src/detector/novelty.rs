//! Has a feature ever been where it is now, coming from where it came from?
//!
//! A feature's usual range is cut into cells, and a context is the cell of its newest value alone, with the one before,
//! or with the two before. The surprise of a context never seen is how rare new contexts have become: a noisy or
//! little-known feature meets new ones all the time. Grids of several sizes vote, since what falls on a cell's border
//! in one does not in another. A new level surprises once and is then known.

use super::memory::bytes_of;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// The cells of each grid's usual range; beyond either end are two more.
const GRIDS: [usize; 6] = [5, 7, 9, 11, 13, 15];
const BEYOND: f64 = 2.0;
/// How much wider the grids are than the usual range, on either side.
const MARGIN: f64 = 0.25;
/// The usual range is never taken for narrower than this many units.
const NARROWEST: f64 = 1e-9;
/// Cells and the one or two before them.
const ORDERS: usize = 3;

/// The newest row's share of the rate of new contexts, the least that rate is taken for, and where it starts.
const NEWEST: f64 = 0.002;
const LEAST_RATE: f64 = 1e-4;
const FIRST_RATE: f64 = 0.5;

/// The sum of surprises is divided by this, and cut to the second.
const SCALE: f64 = 7.5;
const MOST: f64 = 12.0;

/// What one feature has been through.
#[derive(Debug, Clone)]
pub(super) struct Novelty {
    low: f64,
    high: f64,
    /// A bit for each context: the grids one after another, of each the orders.
    seen: Vec<u64>,
    rates: [f64; GRIDS.len() * ORDERS],
    rows: f64,
    /// The cells of the last rows in each grid, newest first, as far as there are any.
    cells: [[u16; 2]; GRIDS.len()],
    known: u8,
}

/// The contexts of a grid.
const fn contexts(grid: usize) -> usize {
    let cells = grid + 4;
    cells + cells * cells + cells * cells * cells
}

const fn all_contexts() -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < GRIDS.len() {
        sum += contexts(GRIDS[i]);
        i += 1;
    }
    sum
}

impl Novelty {
    /// Of a feature whose usual values are these, in any unit; NaN if it has none.
    pub(super) fn new(usual: (f64, f64)) -> Self {
        let range = (usual.1 - usual.0).max(NARROWEST);
        Self {
            low: usual.0 - MARGIN * range,
            high: usual.0 + (1.0 + MARGIN) * range,
            seen: vec![0; all_contexts().div_ceil(64)],
            rates: [FIRST_RATE; GRIDS.len() * ORDERS],
            rows: 0.0,
            cells: [[0; 2]; GRIDS.len()],
            known: 0,
        }
    }

    /// The bytes it holds beside itself.
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.seen)
    }

    /// Takes the next value and says how surprising it is, from 0 to 12.
    pub(super) fn push(&mut self, value: f64) -> f64 {
        if value.is_nan() || self.low.is_nan() {
            return 0.0;
        }
        let position = (value - self.low) / (self.high - self.low);
        let share = NEWEST.max(1.0 / (self.rows + 3.0));
        self.rows += 1.0;
        let mut surprise = 0.0;
        let mut start = 0;
        for (g, &grid) in GRIDS.iter().enumerate() {
            let cell = (position * grid as f64).floor().clamp(-BEYOND, grid as f64 + BEYOND - 1.0);
            let cell = (cell + BEYOND) as usize;
            let cells = grid + 4;
            let before = self.cells[g].map(usize::from);
            let places = [
                cell,
                cells + cell * cells + before[0],
                cells + cells * cells + (cell * cells + before[0]) * cells + before[1],
            ];
            for (order, place) in places.into_iter().enumerate().take(usize::from(self.known) + 1) {
                let (word, bit) = ((start + place) / 64, 1 << ((start + place) % 64));
                let is_new = self.seen[word] & bit == 0;
                self.seen[word] |= bit;
                let rate = &mut self.rates[g * ORDERS + order];
                if is_new {
                    surprise -= rate.max(LEAST_RATE).log10();
                }
                *rate += share * (f64::from(u8::from(is_new)) - *rate);
            }
            self.cells[g] = [cell as u16, self.cells[g][0]];
            start += contexts(grid);
        }
        self.known = (self.known + 1).min(2);
        (surprise / SCALE).min(MOST)
    }

    /// Forgets where it came from.
    pub(super) fn reset(&mut self) {
        self.known = 0;
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.f64(self.low);
        w.f64(self.high);
        self.seen.iter().for_each(|&word| w.u64(word));
        self.rates.iter().for_each(|&rate| w.f64(rate));
        w.f64(self.rows);
        self.cells.iter().flatten().for_each(|&cell| w.u32(u32::from(cell)));
        w.u8(self.known);
    }

    pub(super) fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let wrong = || Error::corrupt("the detector's contexts", "a value is out of range");
        let mut novelty = Self::new((0.0, 1.0));
        novelty.low = r.f64()?;
        novelty.high = r.f64()?;
        for word in &mut novelty.seen {
            *word = r.u64()?;
        }
        for rate in &mut novelty.rates {
            *rate = r.finite()?;
        }
        novelty.rows = r.finite()?;
        for (cells, grid) in novelty.cells.iter_mut().zip(GRIDS) {
            for cell in cells {
                let read = r.u32()?;
                if read as usize >= grid + 4 {
                    return Err(wrong());
                }
                *cell = read as u16;
            }
        }
        novelty.known = r.u8()?;
        let range = novelty.high - novelty.low;
        let usable = (range > 0.0 || range.is_nan())
            && !range.is_infinite()
            && novelty.rates.iter().all(|rate| (0.0..=1.0).contains(rate))
            && novelty.rows >= 0.0
            && novelty.known <= 2;
        if usable { Ok(novelty) } else { Err(wrong()) }
    }
}
