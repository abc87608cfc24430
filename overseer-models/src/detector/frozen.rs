//! For how long features that usually change have not.
//!
//! A sensor that hangs, a counter nobody updates and a service that has stopped all look calm. What tells is that a
//! feature stays where it is for longer than it ever did, once it has been seen to change often enough to know.

use super::memory::bytes_of;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// A stretch counts in units of the longest before it and so many rows more: short ones say nothing.
const ROWS: f64 = 10.0;
/// Before so many changes nobody knows how long a feature stays where it is.
const CHANGES: f64 = 20.0;
/// A stretch so many times as long as any before has been reported for long enough and is usual from then on.
const ACCEPTED: f64 = 5.0;

/// Each feature's unchanged stretch.
#[derive(Debug, Clone)]
pub(super) struct Frozen {
    /// Rows since the last change, the longest such stretch that ended, and how many did.
    run: Vec<f64>,
    longest: Vec<f64>,
    changes: Vec<f64>,
    /// How long the stretch is in units of the longest; 0 where that is not known.
    parts: Vec<f64>,
}

impl Frozen {
    pub(super) fn new(features: usize) -> Self {
        let zeros = || vec![0.0; features];
        Self { run: zeros(), longest: zeros(), changes: zeros(), parts: zeros() }
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        [&self.run, &self.longest, &self.changes, &self.parts].into_iter().map(bytes_of).sum()
    }

    /// Takes the next row: its values in units, and how they differ from the ones before. A missing value changes
    /// nothing.
    pub(super) fn push(&mut self, units: &[f64], jumps: &[f64]) {
        for (j, (unit, jump)) in units.iter().zip(jumps).enumerate() {
            if unit.is_nan() {
                self.parts[j] = 0.0;
                continue;
            }
            if *jump == 0.0 {
                self.run[j] += 1.0;
            } else {
                self.longest[j] = self.longest[j].max(self.run[j]);
                self.changes[j] += 1.0;
                self.run[j] = 0.0;
            }
            let part = self.run[j] / (self.longest[j] + ROWS);
            if part >= ACCEPTED {
                self.longest[j] = self.run[j];
            }
            self.parts[j] = if self.changes[j] >= CHANGES { part } else { 0.0 };
        }
    }

    /// How far the row is from one in which everything changes: the root of the parts' squares, so that several
    /// features that stop say more than one, and short stretches of many say little.
    pub(super) fn score(&self) -> f64 {
        self.parts.iter().map(|part| part * part).sum::<f64>().sqrt()
    }

    /// Each feature's part in that: its square.
    pub(super) fn parts(&self) -> impl Iterator<Item = f64> + '_ {
        self.parts.iter().map(|part| part * part)
    }

    /// For how many rows a feature has been the same, if that is longer than ever before; 0 otherwise.
    ///
    /// Unlike [`Frozen::parts`] this is so for as long as it lasts, also when it has been reported for long enough.
    pub(super) fn rows(&self, feature: usize) -> f64 {
        let (run, longest) = (self.run[feature], self.longest[feature]);
        let is_known = self.changes[feature] >= CHANGES;
        if is_known && run >= longest.max(ROWS) { run } else { 0.0 }
    }

    /// Nobody knows what happened in a gap.
    pub(super) fn reset(&mut self) {
        self.run.fill(0.0);
        self.parts.fill(0.0);
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        for list in [&self.run, &self.longest, &self.changes, &self.parts] {
            w.f64s(list.iter().copied());
        }
    }

    pub(super) fn read_from(r: &mut Reader<'_>, features: usize) -> Result<Self> {
        let mut list = || -> Result<Vec<f64>> {
            let list = r.f64s()?;
            let usable = list.len() == features && list.iter().all(|v| (0.0..1e15).contains(v));
            if usable {
                Ok(list)
            } else {
                Err(Error::corrupt("the detector's unchanged stretches", "a count is out of range"))
            }
        };
        Ok(Self { run: list()?, longest: list()?, changes: list()?, parts: list()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(frozen: &mut Frozen, rows: usize, jump: f64) -> f64 {
        (0..rows).for_each(|_| frozen.push(&[1.0], &[jump]));
        frozen.score()
    }

    #[test]
    fn a_feature_that_changed_every_row_is_missed_after_some_rows_and_accepted_in_the_end() {
        let mut frozen = Frozen::new(1);
        assert_eq!(after(&mut frozen, 100, 0.5), 0.0);
        assert_eq!(after(&mut frozen, 30, 0.0), 3.0);
        assert!(after(&mut frozen, 25, 0.0) < 1.0);
    }

    #[test]
    fn what_never_changed_or_is_missing_is_not_frozen() {
        let mut frozen = Frozen::new(1);
        assert_eq!(after(&mut frozen, 1000, 0.0), 0.0);
        assert_eq!(after(&mut frozen, 100, 0.5), 0.0);
        frozen.push(&[f64::NAN], &[f64::NAN]);
        assert_eq!(frozen.score(), 0.0);
    }
}
