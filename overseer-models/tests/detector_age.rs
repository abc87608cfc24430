//! A detector that goes on judging a host that never changes says the same of it at any age.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]
#![allow(clippy::print_stderr, reason = "the figures are what a person runs this test for")]

use overseer_core::{DetectorTrainer, Frame, Schema, Span, Timestamp};
use overseer_models::detector::ForestDetectorTrainer;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

const WEEK: usize = 2016;
/// Two weeks learned, then pairs of weeks.
const PAIRS: usize = 5;
const LEVELS: [f64; 3] = [0.1, 0.01, 0.002];
/// The shares of p-values at most each level that are near enough to it, on features that depend on their past. Far out in
/// the tail there may be fewer than said, for few rows tell.
const NEAR: [(f64, f64); 3] = [(0.07, 0.14), (0.003, 0.025), (0.0, 0.007)];

fn frame(columns: usize, rows: usize, seed: u64) -> Frame {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut normal = move || -> f64 { StandardNormal.sample(&mut rng) };
    let mut frame = Frame::new(Schema::from_names((0..columns).map(|j| format!("c{j}"))).unwrap());
    let mut own = vec![0.0; columns];
    let mut shared = 0.0;
    for i in 0..rows {
        shared = 0.7 * shared + 0.7 * normal();
        own.iter_mut().for_each(|o| *o = 0.7 * *o + 0.7 * normal());
        let row: Vec<f64> = own.iter().map(|o| shared + o).collect();
        let time = Timestamp::from_millis(0) + Span::from_secs(300).times(i);
        frame.push_row(time, &row).unwrap();
    }
    frame
}

/// The share of p-values at most each level, in each pair of weeks, over some seeds.
fn shares(columns: usize) -> Vec<[f64; LEVELS.len()]> {
    let mut counts = vec![[0.0; LEVELS.len()]; PAIRS];
    let seeds = 4;
    for seed in 0..seeds {
        let frame = frame(columns, 2 * WEEK * (1 + PAIRS), seed);
        let trainer = ForestDetectorTrainer::builder().seed(1).build().unwrap();
        let detector = trainer.fit(&frame.slice(0, 2 * WEEK)).unwrap();
        let judged = detector.score(&frame.slice(2 * WEEK, frame.len())).unwrap();
        for (counts, rows) in counts.iter_mut().zip(judged.chunks(2 * WEEK)) {
            for (count, level) in counts.iter_mut().zip(LEVELS) {
                let below = rows.iter().filter(|j| j.p_value <= level).count();
                *count += below as f64 / (2 * WEEK) as f64 / seeds as f64;
            }
        }
    }
    counts
}

#[test]
fn p_values_are_shares_at_any_age() {
    let mut wrong = Vec::new();
    for columns in [1, 5, 20] {
        let shares = shares(columns);
        eprintln!("{columns} columns, shares at most {LEVELS:?} by pair of weeks: {shares:.4?}");
        for (pair, shares) in shares.iter().enumerate() {
            for ((share, level), (least, most)) in shares.iter().zip(LEVELS).zip(NEAR) {
                if !(least..=most).contains(share) {
                    wrong.push(format!("{columns} columns, pair {pair}: {share:.4} at {level}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
