use super::*;
use crate::file::{Reader, Writer};
use ndarray::{Array2, array};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Sums of four uniforms around 0, which is near enough to a normal.
fn cloud(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, columns), || {
        (0..4).map(|_| rng.random::<f64>() - 0.5).sum()
    })
}

fn fitted(rows: &Array2<f64>) -> IsolationForest {
    IsolationForest::builder().seed(7).build().unwrap().fit(rows.view()).unwrap()
}

#[test]
fn a_far_row_scores_higher_than_every_training_row() {
    let rows = cloud(500, 3, 1);
    let forest = fitted(&rows);
    let mut scores = Vec::new();
    forest.score_rows(rows.view(), &mut scores).unwrap();
    let far = forest.score(&[5.0, 5.0, 5.0]).unwrap();
    assert!(far > 0.65 && scores.iter().all(|&s| s < far), "{far}");
    let mean = scores.iter().sum::<f64>() / 500.0;
    assert!((0.4..0.5).contains(&mean), "the mean of the training rows is {mean}");
}

#[test]
fn the_largest_contribution_names_the_injected_feature() {
    let rows = cloud(500, 6, 2);
    let forest = fitted(&rows);
    let mut found = vec![0.0; 6];
    for feature in 0..6 {
        let mut row = vec![0.0; 6];
        row[feature] = 4.0;
        forest.contributions(&row, &mut found).unwrap();
        let largest = (0..6).max_by(|&a, &b| found[a].total_cmp(&found[b])).unwrap();
        assert_eq!(largest, feature, "{found:?}");
        assert!(found[feature] > 0.0);
    }
}

#[test]
fn contributions_add_up_to_the_shortening_of_the_path() {
    let rows = cloud(300, 4, 3);
    let forest = fitted(&rows);
    let average = super::forest::average_path(256);
    let path = |row: &[f64]| -forest.score(row).unwrap().log2() * average;
    let total = |row: &[f64]| {
        let mut out = vec![0.0; 4];
        forest.contributions(row, &mut out).unwrap();
        out.iter().sum::<f64>() * average
    };
    // Whatever the row, path and contributions add up to the same: the path of an average training row.
    let (a, b) = ([0.1, 0.0, -0.2, 0.0], [3.0, f64::NAN, 0.0, -9.0]);
    assert!((path(&a) + total(&a) - path(&b) - total(&b)).abs() < 1e-9);
}

#[test]
fn the_average_path_is_the_paper_s() {
    let c = super::forest::average_path;
    assert_eq!((c(0), c(1), c(2)), (0.0, 0.0, 1.0));
    let step = 2.0 / 1000.0 - 2.0 * (1000.0 / 1001.0 - 999.0 / 1000.0);
    assert!((c(1001) - c(1000) - step).abs() < 1e-12);
    assert!((c(256) - 10.248_689_925).abs() < 1e-8, "{}", c(256));
}

#[test]
fn scores_are_stable_for_a_seed() {
    let forest = fitted(&cloud(400, 3, 4));
    let scores = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [f64::NAN, 1.0, -1.0]]
        .map(|row| forest.score(&row).unwrap());
    let golden = [0.404_736_383_238_049_95, 0.569_274_984_038_194_9, 0.529_767_241_443_642_5];
    for (s, g) in scores.iter().zip(golden) {
        assert!((s - g).abs() < 1e-12, "{scores:?}");
    }
}

fn assert_half(score: f64) {
    assert!((score - 0.5).abs() < 1e-12, "{score}");
}

#[test]
fn one_row_one_column_and_equal_rows_are_defined() {
    assert_eq!(fitted(&array![[3.0]]).score(&[9.0]).unwrap(), 0.5);
    let equal = Array2::from_elem((50, 2), 1.0);
    assert_half(fitted(&equal).score(&[9.0, 1.0]).unwrap());
    let missing = Array2::from_elem((50, 2), f64::NAN);
    assert_half(fitted(&missing).score(&[9.0, 1.0]).unwrap());
    let pair = fitted(&array![[0.0], [1.0]]);
    assert_eq!(pair.score(&[-1.0]).unwrap(), pair.score(&[2.0]).unwrap());
    let empty = IsolationForest::builder().build().unwrap().fit(Array2::zeros((0, 3)).view());
    assert!(empty.unwrap_err().is_not_enough_data());
}

#[test]
fn rows_that_differ_by_less_than_the_least_span_are_alike() {
    let rows = cloud(200, 2, 5);
    let params = IsolationForest::builder().min_span(10.0).build().unwrap();
    assert_half(params.fit(rows.view()).unwrap().score(&[50.0, 0.0]).unwrap());
}

#[test]
fn infinities_and_wrong_widths_are_named() {
    let mut rows = cloud(10, 3, 6);
    let forest = fitted(&rows);
    assert!(forest.score(&[1.0]).unwrap_err().is_schema_mismatch());
    assert!(forest.contributions(&[0.0; 3], &mut [0.0; 2]).is_err());
    rows[[4, 2]] = f64::NEG_INFINITY;
    let e = forest.score_rows(rows.view(), &mut Vec::new()).unwrap_err();
    assert_eq!(e.to_string(), "row 4, column 2: the value is infinite");
    let e = IsolationForest::builder().build().unwrap().fit(rows.view()).unwrap_err();
    assert_eq!(e.to_string(), "row 4, column 2: the value is infinite");
}

#[test]
fn parameters_out_of_range_are_refused() {
    assert!(IsolationForest::builder().trees(0).build().is_err());
    assert!(IsolationForest::builder().sample_size(1).build().is_err());
    assert!(IsolationForest::builder().max_depth(65).build().is_err());
    assert!(IsolationForest::builder().min_span(f64::NAN).build().is_err());
}

fn stored(forest: &IsolationForest) -> Vec<u8> {
    let mut w = Writer::default();
    forest.write_to(&mut w);
    w.into_bytes()
}

#[test]
fn a_stored_forest_is_read_back_equal() {
    let forest = fitted(&cloud(100, 3, 8));
    let bytes = stored(&forest);
    let mut r = Reader::new(&bytes);
    assert_eq!(IsolationForest::read_from(&mut r).unwrap(), forest);
    r.finish().unwrap();
}

/// Values as they come: ordinary, repeated, extreme or missing.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0f64,
        2 => Just(0.0),
        1 => Just(f64::NAN),
        1 => prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_finite_or_missing_values_score_between_0_and_1(
        values in proptest::collection::vec(value(), 3..90),
        row in proptest::collection::vec(value(), 3),
    ) {
        let n = values.len() / 3;
        let rows = Array2::from_shape_vec((n, 3), values[..3 * n].to_vec()).unwrap();
        let params = IsolationForest::builder().trees(20).build().unwrap();
        let forest = params.fit(rows.view()).unwrap();
        let score = forest.score(&row).unwrap();
        prop_assert!(score > 0.0 && score < 1.0, "{}", score);
        let mut parts = [0.0; 3];
        forest.contributions(&row, &mut parts).unwrap();
        prop_assert!(parts.iter().all(|p| p.is_finite()));
    }

    #[test]
    fn beyond_the_training_values_everything_scores_alike(far in 10.0..1e9f64, seed in any::<u64>()) {
        let rows = cloud(100, 2, seed);
        let params = IsolationForest::builder().trees(20).seed(seed).build().unwrap();
        let forest = params.fit(rows.view()).unwrap();
        prop_assert_eq!(forest.score(&[far, -far]).unwrap(), forest.score(&[10.0, -10.0]).unwrap());
    }

    #[test]
    fn doubling_all_values_changes_no_score(seed in any::<u64>()) {
        // Doubling is exact, so every threshold doubles exactly too.
        let rows = cloud(100, 3, seed);
        let params = IsolationForest::builder().trees(20).seed(seed).build().unwrap();
        let (one, two) = (params.fit(rows.view()).unwrap(), params.fit((&rows * 2.0).view()).unwrap());
        prop_assert_eq!(one.score(&[0.5, 1.0, 0.0]).unwrap(), two.score(&[1.0, 2.0, 0.0]).unwrap());
    }

    #[test]
    fn damaged_bytes_are_refused_or_still_give_a_forest(at in any::<usize>(), bit in 0..8u32) {
        let forest = fitted_small();
        let mut bytes = stored(&forest);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(read) = IsolationForest::read_from(&mut Reader::new(&bytes)) {
            let row = vec![0.3; read.features()];
            let score = read.score(&row).unwrap();
            prop_assert!((0.0..=1.0).contains(&score));
        }
        prop_assert!(IsolationForest::read_from(&mut Reader::new(&bytes[..at])).is_err());
    }
}

fn fitted_small() -> IsolationForest {
    let params = IsolationForest::builder().trees(3).sample_size(16).build().unwrap();
    params.fit(cloud(40, 2, 9).view()).unwrap()
}
