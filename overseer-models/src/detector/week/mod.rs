//! What recurs at the same time of the week is no surprise: the backup on Monday at six, the report on Friday night.
//!
//! Each feature has an ordinary range, in which nine tenths of its rows lie and which half of the half hours never
//! leave, so that what happens at any time of the week belongs to it. How far a feature leaves that in each half hour
//! of the week is remembered: seen once, it excuses nothing; reached again in another week at the same time, give or
//! take half an hour, what both reached is confirmed. From the week after on, an excursion no farther than that is drawn
//! to the end of the ordinary range and is silent: the inputs take it for nothing measured. A farther one counts by how
//! much farther it is.

use super::memory::bytes_of;
use super::scale::FeatureScale;
use remembered::Remembered;

mod remembered;
mod store;
#[cfg(test)]
mod tests;

const SLOT_MS: i64 = 1_800_000;
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
    /// How far each feature went in each slot of the week.
    remembered: Remembered,
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
            remembered: Remembered::new(features),
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
        self.remembered.readiness()
    }

    /// Goes on to another half hour.
    fn enter(&mut self, slot: i64) {
        // Before the half hour that ends is counted: what it confirms is for the week to come.
        self.remembered.find_excused(slot, &mut self.excused);
        if let Some(left) = self.now.replace(slot) {
            let ended: Vec<Excess> = (0..self.rows.len()).map(|j| self.excess(j)).collect();
            self.remembered.confirm(left, &ended);
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

    /// Remembers how far the waiting half hour went.
    fn keep_waiting(&mut self) {
        if let Some(slot) = self.waiting.take() {
            self.remembered.keep(slot, &self.before);
        }
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        let ranges = [&self.rows, &self.half_hours, &self.reached].into_iter().map(bytes_of);
        let excesses = [&self.before, &self.excused].into_iter().map(bytes_of);
        ranges.chain(excesses).sum::<usize>() + bytes_of(&self.silent) + self.remembered.bytes()
    }

    /// Forgets what belongs to times of the week, for they are others now.
    pub(super) fn forget(&mut self) {
        self.remembered.forget();
        (self.now, self.waiting) = (None, None);
        self.reached.fill(UNREACHED);
        self.excused.fill([0.0; 2]);
    }
}

/// The ordinary range: the wider of both at each end; NaN if neither is known.
fn wider(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}
