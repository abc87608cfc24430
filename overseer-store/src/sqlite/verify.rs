//! Whether what is stored is still what was stored: each span that has a checksum is summed again.
//!
//! Upkeep checks one span a minute, so that all are looked at every few days, and [`SqliteStore::verify`] checks them
//! all. What does not agree is told, remembered, and kept as it is: nothing here repairs or removes a row.

use super::metadata::{put_setting, setting};
use super::open::{CUT_OFF, is_cut_off};
use super::sums::{Sum, Summed};
use super::upkeep::Step;
use super::{SqliteStore, write};
use crate::error::Context;
use overseer_core::{Damaged, Maintenance, Result, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use std::path::Path;

const CHECKING: &str = "checking what was stored";

/// Keeps the place up to which sums were checked among the settings, so that a restart goes on there; says where that
/// is.
pub(super) fn keep_place(
    connection: &Connection,
    host: i64,
    place: Option<(String, i64)>,
) -> rusqlite::Result<Option<(String, i64)>> {
    const CHECKED: &str = "checked";
    let Some((table, start)) = &place else {
        let text: Option<String> = setting(connection, host, CHECKED)?;
        return Ok(text.and_then(|text| {
            let (table, start) = text.split_once(' ')?;
            Some((table.to_owned(), start.parse().ok()?))
        }));
    };
    put_setting(connection, host, CHECKED, &format!("{table} {start}"))?;
    Ok(place)
}

impl SqliteStore {
    /// Looks whether the next summed span is still what was summed.
    pub(super) fn check_next(&mut self, now: Timestamp, report: &mut Maintenance) -> Result<Step> {
        let after = self.upkeep.checked.clone().unwrap_or_default();
        let found = next_sum(&self.connection, self.host_id, &after).at(&self.path, CHECKING)?;
        // Noted first, so that one which cannot be read does not keep others from being checked. After the last one
        // comes the first.
        self.upkeep.checked = Some(match &found {
            Some((what, start, _)) => (what.clone(), *start),
            None => (String::new(), 0),
        });
        let Some((_, _, Some(next))) = found else { return Ok(Step::Idle) };
        // One snapshot, for another process may append meanwhile.
        let damage = {
            let snapshot = self.connection.unchecked_transaction().at(&self.path, CHECKING)?;
            let is_current = next.is_current(&snapshot).at(&self.path, CHECKING)?;
            let damage = next.check(&snapshot).at(&self.path, CHECKING)?;
            damage.filter(|_| is_current)
        };
        if let Some(damage) = damage {
            tracing::error!(?damage, "stored values changed");
            let (path, host) = (&self.path, self.host_id);
            write(&mut self.connection, path, CHECKING, |transaction| {
                transaction
                    .execute(
                        "UPDATE sums SET damaged_at = ? WHERE host_id = ? AND what = ? \
                         AND timestamp = ? AND damaged_at IS NULL",
                        params![now.as_millis(), host, next.kind.table(), next.start],
                    )
                    .at(path, CHECKING)
            })?;
            report.damaged.push(damage);
        }
        Ok(Step::Idle)
    }

    /// Reads the whole database through: its structure as SQLite checks it, and every span that has a checksum.
    /// Nothing is changed, and a database that is open for reading only will do.
    ///
    /// # Errors
    /// If the database cannot be read; damage is no error here but what is asked for.
    pub fn verify(&self) -> Result<Verified> {
        let mut verified = Verified::default();
        match self.verify_into(&mut verified) {
            // What cannot be read is a finding, and says more beside the others than alone.
            Err(e) if e.is_corrupt() => verified.structure.push(e.to_string()),
            other => other?,
        }
        Ok(verified)
    }

    fn verify_into(&self, verified: &mut Verified) -> Result<()> {
        // One snapshot, for rows and sums change meanwhile.
        let snapshot = self.connection.unchecked_transaction().at(&self.path, CHECKING)?;
        let structure = || -> rusqlite::Result<Vec<String>> {
            let mut statement = snapshot.prepare("PRAGMA integrity_check(100)")?;
            let said = statement.query_map([], |row| row.get(0))?;
            said.collect()
        };
        let said = structure().at(&self.path, CHECKING)?;
        verified.structure.extend(said.into_iter().filter(|s| s != "ok"));
        // A start finds this, and so must whoever asks before it.
        if is_cut_off(&snapshot, &self.path).at(&self.path, CHECKING)? {
            verified.structure.push(CUT_OFF.to_owned());
        }
        let mut statement = snapshot
            .prepare(
                "SELECT host_id, what, timestamp, rows, sum, damaged_at FROM sums \
                 ORDER BY host_id, what, timestamp",
            )
            .at(&self.path, CHECKING)?;
        let mut rows = statement.query([]).at(&self.path, CHECKING)?;
        while let Some(row) = rows.next().at(&self.path, CHECKING)? {
            verified.look_at(&snapshot, row, &self.path)?;
        }
        let mut all: u64 = 0;
        for kind in Summed::ALL {
            let sql = format!("SELECT count(*) FROM {}", kind.table());
            let rows: i64 = snapshot.query_row(&sql, [], |r| r.get(0)).at(&self.path, CHECKING)?;
            all += rows.unsigned_abs();
        }
        verified.without_sum = all.saturating_sub(verified.rows);
        Ok(())
    }
}

/// What a look at the whole database found; see [`SqliteStore::verify`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Verified {
    /// What SQLite says is wrong with the structure, in its words; empty if nothing is.
    pub structure: Vec<String>,
    /// How many spans of time were checked against their checksums.
    pub spans: u64,
    /// How many rows lie in them.
    pub rows: u64,
    /// How many samples, summaries and findings no checksum covers yet: those of spans that are not over, of spans that
    /// something came late for, and of what upkeep has not come to.
    pub without_sum: u64,
    /// The spans whose rows are not those that were summed, also if that was found earlier.
    pub damaged: Vec<Damaged>,
}

impl Verified {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.structure.is_empty() && self.damaged.is_empty()
    }

    fn look_at(&mut self, connection: &Connection, row: &Row<'_>, path: &Path) -> Result<()> {
        let host: i64 = row.get(0).at(path, CHECKING)?;
        let what: String = row.get(1).at(path, CHECKING)?;
        let Some(kind) = Summed::of_table(&what) else {
            self.structure.push(format!("there is a checksum of `{what}`, which is not summed"));
            return Ok(());
        };
        let start = row.get(2).at(path, CHECKING)?;
        let stored: Option<i64> = row.get(4).at(path, CHECKING)?;
        let known: Option<i64> = row.get(5).at(path, CHECKING)?;
        let rows: i64 = row.get(3).at(path, CHECKING)?;
        let span = StoredSum { host, kind, start, sum: Sum { rows, crc: stored.unwrap_or(0) } };
        if known.is_some() {
            self.damaged.push(span.damage());
        } else if stored.is_some() {
            self.spans += 1;
            self.rows += rows.unsigned_abs();
            self.damaged.extend(span.check(connection).at(path, CHECKING)?);
        }
        Ok(())
    }
}

/// A span and its sum as it is stored.
#[derive(Debug, Clone, Copy)]
struct StoredSum {
    host: i64,
    kind: Summed,
    start: i64,
    sum: Sum,
}

impl StoredSum {
    /// What is wrong with the span, if anything is. Rows that cannot be read at all are not what was stored either.
    fn check(&self, connection: &Connection) -> rusqlite::Result<Option<Damaged>> {
        match Sum::of(connection, self.host, self.kind, self.start) {
            Ok(sum) if sum == self.sum => Ok(None),
            Ok(_) => Ok(Some(self.damage())),
            Err(rusqlite::Error::SqliteFailure(e, _))
                if e.code == rusqlite::ErrorCode::DatabaseCorrupt =>
            {
                Ok(Some(self.damage()))
            }
            Err(other) => Err(other),
        }
    }

    /// Whether this is still what is stored.
    fn is_current(&self, connection: &Connection) -> rusqlite::Result<bool> {
        connection
            .prepare_cached(
                "SELECT 1 FROM sums WHERE host_id = ? AND what = ? AND timestamp = ? \
                 AND rows = ? AND sum = ?",
            )?
            .exists(params![self.host, self.kind.table(), self.start, self.sum.rows, self.sum.crc])
    }

    fn damage(&self) -> Damaged {
        let end = self.start.saturating_add(self.kind.width());
        let time = Timestamp::from_millis;
        Damaged::new(self.kind.plural(), time(self.start), time(end))
    }
}

/// A place in the table of sums, and the sum there if its table is known.
type Place = (String, i64, Option<StoredSum>);

/// The sum that comes after a place, by table and time, of those that were not found damaged.
fn next_sum(
    connection: &Connection,
    host: i64,
    (what, start): &(String, i64),
) -> rusqlite::Result<Option<Place>> {
    connection
        .prepare_cached(
            "SELECT what, timestamp, rows, sum FROM sums WHERE host_id = ?1 \
             AND (what, timestamp) > (?2, ?3) AND sum IS NOT NULL AND damaged_at IS NULL \
             ORDER BY what, timestamp LIMIT 1",
        )?
        .query_row(params![host, what, start], |row| {
            let (what, start): (String, i64) = (row.get(0)?, row.get(1)?);
            let sum = Sum { rows: row.get(2)?, crc: row.get(3)? };
            let known = Summed::of_table(&what);
            Ok((what, start, known.map(|kind| StoredSum { host, kind, start, sum })))
        })
        .optional()
}
