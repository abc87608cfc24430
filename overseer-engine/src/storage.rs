//! What the engine reads from and writes to its store. A store that fails never stops the other stages: what could
//! not be written is kept in memory, bounded, and written when the store is back.

use crate::engine::Engine;
use crate::report::{Notice, Stage};
use overseer_core::{
    AnomalyDetection, PatternAnalysis, Prediction, Reading, Result, Sample, SampleQuery, Span,
    Store, TickRecord, Timestamp,
};
use std::time::Duration;

/// How many of the newest stored predictions and patterns are looked at, so as not to store the same again.
const LAST_STORED: usize = 100;

/// How long a tick may spend on the store's upkeep.
const UPKEEP: Duration = Duration::from_millis(2);

/// So many samples of the future are counted; of more it is said that they are at least as many.
const COUNTED: usize = 1000;

/// The latest that a sample may be at this moment: clocks are set by seconds all the time.
pub(crate) fn latest(now: Timestamp, step: Span) -> Timestamp {
    now + step.times(3)
}

impl Engine {
    /// Reads the step, the newest samples and the newest anomalies, of before `now` if that is known.
    pub(crate) fn read_history(&mut self, now: Option<Timestamp>) {
        const EARLIEST: Timestamp = Timestamp::from_millis(i64::MIN);
        let step = self.config.step;
        let until = now.map_or(Timestamp::from_millis(i64::MAX), |now| latest(now, step));
        let Some(store) = &mut self.parts.store else { return };
        let mut problems = Vec::new();
        match store.step() {
            Ok(Some(stored)) if stored != self.config.step => {
                problems.push(Notice::info(
                    Stage::Store,
                    format!(
                        "the step is now {} instead of {stored}: samples at {stored} are kept, and learning starts anew",
                        self.config.step
                    ),
                ));
            }
            Ok(stored) => self.step_is_stored = stored.is_some(),
            Err(e) => {
                self.step_is_unread = true;
                problems.push(Notice::warning(Stage::Store, e.to_string()));
            }
        }
        for history in [&mut self.history, &mut self.fast] {
            let mut query = SampleQuery::latest(history.interval(), self.config.history_capacity);
            query.to = until;
            match store.samples(&query) {
                Ok(frame) => {
                    for (timestamp, values) in frame.rows() {
                        history.push(Sample::new(timestamp, values.to_vec()));
                    }
                }
                Err(e) => problems.push(Notice::warning(Stage::Store, e.to_string())),
            }
        }
        if now.is_some() {
            // What is ahead of the clock is told once, and passes for the newest nowhere.
            match dated_ahead(store.as_mut(), step, self.config.fast_interval, until) {
                Ok(said) => problems.extend(said),
                Err(e) => problems.push(Notice::warning(Stage::Store, e.to_string())),
            }
        }
        match store.anomalies_between(EARLIEST, until, self.config.anomaly_capacity) {
            Ok(newest_first) => self.anomalies.extend(newest_first.into_iter().rev()),
            Err(e) => problems.push(Notice::warning(Stage::Store, e.to_string())),
        }
        // The newest come first; those of one kind are few among them.
        let known = store
            .predictions_between(EARLIEST, until, LAST_STORED)
            .and_then(|p| Ok((p, store.patterns_between(EARLIEST, until, LAST_STORED)?)));
        match known {
            Ok((predictions, patterns)) => self.last_stored.note(
                predictions.into_iter().rev().collect(),
                patterns.into_iter().rev().collect(),
            ),
            Err(e) => problems.push(Notice::warning(Stage::Store, e.to_string())),
        }
        for problem in problems {
            self.note(problem);
        }
    }

    /// Makes the configured step the installation's, once.
    pub(crate) fn remember_step(&mut self) {
        if self.step_is_stored || self.role == crate::Role::Reader {
            return;
        }
        let step = self.config.step;
        let Some(store) = &mut self.parts.store else { return };
        let done = if self.step_is_unread {
            // What could not be read at the start must not be replaced by what was taken instead of it.
            store.step().and_then(|stored| match stored {
                Some(stored) => Ok(Some(stored)),
                None => store.set_step(step).map(|()| None),
            })
        } else {
            store.set_step(step).map(|()| None)
        };
        match done {
            Ok(stored) => {
                self.step_is_stored = true;
                self.step_is_unread = false;
                if let Some(stored) = stored.filter(|&s| s != step) {
                    self.note(Notice::warning(
                        Stage::Store,
                        format!(
                            "the installation's step is {stored}, which could not be read at the start: until the \
                             next start samples are taken at {step}"
                        ),
                    ));
                }
            }
            Err(e) => self.note(Notice::warning(Stage::Store, e.to_string())),
        }
    }

    /// Reads what another process sampled since the newest sample known here.
    pub(crate) fn read_new_samples(&mut self, now: Timestamp) {
        let step = self.config.step;
        let latest = latest(now, step);
        if self.history.last().is_some_and(|s| s.timestamp > latest) {
            // The clock was ahead once. What it left in the future says nothing of now.
            self.history = crate::history::History::new(self.config.history_capacity, step);
        }
        let after = self.history.last().map_or(Timestamp::from_millis(i64::MIN), |s| s.timestamp);
        let Some(store) = &mut self.parts.store else { return };
        let mut query = SampleQuery::latest(step, self.config.history_capacity);
        query.from = after + Span::from_millis(1);
        query.to = latest;
        match store.samples(&query) {
            Ok(frame) => {
                for (timestamp, values) in frame.rows() {
                    self.ingest(Reading::new(Sample::new(timestamp, values.to_vec())), step);
                }
            }
            Err(e) => self.note(Notice::warning(Stage::Store, e.to_string())),
        }
        if self.reading.is_none() {
            self.reading = self.history.last().cloned().map(Reading::new);
        }
        let newest = self.history.last().map(|s| s.timestamp);
        if newest.is_some_and(|n| Timestamp::is_gap(n.min(now), now, step)) {
            let age = newest.map_or(Span::default(), |n| now.since(n));
            self.note(Notice::warning(
                Stage::Collect,
                format!("the newest stored sample is {age} old: what is said of now is of then"),
            ));
        }
    }

    /// Stores a sample with those that could not be stored before.
    pub(crate) fn save(&mut self, interval: Span, sample: Sample) {
        if self.parts.store.is_none() {
            return;
        }
        if self.unsaved.len() >= self.config.history_capacity {
            self.unsaved.pop_front();
            self.note(Notice::warning(
                Stage::Store,
                "the store has been unavailable for so long that the oldest unsaved samples are lost",
            ));
        }
        self.unsaved.push_back((interval, sample));
        self.timed(Stage::Store, Self::flush_samples);
    }

    /// Stores what is waiting; what cannot be stored goes on waiting.
    pub(crate) fn flush_samples(&mut self) {
        while let Some(&(interval, _)) = self.unsaved.front() {
            let batch: Vec<Sample> = self
                .unsaved
                .iter()
                .take_while(|(i, _)| *i == interval)
                .map(|(_, s)| s.clone())
                .collect();
            let Some(store) = &mut self.parts.store else { return };
            match store.append(interval, &batch) {
                Ok(appended) => {
                    tracing::trace!(?appended, "stored samples");
                    self.unsaved.drain(..batch.len());
                    if std::mem::take(&mut self.store_failed) {
                        self.note(Notice::info(
                            Stage::Store,
                            format!(
                                "the store is back: {} samples that waited were stored",
                                batch.len()
                            ),
                        ));
                    }
                    if appended.late > 0 {
                        self.note(Notice::warning(
                            Stage::Store,
                            format!(
                                "{} samples are of a time that was summarised long ago, and were not stored",
                                appended.late
                            ),
                        ));
                    }
                }
                Err(e) => {
                    self.store_failed = true;
                    self.note(Notice::warning(
                        Stage::Store,
                        format!("{e}; samples wait in memory"),
                    ));
                    return;
                }
            }
        }
    }

    /// Stores the findings of one tick, in one transaction; of predictions and patterns those that say something new.
    pub(crate) fn record(
        &mut self,
        anomaly: Option<&AnomalyDetection>,
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
    ) {
        let mut anomalies: Vec<AnomalyDetection> = self.unsaved_findings.iter().cloned().collect();
        anomalies.extend(anomaly.cloned());
        let predictions = self.last_stored.new_predictions(predictions);
        let patterns = self.last_stored.new_patterns(patterns);
        let (incidents, alerts) = self.incidents.unsaved();
        let mut tick = TickRecord::default();
        (tick.anomalies, tick.predictions, tick.patterns) = (&anomalies, &predictions, &patterns);
        (tick.incidents, tick.alerts) = (&incidents, &alerts);
        if tick.is_empty() || self.role == crate::Role::Reader {
            return; // What a reader finds, the sampler finds too, and stores once.
        }
        let Some(store) = &mut self.parts.store else { return };
        match store.record_tick(&tick) {
            Ok(numbers) => {
                self.incidents.stored(&numbers);
                self.unsaved_findings.clear();
                self.last_stored.note(predictions, patterns);
            }
            Err(e) => {
                // Anomalies are history worth keeping; predictions and patterns are made again soon.
                if let Some(a) = anomaly {
                    if self.unsaved_findings.len() >= self.config.anomaly_capacity {
                        self.unsaved_findings.pop_front();
                    }
                    self.unsaved_findings.push_back(a.clone());
                }
                self.note(Notice::warning(Stage::Store, e.to_string()));
            }
        }
    }

    /// Lets the store summarise, remove what is old and give space back, a little at a time.
    pub(crate) fn maintain_store(&mut self, now: Timestamp) {
        if self.role == crate::Role::Reader {
            return;
        }
        let Some(store) = &mut self.parts.store else { return };
        match store.maintain(now, UPKEEP) {
            Ok(done) => {
                for dropped in &done.dropped {
                    let age = now.since(dropped.before);
                    self.note(Notice::warning(
                        Stage::Store,
                        format!(
                            "the database has reached its largest size: {} {} older than {age} were removed",
                            dropped.rows, dropped.what
                        ),
                    ));
                }
                for damaged in &done.damaged {
                    let age = now.since(damaged.from);
                    self.note(Notice::warning(
                        Stage::Store,
                        format!(
                            "stored {} of {age} ago are not what was stored: their checksum does not agree; they \
                             were left as they are, and `overseer verify` looks at everything",
                            damaged.what
                        ),
                    ));
                }
                for said in done.told {
                    self.note(Notice::warning(Stage::Store, said));
                }
                if done.too_large {
                    self.note(Notice::warning(
                        Stage::Store,
                        "the database is larger than it may be, and nothing more in it may be removed",
                    ));
                }
            }
            Err(e) => self.note(Notice::warning(Stage::Store, e.to_string())),
        }
    }

    /// Drops the fast samples of a first run once models have learned from samples at the step.
    pub(crate) fn drop_fast_samples(&mut self) {
        let fast = self.config.fast_interval;
        if self.config.step == fast || self.role == crate::Role::Reader {
            return;
        }
        self.fast = crate::history::History::new(self.config.history_capacity, fast);
        if let Some(store) = &mut self.parts.store
            && let Err(e) = store.remove_samples(fast)
        {
            self.note(Notice::warning(Stage::Store, e.to_string()));
        }
    }
}

/// What is to be said of samples that are dated later than `until`.
fn dated_ahead(
    store: &mut dyn Store,
    step: Span,
    fast: Span,
    until: Timestamp,
) -> Result<Option<Notice>> {
    let (mut number, mut newest) = (0, until);
    for interval in if step == fast { vec![step] } else { vec![step, fast] } {
        let mut query = SampleQuery::latest(interval, COUNTED);
        query.from = until + Span::from_millis(1);
        let frame = store.samples(&query)?;
        number += frame.len();
        newest = frame.timestamps().last().map_or(newest, |&last| last.max(newest));
    }
    if number == 0 {
        return Ok(None);
    }
    let how_many = match number {
        1 => "1 stored sample is".to_owned(),
        number if number < COUNTED => format!("{number} stored samples are"),
        number => format!("at least {number} stored samples are"),
    };
    let newest = crate::utc::utc(newest);
    let said = format!(
        "{how_many} dated after now, the newest {newest}, by a clock or a file that was wrong; what is dated so is \
         kept and left out"
    );
    Ok(Some(Notice::warning(Stage::Store, said)))
}
