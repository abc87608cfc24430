//! Where samples, findings and models are kept.

use super::record::TickRecord;
use super::summarise::summarise;
use super::{Appended, AuxiliaryQuery, Maintenance, SampleQuery, StoredCounts};
use crate::{
    Alert, AnomalyDetection, AppliedAction, Auxiliary, AuxiliarySeries, Delivery, Error, ErrorKind,
    Frame, Incident, Label, ModelMetadata, Outcome, PatternAnalysis, Prediction, Recommendation,
    Result, Sample, Silence, Span, StoredRecommendation, Summary, SummaryQuery, Timestamp,
    WhichIncidents,
};
use std::fmt;
use std::time::Duration;

/// The memory of one host: samples, findings and what is known of its models.
///
/// A method that returns `Ok` has made its effect durable against `kill -9`.
pub trait Store: Send + fmt::Debug {
    /// Stores samples taken at `interval`, in whatever order they come and whatever the clock says: one from before or
    /// after all others takes its place among them. A blank sample is never stored; one of a time already stored at
    /// this interval is counted and left as it was.
    ///
    /// # Errors
    /// If a sample does not fit the schema, or the store cannot be written; nothing of the batch is stored then.
    fn append(&mut self, interval: Span, samples: &[Sample]) -> Result<Appended>;

    /// Reads samples, oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn samples(&mut self, query: &SampleQuery) -> Result<Frame>;

    /// Stores values of auxiliary series, all taken at `at`. Series come and go as they like; of a value that is not
    /// finite, or of a time already stored, nothing is stored, and neither of an hour whose values were removed.
    ///
    /// # Errors
    /// If the store cannot be written; none of them is stored then. Unsupported by stores that keep none.
    fn append_auxiliary(&mut self, _at: Timestamp, _values: &[Auxiliary]) -> Result<()> {
        Err(Error::unsupported("storing auxiliary series"))
    }

    /// Reads the auxiliary series that have values in the time asked for, by name and instance.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn auxiliary(&mut self, _query: &AuxiliaryQuery) -> Result<Vec<AuxiliarySeries>> {
        Ok(Vec::new())
    }

    /// Stores the findings of one tick in one transaction.
    ///
    /// # Errors
    /// If the store cannot be written; none of them is stored then.
    fn record(
        &mut self,
        anomalies: &[AnomalyDetection],
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
    ) -> Result<()>;

    /// The newest `limit` anomalies, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn anomalies(&mut self, limit: usize) -> Result<Vec<AnomalyDetection>>;

    /// The newest `limit` anomalies from `from` to `to`, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn anomalies_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<AnomalyDetection>> {
        let mut all = self.anomalies(usize::MAX)?;
        all.retain(|x| (from..=to).contains(&x.timestamp));
        all.truncate(limit);
        Ok(all)
    }

    /// The newest `limit` predictions, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn predictions(&mut self, limit: usize) -> Result<Vec<Prediction>>;

    /// The newest `limit` predictions, by when they were made, from `from` to `to`, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn predictions_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<Prediction>> {
        let mut all = self.predictions(usize::MAX)?;
        all.retain(|x| (from..=to).contains(&x.timestamp));
        all.truncate(limit);
        Ok(all)
    }

    /// The newest `limit` pattern analyses, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn patterns(&mut self, limit: usize) -> Result<Vec<PatternAnalysis>>;

    /// The newest `limit` pattern analyses, by the end of their window, from `from` to `to`, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn patterns_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<PatternAnalysis>> {
        let mut all = self.patterns(usize::MAX)?;
        all.retain(|x| (from..=to).contains(&x.window.1));
        all.truncate(limit);
        Ok(all)
    }

    /// Stores what is known of a model, replacing what was known under its name.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn put_model_metadata(&mut self, metadata: &ModelMetadata) -> Result<()>;

    /// What is known of every model, by name.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn model_metadata(&mut self) -> Result<Vec<ModelMetadata>>;

    /// The installation's sampling step; `None` before one was chosen.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn step(&mut self) -> Result<Option<Span>>;

    /// Chooses the installation's sampling step.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn set_step(&mut self, step: Span) -> Result<()>;

    /// How much is stored.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn counts(&mut self) -> Result<StoredCounts>;

    /// Removes samples taken at `interval`, and says how many there were. For the fast samples of a first run, once
    /// enough at the step exist.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn remove_samples(&mut self, interval: Span) -> Result<usize>;

    /// Reads samples summarised over equal lengths of time, oldest first, whatever interval they were taken at.
    ///
    /// This default summarises the samples at the installation's step as they are read; a store that keeps summaries
    /// serves them from the coarsest that suffice, also where the samples themselves are gone.
    ///
    /// # Errors
    /// If a feature is unknown, or the store cannot be read.
    fn summary(&mut self, query: &SummaryQuery) -> Result<Summary> {
        summarise(self, query)
    }

    /// Does some of what keeps the store small and quick, for about as long as `budget` says: summarising, removing
    /// what is older than is kept, giving space back. Call it once a tick; where there is nothing to do, it costs
    /// nothing.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn maintain(&mut self, _now: Timestamp, _budget: Duration) -> Result<Maintenance> {
        Ok(Maintenance::default())
    }

    /// Stores what a person says of an anomaly; the very same label twice is kept once.
    ///
    /// # Errors
    /// If the store cannot be written; unsupported by stores that keep no labels, as everything below is.
    fn put_label(&mut self, _label: &Label) -> Result<()> {
        Err(Error::unsupported("storing labels"))
    }

    /// What was said of anomalies at or after `since`, by the anomaly's time, the newest label of each last.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn labels(&mut self, _since: Timestamp) -> Result<Vec<Label>> {
        Ok(Vec::new())
    }

    /// Stores a silence and returns its number.
    ///
    /// # Errors
    /// If it ends before it begins, or the store cannot be written.
    fn put_silence(&mut self, _silence: &Silence) -> Result<i64> {
        Err(Error::unsupported("storing silences"))
    }

    /// Ends a silence for good; says whether one of this number held.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn lift_silence(&mut self, _id: i64, _at: Timestamp) -> Result<bool> {
        Err(Error::unsupported("ending silences"))
    }

    /// The silences that hold or may hold at `now` or later: not ended, and not over unless they recur.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn silences(&mut self, _now: Timestamp) -> Result<Vec<Silence>> {
        Ok(Vec::new())
    }

    /// The silences that held at any time from `since` on, also those that were ended since.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn silences_since(&mut self, since: Timestamp) -> Result<Vec<Silence>> {
        self.silences(since)
    }

    /// As [`Store::record`], and in the same transaction puts messages into the outbox, whose numbers it returns: a
    /// finding and what is told of it are stored together or not at all.
    ///
    /// This default does one after the other.
    ///
    /// # Errors
    /// If the store cannot be written; none of it is stored then.
    fn record_and_queue(
        &mut self,
        anomalies: &[AnomalyDetection],
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
        alerts: &[Alert],
    ) -> Result<Vec<i64>> {
        self.record(anomalies, predictions, patterns)?;
        alerts.iter().map(|alert| self.queue_alert(alert)).collect()
    }

    /// As [`Store::record_and_queue`], and in the same transaction stores incidents as [`Store::put_incident`] does;
    /// returns their numbers.
    ///
    /// This default does one after the other. A store that keeps no incidents gives 0 for each.
    ///
    /// # Errors
    /// If the store cannot be written; none of it is stored then.
    fn record_tick(&mut self, tick: &TickRecord<'_>) -> Result<Vec<i64>> {
        let mut numbers = Vec::with_capacity(tick.incidents.len());
        for incident in tick.incidents {
            numbers.push(match self.put_incident(incident) {
                Err(e) if matches!(e.kind(), ErrorKind::Unsupported(_)) => 0,
                number => number?,
            });
        }
        if tick.alerts.is_empty() {
            self.record(tick.anomalies, tick.predictions, tick.patterns)?;
        } else {
            self.record_and_queue(tick.anomalies, tick.predictions, tick.patterns, tick.alerts)?;
        }
        Ok(numbers)
    }

    /// Stores an incident and returns its number: in the place of the one of that number, whose acknowledgement stays as
    /// it was, or anew where its `id` is 0 or there is none of that number.
    ///
    /// # Errors
    /// If the store cannot be written. Unsupported by stores that keep no incidents.
    fn put_incident(&mut self, _incident: &Incident) -> Result<i64> {
        Err(Error::unsupported("storing incidents"))
    }

    /// The newest `limit` incidents, by when they began, newest first, each with its newest label.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn incidents(&mut self, _which: WhichIncidents, _limit: usize) -> Result<Vec<Incident>> {
        Ok(Vec::new())
    }

    /// The incident of this number, if there is one.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn incident(&mut self, id: i64) -> Result<Option<Incident>> {
        let all = self.incidents(WhichIncidents::All, usize::MAX)?;
        Ok(all.into_iter().find(|incident| incident.id == id))
    }

    /// Notes that somebody looks after an incident; says whether one of this number goes on. Said again, the newer note
    /// replaces the older one.
    ///
    /// # Errors
    /// If the store cannot be written. Unsupported by stores that keep no incidents.
    fn acknowledge_incident(&mut self, _id: i64, _at: Timestamp, _note: &str) -> Result<bool> {
        Err(Error::unsupported("storing incidents"))
    }

    /// A number that changes when somebody else has written to the store, so that labels, silences and
    /// acknowledgements need not be read when nothing has changed; none where that cannot be told.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn revision(&mut self) -> Result<Option<i64>> {
        Ok(None)
    }

    /// Asks whether what was stored still lies where it was put, as far as that can be told at once: a file may have
    /// been removed or replaced while it was in use, which no write to it would notice.
    ///
    /// # Errors
    /// Unavailable if it does not, and says what became of it.
    fn check_place(&mut self) -> Result<()> {
        Ok(())
    }

    /// Puts a message into the outbox and returns its number.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn queue_alert(&mut self, _alert: &Alert) -> Result<i64> {
        Err(Error::unsupported("storing alerts"))
    }

    /// The messages whose next attempt is due at `now`, the longest due first, at most `limit`.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn waiting_alerts(&mut self, _now: Timestamp, _limit: usize) -> Result<Vec<Alert>> {
        Ok(Vec::new())
    }

    /// The names of those for whom a message waits, whether it is due or not.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn waiting_sinks(&mut self) -> Result<Vec<String>> {
        let all = self.waiting_alerts(Timestamp::from_millis(i64::MAX), usize::MAX)?;
        let mut names: Vec<String> = all.into_iter().map(|alert| alert.sink).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The messages that wait for `sink`, whether they are due or not, in the order they were written, at most `limit`:
    /// however many wait for others, none is crowded out.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn waiting_alerts_for(&mut self, sink: &str, limit: usize) -> Result<Vec<Alert>> {
        let mut all = self.waiting_alerts(Timestamp::from_millis(i64::MAX), usize::MAX)?;
        all.retain(|alert| alert.sink == sink);
        all.sort_by_key(|alert| alert.id);
        all.truncate(limit);
        Ok(all)
    }

    /// The newest `limit` messages, delivered or not, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn alerts(&mut self, _limit: usize) -> Result<Vec<Alert>> {
        Ok(Vec::new())
    }

    /// Notes what became of an attempt; says whether a message of this number was still to be delivered.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn note_delivery(&mut self, _id: i64, _delivery: &Delivery) -> Result<bool> {
        Err(Error::unsupported("storing alerts"))
    }

    /// Stores a piece of advice, with the name of the catalogue's action where it is one, and returns its number.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn put_recommendation(
        &mut self,
        _made_at: Timestamp,
        _catalogue_action: Option<&str>,
        _advice: &Recommendation,
    ) -> Result<i64> {
        Err(Error::unsupported("storing recommendations"))
    }

    /// The newest `limit` recommendations, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn recommendations(&mut self, _limit: usize) -> Result<Vec<StoredRecommendation>> {
        Ok(Vec::new())
    }

    /// Stores what came of a recommendation.
    ///
    /// # Errors
    /// If there is no recommendation of that number, or the store cannot be written.
    fn put_outcome(&mut self, _outcome: &Outcome) -> Result<()> {
        Err(Error::unsupported("storing outcomes"))
    }

    /// Writes a line of the journal of applied actions: a new one if its `id` is 0, else in place of that of its
    /// number. Returns the number.
    ///
    /// # Errors
    /// If there is no line of that number, or the store cannot be written.
    fn put_applied(&mut self, _applied: &AppliedAction) -> Result<i64> {
        Err(Error::unsupported("a journal of actions"))
    }

    /// The newest `limit` lines of the journal of applied actions, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn applied(&mut self, _limit: usize) -> Result<Vec<AppliedAction>> {
        Ok(Vec::new())
    }

    /// Every outcome, oldest first: what a ranking learns from.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn outcomes(&mut self) -> Result<Vec<Outcome>> {
        Ok(Vec::new())
    }
}
