//! What recurs at the same time of the week is no surprise: the backup on Monday at six, the report on Friday night.
//!
//! Each feature has an ordinary range, in which nine tenths of its rows lie and which half of the half hours never
//! leave, so that what happens at any time of the week belongs to it. How far a feature leaves that in each half hour
//! of the week is remembered: seen once, it excuses nothing; reached again in another week at the same time, give or
//! take half an hour, what both reached is confirmed. From the week after on, an excursion no farther than that is drawn
//! to the end of the ordinary range and is silent: the inputs take it for nothing measured. A farther one counts by how
//! much farther it is.

use super::scale::FeatureScale;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

const SLOT_MS: i64 = 1_800_000;
/// Half hours in a week.
pub(super) const SLOTS: usize = 336;
/// Two visits to a slot that are fewer slots apart are one: clocks were set back.
const ANOTHER_WEEK: u64 = 300;

/// The share of rows below the ordinary range, and of those above it.
pub(super) const BEYOND: f64 = 0.05;
/// How far the ordinary range moves in a day if all rows lie beyond it, in units, and at most in one row.
const UNITS_A_DAY: f64 = 2.0;
const FASTEST: f64 = 0.05;
/// How far what half of the half hours keep between moves with each of them, in units.
const A_HALF_HOUR: f64 = 0.02;

/// An excursion less than the ordinary range is wide, or than so many units, is not remembered: what a feature does
/// every day anyway would take from what can be seen in it.
const LEAST: f64 = 1.0;

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

/// Both sides, below and above; NaN where nothing was measured yet.
type Excess = [f32; 2];
const UNMEASURED: Excess = [f32::NAN; 2];
const UNREACHED: (f64, f64) = (f64::NAN, f64::NAN);

/// The excursions of every feature in every slot of the week.
#[derive(Debug, Clone)]
pub(super) struct Week {
    /// How far the ordinary range may move in a row.
    pace: f64,
    /// Per feature in units, what a twentieth of the rows lie below and above; NaN if no value was ever known.
    rows: Vec<(f64, f64)>,
    /// What half of the half hours go below, and what half of them go above; NaN before the first ends.
    half_hours: Vec<(f64, f64)>,
    /// Per slot, feature and side.
    peaks: Vec<[Peak; 2]>,
    /// Per feature and side, in how many slots it is remembered to have gone out.
    slots: Vec<[u16; 2]>,
    /// Per slot: its last visit, counted in half hours since 1970, and how many weeks visited it.
    visited: Vec<i64>,
    weeks: Vec<u8>,
    /// The half hour of the newest row, and the least and the greatest value of each feature in it.
    now: Option<i64>,
    reached: Vec<(f64, f64)>,
    /// The half hour before and how far each feature went in it, not yet kept: the half hour after it must be compared
    /// with earlier weeks first.
    waiting: Option<i64>,
    before: Vec<Excess>,
    /// How far an excursion is excused now.
    excused: Vec<Excess>,
    /// Whether the newest value of each feature is excused wholly.
    silent: Vec<bool>,
}

impl Week {
    /// Of rows `step` seconds apart.
    pub(super) fn new(scales: &[FeatureScale], step: f64) -> Self {
        let features = scales.len();
        Self {
            pace: (UNITS_A_DAY * step / 86_400.0).min(FASTEST),
            rows: scales.iter().map(|s| s.ordinary).collect(),
            half_hours: vec![UNREACHED; features],
            peaks: vec![Default::default(); features * SLOTS],
            slots: vec![[0; 2]; features],
            visited: vec![0; SLOTS],
            weeks: vec![0; SLOTS],
            now: None,
            reached: vec![UNREACHED; features],
            waiting: None,
            before: vec![UNMEASURED; features],
            excused: vec![[0.0; 2]; features],
            silent: vec![false; features],
        }
    }

    /// Takes the next row in units, at so many milliseconds of local time: remembers how far it went, and draws it
    /// towards the ordinary range by what earlier weeks excuse. A missing value is left missing.
    pub(super) fn push(&mut self, local_ms: i64, units: &mut [f64]) {
        let slot = local_ms.div_euclid(SLOT_MS);
        if self.now != Some(slot) {
            self.enter(slot);
        }
        let state = self.rows.iter_mut().zip(&self.half_hours).zip(&mut self.reached);
        let now = units.iter_mut().zip(&self.excused).zip(&mut self.silent);
        for (((rows, half_hours), reached), ((unit, excused), silent)) in state.zip(now) {
            let value = *unit;
            *silent = false;
            if value.is_nan() {
                continue;
            }
            reached.0 = reached.0.min(value);
            reached.1 = reached.1.max(value);
            let (low, high) = wider(*rows, *half_hours);
            let within = |outside: f64, excused: f32| outside > 0.0 && outside <= excused.into();
            *silent = within(low - value, excused[0]) || within(value - high, excused[1]);
            *unit += (low - value).clamp(0.0, excused[0].into());
            *unit -= (value - high).clamp(0.0, excused[1].into());
            rows.0 += self.pace * (BEYOND - f64::from(u8::from(value < rows.0)));
            rows.1 -= self.pace * (BEYOND - f64::from(u8::from(value > rows.1)));
            rows.1 = rows.1.max(rows.0);
        }
    }

    /// As [`Week::push`], for a part of a half hour of which only the least and the greatest value of each feature are
    /// known. The ordinary range of the rows does not move: that takes rows.
    pub(super) fn push_past(&mut self, local_ms: i64, least: &mut [f64], greatest: &mut [f64]) {
        let slot = local_ms.div_euclid(SLOT_MS);
        if self.now != Some(slot) {
            self.enter(slot);
        }
        let state = self.rows.iter().zip(&self.half_hours).zip(&mut self.reached);
        let now = least.iter_mut().zip(greatest).zip(&self.excused);
        for (((rows, half_hours), reached), ((least, greatest), excused)) in state.zip(now) {
            if least.is_nan() {
                continue;
            }
            reached.0 = reached.0.min(*least);
            reached.1 = reached.1.max(*greatest);
            let (low, high) = wider(*rows, *half_hours);
            for end in [least, greatest] {
                let (below, above) = (low - *end, *end - high);
                *end += below.clamp(0.0, excused[0].into());
                *end -= above.clamp(0.0, excused[1].into());
            }
        }
    }

    /// Whether the newest value of each feature is excused wholly.
    pub(super) fn silent(&self) -> &[bool] {
        &self.silent
    }

    /// The share of the week's half hours that were seen in two weeks at least.
    pub(super) fn readiness(&self) -> f64 {
        self.weeks.iter().filter(|&&weeks| weeks > 1).count() as f64 / SLOTS as f64
    }

    /// Goes on to another half hour.
    fn enter(&mut self, slot: i64) {
        // Before the half hour that ends is counted: what it confirms is for the week to come.
        self.find_excused(slot);
        if let Some(left) = self.now.replace(slot) {
            let ended: Vec<Excess> = (0..self.rows.len()).map(|j| self.excess(j)).collect();
            self.confirm(left, &ended);
            self.keep_waiting();
            self.waiting = Some(left);
            self.before = ended;
            self.learn_half_hour();
            if slot != left + 1 {
                self.keep_waiting();
            }
        }
        self.reached.fill(UNREACHED);
    }

    /// How far a feature went in the half hour that ends.
    fn excess(&self, j: usize) -> Excess {
        let (least, greatest) = self.reached[j];
        if least.is_nan() {
            return UNMEASURED;
        }
        let (low, high) = wider(self.rows[j], self.half_hours[j]);
        let worth = (high - low).max(LEAST);
        [low - least, greatest - high].map(|e| if e >= worth { e as f32 } else { 0.0 })
    }

    /// Moves what half of the half hours keep between.
    fn learn_half_hour(&mut self) {
        for (median, reached) in self.half_hours.iter_mut().zip(&self.reached) {
            if median.0.is_nan() {
                *median = *reached;
            } else if !reached.0.is_nan() {
                median.0 += A_HALF_HOUR.copysign(reached.0 - median.0);
                median.1 += A_HALF_HOUR.copysign(reached.1 - median.1);
                median.1 = median.1.max(median.0);
            }
        }
    }

    fn find_excused(&mut self, slot: i64) {
        let d = self.rows.len();
        self.excused.fill([0.0; 2]);
        for near in neighbours(slot) {
            let peaks = self.excused.iter_mut().zip(&self.peaks[near * d..][..d]);
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
    fn confirm(&mut self, slot: i64, ended: &[Excess]) {
        let d = self.rows.len();
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

    /// Remembers how far the waiting half hour went.
    fn keep_waiting(&mut self) {
        let Some(slot) = self.waiting.take() else { return };
        let at = place(slot);
        let is_new = self.is_another_week(at, slot);
        let d = self.rows.len();
        let features = self.peaks[at * d..][..d].iter_mut().zip(&mut self.slots);
        for ((peaks, slots), reached) in features.zip(&self.before) {
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

    /// Forgets what belongs to times of the week, for they are others now.
    pub(super) fn forget(&mut self) {
        self.peaks.fill(Default::default());
        self.slots.fill([0; 2]);
        self.weeks.fill(0);
        (self.now, self.waiting) = (None, None);
        self.reached.fill(UNREACHED);
        self.excused.fill([0.0; 2]);
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.f64(self.pace);
        for list in [&self.rows, &self.half_hours, &self.reached] {
            w.f64s(list.iter().map(|ends| ends.0));
            w.f64s(list.iter().map(|ends| ends.1));
        }
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
        for half_hour in [self.now, self.waiting] {
            w.u8(u8::from(half_hour.is_some()));
            w.u64(half_hour.unwrap_or_default().cast_unsigned());
        }
        for list in [&self.before, &self.excused] {
            w.f32s(list.as_flattened().iter().copied());
        }
    }

    pub(super) fn read_from(r: &mut Reader<'_>, scales: &[FeatureScale]) -> Result<Self> {
        let wrong = || Error::corrupt("the detector's week", "a value is out of range");
        let mut week = Self::new(scales, 1.0);
        week.pace = r.finite()?;
        for list in [&mut week.rows, &mut week.half_hours, &mut week.reached] {
            let (low, high) = (r.f64s()?, r.f64s()?);
            let ordered = low.iter().zip(&high).all(|(l, h)| {
                (l.is_nan() && h.is_nan()) || (l.is_finite() && h.is_finite() && l <= h)
            });
            if low.len() != scales.len() || high.len() != scales.len() || !ordered {
                return Err(wrong());
            }
            *list = low.into_iter().zip(high).collect();
        }
        let places = r.u32s()?;
        if !places.is_sorted_by(|a, b| a < b) {
            return Err(wrong());
        }
        let peaks = week.peaks.as_flattened_mut();
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
            let (feature, side) = ((at as usize / 2) % scales.len(), at as usize % 2);
            week.slots[feature][side] += 1;
        }
        for visited in &mut week.visited {
            *visited = r.u64()?.cast_signed();
        }
        week.weeks.copy_from_slice(r.raw(SLOTS)?);
        for half_hour in [&mut week.now, &mut week.waiting] {
            let (is_known, slot) = (r.u8()?, r.u64()?.cast_signed());
            // Milliseconds of so many half hours still fit.
            if is_known > 1 || slot.checked_mul(SLOT_MS).is_none() {
                return Err(wrong());
            }
            *half_hour = (is_known == 1).then_some(slot);
        }
        let mut usable = (0.0..=FASTEST).contains(&week.pace);
        for (list, may_miss) in [(&mut week.before, true), (&mut week.excused, false)] {
            let read = r.f32s()?;
            usable &= read.len() == 2 * list.len();
            usable &=
                read.iter().all(|v| (0.0..f32::INFINITY).contains(v) || (may_miss && v.is_nan()));
            if usable {
                list.as_flattened_mut().copy_from_slice(&read);
            }
        }
        if usable { Ok(week) } else { Err(wrong()) }
    }
}

/// The ordinary range: the wider of both at each end; NaN if neither is known.
fn wider(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// A half hour's place in the week, which here begins on a Thursday as 1970 did.
fn place(slot: i64) -> usize {
    slot.rem_euclid(SLOTS as i64) as usize
}

/// The places of a half hour and those beside it.
fn neighbours(slot: i64) -> impl Iterator<Item = usize> {
    [slot - 1, slot, slot + 1].into_iter().map(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Feature, Unit};
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const WEEK: i64 = 7 * 24 * HOUR;
    const STEP: i64 = 10 * MINUTE;
    /// Monday six o'clock of the first whole week since 1970.
    const MONDAY_SIX: i64 = (4 * 24 + 6) * HOUR;

    /// The ordinary range of the feature.
    const LOW: f64 = -1.5;
    const HIGH: f64 = 1.5;

    fn scales(features: usize) -> Vec<FeatureScale> {
        let unknown = Feature::new("a", Unit::Unknown);
        let mut scale = FeatureScale::learn([-1.0, 1.0], &unknown);
        scale.ordinary = (LOW, HIGH);
        vec![scale; features]
    }

    /// A week that has seen nothing and whose ordinary range stays what it is.
    fn fixed() -> Week {
        Week { pace: 0.0, ..Week::new(&scales(1), 600.0) }
    }

    fn push(week: &mut Week, at: i64, value: f64) -> f64 {
        let mut row = [value];
        week.push(at, &mut row);
        row[0]
    }

    /// A day from midnight on that Monday, with a value for the hour from `begin` on and 0 else. Returns what became
    /// of that value.
    fn day(week: &mut Week, midnight: i64, begin: i64, value: f64) -> Vec<f64> {
        let rows = (midnight..midnight + 24 * HOUR).step_by(STEP as usize);
        let busy = begin..begin + HOUR;
        let out: Vec<(bool, f64)> = rows
            .map(|at| {
                (busy.contains(&at), push(week, at, if busy.contains(&at) { value } else { 0.0 }))
            })
            .collect();
        out.into_iter().filter(|(is_busy, _)| *is_busy).map(|(_, v)| v).collect()
    }

    /// The Monday of that week, with a value for the hour from six on.
    fn monday(week: &mut Week, number: i64, value: f64) -> Vec<f64> {
        let six = MONDAY_SIX + number * WEEK;
        day(week, six - 6 * HOUR, six, value)
    }

    #[test]
    fn what_two_weeks_reached_is_excused_from_the_third_on() {
        let mut week = fixed();
        assert_eq!(monday(&mut week, 0, 10.0), [10.0; 6]);
        assert_eq!(monday(&mut week, 1, 9.0), [9.0; 6]);
        assert_eq!(monday(&mut week, 2, 9.0), [HIGH; 6]);
        // What goes beyond counts by how much, and what goes the other way in full.
        assert_eq!(monday(&mut week, 3, 12.0), [HIGH + 3.0; 6]);
        assert_eq!(monday(&mut week, 4, -9.0), [-9.0; 6]);
    }

    #[test]
    fn falls_are_excused_as_rises_are() {
        let mut week = fixed();
        (0..2).for_each(|n| assert_eq!(monday(&mut week, n, -7.0), [-7.0; 6]));
        assert_eq!(monday(&mut week, 2, -8.0), [LOW - 1.0; 6]);
    }

    #[test]
    fn another_hour_or_day_is_not_excused() {
        let mut week = fixed();
        (0..4).for_each(|n| drop(monday(&mut week, n, 10.0)));
        let six = MONDAY_SIX + 4 * WEEK;
        assert_eq!(day(&mut week, six - 6 * HOUR, six + 8 * HOUR, 10.0), [10.0; 6]);
        assert_eq!(day(&mut week, six + 18 * HOUR, six + 24 * HOUR, 10.0), [10.0; 6]);
    }

    #[test]
    fn a_job_that_comes_half_an_hour_early_or_late_is_the_same() {
        let mut week = fixed();
        for (number, late) in [(0, 0), (1, 25), (2, 0), (3, -25)] {
            let six = MONDAY_SIX + number * WEEK;
            let seen = day(&mut week, six - 6 * HOUR, six + late * MINUTE, 10.0);
            assert!(number < 2 || seen == [HIGH; 6], "{seen:?}");
        }
    }

    #[test]
    fn a_second_excursion_within_hours_confirms_nothing() {
        let mut week = fixed();
        let six = MONDAY_SIX;
        // Also not where clocks are set back and the same hour comes twice.
        for at in [six, six + HOUR, six, six + HOUR, six + 2 * HOUR] {
            (at..at + HOUR).step_by(STEP as usize).for_each(|at| {
                assert_eq!(push(&mut week, at, 10.0), 10.0);
            });
        }
        assert_eq!(monday(&mut week, 1, 10.0), [10.0; 6]);
    }

    #[test]
    fn a_holiday_changes_nothing_and_four_missing_weeks_all() {
        let mut week = fixed();
        (0..3).for_each(|n| drop(monday(&mut week, n, 10.0)));
        monday(&mut week, 3, 0.0);
        assert_eq!(monday(&mut week, 4, 10.0), [HIGH; 6]);
        (5..9).for_each(|n| drop(monday(&mut week, n, 0.0)));
        assert_eq!(monday(&mut week, 9, 10.0), [10.0; 6]);
    }

    #[test]
    fn an_excursion_that_grows_smaller_is_excused_less_by_and_by() {
        let mut week = fixed();
        (0..2).for_each(|n| drop(monday(&mut week, n, 12.0)));
        (2..12).for_each(|n| drop(monday(&mut week, n, 6.0)));
        let seen = monday(&mut week, 12, 12.0)[0];
        assert!((7.0..8.1).contains(&seen), "{seen}");
    }

    #[test]
    fn a_missing_value_is_no_missed_excursion() {
        let mut week = fixed();
        (0..2).for_each(|n| drop(monday(&mut week, n, 10.0)));
        (2..9).for_each(|n| assert!(monday(&mut week, n, f64::NAN)[0].is_nan()));
        assert_eq!(monday(&mut week, 9, 10.0), [HIGH; 6]);
    }

    #[test]
    fn the_ordinary_range_follows_a_level_that_stays() {
        let mut week = Week::new(&scales(1), 600.0);
        for row in 0..144 * 20 {
            push(&mut week, row * STEP, 20.0 + if row % 2 == 0 { 1.0 } else { -1.0 });
        }
        // Its other end only shrinks back, slowly: a range too wide excuses too little.
        let (low, high) = week.rows[0];
        assert!((0.0..19.0).contains(&low) && (20.5..21.5).contains(&high), "{low} to {high}");
    }

    #[test]
    fn what_happens_at_any_time_is_ordinary() {
        let mut week = fixed();
        // A short burst in every half hour.
        let burst = |row: i64| if row % 3 == 0 { 8.0 } else { 0.0 };
        for row in 0..3 * WEEK / STEP {
            assert_eq!(push(&mut week, row * STEP, burst(row)), burst(row));
        }
    }

    #[test]
    fn readiness_is_the_share_of_half_hours_seen_in_two_weeks() {
        let mut week = fixed();
        (0..2 * WEEK).step_by(STEP as usize).for_each(|at| {
            push(&mut week, at, 0.0);
        });
        // The last two half hours are not kept yet.
        assert!((0.99..1.0).contains(&week.readiness()));
        let mut new = fixed();
        (0..WEEK).step_by(STEP as usize).for_each(|at| {
            push(&mut new, at, 0.0);
        });
        assert_eq!(new.readiness(), 0.0);
    }

    #[test]
    fn a_stored_week_goes_on_as_if_it_had_never_stopped() {
        let mut week = Week::new(&scales(1), 600.0);
        (0..3).for_each(|n| drop(monday(&mut week, n, 10.0)));
        let mut w = Writer::default();
        week.write_to(&mut w);
        let bytes = w.into_bytes();
        let mut r = Reader::new(&bytes);
        let mut read = Week::read_from(&mut r, &scales(1)).unwrap();
        r.finish().unwrap();
        assert_eq!(monday(&mut read, 3, 11.0), monday(&mut week, 3, 11.0));
        read.forget();
        assert_eq!(monday(&mut read, 4, 11.0), [11.0; 6]);
    }

    proptest! {
        #[test]
        fn nothing_is_changed_before_a_second_week(
            values in proptest::collection::vec(prop_oneof![9 => -20.0..20.0f64, 1 => Just(f64::NAN)], 1..300),
        ) {
            let mut week = Week::new(&scales(1), 600.0);
            for (row, value) in (0_i64..).zip(values) {
                let seen = push(&mut week, row * 3 * STEP, value);
                prop_assert!(seen == value || (seen.is_nan() && value.is_nan()));
            }
        }

        #[test]
        fn what_is_excused_keeps_the_order_and_jumps_nowhere(
            reached in (-12.0..12.0f64, -12.0..12.0f64), value in -20.0..20.0f64, more in 0.0..3.0f64,
        ) {
            let mut week = fixed();
            monday(&mut week, 0, reached.0);
            monday(&mut week, 1, reached.1);
            let (lower, higher) = (
                monday(&mut week.clone(), 2, value)[0], monday(&mut week, 2, value + more)[0],
            );
            prop_assert!(lower <= higher + 1e-9 && higher - lower <= more + 1e-5);
            if (LOW..=HIGH).contains(&value) {
                prop_assert_eq!(lower, value);
            }
            // Nothing is drawn further than to the end of the ordinary range, nor past it.
            prop_assert!(lower.abs() <= value.abs() && (lower == value || lower.abs() >= HIGH - 1e-9));
        }
    }
}
