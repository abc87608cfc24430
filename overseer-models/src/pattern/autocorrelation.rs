//! How alike a series and its own past are.

use overseer_core::{Error, Result};
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::fmt;
use std::sync::Arc;

/// The autocorrelation of all lags of a series at once, through its power spectrum (Wiener and Khinchin), planned once
/// for series of up to so many values.
///
/// ```
/// use overseer_models::pattern::Autocorrelation;
///
/// // Something that comes back every twelfth sample.
/// let series: Vec<f64> = (0..240).map(|i| if i % 12 == 0 { 1.0 } else { 0.0 }).collect();
/// let r = Autocorrelation::new(240).of(&series, 24)?;
/// assert_eq!(r.len(), 25);
/// assert!((r[12] - 1.0).abs() < 1e-9 && r[6] < 0.0);
/// # Ok::<(), overseer_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Autocorrelation {
    points: usize,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
}

impl fmt::Debug for Autocorrelation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Autocorrelation").field("points", &self.points).finish_non_exhaustive()
    }
}

impl Autocorrelation {
    /// Plans for series of up to `points` values; takes tens of microseconds, and about 50 bytes a point.
    #[must_use]
    pub fn new(points: usize) -> Self {
        // Room behind the values, so that the end of a series does not meet its beginning.
        let length = (2 * points).next_power_of_two().max(2);
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) =
            (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        Self { points, forward, inverse }
    }

    /// The autocorrelation of the lags 0 to `max_lag`, each -1–1 but for noise of few pairs, about the mean of the
    /// known values; missing values are NaN.
    ///
    /// Each lag's mean product is over the pairs that are known, divided by the variance. A lag without any pair and a
    /// series without variance give 0.
    ///
    /// # Errors
    /// If there are more values or lags than were planned for, or one is infinite.
    pub fn of(&self, values: &[f64], max_lag: usize) -> Result<Vec<f64>> {
        for (name, asked) in [("values", values.len()), ("max_lag", max_lag)] {
            if asked > self.points {
                let why = format!("at most {} were planned for, not {asked}", self.points);
                return Err(Error::invalid_parameter(name, why));
            }
        }
        let Centered { values: mut products, known, variance } =
            Centered::new(values, self.forward.len());
        if variance <= 0.0 {
            return Ok(vec![0.0; max_lag + 1]);
        }
        if variance.is_nan() {
            let at = values.iter().position(|v| v.is_infinite()).unwrap_or_default();
            return Err(Error::invalid_value(format!("value {at}"), "is infinite"));
        }
        products.resize(self.forward.len(), 0.0);
        self.with_itself(&mut products)?;
        products.truncate(max_lag + 1);
        let by_variance = 1.0 / variance;
        if known == values.len() {
            for (lag, r) in products.iter_mut().enumerate() {
                *r *= by_variance / known.saturating_sub(lag).max(1) as f64;
            }
        } else {
            let mut pairs: Vec<f64> =
                values.iter().map(|v| f64::from(u8::from(!v.is_nan()))).collect();
            pairs.resize(self.forward.len(), 0.0);
            self.with_itself(&mut pairs)?;
            for (r, pairs) in products.iter_mut().zip(pairs) {
                // How many pairs there are is a whole number, of which rounding left something.
                let pairs = pairs.round();
                *r = if pairs > 0.0 { *r * by_variance / pairs } else { 0.0 };
            }
        }
        // Without pairs the transform leaves rounding instead of nothing.
        products.iter_mut().skip(values.len()).for_each(|r| *r = 0.0);
        Ok(products)
    }

    /// The powers of a series without gaps at evenly spaced frequencies from 0 to half a cycle a value, both included: at
    /// least two for each that the series itself can tell apart.
    pub(super) fn powers(&self, mut series: Vec<f64>) -> Result<Vec<f64>> {
        if series.len() > self.points {
            let why = format!("at most {} were planned for, not {}", self.points, series.len());
            return Err(Error::invalid_parameter("values", why));
        }
        series.resize(self.forward.len(), 0.0);
        Ok(self.spectrum(&mut series)?.iter().map(Complex64::norm_sqr).collect())
    }

    fn spectrum(&self, series: &mut [f64]) -> Result<Vec<Complex64>> {
        let mut spectrum = self.forward.make_output_vec();
        let mut scratch = self.forward.make_scratch_vec();
        self.forward
            .process_with_scratch(series, &mut spectrum, &mut scratch)
            .map_err(|e| Error::other("transforming a series", e))?;
        Ok(spectrum)
    }

    /// Turns a series into its sums of products with itself, by lag.
    fn with_itself(&self, series: &mut [f64]) -> Result<()> {
        let fault = |e| Error::other("correlating a series with itself", e);
        let mut spectrum = self.spectrum(series)?;
        let scale = 1.0 / self.forward.len() as f64;
        for c in &mut spectrum {
            *c = (c.norm_sqr() * scale).into();
        }
        let mut scratch = self.inverse.make_scratch_vec();
        self.inverse.process_with_scratch(&mut spectrum, series, &mut scratch).map_err(fault)
    }
}

/// A series about its mean; 0 where a value is missing.
struct Centered {
    values: Vec<f64>,
    known: usize,
    /// The mean square of the known values, 0 if nothing varies, NaN if a value is infinite.
    variance: f64,
}

impl Centered {
    /// With room for so many values.
    fn new(values: &[f64], room: usize) -> Self {
        let found = Self::scaled(1.0, values, room);
        if found.variance > 1e-200 && found.variance < 1e200 {
            return found;
        }
        // Squares of such numbers overflow or vanish.
        let largest = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let found = Self::scaled((1.0 / largest).clamp(1e-308, 1e308), values, room);
        let variance = if largest.is_finite() { found.variance } else { f64::NAN };
        Self { variance, ..found }
    }

    fn scaled(scale: f64, values: &[f64], room: usize) -> Self {
        let known = sum(values, |v| f64::from(u8::from(!v.is_nan())));
        let mean = sum(values, |v| if v.is_nan() { 0.0 } else { v * scale }) / known.max(1.0);
        let center = |v: &f64| if v.is_nan() { 0.0 } else { v * scale - mean };
        let mut centered = Vec::with_capacity(room);
        centered.extend(values.iter().map(center));
        let variance = sum(&centered, |v| v * v) / known.max(1.0);
        // What rounding of the mean leaves is no variance.
        let variance = if variance < 1e-30 * mean * mean { 0.0 } else { variance };
        Self { values: centered, known: known as usize, variance }
    }
}

/// A sum over the values, in eight sums that the processor can run side by side.
#[inline(always)]
fn sum(values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        for (sum, &v) in sums.iter_mut().zip(eight) {
            *sum += of(v);
        }
    }
    rest.iter().map(|&v| of(v)).sum::<f64>() + sums.iter().sum::<f64>()
}

/// The autocorrelation of lag 1 of a series with missing values (NaN), as [`Autocorrelation::of`] gives it.
pub(super) fn of_neighbors(values: &[f64]) -> f64 {
    let Centered { values: centered, known, variance } = Centered::new(values, values.len());
    let both = |w: &&[f64]| !w[0].is_nan() && !w[1].is_nan();
    let pairs = if known == values.len() {
        known.saturating_sub(1)
    } else {
        values.windows(2).filter(both).count()
    };
    if pairs == 0 || variance.is_nan() || variance <= 0.0 {
        return 0.0;
    }
    let products: f64 = centered.windows(2).map(|w| w[0] * w[1]).sum();
    products / pairs as f64 / variance
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(values: &[f64], max_lag: usize) -> Vec<f64> {
        Autocorrelation::new(values.len().max(max_lag)).of(values, max_lag).unwrap()
    }

    #[test]
    fn an_alternation_agrees_with_every_second_value() {
        let v: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        let r = all(&v, 3);
        for (r, expected) in r.iter().zip([1.0, -1.0, 1.0, -1.0]) {
            assert!((r - expected).abs() < 1e-12);
        }
        assert!((of_neighbors(&v) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn missing_values_take_no_part() {
        let mut v: Vec<f64> = (0..400).map(|i| f64::from(i % 4)).collect();
        for i in (0..400).step_by(7) {
            v[i] = f64::NAN;
        }
        let r = all(&v, 4);
        assert!((r[4] - 1.0).abs() < 0.02, "{r:?}");
    }

    #[test]
    fn nothing_known_and_constants_give_zero() {
        assert_eq!(all(&[f64::NAN; 5], 2), [0.0; 3]);
        assert_eq!(all(&[0.1; 9], 9), [0.0; 10]);
        assert_eq!(all(&[], 0), [0.0]);
        assert_eq!((of_neighbors(&[0.1; 9]), of_neighbors(&[])), (0.0, 0.0));
    }

    #[test]
    fn the_largest_and_the_smallest_numbers_correlate_like_others() {
        let v: Vec<f64> = (0..60).map(|i| f64::from(i % 3)).collect();
        for unit in [1e300, 1e-300] {
            let scaled: Vec<f64> = v.iter().map(|v| v * unit).collect();
            for (a, b) in all(&scaled, 6).into_iter().zip(all(&v, 6)) {
                assert!((a - b).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_was_not_planned_for_is_an_error() {
        let planned = Autocorrelation::new(3);
        assert!(planned.of(&[0.0; 4], 1).unwrap_err().to_string().contains("at most 3"));
        assert!(planned.of(&[0.0; 3], 4).is_err());
        let infinite = planned.of(&[0.0, f64::INFINITY], 1).unwrap_err();
        assert!(infinite.to_string().contains("value 1"), "{infinite}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_the_plain_definition(
            v in proptest::collection::vec(prop_oneof![9 => -5.0..5.0f64, 1 => Just(f64::NAN)], 2..60),
        ) {
            let known: Vec<f64> = v.iter().copied().filter(|x| !x.is_nan()).collect();
            let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
            let variance = known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / known.len().max(1) as f64;
            let r = all(&v, v.len());
            prop_assert!((r[1] - of_neighbors(&v)).abs() < 1e-9);
            for (lag, r) in r.into_iter().enumerate() {
                let products: Vec<f64> = v.iter().zip(v.iter().skip(lag))
                    .map(|(a, b)| (a - mean) * (b - mean)).filter(|p| !p.is_nan()).collect();
                let plain = products.iter().sum::<f64>() / products.len() as f64 / variance;
                let plain = if plain.is_finite() { plain } else { 0.0 };
                prop_assert!((r - plain).abs() < 1e-9, "lag {lag}: {r} {plain}");
            }
        }
    }
}
