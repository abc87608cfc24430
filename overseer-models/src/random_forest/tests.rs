use super::*;
use crate::file::{Reader, Writer};
use ndarray::{Array2, array};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn noise(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    Array2::from_shape_fn((rows, columns), |_| rng.random::<f64>())
}

/// Friedman's first benchmark function (1991) without noise: five columns matter, the others do not.
fn friedman(x: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn((x.nrows(), 1), |(i, _)| {
        let r = x.row(i);
        10.0 * (std::f64::consts::PI * r[0] * r[1]).sin()
            + 20.0 * (r[2] - 0.5).powi(2)
            + 10.0 * r[3]
            + 5.0 * r[4]
    })
}

fn bytes(forest: &RandomForest) -> Vec<u8> {
    let mut w = Writer::default();
    forest.write_to(&mut w);
    w.into_bytes()
}

#[test]
fn a_known_function_is_learned() {
    let x = noise(600, 8, 1);
    let y = friedman(&x);
    let forest = RandomForest::builder().seed(3).build().unwrap().fit(x.view(), y.view()).unwrap();
    let test = noise(300, 8, 2);
    let truth = friedman(&test);
    let predicted = forest.predict_rows(test.view()).unwrap();
    let mean = truth.mean().unwrap();
    let left: f64 = truth.iter().zip(&predicted).map(|(t, p)| (t - p).powi(2)).sum();
    let whole: f64 = truth.iter().map(|t| (t - mean).powi(2)).sum();
    let r2 = 1.0 - left / whole;
    assert!(r2 > 0.82, "{r2}");
    // What was out of bag tells the error on further rows.
    let mse = left / 300.0;
    assert!((forest.oob_mse()[0] / mse - 1.0).abs() < 0.3, "{} {mse}", forest.oob_mse()[0]);
    // The columns that matter are told from those that do not.
    let importances = forest.importances();
    assert!((importances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let least = importances[..5].iter().copied().fold(f64::MAX, f64::min);
    assert!(importances[5..].iter().all(|&i| i < least), "{importances:?}");
}

#[test]
fn several_targets_are_learned_at_once() {
    let x = noise(400, 3, 5);
    let y = Array2::from_shape_fn((400, 2), |(i, t)| if t == 0 { x[(i, 0)] } else { -x[(i, 1)] });
    let forest =
        RandomForest::builder().trees(40).build().unwrap().fit(x.view(), y.view()).unwrap();
    let mut out = [0.0; 2];
    forest.predict(&[0.2, 0.8, 0.5], &mut out).unwrap();
    assert!((out[0] - 0.2).abs() < 0.1 && (out[1] + 0.8).abs() < 0.1, "{out:?}");
}

#[test]
fn being_missing_can_be_what_tells() {
    let x = Array2::from_shape_fn((100, 1), |(i, _)| if i % 4 == 0 { f64::NAN } else { i as f64 });
    let y = Array2::from_shape_fn((100, 1), |(i, _)| if i % 4 == 0 { 9.0 } else { 1.0 });
    let forest =
        RandomForest::builder().trees(20).build().unwrap().fit(x.view(), y.view()).unwrap();
    let mut out = [0.0];
    forest.predict(&[f64::NAN], &mut out).unwrap();
    assert_eq!(out, [9.0]);
    forest.predict(&[1e9], &mut out).unwrap();
    assert_eq!(out, [1.0]);
}

#[test]
fn quantiles_follow_a_spread_that_changes() {
    let mut rng = Pcg64Mcg::seed_from_u64(11);
    let x = noise(3_000, 1, 10);
    // Uniform within ±x around 1.
    let y =
        Array2::from_shape_fn((3_000, 1), |(i, _)| 1.0 + x[(i, 0)] * rng.random_range(-1.0..1.0));
    let params = RandomForest::builder().trees(60).min_leaf(20).build().unwrap();
    let forest = params.fit(x.view(), y.view()).unwrap();
    for at in [0.2, 0.8] {
        let mut q = [0.0; 3];
        forest.quantiles(&[at], 0, &[0.1, 0.5, 0.9], &mut q).unwrap();
        assert!((q[0] - (1.0 - 0.8 * at)).abs() < 0.2 * at, "{q:?} at {at}");
        assert!((q[1] - 1.0).abs() < 0.3 * at, "{q:?} at {at}");
        assert!((q[2] - (1.0 + 0.8 * at)).abs() < 0.2 * at, "{q:?} at {at}");
    }
}

#[test]
fn a_tree_of_depth_one_asks_one_question() {
    let x = noise(50, 2, 4);
    let params = RandomForest::builder().trees(7).max_depth(1).build().unwrap();
    let forest = params.fit(x.view(), friedman(&noise(50, 5, 4)).view()).unwrap();
    assert!(forest.trees.nodes.nodes.len() <= 3 * 7);
}

#[test]
fn every_leaf_holds_at_least_min_leaf_rows_and_all_leaves_every_draw() {
    let x = noise(80, 3, 6);
    let y = noise(80, 1, 7);
    let params = RandomForest::builder().trees(9).min_leaf(6).build().unwrap();
    let forest = params.fit(x.view(), y.view()).unwrap();
    assert_eq!(forest.leaf_rows.len(), 9 * 80);
    assert!(forest.leaf_starts.windows(2).all(|w| w[1] - w[0] >= 6));
}

#[test]
fn unusable_values_are_named() {
    let fit = |x: &Array2<f64>, y: &Array2<f64>| {
        let params = RandomForest::builder().trees(2).build().unwrap();
        params.fit(x.view(), y.view()).unwrap_err().to_string()
    };
    let good = array![[1.0], [2.0]];
    assert!(fit(&array![[1.0], [f64::INFINITY]], &good).contains("row 1, column 0"));
    assert!(fit(&good, &array![[f64::NAN], [1.0]]).contains("row 0, target 0"));
    assert!(fit(&good, &array![[1.0]]).contains("1 rows where x has 2"));
    assert!(fit(&Array2::zeros((0, 1)), &Array2::zeros((0, 1))).contains("rows"));
}

#[test]
fn unusable_parameters_cannot_be_built() {
    let b = RandomForest::builder;
    assert!(b().trees(0).build().is_err());
    assert!(b().max_depth(0).build().is_err());
    assert!(b().min_leaf(0).build().is_err());
    assert!(b().features_per_split(FeaturesPerSplit::Share(f64::NAN)).build().is_err());
    assert!(b().features_per_split(FeaturesPerSplit::Count(0)).build().is_err());
}

#[test]
fn questions_that_do_not_fit_are_errors() {
    let x = noise(20, 2, 1);
    let forest = RandomForest::builder()
        .trees(3)
        .build()
        .unwrap()
        .fit(x.view(), noise(20, 1, 2).view())
        .unwrap();
    let mut out = [0.0];
    assert!(forest.predict(&[1.0], &mut out).unwrap_err().is_schema_mismatch());
    assert!(
        forest
            .predict(&[1.0, f64::INFINITY], &mut out)
            .unwrap_err()
            .to_string()
            .contains("column 1")
    );
    assert!(forest.predict(&[1.0, 1.0], &mut []).is_err());
    assert!(forest.quantiles(&[1.0, 1.0], 1, &[0.5], &mut out).is_err());
    assert!(forest.quantiles(&[1.0, 1.0], 0, &[1.5], &mut out).is_err());
    assert!(forest.predict_rows(noise(3, 4, 1).view()).is_err());
}

#[test]
fn a_stored_forest_reads_back_the_same_and_damage_is_noticed_or_harmless() {
    let x = noise(30, 3, 1);
    let forest = RandomForest::builder()
        .trees(4)
        .build()
        .unwrap()
        .fit(x.view(), noise(30, 2, 2).view())
        .unwrap();
    let stored = bytes(&forest);
    let read = RandomForest::read_from(&mut Reader::new(&stored)).unwrap();
    assert_eq!(bytes(&read), stored);
    assert_eq!(read.predict_rows(x.view()).unwrap(), forest.predict_rows(x.view()).unwrap());
    for i in 0..stored.len() {
        assert!(RandomForest::read_from(&mut Reader::new(&stored[..i])).is_err());
        for mask in [1, 0x80] {
            let mut damaged = stored.clone();
            damaged[i] ^= mask;
            if let Ok(read) = RandomForest::read_from(&mut Reader::new(&damaged)) {
                // What is accepted must answer: no panic and no walk without end.
                let row = vec![0.5; read.columns()];
                let mut out = vec![0.0; read.targets()];
                read.predict(&row, &mut out).unwrap();
                read.quantiles(&row, 0, &[0.5], &mut out[..1]).unwrap();
            }
        }
    }
}

#[test]
fn a_structure_reaches_the_leaves_of_its_forest_and_reads_back() {
    let x = noise(60, 3, 1);
    let params = RandomForest::builder().trees(4).build().unwrap();
    let forest = params.fit(x.view(), noise(60, 1, 2).view()).unwrap();
    let mut w = Writer::default();
    forest.clone().into_structure().write_to(&mut w);
    let stored = w.into_bytes();
    let read = Structure::read_from(&mut Reader::new(&stored)).unwrap();
    assert_eq!((read.columns(), read.trees()), (3, 4));
    assert_eq!(read.leaf_count(), forest.leaf_count());
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    for row in x.rows() {
        let row = row.to_vec();
        read.leaves(&row, &mut found).unwrap();
        forest.leaves(&row, &mut expected).unwrap();
        assert_eq!(found, expected);
    }
    assert!(read.leaves(&[0.0], &mut found).unwrap_err().is_schema_mismatch());
    for i in 0..stored.len() {
        assert!(Structure::read_from(&mut Reader::new(&stored[..i])).is_err());
        let mut damaged = stored.clone();
        damaged[i] ^= 1 << (i % 8);
        if let Ok(read) = Structure::read_from(&mut Reader::new(&damaged)) {
            read.leaves(&vec![0.5; read.columns()], &mut found).unwrap();
            assert!(found.iter().all(|&leaf| (leaf as usize) < read.leaf_count()));
        }
    }
}

#[test]
fn a_small_file_cannot_claim_many_trees_leaves_or_means() {
    // Trees of a single leaf, of which each holds the only row.
    let claim = |trees: u64, written: usize, targets: usize, means: usize| {
        let mut w = Writer::default();
        w.u64(targets as u64);
        for n in [targets, targets, targets, 1] {
            w.f64s(std::iter::repeat_n(0.0, n));
        }
        w.f64s([0.0].into_iter());
        w.u32s([].into_iter());
        w.u8(1);
        w.u8(1);
        w.u64(trees);
        (0..written).for_each(|_| w.uint(0, 1));
        for value in [1, 0] {
            w.u8(1);
            w.u64(written as u64);
            (0..written).for_each(|_| w.uint(value, 1));
        }
        w.f64s(std::iter::repeat_n(0.0, means));
        RandomForest::read_from(&mut Reader::new(&w.into_bytes()))
    };
    assert_eq!(claim(3, 3, 2, 6).unwrap().leaf_count(), 3);
    assert!(claim(4, 3, 2, 6).unwrap_err().is_corrupt());
    assert!(claim(1 << 60, 3, 2, 6).unwrap_err().is_corrupt());
    assert!(claim(0, 0, 2, 0).unwrap_err().is_corrupt());
    assert!(claim(3, 3, 2, 5).unwrap_err().to_string().contains("the means of its leaves"));
}

#[test]
fn a_fixed_seed_gives_these_numbers() {
    let x = noise(100, 4, 21);
    let y = Array2::from_shape_fn((100, 1), |(i, _)| x[(i, 0)] + 2.0 * x[(i, 1)] * x[(i, 2)]);
    let params = RandomForest::builder().trees(10).min_leaf(3).seed(42).build().unwrap();
    let forest = params.fit(x.view(), y.view()).unwrap();
    let mut out = [0.0];
    forest.predict(&[0.1, 0.9, 0.5, 0.3], &mut out).unwrap();
    let mut q = [0.0; 2];
    forest.quantiles(&[0.1, 0.9, 0.5, 0.3], 0, &[0.1, 0.9], &mut q).unwrap();
    let found = [out[0], q[0], q[1], forest.oob_mse()[0], forest.importances()[0]];
    let golden = [
        0.870131333345347,
        0.243133834057419,
        1.2966953165665864,
        0.068706178724538,
        0.3404916694463713,
    ];
    for (f, g) in found.iter().zip(golden) {
        assert!((f - g).abs() < 1e-12, "{found:?}");
    }
}

/// The fast way and the plain one on the same data, which must give one forest.
fn assert_fast_is_plain(x: &Array2<f64>, y: &Array2<f64>, builder: RandomForestBuilder) {
    let grown = |search| {
        bytes(&builder.clone().search(search).build().unwrap().fit(x.view(), y.view()).unwrap())
    };
    assert!(grown(Search::Fast) == grown(Search::Plain), "{builder:?}");
}

#[test]
fn the_fast_way_grows_the_plain_forest_whatever_the_size_of_its_nodes() {
    // From nodes of hundreds of rows, in bins of their own or shared, down to pairs; with ties and gaps.
    for (rows, seed) in [(700, 1), (2_500, 2), (5_000, 3)] {
        let x = noise(rows, 6, seed);
        let x = Array2::from_shape_fn(x.dim(), |(i, j)| match j {
            0 if i % 5 == 0 => f64::NAN,
            1 => (x[(i, j)] * 20.0).floor(),
            2 => x[(i, j)].powi(9),
            _ => x[(i, j)],
        });
        for targets in [1, 3] {
            let y =
                Array2::from_shape_fn((rows, targets), |(i, t)| x[(i, 3)] + x[(i, 2)] * t as f64);
            let builder = RandomForest::builder().trees(2).seed(seed);
            assert_fast_is_plain(&x, &y, builder.clone());
            assert_fast_is_plain(
                &x,
                &y,
                builder.min_leaf(7).features_per_split(FeaturesPerSplit::Count(6)),
            );
        }
    }
}

#[cfg(feature = "rayon")]
#[test]
fn any_number_of_threads_grows_the_same_forest_and_gives_the_same_answers() {
    let x = noise(900, 5, 1);
    let y = friedman(&x);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let params = RandomForest::builder().trees(13).seed(5).build().unwrap();
            let forest = params.fit(x.view(), y.view()).unwrap();
            (bytes(&forest), forest.predict_rows(x.view()).unwrap())
        })
    };
    assert_eq!(on(1), on(2));
    assert_eq!(on(1), on(5));
}

#[test]
fn bins_explain_as_much_as_exact_splits() {
    let r2 = |search: Search| {
        let x = noise(6_000, 8, 31);
        let y = friedman(&x);
        let params = RandomForest::builder().trees(12).seed(3).search(search).build().unwrap();
        let forest = params.fit(x.view(), y.view()).unwrap();
        let variance = y.var(0.0);
        1.0 - forest.oob_mse()[0] / variance
    };
    let (fast, exact) = (r2(Search::Fast), r2(Search::Exact));
    assert!((fast - exact).abs() < 0.01 && exact > 0.8, "{fast} {exact}");
}

fn matrix(
    columns: usize,
    value: impl Strategy<Value = f64> + Clone,
) -> impl Strategy<Value = Array2<f64>> {
    (2..40_usize).prop_flat_map(move |rows| {
        proptest::collection::vec(value.clone(), rows * columns)
            .prop_map(move |v| Array2::from_shape_vec((rows, columns), v).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_fast_way_grows_the_plain_forest(
        x in matrix(3, prop_oneof![-5.0..5.0f64, (0..4_i32).prop_map(f64::from), Just(f64::NAN)]),
        targets in proptest::collection::vec(prop_oneof![-5.0..5.0f64, (0..3_i32).prop_map(f64::from)], 80),
        width in 1_usize..3, min_leaf in 1_usize..4, seed in any::<u64>(),
    ) {
        let y = Array2::from_shape_fn((x.nrows(), width), |(i, t)| targets[i * width + t]);
        assert_fast_is_plain(&x, &y, RandomForest::builder().trees(3).min_leaf(min_leaf).seed(seed));
    }

    #[test]
    fn answers_stay_within_the_targets_and_missing_values_never_panic(
        x in matrix(3, prop_oneof![-5.0..5.0f64, Just(f64::NAN), Just(0.0)]),
        row in proptest::collection::vec(prop_oneof![-9.0..9.0f64, Just(f64::NAN)], 3),
        seed in any::<u64>(),
    ) {
        let y = noise(x.nrows(), 1, seed);
        let forest = RandomForest::builder().trees(5).seed(seed).build().unwrap().fit(x.view(), y.view()).unwrap();
        let (low, high) = y.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        let mut out = [0.0];
        forest.predict(&row, &mut out).unwrap();
        prop_assert!(out[0] >= low && out[0] <= high);
        let mut q = [0.0; 3];
        forest.quantiles(&row, 0, &[0.0, 0.5, 1.0], &mut q).unwrap();
        prop_assert!(low <= q[0] && q[0] <= q[1] && q[1] <= q[2] && q[2] <= high);
        prop_assert!(forest.oob_predictions().iter().all(|p| p.is_nan() || (*p >= low && *p <= high)));
    }

    #[test]
    fn the_same_seed_gives_the_same_forest_and_scaled_targets_scaled_predictions(
        x in matrix(2, prop_oneof![-5.0..5.0f64, Just(f64::NAN)]), seed in any::<u64>(), power in -8..9_i32,
    ) {
        let y = noise(x.nrows(), 2, seed);
        let params = RandomForest::builder().trees(4).seed(seed).build().unwrap();
        let forest = params.fit(x.view(), y.view()).unwrap();
        prop_assert_eq!(bytes(&forest), bytes(&params.fit(x.view(), y.view()).unwrap()));
        let scale = 2.0_f64.powi(power);
        let scaled = params.fit(x.view(), (&y * scale).view()).unwrap();
        prop_assert_eq!(forest.predict_rows(x.view()).unwrap() * scale, scaled.predict_rows(x.view()).unwrap());
    }

    #[test]
    fn bending_columns_by_an_increasing_function_changes_no_split_of_the_rows(
        x in matrix(2, (0..40_i32).prop_map(f64::from)), seed in any::<u64>(),
    ) {
        let y = noise(x.nrows(), 1, seed);
        let params = RandomForest::builder().trees(4).seed(seed).build().unwrap();
        let forest = params.fit(x.view(), y.view()).unwrap();
        let bent = x.mapv(|v| v.powi(3) - 7.0);
        let other = params.fit(bent.view(), y.view()).unwrap();
        prop_assert_eq!(&forest.leaf_rows, &other.leaf_rows);
        prop_assert_eq!(&forest.leaf_starts, &other.leaf_starts);
        prop_assert_eq!(&forest.importances, &other.importances);
        // Nor for the rows that a tree left out.
        prop_assert_eq!(forest.predict_rows(x.view()).unwrap(), other.predict_rows(bent.view()).unwrap());
    }

    #[test]
    fn shifting_and_doubling_a_column_changes_no_prediction(
        x in matrix(2, prop_oneof![(-40..40_i32).prop_map(f64::from), Just(f64::NAN)]), seed in any::<u64>(),
    ) {
        let y = noise(x.nrows(), 1, seed);
        let params = RandomForest::builder().trees(4).seed(seed).build().unwrap();
        let moved = x.mapv(|v| 2.0 * v + 1e6);
        let forest = params.fit(x.view(), y.view()).unwrap();
        let other = params.fit(moved.view(), y.view()).unwrap();
        prop_assert_eq!(forest.predict_rows(x.view()).unwrap(), other.predict_rows(moved.view()).unwrap());
    }

    #[test]
    fn the_order_of_columns_does_not_matter_if_every_split_looks_at_all(
        x in matrix(3, prop_oneof![-5.0..5.0f64, Just(f64::NAN)]), seed in any::<u64>(),
    ) {
        // Targets are all different, so splits gain alike only where they part the rows alike.
        let y = noise(x.nrows(), 1, seed);
        let params = RandomForest::builder().trees(3).max_depth(1).seed(seed)
            .features_per_split(FeaturesPerSplit::Share(1.0)).build().unwrap();
        let turned = Array2::from_shape_fn(x.dim(), |(i, j)| x[(i, 2 - j)]);
        let forest = params.fit(x.view(), y.view()).unwrap();
        let other = params.fit(turned.view(), y.view()).unwrap();
        let sizes = |f: &RandomForest| {
            let mut sizes: Vec<Vec<u32>> = (0..f.leaf_count()).map(|l| f.leaf_rows(l).to_vec()).collect();
            sizes.sort();
            sizes
        };
        prop_assert_eq!(sizes(&forest), sizes(&other));
    }

    #[test]
    fn batches_answer_as_rows_one_by_one(
        x in matrix(3, prop_oneof![-5.0..5.0f64, Just(f64::NAN)]), seed in any::<u64>(), trees in 1_usize..12,
    ) {
        let y = noise(x.nrows(), 2, seed);
        let forest = RandomForest::builder().trees(trees).seed(seed).build().unwrap().fit(x.view(), y.view()).unwrap();
        let batch = forest.predict_rows(x.view()).unwrap();
        for (row, expected) in x.rows().into_iter().zip(batch.rows()) {
            let mut out = [0.0; 2];
            forest.predict(&row.to_vec(), &mut out).unwrap();
            prop_assert_eq!(&out[..], expected.as_slice().unwrap());
        }
    }

    #[test]
    fn rows_left_out_are_predicted_as_they_would_be_anew(
        x in matrix(3, prop_oneof![-5.0..5.0f64, Just(f64::NAN)]), seed in any::<u64>(),
    ) {
        // One tree leaves a row out or it does not; so its prediction is the tree's.
        let y = noise(x.nrows(), 1, seed);
        let forest = RandomForest::builder().trees(1).seed(seed).build().unwrap().fit(x.view(), y.view()).unwrap();
        let all = forest.predict_rows(x.view()).unwrap();
        for (oob, anew) in forest.oob_predictions().iter().zip(&all) {
            prop_assert!(oob.is_nan() || oob == anew);
        }
    }
}
