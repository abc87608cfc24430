//! How far a row lies outside everything that was usual, in units that matter, whatever is known of their spread.
//!
//! After a minute of samples nobody knows how rare something is, but a value twenty units beyond all before it is
//! remarkable, and one within the resolution of them is not. Ranges give way slowly: a level that lasts some hundred
//! rows is usual then, and one wild row moves next to nothing.

use super::memory::bytes_of;
use super::scale::FeatureScale;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};
use std::f64::consts::LN_10;

/// This many units outside the range are no excess: a new extreme next to an old one is nothing new.
const SLACK: f64 = 1.0;
/// A value at most this many units outside the range belongs to it from then on.
const NEAR: f64 = 3.0;
/// What the range gives way by each row to a value farther out, as a share of the distance.
const GIVE: f64 = 0.005;
/// A feature with a wide range counts its excess in tenths of that.
const WIDE: f64 = 10.0;
/// Up to about this excess the total grows in proportion, beyond it by the logarithm.
const KNEE: f64 = 15.0;
/// The share of normal rows that are so far out is taken to fall to a third in this many units.
const DECAY: f64 = 0.7;
/// The newest row's share of the lasting excess.
const NEWEST: f64 = 0.1;

/// The ranges of all features, and how far outside them the last rows were.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    low: Vec<f64>,
    high: Vec<f64>,
    /// The newest row's excess per feature, and its running average, 0 after a restart.
    now: Vec<f64>,
    lately: Vec<f64>,
}

impl Reach {
    pub(super) fn new(scales: &[FeatureScale]) -> Self {
        Self {
            low: scales.iter().map(|s| s.usual.0).collect(),
            high: scales.iter().map(|s| s.usual.1).collect(),
            now: vec![0.0; scales.len()],
            lately: vec![0.0; scales.len()],
        }
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        [&self.low, &self.high, &self.now, &self.lately].into_iter().map(bytes_of).sum()
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
            self.now[j] = (outside - SLACK).max(0.0) / ((high - low) / WIDE).max(1.0);
            self.lately[j] += NEWEST * (self.now[j] - self.lately[j]);
            let step = if outside <= NEAR { outside } else { GIVE * outside };
            if unit < low {
                self.low[j] -= step;
            } else if unit > high {
                self.high[j] += step;
            }
        }
    }

    /// Minus the decimal logarithm of how rare it is for a row to be so far out, by guess.
    pub(super) fn evidence(&self) -> f64 {
        distance(&self.now).max(distance(&self.lately)) / (DECAY * LN_10)
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
            return Err(Error::corrupt("the detector's reach", "a value is out of range"));
        }
        Ok(Self { low, high, now, lately })
    }
}

/// The distance of a row from the box, from its excess per feature; 0 inside and next to it.
fn distance(excess: &[f64]) -> f64 {
    let squares: f64 = excess.iter().map(|e| e * e).sum();
    KNEE * (squares.sqrt() / KNEE).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit_range() -> Reach {
        Reach { low: vec![-1.0], high: vec![1.0], now: vec![0.0], lately: vec![0.0] }
    }

    #[test]
    fn one_spike_moves_the_range_by_next_to_nothing_and_a_lasting_level_becomes_usual() {
        let mut reach = unit_range();
        reach.push(&[21.0]);
        assert_eq!(reach.now, [19.0]);
        assert!((reach.high[0] - 1.1).abs() < 1e-9);
        let rows = (0..).take_while(|_| {
            reach.push(&[21.0]);
            reach.now[0] > 0.0
        });
        let rows = rows.count();
        assert!((200..500).contains(&rows), "{rows} rows until the level is usual");
    }

    #[test]
    fn what_is_near_or_missing_is_no_excess() {
        let mut reach = unit_range();
        reach.push(&[2.0]);
        reach.push(&[f64::NAN]);
        assert_eq!((reach.now[0], reach.high[0], reach.evidence()), (0.0, 2.0, 0.0));
    }

    #[test]
    fn the_distance_grows_without_end_but_ever_slower() {
        assert!((distance(&[0.11]) - 0.11).abs() < 0.001);
        assert!(distance(&[1e6]) > distance(&[1e3]) + 50.0);
        assert!(distance(&[3.0, 4.0]) == distance(&[5.0]));
    }
}
