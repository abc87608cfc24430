//! A made-up host for what works on samples and frames, with a database and models of its own.

use overseer_engine::core::{
    Collector, Frame, HostInfo, ProcessUsage, Reading, Result, Sample, Schema, Span, Timestamp,
    host,
};
use overseer_engine::host::collect::{HostCollector, ScriptedHost};
use overseer_engine::host::store::{ModelDirectory, SqliteStore};
use overseer_engine::host::with_our_models;
use overseer_engine::{Config, Engine, Role};
use std::hint::black_box;
use std::path::Path;

/// Time between the made-up samples.
pub const STEP: Span = Span::from_secs(5);
/// When the first of them is taken.
pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// `rows` samples of a made-up host with seasons and noise, [`STEP`] apart; the same for the same seed.
///
/// # Errors
/// Never for a scripted host; it is what collectors return.
pub fn host_frame(rows: usize, seed: u64) -> Result<Frame> {
    ScriptedHost::builder(seed).build()?.frame(START, STEP, rows)
}

/// The samples of a frame for ever, as if time went on: the values go round, and each comes [`STEP`] after the one
/// before.
#[derive(Debug)]
pub struct Samples {
    frame: Frame,
    next: usize,
    now: Timestamp,
    sample: Sample,
}

impl Samples {
    /// Samples that follow those of `before` with the values of `frame`.
    #[must_use]
    pub fn after(before: &Frame, frame: Frame) -> Self {
        let now = before.timestamps().last().copied().unwrap_or(START);
        let sample = Sample::new(now, vec![0.0; frame.schema().len()]);
        Self { frame, next: 0, now, sample }
    }

    /// The next sample.
    pub fn next_sample(&mut self) -> &Sample {
        self.now = self.now + STEP;
        self.sample.timestamp = self.now;
        self.sample.values.copy_from_slice(self.frame.row(self.next));
        self.next = (self.next + 1) % self.frame.len();
        &self.sample
    }
}

/// Reads the running host, for what that costs, and answers with a made-up one, for rates that do not hang on how fast
/// a bench goes round.
#[derive(Debug)]
pub struct ReadAndScripted {
    read: HostCollector,
    scripted: ScriptedHost,
}

impl ReadAndScripted {
    /// The running host and a made-up one of this seed.
    ///
    /// # Errors
    /// If the system is not supported.
    pub fn new(seed: u64) -> Result<Self> {
        Ok(Self { read: HostCollector::new()?, scripted: ScriptedHost::builder(seed).build()? })
    }
}

impl Collector for ReadAndScripted {
    fn schema(&self) -> &Schema {
        self.scripted.schema()
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        black_box(self.read.collect(now)?);
        self.scripted.collect(now)
    }

    /// Made up: the real ones are measured over a quarter of a second, most of which is sleep.
    fn processes(&mut self, top: usize) -> Result<Vec<ProcessUsage>> {
        self.scripted.processes(top)
    }

    fn host(&self) -> HostInfo {
        self.scripted.host()
    }
}

/// An engine with a database and models in `place` and 1,000 samples behind it, and the time of the last of them.
///
/// # Errors
/// If a file cannot be written.
pub fn warm_engine(place: &Path) -> Result<(Engine, Timestamp)> {
    let opened =
        SqliteStore::open_or_set_aside(&place.join("overseer.db"), &host::schema(), "bench")?;
    let models = ModelDirectory::new(place.join("models"));
    let mut engine = with_our_models(
        Box::new(ReadAndScripted::new(1)?),
        Some(Box::new(opened.store)),
        Some(Box::new(models)),
        Config::default(),
        Role::Sampler,
    )?;
    let mut now = START;
    for _ in 0..1000 {
        now = now + STEP;
        engine.tick(now);
    }
    Ok((engine, now))
}
