//! What came of advice so far, from the store.

use super::bandit::{Bandit, Context, reward};
use super::catalogue::{CATALOGUE, Resource};
use overseer_core::{Outcome, OutcomeKind, Result, Store, StoredRecommendation};
use serde::Serialize;
use std::collections::HashMap;

/// Recommendations that are read to find what outcomes are of.
const READ: usize = 20_000;

/// Everything that is known of how actions did: what a ranking learns from.
#[derive(Debug, Clone, Default)]
pub struct Experience {
    bandit: Bandit,
    known: Vec<(String, Context, OutcomeKind)>,
}

/// How one action did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActionRecord {
    /// Its name.
    pub action: &'static str,
    /// What is short where it fits.
    pub resource: Resource,
    /// What was expected of it before anything came of it, -1 to 1.
    pub prior: f64,
    /// What is now, where the resource is very short.
    pub expected: f64,
    /// The standard deviation of that belief.
    pub uncertainty: f64,
    /// How often it helped.
    pub helped: u32,
    /// How often nothing changed.
    pub no_change: u32,
    /// How often it got worse.
    pub worse: u32,
    /// What its choices fell short of, in all: of each, how much more the best action of the resource is believed to
    /// bring there, as far as is known now.
    pub regret: f64,
}

impl Experience {
    /// Learns from outcomes and what they are of. Of several outcomes of one recommendation the newest counts.
    #[must_use]
    pub fn of(recommendations: &[StoredRecommendation], outcomes: &[Outcome]) -> Self {
        let advised: HashMap<i64, &StoredRecommendation> =
            recommendations.iter().map(|r| (r.id, r)).collect();
        let mut newest: HashMap<i64, usize> = HashMap::new();
        for (i, outcome) in outcomes.iter().enumerate() {
            newest.insert(outcome.recommendation, i);
        }
        let mut experience = Self::default();
        for (i, outcome) in outcomes.iter().enumerate() {
            if newest.get(&outcome.recommendation) != Some(&i) {
                continue;
            }
            let Some(of) = advised.get(&outcome.recommendation) else { continue };
            let Some(name) = &of.catalogue_action else { continue };
            let advice = &of.recommendation;
            if let Some(context) = Context::of(&advice.feature, advice.priority) {
                experience.bandit.learn(name, &context, reward(outcome.kind));
                experience.known.push((name.clone(), context, outcome.kind));
            }
        }
        experience
    }

    /// Learns from what a store holds.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(store: &mut dyn Store) -> Result<Self> {
        let outcomes = store.outcomes()?;
        if outcomes.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self::of(&store.recommendations(READ)?, &outcomes))
    }

    /// What ranks actions.
    #[must_use]
    pub fn bandit(&self) -> &Bandit {
        &self.bandit
    }

    /// How many outcomes were learned from.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is known yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How each action of the catalogue did, in the order of the catalogue.
    #[must_use]
    pub fn records(&self) -> Vec<ActionRecord> {
        CATALOGUE.iter().map(|a| self.record(a)).collect()
    }

    fn record(&self, a: &super::Action) -> ActionRecord {
        let of = |kind| {
            let n = self.known.iter().filter(|(name, _, k)| name == a.name && *k == kind).count();
            u32::try_from(n).unwrap_or(u32::MAX)
        };
        let rivals: Vec<&str> =
            CATALOGUE.iter().filter(|b| b.resource == a.resource).map(|b| b.name).collect();
        let regret =
            self.known.iter().filter(|(name, ..)| name == a.name).map(|(_, context, _)| {
                let mean = |name: &str| self.bandit.belief(name, context).mean;
                rivals.iter().map(|name| mean(name)).fold(f64::MIN, f64::max) - mean(a.name)
            });
        let belief = self.bandit.belief(a.name, &Context::new(a.resource, 1.0));
        ActionRecord {
            action: a.name,
            resource: a.resource,
            prior: a.prior,
            expected: belief.mean,
            uncertainty: belief.spread,
            helped: of(OutcomeKind::Helped),
            no_change: of(OutcomeKind::NoChange),
            worse: of(OutcomeKind::Worse),
            // An empty sum is a negative zero.
            regret: regret.fold(0.0, |all, one| all + one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Priority, Recommendation, Timestamp};

    #[test]
    fn the_newest_outcome_of_each_counts_and_what_is_no_action_teaches_nothing() {
        let at = Timestamp::from_millis;
        let stored = |id, action: Option<&str>| {
            let advice = Recommendation::new("linux.pressure.io", Priority::High, "", "");
            StoredRecommendation::new(id, at(id), action.map(str::to_owned), advice)
        };
        let advice = [stored(1, Some("ionice")), stored(2, Some("dirty-ratio")), stored(3, None)];
        let outcomes = [
            Outcome::new(1, OutcomeKind::Helped, at(10)),
            Outcome::new(1, OutcomeKind::Worse, at(11)),
            Outcome::new(2, OutcomeKind::Helped, at(12)),
            Outcome::new(3, OutcomeKind::Helped, at(13)),
            Outcome::new(99, OutcomeKind::Helped, at(14)),
        ];
        let experience = Experience::of(&advice, &outcomes);
        assert_eq!(experience.len(), 2);
        let records = experience.records();
        let of = |name| records.iter().find(|r| r.action == name).unwrap();
        assert_eq!((of("ionice").helped, of("ionice").worse), (0, 1));
        assert_eq!(of("dirty-ratio").helped, 1);
        assert!(of("ionice").expected < 0.0 && of("dirty-ratio").expected > 0.1);
        assert!(of("ionice").regret > 0.3 && of("dirty-ratio").regret == 0.0);
        assert_eq!(of("nice").expected, of("nice").prior);
    }
}
