//! Work beside a running `watch`, in threads of its own, which no tick waits for: fitting forecasters anew, and choosing
//! among them.

use overseer_engine::core::{Error, Result, Selection};
use overseer_engine::{ContestJob, Engine, Notice, Refitted, Stage, host};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After so long a contest is content with the rounds it has completed.
const PATIENCE: Duration = Duration::from_secs(600);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What may be running.
#[derive(Debug)]
pub(super) struct Background {
    options: host::Options,
    stop: Arc<AtomicBool>,
    running: Option<JoinHandle<Result<Selection>>>,
    refitting: Option<JoinHandle<Result<Refitted>>>,
}

impl Background {
    /// Nothing is running yet; `stop` ends what will be.
    pub(super) fn new(options: host::Options, stop: &Arc<AtomicBool>) -> Self {
        Self { options, stop: Arc::clone(stop), running: None, refitting: None }
    }

    /// To be called between two ticks: takes an outcome over, and starts what is due. Waits for nothing.
    pub(super) fn attend(&mut self, engine: &mut Engine) {
        self.attend_refit(engine);
        self.attend_contest(engine);
    }

    fn attend_refit(&mut self, engine: &mut Engine) {
        if self.refitting.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(done) = self.refitting.take()
        {
            let refitted = done.join().unwrap_or_else(|_| {
                Err(Error::unavailable("the forecaster", "fitting it anew ended in a panic"))
            });
            engine.adopt_forecaster(refitted, host::now());
        }
        if self.refitting.is_none()
            && let Some(job) = engine.due_refit()
        {
            let thread = std::thread::Builder::new().name("refit".to_owned());
            match thread.spawn(move || job.run()) {
                Ok(refitting) => self.refitting = Some(refitting),
                Err(e) => tracing::warn!("no thread to fit a forecaster: {e}"),
            }
        }
    }

    fn attend_contest(&mut self, engine: &mut Engine) {
        if self.running.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(done) = self.running.take()
        {
            match done.join() {
                Ok(Ok(selection)) => engine.adopt(selection, host::now()),
                // A host that is not known for long is no news.
                Ok(Err(e)) if e.is_not_enough_data() => tracing::debug!("no contest: {e}"),
                Ok(Err(e)) => engine.note(Notice::info(
                    Stage::Train,
                    format!("the forecasters could not be compared: {e}"),
                )),
                Err(_) => engine.note(Notice::warning(
                    Stage::Train,
                    "comparing forecasters ended in a panic; the forecaster stays what it was",
                )),
            }
        }
        if self.running.is_none()
            && let Some(job) = engine.due_contest(host::now())
        {
            let (options, stop) = (self.options.clone(), Arc::clone(&self.stop));
            let thread = std::thread::Builder::new().name("contest".to_owned());
            match thread.spawn(move || run(&job, &options, &stop)) {
                Ok(running) => self.running = Some(running),
                Err(e) => tracing::warn!("no thread for a contest: {e}"),
            }
        }
    }
}

/// Runs a contest over the stored history by a connection of its own, which only reads.
///
/// It rests after each piece of work for as long as that took, so that it never takes more than half of one processor;
/// and on Linux, where a thread has a niceness of its own, it only takes what nobody else wants.
fn run(job: &ContestJob, options: &host::Options, stop: &AtomicBool) -> Result<Selection> {
    #[cfg(target_os = "linux")]
    if let Err(e) = rustix::process::nice(19) {
        tracing::debug!("a contest at the usual priority: {e}");
    }
    let mut store = host::open_store(options, false)?;
    let start = Instant::now();
    let mut rested = start;
    job.run(&mut store, host::now(), |_| {
        let worked = rested.elapsed();
        if worked > Duration::from_millis(5) && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(worked.min(LONGEST_PAUSE));
            rested = Instant::now();
        }
        !stop.load(Ordering::Relaxed) && start.elapsed() < PATIENCE
    })
}
