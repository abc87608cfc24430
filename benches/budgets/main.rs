//! The budgets: each part of the comprehensive analysis and each model, measured by criterion, and an end in failure if
//! one is exceeded. `OVERSEER_BENCH_SHORT=1` measures for a second each and leaves out what takes seconds, as CI does.

mod analysis;
mod clock;
mod forests;
mod harness;
mod series;
mod table;

use harness::{Benches, ended};
use overseer_engine::core::Result;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut benches = Benches::new();
    ended(run(&mut benches).map_err(|e| e.to_string()).and_then(|()| benches.judge()))
}

fn run(benches: &mut Benches) -> Result<()> {
    analysis::parts(benches)?;
    analysis::whole(benches)?;
    analysis::kept(benches)?;
    forests::isolation(benches)?;
    forests::random(benches)?;
    series::trends(benches)?;
    series::rhythm(benches)
}
