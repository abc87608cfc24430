//! Futures drawn from the steps of the past, and when each first reaches 1.

use super::growth::{CELLS, Growth};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// How many futures are drawn: so many that a bound wanders by a fiftieth of the interval or so.
const PATHS: usize = 200;

/// By how much the steps of a window that was chosen for being even are too even: measured on growth that comes by
/// spells, where the interval then holds four of five truths.
const LUCKY: f64 = 1.3;

/// Seconds until each future first reaches 1, infinite where it does not within `horizon` seconds.
pub(super) fn first_passages(growth: &Growth, horizon: f64, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let n = growth.steps.len();
    let mean = growth.steps.iter().sum::<f64>() / n as f64;
    // Drawing with replacement makes the spread of a sample smaller than that of what it is from; and where steps were
    // even enough to be taken for growth, they were likely more even than usual.
    let widen = LUCKY * (n as f64 / (n as f64 - 1.0)).sqrt();
    let steps: Vec<f64> = growth.steps.iter().map(|s| mean + widen * (s - mean)).collect();
    let highest: Vec<f64> =
        growth.shapes.iter().map(|s| s.iter().copied().fold(f64::NEG_INFINITY, f64::max)).collect();
    let rounds = (horizon / growth.part).ceil() as usize;
    let mut believed = vec![0.0; n];
    (0..PATHS)
        .map(|_| {
            for step in &mut believed {
                *step = steps[rng.random_range(0..n)];
            }
            let mut level = growth.level;
            for round in 0..rounds {
                let next = level + believed[rng.random_range(0..n)];
                let shape = rng.random_range(0..growth.shapes.len());
                if level.max(next) + highest[shape] >= 1.0
                    && let Some(within) = crossing(level, next, &growth.shapes[shape])
                {
                    let seconds = (round as f64 + within) * growth.part;
                    return if seconds <= horizon { seconds } else { f64::INFINITY };
                }
                level = next;
            }
            f64::INFINITY
        })
        .collect()
}

/// Where within a step, as a share of it, the line from `from` to `to` with this shape on it first reaches 1.
fn crossing(from: f64, to: f64, shape: &[f64; CELLS]) -> Option<f64> {
    let middle = |c: usize| (c as f64 + 0.5) / CELLS as f64;
    let reached = |&(c, above): &(usize, &f64)| from + (to - from) * middle(c) + *above >= 1.0;
    shape.iter().enumerate().find(reached).map(|(c, _)| middle(c))
}
