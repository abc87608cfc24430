//! Made-up hosts and what the scorer says of them.

use overseer_core::{Frame, Sample, Schema, Span, Timestamp, host};
use overseer_engine::host::models::detector::ForestDetectorTrainer;
use overseer_engine::offline::{ScoreRow, Scorer};
use overseer_engine::policy::AlarmBudget;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;
use std::f64::consts::TAU;

/// The time between samples.
pub(crate) const STEP: Span = Span::from_secs(300);
pub(crate) const HOUR: usize = 12;
pub(crate) const DAY: usize = 24 * HOUR;
pub(crate) const WEEK: usize = 7 * DAY;

/// A Monday, midnight UTC.
pub(crate) const MONDAY: Timestamp = Timestamp::from_millis(1_704_067_200_000);

/// Normal noise and what else tests draw.
pub(crate) struct Chance(Pcg64Mcg);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Evenly from 0 to 1.
    pub(crate) fn even(&mut self) -> f64 {
        self.0.random()
    }
}

/// The samples of a host on which nothing is wrong, [`STEP`] apart from [`MONDAY`] on: a daily rhythm, noise with
/// memory that the features partly share, and features that never change.
pub(crate) fn calm_host(rows: usize, seed: u64) -> Vec<Sample> {
    let mut chance = Chance::new(seed);
    let mut shared = 0.0;
    let mut slow = 0.0;
    let mut rows_of = |i: usize| {
        shared = 0.8 * shared + 0.6 * chance.normal();
        slow = 0.98 * slow + 0.2 * chance.normal();
        let hour = (i % DAY) as f64 / HOUR as f64;
        let busy = 1.0 + 0.5 * (TAU * (hour - 9.0) / 24.0).sin();
        let mut rate = |mean: f64| mean * busy * (0.2 * shared + 0.2 * chance.normal()).exp();
        let mut v = vec![0.0; host::schema().len()];
        v[host::CPU_UTILIZATION] = rate(0.12);
        v[host::LOAD_PER_CORE] = rate(0.15);
        v[host::DISK_READ] = rate(2e5);
        v[host::DISK_WRITE] = rate(1.5e6);
        v[host::NETWORK_RECEIVE] = rate(8e5);
        v[host::NETWORK_TRANSMIT] = rate(6e5);
        v[host::PRESSURE_CPU] = rate(0.01);
        v[host::PRESSURE_IO] = rate(0.004);
        v[host::MEMORY_UTILIZATION] = 0.45 + 0.01 * slow;
        v[host::FILESYSTEM_UTILIZATION] = 0.61;
        v[host::PROCESS_COUNT] = (210.0 + 4.0 * chance.normal()).round();
        Sample::new(MONDAY + STEP.times(i), v)
    };
    (0..rows).map(&mut rows_of).collect()
}

/// The same for columns of unknown unit: noise with memory, half of it shared.
pub(crate) fn calm_columns(columns: usize, rows: usize, seed: u64) -> Vec<Sample> {
    assert_ne!(columns, host::schema().len(), "would be taken for a host");
    let mut chance = Chance::new(seed);
    let mut own = vec![0.0; columns];
    let mut shared = 0.0;
    let mut row = |i: usize| {
        shared = 0.7 * shared + 0.7 * chance.normal();
        let values = own.iter_mut().zip(0..).map(|(own, j)| {
            *own = 0.7 * *own + 0.7 * chance.normal();
            10.0 * f64::from(j) + shared + *own
        });
        Sample::new(MONDAY + STEP.times(i), values.collect())
    };
    (0..rows).map(&mut row).collect()
}

pub(crate) fn schema_of(samples: &[Sample]) -> Schema {
    match samples[0].values.len() {
        n if n == host::schema().len() => host::schema(),
        n => Schema::from_names((0..n).map(|j| format!("column {j}"))).unwrap(),
    }
}

/// A scorer with a budget of one alert a week that has learned nothing yet.
pub(crate) fn scorer(schema: Schema) -> Scorer {
    let trainer = ForestDetectorTrainer::builder().seed(1).build().unwrap();
    Scorer::new(schema, Box::new(trainer), AlarmBudget::default(), STEP).unwrap()
}

/// What is said of the samples from the `learned`-th on, after those before it were learned from.
pub(crate) fn judge(samples: &[Sample], learned: usize) -> Vec<ScoreRow> {
    let schema = schema_of(samples);
    let history = Frame::from_samples(schema.clone(), &samples[..learned]).unwrap();
    let mut scorer = scorer(schema);
    scorer.learn(&history).unwrap();
    samples[learned..].iter().map(|s| scorer.observe(s).unwrap()).collect()
}

/// The rows that alert.
pub(crate) fn alerts(rows: &[ScoreRow]) -> Vec<usize> {
    rows.iter().enumerate().filter(|(_, r)| r.is_anomaly).map(|(i, _)| i).collect()
}

/// The first row of `rows` whose state is not none, if there is one.
pub(crate) fn noticed(rows: &[ScoreRow]) -> Option<usize> {
    rows.iter().position(|r| r.severity > overseer_core::Severity::None)
}
