//! The parts of the comprehensive analysis as the engine calls them, and all of it.

use crate::clock::processor_time;
use crate::harness::Benches;
use overseer_benches::host::{START, STEP, Samples, host_frame, warm_engine};
use overseer_engine::core::{
    Collector, Detector, DetectorTrainer, Error, FillForecaster, FillOutlook, ForecastTarget,
    Forecaster, ForecasterTrainer, Frame, PatternAnalyzer, Result, Sample, Span, Store, Timestamp,
    host,
};
use overseer_engine::host::collect::HostCollector;
use overseer_engine::host::models::pattern::ShapeAnalyzer;
use overseer_engine::host::models::time_to_full::RisingFill;
use overseer_engine::host::store::SqliteStore;
use overseer_engine::host::{detector_trainer, forecaster_trainer};
use overseer_engine::{Engine, Report, Stage, TrainOutcome};
use std::hint::black_box;
use std::time::Duration;
use tempfile::TempDir;

/// Rows that models are trained on here.
const LEARNED: usize = 1000;
/// How far ahead forecasts go: ten minutes at the default step.
const HORIZON: usize = 120;

fn detector(seed: u64) -> Result<Box<dyn Detector>> {
    detector_trainer()?.fit(&host_frame(LEARNED, seed)?)
}

fn forecaster(seed: u64) -> Result<Box<dyn Forecaster>> {
    let frame = host_frame(LEARNED, seed)?;
    forecaster_trainer()?.fit(&frame, ForecastTarget::PerformanceScore, HORIZON)
}

/// Samples that follow those that a model of seed 1 was trained on.
fn further() -> Result<Samples> {
    let frame = host_frame(2 * LEARNED, 1)?;
    Ok(Samples::after(&frame.slice(0, LEARNED), frame.slice(LEARNED, 2 * LEARNED)))
}

/// Twenty disks as the engine remembers them, a month by the hour and a day by the minute: every other one leaks.
fn fillings(seed: i64) -> Vec<Vec<(Timestamp, f64)>> {
    let noise = |i: i64| ((i + 977 * seed) as f64 * 0.618_034).fract();
    let disk = |disk: i64| {
        let used = |minute: i64| {
            let leak = if disk % 2 == 0 { minute as f64 * 1e-5 } else { 0.0 };
            0.3 + leak + 0.002 * noise(minute + disk)
        };
        let hours = (0..744).map(|h| 60 * h + 30);
        let minutes = hours.chain(44_640..46_080);
        minutes.map(|m| (START + Span::from_secs(60 * m), used(m))).collect()
    };
    (0..20).map(disk).collect()
}

/// One part at a time.
pub(crate) fn parts(benches: &mut Benches) -> Result<()> {
    let prepare = || Ok((detector(1)?, further()?));
    benches.bench("detect", prepare, |(detector, samples)| {
        Ok(black_box(detector.observe(black_box(samples.next_sample()))?).score)
    })?;

    let prepare = || Ok((forecaster(1)?, further()?));
    benches.bench("predict", prepare, |(forecaster, samples)| {
        forecaster.observe(black_box(samples.next_sample()))?;
        let ahead = black_box(forecaster.forecast(HORIZON)?);
        if ahead.len() != HORIZON {
            return Err(Error::invalid_value("a forecast", format!("has {} steps", ahead.len())));
        }
        Ok(ahead.iter().map(|f| f.median).sum())
    })?;

    let prepare = || Ok((0, (0..4).map(fillings).collect::<Vec<_>>()));
    benches.bench("time_to_full_20", prepare, |(turn, sets)| {
        *turn += 1;
        let of = |history| match RisingFill::default().outlook(black_box(history)) {
            FillOutlook::Filling(filling) => filling.earliest.as_secs_f64(),
            FillOutlook::Room { within } => within.as_secs_f64(),
            _ => f64::NAN,
        };
        let set: &Vec<Vec<(Timestamp, f64)>> = &sets[*turn % sets.len()];
        Ok(*turn as f64 + set.iter().map(|history| of(history)).sum::<f64>())
    })?;

    let prepare = || {
        let frame = host_frame(2 * LEARNED, 1)?;
        let windows: Vec<Frame> = (0..8).map(|i| frame.slice(100 * i, 100 * i + LEARNED)).collect();
        Ok((ShapeAnalyzer::builder().build()?, windows, 0))
    };
    benches.bench("patterns", prepare, |(analyzer, windows, next)| {
        *next = (*next + 1) % windows.len();
        let found = black_box(analyzer.analyze(black_box(&windows[*next]))?);
        Ok(if found.is_empty() { f64::NAN } else { found.iter().map(|p| p.pattern_strength).sum() })
    })?;

    let prepare = HostCollector::new;
    benches.bench("collect", prepare, |collector| {
        // The wall clock stands for the microseconds that this takes; one that runs ahead would be told each time.
        let reading = black_box(collector.collect(START)?);
        let memory = reading.sample.values[host::MEMORY_UTILIZATION];
        let known = reading.sample.values.iter().filter(|v| !v.is_nan());
        // Memory is among what is always known, and moves a little all the time.
        Ok(memory + known.sum::<f64>())
    })
}

/// An engine under way, and where it keeps its files.
struct Running {
    engine: Engine,
    now: Timestamp,
    _place: TempDir,
}

impl Running {
    fn new() -> Result<Self> {
        let place = tempfile::tempdir().map_err(|e| Error::other("a directory", e))?;
        let (engine, now) = warm_engine(place.path())?;
        Ok(Self { engine, now, _place: place })
    }

    /// Time goes on by one sample: the report, and the processor time it took.
    fn tick(&mut self) -> (Report, Duration) {
        self.now = self.now + STEP;
        let start = processor_time();
        let report = black_box(self.engine.tick(self.now));
        (report, processor_time().saturating_sub(start))
    }
}

/// The score that a report without anything wrong tells.
fn score(report: &Report) -> Result<f64> {
    if let Some(notice) = report.notices.iter().find(|n| n.warning) {
        return Err(Error::invalid_value(notice.stage.to_string(), notice.message.clone()));
    }
    if report.anomaly.is_none() {
        return Err(Error::invalid_value("a report", "judges no sample"));
    }
    Ok(report.current.as_ref().map_or(f64::NAN, |c| c.performance_score))
}

/// All parts at once.
pub(crate) fn whole(benches: &mut Benches) -> Result<()> {
    // Five minutes of ticks, in which forecasts are refreshed five times and patterns once.
    const TICKS: u32 = 60;
    benches.bench_custom("tick", Running::new, |running, calls, answers| {
        let (mut spent, mut ticks) = (Duration::ZERO, 0);
        for _ in 0..calls {
            let (mut predicted, mut found_patterns) = (false, false);
            for _ in 0..TICKS {
                let (report, time) = running.tick();
                answers.take(score(&report));
                predicted |= !report.predictions.is_empty();
                found_patterns |= !report.patterns.is_empty();
                // Training has a bench of its own: once an hour it would decide which median comes out here.
                if !report.timings.iter().any(|t| t.stage == Stage::Train) {
                    spent += time;
                    ticks += 1;
                }
            }
            if !(predicted && found_patterns) {
                answers.take(Err(Error::invalid_value("five minutes", "brought no findings")));
            }
        }
        per_tick(spent, ticks, calls)
    })?;

    benches.bench_custom("analyze", Running::new, |running, calls, answers| {
        let mut spent = Duration::ZERO;
        for _ in 0..calls {
            let _ = running.tick();
            let start = processor_time();
            let report = black_box(running.engine.analyze(running.now));
            spent += processor_time().saturating_sub(start);
            let complete = !report.predictions.is_empty() && !report.patterns.is_empty();
            answers.take(if complete { score(&report) } else { Ok(f64::NAN) });
        }
        spent
    })?;

    benches.bench_custom("train", Running::new, |running, calls, answers| {
        let mut spent = Duration::ZERO;
        for _ in 0..calls {
            let _ = running.tick();
            let start = processor_time();
            let trained = black_box(running.engine.train(true, running.now));
            spent += processor_time().saturating_sub(start);
            answers.take(last_row(&trained.models));
        }
        spent
    })
}

/// The time of so many calls, each as long as a mean tick.
fn per_tick(spent: Duration, ticks: u32, calls: u64) -> Duration {
    Duration::from_secs_f64(spent.as_secs_f64() / f64::from(ticks.max(1)) * calls as f64)
}

/// The time of the last row that both models were trained on.
fn last_row(models: &[TrainOutcome]) -> Result<f64> {
    let mut last = f64::NAN;
    for outcome in models {
        match outcome {
            TrainOutcome::Trained(metadata) => last = metadata.trained_on.1.as_secs_f64(),
            other => return Err(Error::invalid_value("training", format!("{other:?}"))),
        }
    }
    Ok(if models.len() == 2 { last } else { f64::NAN })
}

/// What outlives the process: rows in the database, and models as bytes.
pub(crate) fn kept(benches: &mut Benches) -> Result<()> {
    let open = || {
        let place = tempfile::tempdir().map_err(|e| Error::other("a directory", e))?;
        let path = place.path().join("overseer.db");
        let store = SqliteStore::open_or_set_aside(&path, &host::schema(), "bench")?.store;
        Ok((store, further()?, place))
    };
    benches.bench("store_1", open, |(store, samples, _)| {
        let sample = samples.next_sample();
        stored(store, std::slice::from_ref(sample))
    })?;
    benches.bench_custom("store_1k", open, |(store, samples, _), calls, answers| {
        let mut spent = Duration::ZERO;
        for _ in 0..calls {
            let batch: Vec<_> = (0..1000).map(|_| samples.next_sample().clone()).collect();
            let start = processor_time();
            let answer = stored(store, &batch);
            spent += processor_time().saturating_sub(start);
            answers.take(answer);
        }
        spent
    })?;

    // Three models in turn, for one alone would give the same bytes each time.
    let trained = || Ok(([detector(1)?, detector(2)?, detector(3)?], 0));
    benches.bench("detector.save", trained, |(models, next)| {
        *next = (*next + 1) % models.len();
        Ok(sum_of(&black_box(models[*next].to_bytes()?)))
    })?;
    let files = || {
        let bytes = [detector(1)?.to_bytes()?, detector(2)?.to_bytes()?, detector(3)?.to_bytes()?];
        Ok((detector_trainer()?, bytes, further()?, 0))
    };
    benches.bench("detector.load", files, |(trainer, files, samples, next)| {
        *next = (*next + 1) % files.len();
        let mut loaded = trainer.load(black_box(&files[*next]), &host::schema())?;
        Ok(black_box(&mut loaded).observe(samples.next_sample())?.score)
    })?;

    let trained = || Ok(([forecaster(1)?, forecaster(2)?, forecaster(3)?], 0));
    benches.bench("forecaster.save", trained, |(models, next)| {
        *next = (*next + 1) % models.len();
        Ok(sum_of(&black_box(models[*next].to_bytes()?)))
    })?;
    let files = || {
        let bytes =
            [forecaster(1)?.to_bytes()?, forecaster(2)?.to_bytes()?, forecaster(3)?.to_bytes()?];
        Ok((forecaster_trainer()?, bytes, 0))
    };
    benches.bench("forecaster.load", files, |(trainer, files, next)| {
        *next = (*next + 1) % files.len();
        let loaded = trainer.load(black_box(&files[*next]), &host::schema())?;
        Ok(black_box(&loaded).forecast(1)?[0].median)
    })
}

/// Stores samples, all of them new, and answers with the time of the last.
fn stored(store: &mut SqliteStore, samples: &[Sample]) -> Result<f64> {
    let done = black_box(store.append(STEP, black_box(samples))?);
    if done.stored != samples.len() {
        return Err(Error::invalid_value("the store", format!("{done:?}")));
    }
    Ok(samples.last().map_or(f64::NAN, |s| s.timestamp.as_secs_f64()))
}

/// A number for the last bytes of a model, which are its checksum.
fn sum_of(bytes: &[u8]) -> f64 {
    bytes.last_chunk().map_or(f64::NAN, |&c| f64::from(u32::from_le_bytes(c)))
}
