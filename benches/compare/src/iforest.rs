//! Isolation forests: plain, and extended by random hyperplanes.

use crate::clock::Bench;
use crate::data::{Data, FEATURES, spread, top};
use crate::{OURS, Result, boxed};
use extended_isolation_forest::{Forest, ForestOptions};
use ndarray::{Array2, ArrayView2, Axis};
use overseer_models::isolation_forest::IsolationForest;
use rustyml::machine_learning::IsolationForest as RustymlForest;

/// Rows that a tree is grown on.
const SAMPLE: usize = 256;
/// So many different rows are scored in turn, one at a time.
const ROTATED: usize = 1000;
/// Forests that the quality is a mean over: that of one hangs on chance.
const SEEDS: u64 = 5;

/// A forest that can be compared: all of them are fitted to the same rows and asked for the same scores.
trait Isolation: Sized {
    const PEER: &'static str;
    /// Rows as the peer takes them, made outside what is timed.
    type Rows;

    fn rows(values: ArrayView2<'_, f64>) -> Self::Rows;
    fn fit(rows: &Self::Rows, trees: usize, seed: u64) -> Result<Self>;
    /// A higher score is more anomalous.
    fn score(&self, rows: &Self::Rows, row: usize) -> Result<f64>;
    fn score_all(&self, rows: &Self::Rows) -> Result<Vec<f64>>;
}

/// Measures every row of both tables.
pub fn run(bench: &Bench, data: &Data) {
    compare::<Ours<0>>(bench, data, "iforest");
    compare::<RustymlForest>(bench, data, "iforest");
    compare::<Crate<0>>(bench, data, "iforest");

    compare::<Ours<{ FEATURES - 1 }>>(bench, data, "extended");
    compare::<Crate<{ FEATURES - 1 }>>(bench, data, "extended");
}

fn compare<P: Isolation>(bench: &Bench, data: &Data, table: &str) {
    let trees = data.sizes.trees;
    let name = |row: &str| format!("{table}.{row}");
    let small = P::rows(top(&data.host, data.sizes.iforest_small));
    let large = P::rows(data.host.view());
    bench.time(&name("train_small"), P::PEER, |_| P::fit(&small, trees, 1));
    let fitted = bench.time(&name("train_large"), P::PEER, |_| P::fit(&large, trees, 1));
    let Some(forest) = fitted else { return };

    let single = data.host.select(Axis(0), &spread(data.host.nrows(), ROTATED));
    let (count, single) = (single.nrows(), P::rows(single.view()));
    bench.time(&name("score_1"), P::PEER, |i| forest.score(&single, i % count));
    let batches: Vec<P::Rows> =
        data.host.axis_chunks_iter(Axis(0), data.sizes.iforest_small).map(P::rows).collect();
    bench.time(&name("score_small"), P::PEER, |i| forest.score_all(&batches[i % batches.len()]));
    bench.time(&name("score_large"), P::PEER, |_| forest.score_all(&large));

    let held = P::rows(data.held.view());
    let judged: Result<Vec<f64>> = (1..=SEEDS)
        .map(|seed| Ok(auc(&P::fit(&large, trees, seed)?.score_all(&held)?, &data.is_spike)))
        .collect();
    if let Ok(areas) = judged {
        bench.note(&name("auc"), P::PEER, areas.iter().sum::<f64>() / SEEDS as f64);
    }
}

/// The chance that a spike scores above an ordinary row, ties counted half (Mann and Whitney's statistic).
fn auc(scores: &[f64], is_spike: &[bool]) -> f64 {
    let mut sorted: Vec<(f64, bool)> =
        scores.iter().copied().zip(is_spike.iter().copied()).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut wins, mut ordinary_below) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let spikes = tied.iter().filter(|t| t.1).count() as f64;
        let ordinary = tied.len() as f64 - spikes;
        wins += spikes * (ordinary_below + 0.5 * ordinary);
        ordinary_below += ordinary;
    }
    wins / (ordinary_below * (scores.len() as f64 - ordinary_below))
}

/// Our own; above level 0 its splits are hyperplanes.
struct Ours<const LEVEL: usize>(IsolationForest);

impl<const LEVEL: usize> Isolation for Ours<LEVEL> {
    const PEER: &'static str = OURS;
    type Rows = Array2<f64>;

    fn rows(values: ArrayView2<'_, f64>) -> Array2<f64> {
        values.to_owned()
    }

    fn fit(rows: &Array2<f64>, trees: usize, seed: u64) -> Result<Self> {
        let params = IsolationForest::builder()
            .trees(trees)
            .sample_size(SAMPLE)
            .extension_level(LEVEL)
            .seed(seed);
        Ok(Self(params.build()?.fit(rows.view())?))
    }

    fn score(&self, rows: &Array2<f64>, row: usize) -> Result<f64> {
        Ok(self.0.score(rows.row(row).to_slice().unwrap_or_default())?)
    }

    fn score_all(&self, rows: &Array2<f64>) -> Result<Vec<f64>> {
        let mut out = Vec::new();
        self.0.score_rows(rows.view(), &mut out)?;
        Ok(out)
    }
}

impl Isolation for RustymlForest {
    const PEER: &'static str = "rustyml";
    type Rows = Array2<f64>;

    fn rows(values: ArrayView2<'_, f64>) -> Array2<f64> {
        values.to_owned()
    }

    fn fit(rows: &Array2<f64>, trees: usize, seed: u64) -> Result<Self> {
        let mut forest = Self::new(trees, SAMPLE).map_err(boxed)?.with_random_state(seed);
        forest.fit(rows).map_err(boxed)?;
        Ok(forest)
    }

    // Its scores are negative, the lowest the most anomalous.
    fn score(&self, rows: &Array2<f64>, row: usize) -> Result<f64> {
        let row = rows.row(row);
        self.score_sample(row.to_slice().unwrap_or_default()).map(|s| -s).map_err(boxed)
    }

    fn score_all(&self, rows: &Array2<f64>) -> Result<Vec<f64>> {
        Ok(self.score_samples(rows).map_err(boxed)?.iter().map(|s| -s).collect())
    }
}

/// The crate `extended-isolation-forest`; at level 0 its hyperplanes are parallel to the axes, as plain splits are.
struct Crate<const LEVEL: usize>(Forest<f64, FEATURES>);

impl<const LEVEL: usize> Isolation for Crate<LEVEL> {
    const PEER: &'static str = "extended-isolation-forest";
    type Rows = Vec<[f64; FEATURES]>;

    fn rows(values: ArrayView2<'_, f64>) -> Self::Rows {
        values.rows().into_iter().map(|row| std::array::from_fn(|i| row[i])).collect()
    }

    // Its chance takes no seed.
    fn fit(rows: &Self::Rows, trees: usize, _seed: u64) -> Result<Self> {
        let options = ForestOptions {
            n_trees: trees,
            sample_size: SAMPLE,
            max_tree_depth: None,
            extension_level: LEVEL,
        };
        Forest::from_slice(rows, &options).map(Self).map_err(boxed)
    }

    fn score(&self, rows: &Self::Rows, row: usize) -> Result<f64> {
        Ok(self.0.score(&rows[row]))
    }

    fn score_all(&self, rows: &Self::Rows) -> Result<Vec<f64>> {
        Ok(rows.iter().map(|row| self.0.score(row)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::auc;

    #[test]
    fn the_area_counts_pairs_in_the_right_order_and_ties_half() {
        assert_eq!(auc(&[0.1, 0.2, 0.9], &[false, false, true]), 1.0);
        assert_eq!(auc(&[0.1, 0.5, 0.5, 0.3], &[false, false, true, true]), 0.625);
    }
}
