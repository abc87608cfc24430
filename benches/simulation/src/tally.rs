//! What came of a host, and of many together.

use crate::plan::Task;
use crate::run::BUDGETS;
use overseer_engine::core::{Severity, Timestamp};
use overseer_engine::policy::AlarmBudget;
use serde::Serialize;

/// P-values at most this large are counted: of normal rows, that share should be.
pub const LEVELS: [f64; 5] = [0.5, 0.1, 0.01, 0.001, 0.0001];

/// A false alert.
#[derive(Debug, Clone)]
pub struct Alert {
    /// The place of its budget in [`BUDGETS`].
    pub budget: usize,
    /// The measured row it came on, from 0.
    pub row: usize,
    /// That row's time.
    pub time: Timestamp,
    /// Its p-value.
    pub p_value: f64,
    /// Its score.
    pub score: f64,
    /// How severe it was said to be.
    pub severity: Severity,
    /// What was said to be behind it, the strongest first.
    pub features: Vec<String>,
}

/// One host's alerts and p-values.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The host.
    pub task: Task,
    /// All its alerts, in the order of time.
    pub alerts: Vec<Alert>,
    /// Measured rows, and those whose p-value is at most each of [`LEVELS`].
    pub rows: u64,
    /// See there.
    pub below: [u64; LEVELS.len()],
}

impl Outcome {
    /// Of a host that has not been watched yet.
    #[must_use]
    pub fn new(task: Task) -> Self {
        Self { task, alerts: Vec::new(), rows: 0, below: [0; LEVELS.len()] }
    }

    /// Counts a row's p-value, if there is one.
    pub fn count(&mut self, p_value: f64) {
        self.rows += u64::from(!p_value.is_nan());
        for (below, level) in self.below.iter_mut().zip(LEVELS) {
            *below += u64::from(p_value <= level);
        }
    }

    /// Adds an alert.
    pub fn alert(&mut self, alert: Alert) {
        self.alerts.push(alert);
    }

    /// Alerts a week by a budget.
    #[must_use]
    pub fn rate(&self, budget: usize) -> f64 {
        self.alerts.iter().filter(|a| a.budget == budget).count() as f64 / self.task.measured
    }

    /// Alerts of each full week by a budget.
    #[must_use]
    pub fn weeks(&self, budget: usize) -> Vec<usize> {
        let rows = 604_800 / self.task.step as usize;
        let mut weeks = vec![0; self.task.measured.floor() as usize];
        for alert in self.alerts.iter().filter(|a| a.budget == budget) {
            if let Some(week) = weeks.get_mut(alert.row / rows) {
                *week += 1;
            }
        }
        weeks
    }
}

/// How a budget was kept.
#[derive(Debug, Clone, Serialize)]
pub struct Kept {
    /// The budget as a user writes it, and in alerts a week.
    pub budget: &'static str,
    /// See there.
    pub allowed: f64,
    /// False alerts a host-week.
    pub alerts_per_week: f64,
    /// The standard error of that, from how hosts differ.
    pub standard_error: f64,
    /// The alerts a week of the worst host, and which it was.
    pub worst: f64,
    /// See there.
    pub worst_host: String,
    /// The share of full host-weeks with more alerts than the budget allows in one.
    pub weeks_over: f64,
}

/// What came of several hosts.
#[derive(Debug, Clone, Serialize)]
pub struct Tally {
    /// What they have in common.
    pub group: String,
    /// How many there were.
    pub hosts: usize,
    /// How many weeks were measured together.
    pub weeks: f64,
    /// How many rows.
    pub rows: u64,
    /// By budget.
    pub kept: Vec<Kept>,
    /// The share of rows whose p-value is at most each of [`LEVELS`].
    pub p_values: [f64; LEVELS.len()],
}

/// A budget in alerts a week; every one of [`BUDGETS`] can be read.
fn allowed(budget: &str) -> f64 {
    budget.parse::<AlarmBudget>().map_or(f64::NAN, |b| b.per_week())
}

impl Tally {
    /// The tally of these hosts, of which there must be one.
    #[must_use]
    pub fn of(group: impl Into<String>, outcomes: &[&Outcome]) -> Self {
        let weeks: f64 = outcomes.iter().map(|o| o.task.measured).sum();
        let rows: u64 = outcomes.iter().map(|o| o.rows).sum();
        let kept = BUDGETS.iter().enumerate().map(|(b, budget)| kept(b, budget, weeks, outcomes));
        let share = |level: usize| {
            outcomes.iter().map(|o| o.below[level]).sum::<u64>() as f64 / rows as f64
        };
        Self {
            group: group.into(),
            hosts: outcomes.len(),
            weeks,
            rows,
            kept: kept.collect(),
            p_values: std::array::from_fn(share),
        }
    }

    /// The tallies by kind, by view, by step, and of all.
    #[must_use]
    pub fn by_all(outcomes: &[Outcome]) -> Vec<Self> {
        let keys: [fn(&Task) -> String; 4] = [
            |t| t.kind.name().to_owned(),
            Task::view_name,
            |t| format!("every {} s", t.step),
            |_| "all".to_owned(),
        ];
        let mut tallies = Vec::new();
        for key in keys {
            let mut groups: Vec<(String, Vec<&Outcome>)> = Vec::new();
            for outcome in outcomes {
                let name = key(&outcome.task);
                match groups.iter_mut().find(|(n, _)| *n == name) {
                    Some((_, members)) => members.push(outcome),
                    None => groups.push((name, vec![outcome])),
                }
            }
            tallies.extend(groups.into_iter().map(|(name, members)| Self::of(name, &members)));
        }
        tallies
    }
}

fn kept(b: usize, budget: &'static str, weeks: f64, outcomes: &[&Outcome]) -> Kept {
    let allowed = allowed(budget);
    let alerts_per_week = outcomes.iter().map(|o| o.rate(b) * o.task.measured).sum::<f64>() / weeks;
    // Weeks of one host are alike, so hosts are what differs by chance.
    let squares: f64 =
        outcomes.iter().map(|o| (o.task.measured * (o.rate(b) - alerts_per_week)).powi(2)).sum();
    let worst = outcomes.iter().max_by(|x, y| x.rate(b).total_cmp(&y.rate(b)));
    let full: Vec<usize> = outcomes.iter().flat_map(|o| o.weeks(b)).collect();
    let over = full.iter().filter(|&&n| n as f64 > allowed).count();
    Kept {
        budget,
        allowed,
        alerts_per_week,
        standard_error: squares.sqrt() / weeks,
        worst: worst.map_or(f64::NAN, |o| o.rate(b)),
        worst_host: worst.map_or_else(String::new, |o| o.task.name()),
        weeks_over: over as f64 / full.len().max(1) as f64,
    }
}
