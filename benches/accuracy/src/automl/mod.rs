//! What choosing among forecasters is worth: on each series of recorded metrics a contest over the rows that are learned
//! from, then the chosen forecaster beside the default on the rows behind them.

pub mod report;

use crate::forecast::HORIZON;
use crate::forecast::series::Series;
use overseer_engine::core::{
    Error, ForecastTarget, ForecasterTrainer, Frame, Result, Selection, SelectionEnd, Standing,
};
use overseer_engine::host;
use overseer_engine::offline::{Backtest, BacktestRow};
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Into so many blocks the rows behind the contest are divided to tell a difference from noise.
const BLOCKS: usize = 30;
/// So many standard errors a difference must have to be one.
const APART: f64 = 2.0;

/// So many rows a contest sees that is to do with a short past: two days at five minutes, where chance has most to say.
pub const SHORT: usize = 600;

/// How much of what is learned from a contest sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Past {
    /// The newest [`SHORT`] rows.
    Short,
    /// All.
    Whole,
}

/// What became of one series.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// As [`Series::corpus`].
    pub corpus: String,
    /// As [`Series::name`].
    pub name: String,
    /// How much the contest saw.
    pub past: Past,
    /// Rows of the contest.
    pub rows: usize,
    /// What was chosen, and by how much of its loss it was better than the simplest one.
    pub chosen: String,
    /// See [`Selection::margin`].
    #[serde(deserialize_with = "null_is_unknown")]
    pub margin: f64,
    /// By how much the chosen one was better than the default in the contest, in the loss of the simplest one.
    #[serde(deserialize_with = "null_is_unknown")]
    pub gain: f64,
    /// Why the contest ended.
    pub end: SelectionEnd,
    /// How long it took, in seconds, beside as many others as there are cores.
    pub seconds: f64,
    /// How each candidate did in the contest.
    pub leaderboard: Vec<Standing>,
    /// The chosen forecaster beside the default on later rows; `None` if it is the default.
    pub later: Option<Later>,
}

/// Two forecasters on the same rows.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Later {
    /// Pinball loss at 5, 50 and 95 % of the chosen one over that of the default; below 1 is better.
    #[serde(deserialize_with = "null_is_unknown")]
    pub crps3: f64,
    /// The standard error of that.
    #[serde(deserialize_with = "null_is_unknown")]
    pub error: f64,
    /// The same of mean absolute errors.
    #[serde(deserialize_with = "null_is_unknown")]
    pub rel: f64,
}

impl Outcome {
    /// The ratio of losses; 1 if the default was kept.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.later.map_or(1.0, |l| l.crps3)
    }

    /// Below zero if the chosen one is better than the default on later rows beyond noise, above if it is worse.
    #[must_use]
    pub fn verdict(&self) -> i8 {
        self.later.map_or(0, |l| {
            let apart = (l.crps3 - 1.0) / l.error;
            i8::from(apart > APART) - i8::from(apart < -APART)
        })
    }
}

fn null_is_unknown<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Chooses for these series, on all cores. What is among `known` is not measured again; `done` hears of all that is
/// known after each further one, so that hours of work can be interrupted.
///
/// # Errors
/// If a series cannot be read or forecast, the message naming it, or as `done` fails.
pub fn measure(
    wanted: &[(Past, &Series)],
    known: Vec<Outcome>,
    done: impl Fn(&[Outcome]) -> Result<()> + Sync,
) -> Result<Vec<Outcome>> {
    let is = |o: &Outcome, (past, s): &(Past, &Series)| {
        (o.past, &o.corpus, &o.name, o.rows) == (*past, &s.corpus, &s.name, history_rows(*past, s))
    };
    let missing: Vec<&(Past, &Series)> =
        wanted.iter().filter(|w| !known.iter().any(|o| is(o, w))).collect();
    let mut known = known;
    known.retain(|o| wanted.iter().any(|w| is(o, w)));
    let all = Mutex::new(known);
    missing.into_par_iter().try_for_each(|(past, s)| {
        let found =
            one(*past, s).map_err(|e| Error::other(format!("{}/{}", s.corpus, s.name), e))?;
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(found);
        done(&all)
    })?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// How many rows a contest sees.
fn history_rows(past: Past, series: &Series) -> usize {
    match past {
        Past::Short => SHORT.min(series.train_rows),
        Past::Whole => series.train_rows,
    }
}

fn one(past: Past, series: &Series) -> Result<Outcome> {
    let (frame, column) = series.read()?;
    let rows = history_rows(past, series);
    let history = frame.slice(series.train_rows - rows, series.train_rows);
    let contest = host::forecaster_contest()?;
    let start = Instant::now();
    let selection = contest.run(&history, &[ForecastTarget::Column(column)], HORIZON, |_| true)?;
    let seconds = start.elapsed().as_secs_f64();
    let trainer = |name: &str| contest.candidates().iter().find(|c| c.name() == name);
    let later = match trainer(&selection.chosen) {
        Some(chosen) if selection.is_other() => {
            let default = contest.candidates()[0].trainer();
            Some(compare(series, &frame, column, chosen.trainer(), default)?)
        }
        _ => None,
    };
    let gain = selection.standing(&selection.chosen).map_or(f64::NAN, |s| s.gain.0);
    let Selection { chosen, margin, end, leaderboard, .. } = selection;
    Ok(Outcome {
        corpus: series.corpus.clone(),
        name: series.name.clone(),
        past,
        rows: history.len(),
        chosen,
        margin: margin.0,
        gain,
        end,
        seconds,
        leaderboard,
        later,
    })
}

/// Both by what `overseer backtest` runs, over the rows that the contest did not see.
fn compare(
    series: &Series,
    frame: &Frame,
    column: usize,
    chosen: &dyn ForecasterTrainer,
    default: &dyn ForecasterTrainer,
) -> Result<Later> {
    let truth: Vec<f64> = frame.rows().map(|(_, row)| row[column]).collect();
    let run = |trainer: &dyn ForecasterTrainer| {
        let test = Backtest::new(frame, column, series.train_rows, HORIZON)?;
        let origins = test.origins(series.stride).take_while(|o| o + HORIZON < series.rows);
        let mut found = Vec::new();
        test.run(trainer, origins, |row| {
            let truth = truth[row.origin + row.step];
            if !truth.is_nan() && !row.median.is_nan() {
                found.push((row.origin, pinball(&row, truth), (truth - row.median).abs()));
            }
            Ok(())
        })?;
        Ok::<_, Error>(found)
    };
    let (own, usual) = (run(chosen)?, run(default)?);
    let sum = |of: &[(usize, f64, f64)]| {
        of.iter().fold((0.0, 0.0), |(a, b), (_, crps, error)| (a + crps, b + error))
    };
    let (sums, usual_sums) = (sum(&own), sum(&usual));
    let ratio = |a: f64, b: f64| if a == b { 1.0 } else { a / b };
    let crps3 = ratio(sums.0, usual_sums.0);
    // What the ratio of means errs by is the mean of these, block by block.
    let rows = (series.rows - series.train_rows).max(1);
    let mut blocks = vec![0.0; BLOCKS];
    for (a, b) in own.iter().zip(&usual) {
        let block = (a.0 + 1 - series.train_rows) * BLOCKS / rows;
        blocks[block.min(BLOCKS - 1)] += a.1 - crps3 * b.1;
    }
    let spread = blocks.iter().map(|v| v * v).sum::<f64>() * BLOCKS as f64 / (BLOCKS - 1) as f64;
    let error = spread.sqrt() / usual_sums.0;
    Ok(Later { crps3, error, rel: ratio(sums.1, usual_sums.1) })
}

/// Twice the mean pinball loss.
fn pinball(row: &BacktestRow, truth: f64) -> f64 {
    [(0.05, row.lower), (0.5, row.median), (0.95, row.upper)]
        .into_iter()
        .map(|(q, x)| (q * (truth - x)).max((q - 1.0) * (truth - x)))
        .sum::<f64>()
        * 2.0
        / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(crps3: Option<f64>) -> Outcome {
        Outcome {
            corpus: "hosts".to_owned(),
            name: format!("a:{crps3:?}"),
            past: Past::Whole,
            rows: 500,
            chosen: crps3.map_or("forest", |_| "median of 5").to_owned(),
            margin: 0.2,
            gain: 0.05,
            end: SelectionEnd::Completed,
            seconds: 3.0,
            leaderboard: Vec::new(),
            later: crps3.map(|crps3| Later { crps3, error: 0.02, rel: crps3 }),
        }
    }

    #[test]
    fn a_difference_is_one_from_two_standard_errors_on() {
        let verdicts =
            [None, Some(0.9), Some(0.97), Some(1.03), Some(1.1)].map(|c| outcome(c).verdict());
        assert_eq!(verdicts, [0, -1, 0, 0, 1]);
        let tables = report::tables(&[None, Some(0.8), Some(1.25)].map(outcome));
        for line in [
            "| the default was kept | 1 |",
            "| something else was chosen | 2 |",
            "| and was better on later rows, beyond noise | 1 |",
            "| worse, beyond noise | 1 |",
            "| 1.000, 1.000 |",
            "| hosts/a:Some(0.8) | whole | median of 5 | 5.0 % | 0.800 | 0.020 |",
        ] {
            assert!(tables.contains(line), "{line}\n{tables}");
        }
        let kept = report::tables(&[outcome(None)]);
        assert!(kept.contains("| 1.000, – |") && !kept.contains("| chosen |"), "{kept}");
    }
}
