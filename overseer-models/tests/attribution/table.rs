//! How often the changed feature was named, and its change by kind and time, by kind of change and by feature.

use crate::change::Change;
use overseer_core::ChangeKind;
use std::fmt::Write as _;

/// One change, and what was said of it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) change: Change,
    pub(crate) feature: String,
    /// The place of the changed feature in the explanation of the highest score.
    pub(crate) rank: usize,
    pub(crate) p_value: f64,
    /// What the last row's explanation calls it, and whether it says when it began.
    pub(crate) said: Option<ChangeKind>,
    pub(crate) is_dated: bool,
}

impl Case {
    pub(crate) fn new(change: Change, feature: &str) -> Self {
        let feature = feature.to_owned();
        Self { change, feature, rank: usize::MAX, p_value: 1.0, said: None, is_dated: false }
    }

    pub(crate) fn is_named(&self) -> bool {
        self.said == Some(self.change.kind())
    }
}

/// All changes that were made.
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

    /// How many are as asked, and of how many, of one kind of change or of all.
    pub(crate) fn count(
        &self,
        change: Option<Change>,
        is_right: impl Fn(&Case) -> bool,
    ) -> (usize, usize) {
        let of = || self.cases.iter().filter(|c| change.is_none_or(|k| c.change == k));
        (of().filter(|c| is_right(c)).count(), of().count())
    }

    pub(crate) fn print(&self, of: &str) -> String {
        let mut text = format!(
            "{of:<22} {:>6} {:>7} {:>7} {:>12} {:>20} {:>7} {:>7}  called\n",
            "cases", "first", "top 3", "p <= 0.01", "first of these", "kind", "since"
        );
        let mut line = |name: &str, cases: &[&Case]| {
            let share = |n: usize, of: usize| format!("{:.0} %", 100.0 * n as f64 / of as f64);
            let n = cases.len();
            let asked: Vec<_> = cases.iter().filter(|c| c.p_value <= ASKED).collect();
            let count = |is: &dyn Fn(&Case) -> bool| cases.iter().filter(|c| is(c)).count();
            let mut called: Vec<(usize, String)> = ChangeKind::ALL
                .into_iter()
                .map(|k| (count(&|c| c.said == Some(k)), k.to_string()))
                .chain([(count(&|c| c.said.is_none()), "nothing".to_owned())])
                .filter(|(count, _)| *count > 0)
                .collect();
            called.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
            let called: Vec<String> =
                called.iter().take(3).map(|(c, k)| format!("{k} {c}")).collect();
            let _ = writeln!(
                text,
                "{name:<22} {n:>6} {:>7} {:>7} {:>12} {:>20} {:>7} {:>7}  {}",
                share(count(&|c| c.rank == 0), n),
                share(count(&|c| c.rank <= 2), n),
                share(asked.len(), n),
                share(asked.iter().filter(|c| c.rank == 0).count(), asked.len().max(1)),
                share(count(&Case::is_named), n),
                share(count(&|c| c.is_dated), n),
                called.join(", "),
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
