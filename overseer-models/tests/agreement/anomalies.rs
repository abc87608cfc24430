//! Rows, and for each whether it is an anomaly: the twins of ANOMALIES in `sklearn/data.py`, draw for draw.

use crate::chance::{Autoregression, Chance, wave};

/// Makes a set's rows and says of each whether it is an anomaly.
type Make = fn(&mut Chance, &mut dyn FnMut(&[f64], bool));

/// The sets in the script's order, which sets their seeds.
pub(crate) const SETS: [(&str, Make); 8] = [
    ("clusters", clusters),
    ("correlated", correlated),
    ("host", host),
    ("heavy_tails", heavy_tails),
    ("irrelevant", irrelevant),
    ("discrete", discrete),
    ("clump", clump),
    ("small", small),
];

fn clusters(chance: &mut Chance, put: &mut dyn FnMut(&[f64], bool)) {
    let centres: [[f64; 4]; 3] = std::array::from_fn(|_| chance.uniforms().map(|u| 10.0 * u - 5.0));
    for _ in 0..2000 {
        let odd = chance.uniform() < 0.06;
        let centre = centres[chance.below(3)];
        let row = centre
            .map(|c| if odd { 16.0 * chance.uniform() - 8.0 } else { c + 1.2 * chance.normal() });
        put(&row, odd);
    }
}

fn correlated(chance: &mut Chance, put: &mut dyn FnMut(&[f64], bool)) {
    for _ in 0..2000 {
        let odd = chance.uniform() < 0.1;
        let shared = chance.normal();
        let row = chance
            .normals::<6>()
            .map(|own| if odd { 1.3 * own } else { 0.97 * shared + 0.25 * own });
        put(&row, odd);
    }
}

fn host(chance: &mut Chance, put: &mut dyn FnMut(&[f64], bool)) {
    let phases: [f64; 8] = chance.uniforms();
    let mut noises: [_; 8] = std::array::from_fn(|_| Autoregression::new(chance));
    let (mut left, mut moved) = (0, [0, 0]);
    for number in 0..2400 {
        let mut row: [f64; 8] = std::array::from_fn(|i| {
            2.0 * wave(f64::from(number) / 288.0 + phases[i]) + noises[i].next(chance)
        });
        if left == 0 && chance.uniform() < 0.003 {
            left = 12;
            moved = [chance.below(8), chance.below(8)];
        }
        let mut odd = left > 0;
        if left > 0 {
            left -= 1;
            for feature in moved {
                row[feature] += 4.0;
            }
        }
        if chance.uniform() < 0.02 {
            odd = true;
            for _ in 0..2 {
                let feature = chance.below(8);
                row[feature] += 4.0 + 4.0 * chance.uniform();
            }
        }
        put(&row, odd);
    }
}

fn heavy_tails(chance: &mut Chance, put: &mut dyn FnMut(&[f64], bool)) {
    for _ in 0..2000 {
        let odd = chance.uniform() < 0.06;
        let row: [f64; 6] = std::array::from_fn(|i| match (i, odd) {
            (0..3, _) => chance.sign() * chance.tail(),
            (_, true) => chance.normal() + 3.5 * chance.sign(),
            (_, false) => chance.normal(),
        });
        put(&row, odd);
    }
}

fn irrelevant(chance: &mut Chance, put: &mut dyn FnMut(&[f64], bool)) {
    for _ in 0..2000 {
        let odd = chance.uniform() < 0.06;
        let mut row: [f64; 40] = chance.normals();
        if odd {
            for feature in (3..40).step_by(5) {
                row[feature] += 3.0 * chance.sign();
            }
        }
        put(&row, odd);
    }
}

fn discrete(chance: &mut Chance, put: &mut dyn FnMut(&[f64], bool)) {
    for _ in 0..2000 {
        let odd = chance.uniform() < 0.06;
        let mut row = [3.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        for value in &mut row[2..] {
            let count = (0..4).filter(|_| chance.uniform() < 0.3).count();
            let spread = chance.below(7);
            *value = if odd { spread } else { count } as f64;
        }
        put(&row, odd);
    }
}

fn clump(chance: &mut Chance, put: &mut dyn FnMut(&[f64], bool)) {
    for _ in 0..2000 {
        let odd = chance.uniform() < 0.06;
        let (shift, spread) = if odd { (2.4, 0.3) } else { (0.0, 1.0) };
        put(&chance.normals::<5>().map(|v| shift + spread * v), odd);
    }
}

fn small(chance: &mut Chance, put: &mut dyn FnMut(&[f64], bool)) {
    for _ in 0..200 {
        let odd = chance.uniform() < 0.15;
        let row: [f64; 3] =
            std::array::from_fn(|_| chance.normal() + if odd { 2.2 * chance.sign() } else { 0.0 });
        put(&row, odd);
    }
}
