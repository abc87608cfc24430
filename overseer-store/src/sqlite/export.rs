//! Rows out, one after the other, from one snapshot of the database.

use super::metrics::quoted;
use super::tiers::{self, Tier};
use super::{SqliteStore, texts};
use crate::error::Context;
use crate::transfer::{Column, Kind, RowWriter, Selection, Type, Value};
use overseer_core::Result;
use rusqlite::params;
use rusqlite::types::ValueRef;

const DOING: &str = "exporting";

/// How often progress is told.
const ROWS_BETWEEN: u64 = 1000;

/// Where rows of a kind lie, and what of them is exported.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) table: &'static str,
    /// The column by which rows are selected and ordered.
    pub(super) time: &'static str,
    /// What tells rows of one time apart.
    order: &'static str,
    pub(super) columns: Vec<Column>,
    /// SQL that gives each column.
    sources: Vec<String>,
    /// The columns by which a row is known again, where not all of them are.
    pub(super) identity: &'static [&'static str],
}

/// Whether texts of this column are stored by their numbers.
pub(super) fn is_packed(kind: Kind, column: &str) -> bool {
    let packed: &[&str] = match kind {
        Kind::Anomalies => &["description", "features", "suggested_actions"],
        Kind::Predictions => &["driver", "explanation", "features", "recommendations"],
        Kind::Patterns => &["features", "insights", "change_points"],
        _ => &[],
    };
    packed.contains(&column)
}

fn column(name: impl Into<String>, holds: Type, nullable: bool) -> Column {
    Column { name: name.into(), holds, nullable }
}

impl SqliteStore {
    /// Where the rows of a kind lie. The host's number and the row's own are not exported: they mean nothing elsewhere.
    pub(super) fn layout(&self, kind: Kind) -> Layout {
        use Type::{Integer, Json, Real, Text};
        let fixed = |table, time, order, list: &[(&str, Type, bool)]| {
            let columns: Vec<Column> =
                list.iter().map(|&(name, holds, nullable)| column(name, holds, nullable)).collect();
            let sources = columns.iter().map(|c| quoted(&c.name)).collect();
            Layout { table, time, order, columns, sources, identity: &[] }
        };
        match kind {
            Kind::Metrics => {
                let mut layout = fixed(
                    "system_metrics",
                    "timestamp",
                    "interval_ms",
                    &[("timestamp", Integer, false), ("interval_ms", Integer, false)],
                );
                for feature in self.schema.features() {
                    layout.columns.push(column(&feature.name, Real, true));
                    layout.sources.push(self.source(&feature.name, quoted(&feature.name)));
                }
                layout
            }
            Kind::Minutes => self.tier_layout(Tier::Minutes),
            Kind::Hours => self.tier_layout(Tier::Hours),
            Kind::Anomalies => {
                let mut layout = fixed(
                    "anomalies",
                    "timestamp",
                    "anomaly_id",
                    &[
                        ("timestamp", Integer, false),
                        ("is_anomaly", Integer, false),
                        ("severity", Text, false),
                        ("score", Real, true),
                        ("p_value", Real, true),
                        ("confidence", Real, false),
                        ("description", Text, false),
                        ("features", Json, false),
                        ("suggested_actions", Json, false),
                    ],
                );
                // A host has one judgement a sample, and earlier releases stored its texts in another form.
                layout.identity = &["timestamp"];
                layout
            }
            Kind::Predictions => fixed(
                "predictions",
                "timestamp",
                "prediction_id",
                &[
                    ("timestamp", Integer, false),
                    ("horizon_ms", Integer, false),
                    ("prediction_type", Text, false),
                    ("feature", Text, true),
                    ("instance", Text, true),
                    ("driver", Text, true),
                    ("value", Real, true),
                    ("lower", Real, true),
                    ("upper", Real, true),
                    ("level", Real, false),
                    ("confidence", Real, false),
                    ("explanation", Text, false),
                    ("features", Json, false),
                    ("recommendations", Json, false),
                ],
            ),
            Kind::Patterns => fixed(
                "patterns",
                "timestamp",
                "pattern_id",
                &[
                    ("timestamp", Integer, false),
                    ("window_start", Integer, false),
                    ("points", Integer, false),
                    ("pattern_type", Text, false),
                    ("pattern_strength", Real, true),
                    ("confidence", Real, false),
                    ("period_ms", Integer, true),
                    ("period_strength", Real, true),
                    ("slope_per_hour", Real, true),
                    ("trend_r_squared", Real, true),
                    ("trend_p_value", Real, true),
                    ("trend_coefficients", Json, true),
                    ("features", Json, false),
                    ("insights", Json, false),
                    ("change_points", Json, false),
                ],
            ),
            Kind::Labels => fixed(
                "labels",
                "anomaly",
                "label_id",
                &[
                    ("anomaly", Integer, false),
                    ("kind", Text, false),
                    ("made_at", Integer, false),
                    ("note", Text, false),
                ],
            ),
            Kind::Silences => {
                let mut layout = fixed(
                    "silences",
                    "made_at",
                    "silence_id",
                    &[
                        ("kind", Text, false),
                        ("starts_at", Integer, false),
                        ("ends_at", Integer, false),
                        ("recurrence", Text, true),
                        ("features", Json, false),
                        ("reason", Text, false),
                        ("made_at", Integer, false),
                        ("lifted_at", Integer, true),
                    ],
                );
                layout.identity = &[
                    "kind",
                    "starts_at",
                    "ends_at",
                    "recurrence",
                    "features",
                    "reason",
                    "made_at",
                ];
                layout
            }
            Kind::Alerts => {
                let mut layout = fixed(
                    "alerts",
                    "made_at",
                    "alert_id",
                    &[
                        ("incident", Integer, false),
                        ("state", Text, false),
                        ("severity", Text, false),
                        ("made_at", Integer, false),
                        ("sink", Text, false),
                        ("message", Text, false),
                        ("attempts", Integer, false),
                        ("next_attempt", Integer, true),
                        ("delivered_at", Integer, true),
                        ("last_error", Text, true),
                    ],
                );
                // A message that was delivered since must not be sent once more.
                layout.identity = &["incident", "state", "severity", "made_at", "sink", "message"];
                layout
            }
            Kind::Recommendations => fixed(
                "recommendations",
                "made_at",
                "recommendation_id",
                &[
                    ("made_at", Integer, false),
                    ("feature", Text, false),
                    ("priority", Text, false),
                    ("evidence", Text, false),
                    ("action", Text, false),
                    ("catalogue_action", Text, true),
                    ("processes", Json, false),
                ],
            ),
            Kind::Outcomes => {
                let mut layout = fixed(
                    "outcomes",
                    "made_at",
                    "outcome_id",
                    &[
                        ("advised_at", Integer, false),
                        ("feature", Text, false),
                        ("action", Text, false),
                        ("kind", Text, false),
                        ("made_at", Integer, false),
                        ("before", Real, true),
                        ("after", Real, true),
                        ("note", Text, false),
                    ],
                );
                // Elsewhere the advice has another number: it is known again by its time, feature and action.
                for (source, column) in
                    layout.sources.iter_mut().zip(["made_at", "feature", "action"])
                {
                    *source = format!(
                        "(SELECT r.{column} FROM recommendations AS r \
                         WHERE r.recommendation_id = outcomes.recommendation_id)"
                    );
                }
                layout
            }
        }
    }

    fn tier_layout(&self, tier: Tier) -> Layout {
        let mut layout = Layout {
            table: tier.table(),
            time: "timestamp",
            order: "timestamp",
            columns: vec![
                column("timestamp", Type::Integer, false),
                column("interval_ms", Type::Integer, false),
            ],
            sources: vec!["timestamp".to_owned(), tier.width().to_string()],
            identity: &["timestamp"],
        };
        for feature in self.schema.features() {
            let [mean, min, max, count] = tiers::four(&feature.name);
            let parts = [
                ("", mean, Type::Real),
                (tiers::PARTS[0], min, Type::Real),
                (tiers::PARTS[1], max, Type::Real),
                (tiers::PARTS[2], format!("coalesce({count}, 0)"), Type::Integer),
            ];
            for (part, source, holds) in parts {
                let name = format!("{}{part}", feature.name);
                layout.columns.push(column(name, holds, holds == Type::Real));
                layout.sources.push(self.source(&feature.name, source));
            }
        }
        layout
    }

    /// What gives a feature's column; NULL where the database has none of this name.
    fn source(&self, feature: &str, column: String) -> String {
        let is_there = self.features.iter().any(|f| f.eq_ignore_ascii_case(feature));
        if is_there { column } else { "NULL".to_owned() }
    }

    /// Writes every selected row, kind after kind, the oldest first.
    pub(crate) fn export_rows(
        &self,
        selection: &Selection,
        writer: &mut dyn RowWriter,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64> {
        let path = &self.path;
        let _snapshot = self.connection.unchecked_transaction().at(path, DOING)?;
        let range = params![self.host_id, selection.from.as_millis(), selection.to.as_millis()];
        let mut total: u64 = 0;
        for &kind in &selection.kinds {
            let Layout { table, time, .. } = self.layout(kind);
            let sql = format!(
                "SELECT count(*) FROM {table} WHERE host_id = ?1 AND {time} BETWEEN ?2 AND ?3"
            );
            let rows: i64 =
                self.connection.query_row(&sql, range, |row| row.get(0)).at(path, DOING)?;
            total += rows.unsigned_abs();
        }
        progress(0, total);
        let mut done: u64 = 0;
        let mut values = Vec::new();
        for &kind in &selection.kinds {
            let layout = self.layout(kind);
            writer.begin(kind, &layout.columns)?;
            let Layout { table, time, order, .. } = layout;
            // The key of samples begins with their interval, so that order needs no sorting.
            let order = if kind == Kind::Metrics {
                "interval_ms, timestamp".to_owned()
            } else {
                format!("{time}, {order}")
            };
            let sql = format!(
                "SELECT {} FROM {table} WHERE host_id = ?1 AND {time} BETWEEN ?2 AND ?3 ORDER BY {order}",
                layout.sources.join(", ")
            );
            let mut statement = self.connection.prepare(&sql).at(path, DOING)?;
            let mut rows = statement.query(range).at(path, DOING)?;
            while let Some(row) = rows.next().at(path, DOING)? {
                values.clear();
                for (i, column) in layout.columns.iter().enumerate() {
                    let value = row.get_ref(i).at(path, DOING)?;
                    values.push(self.value(kind, column, value)?);
                }
                writer.row(&values)?;
                done += 1;
                if done.is_multiple_of(ROWS_BETWEEN) {
                    progress(done, total);
                }
            }
        }
        progress(done, total);
        Ok(done)
    }

    fn value(&self, kind: Kind, column: &Column, value: ValueRef<'_>) -> Result<Value> {
        let text = |bytes: &[u8]| -> Result<String> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if !is_packed(kind, &column.name) {
                return Ok(text);
            }
            texts::unpack(&self.connection, &self.path, text)
        };
        Ok(match (column.holds, value) {
            (_, ValueRef::Null) => Value::Null,
            (Type::Real, ValueRef::Integer(n)) => Value::Real(n as f64),
            (_, ValueRef::Integer(n)) => Value::Integer(n),
            (_, ValueRef::Real(x)) if x.is_finite() => Value::Real(x),
            (_, ValueRef::Real(_)) => Value::Null,
            (Type::Json, ValueRef::Text(bytes)) => Value::Json(text(bytes)?),
            (_, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Value::Text(text(bytes)?),
        })
    }
}
