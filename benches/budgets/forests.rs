//! The two forests by themselves, at the sizes that others' are compared at.

use crate::harness::Benches;
use ndarray::{Array2, ArrayView2, Axis, Slice};
use overseer_benches::data::{FEATURES, Rotation, host_rows, lagged};
use overseer_engine::core::Result;
use overseer_engine::host::models::isolation_forest::IsolationForest;
use overseer_engine::host::models::random_forest::{FeaturesPerSplit, RandomForest};
use std::hint::black_box;

const SEED: u64 = 20;
/// How many rows single calls go round: as much as a second-level cache holds beside the forest.
const ROTATED: usize = 2000;

/// Rows of a larger array, so many at a time, each time others.
struct Windows {
    rows: Array2<f64>,
    length: usize,
    start: usize,
}

impl Windows {
    /// Windows of `length` rows of a host, further ones behind them.
    fn of_host(length: usize) -> Self {
        Self { rows: host_rows(length + 10_000, SEED + 1), length, start: 0 }
    }

    fn next(&mut self) -> ArrayView2<'_, f64> {
        self.start = (self.start + 1000) % (self.rows.nrows() - self.length);
        self.rows.slice_axis(Axis(0), Slice::from(self.start..self.start + self.length))
    }
}

fn isolation_forest(rows: usize) -> Result<IsolationForest> {
    IsolationForest::builder().seed(SEED).build()?.fit(host_rows(rows, SEED).view())
}

/// The isolation forest of 100 trees of 256 rows, eight features.
pub(crate) fn isolation(benches: &mut Benches) -> Result<()> {
    for (name, rows) in
        [("isolation_forest.train_1k", 1000), ("isolation_forest.train_100k", 100_000)]
    {
        let prepare = || Ok((host_rows(rows, SEED), SEED));
        benches.bench(name, prepare, |(rows, seed)| {
            *seed += 1;
            let forest = IsolationForest::builder().seed(*seed).build()?.fit(rows.view())?;
            black_box(&forest).score(&[0.0; FEATURES])
        })?;
    }

    let prepare = || Ok((isolation_forest(1000)?, Rotation::new(host_rows(ROTATED, SEED + 1))));
    benches.bench("isolation_forest.score_1", prepare, |(forest, rows)| {
        forest.score(black_box(rows.next_row().as_slice().unwrap_or_default()))
    })?;

    for (name, length) in
        [("isolation_forest.score_1k", 1000), ("isolation_forest.score_100k", 100_000)]
    {
        let prepare = || Ok((isolation_forest(1000)?, Windows::of_host(length), Vec::new()));
        benches.bench(name, prepare, |(forest, windows, scores)| {
            forest.score_rows(black_box(windows.next()), scores)?;
            Ok(black_box(&*scores).iter().sum())
        })?;
    }

    let prepare = || Ok((isolation_forest(1000)?, Rotation::new(host_rows(ROTATED, SEED + 1))));
    benches.bench("isolation_forest.contributions_1", prepare, |(forest, rows)| {
        let mut out = [0.0; FEATURES];
        let row = rows.next_row();
        forest.contributions(black_box(row.as_slice().unwrap_or_default()), &mut out)?;
        Ok(black_box(&out).iter().sum())
    })
}

#[derive(Clone, Copy)]
struct Kind {
    rows: usize,
    per_split: usize,
    min_leaf: usize,
}

impl Kind {
    fn data(self) -> Result<(Array2<f64>, Array2<f64>)> {
        lagged(self.rows, SEED)
    }

    fn train(self, (x, y): &(Array2<f64>, Array2<f64>), seed: u64) -> Result<RandomForest> {
        RandomForest::builder()
            .features_per_split(FeaturesPerSplit::Count(self.per_split))
            .min_leaf(self.min_leaf)
            .seed(seed)
            .build()?
            .fit(x.view(), y.view())
    }

    /// A forest and rows to predict.
    fn trained(self, rows: usize) -> Result<(RandomForest, Array2<f64>)> {
        Ok((self.train(&self.data()?, SEED)?, lagged(rows, SEED + 1)?.0))
    }
}

/// 1,000 rows, a third of the columns; 20,000 likewise.
const SMALL: Kind = Kind { rows: 1000, per_split: 27, min_leaf: 1 };
const LARGE: Kind = Kind { rows: 20_000, ..SMALL };

/// The random forest of 100 trees, full-grown unless said, 80 columns.
pub(crate) fn random(benches: &mut Benches) -> Result<()> {
    let train = |kind: Kind| {
        move |(data, seed): &mut ((Array2<f64>, Array2<f64>), u64)| {
            *seed += 1;
            let forest = kind.train(black_box(data), *seed)?;
            predicted(black_box(&forest), data.0.row(7).as_slice().unwrap_or_default())
        }
    };
    let prepare = |kind: Kind| move || Ok((kind.data()?, SEED));
    let all = Kind { per_split: 80, ..SMALL };
    let leaves_of_five = Kind { min_leaf: 5, ..LARGE };
    benches.bench("random_forest.train_1k_third", prepare(SMALL), train(SMALL))?;
    benches.bench("random_forest.train_1k_all", prepare(all), train(all))?;
    benches.bench_slow("random_forest.train_20k_third", prepare(LARGE), train(LARGE))?;
    benches.bench_slow(
        "random_forest.train_20k_min_leaf_5",
        prepare(leaves_of_five),
        train(leaves_of_five),
    )?;

    let rotated = || SMALL.trained(ROTATED).map(|(forest, rows)| (forest, Rotation::new(rows)));
    benches.bench("random_forest.predict_1", rotated, |(forest, rows)| {
        predicted(forest, black_box(rows.next_row().as_slice().unwrap_or_default()))
    })?;
    benches.bench("random_forest.quantiles_1", rotated, |(forest, rows)| {
        let mut out = [0.0; 3];
        let row = rows.next_row();
        let row = black_box(row.as_slice().unwrap_or_default());
        forest.quantiles(row, 0, &[0.05, 0.5, 0.95], &mut out)?;
        Ok(black_box(&out).iter().sum())
    })?;

    let windows = |kind: Kind| {
        move || {
            let (forest, rows) = kind.trained(20_000)?;
            Ok((forest, Windows { rows, length: 10_000, start: 0 }))
        }
    };
    let predict = |(forest, windows): &mut (RandomForest, Windows)| {
        let out = forest.predict_rows(black_box(windows.next()))?;
        Ok(black_box(&out).sum())
    };
    benches.bench("random_forest.predict_10k", windows(SMALL), predict)?;
    benches.bench_slow("random_forest.predict_10k_of_20k", windows(LARGE), predict)
}

fn predicted(forest: &RandomForest, row: &[f64]) -> Result<f64> {
    let mut out = [0.0];
    forest.predict(row, &mut out)?;
    Ok(black_box(out)[0])
}
