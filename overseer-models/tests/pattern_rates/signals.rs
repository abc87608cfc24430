//! Series with something to find, and whether it was found.

use crate::analysis::{has, periods, says_trend};
use crate::noise::{autoregression, white};
use overseer_core::{ChangeKind, PatternAnalysis, PatternType};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::f64::consts::TAU;

/// Something to find, at several strengths.
pub(crate) struct Signal {
    pub(crate) what: &'static str,
    /// What the strengths count.
    pub(crate) unit: &'static str,
    pub(crate) n: usize,
    pub(crate) strengths: [f64; 4],
    /// What a value has beside noise, by index, strength and a random number 0–1 of the series.
    shape: fn(usize, f64, f64) -> f64,
    noise: Noise,
    found: fn(&PatternAnalysis, f64) -> bool,
}

#[derive(Clone, Copy)]
enum Noise {
    /// An autoregression of variance one.
    Red(f64),
    /// White with 2 % spikes of 10 to 30 deviations.
    Spiky,
    /// White, whose deviation is `strength` times as large after `at`.
    Changing,
}

const N: usize = 300;
const LONG: usize = 1000;

impl Signal {
    pub(crate) fn series(&self, strength: f64, seed: u64) -> (Vec<f64>, f64) {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let chance = rng.random::<f64>();
        let phi = if let Noise::Red(phi) = self.noise { phi } else { 0.0 };
        let scale = (1.0 - phi * phi).sqrt();
        let values = autoregression(&mut rng, phi, self.n)
            .into_iter()
            .enumerate()
            .map(|(i, e)| {
                let e = match self.noise {
                    Noise::Red(_) => e * scale,
                    Noise::Spiky if rng.random::<f64>() < 0.02 => {
                        e + 10.0 + 20.0 * rng.random::<f64>()
                    }
                    Noise::Changing if i >= middle(self.n, chance) => strength * e,
                    _ => e,
                };
                20.0 + (self.shape)(i, strength, chance) + e
            })
            .collect();
        (values, chance)
    }

    pub(crate) fn is_found(&self, found: &PatternAnalysis, chance: f64) -> bool {
        (self.found)(found, chance)
    }
}

/// An index in the middle 60 %.
fn middle(n: usize, chance: f64) -> usize {
    (n as f64 * (0.2 + 0.6 * chance)) as usize
}

/// A sine of this period in a phase of its own.
fn sine(i: usize, period: f64, chance: f64) -> f64 {
    (TAU * (i as f64 / period + chance)).sin()
}

fn rises(a: &PatternAnalysis, _: f64) -> bool {
    says_trend(a) && a.trend.as_ref().is_some_and(|t| t.slope_per_hour > 0.0)
}

/// Whether just these periods, in minutes, are named.
fn just(a: &PatternAnalysis, wanted: &[f64]) -> bool {
    let found = periods(a);
    found.len() == wanted.len()
        && wanted.iter().all(|w| found.iter().any(|f| (f / w - 1.0).abs() < 0.03))
}

/// Whether the one change of a kind is near an index.
fn one_change(a: &PatternAnalysis, kind: ChangeKind, n: usize, chance: f64, near: usize) -> bool {
    let mut changes = a.change_points.iter().filter(|c| c.kind == kind);
    let index = |c: &overseer_core::ChangePoint| {
        (c.timestamp.since(a.window.0).as_secs_f64() / 60.0) as usize
    };
    matches!((changes.next(), changes.next()), (Some(c), None) if index(c).abs_diff(middle(n, chance)) <= near)
}

const TREND: fn(usize, f64, f64) -> f64 = |i, change, _| change * i as f64 / N as f64;

pub(crate) fn signals() -> Vec<Signal> {
    let strong = [0.5, 1.0, 2.0, 4.0];
    let of_change = "change over the window, deviations";
    vec![
        Signal {
            what: "linear trend, white noise",
            unit: of_change,
            n: N,
            strengths: strong,
            shape: TREND,
            noise: Noise::Red(0.0),
            found: rises,
        },
        Signal {
            what: "linear trend, 2 % spikes",
            unit: of_change,
            n: N,
            strengths: strong,
            shape: TREND,
            noise: Noise::Spiky,
            found: rises,
        },
        Signal {
            what: "linear trend, AR(1) 0.5",
            unit: of_change,
            n: N,
            strengths: [1.0, 2.0, 4.0, 8.0],
            shape: TREND,
            noise: Noise::Red(0.5),
            found: rises,
        },
        Signal {
            what: "linear trend, AR(1) 0.9",
            unit: of_change,
            n: N,
            strengths: [2.0, 4.0, 8.0, 16.0],
            shape: TREND,
            noise: Noise::Red(0.9),
            found: rises,
        },
        Signal {
            what: "sine, 20 cycles, white noise",
            unit: "amplitude, deviations",
            n: LONG,
            strengths: strong,
            shape: |i, a, c| a * sine(i, 50.0, c),
            noise: Noise::Red(0.0),
            found: |a, _| just(a, &[50.0]),
        },
        Signal {
            what: "sine, 20 cycles, AR(1) 0.9",
            unit: "amplitude, deviations",
            n: LONG,
            strengths: strong,
            shape: |i, a, c| a * sine(i, 50.0, c),
            noise: Noise::Red(0.9),
            found: |a, _| just(a, &[50.0]),
        },
        Signal {
            what: "square wave, 10 cycles, and no harmonic",
            unit: "amplitude, deviations",
            n: LONG,
            strengths: strong,
            shape: |i, a, c| a * sine(i, 100.0, c).signum(),
            noise: Noise::Red(0.3),
            found: |a, _| just(a, &[100.0]),
        },
        Signal {
            what: "job on one row of 24, and no harmonic",
            unit: "height, deviations",
            n: LONG,
            strengths: [2.0, 4.0, 8.0, 16.0],
            shape: |i, height, c| {
                if i % 24 == (24.0 * c) as usize { height } else { 0.0 }
            },
            noise: Noise::Red(0.0),
            found: |a, _| just(a, &[24.0]),
        },
        Signal {
            what: "day of 24 and week of 168 rows, both",
            unit: "amplitude of each, deviations",
            n: LONG,
            strengths: strong,
            shape: |i, a, c| a * (sine(i, 24.0, c) + sine(i, 168.0, 0.3)),
            noise: Noise::Red(0.3),
            found: |a, _| just(a, &[24.0, 168.0]),
        },
        Signal {
            what: "two unrelated sines, 24 and 130 rows, both",
            unit: "amplitude of each, deviations",
            n: LONG,
            strengths: strong,
            shape: |i, a, c| a * (sine(i, 24.0, c) + sine(i, 130.0, 0.3)),
            noise: Noise::Red(0.3),
            found: |a, _| just(a, &[24.0, 130.0]),
        },
        Signal {
            what: "one step, within 3 % of its place",
            unit: "height, deviations",
            n: N,
            strengths: strong,
            shape: |i, height, c| if i < middle(N, c) { 0.0 } else { height },
            noise: Noise::Red(0.0),
            found: |a, c| one_change(a, ChangeKind::Level, N, c, 9),
        },
        Signal {
            what: "one step, AR(1) 0.5, within 3 %",
            unit: "height, deviations",
            n: N,
            strengths: [1.0, 2.0, 4.0, 8.0],
            shape: |i, height, c| if i < middle(N, c) { 0.0 } else { height },
            noise: Noise::Red(0.5),
            found: |a, c| one_change(a, ChangeKind::Level, N, c, 9),
        },
        Signal {
            what: "a flat line that starts to rise",
            unit: "rise by the end, deviations",
            n: N,
            strengths: [2.0, 4.0, 8.0, 16.0],
            shape: |i, rise, _| rise * (i as f64 / N as f64 - 0.5).max(0.0) / 0.5,
            noise: Noise::Red(0.0),
            found: |a, _| one_change(a, ChangeKind::Trend, N, 0.5, 45),
        },
        Signal {
            what: "deviation that grows, within 10 %",
            unit: "times as large",
            n: N,
            strengths: [1.5, 2.0, 3.0, 5.0],
            shape: |_, _, _| 0.0,
            noise: Noise::Changing,
            found: |a, c| one_change(a, ChangeKind::Variance, N, c, 30),
        },
        Signal {
            what: "a level of white noise, called stable",
            unit: "levels, deviations",
            n: N,
            strengths: [4.5, 6.0, 10.0, 100.0],
            shape: |_, level, _| level - 20.0,
            noise: Noise::Red(0.0),
            found: |a, _| a.pattern_type == PatternType::Stable && a.confidence.get() > 0.95,
        },
    ]
}

/// Whether a claim is made that a series of this kind does not earn.
pub(crate) fn claims(a: &PatternAnalysis) -> [bool; 5] {
    [
        says_trend(a),
        !periods(a).is_empty(),
        has(a, ChangeKind::Level),
        has(a, ChangeKind::Trend),
        has(a, ChangeKind::Variance),
    ]
}

/// A line under noise: 20 at first, `change` more at the end.
pub(crate) fn line(phi: f64, spiky: bool, n: usize, change: f64, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut noise = if phi > 0.0 { autoregression(&mut rng, phi, n) } else { white(&mut rng, n) };
    if spiky {
        for v in &mut noise {
            if rng.random::<f64>() < 0.02 {
                *v += 10.0 + 20.0 * rng.random::<f64>();
            }
        }
    }
    noise.iter().enumerate().map(|(i, e)| 20.0 + change * i as f64 / (n - 1) as f64 + e).collect()
}
