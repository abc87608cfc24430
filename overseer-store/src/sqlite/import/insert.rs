//! A row into its table, unless it is there.

use super::DOING;
use crate::error::Context;
use crate::sqlite::layout::{Layout, is_packed};
use crate::sqlite::marks::Marks;
use crate::sqlite::metrics::quoted;
use crate::sqlite::rows::{Record, read_all};
use crate::sqlite::tiers::{self, Tier};
use crate::sqlite::{actions, decisions, findings, incidents, metadata, patterns, texts};
use crate::transfer::{Kind, Value};
use overseer_core::{Error, LabelKind, Result, Unit};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, ToSql, params_from_iter};
use std::path::Path;

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

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Stored,
    /// It was there already.
    Known,
    /// What it tells is in a summary already, and could not be told apart in it.
    Late,
}

impl Done {
    const fn of(inserted: usize) -> Self {
        if inserted == 0 { Self::Known } else { Self::Stored }
    }
}

/// Whereto rows are inserted, in a transaction that the caller began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Into<'a> {
    pub(super) connection: &'a Connection,
    pub(super) path: &'a Path,
    pub(super) host: i64,
    pub(super) marks: &'a Marks,
}

impl Into<'_> {
    /// Inserts a row that is not there yet.
    pub(super) fn insert(&self, kind: Kind, layout: &Layout, values: &[Value]) -> Result<Done> {
        match kind {
            Kind::Series => self.series(values),
            Kind::Auxiliary | Kind::AuxiliaryHours => self.auxiliary(kind, values),
            Kind::Outcomes => self.outcome(values),
            Kind::Applied => self.applied(values),
            _ => self.plain(kind, layout, values),
        }
    }

    fn execute<'p>(&self, sql: &str, params: impl IntoIterator<Item = &'p Value>) -> Result<usize> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params_from_iter(params)))
            .at(self.path, DOING)
    }

    /// A row of a kind whose columns are those of its table.
    fn plain(&self, kind: Kind, layout: &Layout, values: &[Value]) -> Result<Done> {
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
        let mut params = vec![Value::Integer(self.host)];
        for &i in &chosen {
            params.push(match &values[i] {
                Value::Text(text) | Value::Json(text)
                    if is_packed(kind, &layout.columns[i].name) =>
                {
                    Value::Text(texts::pack(self.connection, text).at(self.path, DOING)?)
                }
                other => other.clone(),
            });
        }
        let inserted = self.execute(&sql, &params)?;
        if inserted > 0
            && let (Kind::Minutes, Value::Integer(start)) = (kind, &values[0])
        {
            let hour = tiers::floor(*start, tiers::HOUR);
            if !tiers::has(self.connection, self.host, Tier::Hours, hour).at(self.path, DOING)? {
                tiers::mark_due(self.connection, self.host, Tier::Hours, hour)
                    .at(self.path, DOING)?;
            }
        }
        Ok(Done::of(inserted))
    }

    /// A series: its name, its instance, its unit and its capacity. That of one which came with its values is not known
    /// yet.
    fn series(&self, values: &[Value]) -> Result<Done> {
        if let Some(Value::Real(capacity)) = values.get(3)
            && *capacity <= 0.0
        {
            return Err(Error::invalid_value("column `capacity`", "it is not above zero"));
        }
        let host = Value::Integer(self.host);
        let all = || std::iter::once(&host).chain(values);
        let inserted = self.execute(
            "INSERT INTO auxiliary_series (host_id, name, instance, unit, capacity) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (host_id, name, instance) DO UPDATE \
             SET capacity = excluded.capacity \
             WHERE capacity IS NULL AND excluded.capacity IS NOT NULL",
            all(),
        )?;
        Ok(Done::of(inserted))
    }

    /// A value of a series, or an hour of one: its time, the series' name, instance and unit, then the numbers.
    fn auxiliary(&self, kind: Kind, values: &[Value]) -> Result<Done> {
        let Some((time, rest)) = values.split_first().filter(|(_, rest)| rest.len() > 3) else {
            return Ok(Done::Known);
        };
        let (series, numbers) = rest.split_at(3);
        let host = Value::Integer(self.host);
        let named = || std::iter::once(&host).chain(series);
        let find = "SELECT series_id FROM auxiliary_series \
                    WHERE host_id = ?1 AND name = ?2 AND instance = ?3";
        let found = || -> Result<Option<i64>> {
            self.connection
                .prepare_cached(find)
                .and_then(|mut statement| {
                    let params = params_from_iter(named().take(3));
                    statement.query_row(params, |row| row.get(0)).optional()
                })
                .at(self.path, DOING)
        };
        let id = match found()? {
            Some(id) => id,
            None => {
                let sql = "INSERT INTO auxiliary_series (host_id, name, instance, unit) \
                           VALUES (?1, ?2, ?3, ?4)";
                self.execute(sql, named())?;
                self.check_unit()?;
                self.connection.last_insert_rowid()
            }
        };
        if let (Kind::Auxiliary, Value::Integer(time)) = (kind, time)
            && *time < self.marks.auxiliary_gone
        {
            let hour = tiers::floor(*time, tiers::HOUR);
            let is_counted = self
                .connection
                .prepare_cached(
                    "SELECT 1 FROM auxiliary_1h \
                     WHERE host_id = ? AND timestamp = ? AND series_id = ?",
                )
                .and_then(|mut statement| statement.exists([self.host, hour, id]))
                .at(self.path, DOING)?;
            if is_counted {
                return Ok(Done::Late);
            }
        }
        let sql = if kind == Kind::Auxiliary {
            "INSERT INTO auxiliary_metrics (host_id, timestamp, series_id, value) \
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"
        } else {
            "INSERT INTO auxiliary_1h (host_id, timestamp, series_id, mean, min, max, count) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING"
        };
        let id = Value::Integer(id);
        let inserted = self.execute(sql, [&host, time, &id].into_iter().chain(numbers))?;
        Ok(Done::of(inserted))
    }

    /// What came of a piece of advice, which is known by its time, feature and action.
    fn outcome(&self, values: &[Value]) -> Result<Done> {
        self.of_advice(
            "INSERT INTO outcomes (host_id, recommendation_id, kind, made_at, before, after, note) \
             SELECT ?1, r.recommendation_id, ?5, ?6, ?7, ?8, ?9",
            "SELECT 1 FROM outcomes AS o WHERE o.host_id = ?1 \
             AND o.recommendation_id = r.recommendation_id AND o.kind IS ?5 AND o.made_at IS ?6 \
             AND o.before IS ?7 AND o.after IS ?8 AND o.note IS ?9",
            "outcome",
            values,
        )
    }

    /// A line of the journal of actions. One that was open is at its end here: this host is not to set anything back
    /// because a file says so.
    fn applied(&self, values: &[Value]) -> Result<Done> {
        let mut values = values.to_vec();
        let is_open = |v: &Value| matches!(v, Value::Text(t) if t == "applying" || t == "watching");
        if values.get(7).is_some_and(is_open) {
            values[7] = Value::Text("stuck".to_owned());
            values[8] = values[6].clone();
            values[11] = Value::Text("imported while it was under way".to_owned());
        }
        self.of_advice(
            "INSERT INTO applied_actions (host_id, recommendation_id, action, knobs_before, \
             knobs_after, applied_at, state, ended_at, before, after, note) \
             SELECT ?1, r.recommendation_id, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13",
            "SELECT 1 FROM applied_actions AS o WHERE o.host_id = ?1 \
             AND o.recommendation_id = r.recommendation_id AND o.action IS ?5 \
             AND o.applied_at IS ?8",
            "applied action",
            &values,
        )
    }

    /// Inserts a row about a piece of advice, the first three values of which say which, unless there is `same`.
    fn of_advice(&self, insert: &str, same: &str, what: &str, values: &[Value]) -> Result<Done> {
        let advice = "FROM recommendations AS r WHERE r.host_id = ?1 AND r.made_at = ?2 \
                      AND r.feature = ?3 AND r.action = ?4";
        let host = Value::Integer(self.host);
        let all = || std::iter::once(&host).chain(values);
        let known = self
            .connection
            .prepare_cached(&format!("SELECT 1 {advice}"))
            .and_then(|mut statement| statement.exists(params_from_iter(all().take(4))))
            .at(self.path, DOING)?;
        if !known {
            return Err(Error::invalid_value(what, "the advice it is of is not there"));
        }
        // Advice that was given twice in one moment is told apart by nothing: it is of the first.
        let sql = format!(
            "{insert} {advice} AND NOT EXISTS (SELECT 1 {advice} AND EXISTS ({same})) \
             ORDER BY r.recommendation_id LIMIT 1"
        );
        self.execute(&sql, all()).map(Done::of)
    }

    /// Makes sure that the unit of the series that was just made is one.
    fn check_unit(&self) -> Result<()> {
        let sql = "SELECT * FROM auxiliary_series WHERE series_id = ?";
        let last = [self.connection.last_insert_rowid()];
        let read = read_all(self.connection, self.path, DOING, sql, last, |row| {
            row.word::<Unit>("unit").map(drop)
        });
        read.map(drop).map_err(|_| Error::invalid_value("column `unit`", "it is no known unit"))
    }

    /// Reads back what was just stored: what could not be read again must not be kept.
    pub(super) fn check_readable(&self, place: &str, kind: Kind, values: &[Value]) -> Result<()> {
        type Check = fn(&Record<'_>) -> Result<()>;
        let (sql, check): (&str, Check) = match kind {
            Kind::Settings | Kind::Metrics | Kind::Minutes | Kind::Hours => return Ok(()),
            // Of these only the series has words of a fixed set, which is read where it is made.
            Kind::Auxiliary | Kind::AuxiliaryHours => return Ok(()),
            Kind::Series => (
                "SELECT * FROM auxiliary_series WHERE host_id = ?1 AND name = ?2 AND instance = ?3",
                |row| row.word::<Unit>("unit").map(drop),
            ),
            Kind::Models => {
                ("SELECT * FROM model_metadata WHERE host_id = ?1 AND name = ?2", |row| {
                    metadata::metadata(row).map(drop)
                })
            }
            Kind::Incidents => (
                "SELECT *, NULL AS labelled FROM incidents WHERE rowid = last_insert_rowid()",
                |row| incidents::incident(row).map(drop),
            ),
            Kind::Anomalies => {
                ("SELECT * FROM anomalies WHERE rowid = last_insert_rowid()", |row| {
                    findings::anomaly(row).map(drop)
                })
            }
            Kind::Predictions => {
                ("SELECT * FROM predictions WHERE rowid = last_insert_rowid()", |row| {
                    findings::prediction(row).map(drop)
                })
            }
            Kind::Patterns => ("SELECT * FROM patterns WHERE rowid = last_insert_rowid()", |row| {
                patterns::pattern(row).map(drop)
            }),
            Kind::Labels => ("SELECT * FROM labels WHERE rowid = last_insert_rowid()", |row| {
                row.word::<LabelKind>("kind").map(drop)
            }),
            Kind::Silences => ("SELECT * FROM silences WHERE rowid = last_insert_rowid()", |row| {
                decisions::silence(row).map(drop)
            }),
            Kind::Alerts => ("SELECT * FROM alerts WHERE rowid = last_insert_rowid()", |row| {
                decisions::alert(row).map(drop)
            }),
            Kind::Recommendations => {
                ("SELECT * FROM recommendations WHERE rowid = last_insert_rowid()", |row| {
                    decisions::recommendation(row).map(drop)
                })
            }
            Kind::Outcomes => ("SELECT * FROM outcomes WHERE rowid = last_insert_rowid()", |row| {
                decisions::outcome(row).map(drop)
            }),
            Kind::Applied => {
                ("SELECT * FROM applied_actions WHERE rowid = last_insert_rowid()", |row| {
                    actions::applied(row).map(drop)
                })
            }
        };
        let keys = match kind {
            Kind::Series => 2,
            Kind::Models => 1,
            _ => 0,
        };
        let host = Value::Integer(self.host);
        let host = std::iter::once(&host).filter(|_| keys > 0);
        let params = params_from_iter(host.chain(&values[..keys]));
        let read = read_all(self.connection, self.path, DOING, sql, params, check);
        read.map(drop).map_err(|e| {
            // The place in the file, not in the database, is where to look.
            let why = e.to_string();
            let column = why.find("column `").map_or(why.as_str(), |at| &why[at..]);
            let column = column.strip_suffix(&format!(" (while {DOING})")).unwrap_or(column);
            Error::invalid_value(place.to_owned(), column.to_owned())
        })
    }
}
