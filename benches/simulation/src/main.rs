//! Simulates normal hosts and prints how well the alarm budget is kept on them.

use overseer_engine::host::models::detector::ForestDetectorTrainer;
use overseer_simulation::hosts::Kind;
use overseer_simulation::plan::{Task, plan};
use overseer_simulation::run::run_all;
use overseer_simulation::{report, tally::Tally};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "\
overseer-simulation [--weeks 500] [--seed 1] [--kind NAME] [--threads N] [--longer N] [--without-history] [--json FILE] [--alerts FILE.csv]
  --weeks    host-weeks measured together
  --seed     another seed gives other hosts of the same kinds
  --kind     only hosts of this kind
  --longer   measure each host so many times as long, 1 unless told
  --without-history  learn from the rows as they come, and count from the first that is judged
  --json     the same as the tables, for programs
  --alerts   every false alert";

struct Arguments {
    weeks: f64,
    seed: u64,
    kind: Option<Kind>,
    threads: usize,
    longer: f64,
    without_history: bool,
    json: Option<String>,
    alerts: Option<String>,
}

fn main() -> ExitCode {
    match simulate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e.to_string()),
    }
}

fn simulate() -> Result<(), Box<dyn Error>> {
    let arguments = read(std::env::args().skip(1))?;
    let mut tasks = plan(arguments.weeks / arguments.longer, arguments.seed);
    if let Some(kind) = arguments.kind {
        tasks.retain(|t| t.kind == kind);
    }
    tasks.iter_mut().for_each(|t| t.measured *= arguments.longer);
    if arguments.without_history {
        tasks = tasks.into_iter().map(Task::without_history).collect();
    }
    let trainer = ForestDetectorTrainer::builder().build()?;
    let start = Instant::now();
    let outcomes = run_all(&tasks, &trainer, arguments.threads)?;
    let tallies = Tally::by_all(&outcomes);
    print(&report::table(&tallies));
    print(&report::by_age(&outcomes));
    print(&format!("\n{} hosts in {:.0} s", tasks.len(), start.elapsed().as_secs_f64()));
    if let Some(file) = arguments.json {
        std::fs::write(file, serde_json::to_string_pretty(&tallies)?)?;
    }
    if let Some(file) = arguments.alerts {
        std::fs::write(file, report::alerts(&outcomes))?;
    }
    Ok(())
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut read = Arguments {
        weeks: 500.0,
        seed: 1,
        kind: None,
        threads,
        longer: 1.0,
        without_history: false,
        json: None,
        alerts: None,
    };
    while let Some(flag) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"));
        match flag.as_str() {
            "--weeks" => read.weeks = value()?.parse()?,
            "--seed" => read.seed = value()?.parse()?,
            "--threads" => read.threads = value()?.parse()?,
            "--longer" => read.longer = value()?.parse()?,
            "--without-history" => read.without_history = true,
            "--json" => read.json = Some(value()?),
            "--alerts" => read.alerts = Some(value()?),
            "--kind" => {
                let name = value()?;
                let kind = Kind::ALL.into_iter().find(|k| k.name() == name);
                read.kind = Some(kind.ok_or_else(|| format!("there is no kind `{name}`"))?);
            }
            _ => return Err(USAGE.into()),
        }
    }
    let is_usable = |number: f64| number > 0.0 && number <= 1e6;
    if !is_usable(read.weeks) || !is_usable(read.longer) {
        return Err("--weeks and --longer must be positive and at most a million".into());
    }
    Ok(read)
}

#[allow(clippy::print_stdout, reason = "the tables are what was asked for")]
fn print(text: &str) {
    println!("{text}");
}

#[allow(clippy::print_stderr, reason = "this is the command's way to say what went wrong")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
