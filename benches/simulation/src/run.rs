//! One host through the detector and three budgets at once.

use crate::hosts::Host;
use crate::interval::WEEK;
use crate::plan::Task;
use crate::tally::{Alert, Outcome};
use overseer_engine::core::{Detector, DetectorTrainer, Frame, Result, Sample, Span, host};
use overseer_engine::offline::Scorer;
use overseer_engine::policy::{AlarmBudget, AlarmPolicy, Evidence};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The budgets that every host is held to, as a user writes them.
pub const BUDGETS: [&str; 3] = ["1/day", "1/week", "1/month"];
/// The place of one a week among them.
pub const WEEKLY: usize = 1;

/// Who judges a host's rows.
#[derive(Debug)]
enum Judge {
    /// A detector that has learned from the weeks before.
    Taught(Box<dyn Detector>),
    /// A scorer that learns from the rows as they come, over and over.
    Learning(Box<Scorer>),
}

impl Judge {
    fn observe(&mut self, sample: &Sample) -> Result<(f64, f64)> {
        match self {
            Self::Taught(detector) => detector.observe(sample).map(|j| (j.score, j.p_value)),
            Self::Learning(scorer) => scorer.observe(sample).map(|row| (row.score, row.p_value)),
        }
    }

    /// What was behind the last score, the strongest first; a scorer does not say.
    fn explain(&self) -> Vec<String> {
        match self {
            Self::Taught(detector) => {
                detector.explain().into_iter().take(3).map(|e| e.feature).collect()
            }
            Self::Learning(_) => Vec::new(),
        }
    }
}

/// Has a detector learn from a host's first weeks, and judges the rest by [`BUDGETS`] as `overseer score` would. Where
/// there are no weeks to learn from, it learns from the rows as they come, and is held to the budgets from the first
/// that it can judge.
///
/// # Errors
/// If a sample does not fit its schema, which would be a fault of the simulation.
pub fn run<T>(task: Task, trainer: &T) -> Result<Outcome>
where
    T: DetectorTrainer + Clone + 'static,
{
    let step = Span::from_secs(i64::from(task.step));
    let rows = |weeks: f64| (weeks * WEEK / f64::from(task.step)).round() as usize;
    let mut host = Host::new(task.kind, task.view, f64::from(task.step), task.seed);
    let schema = host.schema();
    let is_host = schema == host::schema();
    let mut judge = if task.learned > 0.0 {
        let mut history = Frame::new(schema);
        for _ in 0..rows(task.learned) {
            history.push(&host.sample())?;
        }
        Judge::Taught(trainer.fit(&history)?)
    } else {
        let trainer = Box::new(trainer.clone());
        Judge::Learning(Box::new(Scorer::new(schema, trainer, AlarmBudget::default(), step)?))
    };
    let mut policies = Vec::new();
    for budget in BUDGETS {
        policies.push(AlarmPolicy::new(budget.parse::<AlarmBudget>()?, step));
    }
    let mut outcome = Outcome::new(task);
    for row in 0..rows(task.measured) {
        let sample = host.sample();
        let (score, p_value) = judge.observe(&sample)?;
        outcome.count(p_value);
        let mut evidence = Evidence::new(sample.timestamp, score, p_value);
        if is_host {
            evidence = evidence.of_host(&sample.values, false);
        }
        for (budget, policy) in policies.iter_mut().enumerate() {
            let verdict = policy.observe(&evidence);
            if verdict.alert {
                outcome.alert(Alert {
                    budget,
                    row,
                    time: sample.timestamp,
                    p_value,
                    score,
                    severity: verdict.severity,
                    features: judge.explain(),
                });
            }
        }
    }
    Ok(outcome)
}

/// All hosts of a plan on so many threads, in the plan's order whatever their number.
///
/// # Errors
/// As [`run`].
pub fn run_all<T>(tasks: &[Task], trainer: &T, threads: usize) -> Result<Vec<Outcome>>
where
    T: DetectorTrainer + Clone + 'static,
{
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(tasks.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let trainer = trainer.clone();
            let (next, done) = (&next, &done);
            scope.spawn(move || {
                while let Some(&task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(task, &trainer).map(|o| (task.seed, o));
                    if let Ok(mut done) = done.lock() {
                        done.push(outcome);
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut outcomes = done.into_iter().collect::<Result<Vec<_>>>()?;
    outcomes.sort_by_key(|(seed, _)| tasks.iter().position(|t| t.seed == *seed));
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}
