//! Auxiliary series: rows by the minute, and their hours once they are over.

use super::marks::Marks;
use super::rows::{known, read_all, to_json};
use super::tiers::{self, EARLIEST, HOUR, LATEST};
use super::upkeep::Step;
use super::{SqliteStore, write};
use crate::error::Context;
use overseer_core::{
    Auxiliary, AuxiliaryQuery, AuxiliarySeries, Maintenance, Result, Timestamp, Unit,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

const STORING: &str = "storing auxiliary series";
const READING: &str = "reading auxiliary series";

impl SqliteStore {
    pub(super) fn insert_auxiliary(&mut self, at: Timestamp, values: &[Auxiliary]) -> Result<()> {
        self.require_host(STORING)?;
        let (path, host, time) = (&self.path, self.host_id, at.as_millis());
        let units: Vec<String> = values
            .iter()
            .map(|a| to_json(&a.unit).map(|u| u.trim_matches('"').to_owned()))
            .collect::<Result<_>>()?;
        let marks = write(&mut self.connection, path, STORING, |transaction| {
            let before = Marks::read(transaction, host).at(path, STORING)?;
            let mut marks = before;
            // What of a removed hour comes late could not be told from what its mean already counts.
            if time < marks.auxiliary_gone {
                return Ok(marks);
            }
            let insert = || -> rusqlite::Result<()> {
                let mut statement = transaction.prepare_cached(
                    "INSERT INTO auxiliary_metrics (host_id, timestamp, series_id, value) \
                     VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                )?;
                for (value, unit) in values.iter().zip(&units).filter(|(v, _)| v.value.is_finite())
                {
                    let series = series_id(transaction, host, value, unit)?;
                    statement.execute(params![host, time, series, value.value])?;
                }
                Ok(())
            };
            insert().at(path, STORING)?;
            marks.auxiliary_came(time);
            marks.write(transaction, host, before).at(path, STORING)?;
            Ok(marks)
        })?;
        // Only who does the upkeep remembers the marks.
        if let Some(mine) = &mut self.upkeep.marks {
            mine.auxiliary_done = marks.auxiliary_done;
        }
        Ok(())
    }

    pub(super) fn read_auxiliary(&self, query: &AuxiliaryQuery) -> Result<Vec<AuxiliarySeries>> {
        let (path, host) = (&self.path, self.host_id);
        let snapshot = self.connection.unchecked_transaction().at(path, READING)?;
        let marks = Marks::read(&snapshot, host).at(path, READING)?;
        let (from, to) = (query.from.as_millis(), query.to.as_millis());
        // Hours as far as they are made, and where the minutes are gone.
        let wanted = tiers::floor(query.fine_from.as_millis(), HOUR);
        let fine = wanted.min(marks.auxiliary_done).max(marks.auxiliary_gone).max(from);
        let hours = "SELECT series_id, timestamp + 1800000 AS timestamp, mean AS value \
                     FROM auxiliary_1h WHERE host_id = ?1 AND timestamp >= ?2 AND timestamp < ?3 \
                     AND timestamp <= ?4 ORDER BY timestamp";
        let minutes = "SELECT series_id, timestamp, value FROM auxiliary_metrics \
                       WHERE host_id = ?1 AND timestamp >= ?3 AND timestamp <= ?4 \
                       AND timestamp >= ?2 ORDER BY timestamp";
        let mut points: BTreeMap<i64, Vec<(Timestamp, f64)>> = BTreeMap::new();
        for sql in [hours, minutes] {
            let mut statement = self.connection.prepare_cached(sql).at(path, READING)?;
            let mut rows = statement.query(params![host, from, fine, to]).at(path, READING)?;
            while let Some(row) = rows.next().at(path, READING)? {
                let value: f64 = row.get(2).at(path, READING)?;
                let time = Timestamp::from_millis(row.get(1).at(path, READING)?);
                if value.is_finite() {
                    let series = row.get(0).at(path, READING)?;
                    points.entry(series).or_default().push((time, value));
                }
            }
        }
        let sql = "SELECT * FROM auxiliary_series WHERE host_id = ? ORDER BY name, instance";
        let mut all = read_all(&self.connection, path, READING, sql, [host], |row| {
            let name: String = row.get("name")?;
            let unit: Unit = row.word("unit")?;
            let mut series = AuxiliarySeries::of(&Auxiliary::new(
                name,
                row.get::<String>("instance")?,
                unit,
                0.0,
            ));
            series.capacity = known(row.real("capacity")?).filter(|c| *c > 0.0);
            series.points = points.remove(&row.get("series_id")?).unwrap_or_default();
            Ok(series)
        })?;
        all.retain(|series| !series.points.is_empty());
        Ok(all)
    }

    /// Puts the next hour that is over into `auxiliary_1h`.
    pub(super) fn summarise_auxiliary(
        &mut self,
        now: Timestamp,
        report: &mut Maintenance,
    ) -> Result<Step> {
        const DOING: &str = "summarising auxiliary series";
        let end = tiers::floor(now.as_millis().min(LATEST), HOUR);
        let done = self.upkeep.marks.map_or(i64::MIN, |m| m.auxiliary_done);
        if done >= end {
            return Ok(Step::Idle);
        }
        let first: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT min(timestamp) FROM auxiliary_metrics WHERE host_id = ? AND timestamp >= ?",
            )
            .and_then(|mut s| s.query_row([self.host_id, done.max(EARLIEST)], |row| row.get(0)))
            .at(&self.path, DOING)?;
        let Some(first) = first.filter(|&t| t < end) else {
            if done != i64::MIN {
                self.with_marks(DOING, |_, _, marks| {
                    marks.auxiliary_done = end;
                    Ok(())
                })?;
            }
            return Ok(Step::Idle);
        };
        let from = tiers::floor(first, HOUR);
        report.summarised += self.with_marks(DOING, |connection, host, marks| {
            marks.auxiliary_done = from.saturating_add(HOUR);
            connection
                .prepare_cached(
                    // An hour that was imported may know more than is here of its minutes.
                    "INSERT INTO auxiliary_1h \
                     (host_id, timestamp, series_id, mean, min, max, count) \
                     SELECT ?1, ?2, series_id, avg(value), min(value), max(value), count(value) \
                     FROM auxiliary_metrics \
                     WHERE host_id = ?1 AND timestamp >= ?2 AND timestamp < ?3 GROUP BY series_id \
                     ON CONFLICT DO UPDATE SET mean = excluded.mean, min = excluded.min, \
                     max = excluded.max, count = excluded.count WHERE excluded.count >= count",
                )?
                .execute([host, from, from.saturating_add(HOUR)])
        })?;
        Ok(Step::Again)
    }
}

/// The number of a series, which is made known if it is not, with its capacity as it is now.
fn series_id(
    connection: &Connection,
    host: i64,
    of: &Auxiliary,
    unit: &str,
) -> rusqlite::Result<i64> {
    let found: Option<(i64, Option<f64>)> = connection
        .prepare_cached(
            "SELECT series_id, capacity FROM auxiliary_series \
             WHERE host_id = ? AND name = ? AND instance = ?",
        )?
        .query_row(params![host, of.name, of.instance], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((series, capacity)) = found {
        if capacity != of.capacity {
            connection
                .prepare_cached("UPDATE auxiliary_series SET capacity = ? WHERE series_id = ?")?
                .execute(params![of.capacity, series])?;
        }
        return Ok(series);
    }
    connection
        .prepare_cached(
            "INSERT INTO auxiliary_series (host_id, name, instance, unit, capacity) \
             VALUES (?, ?, ?, ?, ?)",
        )?
        .insert(params![host, of.name, of.instance, unit, of.capacity])
}
