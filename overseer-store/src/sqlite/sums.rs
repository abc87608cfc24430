//! A checksum of the rows of each span of time that is over: what SQLite cannot see, a changed value in a page that is
//! otherwise sound, is found by it.
//!
//! A span is summed when it is over, and once more when rows come late for it. Whether they still agree is for `verify`.

use super::marks::Marks;
use super::tiers::{self, EARLIEST, HOUR, LATEST, MINUTE};
use super::upkeep::{self, Step};
use super::{SqliteStore, write};
use crate::error::Context;
use overseer_core::{Maintenance, Result, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

const DOING: &str = "summing what was stored";

/// A table whose rows are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Summed {
    Samples,
    Minutes,
    Hours,
    Anomalies,
    Predictions,
    Patterns,
}

impl Summed {
    pub(super) const ALL: [Self; 6] = [
        Self::Samples,
        Self::Minutes,
        Self::Hours,
        Self::Anomalies,
        Self::Predictions,
        Self::Patterns,
    ];

    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Samples => "system_metrics",
            Self::Minutes => "metrics_1m",
            Self::Hours => "metrics_1h",
            Self::Anomalies => "anomalies",
            Self::Predictions => "predictions",
            Self::Patterns => "patterns",
        }
    }

    pub(super) fn of_table(table: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.table() == table)
    }

    pub(super) const fn of_tier(tier: tiers::Tier) -> Self {
        match tier {
            tiers::Tier::Minutes => Self::Minutes,
            tiers::Tier::Hours => Self::Hours,
        }
    }

    /// What its rows are called, in the plural.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Anomalies | Self::Predictions | Self::Patterns => self.table(),
        }
    }

    /// The length of a span, so that it holds about a hundred rows: part of the format.
    pub(super) const fn width(self) -> i64 {
        match self {
            Self::Samples => 10 * MINUTE,
            Self::Minutes | Self::Predictions | Self::Patterns => HOUR,
            Self::Hours | Self::Anomalies => 24 * HOUR,
        }
    }

    /// What tells the rows of one time apart, and orders them.
    const fn order(self) -> &'static str {
        match self {
            Self::Samples => "interval_ms, timestamp",
            Self::Minutes | Self::Hours => "timestamp",
            Self::Anomalies | Self::Predictions | Self::Patterns => "timestamp, rowid",
        }
    }

    /// Up to when nothing more is expected, as far as the marks tell.
    fn over(self, marks: &Marks, now: i64) -> i64 {
        let end = match self {
            Self::Samples | Self::Minutes => marks.minutes_done,
            Self::Hours => marks.hours_done,
            // Anomalies that could not be stored wait in memory.
            Self::Anomalies | Self::Predictions | Self::Patterns => now.saturating_sub(10 * MINUTE),
        };
        tiers::floor(end.clamp(EARLIEST, LATEST), self.width())
    }

    fn first(self, connection: &Connection, host: i64, from: i64) -> rusqlite::Result<Option<i64>> {
        if self == Self::Samples {
            return upkeep::first_sample(connection, host, from);
        }
        let table = self.table();
        let sql =
            format!("SELECT min(timestamp) FROM {table} WHERE host_id = ? AND timestamp >= ?");
        connection.prepare_cached(&sql)?.query_row([host, from], |row| row.get(0))
    }
}

/// The rows of a span, how many they are and what they come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: i64,
    pub(super) crc: i64,
}

impl Sum {
    pub(super) fn of(
        connection: &Connection,
        host: i64,
        kind: Summed,
        start: i64,
    ) -> rusqlite::Result<Self> {
        let mut crc = crc32fast::Hasher::new();
        let mut rows = 0;
        let end = start.saturating_add(kind.width());
        let (table, order) = (kind.table(), kind.order());
        let mut bytes = Vec::new();
        let mut add = |row: &Row<'_>| {
            rows += 1;
            add_row(&mut crc, &mut bytes, row)
        };
        if kind == Summed::Samples {
            // One after the other, for the key begins with the interval.
            for interval in upkeep::intervals(connection, host)? {
                let sql = "SELECT * FROM system_metrics WHERE host_id = ? AND interval_ms = ? \
                           AND timestamp >= ? AND timestamp < ? ORDER BY timestamp";
                let mut statement = connection.prepare_cached(sql)?;
                let mut found = statement.query([host, interval, start, end])?;
                while let Some(row) = found.next()? {
                    add(row)?;
                }
            }
        } else {
            let sql = format!(
                "SELECT * FROM {table} WHERE host_id = ? AND timestamp >= ? AND timestamp < ? \
                 ORDER BY {order}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query([host, start, end])?;
            while let Some(row) = found.next()? {
                add(row)?;
            }
        }
        Ok(Self { rows, crc: i64::from(crc.finalize()) })
    }
}

/// Adds the values of a row. NULL is left out, so that a column which is added later changes no sum.
fn add_row(
    crc: &mut crc32fast::Hasher,
    bytes: &mut Vec<u8>,
    row: &Row<'_>,
) -> rusqlite::Result<()> {
    let columns = row.as_ref().column_count();
    let mut known: u64 = 0;
    bytes.clear();
    for column in 0..columns {
        let value = row.get_ref(column)?;
        let (kind, number, text): (u8, [u8; 8], &[u8]) = match value {
            ValueRef::Null => continue,
            ValueRef::Integer(n) => (1, n.to_le_bytes(), &[]),
            ValueRef::Real(x) => (2, x.to_le_bytes(), &[]),
            ValueRef::Text(text) => (3, (text.len() as u64).to_le_bytes(), text),
            ValueRef::Blob(blob) => (4, (blob.len() as u64).to_le_bytes(), blob),
        };
        known += 1;
        bytes.extend_from_slice(&(column as u16).to_le_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&number);
        bytes.extend_from_slice(text);
    }
    crc.update(&known.to_le_bytes());
    crc.update(bytes);
    Ok(())
}

/// Notes that rows of this time changed, so that a sum of them is reckoned anew. A span that is not summed yet will be.
pub(super) fn note_change(
    connection: &Connection,
    host: i64,
    marks: &Marks,
    kind: Summed,
    time: i64,
) -> rusqlite::Result<()> {
    if !(EARLIEST..marks.summed_before(kind)).contains(&time) {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO sums (host_id, what, timestamp, rows) VALUES (?, ?, ?, 0) \
             ON CONFLICT DO UPDATE SET sum = NULL WHERE sum IS NOT NULL",
        )?
        .execute(params![host, kind.table(), tiers::floor(time, kind.width())])
        .map(drop)
}

/// Notes every span that holds samples of an interval, which are about to be removed.
pub(super) fn note_removal(
    connection: &Connection,
    host: i64,
    marks: &Marks,
    interval: i64,
) -> rusqlite::Result<()> {
    let (width, end) = (Summed::Samples.width(), marks.summed_before(Summed::Samples));
    let mut next = connection.prepare_cached(
        "SELECT min(timestamp) FROM system_metrics WHERE host_id = ? AND interval_ms = ? \
         AND timestamp >= ? AND timestamp < ?",
    )?;
    let mut from = EARLIEST;
    loop {
        let found: Option<i64> =
            next.query_row([host, interval, from, end.max(EARLIEST)], |row| row.get(0))?;
        let Some(time) = found else { return Ok(()) };
        note_change(connection, host, marks, Summed::Samples, time)?;
        from = tiers::floor(time, width).saturating_add(width);
    }
}

/// Forgets the sums of spans from which rows of before `before` are being removed. What is left of the last one has no
/// sum any more.
pub(super) fn forget(
    connection: &Connection,
    host: i64,
    kind: Summed,
    before: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM sums WHERE host_id = ? AND what = ? AND timestamp < ?")?
        .execute(params![host, kind.table(), before])
        .map(drop)
}

/// Another process did upkeep from one mark to another: what was appended here meanwhile did not know of its sums.
pub(super) fn note_all(
    connection: &Connection,
    host: i64,
    mine: &Marks,
    stored: &Marks,
) -> rusqlite::Result<()> {
    for kind in Summed::ALL {
        let (from, to) = (mine.summed_before(kind), stored.summed_before(kind));
        if from < to {
            connection
                .prepare_cached(
                    "UPDATE sums SET sum = NULL WHERE host_id = ? AND what = ? \
                     AND timestamp >= ? AND timestamp < ? AND sum IS NOT NULL",
                )?
                .execute(params![host, kind.table(), from, to])?;
        }
    }
    Ok(())
}

impl SqliteStore {
    /// Sums once more what rows came late for, as far as it is over.
    pub(super) fn sum_due(&mut self, now: Timestamp, _: &mut Maintenance) -> Result<Step> {
        let (host, now) = (self.host_id, now.as_millis());
        for kind in Summed::ALL {
            let last = now.saturating_sub(kind.width());
            let due: Option<i64> = self
                .connection
                .prepare_cached(
                    "SELECT timestamp FROM sums WHERE sum IS NULL AND host_id = ? AND what = ? \
                     AND timestamp <= ? ORDER BY timestamp LIMIT 1",
                )
                .and_then(|mut s| {
                    s.query_row(params![host, kind.table(), last], |row| row.get(0)).optional()
                })
                .at(&self.path, DOING)?;
            if let Some(start) = due {
                let path = &self.path;
                write(&mut self.connection, path, DOING, |transaction| {
                    put(transaction, host, kind, start).at(path, DOING)
                })?;
                return Ok(Step::Again);
            }
        }
        Ok(Step::Idle)
    }

    /// Sums the next span that is over.
    pub(super) fn sum_next(&mut self, now: Timestamp, _: &mut Maintenance) -> Result<Step> {
        let Some(marks) = self.upkeep.marks else { return Ok(Step::Idle) };
        for kind in Summed::ALL {
            let (from, end) = (marks.summed_before(kind), kind.over(&marks, now.as_millis()));
            if from >= end {
                continue;
            }
            let first = kind
                .first(&self.connection, self.host_id, from.max(EARLIEST))
                .at(&self.path, DOING)?;
            let next = first.map_or(end, |time| tiers::floor(time, kind.width())).min(end);
            self.with_marks(DOING, |connection, host, marks| {
                if next < end {
                    put(connection, host, kind, next)?;
                }
                marks.set_summed(kind, next.saturating_add(kind.width()).min(end));
                Ok(())
            })?;
            return Ok(Step::Again);
        }
        Ok(Step::Idle)
    }
}

/// Sums a span and stores that; a span of no rows has no sum, unless it was found damaged.
fn put(connection: &Connection, host: i64, kind: Summed, start: i64) -> rusqlite::Result<()> {
    let sum = Sum::of(connection, host, kind, start)?;
    if sum.rows == 0 {
        connection
            .prepare_cached(
                "DELETE FROM sums WHERE host_id = ? AND what = ? AND timestamp = ? \
                 AND damaged_at IS NULL",
            )?
            .execute(params![host, kind.table(), start])?;
    }
    let sql = if sum.rows == 0 {
        "UPDATE sums SET rows = ?4, sum = ?5 WHERE host_id = ?1 AND what = ?2 AND timestamp = ?3"
    } else {
        "INSERT INTO sums (host_id, what, timestamp, rows, sum) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT DO UPDATE SET rows = excluded.rows, sum = excluded.sum"
    };
    connection
        .prepare_cached(sql)?
        .execute(params![host, kind.table(), start, sum.rows, sum.crc])
        .map(drop)
}
