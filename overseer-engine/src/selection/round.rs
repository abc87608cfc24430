//! Who still takes part, how each did so far, and who is chosen.

use super::noise::{Estimate, estimate};
use super::plan::Plan;
use super::trial::{Fold, Losses, Outcome};
use super::{Contest, Progress};
use crate::offline::usual_interval;
use overseer_core::{
    Error, ForecastTarget, Frame, Quality, Result, Selection, SelectionEnd, Standing,
};

/// The places of the two that always go on.
const DEFAULT: usize = 0;
const SIMPLEST: usize = 1;

/// Losses of one fold, summed up by blocks: for each block and cell their sum and their number.
#[derive(Debug, Clone)]
struct Sums(Vec<Vec<(f64, f64)>>);

/// A candidate on its way.
#[derive(Debug, Clone, Default)]
struct Runner {
    /// What it lost on each fold that counts, in the order played.
    folds: Vec<Sums>,
    out: bool,
    failed: Option<String>,
    rungs: usize,
}

/// See the module.
pub(super) struct Field<'a> {
    contest: &'a Contest,
    frame: &'a Frame,
    targets: &'a [ForecastTarget],
    plan: &'a Plan,
    runners: Vec<Runner>,
    /// How many folds of the plan were played, and how many rounds completed.
    played: usize,
    rungs: usize,
    /// How many fits were done.
    done: usize,
    /// Why the last fold that taught nothing taught nothing.
    lost: Option<Error>,
}

impl<'a> Field<'a> {
    pub(super) fn new(
        contest: &'a Contest,
        frame: &'a Frame,
        targets: &'a [ForecastTarget],
        plan: &'a Plan,
    ) -> Self {
        let runners = vec![Runner::default(); contest.candidates.len()];
        let (played, rungs, done, lost) = (0, 0, 0, None);
        Self { contest, frame, targets, plan, runners, played, rungs, done, lost }
    }

    fn challengers(&self) -> impl Iterator<Item = usize> + '_ {
        (SIMPLEST + 1..self.runners.len()).filter(|&i| !self.runners[i].out)
    }

    /// Plays a round; says whether it came to its end. If not, what was played of it does not count.
    pub(super) fn play(&mut self, rung: usize, go_on: &mut dyn FnMut(&Progress) -> bool) -> bool {
        let kept = self.runners.clone();
        let total = self.done + self.left(rung);
        for place in self.played..self.plan.rungs[rung] {
            if !self.play_fold(place, rung, total, go_on) {
                // Of the first round what was played is all there is: it is shown, and nobody is chosen by it.
                if self.rungs > 0 {
                    self.runners = kept;
                }
                return false;
            }
        }
        self.played = self.plan.rungs[rung];
        self.rungs += 1;
        for runner in self.runners.iter_mut().filter(|r| !r.out) {
            runner.rungs += 1;
        }
        true
    }

    /// How many fits this round and those after it take at most.
    fn left(&self, rung: usize) -> usize {
        let mut challengers = self.challengers().count();
        let mut played = self.played;
        let mut fits = 0;
        for &folds in &self.plan.rungs[rung..] {
            fits += (folds - played) * (challengers + 2);
            played = folds;
            challengers = challengers.div_ceil(2);
        }
        fits
    }

    fn play_fold(
        &mut self,
        place: usize,
        rung: usize,
        total: usize,
        go_on: &mut dyn FnMut(&Progress) -> bool,
    ) -> bool {
        let start = self.plan.folds[place];
        let fold = Fold {
            frame: self.frame,
            train: self.frame.slice(start - self.plan.train, start),
            start,
            interval: usual_interval(self.frame.timestamps()).unwrap_or_default(),
            plan: self.plan,
            targets: self.targets,
            model_bytes: self.contest.model_bytes,
        };
        let mut simplest: Option<Losses> = None;
        let mut fold_sums: Vec<Option<Sums>> = vec![None; self.runners.len()];
        let order = [SIMPLEST, DEFAULT].into_iter().chain(self.challengers());
        for i in order.collect::<Vec<_>>() {
            if self.done >= self.contest.work {
                self.keep_part(place, fold_sums);
                return false;
            }
            let candidate = &self.contest.candidates[i];
            let progress = Progress {
                rung: rung + 1,
                rungs: self.plan.rungs.len(),
                done: self.done,
                total: total.max(self.done + 1),
                candidate: candidate.name().to_owned(),
            };
            let outcome = fold.trial(candidate, simplest.as_ref(), &mut || go_on(&progress));
            self.done += 1;
            match outcome {
                Outcome::Stopped => {
                    self.keep_part(place, fold_sums);
                    return false;
                }
                Outcome::Failed(e) if i == SIMPLEST || i == DEFAULT => {
                    tracing::debug!("a stretch from row {start} on teaches nothing: {e}");
                    self.lost = Some(e);
                    return true;
                }
                Outcome::Failed(e) => {
                    tracing::debug!(candidate = candidate.name(), "dropped out: {e}");
                    self.runners[i].out = true;
                    self.runners[i].failed = Some(e.to_string());
                }
                Outcome::Done(losses) => {
                    let base = simplest.as_ref().unwrap_or(&losses);
                    fold_sums[i] = Some(Sums::of(&losses, base, self.plan));
                    if i == SIMPLEST {
                        simplest = Some(losses);
                    }
                }
            }
        }
        for (runner, sums) in self.runners.iter_mut().zip(fold_sums) {
            runner.folds.extend(sums);
        }
        true
    }

    /// Keeps what was played of the very first fold before time was up, if anybody is compared by it: on a busy machine
    /// a contest else ends with nothing to show.
    fn keep_part(&mut self, place: usize, sums: Vec<Option<Sums>>) {
        let is_compared = |i: usize| sums.get(i).is_some_and(Option::is_some);
        if self.rungs > 0 || place > 0 || !(is_compared(DEFAULT) && is_compared(SIMPLEST)) {
            return;
        }
        for (runner, sums) in self.runners.iter_mut().zip(sums) {
            runner.folds.extend(sums);
        }
    }

    /// Whether further rounds could not change the choice.
    pub(super) fn is_decided(&self) -> bool {
        let left: Vec<usize> = self.challengers().collect();
        let against = |a: usize, b: usize| self.gain(a, b).is_positive(self.questions());
        if left.iter().all(|&i| against(DEFAULT, i)) {
            return true;
        }
        let leader = left.iter().copied().min_by(|&a, &b| self.mean(a).total_cmp(&self.mean(b)));
        leader.is_some_and(|leader| {
            against(leader, DEFAULT)
                && left.iter().all(|&other| other == leader || against(leader, other))
        })
    }

    /// Lets the better half of the challengers go on.
    pub(super) fn halve(&mut self) {
        let mut left: Vec<usize> = self.challengers().collect();
        left.sort_by(|&a, &b| self.mean(a).total_cmp(&self.mean(b)));
        for &i in left.iter().skip(left.len().div_ceil(2)) {
            self.runners[i].out = true;
        }
    }

    /// What the contest came to.
    pub(super) fn selection(mut self, end: SelectionEnd) -> Result<Selection> {
        if self.runners[DEFAULT].folds.is_empty()
            && let Some(e) = self.lost.take()
        {
            return Err(e);
        }
        let mut board: Vec<Standing> = (0..self.runners.len()).map(|i| self.standing(i)).collect();
        let to_the_end = |s: &&Standing| {
            self.rungs > 0 && s.better && s.failed.is_none() && s.rungs == self.rungs
        };
        let chosen = board
            .iter()
            .filter(to_the_end)
            .min_by(|a, b| a.loss.0.total_cmp(&b.loss.0))
            .unwrap_or(&board[DEFAULT])
            .clone();
        let [default, simplest] =
            [DEFAULT, SIMPLEST].map(|i| self.contest.candidates[i].name().to_owned());
        board.sort_by(|a, b| {
            // Losses of other numbers of rounds are of other stretches, and not to be compared.
            let key = |s: &Standing| {
                (s.failed.is_some(), std::cmp::Reverse(s.rungs), std::cmp::Reverse(s.folds))
            };
            key(a).cmp(&key(b)).then(a.loss.0.total_cmp(&b.loss.0))
        });
        let mut selection = Selection::new(&chosen.name, default, simplest);
        selection.margin = Quality(1.0 - chosen.loss.0);
        selection.margin_error = chosen.error;
        selection.folds = self.runners[DEFAULT].folds.len();
        selection.rungs = self.rungs;
        selection.end = end;
        selection.leaderboard = board;
        Ok(selection)
    }

    fn standing(&self, i: usize) -> Standing {
        let (candidate, runner) = (&self.contest.candidates[i], &self.runners[i]);
        let mut standing = Standing::new(candidate.name());
        standing.parameters.clone_from(&candidate.parameters);
        standing.rungs = runner.rungs;
        standing.folds = runner.folds.len();
        standing.failed.clone_from(&runner.failed);
        if runner.folds.is_empty() {
            return standing;
        }
        let [own, simplest] = [i, SIMPLEST].map(|of| self.blocks(of, i));
        let unit = estimate(&simplest).mean;
        // A history that never moves has no unit.
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let ratio = estimate(&own).mean / unit;
        // The delta method: what a ratio of means errs by is the mean of these.
        let rest = estimate(&difference(&own, &scaled(&simplest, ratio)));
        standing.loss = Quality(ratio);
        standing.error = Quality(rest.error / unit);
        let gain = self.gain(i, DEFAULT);
        standing.gain = Quality(gain.mean / unit);
        standing.gain_error = Quality(gain.error / unit);
        standing.better = i > SIMPLEST && gain.is_positive(self.questions());
        standing
    }

    /// How many comparisons with the default there are at most.
    fn questions(&self) -> usize {
        (self.runners.len() - 2) * self.plan.rungs.len()
    }

    fn mean(&self, i: usize) -> f64 {
        estimate(&self.blocks(i, i)).mean
    }

    /// By how much `i` lost less than `other`, on the folds that `i` was played on.
    fn gain(&self, i: usize, other: usize) -> Estimate {
        let fewer =
            if self.runners[i].folds.len() <= self.runners[other].folds.len() { i } else { other };
        estimate(&difference(&self.blocks(other, fewer), &self.blocks(i, fewer)))
    }

    /// The mean loss of `i` in each block, in units of the simplest one's, on the folds that `on` was played on; those
    /// of a fold together.
    fn blocks(&self, i: usize, on: usize) -> Vec<Vec<f64>> {
        let count = self.runners[on].folds.len();
        let simplest = &self.runners[SIMPLEST].folds[..count];
        let units = units(simplest);
        let one = |block: &Vec<(f64, f64)>| {
            let known = || block.iter().zip(&units).filter(|((_, n), _)| *n > 0.0);
            let n: f64 = known().map(|((_, n), _)| n).sum();
            (n > 0.0).then(|| known().map(|((sum, _), unit)| sum / unit).sum::<f64>() / n)
        };
        self.runners[i].folds[..count]
            .iter()
            .map(|Sums(blocks)| blocks.iter().filter_map(one).collect())
            .collect()
    }
}

impl Sums {
    /// Sums up what was lost where the simplest candidate lost something too, and so the truth and a value are known.
    fn of(losses: &Losses, simplest: &Losses, plan: &Plan) -> Self {
        let cells = losses.first().map_or(0, Vec::len);
        let mut blocks = vec![vec![(0.0, 0.0); cells]; plan.blocks];
        for (origin, (own, simple)) in losses.iter().zip(simplest).enumerate() {
            let block = &mut blocks[plan.block(origin * plan.stride)];
            for ((sum, &own), &simple) in block.iter_mut().zip(own).zip(simple) {
                if !own.is_nan() && !simple.is_nan() {
                    *sum = (sum.0 + own, sum.1 + 1.0);
                }
            }
        }
        Self(blocks)
    }
}

/// The mean loss of the simplest candidate in each cell. Where it never errs, which is where nothing moves, a little of
/// the mean of all stands in.
fn units(simplest: &[Sums]) -> Vec<f64> {
    let cells = simplest.first().and_then(|Sums(b)| b.first()).map_or(0, Vec::len);
    let mut sums = vec![(0.0, 0.0); cells];
    for block in simplest.iter().flat_map(|Sums(blocks)| blocks) {
        for (total, (sum, n)) in sums.iter_mut().zip(block) {
            *total = (total.0 + sum, total.1 + n);
        }
    }
    let means: Vec<f64> =
        sums.iter().map(|(sum, n)| if *n > 0.0 { sum / n } else { 0.0 }).collect();
    let least = 1e-3 * means.iter().sum::<f64>() / means.len().max(1) as f64;
    let least = if least > 0.0 { least } else { 1.0 };
    means.into_iter().map(|mean| mean.max(least)).collect()
}

fn difference(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect()).collect()
}

fn scaled(blocks: &[Vec<f64>], by: f64) -> Vec<Vec<f64>> {
    blocks.iter().map(|block| block.iter().map(|v| v * by).collect()).collect()
}
