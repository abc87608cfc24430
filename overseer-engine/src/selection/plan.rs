//! Which stretches of the history are forecast in which round.

use super::Contest;
use overseer_core::{Error, Result};

/// There are at most so many folds.
const MOST_FOLDS: usize = 16;
/// There are at least so many, else the horizon is made shorter.
const FEWEST_FOLDS: usize = 3;
/// A fold is at least so many horizons long: one is given up before the first truth that counts, one is needed for the
/// truths of the last origin, and two are left to start from.
const HORIZONS: usize = 4;
/// No fold is shorter than this many rows.
const SHORTEST: usize = 24;
/// So many forecasts are made in each horizon's time at most.
const ORIGINS: usize = 20;
/// At so many steps ahead forecasts are compared.
const STEPS: usize = 8;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// How many rows before a fold are learned from.
    pub(super) train: usize,
    /// How far ahead is forecast.
    pub(super) horizon: usize,
    /// The steps at which losses are counted, ascending.
    pub(super) steps: Vec<usize>,
    /// How many rows a fold has.
    pub(super) fold_rows: usize,
    /// The first row of each fold, in the order in which they are played.
    pub(super) folds: Vec<usize>,
    /// Forecasts are made every so many rows.
    pub(super) stride: usize,
    /// How many blocks a fold has.
    pub(super) blocks: usize,
    /// With how many folds each round ends.
    pub(super) rungs: Vec<usize>,
}

impl Plan {
    /// A plan for a history of so many rows.
    pub(super) fn new(contest: &Contest, rows: usize, horizon: usize) -> Result<Self> {
        let [default, simplest] = [0, 1].map(|i| contest.candidates[i].trainer());
        let needs = |h: usize| default.min_rows(h).max(simplest.min_rows(h));
        let least = needs(1).max(FEWEST_FOLDS * SHORTEST);
        let train = contest.training_rows.min(rows / 2);
        let rest = rows - train;
        if train < least {
            return Err(Error::not_enough_data("a contest of forecasters", 2 * least, rows));
        }
        // As far as the folds allow, and no farther than can be learned from half of the history.
        let mut farthest = horizon.min(rest / (FEWEST_FOLDS * HORIZONS)).max(1);
        while farthest > 1 && needs(farthest) > train {
            farthest -= farthest.div_ceil(10);
        }
        let horizon = farthest.max(1);
        let shortest = (HORIZONS * horizon).max(SHORTEST);
        let count = (rest / shortest).clamp(1, MOST_FOLDS);
        let fold_rows = rest / count;
        let mut folds: Vec<usize> = (0..count).map(|i| train + i * fold_rows).collect();
        shuffle(&mut folds, contest.seed);
        let from_to = fold_rows - 2 * horizon + 1;
        Ok(Self {
            train,
            horizon,
            steps: steps(horizon),
            fold_rows,
            folds,
            stride: (horizon / ORIGINS).max(1),
            blocks: (from_to / horizon.max(8)).max(1),
            rungs: rungs(contest.candidates.len() - 2, count),
        })
    }

    /// The block of the origin `place` rows after the first one of a fold.
    pub(super) fn block(&self, place: usize) -> usize {
        let from_to = self.fold_rows - 2 * self.horizon + 1;
        (place * self.blocks / from_to).min(self.blocks - 1)
    }
}

/// The farthest step and, each about twice as far as the one before, those on the way to it.
fn steps(horizon: usize) -> Vec<usize> {
    let mut steps: Vec<usize> =
        std::iter::successors(Some(horizon), |h| (*h > 1).then_some(h / 2)).take(STEPS).collect();
    steps.reverse();
    steps
}

/// With how many of `folds` folds each round ends: twice as many in each, all in the last, and about as many rounds as
/// halving leaves of `challengers` two.
fn rungs(challengers: usize, folds: usize) -> Vec<usize> {
    let most = challengers.max(2).ilog2() as usize + usize::from(!challengers.is_power_of_two());
    let mut rungs: Vec<usize> =
        std::iter::successors(Some(folds), |f| (*f > 2).then_some(f.div_ceil(2)))
            .take(most.max(1))
            .collect();
    rungs.reverse();
    rungs
}

/// Brings them into an order that hangs on the seed alone: Fisher and Yates' shuffle by SplitMix64 (Steele, Lea and
/// Flood 2014).
fn shuffle(values: &mut [usize], seed: u64) {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    for i in (1..values.len()).rev() {
        values.swap(i, (next() % (i as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_double_their_folds_and_end_with_all_of_them() {
        assert_eq!(rungs(14, 16), [2, 4, 8, 16]);
        assert_eq!(rungs(14, 3), [2, 3]);
        assert_eq!(rungs(2, 16), [16]);
        assert_eq!(rungs(4, 7), [4, 7]);
        assert_eq!((rungs(0, 1), rungs(1, 5)), (vec![1], vec![5]));
    }

    #[test]
    fn steps_reach_the_horizon() {
        assert_eq!(steps(1), [1]);
        assert_eq!(steps(10), [1, 2, 5, 10]);
        assert_eq!(steps(120), [1, 3, 7, 15, 30, 60, 120]);
        assert_eq!(steps(5_000).len(), STEPS);
    }

    #[test]
    fn an_order_hangs_on_its_seed() {
        let order = |seed| {
            let mut values: Vec<usize> = (0..16).collect();
            shuffle(&mut values, seed);
            values
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        let mut sorted = order(3);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..16).collect::<Vec<_>>());
    }
}
