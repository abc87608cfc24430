//! The commands by which a person decides: what an incident was, who looks after it, when nobody is to be told.

use super::span;
use clap::{Args, Subcommand, ValueEnum};
use overseer_engine::core::{LabelKind, Span, Timestamp, host};
use overseer_engine::incident::Weekly;

#[derive(Debug, Args)]
pub(crate) struct Incidents {
    /// Also those that never fired: unusual, but within what the alarm budget lets pass
    #[arg(long)]
    pub(crate) all: bool,
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    /// The incident's number, as `watch`, `anomaly` and `incidents` print it: 12 or #12
    #[arg(value_name = "ID", value_parser = number)]
    pub(crate) id: i64,
    /// What there is to say about it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct Label {
    /// The incident's number, as `watch`, `anomaly` and `incidents` print it: 12 or #12; of an anomaly that is part of no
    /// incident its time in UTC: 2026-05-01T10:20:30Z
    #[arg(value_name = "ID", value_parser = named)]
    pub(crate) id: Named,
    /// What it was
    #[arg(value_name = "WHAT")]
    pub(crate) kind: Kind,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Nothing was wrong, and nobody should have been told
    FalseAlarm,
    /// Something was wrong: not to be learned from as normal
    Incident,
    /// Unusual, but wanted: a backup, a release
    Expected,
}

impl From<Kind> for LabelKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::FalseAlarm => Self::FalseAlarm,
            Kind::Incident => Self::Incident,
            Kind::Expected => Self::Expected,
        }
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Silence {
    #[command(subcommand)]
    pub(crate) what: Option<Silences>,
    /// How long, such as 2h; of one that recurs, each time
    #[arg(long = "for", value_parser = span, value_name = "TIME", required = true)]
    pub(crate) lasting: Option<Span>,
    /// Every week on these days at this time of the day, such as "sat,sun 02:00" or "daily 23:30" [default: once, now]
    #[arg(long, value_name = "DAYS TIME", value_parser = weekly)]
    pub(crate) weekly: Option<String>,
    /// By the clocks of which time zone, such as Europe/Berlin [default: this host's]
    #[arg(long, value_name = "ZONE", requires = "weekly")]
    pub(crate) tz: Option<String>,
    /// Only of what this feature leads; may be given several times
    #[arg(long = "feature", value_name = "NAME", value_parser = feature)]
    pub(crate) features: Vec<String>,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// Because work is being done on the host
    #[arg(long)]
    pub(crate) maintenance: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Silences {
    /// Those that hold, will hold, or recur
    List,
    /// End one for good
    Lift {
        /// The silence's number, as `silence list` prints it
        #[arg(value_name = "ID", value_parser = number)]
        id: i64,
    },
}

/// A number as it is printed, with or without its `#`.
/// What is labelled: an incident, or an anomaly that is part of none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Incident(i64),
    Anomaly(Timestamp),
}

fn named(text: &str) -> Result<Named, String> {
    if let Ok(time) = text.trim().parse::<jiff::Timestamp>() {
        return Ok(Named::Anomaly(Timestamp::from_millis(time.as_millisecond())));
    }
    number(text).map(Named::Incident).map_err(|e| {
        format!("{e}; or the time of an anomaly that is part of no incident, such as 2026-05-01T10:20:30Z")
    })
}

fn number(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let number = digits.parse().ok().filter(|&n: &i64| n > 0);
    number.ok_or_else(|| "write the number that `overseer incidents` prints, such as 12".to_owned())
}

fn weekly(text: &str) -> Result<String, String> {
    Weekly::new(text, "UTC").map(|_| text.to_owned()).map_err(|e| e.to_string())
}

/// A feature of the host's schema, or what it is called in text.
fn feature(text: &str) -> Result<String, String> {
    let schema = host::schema();
    let names: Vec<&str> = schema.features().iter().map(|f| f.name.as_str()).collect();
    let is_meant = |name: &&str| *name == text || host::plain_name(name).eq_ignore_ascii_case(text);
    names
        .iter()
        .copied()
        .find(is_meant)
        .map(str::to_owned)
        .ok_or_else(|| format!("one of {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_features_are_written_as_they_are_printed() {
        assert_eq!((number("12"), number("#12")), (Ok(12), Ok(12)));
        for wrong in ["", "#", "0", "-1", "twelve", "##1", "9999999999999999999999"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
        assert_eq!(named("#12"), Ok(Named::Incident(12)));
        let time = Named::Anomaly(Timestamp::from_millis(1_700_000_000_000));
        assert_eq!(named("2023-11-14T22:13:20Z"), Ok(time));
        assert!(named("yesterday").unwrap_err().contains("2026-05-01T10:20:30Z"));
        assert_eq!(feature("cpu"), Ok("system.cpu.utilization".to_owned()));
        assert_eq!(feature("linux.pressure.io"), Ok("linux.pressure.io".to_owned()));
        assert!(feature("songs").unwrap_err().contains("system.cpu.utilization"));
    }
}
