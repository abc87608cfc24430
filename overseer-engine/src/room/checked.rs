//! How often ranges of times to full held on this host: measured on the past of the series itself.
//!
//! Something is seldom full even once, so what was said of that can hardly be counted. But what fills passes other levels
//! on its way, and of those it is known when. So the same question is asked again from moments of the past, with what
//! was known then alone: when will it have risen as far again as it just had? Each answer whose range has gone by since
//! held or did not; one that never got there did not.

use overseer_core::{FillForecaster, FillOutlook, Probability, Span, Timestamp};

/// From so many moments of the past it is asked.
const MOMENTS: i64 = 16;
/// A share of fewer answers says too little to be stated.
const FEWEST: usize = 5;
/// What rose by less of what fits is not asked about: it may be rounding.
const LEAST_RISE: f64 = 1e-4;

/// How many ranges held, of those that went by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Checked {
    pub(super) held: usize,
    pub(super) of: usize,
    /// How long ago the first of them was asked for.
    pub(super) since: Span,
    /// From how many moments it was asked.
    asked: i64,
}

impl Checked {
    /// Asks of a series, which is as [`FillForecaster::outlook`] takes it, from one more moment at least and then for as
    /// long as `may_go_on`: all moments together take as long as sixteen looks, which is too long for one tick.
    pub(super) fn go_on(
        &mut self,
        fills: &dyn FillForecaster,
        shares: &[(Timestamp, f64)],
        may_go_on: impl Fn() -> bool,
    ) {
        let (Some(first), Some(last)) = (shares.first(), shares.last()) else {
            self.asked = MOMENTS;
            return;
        };
        let seen = last.0.since(first.0).as_millis();
        while !self.is_complete() {
            self.asked += 1;
            let age = seen / (MOMENTS + 1) * self.asked;
            if let Some(held) = held(fills, shares, last.0 - Span::from_millis(age)) {
                self.of += 1;
                self.held += usize::from(held);
                self.since = Span::from_millis(age);
            }
            if !may_go_on() {
                return;
            }
        }
    }

    /// Whether it was asked from all moments.
    pub(super) fn is_complete(self) -> bool {
        self.asked >= MOMENTS
    }

    /// The share that held; `None` of fewer than five.
    pub(super) fn share(self) -> Option<Probability> {
        (self.of >= FEWEST).then(|| Probability::share(self.held, self.of))
    }
}

/// Whether the range that would have been told at `moment` held; `None` if none would have been, or its end is not known.
fn held(
    fills: &dyn FillForecaster,
    shares: &[(Timestamp, f64)],
    moment: Timestamp,
) -> Option<bool> {
    let until = |at: Timestamp| shares.partition_point(|p| p.0 <= at);
    let (past, later) = shares.split_at(until(moment));
    let &(moment, level) = past.last()?;
    let known = shares.last()?.0.since(moment);
    // As far again as in half of the time since, so that even a late answer is known by now.
    let back = moment - Span::from_millis(known.as_millis() / 2);
    let before = shares.get(until(back).checked_sub(1)?)?.1;
    let rise = level - before;
    if rise.is_nan() || rise < LEAST_RISE {
        return None;
    }
    let goal = level + rise;
    let scaled: Vec<(Timestamp, f64)> = past.iter().map(|&(at, v)| (at, v / goal)).collect();
    let FillOutlook::Filling(said) = fills.outlook(&scaled) else { return None };
    let latest = said.latest.filter(|latest| !said.is_full() && *latest <= known)?;
    // A point may be the mean of an hour: it was reached after the one before, and not after itself.
    let Some(reached) = later.iter().position(|p| p.1 >= goal) else { return Some(false) };
    let after = reached.checked_sub(1).map_or(moment, |before| later[before].0).since(moment);
    Some(later[reached].0.since(moment) >= said.earliest && after <= latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::models::time_to_full::RisingFill;

    /// So many hours by the minute, with a little noise.
    fn series(hours: i64, of: impl Fn(f64) -> f64) -> Vec<(Timestamp, f64)> {
        (0..60 * hours)
            .map(|m| {
                let noise = ((m * 7919) % 13 - 6) as f64 * 1e-4;
                (Timestamp::from_millis(60_000 * m), of(m as f64 / 60.0) + noise)
            })
            .collect()
    }

    fn checked(shares: &[(Timestamp, f64)]) -> Checked {
        let mut checked = Checked::default();
        checked.go_on(&RisingFill::default(), shares, || true);
        checked
    }

    #[test]
    fn it_asks_once_and_goes_on_where_it_stopped() {
        let shares = series(48, |h| 0.2 + 0.01 * h);
        let mut little_by_little = Checked::default();
        let mut calls = 0;
        while !little_by_little.is_complete() {
            little_by_little.go_on(&RisingFill::default(), &shares, || false);
            calls += 1;
        }
        assert_eq!((calls, little_by_little), (MOMENTS, checked(&shares)));
    }

    #[test]
    fn ranges_of_what_grows_all_along_held() {
        let checked = checked(&series(48, |h| 0.2 + 0.01 * h));
        assert!(checked.of >= FEWEST, "{checked:?}");
        assert!(checked.share().unwrap().get() >= 0.7, "{checked:?}");
        assert!(checked.since <= Span::from_secs(48 * 3600));
    }

    #[test]
    fn ranges_of_what_grew_and_stopped_did_not_hold() {
        let stops = |h: f64| 0.2 + 0.01 * if h < 24.0 { h } else { 24.0 + 0.02 * (h - 24.0) };
        let checked = checked(&series(60, stops));
        assert!(checked.of > checked.held, "{checked:?}");
    }

    #[test]
    fn nothing_is_claimed_of_a_short_or_an_empty_past() {
        for shares in [series(5, |h| 0.2 + 0.01 * h), Vec::new(), series(1, |_| f64::NAN)] {
            let checked = checked(&shares);
            assert!(checked.is_complete());
            assert_eq!((checked.of, checked.share()), (0, None));
        }
        assert_eq!(checked(&series(48, |_| 0.4)).of, 0, "what stands is not asked about");
    }

    #[test]
    fn an_answer_hangs_on_what_was_known_then_alone() {
        let shares = series(48, |h| 0.2 + 0.01 * h);
        let moment = shares[1700].0;
        let held_by = |tail: f64| {
            let mut changed = shares.clone();
            changed[1701..].iter_mut().for_each(|p| p.1 = tail);
            held(&RisingFill::default(), &changed, moment)
        };
        // Whatever comes, a range is told; whether it held is what the rest decides.
        assert_eq!(held_by(0.1), Some(false), "it never got there");
        assert_eq!(held_by(0.99), Some(false), "it got there at once");
        assert_eq!(held(&RisingFill::default(), &shares, moment), Some(true));
    }
}
