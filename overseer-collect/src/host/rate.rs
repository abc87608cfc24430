//! Rates from counters that only ever should rise.
//!
//! Devices come and go, counters wrap and restart. A rate is given only where a difference means something; a
//! restart gives a missing value, never a spike.

use super::files::{Reason, Value};
use super::text::shown;
use std::time::Duration;

/// The shortest span that a rate is taken over.
///
/// The kernel counts CPU time in steps of 1–10 ms, so over a shorter span a rate says more about the clock than
/// about the host. A reading that comes sooner has no rates, and the next is over the whole span.
pub(super) const MIN_SPAN: Duration = Duration::from_millis(100);

/// No device moves as many bytes in a second; a counter that does has jumped.
const MOST_PER_SECOND: f64 = 1e12;

/// The most time that something which counts time can have spent in `span`: more by far than rounding and a count that
/// lags behind make of it.
pub(super) fn most_in(span: Duration) -> Duration {
    span.saturating_mul(2).saturating_add(Duration::from_millis(250))
}

/// Said of every rate of a first reading.
pub(super) const NEEDS_TWO: Reason = Reason::Borrowed("needs two readings");
/// Said of every rate within [`MIN_SPAN`] of the reading before.
pub(super) const TOO_SOON: Reason = Reason::Borrowed("too soon after the previous reading");

/// What one device has moved since some time past, in bytes each way: read or received, then written or sent.
#[derive(Debug)]
struct Known {
    name: Box<[u8]>,
    /// At the reading that rates were last taken at; none before the device was there.
    settled: Option<[u64; 2]>,
    /// At the reading under way, if the device is in it.
    now: Option<[u64; 2]>,
    /// Where the counters stood before they fell, until one more reading has confirmed that they restarted.
    fell_from: Option<[u64; 2]>,
}

/// Two rates, summed over devices: tell it every device of a reading, then ask.
#[derive(Debug, Default)]
pub(super) struct Rates {
    devices: Vec<Known>,
    since: Option<Duration>,
    next: usize,
}

impl Rates {
    /// Forgets every reading, so that the next one is a first.
    pub(super) fn reset(&mut self) {
        self.devices.clear();
        self.since = None;
        self.next = 0;
    }

    /// Begins a reading; what one that was broken off has seen is not part of it.
    pub(super) fn begin(&mut self) {
        self.next = 0;
        self.devices.iter_mut().for_each(|d| d.now = None);
        self.devices.retain(|d| d.settled.is_some());
    }

    /// Takes in the counters of one device; of two with one name, the first counts.
    pub(super) fn observe(&mut self, name: &[u8], bytes: [u64; 2]) {
        // The kernel keeps its order, so the next place nearly always holds the next device.
        let guess = self.devices.get(self.next).is_some_and(|d| *d.name == *name);
        let place = if guess {
            Some(self.next)
        } else {
            self.devices.iter().position(|d| *d.name == *name)
        };
        match place {
            Some(i) => {
                self.devices[i].now.get_or_insert(bytes);
                self.next = i + 1;
            }
            None => {
                let known =
                    Known { name: name.into(), settled: None, now: Some(bytes), fell_from: None };
                self.devices.push(known);
                self.next = self.devices.len();
            }
        }
    }

    /// The two rates in bytes per second since the previous reading; `at` is when the devices were read.
    ///
    /// Only devices in both readings count. If one of them restarted its counters, both rates are missing: what it
    /// moved is not known. They are missing once more if a counter that fell is back above where it fell from, for
    /// then it was the low reading that was wrong.
    pub(super) fn finish(&mut self, at: Duration) -> [Value; 2] {
        self.next = 0;
        let span = self.since.map(|since| at.saturating_sub(since));
        if span.is_some_and(|span| span < MIN_SPAN) {
            self.devices.retain_mut(|d| {
                d.now = None;
                d.settled.is_some()
            });
            return [Err(TOO_SOON), Err(TOO_SOON)];
        }
        self.since = Some(at);
        let seconds = span.map_or(f64::NAN, |span| span.as_secs_f64());
        let mut sums = [0_u64; 2];
        let mut common = 0_usize;
        let mut broken: Option<Reason> = None;
        self.devices.retain_mut(|device| {
            let Some(now) = device.now.take() else { return false };
            let Some(before) = device.settled.replace(now) else { return true };
            common += 1;
            let high = device.fell_from.take();
            let rebounded = high.is_some_and(|high| (0..2).all(|d| now[d] >= high[d]));
            let moved = [now[0].checked_sub(before[0]), now[1].checked_sub(before[1])];
            match moved {
                [Some(a), Some(b)] if rebounded || a.max(b) as f64 > MOST_PER_SECOND * seconds => {
                    broken = Some(format!("the counters of {} jumped", shown(&device.name)).into());
                }
                [Some(a), Some(b)] => {
                    sums = [sums[0].saturating_add(a), sums[1].saturating_add(b)];
                }
                _ => {
                    device.fell_from = Some(before);
                    let name = shown(&device.name);
                    broken = Some(format!("the counters of {name} restarted").into());
                }
            }
            true
        });
        if span.is_none() {
            return [Err(NEEDS_TWO), Err(NEEDS_TWO)];
        }
        if let Some(reason) = broken {
            return [Err(reason.clone()), Err(reason)];
        }
        if common == 0 {
            let nothing = self.devices.is_empty();
            let reason = if nothing { "no device" } else { "no device was there before" };
            return [Err(reason.into()), Err(reason.into())];
        }
        sums.map(|bytes| Ok(bytes as f64 / seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Rates {
        fn update(&mut self, at: Duration, devices: &[(&str, u64, u64)]) -> [Value; 2] {
            for &(name, a, b) in devices {
                self.observe(name.as_bytes(), [a, b]);
            }
            self.finish(at)
        }
    }

    fn seconds(start: Duration, s: u64) -> Duration {
        start + Duration::from_secs(s)
    }

    #[test]
    fn a_rate_is_the_sum_of_differences_over_the_time() {
        let (mut r, t) = (Rates::default(), Duration::ZERO);
        assert_eq!(r.update(t, &[("a", 100, 0), ("b", 7, 7)])[0], Err(NEEDS_TWO));
        let now = r.update(seconds(t, 2), &[("b", 17, 7), ("a", 300, 50)]);
        assert_eq!(now, [Ok(105.0), Ok(25.0)]);
    }

    #[test]
    fn a_device_that_comes_or_goes_makes_no_spike() {
        let (mut r, t) = (Rates::default(), Duration::ZERO);
        let _ = r.update(t, &[("a", 100, 100)]);
        let with_new = r.update(seconds(t, 1), &[("new", 9_000_000, 9), ("a", 110, 100)]);
        assert_eq!(with_new, [Ok(10.0), Ok(0.0)]);
        let without_old = r.update(seconds(t, 2), &[("new", 9_000_050, 9)]);
        assert_eq!(without_old, [Ok(50.0), Ok(0.0)]);
        let none = r.update(seconds(t, 3), &[]);
        assert_eq!(none[0], Err("no device".into()));
        let all_new = r.update(seconds(t, 4), &[("x", 1, 1)]);
        assert_eq!(all_new[1], Err("no device was there before".into()));
    }

    #[test]
    fn a_restart_is_missing_and_then_rates_go_on() {
        let (mut r, t) = (Rates::default(), Duration::ZERO);
        let _ = r.update(t, &[("a", 1000, 1000)]);
        let restarted = r.update(seconds(t, 1), &[("a", 5, 1001)]);
        assert_eq!(restarted[0], Err("the counters of a restarted".into()));
        assert!(restarted[1].is_err());
        let on = r.update(seconds(t, 2), &[("a", 25, 1011)]);
        assert_eq!(on, [Ok(20.0), Ok(10.0)]);
    }

    #[test]
    fn one_false_low_reading_is_no_spike_when_the_counter_returns() {
        let (mut r, t) = (Rates::default(), Duration::ZERO);
        let _ = r.update(t, &[("a", 1_000_000, 1_000_000)]);
        let _ = r.update(seconds(t, 1), &[("a", 0, 0)]);
        assert!(r.update(seconds(t, 2), &[("a", 1_000_100, 1_000_001)])[0].is_err());
        let on = r.update(seconds(t, 3), &[("a", 1_000_150, 1_000_001)]);
        assert_eq!(on, [Ok(50.0), Ok(0.0)]);
    }

    #[test]
    fn a_counter_that_jumps_is_no_rate() {
        let (mut r, t) = (Rates::default(), Duration::ZERO);
        let _ = r.update(t, &[("a", 1000, 1000)]);
        let jumped = r.update(seconds(t, 1), &[("a", 1001, 1 << 62)]);
        assert_eq!(jumped[0], Err("the counters of a jumped".into()));
        assert_eq!(r.update(seconds(t, 2), &[("a", 1011, 1 << 62)]), [Ok(10.0), Ok(0.0)]);
    }

    #[test]
    fn of_two_devices_with_one_name_the_first_counts() {
        let (mut r, t) = (Rates::default(), Duration::ZERO);
        let _ = r.update(t, &[("a", 10, 10), ("a", 0, 0)]);
        assert_eq!(r.update(seconds(t, 1), &[("a", 20, 10), ("a", 9, 9)])[0], Ok(10.0));
        r.reset();
        assert_eq!(r.update(seconds(t, 2), &[("a", 30, 10)])[0], Err(NEEDS_TWO));
    }

    #[test]
    fn a_reading_that_was_broken_off_is_no_part_of_the_next() {
        let (mut r, t) = (Rates::default(), Duration::ZERO);
        let _ = r.update(t, &[("a", 0, 0)]);
        r.observe(b"a", [100, 100]);
        r.observe(b"b", [7, 7]);
        r.begin();
        assert_eq!(r.update(seconds(t, 2), &[("a", 300, 50)]), [Ok(150.0), Ok(25.0)]);
    }

    #[test]
    fn a_reading_too_soon_is_missing_and_keeps_the_span() {
        let (mut r, t) = (Rates::default(), Duration::ZERO);
        let _ = r.update(t, &[("a", 0, 0)]);
        let soon = r.update(t + Duration::from_millis(50), &[("a", 80, 0)]);
        assert_eq!(soon[0], Err(TOO_SOON));
        assert_eq!(r.update(seconds(t, 1), &[("a", 100, 0)])[0], Ok(100.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_counters_whatever_give_a_rate_that_is_negative_or_not_finite(
            steps in prop::collection::vec(
                prop::collection::vec(("[ab]", any::<u64>(), any::<u64>()), 0..4), 1..8),
        ) {
            let (mut r, t) = (Rates::default(), Duration::ZERO);
            for (i, step) in steps.into_iter().enumerate() {
                let devices: Vec<(&str, u64, u64)> =
                    step.iter().map(|(name, a, b)| (name.as_str(), *a, *b)).collect();
                for rate in r.update(seconds(t, i as u64), &devices).into_iter().flatten() {
                    prop_assert!(rate.is_finite() && rate >= 0.0);
                }
            }
        }
    }
}
