//! The command line as meant: flags over the environment over a TOML file over defaults.

use crate::args::{Cli, Command, Format, span};
use overseer_engine::Config;
use overseer_engine::core::{Error, Result, Span};
use overseer_engine::host::Options;
use overseer_engine::policy::AlarmBudget;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What every command needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) format: Format,
    pub(crate) alarm_budget: AlarmBudget,
    data_dir: Option<PathBuf>,
    step: Option<Span>,
    history_samples: Option<usize>,
    history_anomalies: Option<usize>,
    time_zone: Option<String>,
}

/// The TOML file, its keys named as the flags are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    data_dir: Option<PathBuf>,
    every: Option<String>,
    alarm_budget: Option<AlarmBudget>,
    history_samples: Option<usize>,
    history_anomalies: Option<usize>,
    time_zone: Option<String>,
}

impl Settings {
    pub(crate) fn of(cli: &Cli) -> Result<Self> {
        let file = cli.global.config.as_deref().map_or_else(|| Ok(File::default()), read)?;
        let written = file
            .every
            .map(|text| span(&text).map_err(|e| Error::invalid_value("configuration, `every`", e)))
            .transpose()?;
        let typed = match &cli.command {
            Command::Watch(watch) => watch.every,
            _ => None,
        };
        Ok(Self {
            format: cli.global.format,
            alarm_budget: cli.global.alarm_budget.or(file.alarm_budget).unwrap_or_default(),
            data_dir: cli.global.data_dir.clone().or(file.data_dir),
            step: typed.or(written),
            history_samples: file.history_samples,
            history_anomalies: file.history_anomalies,
            time_zone: file.time_zone,
        })
    }

    /// How to open the engine for a command.
    pub(crate) fn engine(&self, purpose: &str, sample: bool) -> Options {
        let mut config = Config::default();
        config.alarm_budget = self.alarm_budget;
        let mut options = Options::default();
        options.step_is_chosen = self.step.is_some();
        if let Some(step) = self.step {
            config.step = step;
            config.fast_interval = config.fast_interval.min(step);
        }
        config.history_capacity = self.history_samples.unwrap_or(config.history_capacity);
        config.anomaly_capacity = self.history_anomalies.unwrap_or(config.anomaly_capacity);
        options.data_dir.clone_from(&self.data_dir);
        options.config = config;
        options.sample = sample;
        options.time_zone.clone_from(&self.time_zone);
        purpose.clone_into(&mut options.purpose);
        options
    }
}

fn read(path: &Path) -> Result<File> {
    let place = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|e| Error::other(format!("reading {place}"), e))?;
    toml::from_str(&text).map_err(|e| Error::invalid_value(place, e.to_string().trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn settings(file: &str, flags: &[&str]) -> Result<Settings> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("overseer.toml");
        std::fs::write(&path, file).unwrap();
        let path = path.display().to_string();
        let argv = ["overseer", "--config", &path].into_iter().chain(flags.iter().copied());
        Settings::of(&Cli::try_parse_from(argv).unwrap())
    }

    #[test]
    fn flags_win_over_the_file() {
        let file = "every = \"10s\"\nalarm-budget = \"2/day\"\ndata-dir = \"/var/lib/overseer\"\n";
        let s = settings(file, &["--alarm-budget", "1/month", "watch"]).unwrap();
        assert_eq!(s.alarm_budget.to_string(), "1/month");
        assert_eq!(s.step, Some(Span::from_secs(10)));
        assert_eq!(s.data_dir, Some(PathBuf::from("/var/lib/overseer")));
        let sized = settings("history-samples = 500\n", &["analyze"]).unwrap();
        assert_eq!(sized.engine("test", false).config.history_capacity, 500);
        let abroad = settings("time-zone = \"Asia/Tokyo\"\n", &["analyze"]).unwrap();
        assert_eq!(abroad.engine("test", false).time_zone.as_deref(), Some("Asia/Tokyo"));
        let s = settings(file, &["watch", "--every", "1s"]).unwrap();
        assert_eq!(s.step, Some(Span::from_secs(1)));
    }

    #[test]
    fn an_unknown_key_or_value_is_named() {
        assert!(settings("evry = \"10s\"", &["analyze"]).unwrap_err().to_string().contains("evry"));
        assert!(
            settings("every = \"soon\"", &["analyze"]).unwrap_err().to_string().contains("every")
        );
    }
}
