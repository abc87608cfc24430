//! The same rows into the same table by nothing but rusqlite: what any store costs at least.

use overseer_engine::core::{Sample, Schema};
use rusqlite::{Connection, TransactionBehavior, params};
use std::path::Path;

/// A connection with the store's pragmas and its one table.
#[derive(Debug)]
pub(crate) struct Bare {
    connection: Connection,
    insert: String,
}

impl Bare {
    pub(crate) fn open(path: &Path, schema: &Schema) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        let pragmas = "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; \
                       PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=16777216; \
                       PRAGMA foreign_keys=ON";
        connection.execute_batch(pragmas)?;
        let columns: String =
            schema.features().iter().map(|f| format!(", \"{}\" REAL", f.name)).collect();
        connection.execute_batch(&format!(
            "CREATE TABLE hosts (host_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT; \
             INSERT INTO hosts VALUES (1, 'bench'); \
             CREATE TABLE system_metrics (host_id INTEGER NOT NULL REFERENCES hosts (host_id), \
             timestamp INTEGER NOT NULL, interval_ms INTEGER NOT NULL{columns}, \
             PRIMARY KEY (host_id, interval_ms, timestamp)) STRICT, WITHOUT ROWID"
        ))?;
        let names: String = schema.features().iter().map(|f| format!(", \"{}\"", f.name)).collect();
        let marks: String = (0..schema.len()).map(|i| format!(", ?{}", i + 4)).collect();
        let insert = format!(
            "INSERT INTO system_metrics (host_id, interval_ms, timestamp{names}) \
             VALUES (?1, ?2, ?3{marks}) ON CONFLICT (host_id, interval_ms, timestamp) DO NOTHING"
        );
        Ok(Self { connection, insert })
    }

    pub(crate) fn append(&mut self, interval_ms: i64, samples: &[Sample]) -> rusqlite::Result<()> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut statement = transaction.prepare_cached(&self.insert)?;
            for sample in samples {
                statement.raw_bind_parameter(1, 1)?;
                statement.raw_bind_parameter(2, interval_ms)?;
                statement.raw_bind_parameter(3, sample.timestamp.as_millis())?;
                for (i, value) in sample.values.iter().enumerate() {
                    statement.raw_bind_parameter(4 + i, (!value.is_nan()).then_some(*value))?;
                }
                statement.raw_execute()?;
            }
        }
        transaction.commit()
    }

    pub(crate) fn count(&self) -> rusqlite::Result<i64> {
        self.connection.query_row(
            "SELECT count(*) FROM system_metrics WHERE host_id = ?",
            params![1],
            |row| row.get(0),
        )
    }
}
