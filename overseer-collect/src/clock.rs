//! The clocks that rates are taken by, and what they tell when they disagree.
//!
//! A rate needs a clock that nobody sets; a sample is stamped with the one that people read. A third goes on while
//! the host sleeps (clock_gettime(2): `CLOCK_MONOTONIC` stands still, `CLOCK_BOOTTIME` does not). Where the three
//! moved by different amounts, the host slept or somebody set its clock.

use overseer_core::{Interruption, Span, Timestamp};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Less than this between two clocks is the time between reading them, or the slewing of a time daemon.
const TOLERANCE_MILLIS: i64 = 1000;

/// Clocks that only go forward, since some moment of their own.
pub trait Clock: Send + Debug {
    /// Time that has gone by while the host was awake.
    fn awake(&self) -> Duration;

    /// All time that has gone by, sleep included. Where a platform cannot tell, the same as [`Clock::awake`].
    fn elapsed(&self) -> Duration;
}

/// The system's own clocks.
///
/// On Linux both are the kernel's; elsewhere both are the standard library's steady clock, so that sleep is not told
/// apart from a clock that was set.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Clock for SystemClock {
    fn awake(&self) -> Duration {
        read(rustix::time::ClockId::Monotonic)
    }

    fn elapsed(&self) -> Duration {
        read(rustix::time::ClockId::Boottime)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn read(id: rustix::time::ClockId) -> Duration {
    let t = rustix::time::clock_gettime(id);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Clock for SystemClock {
    fn awake(&self) -> Duration {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }

    fn elapsed(&self) -> Duration {
        self.awake()
    }
}

/// Clocks moved by hand, for tests and simulations; clones share the same time.
///
/// ```
/// use overseer_collect::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_secs(5));
/// clock.sleep(Duration::from_secs(3600));
/// assert_eq!(clock.awake(), Duration::from_secs(5));
/// assert_eq!(clock.elapsed(), Duration::from_secs(3605));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<Mutex<(Duration, Duration)>>);

impl ManualClock {
    /// Clocks that stand at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets time go by.
    pub fn advance(&self, by: Duration) {
        let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.0 += by;
        clocks.1 += by;
    }

    /// Lets time go by while the host sleeps.
    pub fn sleep(&self, by: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 += by;
    }
}

impl Clock for ManualClock {
    fn awake(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// Compares how far the clocks moved from one reading to the next.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    last: Option<(Timestamp, Duration, Duration)>,
}

impl Watch {
    /// Notes the clocks of a reading stamped `wall` and tells what happened since the last one: how long the host
    /// slept, and by how much its clock was set.
    pub(crate) fn note(
        &mut self,
        wall: Timestamp,
        clock: &dyn Clock,
    ) -> (Option<Span>, Option<Interruption>) {
        let (awake, elapsed) = (clock.awake(), clock.elapsed());
        let Some((wall_before, awake_before, elapsed_before)) =
            self.last.replace((wall, awake, elapsed))
        else {
            return (None, None);
        };
        let millis = |now: Duration, before: Duration| {
            i64::try_from(now.saturating_sub(before).as_millis()).unwrap_or(i64::MAX)
        };
        let gone = millis(elapsed, elapsed_before);
        let asleep = gone.saturating_sub(millis(awake, awake_before));
        let set = wall.as_millis().saturating_sub(wall_before.as_millis()).saturating_sub(gone);
        let slept = (asleep > TOLERANCE_MILLIS).then(|| Span::from_millis(asleep));
        let step = (set.saturating_abs() > TOLERANCE_MILLIS).then(|| {
            if set > 0 {
                Interruption::ClockForward(Span::from_millis(set))
            } else {
                Interruption::ClockBack(Span::from_millis(set.saturating_neg()))
            }
        });
        (slept, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn sleep_and_set_clocks_are_told_apart() {
        let clock = ManualClock::new();
        let mut watch = Watch::default();
        let at = Timestamp::from_millis;
        assert_eq!(watch.note(at(0), &clock), (None, None));
        clock.advance(seconds(5));
        assert_eq!(watch.note(at(5_400), &clock), (None, None));
        clock.sleep(seconds(3600));
        clock.advance(seconds(5));
        assert_eq!(watch.note(at(3_610_400), &clock), (Some(Span::from_secs(3600)), None));
        clock.advance(seconds(5));
        let back = Interruption::ClockBack(Span::from_secs(60));
        assert_eq!(watch.note(at(3_555_400), &clock), (None, Some(back)));
        clock.advance(seconds(5));
        let forward = Interruption::ClockForward(Span::from_secs(86_400));
        assert_eq!(watch.note(at(89_960_400), &clock), (None, Some(forward)));
    }

    #[test]
    fn the_systems_clocks_go_forward() {
        let (awake, elapsed) = (SystemClock.awake(), SystemClock.elapsed());
        std::thread::sleep(Duration::from_millis(3));
        assert!(SystemClock.awake() >= awake + Duration::from_millis(3));
        assert!(SystemClock.elapsed() >= elapsed + Duration::from_millis(3));
    }

    proptest! {
        #[test]
        fn no_clocks_whatever_panic(walls in prop::collection::vec(any::<i64>(), 2..6), step in any::<u32>()) {
            let clock = ManualClock::new();
            let mut watch = Watch::default();
            for wall in walls {
                clock.advance(Duration::from_millis(u64::from(step)));
                clock.sleep(Duration::from_secs(u64::from(step)));
                let _ = watch.note(Timestamp::from_millis(wall), &clock);
            }
        }
    }
}
