//! Rates from counters that only ever should rise.
//!
//! Devices come and go, counters wrap and restart. A rate is given only where a difference means something; a
//! restart gives a missing value, never a spike.

use super::files::{Reason, Value};
use std::time::{Duration, Instant};

/// The shortest span that a rate is taken over.
///
/// The kernel counts CPU time in steps of 1–10 ms, so over a shorter span a rate says more about the clock than
/// about the host. A reading that comes sooner has no rates, and the next is over the whole span.
pub(super) const MIN_SPAN: Duration = Duration::from_millis(100);

/// Said of every rate of a first reading.
pub(super) const NEEDS_TWO: Reason = Reason::Borrowed("needs two readings");
/// Said of every rate within [`MIN_SPAN`] of the reading before.
pub(super) const TOO_SOON: Reason = Reason::Borrowed("too soon after the previous reading");

/// What one device has moved since some time past, in bytes each way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counter {
    pub(super) name: String,
    /// Read or received, then written or sent.
    pub(super) bytes: [u64; 2],
}

#[derive(Debug)]
struct Known {
    counter: Counter,
    /// Where the counters stood before they fell, until one more reading has confirmed that they restarted.
    fell_from: Option<[u64; 2]>,
}

/// Two rates, summed over devices.
#[derive(Debug, Default)]
pub(super) struct Rates {
    previous: Option<(Instant, Vec<Known>)>,
}

impl Rates {
    /// Takes in a reading of all devices and gives the two rates in bytes per second since the previous one.
    ///
    /// Only devices in both readings count. If one of them restarted its counters, both rates are missing: what it
    /// moved is not known. They are missing once more if a counter that fell is back above where it fell from, for
    /// then it was the low reading that was wrong.
    pub(super) fn update(&mut self, at: Instant, counters: Vec<Counter>) -> [Value; 2] {
        let Some((since, known)) = &self.previous else {
            self.previous = Some((at, begin(counters)));
            return [Err(NEEDS_TWO), Err(NEEDS_TWO)];
        };
        let span = at.saturating_duration_since(*since);
        if span < MIN_SPAN {
            return [Err(TOO_SOON), Err(TOO_SOON)];
        }
        let mut sums = [0_u64; 2];
        let mut common = 0_usize;
        let mut restarted: Option<String> = None;
        let mut next = Vec::with_capacity(counters.len());
        for (i, counter) in counters.into_iter().enumerate() {
            // The kernel keeps its order, so the same place nearly always holds the same device.
            let before = known
                .get(i)
                .filter(|k| k.counter.name == counter.name)
                .or_else(|| known.iter().find(|k| k.counter.name == counter.name));
            let mut fell_from = None;
            if let Some(before) = before {
                common += 1;
                let old = before.counter.bytes;
                let fell = (0..2).any(|d| counter.bytes[d] < old[d]);
                let rebounded = before
                    .fell_from
                    .is_some_and(|high| (0..2).all(|d| counter.bytes[d] >= high[d]));
                if fell {
                    fell_from = Some(old);
                }
                if fell || rebounded {
                    restarted = Some(counter.name.clone());
                } else {
                    for d in 0..2 {
                        sums[d] = sums[d].saturating_add(counter.bytes[d] - old[d]);
                    }
                }
            }
            next.push(Known { counter, fell_from });
        }
        let nothing = next.is_empty();
        self.previous = Some((at, next));
        if let Some(name) = restarted {
            let reason: Reason = format!("the counters of {name} restarted").into();
            return [Err(reason.clone()), Err(reason)];
        }
        if common == 0 {
            let reason = if nothing { "no device" } else { "no device was there before" };
            return [Err(reason.into()), Err(reason.into())];
        }
        sums.map(|bytes| Ok(bytes as f64 / span.as_secs_f64()))
    }
}

fn begin(counters: Vec<Counter>) -> Vec<Known> {
    counters.into_iter().map(|counter| Known { counter, fell_from: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading(devices: &[(&str, u64, u64)]) -> Vec<Counter> {
        let one = |&(name, a, b): &(&str, u64, u64)| Counter { name: name.into(), bytes: [a, b] };
        devices.iter().map(one).collect()
    }

    fn seconds(start: Instant, s: u64) -> Instant {
        start + Duration::from_secs(s)
    }

    #[test]
    fn a_rate_is_the_sum_of_differences_over_the_time() {
        let (mut r, t) = (Rates::default(), Instant::now());
        assert_eq!(r.update(t, reading(&[("a", 100, 0), ("b", 7, 7)]))[0], Err(NEEDS_TWO));
        let now = r.update(seconds(t, 2), reading(&[("b", 17, 7), ("a", 300, 50)]));
        assert_eq!(now, [Ok(105.0), Ok(25.0)]);
    }

    #[test]
    fn a_device_that_comes_or_goes_makes_no_spike() {
        let (mut r, t) = (Rates::default(), Instant::now());
        let _ = r.update(t, reading(&[("a", 100, 100)]));
        let with_new = r.update(seconds(t, 1), reading(&[("new", 9_000_000, 9), ("a", 110, 100)]));
        assert_eq!(with_new, [Ok(10.0), Ok(0.0)]);
        let without_old = r.update(seconds(t, 2), reading(&[("new", 9_000_050, 9)]));
        assert_eq!(without_old, [Ok(50.0), Ok(0.0)]);
        let none = r.update(seconds(t, 3), Vec::new());
        assert_eq!(none[0], Err("no device".into()));
        let all_new = r.update(seconds(t, 4), reading(&[("x", 1, 1)]));
        assert_eq!(all_new[1], Err("no device was there before".into()));
    }

    #[test]
    fn a_restart_is_missing_and_then_rates_go_on() {
        let (mut r, t) = (Rates::default(), Instant::now());
        let _ = r.update(t, reading(&[("a", 1000, 1000)]));
        let restarted = r.update(seconds(t, 1), reading(&[("a", 5, 1001)]));
        assert_eq!(restarted[0], Err("the counters of a restarted".into()));
        assert!(restarted[1].is_err());
        let on = r.update(seconds(t, 2), reading(&[("a", 25, 1011)]));
        assert_eq!(on, [Ok(20.0), Ok(10.0)]);
    }

    #[test]
    fn one_false_low_reading_is_no_spike_when_the_counter_returns() {
        let (mut r, t) = (Rates::default(), Instant::now());
        let _ = r.update(t, reading(&[("a", 1_000_000, 1_000_000)]));
        let _ = r.update(seconds(t, 1), reading(&[("a", 0, 0)]));
        assert!(r.update(seconds(t, 2), reading(&[("a", 1_000_100, 1_000_001)]))[0].is_err());
        let on = r.update(seconds(t, 3), reading(&[("a", 1_000_150, 1_000_001)]));
        assert_eq!(on, [Ok(50.0), Ok(0.0)]);
    }

    #[test]
    fn a_reading_too_soon_is_missing_and_keeps_the_span() {
        let (mut r, t) = (Rates::default(), Instant::now());
        let _ = r.update(t, reading(&[("a", 0, 0)]));
        let soon = r.update(t + Duration::from_millis(50), reading(&[("a", 80, 0)]));
        assert_eq!(soon[0], Err(TOO_SOON));
        assert_eq!(r.update(seconds(t, 1), reading(&[("a", 100, 0)]))[0], Ok(100.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_counters_whatever_give_a_rate_that_is_negative_or_not_finite(
            steps in prop::collection::vec(
                prop::collection::vec(("[ab]", any::<u64>(), any::<u64>()), 0..4), 1..8),
        ) {
            let (mut r, t) = (Rates::default(), Instant::now());
            for (i, step) in steps.into_iter().enumerate() {
                let counters = step
                    .into_iter()
                    .map(|(name, a, b)| Counter { name, bytes: [a, b] })
                    .collect();
                for rate in r.update(seconds(t, i as u64), counters).into_iter().flatten() {
                    prop_assert!(rate.is_finite() && rate >= 0.0);
                }
            }
        }
    }
}
