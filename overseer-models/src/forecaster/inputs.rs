//! What the forest sees of a moment: one function, used alike while learning and while predicting.

use crate::stats::quantile_sorted;
use overseer_core::Timestamp;

/// How many of the newest samples of the target are looked at; fewer where a gap is nearer. A day at five minutes.
pub(super) const WINDOW: usize = 288;
/// How many of them lags, medians and ranges see.
const SHORT: usize = 40;
/// No more lags than this can be asked for.
pub(super) const MAX_LAGS: usize = SHORT;
/// At most so many other features are looked at.
pub(super) const MAX_OTHERS: usize = 16;
/// Widths of the medians.
const MEDIANS: [usize; 5] = [3, 5, 10, 20, SHORT];
/// Inputs besides lags, medians and other features: the current value, four of the range, two of the changes.
const FURTHER: usize = 7;
/// The older samples that are looked at singly, so many steps back: what runs every 12, 24 or 72 steps, an hour or a
/// few of them at five minutes, shows there just before it runs again.
const FAR: [usize; 3] = [11, 23, 71];
/// The share of values at or below a high one.
const HIGH: f64 = 0.9;
/// Places of the time of day and of the time within the hour, counted from the end of the inputs.
pub(super) const TIME_OF_DAY: usize = FAR.len() + 3;
pub(super) const TIME_OF_HOUR: usize = FAR.len() + 2;

/// All that the inputs of a moment follow from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    /// The target since the last gap step by step, oldest first, NaN where missing, cut to its newest [`WINDOW`]; at
    /// least one, not all missing.
    pub recent: &'a [f64],
    /// When it ends.
    pub time: Timestamp,
    /// The other features then; NaN where missing.
    pub others: &'a [f64],
    /// The other features a row earlier; none where that is not known.
    pub before: &'a [f64],
    /// What the target seldom exceeded of late, as [`Outline::high`] says.
    pub high: f64,
}

/// What the newest [`WINDOW`] samples were like.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Outline {
    /// The lower quantile at the tail of the intervals.
    pub lower: f64,
    /// The median of all, and of the newest 100.
    pub median: f64,
    /// See [`Outline::median`].
    pub median_100: f64,
    /// Nine in ten lie at or below it.
    pub high: f64,
    /// The upper quantile at the tail of the intervals.
    pub upper: f64,
}

impl Outline {
    /// Of `recent` as [`Scene::recent`]; `scratch` is memory to work in.
    pub(super) fn of(recent: &[f64], tail: f64, scratch: &mut Vec<f64>) -> Self {
        let median_100 = quantile_sorted(sorted_newest(recent, 100, scratch), 0.5);
        let all = sorted_newest(recent, WINDOW, scratch);
        let [lower, median, high, upper] =
            [tail, 0.5, HIGH, 1.0 - tail].map(|q| quantile_sorted(all, q));
        Self { lower, median, median_100, high, upper }
    }

    /// [`Outline::high`] alone, which is all that the inputs take.
    pub(super) fn high_of(recent: &[f64], scratch: &mut Vec<f64>) -> f64 {
        quantile_sorted(sorted_newest(recent, WINDOW, scratch), HIGH)
    }
}

/// What is known of the newest `n`, ascending, in `scratch`.
fn sorted_newest<'a>(recent: &[f64], n: usize, scratch: &'a mut Vec<f64>) -> &'a [f64] {
    scratch.clear();
    scratch.extend(newest(recent, n).iter().copied().filter(|v| !v.is_nan()));
    scratch.sort_unstable_by(f64::total_cmp);
    scratch
}

/// How many inputs there are for so many lags and other features.
#[must_use]
pub(super) fn width(lags: usize, others: usize) -> usize {
    width_before_version_3(lags, others) + others + 3 + FAR.len()
}

/// How many of them, the first ones, forests of older payloads were grown on.
#[must_use]
pub(super) fn width_before_version_3(lags: usize, others: usize) -> usize {
    lags - 1 + MEDIANS.len() + FURTHER + others
}

/// Appends the inputs of a moment to `out`.
///
/// In this order: the `lags - 1` samples before the last one, newest first, each minus the current value, NaN where
/// missing; the current value, the newest known one; medians of the newest 3, 5, 10, 20 and 40 minus the current value;
/// lowest and highest of the newest 10 and 40, minus it; mean absolute change over the newest 10 and 40; the other
/// features, and how each changed since the row before; the time of day and the time within the hour, in
/// milliseconds of UTC; how many steps ago the target was last higher than nine in ten; the samples 11, 23 and 71
/// steps back minus the current value. A width beyond the window means all of it. Missing values take no part in
/// medians, ranges and changes.
pub(super) fn append_inputs(scene: &Scene<'_>, lags: usize, out: &mut Vec<f64>) {
    let recent = newest(scene.recent, SHORT);
    let Some((_, earlier)) = recent.split_last() else { return };
    let current = last_known(recent);
    out.extend(earlier.iter().rev().take(lags - 1).map(|v| v - current));
    out.push(current);
    out.extend(medians(recent, &MEDIANS).map(|m| m - current));
    for part in [newest(recent, 10), recent] {
        let (low, high) = part.iter().fold((current, current), |(l, h), &v| (l.min(v), h.max(v)));
        out.extend([low - current, high - current]);
    }
    for part in [newest(recent, 11), recent] {
        out.push(mean_change(part));
    }
    out.extend_from_slice(scene.others);
    let before = scene.before.iter().copied().chain(std::iter::repeat(f64::NAN));
    out.extend(scene.others.iter().zip(before).map(|(now, before)| now - before));
    let within = |span: i64| scene.time.as_millis().rem_euclid(span) as f64;
    out.extend([within(86_400_000), within(3_600_000)]);
    let long = scene.recent;
    out.push(long.iter().rev().position(|&v| v > scene.high).unwrap_or(long.len()) as f64);
    out.extend(FAR.map(|back| match long.len().checked_sub(back + 1) {
        Some(at) => long[at] - current,
        None => f64::NAN,
    }));
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

/// The medians of what is known of the newest so many values, for widths that ascend up to 40; NaN of none.
pub(super) fn medians<'a>(
    recent: &'a [f64],
    widths: &'a [usize],
) -> impl Iterator<Item = f64> + 'a {
    let mut sorted = [0.0; SHORT];
    let (mut held, mut taken) = (0, 0);
    widths.iter().map(move |&width| {
        let window = newest(recent, width.min(SHORT));
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

    /// A moment a minute past midnight with two other features, of which the second is missing.
    fn scene(recent: &[f64]) -> Scene<'_> {
        let time = Timestamp::from_millis(60_000);
        Scene { recent, time, others: &[7.0, f64::NAN], before: &[4.0, 1.0], high: f64::INFINITY }
    }

    #[test]
    fn the_lags_are_the_newest_samples_newest_first() {
        let recent: Vec<f64> = (0..12).map(f64::from).collect();
        let mut inputs = Vec::new();
        append_inputs(&scene(&recent), 10, &mut inputs);
        assert_eq!(inputs.len(), width(10, 2));
        assert_eq!(inputs[..10], [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0, -8.0, -9.0, 11.0]);
        assert_eq!(inputs[10..15], [-1.0, -2.0, -4.5, -5.5, -5.5]);
        assert_eq!(inputs[15..19], [-9.0, 0.0, -11.0, 0.0]);
        assert_eq!(inputs[19..22], [1.0, 1.0, 7.0]);
        assert!(inputs[22].is_nan(), "the second feature is missing");
        assert_eq!(width_before_version_3(10, 2), 23);
        assert_eq!(inputs[23], 3.0, "the first feature rose from 4 to 7");
        assert!(inputs[24].is_nan());
        assert_eq!(inputs[inputs.len() - TIME_OF_DAY], 60_000.0);
        assert_eq!(inputs[inputs.len() - TIME_OF_HOUR], 60_000.0);
        assert_eq!(inputs[27..29], [12.0, -11.0], "never high; 11 steps back there was 0");
        assert!(inputs[29].is_nan() && inputs[30].is_nan(), "not so many steps are known");
    }

    #[test]
    fn steps_since_the_target_was_high_are_counted() {
        let mut recent = vec![1.0; 100];
        recent[93] = 9.0;
        let mut scratch = Vec::new();
        let outline = Outline::of(&recent, 0.05, &mut scratch);
        assert_eq!((outline.median, outline.median_100, outline.high), (1.0, 1.0, 1.0));
        let mut inputs = Vec::new();
        append_inputs(&Scene { high: outline.high, ..scene(&recent) }, 10, &mut inputs);
        assert_eq!(inputs[inputs.len() - FAR.len() - 1], 6.0);
    }

    #[test]
    fn missing_samples_are_missing_lags_and_the_current_value_is_the_last_known_one() {
        let recent = [1.0, 2.0, f64::NAN, 4.0, f64::NAN];
        let mut inputs = Vec::new();
        append_inputs(&scene(&recent), 5, &mut inputs);
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
            values in proptest::collection::vec(prop_oneof![4 => -9.0..9.0f64, 1 => Just(f64::NAN)], 1..SHORT + 1),
        ) {
            for (m, width) in medians(&values, &MEDIANS).zip(MEDIANS) {
                let expected = median(newest(&values, width).iter().copied());
                prop_assert!(m == expected || (m.is_nan() && expected.is_nan()));
            }
        }

        #[test]
        fn a_shift_moves_the_current_value_only(values in proptest::collection::vec(-9..9_i32, 10..SHORT), by in -50..50_i32) {
            let of = |shift: i32| {
                let recent: Vec<f64> = values.iter().map(|&v| f64::from(v + shift)).collect();
                let mut out = Vec::new();
                append_inputs(&scene(&recent), 10, &mut out);
                out[9] -= f64::from(shift);
                out
            };
            let bits = |v: Vec<f64>| v.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            prop_assert_eq!(bits(of(0)), bits(of(by)));
        }
    }
}
