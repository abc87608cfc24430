//! Bytes a row, and of a year.

use crate::{Kept, judge};
use overseer_benches::host::{START, STEP, Samples, host_frame};
use overseer_engine::core::{
    AnomalyDetection, Collector, PatternAnalysis, Prediction, Sample, Span, Store, Timestamp, host,
};
use overseer_engine::host::collect::{Fault, HostCollector, ScriptedHost};
use overseer_engine::host::store::SqliteStore;
use overseer_engine::host::with_our_models;
use overseer_engine::{Config, Role};
use std::path::Path;
use std::time::{Duration, Instant};

const DAY: usize = 17_280;

/// What a day's ticks of an engine over a made-up host stored.
struct Stored {
    predictions: Vec<Prediction>,
    patterns: Vec<PatternAnalysis>,
    anomalies: Vec<AnomalyDetection>,
    made: (usize, usize),
}

/// A made-up host with three incidents in the last hours of its day.
fn host_with_incidents() -> overseer_engine::core::Result<ScriptedHost> {
    let after = |hours: i64| START + Span::from_secs(3600 * hours);
    let last = |hours: i64| after(hours) + Span::from_secs(900);
    ScriptedHost::builder(1)
        .fault(Fault::CpuSaturation, after(18), last(18))
        .fault(Fault::NetworkBurst, after(20), last(20))
        .fault(Fault::MemoryLeak, after(22), last(22))
        .build()
}

fn a_day(place: &Path) -> Result<Stored, Box<dyn std::error::Error>> {
    let path = place.join("day.db");
    let store = SqliteStore::open(&path, &host::schema(), "bench")?;
    // As `watch` does it: what takes long is fitted between the ticks.
    let mut config = Config::default();
    config.refit_elsewhere = true;
    let collector = Box::new(host_with_incidents()?);
    let mut engine =
        with_our_models(collector, Some(Box::new(store)), None, config, Role::Sampler)?;
    let mut now = START;
    let mut slowest = (Duration::ZERO, Vec::new());
    let mut made = (0, 0);
    for tick in 0..DAY {
        now = now + STEP;
        let start = Instant::now();
        let report = engine.tick(now);
        let took = start.elapsed();
        let counted = (report.predictions.len(), report.patterns.len());
        if tick > DAY / 2 && took > slowest.0 {
            slowest = (took, report.timings);
        }
        if let Some(job) = engine.due_refit() {
            engine.adopt_forecaster(job.run(), now);
        }
        made = (made.0 + counted.0, made.1 + counted.1);
    }
    let (took, stages) = slowest;
    let stages: Vec<_> = stages.iter().map(|t| format!("{} {:.1} ms", t.stage, t.ms)).collect();
    println!("the slowest tick of half a day: {took:.1?} ({})", stages.join(", "));
    drop(engine);
    let mut store = SqliteStore::open(&path, &host::schema(), "bench")?;
    Ok(Stored {
        predictions: store.predictions(usize::MAX)?,
        patterns: store.patterns(usize::MAX)?,
        anomalies: store.anomalies(usize::MAX)?,
        made,
    })
}

/// The bytes of a table and its indices, as SQLite's own `dbstat` counts pages, or by the growth of the file.
fn bytes(path: &Path) -> Result<u64, std::io::Error> {
    std::fs::metadata(path).map(|m| m.len())
}

/// A row's bytes: what the file grows by when it takes `rows` of them.
fn growth(
    path: &Path,
    fill: impl FnOnce(&mut SqliteStore) -> overseer_engine::core::Result<usize>,
) -> Result<f64, Box<dyn std::error::Error>> {
    drop(SqliteStore::open(path, &host::schema(), "bench")?);
    let before = bytes(path)?;
    let mut store = SqliteStore::open(path, &host::schema(), "bench")?;
    let rows = fill(&mut store)?;
    drop(store);
    Ok((bytes(path)? - before) as f64 / rows as f64)
}

pub(crate) fn of_rows() -> Kept {
    let place = tempfile::tempdir()?;
    let day = a_day(place.path())?;
    println!(
        "of {} predictions made in a day {} were stored; of {} patterns {}; {} anomalies",
        day.made.0,
        day.predictions.len(),
        day.made.1,
        day.patterns.len(),
        day.anomalies.len()
    );
    let file = |name: &str| place.path().join(name);
    let raw = growth(&file("samples.db"), |store| {
        let mut samples = Samples::after(&host_frame(1, 1)?, host_frame(DAY, 1)?);
        for _ in 0..DAY {
            store.append(STEP, &[samples.next_sample().clone()])?;
        }
        Ok(DAY)
    })?;
    // All thirteen values of the made-up host have every bit set; a zero or a whole number takes much less.
    let mut kept = judge("bytes a sample of 13 full-precision values", raw, 150.0, "bytes");
    let real = growth(&file("host.db"), |store| {
        let mut collector = HostCollector::new()?;
        let mut now = START;
        for _ in 0..1000 {
            std::thread::sleep(Duration::from_millis(12));
            now = now + STEP;
            store.append(STEP, &[collector.collect(now)?.sample])?;
        }
        Ok(1000)
    })?;
    println!("bytes a sample of this very host, busy or not: {real:.0}");
    let summarised = growth(&file("minutes.db"), |store| {
        let mut samples = Samples::after(&host_frame(1, 1)?, host_frame(DAY, 1)?);
        let mut now = START;
        for _ in 0..DAY {
            let sample = samples.next_sample().clone();
            now = sample.timestamp;
            store.append(STEP, &[sample])?;
        }
        while store.maintain(now, Duration::from_secs(60))?.behind {}
        Ok(DAY)
    })?;
    let minute = (summarised - raw) * DAY as f64 / (1440.0 + 24.0);
    println!("bytes a minute or an hour of 13 features: {minute:.0}");
    let again = |n: usize| (10_000 / n.max(1)).max(1);
    let times = again(day.predictions.len());
    let prediction = growth(&file("predictions.db"), |store| {
        for _ in 0..times {
            store.record(&[], &day.predictions, &[])?;
        }
        Ok(times * day.predictions.len())
    })?;
    kept &= judge("bytes a prediction", prediction, 200.0, "bytes");
    let times = again(day.patterns.len());
    let pattern = growth(&file("patterns.db"), |store| {
        for _ in 0..times {
            store.record(&[], &[], &day.patterns)?;
        }
        Ok(times * day.patterns.len())
    })?;
    kept &= judge("bytes a pattern", pattern, 250.0, "bytes");
    if !day.anomalies.is_empty() {
        let times = again(day.anomalies.len());
        let anomaly = growth(&file("anomalies.db"), |store| {
            for _ in 0..times {
                store.record(&day.anomalies, &[], &[])?;
            }
            Ok(times * day.anomalies.len())
        })?;
        kept &= judge("bytes an anomaly", anomaly, 300.0, "bytes");
    }
    Ok(kept)
}

/// A year of samples every five seconds with the default retention, with the findings of a made-up host's day over and
/// over.
pub(crate) fn of_a_year() -> Kept {
    let place = tempfile::tempdir()?;
    let day = a_day(place.path())?;
    let path = place.path().join("year.db");
    let mut store = SqliteStore::open(&path, &host::schema(), "bench")?;
    let mut samples = Samples::after(&host_frame(1, 1)?, host_frame(7 * DAY, 1)?);
    let mut largest = 0;
    let mut upkeep = Vec::with_capacity(365 * DAY / 12);
    for number in 0..365_usize {
        let shift = Span::from_secs(86_400).times(number);
        let moved = |t: Timestamp| t + shift;
        let mut predictions = day.predictions.clone();
        predictions.iter_mut().for_each(|p| p.timestamp = moved(p.timestamp));
        let mut patterns = day.patterns.clone();
        patterns.iter_mut().for_each(|p| p.window = (moved(p.window.0), moved(p.window.1)));
        let mut anomalies = day.anomalies.clone();
        anomalies.iter_mut().for_each(|a| a.timestamp = moved(a.timestamp));
        store.record(&anomalies, &predictions, &patterns)?;
        for _ in 0..DAY / 12 {
            let rows: Vec<Sample> = (0..12).map(|_| samples.next_sample().clone()).collect();
            let now = rows[11].timestamp;
            store.append(STEP, &rows)?;
            // As a tick does it.
            let start = Instant::now();
            store.maintain(now, Duration::from_millis(2))?;
            upkeep.push(start.elapsed());
        }
        largest = largest.max(bytes(&path)?);
    }
    upkeep.sort_unstable();
    let share = |q: f64| upkeep[((upkeep.len() - 1) as f64 * q) as usize];
    println!(
        "upkeep, once a minute: half within {:.1?}, 99 % {:.1?}, 99.9 % {:.1?}, the slowest {:.1?}",
        share(0.5),
        share(0.99),
        share(0.999),
        share(1.0)
    );
    let counts = store.counts()?;
    println!("{counts:?}");
    drop(store);
    judge("the largest the file was", largest as f64 / 1e6, 150.0, "MB");
    Ok(judge("a year of samples every 5 s", bytes(&path)? as f64 / 1e6, 150.0, "MB"))
}
