//! The hot kernels one at a time, for counting their instructions: `benches/instructions` runs this under callgrind.
//!
//! `kernels` lists them; `kernels NAME` prepares one, runs it once and prints a number that it came to. All of its work
//! and nothing else happens beneath the function [`counted`], at whose entry callgrind is told to begin.

use ndarray::Array2;
use overseer_benches::data::{FEATURES, Rotation, host_rows, lagged};
use overseer_benches::host::{START, STEP, Samples, host_frame, warm_engine};
use overseer_engine::core::{
    DetectorTrainer, Error, ForecastTarget, ForecasterTrainer, Frame, PatternAnalyzer, Result,
    Schema, Timestamp,
};
use overseer_engine::host::models::isolation_forest::IsolationForest;
use overseer_engine::host::models::pattern::ShapeAnalyzer;
use overseer_engine::host::models::random_forest::RandomForest;
use overseer_engine::host::models::trend::PolynomialTrend;
use overseer_engine::host::{detector_trainer, forecaster_trainer};
use std::hint::black_box;
use std::process::ExitCode;

/// A kernel's name and what prepares and runs it.
type Kernel = (&'static str, fn() -> Result<f64>);

const KERNELS: [Kernel; 15] = [
    ("isolation_forest.train", isolation_train),
    ("isolation_forest.score_one", isolation_score_one),
    ("isolation_forest.score_batch", isolation_score_batch),
    ("isolation_forest.contributions", isolation_contributions),
    ("random_forest.train", random_train),
    ("random_forest.predict_one", random_predict_one),
    ("random_forest.predict_batch", random_predict_batch),
    ("random_forest.quantiles", random_quantiles),
    ("trend.fit", trend_fit),
    ("detector.observe", detector_observe),
    ("detector.explain", detector_explain),
    ("forecaster.observe_and_forecast", forecaster_observe_and_forecast),
    ("pattern.analyze", pattern_analyze),
    ("pattern.rhythm", pattern_rhythm),
    ("engine.tick", engine_tick),
];

/// Rows that each kernel learns from.
const ROWS: usize = 1000;
/// Calls of kernels that take a row at a time, each with another row.
const CALLS: usize = 100;
const SEED: u64 = 20;

#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it came to, and what went wrong"
)]
fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        KERNELS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let outcome = match KERNELS.iter().find(|(known, _)| *known == name) {
        Some((_, run)) => run(),
        None => Err(Error::invalid_parameter("kernel", format!("there is no {name}"))),
    };
    match outcome {
        // A sum of nothing, or of errors.
        Ok(sum) if sum == 0.0 || !sum.is_finite() => eprintln!("{name} came to {sum}"),
        Ok(sum) => {
            println!("{sum}");
            return ExitCode::SUCCESS;
        }
        Err(e) => eprintln!("{name}: {e}"),
    }
    ExitCode::FAILURE
}

/// What callgrind counts: it knows functions by their names, so this one must not be inlined.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    black_box(work())
}

/// Sums what so many calls give.
fn sum(mut call: impl FnMut() -> Result<f64>) -> Result<f64> {
    counted(|| (0..CALLS).try_fold(0.0, |sum, _| Ok(sum + black_box(call()?))))
}

fn rows() -> Rotation {
    Rotation::new(host_rows(ROWS, SEED + 1))
}

fn isolation_forest() -> Result<IsolationForest> {
    IsolationForest::builder().seed(SEED).build()?.fit(host_rows(ROWS, SEED).view())
}

fn isolation_train() -> Result<f64> {
    let rows = host_rows(ROWS, SEED);
    let params = IsolationForest::builder().seed(SEED).build()?;
    counted(|| params.fit(rows.view()))?.score(&[0.0; FEATURES])
}

fn isolation_score_one() -> Result<f64> {
    let (forest, mut rows) = (isolation_forest()?, rows());
    sum(|| forest.score(rows.next_row().as_slice().unwrap_or_default()))
}

fn isolation_score_batch() -> Result<f64> {
    let (forest, rows) = (isolation_forest()?, host_rows(ROWS, SEED + 1));
    let mut scores = Vec::new();
    counted(|| forest.score_rows(rows.view(), &mut scores))?;
    Ok(scores.iter().sum())
}

fn isolation_contributions() -> Result<f64> {
    let (forest, mut rows) = (isolation_forest()?, rows());
    let mut out = [0.0; FEATURES];
    sum(|| {
        forest.contributions(rows.next_row().as_slice().unwrap_or_default(), &mut out)?;
        Ok(out[0])
    })
}

/// Fewer trees than usual: under callgrind a second becomes a minute.
fn random_forest() -> Result<(RandomForest, Array2<f64>)> {
    let (x, y) = lagged(ROWS, SEED)?;
    let forest = RandomForest::builder().trees(20).seed(SEED).build()?.fit(x.view(), y.view())?;
    Ok((forest, lagged(ROWS, SEED + 1)?.0))
}

fn random_train() -> Result<f64> {
    let (x, y) = lagged(ROWS, SEED)?;
    let params = RandomForest::builder().trees(20).seed(SEED).build()?;
    let forest = counted(|| params.fit(x.view(), y.view()))?;
    let mut out = [0.0];
    forest.predict(x.row(0).as_slice().unwrap_or_default(), &mut out)?;
    Ok(out[0])
}

fn random_predict_one() -> Result<f64> {
    let (forest, rows) = random_forest()?;
    let (mut rows, mut out) = (Rotation::new(rows), [0.0]);
    sum(|| {
        forest.predict(rows.next_row().as_slice().unwrap_or_default(), &mut out)?;
        Ok(out[0])
    })
}

fn random_predict_batch() -> Result<f64> {
    let (forest, rows) = random_forest()?;
    Ok(counted(|| forest.predict_rows(rows.view()))?.sum())
}

fn random_quantiles() -> Result<f64> {
    let (forest, rows) = random_forest()?;
    let (mut rows, mut out) = (Rotation::new(rows), [0.0; 3]);
    sum(|| {
        let row = rows.next_row();
        forest.quantiles(row.as_slice().unwrap_or_default(), 0, &[0.05, 0.5, 0.95], &mut out)?;
        Ok(out[2] - out[0])
    })
}

fn trend_fit() -> Result<f64> {
    let values = host_rows(ROWS, SEED).column(0).to_vec();
    let times: Vec<Timestamp> = (0..ROWS).map(|i| START + STEP.times(i)).collect();
    let cubic = PolynomialTrend::builder().degree(3).build()?;
    Ok(counted(|| cubic.fit(&times, &values))?.residual_variance)
}

/// Samples that follow the frame they are returned with.
fn samples() -> Result<(Frame, Samples)> {
    let frame = host_frame(2 * ROWS, 1)?;
    let learned = frame.slice(0, ROWS);
    let further = Samples::after(&learned, frame.slice(ROWS, 2 * ROWS));
    Ok((learned, further))
}

fn detector_observe() -> Result<f64> {
    let (learned, mut samples) = samples()?;
    let mut detector = detector_trainer()?.fit(&learned)?;
    sum(|| Ok(detector.observe(samples.next_sample())?.score))
}

fn detector_explain() -> Result<f64> {
    let (learned, mut samples) = samples()?;
    let mut detector = detector_trainer()?.fit(&learned)?;
    detector.observe(samples.next_sample())?;
    sum(|| Ok(detector.explain().iter().map(|e| e.contribution).sum()))
}

fn forecaster_observe_and_forecast() -> Result<f64> {
    let (learned, mut samples) = samples()?;
    let mut forecaster =
        forecaster_trainer()?.fit(&learned, ForecastTarget::PerformanceScore, 120)?;
    sum(|| {
        forecaster.observe(samples.next_sample())?;
        Ok(forecaster.forecast(120)?.iter().map(|f| f.median).sum())
    })
}

fn pattern_analyze() -> Result<f64> {
    let frame = host_frame(ROWS, 1)?;
    let analyzer = ShapeAnalyzer::builder().build()?;
    Ok(counted(|| analyzer.analyze(&frame))?.iter().map(|p| p.pattern_strength).sum())
}

/// The windows of the bench of the same name.
fn pattern_rhythm() -> Result<f64> {
    let noise = host_rows(2 * ROWS, 4);
    let mut frame = Frame::new(Schema::from_names(["jobs"])?);
    for i in 0..ROWS {
        let job = if i % 60 < 5 { 6.0 } else { 0.0 };
        frame.push_row(START + STEP.times(i), &[job + noise[(i, 0)]])?;
    }
    let analyzer = ShapeAnalyzer::builder().build()?;
    let found = counted(|| analyzer.analyze_column(&frame, 0))?;
    Ok(found.map_or(f64::NAN, |p| p.pattern_strength))
}

/// Five minutes of ticks, as the bench of that name has them.
fn engine_tick() -> Result<f64> {
    let place = std::env::temp_dir().join(format!("overseer-kernels-{}", std::process::id()));
    let failed = |e| Error::other("a directory", e);
    std::fs::create_dir_all(&place).map_err(failed)?;
    let (mut engine, mut now) = warm_engine(&place)?;
    let sum = counted(|| {
        Ok((0..60).fold(0.0, |sum, _| {
            now = now + STEP;
            let report = black_box(engine.tick(now));
            sum + report.current.map_or(f64::NAN, |c| c.performance_score)
        }))
    });
    drop(engine);
    std::fs::remove_dir_all(&place).map_err(failed)?;
    sum
}
