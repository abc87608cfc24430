//! Measures how well Overseer forecasts: see `benches/accuracy/README.md`.

use clap::Parser;
use overseer_accuracy::forecast::ablation::variants;
use overseer_accuracy::forecast::{ablate, measure, report, series::Series};
use overseer_accuracy::report::{check_path, write};
use overseer_engine::core::{Error, Result};
use overseer_engine::host;
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
    /// Measure also the forecaster without each of its parts, on every so many-th of those series
    #[arg(long, value_name = "K")]
    ablate: Option<std::num::NonZeroUsize>,
    /// Write the page here as Markdown, and its plot into the folder of the same name
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
    if let Some(path) = &args.report {
        check_path(path)?;
    }
    let series: Vec<Series> =
        Series::find(&args.dir, &args.split)?.into_iter().step_by(args.every.get()).collect();
    let outcomes = measure(&series, &host::forecaster_trainer()?, true)?;
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&outcomes)
            .map_err(|e| Error::other("figures as JSON", e))?;
        write(path, &format!("{json}\n"))?;
    }
    let mut tables = report::tables(&outcomes);
    let mut parts = None;
    if let Some(every) = args.ablate {
        let some: Vec<Series> = series.into_iter().step_by(every.get()).collect();
        let ablation = ablate(&some, &variants()?)?;
        tables = format!("{tables}\n{}", report::ablation(&ablation));
        parts = Some((every.get(), ablation));
    }
    if let Some(path) = &args.report {
        for (path, text) in report::files(path, &outcomes, parts.as_ref()) {
            write(&path, &text)?;
        }
    }
    Ok((tables, outcomes.iter().all(|o| o.causal != Some(false))))
}
