//! Random forests for regression.

use crate::clock::Bench;
use crate::data::{COLUMNS, Data, THIRD, spread, top};
use crate::{OURS, Result, boxed};
use biosphere::{MaxFeatures, RandomForest as Biosphere, RandomForestParameters};
use ndarray::{Array2, ArrayView2, Axis};
use overseer_models::random_forest::{FeaturesPerSplit, RandomForest};
use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

/// So many different rows are predicted in turn, one at a time.
const ROTATED: usize = 1000;

/// How a forest is grown.
#[derive(Debug, Clone, Copy)]
struct Settings {
    trees: usize,
    features_per_split: usize,
    min_leaf: usize,
}

/// A forest that can be compared: all of them are grown on the same rows and asked for the same predictions.
trait Forest: Sized {
    const PEER: &'static str;
    /// Rows as the peer takes them, made outside what is timed.
    type Rows;

    /// Rows to learn from.
    fn rows(values: ArrayView2<'_, f64>) -> Result<Self::Rows>;
    /// Rows to predict, if the peer is faster on another layout there.
    fn asked(values: ArrayView2<'_, f64>) -> Result<Self::Rows> {
        Self::rows(values)
    }
    fn fit(x: &Self::Rows, y: &[f64], settings: Settings) -> Result<Self>;
    /// The prediction of the only row.
    fn predict_one(&self, row: &Self::Rows) -> Result<f64>;
    fn predict(&self, x: &Self::Rows) -> Result<Vec<f64>>;
}

/// Measures every row of the table.
pub fn run(bench: &Bench, data: &Data) {
    compare::<Ours>(bench, data);
    compare::<Smartcore>(bench, data);
    compare::<Biosphere>(bench, data);
}

fn compare<P: Forest>(bench: &Bench, data: &Data) {
    if let Err(e) = try_compare::<P>(bench, data) {
        crate::clock::write("forest", P::PEER, None, 0, Some(&format!("failed: {e}")));
    }
}

fn try_compare<P: Forest>(bench: &Bench, data: &Data) -> Result<()> {
    let (sizes, peer) = (&data.sizes, P::PEER);
    let y = data.y.to_vec();
    let held = P::asked(data.held_x.view())?;
    let judge = |row: &str, forest: &P| -> Result<()> {
        bench.note(row, peer, r_squared(&forest.predict(&held)?, &data.held_y.to_vec()));
        Ok(())
    };
    let third = Settings { trees: sizes.trees, features_per_split: THIRD, min_leaf: 1 };

    let small = P::rows(top(&data.x, sizes.forest_small))?;
    let small_y = &y[..sizes.forest_small];
    let fit_small = |settings| move |small: &P::Rows| P::fit(small, small_y, settings);
    let all = Settings { features_per_split: COLUMNS, ..third };
    if let Some(forest) = bench.time("forest.train_small_all", peer, |_| fit_small(all)(&small)) {
        judge("forest.r2_small_all", &forest)?;
    }
    if let Some(forest) = bench.time("forest.train_small_third", peer, |_| fit_small(third)(&small))
    {
        judge("forest.r2_small_third", &forest)?;
        let single: Vec<P::Rows> = spread(data.held_x.nrows(), ROTATED)
            .into_iter()
            .map(|row| P::asked(data.held_x.select(Axis(0), &[row]).view()))
            .collect::<Result<_>>()?;
        bench.time("forest.predict_1", peer, |i| forest.predict_one(&single[i % single.len()]));
        bench.time("forest.predict_held_small", peer, |_| forest.predict(&held));
    }

    let large = P::rows(data.x.view())?;
    if let Some(forest) =
        bench.time("forest.train_large_third", peer, |_| P::fit(&large, &y, third))
    {
        judge("forest.r2_large_third", &forest)?;
        bench.time("forest.predict_held_large", peer, |_| forest.predict(&held));
    }
    let leaf5 = Settings { min_leaf: 5, ..third };
    if let Some(forest) =
        bench.time("forest.train_large_leaf5", peer, |_| P::fit(&large, &y, leaf5))
    {
        judge("forest.r2_large_leaf5", &forest)?;
    }
    Ok(())
}

/// The share of the variance that is explained; 1 at best.
fn r_squared(predicted: &[f64], y: &[f64]) -> f64 {
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let squares = |of: &dyn Fn(usize) -> f64| (0..y.len()).map(|i| of(i).powi(2)).sum::<f64>();
    1.0 - squares(&|i| y[i] - predicted[i]) / squares(&|i| y[i] - mean)
}

struct Ours(RandomForest);

impl Forest for Ours {
    const PEER: &'static str = OURS;
    type Rows = Array2<f64>;

    fn rows(values: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        Ok(values.to_owned())
    }

    fn fit(x: &Array2<f64>, y: &[f64], settings: Settings) -> Result<Self> {
        let params = RandomForest::builder()
            .trees(settings.trees)
            .features_per_split(FeaturesPerSplit::Count(settings.features_per_split))
            .min_leaf(settings.min_leaf)
            .seed(1)
            .build()?;
        let y = ArrayView2::from_shape((y.len(), 1), y)?;
        Ok(Self(params.fit(x.view(), y)?))
    }

    fn predict_one(&self, row: &Array2<f64>) -> Result<f64> {
        let mut out = [0.0];
        self.0.predict(row.as_slice().unwrap_or_default(), &mut out)?;
        Ok(out[0])
    }

    fn predict(&self, x: &Array2<f64>) -> Result<Vec<f64>> {
        Ok(self.0.predict_rows(x.view())?.into_raw_vec_and_offset().0)
    }
}

type Smartcore = RandomForestRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>;

impl Forest for Smartcore {
    const PEER: &'static str = "smartcore";
    type Rows = DenseMatrix<f64>;

    fn rows(values: ArrayView2<'_, f64>) -> Result<DenseMatrix<f64>> {
        // Growing reads columns.
        let by_column = values.t().iter().copied().collect();
        DenseMatrix::new(values.nrows(), values.ncols(), by_column, true).map_err(boxed)
    }

    fn asked(values: ArrayView2<'_, f64>) -> Result<DenseMatrix<f64>> {
        let by_row = values.iter().copied().collect();
        DenseMatrix::new(values.nrows(), values.ncols(), by_row, false).map_err(boxed)
    }

    fn fit(x: &DenseMatrix<f64>, y: &[f64], settings: Settings) -> Result<Self> {
        let parameters = RandomForestRegressorParameters::default()
            .with_n_trees(settings.trees)
            .with_m(settings.features_per_split)
            .with_min_samples_leaf(settings.min_leaf)
            .with_seed(1);
        RandomForestRegressor::fit(x, &y.to_vec(), parameters).map_err(boxed)
    }

    fn predict_one(&self, row: &DenseMatrix<f64>) -> Result<f64> {
        Ok(Forest::predict(self, row)?[0])
    }

    fn predict(&self, x: &DenseMatrix<f64>) -> Result<Vec<f64>> {
        RandomForestRegressor::predict(self, x).map_err(boxed)
    }
}

impl Forest for Biosphere {
    const PEER: &'static str = "biosphere";
    type Rows = Array2<f64>;

    fn rows(values: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        Ok(values.to_owned())
    }

    fn fit(x: &Array2<f64>, y: &[f64], settings: Settings) -> Result<Self> {
        let parameters = RandomForestParameters::default()
            .with_n_estimators(settings.trees)
            .with_max_features(MaxFeatures::Value(settings.features_per_split))
            .with_min_samples_leaf(settings.min_leaf)
            .with_seed(1)
            .with_n_jobs(Some(1));
        let mut forest = Self::new(parameters);
        forest.fit(&x.view(), &y.into());
        Ok(forest)
    }

    fn predict_one(&self, row: &Array2<f64>) -> Result<f64> {
        Ok(Self::predict(self, &row.view())[0])
    }

    fn predict(&self, x: &Array2<f64>) -> Result<Vec<f64>> {
        Ok(Self::predict(self, &x.view()).to_vec())
    }
}
