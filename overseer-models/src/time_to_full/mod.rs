//! When is something full that grows: a disk, memory, swap, inodes, file descriptors?
//!
//! Straight lines through the last hour cry wolf: a backup, a log rotation or a package update writes for minutes, and
//! the line says that the disk is full tonight. So three things are asked first, of windows of an hour to 32 days, each
//! cut into eight (or four, by the day) equal parts of which only the medians count:
//!
//! 1. *Does it grow, all along and still?* Of the steps from median to median nearly all must lead up, their mean must be
//!    clear of their spread, and the newest two must be neither much slower nor much faster than all of them.
//! 2. *Has it not ended by itself before?* Where two rises about as high have fallen back by half before, this one is
//!    taken for another of them (log rotation, a cache, a daily rhythm, garbage collection) until it is clearly higher.
//! 3. *Has it lasted long enough?* What grew for a window says nothing of more than four times as long, and nothing is
//!    said of more than 30 days.
//!
//! A window that passes is continued: the future is drawn 200 times from the window's own steps, with replacement, first
//! once for what the rate may really be and then step by step for what comes, and on top of each step how far a part
//! rose above its median. When each future first reaches 1 gives the median and the interval. The longest window counts;
//! a shorter one only where it says so clearly sooner that the two intervals do not touch, as when something ran away.
//!
//! Sources: the median of parts as a robust level, after Theil (1950), Sen (1968) and Siegel (1982), whose slopes take
//! pairs of points where this takes pairs of parts; the sign test for trend of Cox and Stuart (1955); the bootstrap of
//! blocks of Künsch (1989); first passage of the drawn paths, as is usual in reliability (degradation data: Meeker and
//! Escobar 1998, chapter 13).
//!
//! ```
//! use overseer_core::{FillForecaster, FillOutlook, Timestamp};
//! use overseer_models::time_to_full::RisingFill;
//!
//! // Half full, and a percentage point more each hour, with a little noise, for 16 hours.
//! let history: Vec<_> = (0..960_i64)
//!     .map(|i| (Timestamp::from_millis(60_000 * i), 0.5 + i as f64 / 6000.0 + (i * 7 % 5) as f64 / 1000.0))
//!     .collect();
//! let FillOutlook::Filling(filling) = RisingFill::default().outlook(&history) else { panic!() };
//! let hours = filling.median.unwrap().as_secs_f64() / 3600.0;
//! assert!((32.0..36.0).contains(&hours), "{hours}"); // 34 percentage points are left
//! ```

mod growth;
mod paths;
#[cfg(test)]
mod tests;

use growth::{Growth, Window};
use overseer_core::{FillForecaster, FillOutlook, Filling, Probability, Span, Timestamp};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// So long must something be seen before anything is said of it: bursts of an hour must be few among it.
const NEEDED: i64 = 6 * HOUR;
/// So many times as long as it was seen is the farthest that anything is said of: as the usual rules of Prometheus have
/// it, six hours for a day.
const AHEAD: i64 = 4;
/// Nothing is said of what is farther away.
const FARTHEST: i64 = 30 * DAY;
/// The share of futures that must be full within the horizon before any of it is said.
const TELLING: f64 = 0.1;
/// The probability that the interval is meant to have.
const LEVEL: f64 = 0.8;
/// A share of what fits from which on nothing more fits, but for rounding.
const FULL: f64 = 0.9995;
/// Something that rose by less than this before it was full is full by nature, as a read-only image is.
const ROSE: f64 = 0.01;

/// Says when something is full by growth that lasted; see the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RisingFill {
    seed: u64,
}

impl RisingFill {
    /// Where randomness starts; 0 by default. The same seed and history give the same outlook.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self { seed }
    }
}

impl FillForecaster for RisingFill {
    fn outlook(&self, history: &[(Timestamp, f64)]) -> FillOutlook {
        let points = seconds(history);
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return FillOutlook::Unknown { seen: Span::default(), needed: Span::from_secs(NEEDED) };
        };
        let seen = last.0 - first.0;
        if seen < NEEDED as f64 {
            let seen = Span::from_millis((1000.0 * seen) as i64);
            return FillOutlook::Unknown { seen, needed: Span::from_secs(NEEDED) };
        }
        if last.1 >= FULL {
            let least = points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
            if last.1 - least > ROSE {
                return FillOutlook::Filling(Filling::full(Probability::saturating(LEVEL)));
            }
        }
        match self.filling(&points) {
            Some(filling) => FillOutlook::Filling(filling),
            None => {
                let within = ((AHEAD as f64 * seen) as i64).min(FARTHEST);
                FillOutlook::Room { within: Span::from_secs(within) }
            }
        }
    }

    fn memory(&self) -> Span {
        Span::from_secs(Window::ALL[0].length)
    }
}

impl RisingFill {
    /// The longest window that says it fills, or a shorter one that says so clearly sooner.
    fn filling(&self, points: &[(f64, f64)]) -> Option<Filling> {
        let mut chosen: Option<Filling> = None;
        for window in Window::ALL {
            let Some(growth) = Growth::of(points, window) else { continue };
            let horizon = (window.ahead * window.length).min(FARTHEST) as f64;
            let Some(found) = self.ahead(&growth, window, horizon) else { continue };
            let sooner = |c: &Filling| found.latest.is_some_and(|latest| latest < c.earliest);
            if chosen.as_ref().is_none_or(sooner) {
                chosen = Some(found);
            }
        }
        chosen
    }

    fn ahead(&self, growth: &Growth, window: Window, horizon: f64) -> Option<Filling> {
        let mut passages = paths::first_passages(growth, horizon, self.seed);
        let reached = passages.iter().filter(|t| t.is_finite()).count();
        let share = reached as f64 / passages.len() as f64;
        if share < TELLING {
            return None;
        }
        passages.sort_unstable_by(f64::total_cmp);
        // A passage is told to a cell of a part only, so the bounds lie half a cell farther out.
        let half = 0.5 * growth.part / growth::CELLS as f64;
        let at = |q: f64, off: f64| {
            let t = passages[((passages.len() - 1) as f64 * q).round() as usize] + off;
            t.is_finite().then(|| Span::from_secs(t.round().max(1.0) as i64))
        };
        let mut filling = Filling::full(Probability::saturating(LEVEL));
        filling.earliest = at(0.5 - 0.5 * LEVEL, -half)?;
        (filling.median, filling.latest) = (at(0.5, 0.0), at(0.5 + 0.5 * LEVEL, half));
        filling.share = Probability::saturating(share);
        filling.horizon = Span::from_secs(horizon as i64);
        filling.grown_for = Span::from_secs(window.length);
        filling.per_hour = growth.rate() * HOUR as f64;
        filling.lately_per_hour = growth.newest_rate() * HOUR as f64;
        let (low, high) = growth.rate_between();
        filling.per_hour_between = (low * HOUR as f64, high * HOUR as f64);
        Some(filling)
    }
}

/// The points that count, with their times in seconds before the newest (so never above zero).
fn seconds(history: &[(Timestamp, f64)]) -> Vec<(f64, f64)> {
    let Some(&(now, _)) = history.iter().rev().find(|p| p.1.is_finite()) else { return Vec::new() };
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(history.len());
    let mut before = None;
    for &(at, value) in history.iter().filter(|p| p.1.is_finite() && p.0 <= now) {
        if before.is_none_or(|b| at > b) {
            points.push((-now.since(at).as_secs_f64(), value));
            before = Some(at);
        }
    }
    points
}
