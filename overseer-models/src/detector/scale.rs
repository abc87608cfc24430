//! The scale of one feature: where it usually is and how much it usually varies.

use super::week::BEYOND;
use crate::file::{Reader, Writer};
use crate::stats::{mean_and_variance, quantile_sorted, sorted_known};
use overseer_core::{Error, Feature, Result, Unit};

/// Larger values are cut to this, so that squares stay finite.
const LARGEST_VALUE: f64 = 1e150;

/// Distances in units are cut to this.
const LARGEST_UNITS: f64 = 1e9;

/// A feature that deviates by less than this share of its mean, and more often than not stays exactly where it is, counts
/// as one that never varied.
const NEARLY_CONSTANT: f64 = 1e-3;

/// Values outside this share of the others, on either side, may be broken readings: they count for no more than one
/// that lies beyond the others by [`WILD`] times what these span.
const OUTSIDE: f64 = 0.005;
const WILD: f64 = 10.0;

/// How a feature's values become units, learned from its past and then frozen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FeatureScale {
    /// Values well above this are taken by their logarithm, smaller ones as they are; 0 takes all as they are.
    linear_below: f64,
    /// The feature's resolution; 0 where it is not known.
    resolution: f64,
    /// The mean, after that; NaN if no value was known.
    center: f64,
    /// One unit: the usual variation, or the change that matters if that is larger.
    scale: f64,
    /// What all values kept between, in units.
    pub(super) usual: (f64, f64),
    /// Between which most values lay, in units: a twentieth of them was below, a twentieth above.
    pub(super) ordinary: (f64, f64),
    /// What a person is told to expect: the 1 % and 99 % quantiles widened by a unit, in the feature's own unit.
    pub(super) expected: (f64, f64),
}

impl FeatureScale {
    /// Learns from a feature's past values, of which some may be missing.
    ///
    /// One unit is the largest of the standard deviation, the feature's resolution and a billionth of the mean. A
    /// feature that never varied, or seldom and by less than a thousandth of its value, and has no resolution, takes a
    /// hundredth of its value, at least 1e-6, or 1 if it was always 0. A few wild values make no difference.
    pub(super) fn learn(values: impl IntoIterator<Item = f64>, feature: &Feature) -> Self {
        let resolution = feature.resolution.unwrap_or(0.0);
        let linear_below = if feature.unit == Unit::BytesPerSecond { resolution } else { 0.0 };
        let unfitted = Self {
            linear_below,
            resolution,
            center: f64::NAN,
            scale: 1.0,
            usual: (f64::NAN, f64::NAN),
            ordinary: (f64::NAN, f64::NAN),
            expected: (f64::NAN, f64::NAN),
        };
        let (mut before, mut stays, mut moves) = (f64::NAN, 0_usize, 0_usize);
        let mut sorted = sorted_known(values.into_iter().map(|v| {
            let v = unfitted.straighten(v);
            stays += usize::from(v == before);
            moves += usize::from(v != before && !v.is_nan() && !before.is_nan());
            before = v;
            v
        }));
        temper(&mut sorted);
        let (Some(&least), Some(&greatest)) = (sorted.first(), sorted.last()) else {
            return unfitted;
        };
        let at = |q| quantile_sorted(&sorted, q);
        let (center, variance, _) = mean_and_variance(sorted.iter().copied());
        let deviation = variance.max(0.0).sqrt();
        let size = center.abs();
        let scale = if resolution > 0.0 {
            deviation.max(resolution).max(1e-9 * size)
        } else if greatest > least && (deviation >= NEARLY_CONSTANT * size || moves > stays) {
            deviation.max(1e-12 * size)
        } else if center == 0.0 {
            1.0
        } else {
            (0.01 * size).max(1e-6)
        };
        let fitted = Self { center, scale, ..unfitted };
        let units = |v: f64| ((v - center) / scale).clamp(-LARGEST_UNITS, LARGEST_UNITS);
        let mut low = fitted.bend_back(at(0.01) - scale);
        let mut high = fitted.bend_back(at(0.99) + scale);
        // A unit's width must not promise what cannot be: a negative rate, or more than the whole.
        if least >= 0.0 {
            low = low.max(0.0);
        }
        if feature.unit == Unit::Ratio && greatest <= 1.0 {
            high = high.min(1.0);
        }
        let usual = (units(least), units(greatest));
        let ordinary = (units(at(BEYOND)), units(at(1.0 - BEYOND)));
        Self { usual, ordinary, expected: (low, high), ..fitted }
    }

    /// The variance that the feature's resolution alone explains, in units: what nobody would act on.
    pub(super) fn noise(&self) -> f64 {
        (self.resolution / self.scale).powi(2)
    }

    /// Whether it ever varied.
    pub(super) fn varies(&self) -> bool {
        self.usual.1 > self.usual.0
    }

    /// How many units a value lies from the mean, at most 1e9; NaN if it is missing or nothing was learned.
    pub(super) fn units(&self, value: f64) -> f64 {
        let units = (self.straighten(value) - self.center) / self.scale;
        units.clamp(-LARGEST_UNITS, LARGEST_UNITS)
    }

    /// A heavy-tailed value becomes `r asinh(x / r)`: itself well below `r`, logarithmic well above.
    fn straighten(&self, value: f64) -> f64 {
        let value = value.clamp(-LARGEST_VALUE, LARGEST_VALUE);
        match self.linear_below {
            0.0 => value,
            r => r * (value / r).asinh(),
        }
    }

    /// The inverse of [`FeatureScale::straighten`].
    fn bend_back(&self, value: f64) -> f64 {
        match self.linear_below {
            0.0 => value,
            r => (r * (value / r).sinh()).clamp(-LARGEST_VALUE, LARGEST_VALUE),
        }
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        let (usual, expected) = (self.usual, self.expected);
        for v in [self.linear_below, self.resolution, self.center, self.scale, usual.0, usual.1] {
            w.f64(v);
        }
        for v in [self.ordinary.0, self.ordinary.1, expected.0, expected.1] {
            w.f64(v);
        }
    }

    pub(super) fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let (linear_below, resolution) = (r.finite()?, r.finite()?);
        let center = r.f64()?;
        let scale = r.finite()?;
        let usual = (r.f64()?, r.f64()?);
        let ordinary = (r.f64()?, r.f64()?);
        let expected = (r.f64()?, r.f64()?);
        let ends = [usual, ordinary, expected];
        if linear_below < 0.0
            || resolution < 0.0
            || scale <= 0.0
            || center.is_infinite()
            || ends.iter().any(|(low, high)| low.is_infinite() || high.is_infinite())
        {
            return Err(Error::corrupt("a feature's scale", "a value is out of range"));
        }
        Ok(Self { linear_below, resolution, center, scale, usual, ordinary, expected })
    }
}

/// Cuts a few wild values among ascending ones to what the others make believable. Where the others do not vary at all,
/// nobody knows what is wild.
fn temper(sorted: &mut [f64]) {
    let (low, high) = (quantile_sorted(sorted, OUTSIDE), quantile_sorted(sorted, 1.0 - OUTSIDE));
    if high > low {
        let slack = WILD * (high - low);
        sorted.iter_mut().for_each(|v| *v = v.clamp(low - slack, high + slack));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_feature_keeps_its_resolution_as_unit() {
        let feature = Feature::new("cpu", Unit::Ratio).with_resolution(0.05);
        let scale = FeatureScale::learn((0..100).map(|i| 0.02 + 1e-4 * f64::from(i % 3)), &feature);
        assert!((scale.units(1.0) - 19.6).abs() < 0.01);
        assert_eq!(scale.expected.0, 0.0);
        assert!((scale.expected.1 - 0.0702).abs() < 1e-6);
    }

    #[test]
    fn a_constant_feature_has_a_unit_in_proportion() {
        let unknown = Feature::new("a", Unit::Unknown);
        assert_eq!(FeatureScale::learn([50.0; 9], &unknown).units(51.0), 2.0);
        assert_eq!(FeatureScale::learn([0.0; 9], &unknown).units(3.0), 3.0);
        assert!(FeatureScale::learn([f64::NAN; 9], &unknown).units(3.0).is_nan());
    }

    #[test]
    fn bytes_per_second_count_by_their_logarithm() {
        let feature = Feature::new("net", Unit::BytesPerSecond).with_resolution(1e6);
        let scale = FeatureScale::learn([0.0; 50], &feature);
        assert!((scale.units(1e5) - 0.0998).abs() < 1e-3);
        assert!(scale.units(1e9) < 8.0);
    }

    #[test]
    fn extreme_values_stay_finite() {
        let unknown = Feature::new("a", Unit::Unknown);
        let scale = FeatureScale::learn([f64::MAX, f64::MIN, 0.0, f64::MAX], &unknown);
        assert!(scale.units(f64::MIN).is_finite() && scale.units(f64::MAX).is_finite());
    }
}
