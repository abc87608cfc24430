//! Opening a database: a new one, an old one, a damaged one, and one that may only be read.

use super::session::{self, Session};
use super::{NO_HOST, Retention, SqliteStore, metadata, metrics, migrate, tiers, upkeep};
use crate::aside;
use crate::error::{Context, corrupt, unavailable};
use crate::in_place::InPlace;
use overseer_core::{Error, Result, Schema};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A database below this size is read through at every [`SqliteOptions::open_or_set_aside`], a larger one only after
/// a shutdown that was not clean.
const CHECKED_BELOW_BYTES: u64 = 64 << 20;

/// The write-ahead log is cut back to this size once its content has reached the database.
const LOG_LIMIT_BYTES: i64 = 16 << 20;

/// So many KiB of the database a connection that only reads keeps in memory, a quarter of SQLite's default. There may be
/// several in one process, mostly each reads another part of the history, and what it reads again the system has in memory.
const READER_CACHE_KIB: i64 = 512;

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    busy_timeout: Duration,
    retention: Retention,
}

/// A store, and what became of a database that could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The store to use from now on.
    pub store: SqliteStore,
    /// Where the unreadable database lies now, whole, if there was one; the store is a fresh one then.
    pub set_aside: Option<PathBuf>,
    /// What was wrong with it, for a person.
    pub reason: Option<String>,
    /// What else a person should know, in whole sentences: that a log was lost, or was an old one and set aside.
    pub warnings: Vec<String>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(2), retention: Retention::default() }
    }
}

impl SqliteOptions {
    /// The defaults: two seconds of waiting for another process.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long an operation waits for a lock of another process before it is unavailable.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How long [`overseer_core::Store::maintain`] keeps what, and how large the database may become.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Opens the database at `path` for the host called `host`, makes it if there is none, brings an older format up
    /// to date, and adds a column for each feature of `schema` that is new.
    ///
    /// # Errors
    /// - Unavailable if it is locked beyond the timeout, may not be written, or its disk is full.
    /// - Corrupt if it is no database or is damaged; nothing is moved.
    /// - Unsupported if a newer program wrote it, invalid if another program did; it is left untouched.
    /// - Invalid if a feature's name cannot be a column or the retention is out of range, or unsupported if there are
    ///   too many features.
    pub fn open(&self, path: &Path, schema: &Schema, host: &str) -> Result<SqliteStore> {
        let path = absolute(path)?;
        self.check(schema)?;
        let connection = self.connect(&path)?;
        self.finish(connection, path, schema, host)
    }

    /// As [`SqliteOptions::open`], but a damaged database is moved to `<name>.unreadable-<n>` beside it, with its log,
    /// and a fresh one is started. Nothing is deleted, and a database that is only locked, full, read-only or newer
    /// than the program is not touched.
    ///
    /// Besides what SQLite notices by itself, the structure is checked (`PRAGMA quick_check`, which reads the whole
    /// file): always below 64 MiB, where it takes a fraction of a second, and for a larger database if the last
    /// shutdown was not clean: a log lies beside it, or the sampler did not note its end.
    ///
    /// A log that is older than the database beside it, or does not fit it, is moved to `<name>-wal.unreadable-<n>`, for
    /// SQLite would replay it and so undo what was stored since. This and a log that is missing are told in
    /// [`Opened::warnings`].
    ///
    /// Call it while holding the [`crate::Lease`], so that nobody writes to what is moved.
    ///
    /// # Errors
    /// As [`SqliteOptions::open`], except for damage; and unavailable if a damaged database cannot be moved.
    pub fn open_or_set_aside(&self, path: &Path, schema: &Schema, host: &str) -> Result<Opened> {
        let path = absolute(path)?;
        self.check(schema)?;
        let mut warnings = Vec::new();
        let attempt = self
            .connect_checked(&path, &mut warnings)
            .and_then(|connection| self.finish(connection, path.clone(), schema, host));
        match attempt {
            Ok(store) => Ok(Opened { store, set_aside: None, reason: None, warnings }),
            Err(damage) if damage.is_corrupt() => {
                let target = aside::move_database(&path)?;
                tracing::error!(to = %target.display(), "database set aside: {damage}");
                let store = self.open(&path, schema, host)?;
                let reason = Some(damage.to_string());
                Ok(Opened { store, set_aside: Some(target), reason, warnings })
            }
            Err(other) => Err(other),
        }
    }

    /// Opens an existing database for reading only, such as one in a directory that may not be written; every method
    /// that would write is unavailable. A host or feature it does not know has no samples or no values.
    ///
    /// A reader of a write-ahead log needs to create a small file beside the database. Where it may not, the database
    /// is read as an unchanging file, which is right only while there is nothing in the log.
    ///
    /// # Errors
    /// As [`SqliteOptions::open`]; and unavailable if there is no database, if it is of an older format, or if the
    /// newest data lies in a log that cannot be read without writing.
    pub fn open_read_only(&self, path: &Path, schema: &Schema, host: &str) -> Result<SqliteStore> {
        const DOING: &str = "opening the database for reading";
        let path = absolute(path)?;
        self.check(schema)?;
        fs::metadata(&path).at(&path, DOING)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).at(&path, DOING)?;
        self.harden(&connection).at(&path, DOING)?;
        let readable = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        let connection = match readable {
            Ok(()) => connection,
            Err(rusqlite::Error::SqliteFailure(e, _)) if needs_to_write(e.code) => {
                drop(connection);
                self.open_unchanging(&path, flags)?
            }
            Err(e) => return Err(e).at(&path, DOING),
        };
        migrate::require_current(&connection, &path)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB).at(&path, DOING)?;
        let host_id = metadata::find_host(&connection, &path, host)?.unwrap_or(NO_HOST);
        let columns = metrics::columns(&connection, &path)?;
        Ok(self.store(connection, path, schema, columns, (host_id, host)))
    }

    fn store(
        &self,
        connection: Connection,
        path: PathBuf,
        schema: &Schema,
        columns: Vec<String>,
        (host_id, host): (i64, &str),
    ) -> SqliteStore {
        // Some statements are long, and all of a tick should be kept.
        connection.set_prepared_statement_cache_capacity(64);
        SqliteStore {
            sql: metrics::Statements::new(schema, &columns),
            tiers: tiers::Statements::new(&columns),
            gives_back: gives_back(&connection).unwrap_or(false),
            features: columns.into_iter().filter(|c| !metrics::is_key(c)).collect(),
            retention: self.retention.clone(),
            upkeep: upkeep::Upkeep::default(),
            session: Session::None,
            connection,
            file: InPlace::note(&path),
            path,
            schema: schema.clone(),
            host_id,
            host: host.to_owned(),
        }
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        self.retention.check()?;
        metrics::check_names(schema)
    }

    fn open_unchanging(&self, path: &Path, flags: OpenFlags) -> Result<Connection> {
        const DOING: &str = "opening the database for reading";
        if has_content(&log_of(path)) {
            let why = "its newest data is in the file ending in -wal, which cannot be read where \
                       nothing may be written; copy the database and that file to another directory \
                       and read it there";
            return Err(unavailable(path, why, DOING));
        }
        let uri = unchanging_uri(path)
            .ok_or_else(|| unavailable(path, "its path is not valid Unicode", DOING))?;
        let connection =
            Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI).at(path, DOING)?;
        self.harden(&connection).at(path, DOING)?;
        Ok(connection)
    }

    /// Connects and makes sure that the database is ours and neither damaged at first sight nor too new. Until then
    /// nothing in it is changed, not even by the checkpoint that closing would do.
    fn connect(&self, path: &Path) -> Result<Connection> {
        const DOING: &str = "opening the database";
        // SQLite deletes a log without a database, and data with it.
        if has_content(&log_of(path)) && is_empty_to_sqlite(path) {
            return Err(corrupt(path, "there is a log beside it, but it is empty", DOING));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).at(path, DOING)?;
        self.harden(&connection).at(path, DOING)?;
        migrate::version(&connection, path)?;
        if connection.is_readonly(MAIN_DB).at(path, DOING)? {
            return Err(unavailable(path, "the file may only be read", DOING));
        }
        Ok(connection)
    }

    /// Connects and checks the structure where it may be damaged. A log that is not the database's own is set aside, so
    /// that it does not take the database with it.
    fn connect_checked(&self, path: &Path, warnings: &mut Vec<String>) -> Result<Connection> {
        let has_log = has_content(&log_of(path));
        let file_alone = has_log.then(|| session::changes_of_file(path)).flatten();
        let attempt = self.connect(path).and_then(|connection| {
            if has_log && session::is_log_stale(&connection, file_alone) {
                return Ok(None);
            }
            self.check_structure(&connection, path, has_log)?;
            Ok(Some(connection))
        });
        let why = match attempt {
            Ok(Some(connection)) => {
                let lost = session::left_open(&connection)
                    .is_some_and(|number| !has_log && !session::log_was_read(&connection, number));
                if lost {
                    warnings.push(
                        "the last run did not end cleanly, and the log that it kept beside the database is gone: \
                         what it stored last may be missing"
                            .to_owned(),
                    );
                }
                return Ok(connection);
            }
            Ok(None) => "is older than the database, as if put back from a copy",
            Err(e) if e.is_corrupt() && has_log && session::is_sound_alone(path) => {
                tracing::error!("{e}");
                "does not fit the database"
            }
            Err(e) => return Err(e),
        };
        let target = aside::move_log(path)?;
        let target = target.display();
        tracing::error!(to = %target, "a log that {why} was set aside");
        warnings.push(format!(
            "the log beside the database {why}; it was moved to {target} and not used: what was stored last may be \
             missing"
        ));
        let connection = self.connect(path)?;
        self.check_structure(&connection, path, true)?;
        Ok(connection)
    }

    /// Reads the whole database through, if it is small or the last shutdown was not clean.
    fn check_structure(&self, connection: &Connection, path: &Path, has_log: bool) -> Result<()> {
        const DOING: &str = "checking the database";
        let length = fs::metadata(path).map_or(0, |m| m.len());
        if is_cut_off(connection, path).at(path, DOING)? {
            return Err(corrupt(path, CUT_OFF, DOING));
        }
        let is_small = length < CHECKED_BELOW_BYTES;
        if !is_small && !has_log && session::left_open(connection).is_none() {
            return Ok(());
        }
        let said = quick_check(connection).at(path, DOING)?;
        if said == "ok" {
            return Ok(());
        }
        Err(corrupt(path, &format!("its structure is damaged: {said}"), DOING))
    }

    /// Settings that change nothing in the file.
    fn harden(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(self.busy_timeout)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // Else a quoted name of no column would be read as a text.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        connection.pragma_update(None, "foreign_keys", true)
    }

    /// Takes an accepted database into use.
    fn finish(
        &self,
        mut connection: Connection,
        path: PathBuf,
        schema: &Schema,
        host: &str,
    ) -> Result<SqliteStore> {
        const DOING: &str = "preparing the database";
        let had_log = has_content(&log_of(&path));
        if migrate::version(&connection, &path)? == 0 {
            // Of use before the first table only. Where another process is just making it, that one does this.
            let _ = connection.pragma_update(None, "auto_vacuum", "INCREMENTAL");
        }
        self.log_ahead(&connection, &path)?;
        connection.pragma_update(None, "synchronous", "NORMAL").at(&path, DOING)?;
        connection
            .query_row(&format!("PRAGMA journal_size_limit={LOG_LIMIT_BYTES}"), [], |_| Ok(()))
            .at(&path, DOING)?;
        migrate::migrate(&mut connection, &path)?;
        learn_to_give_back(&connection, &path);
        let columns = metrics::ensure_columns(&mut connection, &path, schema)?;
        tiers::ensure_columns(&mut connection, &path, &columns)?;
        let host_id = metadata::register_host(&mut connection, &path, host, schema)?;
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
            .at(&path, DOING)?;
        let mut store = self.store(connection, path, schema, columns, (host_id, host));
        if had_log && let Some(number) = session::left_open(&store.connection) {
            store.session = Session::ReadLogOf(number);
        }
        Ok(store)
    }

    /// Switches to the write-ahead log. SQLite does not wait for locks here, so this does.
    fn log_ahead(&self, connection: &Connection, path: &Path) -> Result<()> {
        const DOING: &str = "preparing the database";
        let give_up = Instant::now() + self.busy_timeout;
        let mode: String = loop {
            match connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)) {
                Err(rusqlite::Error::SqliteFailure(e, _))
                    if e.code == ErrorCode::DatabaseBusy && Instant::now() < give_up =>
                {
                    std::thread::sleep(Duration::from_millis(5));
                }
                other => break other.at(path, DOING)?,
            }
        };
        if !mode.eq_ignore_ascii_case("wal") {
            tracing::warn!(path = %path.display(), mode, "no write-ahead log here; readers may wait");
        }
        Ok(())
    }
}

/// What is said of a database whose last page is not whole.
pub(super) const CUT_OFF: &str = "it was cut off in the middle of a page";

/// Whether the last page is not whole. SQLite reads one that was cut short as if its end were zeros. Beside a log that may
/// be a checkpoint which did not come to its end, and the log has the page.
pub(super) fn is_cut_off(connection: &Connection, path: &Path) -> rusqlite::Result<bool> {
    let length = fs::metadata(path).map_or(0, |m| m.len());
    let page: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let is_whole = length.is_multiple_of(u64::from(page.max(1)));
    Ok(!is_whole && !has_content(&log_of(path)) && !is_empty_to_sqlite(path))
}

/// What SQLite says of the structure: `ok`, or the first thing that is wrong.
pub(super) fn quick_check(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// Whether free pages can be given back to the file system, some at a time.
fn gives_back(connection: &Connection) -> rusqlite::Result<bool> {
    const INCREMENTAL: i64 = 2;
    let mode: i64 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
    Ok(mode == INCREMENTAL)
}

/// Rewrites a database of a format that could not give pages back, once, if it is small and nobody else uses it. Where
/// that is not so, free pages are used again, and only the file never becomes smaller.
fn learn_to_give_back(connection: &Connection, path: &Path) {
    let is_small = fs::metadata(path).map_or(0, |m| m.len()) < CHECKED_BELOW_BYTES;
    if gives_back(connection).unwrap_or(true) || !is_small {
        return;
    }
    if let Err(e) = connection.execute_batch("PRAGMA auto_vacuum=INCREMENTAL; VACUUM") {
        tracing::info!(path = %path.display(), "the database was not rewritten: {e}");
    }
}

/// An absolute path never looks like a `file:` address to SQLite.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).at(path, "opening the database")
}

/// The write-ahead log of a database. A link is followed, for the log lies beside what it points to.
fn log_of(path: &Path) -> PathBuf {
    aside::with_suffix(&fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()), "-wal")
}

/// SQLite takes a file of a single byte for an empty one (`unixFileSize` of its `os_unix.c`).
fn is_empty_to_sqlite(path: &Path) -> bool {
    fs::metadata(path).map_or(0, |m| m.len()) <= 1
}

fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.len() > 0)
}

/// What SQLite says when it cannot create what it needs beside the database.
fn needs_to_write(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure
    )
}

/// The address under which SQLite takes a file as unchanging; see <https://www.sqlite.org/uri.html>.
pub(super) fn unchanging_uri(path: &Path) -> Option<String> {
    let mut uri = String::from("file:");
    for byte in path.to_str()?.bytes() {
        match byte {
            b'/' | b':' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            b'\\' if cfg!(windows) => uri.push('/'),
            b if b.is_ascii_alphanumeric() => uri.push(char::from(b)),
            b => uri.push_str(&format!("%{b:02X}")),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    // A path without a leading slash would be taken as relative to a host.
    Some(if cfg!(windows) { uri.replacen("file:", "file:///", 1) } else { uri })
}

/// A format this program cannot handle, in the words of [`Error::unsupported`].
pub(super) fn too_new(path: &Path, found: i64, newest: i64) -> Error {
    Error::unsupported(format!(
        "{} is of format {found}, written by a newer version of this program, and was left \
         untouched; a format above {newest}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_address_is_escaped() {
        assert_eq!(
            unchanging_uri(Path::new("/a b/50%?#é.db")).unwrap(),
            "file:/a%20b/50%25%3F%23%C3%A9.db?mode=ro&immutable=1"
        );
    }
}
