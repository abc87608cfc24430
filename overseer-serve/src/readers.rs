//! Connections to the database: a few that read, kept open, and one at a time that writes.

use crate::problem::Problem;
use overseer_engine::core::Result;
use overseer_engine::host::store::SqliteStore;
use overseer_engine::host::{Options, open_store};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many requests read at a time; more wait. What they read is mostly in memory, so that more at a time would take as
/// long together, and more memory and time from the ticks.
const AT_ONCE: usize = 2;
/// A connection is opened anew after so long, so that a database that was set aside meanwhile is let go.
const OLDEST: Duration = Duration::from_secs(60);
/// A request that waited so long for its turn is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens connections as they are needed. Any number may read beside the sampler (the database is write-ahead logged).
#[derive(Debug)]
pub(crate) struct Readers {
    options: Options,
    idle: Mutex<Vec<(Instant, SqliteStore)>>,
    turns: Arc<Semaphore>,
    writer: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
}

/// A connection that goes back to the others when it is dropped.
#[derive(Debug)]
pub(crate) struct Reader {
    readers: Arc<Readers>,
    opened: Instant,
    store: Option<SqliteStore>,
    _turn: OwnedSemaphorePermit,
}

impl Readers {
    pub(crate) fn new(options: Options) -> Arc<Self> {
        Arc::new(Self {
            options,
            idle: Mutex::new(Vec::new()),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            writer: Arc::new(Semaphore::new(1)),
            heavy: Arc::new(Semaphore::new(1)),
        })
    }

    /// Runs `work` with a connection that reads, in a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut SqliteStore) -> Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = take(&self.turns).await?;
        let readers = Arc::clone(self);
        blocking(move || {
            let mut reader = readers.open(turn)?;
            let done = match &mut reader.store {
                Some(store) => work(store),
                None => return Err(Problem::internal()),
            };
            if done.as_ref().is_err_and(|e| !e.is_invalid_input()) {
                // Whatever is wrong with it, the next request shall not have it.
                reader.store = None;
            }
            done.map_err(Problem::from)
        })
        .await
    }

    /// Runs `work` with a connection that writes; one request at a time, opened for it and closed again.
    ///
    /// # Errors
    /// Also if there is no database: a request never makes one.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut SqliteStore) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = take(&self.writer).await?;
        let readers = Arc::clone(self);
        blocking(move || {
            let _turn = turn;
            open_store(&readers.options, false).map_err(|e| no_database(&e))?;
            let mut store = open_store(&readers.options, true)?;
            work(&mut store)
        })
        .await
    }

    /// Runs `work` that takes a while: one at a time, the others are told to come back.
    pub(crate) async fn heavy<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Options) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = take(&self.heavy).await?;
        let readers = Arc::clone(self);
        blocking(move || {
            let _turn = turn;
            work(&readers.options)
        })
        .await
    }

    /// A connection of its own for as long as it takes; for exports, which must leave turns to others.
    pub(crate) fn apart(&self) -> Result<SqliteStore, Problem> {
        open_store(&self.options, false).map_err(|e| no_database(&e))
    }

    fn open(self: &Arc<Self>, turn: OwnedSemaphorePermit) -> Result<Reader, Problem> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(opened, _)| opened.elapsed() < OLDEST);
        let kept = idle.pop();
        drop(idle);
        let (opened, store) = match kept {
            Some(kept) => kept,
            None => {
                let store = open_store(&self.options, false).map_err(|e| no_database(&e))?;
                (Instant::now(), store)
            }
        };
        Ok(Reader { readers: Arc::clone(self), opened, store: Some(store), _turn: turn })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // After a panic nobody knows what state it is in.
        if let Some(store) = self.store.take()
            && !std::thread::panicking()
        {
            let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push((self.opened, store));
        }
    }
}

/// A database that cannot be opened may be there soon, whatever the reason.
fn no_database(error: &overseer_engine::core::Error) -> Problem {
    Problem::unavailable(format!("nothing stored can be read yet: {error}")).retry_after(5)
}

async fn take(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    match tokio::time::timeout(PATIENCE, Arc::clone(semaphore).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Problem::busy("too many requests read at the same time")),
    }
}

/// Runs `work` in a thread that may block; a panic in it is a problem of this request alone.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| {
        tracing::error!("a request ended in a panic: {e}");
        Err(Problem::internal())
    })
}
