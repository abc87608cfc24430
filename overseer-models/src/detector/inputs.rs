//! What the detector looks at: every feature in units of its own usual variation, now and lately.

use super::scale::FeatureScale;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// How many numbers the forest sees of each feature.
pub(super) const PER_FEATURE: usize = 2;

/// Beyond this many units a value counts as this many, so that one wild value does not fill the average.
const CLIP: f64 = 20.0;

/// The newest row's share of the average: 2 / (5 + 1), an average over about five rows.
const NEWEST: f64 = 1.0 / 3.0;

/// Turns rows into the forest's inputs, one row at a time, keeping a short average of each feature.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    scales: Vec<FeatureScale>,
    /// The short average of each feature's units; 0, the usual value, after a restart.
    averages: Vec<f64>,
    units: Vec<f64>,
    forest: Vec<f64>,
}

impl Inputs {
    pub(super) fn new(scales: Vec<FeatureScale>) -> Self {
        let d = scales.len();
        let nothing = f64::NAN;
        Self {
            scales,
            averages: vec![0.0; d],
            units: vec![nothing; d],
            forest: vec![nothing; d * PER_FEATURE],
        }
    }

    /// Takes the next row, whose values are finite or missing.
    pub(super) fn push(&mut self, values: &[f64]) {
        for (j, (scale, &value)) in self.scales.iter().zip(values).enumerate() {
            let unit = scale.units(value);
            self.units[j] = unit;
            let inputs = &mut self.forest[j * PER_FEATURE..(j + 1) * PER_FEATURE];
            if unit.is_nan() {
                // The average keeps what it knew; the row itself says nothing of this feature.
                inputs.fill(f64::NAN);
                continue;
            }
            let clipped = unit.clamp(-CLIP, CLIP);
            self.averages[j] += NEWEST * (clipped - self.averages[j]);
            inputs[0] = departure(clipped);
            inputs[1] = departure(self.averages[j]);
        }
    }

    /// The newest row: each value's distance from the feature's median in units of its scale; NaN if missing.
    pub(super) fn units(&self) -> &[f64] {
        &self.units
    }

    /// The newest row as the forest sees it, [`PER_FEATURE`] numbers a feature: how far off it is now, and how far
    /// off its short average is. Never negative; NaN if missing.
    pub(super) fn forest(&self) -> &[f64] {
        &self.forest
    }

    pub(super) fn scales(&self) -> &[FeatureScale] {
        &self.scales
    }

    pub(super) fn reset(&mut self) {
        self.averages.fill(0.0);
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.u64(self.scales.len() as u64);
        self.scales.iter().for_each(|s| s.write_to(w));
        w.f64s(self.averages.iter().copied());
        w.f64s(self.units.iter().copied());
        w.f64s(self.forest.iter().copied());
    }

    pub(super) fn read_from(r: &mut Reader<'_>, features: usize) -> Result<Self> {
        let fits = r.length()? == features;
        if !fits {
            return Err(Error::corrupt("the detector's inputs", "another number of features"));
        }
        let scales = (0..features).map(|_| FeatureScale::read_from(r)).collect::<Result<_>>()?;
        let (averages, units, forest) = (r.f64s()?, r.f64s()?, r.f64s()?);
        let lengths = averages.len() == features
            && units.len() == features
            && forest.len() == features * PER_FEATURE;
        let usable = averages.iter().all(|v| v.abs() <= CLIP)
            && units.iter().chain(&forest).all(|v| !v.is_infinite());
        if !(lengths && usable) {
            return Err(Error::corrupt("the detector's inputs", "a value is out of range"));
        }
        Ok(Self { scales, averages, units, forest })
    }
}

/// How far off a number of units is: about the number itself when it is large, and next to nothing below 1, where
/// differences are smaller than the feature's usual variation or than anybody would act on.
fn departure(units: f64) -> f64 {
    units * units / (1.0 + units.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::Feature;

    #[test]
    fn a_missing_value_stays_missing_and_the_average_waits_for_the_next() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i % 5)).collect();
        let scale = FeatureScale::learn(values, &Feature::new("a", overseer_core::Unit::Unknown));
        let mut inputs = Inputs::new(vec![scale]);
        inputs.push(&[100.0]);
        let after_one = inputs.averages[0];
        assert!((after_one - CLIP / 3.0).abs() < 1e-12);
        inputs.push(&[f64::NAN]);
        assert!(inputs.forest().iter().chain(inputs.units()).all(|v| v.is_nan()));
        assert_eq!(inputs.averages[0], after_one);
        inputs.push(&[100.0]);
        assert!(inputs.averages[0] > after_one && inputs.forest()[0] > 18.0);
        inputs.reset();
        assert_eq!(inputs.averages, [0.0]);
    }
}
