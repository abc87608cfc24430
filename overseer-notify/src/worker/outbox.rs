//! The store, shared by the lanes: opened when it is first needed, and anew after it failed.

use overseer_core::{Error, ErrorKind, Result, Store};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Opens the store that holds the outbox.
pub type OpenStore = Box<dyn FnMut() -> Result<Box<dyn Store>> + Send>;

/// A store that could not be opened is let alone for so long.
const REST: Duration = Duration::from_secs(5);

pub(super) struct Outbox(Mutex<Handle>);

struct Handle {
    open: OpenStore,
    file: Option<PathBuf>,
    /// The store and which file was behind it when it was opened.
    store: Option<(Box<dyn Store>, Option<FileId>)>,
    failed: Option<(Instant, Failure)>,
    is_closed: bool,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

/// Why the store could not be opened, for whoever asks before it is tried again: in the words of the first.
struct Failure {
    what: String,
    why: String,
}

impl Failure {
    fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Unavailable { what, message } => {
                Self { what: what.clone(), why: message.clone() }
            }
            _ => Self { what: "the outbox".to_owned(), why: error.to_string() },
        }
    }

    fn again(&self) -> Error {
        Error::unavailable(&self.what, &self.why)
    }
}

impl Outbox {
    pub(super) fn new(open: OpenStore, file: Option<PathBuf>) -> Self {
        Self(Mutex::new(Handle { open, file, store: None, failed: None, is_closed: false }))
    }

    /// Closes the store for good: a lane that is left in the middle of a delivery must not hold it open.
    pub(super) fn close(&self) {
        let mut handle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        handle.is_closed = true;
        handle.store = None;
    }

    /// Does `work`, which must not take long, with the store.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut dyn Store) -> Result<T>) -> Result<T> {
        let mut handle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = &mut *handle;
        if handle.is_closed {
            return Err(Error::unavailable("the outbox", "it was closed"));
        }
        let file = handle.file.as_deref().map(|path| file_at(path).ok_or(path)).transpose();
        // To make a file is not for whoever delivers.
        let file = file
            .map_err(|path| Error::unavailable(path.display().to_string(), "it does not exist"))?;
        // It was moved aside, and another was begun.
        if handle.store.as_ref().is_some_and(|(_, opened)| *opened != file) {
            handle.store = None;
        }
        let store = match &mut handle.store {
            Some((store, _)) => store,
            None => {
                if let Some((at, why)) = &handle.failed
                    && at.elapsed() < REST
                {
                    return Err(why.again());
                }
                match (handle.open)() {
                    Ok(store) => {
                        handle.failed = None;
                        &mut handle.store.insert((store, file)).0
                    }
                    Err(e) => {
                        handle.failed = Some((Instant::now(), Failure::of(&e)));
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

/// Which file it is, by whatever name.
type FileId = (u64, u64);

fn file_at(path: &Path) -> Option<FileId> {
    let there = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((there.dev(), there.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = there;
        Some((0, 0))
    }
}
