//! Formats of the database: numbered SQL files, applied in order, each once.
//!
//! A file that was ever released is never edited; a change is a new file with the next number.

use super::open::too_new;
use super::write;
use crate::error::{Context, corrupt, unavailable};
use overseer_core::{Error, Result};
use rusqlite::Connection;
use std::path::Path;

/// The number of each format and the SQL that leads to it from the one before, from an empty database on.
const MIGRATIONS: [(u32, &str); 10] = [
    (1, include_str!("../migrations/0001_initial.sql")),
    (2, include_str!("../migrations/0002_decisions.sql")),
    (3, include_str!("../migrations/0003_tiers.sql")),
    (4, include_str!("../migrations/0004_texts.sql")),
    (5, include_str!("../migrations/0005_sums.sql")),
    (6, include_str!("../migrations/0006_auxiliary.sql")),
    (7, include_str!("../migrations/0007_selection.sql")),
    (8, include_str!("../migrations/0008_incidents.sql")),
    (9, include_str!("../migrations/0009_actions.sql")),
    (10, include_str!("../migrations/0010_patterns.sql")),
];

/// The newest format this program knows, kept in the database as its `user_version`.
pub const FORMAT_VERSION: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// `OVSR`: tells the databases of Overseer from those of other programs.
const APPLICATION_ID: i64 = 0x4f56_5352;

/// What a current database holds; one that lost any of it cannot be used.
const TABLES: [&str; 22] = [
    "hosts",
    "installation",
    "system_metrics",
    "anomalies",
    "predictions",
    "patterns",
    "model_metadata",
    "labels",
    "silences",
    "alerts",
    "recommendations",
    "outcomes",
    "metrics_1m",
    "metrics_1h",
    "summaries_due",
    "texts",
    "sums",
    "auxiliary_series",
    "auxiliary_metrics",
    "auxiliary_1h",
    "incidents",
    "applied_actions",
];

/// The format of the database, 0 for an empty one.
///
/// # Errors
/// Unsupported if it is newer than this program, invalid if another program's, and as reading.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<i64> {
    const DOING: &str = "reading the format of the database";
    // The three are read from one snapshot: between two of them another process may make the database.
    let snapshot = connection.is_autocommit().then(|| connection.unchecked_transaction());
    let _snapshot = snapshot.transpose().at(path, DOING)?;
    let number =
        |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).at(path, DOING);
    let id = number("PRAGMA application_id")?;
    let found = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    if id == 0 && found == 0 && tables == 0 {
        return Ok(0);
    }
    if id != APPLICATION_ID {
        return Err(Error::invalid_value(
            path.display().to_string(),
            "this is the database of another program; it was left untouched",
        ));
    }
    if found > i64::from(FORMAT_VERSION) {
        return Err(too_new(path, found, i64::from(FORMAT_VERSION)));
    }
    if found < 1 {
        return Err(corrupt(path, &format!("there is no format {found}"), DOING));
    }
    Ok(found)
}

/// Brings the database to the newest format in one transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    const DOING: &str = "bringing the database to the newest format";
    if version(connection, path)? < i64::from(FORMAT_VERSION) {
        write(connection, path, DOING, |transaction| {
            // Asked again: another process may have been faster.
            let done = version(transaction, path)?;
            for (_, sql) in MIGRATIONS.iter().filter(|(number, _)| i64::from(*number) > done) {
                transaction.execute_batch(sql).at(path, DOING)?;
            }
            transaction.pragma_update(None, "application_id", APPLICATION_ID).at(path, DOING)?;
            transaction.pragma_update(None, "user_version", FORMAT_VERSION).at(path, DOING)
        })?;
    }
    require_tables(connection, path)
}

/// Makes sure that a database which cannot be migrated needs no migration.
pub(super) fn require_current(connection: &Connection, path: &Path) -> Result<()> {
    const DOING: &str = "opening the database for reading";
    match version(connection, path)? {
        0 => Err(unavailable(path, "nothing was stored in it yet", DOING)),
        v if v < i64::from(FORMAT_VERSION) => {
            let why = format!(
                "its format {v} must first be brought up to date: any command that samples, such as `overseer \
                 analyze`, does so where the database may be written"
            );
            Err(unavailable(path, &why, DOING))
        }
        _ => require_tables(connection, path),
    }
}

fn require_tables(connection: &Connection, path: &Path) -> Result<()> {
    const DOING: &str = "looking for the tables";
    let mut statement = connection
        .prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1")
        .at(path, DOING)?;
    for table in TABLES {
        let found: i64 = statement.query_row([table], |row| row.get(0)).at(path, DOING)?;
        if found == 0 {
            return Err(corrupt(path, &format!("the table `{table}` is missing"), DOING));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_numbered_without_a_gap() {
        assert!(MIGRATIONS.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
    }

    #[test]
    fn a_database_of_every_format_in_between_is_brought_to_the_newest_with_its_rows() {
        let first = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/v1.db");
        for (format, _) in MIGRATIONS {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("overseer.db");
            std::fs::copy(&first, &path).unwrap();
            let mut connection = Connection::open(&path).unwrap();
            for (_, sql) in MIGRATIONS.iter().filter(|(n, _)| (2..=format).contains(n)) {
                connection.execute_batch(sql).unwrap();
            }
            connection.pragma_update(None, "user_version", format).unwrap();
            migrate(&mut connection, &path).unwrap();
            assert_eq!(version(&connection, &path).unwrap(), i64::from(FORMAT_VERSION));
            for table in ["system_metrics", "anomalies", "predictions", "patterns"] {
                let sql = format!("SELECT count(*) FROM {table}");
                let rows: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
                assert!(rows > 0, "format {format}: {table}");
            }
        }
    }
}
