//! Where samples, findings and models are kept.

use super::record::TickRecord;
use crate::{
    Alert, AnomalyDetection, AppliedAction, Auxiliary, AuxiliarySeries, Delivery, Error, ErrorKind,
    Frame, Incident, Label, ModelMetadata, Outcome, PatternAnalysis, Prediction, Recommendation,
    Result, Sample, Silence, Span, StoredRecommendation, Summary, SummaryBuilder, SummaryCell,
    SummaryQuery, Timestamp, WhichIncidents,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What became of samples that were handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Appended {
    /// Newly stored.
    pub stored: usize,
    /// Of a time already stored at this interval; the stored one was kept.
    pub duplicates: usize,
    /// Without any known value; never stored.
    pub blank: usize,
    /// Of a minute whose samples were summarised and removed long ago: not stored, for they could not be told from
    /// those that its summary already counts.
    pub late: usize,
}

impl Appended {
    /// Counts of what became of samples.
    #[must_use]
    pub fn new(stored: usize, duplicates: usize, blank: usize) -> Self {
        Self { stored, duplicates, blank, late: 0 }
    }
}

/// Which samples to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SampleQuery {
    /// Only samples taken at this interval: the installation's step, or the fast one of a first run.
    pub interval: Span,
    /// Only samples at or after this time.
    pub from: Timestamp,
    /// Only samples at or before this time.
    pub to: Timestamp,
    /// Only the newest so many of those.
    pub limit: usize,
}

impl SampleQuery {
    /// The newest `limit` samples taken at `interval`.
    #[must_use]
    pub fn latest(interval: Span, limit: usize) -> Self {
        Self {
            interval,
            from: Timestamp::from_millis(i64::MIN),
            to: Timestamp::from_millis(i64::MAX),
            limit,
        }
    }
}

/// Which values of auxiliary series to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuxiliaryQuery {
    /// Only values at or after this time.
    pub from: Timestamp,
    /// Values as they were taken from this time on; before it the means of whole hours, at the middle of the hour.
    pub fine_from: Timestamp,
    /// Only values at or before this time.
    pub to: Timestamp,
}

impl AuxiliaryQuery {
    /// Hours from `from`, values as they were taken from `fine_from`, until `to`.
    #[must_use]
    pub fn new(from: Timestamp, fine_from: Timestamp, to: Timestamp) -> Self {
        Self { from, fine_from, to }
    }
}

/// What a store did to keep itself in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Maintenance {
    /// Minutes and hours that were summarised.
    pub summarised: usize,
    /// Rows that were older than is kept, and removed.
    pub expired: usize,
    /// What was removed although it was not older than is kept, because the store was larger than it may be.
    pub dropped: Vec<Dropped>,
    /// Free pages that were given back to the file system.
    pub pages_given_back: u64,
    /// Whether there is more to do: the next call goes on.
    pub behind: bool,
    /// Whether the store is larger than it may be and holds nothing more that may be removed.
    pub too_large: bool,
    /// Rows that are no longer what was stored, found by their checksum. They were left as they are.
    pub damaged: Vec<Damaged>,
    /// What else a person should know, in whole sentences: that a damaged store was moved aside, or is back.
    pub told: Vec<String>,
}

impl Maintenance {
    /// Adds what was dropped to what of its kind was dropped before.
    pub fn note_dropped(&mut self, more: Dropped) {
        match self.dropped.iter_mut().find(|d| d.what == more.what) {
            Some(known) => {
                known.rows += more.rows;
                known.before = known.before.max(more.before);
            }
            None => self.dropped.push(more),
        }
    }
}

/// Rows that were removed to keep a store small.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Rows of what, in the plural: `samples`, `minutes`, `predictions`.
    pub what: String,
    /// How many.
    pub rows: usize,
    /// All of them of before this time.
    pub before: Timestamp,
}

impl Dropped {
    /// Rows that were removed.
    pub fn new(what: impl Into<String>, rows: usize, before: Timestamp) -> Self {
        Self { what: what.into(), rows, before }
    }
}

/// A span of time whose stored rows are not those that were stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Damaged {
    /// Rows of what, in the plural: `samples`, `minutes`, `predictions`.
    pub what: String,
    /// The start of the span.
    pub from: Timestamp,
    /// The end of the span, the first moment that is not of it.
    pub to: Timestamp,
}

impl Damaged {
    /// Rows from `from` to before `to`.
    pub fn new(what: impl Into<String>, from: Timestamp, to: Timestamp) -> Self {
        Self { what: what.into(), from, to }
    }
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredCounts {
    /// Samples of any interval.
    pub samples: u64,
    /// Predictions.
    pub predictions: u64,
    /// Anomalies.
    pub anomalies: u64,
    /// Pattern analyses.
    pub patterns: u64,
    /// Models described.
    pub models: u64,
    /// First and last time of the samples.
    pub span: Option<(Timestamp, Timestamp)>,
}

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

/// Samples at the step, summarised while they are read, the newest first and some at a time.
fn summarise<S: Store + ?Sized>(store: &mut S, query: &SummaryQuery) -> Result<Summary> {
    const AT_ONCE: usize = 20_000;
    let Some(step) = store.step()? else {
        return Ok(SummaryBuilder::new(query.features.clone(), query.resolution).build());
    };
    let mut samples = SampleQuery::latest(step, AT_ONCE);
    (samples.from, samples.to) = (query.from, query.to);
    let mut chosen: Option<(SummaryBuilder, Vec<usize>)> = None;
    loop {
        let frame = store.samples(&samples)?;
        let (builder, columns) = match &mut chosen {
            Some(known) => known,
            None => chosen.insert(columns_of(&frame, query)?),
        };
        for (timestamp, row) in frame.rows() {
            builder.add(timestamp, columns.iter().map(|&c| SummaryCell::of(row[c])));
        }
        match frame.timestamps().first() {
            Some(&first) if frame.len() == AT_ONCE && first > query.from => {
                samples.to = first - Span::from_millis(1);
            }
            _ => break,
        }
    }
    let (features, resolution) = (query.features.clone(), query.resolution);
    Ok(chosen.map_or_else(|| SummaryBuilder::new(features, resolution), |(b, _)| b).build())
}

/// Where in the frame the features are that were asked for.
fn columns_of(frame: &Frame, query: &SummaryQuery) -> Result<(SummaryBuilder, Vec<usize>)> {
    let all = || frame.schema().features().iter().map(|f| f.name.clone());
    let features = if query.features.is_empty() { all().collect() } else { query.features.clone() };
    let unknown = |name: &str| Error::invalid_parameter("features", format!("`{name}` is unknown"));
    let columns = features
        .iter()
        .map(|name| frame.schema().index_of(name).ok_or_else(|| unknown(name)))
        .collect::<Result<_>>()?;
    Ok((SummaryBuilder::new(features, query.resolution), columns))
}

/// Where model files are kept, by name. It knows bytes, not models.
pub trait ModelRepository: Send + fmt::Debug {
    /// Stores a model file so that a crash leaves the old or the new one whole.
    ///
    /// # Errors
    /// If the name is not made of letters, digits, `_`, `-` and `.`, or the place cannot be written.
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Reads a model file; `None` if there is none of this name.
    ///
    /// # Errors
    /// If it exists and cannot be read.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Moves an unreadable model file aside, never deleting it, and says where to; `None` if there was none.
    ///
    /// # Errors
    /// If it cannot be moved.
    fn set_aside(&mut self, name: &str) -> Result<Option<PathBuf>>;

    /// Reads what was saved under a name before: 1 `back` is what the newest replaced. `None` if so much is not kept,
    /// as nothing is by repositories that keep only the newest, which need not write this or what follows.
    ///
    /// # Errors
    /// If it exists and cannot be read.
    fn load_older(&self, _name: &str, _back: usize) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Where nothing is stored under a name any more, makes the newest that was before what [`ModelRepository::load`]
    /// reads; says whether there was one.
    ///
    /// # Errors
    /// If it cannot be done.
    fn roll_back(&mut self, _name: &str) -> Result<bool> {
        Ok(false)
    }
}
