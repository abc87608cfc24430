//! The engine's two ways of doing everything: `tick` on a schedule, and `analyze` at once.

use crate::engine::{Engine, Role};
use crate::history::History;
use crate::report::{Current, CurrentValue, Learned, Notice, REPORT_VERSION, Report, Stage};
use overseer_core::{AnomalyDetection, FeatureValue, Result, Span, Timestamp, host};
use std::time::Instant;

/// What a report tells anew.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    predict: bool,
    patterns: bool,
    room: bool,
}

impl Engine {
    /// One step of continuous monitoring: collect, store, detect, and when they are due train, predict and find
    /// patterns.
    ///
    /// A stage that fails is noted in the report, and the later ones go on.
    pub fn tick(&mut self, now: Timestamp) -> Report {
        let start = Instant::now();
        self.remember_step();
        self.heed_decisions(now);
        if let Err(e) = self.collect(now) {
            self.note(Notice::warning(Stage::Collect, e.to_string()));
        }
        if self.is_training_due() {
            self.train(false, now);
        }
        let is_due =
            |at: Option<Timestamp>, every| at.is_none_or(|t| now < t || now.since(t) >= every);
        let predict = is_due(self.predicted_at, self.config.predict_every);
        let patterns = is_due(self.patterns_at, self.config.patterns_every);
        if predict {
            self.refresh_predictions(self.default_horizon_span(), now);
        }
        if patterns {
            self.refresh_patterns(now);
        }
        let anomaly = self.detect();
        self.follow_incidents(now, anomaly.as_ref());
        let room = self.room.take_news();
        let report = self.finish(now, start, anomaly, Found { predict, patterns, room });
        // After everything that somebody waits for. What it notes and finds is in the next report.
        self.maintain_store(now);
        self.save_waiting_models(now);
        self.keep_room(now);
        report
    }

    /// The comprehensive analysis of what is known now; collecting is the caller's.
    pub fn analyze(&mut self, now: Timestamp) -> Report {
        let start = Instant::now();
        self.heed_decisions(now);
        if self.is_training_due() {
            self.train(false, now);
        }
        self.refresh_predictions(self.default_horizon_span(), now);
        self.refresh_patterns(now);
        self.look_at_room(now);
        self.look_at_processes();
        let anomaly = self.detect();
        // Somebody waits for advice and not for the next sample: what lies on a full disk may be looked at.
        self.advised.may_look = true;
        let found = Found { predict: true, patterns: true, room: true };
        let report = self.finish(now, start, anomaly, found);
        self.advised.may_look = false;
        report
    }

    /// A report of the newest judgement alone.
    pub fn anomaly_report(&mut self, now: Timestamp) -> Report {
        let start = Instant::now();
        self.heed_decisions(now);
        self.train_what_is_missing(now);
        self.look_at_processes();
        let anomaly = self.detect();
        self.finish(now, start, anomaly, Found::default())
    }

    /// A report of what comes next: the performance score at every step up to `horizon`, what each feature will do, and
    /// when what can be full will be.
    ///
    /// # Errors
    /// As [`Engine::predict`].
    pub fn prediction_report(&mut self, horizon: Span, now: Timestamp) -> Result<Report> {
        let start = Instant::now();
        self.heed_decisions(now);
        self.train_what_is_missing(now);
        self.predictions = self.timed(Stage::Predict, |e| e.predict_all(horizon))?;
        self.look_at_room(now);
        self.look_at_processes();
        let anomaly = self.detect();
        let found = Found { predict: true, room: true, ..Found::default() };
        Ok(self.finish(now, start, anomaly, found))
    }

    /// Trains where a model is missing: what was stored may be an earlier release's, or gone, and a question asked every
    /// hour must not go unanswered for ever.
    fn train_what_is_missing(&mut self, now: Timestamp) {
        if (self.detector.is_none() || self.forecaster.is_none()) && self.is_training_due() {
            self.train(false, now);
        }
    }

    /// Reads which processes use the most, if this host has them.
    pub fn look_at_processes(&mut self) {
        let top = self.config.processes;
        match self.parts.collector.processes(top) {
            Ok(processes) => self.processes = processes,
            Err(e) => self.note(Notice::warning(Stage::Collect, format!("processes: {e}"))),
        }
    }

    /// From now on what processes use is measured, so that a look at them soon after need not wait.
    pub fn watch_processes(&mut self) {
        if let Err(e) = self.parts.collector.processes(0) {
            self.note(Notice::warning(Stage::Collect, format!("processes: {e}")));
        }
    }

    /// Stores the findings and puts the report together.
    fn finish(
        &mut self,
        now: Timestamp,
        start: Instant,
        anomaly: Option<AnomalyDetection>,
        found: Found,
    ) -> Report {
        let decided = anomaly.as_ref().zip(self.verdict).filter(|(a, (t, _))| a.timestamp == *t);
        let verdict = decided.map(|(_, (_, verdict))| verdict);
        let alert = verdict.is_some_and(|v| v.alert)
            && self.alerted != anomaly.as_ref().map(|a| a.timestamp);
        // While an event only lingers there is nothing new to advise.
        let advised = anomaly.clone().filter(|_| verdict.is_some_and(|v| !v.lingering));
        let recommendations = self.recommend(advised.as_ref());
        let fresh = anomaly.clone().filter(|_| alert);
        let predictions = if found.predict { self.predictions.clone() } else { Vec::new() };
        let patterns = if found.patterns { self.patterns.clone() } else { Vec::new() };
        let room = self.room.left.clone().filter(|_| found.room);
        let auxiliary = if found.room { self.room.values.clone() } else { Vec::new() };
        let mut kept = predictions.clone();
        kept.extend(room.iter().flat_map(|r| &r.filling).cloned());
        self.timed(Stage::Store, |e| e.record(fresh.as_ref(), &kept, &patterns));
        if let Some(a) = fresh {
            self.alerted = Some(a.timestamp);
            if self.anomalies.len() >= self.config.anomaly_capacity {
                self.anomalies.pop_front();
            }
            self.anomalies.push_back(a);
        }
        let report = Report {
            version: REPORT_VERSION,
            timestamp: now,
            host: self.host.clone(),
            learned: self.learned(),
            current: self.current(),
            anomaly,
            alert,
            incidents: self.incidents.report(),
            predictions,
            room,
            auxiliary,
            patterns,
            recommendations,
            processes: std::mem::take(&mut self.processes),
            notices: std::mem::take(&mut self.notices),
            timings: std::mem::take(&mut self.timings),
            tick_ms: 1000.0 * start.elapsed().as_secs_f64(),
        };
        tracing::debug!(ms = report.tick_ms, alert = report.alert, "tick");
        report
    }

    /// What the engine knows, and how little that may be.
    #[must_use]
    pub fn learned(&self) -> Learned {
        let history: &History = self.active();
        let models = [
            self.detector.as_ref().map(|d| &d.metadata),
            self.forecaster.as_ref().map(|f| &f.metadata),
        ];
        let first_last = history.iter().next().zip(history.last());
        Learned {
            samples: history.len(),
            interval: history.interval(),
            span: first_last.map(|(a, b)| (a.timestamp, b.timestamp)),
            provisional: self.is_provisional(),
            readiness: self.judgement.map_or(0.0, |(_, j)| j.readiness.get()),
            models: models.into_iter().flatten().cloned().collect(),
            data_dir: self.data_dir.clone().filter(|_| !self.store_failed),
        }
    }

    /// The host now, as the newest reading tells it.
    fn current(&self) -> Option<Current> {
        let sample = self.newest()?;
        let usual = match (self.explained.is_empty(), &self.detector) {
            (true, Some(detector)) => &detector.model.explain(),
            _ => &self.explained,
        };
        let values = self
            .schema
            .features()
            .iter()
            .zip(&sample.values)
            .map(|(f, &v)| CurrentValue {
                value: FeatureValue::new(&f.name, v),
                unit: f.unit,
                usual: usual
                    .iter()
                    .find(|e| e.feature == f.name)
                    .map(|e| e.expected)
                    .filter(|(a, b)| a.is_finite() && b.is_finite()),
            })
            .collect();
        let score = self.host_values().and_then(host::performance_score);
        Some(Current {
            timestamp: sample.timestamp,
            values,
            performance_score: score.map_or(f64::NAN, |s| s.value),
            driver: score.map(|s| self.schema.features()[s.driver].name.clone()),
            fullest_mount: self.reading.as_ref().and_then(|r| r.fullest_mount.clone()),
            missing: self.reading.as_ref().map(|r| r.missing.clone()).unwrap_or_default(),
            origin: self.reading.as_ref().map(|r| r.origin).unwrap_or_default(),
        })
    }

    /// Writes what is still waiting before the process ends, and says what could not be written.
    pub fn close(&mut self) -> Vec<Notice> {
        if self.role == Role::Sampler {
            self.flush_samples();
            self.flush_auxiliary();
            self.incidents.touch();
            self.record(None, &[], &[]);
            self.save_models_at_the_end();
            // The last word must not be that everything is stored where nobody will find it.
            let place = self.parts.store.as_mut().map_or(Ok(()), |s| s.check_place());
            if let Err(e) = place {
                self.note(Notice::warning(Stage::Store, e.to_string()));
            }
        }
        std::mem::take(&mut self.notices)
    }
}
