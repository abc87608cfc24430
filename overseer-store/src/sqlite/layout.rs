//! Where rows of each kind lie, and what of them goes into a file. Numbers that mean nothing in another database do not:
//! what refers to another row says what it is known by.

use super::SqliteStore;
use super::metrics::{self, quoted};
use super::tiers::{self, Tier};
use crate::transfer::{Column, Kind, Type};
use overseer_core::{Feature, Schema, Unit};

/// A host's settings that say something elsewhere too, and the names of its features.
const SETTINGS: &str = "(SELECT host_id, key AS setting, CAST(value AS TEXT) AS value FROM installation \
    WHERE key = 'step_ms' UNION ALL SELECT host_id, 'feature', c.name FROM hosts, \
    pragma_table_info('system_metrics') AS c WHERE c.name NOT IN ('host_id', 'timestamp', 'interval_ms'))";

/// Where rows of a kind lie, and what of them is exported.
#[derive(Debug)]
pub(super) struct Layout {
    /// The table into which they are imported.
    pub(super) table: &'static str,
    /// Whence they are exported, as SQL says it.
    pub(super) from: &'static str,
    /// SQL that gives the time by which rows are selected.
    pub(super) time: &'static str,
    /// What orders them, the oldest first.
    pub(super) order: &'static str,
    pub(super) columns: Vec<Column>,
    /// SQL that gives each column.
    pub(super) sources: Vec<String>,
    /// The columns by which a row is known again, where not all of them are.
    pub(super) identity: &'static [&'static str],
}

/// Whether texts of this column are stored by their numbers.
pub(super) fn is_packed(kind: Kind, column: &str) -> bool {
    let packed: &[&str] = match kind {
        Kind::Anomalies => &["description", "features", "suggested_actions"],
        Kind::Predictions => &["driver", "explanation", "features", "recommendations"],
        Kind::Patterns => &["features", "insights", "change_points", "further_rhythms"],
        _ => &[],
    };
    packed.contains(&column)
}

/// The columns of a kind whose columns are always the same; `?` marks those that may be missing.
const fn columns(kind: Kind) -> &'static [(&'static str, Type)] {
    use Type::{Integer, Json, Real, Text};
    match kind {
        Kind::Metrics | Kind::Minutes | Kind::Hours => {
            &[("timestamp", Integer), ("interval_ms", Integer)]
        }
        Kind::Settings => &[("setting", Text), ("value", Text)],
        Kind::Series => &[("name", Text), ("instance", Text), ("unit", Text), ("capacity?", Real)],
        Kind::Auxiliary => &[
            ("timestamp", Integer),
            ("name", Text),
            ("instance", Text),
            ("unit", Text),
            ("value", Real),
        ],
        Kind::AuxiliaryHours => &[
            ("timestamp", Integer),
            ("name", Text),
            ("instance", Text),
            ("unit", Text),
            ("mean", Real),
            ("min", Real),
            ("max", Real),
            ("count", Integer),
        ],
        Kind::Anomalies => &[
            ("timestamp", Integer),
            ("is_anomaly", Integer),
            ("severity", Text),
            ("score?", Real),
            ("p_value?", Real),
            ("confidence", Real),
            ("description", Text),
            ("features", Json),
            ("suggested_actions", Json),
        ],
        Kind::Predictions => &[
            ("timestamp", Integer),
            ("horizon_ms", Integer),
            ("prediction_type", Text),
            ("feature?", Text),
            ("instance?", Text),
            ("driver?", Text),
            ("value?", Real),
            ("lower?", Real),
            ("upper?", Real),
            ("level", Real),
            ("confidence", Real),
            ("explanation", Text),
            ("features", Json),
            ("recommendations", Json),
        ],
        Kind::Patterns => &[
            ("timestamp", Integer),
            ("window_start", Integer),
            ("points", Integer),
            ("pattern_type", Text),
            ("pattern_strength?", Real),
            ("confidence", Real),
            ("volatility?", Real),
            ("period_ms?", Integer),
            ("period_strength?", Real),
            ("period_p_value?", Real),
            ("period_peak?", Integer),
            ("further_rhythms?", Json),
            ("slope_per_hour?", Real),
            ("trend_r_squared?", Real),
            ("trend_p_value?", Real),
            ("trend_coefficients?", Json),
            ("robust_slope_per_hour?", Real),
            ("robust_low?", Real),
            ("robust_high?", Real),
            ("robust_p_value?", Real),
            ("crossing_limit?", Real),
            ("crossing_at?", Integer),
            ("crossing_earliest?", Integer),
            ("crossing_latest?", Integer),
            ("features", Json),
            ("insights", Json),
            ("change_points", Json),
        ],
        Kind::Incidents => &[
            ("kind", Text),
            ("subject", Text),
            ("state", Text),
            ("severity", Text),
            ("began_at", Integer),
            ("since?", Integer),
            ("fired_at?", Integer),
            ("peak_at", Integer),
            ("peak_severity", Text),
            ("peak_score?", Real),
            ("peak_p_value?", Real),
            ("last_seen", Integer),
            ("ended_at?", Integer),
            ("samples", Integer),
            ("alert", Integer),
            ("silenced", Integer),
            ("told?", Text),
            ("told_at?", Integer),
            ("told_severity?", Text),
            ("acknowledged_at?", Integer),
            ("acknowledged_note?", Text),
            ("features", Json),
            ("processes", Json),
            ("description", Text),
            ("suggested_actions", Json),
        ],
        Kind::Labels => {
            &[("anomaly", Integer), ("kind", Text), ("made_at", Integer), ("note", Text)]
        }
        Kind::Silences => &[
            ("kind", Text),
            ("starts_at", Integer),
            ("ends_at", Integer),
            ("recurrence?", Text),
            ("features", Json),
            ("reason", Text),
            ("made_at", Integer),
            ("lifted_at?", Integer),
        ],
        Kind::Alerts => &[
            ("incident", Integer),
            ("state", Text),
            ("severity", Text),
            ("made_at", Integer),
            ("sink", Text),
            ("message", Text),
            ("attempts", Integer),
            ("next_attempt?", Integer),
            ("delivered_at?", Integer),
            ("last_error?", Text),
        ],
        Kind::Recommendations => &[
            ("made_at", Integer),
            ("feature", Text),
            ("priority", Text),
            ("evidence", Text),
            ("action", Text),
            ("catalogue_action?", Text),
            ("processes", Json),
        ],
        Kind::Outcomes => &[
            ("advised_at", Integer),
            ("feature", Text),
            ("action", Text),
            ("kind", Text),
            ("made_at", Integer),
            ("before?", Real),
            ("after?", Real),
            ("note", Text),
        ],
        Kind::Applied => &[
            ("advised_at", Integer),
            ("feature", Text),
            ("advice", Text),
            ("action", Text),
            ("knobs_before", Json),
            ("knobs_after", Json),
            ("applied_at", Integer),
            ("state", Text),
            ("ended_at?", Integer),
            ("before?", Real),
            ("after?", Real),
            ("note", Text),
        ],
        Kind::Models => &[
            ("name", Text),
            ("kind", Text),
            ("algorithm", Text),
            ("trained_at", Integer),
            ("trained_from", Integer),
            ("trained_to", Integer),
            ("rows", Integer),
            ("interval_ms", Integer),
            ("duration_ms?", Real),
            ("provisional", Integer),
            ("schema_fingerprint", Text),
            ("bytes", Integer),
            ("quality", Json),
            ("selection?", Json),
        ],
    }
}

/// Table, time and order of a kind.
const fn place(kind: Kind) -> (&'static str, &'static str, &'static str) {
    // Whoever asks for a time also wants what has none.
    const ALWAYS: &str = "?2";
    match kind {
        Kind::Settings => ("installation", ALWAYS, "setting DESC, value"),
        // The key of samples begins with their interval, so that this order needs no sorting.
        Kind::Metrics => ("system_metrics", "timestamp", "interval_ms, timestamp"),
        Kind::Minutes => (Tier::Minutes.table(), "timestamp", "timestamp"),
        Kind::Hours => (Tier::Hours.table(), "timestamp", "timestamp"),
        Kind::Series => ("auxiliary_series", ALWAYS, "name, instance"),
        Kind::Auxiliary => ("auxiliary_metrics", "timestamp", "timestamp, name, instance"),
        Kind::AuxiliaryHours => ("auxiliary_1h", "timestamp", "timestamp, name, instance"),
        Kind::Anomalies => ("anomalies", "timestamp", "timestamp, anomaly_id"),
        Kind::Predictions => ("predictions", "timestamp", "timestamp, prediction_id"),
        Kind::Patterns => ("patterns", "timestamp", "timestamp, pattern_id"),
        Kind::Incidents => ("incidents", "began_at", "began_at, incident_id"),
        Kind::Labels => ("labels", "anomaly", "anomaly, label_id"),
        Kind::Silences => ("silences", "made_at", "made_at, silence_id"),
        Kind::Alerts => ("alerts", "made_at", "made_at, alert_id"),
        Kind::Recommendations => ("recommendations", "made_at", "made_at, recommendation_id"),
        Kind::Outcomes => ("outcomes", "made_at", "made_at, outcome_id"),
        Kind::Applied => ("applied_actions", "applied_at", "applied_at, applied_id"),
        Kind::Models => ("model_metadata", "trained_at", "trained_at, name"),
    }
}

/// By what a row is known again, where that is not all of it: what may have changed since, or is stored otherwise by other
/// releases, makes no other row of it.
const fn identity(kind: Kind) -> &'static [&'static str] {
    match kind {
        // A host has one judgement a sample.
        Kind::Minutes | Kind::Hours | Kind::Anomalies => &["timestamp"],
        Kind::Incidents => &["kind", "subject", "began_at"],
        Kind::Labels => &["anomaly", "kind", "made_at"],
        Kind::Silences => {
            &["kind", "starts_at", "ends_at", "recurrence", "features", "reason", "made_at"]
        }
        // A message that was delivered since must not be sent once more.
        Kind::Alerts => &["incident", "state", "severity", "made_at", "sink", "message"],
        Kind::Models => &["name"],
        _ => &[],
    }
}

impl SqliteStore {
    /// Where the rows of a kind lie.
    pub(super) fn layout(&self, kind: Kind) -> Layout {
        let (table, time, order) = place(kind);
        let from = if kind == Kind::Settings { SETTINGS } else { table };
        let (mut named, mut sources) = (Vec::new(), Vec::new());
        for &(name, holds) in columns(kind) {
            let column = name.strip_suffix('?');
            let nullable = column.is_some();
            let name = column.unwrap_or(name).to_owned();
            sources.push(format!("{} AS {}", source(kind, &name), quoted(&name)));
            named.push(Column { name, holds, nullable });
        }
        let mut layout =
            Layout { table, from, time, order, columns: named, sources, identity: identity(kind) };
        match kind {
            Kind::Metrics => self.feature_columns(&mut layout),
            Kind::Minutes => self.tier_columns(&mut layout, Tier::Minutes),
            Kind::Hours => self.tier_columns(&mut layout, Tier::Hours),
            _ => {}
        }
        layout
    }

    fn feature_columns(&self, layout: &mut Layout) {
        for feature in self.whole_schema().features() {
            let (name, nullable) = (feature.name.clone(), true);
            layout.columns.push(Column { name, holds: Type::Real, nullable });
            layout.sources.push(self.known_source(&feature.name, quoted(&feature.name)));
        }
    }

    fn tier_columns(&self, layout: &mut Layout, tier: Tier) {
        // Where the interval stands among the fixed columns.
        layout.sources[1] = tier.width().to_string();
        for feature in self.whole_schema().features() {
            let [mean, min, max, count] = tiers::four(&feature.name);
            let parts = [
                ("", mean, Type::Real),
                (tiers::PARTS[0], min, Type::Real),
                (tiers::PARTS[1], max, Type::Real),
                (tiers::PARTS[2], format!("coalesce({count}, 0)"), Type::Integer),
            ];
            for (part, source, holds) in parts {
                let (name, nullable) = (format!("{}{part}", feature.name), holds == Type::Real);
                layout.columns.push(Column { name, holds, nullable });
                layout.sources.push(self.known_source(&feature.name, source));
            }
        }
    }

    /// The schema and after it every feature of an earlier one that has columns still.
    pub(super) fn whole_schema(&self) -> Schema {
        let is_known =
            |name: &str| self.schema.features().iter().any(|f| f.name.eq_ignore_ascii_case(name));
        let earlier = self.features.iter().filter(|c| !metrics::is_key(c) && !is_known(c));
        let earlier = earlier.map(|name| Feature::new(name.clone(), Unit::Unknown));
        let all = self.schema.features().iter().cloned().chain(earlier);
        Schema::new(all.collect()).unwrap_or_else(|_| self.schema.clone())
    }

    /// What gives a feature's column; NULL where the database has none of this name.
    fn known_source(&self, feature: &str, column: String) -> String {
        let is_there = self.features.iter().any(|f| f.eq_ignore_ascii_case(feature));
        if is_there { column } else { "NULL".to_owned() }
    }
}

/// SQL that gives a column: its own name, or by what the row that it refers to is known.
fn source(kind: Kind, column: &str) -> String {
    let of_other = |column: &str, other: &str, key: &str| {
        let (table, _, _) = place(kind);
        format!("(SELECT r.{column} FROM {other} AS r WHERE r.{key} = {table}.{key})")
    };
    let of_advice = |column| of_other(column, "recommendations", "recommendation_id");
    match (kind, column) {
        (Kind::Auxiliary | Kind::AuxiliaryHours, "name" | "instance" | "unit") => {
            of_other(column, "auxiliary_series", "series_id")
        }
        (Kind::Outcomes | Kind::Applied, "advised_at") => of_advice("made_at"),
        (Kind::Outcomes | Kind::Applied, "feature") => of_advice("feature"),
        (Kind::Outcomes, "action") | (Kind::Applied, "advice") => of_advice("action"),
        _ => quoted(column),
    }
}
