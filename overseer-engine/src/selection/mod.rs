//! Forecasters that choose themselves: a contest over a host's own history.
//!
//! - *Rolling origins* (Tashman 2000): a stretch of the history, a *fold*, is forecast by each candidate after it learned
//!   from the rows before the fold alone. It takes the fold's rows in one after the other, as it would live; what it
//!   learned from lies at least the horizon before the first row that counts.
//! - *Loss*: the pinball losses at 5, 50 and 95 % (three points of the continuous ranked probability score) at up to
//!   eight steps ahead, each as a share of what the simplest candidate lost there, so that units cancel.
//! - *Successive halving* (Jamieson and Talwalkar 2016; the rounds are those of Karnin, Koren and Somekh 2013): all
//!   candidates start on few folds; after each round the better half goes on to twice as many. The default and the
//!   simplest one always go on, to be compared with on the same rows.
//! - *Noise*: losses are compared as differences of means over blocks at least as long as the horizon (Diebold and
//!   Mariano 1995), with a standard error that allows for neighbouring blocks to go together (Newey and West 1987). A
//!   candidate is better than the default only where Student's t says so at 5 % shared among all that were tried and
//!   all rounds in which they were looked at (Bonferroni); otherwise the default stays.
//! - *Early stop*: when the leader is better than the default and all others beyond noise, or when all that are left are
//!   worse than the default beyond noise.
//!
//! Nothing here reads a clock. Whoever runs a contest is asked before each step whether to go on, and a limit can be set
//! in evaluations, which is the same on any machine. Only completed rounds count for the choice, so a contest that was
//! stopped chooses as one that was planned as long. One that was stopped in its first round chooses nobody new, and its
//! leaderboard shows what had been compared until then.
//!
//! Candidates are whatever implements [`ForecasterTrainer`]; the engine knows no others.
//!
//! ```no_run
//! # #[cfg(feature = "host")] {
//! # fn mine() -> impl overseer_engine::core::ForecasterTrainer + Sync + 'static {
//! #     overseer_engine::host::forecaster_trainer().unwrap()
//! # }
//! use overseer_engine::core::{ForecastTarget, Frame};
//! use overseer_engine::{Candidate, host};
//!
//! # let history = Frame::new(overseer_engine::core::host::schema());
//! let contest = host::forecaster_contest()?.challenger(Candidate::new("mine", mine()));
//! let targets = [ForecastTarget::PerformanceScore];
//! let selection = contest.run(&history, &targets, 120, |_progress| true)?;
//! println!("{} of {}", selection.chosen, selection.leaderboard.len());
//! # }
//! # Ok::<(), overseer_engine::core::Error>(())
//! ```

mod choice;
mod noise;
mod plan;
mod round;
mod trial;

pub use choice::ContestJob;
pub(crate) use choice::fit_by;

use overseer_core::{
    Error, ForecastTarget, ForecasterTrainer, Frame, Result, Selection, SelectionEnd,
};
use plan::Plan;
use round::Field;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A forecaster that takes part, under a name of its own.
#[derive(Debug, Clone)]
pub struct Candidate {
    name: String,
    parameters: BTreeMap<String, String>,
    trainer: Arc<dyn ForecasterTrainer + Sync>,
}

impl Candidate {
    /// What this trainer fits, called by a name that no other candidate has: a choice is remembered by it.
    pub fn new(name: impl Into<String>, trainer: impl ForecasterTrainer + Sync + 'static) -> Self {
        Self { name: name.into(), parameters: BTreeMap::new(), trainer: Arc::new(trainer) }
    }

    /// Says what it was built with, for whoever reads the leaderboard.
    #[must_use]
    pub fn with(mut self, parameter: impl Into<String>, value: impl ToString) -> Self {
        self.parameters.insert(parameter.into(), value.to_string());
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What fits it.
    #[must_use]
    pub fn trainer(&self) -> &dyn ForecasterTrainer {
        &*self.trainer
    }
}

/// How far a contest is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The round, from 1.
    pub rung: usize,
    /// How many rounds there are at most.
    pub rungs: usize,
    /// How many fits of a candidate to a fold are done.
    pub done: usize,
    /// How many there will be at most.
    pub total: usize,
    /// Who is at work.
    pub candidate: String,
}

/// Forecasters and the rules by which one of them is chosen.
#[derive(Debug, Clone)]
pub struct Contest {
    /// The default, the simplest, then all others.
    candidates: Vec<Candidate>,
    seed: u64,
    training_rows: usize,
    history_rows: usize,
    work: usize,
    model_bytes: usize,
}

impl Contest {
    /// A contest in which nobody takes part yet but the one that is used unless another is better, and the one that all
    /// are measured by, such as repeating the last value.
    #[must_use]
    pub fn new(default: Candidate, simplest: Candidate) -> Self {
        Self {
            candidates: vec![default, simplest],
            seed: 0,
            training_rows: 5_000,
            history_rows: 20_000,
            work: usize::MAX,
            model_bytes: 64 << 20,
        }
    }

    /// Adds a candidate.
    #[must_use]
    pub fn challenger(mut self, candidate: Candidate) -> Self {
        self.candidates.push(candidate);
        self
    }

    /// Decides which folds come first; 0 unless told. The same seed, history and trainers give the same choice.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// From how many rows before a fold a candidate learns at most; 5,000 unless told. Of a shorter history it is half.
    #[must_use]
    pub fn training_rows(mut self, rows: usize) -> Self {
        self.training_rows = rows;
        self
    }

    /// How many of the newest rows of the history are looked at; 20,000 unless told. With the models' size this is what
    /// bounds memory: a row takes eight bytes for each feature and eight for its time, and a quarter of them is held
    /// twice.
    #[must_use]
    pub fn history_rows(mut self, rows: usize) -> Self {
        self.history_rows = rows;
        self
    }

    /// How many times a candidate may be fitted to a fold, all together; unlimited unless told.
    #[must_use]
    pub fn work(mut self, fits: usize) -> Self {
        self.work = fits;
        self
    }

    /// How large a stored model may be; 64 MiB unless told. A candidate that is larger drops out.
    #[must_use]
    pub fn model_bytes(mut self, most: usize) -> Self {
        self.model_bytes = most;
        self
    }

    /// Everybody who takes part: the default, the simplest, then all others.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Chooses who forecasts these targets of such a history best, up to `horizon` steps ahead or as far as the history
    /// allows. `go_on` is asked often; once it says no, only the rounds completed so far count.
    ///
    /// A candidate that fails drops out, and the leaderboard says why. [`Selection::at`] is left to whoever knows it.
    ///
    /// # Errors
    /// If two candidates have one name, there are no targets, the horizon is zero, or the history is too short for the
    /// default and the simplest candidate.
    pub fn run(
        &self,
        history: &Frame,
        targets: &[ForecastTarget],
        horizon: usize,
        mut go_on: impl FnMut(&Progress) -> bool,
    ) -> Result<Selection> {
        self.check(targets, horizon)?;
        let rows = history.len();
        let frame = &history.slice(rows.saturating_sub(self.history_rows), rows);
        let plan = Plan::new(self, frame.len(), horizon)?;
        let mut field = Field::new(self, frame, targets, &plan);
        let mut end = SelectionEnd::Completed;
        for rung in 0..plan.rungs.len() {
            if !field.play(rung, &mut go_on) {
                end = SelectionEnd::Stopped;
                break;
            }
            if rung + 1 < plan.rungs.len() && field.is_decided() {
                end = SelectionEnd::Decided;
                break;
            }
            field.halve();
        }
        let mut selection = field.selection(end)?;
        selection.seed = self.seed;
        selection.rows = frame.len();
        if let (Some(&first), Some(&last)) = (frame.timestamps().first(), frame.timestamps().last())
        {
            selection.span = (first, last);
        }
        selection.horizon = plan.horizon;
        tracing::info!(chosen = selection.chosen, margin = selection.margin.0, ?end, "contest");
        Ok(selection)
    }

    fn check(&self, targets: &[ForecastTarget], horizon: usize) -> Result<()> {
        let mut names = BTreeSet::new();
        if let Some(twice) = self.candidates.iter().find(|c| !names.insert(c.name())) {
            let message = format!("two candidates are called `{}`", twice.name());
            return Err(Error::invalid_parameter("candidates", message));
        }
        if targets.is_empty() {
            return Err(Error::invalid_parameter("targets", "there must be at least one"));
        }
        if horizon == 0 {
            return Err(Error::invalid_parameter("horizon", "must be at least 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
