//! The one place where errors of SQLite and of the system become words a person can act on.
//!
//! Unavailable means that the data may be fine and waiting, or making room, may help. Corrupt means that the bytes
//! themselves are wrong, so that setting them aside is the remedy; the two must never be mixed up.

use overseer_core::{Error, Result};
use rusqlite::ErrorCode;
use std::io;
use std::path::Path;

/// Turns a foreign error into one that names the file and what was being done to it.
pub(crate) trait Context<T> {
    /// `doing` completes "while …", as in "storing samples".
    fn at(self, path: &Path, doing: &str) -> Result<T>;
}

impl<T> Context<T> for rusqlite::Result<T> {
    fn at(self, path: &Path, doing: &str) -> Result<T> {
        self.map_err(|e| from_sqlite(e, path, doing))
    }
}

impl<T> Context<T> for io::Result<T> {
    fn at(self, path: &Path, doing: &str) -> Result<T> {
        self.map_err(|e| unavailable(path, &in_words(&e), doing))
    }
}

/// A resource that exists but cannot be used now, why, and for what it was wanted.
pub(crate) fn unavailable(path: &Path, why: &str, doing: &str) -> Error {
    Error::unavailable(path.display().to_string(), format!("{why} (while {doing})"))
}

/// Bytes that do not hold what they should.
pub(crate) fn corrupt(path: &Path, why: &str, doing: &str) -> Error {
    Error::corrupt(path.display().to_string(), format!("{why} (while {doing})"))
}

fn from_sqlite(error: rusqlite::Error, path: &Path, doing: &str) -> Error {
    use rusqlite::Error as E;
    match &error {
        E::SqliteFailure(failure, _) => match kind_of(failure.code) {
            Some(Kind::Locked) => {
                unavailable(path, "another process keeps the database locked", doing)
            }
            Some(Kind::NotWritable) => {
                unavailable(path, "the database or its directory may only be read", doing)
            }
            Some(Kind::Full) => unavailable(path, "the disk is full", doing),
            Some(Kind::NotOpened) => unavailable(path, &why_not_opened(path), doing),
            Some(Kind::Forbidden) => unavailable(path, "permission denied", doing),
            Some(Kind::Io) => {
                unavailable(path, &format!("the disk reported an error: {failure}"), doing)
            }
            Some(Kind::Memory) => unavailable(path, "memory ran out", doing),
            Some(Kind::Damaged) => corrupt(path, "the database is damaged", doing),
            Some(Kind::NotADatabase) => {
                corrupt(path, "the file is not a database of SQLite", doing)
            }
            None => Error::other(format!("{} (while {doing})", path.display()), error),
        },
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => corrupt(path, &error.to_string(), doing),
        _ => Error::other(format!("{} (while {doing})", path.display()), error),
    }
}

/// What a code of SQLite means to somebody who keeps a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Locked,
    NotWritable,
    Full,
    NotOpened,
    Forbidden,
    Io,
    Memory,
    Damaged,
    NotADatabase,
}

fn kind_of(code: ErrorCode) -> Option<Kind> {
    Some(match code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => Kind::Locked,
        ErrorCode::ReadOnly => Kind::NotWritable,
        ErrorCode::DiskFull => Kind::Full,
        ErrorCode::CannotOpen => Kind::NotOpened,
        ErrorCode::PermissionDenied => Kind::Forbidden,
        ErrorCode::SystemIoFailure => Kind::Io,
        ErrorCode::OutOfMemory => Kind::Memory,
        ErrorCode::DatabaseCorrupt => Kind::Damaged,
        ErrorCode::NotADatabase => Kind::NotADatabase,
        _ => return None,
    })
}

/// SQLite only says that a file cannot be opened; the file system knows more.
fn why_not_opened(path: &Path) -> String {
    if path.is_dir() {
        return "a directory stands where the database should be".to_owned();
    }
    match path.parent().map(std::fs::metadata) {
        Some(Err(e)) => format!("its directory cannot be entered: {}", in_words(&e)),
        Some(Ok(parent)) if !parent.is_dir() => {
            "a file stands where its directory should be".to_owned()
        }
        _ => "it cannot be opened, or nothing may be created beside it; look at the permissions \
              of the file and its directory"
            .to_owned(),
    }
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "its file system may only be read".to_owned(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file stands where a directory should be".to_owned()
        }
        io::ErrorKind::IsADirectory => "a directory stands where a file should be".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn mapped(code: i32) -> Error {
        let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        Err::<(), _>(failure).at(Path::new("/data/overseer.db"), "storing samples").unwrap_err()
    }

    #[test]
    fn what_may_pass_is_unavailable_and_what_is_damaged_is_corrupt() {
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_PROTOCOL,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_READONLY_DIRECTORY,
            ffi::SQLITE_FULL,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_PERM,
            ffi::SQLITE_IOERR_READ,
            ffi::SQLITE_NOMEM,
        ] {
            assert!(mapped(code).is_unavailable(), "{code}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_CORRUPT_INDEX, ffi::SQLITE_NOTADB] {
            assert!(mapped(code).is_corrupt(), "{code}");
        }
        let mistake = mapped(ffi::SQLITE_ERROR);
        assert!(!mistake.is_unavailable() && !mistake.is_corrupt());
    }

    #[test]
    fn a_message_names_the_file_the_reason_and_the_deed() {
        assert_eq!(
            mapped(ffi::SQLITE_BUSY).to_string(),
            "/data/overseer.db is unavailable: another process keeps the database locked \
             (while storing samples)"
        );
    }
}
