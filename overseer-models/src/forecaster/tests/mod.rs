//! Series that are made up, and what the tests of each idea share.

mod causality;
mod gaps;
mod limits;
mod quality;
mod settings;
mod stored;

use super::*;
use crate::forecaster::inputs::WINDOW;
use overseer_core::{Sample, Timestamp, host};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;

const STEP: i64 = 5_000;

fn frame_of(values: &[f64]) -> Frame {
    let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
    for (i, &v) in values.iter().enumerate() {
        frame.push_row(Timestamp::from_millis(STEP * i as i64), &[v]).unwrap();
    }
    frame
}

fn sample(i: usize, value: f64) -> Sample {
    Sample::new(Timestamp::from_millis(STEP * i as i64), vec![value])
}

fn trainer() -> ForestForecasterTrainer {
    ForestForecasterTrainer::builder().trees(20).seed(5).build().unwrap()
}

fn fitted(values: &[f64], horizon: usize) -> ForestForecaster {
    trainer().fit_forest(&frame_of(values), ForecastTarget::Column(0), horizon).unwrap()
}

/// A first-order autoregression around 50 with normal noise of deviation 1.
fn autoregression(n: usize, phi: f64, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut x = 0.0;
    (0..n)
        .map(|_| {
            x = phi * x + rng.sample::<f64, _>(StandardNormal);
            50.0 + x
        })
        .collect()
}

/// A host whose CPU follows a rhythm of 48 steps with noise that grows with it, and memory that saws.
fn host_frame(n: usize, seed: u64) -> Frame {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut frame = Frame::new(host::schema());
    for i in 0..n {
        let wave = (std::f64::consts::TAU * i as f64 / 48.0).sin();
        let cpu =
            0.4 + 0.2 * wave + (0.02 + 0.02 * (1.0 + wave)) * rng.sample::<f64, _>(StandardNormal);
        let mut row = vec![f64::NAN; host::schema().len()];
        row[host::CPU_UTILIZATION] = cpu.clamp(0.0, 1.0);
        row[host::LOAD_PER_CORE] = (1.5 * cpu).max(0.0);
        row[host::MEMORY_UTILIZATION] = 0.3 + 0.001 * (i % 100) as f64;
        row[host::NETWORK_RECEIVE] = 1e6 * rng.random::<f64>();
        frame.push_row(Timestamp::from_millis(STEP * i as i64), &row).unwrap();
    }
    frame
}

/// Errors of median and of last value, and the share of truths within the interval, over forecasts from each row on.
fn backtest(
    frame: &Frame,
    target: ForecastTarget,
    train: usize,
    horizon: usize,
) -> (f64, f64, f64) {
    let mut forecaster = trainer().fit_forest(&frame.slice(0, train), target, horizon).unwrap();
    let values: Vec<f64> = frame.rows().map(|(_, r)| super::target::value(target, r)).collect();
    let (mut error, mut last_error, mut hits, mut checks) = (0.0, 0.0, 0.0, 0.0);
    for t in train..frame.len() - horizon {
        forecaster.observe(&Sample::new(frame.timestamps()[t], frame.row(t).to_vec())).unwrap();
        for f in forecaster.forecast(horizon).unwrap() {
            let truth = values[t + f.step];
            error += (truth - f.median).abs();
            last_error += (truth - values[t]).abs();
            hits += f64::from(u8::from(f.interval.contains(truth)));
            checks += 1.0;
        }
    }
    (error / checks, last_error / checks, hits / checks)
}

/// A frame of two columns with missing cells, lost rows and gaps.
fn ragged_frame(n: usize, seed: u64) -> Frame {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut frame = Frame::new(Schema::from_names(["x", "y"]).unwrap());
    let mut step = 0;
    for (i, v) in autoregression(n, 0.6, seed).into_iter().enumerate() {
        step += if i % 150 == 149 { 9 } else { 1 + i64::from(rng.random_bool(0.05)) };
        let x = if rng.random_bool(0.05) || i % 190 < 4 { f64::NAN } else { v };
        frame.push_row(Timestamp::from_millis(STEP * step), &[x, rng.random::<f64>()]).unwrap();
    }
    frame
}
