//! Which action helps in which situation, learned from what came of them.
//!
//! Thompson sampling for contextual bandits with linear payoffs (Agrawal and Goyal 2013): each action has a Bayesian
//! linear regression of the reward on the context; a choice draws from each action's belief and takes the highest, so that
//! what is little known is tried as often as it may be the best. For one context the draw of the payoff is a normal number
//! with the belief's mean and variance, so no matrix is drawn.

use super::catalogue::{Resource, action};
use overseer_core::{OutcomeKind, Priority};
use rand_distr::{Distribution, Normal};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use serde::Serialize;
use std::collections::BTreeMap;

/// A constant and the four resources.
const D: usize = 5;
/// The standard deviation of a weight before anything is known, and of a reward about what is expected.
const PRIOR_SPREAD: f64 = 0.4;
const NOISE: f64 = 0.6;

/// The situation: which resource drives the score, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Context([f64; D]);

impl Context {
    /// A resource that is short to a degree of 0 to 1; other degrees count as the nearest of these.
    #[must_use]
    pub fn new(resource: Resource, degree: f64) -> Self {
        let mut x = [0.0; D];
        x[0] = 1.0;
        let degree = if degree.is_nan() { 0.0 } else { degree.clamp(0.0, 1.0) };
        x[1 + resource as usize] = degree;
        Self(x)
    }

    /// The situation of a recommendation: its feature's resource, as short as it is urgent. `None` if no action is about
    /// that feature.
    #[must_use]
    pub fn of(feature: &str, priority: Priority) -> Option<Self> {
        let degree = match priority {
            Priority::Low => 0.25,
            Priority::Medium => 0.5,
            Priority::High => 0.75,
            _ => 1.0,
        };
        Some(Self::new(Resource::of(feature)?, degree))
    }
}

/// The reward of an outcome: helped 1, no change 0, worse -1.
#[must_use]
pub fn reward(outcome: OutcomeKind) -> f64 {
    match outcome {
        OutcomeKind::Helped => 1.0,
        OutcomeKind::Worse => -1.0,
        _ => 0.0,
    }
}

/// What is believed of an action in a situation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Belief {
    /// The expected reward.
    pub mean: f64,
    /// The standard deviation of that belief.
    pub spread: f64,
    /// How many outcomes of the action are known, in any situation.
    pub tried: u32,
}

#[derive(Debug, Clone)]
struct Arm {
    prior: f64,
    precision: [[f64; D]; D],
    /// Precision times mean, with the prior's mean taken off.
    weighted: [f64; D],
    tried: u32,
}

impl Arm {
    fn new(prior: f64) -> Self {
        let mut precision = [[0.0; D]; D];
        for (i, row) in precision.iter_mut().enumerate() {
            row[i] = PRIOR_SPREAD.powi(-2);
        }
        Self { prior, precision, weighted: [0.0; D], tried: 0 }
    }

    fn learn(&mut self, x: &[f64; D], reward: f64) {
        let weight = NOISE.powi(-2);
        for i in 0..D {
            for j in 0..D {
                self.precision[i][j] += weight * x[i] * x[j];
            }
            self.weighted[i] += weight * x[i] * (reward - self.prior);
        }
        self.tried = self.tried.saturating_add(1);
    }

    fn belief(&self, x: &[f64; D]) -> Belief {
        let solved = solve(&self.precision, x);
        let dot = |a: &[f64; D], b: &[f64; D]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        Belief {
            mean: self.prior + dot(&solved, &self.weighted),
            spread: dot(&solved, x).max(0.0).sqrt(),
            tried: self.tried,
        }
    }
}

/// `a⁻¹ b` of a symmetric, positive definite matrix by Cholesky's factors.
fn solve(a: &[[f64; D]; D], b: &[f64; D]) -> [f64; D] {
    let mut l = [[0.0; D]; D];
    for i in 0..D {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            l[i][j] = if i == j { (a[i][i] - known).sqrt() } else { (a[i][j] - known) / l[j][j] };
        }
    }
    let mut y = [0.0; D];
    for i in 0..D {
        let known: f64 = (0..i).map(|k| l[i][k] * y[k]).sum();
        y[i] = (b[i] - known) / l[i][i];
    }
    for i in (0..D).rev() {
        let known: f64 = (i + 1..D).map(|k| l[k][i] * y[k]).sum();
        y[i] = (y[i] - known) / l[i][i];
    }
    y
}

/// Learns which action helps when. Pure: the same outcomes and the same seed give the same choices.
#[derive(Debug, Clone, Default)]
pub struct Bandit {
    arms: BTreeMap<String, Arm>,
}

impl Bandit {
    /// One that knows nothing but the catalogue's priors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn unknown(name: &str) -> Arm {
        Arm::new(action(name).map_or(0.0, |a| a.prior))
    }

    /// Takes in what came of an action in a situation; a reward that is not finite teaches nothing.
    pub fn learn(&mut self, name: &str, context: &Context, reward: f64) {
        if reward.is_finite() {
            let arm = self.arms.entry(name.to_owned()).or_insert_with(|| Self::unknown(name));
            arm.learn(&context.0, reward.clamp(-1.0, 1.0));
        }
    }

    /// What is believed of an action in a situation.
    #[must_use]
    pub fn belief(&self, name: &str, context: &Context) -> Belief {
        match self.arms.get(name) {
            Some(arm) => arm.belief(&context.0),
            None => Self::unknown(name).belief(&context.0),
        }
    }

    /// The actions' places in the order in which to advise them, the first drawn as said above; the same `draw` gives the
    /// same order.
    #[must_use]
    pub fn rank(&self, names: &[&str], context: &Context, draw: u64) -> Vec<usize> {
        let mut rng = Pcg64Mcg::seed_from_u64(draw);
        let drawn: Vec<f64> = names
            .iter()
            .map(|name| {
                let belief = self.belief(name, context);
                // A spread is finite and not negative, so there is such a distribution.
                Normal::new(belief.mean, belief.spread).map_or(belief.mean, |n| n.sample(&mut rng))
            })
            .collect();
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|&a, &b| drawn[b].total_cmp(&drawn[a]));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_learns_which_helps_in_which_situation_and_keeps_trying_a_little() {
        let (short, plenty) =
            (Context::new(Resource::Memory, 1.0), Context::new(Resource::Io, 1.0));
        let mut bandit = Bandit::new();
        let mut last = [0; 2];
        for i in 0..200 {
            for (which, context) in [(0, &short), (1, &plenty)] {
                let names = ["swappiness", "dirty-ratio"];
                let chosen = bandit.rank(&names, context, i)[0];
                bandit.learn(names[chosen], context, if chosen == which { 1.0 } else { -1.0 });
                last[which] += usize::from(i >= 150 && chosen == which);
            }
        }
        assert!(last[0] >= 48 && last[1] >= 48, "{last:?}");
        let belief = bandit.belief("swappiness", &short);
        assert!(belief.mean > 0.8 && belief.spread < 0.1, "{belief:?}");
    }

    #[test]
    fn before_anything_came_of_it_an_action_is_what_the_catalogue_guesses() {
        let context = Context::new(Resource::Cpu, 0.5);
        let belief = Bandit::new().belief("nice", &context);
        assert_eq!((belief.mean, belief.tried), (0.2, 0));
        assert!((belief.spread - PRIOR_SPREAD * 1.25_f64.sqrt()).abs() < 1e-12);
        let mut bandit = Bandit::new();
        bandit.learn("nice", &context, f64::NAN);
        assert_eq!(bandit.belief("nice", &context), belief);
        assert_eq!(Context::of("system.network.io.receive", Priority::High), None);
    }

    proptest! {
        #[test]
        fn beliefs_are_those_of_the_textbook_in_one_dimension_and_orders_are_complete(
            rewards in proptest::collection::vec(-1.0..1.0f64, 0..50), draw: u64
        ) {
            // With the resource's degree at zero only the constant is learned: a mean of normal numbers.
            let context = Context::new(Resource::Cpu, 0.0);
            let mut bandit = Bandit::new();
            rewards.iter().for_each(|&r| bandit.learn("restart", &context, r));
            let (n, sum) = (rewards.len() as f64, rewards.iter().sum::<f64>());
            let precision = PRIOR_SPREAD.powi(-2) + n * NOISE.powi(-2);
            let belief = bandit.belief("restart", &context);
            prop_assert!((belief.mean - sum * NOISE.powi(-2) / precision).abs() < 1e-9);
            prop_assert!((belief.spread - precision.powf(-0.5)).abs() < 1e-9);
            let names = ["restart", "nice", "ionice"];
            let order = bandit.rank(&names, &context, draw);
            prop_assert_eq!(&order, &bandit.rank(&names, &context, draw));
            let mut sorted = order;
            sorted.sort_unstable();
            prop_assert_eq!(sorted, [0, 1, 2]);
        }
    }
}
