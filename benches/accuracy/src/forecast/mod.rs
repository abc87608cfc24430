//! How well it forecasts: series of recorded metrics, each forecast from many rows on, by what `overseer backtest` runs.

pub mod ablation;
pub mod figures;
pub mod plot;
pub mod report;
pub mod series;

use ablation::Variant;
use figures::{Figures, Tally};
use overseer_engine::core::{Error, ForecasterTrainer, Frame, Result};
use overseer_engine::offline::{Backtest, BacktestRow};
use plot::{Said, Stretch};
use rayon::prelude::*;
use serde::Serialize;
use series::Series;

/// Every forecast reaches so many rows ahead.
pub const HORIZON: usize = 10;
/// Every so many series are forecast a second time with their end cut off.
const CHECKED: usize = 8;
/// Where they are cut off.
const CUT: f64 = 0.85;

/// What became of one series.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// As [`Series::corpus`].
    pub corpus: String,
    /// As [`Series::name`].
    pub name: String,
    /// One row ahead.
    pub h1: Figures,
    /// Ten rows ahead.
    pub h10: Figures,
    /// One to ten rows ahead together.
    pub all: Figures,
    /// Whether what was said before a cut stayed the same without the rest; `None` where it was not tried.
    pub causal: Option<bool>,
    /// What is drawn of it.
    #[serde(skip)]
    pub stretch: Stretch,
}

/// Forecasts all series, on all cores. Where `check` is set, some of them once more with their end cut off.
///
/// # Errors
/// If one cannot be read or forecast; the message names it.
pub fn measure(
    series: &[Series],
    trainer: &(dyn ForecasterTrainer + Sync),
    check: bool,
) -> Result<Vec<Outcome>> {
    series
        .par_iter()
        .enumerate()
        .map(|(i, s)| {
            one(s, trainer, check && i % CHECKED == 0)
                .map_err(|e| Error::other(format!("{}/{}", s.corpus, s.name), e))
        })
        .collect()
}

/// Forecasts the same series by each variant, one after the other.
///
/// # Errors
/// As [`measure`].
pub fn ablate(
    series: &[Series],
    variants: &[Variant],
) -> Result<Vec<(&'static str, Vec<Outcome>)>> {
    variants.iter().map(|v| Ok((v.name, measure(series, &v.trainer, false)?))).collect()
}

fn one(series: &Series, trainer: &dyn ForecasterTrainer, check: bool) -> Result<Outcome> {
    let (frame, column) = series.read()?;
    let truth: Vec<f64> = frame.rows().map(|(_, row)| row[column]).collect();
    let rows = run(series, trainer, &frame, column, series.rows)?;
    let tally = |wanted: &dyn Fn(usize) -> bool| {
        let mut tally = Tally::new(&truth[..series.train_rows]);
        for row in rows.iter().filter(|row| wanted(row.step)) {
            let (origin, truth) = (truth[row.origin], truth[row.origin + row.step]);
            tally.add(origin, truth, row.median, (row.lower, row.upper));
        }
        tally.figures()
    };
    let causal = if check {
        let cut = (CUT * series.rows as f64) as usize;
        let short = run(series, trainer, &frame.slice(0, cut), column, cut)?;
        let same = |(a, b): (&BacktestRow, &BacktestRow)| {
            let numbers = |r: &BacktestRow| [r.median, r.lower, r.upper].map(f64::to_bits);
            (a.origin, a.step) == (b.origin, b.step) && numbers(a) == numbers(b)
        };
        Some(!short.is_empty() && rows.iter().zip(&short).all(same))
    } else {
        None
    };
    Ok(Outcome {
        corpus: series.corpus.clone(),
        name: series.name.clone(),
        h1: tally(&|h| h == 1),
        h10: tally(&|h| h == HORIZON),
        all: tally(&|_| true),
        causal,
        stretch: Stretch::middle(&truth, &rows.iter().map(Said::from).collect::<Vec<_>>()),
    })
}

/// The forecasts from all origins whose truths lie within the first `rows` rows.
fn run(
    series: &Series,
    trainer: &dyn ForecasterTrainer,
    frame: &Frame,
    column: usize,
    rows: usize,
) -> Result<Vec<BacktestRow>> {
    let test = Backtest::new(frame, column, series.train_rows, HORIZON)?;
    let origins = test.origins(series.stride).take_while(|origin| origin + HORIZON < rows);
    let mut found = Vec::new();
    test.run(trainer, origins, |row| {
        found.push(row);
        Ok(())
    })?;
    Ok(found)
}
