//! One horizon of the grid: its experts, its intervals, and the forecasts that wait for their truth.

use super::ExpertSet;
use super::analogues::Outlook;
use super::conformal::{Conformal, Raw};
use super::experts::{Experts, weighted_mean, weighted_median};
use super::inputs::{Outline, last_known, medians};
use super::regret::Regrets;
use super::target::LARGEST_STORED;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};
use std::collections::VecDeque;

/// Experts for the median: analogues' levels, analogues' changes, last value, medians of the newest 3, 5, 10, 20, 40,
/// 100 and 288.
pub(super) const POINTS: usize = 10;
/// Experts for each bound: analogues' levels, analogues' changes, the quantile of the newest 288.
const BOUNDS: usize = 3;
/// So many of either, the first, are the analogues'.
const ANALOGUES: usize = 2;
/// How many there were of either before version 3 of the payload.
const POINTS_BEFORE: usize = 6;
const BOUNDS_BEFORE: usize = 2;

/// What each expert says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Views {
    points: [f64; POINTS],
    lows: [f64; BOUNDS],
    highs: [f64; BOUNDS],
}

impl Views {
    /// `recent` is the target up to now, oldest first, NaN where missing; a known value is among its newest four.
    pub(super) fn new(outlook: &Outlook, recent: &[f64], outline: &Outline) -> Self {
        let current = last_known(recent);
        let [low, middle, high] = outlook.levels;
        let [fall, drift, rise] = outlook.changes.map(|c| current + c);
        let mut points = [current; POINTS];
        points[..2].copy_from_slice(&[middle, drift]);
        for (point, median) in points[3..].iter_mut().zip(medians(recent, &[3, 5, 10, 20, 40])) {
            *point = median;
        }
        points[8..].copy_from_slice(&[outline.median_100, outline.median]);
        Self { points, lows: [low, fall, outline.lower], highs: [high, rise, outline.upper] }
    }
}

/// A forecast with all that is needed to learn from its truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Issued {
    /// The step whose value it forecasts.
    pub(super) due: u64,
    /// The value it was issued at.
    pub(super) current: f64,
    views: Views,
    pub(super) raw: Raw,
    scale: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    tail: f64,
    /// The least and the greatest value there can be.
    limits: (f64, f64),
    point: Regrets<POINTS>,
    low: Experts<BOUNDS>,
    high: Experts<BOUNDS>,
    pub(super) conformal: Conformal,
    pending: VecDeque<Issued>,
}

impl Lane {
    pub(super) fn new(tail: f64, limits: (f64, f64), experts: ExpertSet) -> Self {
        // The analogues deserve more belief than a fixed rule until proven otherwise. Who does not take part has no
        // belief to begin with, and never gets any.
        let (analogues, rules) = match experts {
            ExpertSet::All => (1.0, 1.0),
            ExpertSet::Analogues => (1.0, 0.0),
            ExpertSet::Rules => (0.0, 1.0),
        };
        let prior = |i: usize, belief: f64| if i < ANALOGUES { belief * analogues } else { rules };
        Self {
            tail,
            limits,
            point: Regrets::new(std::array::from_fn(|i| prior(i, 4.0))),
            low: Experts::new(std::array::from_fn(|i| prior(i, 1.0))),
            high: Experts::new(std::array::from_fn(|i| prior(i, 1.0))),
            conformal: Conformal::new(tail),
            pending: VecDeque::new(),
        }
    }

    /// The forecast that follows from the experts' views, for step `due`.
    pub(super) fn combine(&self, views: &Views, current: f64, due: u64) -> Issued {
        let (least, greatest) = self.limits;
        let median = weighted_median(views.points, self.point.weights()).clamp(least, greatest);
        let raw = Raw {
            lower: weighted_mean(views.lows, self.low.weights()).clamp(least, greatest).min(median),
            median,
            upper: weighted_mean(views.highs, self.high.weights())
                .clamp(least, greatest)
                .max(median),
        };
        let scale = self.conformal.scale(&raw);
        let (lower, upper) = self.conformal.adjust(&raw, scale);
        let (lower, upper) = (lower.clamp(least, greatest), upper.clamp(least, greatest));
        Issued { due, current, views: *views, raw, scale, lower, upper }
    }

    /// Keeps a forecast until its truth arrives.
    pub(super) fn await_truth(&mut self, issued: Issued) {
        self.pending.push_back(issued);
    }

    /// Learns from the truth of step `now`, and gives the forecast of it, if one was waiting.
    pub(super) fn settle(&mut self, now: u64, truth: f64) -> Option<Issued> {
        while self.pending.front().is_some_and(|issued| issued.due < now) {
            self.pending.pop_front();
        }
        let issued = *self.pending.front().filter(|issued| issued.due == now)?;
        self.pending.pop_front();
        let Views { points, lows, highs } = issued.views;
        let lost = (truth - issued.raw.median).abs();
        self.point.learn(points.map(|p| lost - (truth - p).abs()));
        self.low.learn(lows.map(|x| pinball(truth, x, self.tail)));
        self.high.learn(highs.map(|x| pinball(truth, x, 1.0 - self.tail)));
        self.conformal.learn(&issued.raw, issued.scale, (issued.lower, issued.upper), truth);
        Some(issued)
    }

    /// Gives up what waits: the steps it was issued for will not be counted as such.
    pub(super) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        self.point.write_to(w);
        self.low.write_to(w);
        self.high.write_to(w);
        self.conformal.write_to(w);
        w.u64(self.pending.len() as u64);
        for issued in &self.pending {
            w.u64(issued.due);
            issued.numbers().for_each(|v| w.f64(v));
        }
    }

    /// Reads what [`Lane::write_to`] wrote in this version of the payload. Before version 3 there were fewer experts
    /// and no regrets: medians begin anew, the bounds' experts keep their losses, and what they awaited is let go.
    pub(super) fn read_from(
        r: &mut Reader<'_>,
        version: u32,
        tail: f64,
        limits: (f64, f64),
        experts: ExpertSet,
    ) -> Result<Self> {
        let mut lane = Self::new(tail, limits, experts);
        if version < 3 {
            for _ in 0..=POINTS_BEFORE {
                r.finite()?;
            }
            lane.low.read_into(r, BOUNDS_BEFORE)?;
            lane.high.read_into(r, BOUNDS_BEFORE)?;
            lane.conformal.read_into(r)?;
            for _ in 0..r.length()? {
                r.u64()?;
                for _ in 0..7 + POINTS_BEFORE + 2 * BOUNDS_BEFORE {
                    r.finite()?;
                }
            }
            return Ok(lane);
        }
        lane.point.read_into(r)?;
        lane.low.read_into(r, BOUNDS)?;
        lane.high.read_into(r, BOUNDS)?;
        lane.conformal.read_into(r)?;
        for _ in 0..r.length()? {
            let issued = Issued::read_from(r)?;
            if !issued.is_sound() || lane.pending.back().is_some_and(|b| b.due >= issued.due) {
                return Err(Error::corrupt("the stored forecaster", "its waiting forecasts"));
            }
            lane.pending.push_back(issued);
        }
        Ok(lane)
    }
}

impl Issued {
    /// All its numbers in the order they are stored.
    fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        let Views { points, lows, highs } = &self.views;
        let Raw { lower, median, upper } = self.raw;
        [self.current, lower, median, upper, self.scale, self.lower, self.upper]
            .into_iter()
            .chain(points.iter().chain(lows).chain(highs).copied())
    }

    fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let due = r.u64()?;
        let mut next = || r.finite();
        let current = next()?;
        let raw = Raw { lower: next()?, median: next()?, upper: next()? };
        let (scale, lower, upper) = (next()?, next()?, next()?);
        let mut views = Views { points: [0.0; POINTS], lows: [0.0; BOUNDS], highs: [0.0; BOUNDS] };
        let Views { points, lows, highs } = &mut views;
        for value in points.iter_mut().chain(lows).chain(highs) {
            *value = next()?;
        }
        Ok(Self { due, current, views, raw, scale, lower, upper })
    }

    /// Whether learning from it can neither overflow nor divide by zero.
    fn is_sound(&self) -> bool {
        let Raw { lower, median, upper } = self.raw;
        self.numbers().all(|v| v.abs() <= LARGEST_STORED)
            && self.scale > 0.0
            && (lower..=upper).contains(&median)
    }
}

/// The loss that the quantile `q` minimises (Koenker and Bassett 1978).
fn pinball(truth: f64, predicted: f64, q: f64) -> f64 {
    let error = truth - predicted;
    (q * error).max((q - 1.0) * error)
}
