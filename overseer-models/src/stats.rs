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

/// [`quantile_sorted`] of values in any order, none of them NaN, which are reordered: several quantiles of many values
/// cost less than sorting them.
#[must_use]
pub fn quantile_by_selection(values: &mut [f64], q: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let (_, &mut low, rest) = values.select_nth_unstable_by(below, f64::total_cmp);
    let t = position - below as f64;
    if t > 0.0 { low + t * (rest.iter().fold(f64::INFINITY, |a, b| a.min(*b)) - low) } else { low }
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
    fn quantiles_interpolate_and_clamp() {
        let v = [0.0, 10.0];
        assert_eq!(quantile_sorted(&v, 0.25), 2.5);
        assert_eq!(quantile_sorted(&v, 7.0), 10.0);
        assert!(quantile_sorted(&[], 0.5).is_nan());
        assert!(quantile_by_selection(&mut [], 0.5).is_nan());
        let mixed: Vec<f64> = (0..101).map(|i| f64::from((i * 37) % 101)).collect();
        let sorted = sorted_known(mixed.iter().copied());
        for q in [0.0, 0.05, 0.333, 0.5, 0.95, 1.0] {
            let selected = quantile_by_selection(&mut mixed.clone(), q);
            assert_eq!(selected, quantile_sorted(&sorted, q), "{q}");
        }
    }
}
