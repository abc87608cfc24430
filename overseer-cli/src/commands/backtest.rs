//! Offline forecasting over CSV files.

use super::{DEFAULT_STEP, Output, check_apart, column, field, progress_bar};
use crate::{Outcome, args};
use overseer_engine::core::{Error, Result, Severity};
use overseer_engine::host;
use overseer_engine::host::collect::{ReadOptions, read_frame};
use overseer_engine::offline::Backtest;
use std::path::Path;

pub(crate) fn backtest(args: &args::Backtest) -> Outcome {
    check_apart(&args.output, &[Some(&args.input), args.origins.as_deref()])?;
    let options = ReadOptions::default().with_step(args.step.unwrap_or(DEFAULT_STEP));
    let frame = read_frame(&args.input, &options)?;
    let index = column(frame.schema(), &args.column)?;
    let test = Backtest::new(&frame, index, args.train_rows, args.horizon)?;
    let origins: Vec<usize> = match &args.origins {
        Some(path) => read_origins(path)?,
        None => test.origins(args.stride).collect(),
    };
    let mut output = Output::create(&args.output, &["origin", "h", "median", "lo90", "hi90"])?;
    let bar = progress_bar(origins.len() as u64, "Forecasting");
    test.run(&host::forecaster_trainer()?, origins, |row| {
        if row.step == 1 {
            bar.inc(1);
        }
        output.row(&[
            row.origin.to_string(),
            row.step.to_string(),
            field(row.median),
            field(row.lower),
            field(row.upper),
        ])
    })?;
    bar.finish_and_clear();
    output.finish()?;
    Ok(Severity::None)
}

fn read_origins(path: &Path) -> Result<Vec<usize>> {
    let place = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|e| Error::other(format!("reading {place}"), e))?;
    let origins: Vec<usize> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(i, line)| {
            line.trim().parse().map_err(|_| {
                Error::invalid_value(
                    format!("{place}, line {}", i + 1),
                    format!("`{line}` is not a row index"),
                )
            })
        })
        .collect::<Result<_>>()?;
    if origins.is_empty() {
        return Err(Error::invalid_value(place, "there is no row index in it"));
    }
    Ok(origins)
}
