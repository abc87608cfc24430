//! Samples, findings and what is known of the models, in one SQLite database.
//!
//! The database is write-ahead logged with `synchronous=NORMAL`: what was committed survives the end of the process
//! however it comes, a power cut may cost the last moments but never leaves the database damaged, and readers beside
//! a running sampler are never blocked.
//!
//! # What becomes of a sample, whatever its time
//!
//! | its time | outcome |
//! |---|---|
//! | after all others, also in the future | stored; summarised once its minute is over by the clock that upkeep is given |
//! | before others: out of order, or after a clock was set back | stored in its place; its minute and hour are summarised once more |
//! | that of a stored sample of the same interval | the stored one is kept, and it is counted as a duplicate |
//! | in a minute whose samples were summarised and removed | not stored, and counted as late, for it may be one of them |
//! | beyond ±2⁶² ms, a hundred million years | stored, never summarised, never removed |
//!
//! When the clock jumps by more than a week ahead or a minute back between two times of upkeep, nothing expires for a
//! day: a clock that is wrong for hours costs no history.

mod actions;
mod auxiliary;
mod decisions;
mod export;
mod findings;
mod import;
mod incidents;
mod layout;
mod marks;
mod metadata;
mod metrics;
mod migrate;
mod open;
mod patterns;
mod retention;
mod rows;
mod session;
mod summaries;
mod sums;
mod texts;
mod tiers;
mod upkeep;
mod verify;

pub use migrate::FORMAT_VERSION;
pub use open::{Opened, SqliteOptions};
pub use retention::Retention;
pub use verify::Verified;

use crate::error::{Context, unavailable};
use crate::in_place::InPlace;
use overseer_core::{
    Alert, AnomalyDetection, Appended, AppliedAction, Auxiliary, AuxiliaryQuery, AuxiliarySeries,
    Delivery, Frame, Incident, Label, Maintenance, ModelMetadata, Outcome, PatternAnalysis,
    Prediction, Recommendation, Result, Sample, SampleQuery, Schema, Silence, Span, Store,
    StoredCounts, StoredRecommendation, Summary, SummaryQuery, TickRecord, Timestamp,
    WhichIncidents,
};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The memory of one host in a database that may hold many.
///
/// Findings are read newest first by their time (a pattern's is the end of its window), and among those of one time
/// the one recorded last comes first. An infinite number inside a finding's lists is kept as missing.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Which file that was when it was opened.
    file: InPlace,
    schema: Schema,
    /// The features that have a column, of this schema and of any before it.
    features: Vec<String>,
    sql: metrics::Statements,
    tiers: tiers::Statements,
    retention: Retention,
    upkeep: upkeep::Upkeep,
    /// Whether free pages can be given back; of a database of an old format they are only used again.
    gives_back: bool,
    session: session::Session,
    /// The key of `hosts`; [`NO_HOST`] if a database open for reading does not know this host.
    host_id: i64,
    /// The name of this host.
    host: String,
}

/// What no row has as its `host_id`, for SQLite numbers rows from 1.
const NO_HOST: i64 = 0;

impl SqliteStore {
    /// Opens or makes a database with the default [`SqliteOptions`].
    ///
    /// # Errors
    /// As [`SqliteOptions::open`].
    pub fn open(path: &Path, schema: &Schema, host: &str) -> Result<Self> {
        SqliteOptions::new().open(path, schema, host)
    }

    /// Opens or makes a database and sets a damaged one aside, with the default [`SqliteOptions`].
    ///
    /// # Errors
    /// As [`SqliteOptions::open_or_set_aside`].
    pub fn open_or_set_aside(path: &Path, schema: &Schema, host: &str) -> Result<Opened> {
        SqliteOptions::new().open_or_set_aside(path, schema, host)
    }

    /// Opens a database that may not be written, with the default [`SqliteOptions`].
    ///
    /// # Errors
    /// As [`SqliteOptions::open_read_only`].
    pub fn open_read_only(path: &Path, schema: &Schema, host: &str) -> Result<Self> {
        SqliteOptions::new().open_read_only(path, schema, host)
    }

    /// The database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The features that samples are stored and read with.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

/// Does `work` in one transaction: all of it or, on an error, nothing.
///
/// The lock for writing is taken at the start, where SQLite waits for it, and not in the middle, where it cannot.
fn write<T>(
    connection: &mut Connection,
    path: &Path,
    doing: &str,
    work: impl FnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).at(path, doing)?;
    let done = work(&transaction)?;
    transaction.commit().at(path, doing)?;
    Ok(done)
}

impl Store for SqliteStore {
    fn append(&mut self, interval: Span, samples: &[Sample]) -> Result<Appended> {
        self.append_samples(interval, samples)
    }

    fn samples(&mut self, query: &SampleQuery) -> Result<Frame> {
        self.read_samples(query)
    }

    fn append_auxiliary(&mut self, at: Timestamp, values: &[Auxiliary]) -> Result<()> {
        self.insert_auxiliary(at, values)
    }

    fn auxiliary(&mut self, query: &AuxiliaryQuery) -> Result<Vec<AuxiliarySeries>> {
        self.read_auxiliary(query)
    }

    fn record(
        &mut self,
        anomalies: &[AnomalyDetection],
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
    ) -> Result<()> {
        let mut tick = TickRecord::default();
        (tick.anomalies, tick.predictions, tick.patterns) = (anomalies, predictions, patterns);
        self.record_all(&tick).map(drop)
    }

    fn record_and_queue(
        &mut self,
        anomalies: &[AnomalyDetection],
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
        alerts: &[Alert],
    ) -> Result<Vec<i64>> {
        let mut tick = TickRecord::default();
        (tick.anomalies, tick.predictions, tick.patterns) = (anomalies, predictions, patterns);
        tick.alerts = alerts;
        self.record_all(&tick).map(|(_, alerts)| alerts)
    }

    fn record_tick(&mut self, tick: &TickRecord<'_>) -> Result<Vec<i64>> {
        self.record_all(tick).map(|(incidents, _)| incidents)
    }

    fn put_incident(&mut self, incident: &Incident) -> Result<i64> {
        self.write_incident(incident)
    }

    fn incidents(&mut self, which: WhichIncidents, limit: usize) -> Result<Vec<Incident>> {
        self.read_incidents(which, limit)
    }

    fn incident(&mut self, id: i64) -> Result<Option<Incident>> {
        self.read_incident(id)
    }

    fn acknowledge_incident(&mut self, id: i64, at: Timestamp, note: &str) -> Result<bool> {
        self.update_acknowledgement(id, at, note)
    }

    fn revision(&mut self) -> Result<Option<i64>> {
        self.data_version().map(Some)
    }

    fn check_place(&mut self) -> Result<()> {
        match self.file.lost() {
            None => Ok(()),
            Some(became) => Err(unavailable(
                &self.path,
                &format!("it {became}: what was stored before may be gone with it"),
                "looking whether it is still there",
            )),
        }
    }

    fn anomalies(&mut self, limit: usize) -> Result<Vec<AnomalyDetection>> {
        self.read_anomalies(findings::ALWAYS, limit)
    }

    fn anomalies_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<AnomalyDetection>> {
        self.read_anomalies((from, to), limit)
    }

    fn predictions(&mut self, limit: usize) -> Result<Vec<Prediction>> {
        self.read_predictions(findings::ALWAYS, limit)
    }

    fn predictions_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<Prediction>> {
        self.read_predictions((from, to), limit)
    }

    fn patterns(&mut self, limit: usize) -> Result<Vec<PatternAnalysis>> {
        self.read_patterns(findings::ALWAYS, limit)
    }

    fn patterns_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<PatternAnalysis>> {
        self.read_patterns((from, to), limit)
    }

    fn put_model_metadata(&mut self, metadata: &ModelMetadata) -> Result<()> {
        self.replace_metadata(metadata)
    }

    fn model_metadata(&mut self) -> Result<Vec<ModelMetadata>> {
        self.read_metadata()
    }

    fn step(&mut self) -> Result<Option<Span>> {
        self.read_step()
    }

    fn set_step(&mut self, step: Span) -> Result<()> {
        self.write_step(step)
    }

    fn counts(&mut self) -> Result<StoredCounts> {
        self.count()
    }

    fn remove_samples(&mut self, interval: Span) -> Result<usize> {
        self.delete_samples(interval)
    }

    fn summary(&mut self, query: &SummaryQuery) -> Result<Summary> {
        self.read_summary(query)
    }

    fn maintain(&mut self, now: Timestamp, budget: Duration) -> Result<Maintenance> {
        self.do_upkeep(now, budget)
    }

    fn put_label(&mut self, label: &Label) -> Result<()> {
        self.insert_label(label)
    }

    fn labels(&mut self, since: Timestamp) -> Result<Vec<Label>> {
        self.read_labels(since)
    }

    fn put_silence(&mut self, silence: &Silence) -> Result<i64> {
        self.insert_silence(silence)
    }

    fn lift_silence(&mut self, id: i64, at: Timestamp) -> Result<bool> {
        self.update_silence(id, at)
    }

    fn silences(&mut self, now: Timestamp) -> Result<Vec<Silence>> {
        self.read_silences(now)
    }

    fn silences_since(&mut self, since: Timestamp) -> Result<Vec<Silence>> {
        self.read_silences_since(since)
    }

    fn queue_alert(&mut self, alert: &Alert) -> Result<i64> {
        self.insert_alert(alert)
    }

    fn waiting_alerts(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Alert>> {
        self.read_waiting(now, limit)
    }

    fn alerts(&mut self, limit: usize) -> Result<Vec<Alert>> {
        self.read_alerts(limit)
    }

    fn waiting_sinks(&mut self) -> Result<Vec<String>> {
        self.read_waiting_sinks()
    }

    fn waiting_alerts_for(&mut self, sink: &str, limit: usize) -> Result<Vec<Alert>> {
        self.read_waiting_for(sink, limit)
    }

    fn note_delivery(&mut self, id: i64, delivery: &Delivery) -> Result<bool> {
        self.update_alert(id, delivery)
    }

    fn put_recommendation(
        &mut self,
        made_at: Timestamp,
        catalogue_action: Option<&str>,
        advice: &Recommendation,
    ) -> Result<i64> {
        self.insert_recommendation(made_at, catalogue_action, advice)
    }

    fn recommendations(&mut self, limit: usize) -> Result<Vec<StoredRecommendation>> {
        self.read_recommendations(limit)
    }

    fn put_outcome(&mut self, outcome: &Outcome) -> Result<()> {
        self.insert_outcome(outcome)
    }

    fn outcomes(&mut self) -> Result<Vec<Outcome>> {
        self.read_outcomes()
    }

    fn put_applied(&mut self, applied: &AppliedAction) -> Result<i64> {
        self.write_applied(applied)
    }

    fn applied(&mut self, limit: usize) -> Result<Vec<AppliedAction>> {
        self.read_applied(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_full_disk_a_batch_is_unavailable_as_a_whole_and_room_is_enough_to_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let schema = Schema::from_names(["cpu"]).unwrap();
        let step = Span::from_secs(5);
        let mut store =
            SqliteStore::open(&dir.path().join("overseer.db"), &schema, "web-1").unwrap();
        let sample = |i| Sample::new(Timestamp::from_millis(i), vec![0.5]);
        store.append(step, &[sample(0)]).unwrap();

        // SQLite reports a database that may not grow exactly as it does a full disk.
        let room = |pages: i64| format!("PRAGMA max_page_count={pages}");
        store.connection.query_row(&room(1), [], |_| Ok(())).unwrap();
        let many: Vec<_> = (1..10_000).map(sample).collect();
        let e = store.append(step, &many).unwrap_err();
        assert!(e.is_unavailable() && e.to_string().contains("the disk is full"), "{e}");
        assert_eq!(store.counts().unwrap().samples, 1);

        store.connection.query_row(&room(1_000_000), [], |_| Ok(())).unwrap();
        assert_eq!(store.append(step, &many).unwrap().stored, 9_999);
    }
}
