//! The whole cycle in a process of its own, so that its memory can be told: collect, detect, predict, find patterns
//! and store.
//!
//! `engine`: the engine as it runs, forecasts every minute and patterns every five, counted as a mean over five
//! minutes of ticks. It reads this host with each tick, and is then given a made-up host's values: those are what it
//! has learned, so that it has neither nothing to say nor an alarm with each tick.
//!
//! `parts`: the models called by hand for the very work that the Python design in `peers/cycle.py` does each time.

use ndarray::Array2;
use overseer_collect::{HostCollector, ScriptedHost};
use overseer_compare::clock::{Bench, cpu_seconds, median, write};
use overseer_compare::data::{Data, LAGS, POINTS, Sizes, top};
use overseer_compare::{OURS, Result};
use overseer_core::{
    AnomalyDetection, Collector, HostInfo, Interval, PatternAnalysis, PatternType, Prediction,
    PredictionType, Probability, Reading, Schema, Severity, Span, Store, Timestamp, Trend, host,
};
use overseer_engine::host::with_our_models;
use overseer_engine::{Config, Engine, Role};
use overseer_models::isolation_forest::IsolationForest;
use overseer_models::random_forest::RandomForest;
use overseer_models::trend::PolynomialTrend;
use overseer_store::{ModelDirectory, SqliteStore};
use std::path::Path;
use std::time::Duration;

const STEP: Span = Span::from_secs(5);
/// Ticks in the five minutes after which everything has been done once.
const PERIOD: usize = 60;
/// Samples that the engine finds stored when it starts.
const HISTORY: usize = 1000;
/// The sleep between ticks where caches are to grow cold.
const PAUSE: Duration = Duration::from_millis(100);

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["engine", dir] => engine(Sizes::read(Path::new(dir))?.quick),
        ["parts", dir] => parts(&Data::read(Path::new(dir))?),
        _ => Err("cycle engine|parts DIR".into()),
    }
}

/// Reads this host, and answers with a made-up one.
#[derive(Debug)]
struct Both {
    real: HostCollector,
    scripted: ScriptedHost,
}

impl Collector for Both {
    fn schema(&self) -> &Schema {
        self.real.schema()
    }

    fn collect(&mut self, now: Timestamp) -> overseer_core::Result<Reading> {
        std::hint::black_box(self.real.collect(now)?);
        self.scripted.collect(now)
    }

    fn processes(&mut self, top: usize) -> overseer_core::Result<Vec<overseer_core::ProcessUsage>> {
        self.real.processes(top)
    }

    fn host(&self) -> HostInfo {
        self.real.host()
    }
}

fn engine(quick: bool) -> Result<()> {
    let place = tempfile::tempdir()?;
    let database = place.path().join("overseer.db");
    let mut scripted = ScriptedHost::builder(1).build()?;
    let mut now = Timestamp::from_millis(1_700_000_000_000);
    {
        let history = scripted.frame(now, STEP, HISTORY)?;
        let samples: Vec<_> =
            history.rows().map(|(t, v)| overseer_core::Sample::new(t, v.to_vec())).collect();
        SqliteStore::open(&database, &host::schema(), "compare")?.append(STEP, &samples)?;
    }
    now = now + STEP.times(HISTORY);

    let before = cpu_seconds();
    let mut engine = with_our_models(
        Box::new(Both { real: HostCollector::new()?, scripted }),
        Some(Box::new(SqliteStore::open(&database, &host::schema(), "compare")?)),
        Some(Box::new(ModelDirectory::new(place.path().join("models")))),
        Config::default(),
        Role::Sampler,
    )?;
    // The first tick trains.
    engine.tick(now);
    let start = cpu_seconds() - before;
    write("cycle.start", OURS, Some(1e6 * start), 1, None);

    // Long enough to hold a retraining, which the median of the five-minute means leaves out and the mean does not.
    let periods = if quick { 2 } else { 12 };
    let mut means = Vec::new();
    for _ in 0..periods {
        means.push(period(&mut engine, &mut now, None)?);
    }
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let with_training =
        format!("{mean:.0} µs as a mean over an hour of samples, in which it retrains");
    write("cycle.engine", OURS, Some(median(&mut means)), periods, Some(&with_training));
    let paused = period(&mut engine, &mut now, Some(PAUSE))?;
    write("cycle.engine_paused", OURS, Some(paused), 1, None);

    let peak = format!("{:.1} MB at its peak, while it trained", memory("VmHWM:")? / 1e6);
    write("cycle.resident", OURS, Some(memory("VmRSS:")?), 0, Some(&peak));
    Ok(())
}

/// The mean processor time of a tick over five minutes of them, in microseconds.
fn period(engine: &mut Engine, now: &mut Timestamp, pause: Option<Duration>) -> Result<f64> {
    let before = cpu_seconds();
    for _ in 0..PERIOD {
        if let Some(pause) = pause {
            std::thread::sleep(pause);
        }
        *now = *now + STEP;
        let report = engine.tick(*now);
        if let Some(notice) = report.notices.iter().find(|n| n.warning) {
            return Err(notice.message.clone().into());
        }
    }
    Ok(1e6 * (cpu_seconds() - before) / PERIOD as f64)
}

/// A line of `/proc/self/status`, in bytes.
fn memory(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix(name)).ok_or("no such line")?;
    Ok(1024.0 * line.trim().trim_end_matches(" kB").parse::<f64>()?)
}

/// The lags of one feature, and what they led to.
fn lagged(data: &Data, feature: usize) -> (Array2<f64>, Array2<f64>) {
    let column = data.host.column(feature);
    let rows = data.sizes.iforest_small.min(column.len() - LAGS);
    let x = Array2::from_shape_fn((rows, LAGS), |(i, lag)| column[i + LAGS - 1 - lag]);
    (x, Array2::from_shape_fn((rows, 1), |(i, _)| column[i + LAGS]))
}

fn parts(data: &Data) -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut store =
        SqliteStore::open(&place.path().join("overseer.db"), &host::schema(), "compare")?;
    let mut collector = HostCollector::new()?;
    let trees = data.sizes.trees;
    let small = top(&data.host, data.sizes.iforest_small);
    let isolation = IsolationForest::builder().trees(trees).seed(1).build()?.fit(small)?;
    let fitted: Vec<(Array2<f64>, RandomForest)> = (0..2)
        .map(|feature| {
            let (x, y) = lagged(data, feature);
            let forest =
                RandomForest::builder().trees(trees).seed(1).build()?.fit(x.view(), y.view())?;
            Ok((x, forest))
        })
        .collect::<Result<_>>()?;
    let cubic = PolynomialTrend::builder().degree(3).build()?;
    let times: Vec<Timestamp> =
        (0..2 * POINTS as i64).map(|i| Timestamp::from_millis(60_000 * i)).collect();

    let bench = Bench { budget: Duration::from_secs_f64(data.sizes.budget_seconds) };
    bench.time("cycle.parts", OURS, |i| {
        let now = Timestamp::from_millis(STEP.as_millis() * (i as i64 + 1));
        let reading = collector.collect(now)?;
        let row = data.host.row((i * 7919) % data.host.nrows());
        let score = isolation.score(row.to_slice().unwrap_or_default())?;
        let mut predictions = Vec::new();
        for (x, forest) in &fitted {
            let mut out = [0.0];
            let lags = x.row((i * 7919) % x.nrows());
            forest.predict(lags.to_slice().unwrap_or_default(), &mut out)?;
            let range = Interval::new(out[0] - 1.0, out[0] + 1.0, Probability::saturating(0.9));
            let what = PredictionType::Feature("system.cpu.utilization".to_owned());
            predictions.push(Prediction::new(what, out[0], range, STEP, now));
        }
        let mut patterns = Vec::new();
        for shift in [0, 7] {
            let window = (i + shift) % POINTS..(i + shift) % POINTS + POINTS;
            let curve = cubic.fit_curve(&times[window.clone()], &data.series[window])?;
            let mut pattern = PatternAnalysis::new(
                "system.cpu.utilization",
                PatternType::Trending,
                0.5,
                Probability::saturating(0.9),
            );
            let slope = 3600.0 * curve.slope_per_second();
            // As in the Python design, coefficients are all that is asked of it.
            let trend = Trend::new(curve.coefficients().to_vec(), slope, f64::NAN, f64::NAN);
            pattern.trend = Some(trend);
            patterns.push(pattern);
        }
        let anomaly = AnomalyDetection::new(now, Severity::Medium, score, 0.01);
        store.append(STEP, &[reading.sample])?;
        Ok(store.record(&[anomaly], &predictions, &patterns)?)
    });
    Ok(())
}
