//! Samples in the wide table `system_metrics`: one row a time, one nullable column a feature.

use super::marks::Marks;
use super::sums::{self, Summed};
use super::tiers::{self, Tier};
use super::{NO_HOST, SqliteStore, write};
use crate::error::{Context, corrupt, unavailable};
use overseer_core::{Appended, Error, Frame, Result, Sample, SampleQuery, Schema, Span, Timestamp};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::path::Path;

/// The table's own columns, which no feature may be called.
const KEYS: [&str; 3] = ["host_id", "timestamp", "interval_ms"];

/// SQLite allows 2,000 columns a table (`SQLITE_MAX_COLUMN`), and a tier has four for each feature.
const MAX_FEATURES: usize = (2000 - 2) / 4;

/// The statements that name every feature, written once.
#[derive(Debug)]
pub(super) struct Statements {
    insert: String,
    select: String,
}

impl Statements {
    /// Statements for `schema` on a table with `columns`; a feature without a column is read as missing.
    pub(super) fn new(schema: &Schema, columns: &[String]) -> Self {
        let mut names = String::new();
        let mut marks = String::new();
        let mut values = String::new();
        for (i, feature) in schema.features().iter().enumerate() {
            let name = quoted(&feature.name);
            let is_there = columns.iter().any(|c| c.eq_ignore_ascii_case(&feature.name));
            names.push_str(&format!(", {name}"));
            marks.push_str(&format!(", ?{}", KEYS.len() + i + 1));
            values.push_str(&format!(", {}", if is_there { &name } else { "NULL" }));
        }
        Self {
            // Not INSERT OR IGNORE, which would also ignore every other mistake.
            insert: format!(
                "INSERT INTO system_metrics (host_id, interval_ms, timestamp{names}) \
                 VALUES (?1, ?2, ?3{marks}) \
                 ON CONFLICT (host_id, interval_ms, timestamp) DO NOTHING"
            ),
            select: format!(
                "SELECT timestamp{values} FROM system_metrics \
                 WHERE host_id = ?1 AND interval_ms = ?2 AND timestamp BETWEEN ?3 AND ?4 \
                 ORDER BY timestamp DESC LIMIT ?5"
            ),
        }
    }
}

/// A name as SQL writes it, whatever characters it has.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether a column is one of the table's own, and no feature.
pub(super) fn is_key(column: &str) -> bool {
    KEYS.iter().any(|key| column.eq_ignore_ascii_case(key))
}

/// Makes sure that every feature can have columns of its own.
///
/// # Errors
/// Invalid if a name is one of the table's own, holds a NUL, or differs from another only in the case of letters,
/// which SQL does not tell apart; unsupported if there are too many.
pub(super) fn check_names(schema: &Schema) -> Result<()> {
    let mut seen: std::collections::HashSet<String> = KEYS.map(str::to_owned).into();
    for feature in schema.features() {
        let refuse = |why: &str| {
            Err(Error::invalid_value(format!("feature `{}`", feature.name.escape_debug()), why))
        };
        if feature.name.contains('\0') {
            return refuse("its name cannot be a column of the database");
        }
        let lower = feature.name.to_ascii_lowercase();
        if KEYS.contains(&lower.as_str()) {
            return refuse("the database has a column of this name for another purpose");
        }
        if !seen.insert(lower) {
            return refuse("its name differs from another's only in upper and lower case");
        }
    }
    for feature in schema.features() {
        for part in tiers::PARTS {
            let column = format!("{}{part}", feature.name).to_ascii_lowercase();
            if seen.contains(&column) {
                return Err(Error::invalid_value(
                    format!("feature `{}`", feature.name.escape_debug()),
                    format!("its summaries need a name that another feature has: `{column}`"),
                ));
            }
        }
    }
    too_many(schema.len())
}

fn too_many(features: usize) -> Result<()> {
    if features <= MAX_FEATURES {
        return Ok(());
    }
    Err(Error::unsupported(format!("storing more than {MAX_FEATURES} features")))
}

/// The columns of a table.
pub(super) fn columns_of(connection: &Connection, path: &Path, table: &str) -> Result<Vec<String>> {
    let doing = format!("reading the columns of `{table}`");
    let mut statement =
        connection.prepare("SELECT name FROM pragma_table_info(?)").at(path, &doing)?;
    let rows = statement.query_map([table], |row| row.get(0)).at(path, &doing)?;
    rows.collect::<rusqlite::Result<_>>().at(path, &doing)
}

/// The columns of `system_metrics`.
pub(super) fn columns(connection: &Connection, path: &Path) -> Result<Vec<String>> {
    const DOING: &str = "reading the columns of `system_metrics`";
    let columns = columns_of(connection, path, "system_metrics")?;
    match KEYS.iter().find(|key| !columns.iter().any(|c| c == *key)) {
        Some(key) => Err(corrupt(path, &format!("the column `{key}` is missing"), DOING)),
        None => Ok(columns),
    }
}

/// Adds a column for each feature that has none, and returns all columns.
pub(super) fn ensure_columns(
    connection: &mut Connection,
    path: &Path,
    schema: &Schema,
) -> Result<Vec<String>> {
    const DOING: &str = "adding columns for new features";
    let missing = |columns: &[String]| -> Vec<String> {
        let is_new = |name: &&str| !columns.iter().any(|c| c.eq_ignore_ascii_case(name));
        let names = schema.features().iter().map(|f| f.name.as_str());
        names.filter(is_new).map(str::to_owned).collect()
    };
    let found = columns(connection, path)?;
    if missing(&found).is_empty() {
        return Ok(found);
    }
    write(connection, path, DOING, |transaction| {
        // Asked again: another process may have added some meanwhile.
        let found = columns(transaction, path)?;
        let new = missing(&found);
        too_many(found.len() + new.len() - KEYS.len())?;
        for name in &new {
            let sql = format!("ALTER TABLE system_metrics ADD COLUMN {} REAL", quoted(name));
            transaction.execute_batch(&sql).at(path, DOING)?;
        }
        columns(transaction, path)
    })
}

impl SqliteStore {
    pub(super) fn append_samples(
        &mut self,
        interval: Span,
        samples: &[Sample],
    ) -> Result<Appended> {
        const DOING: &str = "storing samples";
        if interval == Span::default() {
            return Err(Error::invalid_parameter("interval", "must be longer than zero"));
        }
        for (row, sample) in samples.iter().enumerate() {
            check(&self.schema, row, sample)?;
        }
        self.require_host(DOING)?;
        let (path, sql, host_id) = (&self.path, &self.sql.insert, self.host_id);
        let known = self.upkeep.marks;
        write(&mut self.connection, path, DOING, |transaction| {
            // Whoever does the upkeep knows the marks; anybody else asks.
            let marks = known.map_or_else(|| Marks::read(transaction, host_id), Ok);
            let marks = marks.at(path, DOING)?;
            let mut due = BTreeSet::new();
            let mut changed = BTreeSet::new();
            let mut statement = transaction.prepare_cached(sql).at(path, DOING)?;
            let mut appended = Appended::default();
            for sample in samples {
                if sample.is_blank() {
                    appended.blank += 1;
                    continue;
                }
                let time = sample.timestamp.as_millis();
                if marks
                    .is_too_late(transaction, host_id, interval.as_millis(), time)
                    .at(path, DOING)?
                {
                    appended.late += 1;
                    continue;
                }
                let mut insert = || {
                    statement.raw_bind_parameter(1, host_id)?;
                    statement.raw_bind_parameter(2, interval.as_millis())?;
                    statement.raw_bind_parameter(3, sample.timestamp.as_millis())?;
                    for (i, value) in sample.values.iter().enumerate() {
                        let known = (!value.is_nan()).then_some(*value);
                        statement.raw_bind_parameter(KEYS.len() + i + 1, known)?;
                    }
                    statement.raw_execute()
                };
                match insert().at(path, DOING)? {
                    0 => appended.duplicates += 1,
                    _ => {
                        appended.stored += 1;
                        if (tiers::EARLIEST..marks.minutes_done).contains(&time) {
                            due.insert(tiers::floor(time, tiers::MINUTE));
                        }
                        if time < marks.summed_before(Summed::Samples) {
                            changed.insert(tiers::floor(time, Summed::Samples.width()));
                        }
                    }
                }
            }
            for minute in due {
                tiers::mark_due(transaction, host_id, Tier::Minutes, minute).at(path, DOING)?;
            }
            for start in changed {
                sums::note_change(transaction, host_id, &marks, Summed::Samples, start)
                    .at(path, DOING)?;
            }
            Ok(appended)
        })
    }

    pub(super) fn read_samples(&self, query: &SampleQuery) -> Result<Frame> {
        const DOING: &str = "reading samples";
        let path = &self.path;
        let mut statement = self.connection.prepare_cached(&self.sql.select).at(path, DOING)?;
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut rows = statement
            .query(params![
                self.host_id,
                query.interval.as_millis(),
                query.from.as_millis(),
                query.to.as_millis(),
                limit
            ])
            .at(path, DOING)?;
        // The newest come first, which is what the limit needs; the frame wants the oldest first.
        let mut timestamps = Vec::new();
        let mut values = Vec::new();
        while let Some(row) = rows.next().at(path, DOING)? {
            timestamps.push(Timestamp::from_millis(row.get(0).at(path, DOING)?));
            for column in 1..=self.schema.len() {
                let value: Option<f64> = row.get(column).at(path, DOING)?;
                values.push(value.unwrap_or(f64::NAN));
            }
        }
        let mut frame = Frame::new(self.schema.clone());
        for (&timestamp, row) in timestamps.iter().zip(values.chunks_exact(self.schema.len())).rev()
        {
            frame.push_row(timestamp, row)?;
        }
        Ok(frame)
    }

    pub(super) fn delete_samples(&mut self, interval: Span) -> Result<usize> {
        const DOING: &str = "removing samples";
        let (path, host_id, interval) = (&self.path, self.host_id, interval.as_millis());
        write(&mut self.connection, path, DOING, |transaction| {
            let marks = Marks::read(transaction, host_id).at(path, DOING)?;
            sums::note_removal(transaction, host_id, &marks, interval).at(path, DOING)?;
            transaction
                .prepare_cached(
                    "DELETE FROM system_metrics WHERE host_id = ?1 AND interval_ms = ?2",
                )
                .and_then(|mut statement| statement.execute([host_id, interval]))
                .at(path, DOING)
        })
    }

    /// A database opened for reading may not know the host; then nothing can be stored under it.
    pub(super) fn require_host(&self, doing: &str) -> Result<()> {
        if self.host_id == NO_HOST {
            return Err(unavailable(&self.path, "the database was opened for reading only", doing));
        }
        Ok(())
    }
}

fn check(schema: &Schema, row: usize, sample: &Sample) -> Result<()> {
    if sample.values.len() != schema.len() {
        return Err(Error::schema_mismatch(
            format!("{} values", schema.len()),
            format!("{} values in row {row}", sample.values.len()),
        ));
    }
    match schema.features().iter().zip(&sample.values).find(|(_, v)| v.is_infinite()) {
        Some((feature, _)) => Err(Error::invalid_value(
            format!("row {row}, column `{feature}`"),
            "the value is infinite",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_name_stays_inside_the_name() {
        assert_eq!(quoted(r#"a"; DROP TABLE hosts; --"#), r#""a""; DROP TABLE hosts; --""#);
    }

    #[test]
    fn names_that_sql_takes_for_the_same_column_are_refused() {
        let check = |names: &[&str]| check_names(&Schema::from_names(names.to_vec()).unwrap());
        check(&["cpu", "mem\"ory", "über", "rowid", "Über"]).unwrap();
        for names in [&["cpu", "CPU"][..], &["Timestamp"], &["host_id"], &["a\0b"], &["A", "a:MIN"]]
        {
            assert!(check(names).unwrap_err().is_invalid_input(), "{names:?}");
        }
    }

    #[test]
    fn more_features_than_a_table_has_columns_are_refused() {
        let wide = |n: usize| Schema::from_names((0..n).map(|i| format!("f{i}"))).unwrap();
        check_names(&wide(499)).unwrap();
        assert!(check_names(&wide(500)).unwrap_err().to_string().contains("499 features"));
    }
}
