//! When to try again.

use overseer_core::Span;

/// Waits that double, with some jitter, so that receivers that come back are not met by everybody at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The first wait.
    pub first: Span,
    /// No wait is longer, before jitter.
    pub longest: Span,
    /// How old a message may become before it is given up, if it was tried ten times.
    pub give_up_after: Span,
    /// The seed of the jitter; the same gives the same waits.
    pub seed: u64,
}

/// So often a message is tried however old it is: a clock that jumped ahead makes all of them old at once.
const LEAST_ATTEMPTS: u32 = 10;

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Span::from_secs(30),
            longest: Span::from_secs(3600),
            give_up_after: Span::from_secs(3 * 86_400),
            seed: 0,
        }
    }
}

impl Backoff {
    /// How long to wait after so many failures of `what`: the first wait, doubled with each, less or more by up to a
    /// fifth.
    #[must_use]
    pub fn wait(&self, failures: u32, what: u64) -> Span {
        let doubled = 1_usize << failures.saturating_sub(1).min(30);
        let plain = self.first.times(doubled).min(self.longest).as_millis();
        let bits = mix(self.seed ^ mix(what ^ u64::from(failures)));
        let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        Span::from_millis((plain as f64 * (0.8 + 0.4 * share)) as i64)
    }

    /// Whether a message that is so old and was tried so often is given up.
    #[must_use]
    pub fn is_hopeless(&self, attempts: u32, age: Span) -> bool {
        attempts >= LEAST_ATTEMPTS && age >= self.give_up_after
    }
}

/// The output function of SplitMix64 (Steele, Lea, Flood 2014): well mixed bits from any number.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let backoff = Backoff::default();
        let near = |failures, seconds: f64| {
            let wait = backoff.wait(failures, 7).as_secs_f64();
            assert!((0.8..=1.2).contains(&(wait / seconds)), "{failures}: {wait}");
        };
        near(1, 30.0);
        near(2, 60.0);
        near(7, 1920.0);
        near(8, 3600.0);
        near(u32::MAX, 3600.0);
        assert_eq!(backoff.wait(3, 7).as_millis(), 126_063, "the same seed gives the same waits");
        assert!(backoff.is_hopeless(10, Span::from_secs(3 * 86_400)));
        assert!(!backoff.is_hopeless(9, Span::from_secs(9 * 86_400)));
        assert!(!backoff.is_hopeless(500, Span::from_secs(86_400)));
    }

    proptest! {
        #[test]
        fn every_wait_is_within_a_fifth_of_its_bounds(failures: u32, what: u64, seed: u64) {
            let backoff = Backoff { seed, ..Backoff::default() };
            let wait = backoff.wait(failures, what).as_secs_f64();
            prop_assert!((24.0..=4320.0).contains(&wait));
        }

        #[test]
        fn jitter_differs_between_messages(what: u64) {
            let backoff = Backoff::default();
            let waits = (0..8).map(|n| backoff.wait(1, what.wrapping_add(n)));
            prop_assert!(waits.collect::<std::collections::HashSet<_>>().len() > 4);
        }
    }
}
