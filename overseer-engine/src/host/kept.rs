//! The sampler's database, which may come late or go away: what cannot be opened now is tried again, while the engine
//! keeps in memory what waits.

use super::kept_models::HasPlace;
use super::store::{DataDir, Lease, LeaseOutcome, SqliteOptions, SqliteStore};
use super::{now, read_only};
use overseer_core::{
    Alert, AnomalyDetection, Appended, AppliedAction, Auxiliary, AuxiliaryQuery, AuxiliarySeries,
    Delivery, Error, Frame, Incident, Label, Maintenance, ModelMetadata, Outcome, PatternAnalysis,
    Prediction, Recommendation, Result, Sample, SampleQuery, Schema, Silence, Span, Store,
    StoredCounts, StoredRecommendation, Summary, SummaryQuery, TickRecord, Timestamp,
    WhichIncidents,
};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A database that was open and refuses every write is opened anew after so many times the time between two tries, for
/// that reads it through.
const GIVE_UP_AFTER: u32 = 10;

/// Where the database is, and how it is opened.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dir: DataDir,
    pub(super) options: SqliteOptions,
    pub(super) schema: Schema,
    pub(super) host: String,
    pub(super) purpose: String,
    /// The least time between two tries to open it.
    pub(super) retry_every: Duration,
    /// Told whether this process has the sampler's place.
    pub(super) is_held: HasPlace,
}

/// The database as far as it can be used now.
#[derive(Debug)]
enum Access {
    Writing(SqliteStore),
    /// It may not be written now, and it can be read.
    Reading(SqliteStore, Error),
    None(Error),
}

/// A [`Store`] in the place of the sampler, opened again while it cannot be written, and again when it turns out to be
/// damaged while it is in use.
#[derive(Debug)]
pub(super) struct KeptStore {
    // Before the lease, for it must be closed before another process may sample.
    access: Access,
    lease: Option<Lease>,
    place: Place,
    tried: Instant,
    /// Since when every write failed, for whatever reason.
    failing: Option<Instant>,
    /// The installation's step as far as it is known here, for a fresh database must know it too.
    step: Option<Span>,
    /// How often it was opened: what one connection counts says nothing of what another does.
    opened: i64,
    /// What a person should know, told with the next upkeep.
    told: Vec<String>,
    /// What went with a database that is no longer in its place, until it is told.
    lost: Option<Error>,
}

impl KeptStore {
    /// Opens the database if it can be, and says what a person should know.
    pub(super) fn open(place: Place, lease: Option<Lease>) -> (Self, Vec<String>) {
        let mut store = Self {
            access: Access::None(Error::unavailable("the database", "it was not opened yet")),
            lease,
            place,
            tried: Instant::now(),
            failing: None,
            step: None,
            opened: 0,
            told: Vec::new(),
            lost: None,
        };
        store.say_whether_held();
        if let Err(e) = store.try_to_open() {
            store.told.push(format!(
                "{e}; what is learned now is not kept unless it can be opened later"
            ));
            store.fall_back(e);
        }
        let told = std::mem::take(&mut store.told);
        (store, told)
    }

    /// Whether this process has the sampler's place.
    pub(super) fn has_lease(&self) -> bool {
        self.lease.is_some()
    }

    /// Whether the database is open for writing.
    pub(super) fn is_writable(&self) -> bool {
        matches!(self.access, Access::Writing(_))
    }

    /// The database, if it is open.
    pub(super) fn opened(&self) -> Option<&SqliteStore> {
        match &self.access {
            Access::Writing(store) | Access::Reading(store, _) => Some(store),
            Access::None(_) => None,
        }
    }

    fn say_whether_held(&self) {
        self.place.is_held.store(self.has_lease(), Ordering::Relaxed);
    }

    fn try_to_open(&mut self) -> Result<()> {
        self.tried = Instant::now();
        if self.lease.is_none() {
            self.place.dir.create()?;
            self.lease = match self.place.dir.lease(now(), &self.place.purpose)? {
                LeaseOutcome::Held(lease) => Some(lease),
                LeaseOutcome::Busy { holder } => {
                    let path = self.place.dir.root().display().to_string();
                    return Err(Error::unavailable(path, format!("{holder} samples this host")));
                }
            };
            self.say_whether_held();
        }
        // A reader of ours would only be in the way of moving a damaged one.
        self.access = Access::None(Error::unavailable("the database", "it could not be opened"));
        let Place { dir, options, schema, host, .. } = &self.place;
        let is_gone = is_missing(dir);
        let opened = options.open_or_set_aside(&dir.database(), schema, host)?;
        if let Some(aside) = opened.set_aside {
            self.told.push(format!(
                "the database could not be read{}; it was moved to {} and a fresh one was started. To get out what can \
                 still be read of it, copy it as overseer.db into another directory and run `overseer --data-dir THERE \
                 export --what all --output all.jsonl`, or let `sqlite3` `.recover` it",
                opened.reason.map_or_else(String::new, |why| format!(" ({why})")),
                aside.display()
            ));
        }
        if is_gone && self.opened == 0 && opened.warnings.is_empty() {
            self.told.push(
                "there are models of before, and the database beside them is gone or empty: what it held is lost, and \
                 a fresh one was started"
                    .to_owned(),
            );
        }
        self.told.extend(opened.warnings);
        self.opened += 1;
        let mut store = opened.store;
        match store.step()? {
            Some(stored) => self.step = Some(stored),
            None => {
                if let Some(step) = self.step {
                    store.set_step(step)?;
                }
            }
        }
        self.access = Access::Writing(store);
        Ok(())
    }

    /// Whether the database, and the lock that keeps other samplers away, are still the files of these names. Where they
    /// are not, that is told, and what is there now is opened.
    fn stay_in_place(&mut self) -> Result<()> {
        let Access::Writing(store) = &mut self.access else { return Ok(()) };
        let place = store.check_place();
        let is_ours = self.lease.as_ref().is_none_or(Lease::holds);
        if place.is_ok() && is_ours {
            return Ok(());
        }
        // Closed before the lock is given back, for another process may sample from then on.
        self.access = Access::None(Error::unavailable("the database", "it is opened anew"));
        if !is_ours {
            self.lease = None;
            self.say_whether_held();
        }
        let reopened = self.try_to_open();
        if let Err(e) = &reopened {
            self.fall_back(again(e));
        }
        place.and(reopened)
    }

    /// What cannot be written is read, if it is there and can be.
    fn fall_back(&mut self, why: Error) {
        let Place { dir, options, schema, host, .. } = &self.place;
        self.access = match read_only(options, &dir.database(), schema, host) {
            Ok(Some(store)) => Access::Reading(store, why),
            Ok(None) => Access::None(why),
            Err(e) => {
                self.told.push(e.to_string());
                Access::None(why)
            }
        };
    }

    fn write<T>(&mut self, work: impl FnOnce(&mut SqliteStore) -> Result<T>) -> Result<T> {
        if let Err(e) = self.stay_in_place() {
            let now = if self.is_writable() {
                "; what comes from now on is stored in what lies at its place now"
            } else {
                ""
            };
            self.told.push(format!("{e}{now}"));
            self.lost = Some(e);
        }
        if !self.is_writable() && self.tried.elapsed() >= self.place.retry_every {
            match self.try_to_open() {
                Ok(()) => self.told.push("the database can be written again".to_owned()),
                Err(e) => self.fall_back(e),
            }
        }
        let done = match &mut self.access {
            Access::Writing(store) => work(store),
            Access::Reading(_, why) | Access::None(why) => return Err(again(why)),
        };
        self.look_after(&done);
        done
    }

    /// Gives up a database that turned out to be damaged, or of which nothing has worked for long: opening it anew
    /// checks it, and sets it aside if it is damaged.
    fn look_after<T>(&mut self, done: &Result<T>) {
        let Err(e) = done else {
            self.failing = None;
            return;
        };
        let since = *self.failing.get_or_insert_with(Instant::now);
        let for_long = !e.is_invalid_input()
            && since.elapsed() >= self.place.retry_every.saturating_mul(GIVE_UP_AFTER);
        if e.is_corrupt() || for_long {
            self.failing = None;
            self.access = Access::None(again(e));
        }
    }

    fn read<T>(&mut self, work: impl FnOnce(&mut SqliteStore) -> Result<T>) -> Result<T> {
        match &mut self.access {
            Access::Writing(store) | Access::Reading(store, _) => work(store),
            Access::None(why) => Err(again(why)),
        }
    }
}

/// Whether there is no database, or an empty file, where there was one: models are saved only after it is made. SQLite
/// takes a single byte for nothing too.
pub(super) fn is_missing(dir: &DataDir) -> bool {
    let is_empty = std::fs::metadata(dir.database())
        .map_or_else(|e| e.kind() == std::io::ErrorKind::NotFound, |found| found.len() <= 1);
    is_empty && std::fs::read_dir(dir.models()).is_ok_and(|mut files| files.next().is_some())
}

/// The same once more, for an error cannot be copied.
fn again(why: &Error) -> Error {
    Error::unavailable("the database", why.to_string())
}

impl Store for KeptStore {
    fn append(&mut self, interval: Span, samples: &[Sample]) -> Result<Appended> {
        self.write(|s| s.append(interval, samples))
    }

    fn samples(&mut self, query: &SampleQuery) -> Result<Frame> {
        self.read(|s| s.samples(query))
    }

    fn append_auxiliary(&mut self, at: Timestamp, values: &[Auxiliary]) -> Result<()> {
        self.write(|s| s.append_auxiliary(at, values))
    }

    fn auxiliary(&mut self, query: &AuxiliaryQuery) -> Result<Vec<AuxiliarySeries>> {
        self.read(|s| s.auxiliary(query))
    }

    fn record(
        &mut self,
        anomalies: &[AnomalyDetection],
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
    ) -> Result<()> {
        self.write(|s| s.record(anomalies, predictions, patterns))
    }

    fn record_and_queue(
        &mut self,
        anomalies: &[AnomalyDetection],
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
        alerts: &[Alert],
    ) -> Result<Vec<i64>> {
        self.write(|s| s.record_and_queue(anomalies, predictions, patterns, alerts))
    }

    fn anomalies(&mut self, limit: usize) -> Result<Vec<AnomalyDetection>> {
        self.read(|s| s.anomalies(limit))
    }

    fn anomalies_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<AnomalyDetection>> {
        self.read(|s| s.anomalies_between(from, to, limit))
    }

    fn predictions(&mut self, limit: usize) -> Result<Vec<Prediction>> {
        self.read(|s| s.predictions(limit))
    }

    fn predictions_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<Prediction>> {
        self.read(|s| s.predictions_between(from, to, limit))
    }

    fn patterns(&mut self, limit: usize) -> Result<Vec<PatternAnalysis>> {
        self.read(|s| s.patterns(limit))
    }

    fn patterns_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<PatternAnalysis>> {
        self.read(|s| s.patterns_between(from, to, limit))
    }

    fn put_model_metadata(&mut self, metadata: &ModelMetadata) -> Result<()> {
        self.write(|s| s.put_model_metadata(metadata))
    }

    fn model_metadata(&mut self) -> Result<Vec<ModelMetadata>> {
        self.read(Store::model_metadata)
    }

    fn step(&mut self) -> Result<Option<Span>> {
        self.read(Store::step)
    }

    fn set_step(&mut self, step: Span) -> Result<()> {
        self.write(|s| s.set_step(step))?;
        self.step = Some(step);
        Ok(())
    }

    fn counts(&mut self) -> Result<StoredCounts> {
        self.read(Store::counts)
    }

    fn remove_samples(&mut self, interval: Span) -> Result<usize> {
        self.write(|s| s.remove_samples(interval))
    }

    fn summary(&mut self, query: &SummaryQuery) -> Result<Summary> {
        self.read(|s| s.summary(query))
    }

    fn maintain(&mut self, now: Timestamp, budget: Duration) -> Result<Maintenance> {
        let mut done = self.write(|s| s.maintain(now, budget))?;
        done.told.append(&mut self.told);
        self.lost = None;
        Ok(done)
    }

    fn put_label(&mut self, label: &Label) -> Result<()> {
        self.write(|s| s.put_label(label))
    }

    fn labels(&mut self, since: Timestamp) -> Result<Vec<Label>> {
        self.read(|s| s.labels(since))
    }

    fn put_silence(&mut self, silence: &Silence) -> Result<i64> {
        self.write(|s| s.put_silence(silence))
    }

    fn lift_silence(&mut self, id: i64, at: Timestamp) -> Result<bool> {
        self.write(|s| s.lift_silence(id, at))
    }

    fn silences(&mut self, now: Timestamp) -> Result<Vec<Silence>> {
        self.read(|s| s.silences(now))
    }

    fn silences_since(&mut self, since: Timestamp) -> Result<Vec<Silence>> {
        self.read(|s| s.silences_since(since))
    }

    fn record_tick(&mut self, tick: &TickRecord<'_>) -> Result<Vec<i64>> {
        self.write(|s| s.record_tick(tick))
    }

    fn put_incident(&mut self, incident: &Incident) -> Result<i64> {
        self.write(|s| s.put_incident(incident))
    }

    fn incidents(&mut self, which: WhichIncidents, limit: usize) -> Result<Vec<Incident>> {
        self.read(|s| s.incidents(which, limit))
    }

    fn incident(&mut self, id: i64) -> Result<Option<Incident>> {
        self.read(|s| s.incident(id))
    }

    fn acknowledge_incident(&mut self, id: i64, at: Timestamp, note: &str) -> Result<bool> {
        self.write(|s| s.acknowledge_incident(id, at, note))
    }

    fn revision(&mut self) -> Result<Option<i64>> {
        // Another connection begins to count anew.
        let opened = self.opened << 32;
        self.read(Store::revision).map(|number| number.map(|n| n.wrapping_add(opened)))
    }

    fn check_place(&mut self) -> Result<()> {
        self.stay_in_place()?;
        match self.lost.take() {
            Some(lost) => Err(lost),
            None => Ok(()),
        }
    }

    fn queue_alert(&mut self, alert: &Alert) -> Result<i64> {
        self.write(|s| s.queue_alert(alert))
    }

    fn waiting_alerts(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Alert>> {
        self.read(|s| s.waiting_alerts(now, limit))
    }

    fn waiting_sinks(&mut self) -> Result<Vec<String>> {
        self.read(Store::waiting_sinks)
    }

    fn waiting_alerts_for(&mut self, sink: &str, limit: usize) -> Result<Vec<Alert>> {
        self.read(|s| s.waiting_alerts_for(sink, limit))
    }

    fn alerts(&mut self, limit: usize) -> Result<Vec<Alert>> {
        self.read(|s| s.alerts(limit))
    }

    fn note_delivery(&mut self, id: i64, delivery: &Delivery) -> Result<bool> {
        self.write(|s| s.note_delivery(id, delivery))
    }

    fn put_recommendation(
        &mut self,
        made_at: Timestamp,
        catalogue_action: Option<&str>,
        advice: &Recommendation,
    ) -> Result<i64> {
        self.write(|s| s.put_recommendation(made_at, catalogue_action, advice))
    }

    fn recommendations(&mut self, limit: usize) -> Result<Vec<StoredRecommendation>> {
        self.read(|s| s.recommendations(limit))
    }

    fn put_outcome(&mut self, outcome: &Outcome) -> Result<()> {
        self.write(|s| s.put_outcome(outcome))
    }

    fn outcomes(&mut self) -> Result<Vec<Outcome>> {
        self.read(Store::outcomes)
    }

    fn put_applied(&mut self, applied: &AppliedAction) -> Result<i64> {
        self.write(|s| s.put_applied(applied))
    }

    fn applied(&mut self, limit: usize) -> Result<Vec<AppliedAction>> {
        self.read(|s| s.applied(limit))
    }
}
