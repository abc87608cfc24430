//! Our forecasters that compete on a host: the default, what varies from it, and fixed rules.

use super::{SEED, forecaster_trainer, models};
use crate::selection::{Candidate, Contest};
use models::forecaster::{
    ExpertSet, ForestForecasterBuilder, ForestForecasterTrainer, Rule, RuleForecasterTrainer,
};
use overseer_core::{Result, Span};

/// A change of the default forest.
type Change = fn(ForestForecasterBuilder) -> ForestForecasterBuilder;

/// A changed forest: its name, what is changed and to what, and how.
type Changed = (&'static str, &'static [(&'static str, &'static str)], Change);

/// What the forest is changed in. One thing at a time, and what goes
/// together: a short past with few inputs for hosts that change, large leaves for noisy ones.
const CHANGES: [Changed; 10] = [
    ("forest, own past", &[("other_features", "false")], |b| b.other_features(false)),
    ("forest, no clock", &[("clock", "false")], |b| b.clock(false)),
    (
        "forest, own past, no clock, large leaves",
        &[("other_features", "false"), ("clock", "false"), ("min_leaf", "20")],
        |b| b.other_features(false).clock(false).min_leaf(20),
    ),
    ("forest, 4 lags", &[("lags", "4")], |b| b.lags(4)),
    ("forest, 30 lags", &[("lags", "30")], |b| b.lags(30)),
    ("forest, large leaves", &[("min_leaf", "20")], |b| b.min_leaf(20)),
    ("forest, small leaves", &[("min_leaf", "2")], |b| b.min_leaf(2)),
    ("forest, newest 1,500", &[("moments", "1500")], |b| b.moments(1_500)),
    ("forest, analogues alone", &[("experts", "analogues")], |b| b.experts(ExpertSet::Analogues)),
    // The forest is not asked, so one tree is enough.
    ("rules weighed", &[("experts", "rules"), ("trees", "1")], |b| {
        b.experts(ExpertSet::Rules).trees(1)
    }),
];

/// Rules besides repeating the last value.
const RULES: [(&str, Rule); 4] = [
    ("median of 5", Rule::Median(5)),
    ("median of 40", Rule::Median(40)),
    ("median of 240", Rule::Median(240)),
    ("an hour before", Rule::Before(Span::from_secs(3_600))),
];

/// Our forecasters, ready to compete: the default is [`forecaster_trainer`]'s, the simplest repeats the last value, and
/// the others differ in inputs, lags, leaves, how much they learn from, and experts.
///
/// # Errors
/// Never with these parameters; it is what the builders return.
pub fn forecaster_contest() -> Result<Contest> {
    let rule = |rule| RuleForecasterTrainer::builder(rule).build();
    let default = Candidate::new("forest", forecaster_trainer()?);
    let simplest = Candidate::new("last value", rule(Rule::LastValue)?);
    let mut contest = Contest::new(default, simplest).seed(SEED);
    // What is cheap comes first: where time is short, at least that is compared.
    for (name, parameter) in RULES {
        contest = contest.challenger(Candidate::new(name, rule(parameter)?));
    }
    for (name, parameters, change) in CHANGES {
        let trainer = change(ForestForecasterTrainer::builder().seed(SEED)).build()?;
        let candidate =
            parameters.iter().fold(Candidate::new(name, trainer), |candidate, (key, value)| {
                candidate.with(*key, value)
            });
        contest = contest.challenger(candidate);
    }
    Ok(contest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_says_what_makes_it_one() {
        let contest = forecaster_contest().unwrap();
        assert_eq!(contest.candidates()[0].name(), "forest");
        assert_eq!(contest.candidates()[1].name(), "last value");
        assert_eq!(contest.candidates().len(), 2 + CHANGES.len() + RULES.len());
    }
}
