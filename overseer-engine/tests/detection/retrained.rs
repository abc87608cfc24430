//! A detector that is trained anew on the samples of a day knows what the minutes of the weeks before tell.

use crate::scene::{DAY, HOUR, MONDAY, STEP, WEEK, calm_host};
use overseer_core::{
    Collector, Detector, DetectorTrainer, Frame, Reading, Result, Sample, SampleQuery, Schema,
    Severity, Span, Store, Summary, SummaryBuilder, SummaryCell, Timestamp, host,
};
use overseer_engine::host::models::detector::ForestDetectorTrainer;
use overseer_engine::host::store::{Retention, SqliteOptions, SqliteStore};
use overseer_engine::offline::Scorer;
use overseer_engine::policy::AlarmBudget;
use overseer_engine::{Config, Engine, Parts, Role, host as wired};
use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

/// How long the job takes, in rows.
const LASTS: usize = 2 * HOUR;
/// When the model is lost: three hours into the fourth Monday.
const LOST: usize = 3 * WEEK + 3 * HOUR;

/// Three weeks and half a Monday with a job on each Monday at six, but that the last one runs so many hours later.
fn mondays(seed: u64, later: usize) -> Vec<Sample> {
    let mut samples = calm_host(LOST + 9 * HOUR, seed);
    for week in 0..4 {
        let begin = week * WEEK + (6 + if week == 3 { later } else { 0 }) * HOUR;
        for sample in &mut samples[begin..begin + LASTS] {
            sample.values[host::CPU_UTILIZATION] += 0.6;
            sample.values[host::LOAD_PER_CORE] += 0.7;
            sample.values[host::DISK_WRITE] += 8e7;
            sample.values[host::PRESSURE_IO] += 0.2;
        }
    }
    samples
}

#[derive(Debug)]
struct Replay {
    schema: Schema,
    samples: VecDeque<Sample>,
}

impl Collector for Replay {
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn collect(&mut self, _: Timestamp) -> Result<Reading> {
        Ok(Reading::new(self.samples.pop_front().unwrap()))
    }
}

/// Our trainer without knowledge of a past.
#[derive(Debug)]
struct RowsOnly(ForestDetectorTrainer);

impl DetectorTrainer for RowsOnly {
    fn min_rows(&self) -> usize {
        self.0.min_rows()
    }
    fn fit(&self, frame: &Frame) -> Result<Box<dyn Detector>> {
        self.0.fit(frame)
    }
    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Detector>> {
        self.0.load(bytes, schema)
    }
}

/// A database that knows these samples; those of before the last day by the minute only.
fn store_of(place: &Path, samples: &[Sample]) -> SqliteStore {
    let mut keep = Retention::default();
    keep.samples = Some(STEP.times(DAY));
    let options = SqliteOptions::new().retention(keep);
    let mut store = options.open(&place.join("overseer.db"), &host::schema(), "test").unwrap();
    store.set_step(STEP).unwrap();
    store.append(STEP, samples).unwrap();
    let now = samples.last().unwrap().timestamp;
    while store.maintain(now, Duration::from_secs(1)).unwrap().behind {}
    let left = store.samples(&SampleQuery::latest(STEP, usize::MAX)).unwrap();
    assert!((DAY..DAY + 2 * HOUR).contains(&left.len()), "{} samples", left.len());
    store
}

/// Alerts of the fourth Monday from when a detector was trained anew on the samples of a day, how much that knew of the
/// week, and whether it was said from what.
fn alerts(samples: &[Sample], trainer: Box<dyn DetectorTrainer>) -> (usize, usize, f64, bool) {
    let place = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    (config.step, config.training_rows) = (STEP, DAY);
    let (known, coming) = samples.split_at(LOST);
    let replay = Replay { schema: host::schema(), samples: coming.iter().cloned().collect() };
    let parts = Parts {
        collector: Box::new(replay),
        store: Some(Box::new(store_of(place.path(), known))),
        models: None,
        detector_trainer: trainer,
        forecaster_trainer: Box::new(wired::forecaster_trainer().unwrap()),
        pattern_analyzer: Box::new(
            wired::models::pattern::ShapeAnalyzer::builder().build().unwrap(),
        ),
        fill_forecaster: Box::new(wired::models::time_to_full::RisingFill::default()),
    };
    let mut engine = Engine::new(parts, config, Role::Sampler).unwrap();
    let trained = engine.train(true, MONDAY + STEP.times(LOST - 1));
    assert!(trained.trained());
    let said = trained.notices.iter().any(|n| n.message.contains("also learned from the 20"));
    let models = engine.learned().models;
    assert_eq!(models[0].rows, DAY - 1, "it was trained on the samples of a day");
    let ready = models[0].quality["weekly_readiness"].0;
    let (mut alerts, mut noticed) = (0, 0);
    for sample in coming {
        let report = engine.tick(sample.timestamp);
        alerts += usize::from(report.alert);
        noticed += usize::from(report.anomaly.is_some_and(|a| a.is_anomaly));
    }
    (alerts, noticed, ready, said)
}

fn trainer() -> ForestDetectorTrainer {
    ForestDetectorTrainer::builder().seed(1).build().unwrap()
}

#[test]
fn a_weekly_job_that_only_the_minutes_know_is_usual_after_a_retraining() {
    let usual = mondays(0, 0);
    let (with, _, ready, said) = alerts(&usual, Box::new(trainer()));
    let (without, _, unready, falsely_said) = alerts(&usual, Box::new(RowsOnly(trainer())));
    assert_eq!(with, 0);
    assert!(without > 0, "the job is no surprise to who knows a day only");
    assert!(ready > 0.9 && unready == 0.0, "{ready}, {unready}");
    assert!(said && !falsely_said);
    // What the minutes do not know is as unusual as before.
    let (_, late, ..) = alerts(&mondays(0, 3), Box::new(trainer()));
    assert!(late > 0, "the job three hours later is noticed");
}

/// Our trainer with a past that it is always given.
#[derive(Debug)]
struct After(ForestDetectorTrainer, Summary);

impl DetectorTrainer for After {
    fn min_rows(&self) -> usize {
        self.0.min_rows()
    }
    fn fit(&self, frame: &Frame) -> Result<Box<dyn Detector>> {
        self.0.fit_after(&self.1, frame)
    }
    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Detector>> {
        self.0.load(bytes, schema)
    }
}

/// A week after a training on the last day of four: the samples that are not normal while a job on Wednesday runs, and
/// the alerts.
fn week_after(samples: &[Sample], past: bool, until: usize) -> (usize, usize) {
    let features = host::schema().features().iter().map(|f| f.name.clone()).collect();
    let mut builder = SummaryBuilder::new(features, Span::from_secs(900));
    for sample in &samples[..until - DAY] {
        builder.add(sample.timestamp, sample.values.iter().map(|&v| SummaryCell::of(v)));
    }
    let trainer: Box<dyn DetectorTrainer> =
        if past { Box::new(After(trainer(), builder.build())) } else { Box::new(trainer()) };
    let mut scorer = Scorer::new(host::schema(), trainer, AlarmBudget::default(), STEP).unwrap();
    let frame = Frame::from_samples(host::schema(), &samples[until - DAY..until]).unwrap();
    scorer.learn(&frame).unwrap();
    let rows: Vec<_> = samples[until..].iter().map(|s| scorer.observe(s).unwrap()).collect();
    let job = 4 * WEEK + 2 * DAY + 6 * HOUR - until;
    let state = rows[job..job + LASTS].iter().filter(|r| r.severity > Severity::None).count();
    (state, rows.iter().filter(|r| r.is_anomaly).count())
}

#[test]
#[ignore = "takes a minute; prints the figures of docs/store.md"]
fn figures() {
    const SEEDS: u64 = 20;
    for past in [false, true] {
        let (mut states, mut alerts) = (0, 0);
        for seed in 0..SEEDS {
            let calm = calm_host(5 * WEEK, seed);
            let mut busy = calm.clone();
            for week in 0..5 {
                for sample in &mut busy[week * WEEK + 2 * DAY + 6 * HOUR..][..LASTS] {
                    sample.values[host::CPU_UTILIZATION] += 0.6;
                    sample.values[host::LOAD_PER_CORE] += 0.7;
                    sample.values[host::DISK_WRITE] += 8e7;
                }
            }
            // The time of the day at which it is trained differs.
            let until = 4 * WEEK - 2 * HOUR * (seed as usize % 12);
            states += week_after(&busy, past, until).0;
            alerts += week_after(&calm, past, until).1;
        }
        println!(
            "with the past {past}: {states} of {} samples of the job not normal; {alerts} alerts in {SEEDS} calm weeks",
            SEEDS as usize * LASTS
        );
    }
}
