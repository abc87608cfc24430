//! Measures what choosing among forecasters is worth: see `benches/accuracy/README.md`.

use clap::Parser;
use overseer_accuracy::automl::{measure, report};
use overseer_accuracy::forecast::series::Series;
use overseer_accuracy::report::write;
use overseer_engine::core::{Error, Result};
use std::path::PathBuf;
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
    /// Measure only every so many-th series, for a quick look
    #[arg(long, value_name = "K", default_value = "1")]
    every: std::num::NonZeroUsize,
    /// Write the figures of each series here as JSON
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
    let series: Vec<Series> =
        Series::find(&args.dir, &args.split)?.into_iter().step_by(args.every.get()).collect();
    let outcomes = measure(&series)?;
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&outcomes)
            .map_err(|e| Error::other("figures as JSON", e))?;
        write(path, &format!("{json}\n"))?;
    }
    if let Some(path) = &args.report {
        write(path, &report::page(&outcomes, args.every.get()))?;
    }
    Ok(report::tables(&outcomes))
}
