//! What the forest sees of a moment: one function, used alike while learning and while predicting.

use crate::stats::quantile_sorted;

/// How many of the newest samples of the target are looked at; fewer where a gap is nearer.
pub(super) const WINDOW: usize = 40;
/// At most so many other features are looked at.
pub(super) const MAX_OTHERS: usize = 16;
/// Widths of the medians.
const MEDIANS: [usize; 5] = [3, 5, 10, 20, WINDOW];
/// Inputs besides lags, medians and other features: the current value, four of the range, two of the changes.
const FURTHER: usize = 7;

/// How many inputs there are for so many lags and other features.
#[must_use]
pub(super) fn width(lags: usize, others: usize) -> usize {
    lags - 1 + MEDIANS.len() + FURTHER + others
}

/// Appends the inputs of the moment at which `recent` ends to `out`.
///
/// `recent` holds the target since the last gap step by step, oldest first, NaN where missing, cut to its newest
/// [`WINDOW`]; at least `lags`, at least one, not all missing. `others` are the current values of other features, NaN
/// where missing. The current value of the target is the newest known one.
///
/// In this order: the `lags - 1` samples before the last one, newest first, each minus the current value, NaN where
/// missing; the current value; medians of the newest 3, 5, 10, 20 and 40 minus the current value; lowest and highest of
/// the newest 10 and of all, minus it; mean absolute change over the newest 10 and over all; `others`. A width beyond
/// the window means all of it. Missing values take no part in medians, ranges and changes.
pub(super) fn append_inputs(
    recent: &[f64],
    lags: usize,
    others: impl IntoIterator<Item = f64>,
    out: &mut Vec<f64>,
) {
    let Some((_, before)) = recent.split_last() else { return };
    let current = last_known(recent);
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

/// The newest value that is not missing; NaN if all are.
#[must_use]
pub(super) fn last_known(recent: &[f64]) -> f64 {
    recent.iter().rev().copied().find(|v| !v.is_nan()).unwrap_or(f64::NAN)
}

/// The newest `n` of them, or all.
#[must_use]
pub(super) fn newest(recent: &[f64], n: usize) -> &[f64] {
    &recent[recent.len().saturating_sub(n)..]
}

/// The medians of what is known of the newest so many values, for widths that ascend up to [`WINDOW`]; NaN of none.
pub(super) fn medians<'a>(
    recent: &'a [f64],
    widths: &'a [usize],
) -> impl Iterator<Item = f64> + 'a {
    let mut sorted = [0.0; WINDOW];
    let (mut held, mut taken) = (0, 0);
    widths.iter().map(move |&width| {
        let window = newest(recent, width.min(WINDOW));
        // Older values join those already sorted.
        let further = &window[..window.len() - taken];
        taken = window.len();
        for &v in further.iter().rev().filter(|v| !v.is_nan()) {
            let at = sorted[..held].partition_point(|&s| s <= v);
            sorted.copy_within(at..held, at + 1);
            sorted[at] = v;
            held += 1;
        }
        quantile_sorted(&sorted[..held], 0.5)
    })
}

/// Mean absolute difference of neighbours that are both known; NaN if there are none.
fn mean_change(values: &[f64]) -> f64 {
    let (sum, steps) = values
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .filter(|change| !change.is_nan())
        .fold((0.0, 0_usize), |(sum, steps), change| (sum + change, steps + 1));
    if steps == 0 { f64::NAN } else { sum / steps as f64 }
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

    #[test]
    fn missing_samples_are_missing_lags_and_the_current_value_is_the_last_known_one() {
        let recent = [1.0, 2.0, f64::NAN, 4.0, f64::NAN];
        let mut inputs = Vec::new();
        append_inputs(&recent, 5, [], &mut inputs);
        assert_eq!((inputs[0], inputs[2], inputs[3], inputs[4]), (0.0, -2.0, -3.0, 4.0));
        assert!(inputs[1].is_nan());
        // Of the newest three only 4 is known, of the newest five 1, 2 and 4.
        assert_eq!(inputs[5..7], [0.0, -2.0]);
        assert_eq!(inputs[10..14], [-3.0, 0.0, -3.0, 0.0]);
        assert_eq!(inputs[14..16], [1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn medians_agree_with_sorting_each_window(
            values in proptest::collection::vec(prop_oneof![4 => -9.0..9.0f64, 1 => Just(f64::NAN)], 1..WINDOW + 1),
        ) {
            for (m, width) in medians(&values, &MEDIANS).zip(MEDIANS) {
                let expected = median(newest(&values, width).iter().copied());
                prop_assert!(m == expected || (m.is_nan() && expected.is_nan()));
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
