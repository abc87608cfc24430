//! Disks and memories of many kinds by the minute, with what became of them.

use overseer_core::Timestamp;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Gamma, StandardNormal};
use rand_pcg::Pcg64Mcg;

pub(super) const MINUTES_A_DAY: usize = 1440;
/// How far the truth is known beyond now.
const FUTURE: usize = 31 * MINUTES_A_DAY;

/// The kinds, in the order of the table.
pub(super) const KINDS: [&str; 10] = [
    "leak",
    "leak by spells",
    "slow growth with a daily rhythm",
    "leak that begins late (runaway)",
    "leak after a cleanup",
    "sawtooth with rotation",
    "burst that stops",
    "nightly temporary file",
    "step on deploy",
    "random walk",
];

/// A series by the minute, with now somewhere in it.
pub(super) struct Case {
    values: Vec<f64>,
    now: usize,
}

impl Case {
    /// What is kept of it: means of hours, and the minutes of the last day.
    pub(super) fn kept(&self) -> Vec<(Timestamp, f64)> {
        let at = |minute: f64| Timestamp::from_millis((60_000.0 * minute) as i64);
        let fine = self.now.saturating_sub(MINUTES_A_DAY) / 60 * 60;
        let hours = self.values[..fine].chunks(60).enumerate().map(|(h, hour)| {
            (at(60.0 * h as f64 + 30.0), hour.iter().sum::<f64>() / hour.len() as f64)
        });
        let minutes = (fine..=self.now).map(|m| (at(m as f64), self.values[m]));
        hours.chain(minutes).collect()
    }

    /// Seconds until it is full, as it really came; infinite if not within 31 days.
    pub(super) fn truth(&self) -> f64 {
        let after = self.values[self.now + 1..].iter().position(|&x| x >= 1.0);
        after.map_or(f64::INFINITY, |m| 60.0 * (m + 1) as f64)
    }

    /// The same so many minutes before it is full, if it will be and now is not later.
    pub(super) fn before_full(&self, minutes: usize) -> Option<Self> {
        let full = self.values.iter().position(|&x| x >= 1.0)?;
        let now = full.checked_sub(minutes)?.max(self.now);
        Some(Self { values: self.values.clone(), now })
    }

    /// Seconds that were seen.
    pub(super) fn seen(&self) -> f64 {
        60.0 * self.now as f64
    }
}

fn between(rng: &mut impl Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// As likely of each order of magnitude.
fn evenly(rng: &mut impl Rng, low: f64, high: f64) -> f64 {
    between(rng, low.ln(), high.ln()).exp()
}

pub(super) fn case(kind: usize, seed: u64) -> Case {
    let mut rng = Pcg64Mcg::seed_from_u64(1000 * seed + kind as u64);
    let rng = &mut rng;
    let day = MINUTES_A_DAY as f64;
    let now = evenly(rng, 0.3 * day, 32.0 * day) as usize;
    let n = now + FUTURE;
    let level = between(rng, 0.3, 0.7);
    // What is left at now is used up after this many minutes at a leak's rate.
    let left = evenly(rng, 120.0, 40.0 * day);
    let mut path = vec![level; n];
    match kind {
        0..=2 => {
            let seen = if kind == 2 { now.max(5 * MINUTES_A_DAY) } else { now };
            path = vec![level; seen + FUTURE];
            let left = if kind == 2 { left.max(2.0 * day) } else { left };
            let slope = (1.0 - level) / (left + seen as f64);
            let spells = Gamma::new(0.5, 2.0).unwrap();
            let mut rate = 1.0;
            for m in 1..path.len() {
                if kind == 1 && m % 60 == 0 {
                    rate = spells.sample(rng);
                }
                path[m] = path[m - 1] + slope * rate;
            }
            if kind == 2 {
                let swing = between(rng, 0.005, 0.05);
                for (m, x) in path.iter_mut().enumerate() {
                    *x += swing * (std::f64::consts::TAU * m as f64 / day).sin();
                }
            }
            return noisy(path, seen, rng);
        }
        3 => {
            let since = evenly(rng, 30.0, 0.6 * now as f64) as usize;
            let slope = (1.0 - level) / (left + since as f64);
            for (m, x) in path[now - since..].iter_mut().enumerate() {
                *x = level + slope * m as f64;
            }
        }
        4 => {
            let slope = (1.0 - level) / (left + now as f64);
            let cleaned = (between(rng, 0.1, 0.9) * now as f64) as usize;
            let freed = between(rng, 0.1, 0.3);
            for (m, x) in path.iter_mut().enumerate() {
                *x += slope * m as f64 - if m > cleaned { freed } else { 0.0 };
            }
        }
        5 => {
            let period = evenly(rng, 120.0, 4.0 * day);
            let height = between(rng, 0.05, 0.28);
            let phase = rng.random::<f64>();
            for (m, x) in path.iter_mut().enumerate() {
                *x += height * (m as f64 / period + phase).fract();
            }
        }
        6 => {
            let length = evenly(rng, 10.0, 240.0) as usize;
            let height = between(rng, 0.05, 0.25);
            let begin = now.saturating_sub(rng.random_range(0..length + 120));
            let stays = rng.random::<bool>();
            for (m, x) in path[begin..].iter_mut().enumerate() {
                let done = (m as f64 / length as f64).min(1.0);
                *x += if done < 1.0 || stays { height * done } else { 0.0 };
            }
        }
        7 => {
            let length = evenly(rng, 10.0, 90.0) as usize;
            let height = between(rng, 0.05, 0.25);
            for (m, x) in path.iter_mut().enumerate() {
                let into = m % MINUTES_A_DAY;
                *x += if into < length { height * into as f64 / length as f64 } else { 0.0 };
            }
        }
        8 => {
            let at = now - evenly(rng, 1.0, now as f64) as usize;
            let height = between(rng, 0.05, 0.25);
            path[at..].iter_mut().for_each(|x| *x += height);
        }
        _ => {
            let step = evenly(rng, 0.005, 0.05) / day.sqrt();
            for m in 1..n {
                let e: f64 = StandardNormal.sample(rng);
                path[m] = (path[m - 1] + step * e).max(0.0);
            }
        }
    }
    noisy(path, now, rng)
}

/// With noise that remembers some minutes, as files that come and go make it.
fn noisy(mut path: Vec<f64>, now: usize, rng: &mut Pcg64Mcg) -> Case {
    let size = evenly(rng, 1e-4, 5e-3);
    let mut noise = 0.0;
    for x in &mut path {
        let e: f64 = StandardNormal.sample(rng);
        noise = 0.9 * noise + size * 0.436 * e;
        *x = (*x + noise).clamp(0.0, 1.0);
    }
    // What was full before now is looked at while it was not yet.
    let full = path[..=now].iter().position(|&x| x >= 1.0);
    let now = full.map_or(now, |full| (between(rng, 0.3, 1.0) * full as f64) as usize);
    Case { values: path, now }
}
