//! Makes the data, measures one kind of work, or writes the table; `run` calls it for each.

use overseer_compare::clock::Bench;
use overseer_compare::data::{Data, Sizes, generate};
use overseer_compare::{Result, forest, iforest, rest, table, trend};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
overseer-compare data DIR [--quick]     make the data
overseer-compare GROUP DIR              measure iforest, forest, trend or rest; records go to the standard output
overseer-compare table COMMAND DIR FILES...  the table of these records, made by that command on that data";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e.to_string()),
    }
}

fn run(args: &[&str]) -> Result<()> {
    match *args {
        ["data", dir] => generate(Path::new(dir), &Sizes::full()),
        ["data", dir, "--quick"] => generate(Path::new(dir), &Sizes::quick()),
        ["table", command, dir, ref files @ ..] => {
            print(&table::write(command, Path::new(dir), files)?)
        }
        [group, dir] => {
            let data = Data::read(Path::new(dir))?;
            let bench = Bench { budget: Duration::from_secs_f64(data.sizes.budget_seconds) };
            match group {
                "iforest" => iforest::run(&bench, &data),
                "forest" => forest::run(&bench, &data),
                "trend" => trend::run(&bench, &data),
                "rest" => rest::run(&bench, &data),
                _ => return Err(USAGE.into()),
            }
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

#[allow(clippy::print_stdout, reason = "the table is what was asked for")]
fn print(text: &str) -> Result<()> {
    println!("{text}");
    Ok(())
}

#[allow(clippy::print_stderr, reason = "this is the command's way to say what went wrong")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
