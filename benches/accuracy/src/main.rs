//! Measures how well Overseer detects: see `benches/accuracy/README.md`.

use clap::{Parser, ValueEnum};
use overseer_accuracy::data::{self, Entry, NAB, Split};
use overseer_accuracy::measure::{Causality, measure};
use overseer_accuracy::{ablation, against, report};
use overseer_engine::core::{Error, Result};
use overseer_engine::host;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures how well Overseer detects on public host data with labels, and prints the figures.
///
/// The exit code is 1 if anything failed, a detector looked ahead, or figures disagree with those of `--against`.
#[derive(Debug, Parser)]
#[command(name = "overseer-accuracy", max_term_width = 100)]
struct Args {
    /// Where the labelled data are
    dir: PathBuf,
    /// Which series: `dev`, another name in split.json, or `all`
    #[arg(long, default_value = "dev")]
    split: Split,
    /// Measure only one kind
    #[arg(long, value_enum)]
    only: Option<Kind>,
    /// Measure only so many series of each corpus, for a quick look
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Write all figures here as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write tables here as Markdown, and plots into the folder of the same name
    #[arg(long, value_name = "FILE.md")]
    report: Option<PathBuf>,
    /// Measure also the detector without each of its parts
    #[arg(long)]
    ablate: bool,
    /// Compare with the figures of another implementation; may be given more than once
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Single metrics
    Nab,
    /// Hosts and services with many metrics
    Mts,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            say(&format!("error: {e}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well.
fn run(args: &Args) -> Result<bool> {
    if let Some(path) = &args.report {
        report::check_path(path)?;
    }
    let entries = chosen(args)?;
    let checked = data::check(&entries)?;
    for warning in &checked.warnings {
        say(&format!("warning: {warning}"));
    }
    say(&format!("{} series, {} of {} files as listed", entries.len(), checked.same, checked.of));
    let results = measure(&entries, &host::detector_trainer()?, Causality::Check)?;
    let ablation =
        if args.ablate { ablation::ablate(&entries, &ablation::variants()?)? } else { Vec::new() };
    print(&report::tables(&results, &ablation));
    let json = serde_json::to_value(&results).map_err(|e| Error::other("figures as JSON", e))?;
    if let Some(path) = &args.json {
        report::write(path, &format!("{json:#}\n"))?;
    }
    if let Some(path) = &args.report {
        for (path, text) in report::files(path, &results, &ablation, &checked)? {
            report::write(&path, &text)?;
        }
    }
    let mut good = true;
    if !results.is_causal() {
        say("the detector looks ahead: cutting a series off changed what was said before the cut");
        good = false;
    }
    for path in &args.against {
        let comparison = against::against(&json, path)?;
        for difference in &comparison.differences {
            say(&difference.message);
        }
        let wrong = comparison.differences.len();
        say(&format!("{}: {wrong} of {} figures disagree", path.display(), comparison.compared));
        good &= wrong == 0;
    }
    Ok(good)
}

/// The series that the arguments ask for; a limit takes them evenly from each corpus.
fn chosen(args: &Args) -> Result<Vec<Entry>> {
    let mut entries = data::find(&args.dir, &args.split)?;
    match args.only {
        Some(Kind::Nab) => entries.retain(|e| e.corpus == NAB),
        Some(Kind::Mts) => entries.retain(|e| e.corpus != NAB),
        None => {}
    }
    let Some(limit) = args.limit else { return Ok(entries) };
    let corpora: Vec<&[Entry]> = entries.chunk_by(|a, b| a.corpus == b.corpus).collect();
    Ok(corpora
        .into_iter()
        .flat_map(|all| all.iter().step_by((all.len() / limit.max(1)).max(1)).take(limit))
        .cloned()
        .collect())
}

#[allow(clippy::print_stdout, reason = "the figures are what was asked for")]
fn print(text: &str) {
    print!("{text}");
}

#[allow(clippy::print_stderr, reason = "this is the command's way to say how it went")]
fn say(message: &str) {
    eprintln!("{message}");
}
