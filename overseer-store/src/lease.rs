//! That one process at a time samples an installation.
//!
//! The lease is an operating-system lock on a file, not the file's existence: it ends with the process however that
//! ends, so that a crash or `kill -9` never blocks the next start. The text in the file only tells who holds it.

use crate::error::Context;
use crate::in_place::InPlace;
use overseer_core::{Result, Timestamp};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The right to sample an installation, given back on drop and when the process ends in any way.
#[derive(Debug)]
pub struct Lease {
    file: File,
    path: PathBuf,
    place: InPlace,
}

/// What became of the wish for a [`Lease`].
#[derive(Debug)]
pub enum LeaseOutcome {
    /// This process may sample.
    Held(Lease),
    /// Another one does.
    Busy {
        /// Who, for a person to read: `process 1234 (watch, running for 2 h)`.
        holder: String,
    },
}

impl Lease {
    /// The name of the locked file in the data directory.
    pub const FILE_NAME: &'static str = "overseer.lock";

    /// Takes the lease of the installation in `dir` without waiting.
    ///
    /// `now` and `purpose`, such as `watch`, are what a second sampler is told.
    ///
    /// # Errors
    /// Unavailable if the lock's file cannot be written, as in a directory that may only be read, or if its file
    /// system knows no locks.
    pub fn acquire(dir: &Path, now: Timestamp, purpose: &str) -> Result<LeaseOutcome> {
        let path = dir.join(Self::FILE_NAME);
        // Not truncated: until the lock is ours, the text belongs to whoever holds it.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .at(&path, "opening the lock of the installation")?;
        match file.try_lock() {
            Ok(()) => {
                describe(&mut file, now, purpose).at(&path, "writing who holds the lock")?;
                let place = InPlace::note(&path);
                Ok(LeaseOutcome::Held(Self { file, path, place }))
            }
            Err(TryLockError::WouldBlock) => Ok(LeaseOutcome::Busy { holder: holder(&file, now) }),
            Err(TryLockError::Error(e)) => Err(e).at(&path, "locking the installation"),
        }
    }

    /// The locked file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the lock still keeps others away: not if somebody removed its file, or the whole directory, for then
    /// another process can lock a new one.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.place.lost().is_none()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The text would only mislead a reader now; the file stays, for removing it would race with the next holder.
        if let Err(e) = self.file.set_len(0) {
            tracing::debug!(path = %self.path.display(), "the lock's text could not be cleared: {e}");
        }
        if let Err(e) = self.file.unlock() {
            tracing::debug!(path = %self.path.display(), "the lock ends with its file: {e}");
        }
    }
}

fn describe(file: &mut File, now: Timestamp, purpose: &str) -> io::Result<()> {
    let purpose: String = purpose.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text =
        format!("pid={}\npurpose={purpose}\nsince_ms={}\n", std::process::id(), now.as_millis());
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// What the file tells about its holder; whatever cannot be read is left out.
fn holder(file: &File, now: Timestamp) -> String {
    let mut text = String::new();
    // The bound keeps a foreign file from filling the memory.
    let _ = file.take(4096).read_to_string(&mut text);
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
    };
    let mut said = match field("pid") {
        "" => "another process".to_owned(),
        pid => format!("process {pid}"),
    };
    let purpose = field("purpose").to_owned();
    let running = field("since_ms").parse().map_or_else(
        |_| String::new(),
        |since| format!("running for {}", now.since(Timestamp::from_millis(since))),
    );
    let more: Vec<String> = [purpose, running].into_iter().filter(|s| !s.is_empty()).collect();
    if !more.is_empty() {
        said.push_str(&format!(" ({})", more.join(", ")));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + 1000 * secs)
    }

    #[test]
    fn the_second_is_told_who_holds_the_lease_and_gets_it_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lease::acquire(dir.path(), at(0), "watch").unwrap();
        assert!(matches!(first, LeaseOutcome::Held(_)));
        let LeaseOutcome::Busy { holder } = Lease::acquire(dir.path(), at(90), "analyze").unwrap()
        else {
            panic!("two processes hold the lease");
        };
        assert_eq!(holder, format!("process {} (watch, running for 90 s)", std::process::id()));

        drop(first);
        let again = Lease::acquire(dir.path(), at(91), "analyze").unwrap();
        assert!(matches!(again, LeaseOutcome::Held(_)));
    }

    #[test]
    fn a_file_of_whatever_text_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(Lease::FILE_NAME), "pid=99\nnonsense\u{0}").unwrap();
        let taken = Lease::acquire(dir.path(), at(0), "two\nlines").unwrap();
        let LeaseOutcome::Busy { holder } = Lease::acquire(dir.path(), at(1), "").unwrap() else {
            panic!("two processes hold the lease");
        };
        assert!(
            holder.contains("(two lines, running for 1 s)") && !holder.contains("99 "),
            "{holder}"
        );
        drop(taken);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_unavailable() {
        let dir = tempfile::tempdir().unwrap();
        let e = Lease::acquire(&dir.path().join("missing"), at(0), "watch").unwrap_err();
        assert!(e.is_unavailable(), "{e}");
        std::fs::create_dir(dir.path().join(Lease::FILE_NAME)).unwrap();
        let e = Lease::acquire(dir.path(), at(0), "watch").unwrap_err();
        assert!(e.is_unavailable() && e.to_string().contains("overseer.lock"), "{e}");
    }
}
