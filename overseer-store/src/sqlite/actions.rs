//! The journal of applied actions.

use super::SqliteStore;
use super::decisions::optional_time;
use super::rows::{Record, known, read_all, to_json, whole};
use overseer_core::{AppliedAction, Error, Result, Timestamp};
use rusqlite::named_params;

impl SqliteStore {
    pub(super) fn write_applied(&mut self, applied: &AppliedAction) -> Result<i64> {
        let sql = if applied.id == 0 {
            // Only of this host's own recommendations.
            "INSERT INTO applied_actions (host_id, recommendation_id, action, knobs_before, \
             knobs_after, applied_at, state, ended_at, before, after, note) \
             SELECT host_id, recommendation_id, :action, :knobs_before, :knobs_after, \
             :applied_at, :state, :ended_at, :before, :after, :note FROM recommendations \
             WHERE host_id = :host_id AND recommendation_id = :of AND :id = 0"
        } else {
            "UPDATE applied_actions SET recommendation_id = :of, action = :action, \
             knobs_before = :knobs_before, knobs_after = :knobs_after, \
             applied_at = :applied_at, state = :state, ended_at = :ended_at, before = :before, \
             after = :after, note = :note WHERE host_id = :host_id AND applied_id = :id"
        };
        let (before, after) = (to_json(&applied.before)?, to_json(&applied.after)?);
        let host = self.host_id;
        let params = named_params! {
            ":id": applied.id,
            ":host_id": host,
            ":of": applied.recommendation,
            ":action": applied.action,
            ":knobs_before": before,
            ":knobs_after": after,
            ":applied_at": applied.applied_at.as_millis(),
            ":state": applied.state.as_str(),
            ":ended_at": applied.ended_at.map(Timestamp::as_millis),
            ":before": known(applied.measured.0),
            ":after": known(applied.measured.1),
            ":note": applied.note,
        };
        match self.change("writing the journal of actions", sql, params)? {
            (0, _) if applied.id == 0 => Err(Error::invalid_parameter(
                "recommendation",
                format!("there is none with the number {}", applied.recommendation),
            )),
            (0, _) => Err(Error::invalid_parameter(
                "id",
                format!("the journal has no line of the number {}", applied.id),
            )),
            (_, made) => Ok(if applied.id == 0 { made } else { applied.id }),
        }
    }

    pub(super) fn read_applied(&self, limit: usize) -> Result<Vec<AppliedAction>> {
        let sql = "SELECT * FROM applied_actions WHERE host_id = ?1 \
                   ORDER BY applied_at DESC, applied_id DESC LIMIT ?2";
        let params = [self.host_id, whole(limit)];
        let doing = "reading the journal of actions";
        read_all(&self.connection, &self.path, doing, sql, params, applied)
    }
}

pub(super) fn applied(row: &Record<'_>) -> Result<AppliedAction> {
    let mut applied = AppliedAction::new(
        row.get("recommendation_id")?,
        row.get::<String>("action")?,
        row.json("knobs_before")?,
        row.json("knobs_after")?,
        row.time("applied_at")?,
    );
    applied.id = row.get("applied_id")?;
    applied.state = row.word("state")?;
    applied.ended_at = optional_time(row, "ended_at")?;
    applied.measured = (row.real("before")?, row.real("after")?);
    applied.note = row.get("note")?;
    Ok(applied)
}
