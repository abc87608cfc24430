//! Measures how well Overseer forecasts: see `benches/accuracy/README.md`.

use clap::Parser;
use overseer_accuracy::forecast::{measure, report, series::Series};
use overseer_accuracy::report::write;
use overseer_engine::core::{Error, Result};
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures how well Overseer forecasts recorded metrics, and prints the figures.
///
/// The exit code is 1 if anything failed or a forecast changed when later rows were taken away.
#[derive(Debug, Parser)]
#[command(name = "forecasts", max_term_width = 100)]
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
        Ok((text, causal)) => {
            print!("{text}");
            if causal {
                return ExitCode::SUCCESS;
            }
            eprintln!("a forecast looks ahead: cutting a series off changed what was said before");
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// The tables, and whether no forecast looked ahead.
fn run(args: &Args) -> Result<(String, bool)> {
    let series: Vec<Series> =
        Series::find(&args.dir, &args.split)?.into_iter().step_by(args.every.get()).collect();
    let outcomes = measure(&series)?;
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&outcomes)
            .map_err(|e| Error::other("figures as JSON", e))?;
        write(path, &format!("{json}\n"))?;
    }
    if let Some(path) = &args.report {
        write(path, &report::page(&outcomes))?;
    }
    Ok((report::tables(&outcomes), outcomes.iter().all(|o| o.causal != Some(false))))
}
