//! Measures what choosing among forecasters is worth: see `benches/accuracy/README.md`.

use clap::Parser;
use overseer_accuracy::automl::{Outcome, Past, measure, report};
use overseer_accuracy::forecast::series::Series;
use overseer_accuracy::report::{check_path, write};
use overseer_engine::core::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Lets forecasters compete on the first part of recorded metrics, and compares what was chosen with the default on the
/// rest.
#[derive(Debug, Parser)]
#[command(name = "automl", max_term_width = 100)]
struct Args {
    /// Where split.json and the recordings are
    dir: PathBuf,
    /// Which series of split.json
    #[arg(long, default_value = "dev")]
    split: String,
    /// Let contests see the whole past on every so many-th series only: each takes a minute or two
    #[arg(long, value_name = "K", default_value = "1")]
    every: std::num::NonZeroUsize,
    /// Let no contest see a short past
    #[arg(long)]
    whole_only: bool,
    /// Keep the figures of each series here as JSON; those that are there already are not measured again
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the page here as Markdown
    #[arg(long, value_name = "FILE.md")]
    report: Option<PathBuf>,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what it is for")]
fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String> {
    if let Some(path) = &args.report {
        check_path(path)?;
    }
    let series = Series::find(&args.dir, &args.split)?;
    let short = series.iter().filter(|_| !args.whole_only).map(|s| (Past::Short, s));
    let whole = series.iter().step_by(args.every.get()).map(|s| (Past::Whole, s));
    let wanted: Vec<(Past, &Series)> = short.chain(whole).collect();
    let known = args.json.as_deref().map(read).transpose()?.unwrap_or_default();
    let outcomes = measure(&wanted, known, |all| match &args.json {
        Some(path) => {
            let json = serde_json::to_string_pretty(all)
                .map_err(|e| Error::other("figures as JSON", e))?;
            write(path, &format!("{json}\n"))
        }
        None => Ok(()),
    })?;
    if let Some(path) = &args.report {
        write(path, &report::page(&outcomes, args.every.get()))?;
    }
    Ok(report::tables(&outcomes))
}

/// What an earlier run found; nothing if there was none.
fn read(path: &Path) -> Result<Vec<Outcome>> {
    let place = || path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => {
            serde_json::from_str(&text).map_err(|e| Error::invalid_value(place(), e.to_string()))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::other(format!("reading {}", place()), e)),
    }
}
