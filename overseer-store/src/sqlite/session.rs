//! Whether the last sampler ended cleanly, and whether the log beside the database is the database's own.
//!
//! SQLite replays any log that is whole in itself. One that is older than the database, such as a file of it put back
//! from a copy, would silently undo what was stored since. And a log that is missing after an end that was not clean
//! takes what it held with it, silently too. Two settings of the installation tell:
//!
//! - `changes` grows with every upkeep, once a minute. Read through its own log the database is never behind the file
//!   alone; if it is, the log is an older one.
//! - `open` is set, in the file itself, while a sampler does upkeep, and cleared when it ends. If it is set at a start
//!   and there is no log, the log was lost. `log_read` notes that another process read that log, whose end removes it.

use super::metadata::{put_setting, setting};
use super::open::{quick_check, unchanging_uri};
use super::{SqliteStore, migrate, write};
use crate::error::Context;
use overseer_core::Result;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;
use std::time::Duration;

const CHANGES: &str = "changes";
const OPEN: &str = "open";
const LOG_READ: &str = "log_read";

/// What a store does about the session when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// Nothing.
    None,
    /// It did upkeep, and notes that it ended cleanly.
    Mine,
    /// It read the log of a session that did not end cleanly, and notes that.
    ReadLogOf(i64),
}

/// How much the database changed, as a number that only grows, over all hosts.
fn changes(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.query_row(
        "SELECT sum(value) FROM installation WHERE key = ?1 AND typeof(value) = 'integer'",
        [CHANGES],
        |row| row.get(0),
    )
}

/// The file alone, without its log.
fn file_alone(path: &Path) -> Option<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(unchanging_uri(path)?, flags).ok()
}

/// How much the file alone changed. Where that cannot be told, as in the middle of a checkpoint or of a new database,
/// there is no answer.
pub(super) fn changes_of_file(path: &Path) -> Option<i64> {
    changes(&file_alone(path)?).ok().flatten()
}

/// Whether the file alone is a database of this program whose structure is whole.
pub(super) fn is_sound_alone(path: &Path) -> bool {
    file_alone(path).is_some_and(|connection| {
        migrate::version(&connection, path).is_ok_and(|format| format > 0)
            && quick_check(&connection).is_ok_and(|said| said == "ok")
    })
}

/// Whether the log, through which `connection` reads, is older than the file alone.
pub(super) fn is_log_stale(connection: &Connection, file_alone: Option<i64>) -> bool {
    let Some(file) = file_alone else { return false };
    // Where it cannot be read, the check of the structure has the word.
    changes(connection).is_ok_and(|through_log| through_log.is_none_or(|log| log < file))
}

/// The session of a sampler that did not end cleanly, or has not ended, if there is one.
pub(super) fn left_open(connection: &Connection) -> Option<i64> {
    let sql = "SELECT value FROM installation WHERE key = ?1 AND value > 0 \
               ORDER BY value DESC LIMIT 1";
    connection.query_row(sql, [OPEN], |row| row.get(0)).optional().ok().flatten()
}

/// Whether somebody read the log of this session and so removed it rightly.
pub(super) fn log_was_read(connection: &Connection, session: i64) -> bool {
    let sql = "SELECT 1 FROM installation WHERE key = ?1 AND value = ?2";
    connection
        .query_row(sql, rusqlite::params![LOG_READ, session], |_| Ok(()))
        .optional()
        .is_ok_and(|found| found.is_some())
}

/// Counts an upkeep.
pub(super) fn count_change(connection: &Connection, host: i64) -> rusqlite::Result<i64> {
    let before: Option<i64> = setting(connection, host, CHANGES)?;
    let after = before.unwrap_or(0).saturating_add(1);
    put_setting(connection, host, CHANGES, &after)?;
    Ok(after)
}

impl SqliteStore {
    /// Notes in the file itself that a sampler is at work, once.
    pub(super) fn begin_session(&mut self) -> Result<()> {
        const DOING: &str = "noting that a sampler is at work";
        if self.session == Session::Mine {
            return Ok(());
        }
        let (path, host) = (&self.path, self.host_id);
        write(&mut self.connection, path, DOING, |transaction| {
            let number = count_change(transaction, host).at(path, DOING)?;
            put_setting(transaction, host, OPEN, &number).at(path, DOING)
        })?;
        // What is only in the log would be lost with it. A reader may keep this from being complete: then it comes
        // with one of the next checkpoints.
        self.connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .at(path, DOING)?;
        self.session = Session::Mine;
        Ok(())
    }

    fn end_session(&mut self) -> rusqlite::Result<()> {
        match self.session {
            Session::None => Ok(()),
            Session::Mine => put_setting(&self.connection, self.host_id, OPEN, &0_i64).map(drop),
            Session::ReadLogOf(session) => {
                // If the sampler is at work after all, its log stays, and nobody is to wait for it.
                self.connection.busy_timeout(Duration::ZERO)?;
                put_setting(&self.connection, self.host_id, LOG_READ, &session).map(drop)
            }
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Err(e) = self.end_session() {
            tracing::debug!(path = %self.path.display(), "the end was not noted: {e}");
        }
    }
}
