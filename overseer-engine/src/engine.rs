//! The engine's state, and how a sample enters it.

use crate::action::Advised;
use crate::changes::LastStored;
use crate::config::Config;
use crate::history::{History, Pushed};
use crate::hours::Means;
use crate::incident::{Incidents, ZoneByName, only_utc};
use crate::model_keeping::UnsavedModel;
use crate::policy::{AlarmPolicy, Verdict};
use crate::report::{Notice, Stage, Timing};
use crate::room::Room;
use crate::selection::Contest;
use crate::training::Fitted;
use overseer_core::{
    AnomalyDetection, Collector, Detector, DetectorTrainer, FeatureEvidence, FillForecaster,
    Forecaster, ForecasterTrainer, Frame, HostInfo, Interruption, Judgement, LabelKind,
    ModelRepository, PatternAnalysis, PatternAnalyzer, Prediction, ProcessUsage, Reading, Result,
    Sample, SampleQuery, Schema, Selection, Span, Store, Timestamp, host,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// What an engine is made of. Anything that implements the traits will do.
#[derive(Debug)]
pub struct Parts {
    /// Where samples come from.
    pub collector: Box<dyn Collector>,
    /// Where samples and findings are kept; without one, nothing outlives the engine.
    pub store: Option<Box<dyn Store>>,
    /// Where model files are kept; without one, models are trained anew each time.
    pub models: Option<Box<dyn ModelRepository>>,
    /// Fits detectors.
    pub detector_trainer: Box<dyn DetectorTrainer>,
    /// Fits forecasters.
    pub forecaster_trainer: Box<dyn ForecasterTrainer>,
    /// Finds patterns.
    pub pattern_analyzer: Box<dyn PatternAnalyzer>,
    /// Says when something is full.
    pub fill_forecaster: Box<dyn FillForecaster>,
}

/// Whether this engine is the installation's one sampler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes samples and stores them.
    Sampler,
    /// Another process samples: this one reads what that stores, and stores no samples.
    Reader,
}

/// What a new host's first run does before the engine can say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SamplingPlan {
    /// How many samples to take.
    pub samples: usize,
    /// The time between them.
    pub interval: Span,
}

/// Learns one host and says what it finds. See the crate's documentation for an example.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) parts: Parts,
    pub(crate) schema: Schema,
    pub(crate) host: HostInfo,
    pub(crate) role: Role,
    pub(crate) data_dir: Option<String>,
    /// Samples at the step, and the fast ones of a first run.
    pub(crate) history: History,
    pub(crate) fast: History,
    /// Samples and findings that the store could not take yet.
    pub(crate) unsaved: VecDeque<(Span, Sample)>,
    pub(crate) unsaved_findings: VecDeque<AnomalyDetection>,
    pub(crate) unsaved_models: Vec<UnsavedModel>,
    /// The predictions and patterns that were stored last.
    pub(crate) last_stored: LastStored,
    pub(crate) detector: Option<Fitted<dyn Detector>>,
    pub(crate) forecaster: Option<Fitted<dyn Forecaster>>,
    pub(crate) since_training: usize,
    /// Samples to wait before a forecaster that could not be trained is tried again.
    pub(crate) forecaster_pause: usize,
    /// Who competes to be the forecaster, how one was chosen, and when that was tried last.
    pub(crate) contest: Option<Arc<Contest>>,
    pub(crate) selection: Option<Selection>,
    pub(crate) contest_tried: Option<Timestamp>,
    /// Whether a forecaster waits to be fitted elsewhere.
    pub(crate) refit_due: bool,
    pub(crate) reading: Option<Reading>,
    pub(crate) judgement: Option<(Timestamp, Judgement)>,
    /// Whether the newest reading was a glance, over a shorter time than the samples that were learned from.
    pub(crate) is_glance: bool,
    pub(crate) policy: AlarmPolicy,
    pub(crate) verdict: Option<(Timestamp, Verdict)>,
    /// One for each event, and what people said of them.
    pub(crate) incidents: Incidents,
    pub(crate) zones: ZoneByName,
    /// The sample whose alert was reported last, so that none is reported twice.
    pub(crate) alerted: Option<Timestamp>,
    /// Why the newest sample was judged as it was, every feature; worked out once a look.
    pub(crate) explained: Vec<FeatureEvidence>,
    pub(crate) anomalies: VecDeque<AnomalyDetection>,
    pub(crate) predictions: Vec<Prediction>,
    pub(crate) patterns: Vec<PatternAnalysis>,
    /// What is kept beside the samples, and when it is full.
    pub(crate) room: Room,
    pub(crate) processes: Vec<ProcessUsage>,
    /// What could be done, and what came of it before.
    pub(crate) advised: Advised,
    /// What the store keeps by minutes and hours, for what is hours ahead.
    pub(crate) means: Vec<Means>,
    pub(crate) predicted_at: Option<Timestamp>,
    pub(crate) patterns_at: Option<Timestamp>,
    /// What the last days show, and when that was looked at.
    pub(crate) long_patterns: Option<(Timestamp, Vec<PatternAnalysis>)>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) timings: Vec<Timing>,
    pub(crate) slow_stages: u64,
    pub(crate) step_is_stored: bool,
    /// Whether the step could not be read from the store yet.
    pub(crate) step_is_unread: bool,
    /// Whether the store refused the last samples that it was given, or could not be written at the start.
    pub(crate) store_failed: bool,
}

impl Engine {
    /// Puts an engine together, reads the stored history and loads the stored models.
    ///
    /// What is missing or broken is noted for the next report and worked around.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn new(parts: Parts, config: Config, role: Role) -> Result<Self> {
        Self::build(parts, None, config, role, None)
    }

    /// As [`Engine::new`], with forecasters to choose among; a stored choice of one of them is in force at once. The
    /// contest's default should be what `parts` fits forecasters with.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_contest(
        parts: Parts,
        contest: Contest,
        config: Config,
        role: Role,
    ) -> Result<Self> {
        Self::build(parts, Some(Arc::new(contest)), config, role, None)
    }

    /// As [`Engine::with_contest`], at a moment: what is stored of later than three steps after `now` was dated by a
    /// clock that was wrong. It is kept, told and left out, for it would pass for the newest for as long as it lies ahead.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_contest_at(
        parts: Parts,
        contest: Contest,
        config: Config,
        role: Role,
        now: Timestamp,
    ) -> Result<Self> {
        Self::build(parts, Some(Arc::new(contest)), config, role, Some(now))
    }

    fn build(
        parts: Parts,
        contest: Option<Arc<Contest>>,
        config: Config,
        role: Role,
        now: Option<Timestamp>,
    ) -> Result<Self> {
        let config = config.checked()?;
        let schema = parts.collector.schema().clone();
        let mut engine = Self {
            history: History::new(config.history_capacity, config.step),
            fast: History::new(config.history_capacity, config.fast_interval),
            policy: AlarmPolicy::new(config.alarm_budget, config.step),
            host: parts.collector.host(),
            config,
            parts,
            schema,
            role,
            data_dir: None,
            unsaved: VecDeque::new(),
            unsaved_findings: VecDeque::new(),
            unsaved_models: Vec::new(),
            last_stored: LastStored::default(),
            detector: None,
            forecaster: None,
            since_training: 0,
            forecaster_pause: 0,
            contest,
            selection: None,
            contest_tried: None,
            refit_due: false,
            reading: None,
            judgement: None,
            is_glance: false,
            verdict: None,
            incidents: Incidents::default(),
            zones: only_utc,
            alerted: None,
            explained: Vec::new(),
            anomalies: VecDeque::new(),
            predictions: Vec::new(),
            patterns: Vec::new(),
            room: Room::default(),
            processes: Vec::new(),
            advised: Advised::default(),
            means: Vec::new(),
            predicted_at: None,
            patterns_at: None,
            long_patterns: None,
            notices: Vec::new(),
            timings: Vec::new(),
            slow_stages: 0,
            step_is_stored: false,
            step_is_unread: false,
            store_failed: false,
        };
        engine.read_history(now);
        if let Some(last) = engine.anomalies.back() {
            engine.policy.resume(last.severity, last.timestamp);
        }
        engine.load_models();
        engine.catch_up();
        Ok(engine)
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What is known about the host.
    #[must_use]
    pub fn host_info(&self) -> &HostInfo {
        &self.host
    }

    /// Whether this engine takes samples itself.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether a first run should sample the host quickly before anything is asked, and how.
    #[must_use]
    pub fn sampling_plan(&self) -> Option<SamplingPlan> {
        let enough = self.detector.is_some()
            || self.history.len() >= self.config.min_samples
            || self.fast.len() >= self.config.fast_samples;
        (!enough && self.role == Role::Sampler).then_some(SamplingPlan {
            samples: self.config.fast_samples,
            interval: self.config.fast_interval,
        })
    }

    /// Whether all that is known comes from the fast samples of a first run.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        match &self.detector {
            Some(d) => d.metadata.provisional,
            None => self.history.len() < self.config.min_samples,
        }
    }

    /// The samples that can be learned from: those at the step once there are enough, else the fast ones.
    pub(crate) fn active(&self) -> &History {
        if self.history.len() >= self.config.min_samples || self.fast.len() < self.history.len() {
            &self.history
        } else {
            &self.fast
        }
    }

    /// Adds a note for the next report. For whoever opened the engine and saw something on the way.
    pub fn note(&mut self, notice: Notice) {
        if notice.warning {
            tracing::warn!(stage = %notice.stage, "{}", notice.message);
        } else {
            tracing::info!(stage = %notice.stage, "{}", notice.message);
        }
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Runs a stage, times it, and logs it when it is over its budget.
    pub(crate) fn timed<T>(&mut self, stage: Stage, work: impl FnOnce(&mut Self) -> T) -> T {
        let start = Instant::now();
        let result = work(self);
        let elapsed = start.elapsed();
        self.timings.push(Timing::new(stage, 1000.0 * elapsed.as_secs_f64()));
        if Span::from(elapsed) > self.config.stage_budget && stage != Stage::Train {
            self.slow_stages += 1;
            tracing::info!(%stage, ?elapsed, slow_stages = self.slow_stages, "slow stage");
        }
        result
    }

    /// Takes a sample at the step, or, beside another sampler, reads the ones that it stored.
    ///
    /// # Errors
    /// If no sample can be had; the engine goes on with what it has.
    pub fn collect(&mut self, now: Timestamp) -> Result<()> {
        match self.role {
            Role::Sampler => self.collect_at(now, self.config.step),
            Role::Reader => {
                self.timed(Stage::Collect, |e| e.read_new_samples(now));
                Ok(())
            }
        }
    }

    /// Takes one of the fast samples of a first run.
    ///
    /// # Errors
    /// As [`Engine::collect`].
    pub fn collect_fast(&mut self, now: Timestamp) -> Result<()> {
        self.collect_at(now, self.config.fast_interval)
    }

    /// Takes one look without waiting for a step: for a command that runs, answers and ends.
    ///
    /// It is judged by what hurts, for it covers less time than the samples that were learned from, and it is neither
    /// stored nor learned from.
    ///
    /// # Errors
    /// As [`Engine::collect`].
    pub fn glance(&mut self, now: Timestamp) -> Result<()> {
        if self.role == Role::Reader {
            return self.collect(now);
        }
        let reading = self.timed(Stage::Collect, |e| e.parts.collector.collect(now))?;
        self.reading = Some(reading);
        self.is_glance = true;
        self.judge_glance();
        Ok(())
    }

    /// Starts the collector's clocks without keeping a sample: rates are known from the next one on.
    pub fn prime(&mut self, now: Timestamp) {
        if let Err(e) = self.parts.collector.collect(now) {
            self.note(Notice::warning(Stage::Collect, e.to_string()));
        }
    }

    fn collect_at(&mut self, now: Timestamp, interval: Span) -> Result<()> {
        let reading = self.timed(Stage::Collect, |e| e.parts.collector.collect(now))?;
        self.ingest(reading, interval);
        Ok(())
    }

    /// Takes a reading into the history, the store and the models' lags.
    pub(crate) fn ingest(&mut self, reading: Reading, interval: Span) {
        let sample = reading.sample.clone();
        for interruption in &reading.interruptions {
            self.note(Notice::info(Stage::Collect, interruption.to_string()));
            match *interruption {
                Interruption::ClockForward(by) => self.policy.clock_was_set(true, by),
                Interruption::ClockBack(by) => self.policy.clock_was_set(false, by),
                _ => {}
            }
        }
        self.reading = Some(reading);
        self.is_glance = false;
        if sample.is_blank() {
            self.note(Notice::warning(
                Stage::Collect,
                "no value could be read from this host; nothing was stored",
            ));
            return;
        }
        let is_step = interval == self.config.step;
        let history = if is_step { &mut self.history } else { &mut self.fast };
        let mut pushed = history.push(sample.clone());
        if pushed == Pushed::NotLater {
            let behind =
                history.last().map_or(Span::default(), |l| l.timestamp.since(sample.timestamp));
            if behind <= interval.times(3) {
                return; // A repeated or slightly late sample tells nothing new.
            }
            *history = History::new(self.config.history_capacity, interval);
            history.push(sample.clone());
            pushed = Pushed::AfterGap;
            self.note(Notice::warning(
                Stage::Collect,
                format!("the clock went back by {behind}; windows start anew"),
            ));
        }
        if is_step {
            self.since_training += 1;
        }
        self.forecaster_pause = self.forecaster_pause.saturating_sub(1);
        // Judging comes before storing: a store that hangs must not delay it.
        self.observe(&sample, interval, pushed == Pushed::AfterGap);
        if self.role == Role::Sampler {
            self.save(interval, sample);
        }
    }

    /// The newest samples that models may learn from, at most `rows`, oldest first: from the store as far as it has
    /// them, and from memory what the store could not take.
    pub(crate) fn training_frame(&mut self, rows: usize) -> Result<Frame> {
        let known = self.active();
        let (interval, last) = (known.interval(), known.last().map(|s| s.timestamp));
        if rows > known.len()
            && let (Some(store), Some(last)) = (&mut self.parts.store, last)
        {
            let mut query = SampleQuery::latest(interval, rows);
            query.to = last;
            match store.samples(&query) {
                Ok(mut frame) => {
                    let stored = frame.timestamps().last().copied();
                    let waiting =
                        self.active().iter().filter(|s| stored.is_none_or(|t| s.timestamp > t));
                    for sample in waiting {
                        frame.push(sample)?;
                    }
                    let extra = frame.len().saturating_sub(rows);
                    return self.without_incidents(frame.slice(extra, usize::MAX));
                }
                Err(e) => self.note(Notice::warning(Stage::Store, e.to_string())),
            }
        }
        let frame = self.active().frame(&self.schema, rows)?;
        self.without_incidents(frame)
    }

    /// The rows that no person has called an incident: what was wrong is not to be learned as normal.
    fn without_incidents(&self, frame: Frame) -> Result<Frame> {
        let labelled = self.incidents.labelled().iter();
        let spans: Vec<(Timestamp, Timestamp)> =
            labelled.filter(|l| l.kind == LabelKind::Incident).map(|l| l.span).collect();
        let is_within = |at: Timestamp| spans.iter().any(|&(from, to)| from <= at && at <= to);
        if !frame.timestamps().iter().copied().any(is_within) {
            return Ok(frame);
        }
        let mut rest = Frame::new(frame.schema().clone());
        for (at, values) in frame.rows().filter(|&(at, _)| !is_within(at)) {
            rest.push_row(at, values)?;
        }
        Ok(rest)
    }

    /// The host's values of the newest reading, if it is of the host's schema.
    pub(crate) fn host_values(&self) -> Option<&[f64]> {
        let reading = self.reading.as_ref()?;
        (self.schema == host::schema()).then_some(reading.sample.values.as_slice())
    }

    /// The newest sample that is known, from the collector or the history.
    pub(crate) fn newest(&self) -> Option<&Sample> {
        self.reading.as_ref().map(|r| &r.sample).or_else(|| self.active().last())
    }
}
