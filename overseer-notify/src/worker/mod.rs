//! Delivers what waits in the outbox, beside whoever fills it.
//!
//! Each sink has a thread of its own ([`lane`]), so that none delays another; they share one handle of the store, which
//! nobody holds while delivering. What the worker promises:
//!
//! - **At least once.** A message is tried until it arrived, was refused for good, or is given up after
//!   [`Backoff::give_up_after`]. Whether it arrived is noted after it did: a crash in between delivers it once more, with
//!   the same number.
//! - **In order.** Of one incident, a message is tried only when those before it are done. Messages of different
//!   incidents do not wait for each other.
//! - **In bounds.** A lane holds at most some hundred messages in memory, however many wait.
//! - **Not for ever.** A message for a sink that is no longer configured is given up after a day.

mod backoff;
mod lane;
mod orphans;
mod outbox;
mod repeats;

pub use backoff::Backoff;
pub use outbox::OpenStore;

use crate::context::{Clock, Stop};
use lane::Lane;
use outbox::Outbox;
use overseer_core::{Error, Result, Sink};
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// So many notices wait to be asked for; of more the oldest are forgotten.
const NOTICES: usize = 100;

/// How a worker works.
#[derive(Clone)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// The time now.
    pub clock: Clock,
    /// When it is tried again.
    pub backoff: Backoff,
    /// How often it is looked whether something waits.
    pub poll: Duration,
    /// The file behind the store, if there is one: while it is not there nothing is opened, and when another takes its
    /// place that one is.
    pub file: Option<PathBuf>,
    /// The word to stop, shared with sinks that heed it.
    pub stop: Stop,
}

impl WorkerOptions {
    /// Looks once a second, with the default backoff.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let poll = Duration::from_secs(1);
        Self { clock, backoff: Backoff::default(), poll, file: None, stop: Stop::new() }
    }
}

impl fmt::Debug for WorkerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerOptions")
            .field("backoff", &self.backoff)
            .field("poll", &self.poll)
            .finish_non_exhaustive()
    }
}

/// What a person should know of deliveries, in whole sentences.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<VecDeque<String>>>);

impl Notices {
    fn add(&self, said: String) {
        tracing::warn!("{said}");
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == NOTICES {
            all.pop_front();
        }
        all.push_back(said);
    }
}

/// Threads that deliver.
#[derive(Debug)]
pub struct Worker {
    stop: Stop,
    notices: Notices,
    outbox: Arc<Outbox>,
    threads: Vec<(String, JoinHandle<()>)>,
}

impl Worker {
    /// Starts to deliver to `sinks` what waits in the store that `open` opens.
    ///
    /// # Errors
    /// If two sinks have the same name, or no thread can be had.
    pub fn start(
        sinks: Vec<Box<dyn Sink>>,
        open: OpenStore,
        options: WorkerOptions,
    ) -> Result<Self> {
        let names: BTreeSet<String> = sinks.iter().map(|sink| sink.name().to_owned()).collect();
        if names.len() < sinks.len() {
            return Err(Error::invalid_parameter("sinks", "two have the same name"));
        }
        let outbox = Arc::new(Outbox::new(open, options.file.clone()));
        let notices = Notices::default();
        let mut worker = Self {
            stop: options.stop.clone(),
            notices: notices.clone(),
            outbox: Arc::clone(&outbox),
            threads: Vec::new(),
        };
        for sink in sinks {
            let name = sink.name().to_owned();
            let lane = Lane::new(sink, Arc::clone(&outbox), options.clone(), notices.clone());
            worker.spawn(name, move || lane.run())?;
        }
        worker.spawn("outbox".to_owned(), move || {
            orphans::give_up_orphans(&outbox, &names, &options, &notices);
        })?;
        Ok(worker)
    }

    fn spawn(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = thread::Builder::new()
            .name(format!("sink {name}"))
            .spawn(work)
            .map_err(|e| Error::other(format!("starting the thread of the sink `{name}`"), e))?;
        self.threads.push((name, thread));
        Ok(())
    }

    /// What a person should know since this was last asked: that a sink cannot be reached, or can again, and what was
    /// given up.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.notices.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    /// Stops: what waits and is due is still tried for as long as `grace`. Returns the names of the sinks that were
    /// in the middle of a delivery then and are left behind; what they deliver may come twice.
    #[must_use]
    pub fn stop(mut self, grace: Duration) -> Vec<String> {
        self.stop.within(grace);
        // A little longer than told, for what ends by itself at the deadline.
        let deadline = Instant::now() + grace + Duration::from_millis(250);
        let mut threads = std::mem::take(&mut self.threads);
        while threads.iter().any(|(_, thread)| !thread.is_finished()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        threads.retain(|(_, thread)| !thread.is_finished());
        self.outbox.close();
        threads.into_iter().map(|(name, _)| name).collect()
    }
}

/// Stops without waiting.
impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.within(Duration::ZERO);
    }
}
