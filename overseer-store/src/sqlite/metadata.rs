//! What is known of hosts, of the installation and of the models, and how much is stored.

use super::rows::{Record, known, read_all, to_json, whole};
use super::{SqliteStore, upkeep, write};
use crate::error::{Context, corrupt};
use overseer_core::{
    Error, ModelMetadata, Result, Schema, Span, StoredCounts, Timestamp, host as host_schema,
};
use rusqlite::{Connection, OptionalExtension, ToSql, named_params, params};
use std::path::Path;

const STEP: &str = "step_ms";

/// The key of a host, if the database knows it.
pub(super) fn find_host(connection: &Connection, path: &Path, host: &str) -> Result<Option<i64>> {
    connection
        .query_row("SELECT host_id FROM hosts WHERE name = ?1", [host], |row| row.get(0))
        .optional()
        .at(path, "looking for the host")
}

/// With fewer samples a host has next to no history.
const FEW: i64 = 60;

impl SqliteStore {
    /// This host's name and that of the other host whose samples are the newest, where that has a history and this one has
    /// next to none.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn other_history(&self) -> Result<Option<(String, String)>> {
        const DOING: &str = "looking for other hosts";
        let found = || -> rusqlite::Result<Option<String>> {
            // Counted no further than needed, for there may be millions.
            let few = |host: i64| -> rusqlite::Result<bool> {
                let sql =
                    "SELECT count(*) FROM (SELECT 1 FROM system_metrics WHERE host_id = ? LIMIT ?)";
                let known: i64 = self.connection.query_row(sql, [host, FEW], |row| row.get(0))?;
                Ok(known < FEW)
            };
            if !few(self.host_id)? {
                return Ok(None);
            }
            let mut statement =
                self.connection.prepare("SELECT host_id, name FROM hosts WHERE host_id <> ?")?;
            let hosts: Vec<(i64, String)> = statement
                .query_map([self.host_id], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let mut newest: Option<(i64, String)> = None;
            for (host, name) in hosts {
                if few(host)? {
                    continue;
                }
                let mut last = i64::MIN;
                for interval in upkeep::intervals(&self.connection, host)? {
                    let sql = "SELECT max(timestamp) FROM system_metrics \
                               WHERE host_id = ? AND interval_ms = ?";
                    let at: Option<i64> =
                        self.connection.query_row(sql, [host, interval], |row| row.get(0))?;
                    last = last.max(at.unwrap_or(i64::MIN));
                }
                if newest.as_ref().is_none_or(|(at, _)| last > *at) {
                    newest = Some((last, name));
                }
            }
            Ok(newest.map(|(_, name)| name))
        };
        let other = found().at(&self.path, DOING)?;
        Ok(other.map(|other| (self.host.clone(), other)))
    }
}

/// The key of a host, which is made known if it is not; and notes the schema it is stored with.
///
/// Writes only if something is new, so that opening never waits for a busy sampler.
pub(super) fn register_host(
    connection: &mut Connection,
    path: &Path,
    host: &str,
    schema: &Schema,
) -> Result<i64> {
    const DOING: &str = "registering the host";
    let features = to_json(schema)?;
    if let Some(host_id) = find_host(connection, path, host)? {
        let noted: Option<String> = setting(connection, host_id, "schema").at(path, DOING)?;
        if noted.as_deref() == Some(&features) {
            return Ok(host_id);
        }
    }
    write(connection, path, DOING, |transaction| {
        insert_host(transaction, host, schema, &features).at(path, DOING)
    })
}

fn insert_host(
    connection: &Connection,
    host: &str,
    schema: &Schema,
    features: &str,
) -> rusqlite::Result<i64> {
    connection.execute("INSERT INTO hosts (name) VALUES (?1) ON CONFLICT DO NOTHING", [host])?;
    let host_id =
        connection
            .query_row("SELECT host_id FROM hosts WHERE name = ?1", [host], |row| row.get(0))?;
    connection.execute(
        "INSERT INTO installation (host_id, key, value) \
         VALUES (?1, 'created_at', CAST(unixepoch('subsec') * 1000 AS INTEGER)) \
         ON CONFLICT DO NOTHING",
        [host_id],
    )?;
    put_setting(connection, host_id, "schema", &features)?;
    if *schema == host_schema::schema() {
        put_setting(connection, host_id, "schema_version", &host_schema::SCHEMA_VERSION)?;
    } else {
        connection.execute(
            "DELETE FROM installation WHERE host_id = ?1 AND key = 'schema_version'",
            [host_id],
        )?;
    }
    Ok(host_id)
}

pub(super) fn setting<T: rusqlite::types::FromSql>(
    connection: &Connection,
    host_id: i64,
    key: &str,
) -> rusqlite::Result<Option<T>> {
    connection
        .prepare_cached("SELECT value FROM installation WHERE host_id = ?1 AND key = ?2")?
        .query_row(params![host_id, key], |row| row.get(0))
        .optional()
}

pub(super) fn put_setting(
    connection: &Connection,
    host_id: i64,
    key: &str,
    value: &dyn ToSql,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO installation (host_id, key, value) VALUES (?, ?, ?)",
        )?
        .execute(params![host_id, key, value])
}

impl SqliteStore {
    pub(super) fn read_step(&self) -> Result<Option<Span>> {
        const DOING: &str = "reading the sampling step";
        match setting::<i64>(&self.connection, self.host_id, STEP).at(&self.path, DOING)? {
            Some(ms) if ms <= 0 => {
                Err(corrupt(&self.path, &format!("a step of {ms} ms is impossible"), DOING))
            }
            found => Ok(found.map(Span::from_millis)),
        }
    }

    pub(super) fn write_step(&mut self, step: Span) -> Result<()> {
        const DOING: &str = "storing the sampling step";
        if step == Span::default() {
            return Err(Error::invalid_parameter("step", "must be longer than zero"));
        }
        self.require_host(DOING)?;
        let ms = step.as_millis();
        put_setting(&self.connection, self.host_id, STEP, &ms).at(&self.path, DOING)?;
        Ok(())
    }

    pub(super) fn replace_metadata(&mut self, metadata: &ModelMetadata) -> Result<()> {
        const DOING: &str = "storing what is known of a model";
        self.require_host(DOING)?;
        let quality = to_json(&metadata.quality)?;
        let selection = metadata.selection.as_ref().map(to_json).transpose()?;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO model_metadata (host_id, name, kind, algorithm, \
                 trained_at, trained_from, trained_to, rows, interval_ms, duration_ms, \
                 provisional, schema_fingerprint, bytes, quality, selection) \
                 VALUES (:host_id, :name, :kind, :algorithm, :trained_at, :trained_from, \
                 :trained_to, :rows, :interval_ms, :duration_ms, :provisional, \
                 :schema_fingerprint, :bytes, :quality, :selection)",
            )
            .and_then(|mut statement| {
                statement.execute(named_params! {
                    ":host_id": self.host_id,
                    ":name": metadata.name,
                    ":kind": metadata.kind.as_str(),
                    ":algorithm": metadata.algorithm,
                    ":trained_at": metadata.trained_at.as_millis(),
                    ":trained_from": metadata.trained_on.0.as_millis(),
                    ":trained_to": metadata.trained_on.1.as_millis(),
                    ":rows": whole(metadata.rows),
                    ":interval_ms": metadata.interval_ms,
                    ":duration_ms": known(metadata.duration_ms),
                    ":provisional": metadata.provisional,
                    ":schema_fingerprint": format!("{:016x}", metadata.schema_fingerprint),
                    ":bytes": whole(metadata.bytes),
                    ":quality": quality,
                    ":selection": selection,
                })
            })
            .at(&self.path, DOING)?;
        Ok(())
    }

    pub(super) fn read_metadata(&self) -> Result<Vec<ModelMetadata>> {
        let sql = "SELECT * FROM model_metadata WHERE host_id = ?1 ORDER BY name";
        let doing = "reading what is known of the models";
        read_all(&self.connection, &self.path, doing, sql, [self.host_id], metadata)
    }

    pub(super) fn count(&self) -> Result<StoredCounts> {
        const DOING: &str = "counting what is stored";
        let count = |table: &str| -> rusqlite::Result<u64> {
            let sql = format!("SELECT count(*) FROM {table} WHERE host_id = ?1");
            let n: i64 = self
                .connection
                .prepare_cached(&sql)?
                .query_row([self.host_id], |row| row.get(0))?;
            Ok(n.unsigned_abs())
        };
        let all = || -> rusqlite::Result<StoredCounts> {
            let mut counts = StoredCounts::default();
            counts.predictions = count("predictions")?;
            counts.anomalies = count("anomalies")?;
            counts.patterns = count("patterns")?;
            counts.models = count("model_metadata")?;
            // All three in one walk over the table, which is by far the largest.
            let (samples, first, last): (i64, Option<i64>, Option<i64>) = self
                .connection
                .prepare_cached(
                    "SELECT count(*), min(timestamp), max(timestamp) FROM system_metrics \
                     WHERE host_id = ?1",
                )?
                .query_row([self.host_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            counts.samples = samples.unsigned_abs();
            counts.span = first.map(Timestamp::from_millis).zip(last.map(Timestamp::from_millis));
            Ok(counts)
        };
        all().at(&self.path, DOING)
    }
}

pub(super) fn metadata(row: &Record<'_>) -> Result<ModelMetadata> {
    let name: String = row.get("name")?;
    let algorithm: String = row.get("algorithm")?;
    let mut metadata = ModelMetadata::new(name, row.word("kind")?, algorithm);
    metadata.trained_at = row.time("trained_at")?;
    metadata.trained_on = (row.time("trained_from")?, row.time("trained_to")?);
    metadata.rows = row.size("rows")?;
    metadata.interval_ms = row.get("interval_ms")?;
    metadata.duration_ms = row.real("duration_ms")?;
    metadata.provisional = row.get("provisional")?;
    metadata.bytes = row.size("bytes")?;
    metadata.quality = row.json("quality")?;
    metadata.selection = row.optional_json("selection")?;
    let fingerprint: String = row.get("schema_fingerprint")?;
    metadata.schema_fingerprint =
        u64::from_str_radix(&fingerprint, 16).map_err(|e| row.damaged("schema_fingerprint", &e))?;
    Ok(metadata)
}
