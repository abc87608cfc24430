//! The store beside bare SQLite, and how large it becomes.
//!
//! Writes are compared within one run, in turns, by the processor time of the median, for a machine that is busy with
//! something else makes both slower. `OVERSEER_BENCH_SHORT=1` leaves out the simulated year.

#![allow(clippy::print_stdout, reason = "its figures are what this is run for")]

mod bare;
mod clock;
mod sizes;
mod summary;
mod writes;

use std::process::ExitCode;

/// What every part returns: whether it kept its promise.
type Kept = Result<bool, Box<dyn std::error::Error>>;

/// A part of this bench.
type Part = fn() -> Kept;

fn main() -> ExitCode {
    let short = std::env::var_os("OVERSEER_BENCH_SHORT").is_some();
    let mut kept = true;
    let parts: [(&str, Part); 4] = [
        ("writes", writes::beside_bare_sqlite),
        ("summary", summary::of_a_million_rows),
        ("rows", sizes::of_rows),
        ("year", sizes::of_a_year),
    ];
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    for (name, part) in parts {
        if wanted.as_deref().is_some_and(|w| w != name) || (short && name == "year") {
            continue;
        }
        match part() {
            Ok(ok) => kept &= ok,
            Err(e) => {
                println!("{name}: {e}");
                kept = false;
            }
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a figure beside what was promised, and says whether it is kept.
fn judge(what: &str, figure: f64, most: f64, unit: &str) -> bool {
    let kept = figure <= most;
    let said = if kept { "kept" } else { "BROKEN" };
    println!("{what:<44} {figure:>10.2} {unit:<8} at most {most:>8.2}  {said}");
    kept
}
