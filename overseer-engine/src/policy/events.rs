//! How long what is unusual on a host stays so.
//!
//! A budget counts events, a p-value samples. How many samples make an event differs from host to host: where each comes
//! by itself, as many of them are more events than where they come in hours. The mean number is the inverse of the extremal
//! index (M. R. Leadbetter 1983), estimated by runs: a new event begins where none of the samples of a refractory period
//! before was unusual (R. L. Smith and I. Weissman, *Journal of the Royal Statistical Society B* 56, 1994).

use overseer_core::{Span, Timestamp};

/// So many samples make an event of a host that nobody knows yet, and that counts as so many events.
const TYPICAL: f64 = 6.0;
const WEIGHT: f64 = 4.0;
/// So many events are remembered.
const MEMORY: f64 = 50.0;
/// By how much the threshold follows, at most.
const BOUNDS: (f64, f64) = (1.0 / 3.0, 3.0);

/// The unusual samples of a host, and how many events they were.
#[derive(Debug, Clone, Copy)]
pub(super) struct Events {
    apart: Span,
    samples: f64,
    events: f64,
    /// When the last unusual sample was taken.
    pub(super) last: Option<Timestamp>,
}

impl Events {
    /// Of a host that nobody knows yet, whose events are at least so far apart.
    pub(super) fn new(apart: Span) -> Self {
        Self { apart, samples: 0.0, events: 0.0, last: None }
    }

    /// Takes the next sample: whether it is unusual.
    pub(super) fn count(&mut self, now: Timestamp, is_unusual: bool) {
        if !is_unusual {
            return;
        }
        let goes_on = |last: Timestamp| now >= last && now.since(last) <= self.apart;
        if !self.last.is_some_and(goes_on) {
            self.events += 1.0;
            if self.events > MEMORY {
                self.samples *= MEMORY / self.events;
                self.events = MEMORY;
            }
        }
        self.samples += 1.0;
        self.last = Some(now);
    }

    /// How long its events are beside typical ones, within bounds.
    pub(super) fn factor(&self) -> f64 {
        let size = (self.samples + TYPICAL * WEIGHT) / (self.events + WEIGHT);
        (size / TYPICAL).clamp(BOUNDS.0, BOUNDS.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;

    fn after(times: impl Iterator<Item = i64>) -> f64 {
        let mut events = Events::new(Span::from_secs(60 * MINUTE));
        times.for_each(|s| events.count(Timestamp::from_millis(1000 * s), true));
        events.factor()
    }

    #[test]
    fn single_samples_make_the_threshold_rarer_and_long_events_less_rare_within_bounds() {
        let typical = (0..50).flat_map(|event| (0..6).map(move |i| (event * 1000 + i) * MINUTE));
        assert_eq!((after(std::iter::empty()), after(typical)), (1.0, 1.0));
        let single = after((0..50).map(|event| event * 1000 * MINUTE));
        assert!((0.2..0.4).contains(&single), "{single}");
        assert_eq!(after(0..100_000), 3.0);
        assert_eq!(after((0..500).map(|event| event * 1000 * MINUTE)), 1.0 / 3.0);
    }

    #[test]
    fn a_clock_set_back_begins_an_event() {
        let mut events = Events::new(Span::from_secs(3600));
        for s in [100_000, 100_060, 50] {
            events.count(Timestamp::from_millis(1000 * s), true);
        }
        assert_eq!((events.events, events.samples), (2.0, 3.0));
    }
}
