//! What sinks and the worker are given from outside: a clock, and the word to stop.

use overseer_core::Timestamp;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time now, by whoever keeps it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The word to stop, which many threads may wait for. A clone hears the same word.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// When whoever was told must be done; none while nobody was told.
    deadline: Mutex<Option<Instant>>,
    told: Condvar,
}

impl Stop {
    /// A word that nobody has given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the word: everybody is to be done within `grace`. Of several the first counts.
    pub fn within(&self, grace: Duration) {
        let mut deadline = self.0.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.get_or_insert_with(|| Instant::now() + grace);
        self.0.told.notify_all();
    }

    /// By when to be done; none while the word was not given.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        *self.0.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the word, at most so long, and says whether it was given.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        let deadline = self.0.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        let (deadline, _) = self
            .0
            .told
            .wait_timeout_while(deadline, at_most, |deadline| deadline.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        deadline.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_hears_the_word_at_once_and_the_first_word_counts() {
        let stop = Stop::new();
        assert!(!stop.wait(Duration::from_millis(1)));
        let heard = stop.clone();
        let waiting = std::thread::spawn(move || heard.wait(Duration::from_secs(60)));
        let start = Instant::now();
        stop.within(Duration::ZERO);
        assert!(waiting.join().unwrap());
        assert!(start.elapsed() < Duration::from_secs(10));
        let deadline = stop.deadline().unwrap();
        stop.within(Duration::from_secs(60));
        assert_eq!(stop.deadline(), Some(deadline));
    }
}
