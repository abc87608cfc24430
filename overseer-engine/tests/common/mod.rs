//! Hosts and stores that the tests make up.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use overseer_core::{
    AnomalyDetection, Appended, Collector, Error, Frame, Incident, ModelMetadata, PatternAnalysis,
    Prediction, ProcessUsage, Reading, Recommendation, Result, Sample, SampleQuery, Schema, Span,
    Store, StoredCounts, TickRecord, Timestamp, WhichIncidents, host,
};
use overseer_engine::{Config, Engine, Role, host as wired};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A calm host with a little noise, which a test can make busy from outside.
#[derive(Debug, Clone)]
pub(crate) struct CalmHost {
    pub(crate) busy: Arc<AtomicBool>,
    pub(crate) saturated: Arc<AtomicBool>,
    pub(crate) blank: Arc<AtomicBool>,
    schema: Schema,
    ticks: u32,
}

impl CalmHost {
    pub(crate) fn new() -> Self {
        let off = || Arc::new(AtomicBool::new(false));
        Self { busy: off(), saturated: off(), blank: off(), schema: host::schema(), ticks: 0 }
    }

    /// Noise that repeats only after a long time and needs no generator: fractional parts of multiples.
    fn noise(&self, irrational: f64) -> f64 {
        (f64::from(self.ticks) * irrational).fract()
    }
}

impl Collector for CalmHost {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        self.ticks += 1;
        let mut v = vec![f64::NAN; self.schema.len()];
        if self.blank.load(Ordering::Relaxed) {
            return Ok(Reading::new(Sample::new(now, v)));
        }
        v[host::CPU_UTILIZATION] = 0.03 + 0.10 * self.noise(0.618_033_988_7);
        v[host::LOAD_PER_CORE] = 0.05 + 0.40 * self.noise(0.414_213_562_3);
        v[host::MEMORY_UTILIZATION] = 0.40 + 0.06 * self.noise(0.732_050_807_5);
        v[host::FILESYSTEM_UTILIZATION] = 0.30;
        v[host::DISK_READ] = 2e4 * self.noise(0.236_067_977_4);
        v[host::DISK_WRITE] = 5e6 * self.noise(0.645_751_311_0);
        v[host::NETWORK_RECEIVE] = 1e6 * self.noise(0.316_624_790_3);
        v[host::NETWORK_TRANSMIT] = 5e3 * self.noise(0.605_551_275_4);
        v[host::PROCESS_COUNT] = 80.0 + (12.0 * self.noise(0.123_105_625_6)).floor();
        v[host::PRESSURE_CPU] = 0.1 * self.noise(0.358_898_943_5);
        v[host::PRESSURE_IO] = 0.01 * self.noise(0.795_831_523_3);
        v[host::PRESSURE_MEMORY] = 0.0;
        if self.busy.load(Ordering::Relaxed) {
            v[host::CPU_UTILIZATION] = 0.99 + 0.01 * self.noise(0.1);
            v[host::LOAD_PER_CORE] = 0.6;
            v[host::PRESSURE_CPU] = 0.3;
        }
        if self.saturated.load(Ordering::Relaxed) {
            v[host::CPU_UTILIZATION] = 1.0;
            v[host::MEMORY_UTILIZATION] = 0.99;
            v[host::LOAD_PER_CORE] = 0.97;
        }
        Ok(Reading::new(Sample::new(now, v)))
    }

    fn processes(&mut self, _: usize) -> Result<Vec<ProcessUsage>> {
        let mut idle = ProcessUsage::new(1, "init");
        idle.cpu_cores = 0.0;
        let mut list = vec![idle];
        if self.busy.load(Ordering::Relaxed) {
            let mut busy = ProcessUsage::new(4711, "burn");
            busy.cpu_cores = 1.97;
            list.push(busy);
        }
        Ok(list)
    }
}

pub(crate) const STEP: Span = Span::from_secs(5);

/// A moment to start from.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

/// An engine over `host` with a database and model files in `place`.
pub(crate) fn engine_at(place: &Path, host: impl Collector + 'static) -> Engine {
    let opened = wired::store::SqliteStore::open_or_set_aside(
        &place.join("overseer.db"),
        &host::schema(),
        "test",
    )
    .unwrap();
    let models = wired::store::ModelDirectory::new(place.join("models"));
    wired::with_our_models(
        Box::new(host),
        Some(Box::new(opened.store)),
        Some(Box::new(models)),
        Config::default(),
        Role::Sampler,
    )
    .unwrap()
}

/// Ticks `n` times from `now` on, passes each report on, and returns the time of the last tick.
pub(crate) fn run(
    engine: &mut Engine,
    now: Timestamp,
    n: usize,
    mut see: impl FnMut(usize, overseer_engine::Report),
) -> Timestamp {
    let mut now = now;
    for i in 0..n {
        now = now + STEP;
        see(i, engine.tick(now));
    }
    now
}

/// A store that can be switched to refuse everything.
#[derive(Debug)]
pub(crate) struct Unreliable<S> {
    pub(crate) inner: S,
    pub(crate) down: Arc<AtomicBool>,
}

impl<S> Unreliable<S> {
    fn up(&mut self) -> Result<&mut S> {
        if self.down.load(Ordering::Relaxed) {
            Err(Error::unavailable("the database", "the disk is full"))
        } else {
            Ok(&mut self.inner)
        }
    }
}

impl<S: Store> Store for Unreliable<S> {
    fn append(&mut self, interval: Span, samples: &[Sample]) -> Result<Appended> {
        self.up()?.append(interval, samples)
    }
    fn samples(&mut self, query: &SampleQuery) -> Result<Frame> {
        self.up()?.samples(query)
    }
    fn record(
        &mut self,
        anomalies: &[AnomalyDetection],
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
    ) -> Result<()> {
        self.up()?.record(anomalies, predictions, patterns)
    }
    fn record_tick(&mut self, tick: &TickRecord<'_>) -> Result<Vec<i64>> {
        self.up()?.record_tick(tick)
    }
    fn put_incident(&mut self, incident: &Incident) -> Result<i64> {
        self.up()?.put_incident(incident)
    }
    fn incidents(&mut self, which: WhichIncidents, limit: usize) -> Result<Vec<Incident>> {
        self.up()?.incidents(which, limit)
    }
    fn put_recommendation(
        &mut self,
        made_at: Timestamp,
        action: Option<&str>,
        advice: &Recommendation,
    ) -> Result<i64> {
        self.up()?.put_recommendation(made_at, action, advice)
    }
    fn revision(&mut self) -> Result<Option<i64>> {
        self.up()?.revision()
    }
    fn anomalies(&mut self, limit: usize) -> Result<Vec<AnomalyDetection>> {
        self.up()?.anomalies(limit)
    }
    fn predictions(&mut self, limit: usize) -> Result<Vec<Prediction>> {
        self.up()?.predictions(limit)
    }
    fn patterns(&mut self, limit: usize) -> Result<Vec<PatternAnalysis>> {
        self.up()?.patterns(limit)
    }
    fn put_model_metadata(&mut self, metadata: &ModelMetadata) -> Result<()> {
        self.up()?.put_model_metadata(metadata)
    }
    fn model_metadata(&mut self) -> Result<Vec<ModelMetadata>> {
        self.up()?.model_metadata()
    }
    fn step(&mut self) -> Result<Option<Span>> {
        self.up()?.step()
    }
    fn set_step(&mut self, step: Span) -> Result<()> {
        self.up()?.set_step(step)
    }
    fn counts(&mut self) -> Result<StoredCounts> {
        self.up()?.counts()
    }
    fn remove_samples(&mut self, interval: Span) -> Result<usize> {
        self.up()?.remove_samples(interval)
    }
}
