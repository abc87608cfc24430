//! Are times evenly spaced, and over which window?

use super::basis::Scale;
use overseer_core::{Error, Result, Span, Timestamp};
use std::array;

/// The window of `count` times from `start`, `step` apart; `None` if it ends after the last moment there is, or has
/// no length or no second time.
pub(super) fn even_window(start: Timestamp, step: Span, count: usize) -> Option<Scale> {
    let steps = i64::try_from(count).ok()?.checked_sub(1)?;
    let length = step.as_millis().checked_mul(steps).filter(|length| *length > 0)?;
    let end = start.as_millis().checked_add(length)?;
    Some(Scale { start, end: Timestamp::from_millis(end) })
}

/// The times of that window, which may have no length.
///
/// # Errors
/// If it ends after the last moment there is.
pub(super) fn times(start: Timestamp, step: Span, count: usize) -> Result<Vec<Timestamp>> {
    let place = |i: usize| {
        let after = step.as_millis().checked_mul(i64::try_from(i).ok()?)?;
        start.as_millis().checked_add(after).map(Timestamp::from_millis)
    };
    let times = (0..count).map(place).collect::<Option<_>>();
    times.ok_or_else(|| {
        Error::invalid_parameter("step", format!("{count} values {step} apart end after all time"))
    })
}

/// The window of these times if all are the same step apart, to the millisecond.
pub(super) fn evenly_spaced(times: &[Timestamp]) -> Option<Scale> {
    let (&[start, second, ..], Some(&end)) = (times, times.last()) else {
        return None;
    };
    let step = second.as_millis().checked_sub(start.as_millis())?;
    let window = even_window(start, Span::from_millis(step), times.len())?;
    if window.end != end {
        return None;
    }
    // Nothing wraps up to the window's end, which was checked.
    let place = |i: usize| start.as_millis().wrapping_add(step.wrapping_mul(i as i64));
    let whole_blocks = times.len() - times.len() % LANES;
    let (blocks, rest) = times.split_at(whole_blocks);
    let strays = strays(blocks, array::from_fn(place), step.wrapping_mul(LANES as i64));
    let is_even = strays.iter().all(|bits| *bits == 0)
        && (whole_blocks..).zip(rest).all(|(i, t)| t.as_millis() == place(i));
    is_even.then_some(window)
}

const LANES: usize = 8;

/// Every bit in which a time is not the expected one, gathered without a branch so that lanes run side by side.
///
/// A function of its own, so that the compiler sees lanes stored and not added up, and keeps them together.
#[inline(never)]
fn strays(times: &[Timestamp], mut expected: [i64; LANES], stride: i64) -> [i64; LANES] {
    let mut strays = [0; LANES];
    for block in times.chunks_exact(LANES) {
        for lane in 0..LANES {
            strays[lane] |= block[lane].as_millis() ^ expected[lane];
            expected[lane] = expected[lane].wrapping_add(stride);
        }
    }
    strays
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times(millis: impl IntoIterator<Item = i64>) -> Vec<Timestamp> {
        millis.into_iter().map(Timestamp::from_millis).collect()
    }

    #[test]
    fn too_few_times_equal_times_and_times_that_go_back_are_no_grid() {
        assert_eq!(evenly_spaced(&[]), None);
        assert_eq!(evenly_spaced(&times([5])), None);
        assert_eq!(evenly_spaced(&times([5; 20])), None);
        assert_eq!(evenly_spaced(&times((0..20).rev())), None);
        assert!(evenly_spaced(&times([5, 7])).is_some());
    }

    #[test]
    fn the_ends_of_time_neither_wrap_nor_panic() {
        let ends = times([i64::MIN, 0, i64::MAX]);
        assert_eq!(evenly_spaced(&ends), None);
        let last = times([i64::MAX - 2, i64::MAX - 1, i64::MAX]);
        assert_eq!(evenly_spaced(&last).map(|w| w.end), Some(last[2]));
        assert_eq!(even_window(last[0], Span::from_millis(1), 4), None);
        assert_eq!(even_window(last[0], Span::from_millis(i64::MAX), 4), None);
        assert_eq!(even_window(last[0], Span::default(), 4), None);
    }

    proptest! {
        #[test]
        fn one_time_out_of_place_is_noticed_wherever_it_stands(
            start in -1_000_000_i64..1_000_000, step in 1_i64..100_000,
            count in 3_usize..60, place in any::<prop::sample::Index>(), off in 1_i64..100_000,
        ) {
            let mut grid = times((0..count as i64).map(|i| start + step * i));
            let window = Scale { start: grid[0], end: grid[count - 1] };
            prop_assert_eq!(evenly_spaced(&grid), Some(window));
            let place = place.index(count);
            grid[place] = Timestamp::from_millis(grid[place].as_millis() + off);
            prop_assert_eq!(evenly_spaced(&grid), None);
        }
    }
}
