//! The budgets: each part of the comprehensive analysis, measured by criterion, and an end in failure if one is
//! exceeded. `OVERSEER_BENCH_SHORT=1` measures for a second each, as CI does.

use criterion::{BatchSize, Criterion};
use overseer_benches::{STEP, host_frame, median_us};
use overseer_engine::core::{
    DetectorTrainer, ForecastTarget, ForecasterTrainer, PatternAnalyzer, Result, Sample, Timestamp,
    host,
};
use overseer_engine::host::collect::ScriptedHost;
use overseer_engine::host::models::pattern::ShapeAnalyzer;
use overseer_engine::host::store::{ModelDirectory, SqliteStore};
use overseer_engine::host::{detector_trainer, forecaster_trainer, with_our_models};
use overseer_engine::{Config, Engine, Role};
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Microseconds a part may take: five times the median measured when it was last set, on a 2-core machine, and never
/// more than the 20 ms that the whole was asked to stay under.
const BUDGETS: [(&str, f64); 6] = [
    ("detect", 31.0),
    ("predict", 540.0),
    ("patterns", 19_000.0),
    ("collect", 590.0),
    ("tick", 1_000.0),
    ("analyze", 20_000.0),
];

fn main() -> ExitCode {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    let short = std::env::var_os("OVERSEER_BENCH_SHORT").is_some();
    let seconds = if short { 1 } else { 5 };
    let mut criterion = Criterion::default()
        .output_directory(&dir)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(seconds))
        .configure_from_args();
    if let Err(e) = run(&mut criterion) {
        return fail(&e.to_string());
    }
    criterion.final_summary();
    let mut exceeded = Vec::new();
    for (name, budget) in BUDGETS {
        // A bench that a filter left out has no fresh figure and is not judged.
        match median_us(&dir, name) {
            Ok(us) if us > budget => {
                exceeded.push(format!("{name}: {us:.1} µs, budget {budget} µs"));
            }
            Ok(us) => report(&format!("{name}: {us:.1} µs of {budget} µs")),
            Err(_) if std::env::args().len() > 2 => {}
            Err(e) => return fail(&e.to_string()),
        }
    }
    if exceeded.is_empty() { ExitCode::SUCCESS } else { fail(&exceeded.join("; ")) }
}

fn run(c: &mut Criterion) -> Result<()> {
    let frame = host_frame(2000, 1)?;
    let train = frame.slice(0, 1000);

    // Rows are rotated: a row that repeats would flatter the branch predictor.
    let mut detector = detector_trainer()?.fit(&train)?;
    let rows: Vec<Sample> =
        frame.slice(1000, 2000).rows().map(|(t, v)| Sample::new(t, v.to_vec())).collect();
    let mut next = rows.iter().cycle();
    c.bench_function("detect", |b| {
        b.iter(|| next.next().map(|s| black_box(detector.observe(black_box(s)))));
    });

    let mut forecaster =
        forecaster_trainer()?.fit(&train, ForecastTarget::PerformanceScore, 120)?;
    let mut next = rows.iter().cycle();
    c.bench_function("predict", |b| {
        b.iter(|| {
            let observed = next.next().map(|s| forecaster.observe(black_box(s)));
            (black_box(observed), black_box(forecaster.forecast(120)))
        });
    });

    let analyzer = ShapeAnalyzer::builder().build()?;
    c.bench_function("patterns", |b| b.iter(|| black_box(analyzer.analyze(black_box(&train)))));

    let mut collector = overseer_engine::host::collect::HostCollector::new()?;
    let mut now = Timestamp::from_millis(0);
    c.bench_function("collect", |b| {
        b.iter(|| {
            now = now + STEP;
            black_box(overseer_engine::core::Collector::collect(&mut collector, now))
        });
    });

    let place =
        tempfile::tempdir().map_err(|e| overseer_engine::core::Error::other("a directory", e))?;
    let (mut engine, mut now) = warm_engine(place.path())?;
    c.bench_function("tick", |b| {
        b.iter_batched(
            || {
                now = now + STEP;
                now
            },
            |now| black_box(engine.tick(now)),
            BatchSize::PerIteration,
        );
    });
    c.bench_function("analyze", |b| b.iter(|| black_box(engine.analyze(black_box(now)))));
    Ok(())
}

/// An engine over a made-up host and a real database, with 1,000 samples behind it.
fn warm_engine(place: &Path) -> Result<(Engine, Timestamp)> {
    let opened =
        SqliteStore::open_or_set_aside(&place.join("overseer.db"), &host::schema(), "bench")?;
    let models = ModelDirectory::new(place.join("models"));
    let mut engine = with_our_models(
        Box::new(ScriptedHost::builder(1).build()?),
        Some(Box::new(opened.store)),
        Some(Box::new(models)),
        Config::default(),
        Role::Sampler,
    )?;
    let mut now = Timestamp::from_millis(1_700_000_000_000);
    for _ in 0..1000 {
        now = now + STEP;
        engine.tick(now);
    }
    Ok((engine, now))
}

#[allow(clippy::print_stdout, reason = "this is what a bench is run for")]
fn report(line: &str) {
    println!("{line}");
}

#[allow(clippy::print_stderr, reason = "this is what a bench is run for")]
fn fail(message: &str) -> ExitCode {
    eprintln!("over budget: {message}");
    ExitCode::FAILURE
}
