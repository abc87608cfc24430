//! How much memory a detector holds, and what it gives up to stay within less.
//!
//! Given fewer bytes than all it would like to know, it gives up, in this order and only as far as it must:
//!
//! 1. past rows that new trees are grown on, from 2048 down to 256;
//! 2. past scores of each kind that calibrate it, from 4096 down to 512;
//! 3. trees, from what it was told (100) down to 20;
//! 4. how many features are looked at together, from 32 down to 16 and then 8, with the rest at their least.
//!
//! What the last rows, the hours of the week and the features' correlations take is never given up: below that it
//! refuses. With as many bytes as it would like it is the same detector as without a limit.

use super::combine::BRANCHES;
use super::model::{ForestDetector, KINDS, RANKS};
use super::tail::Tail;
use crate::isolation_forest::pooled::PooledForest;
use overseer_core::{Error, ModelMetadata, Quality, Result};

/// No detector of any schema fits in less.
pub(super) const LEAST_BYTES: usize = 64 * 1024;

/// What metadata may grow by while a detector is fitted: a handful of named measures.
const METADATA: usize = 1024;

/// What the measures of quality are called that tell of a limit.
const MAX_BYTES: &str = "max_bytes";
const PAST_ROWS: &str = "past_rows_kept";
const SCORES: &str = "past_scores_kept";
const TREES: &str = "trees_kept";
const TOGETHER: &str = "features_together";

/// How much of what it learned from a detector keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// How many past rows at most, which new trees are grown on; 2048 without a limit.
    pub past_rows: usize,
    /// How many past scores of each kind at most, which calibrate it; 4096 without a limit.
    pub past_scores: usize,
    /// How many trees; what was asked for without a limit.
    pub trees: usize,
    /// How many features are looked at together at most; 32 without a limit.
    pub features_together: usize,
}

impl Kept {
    /// All of it.
    pub(super) const fn all(trees: usize) -> Self {
        Self { past_rows: 2048, past_scores: 4096, trees, features_together: TOGETHERS[0] }
    }

    const fn least(trees: usize, features_together: usize) -> Self {
        let trees = if trees < 20 { trees } else { 20 };
        Self { past_rows: 256, past_scores: 512, trees, features_together }
    }

    /// What the parts that can be given up take of rows of `width` numbers.
    fn bytes(self, width: usize) -> usize {
        self.past_rows * row_bytes(width)
            + self.past_scores * SCORE_BYTES
            + self.trees * PooledForest::TREE_BYTES
    }
}

/// How many features are looked at together, from what is best to what takes least.
pub(super) const TOGETHERS: [usize; 3] = [32, 16, 8];

/// A past row's numbers and its score.
const fn row_bytes(width: usize) -> usize {
    (width + 1) * size_of::<f32>()
}

/// A past score of each kind.
const SCORE_BYTES: usize = BRANCHES * Tail::SCORE_BYTES;

/// As much as fits into `most` bytes beside the `fixed` ones, with so many features together; none if the least does
/// not.
pub(super) fn fit(most: usize, fixed: usize, width: usize, all: Kept) -> Option<Kept> {
    let least = Kept::least(all.trees, all.features_together);
    let mut room = most.checked_sub(fixed + least.bytes(width))?;
    let mut give = |least: usize, all: usize, each: usize| {
        let more = (room / each).min(all.saturating_sub(least));
        room -= more * each;
        least + more
    };
    // What is given up last is given first.
    let trees = give(least.trees, all.trees, PooledForest::TREE_BYTES);
    let past_scores = give(least.past_scores, all.past_scores, SCORE_BYTES);
    let past_rows = give(least.past_rows, all.past_rows, row_bytes(width));
    Some(Kept { past_rows, past_scores, trees, features_together: all.features_together })
}

impl ForestDetector {
    /// How many bytes of memory it holds now, itself included; not what it shares: the schema and the clocks.
    ///
    /// While it learns, some more are needed for a moment: every 50 to 500 rows about six square matrices of nine rows
    /// and columns for each feature looked at together, which are 0.7 MB for the host's schema.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let state = &self.state;
        let novelties = state.novelties.iter().map(super::novelty::Novelty::bytes).sum::<usize>();
        size_of::<Self>()
            + metadata_bytes(&self.metadata)
            + bytes_of(&self.order)
            + bytes_of(&self.scales)
            + bytes_of(&self.last)
            + state.inputs.bytes()
            + state.evidence.bytes()
            + state.ranges.bytes()
            + state.reach.bytes()
            + bytes_of(&state.novelties)
            + novelties
            + bytes_of(&state.novelty)
            + bytes_of(&state.lately)
            + state.frozen.bytes()
            + state.excursions.bytes()
            + state.forest.bytes()
            + state.reservoir.bytes()
            + bytes_of(&state.tails)
            + state.tails.iter().map(Tail::bytes).sum::<usize>()
            + state.ranks.bytes()
    }

    /// The most bytes it will ever hold, if it was told to keep a limit.
    #[must_use]
    pub fn max_bytes(&self) -> Option<usize> {
        self.max_bytes
    }

    /// How much of what it learns from it keeps: all, unless it was told a limit that is too small for that. Its
    /// metadata says so too, as `past_rows_kept`, `past_scores_kept`, `trees_kept` and `features_together`, beside
    /// `max_bytes`; where it keeps all there are no such measures.
    #[must_use]
    pub fn kept(&self) -> Kept {
        self.kept
    }

    /// The bytes it holds at most besides what can be given up.
    fn fixed_bytes(&self) -> usize {
        let state = &self.state;
        let given_up = state.forest.tree_bytes()
            + state.reservoir.bytes()
            + state.tails.iter().map(Tail::bytes).sum::<usize>();
        let grows = RANKS.kept * Tail::SCORE_BYTES - state.ranks.bytes()
            + self.order.len().max(4) * size_of::<f64>()
            + state.forest.most_scratch_bytes()
            + METADATA;
        self.memory_bytes() - given_up - metadata_bytes(&self.metadata) + grows
            - bytes_of(&self.last)
            - state.forest.scratch_bytes()
    }

    /// What the least that it needs takes.
    pub(super) fn least_bytes(&self) -> usize {
        let least = Kept::least(self.kept.trees, self.kept.features_together);
        self.fixed_bytes() + least.bytes(self.state.reservoir.width())
    }

    /// Gives up what does not fit into so many bytes; says whether that is enough.
    pub(super) fn keep_within(&mut self, most: usize) -> bool {
        let width = self.state.reservoir.width();
        let Some(kept) = fit(most, self.fixed_bytes(), width, self.kept) else { return false };
        let is_all = kept == Kept::all(self.kept.trees);
        self.kept = kept;
        self.max_bytes = Some(most);
        let state = &mut self.state;
        state.reservoir.keep(kept.past_rows);
        state.tails.iter_mut().for_each(|tail| tail.keep(kept.past_scores));
        state.forest.keep(kept.trees);
        if is_all {
            return true;
        }
        for (measure, value) in [
            (MAX_BYTES, most),
            (PAST_ROWS, kept.past_rows),
            (SCORES, kept.past_scores),
            (TREES, kept.trees),
            (TOGETHER, kept.features_together),
        ] {
            self.metadata.set_quality(measure, value as f64);
        }
        true
    }

    pub(super) fn too_small(&self, most: usize) -> Error {
        let (features, least) = (self.order.len(), self.least_bytes());
        Error::invalid_parameter(
            "max_bytes",
            format!(
                "a detector of {features} features needs at least {least} bytes, and {most} were allowed"
            ),
        )
    }
}

/// Checks a stored one.
pub(super) fn check(kept: Kept, most: Option<usize>, trees: usize) -> Result<()> {
    let all = Kept::all(trees);
    let usable = (1..=all.past_rows).contains(&kept.past_rows)
        && (1..=all.past_scores).contains(&kept.past_scores)
        && TOGETHERS.contains(&kept.features_together)
        && most.is_none_or(|most| most >= LEAST_BYTES);
    if usable {
        Ok(())
    } else {
        Err(Error::corrupt("the detector's memory", "a value is out of range"))
    }
}

/// The kind of calibration of each kind of score where so many past ones are kept.
pub(super) fn kinds(past_scores: usize) -> impl Iterator<Item = super::tail::Kind> {
    KINDS
        .into_iter()
        .map(move |kind| super::tail::Kind { kept: kind.kept.min(past_scores), ..kind })
}

/// What a list holds, whether used or not.
pub(super) fn bytes_of<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}

/// Makes room for `more` elements, doubling as it goes but never beyond `most` in all.
pub(super) fn make_room<T>(list: &mut Vec<T>, more: usize, most: usize) {
    let needed = list.len() + more;
    if needed > list.capacity() {
        let wanted = (2 * list.capacity()).min(most).max(needed);
        list.reserve_exact(wanted - list.len());
    }
}

/// The texts of the metadata and the one node of measures that a handful of them take.
fn metadata_bytes(metadata: &ModelMetadata) -> usize {
    const IN_A_NODE: usize = 11;
    let node = IN_A_NODE * size_of::<(String, Quality)>() + 2 * size_of::<usize>();
    let names: usize = metadata.quality.keys().map(String::capacity).sum();
    let nodes = metadata.quality.len().div_ceil(IN_A_NODE) * node;
    metadata.name.capacity() + metadata.algorithm.capacity() + names + nodes
}
