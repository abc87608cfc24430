//! The command line as typed.

// By path, for whoever takes this file alone, as the fuzzer does.
#[path = "args/decisions.rs"]
pub(crate) mod decisions;
#[path = "args/values.rs"]
mod values;

use clap::{Args, Parser, Subcommand, ValueEnum};
use decisions::{Acknowledge, Incidents, Label, Silence};
use overseer_engine::core::{OutcomeKind, Span};
use overseer_engine::policy::AlarmBudget;
use std::path::PathBuf;
pub(crate) use values::span;
use values::{Kinds, Moment, at_least_one, kinds, moment, versions};

/// Learns what is normal for this host, says what is not, forecasts what comes next, and advises what to do.
#[derive(Debug, Parser)]
#[command(
    name = "overseer",
    version,
    max_term_width = 100,
    after_help = "\
Start with `overseer analyze`: on a new host it watches for 15 seconds and reports. Leave `overseer watch` running
and what it says becomes better: it learns from a sample every 5 seconds.

Exit codes: 0 the command did its work, 3 it could not, 64 wrong usage. With --exit-code the finding shows too:
1 for a medium or high severity, 2 for critical."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Where samples, findings and models are kept [default: $XDG_STATE_HOME/overseer]
    #[arg(long, global = true, env = "OVERSEER_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// By which name this host's history is kept, such as for a container, which has a new one at each start [default: its
    /// own]
    #[arg(long, global = true, env = "OVERSEER_HOST_NAME", value_name = "NAME")]
    pub(crate) host_name: Option<String>,
    /// A TOML file: data-dir, host-name, every, alarm-budget, time-zone (of this host, such as Europe/Berlin; default: what its
    /// clocks are set to), auto ("daily" or "off": whether `watch` lets forecasters compete once a day; default: daily);
    /// how long what is kept: keep-samples (14d), keep-minutes (90d), keep-hours (forever), keep-findings (90d) and
    /// max-database-size (such as 500MB; default: none); how many versions of each model are kept, keep-models (3);
    /// how many samples and anomalies are kept in memory, history-samples (1000) and history-anomalies (100); how much memory
    /// the detector may hold, max-detector-size (such as 1MB; default: the 2MB that it likes); how long an
    /// event must last before it fires, min-duration (0s), and how often one that nobody acknowledges is told again,
    /// remind-every (4h); who is told of incidents, a table `[[sinks]]` each, with name and type (log, file, command,
    /// webhook, alertmanager, email; `overseer sinks list` shows them); and under `[actions]` what `recommend --apply` may do: allow (such as ["nice"]; default:
    /// nothing) and watch-for, how long its effect is watched (2m)
    #[arg(long, global = true, env = "OVERSEER_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How to print
    #[arg(long, global = true, env = "OVERSEER_FORMAT", value_enum, default_value_t)]
    pub(crate) format: Format,
    /// How many alerts a healthy host may raise [default: 1/week]
    #[arg(long, global = true, env = "OVERSEER_ALARM_BUDGET", value_name = "N/PERIOD")]
    pub(crate) alarm_budget: Option<AlarmBudget>,
    /// Let the exit code tell the finding: 1 for medium or high, 2 for critical
    #[arg(long, global = true)]
    pub(crate) exit_code: bool,
    /// Log more to stderr: -v what is done, -vv each step (OVERSEER_LOG takes a filter, such as warn)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How to log; what is done is then logged without -v too, as it is where stderr is systemd's journal
    #[arg(long, global = true, env = "OVERSEER_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// Stable JSON: times in milliseconds since 1970 UTC, spans in milliseconds, missing values null
    Json,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people: time, level, where, what
    Text,
    /// `ts=… level=… target=… msg="…"` and the event's fields
    Logfmt,
    /// An object a line: timestamp, level, target, message and the event's fields
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Report on this host: what it does, whether that is unusual and why, what comes next, what to do
    Analyze,
    /// Is this host doing anything unusual now, and why?
    Anomaly,
    /// How busy will this host be, and how sure is that?
    Predict(Predict),
    /// Which features are stable, trending, volatile or periodic?
    Patterns,
    /// What should be done about what was found? Prints the command of each action; does it only where that is allowed
    Recommend(Recommend),
    /// Say what came of a recommendation, so that advice is ranked by it
    Outcome(Outcome),
    /// Learn from the stored history now
    Train(Train),
    /// Summarise the stored history: features, correlations, models, health over time
    Analytics,
    /// Sample and judge this host until Ctrl-C or SIGTERM
    Watch(Watch),
    /// What happened on this host: each event once, with its number, from the first unusual sample to the last
    Incidents(Incidents),
    /// Say that you look after an incident: nobody is reminded of it any more
    Acknowledge(Acknowledge),
    /// Say what an incident was: those like it are no longer told, or sooner
    Label(Label),
    /// Tell nobody for a while, or every week at some time; what happens meanwhile is recorded
    Silence(Silence),
    /// Watch this host and show it: a dashboard, a REST API, /metrics for Prometheus
    #[cfg(feature = "serve")]
    Serve(Serve),
    /// Watch this host and show it in the terminal, with keys; beside a running `watch` or `serve`, what that one stores
    #[cfg(feature = "top")]
    Top(Top),
    /// Run stored history through detection once more: which alerts another configuration would add and remove
    ///
    /// With --config or --alarm-budget both are replayed, the configuration in force and that one. Nothing is stored.
    Replay(Replay),
    /// Judge every row of a CSV file, learning as it goes
    Score(Score),
    /// Forecast a CSV column from many origins, each from what was known there
    Backtest(Backtest),
    /// Write what is stored to a file: CSV, JSON Lines or Parquet
    Export(Export),
    /// Store what a file holds and is not there yet
    Import(Import),
    /// Look at the stored models and keep them in order
    #[command(subcommand)]
    Models(Models),
    /// Who is told of incidents
    #[command(subcommand)]
    Sinks(Sinks),
    /// The messages about incidents: who was told what, what still waits, and why
    Alerts(Alerts),
    /// Check the database: its structure, and the checksums of what is stored. Damage ends with exit code 3
    Verify,
}

#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// How far ahead, such as 30s, 5m or 1h [default: as far as was learned]
    #[arg(long, value_parser = span, value_name = "TIME")]
    pub(crate) horizon: Option<Span>,
}

#[derive(Debug, Args)]
pub(crate) struct Train {
    /// Train anew even if the models are fresh
    #[arg(long)]
    pub(crate) force: bool,
    /// Let forecasters compete over the stored history, and use the best from now on if it is better than the default
    /// beyond noise
    #[arg(long)]
    pub(crate) auto: bool,
    /// How long they may take
    #[arg(long, value_parser = span, value_name = "TIME", default_value = "60s", requires = "auto")]
    pub(crate) budget: Span,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Time between samples [default: 5s]
    #[arg(long, env = "OVERSEER_EVERY", value_parser = span, value_name = "TIME")]
    pub(crate) every: Option<Span>,
    /// Stop after so many samples
    #[arg(long, value_name = "N")]
    pub(crate) samples: Option<u64>,
}

#[cfg(feature = "serve")]
#[derive(Debug, Args)]
#[command(after_help = "\
Beyond this host a token is needed: requests carry it as `Authorization: Bearer`, and the dashboard asks for it. Put it
into a file (--token-file) or into OVERSEER_TOKEN; an argument could be read by every user of this host.")]
pub(crate) struct Serve {
    /// Where to listen
    #[arg(
        long,
        env = "OVERSEER_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:9280"
    )]
    pub(crate) listen: std::net::SocketAddr,
    /// Time between samples [default: 5s]
    #[arg(long, env = "OVERSEER_EVERY", value_parser = span, value_name = "TIME")]
    pub(crate) every: Option<Span>,
    /// Take no samples: show what another `watch` or an earlier one stored
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// A file that holds the token which requests must carry
    #[arg(long, env = "OVERSEER_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Serve over TLS with this certificate, as PEM
    #[arg(long, value_name = "FILE.pem", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE.pem", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A further name that this service is asked by, such as that of a proxy in front; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Pages of this origin, such as `https://status.example`, may read and ask; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
}

impl Command {
    /// Whether the command watches until it is told to end.
    pub(crate) fn runs_for_long(&self) -> bool {
        #[cfg(feature = "serve")]
        if matches!(self, Self::Serve(_)) {
            return true;
        }
        matches!(self, Self::Watch(_)) || self.is_screen()
    }

    /// Whether the command reads or writes files that are named on its line.
    pub(crate) fn is_offline(&self) -> bool {
        matches!(self, Self::Score(_) | Self::Backtest(_) | Self::Export(_) | Self::Import(_))
    }

    /// Whether the command draws on the whole terminal.
    pub(crate) fn is_screen(&self) -> bool {
        #[cfg(feature = "top")]
        return matches!(self, Self::Top(_));
        #[cfg(not(feature = "top"))]
        false
    }
}

#[cfg(feature = "top")]
#[derive(Debug, Args)]
#[command(after_help = "\
`?` shows the keys, `q` ends. NO_COLOR is heeded. Logs are written only where stderr is redirected, such as
`overseer -v top 2> top.log`.")]
pub(crate) struct Top {
    /// Time between samples [default: 5s]
    #[arg(long, env = "OVERSEER_EVERY", value_parser = span, value_name = "TIME")]
    pub(crate) every: Option<Span>,
    /// Take no samples: show what another `watch` or an earlier one stored
    #[arg(long)]
    pub(crate) no_watch: bool,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Recommend {
    /// Check whether each action could be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do the first action that `allow` under `[actions]` of the configuration names, watch what it does, and take it
    /// back unless it helps
    #[arg(long)]
    pub(crate) apply: bool,
    /// Show what came of each action so far, and what is expected of it
    #[arg(long)]
    pub(crate) why: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Outcome {
    /// The number of the recommendation, as `recommend` prints it
    #[arg(value_name = "ID")]
    pub(crate) id: i64,
    /// What came of it
    #[arg(value_enum, value_name = "OUTCOME")]
    pub(crate) kind: Came,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) note: String,
}

/// What came of a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Came {
    /// It got better
    Helped,
    /// It stayed as it was
    NoChange,
    /// It got worse
    Worse,
}

impl From<Came> for OutcomeKind {
    fn from(came: Came) -> Self {
        match came {
            Came::Helped => Self::Helped,
            Came::NoChange => Self::NoChange,
            Came::Worse => Self::Worse,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// From this time on: so long before now, such as 12h or 14d; or a time, such as 2026-05-01T00:00:00Z or Unix
    /// milliseconds
    #[arg(long, value_name = "TIME", value_parser = moment, default_value = "14d")]
    pub(crate) since: Moment,
    /// Up to this time, as --since [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<Moment>,
    /// The configuration in force, which that of --config is compared with [default: the file that OVERSEER_CONFIG
    /// names, else the defaults]
    #[arg(long, value_name = "FILE")]
    pub(crate) in_force: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Score {
    /// The rows to judge: a header, optionally a first column `timestamp`, every other column a feature; - for what is
    /// piped in
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) input: PathBuf,
    /// Normal rows to learn from before the first one: CSV, JSON Lines, or what sysstat's `sadf -j` writes
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    /// Time between rows where there is no timestamp column [default: 60s]
    #[arg(long, value_parser = span, value_name = "TIME")]
    pub(crate) step: Option<Span>,
    /// The time zone of the host, such as Europe/Berlin: of timestamps that name none, and of what recurs at a time
    /// of the day or the week [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
    /// Where to write index,score,onset,p_value,is_anomaly,severity; - for standard output
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Backtest {
    /// CSV with a header, optionally a first column `timestamp`, every other column a feature; or JSON Lines; or what
    /// sysstat's `sadf -j` writes
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// The column to forecast
    #[arg(long, value_name = "NAME")]
    pub(crate) column: String,
    /// How many of the first rows to learn from before the first origin
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) train_rows: usize,
    /// How many rows ahead
    #[arg(long, value_name = "ROWS", default_value_t = 10, value_parser = at_least_one)]
    pub(crate) horizon: usize,
    /// Rows from one origin to the next
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = at_least_one)]
    pub(crate) stride: usize,
    /// A file with one origin (0-based row index) a line, instead of every K rows
    #[arg(long, value_name = "FILE", conflicts_with = "stride")]
    pub(crate) origins: Option<PathBuf>,
    /// Time between rows where there is no timestamp column [default: 60s]
    #[arg(long, value_parser = span, value_name = "TIME")]
    pub(crate) step: Option<Span>,
    /// Where to write origin,h,median,lo90,hi90; - for standard output
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// What to write; `all` goes to JSON Lines only. `minutes` and `hours` hold means, minima, maxima and counts, also of
    /// times whose samples are gone
    #[arg(long, value_name = "KIND", default_value = "metrics", value_parser = kinds)]
    pub(crate) what: Kinds,
    /// From this time on: so long before now, such as 12h or 7d; or a time, such as 2026-05-01T00:00:00Z or Unix
    /// milliseconds [default: all]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) since: Option<Moment>,
    /// Up to this time, as --since
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<Moment>,
    /// Where to write; the name's end tells the form: .csv, .jsonl, .parquet; `-` is JSON Lines to stdout
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// All of them: how old, learned from what, how large, how many versions, and whether they are sound
    List,
    /// Everything about one, with each of its versions
    Show {
        /// Such as detector; `models list` names them
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Read every version entirely and compare with the database; exits 3 if anything is not as it should be
    Verify,
    /// Remove older versions; never the newest, nor the newest that can be read
    Prune {
        /// How many versions of each stay, the newest among them [default: keep-models of the configuration, 3]
        #[arg(long, value_name = "N", value_parser = versions)]
        keep: Option<usize>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sinks {
    /// All that the configuration file names
    List,
    /// Send one a notification, marked as a test, now, and say what happened
    Test {
        /// Its name in the configuration file
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Alerts {
    /// How many, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What `export` wrote, or CSV or JSON Lines with a column `timestamp` and columns named as the features
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
