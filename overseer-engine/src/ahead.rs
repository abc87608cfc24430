//! What a series does so many steps ahead, from nothing but itself.
//!
//! A straight line from each value to the one `steps` later, fitted to the pairs that are known, between "as usual" (the
//! slope is 0) and "as now" (the slope is 1); the range is that of what the line missed (local projections: Jordà 2005,
//! with quantiles of the misses in the place of normal errors). How often such a range held is measured on the newest
//! third of the pairs, with a line and a range that know only what came before. Where it held too little, it is widened
//! by what the older half of that third needed, and measured again on the newer half (split conformal prediction on
//! scaled residuals: Papadopoulos et al. 2002); what held far too little even so is not told.

use overseer_core::{Interval, Probability, Span, Timestamp};

/// Fewer pairs than this say nothing about a spread.
const NEEDED: usize = 30;
/// The probability that the range is meant to have.
const LEVEL: f64 = 0.9;
/// A range that held less than this is widened.
const TOO_LITTLE: f64 = 0.85;
/// A widened range that held less than this is of no use.
const WORTHLESS: f64 = 0.6;
/// It is not widened by more than this.
const WIDEST: f64 = 4.0;

/// What is predicted of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ahead {
    pub(crate) median: f64,
    pub(crate) interval: Interval,
    /// The share of the newest past that such a range held; 0 if too little was known to measure it.
    pub(crate) held: Probability,
}

/// Values with their times, and how far apart they usually are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past<'a> {
    pub(crate) times: &'a [Timestamp],
    pub(crate) values: &'a [f64],
    pub(crate) interval: Span,
}

impl Past<'_> {
    /// Known values `steps` apart without a gap between, oldest first, each with the index of the later one.
    fn pairs(&self, steps: usize) -> Vec<(usize, f64, f64)> {
        let longest = self.interval.times(steps + 3);
        (steps..self.values.len())
            .filter(|&i| self.times[i].since(self.times[i - steps]) <= longest)
            .map(|i| (i, self.values[i - steps], self.values[i]))
            .filter(|(_, x, y)| x.is_finite() && y.is_finite())
            .collect()
    }

    /// The value `steps` after `now`, kept within `limits`; `None` if too little is known.
    pub(crate) fn ahead(&self, now: f64, steps: usize, limits: (f64, f64)) -> Option<Ahead> {
        let pairs = self.pairs(steps);
        if pairs.len() < NEEDED || !now.is_finite() {
            return None;
        }
        let within = |x: f64| x.clamp(limits.0, limits.1);
        let line = Line::of(&pairs);
        let [low, middle, high] = line.missed(&pairs);
        let center = line.at(now);
        let level = Probability::saturating(LEVEL);
        let (held, scale) = match outside(&pairs, steps) {
            Some(missed) => widened(&missed)?,
            None => (Probability::ZERO, 1.0),
        };
        let bound = |of: f64| within(center + middle + scale * (of - middle));
        let interval = Interval::new(bound(low), bound(high), level);
        Some(Ahead { median: within(center + middle), interval, held })
    }

    /// The median of [`Past::ahead`] alone, which costs less.
    pub(crate) fn near(&self, now: f64, steps: usize) -> Option<f64> {
        let pairs = self.pairs(steps);
        (pairs.len() >= NEEDED && now.is_finite()).then(|| Line::of(&pairs).at(now))
    }
}

/// `mean of later + slope * (value - mean of earlier)`.
#[derive(Debug, Clone, Copy)]
struct Line {
    from: f64,
    to: f64,
    slope: f64,
}

impl Line {
    fn of(pairs: &[(usize, f64, f64)]) -> Self {
        let n = pairs.len() as f64;
        let from = pairs.iter().map(|p| p.1).sum::<f64>() / n;
        let to = pairs.iter().map(|p| p.2).sum::<f64>() / n;
        let (mut along, mut spread) = (0.0, 0.0);
        for &(_, x, y) in pairs {
            along += (x - from) * (y - to);
            spread += (x - from) * (x - from);
        }
        let slope = along / spread;
        Self { from, to, slope: if slope.is_finite() { slope.clamp(0.0, 1.0) } else { 0.0 } }
    }

    fn at(self, x: f64) -> f64 {
        self.to + self.slope * (x - self.from)
    }

    /// Lower bound, median and upper bound of what the line missed.
    fn missed(self, pairs: &[(usize, f64, f64)]) -> [f64; 3] {
        let mut missed: Vec<f64> = pairs.iter().map(|&(_, x, y)| y - self.at(x)).collect();
        let tail = 0.5 * (1.0 - LEVEL);
        // Selecting three places costs a fraction of sorting them all, and each tick asks.
        [tail, 0.5, 1.0 - tail].map(|q| {
            let place = ((missed.len() - 1) as f64 * q).round() as usize;
            *missed.select_nth_unstable_by(place, f64::total_cmp).1
        })
    }
}

/// For each pair of the newest third how many times as wide the range had to be to hold it, had it known only what came
/// before that third; `None` if that is too little.
fn outside(pairs: &[(usize, f64, f64)], steps: usize) -> Option<Vec<f64>> {
    let newer = &pairs[pairs.len() * 2 / 3..];
    // A pair whose later value was not known when the third began is of no use for it.
    let known = pairs.partition_point(|p| newer.first().is_some_and(|n| p.0 + steps <= n.0));
    let older = &pairs[..known];
    if older.len() < NEEDED {
        return None;
    }
    let line = Line::of(older);
    let [low, middle, high] = line.missed(older);
    let needed = |&(_, x, y): &(usize, f64, f64)| {
        let missed = y - line.at(x);
        if (low..=high).contains(&missed) {
            return 0.0;
        }
        let side = if missed < low { low } else { high };
        (missed - middle) / (side - middle)
    };
    Some(newer.iter().map(needed).collect())
}

/// The share that such ranges held, and how many times as wide as it was the next is to be.
fn widened(outside: &[f64]) -> Option<(Probability, f64)> {
    let share = |of: &[f64], scale: f64| {
        Probability::share(of.iter().filter(|&&s| s <= scale).count(), of.len())
    };
    let at_first = share(outside, 1.0);
    if at_first.get() >= TOO_LITTLE {
        return Some((at_first, 1.0));
    }
    let needed = |of: &[f64]| {
        let mut of = of.to_vec();
        of.sort_unstable_by(f64::total_cmp);
        let place = (of.len().saturating_sub(1) as f64 * LEVEL).ceil() as usize;
        of.get(place).map_or(1.0, |s| s.clamp(1.0, WIDEST))
    };
    let (older, newer) = outside.split_at(outside.len() / 2);
    let held = share(newer, needed(older));
    (held.get() >= WORTHLESS).then(|| (held, needed(outside).max(needed(older))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Span = Span::from_secs(5);

    fn times(n: usize) -> Vec<Timestamp> {
        (0..n).map(|i| Timestamp::from_millis(5000 * i as i64)).collect()
    }

    fn noise(i: usize) -> f64 {
        ((i as f64 * 12.9898).sin() * 43_758.545).fract().abs()
    }

    fn ahead(values: &[f64], now: f64, steps: usize) -> Option<Ahead> {
        let times = times(values.len());
        Past { times: &times, values, interval: STEP }.ahead(now, steps, (0.0, 1.0))
    }

    #[test]
    fn noise_comes_back_to_what_is_usual_and_its_range_holds() {
        let values: Vec<f64> = (0..600).map(|i| 0.2 + 0.1 * noise(i)).collect();
        let a = ahead(&values, 0.9, 60).unwrap();
        assert!((a.median - 0.25).abs() < 0.1, "{a:?}");
        assert!((0.8..=0.97).contains(&a.held.get()), "{a:?}");
    }

    #[test]
    fn what_wanders_stays_where_it_is_and_limits_hold() {
        let values: Vec<f64> = (0..600).map(|i| i as f64 / 600.0).collect();
        let a = ahead(&values, 0.98, 60).unwrap();
        assert_eq!((a.median, a.interval.upper), (1.0, 1.0));
        let past = Past { times: &times(600), values: &values, interval: STEP };
        assert!((past.near(0.5, 60).unwrap() - 0.6).abs() < 1e-9);
    }

    #[test]
    fn too_little_a_gap_and_missing_values_say_nothing() {
        assert_eq!(ahead(&[0.5; 80], 0.5, 60), None);
        assert_eq!(ahead(&[f64::NAN; 600], 0.5, 60), None);
        assert_eq!(ahead(&[0.5; 600], f64::NAN, 60), None);
        let constant = ahead(&[0.5; 600], 0.5, 60).unwrap();
        assert_eq!((constant.median, constant.held), (0.5, Probability::ONE));
    }
}
