//! What the forest sees of a moment: one function, used alike while learning and while predicting.

use crate::stats::quantile_sorted;

/// How many of the newest samples of the target are looked at; fewer where a gap is nearer.
pub const WINDOW: usize = 40;
/// At most so many other features are looked at.
pub const MAX_OTHERS: usize = 16;
/// Widths of the medians.
const MEDIANS: [usize; 5] = [3, 5, 10, 20, WINDOW];
/// Inputs besides lags, medians and other features: the current value, four of the range, two of the changes.
const FURTHER: usize = 7;

/// How many inputs there are for so many lags and other features.
#[must_use]
pub fn width(lags: usize, others: usize) -> usize {
    lags - 1 + MEDIANS.len() + FURTHER + others
}

/// Appends the inputs of the moment at which `recent` ends to `out`.
///
/// `recent` holds the target since the last gap, oldest first and without missing values, cut to its newest
/// [`WINDOW`]; at least `lags`, at least one. `others` are the current values of other features, NaN where missing.
///
/// In this order: the `lags - 1` samples before the current one, newest first, each minus the current one; the current
/// value; medians of the newest 3, 5, 10, 20 and 40 minus the current value; lowest and highest of the newest 10 and
/// of all, minus it; mean absolute change over the newest 10 and over all; `others`. A width beyond the window means
/// all of it.
pub fn append_inputs(
    recent: &[f64],
    lags: usize,
    others: impl IntoIterator<Item = f64>,
    out: &mut Vec<f64>,
) {
    let Some((&current, before)) = recent.split_last() else { return };
    out.extend(before.iter().rev().take(lags - 1).map(|v| v - current));
    out.push(current);
    out.extend(medians(recent, &MEDIANS).map(|m| m - current));
    for part in [newest(recent, 10), recent] {
        let (low, high) = part.iter().fold((current, current), |(l, h), &v| (l.min(v), h.max(v)));
        out.extend([low - current, high - current]);
    }
    for part in [newest(recent, 11), recent] {
        out.push(mean_change(part));
    }
    out.extend(others);
}

/// The newest `n` of them, or all.
#[must_use]
pub fn newest(recent: &[f64], n: usize) -> &[f64] {
    &recent[recent.len().saturating_sub(n)..]
}

/// The medians of the newest so many values, for widths that ascend up to [`WINDOW`].
pub fn medians<'a>(recent: &'a [f64], widths: &'a [usize]) -> impl Iterator<Item = f64> + 'a {
    let mut sorted = [0.0; WINDOW];
    let mut held = 0;
    widths.iter().map(move |&width| {
        let window = newest(recent, width.min(WINDOW));
        // Older values join those already sorted.
        for &v in window[..window.len() - held].iter().rev() {
            let at = sorted[..held].partition_point(|&s| s <= v);
            sorted.copy_within(at..held, at + 1);
            sorted[at] = v;
            held += 1;
        }
        quantile_sorted(&sorted[..held], 0.5)
    })
}

/// Mean absolute difference of neighbours; 0 of fewer than two.
#[must_use]
pub fn mean_change(values: &[f64]) -> f64 {
    let steps = values.len().saturating_sub(1).max(1);
    values.windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f64>() / steps as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::median;
    use proptest::prelude::*;

    #[test]
    fn the_lags_are_the_newest_samples_newest_first() {
        let recent: Vec<f64> = (0..12).map(f64::from).collect();
        let mut inputs = Vec::new();
        append_inputs(&recent, 10, [7.0, f64::NAN], &mut inputs);
        assert_eq!(inputs.len(), width(10, 2));
        assert_eq!(inputs[..10], [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0, -8.0, -9.0, 11.0]);
        assert_eq!(inputs[10..15], [-1.0, -2.0, -4.5, -5.5, -5.5]);
        assert_eq!(inputs[15..19], [-9.0, 0.0, -11.0, 0.0]);
        assert_eq!(inputs[19..22], [1.0, 1.0, 7.0]);
        assert!(inputs[22].is_nan());
    }

    proptest! {
        #[test]
        fn medians_agree_with_sorting_each_window(values in proptest::collection::vec(-9.0..9.0f64, 1..WINDOW + 1)) {
            for (m, width) in medians(&values, &MEDIANS).zip(MEDIANS) {
                prop_assert_eq!(m, median(newest(&values, width).iter().copied()));
            }
        }

        #[test]
        fn a_shift_moves_the_current_value_only(values in proptest::collection::vec(-9..9_i32, 10..WINDOW), by in -50..50_i32) {
            let of = |shift: i32| {
                let recent: Vec<f64> = values.iter().map(|&v| f64::from(v + shift)).collect();
                let mut out = Vec::new();
                append_inputs(&recent, 10, [], &mut out);
                out[9] -= f64::from(shift);
                out
            };
            prop_assert_eq!(of(0), of(by));
        }
    }
}
