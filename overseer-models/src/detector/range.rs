//! How far a row lies outside everything that was usual.

use super::memory::bytes_of;
use super::scale::FeatureScale;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// The newest row's share of the lasting excess.
const NEWEST: f64 = 0.2;
/// How fast an excess grows within the usual range: tenfold of it is 4.6 and more.
const STEEPNESS: f64 = 10.0;
/// An end of the range gives way to a value beyond it by this share of the way: a level that lasts is usual after some
/// rows, and one wild row does not blind the feature.
const GIVE: f64 = 0.5;
/// A feature whose range is narrower than this many units, or this many resolutions, counts as having this range.
const NARROWEST: f64 = 0.5;
const RESOLUTIONS: f64 = 10.0;

/// The ranges of all features and how far the newest rows lay outside them.
#[derive(Debug, Clone)]
pub(super) struct Ranges {
    low: Vec<f64>,
    high: Vec<f64>,
    /// The least range of each feature.
    narrowest: Vec<f64>,
    /// The newest row's excess per feature.
    now: Vec<f64>,
    /// Its running average per feature, 0 after a restart.
    lately: Vec<f64>,
}

impl Ranges {
    pub(super) fn new(scales: &[FeatureScale]) -> Self {
        let features = scales.len();
        let narrowest = |s: &FeatureScale| NARROWEST.max(RESOLUTIONS * s.noise().sqrt());
        Self {
            narrowest: scales.iter().map(narrowest).collect(),
            low: vec![f64::NAN; features],
            high: vec![f64::NAN; features],
            now: vec![0.0; features],
            lately: vec![0.0; features],
        }
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        [&self.low, &self.high, &self.narrowest, &self.now, &self.lately]
            .into_iter()
            .map(bytes_of)
            .sum()
    }

    /// Takes the next row in units: measures its excess, then widens the ranges by it.
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
            self.now[j] = (STEEPNESS * outside / (high - low).max(self.narrowest[j])).ln_1p();
            self.lately[j] += NEWEST * (self.now[j] - self.lately[j]);
            // The first value is both ends; later ones move an end part of the way.
            if low.is_nan() {
                self.low[j] = unit;
                self.high[j] = unit;
            } else if unit < low {
                self.low[j] -= GIVE * outside;
            } else if unit > high {
                self.high[j] += GIVE * outside;
            }
        }
    }

    /// The excess of the last rows per feature, about five of them.
    pub(super) fn lately(&self) -> &[f64] {
        &self.lately
    }

    /// The excess of the newest row.
    pub(super) fn now(&self) -> f64 {
        self.now.iter().sum()
    }

    pub(super) fn total(&self) -> f64 {
        self.lately.iter().sum()
    }

    pub(super) fn reset(&mut self) {
        self.lately.fill(0.0);
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        for list in [&self.low, &self.high, &self.now, &self.lately] {
            w.f64s(list.iter().copied());
        }
    }

    pub(super) fn read_from(r: &mut Reader<'_>, scales: &[FeatureScale]) -> Result<Self> {
        let features = scales.len();
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
        Ok(Self { low, high, now, lately, ..Self::new(scales) })
    }
}
