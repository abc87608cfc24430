//! How often the changed feature was named, by kind of change and by feature.

use crate::change::Change;
use std::fmt::Write as _;

/// What was said of one change.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) change: Change,
    pub(crate) feature: String,
    /// The place of the changed feature in the explanation, from 0.
    pub(crate) rank: usize,
    /// The least p-value of the changed rows.
    pub(crate) p_value: f64,
    /// Whether the change raised the highest score: else something else is loud at the same time.
    pub(crate) is_heard: bool,
}

/// All that was said.
#[derive(Debug, Default)]
pub(crate) struct Table {
    cases: Vec<Case>,
}

/// Of rows rarer than this a person might ask why.
const ASKED: f64 = 0.01;

impl Table {
    pub(crate) fn add(&mut self, case: Case) {
        self.cases.push(case);
    }

    /// How many were named first, of all.
    pub(crate) fn total(&self) -> (usize, usize) {
        (self.cases.iter().filter(|c| c.rank == 0).count(), self.cases.len())
    }

    pub(crate) fn print(&self, of: &str) -> String {
        let mut text = format!(
            "{of:<16} {:>6} {:>7} {:>7} {:>10} {:>8} {:>7} {:>8}\n",
            "cases", "first", "top 3", "p <= 0.01", "first", "heard", "first"
        );
        let mut line = |name: &str, cases: &[&Case]| {
            let part = |of: &dyn Fn(&Case) -> bool| -> (String, String) {
                let some: Vec<_> = cases.iter().filter(|c| of(c)).collect();
                let first = some.iter().filter(|c| c.rank == 0).count();
                (share(some.len(), cases.len()), share(first, some.len()))
            };
            let (_, first) = part(&|_| true);
            let (among, _) = part(&|c| c.rank <= 2);
            let (asked, of_asked) = part(&|c| c.p_value <= ASKED);
            let (heard, of_heard) = part(&|c| c.is_heard);
            let n = cases.len();
            let _ = writeln!(
                text,
                "{name:<16} {n:>6} {first:>7} {among:>7} {asked:>10} {of_asked:>8} {heard:>7} {of_heard:>8}"
            );
        };
        for kind in Change::ALL {
            let cases: Vec<_> = self.cases.iter().filter(|c| c.change == kind).collect();
            if !cases.is_empty() {
                line(&format!("{kind:?}").to_lowercase(), &cases);
            }
        }
        let mut names: Vec<&str> = self.cases.iter().map(|c| c.feature.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            line(name, &self.cases.iter().filter(|c| c.feature == name).collect::<Vec<_>>());
        }
        line("all", &self.cases.iter().collect::<Vec<_>>());
        text
    }
}

fn share(n: usize, of: usize) -> String {
    if of == 0 { "-".to_owned() } else { format!("{:.0} %", 100.0 * n as f64 / of as f64) }
}
