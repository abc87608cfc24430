//! The detector as a whole, tried on series made for it.

mod course;
mod judged;
mod properties;
mod stored;

use super::*;
use overseer_core::{Detector, DetectorTrainer, Frame, Judgement, Sample, Schema, Timestamp};
use rand::SeedableRng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;

fn trainer() -> ForestDetectorTrainer {
    ForestDetectorTrainer::builder().seed(3).build().unwrap()
}

fn at(row: usize) -> Timestamp {
    Timestamp::from_millis(row as i64 * 5000)
}

fn frame(schema: &Schema, rows: &[Vec<f64>]) -> Frame {
    frame_from(0, schema, rows)
}

fn frame_from(from: usize, schema: &Schema, rows: &[Vec<f64>]) -> Frame {
    let mut frame = Frame::new(schema.clone());
    for (i, row) in rows.iter().enumerate() {
        frame.push_row(at(from + i), row).unwrap();
    }
    frame
}

fn unknown(features: usize) -> Schema {
    Schema::from_names((0..features).map(|i| format!("column {i}"))).unwrap()
}

/// A host at rest: a little CPU with bursts, slow load, bursts of disk and network, memory that creeps.
fn calm_host(rows: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut load = 0.05;
    let mut memory = 0.4;
    (0..rows)
        .map(|_| {
            let mut burst = |mean: f64| -> f64 {
                let e: f64 = Exp1.sample(&mut rng);
                mean * e
            };
            let cpu = (0.01 + burst(0.012)).min(1.0);
            load += 0.08 * (cpu * 1.5 - load);
            memory += 2e-4 * (burst(1.0) - 1.0);
            vec![
                cpu,
                load,
                memory,
                0.0,
                0.61,
                burst(2e4),
                burst(1.5e5),
                burst(3e3),
                burst(2e3),
                212.0 + burst(1.0).floor(),
                0.2 * cpu,
                burst(2e-4),
                0.0,
            ]
        })
        .collect()
}

/// Normal noise, half of it shared by all features.
fn noise(rows: usize, features: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut normal = move || -> f64 { StandardNormal.sample(&mut rng) };
    (0..rows)
        .map(|_| {
            let shared = normal();
            (0..features).map(|_| shared + normal()).collect()
        })
        .collect()
}

fn observe_all(detector: &mut dyn Detector, from: usize, rows: &[Vec<f64>]) -> Vec<Judgement> {
    let sample = |(i, row): (usize, &Vec<f64>)| Sample::new(at(from + i), row.clone());
    rows.iter().enumerate().map(sample).map(|s| detector.observe(&s).unwrap()).collect()
}
