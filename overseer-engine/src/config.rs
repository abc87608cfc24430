//! What an engine may be told, with defaults that need no telling.

use crate::policy::AlarmBudget;
use overseer_core::{Error, Result, Span};

/// A detector of the host's schema fits in so many bytes.
const LEAST_DETECTOR_BYTES: usize = 512 * 1024;

/// An engine's settings. Checked once, by [`Config::checked`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Time between samples. Lags, windows and horizons count these.
    pub step: Span,
    /// Time between the samples of a first run.
    pub fast_interval: Span,
    /// How many samples a first run takes before it dares a provisional model.
    pub fast_samples: usize,
    /// How many samples at the step replace the provisional model by a real one.
    pub min_samples: usize,
    /// How many samples are kept in memory.
    pub history_capacity: usize,
    /// How many anomalies are kept in memory.
    pub anomaly_capacity: usize,
    /// How many of the newest samples models are trained on at most.
    pub training_rows: usize,
    /// How many bytes of memory the detector may hold, at least 512 KiB; `None` for as many as it likes, which are 1.9
    /// MB for the host's schema. What it gives up for less its metadata says.
    pub max_detector_bytes: Option<usize>,
    /// How many steps ahead forecasters are trained for, as far as the history allows.
    pub horizon_steps: usize,
    /// How old the choice of a forecaster may be before another contest is due; `None` for none but when asked.
    pub choose_every: Option<Span>,
    /// Whether a forecaster that replaces an older one is fitted by whoever asks for
    /// [`Engine::due_refit`](crate::Engine::due_refit), instead of by a tick, which takes most of a second.
    pub refit_elsewhere: bool,
    /// How many of the newest samples patterns are looked for in.
    pub pattern_window: usize,
    /// How many alerts a healthy host may raise.
    pub alarm_budget: AlarmBudget,
    /// How long an event must last, in samples of it, before it fires.
    pub min_duration: Span,
    /// How long after it was told last an incident that goes on and that nobody has acknowledged is told again.
    pub remind_every: Span,
    /// How often a tick makes new predictions.
    pub predict_every: Span,
    /// How often a tick looks for patterns.
    pub patterns_every: Span,
    /// How many processes of each kind a finding names.
    pub processes: usize,
    /// The names of who is told of incidents.
    pub sinks: Vec<String>,
    /// A stage that takes longer than this is logged and counted.
    pub stage_budget: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            step: Span::from_secs(5),
            fast_interval: Span::from_millis(200),
            fast_samples: 75,
            min_samples: 60,
            history_capacity: 1000,
            anomaly_capacity: 100,
            training_rows: 5000,
            max_detector_bytes: None,
            horizon_steps: 120,
            choose_every: Some(Span::from_secs(86_400)),
            refit_elsewhere: false,
            pattern_window: 1000,
            alarm_budget: AlarmBudget::default(),
            min_duration: Span::default(),
            remind_every: Span::from_secs(4 * 3600),
            predict_every: Span::from_secs(60),
            patterns_every: Span::from_secs(300),
            processes: 3,
            sinks: Vec::new(),
            stage_budget: Span::from_millis(20),
        }
    }
}

impl Config {
    /// These settings, if an engine can work with them.
    ///
    /// # Errors
    /// Names the first setting that is out of range.
    pub fn checked(self) -> Result<Self> {
        let need = |ok: bool, name: &str, message: &str| {
            if ok { Ok(()) } else { Err(Error::invalid_parameter(name, message)) }
        };
        let least = |n: usize, what: &str| format!("must be at least {n}, {what}");
        need(self.step.as_millis() >= 50, "step", "must be at least 50 ms")?;
        need(self.fast_interval.as_millis() >= 50, "fast_interval", "must be at least 50 ms")?;
        need(self.fast_interval <= self.step, "fast_interval", "must not exceed the step")?;
        need(self.min_samples >= 30, "min_samples", "must be at least 30")?;
        need(self.fast_samples >= 30, "fast_samples", "must be at least 30")?;
        need(
            self.history_capacity >= self.min_samples,
            "history_capacity",
            &least(self.min_samples, "the samples that models need"),
        )?;
        need(
            self.history_capacity >= self.fast_samples,
            "history_capacity",
            &least(self.fast_samples, "the samples of a first run"),
        )?;
        need(self.anomaly_capacity > 0, "anomaly_capacity", "must be at least 1")?;
        need(self.training_rows >= self.min_samples, "training_rows", "must hold min_samples")?;
        need(
            self.max_detector_bytes.is_none_or(|bytes| bytes >= LEAST_DETECTOR_BYTES),
            "max_detector_bytes",
            "must be at least 512 KiB (524288 bytes)",
        )?;
        need(self.horizon_steps > 0, "horizon_steps", "must be at least 1")?;
        need(self.remind_every > Span::default(), "remind_every", "must be longer than nothing")?;
        need(self.sinks.len() <= 32, "sinks", "must be at most 32")?;
        need(self.pattern_window >= 12, "pattern_window", "must be at least 12")?;
        Ok(self)
    }

    /// How long a first run samples the host.
    #[must_use]
    pub fn first_run(&self) -> Span {
        self.fast_interval.times(self.fast_samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_a_first_run_takes_fifteen_seconds() {
        let config = Config::default().checked().unwrap();
        assert_eq!(config.first_run(), Span::from_secs(15));
    }

    #[test]
    fn an_impossible_setting_is_named() {
        let config = Config { history_capacity: 10, ..Config::default() };
        assert!(config.checked().unwrap_err().to_string().contains("history_capacity"));
        let config = Config { max_detector_bytes: Some(524_287), ..Config::default() };
        assert!(config.checked().unwrap_err().to_string().contains("max_detector_bytes"));
    }
}
