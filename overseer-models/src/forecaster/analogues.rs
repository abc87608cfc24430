//! Moments of the past that resemble the present, and what came after them.

use super::Settings;
use super::target::LARGEST;
use crate::file::{Reader, Writer};
use crate::random_forest::{RandomForest, Structure};
use crate::stats::{ordered, value_of};
use ndarray::ArrayView2;
use overseer_core::{Error, Result};

/// At most so many moments are kept in a leaf: the newest.
const PER_LEAF: usize = 10;
/// At most so many moments are added to those the forest was grown on; then it is time to grow another one.
const MAX_ADDED: usize = 5_000;

/// Quantiles of what came after the analogues, at one horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// The lower quantile, the median and the upper quantile of the values as they were.
    pub levels: [f64; 3],
    /// The same of their changes from the value of their moment.
    pub changes: [f64; 3],
}

/// A forest over past moments and what came after each.
///
/// The trees stay as they were grown. But the moments in their leaves move on: each further one, once it is known what
/// came after it, takes the place of the oldest in its leaves. So it goes for 5,000 further moments; from then on the
/// leaves stay as they are, and only fitting again brings newer moments in.
#[derive(Debug, Clone)]
pub(super) struct Analogues {
    forest: Structure,
    /// How many moments the forest was grown on.
    grown_on: usize,
    /// [`PER_LEAF`] places for each leaf, filled in turns.
    places: Vec<u32>,
    /// How many moments each leaf has seen.
    seen: Vec<u32>,
    /// The target at each moment.
    current: Vec<f64>,
    /// For each horizon of the grid the target that much later, moment after moment.
    later: Vec<Vec<f64>>,
}

impl Analogues {
    /// Grows the forest: `inputs` has a row for each moment, `current` the target then, `later` for each horizon the
    /// target that much later.
    ///
    /// It splits on ranks, of levels and of changes, at the first, a middle and the last horizon: so no spike, however
    /// high, decides alone what resembles what.
    ///
    /// # Errors
    /// As fitting a forest has them.
    pub(super) fn grow(
        settings: Settings,
        inputs: &ArrayView2<'_, f64>,
        current: Vec<f64>,
        later: Vec<Vec<f64>>,
    ) -> Result<Self> {
        let mut chosen = vec![0, later.len() / 2, later.len().saturating_sub(1)];
        chosen.dedup();
        let mut columns = Vec::with_capacity(2 * chosen.len());
        for after in chosen.iter().filter_map(|&i| later.get(i)) {
            columns.push(mid_ranks(after));
            let changes: Vec<f64> = after.iter().zip(&current).map(|(l, c)| l - c).collect();
            columns.push(mid_ranks(&changes));
        }
        let targets =
            ndarray::Array2::from_shape_fn((current.len(), columns.len()), |(i, j)| columns[j][i]);
        let Settings { trees, min_leaf, seed, .. } = settings;
        let params = RandomForest::builder().trees(trees).min_leaf(min_leaf).seed(seed).build()?;
        let forest = params.fit(*inputs, targets.view())?;
        let leaves = forest.leaf_count();
        let (mut places, mut seen) = (vec![0; leaves * PER_LEAF], vec![0; leaves]);
        for leaf in 0..leaves {
            for &moment in forest.leaf_rows(leaf) {
                place(&mut places, &mut seen, leaf, moment);
            }
        }
        let (forest, grown_on) = (forest.into_structure(), current.len());
        Ok(Self { forest, grown_on, places, seen, current, later })
    }

    /// Adds a moment of which it is now known what came after: its leaves ([`Analogues::leaves`]), the target then,
    /// and what it was at each horizon. Beyond 5,000 moments more than it was grown on, nothing is added any more.
    pub(super) fn learn(
        &mut self,
        leaves: &[u32],
        current: f64,
        later: impl IntoIterator<Item = f64>,
    ) {
        let moment = self.current.len();
        if moment >= self.grown_on + MAX_ADDED {
            return;
        }
        if moment + 1 == self.grown_on + MAX_ADDED {
            tracing::debug!(
                moments = moment + 1,
                "no further moments are learned until the next fit"
            );
        }
        self.current.push(current);
        for (after, value) in self.later.iter_mut().zip(later) {
            after.push(value);
        }
        for &leaf in leaves {
            place(&mut self.places, &mut self.seen, leaf as usize, moment as u32);
        }
    }

    /// How many past moments there are.
    #[cfg(test)]
    pub(super) fn moments(&self) -> usize {
        self.current.len()
    }

    /// How many moments the forest was grown on.
    pub(super) fn grown_on(&self) -> usize {
        self.grown_on
    }

    /// How many inputs a moment has.
    #[must_use]
    pub(super) fn width(&self) -> usize {
        self.forest.columns()
    }

    /// How many horizons there are.
    #[must_use]
    pub(super) fn horizons(&self) -> usize {
        self.later.len()
    }

    /// Puts the leaves that `inputs` reach into `leaves`, one for each tree.
    ///
    /// # Errors
    /// As [`RandomForest::leaves`].
    pub(super) fn leaves(&self, inputs: &[f64], leaves: &mut Vec<u32>) -> Result<()> {
        self.forest.leaves(inputs, leaves)
    }

    /// Puts the newest ten moments of each of these leaves into `found`, as often as trees name them. All count alike
    /// whatever the size of their leaf, where Meinshausen (2006) weighs every row of a leaf by one over its size.
    pub(super) fn find(&self, leaves: &[u32], found: &mut Vec<u32>) {
        found.clear();
        for &leaf in leaves {
            let held = (self.seen[leaf as usize] as usize).min(PER_LEAF);
            found.extend_from_slice(&self.places[leaf as usize * PER_LEAF..][..held]);
        }
    }

    /// Whether these could be the leaves that inputs reach.
    pub(super) fn holds(&self, leaves: &[u32]) -> bool {
        leaves.len() == self.forest.trees()
            && leaves.iter().all(|&leaf| (leaf as usize) < self.seen.len())
    }

    /// What came `horizon` (its place on the grid) after the moments `found`; quantiles at `tail`, ½ and 1 − `tail`.
    /// `scratch` is memory to work in. NaN if nothing was found.
    #[must_use]
    pub(super) fn outlook(
        &self,
        found: &[u32],
        horizon: usize,
        tail: f64,
        scratch: &mut Vec<i64>,
    ) -> Outlook {
        let later = &self.later[horizon];
        scratch.clear();
        scratch.extend(found.iter().map(|&m| ordered(later[m as usize])));
        let levels = three_quantiles(scratch, tail);
        scratch.clear();
        let change = |&m: &u32| later[m as usize] - self.current[m as usize];
        scratch.extend(found.iter().map(change).map(ordered));
        let changes = three_quantiles(scratch, tail);
        Outlook { levels, changes }
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        self.forest.write_to(w);
        w.u64(self.grown_on as u64);
        w.u32s(self.places.iter().copied());
        w.u32s(self.seen.iter().copied());
        w.f64s(self.current.iter().copied());
        w.u64(self.later.len() as u64);
        for after in &self.later {
            w.f64s(after.iter().copied());
        }
    }

    /// Reads what [`Analogues::write_to`] wrote in this version of the forecaster's payload.
    pub(super) fn read_from(r: &mut Reader<'_>, version: u32) -> Result<Self> {
        let forest = match version {
            1 => Structure::read_version_1(r)?,
            _ => Structure::read_from(r)?,
        };
        let grown_on = r.u64()?;
        let (places, seen) = (r.u32s()?, r.u32s()?);
        let current = r.f64s()?;
        let later = (0..r.length()?).map(|_| r.f64s()).collect::<Result<Vec<_>>>()?;
        let grown = usize::try_from(grown_on).ok().filter(|&n| n <= current.len());
        let Some(grown_on) = grown else {
            return Err(Error::corrupt("the stored forecaster", "the number of its moments"));
        };
        let sound = current.len() - grown_on <= MAX_ADDED
            && current.len() < u32::MAX as usize / 2
            && seen.len() == forest.leaf_count()
            && places.len() == seen.len() * PER_LEAF
            && places.iter().all(|&moment| (moment as usize) < current.len())
            // A leaf is never empty, and far from where its counter would wrap.
            && seen.iter().all(|&n| n > 0 && n < u32::MAX / 2)
            && later.iter().all(|after| after.len() == current.len())
            && later.iter().flatten().chain(&current).all(|v| v.abs() <= LARGEST);
        if !sound {
            return Err(Error::corrupt("the stored forecaster", "its past moments"));
        }
        Ok(Self { forest, grown_on, places, seen, current, later })
    }
}

/// Puts a moment into a leaf, in place of its oldest if the leaf is full.
fn place(places: &mut [u32], seen: &mut [u32], leaf: usize, moment: u32) {
    places[leaf * PER_LEAF + seen[leaf] as usize % PER_LEAF] = moment;
    seen[leaf] += 1;
}

/// The place of each value in the order, 0–1; equal values share the middle of theirs.
fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let middle = (before as f64 + run.len() as f64 / 2.0) / values.len() as f64;
        run.iter().for_each(|&i| ranks[i] = middle);
        before += run.len();
    }
    ranks
}

/// The quantiles at `tail`, ½ and 1 − `tail` of [`ordered`] values, by selection rather than sorting: the i-th of m
/// values (from 0) stands at (i + ½) / m, with linear interpolation between (Hyndman and Fan's type 5).
fn three_quantiles(values: &mut [i64], tail: f64) -> [f64; 3] {
    if values.is_empty() {
        return [f64::NAN; 3];
    }
    let last = values.len() - 1;
    let position = |q: f64| (q * values.len() as f64 - 0.5).clamp(0.0, last as f64);
    let [low, middle, high] = [tail, 0.5, 1.0 - tail].map(position);
    // Each selection leaves what is below on its left and what is above on its right, where the next one looks.
    let median = select(values, middle);
    let below = middle.floor() as usize;
    let lower = select(&mut values[..=(below + 1).min(last)], low);
    let upper = select(&mut values[below..], high - below as f64);
    [lower, median, upper]
}

/// The value at a position between places in the order. Afterwards no value before the place `position.floor()` is
/// above it and none behind is below.
fn select(values: &mut [i64], position: f64) -> f64 {
    let below = (position.floor() as usize).min(values.len() - 1);
    let (_, &mut at, above) = values.select_nth_unstable(below);
    let at = value_of(at);
    let t = position - below as f64;
    if t <= 0.0 {
        return at;
    }
    let Some((i, &next)) = above.iter().enumerate().min_by_key(|(_, v)| **v) else { return at };
    // The next value moves next to it, so that the order holds there as well.
    above.swap(0, i);
    at + t * (value_of(next) - at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_sorting(values: &[f64], q: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len() - 1;
        let position = (q * sorted.len() as f64 - 0.5).clamp(0.0, last as f64);
        let below = position.floor() as usize;
        let t = position - below as f64;
        sorted[below] + t * (sorted[(below + 1).min(last)] - sorted[below])
    }

    #[test]
    fn equal_values_share_the_middle_rank() {
        assert_eq!(mid_ranks(&[5.0, 1.0, 5.0, 9.0]), [0.5, 0.125, 0.5, 0.875]);
    }

    proptest! {
        #[test]
        fn selected_quantiles_agree_with_sorted_ones(
            values in proptest::collection::vec(prop_oneof![-9.0..9.0f64, Just(0.0)], 1..80), tail in 0.005..0.25f64,
        ) {
            let mut keys: Vec<i64> = values.iter().copied().map(ordered).collect();
            let found = three_quantiles(&mut keys, tail);
            for (f, q) in found.into_iter().zip([tail, 0.5, 1.0 - tail]) {
                prop_assert!((f - by_sorting(&values, q)).abs() < 1e-9, "{f} at {q}");
            }
        }
    }
}
