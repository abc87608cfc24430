//! The thread that ticks where something else has the main one: under `serve` and under `top`.
//!
//! Whoever asks first for the sampler's place has it. Beside another sampler the engine only reads what that one stores,
//! and is opened anew now and then.

use super::background::Background;
use super::incident_log::IncidentLog;
use super::sinks::Deliveries;
use super::watch::{first_look, next_due, wait_until};
use crate::service;
use crate::settings::Settings;
use overseer_engine::core::{Error, Result, Severity};
use overseer_engine::{Engine, Notice, Report, Role, host};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// An engine that only reads is opened anew when it found nothing, and now and then for newer models.
const TRIED_AGAIN: Duration = Duration::from_secs(5);
const RENEWED: Duration = Duration::from_secs(3600);

/// Who is shown each tick, in the thread that ticks: nothing here may wait.
pub(crate) trait Viewer: Send + 'static {
    /// So many samples of the first look at a new host are taken.
    fn looked(&mut self, done: usize, total: usize);
    /// A tick was done, and began so long after it was due.
    fn ticked(&mut self, engine: &Engine, report: &Report, lateness: Duration);
    /// There is time before the next tick.
    fn between(&mut self, _engine: &mut Engine) {}
}

/// What there is to say when the ticking has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) worst: Severity,
    /// What could not be stored, among other things worth knowing.
    pub(crate) notices: Vec<Notice>,
}

/// The thread that ticks.
pub(crate) struct Ticking<V> {
    options: host::Options,
    viewer: V,
    deliveries: Option<Deliveries>,
    stop: Arc<AtomicBool>,
}

/// When it ends, for whatever reason, the rest of the command ends too.
impl<V> Drop for Ticking<V> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl<V: Viewer> Ticking<V> {
    /// Starts ticking with an engine that these options opened, until `stop` is set.
    ///
    /// # Errors
    /// If a sink cannot be set up, or there is no thread to be had.
    pub(crate) fn start(
        settings: &Settings,
        options: host::Options,
        engine: Engine,
        viewer: V,
        stop: &Arc<AtomicBool>,
    ) -> Result<JoinHandle<Ended>> {
        // Whoever samples also delivers what is told of it.
        let delivers = engine.role() == Role::Sampler;
        let deliveries = delivers.then(|| Deliveries::start(settings, &options)).transpose()?;
        let ticking = Self { options, viewer, deliveries, stop: Arc::clone(stop) };
        let thread = std::thread::Builder::new().name("ticks".to_owned());
        thread
            .spawn(move || ticking.run(engine))
            .map_err(|e| Error::other("starting the thread that ticks", e))
    }

    /// As `watch` does it, and after each tick the report is handed over.
    fn run(mut self, mut engine: Engine) -> Ended {
        first_look(&mut engine, &self.stop, |done, total| self.viewer.looked(done, total));
        engine.prime(host::now());
        let step = Duration::from(engine.config().step);
        let start = Instant::now();
        let mut background = Background::new(self.options.clone(), &self.stop);
        let mut log = IncidentLog::default();
        let mut opened = Instant::now();
        let mut worst = Severity::None;
        let mut due = 0_u32;
        loop {
            due = next_due(start, step, due);
            let at = start + step * due;
            wait_until(at, &self.stop);
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let lateness = at.elapsed();
            let report = engine.tick(host::now());
            self.viewer.ticked(&engine, &report, lateness);
            worst = worst.max(report.anomaly.as_ref().map_or(Severity::None, |a| a.severity));
            log.changes(&report);
            service::ticked(&report);
            self.deliveries.iter().for_each(Deliveries::tell);
            background.attend(&mut engine);
            self.viewer.between(&mut engine);
            self.renew(&mut engine, &report, &mut opened);
        }
        service::stopping();
        let notices = engine.close();
        if let Some(deliveries) = self.deliveries.take() {
            deliveries.stop();
        }
        Ended { worst, notices }
    }

    /// Opens an engine that only reads anew, where that may show more.
    fn renew(&self, engine: &mut Engine, report: &Report, opened: &mut Instant) {
        let after = if report.current.is_none() { TRIED_AGAIN } else { RENEWED };
        if engine.role() == Role::Sampler || opened.elapsed() < after {
            return;
        }
        *opened = Instant::now();
        // Never as the sampler: whoever started this was told that it only reads.
        let mut options = self.options.clone();
        options.sample = false;
        match host::open(&options) {
            Ok(newer) => *engine = newer,
            Err(e) => tracing::warn!("what is stored cannot be read anew: {e}"),
        }
    }
}
