//! Robust statistics over slices that may hold missing values (NaN).

/// The values that are not missing, sorted ascending.
#[must_use]
pub fn sorted_known(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut known: Vec<f64> = values.into_iter().filter(|v| !v.is_nan()).collect();
    known.sort_unstable_by(f64::total_cmp);
    known
}

/// The `q` quantile (0–1) of ascending values by linear interpolation between order statistics (Hyndman and Fan's
/// type 7); NaN of none.
#[must_use]
pub fn quantile_sorted(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let t = position - below as f64;
    sorted[below] + t * (sorted[above] - sorted[below])
}

/// [`quantile_sorted`] of values in any order, none of them NaN: several quantiles of many values cost less than sorting
/// them.
#[must_use]
pub fn quantiles_by_selection<const N: usize>(values: &[f64], q: [f64; N]) -> [f64; N] {
    let Some(last) = values.len().checked_sub(1) else { return [f64::NAN; N] };
    let mut values: Vec<i64> = values.iter().copied().map(ordered).collect();
    q.map(|q| {
        let position = q.clamp(0.0, 1.0) * last as f64;
        let below = position.floor() as usize;
        let (_, &mut low, rest) = values.select_nth_unstable(below);
        let t = position - below as f64;
        let low = value_of(low);
        match rest.iter().min() {
            Some(&next) if t > 0.0 => low + t * (value_of(next) - low),
            _ => low,
        }
    })
}

/// A number's bits as a whole number of the same order, as [`f64::total_cmp`] compares them; two of these are compared
/// in one step.
pub(crate) fn ordered(value: f64) -> i64 {
    turned(value.to_bits().cast_signed())
}

/// The number of an [`ordered`] one.
pub(crate) fn value_of(ordered: i64) -> f64 {
    f64::from_bits(turned(ordered).cast_unsigned())
}

/// All bits but the sign of a negative number the other way round, which undoes itself.
fn turned(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The median of the known values; NaN of none.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile_sorted(&sorted_known(values), 0.5)
}

/// Median and scaled median absolute deviation (times 1.4826, so that it estimates a normal's standard deviation) of
/// the known values; NaN of none.
#[must_use]
pub fn median_and_mad(values: &[f64]) -> (f64, f64) {
    let center = median(values.iter().copied());
    (center, 1.4826 * median(values.iter().map(|v| (v - center).abs())))
}

/// Mean and sample variance of the known values by Welford's recurrence, with their number; NaN where undefined.
#[must_use]
pub fn mean_and_variance(values: impl IntoIterator<Item = f64>) -> (f64, f64, usize) {
    let (mut n, mut mean, mut squares) = (0_usize, 0.0, 0.0);
    for v in values.into_iter().filter(|v| !v.is_nan()) {
        n += 1;
        let delta = v - mean;
        mean += delta / n as f64;
        squares += delta * (v - mean);
    }
    match n {
        0 => (f64::NAN, f64::NAN, 0),
        1 => (mean, f64::NAN, 1),
        _ => (mean, squares / (n - 1) as f64, n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_take_no_part() {
        let v = [3.0, f64::NAN, 1.0, 2.0];
        assert_eq!(median(v), 2.0);
        assert_eq!(mean_and_variance(v), (2.0, 1.0, 3));
        assert!(median([f64::NAN]).is_nan());
        assert_eq!(median_and_mad(&[1.0, 2.0, 3.0, 100.0, f64::NAN]).0, 2.5);
    }

    #[test]
    fn whole_numbers_stand_for_others_in_the_same_order() {
        let values =
            [f64::NEG_INFINITY, -1e300, -2.0, -1e-300, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY];
        assert!(values.map(ordered).is_sorted_by(|a, b| a < b));
        assert!(values.iter().all(|v| value_of(ordered(*v)).to_bits() == v.to_bits()));
    }

    #[test]
    fn quantiles_interpolate_and_clamp() {
        let v = [0.0, 10.0];
        assert_eq!(quantile_sorted(&v, 0.25), 2.5);
        assert_eq!(quantile_sorted(&v, 7.0), 10.0);
        assert!(quantile_sorted(&[], 0.5).is_nan());
        assert!(quantiles_by_selection(&[], [0.5])[0].is_nan());
        let mixed: Vec<f64> = (0..101).map(|i| f64::from((i * 37) % 101)).collect();
        let sorted = sorted_known(mixed.iter().copied());
        for q in [0.0, 0.05, 0.333, 0.5, 0.95, 1.0] {
            let selected = quantiles_by_selection(&mixed, [0.9, q, 0.1]);
            assert_eq!(selected, [0.9, q, 0.1].map(|q| quantile_sorted(&sorted, q)));
        }
    }
}
