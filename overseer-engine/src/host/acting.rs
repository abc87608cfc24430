//! Acting on this host: one process at a time, with the journal in its database.

use super::{Options, actuator, default_data_dir, now, open_store};
use crate::action::recover;
use overseer_collect::HostCollector;
use overseer_core::{Actuator, AppliedAction, Collector, Error, Result, Span, Store};
use overseer_store::{DataDir, SqliteStore};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// The locked file in the data directory. The lock ends with the process, however that ends.
const LOCK: &str = "actions.lock";
/// The time between two looks at a feature that is watched.
const EVERY: Duration = Duration::from_secs(1);

/// The right to change this host, with what that takes.
#[derive(Debug)]
pub struct Acting {
    /// Its database.
    pub store: SqliteStore,
    /// What changes it.
    pub hands: Box<dyn Actuator>,
    /// What an earlier process left applied, and was taken back now.
    pub recovered: Vec<AppliedAction>,
    collector: HostCollector,
    _lock: File,
}

impl Acting {
    /// Asks for the right to act, and takes back what a process that ended left applied.
    ///
    /// # Errors
    /// If another process acts, the database cannot be written, or this is no host that can be acted on.
    pub fn open(options: &Options) -> Result<Self> {
        let mut hands =
            actuator().ok_or_else(|| Error::unsupported("acting on this kind of host"))?;
        let root = options.data_dir.clone().map_or_else(default_data_dir, Ok)?;
        let mut store = open_store(options, true)?;
        let Some(lock) = lock(DataDir::new(root).root())? else {
            let why = "another process applies an action now";
            return Err(Error::unavailable("acting on this host", why));
        };
        let recovered = recover(hands.as_mut(), &mut store, now())?;
        let collector = HostCollector::new()?;
        Ok(Self { store, hands, recovered, collector, _lock: lock })
    }

    /// The mean of a feature over `span`, leaving out the first `settle` of it; NaN if it had no value. `None` if
    /// `go_on`, which is told of each look, said no.
    pub fn measure(
        &mut self,
        column: usize,
        span: Span,
        settle: Span,
        mut go_on: impl FnMut() -> bool,
    ) -> Option<f64> {
        // Rates are over the time since the look before.
        let _ = self.collector.collect(now());
        let (start, span) = (Instant::now(), Duration::from(span));
        let (mut sum, mut known) = (0.0, 0_u32);
        while start.elapsed() < span {
            std::thread::sleep(EVERY.min(span.saturating_sub(start.elapsed())));
            if !go_on() {
                return None;
            }
            let Ok(reading) = self.collector.collect(now()) else { continue };
            let value = reading.sample.values.get(column).copied().unwrap_or(f64::NAN);
            if start.elapsed() >= Duration::from(settle) && value.is_finite() {
                sum += value;
                known += 1;
            }
        }
        Some(if known > 0 { sum / f64::from(known) } else { f64::NAN })
    }
}

/// The lock on acting; `None` while another process has it.
fn lock(root: &Path) -> Result<Option<File>> {
    let path = root.join(LOCK);
    let place = || path.display().to_string();
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|e| Error::other(format!("opening {}", place()), e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(Error::other(format!("locking {}", place()), e)),
    }
}

/// Takes back what a process that ended left applied, unless one acts now.
pub(super) fn recover_left(root: &Path, store: &mut dyn Store) -> Result<Vec<AppliedAction>> {
    // Most installations never act, and need no lock's file.
    if !store.applied(100)?.iter().any(|a| a.state.is_open()) {
        return Ok(Vec::new());
    }
    let Some(mut hands) = actuator() else { return Ok(Vec::new()) };
    match lock(root)? {
        Some(_lock) => recover(hands.as_mut(), store, now()),
        None => Ok(Vec::new()),
    }
}
