//! Rows in: checked one by one, stored some hundreds at a time, and never twice.

use super::export::{Layout, is_packed};
use super::marks::Marks;
use super::metrics::quoted;
use super::rows::read_all;
use super::sums::{self, Summed};
use super::tiers::{self, Tier};
use super::upkeep::Step;
use super::{SqliteStore, decisions, findings, texts, write};
use crate::error::Context;
use crate::transfer::{Column, Imported, Kind, Raw, Row, RowReader, Type, Value};
use overseer_core::{Error, LabelKind, Result, Sample, Span, Timestamp};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ToSql, params_from_iter};
use std::collections::BTreeMap;
use std::path::Path;

const DOING: &str = "importing";

/// How many rows are stored in one transaction.
const AT_ONCE: usize = 1000;

impl SqliteStore {
    /// Stores every row that is not there yet.
    pub(crate) fn import_rows(
        &mut self,
        reader: &mut dyn RowReader,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Imported> {
        self.require_host(DOING)?;
        let mut imported = Imported::default();
        let mut samples = Samples::default();
        let mut others: Vec<Row> = Vec::new();
        let mut intervals: BTreeMap<Span, u64> = BTreeMap::new();
        let mut rows: u64 = 0;
        while let Some(row) = reader.next_row()? {
            rows += 1;
            match row.kind {
                Kind::Metrics => {
                    let (interval, sample) = self.sample(&row)?;
                    if samples.must_go_before(interval, &sample) {
                        self.store_samples(&mut samples, &mut imported)?;
                    }
                    samples.push(interval, sample);
                    *intervals.entry(interval).or_default() += 1;
                }
                _ => others.push(row),
            }
            if others.len() >= AT_ONCE {
                self.store_others(&mut others, &mut imported)?;
            }
            if rows.is_multiple_of(AT_ONCE as u64) {
                progress(rows);
            }
        }
        self.store_samples(&mut samples, &mut imported)?;
        self.store_others(&mut others, &mut imported)?;
        if let Some((&most, _)) = intervals.iter().max_by_key(|(_, n)| **n)
            && self.read_step()?.is_none()
        {
            self.write_step(most)?;
        }
        progress(rows);
        Ok(imported)
    }

    fn store_samples(&mut self, samples: &mut Samples, imported: &mut Imported) -> Result<()> {
        if samples.batch.is_empty() {
            return Ok(());
        }
        let done = self.append_samples(samples.interval, &samples.batch)?;
        samples.batch.clear();
        imported.stored += done.stored as u64;
        imported.duplicates += done.duplicates as u64;
        imported.blank += done.blank as u64;
        imported.late += done.late as u64;
        Ok(())
    }

    /// A row of features; a feature that has no column is missing.
    fn sample(&self, row: &Row) -> Result<(Span, Sample)> {
        let mut values = vec![f64::NAN; self.schema.len()];
        let (mut time, mut interval) = (None, None);
        for (name, raw) in &row.fields {
            match name.as_str() {
                "timestamp" => time = Some(whole(raw, &row.place, name)?),
                "interval_ms" => interval = Some(whole(raw, &row.place, name)?),
                feature => {
                    let index = self.schema.index_of(feature).ok_or_else(|| {
                        Error::invalid_value(
                            format!("{}, column `{feature}`", row.place),
                            "it is no feature of this host",
                        )
                    })?;
                    values[index] = number(raw, &row.place, name)?.unwrap_or(f64::NAN);
                }
            }
        }
        let time = time.ok_or_else(|| missing(&row.place, "timestamp"))?;
        let interval = match interval {
            Some(ms) if ms > 0 => Span::from_millis(ms),
            Some(ms) => return Err(wrong(&row.place, "interval_ms", &format!("it is {ms}"))),
            None => self.read_step()?.ok_or_else(|| {
                let why = "there is no column `interval_ms`, and this installation has no step yet";
                Error::invalid_value(row.place.clone(), why)
            })?,
        };
        Ok((interval, Sample::new(Timestamp::from_millis(time), values)))
    }

    fn store_others(&mut self, rows: &mut Vec<Row>, imported: &mut Imported) -> Result<()> {
        let checked = rows
            .iter()
            .map(|row| {
                let kind = tier_of(row)?;
                let layout = self.layout(kind);
                let values = self.checked(row, kind, &layout)?;
                Ok((row.place.as_str(), kind, layout, values))
            })
            .collect::<Result<Vec<_>>>()?;
        let (path, host) = (&self.path, self.host_id);
        let done = write(&mut self.connection, path, DOING, |transaction| {
            let mut done = Imported::default();
            let marks = Marks::read(transaction, host).at(path, DOING)?;
            for (place, kind, layout, values) in &checked {
                let inserted = insert(transaction, path, host, *kind, layout, values);
                match inserted.map_err(|e| at_place(place, e))? {
                    Step::Idle => done.duplicates += 1,
                    Step::Again => {
                        check_readable(transaction, path, place, *kind)?;
                        if let (Some(summed), Some(Value::Integer(time))) =
                            (Summed::of_table(layout.table), values.first())
                        {
                            sums::note_change(transaction, host, &marks, summed, *time)
                                .at(path, DOING)?;
                        }
                        done.stored += 1;
                    }
                }
            }
            Ok(done)
        })?;
        drop(checked);
        rows.clear();
        imported.stored += done.stored;
        imported.duplicates += done.duplicates;
        Ok(())
    }

    /// The values of a row in the order of its columns, each of the type that its column holds.
    fn checked(&self, row: &Row, kind: Kind, layout: &Layout) -> Result<Vec<Value>> {
        let known = |name: &str| layout.columns.iter().any(|c| c.name == name);
        if let Some((name, _)) = row.fields.iter().find(|(name, _)| !known(name)) {
            return Err(wrong(&row.place, name, &format!("{kind} have no such column")));
        }
        let values = layout
            .columns
            .iter()
            .map(|column| {
                let raw = row.fields.iter().find(|(name, _)| *name == column.name);
                checked_value(row, column, raw.map_or(&Raw::Null, |(_, raw)| raw))
            })
            .collect::<Result<Vec<Value>>>()?;
        match kind {
            Kind::Minutes => check_tier(row, Tier::Minutes, &values)?,
            Kind::Hours => check_tier(row, Tier::Hours, &values)?,
            _ => {}
        }
        Ok(values)
    }
}

/// Samples on their way into the database.
#[derive(Debug, Default)]
struct Samples {
    interval: Span,
    batch: Vec<Sample>,
}

impl Samples {
    /// Whether what is here must be stored first: a minute is stored in one piece, so that upkeep in between does not
    /// take its second half for something that was there before.
    fn must_go_before(&self, interval: Span, next: &Sample) -> bool {
        let minute = |s: &Sample| tiers::floor(s.timestamp.as_millis(), tiers::MINUTE);
        let Some(last) = self.batch.last() else { return false };
        let is_next_minute = minute(last) != minute(next);
        self.interval != interval
            || (self.batch.len() >= AT_ONCE && is_next_minute)
            || self.batch.len() >= 100 * AT_ONCE
    }

    fn push(&mut self, interval: Span, sample: Sample) {
        self.interval = interval;
        self.batch.push(sample);
    }
}

fn wrong(place: &str, column: &str, why: &str) -> Error {
    Error::invalid_value(format!("{place}, column `{column}`"), why)
}

fn missing(place: &str, column: &str) -> Error {
    wrong(place, column, "it has no value")
}

/// What is wrong with a row, where it stands; other errors are as they were.
fn at_place(place: &str, error: Error) -> Error {
    if error.is_invalid_input() { Error::invalid_value(place, error.to_string()) } else { error }
}

/// A number, of which there is none where it is missing.
fn number(raw: &Raw, place: &str, column: &str) -> Result<Option<f64>> {
    let value = match raw {
        Raw::Null => return Ok(None),
        Raw::Integer(n) => *n as f64,
        Raw::Real(x) => *x,
        Raw::Text(text) => match text.trim() {
            "" | "NaN" | "nan" => return Ok(None),
            text => text
                .parse()
                .map_err(|_| wrong(place, column, &format!("`{text}` is not a number")))?,
        },
        Raw::Json(_) => return Err(wrong(place, column, "a list is not a number")),
    };
    if value.is_nan() {
        return Ok(None);
    }
    if value.is_infinite() {
        return Err(wrong(place, column, "the value is infinite"));
    }
    Ok(Some(value))
}

fn whole(raw: &Raw, place: &str, column: &str) -> Result<i64> {
    match raw {
        Raw::Integer(n) => Ok(*n),
        Raw::Null => Err(missing(place, column)),
        Raw::Text(text) => text
            .trim()
            .parse()
            .map_err(|_| wrong(place, column, &format!("`{text}` is not a whole number"))),
        Raw::Real(_) | Raw::Json(_) => Err(wrong(place, column, "this is not a whole number")),
    }
}

fn checked_value(row: &Row, column: &Column, raw: &Raw) -> Result<Value> {
    let (place, name) = (row.place.as_str(), column.name.as_str());
    if *raw == Raw::Null {
        return match column.holds {
            _ if column.nullable => Ok(Value::Null),
            // An empty field of CSV is an empty text where there must be one.
            Type::Text => Ok(Value::Text(String::new())),
            // Of a feature that is not in the file there are no values.
            Type::Integer if name.ends_with(":count") => Ok(Value::Integer(0)),
            _ => Err(missing(place, name)),
        };
    }
    match column.holds {
        Type::Integer => whole(raw, place, name).map(Value::Integer),
        Type::Real => match number(raw, place, name)? {
            Some(x) => Ok(Value::Real(x)),
            None if column.nullable => Ok(Value::Null),
            None => Err(missing(place, name)),
        },
        Type::Text => match raw {
            Raw::Text(text) => Ok(Value::Text(text.clone())),
            _ => Err(wrong(place, name, "this is not a text")),
        },
        Type::Json => match raw {
            Raw::Text(text) | Raw::Json(text) => Ok(Value::Json(text.clone())),
            _ => Err(wrong(place, name, "this is not a list")),
        },
    }
}

/// Summaries say by their interval to which tier they belong.
fn tier_of(row: &Row) -> Result<Kind> {
    if !matches!(row.kind, Kind::Minutes | Kind::Hours) {
        return Ok(row.kind);
    }
    let raw = row.fields.iter().find(|(name, _)| name == "interval_ms");
    match raw.map(|(_, raw)| whole(raw, &row.place, "interval_ms")).transpose()? {
        Some(tiers::MINUTE) => Ok(Kind::Minutes),
        Some(tiers::HOUR) => Ok(Kind::Hours),
        _ => Err(wrong(&row.place, "interval_ms", "of summaries it is 60000 or 3600000")),
    }
}

/// A summary that no samples could have given would mislead for years.
fn check_tier(row: &Row, tier: Tier, values: &[Value]) -> Result<()> {
    let Some(Value::Integer(start)) = values.first() else {
        return Err(missing(&row.place, "timestamp"));
    };
    if start.rem_euclid(tier.width()) != 0 {
        return Err(wrong(&row.place, "timestamp", "it is not the start of a minute or an hour"));
    }
    let real = |value: &Value| if let Value::Real(x) = value { *x } else { f64::NAN };
    for four in values[2..].chunks_exact(4) {
        let (mean, min, max) = (real(&four[0]), real(&four[1]), real(&four[2]));
        let sound = match four[3] {
            Value::Integer(0) => mean.is_nan() && min.is_nan() && max.is_nan(),
            // A mean may be off by its rounding.
            Value::Integer(n) if n > 0 => {
                let slack = 1e-9 * min.abs().max(max.abs());
                min <= max && mean >= min - slack && mean <= max + slack
            }
            _ => false,
        };
        if !sound {
            let why = "a mean, least, most and number of values that do not go together";
            return Err(Error::invalid_value(row.place.clone(), why));
        }
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Null => Ok(ToSqlOutput::from(rusqlite::types::Null)),
            Self::Integer(n) => Ok(ToSqlOutput::from(*n)),
            Self::Real(x) => Ok(ToSqlOutput::from(*x)),
            Self::Text(text) | Self::Json(text) => Ok(ToSqlOutput::from(text.as_str())),
        }
    }
}

/// Inserts a row that is not there yet; idle if it is.
fn insert(
    connection: &Connection,
    path: &Path,
    host: i64,
    kind: Kind,
    layout: &Layout,
    values: &[Value],
) -> Result<Step> {
    if kind == Kind::Outcomes {
        return insert_outcome(connection, path, host, values);
    }
    let is_tier = matches!(kind, Kind::Minutes | Kind::Hours);
    // Summaries carry their interval for the file only.
    let chosen: Vec<usize> = (0..values.len())
        .filter(|&i| !(is_tier && layout.columns[i].name == "interval_ms"))
        .collect();
    let names: Vec<String> = chosen.iter().map(|&i| quoted(&layout.columns[i].name)).collect();
    let marks: Vec<String> = (0..chosen.len()).map(|i| format!("?{}", i + 2)).collect();
    let is_same = |i: &usize| {
        let name = &layout.columns[*i].name.as_str();
        layout.identity.is_empty() || layout.identity.contains(name)
    };
    let compared = chosen.iter().enumerate().filter(|(_, i)| is_same(i));
    let same: Vec<String> =
        compared.map(|(n, _)| format!("{} IS {}", names[n], marks[n])).collect();
    let same = same.join(" AND ");
    let sql = format!(
        "INSERT INTO {table} (host_id, {}) SELECT ?1, {} \
         WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE host_id = ?1 AND {same})",
        names.join(", "),
        marks.join(", "),
        table = layout.table,
    );
    let mut params = vec![Value::Integer(host)];
    for &i in &chosen {
        params.push(match &values[i] {
            Value::Text(text) | Value::Json(text) if is_packed(kind, &layout.columns[i].name) => {
                Value::Text(texts::pack(connection, text).at(path, DOING)?)
            }
            other => other.clone(),
        });
    }
    let inserted = connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.execute(params_from_iter(&params)))
        .at(path, DOING)?;
    if inserted == 0 {
        return Ok(Step::Idle);
    }
    if let (Kind::Minutes, Value::Integer(start)) = (kind, &values[0]) {
        let hour = tiers::floor(*start, tiers::HOUR);
        if !tiers::has(connection, host, Tier::Hours, hour).at(path, DOING)? {
            tiers::mark_due(connection, host, Tier::Hours, hour).at(path, DOING)?;
        }
    }
    Ok(Step::Again)
}

/// Inserts what came of a piece of advice, which is known by its time, feature and action.
fn insert_outcome(
    connection: &Connection,
    path: &Path,
    host: i64,
    values: &[Value],
) -> Result<Step> {
    let advice = "FROM recommendations AS r WHERE r.host_id = ?1 AND r.made_at = ?2 \
                  AND r.feature = ?3 AND r.action = ?4";
    let sql = format!(
        "INSERT INTO outcomes (host_id, recommendation_id, kind, made_at, before, after, note) \
         SELECT ?1, r.recommendation_id, ?5, ?6, ?7, ?8, ?9 {advice} AND NOT EXISTS ( \
             SELECT 1 FROM outcomes AS o WHERE o.host_id = ?1 \
             AND o.recommendation_id = r.recommendation_id AND o.kind IS ?5 AND o.made_at IS ?6 \
             AND o.before IS ?7 AND o.after IS ?8 AND o.note IS ?9) LIMIT 1"
    );
    let host = Value::Integer(host);
    let all = || std::iter::once(&host).chain(values);
    let inserted = connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.execute(params_from_iter(all())))
        .at(path, DOING)?;
    if inserted > 0 {
        return Ok(Step::Again);
    }
    let known = connection
        .prepare_cached(&format!("SELECT 1 {advice}"))
        .and_then(|mut statement| statement.exists(params_from_iter(all().take(4))))
        .at(path, DOING)?;
    if known {
        return Ok(Step::Idle);
    }
    Err(Error::invalid_value("outcome", "the advice it is of is not there"))
}

/// Reads back what was just stored: what could not be read again must not be kept.
fn check_readable(connection: &Connection, path: &Path, place: &str, kind: Kind) -> Result<()> {
    let last = [connection.last_insert_rowid()];
    let select = |table: &str| format!("SELECT * FROM {table} WHERE rowid = ?");
    let read = match kind {
        Kind::Metrics | Kind::Minutes | Kind::Hours => return Ok(()),
        Kind::Anomalies => read_all(connection, path, DOING, &select("anomalies"), last, |row| {
            findings::anomaly(row).map(drop)
        }),
        Kind::Predictions => {
            read_all(connection, path, DOING, &select("predictions"), last, |row| {
                findings::prediction(row).map(drop)
            })
        }
        Kind::Patterns => read_all(connection, path, DOING, &select("patterns"), last, |row| {
            findings::pattern(row).map(drop)
        }),
        Kind::Labels => read_all(connection, path, DOING, &select("labels"), last, |row| {
            row.word::<LabelKind>("kind").map(drop)
        }),
        Kind::Silences => read_all(connection, path, DOING, &select("silences"), last, |row| {
            decisions::silence(row).map(drop)
        }),
        Kind::Alerts => read_all(connection, path, DOING, &select("alerts"), last, |row| {
            decisions::alert(row).map(drop)
        }),
        Kind::Recommendations => {
            read_all(connection, path, DOING, &select("recommendations"), last, |row| {
                decisions::recommendation(row).map(drop)
            })
        }
        Kind::Outcomes => read_all(connection, path, DOING, &select("outcomes"), last, |row| {
            decisions::outcome(row).map(drop)
        }),
    };
    read.map(drop).map_err(|e| {
        // The place in the file, not in the database, is where to look.
        let why = e.to_string();
        let column = why.find("column `").map_or(why.as_str(), |at| &why[at..]);
        let column = column.strip_suffix(&format!(" (while {DOING})")).unwrap_or(column);
        Error::invalid_value(place.to_owned(), column.to_owned())
    })
}
