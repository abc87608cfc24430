//! Whether a mount fills so fast that it is full within minutes.
//!
//! Fullness is noted once a minute of samples. A mount fills if each of the last minutes added to it, for as long as it
//! would take to be full at that pace, five minutes at most, and that is a quarter of an hour at most. So what is told to
//! be full in two minutes has grown for two, and a package that is unpacked in one says nothing.

use overseer_core::Span;
use std::collections::VecDeque;

/// It is told from here on: before, there is room for what a host does in passing.
pub(super) const FROM: f64 = 0.90;
/// And noted from here on, so that its past is known by then.
pub(super) const NOTED: f64 = 0.70;

const EVERY: Span = Span::from_secs(60);
/// It is full within this time.
const WITHIN: Span = Span::from_secs(900);
/// Longer than this it need not have grown; and for as long it counts as filling after it was last seen to.
const GROWN: Span = Span::from_secs(300);
/// Steps from one note to the next that are needed at least: two points are no pace.
const LEAST: u32 = 2;
/// And so many are looked at.
const MOST: usize = 8;
/// Each of them is at least this share of their mean.
const STEADY: f64 = 0.25;

/// How fast something fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fills {
    /// How much it grows in a minute, a share of all there is.
    pub(super) a_minute: f64,
    /// For how long it has grown like this, as far as that was looked at.
    pub(super) grown_for: Span,
    /// When it is full at that pace.
    pub(super) left: Span,
}

/// What a mount's fullness was in the last minutes.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// Each with the samples since the one before.
    notes: VecDeque<(f64, usize)>,
    /// Samples since the newest note.
    since: usize,
    newest: Option<Fills>,
    /// Samples since it was last seen to fill.
    idle: usize,
}

impl Pace {
    /// Goes on where another process said that it fills.
    pub(super) fn resume(&mut self) {
        let unknown = Span::default();
        self.newest = Some(Fills { a_minute: f64::NAN, grown_for: unknown, left: unknown });
    }

    /// Takes its fullness, so many samples after the last.
    pub(super) fn take(&mut self, value: f64, passed: usize, step: Span) {
        self.since = self.since.saturating_add(passed);
        self.idle = self.idle.saturating_add(passed);
        if self.notes.is_empty() || self.since >= EVERY.steps(step).max(1) {
            if self.notes.len() > MOST {
                self.notes.pop_front();
            }
            self.notes.push_back((value, std::mem::take(&mut self.since)));
            if let Some(fills) = self.look(step) {
                (self.newest, self.idle) = (Some(fills), 0);
            }
        }
        if self.idle >= GROWN.steps(step).max(2) || value < FROM {
            self.newest = None;
        }
    }

    /// How fast it fills; `None` if it does not.
    pub(super) fn fills(&self) -> Option<Fills> {
        self.newest
    }

    /// The pace of the shortest run up to now that has lasted long enough.
    fn look(&self, step: Span) -> Option<Fills> {
        let newest = self.notes.back()?.0;
        let (mut samples, mut least) = (0, f64::INFINITY);
        let mut steps = 0_u32;
        for (later, earlier) in self.notes.iter().rev().zip(self.notes.iter().rev().skip(1)) {
            steps += 1;
            samples += later.1;
            let (added, risen) = (later.0 - earlier.0, newest - earlier.0);
            least = least.min(added);
            if added.is_nan() || added <= 0.0 || least < STEADY * risen / f64::from(steps) {
                return None;
            }
            let grown_for = step.times(samples);
            let a_minute = 60.0 * risen / grown_for.as_secs_f64();
            let left = Span::from_millis((60_000.0 * (1.0 - newest).max(0.0) / a_minute) as i64);
            if steps >= LEAST && left <= WITHIN && grown_for >= left.min(GROWN) {
                return Some(Fills { a_minute, grown_for, left });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Span = Span::from_secs(5);

    /// At which sample it is said to fill first, and when it is full at that pace.
    fn first(values: impl IntoIterator<Item = f64>, step: Span) -> Option<(usize, Span)> {
        let mut pace = Pace::default();
        values.into_iter().enumerate().find_map(|(i, value)| {
            pace.take(value, 1, step);
            pace.fills().map(|fills| (i, fills.left))
        })
    }

    /// From one share to another in so many minutes of samples.
    fn rising(from: f64, to: f64, minutes: usize) -> impl Iterator<Item = f64> {
        let n = minutes * 12;
        (0..=n).map(move |i| from + (to - from) * i as f64 / n as f64)
    }

    #[test]
    fn a_disk_that_fills_within_minutes_is_told_while_there_is_time() {
        // 55 to 97 % in twenty minutes passes 90 % after 16.7.
        let (at, left) = first(rising(0.55, 0.97, 20), STEP).unwrap();
        assert_eq!(at, 17 * 12);
        assert!((4.0..5.0).contains(&(left.as_secs_f64() / 60.0)), "{left}");
        // In an hour there is a quarter of one left, and in two minutes nothing but two.
        assert!(first(rising(0.57, 0.99, 60), STEP).unwrap().1 > Span::from_secs(10 * 60));
        assert!(first(rising(0.5, 1.0, 8), STEP).unwrap().1 <= Span::from_secs(120));
        // The same by the minute, which is how often the other mounts are looked at.
        let minutes = (0..=20).map(|i| 0.55 + 0.021 * f64::from(i));
        assert_eq!(first(minutes, Span::from_secs(60)).unwrap().0, 17);
    }

    #[test]
    fn what_a_host_does_in_passing_is_no_filling() {
        let still = |value: f64, minutes: usize| std::iter::repeat_n(value, minutes * 12);
        // Two minutes of unpacking on a disk that is full to 91 %.
        let unpacked = still(0.91, 10).chain(rising(0.91, 0.93, 2)).chain(still(0.93, 30));
        assert_eq!(first(unpacked, STEP), None);
        // A backup that needs a third of the disk for a while, and one step of it.
        assert_eq!(first(rising(0.5, 0.88, 10).chain(still(0.88, 30)), STEP), None);
        assert_eq!(first(still(0.5, 10).chain(still(0.96, 30)), STEP), None);
        // Slow growth, for which there is advice; noise; and what is not known.
        assert_eq!(first(rising(0.9, 0.95, 300), STEP), None);
        let noise = (0..5000).map(|i| 0.94 + 0.01 * (f64::from(i) * 0.618).fract());
        assert_eq!(first(noise, STEP), None);
        assert_eq!(first((0..100).map(|_| f64::NAN), STEP), None);
    }

    #[test]
    fn it_ends_some_minutes_after_it_stopped_and_at_once_when_space_is_freed() {
        let mut pace = Pace::default();
        rising(0.75, 0.93, 9).for_each(|value| pace.take(value, 1, STEP));
        assert!(pace.fills().is_some());
        for i in 0..120 {
            pace.take(0.93, 1, STEP);
            assert_eq!(pace.fills().is_some(), i < 59, "{i}");
        }
        let mut freed = Pace::default();
        rising(0.75, 0.93, 9).for_each(|value| freed.take(value, 1, STEP));
        freed.take(0.8, 1, STEP);
        assert_eq!(freed.fills(), None);
    }
}
