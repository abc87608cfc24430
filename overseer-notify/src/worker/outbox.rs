//! The store, shared by the lanes: opened when it is first needed, and anew after it failed.

use overseer_core::{Error, Result, Store};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Opens the store that holds the outbox.
pub type OpenStore = Box<dyn FnMut() -> Result<Box<dyn Store>> + Send>;

/// A store that could not be opened is let alone for so long.
const REST: Duration = Duration::from_secs(5);
/// A store is opened anew after so long: the file behind it may have been moved aside and another begun.
const LIFETIME: Duration = Duration::from_secs(600);

pub(super) struct Outbox(Mutex<Handle>);

struct Handle {
    open: OpenStore,
    store: Option<(Box<dyn Store>, Instant)>,
    failed: Option<(Instant, String)>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Outbox {
    pub(super) fn new(open: OpenStore) -> Self {
        Self(Mutex::new(Handle { open, store: None, failed: None }))
    }

    /// Does `work`, which must not take long, with the store.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut dyn Store) -> Result<T>) -> Result<T> {
        let mut handle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = &mut *handle;
        if handle.store.as_ref().is_some_and(|(_, opened)| opened.elapsed() > LIFETIME) {
            handle.store = None;
        }
        let store = match &mut handle.store {
            Some((store, _)) => store,
            None => {
                if let Some((at, why)) = &handle.failed
                    && at.elapsed() < REST
                {
                    return Err(Error::unavailable("the outbox", why.clone()));
                }
                match (handle.open)() {
                    Ok(store) => {
                        handle.failed = None;
                        &mut handle.store.insert((store, Instant::now())).0
                    }
                    Err(e) => {
                        handle.failed = Some((Instant::now(), e.to_string()));
                        return Err(e);
                    }
                }
            }
        };
        let done = work(store.as_mut());
        if done.is_err() {
            handle.store = None;
        }
        done
    }
}
