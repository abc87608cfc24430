//! Upkeep: summarising samples by the minute and the hour, a little at a time, so that no tick waits for it.
//!
//! Samples are summarised in the order of their times, up to a mark. What comes later for a time before the mark, out
//! of order or because a clock was set back, notes its minute as due, and the minute is summarised once more from all of
//! its samples; then its hour is.

use super::marks::Marks;
use super::session;
use super::sums::{self, Summed};
use super::tiers::{self, EARLIEST, HOUR, LATEST, MINUTE, Tier};
use super::{SqliteStore, metrics, verify, write};
use crate::error::Context;
use overseer_core::{Maintenance, Result, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use std::time::{Duration, Instant};

const DOING: &str = "summarising samples";

/// How many late minutes are summarised in one transaction.
const DUE_AT_ONCE: i64 = 16;
/// What a step should take: far below what a tick may wait.
const STEP: Duration = Duration::from_micros(700);

/// Nothing expires for so long after the clock jumped: a jump by mistake must not cost history.
const PAUSE: i64 = 24 * HOUR;
/// A host that was off for longer is taken for one whose clock jumped.
const JUMP_AHEAD: i64 = 7 * 24 * HOUR;
/// Clocks are set back by seconds all the time.
const JUMP_BACK: i64 = MINUTE;

/// What upkeep remembers between its calls.
#[derive(Debug)]
pub(super) struct Upkeep {
    /// The marks as this process left them; none before it did any upkeep.
    pub(super) marks: Option<Marks>,
    /// From when to when there is nothing to do.
    idle: Option<(Timestamp, Timestamp)>,
    /// How many minutes are summarised at once, so that it takes about [`STEP`].
    minutes_at_once: i64,
    /// The table and start of the span whose checksum was checked last; none before the first.
    pub(super) checked: Option<(String, i64)>,
    /// Samples of before this time were given up without a summary, for the database was larger than it may be; what is
    /// left of them goes too.
    pub(super) given_up: i64,
    /// Whether hours were summarised since it was last seen whether anything expired.
    expiry_due: bool,
    /// Whether it was told that the database is larger than it may be.
    pub(super) told_too_large: bool,
    /// SQLite's number of the tables as they are, which grows whenever a column is added; none before the first upkeep.
    tables: Option<i64>,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self {
            marks: None,
            idle: None,
            minutes_at_once: 1,
            checked: None,
            given_up: i64::MIN,
            expiry_due: false,
            told_too_large: false,
            tables: None,
        }
    }
}

/// What a step of upkeep came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something was done, and there may be more.
    Again,
    /// There is nothing to do.
    Idle,
}

/// A part of upkeep, done in small steps.
type Work = fn(&mut SqliteStore, Timestamp, &mut Maintenance) -> Result<Step>;

impl SqliteStore {
    pub(super) fn do_upkeep(&mut self, now: Timestamp, budget: Duration) -> Result<Maintenance> {
        self.require_host(DOING)?;
        let mut report = Maintenance::default();
        if self.upkeep.idle.is_some_and(|(from, until)| from <= now && now < until) {
            return Ok(report);
        }
        self.upkeep.idle = None;
        let start = Instant::now();
        self.begin_session()?;
        self.take_marks(now)?;
        self.see_new_columns()?;
        let steps: [Work; 13] = [
            // Before anything that makes it larger.
            Self::make_room,
            Self::summarise_due_minutes,
            Self::summarise_next,
            Self::summarise_due_hours,
            // What is left once no minute is.
            Self::summarise_hours,
            Self::summarise_auxiliary,
            Self::make_room,
            Self::expire,
            Self::shrink,
            Self::give_back,
            Self::sum_due,
            Self::sum_next,
            Self::check_next,
        ];
        for step in steps {
            while step(self, now, &mut report)? == Step::Again {
                if start.elapsed() >= budget {
                    report.behind = true;
                    return Ok(report);
                }
            }
        }
        let next = tiers::floor(now.as_millis(), MINUTE).saturating_add(MINUTE);
        self.upkeep.idle = Some((now, Timestamp::from_millis(next)));
        Ok(report)
    }

    /// Brings the database below its largest size.
    fn make_room(&mut self, now: Timestamp, report: &mut Maintenance) -> Result<Step> {
        if self.retention.most_bytes.is_none() {
            return Ok(Step::Idle);
        }
        if self.shrink(now, report)? == Step::Again {
            return Ok(Step::Again);
        }
        self.give_back(now, report)
    }

    /// Summarises some minutes, or an hour whose minutes all are. What an hour leaves behind goes before the next one
    /// is begun: however much history there is at once, the file grows by little and stays within its largest size.
    fn summarise_next(&mut self, now: Timestamp, report: &mut Maintenance) -> Result<Step> {
        if self.make_room(now, report)? == Step::Again {
            return Ok(Step::Again);
        }
        if self.summarise_hours(now, report)? == Step::Again {
            self.upkeep.expiry_due = true;
            return Ok(Step::Again);
        }
        if self.upkeep.expiry_due {
            if self.expire(now, report)? == Step::Again {
                return Ok(Step::Again);
            }
            self.upkeep.expiry_due = false;
        }
        self.summarise_minutes(now, report)
    }

    /// Another process may have added columns for features that are not of this schema: what is summarised and then
    /// removed must be all of a sample.
    fn see_new_columns(&mut self) -> Result<()> {
        let tables: i64 = self
            .connection
            .prepare_cached("PRAGMA schema_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .at(&self.path, DOING)?;
        if self.upkeep.tables.replace(tables) == Some(tables) {
            return Ok(());
        }
        let columns = metrics::columns(&self.connection, &self.path)?;
        tiers::ensure_columns(&mut self.connection, &self.path, &columns)?;
        self.see_columns(columns);
        Ok(())
    }

    /// Takes the columns of `system_metrics` for what features there are.
    pub(super) fn see_columns(&mut self, columns: Vec<String>) {
        self.tiers = tiers::Statements::new(&columns);
        self.features = columns.into_iter().filter(|c| !metrics::is_key(c)).collect();
        self.sql = metrics::Statements::new(&self.schema, &self.features);
    }

    /// Reads the marks, notes when upkeep was done, and sees whether the clock jumped since.
    fn take_marks(&mut self, now: Timestamp) -> Result<()> {
        let (path, host, now, mine) =
            (&self.path, self.host_id, now.as_millis(), self.upkeep.marks);
        let checked = self.upkeep.checked.clone();
        let taken = write(&mut self.connection, path, DOING, |transaction| {
            let stored = Marks::read(transaction, host).at(path, DOING)?;
            if let Some(mine) = mine {
                // Where another process did upkeep, what was appended here meanwhile did not know of its marks.
                if mine.minutes_done < stored.minutes_done {
                    note_all(transaction, host, mine.minutes_done, stored.minutes_done)
                        .at(path, DOING)?;
                }
                sums::note_all(transaction, host, &mine, &stored).at(path, DOING)?;
            }
            let mut marks = stored;
            let ahead = now.saturating_sub(marks.upkeep_at);
            if marks.upkeep_at != i64::MIN && !(-JUMP_BACK..=JUMP_AHEAD).contains(&ahead) {
                marks.expiry_paused_until = now.saturating_add(PAUSE);
                tracing::warn!(ahead_ms = ahead, "the clock jumped: nothing expires for a day");
            }
            marks.upkeep_at = now;
            session::count_change(transaction, host).at(path, DOING)?;
            marks.write(transaction, host, stored).at(path, DOING)?;
            let checked = verify::keep_place(transaction, host, checked).at(path, DOING)?;
            Ok((marks, checked))
        })?;
        (self.upkeep.marks, self.upkeep.checked) = (Some(taken.0), taken.1);
        Ok(())
    }

    /// Does `work` on the marks in one transaction; they are taken over once it is committed.
    pub(super) fn with_marks<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Connection, i64, &mut Marks) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let (path, host) = (&self.path, self.host_id);
        let (done, marks) = write(&mut self.connection, path, doing, |transaction| {
            let before = Marks::read(transaction, host).at(path, doing)?;
            let mut marks = before;
            let done = work(transaction, host, &mut marks).at(path, doing)?;
            marks.write(transaction, host, before).at(path, doing)?;
            Ok((done, marks))
        })?;
        self.upkeep.marks = Some(marks);
        Ok(done)
    }

    fn summarise_due_minutes(&mut self, now: Timestamp, report: &mut Maintenance) -> Result<Step> {
        self.summarise_due(Tier::Minutes, now.as_millis(), report)
    }

    fn summarise_due_hours(&mut self, _: Timestamp, report: &mut Maintenance) -> Result<Step> {
        let known = self.upkeep.marks.map_or(i64::MIN, |m| m.minutes_done);
        self.summarise_due(Tier::Hours, known, report)
    }

    /// Summarises once more what something came late for, as far as it ended before `end`.
    fn summarise_due(&mut self, tier: Tier, end: i64, report: &mut Maintenance) -> Result<Step> {
        let last = end.saturating_sub(tier.width());
        let due = due(&self.connection, self.host_id, tier, last).at(&self.path, DOING)?;
        if due.is_empty() {
            return Ok(Step::Idle);
        }
        let statements = std::mem::take(&mut self.tiers);
        let done = self.with_marks(DOING, |connection, host, marks| {
            let mut rows = 0;
            for &start in &due {
                let span = (start, start.saturating_add(tier.width()));
                rows += statements.summarise(connection, host, tier, span)?;
                sums::note_change(connection, host, marks, Summed::of_tier(tier), start)?;
                let hour = tiers::floor(start, HOUR);
                if tier == Tier::Minutes && hour < marks.hours_done {
                    tiers::mark_due(connection, host, Tier::Hours, hour)?;
                }
                connection
                    .prepare_cached(
                        "DELETE FROM summaries_due WHERE host_id = ? AND width_ms = ? \
                         AND timestamp = ?",
                    )?
                    .execute(params![host, tier.width(), start])?;
            }
            Ok(rows)
        });
        self.tiers = statements;
        report.summarised += done?;
        Ok(Step::Again)
    }

    fn summarise_minutes(&mut self, now: Timestamp, report: &mut Maintenance) -> Result<Step> {
        let end = tiers::floor(now.as_millis().min(LATEST), MINUTE);
        let marks = self.upkeep.marks.map_or(i64::MIN, |m| m.minutes_done);
        if marks >= end {
            return Ok(Step::Idle);
        }
        let from = marks.max(EARLIEST);
        let first = first_sample(&self.connection, self.host_id, from).at(&self.path, DOING)?;
        let Some(first) = first.filter(|&t| t < end) else {
            if marks != i64::MIN {
                self.with_marks(DOING, |_, _, marks| {
                    marks.minutes_done = end;
                    Ok(())
                })?;
            }
            return Ok(Step::Idle);
        };
        let start = Instant::now();
        let from = tiers::floor(first, MINUTE);
        let to = from.saturating_add(self.upkeep.minutes_at_once * MINUTE).min(end);
        report.summarised += self.summarise_span(Tier::Minutes, (from, to))?;
        if start.elapsed() < STEP / 2 {
            self.upkeep.minutes_at_once = (self.upkeep.minutes_at_once * 2).min(60);
        } else if start.elapsed() > STEP {
            self.upkeep.minutes_at_once = (self.upkeep.minutes_at_once / 2).max(1);
        }
        Ok(Step::Again)
    }

    fn summarise_hours(&mut self, _: Timestamp, report: &mut Maintenance) -> Result<Step> {
        let marks =
            self.upkeep.marks.map_or((i64::MIN, i64::MIN), |m| (m.minutes_done, m.hours_done));
        let end = tiers::floor(marks.0.max(EARLIEST), HOUR);
        if marks.1 >= end {
            return Ok(Step::Idle);
        }
        let first = first_of(&self.connection, self.host_id, Tier::Minutes, marks.1.max(EARLIEST))
            .at(&self.path, DOING)?;
        let from = first.map_or(end, |t| tiers::floor(t, HOUR)).min(end);
        let to = from.saturating_add(HOUR).min(end);
        report.summarised += self.summarise_span(Tier::Hours, (from, to))?;
        Ok(Step::Again)
    }

    /// Summarises the next span of a tier, and moves its mark to the end of it.
    fn summarise_span(&mut self, tier: Tier, span: (i64, i64)) -> Result<usize> {
        let statements = std::mem::take(&mut self.tiers);
        let done = self.with_marks(DOING, |connection, host, marks| {
            match tier {
                Tier::Minutes => marks.minutes_done = span.1,
                Tier::Hours => marks.hours_done = span.1,
            }
            let mut start = span.0;
            while start < span.1 {
                sums::note_change(connection, host, marks, Summed::of_tier(tier), start)?;
                start = start.saturating_add(tier.width());
            }
            statements.summarise(connection, host, tier, span)
        });
        self.tiers = statements;
        done
    }
}

/// The starts of what is due and begins by `last`.
fn due(connection: &Connection, host: i64, tier: Tier, last: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT timestamp FROM summaries_due WHERE host_id = ? AND width_ms = ? \
               AND timestamp <= ? ORDER BY timestamp LIMIT ?";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![host, tier.width(), last, DUE_AT_ONCE], |r| r.get(0))?;
    rows.collect()
}

/// The earliest minute or hour that waits to be summarised once more.
pub(super) fn first_due(connection: &Connection, host: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT min(timestamp) FROM summaries_due WHERE host_id = ?")?
        .query_row([host], |row| row.get(0))
}

/// Notes every minute from `from` to before `to` that has samples.
fn note_all(connection: &Connection, host: i64, from: i64, to: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO summaries_due (host_id, width_ms, timestamp) \
             SELECT DISTINCT ?1, ?2, timestamp - ((timestamp % ?2) + ?2) % ?2 FROM system_metrics \
             WHERE host_id = ?1 AND timestamp >= ?3 AND timestamp < ?4",
        )?
        .execute(params![host, MINUTE, from.max(EARLIEST), to])
        .map(drop)
}

/// The time of the first sample of any interval at or after `from`.
pub(super) fn first_sample(
    connection: &Connection,
    host: i64,
    from: i64,
) -> rusqlite::Result<Option<i64>> {
    let mut first: Option<i64> = None;
    for interval in intervals(connection, host)? {
        let time: Option<i64> = connection
            .prepare_cached(
                "SELECT min(timestamp) FROM system_metrics \
                 WHERE host_id = ? AND interval_ms = ? AND timestamp >= ?",
            )?
            .query_row([host, interval, from], |row| row.get(0))?;
        first = [first, time].into_iter().flatten().min();
    }
    Ok(first)
}

/// The intervals at which samples were taken, each found by one step in the index.
pub(super) fn intervals(connection: &Connection, host: i64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT interval_ms FROM system_metrics WHERE host_id = ? AND interval_ms > ? \
         ORDER BY interval_ms LIMIT 1",
    )?;
    let mut all = Vec::new();
    let mut last = i64::MIN;
    while let Some(next) = statement.query_row([host, last], |row| row.get(0)).optional()? {
        all.push(next);
        last = next;
    }
    Ok(all)
}

/// The start of the first row of a tier at or after `from`.
pub(super) fn first_of(
    connection: &Connection,
    host: i64,
    tier: Tier,
    from: i64,
) -> rusqlite::Result<Option<i64>> {
    let sql =
        format!("SELECT min(timestamp) FROM {} WHERE host_id = ? AND timestamp >= ?", tier.table());
    connection.prepare_cached(&sql)?.query_row([host, from], |row| row.get(0))
}
