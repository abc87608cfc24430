//! How far each feature went in each half hour of the week, and what weeks have in common.

use super::super::memory::bytes_of;
use super::Excess;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// Half hours in a week.
pub(super) const SLOTS: usize = 336;
/// Two visits to a slot that are fewer slots apart are one: clocks were set back.
const ANOTHER_WEEK: u64 = 300;

/// How much of the difference an excursion smaller than the confirmed one takes off it.
const SHRINK: f64 = 0.25;
/// A feature that leaves its ordinary range in more half hours of the week than this does so at any time: that two weeks
/// agree is chance then, and excuses nothing.
const OFTEN: u16 = 24;
/// Missed so many weeks in a row, an excursion is forgotten.
const FORGOTTEN: u8 = 4;

/// How far a feature went to one side in a slot, in units beyond the ordinary range; 0 for not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Peak {
    /// The last week that it did.
    last: f32,
    /// In two weeks at least.
    confirmed: f32,
    /// Visits to the slot since the last one that it did.
    missed: u8,
}

/// The excursions of every feature in every slot of the week.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    /// Per slot, feature and side.
    peaks: Vec<[Peak; 2]>,
    /// Per feature and side, in how many slots it is remembered to have gone out.
    slots: Vec<[u16; 2]>,
    /// Per slot: its last visit, counted in half hours since 1970, and how many weeks visited it.
    visited: Vec<i64>,
    weeks: Vec<u8>,
}

impl Remembered {
    pub(super) fn new(features: usize) -> Self {
        Self {
            peaks: vec![Default::default(); features * SLOTS],
            slots: vec![[0; 2]; features],
            visited: vec![0; SLOTS],
            weeks: vec![0; SLOTS],
        }
    }

    /// The share of the slots that were seen in two weeks at least.
    pub(super) fn readiness(&self) -> f64 {
        self.weeks.iter().filter(|&&weeks| weeks > 1).count() as f64 / SLOTS as f64
    }

    /// How far each feature's excursion is excused in a half hour.
    pub(super) fn find_excused(&self, slot: i64, excused: &mut [Excess]) {
        let d = self.slots.len();
        excused.fill([0.0; 2]);
        for near in neighbours(slot) {
            let peaks = excused.iter_mut().zip(&self.peaks[near * d..][..d]);
            for ((excused, peak), slots) in peaks.zip(&self.slots) {
                for side in 0..2 {
                    if slots[side] <= OFTEN {
                        excused[side] = excused[side].max(peak[side].confirmed);
                    }
                }
            }
        }
    }

    /// Confirms what the half hour that ends has in common with earlier weeks.
    pub(super) fn confirm(&mut self, slot: i64, ended: &[Excess]) {
        let d = self.slots.len();
        let known = neighbours(slot).filter(|&near| self.is_another_week(near, slot));
        let known: Vec<usize> = known.collect();
        for (j, excess) in ended.iter().enumerate() {
            for (side, &reached) in excess.iter().enumerate() {
                let earlier = known.iter().map(|near| self.peaks[near * d + j][side].last);
                let both = earlier.fold(0.0, f32::max).min(reached);
                // An unmeasured half hour has nothing in common with any.
                if reached > 0.0 && both > 0.0 {
                    let confirmed = &mut self.peaks[place(slot) * d + j][side].confirmed;
                    let share = if both < *confirmed { SHRINK as f32 } else { 1.0 };
                    *confirmed += share * (both - *confirmed);
                }
            }
        }
    }

    /// Remembers how far each feature went in a half hour.
    pub(super) fn keep(&mut self, slot: i64, went: &[Excess]) {
        let at = place(slot);
        let is_new = self.is_another_week(at, slot);
        let d = self.slots.len();
        let features = self.peaks[at * d..][..d].iter_mut().zip(&mut self.slots);
        for ((peaks, slots), reached) in features.zip(went) {
            for ((peak, slots), &reached) in peaks.iter_mut().zip(slots).zip(reached) {
                if reached > 0.0 {
                    *slots += u16::from(peak.last == 0.0);
                    peak.last = if is_new { reached } else { peak.last.max(reached) };
                    peak.missed = 0;
                } else if is_new && reached == 0.0 && peak.last > 0.0 {
                    peak.missed += 1;
                    if peak.missed >= FORGOTTEN {
                        *peak = Peak::default();
                        *slots = slots.saturating_sub(1);
                    }
                }
            }
        }
        self.weeks[at] = self.weeks[at].saturating_add(u8::from(is_new));
        self.visited[at] = slot;
    }

    /// Whether the last visit to a place was not in the same week as this half hour.
    fn is_another_week(&self, at: usize, slot: i64) -> bool {
        self.weeks[at] == 0 || self.visited[at].abs_diff(slot) >= ANOTHER_WEEK
    }

    pub(super) fn forget(&mut self) {
        self.peaks.fill(Default::default());
        self.slots.fill([0; 2]);
        self.weeks.fill(0);
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.peaks)
            + bytes_of(&self.slots)
            + bytes_of(&self.visited)
            + bytes_of(&self.weeks)
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        // Most features leave their ordinary range in few slots.
        let peaks = || self.peaks.as_flattened().iter().zip(0_u32..).filter(|(p, _)| p.last > 0.0);
        w.u32s(peaks().map(|(_, at)| at).collect::<Vec<_>>().into_iter());
        for (peak, _) in peaks() {
            w.f32(peak.last);
            w.f32(peak.confirmed);
            w.u8(peak.missed);
        }
        self.visited.iter().for_each(|v| w.u64(v.cast_unsigned()));
        w.raw(&self.weeks);
    }

    pub(super) fn read_from(r: &mut Reader<'_>, features: usize) -> Result<Self> {
        let wrong = || Error::corrupt("the detector's week", "a value is out of range");
        let mut remembered = Self::new(features);
        let places = r.u32s()?;
        if !places.is_sorted_by(|a, b| a < b) {
            return Err(wrong());
        }
        let peaks = remembered.peaks.as_flattened_mut();
        for at in places {
            let peak = Peak { last: r.f32()?, confirmed: r.f32()?, missed: r.u8()? };
            let usable = peak.last > 0.0
                && peak.last.is_finite()
                && (0.0..f32::INFINITY).contains(&peak.confirmed)
                && peak.missed < FORGOTTEN;
            match peaks.get_mut(at as usize) {
                Some(place) if usable => *place = peak,
                _ => return Err(wrong()),
            }
            let (feature, side) = ((at as usize / 2) % features, at as usize % 2);
            remembered.slots[feature][side] += 1;
        }
        for visited in &mut remembered.visited {
            *visited = r.u64()?.cast_signed();
        }
        remembered.weeks.copy_from_slice(r.raw(SLOTS)?);
        Ok(remembered)
    }
}

/// A half hour's place in the week, which here begins on a Thursday as 1970 did.
fn place(slot: i64) -> usize {
    slot.rem_euclid(SLOTS as i64) as usize
}

/// The places of a half hour and those beside it.
fn neighbours(slot: i64) -> impl Iterator<Item = usize> {
    [slot - 1, slot, slot + 1].into_iter().map(place)
}
