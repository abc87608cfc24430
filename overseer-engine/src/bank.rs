//! What a series does hours and days ahead, from its means over equal lengths of time.
//!
//! A bank of rules, each of which needs a few sums only: the last value, means, lines, the same time on days and in weeks
//! before, with and without how far the series is off its usual now. The rule with the least discounted absolute error
//! at that horizon on this very series speaks (follow the leader: Cesa-Bianchi and Lugosi 2006, chapter 3), and the range
//! is that of its rolling-origin errors, widened while such ranges held too little (adaptive conformal inference: Gibbs
//! and Candès 2021, on the logarithm of a scale). How often ranges held is measured by saying them again at origins
//! before, each with what was known by then: the truth of an origin is learned from when it had come, not before.
//!
//! Means vary less than the values they are of, so what values did around their means is added to each error: the ranges
//! are of single values.

use crate::ahead::Ahead;
use overseer_core::{Interval, Probability};
use std::collections::VecDeque;

/// Fewer errors than this say nothing about a spread.
const NEEDED: usize = 30;
const LEVEL: f64 = 0.9;
/// Errors are looked at from so many origins at most, and ranges said again at so many.
const MOST_ORIGINS: usize = 360;
const MOST_REPLAYS: usize = 72;
/// A range is that of so many of the newest errors.
const MOST_ERRORS: usize = 300;
/// To know which rule is best takes fewer origins than a range does.
const FEW_ORIGINS: usize = 100;
const RULES: usize = 10;
/// Means that make up "now".
const NEAR: usize = 6;
/// After so many origins an error counts half.
const HALF_LIFE: f64 = 300.0;
/// How fast the scale follows whether ranges held, and how far, as logarithms.
const SPEED: f64 = 0.06;
const SCALES: (f64, f64) = (-0.3, 1.1);
/// Errors that overlap tell less than as many that do not: both tails are cut by so many parts of what is free.
const INFLATE: f64 = 4.0;
/// Ranges that held less than this are widened by what they missed, and are not said if that was of no use.
const TOO_LITTLE: f64 = 0.88;
const WORTHLESS: f64 = 0.75;
/// A share of fewer checks says too little.
const FEWEST_CHECKS: usize = 20;

/// Sums up to each mean, of which a mean or a line over any part follows at once.
#[derive(Debug, Clone)]
struct Sums(Vec<[f64; 5]>);

impl Sums {
    fn of(values: &[f64]) -> Self {
        let mut sum = [0.0; 5];
        let mut all = vec![sum];
        for (i, &v) in values.iter().enumerate() {
            if v.is_finite() {
                let x = i as f64;
                for (s, a) in sum.iter_mut().zip([1.0, x, x * x, v, x * v]) {
                    *s += a;
                }
            }
            all.push(sum);
        }
        Self(all)
    }

    fn over(&self, from: usize, to: usize) -> [f64; 5] {
        let (a, b) = (self.0[from], self.0[to]);
        std::array::from_fn(|k| b[k] - a[k])
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        let [n, _, _, v, _] = self.over(from, to);
        v / n
    }

    /// The least-squares line over `from..to`, at `at`.
    fn line(&self, from: usize, to: usize, at: f64) -> f64 {
        let [n, x, xx, v, xv] = self.over(from, to);
        let spread = xx - x * x / n;
        if n < 8.0 || spread <= 0.0 {
            return f64::NAN;
        }
        v / n + (xv - x * v / n) / spread * (at - x / n)
    }
}

/// Means of one series, evenly spaced, the newest last; NaN where none is known.
#[derive(Debug, Clone)]
pub(crate) struct Bank<'a> {
    values: &'a [f64],
    /// So many means are a day.
    day: usize,
    sums: Sums,
    /// How far single values of late were from the means they are part of.
    around: &'a [f64],
}

/// The errors of all rules from origins at which the truth is known, oldest first.
struct Errors {
    origins: Vec<usize>,
    errors: Vec<[f64; RULES]>,
}

/// How the rules did so far.
struct Leader {
    losses: [[f64; 2]; RULES],
    counts: [usize; RULES],
    learned: usize,
}

impl Leader {
    fn new() -> Self {
        Self { losses: [[0.0; 2]; RULES], counts: [0; RULES], learned: 0 }
    }

    /// Takes in the truths that are known at `at`.
    fn learn(&mut self, all: &Errors, steps: usize, at: usize) {
        let keeps = 0.5_f64.powf(1.0 / HALF_LIFE);
        while all.origins.get(self.learned).is_some_and(|o| o + steps <= at) {
            let errors = &all.errors[self.learned];
            for (rule, &e) in errors.iter().enumerate() {
                // Rules that speak from other origins on are compared through the last value on their own ones.
                if e.is_finite() && errors[0].is_finite() {
                    let [loss, of_last] = &mut self.losses[rule];
                    *loss = *loss * keeps + e.abs();
                    *of_last = *of_last * keeps + errors[0].abs();
                    self.counts[rule] += 1;
                }
            }
            self.learned += 1;
        }
    }

    /// The rule that did best of those that speak now.
    fn best(&self, says: &[f64; RULES]) -> Option<usize> {
        let ratio = |&rule: &usize| {
            let [loss, of_last] = self.losses[rule];
            loss / of_last.max(f64::MIN_POSITIVE)
        };
        (0..RULES)
            .filter(|&rule| self.counts[rule] >= NEEDED && says[rule].is_finite())
            .min_by(|a, b| ratio(a).total_cmp(&ratio(b)))
    }
}

impl<'a> Bank<'a> {
    pub(crate) fn new(values: &'a [f64], day: usize, around: &'a [f64]) -> Self {
        Self { values, day, sums: Sums::of(values), around }
    }

    /// The mean of what was known at `known` of whole periods before `at`, the newest `most` of them.
    fn season(&self, at: usize, period: usize, known: usize, most: usize) -> f64 {
        let mut sum = (0.0, 0);
        for back in (period..=at).step_by(period) {
            let i = at - back;
            if i <= known && self.values[i].is_finite() {
                sum = (sum.0 + self.values[i], sum.1 + 1);
                if sum.1 == most {
                    break;
                }
            }
        }
        sum.0 / f64::from(u32::try_from(sum.1).unwrap_or(u32::MAX))
    }

    /// What each rule says at `now` of the mean `steps` later.
    fn says(&self, now: usize, steps: usize) -> [f64; RULES] {
        let from = |n: usize| (now + 1).saturating_sub(n);
        let at = (now + steps) as f64;
        let near = self.sums.mean(from(NEAR), now + 1);
        let usual = self.sums.mean(from(self.day), now + 1);
        let (mut daily, mut shifted, mut weekly) = (f64::NAN, f64::NAN, f64::NAN);
        if self.day > 0 && now >= self.day + NEAR {
            daily = self.season(now + steps, self.day, now, 4);
            let off = (now + 1 - NEAR..=now)
                .map(|i| self.values[i] - self.season(i, self.day, now - NEAR, 4))
                .filter(|d| d.is_finite())
                .fold((0.0, 0.0), |(sum, n), d| (sum + d, n + 1.0));
            shifted = daily + off.0 / off.1;
        }
        if self.day > 0 && now >= 7 * self.day {
            weekly = self.season(now + steps, 7 * self.day, now, 2);
        }
        [
            self.values[now],
            near,
            usual,
            self.sums.mean(0, now + 1),
            0.5 * (near + usual),
            self.sums.line(from((2 * steps).max(36)), now + 1, at),
            self.sums.line(0, now + 1, at),
            daily,
            shifted,
            weekly,
        ]
    }

    fn errors(&self, steps: usize, most: usize) -> Option<Errors> {
        let newest = self.values.len().checked_sub(steps + 1)?;
        let stride = (newest / most).max(1);
        let mut all = Errors { origins: Vec::new(), errors: Vec::new() };
        for origin in (newest % stride..=newest).step_by(stride).filter(|&o| o >= 2 * NEAR) {
            let truth = self.values[origin + steps];
            if truth.is_finite() {
                all.origins.push(origin);
                all.errors.push(self.says(origin, steps).map(|s| truth - s));
            }
        }
        (all.origins.len() >= NEEDED).then_some(all)
    }

    /// The mean `steps` after the newest, by the rule that did best; `None` if too little is known.
    pub(crate) fn near(&self, steps: usize) -> Option<f64> {
        let all = self.errors(steps, FEW_ORIGINS)?;
        let now = self.values.len() - 1;
        let mut leader = Leader::new();
        leader.learn(&all, steps, now);
        let says = self.says(now, steps);
        Some(says[leader.best(&says)?])
    }

    /// A value `steps` after the newest mean, kept within `limits`; `None` if too little is known, or if ranges said
    /// before held far less than they claimed however they were widened.
    pub(crate) fn ahead(&self, steps: usize, limits: (f64, f64)) -> Option<Ahead> {
        let all = self.errors(steps, MOST_ORIGINS)?;
        let now = self.values.len() - 1;
        let mut leader = Leader::new();
        let mut scale = 0.0_f64;
        let mut waiting: VecDeque<(usize, bool)> = VecDeque::new();
        let mut checks: Vec<(bool, f64)> = Vec::new();
        let every = (all.origins.len() / MOST_REPLAYS).max(1);
        for index in (0..all.origins.len()).step_by(every) {
            let at = all.origins[index];
            leader.learn(&all, steps, at);
            follow(&mut scale, &mut waiting, steps, at);
            let says = all.errors[index].map(|e| self.values[at + steps] - e);
            let Some((rule, low, high)) = self.range(&all, &leader, &says, steps) else { continue };
            let missed = all.errors[index][rule] + self.around(at, 2);
            let outside = outside(missed, low, high);
            let holds = outside <= scale.exp();
            waiting.push_back((at, holds));
            checks.push((holds, outside));
        }
        leader.learn(&all, steps, now);
        follow(&mut scale, &mut waiting, steps, now);
        let says = self.says(now, steps);
        let (rule, low, high) = self.range(&all, &leader, &says, steps)?;
        let (held, scale) = widened(&checks, scale.exp())?;
        let within = |x: f64| x.clamp(limits.0, limits.1);
        let level = Probability::saturating(LEVEL);
        let interval = Interval::new(
            within(says[rule] + low * scale),
            within(says[rule] + high * scale),
            level,
        );
        Some(Ahead { median: within(says[rule]), interval, held })
    }

    /// The best rule, and what its errors of late came to, below and above; not yet widened.
    fn range(
        &self,
        all: &Errors,
        leader: &Leader,
        says: &[f64; RULES],
        steps: usize,
    ) -> Option<(usize, f64, f64)> {
        let rule = leader.best(says)?;
        let from = leader.learned.saturating_sub(MOST_ERRORS);
        let known = all.origins[from..leader.learned].iter().zip(&all.errors[from..leader.learned]);
        let mut errors: Vec<f64> = known
            .filter(|(_, e)| e[rule].is_finite())
            .map(|(&origin, e)| e[rule] + self.around(origin, 1))
            .collect();
        if errors.len() < NEEDED {
            return None;
        }
        let last = errors.len() - 1;
        let span = all.origins[leader.learned - 1] - all.origins[from];
        let free = (span as f64 / steps.max(1) as f64).clamp(1.0, (last + 1) as f64);
        let tail = (0.5 * (1.0 - LEVEL) * (1.0 - INFLATE / free)).max(0.0);
        let [low, high] = [tail, 1.0 - tail].map(|q| {
            let place = (last as f64 * q).round() as usize;
            *errors.select_nth_unstable_by(place, f64::total_cmp).1
        });
        Some((rule, low.min(0.0), high.max(0.0)))
    }

    /// What a value was around its mean, for this origin: drawn from those of late, the same each time.
    fn around(&self, origin: usize, salt: u64) -> f64 {
        if self.around.is_empty() {
            return 0.0;
        }
        let mixed = (origin as u64 ^ (salt << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.around[(mixed >> 33) as usize % self.around.len()]
    }
}

/// How far an error is out, in parts of its range's own side: 1 at the end of it, and without end where that side has none.
fn outside(missed: f64, low: f64, high: f64) -> f64 {
    if missed == 0.0 { 0.0 } else { (missed / if missed < 0.0 { low } else { high }).abs() }
}

/// Widens while ranges miss too often, and narrows while they hold, by those whose truth is known at `at`.
fn follow(scale: &mut f64, waiting: &mut VecDeque<(usize, bool)>, steps: usize, at: usize) {
    while waiting.front().is_some_and(|w| w.0 + steps <= at) {
        let Some((_, held)) = waiting.pop_front() else { return };
        let moved = if held { LEVEL - 1.0 } else { LEVEL };
        *scale = (*scale + SPEED * moved).clamp(SCALES.0, SCALES.1);
    }
}

/// The share of the newer ranges that held, 0 of too few, and the scale for the next; `None` if they are of no use.
///
/// Where too few held, the next is as wide as all but a tenth needed; the share is then that of the newer half had each
/// also been as wide as all but a tenth of the older half needed.
fn widened(checks: &[(bool, f64)], scale: f64) -> Option<(Probability, f64)> {
    let newer = &checks[checks.len() / 3..];
    if newer.len() < FEWEST_CHECKS {
        return Some((Probability::ZERO, scale));
    }
    let held = Probability::share(newer.iter().filter(|c| c.0).count(), newer.len());
    if held.get() >= TOO_LITTLE {
        return Some((held, scale));
    }
    let needed = |checks: &[(bool, f64)]| {
        let mut outside: Vec<f64> = checks.iter().map(|c| c.1).collect();
        outside.sort_unstable_by(f64::total_cmp);
        let place = (outside.len().saturating_sub(1) as f64 * LEVEL).ceil() as usize;
        outside.get(place).copied().filter(|s| s.is_finite()).unwrap_or(scale)
    };
    let (older, newer) = checks.split_at(checks.len() / 2);
    let wide = needed(older);
    let held = Probability::share(newer.iter().filter(|c| c.0 || c.1 <= wide).count(), newer.len());
    (held.get() >= WORTHLESS).then(|| (held, scale.max(needed(checks))))
}

#[cfg(test)]
mod tests;
