//! Incidents: a row each, changed in place while it goes on.

use super::decisions::optional_time;
use super::findings::Evidence;
use super::rows::{Record, known, read_all, to_json, whole};
use super::{SqliteStore, write};
use crate::error::Context;
use overseer_core::{
    Acknowledgement, Error, Incident, Label, Peak, Result, Timestamp, ToldLast, WhichIncidents,
};
use rusqlite::{Connection, named_params, params};
use std::path::Path;

const STORING: &str = "storing an incident";
const READING: &str = "reading incidents";

/// What a sampler writes; `acknowledged_*` is for whoever acknowledges.
const INSERT: &str = "INSERT INTO incidents (host_id, kind, subject, state, severity, began_at, \
    since, fired_at, peak_at, peak_severity, peak_score, peak_p_value, last_seen, ended_at, \
    samples, alert, silenced, told, told_at, told_severity, features, processes, description, \
    suggested_actions) VALUES (:host_id, :kind, :subject, :state, :severity, :began_at, :since, \
    :fired_at, :peak_at, :peak_severity, :peak_score, :peak_p_value, :last_seen, :ended_at, \
    :samples, :alert, :silenced, :told, :told_at, :told_severity, :features, :processes, \
    :description, :suggested_actions)";

const UPDATE: &str = "UPDATE incidents SET kind = :kind, subject = :subject, state = :state, \
    severity = :severity, began_at = :began_at, since = :since, fired_at = :fired_at, \
    peak_at = :peak_at, peak_severity = :peak_severity, peak_score = :peak_score, \
    peak_p_value = :peak_p_value, last_seen = :last_seen, ended_at = :ended_at, \
    samples = :samples, alert = :alert, silenced = :silenced, told = :told, told_at = :told_at, \
    told_severity = :told_severity, features = :features, processes = :processes, \
    description = :description, suggested_actions = :suggested_actions \
    WHERE host_id = :host_id AND incident_id = :incident_id";

/// The newest label that is of a sample of the incident. That of a hard rule must name its first one, for others of its
/// samples may belong to another incident too.
const LABEL: &str = "SELECT label_id FROM labels l WHERE l.host_id = i.host_id \
    AND (l.anomaly = i.began_at OR (i.kind = 'anomaly' \
    AND l.anomaly BETWEEN i.began_at AND i.last_seen)) \
    ORDER BY l.made_at DESC, l.label_id DESC LIMIT 1";

/// Stores an incident in the transaction that its caller began, and returns its number.
pub(super) fn put(
    connection: &Connection,
    path: &Path,
    host: i64,
    incident: &Incident,
) -> Result<i64> {
    let features = to_json(&incident.features)?;
    let processes = to_json(&incident.processes)?;
    let actions = to_json(&incident.suggested_actions)?;
    let millis = |time: Option<Timestamp>| time.map(Timestamp::as_millis);
    let values = named_params! {
        ":host_id": host,
        ":kind": incident.kind.as_str(),
        ":subject": incident.subject,
        ":state": incident.state.as_str(),
        ":severity": incident.severity.as_str(),
        ":began_at": incident.began_at.as_millis(),
        ":since": millis(incident.since),
        ":fired_at": millis(incident.fired_at),
        ":peak_at": incident.peak.at.as_millis(),
        ":peak_severity": incident.peak.severity.as_str(),
        ":peak_score": known(incident.peak.score),
        ":peak_p_value": known(incident.peak.p_value),
        ":last_seen": incident.last_seen.as_millis(),
        ":ended_at": millis(incident.ended_at),
        ":samples": i64::try_from(incident.samples).unwrap_or(i64::MAX),
        ":alert": incident.alert,
        ":silenced": incident.silenced,
        ":told": incident.told.map(|told| told.reason.as_str()),
        ":told_at": millis(incident.told.map(|told| told.at)),
        ":told_severity": incident.told.map(|told| told.severity.as_str()),
        ":features": features,
        ":processes": processes,
        ":description": incident.description,
        ":suggested_actions": actions,
    };
    if incident.id != 0 {
        let mut with_number = values.to_vec();
        with_number.push((":incident_id", &incident.id));
        let mut statement = connection.prepare_cached(UPDATE).at(path, STORING)?;
        if statement.execute(with_number.as_slice()).at(path, STORING)? > 0 {
            return Ok(incident.id);
        }
        // The database it was in was set aside: it goes on in this one, under another number.
    }
    connection.prepare_cached(INSERT).at(path, STORING)?.execute(values).at(path, STORING)?;
    Ok(connection.last_insert_rowid())
}

impl SqliteStore {
    pub(super) fn write_incident(&mut self, incident: &Incident) -> Result<i64> {
        self.require_host(STORING)?;
        let (path, host) = (&self.path, self.host_id);
        write(&mut self.connection, path, STORING, |transaction| {
            put(transaction, path, host, incident)
        })
    }

    pub(super) fn read_incidents(
        &self,
        which: WhichIncidents,
        limit: usize,
    ) -> Result<Vec<Incident>> {
        let among = match which {
            WhichIncidents::All => "",
            WhichIncidents::Open => "AND state <> 'resolved'",
            WhichIncidents::Notable => "AND (state <> 'resolved' OR fired_at IS NOT NULL)",
            WhichIncidents::Labelled => "AND labelled IS NOT NULL",
            _ => return Err(Error::unsupported("choosing these incidents")),
        };
        let sql = format!(
            "SELECT * FROM (SELECT *, ({LABEL}) AS labelled FROM incidents i WHERE host_id = ?1) \
             LEFT JOIN (SELECT label_id, anomaly AS label_anomaly, kind AS label_kind, \
             made_at AS label_made_at, note AS label_note FROM labels) ON label_id = labelled \
             WHERE true {among} ORDER BY began_at DESC, incident_id DESC LIMIT ?2"
        );
        let params = [self.host_id, whole(limit)];
        read_all(&self.connection, &self.path, READING, &sql, params, incident)
    }

    pub(super) fn read_incident(&self, id: i64) -> Result<Option<Incident>> {
        let sql = format!(
            "SELECT * FROM (SELECT *, ({LABEL}) AS labelled FROM incidents i \
             WHERE host_id = ?1 AND incident_id = ?2) \
             LEFT JOIN (SELECT label_id, anomaly AS label_anomaly, kind AS label_kind, \
             made_at AS label_made_at, note AS label_note FROM labels) ON label_id = labelled"
        );
        let params = [self.host_id, id];
        let found = read_all(&self.connection, &self.path, READING, &sql, params, incident)?;
        Ok(found.into_iter().next())
    }

    pub(super) fn update_acknowledgement(
        &mut self,
        id: i64,
        at: Timestamp,
        note: &str,
    ) -> Result<bool> {
        const DOING: &str = "acknowledging an incident";
        // A sampler that is at work notices and says so; where there is none, the state is right all the same.
        let sql = "UPDATE incidents SET acknowledged_at = ?3, acknowledged_note = ?4, \
                   state = 'acknowledged' \
                   WHERE host_id = ?1 AND incident_id = ?2 AND state <> 'resolved'";
        self.require_host(DOING)?;
        let (path, host) = (&self.path, self.host_id);
        write(&mut self.connection, path, DOING, |transaction| {
            let mut statement = transaction.prepare_cached(sql).at(path, DOING)?;
            let rows =
                statement.execute(params![host, id, at.as_millis(), note]).at(path, DOING)?;
            Ok(rows > 0)
        })
    }

    /// SQLite's number that changes when another connection has written; it reads no page of the database.
    pub(super) fn data_version(&self) -> Result<i64> {
        const DOING: &str = "asking whether something was written";
        self.connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .at(&self.path, DOING)
    }
}

pub(super) fn incident(row: &Record<'_>) -> Result<Incident> {
    let peak = Peak::new(
        row.time("peak_at")?,
        row.word("peak_severity")?,
        row.real("peak_score")?,
        row.real("peak_p_value")?,
    );
    let mut incident = Incident::new(row.word("kind")?, peak);
    incident.id = row.get("incident_id")?;
    incident.subject = row.get("subject")?;
    incident.state = row.word("state")?;
    incident.severity = row.word("severity")?;
    incident.began_at = row.time("began_at")?;
    incident.since = optional_time(row, "since")?;
    incident.fired_at = optional_time(row, "fired_at")?;
    incident.last_seen = row.time("last_seen")?;
    incident.ended_at = optional_time(row, "ended_at")?;
    incident.samples = row.size("samples")? as u64;
    incident.alert = row.get("alert")?;
    incident.silenced = row.get("silenced")?;
    if row.get::<Option<String>>("told")?.is_some() {
        let (reason, severity) = (row.word("told")?, row.word("told_severity")?);
        incident.told = Some(ToldLast::new(reason, row.time("told_at")?, severity));
    }
    if let Some(at) = optional_time(row, "acknowledged_at")? {
        let note: Option<String> = row.get("acknowledged_note")?;
        incident.acknowledged = Some(Acknowledgement::new(at, note.unwrap_or_default()));
    }
    if row.get::<Option<i64>>("labelled")?.is_some() {
        let mut label = Label::new(
            row.time("label_anomaly")?,
            row.word("label_kind")?,
            row.time("label_made_at")?,
        );
        label.note = row.get("label_note")?;
        incident.label = Some(label);
    }
    let features: Vec<Evidence> = row.json("features")?;
    incident.features = features.into_iter().map(Evidence::into_core).collect();
    incident.processes = row.json("processes")?;
    incident.description = row.get("description")?;
    incident.suggested_actions = row.json("suggested_actions")?;
    Ok(incident)
}
