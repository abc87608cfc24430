//! Time in steps: which samples follow each other, and what is missing between them.
//!
//! A step is the usual interval of the training rows. Samples that were lost are steps with a missing value, so that
//! "h steps ahead" is h intervals ahead. Up to three missing steps in a row are borne; a fourth is a gap.

use overseer_core::{Span, Timestamp};

/// So many steps in a row may be missing.
pub(super) const MAX_MISSING: usize = 3;

/// How many steps a sample at `now` lies behind the one before, at least 1; `None` if a gap lies between.
pub(super) fn passed(last: Option<Timestamp>, now: Timestamp, interval: Span) -> Option<usize> {
    let Some(last) = last else { return Some(1) };
    if Timestamp::is_gap(last, now, interval) {
        return None;
    }
    let (passed, step) = (now.since(last).as_millis(), interval.as_millis());
    if step == 0 {
        return Some(1);
    }
    // To the nearest step; a gap would have been found if this were large.
    Some((passed.saturating_add(step / 2) / step).max(1).unsigned_abs() as usize)
}

/// How many of the newest values in a row are missing.
pub(super) fn missing_at_end(values: &[f64]) -> usize {
    values.iter().rev().take_while(|v| v.is_nan()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_in_whole_steps_until_a_gap() {
        let at = Timestamp::from_millis;
        let step = Span::from_secs(5);
        let after = |ms| passed(Some(at(0)), at(ms), step);
        assert_eq!(passed(None, at(7), step), Some(1));
        assert_eq!([0, 1_000, 5_000, 7_499].map(after), [Some(1); 4]);
        assert_eq!([7_500, 10_000, 12_400].map(after), [Some(2); 3]);
        assert_eq!([12_500, 15_000].map(after), [Some(3); 2]);
        assert_eq!([15_001, -1, i64::MAX].map(after), [None; 3]);
        assert_eq!(passed(Some(at(0)), at(i64::MAX), Span::default()), Some(1));
    }
}
