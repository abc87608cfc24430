//! How the models see samples: as they come, after a pause, or as a glance.

use crate::engine::Engine;
use crate::report::{Notice, Stage};
use overseer_core::{Result, Sample, Span, Timestamp};

impl Engine {
    /// Lets the models see a sample.
    pub(crate) fn observe(&mut self, sample: &Sample, interval: Span, after_gap: bool) {
        if let Some(detector) = &mut self.detector {
            if after_gap {
                detector.model.reset_lags();
            }
            match detector.model.observe(sample) {
                Ok(judgement) => self.judgement = Some((sample.timestamp, judgement)),
                Err(e) => self.note(Notice::warning(Stage::Detect, e.to_string())),
            }
        }
        if let Some(forecaster) = &mut self.forecaster {
            // A forecaster's lags are steps of its own interval: samples at another one would be lies.
            if forecaster.metadata.interval_ms == interval.as_millis() {
                if after_gap {
                    forecaster.model.reset_lags();
                }
                forecaster.seen = sample.timestamp;
                if let Err(e) = forecaster.model.observe(sample) {
                    self.note(Notice::warning(Stage::Predict, e.to_string()));
                }
            }
        }
    }

    /// Lets the models see what came after their training: the history, and a glance if that is the newest.
    pub(crate) fn catch_up(&mut self) {
        self.catch_up_with(true, true);
    }

    /// The same for those that are new; one that is not has seen it.
    pub(crate) fn catch_up_with(&mut self, detector: bool, forecaster: bool) {
        if detector {
            self.catch_up_detector();
        }
        if forecaster {
            self.catch_up_forecaster();
        }
        if detector && self.is_glance {
            self.judge_glance();
        }
    }

    fn catch_up_detector(&mut self) {
        let Some(mut detector) = self.detector.take() else { return };
        let mut judgement = None;
        self.replay(detector.metadata.trained_on.1, |sample, after_gap| {
            if after_gap {
                detector.model.reset_lags();
            }
            judgement = Some((sample.timestamp, detector.model.observe(sample)?));
            Ok(())
        });
        self.judgement = judgement.or(self.judgement);
        self.detector = Some(detector);
    }

    pub(crate) fn catch_up_forecaster(&mut self) {
        let Some(mut forecaster) = self.forecaster.take() else { return };
        if forecaster.metadata.interval_ms == self.active().interval().as_millis() {
            self.replay(forecaster.metadata.trained_on.1, |sample, after_gap| {
                if after_gap {
                    forecaster.model.reset_lags();
                }
                forecaster.seen = sample.timestamp;
                forecaster.model.observe(sample)
            });
        }
        self.forecaster = Some(forecaster);
    }

    /// Passes on the samples after `trained`, each with whether a gap lies before it.
    fn replay(&self, trained: Timestamp, mut see: impl FnMut(&Sample, bool) -> Result<()>) {
        let interval = self.active().interval();
        let mut before = trained;
        for sample in self.active().iter().filter(|s| s.timestamp > trained) {
            let after_gap = Timestamp::is_gap(before, sample.timestamp, interval);
            if let Err(e) = see(sample, after_gap) {
                tracing::debug!("catching up: {e}");
            }
            before = sample.timestamp;
        }
    }

    /// Judges the newest reading without its leaving a trace in the samples' lags.
    pub(crate) fn judge_glance(&mut self) {
        let (Some(detector), Some(reading)) = (&mut self.detector, &self.reading) else { return };
        let sample = &reading.sample;
        let mut copy = detector.model.boxed_clone();
        copy.reset_lags();
        match copy.observe(sample) {
            Ok(judgement) => {
                // The copy stays, for it is what can explain the judgement; a glance ends its process anyway.
                detector.model = copy;
                self.judgement = Some((sample.timestamp, judgement));
            }
            Err(e) => self.note(Notice::warning(Stage::Detect, e.to_string())),
        }
    }
}
