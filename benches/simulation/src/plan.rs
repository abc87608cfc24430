//! Which hosts are simulated, and for how long.

use crate::draw::Draw;
use crate::hosts::{Kind, View};

/// One host and how long it is watched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Task {
    /// What kind of life it leads.
    pub kind: Kind,
    /// What is measured of it.
    pub view: View,
    /// Seconds between samples.
    pub step: u32,
    /// Weeks to learn from; 0 to learn from the rows as they come.
    pub learned: f64,
    /// Weeks measured after that.
    pub measured: f64,
    /// What makes it this host and no other.
    pub seed: u64,
}

impl Task {
    /// The same host without anything to learn from before the first measured week.
    #[must_use]
    pub fn without_history(self) -> Self {
        Self { learned: 0.0, measured: self.learned + self.measured, ..self }
    }

    /// As a person says it: `office, 5 columns, every 300 s, seed 12`.
    #[must_use]
    pub fn name(&self) -> String {
        format!(
            "{}, {}, every {} s, seed {}",
            self.kind.name(),
            self.view_name(),
            self.step,
            self.seed
        )
    }

    /// `host`, or how many columns.
    #[must_use]
    pub fn view_name(&self) -> String {
        match self.view {
            View::Host => "host".to_owned(),
            View::Columns(1) => "1 column".to_owned(),
            View::Columns(n) => format!("{n} columns"),
        }
    }
}

/// What is measured of one host after the other: the lengths of these lists and of the kinds have no common factor,
/// so that all combinations come.
const VIEWS: [View; 8] = [
    View::Host,
    View::Columns(5),
    View::Host,
    View::Columns(20),
    View::Host,
    View::Columns(1),
    View::Host,
    View::Host,
];
const STEPS: [u32; 5] = [300, 300, 300, 60, 300];
/// One host in so many is sampled every five seconds, for days instead of weeks.
const FAST: usize = 37;

/// Hosts of all kinds, measured for `weeks` weeks together; the same for the same seed.
#[must_use]
pub fn plan(weeks: f64, seed: u64) -> Vec<Task> {
    let mut tasks = Vec::new();
    let mut planned = 0.0;
    for i in 0_usize.. {
        if planned >= weeks {
            break;
        }
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(i as u64);
        let step = if i % FAST == FAST - 1 { 5 } else { STEPS[i % STEPS.len()] };
        let (learned, measured) = match step {
            5 => (1.0 / 7.0, 2.0 / 7.0),
            60 => (1.0, 1.0),
            _ => (Draw::new(seed, 0).between(1.0, 2.0), 4.0),
        };
        let kind = Kind::ALL[i % Kind::ALL.len()];
        tasks.push(Task { kind, view: VIEWS[i % VIEWS.len()], step, learned, measured, seed });
        planned += measured;
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn five_hundred_weeks_show_every_kind_in_every_view() {
        let tasks = plan(500.0, 1);
        let seen: HashSet<_> = tasks.iter().map(|t| (t.kind, t.view)).collect();
        assert_eq!(seen.len(), Kind::ALL.len() * 4);
        let weeks: f64 = tasks.iter().map(|t| t.measured).sum();
        assert!((500.0..505.0).contains(&weeks));
        assert_eq!(tasks.iter().map(|t| t.seed).collect::<HashSet<_>>().len(), tasks.len());
    }
}
