//! Rows and what they lead to: the twins of REGRESSIONS in `sklearn/data.py`, draw for draw.

use crate::chance::{Autoregression, Chance, cosine, wave};
use std::collections::VecDeque;

/// Makes a set's rows with their targets.
type Make = fn(&mut Chance, &mut dyn FnMut(&[f64], f64));

/// The sets in the script's order, which sets their seeds.
pub(crate) const SETS: [(&str, Make); 11] = [
    ("friedman", friedman),
    ("host_lags", host_lags),
    ("host_spikes", host_spikes),
    ("steps", steps),
    ("discrete_columns", discrete_columns),
    ("heavy_target", heavy_target),
    ("few_rows", few_rows),
    ("far_values", far_values),
    ("power_law", power_law),
    ("fine_waves", fine_waves),
    ("missing", missing),
];

fn friedman(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..2000 {
        let x: [f64; 10] = chance.uniforms();
        let angle = std::f64::consts::PI * (x[0] * x[1] - 0.5);
        let mean =
            10.0 * cosine(angle) + 20.0 * (x[2] - 0.5) * (x[2] - 0.5) + 10.0 * x[3] + 5.0 * x[4];
        put(&x, mean + chance.normal());
    }
}

/// The newest row first.
fn lags<const N: usize>(past: &VecDeque<[f64; N]>) -> Vec<f64> {
    past.iter().flatten().copied().collect()
}

fn host_lags(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    let phases: [f64; 4] = chance.uniforms();
    let mut noises: [_; 4] = std::array::from_fn(|_| Autoregression::new(chance));
    let mut spikes = [0.0; 4];
    let mut past = VecDeque::new();
    for number in 0..4000 + 6 {
        let row: [f64; 4] = std::array::from_fn(|i| {
            spikes[i] *= 0.6;
            if chance.uniform() < 0.01 {
                spikes[i] += 4.0 + 8.0 * chance.uniform();
            }
            let season = 2.0 * wave(f64::from(number) / 288.0 + phases[i]);
            season + noises[i].next(chance) + spikes[i]
        });
        if number >= 6 {
            put(&lags(&past), row[0] + 0.3 * row[1]);
            past.pop_back();
        }
        past.push_front(row);
    }
}

fn host_spikes(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    let mut noises: [_; 3] = std::array::from_fn(|_| Autoregression::new(chance));
    let (mut spike, mut ahead) = (0.0, 0.0);
    let mut past = VecDeque::new();
    for number in 0..10_000 + 3 {
        spike = 0.6 * spike + ahead;
        ahead = if chance.uniform() < 0.005 { 20.0 + 60.0 * chance.uniform() } else { 0.0 };
        let added = [spike, 0.5 * ahead, 0.2 * (spike + ahead)];
        let row: [f64; 3] = std::array::from_fn(|i| noises[i].next(chance) + added[i]);
        if number >= 3 {
            put(&lags(&past), row[0]);
            past.pop_back();
        }
        past.push_front(row);
    }
}

fn steps(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..2000 {
        let x: [f64; 6] = chance.uniforms();
        let further = match (x[1] > 0.55, x[2] > 0.313, x[3] > 0.871) {
            (true, true, _) => 4.0,
            (true, false, _) => 2.0,
            (false, _, true) => -3.0,
            (false, _, false) => 0.0,
        };
        let y = if x[0] > 0.137 { 3.0 } else { -1.0 } + further;
        put(&x, y + 0.3 * chance.normal());
    }
}

fn discrete_columns(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..2000 {
        let x = [2, 2, 3, 3, 4, 5, 7, 9, 12].map(|n| chance.below(n) as f64);
        let y = 2.0 * x[0] * x[5]
            + (x[7] - 4.0) * (x[7] - 4.0) / 4.0
            + if x[4] == 2.0 { 3.0 } else { 0.0 }
            - 0.5 * x[8];
        put(&x, y + chance.normal());
    }
}

fn heavy_target(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..3000 {
        let x: [f64; 6] = chance.uniforms();
        let base = 1.0 + 4.0 * x[0] * x[1] + 2.0 * x[2] * x[2];
        let root = chance.tail().sqrt();
        put(&x, base * base * (0.8 + 0.2 * root));
    }
}

fn few_rows(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..1150 {
        let x: [f64; 6] = chance.normals();
        let y = 2.0 * x[0]
            + 1.5 * x[1]
            + x[2]
            + 0.7 * x[3] * x[3]
            + if x[4] > 0.0 { 2.0 } else { 0.0 }
            + x[5];
        put(&x, y + 0.5 * chance.normal());
    }
}

fn far_values(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..12_000 {
        let mut x: [f64; 6] = chance.uniforms();
        if chance.uniform() < 0.005 {
            let far = 10.0 + 100.0 * chance.uniform();
            x[0] += far;
            x[1] += 0.5 * far;
            x[2] -= far;
        }
        put(&x, x[0] - x[2] + 2.0 * x[3] + chance.normal());
    }
}

fn power_law(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..10_000 {
        let x: [f64; 6] = std::array::from_fn(|_| {
            let a = chance.tail();
            chance.sign() * a * a
        });
        let y = x[..3]
            .iter()
            .fold(0.0, |y, v| y + v.abs().sqrt().sqrt() * if *v > 0.0 { 1.0 } else { -0.5 });
        put(&x, y + 0.5 * chance.normal());
    }
}

fn fine_waves(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..7000 {
        let u = chance.uniform();
        let x = [u, u * u, u.sqrt(), 1.0 / (1.0 + u), -u, u / (2.0 - u)];
        put(&x, 3.0 * wave(10.0 * u) + 0.3 * chance.normal());
    }
}

fn missing(chance: &mut Chance, put: &mut dyn FnMut(&[f64], f64)) {
    for _ in 0..3000 {
        let mut x: [f64; 6] = chance.normals();
        let mut y = 2.0 * x[0] + x[1] * x[2] + 0.5 * chance.normal();
        for v in &mut x {
            if chance.uniform() < 0.2 {
                *v = f64::NAN;
            }
        }
        if x[3].is_nan() {
            y += 4.0;
        }
        put(&x, y);
    }
}
