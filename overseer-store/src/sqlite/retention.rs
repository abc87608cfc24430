//! What is kept for how long, and how large the database may become.

use super::SqliteStore;
use super::marks::Marks;
use super::sums::{self, Summed};
use super::tiers::{self, EARLIEST, HOUR, Tier};
use super::upkeep::{self, Step};
use crate::error::Context;
use overseer_core::{Dropped, Error, Maintenance, Result, Span, Timestamp};
use rusqlite::{Connection, params};

const DOING: &str = "removing what is older than is kept";

/// How many rows one transaction removes.
const ROWS_AT_ONCE: i64 = 128;
/// How many free pages are given back at once.
const PAGES_AT_ONCE: i64 = 16;
/// The least size that can be kept: less would leave no room for what is needed now.
const LEAST_BYTES: u64 = 8 << 20;
const DAY: i64 = 24 * HOUR;

/// How long each tier is kept, and how large the database may become. `None` is for ever, or without a bound.
///
/// Samples are removed only once they are summarised by the minute, and minutes only once they are by the hour, always
/// by whole hours. Anomalies, incidents, labels, alerts, recommendations and
/// outcomes are kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Samples as they were taken, and auxiliary series by the minute; 14 days by default, at least an hour.
    pub samples: Option<Span>,
    /// Means, minima, maxima and counts by the minute; 90 days by default, at least an hour.
    pub minutes: Option<Span>,
    /// The same by the hour, and auxiliary series too; for ever by default, at least a day.
    pub hours: Option<Span>,
    /// Predictions and patterns; 90 days by default, at least an hour.
    pub findings: Option<Span>,
    /// The size of the database's file in bytes, at least 8 MiB; without a bound by default. The log beside it may
    /// take up to 16 MiB more.
    pub most_bytes: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |n| Some(Span::from_millis(n * DAY));
        Self {
            samples: days(14),
            minutes: days(90),
            hours: None,
            findings: days(90),
            most_bytes: None,
        }
    }
}

impl Retention {
    /// Everything, for ever.
    #[must_use]
    pub fn forever() -> Self {
        Self { samples: None, minutes: None, hours: None, findings: None, most_bytes: None }
    }

    /// Whether a store can keep to this; opening one asks too.
    ///
    /// # Errors
    /// Names the first setting that is out of range.
    pub fn check(&self) -> Result<()> {
        let spans = [
            ("samples", self.samples, HOUR),
            ("minutes", self.minutes, HOUR),
            ("hours", self.hours, DAY),
            ("findings", self.findings, HOUR),
        ];
        for (name, span, least) in spans {
            if span.is_some_and(|s| s.as_millis() < least) {
                let least = Span::from_millis(least);
                return Err(Error::invalid_parameter(
                    format!("retention of {name}"),
                    format!("must be at least {least}"),
                ));
            }
        }
        if self.most_bytes.is_some_and(|b| b < LEAST_BYTES) {
            return Err(Error::invalid_parameter(
                "largest size of the database",
                format!("must be at least {LEAST_BYTES} bytes (8 MiB)"),
            ));
        }
        Ok(())
    }
}

/// What can be removed, the first to go first.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Samples,
    /// Samples that no minute tells of yet: only where summarising them would take room that there is not.
    Unsummarised,
    Tier(Tier),
    Auxiliary,
    AuxiliaryHours,
    Findings(&'static str),
}

impl Kind {
    fn plural(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Unsummarised => "samples that were not summarised yet and are",
            Self::Tier(Tier::Minutes) => "minutes",
            Self::Tier(Tier::Hours) => "hours",
            Self::Auxiliary => "values of auxiliary series",
            Self::AuxiliaryHours => "hours of auxiliary series",
            Self::Findings(table) => table,
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Samples | Self::Unsummarised => "system_metrics",
            Self::Tier(tier) => tier.table(),
            Self::Auxiliary => "auxiliary_metrics",
            Self::AuxiliaryHours => "auxiliary_1h",
            Self::Findings(table) => table,
        }
    }

    /// What has a checksum, which goes with its rows.
    fn summed(self) -> Option<Summed> {
        match self {
            Self::Samples | Self::Unsummarised => Some(Summed::Samples),
            Self::Tier(tier) => Some(Summed::of_tier(tier)),
            Self::Auxiliary | Self::AuxiliaryHours => None,
            Self::Findings("predictions") => Some(Summed::Predictions),
            Self::Findings(_) => Some(Summed::Patterns),
        }
    }
}

impl SqliteStore {
    /// Removes a few rows that are older than is kept.
    pub(super) fn expire(&mut self, now: Timestamp, report: &mut Maintenance) -> Result<Step> {
        let Some(marks) = self.upkeep.marks else { return Ok(Step::Idle) };
        let now = now.as_millis();
        if now < marks.expiry_paused_until {
            return Ok(Step::Idle);
        }
        let keep = self.retention.clone();
        let kinds = [
            (Kind::Samples, keep.samples),
            (Kind::Tier(Tier::Minutes), keep.minutes),
            (Kind::Tier(Tier::Hours), keep.hours),
            (Kind::Auxiliary, keep.samples),
            (Kind::AuxiliaryHours, keep.hours),
            (Kind::Findings("predictions"), keep.findings),
            (Kind::Findings("patterns"), keep.findings),
        ];
        for (kind, span) in kinds {
            let Some(span) = span else { continue };
            let removed = self.remove(kind, now.saturating_sub(span.as_millis()))?.0;
            if removed > 0 {
                report.expired += removed;
                return Ok(Step::Again);
            }
        }
        Ok(Step::Idle)
    }

    /// Removes a few of the oldest rows, the most detailed first, while the database is larger than it may be.
    pub(super) fn shrink(&mut self, now: Timestamp, report: &mut Maintenance) -> Result<Step> {
        let Some(most) = self.retention.most_bytes else { return Ok(Step::Idle) };
        let size = self.size()?;
        // What is left of an hour that was given up goes in any case: no summary will tell of it.
        let is_left = |oldest: Option<i64>| oldest.is_some_and(|at| at < self.upkeep.given_up);
        let is_begun = self.upkeep.given_up != i64::MIN && is_left(self.oldest(Kind::Samples)?);
        // Some room is made at once, so that this is not needed again with the next sample.
        let fits = size.file(self.gives_back) <= most || size.used() <= most / 100 * 95;
        if fits && !is_begun {
            self.upkeep.told_too_large = false;
            return Ok(Step::Idle);
        }
        if !fits && !std::mem::replace(&mut self.upkeep.told_too_large, true) {
            report.told.push(format!(
                "the database takes {}, more than the {} that it may: the most detailed of what is oldest is removed \
                 until it fits",
                megabytes(size.file(self.gives_back)),
                megabytes(most)
            ));
        }
        let now = now.as_millis();
        if is_begun {
            let (rows, before) = self.remove(Kind::Unsummarised, self.upkeep.given_up)?;
            if rows > 0 {
                let before = Timestamp::from_millis(before);
                report.note_dropped(Dropped::new(Kind::Unsummarised.plural(), rows, before));
                return Ok(Step::Again);
            }
        }
        // Each with the age up to which it is spared, and how much goes at once.
        let order = [
            (Kind::Samples, DAY, HOUR),
            (Kind::Auxiliary, DAY, HOUR),
            (Kind::Tier(Tier::Minutes), 7 * DAY, DAY),
            (Kind::Findings("patterns"), DAY, DAY),
            (Kind::Findings("predictions"), DAY, DAY),
            (Kind::Samples, HOUR, HOUR),
            (Kind::Tier(Tier::Minutes), DAY, HOUR),
            (Kind::Unsummarised, HOUR, HOUR),
            (Kind::Tier(Tier::Hours), 30 * DAY, 30 * DAY),
            (Kind::AuxiliaryHours, 30 * DAY, 30 * DAY),
        ];
        for (kind, spared, at_once) in order {
            let Some(oldest) = self.oldest(kind)? else { continue };
            let before =
                tiers::floor(oldest, HOUR).saturating_add(at_once).min(now.saturating_sub(spared));
            let (rows, before) = self.remove(kind, before)?;
            if rows > 0 {
                report.note_dropped(Dropped::new(
                    kind.plural(),
                    rows,
                    Timestamp::from_millis(before),
                ));
                return Ok(Step::Again);
            }
        }
        report.too_large = true;
        Ok(Step::Idle)
    }

    /// Gives free pages back to the file system: many of them always, and all while the file is larger than it may be.
    pub(super) fn give_back(&mut self, _: Timestamp, report: &mut Maintenance) -> Result<Step> {
        const DOING: &str = "giving free pages back";
        if !self.gives_back {
            return Ok(Step::Idle);
        }
        let size = self.size()?;
        let too_large =
            self.retention.most_bytes.is_some_and(|most| size.file(true) > most) && size.free > 0;
        let many = size.free > 256 && size.free > size.pages / 10;
        if !too_large && !many {
            return Ok(Step::Idle);
        }
        let sql = format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})");
        let mut statement = self.connection.prepare_cached(&sql).at(&self.path, DOING)?;
        // Every step of the statement frees a page.
        let mut rows = statement.query([]).at(&self.path, DOING)?;
        while rows.next().at(&self.path, DOING)?.is_some() {}
        drop(rows);
        drop(statement);
        let given = size.free - self.size()?.free;
        report.pages_given_back += given.max(0).unsigned_abs();
        // Where none can be given back now, the next minute may do better.
        Ok(if given > 0 { Step::Again } else { Step::Idle })
    }

    /// Removes some rows of before `before`, and says how many and before which time that was.
    fn remove(&mut self, kind: Kind, before: i64) -> Result<(usize, i64)> {
        let before = match kind {
            Kind::Findings(_) => before,
            Kind::Unsummarised => tiers::floor(before, HOUR),
            _ => self.boundary(kind, before)?,
        };
        if self.oldest(kind)?.is_none_or(|oldest| oldest >= before) {
            return Ok((0, before));
        }
        if matches!(kind, Kind::Unsummarised) {
            self.upkeep.given_up = self.upkeep.given_up.max(before);
        }
        let removed = self.with_marks(DOING, |connection, host, marks| {
            note_gone(marks, kind, before);
            if matches!(kind, Kind::Unsummarised) {
                give_up(connection, host, marks, before)?;
            }
            if let Some(summed) = kind.summed() {
                sums::forget(connection, host, summed, before)?;
            }
            remove_rows(connection, host, kind, before)
        })?;
        Ok((removed, before))
    }

    /// The last whole hour by `before` up to which everything is summarised one tier up.
    fn boundary(&self, kind: Kind, before: i64) -> Result<i64> {
        let Some(marks) = self.upkeep.marks else { return Ok(i64::MIN) };
        // What came late must be summarised first; it will be once its minute is over.
        let due = upkeep::first_due(&self.connection, self.host_id).at(&self.path, DOING)?;
        let before = before.min(due.unwrap_or(i64::MAX));
        let done = match kind {
            Kind::Samples => marks.minutes_done,
            Kind::Tier(Tier::Minutes) => marks.hours_done,
            Kind::Auxiliary => marks.auxiliary_done,
            Kind::Unsummarised
            | Kind::Tier(Tier::Hours)
            | Kind::AuxiliaryHours
            | Kind::Findings(_) => i64::MAX,
        };
        Ok(tiers::floor(before.min(done), HOUR))
    }

    fn oldest(&self, kind: Kind) -> Result<Option<i64>> {
        let (connection, host) = (&self.connection, self.host_id);
        match kind {
            Kind::Samples | Kind::Unsummarised => upkeep::first_sample(connection, host, EARLIEST),
            Kind::Tier(tier) => upkeep::first_of(connection, host, tier, i64::MIN),
            Kind::Auxiliary | Kind::AuxiliaryHours => connection
                .prepare_cached(&format!(
                    "SELECT min(timestamp) FROM {} WHERE host_id = ?",
                    kind.table()
                ))
                .and_then(|mut s| s.query_row([host], |row| row.get(0))),
            Kind::Findings(table) => connection
                .prepare_cached(&format!("SELECT min(timestamp) FROM {table} WHERE host_id = ?"))
                .and_then(|mut s| s.query_row([host], |row| row.get(0))),
        }
        .at(&self.path, DOING)
    }

    fn size(&self) -> Result<Size> {
        let number = |sql: &str| -> rusqlite::Result<i64> {
            self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
        };
        let all = || -> rusqlite::Result<Size> {
            Ok(Size {
                pages: number("PRAGMA page_count")?,
                free: number("PRAGMA freelist_count")?,
                page: number("PRAGMA page_size")?,
            })
        };
        all().at(&self.path, "measuring the database")
    }
}

/// Of a database, in pages and bytes a page.
#[derive(Debug, Clone, Copy)]
struct Size {
    pages: i64,
    free: i64,
    page: i64,
}

impl Size {
    fn used(self) -> u64 {
        ((self.pages - self.free) * self.page).unsigned_abs()
    }

    /// The file's bytes; of a file that cannot become smaller, those in use.
    fn file(self, gives_back: bool) -> u64 {
        if gives_back { (self.pages * self.page).unsigned_abs() } else { self.used() }
    }
}

/// Moves the marks beyond samples that go without a summary, so that none is made of the rest of a minute. Minutes that
/// were summarised before stay as they are.
fn give_up(
    connection: &Connection,
    host: i64,
    marks: &mut Marks,
    before: i64,
) -> rusqlite::Result<()> {
    marks.minutes_done = marks.minutes_done.max(before);
    connection
        .prepare_cached(
            "DELETE FROM summaries_due WHERE host_id = ? AND width_ms = ? AND timestamp < ?",
        )?
        .execute([host, tiers::MINUTE, before])
        .map(drop)
}

/// Bytes as a person reads them.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn note_gone(marks: &mut Marks, kind: Kind, before: i64) {
    match kind {
        Kind::Samples | Kind::Unsummarised => marks.raw_gone = marks.raw_gone.max(before),
        Kind::Tier(Tier::Minutes) => marks.minutes_gone = marks.minutes_gone.max(before),
        Kind::Auxiliary => marks.auxiliary_gone = marks.auxiliary_gone.max(before),
        Kind::Tier(Tier::Hours) | Kind::AuxiliaryHours | Kind::Findings(_) => {}
    }
}

fn remove_rows(
    connection: &Connection,
    host: i64,
    kind: Kind,
    before: i64,
) -> rusqlite::Result<usize> {
    match kind {
        Kind::Samples | Kind::Unsummarised => {
            let mut removed = 0;
            for interval in upkeep::intervals(connection, host)? {
                removed += connection
                    .prepare_cached(
                        "DELETE FROM system_metrics WHERE host_id = ?1 AND interval_ms = ?2 \
                         AND timestamp IN (SELECT timestamp FROM system_metrics \
                             WHERE host_id = ?1 AND interval_ms = ?2 AND timestamp >= ?3 \
                             AND timestamp < ?4 ORDER BY timestamp LIMIT ?5)",
                    )?
                    .execute(params![host, interval, EARLIEST, before, ROWS_AT_ONCE])?;
            }
            Ok(removed)
        }
        Kind::Tier(tier) => {
            let table = tier.table();
            let sql = format!(
                "DELETE FROM {table} WHERE host_id = ?1 AND timestamp IN (SELECT timestamp \
                 FROM {table} WHERE host_id = ?1 AND timestamp < ?2 ORDER BY timestamp LIMIT ?3)"
            );
            connection.prepare_cached(&sql)?.execute([host, before, ROWS_AT_ONCE / 2])
        }
        Kind::Auxiliary | Kind::AuxiliaryHours => {
            let table = kind.table();
            let sql = format!(
                "DELETE FROM {table} WHERE host_id = ?1 AND (timestamp, series_id) IN \
                 (SELECT timestamp, series_id FROM {table} WHERE host_id = ?1 AND timestamp < ?2 \
                 ORDER BY timestamp LIMIT ?3)"
            );
            connection.prepare_cached(&sql)?.execute([host, before, ROWS_AT_ONCE])
        }
        Kind::Findings(table) => {
            let sql = format!(
                "DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} \
                 WHERE host_id = ?1 AND timestamp < ?2 ORDER BY timestamp LIMIT ?3)"
            );
            connection.prepare_cached(&sql)?.execute([host, before, ROWS_AT_ONCE / 2])
        }
    }
}
