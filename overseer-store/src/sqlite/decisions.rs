//! Labels, silences, the outbox of alerts, recommendations and what came of them.
//!
//! Each method is a transaction of its own and reads what any process wrote before it.

use super::rows::{Record, known, read_all, to_json, whole};
use super::{SqliteStore, write};
use crate::error::Context;
use overseer_core::{
    Alert, Delivery, Error, Label, Outcome, Recommendation, Result, Silence, StoredRecommendation,
    Timestamp,
};
use rusqlite::{Connection, Params, named_params, params};

impl SqliteStore {
    /// Runs one statement that writes, and says how many rows it changed and the number of the last one it made.
    pub(super) fn change(
        &mut self,
        doing: &str,
        sql: &str,
        params: impl Params,
    ) -> Result<(usize, i64)> {
        self.require_host(doing)?;
        let path = &self.path;
        write(&mut self.connection, path, doing, |transaction| {
            let mut statement = transaction.prepare_cached(sql).at(path, doing)?;
            let rows = statement.execute(params).at(path, doing)?;
            Ok((rows, transaction.last_insert_rowid()))
        })
    }

    pub(super) fn insert_label(&mut self, label: &Label) -> Result<()> {
        let sql = "INSERT INTO labels (host_id, anomaly, kind, made_at, note) \
                   VALUES (:host_id, :anomaly, :kind, :made_at, :note) \
                   ON CONFLICT (host_id, anomaly, made_at, kind) DO NOTHING";
        let host = self.host_id;
        let params = named_params! {
            ":host_id": host,
            ":anomaly": label.anomaly.as_millis(),
            ":kind": label.kind.as_str(),
            ":made_at": label.made_at.as_millis(),
            ":note": label.note,
        };
        self.change("storing a label", sql, params).map(drop)
    }

    pub(super) fn read_labels(&self, since: Timestamp) -> Result<Vec<Label>> {
        let sql = "SELECT * FROM labels WHERE host_id = ?1 AND anomaly >= ?2 \
                   ORDER BY anomaly, made_at, label_id";
        let params = [self.host_id, since.as_millis()];
        read_all(&self.connection, &self.path, "reading labels", sql, params, |row| {
            let mut label =
                Label::new(row.time("anomaly")?, row.word("kind")?, row.time("made_at")?);
            label.note = row.get("note")?;
            Ok(label)
        })
    }

    pub(super) fn insert_silence(&mut self, silence: &Silence) -> Result<i64> {
        if silence.ends_at <= silence.starts_at {
            return Err(Error::invalid_parameter("ends_at", "must be after the silence's start"));
        }
        let sql = "INSERT INTO silences (host_id, kind, starts_at, ends_at, recurrence, features, \
                   reason, made_at, lifted_at) VALUES (:host_id, :kind, :starts_at, :ends_at, \
                   :recurrence, :features, :reason, :made_at, :lifted_at)";
        let features = to_json(&silence.features)?;
        let host = self.host_id;
        let params = named_params! {
            ":host_id": host,
            ":kind": silence.kind.as_str(),
            ":starts_at": silence.starts_at.as_millis(),
            ":ends_at": silence.ends_at.as_millis(),
            ":recurrence": silence.recurrence,
            ":features": features,
            ":reason": silence.reason,
            ":made_at": silence.made_at.as_millis(),
            ":lifted_at": silence.lifted_at.map(Timestamp::as_millis),
        };
        self.change("storing a silence", sql, params).map(|(_, id)| id)
    }

    pub(super) fn update_silence(&mut self, id: i64, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE silences SET lifted_at = ?3 \
                   WHERE host_id = ?1 AND silence_id = ?2 AND lifted_at IS NULL";
        let params = [self.host_id, id, at.as_millis()];
        self.change("ending a silence", sql, params).map(|(rows, _)| rows > 0)
    }

    pub(super) fn read_silences(&self, now: Timestamp) -> Result<Vec<Silence>> {
        let sql = "SELECT * FROM silences WHERE host_id = ?1 AND lifted_at IS NULL \
                   AND (ends_at > ?2 OR recurrence IS NOT NULL) ORDER BY silence_id";
        let params = [self.host_id, now.as_millis()];
        read_all(&self.connection, &self.path, "reading silences", sql, params, silence)
    }

    pub(super) fn read_silences_since(&self, since: Timestamp) -> Result<Vec<Silence>> {
        let sql = "SELECT * FROM silences WHERE host_id = ?1 AND (lifted_at IS NULL OR lifted_at > ?2) \
                   AND (ends_at > ?2 OR recurrence IS NOT NULL) ORDER BY silence_id";
        let params = [self.host_id, since.as_millis()];
        read_all(&self.connection, &self.path, "reading silences", sql, params, silence)
    }

    pub(super) fn insert_alert(&mut self, alert: &Alert) -> Result<i64> {
        const DOING: &str = "storing an alert";
        self.require_host(DOING)?;
        let (path, host) = (&self.path, self.host_id);
        write(&mut self.connection, path, DOING, |transaction| {
            let number = add_alert(transaction, host, alert).at(path, DOING)?;
            bound_outbox(transaction, host, &alert.sink).at(path, DOING)?;
            Ok(number)
        })
    }

    pub(super) fn read_waiting(&self, now: Timestamp, limit: usize) -> Result<Vec<Alert>> {
        let sql = "SELECT * FROM alerts WHERE host_id = ?1 AND next_attempt <= ?2 \
                   ORDER BY next_attempt, alert_id LIMIT ?3";
        let params = [self.host_id, now.as_millis(), whole(limit)];
        read_all(&self.connection, &self.path, "reading the outbox", sql, params, alert)
    }

    pub(super) fn read_waiting_sinks(&self) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT sink FROM alerts WHERE host_id = ?1 \
                   AND next_attempt IS NOT NULL ORDER BY sink";
        let params = [self.host_id];
        let doing = "reading the outbox";
        read_all(&self.connection, &self.path, doing, sql, params, |row| row.get("sink"))
    }

    pub(super) fn read_waiting_for(&self, sink: &str, limit: usize) -> Result<Vec<Alert>> {
        let sql = "SELECT * FROM alerts WHERE host_id = ?1 AND next_attempt IS NOT NULL \
                   AND sink = ?2 ORDER BY alert_id LIMIT ?3";
        let params = params![self.host_id, sink, whole(limit)];
        read_all(&self.connection, &self.path, "reading the outbox", sql, params, alert)
    }

    pub(super) fn read_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        let sql = "SELECT * FROM alerts WHERE host_id = ?1 \
                   ORDER BY made_at DESC, alert_id DESC LIMIT ?2";
        let params = [self.host_id, whole(limit)];
        read_all(&self.connection, &self.path, "reading alerts", sql, params, alert)
    }

    pub(super) fn update_alert(&mut self, id: i64, delivery: &Delivery) -> Result<bool> {
        const DOING: &str = "noting what became of an alert";
        let host = self.host_id;
        let changed = match delivery {
            Delivery::Delivered { at } => self.change(
                DOING,
                "UPDATE alerts SET attempts = attempts + 1, delivered_at = ?3, \
                 next_attempt = NULL WHERE host_id = ?1 AND alert_id = ?2 \
                 AND delivered_at IS NULL",
                params![host, id, at.as_millis()],
            ),
            Delivery::Failed { error, retry_at } => self.change(
                DOING,
                "UPDATE alerts SET attempts = attempts + 1, last_error = ?3, next_attempt = ?4 \
                 WHERE host_id = ?1 AND alert_id = ?2 AND delivered_at IS NULL",
                params![host, id, error, retry_at.map(Timestamp::as_millis)],
            ),
            _ => return Err(Error::unsupported("this way of delivering an alert")),
        };
        changed.map(|(rows, _)| rows > 0)
    }

    pub(super) fn insert_recommendation(
        &mut self,
        made_at: Timestamp,
        catalogue_action: Option<&str>,
        advice: &Recommendation,
    ) -> Result<i64> {
        let sql = "INSERT INTO recommendations (host_id, made_at, feature, priority, evidence, \
                   action, catalogue_action, processes) VALUES (:host_id, :made_at, :feature, \
                   :priority, :evidence, :action, :catalogue_action, :processes)";
        let processes = to_json(&advice.processes)?;
        let host = self.host_id;
        let params = named_params! {
            ":host_id": host,
            ":made_at": made_at.as_millis(),
            ":feature": advice.feature,
            ":priority": advice.priority.as_str(),
            ":evidence": advice.evidence,
            ":action": advice.action,
            ":catalogue_action": catalogue_action,
            ":processes": processes,
        };
        self.change("storing a recommendation", sql, params).map(|(_, id)| id)
    }

    pub(super) fn read_recommendations(&self, limit: usize) -> Result<Vec<StoredRecommendation>> {
        let sql = "SELECT * FROM recommendations WHERE host_id = ?1 \
                   ORDER BY made_at DESC, recommendation_id DESC LIMIT ?2";
        let params = [self.host_id, whole(limit)];
        let doing = "reading recommendations";
        read_all(&self.connection, &self.path, doing, sql, params, recommendation)
    }

    pub(super) fn insert_outcome(&mut self, outcome: &Outcome) -> Result<()> {
        // Only of this host's own recommendations.
        let sql = "INSERT INTO outcomes (host_id, recommendation_id, kind, made_at, before, \
                   after, note) SELECT host_id, recommendation_id, :kind, :made_at, :before, \
                   :after, :note FROM recommendations WHERE host_id = :host_id \
                   AND recommendation_id = :recommendation";
        let host = self.host_id;
        let params = named_params! {
            ":host_id": host,
            ":recommendation": outcome.recommendation,
            ":kind": outcome.kind.as_str(),
            ":made_at": outcome.made_at.as_millis(),
            ":before": known(outcome.measured.0),
            ":after": known(outcome.measured.1),
            ":note": outcome.note,
        };
        match self.change("storing an outcome", sql, params)? {
            (0, _) => Err(Error::invalid_parameter(
                "recommendation",
                format!("there is none with the number {}", outcome.recommendation),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn read_outcomes(&self) -> Result<Vec<Outcome>> {
        let sql = "SELECT * FROM outcomes WHERE host_id = ?1 ORDER BY made_at, outcome_id";
        let params = [self.host_id];
        read_all(&self.connection, &self.path, "reading outcomes", sql, params, outcome)
    }
}

pub(super) fn silence(row: &Record<'_>) -> Result<Silence> {
    let mut silence = Silence::new(
        row.word("kind")?,
        row.time("starts_at")?,
        row.time("ends_at")?,
        row.time("made_at")?,
    );
    silence.id = row.get("silence_id")?;
    silence.recurrence = row.get("recurrence")?;
    silence.features = row.json("features")?;
    silence.reason = row.get("reason")?;
    silence.lifted_at = optional_time(row, "lifted_at")?;
    Ok(silence)
}

pub(super) fn recommendation(row: &Record<'_>) -> Result<StoredRecommendation> {
    let mut advice = Recommendation::new(
        row.get::<String>("feature")?,
        row.word("priority")?,
        row.get::<String>("evidence")?,
        row.get::<String>("action")?,
    );
    advice.processes = row.json("processes")?;
    let id = row.get("recommendation_id")?;
    let made_at = row.time("made_at")?;
    Ok(StoredRecommendation::new(id, made_at, row.get("catalogue_action")?, advice))
}

pub(super) fn outcome(row: &Record<'_>) -> Result<Outcome> {
    let id = row.get("recommendation_id")?;
    let mut outcome = Outcome::new(id, row.word("kind")?, row.time("made_at")?);
    outcome.measured = (row.real("before")?, row.real("after")?);
    outcome.note = row.get("note")?;
    Ok(outcome)
}

/// Puts a message into the outbox, in the transaction that its caller began, and returns its number.
pub(super) fn add_alert(
    connection: &Connection,
    host: i64,
    alert: &Alert,
) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO alerts (host_id, incident, state, severity, made_at, sink, message, \
               attempts, next_attempt, delivered_at, last_error) VALUES (:host_id, :incident, \
               :state, :severity, :made_at, :sink, :message, :attempts, :next_attempt, \
               :delivered_at, :last_error)";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":host_id": host,
        ":incident": alert.incident.as_millis(),
        ":state": alert.state.as_str(),
        ":severity": alert.severity.as_str(),
        ":made_at": alert.made_at.as_millis(),
        ":sink": alert.sink,
        ":message": alert.message,
        ":attempts": alert.attempts,
        ":next_attempt": alert.next_attempt.map(Timestamp::as_millis),
        ":delivered_at": alert.delivered_at.map(Timestamp::as_millis),
        ":last_error": alert.last_error,
    })?;
    Ok(connection.last_insert_rowid())
}

/// How many messages may wait for one sink.
pub(super) const MOST_WAITING: i64 = 1000;

/// Gives up the oldest messages for a sink where more wait than may: they stay in the table, with the reason.
pub(super) fn bound_outbox(connection: &Connection, host: i64, sink: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE alerts SET next_attempt = NULL, \
               last_error = 'given up: more than ' || ?2 || ' messages waited' \
               WHERE host_id = ?1 AND sink = ?3 AND next_attempt IS NOT NULL AND alert_id <= \
               (SELECT alert_id FROM alerts \
               WHERE host_id = ?1 AND sink = ?3 AND next_attempt IS NOT NULL \
               ORDER BY alert_id DESC LIMIT 1 OFFSET ?2)";
    connection.prepare_cached(sql)?.execute(params![host, MOST_WAITING, sink]).map(drop)
}

pub(super) fn optional_time(row: &Record<'_>, column: &str) -> Result<Option<Timestamp>> {
    Ok(row.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
}

pub(super) fn alert(row: &Record<'_>) -> Result<Alert> {
    let mut alert = Alert::new(
        row.time("incident")?,
        row.word("state")?,
        row.word("severity")?,
        row.time("made_at")?,
        row.get::<String>("sink")?,
        row.get::<String>("message")?,
    );
    alert.id = row.get("alert_id")?;
    alert.attempts = row.get("attempts")?;
    alert.next_attempt = optional_time(row, "next_attempt")?;
    alert.delivered_at = optional_time(row, "delivered_at")?;
    alert.last_error = row.get("last_error")?;
    Ok(alert)
}
