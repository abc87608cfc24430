//! How far a row lies outside everything that was usual.
//!
//! A forest cannot tell: beyond its training rows every value is as far as the outermost one. So each feature keeps
//! the range its past values had, and a row's excess is its distance from the box of all these ranges.

use super::scale::FeatureScale;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// This many units outside the range are no excess: a new extreme next to an old one is nothing new.
const SLACK: f64 = 1.0;

/// A value at most this many units outside the range belongs to it from then on.
const NEAR: f64 = 3.0;

/// What the range gives way by each row to a value farther out, as a share of the distance. A level 20 units away is
/// taken for usual after about 400 rows; a single row moves the range by a two-hundredth.
const GIVE: f64 = 0.005;

/// A feature with a wide range counts its excess in tenths of that.
const WIDE: f64 = 10.0;

/// Up to about this excess the total grows in proportion, beyond it by the logarithm, for whatever lies outside a
/// bounded past may lie outside by any factor.
const KNEE: f64 = 15.0;

/// A distance up to this is none: what an average has all but forgotten must not rank above never having been.
const NOTHING: f64 = 0.01;

/// The newest row's share of the lasting excess.
const NEWEST: f64 = 0.1;

/// The ranges of all features and how far the newest rows lay outside them.
#[derive(Debug, Clone)]
pub(super) struct Ranges {
    low: Vec<f64>,
    high: Vec<f64>,
    /// The newest row's excess per feature.
    now: Vec<f64>,
    /// Its running average, 0 after a restart.
    lately: Vec<f64>,
}

impl Ranges {
    pub(super) fn new(scales: &[FeatureScale]) -> Self {
        Self {
            low: scales.iter().map(|s| s.usual.0).collect(),
            high: scales.iter().map(|s| s.usual.1).collect(),
            now: vec![0.0; scales.len()],
            lately: vec![0.0; scales.len()],
        }
    }

    /// Takes the next row in units: measures its excess, then lets the ranges give way to it.
    pub(super) fn push(&mut self, units: &[f64]) {
        for (j, &unit) in units.iter().enumerate() {
            let (low, high) = (self.low[j], self.high[j]);
            // A missing value or range compares false everywhere and has no excess.
            let outside = if unit < low {
                low - unit
            } else if unit > high {
                unit - high
            } else {
                0.0
            };
            let unit_of_range = ((high - low) / WIDE).max(1.0);
            self.now[j] = (outside - SLACK).max(0.0) / unit_of_range;
            self.lately[j] += NEWEST * (self.now[j] - self.lately[j]);
            let step = if outside <= NEAR { outside } else { GIVE * outside };
            if unit < low {
                self.low[j] -= step;
            } else if unit > high {
                self.high[j] += step;
            }
        }
    }

    /// The newest row's excess per feature.
    pub(super) fn now(&self) -> &[f64] {
        &self.now
    }

    /// The excess of the last rows per feature, about ten of them.
    pub(super) fn lately(&self) -> &[f64] {
        &self.lately
    }

    pub(super) fn reset(&mut self) {
        self.lately.fill(0.0);
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        for list in [&self.low, &self.high, &self.now, &self.lately] {
            w.f64s(list.iter().copied());
        }
    }

    pub(super) fn read_from(r: &mut Reader<'_>, features: usize) -> Result<Self> {
        let (low, high, now, lately) = (r.f64s()?, r.f64s()?, r.f64s()?, r.f64s()?);
        let fits = [&low, &high, &now, &lately].iter().all(|list| list.len() == features);
        let ordered = low
            .iter()
            .zip(&high)
            .all(|(l, h)| (l.is_nan() && h.is_nan()) || (l.is_finite() && h.is_finite() && l <= h));
        let excess = now.iter().chain(&lately).all(|v| v.is_finite() && *v >= 0.0);
        if !(fits && ordered && excess) {
            return Err(Error::corrupt("the detector's ranges", "a value is out of range"));
        }
        Ok(Self { low, high, now, lately })
    }
}

/// The distance of a row from the box, from its excess per feature; 0 inside and next to it.
pub(super) fn distance(excess: &[f64]) -> f64 {
    let squares: f64 = excess.iter().map(|e| e * e).sum();
    let distance = (squares.sqrt() - NOTHING).max(0.0);
    KNEE * (distance / KNEE).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit_range() -> Ranges {
        Ranges { low: vec![-1.0], high: vec![1.0], now: vec![0.0], lately: vec![0.0] }
    }

    #[test]
    fn one_spike_moves_the_range_by_next_to_nothing_and_a_lasting_level_becomes_usual() {
        let mut ranges = unit_range();
        ranges.push(&[21.0]);
        assert_eq!(ranges.now(), [19.0]);
        assert!((ranges.high[0] - 1.1).abs() < 1e-9);
        let rows = (0..).take_while(|_| {
            ranges.push(&[21.0]);
            ranges.now()[0] > 0.0
        });
        let rows = rows.count();
        assert!((200..500).contains(&rows), "{rows} rows until the level is usual");
    }

    #[test]
    fn what_is_near_or_missing_is_no_excess() {
        let mut ranges = unit_range();
        ranges.push(&[2.0]);
        ranges.push(&[f64::NAN]);
        assert_eq!((ranges.now(), ranges.high[0]), (&[0.0][..], 2.0));
        assert_eq!(distance(ranges.now()), 0.0);
    }

    #[test]
    fn the_distance_grows_without_end_but_ever_slower() {
        assert!((distance(&[0.11]) - 0.1).abs() < 0.001);
        assert_eq!(distance(&[0.01]), 0.0);
        assert!(distance(&[1e6]) > distance(&[1e3]) + 50.0);
        assert!(distance(&[3.0, 4.0]) == distance(&[5.0]));
    }
}
