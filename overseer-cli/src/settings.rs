//! The command line as meant: flags over the environment over a TOML file over defaults.

// By path, for whoever takes this file alone, as the fuzzer does.
#[path = "settings/actions.rs"]
mod actions;
#[path = "settings/mistakes.rs"]
mod mistakes;
#[path = "settings/sinks.rs"]
mod sinks;

pub(crate) use sinks::SinkSettings;

use crate::args::{Cli, Command, Format, span};
use actions::Actions;
use overseer_engine::Config;
use overseer_engine::action::ActionRules;
use overseer_engine::core::{Error, ErrorKind, Result, Span};
use overseer_engine::host::Options;
use overseer_engine::host::collect::SystemZone;
use overseer_engine::host::store::{ModelDirectory, Retention};
use overseer_engine::policy::AlarmBudget;
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A configuration is read up to this size.
const MOST_BYTES: u64 = 1 << 20;

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
    host_name: Option<String>,
    auto: Auto,
    retention: Retention,
    keep_models: usize,
    max_detector_bytes: Option<usize>,
    min_duration: Option<Span>,
    remind_every: Option<Span>,
    /// Who is told of incidents.
    pub(crate) sinks: Vec<SinkSettings>,
    /// What may be applied.
    pub(crate) actions: ActionRules,
    /// What a replay compares with, where these settings are not in force.
    pub(crate) in_force: Option<Box<Self>>,
}

/// Whether a running `watch` lets forecasters compete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Auto {
    /// Once a day: a minute or two of a processor's idle time, and never a worse forecast beyond noise.
    #[default]
    Daily,
    Off,
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
    host_name: Option<String>,
    auto: Option<Auto>,
    keep_samples: Option<String>,
    keep_minutes: Option<String>,
    keep_hours: Option<String>,
    keep_findings: Option<String>,
    max_database_size: Option<String>,
    keep_models: Option<usize>,
    max_detector_size: Option<String>,
    min_duration: Option<String>,
    remind_every: Option<String>,
    /// Read by [`sinks`], each by its type; named here for the list of what may stand in the file.
    #[allow(dead_code, reason = "only its name is of use")]
    sinks: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    actions: Actions,
}

impl File {
    /// Values that have a meaning beyond their type.
    fn check(&self) -> Result<()> {
        self.step()?;
        ModelDirectory::check_keep(self.keep_models.unwrap_or(ModelDirectory::KEPT))?;
        duration("min-duration", self.min_duration.as_deref())?;
        duration("remind-every", self.remind_every.as_deref())?;
        self.actions.rules()?;
        if self.host_name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(wrong("host-name", "it is empty".to_owned()));
        }
        self.max_detector_bytes()?;
        self.retention()?;
        if let Some(name) = &self.time_zone {
            SystemZone::named(name).map_err(|_| {
                let why = format!("`{name}` is no time zone known here");
                wrong("time-zone", format!("{why}; write one such as Europe/Berlin or UTC"))
            })?;
        }
        self.fits_the_engine()
    }

    /// What only the engine knows to be out of range, told of the key that was written.
    fn fits_the_engine(&self) -> Result<()> {
        let mut config = Config::default();
        config.step = self.step()?.unwrap_or(config.step);
        config.fast_interval = config.fast_interval.min(config.step);
        config.history_capacity = self.history_samples.unwrap_or(config.history_capacity);
        config.anomaly_capacity = self.history_anomalies.unwrap_or(config.anomaly_capacity);
        config.checked().map(drop).map_err(|e| {
            let ErrorKind::InvalidParameter { name, message } = e.kind() else { return e };
            let key = match name.as_str() {
                "step" | "fast_interval" => "every",
                "history_capacity" => "history-samples",
                "anomaly_capacity" => "history-anomalies",
                other => other,
            };
            wrong(key, message.clone())
        })
    }

    fn step(&self) -> Result<Option<Span>> {
        let written = self.every.as_deref();
        written.map(|t| span(t).map_err(|e| wrong("every", e))).transpose()
    }

    /// How much memory the detector may hold.
    fn max_detector_bytes(&self) -> Result<Option<usize>> {
        const KEY: &str = "max-detector-size";
        let Some(text) = &self.max_detector_size else { return Ok(None) };
        let most = bytes(text).map_err(|e| wrong(KEY, e))?;
        let mut config = Config::default();
        config.max_detector_bytes = Some(usize::try_from(most).unwrap_or(usize::MAX));
        match config.checked() {
            Ok(config) => Ok(config.max_detector_bytes),
            // Told of the key that was written.
            Err(e) => Err(match e.kind() {
                ErrorKind::InvalidParameter { message, .. } => wrong(KEY, message.clone()),
                _ => e,
            }),
        }
    }

    /// How long what is kept: as written, and by default what the store does.
    fn retention(&self) -> Result<Retention> {
        let mut keep = Retention::default();
        let spans = [
            ("keep-samples", &self.keep_samples, &mut keep.samples),
            ("keep-minutes", &self.keep_minutes, &mut keep.minutes),
            ("keep-hours", &self.keep_hours, &mut keep.hours),
            ("keep-findings", &self.keep_findings, &mut keep.findings),
        ];
        for (key, written, kept) in spans {
            match written.as_deref() {
                None => {}
                Some("forever") => *kept = None,
                Some(text) => *kept = Some(span(text).map_err(|e| wrong(key, e))?),
            }
        }
        if let Some(text) = &self.max_database_size {
            keep.most_bytes = Some(bytes(text).map_err(|e| wrong("max-database-size", e))?);
        }
        keep.check().map_err(|e| match e.kind() {
            // Told of the key that was written.
            ErrorKind::InvalidParameter { name, message } => {
                let kept = name.strip_prefix("retention of ");
                let key =
                    kept.map_or("max-database-size".to_owned(), |what| format!("keep-{what}"));
                wrong(&key, message.clone())
            }
            _ => e,
        })?;
        Ok(keep)
    }
}

/// A length of time; one that may be none is written `0s`.
fn duration(key: &str, text: Option<&str>) -> Result<Option<Span>> {
    let read = |text: &str| match text.trim() {
        "0s" if key == "min-duration" => Ok(Span::default()),
        text => span(text).map_err(|e| wrong(key, e)),
    };
    text.map(read).transpose()
}

fn wrong(key: &str, why: String) -> Error {
    Error::invalid_parameter(key, why)
}

/// A size: a number and one of kB, MB, GB (powers of 1000) or KiB, MiB, GiB (of 1024).
fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err("write a number and a unit, such as 500MB or 2GiB".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    Ok((number * unit) as u64)
}

impl Settings {
    pub(crate) fn of(cli: &Cli) -> Result<Self> {
        let mut settings = Self::by(cli, cli.global.config.as_deref(), cli.global.alarm_budget)?;
        if let Command::Replay(args) = &cli.command {
            settings.in_force = in_force(cli, args.in_force.as_deref(), &settings)?;
            if let Some(old) = &settings.in_force {
                settings.data_dir = settings.data_dir.or_else(|| old.data_dir.clone());
            }
        }
        Ok(settings)
    }

    /// The settings of one file.
    fn by(cli: &Cli, config: Option<&Path>, budget: Option<AlarmBudget>) -> Result<Self> {
        let (file, sinks) = config.map_or_else(|| Ok(Default::default()), read)?;
        let written = file.step()?;
        let typed = match &cli.command {
            Command::Watch(watch) => watch.every,
            #[cfg(feature = "serve")]
            Command::Serve(serve) => serve.every,
            #[cfg(feature = "top")]
            Command::Top(top) => top.every,
            _ => None,
        };
        Ok(Self {
            retention: file.retention()?,
            keep_models: ModelDirectory::check_keep(
                file.keep_models.unwrap_or(ModelDirectory::KEPT),
            )?,
            max_detector_bytes: file.max_detector_bytes()?,
            format: cli.global.format,
            alarm_budget: budget.or(file.alarm_budget).unwrap_or_default(),
            data_dir: cli.global.data_dir.clone().or(file.data_dir),
            step: typed.or(written),
            min_duration: duration("min-duration", file.min_duration.as_deref())?,
            remind_every: duration("remind-every", file.remind_every.as_deref())?,
            history_samples: file.history_samples,
            history_anomalies: file.history_anomalies,
            time_zone: file.time_zone,
            host_name: cli.global.host_name.clone().or(file.host_name),
            auto: file.auto.unwrap_or_default(),
            sinks,
            actions: file.actions.rules()?,
            in_force: None,
        })
    }

    /// The zone by whose clocks days and weeks go, if one was chosen.
    pub(crate) fn time_zone(&self) -> Option<&str> {
        self.time_zone.as_deref()
    }

    /// How long an event must last before it is told.
    pub(crate) fn min_duration(&self) -> Span {
        self.min_duration.unwrap_or_default()
    }

    /// How much memory the detector may hold, if that was said.
    pub(crate) fn max_detector_bytes(&self) -> Option<usize> {
        self.max_detector_bytes
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
        config.min_duration = self.min_duration.unwrap_or(config.min_duration);
        config.remind_every = self.remind_every.unwrap_or(config.remind_every);
        config.max_detector_bytes = self.max_detector_bytes;
        config.sinks = self.sinks.iter().map(|sink| sink.name.clone()).collect();
        if self.auto == Auto::Off {
            config.choose_every = None;
        }
        options.data_dir.clone_from(&self.data_dir);
        options.config = config;
        options.sample = sample;
        options.time_zone.clone_from(&self.time_zone);
        options.host_name.clone_from(&self.host_name);
        options.retention.clone_from(&self.retention);
        options.keep_models = self.keep_models;
        purpose.clone_into(&mut options.purpose);
        options
    }
}

/// What is in force where a replay is about other settings: by the environment and a file, without what was typed.
fn in_force(cli: &Cli, file: Option<&Path>, new: &Settings) -> Result<Option<Box<Settings>>> {
    let named = std::env::var_os("OVERSEER_CONFIG").filter(|name| !name.is_empty());
    let path = file.map(Path::to_owned).or_else(|| named.map(PathBuf::from));
    let budget = std::env::var("OVERSEER_ALARM_BUDGET").ok();
    let budget = budget.map(|text| text.parse()).transpose()?;
    let old = Settings::by(cli, path.as_deref(), budget)?;
    let is_other = cli.global.config.is_some() && cli.global.config != path
        || old.alarm_budget != new.alarm_budget;
    Ok(is_other.then(|| Box::new(old)))
}

fn read(path: &Path) -> Result<(File, Vec<SinkSettings>)> {
    let place = path.display().to_string();
    let text = text_of(path, &place)?;
    let source = mistakes::Source::new(&place, &text);
    let (table, file): (_, File) = source.parse()?;
    file.check().map_err(|e| source.about(&e, &table))?;
    let sinks = table.get_ref().get("sinks").cloned();
    Ok((file, sinks::read(&source, sinks)?))
}

/// What a file holds, up to a size that no configuration has.
fn text_of(path: &Path, place: &str) -> Result<String> {
    let reading = |e| Error::other(format!("reading {place}"), e);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(reading)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(reading)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::invalid_value(place, "is longer than 1 MiB, and so no configuration"));
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        let line = 1 + e.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
        Error::invalid_value(format!("{place}, line {line}"), "is no text in UTF-8")
    })
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
    fn how_long_what_is_kept_is_written_as_people_do() {
        let file =
            "keep-samples = \"7d\"\nkeep-minutes = \"forever\"\nmax-database-size = \"1.5GB\"\n";
        let keep = settings(file, &["analyze"]).unwrap().engine("test", true).retention;
        assert_eq!(keep.samples, Some(Span::from_secs(7 * 86_400)));
        assert_eq!((keep.minutes, keep.hours), (None, None));
        assert_eq!(keep.findings, Retention::default().findings);
        assert_eq!(keep.most_bytes, Some(1_500_000_000));
        for (wrong, named) in [
            ("keep-samples = \"7 weeks\"", "keep-samples"),
            ("keep-hours = \"1h\"", "hours"),
            ("max-database-size = \"500\"", "max-database-size"),
            ("max-database-size = \"1MB\"", "8 MiB"),
            ("keep-everything = \"1d\"", "keep-everything"),
            ("keep-models = 0", "keep-models"),
            ("max-detector-size = \"100kB\"", "`max-detector-size`: must be at least 512 KiB"),
            ("max-detector-size = \"small\"", "max-detector-size"),
            ("[actions]\nallow = [\"restart\"]", "swappiness"),
            ("[actions]\nwatch-for = \"1s\"", "5s to 1h"),
            ("[actions]\nalow = []", "allow"),
            ("keep-models = 1001", "1000"),
            ("[actions]\nallow = [\"nise\"]", "did you mean `nice`?"),
            ("[actions]\nallow = [\"restart\"]", "`restart` is only proposed"),
            ("[actions]\nallow = \"nice\"", "`actions.allow`: write a list of actions"),
            ("every = 5", "line 1, column 9: `every`: write a text of a number and a unit"),
            ("every = \"20ms\"", "line 1, column 1: `every`: must be at least 50 ms"),
            ("\nhistory-samples = 5", "line 2, column 1: `history-samples`: must be at least 60"),
            ("history-anomalies = 0", "`history-anomalies`: must be at least 1"),
            ("time-zone = \"Mars/Olympus\"", "line 1, column 1: `time-zone`: `Mars/Olympus` is no"),
            ("time-zone = \"\"", "`time-zone`: `` is no time zone known here"),
            ("auto = true", "`auto`: write \"daily\" or \"off\""),
            ("alarm-budget = \"-1/week\"", "`alarm-budget`: `-1/week` is not a number of alerts"),
            (
                "alarm-budget = \"1e308/day\"",
                "`alarm-budget`: `1e308/day` is not a number of alerts",
            ),
            ("alarm-budget = nan", "`alarm-budget`: write a text of a number of alerts"),
        ] {
            let e = settings(wrong, &["analyze"]).unwrap_err().to_string();
            assert!(e.contains(named), "{e}\nand not\n{named}");
            assert!(e.contains("overseer.toml, line "), "{e}");
        }
    }

    #[test]
    fn what_is_no_text_or_endless_is_no_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, b"every = \"5s\"\nauto = \"\xff\"\n").unwrap();
        let e = read(&path).unwrap_err().to_string();
        assert!(e.contains("c.toml, line 2") && e.contains("UTF-8"), "{e}");
        std::fs::write(&path, vec![b'\n'; 1 + (1 << 20)]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("longer than 1 MiB"));
        assert!(read(dir.path()).unwrap_err().to_string().contains("directory"));
    }

    #[test]
    fn a_replay_compares_with_what_is_in_force() {
        let file = "alarm-budget = \"2/day\"\ndata-dir = \"/var/lib/overseer\"\n";
        let new = settings(file, &["replay", "--since", "7d"]).unwrap();
        assert_eq!(new.alarm_budget.to_string(), "2/day");
        assert_eq!(new.in_force.unwrap().alarm_budget, AlarmBudget::default());
        let typed = settings(file, &["replay", "--alarm-budget", "1/month"]).unwrap();
        assert_eq!(typed.alarm_budget.to_string(), "1/month");
        assert!(settings(file, &["watch"]).unwrap().in_force.is_none());
        let cli = Cli::try_parse_from(["overseer", "replay"]).unwrap();
        assert!(Settings::of(&cli).unwrap().in_force.is_none(), "there is nothing to compare");
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
        let fewer = settings("keep-models = 2\n", &["watch"]).unwrap();
        assert_eq!(fewer.engine("test", true).keep_models, 2);
        assert_eq!(sized.engine("test", true).keep_models, 3);
        assert_eq!(sized.engine("test", true).config.max_detector_bytes, None);
        let small = settings("max-detector-size = \"1.5MB\"\n", &["watch"]).unwrap();
        assert_eq!(small.engine("test", true).config.max_detector_bytes, Some(1_500_000));
        let abroad = settings("time-zone = \"Asia/Tokyo\"\n", &["analyze"]).unwrap();
        assert_eq!(abroad.engine("test", false).time_zone.as_deref(), Some("Asia/Tokyo"));
        let daily = settings(file, &["watch"]).unwrap().engine("test", true).config.choose_every;
        assert_eq!(daily, Some(Span::from_secs(86_400)));
        let off = settings("auto = \"off\"\n", &["watch"]).unwrap();
        assert_eq!(off.engine("test", true).config.choose_every, None);
        let told = "min-duration = \"1m\"\nremind-every = \"1d\"\n";
        let told = settings(told, &["watch"]).unwrap().engine("test", true).config;
        assert_eq!(told.min_duration, Span::from_secs(60));
        assert_eq!(told.remind_every, Span::from_secs(86_400));
        let at_once = settings("min-duration = \"0s\"\n", &["watch"]).unwrap();
        assert_eq!(at_once.engine("test", true).config.min_duration, Span::default());
        for wrong in ["remind-every", "min-duration"] {
            let file = format!("{wrong} = \"soon\"");
            assert!(settings(&file, &["watch"]).unwrap_err().to_string().contains(wrong));
        }
        let s = settings(file, &["watch", "--every", "1s"]).unwrap();
        assert_eq!(s.step, Some(Span::from_secs(1)));
    }

    #[test]
    fn what_a_value_may_be_is_told_at_its_line() {
        for (file, said) in [
            ("\nevery = \"soon\"", "line 2, column 1: `every`: write a number and a unit"),
            ("keep-hours = \"1h\"", "line 1, column 1: `keep-hours`: must be at least 24 h"),
            ("max-database-size = \"1MB\"", "`max-database-size`: must be at least 8388608 bytes"),
            ("evry = \"10s\"", "line 1, column 1: there is no key `evry`, did you mean `every`?"),
        ] {
            let e = settings(file, &["analyze"]).unwrap_err().to_string();
            assert!(e.contains(said) && e.contains("overseer.toml, "), "{e}");
        }
    }

    #[test]
    fn an_unknown_key_or_value_is_named() {
        assert!(settings("evry = \"10s\"", &["analyze"]).unwrap_err().to_string().contains("evry"));
        assert!(
            settings("auto = \"weekly\"", &["watch"]).unwrap_err().to_string().contains("weekly")
        );
        assert!(
            settings("every = \"soon\"", &["analyze"]).unwrap_err().to_string().contains("every")
        );
    }
}
