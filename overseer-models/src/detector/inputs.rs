//! What the detector looks at: nine numbers a feature, in units of its own usual variation.
//!
//! | number | it sees |
//! |---|---|
//! | value − mean of 5 rows, mean of 5 − mean of 15, mean of 15 − mean of 45, mean of 45 | spikes, short changes, longer ones, lasting ones |
//! | deviation within 5 rows, within 15, within 45 | calm that becomes turmoil, and turmoil that freezes |
//! | value − what is usual at this time of day | a busy hour at the wrong time |
//! | value − the one before | jumps |
//!
//! Differences between the scales rather than the means themselves, so that a change has a signature.

use super::clock::WallClock;
use super::memory::bytes_of;
use super::scale::FeatureScale;
use super::season::Season;
use super::week::Week;
use crate::file::{Reader, Writer};
use overseer_core::{Error, LocalTime, Result, Timestamp};
use std::sync::Arc;

/// How many inputs each feature has.
pub(super) const STATISTICS: usize = 9;
/// How many rows before a row predict it.
pub(super) const LAGS: usize = 5;

/// The windows, in rows: each three times as long as the one before, of which the last is the longest.
const WINDOWS: [usize; 3] = [5, 15, LONG];
pub(super) const LONG: usize = 45;
/// The blocks of the statistics after those of the windows.
pub(super) const UNSEASONAL: usize = STATISTICS - 2;
const JUMP: usize = STATISTICS - 1;

/// Beyond this many units a value counts as this many, so that one wild value does not fill the windows.
const CLIP: f64 = 15.0;

/// Turns rows into inputs, one row at a time.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    /// The last [`LONG`] rows in units, clipped; where a value is missing the last known one is held.
    ring: Vec<f64>,
    /// Where the next row goes, and how many are known since the last restart.
    next: usize,
    filled: usize,
    clock: WallClock,
    week: Week,
    season: Season,
    /// The newest row in units, clipped, before anything is excused, and how it differs from the known one before.
    measured: Vec<f64>,
    moves: Vec<f64>,
    /// The newest row in units after what is usual at its time of the week was excused, as it is, clipped, and without
    /// what is usual at its time of the day; NaN where missing.
    units: Vec<f64>,
    clipped: Vec<f64>,
    unseasonal: Vec<f64>,
    /// The newest row's clipped values, the last known where one is missing.
    held: Vec<f64>,
    /// The inputs, a block a statistic.
    statistics: Vec<f64>,
    /// The [`LAGS`] rows before the newest, newest first.
    lags: Vec<f64>,
}

impl Inputs {
    /// Of rows `step` seconds apart.
    pub(super) fn new(scales: &[FeatureScale], step: f64, zone: Arc<dyn LocalTime>) -> Self {
        let features = scales.len();
        Self {
            ring: vec![0.0; features * LONG],
            next: 0,
            filled: 0,
            clock: WallClock::new(zone),
            week: Week::new(scales, step),
            season: Season::new(features, step),
            measured: vec![0.0; features],
            moves: vec![0.0; features],
            units: vec![f64::NAN; features],
            clipped: vec![f64::NAN; features],
            unseasonal: vec![f64::NAN; features],
            held: vec![0.0; features],
            statistics: vec![0.0; features * STATISTICS],
            lags: vec![0.0; features * LAGS],
        }
    }

    /// Takes the next row, whose values are finite or missing.
    pub(super) fn push(
        &mut self,
        time: Timestamp,
        values: impl Iterator<Item = f64>,
        scales: &[FeatureScale],
    ) {
        let d = self.units.len();
        for ((unit, scale), value) in self.units.iter_mut().zip(scales).zip(values) {
            *unit = scale.units(value);
        }
        self.fill_moves();
        let local_ms = self.clock.local_ms(time);
        self.week.push(local_ms, &mut self.units);
        // The end of the ordinary range, for an hour, would be a level of its own: what recurs says nothing.
        for (unit, _) in
            self.units.iter_mut().zip(self.week.silent()).filter(|(_, silent)| **silent)
        {
            *unit = f64::NAN;
        }
        for (clipped, unit) in self.clipped.iter_mut().zip(&self.units) {
            *clipped = unit.clamp(-CLIP, CLIP);
        }
        self.season.push(local_ms, &self.clipped, &mut self.unseasonal);
        self.fill_lags();
        let differences = &mut self.statistics[JUMP * d..];
        for ((held, &value), difference) in self.held.iter_mut().zip(&self.clipped).zip(differences)
        {
            *difference = value - if self.filled == 0 { value } else { *held };
            if !value.is_nan() {
                *held = value;
            }
        }
        self.ring[self.next * d..][..d].copy_from_slice(&self.held);
        self.next = (self.next + 1) % LONG;
        self.filled = (self.filled + 1).min(LONG);
        self.fill_statistics();
    }

    /// Learns how far a part of a half hour of the week went from before the first row, of which the least and the
    /// greatest values are given in units; draws them towards the ordinary range by what earlier weeks excuse.
    pub(super) fn learn_past(&mut self, start: Timestamp, least: &mut [f64], greatest: &mut [f64]) {
        let local_ms = self.clock.local_ms(start);
        self.week.push_past(local_ms, least, greatest);
    }

    fn fill_moves(&mut self) {
        let is_first = self.filled == 0;
        for ((measured, moved), unit) in
            self.measured.iter_mut().zip(&mut self.moves).zip(&self.units)
        {
            let value = unit.clamp(-CLIP, CLIP);
            *moved = value - if is_first { value } else { *measured };
            if !value.is_nan() {
                *measured = value;
            }
        }
    }

    fn fill_lags(&mut self) {
        let d = self.units.len();
        for lag in 0..LAGS.min(self.filled) {
            let at = (self.next + LONG - 1 - lag) % LONG;
            self.lags[lag * d..][..d].copy_from_slice(&self.ring[at * d..][..d]);
        }
    }

    fn fill_statistics(&mut self) {
        let d = self.units.len();
        let (means, rest) = self.statistics.split_at_mut((WINDOWS.len() + 1) * d);
        let (deviations, rest) = rest.split_at_mut(WINDOWS.len() * d);
        // A block for the value itself and then, for each window, its mean; differences between neighbours at the end.
        let (values, means_only) = means.split_at_mut(d);
        values.copy_from_slice(&self.clipped);
        for ((rows, mean), deviation) in
            WINDOWS.iter().zip(means_only.chunks_exact_mut(d)).zip(deviations.chunks_exact_mut(d))
        {
            window(&self.ring, d, self.next, self.filled.min(*rows), mean, deviation);
        }
        for at in 0..WINDOWS.len() * d {
            means[at] -= means[at + d];
        }
        rest[..d].copy_from_slice(&self.unseasonal);
        for (j, value) in self.clipped.iter().enumerate() {
            if value.is_nan() {
                self.statistics[..UNSEASONAL * d].iter_mut().skip(j).step_by(d).for_each(|s| {
                    *s = f64::NAN;
                });
            }
        }
    }

    /// The newest row: each value's distance from the usual in units of its scale, less what recurs at that time of
    /// the week; NaN if missing or wholly excused by that.
    pub(super) fn units(&self) -> &[f64] {
        &self.units
    }

    /// The newest row in units, clipped; NaN if missing.
    pub(super) fn clipped(&self) -> &[f64] {
        &self.clipped
    }

    /// The newest row in units, clipped; the last known value where one is missing.
    pub(super) fn held(&self) -> &[f64] {
        &self.held
    }

    /// The newest row without what is usual at its time of day; NaN if missing.
    pub(super) fn unseasonal(&self) -> &[f64] {
        &self.unseasonal
    }

    /// The newest row's [`STATISTICS`], a block of all features for each; NaN if missing.
    pub(super) fn statistics(&self) -> &[f64] {
        &self.statistics
    }

    /// The known rows of one feature in units, clipped and held, oldest first: at most [`LONG`].
    pub(super) fn recent(&self, feature: usize) -> Vec<f64> {
        let d = self.units.len();
        let at = |back: usize| self.ring[(self.next + LONG - 1 - back) % LONG * d + feature];
        (0..self.filled).rev().map(at).collect()
    }

    /// The rows before the newest, newest first, if there have been enough since the last restart.
    pub(super) fn lags(&self) -> Option<&[f64]> {
        // The newest row is in the ring already.
        (self.filled > LAGS).then_some(&self.lags)
    }

    /// How far the newest row's values, clipped but with nothing excused, moved since the known ones before; NaN if
    /// missing.
    pub(super) fn moves(&self) -> &[f64] {
        &self.moves
    }

    /// The share of the week's half hours that were seen in two weeks at least.
    pub(super) fn week_readiness(&self) -> f64 {
        self.week.readiness()
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.lists().into_iter().map(bytes_of).sum::<usize>()
            + self.week.bytes()
            + self.season.bytes()
    }

    fn lists(&self) -> [&Vec<f64>; 9] {
        [
            &self.measured,
            &self.moves,
            &self.ring,
            &self.units,
            &self.clipped,
            &self.unseasonal,
            &self.held,
            &self.statistics,
            &self.lags,
        ]
    }

    pub(super) fn reset(&mut self) {
        self.filled = 0;
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.u32(self.next as u32);
        w.u32(self.filled as u32);
        w.u32(self.clock.name().len() as u32);
        w.raw(self.clock.name().as_bytes());
        self.week.write_to(w);
        self.season.write_to(w);
        for list in self.lists() {
            w.f64s(list.iter().copied());
        }
    }

    /// What was learned by the clocks of another zone than this one is forgotten.
    pub(super) fn read_from(
        r: &mut Reader<'_>,
        scales: &[FeatureScale],
        zone: &Arc<dyn LocalTime>,
    ) -> Result<Self> {
        let mut inputs = Self::new(scales, 1.0, Arc::clone(zone));
        inputs.next = r.u32()? as usize;
        inputs.filled = r.u32()? as usize;
        let length = r.u32()? as usize;
        let is_same_zone = r.raw(length)? == zone.name().as_bytes();
        inputs.week = Week::read_from(r, scales)?;
        inputs.season = Season::read_from(r, scales.len())?;
        if !is_same_zone {
            inputs.week.forget();
            inputs.season.forget();
        }
        let mut usable = inputs.next < LONG && inputs.filled <= LONG;
        for (list, may_miss) in [
            (&mut inputs.measured, false),
            (&mut inputs.moves, true),
            (&mut inputs.ring, false),
            (&mut inputs.units, true),
            (&mut inputs.clipped, true),
            (&mut inputs.unseasonal, true),
            (&mut inputs.held, false),
            (&mut inputs.statistics, true),
            (&mut inputs.lags, false),
        ] {
            let read = r.f64s()?;
            usable &= read.len() == list.len();
            usable &= read.iter().all(|v| v.abs() <= 1e10 || (may_miss && v.is_nan()));
            *list = read;
        }
        if !usable {
            return Err(Error::corrupt("the detector's inputs", "a value is out of range"));
        }
        Ok(inputs)
    }
}

/// Mean and sample deviation of the newest `rows` rows of a ring whose next row goes to `next`.
fn window(
    ring: &[f64],
    d: usize,
    next: usize,
    rows: usize,
    means: &mut [f64],
    deviations: &mut [f64],
) {
    let newest = || (0..rows).map(|back| &ring[(next + LONG - 1 - back) % LONG * d..][..d]);
    means.fill(0.0);
    for row in newest() {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value;
        }
    }
    let share = 1.0 / rows as f64;
    means.iter_mut().for_each(|mean| *mean *= share);
    deviations.fill(0.0);
    if rows < 2 {
        return;
    }
    for row in newest() {
        for ((sum, value), mean) in deviations.iter_mut().zip(row).zip(means.iter()) {
            *sum += (value - mean) * (value - mean);
        }
    }
    let share = 1.0 / (rows - 1) as f64;
    deviations.iter_mut().for_each(|sum| *sum = (*sum * share).sqrt());
}
