//! How often the changed feature was named, by kind of change and by feature.

use crate::change::Change;
use std::fmt::Write as _;

/// The place of the changed feature in each explanation, and how rare the change was found.
#[derive(Debug, Default)]
pub(crate) struct Table {
    cases: Vec<(Change, String, usize, f64)>,
}

/// Of rows rarer than this a person might ask why.
const ASKED: f64 = 0.01;

impl Table {
    pub(crate) fn add(&mut self, change: Change, feature: &str, rank: usize, p_value: f64) {
        self.cases.push((change, feature.to_owned(), rank, p_value));
    }

    /// How many were named first, of all.
    pub(crate) fn total(&self) -> (usize, usize) {
        (self.cases.iter().filter(|c| c.2 == 0).count(), self.cases.len())
    }

    pub(crate) fn print(&self, of: &str) -> String {
        let mut text = format!(
            "{of:<22} {:>6} {:>7} {:>7} {:>12} {:>20}\n",
            "cases", "first", "top 3", "p <= 0.01", "first of these"
        );
        let mut line = |name: &str, cases: &[&(Change, String, usize, f64)]| {
            let share = |n: usize, of: usize| format!("{:.0} %", 100.0 * n as f64 / of as f64);
            let n = cases.len();
            let asked: Vec<_> = cases.iter().filter(|c| c.3 <= ASKED).collect();
            let count = |last: usize| cases.iter().filter(|c| c.2 <= last).count();
            let _ = writeln!(
                text,
                "{name:<22} {n:>6} {:>7} {:>7} {:>12} {:>20}",
                share(count(0), n),
                share(count(2), n),
                share(asked.len(), n),
                share(asked.iter().filter(|c| c.2 == 0).count(), asked.len().max(1)),
            );
        };
        for kind in Change::ALL {
            let cases: Vec<_> = self.cases.iter().filter(|c| c.0 == kind).collect();
            if !cases.is_empty() {
                line(&format!("{kind:?}").to_lowercase(), &cases);
            }
        }
        let mut names: Vec<&str> = self.cases.iter().map(|c| c.1.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            line(name, &self.cases.iter().filter(|c| c.1 == name).collect::<Vec<_>>());
        }
        line("all", &self.cases.iter().collect::<Vec<_>>());
        text
    }
}
