//! The tiers of samples, by the minute and by the hour: their tables, and the statements that fill them.

use super::metrics::{self, quoted};
use super::write;
use crate::error::Context;
use overseer_core::Result;
use rusqlite::{Connection, params};
use std::path::Path;

/// A minute in milliseconds.
pub(super) const MINUTE: i64 = 60_000;
/// An hour in milliseconds.
pub(super) const HOUR: i64 = 60 * MINUTE;

/// Times beyond these are stored and never summarised: SQL could not reckon with them.
pub(super) const EARLIEST: i64 = -(1 << 62);
pub(super) const LATEST: i64 = 1 << 62;

/// The start of the `width` that holds `millis`.
pub(super) fn floor(millis: i64, width: i64) -> i64 {
    millis.saturating_sub(millis.rem_euclid(width))
}

/// What is appended to a feature's name for the columns beside its mean.
pub(super) const PARTS: [&str; 3] = [":min", ":max", ":count"];

/// A table of summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Minutes,
    Hours,
}

impl Tier {
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Minutes => "metrics_1m",
            Self::Hours => "metrics_1h",
        }
    }

    pub(super) const fn width(self) -> i64 {
        match self {
            Self::Minutes => MINUTE,
            Self::Hours => HOUR,
        }
    }
}

/// The statements that summarise, written once for the features that the database has.
#[derive(Debug, Default)]
pub(super) struct Statements {
    minutes: String,
    hours: String,
}

/// The start of the bucket of a row; SQL's remainder has the sign of the time.
const START: &str = "timestamp - ((timestamp % :width) + :width) % :width";

impl Statements {
    /// Statements for every feature that has a column, whatever the schema of today is: what is summarised may be
    /// removed.
    pub(super) fn new(columns: &[String]) -> Self {
        let mut names = String::new();
        let mut of_samples = String::new();
        let mut of_minutes = String::new();
        for feature in columns.iter().filter(|c| !metrics::is_key(c)) {
            let [mean, min, max, count] = four(feature);
            names.push_str(&format!(", {mean}, {min}, {max}, {count}"));
            of_samples.push_str(&format!(", avg({mean}), min({mean}), max({mean}), count({mean})"));
            of_minutes.push_str(&format!(
                ", sum({mean} * {count}) / sum({count}), min({min}), max({max}), \
                 coalesce(sum({count}), 0)"
            ));
        }
        let minutes = format!(
            // The intervals are found by one step in the index each, not by a walk over all samples.
            "WITH RECURSIVE intervals (ms) AS ( \
                 SELECT min(interval_ms) FROM system_metrics WHERE host_id = :host \
                 UNION ALL SELECT (SELECT min(interval_ms) FROM system_metrics \
                     WHERE host_id = :host AND interval_ms > ms) FROM intervals WHERE ms IS NOT NULL) \
             INSERT OR REPLACE INTO metrics_1m (host_id, timestamp{names}) \
             SELECT :host, {START} AS start{of_samples} FROM system_metrics \
             WHERE host_id = :host AND interval_ms IN (SELECT ms FROM intervals WHERE ms IS NOT NULL) \
             AND timestamp >= :from AND timestamp < :to GROUP BY start"
        );
        let hours = format!(
            "INSERT OR REPLACE INTO metrics_1h (host_id, timestamp{names}) \
             SELECT :host, {START} AS start{of_minutes} FROM metrics_1m \
             WHERE host_id = :host AND timestamp >= :from AND timestamp < :to GROUP BY start"
        );
        Self { minutes, hours }
    }

    /// Summarises everything from `from` to before `to`, both multiples of the tier's width, and says how many rows
    /// that gave. What a row said before is replaced; one for which there is nothing any more is left as it is.
    pub(super) fn summarise(
        &self,
        connection: &Connection,
        host: i64,
        tier: Tier,
        (from, to): (i64, i64),
    ) -> rusqlite::Result<usize> {
        let sql = if tier == Tier::Minutes { &self.minutes } else { &self.hours };
        connection.prepare_cached(sql)?.execute(rusqlite::named_params! {
            ":host": host, ":width": tier.width(), ":from": from, ":to": to,
        })
    }
}

/// The columns of a feature in a tier: mean, minimum, maximum, count.
pub(super) fn four(feature: &str) -> [String; 4] {
    let [min, max, count] = PARTS.map(|part| quoted(&format!("{feature}{part}")));
    [quoted(feature), min, max, count]
}

/// Makes sure that every feature with a column has its four in each tier.
pub(super) fn ensure_columns(
    connection: &mut Connection,
    path: &Path,
    features: &[String],
) -> Result<()> {
    const DOING: &str = "adding columns for new features";
    for table in [Tier::Minutes.table(), Tier::Hours.table()] {
        let missing = |found: &[String]| -> Vec<String> {
            let features = features.iter().filter(|f| !metrics::is_key(f));
            features.filter(|f| !found.iter().any(|c| c.eq_ignore_ascii_case(f))).cloned().collect()
        };
        if missing(&metrics::columns_of(connection, path, table)?).is_empty() {
            continue;
        }
        write(connection, path, DOING, |transaction| {
            // Asked again: another process may have added some meanwhile.
            for feature in missing(&metrics::columns_of(transaction, path, table)?) {
                let [mean, min, max, count] = four(&feature);
                for (name, kind) in
                    [(mean, "REAL"), (min, "REAL"), (max, "REAL"), (count, "INTEGER")]
                {
                    let sql = format!("ALTER TABLE {table} ADD COLUMN {name} {kind}");
                    transaction.execute_batch(&sql).at(path, DOING)?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Notes that something came late, so that its minute or hour is summarised once more.
pub(super) fn mark_due(
    connection: &Connection,
    host: i64,
    tier: Tier,
    start: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO summaries_due (host_id, width_ms, timestamp) VALUES (?, ?, ?)";
    connection.prepare_cached(sql)?.execute(params![host, tier.width(), start]).map(drop)
}

/// Whether the tier has a row of this start.
pub(super) fn has(
    connection: &Connection,
    host: i64,
    tier: Tier,
    start: i64,
) -> rusqlite::Result<bool> {
    let sql = format!("SELECT 1 FROM {} WHERE host_id = ? AND timestamp = ?", tier.table());
    connection.prepare_cached(&sql)?.exists([host, start])
}
