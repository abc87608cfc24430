use super::*;
use ndarray::{Array1, array};

#[test]
fn a_far_row_scores_higher_than_every_training_row() {
    let rows = cloud(500, 4, 1);
    for forest in one_of_each(&rows) {
        let scores = scores(&forest, &rows);
        let far = forest.score(&[5.0, 5.0, 5.0, 5.0]).unwrap();
        assert!(far > 0.65 && scores.iter().all(|&s| s < far), "{far}");
        assert!((0.4..0.5).contains(&mean(&scores)), "{}", mean(&scores));
    }
}

#[test]
fn scores_are_stable_for_a_seed() {
    let rows = cloud(400, 3, 4);
    let golden = [
        (0, [0.399_769_186_715_745_63, 0.570_619_958_556_532_7, 0.522_086_193_705_263_7]),
        (1, [0.404_045_978_370_041_36, 0.605_370_391_853_209, 0.444_008_840_641_520_9]),
        (2, [0.410_999_405_724_063_7, 0.612_874_525_017_432_4, 0.375_906_248_602_084_3]),
    ];
    for (level, golden) in golden {
        let forest = builder().extension_level(level).build().unwrap().fit(rows.view()).unwrap();
        let scores = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [f64::NAN, 1.0, -1.0]]
            .map(|row| forest.score(&row).unwrap());
        for (s, g) in scores.iter().zip(golden) {
            assert!((s - g).abs() < 1e-12, "level {level}: {scores:?}");
        }
    }
}

#[test]
fn one_row_one_column_and_equal_rows_are_defined() {
    assert_eq!(fitted(&array![[3.0]]).score(&[9.0]).unwrap(), 0.5);
    for level in [0, 1] {
        let params = builder().extension_level(level).build().unwrap();
        let score =
            |rows: &Array2<f64>| params.fit(rows.view()).unwrap().score(&[9.0, 1.0]).unwrap();
        assert_eq!(score(&Array2::from_elem((50, 2), 1.0)), 0.5);
        assert_eq!(score(&Array2::from_elem((50, 2), f64::NAN)), 0.5);
        assert_eq!(score(&array![[0.0, 0.0], [0.0, 0.0]]), 0.5);
    }
    let pair = fitted(&array![[0.0], [1.0]]);
    assert_eq!(pair.score(&[-1.0]).unwrap(), pair.score(&[2.0]).unwrap());
    let empty = builder().build().unwrap().fit(Array2::zeros((0, 3)).view());
    assert!(empty.unwrap_err().is_not_enough_data());
}

#[test]
fn rows_that_come_more_than_once_are_less_unusual() {
    let mut rows = cloud(300, 2, 12);
    let alone = fitted(&rows).score(&[3.0, 3.0]).unwrap();
    rows.row_mut(0).fill(3.0);
    rows.row_mut(1).fill(3.0);
    (2..40).for_each(|i| rows.row_mut(i).fill(3.0));
    let together = fitted(&rows).score(&[3.0, 3.0]).unwrap();
    assert!(alone > together + 0.1, "{alone} {together}");
}

#[test]
fn constant_columns_are_never_split_on() {
    let rows = cloud(300, 2, 13);
    let mut wide = Array2::from_elem((300, 6), 4.0);
    wide.column_mut(1).assign(&rows.column(0));
    wide.column_mut(4).assign(&rows.column(1));
    wide.column_mut(5).fill(f64::NAN);
    for level in [0, 1, 5] {
        let forest = builder().extension_level(level).build().unwrap().fit(wide.view()).unwrap();
        let usual = [4.0, 0.1, 4.0, 4.0, -0.2, f64::NAN];
        let moved = [-1e9, 0.1, f64::NAN, 1e30, -0.2, 7.0];
        assert_eq!(forest.score(&usual).unwrap(), forest.score(&moved).unwrap(), "level {level}");
        let far = forest.score(&[4.0, 3.0, 4.0, 4.0, -3.0, f64::NAN]).unwrap();
        assert!(far > 0.65, "level {level}: {far}");
    }
}

#[test]
fn hundreds_of_columns_and_deep_trees_are_as_good() {
    let mut rows = cloud(700, 300, 14);
    rows.row_mut(33).fill(2.5);
    for params in
        [builder(), builder().extension_level(2), builder().sample_size(700).max_depth(64)]
    {
        let forest = params.trees(50).build().unwrap().fit(rows.view()).unwrap();
        let scores = scores(&forest, &rows);
        let highest = (0..700).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
        assert_eq!(highest, 33);
    }
}

#[test]
fn rows_that_differ_by_less_than_the_least_span_are_alike() {
    let rows = cloud(200, 2, 5);
    for level in [0, 1] {
        let params = builder().extension_level(level).min_span(10.0).build().unwrap();
        assert_eq!(params.fit(rows.view()).unwrap().score(&[50.0, 0.0]).unwrap(), 0.5);
    }
}

#[test]
fn a_row_without_any_value_is_not_unusual() {
    let rows = cloud_with_gaps(500, 4, 15);
    for forest in one_of_each(&rows) {
        let blank = forest.score(&[f64::NAN; 4]).unwrap();
        assert!(blank < mean(&scores(&forest, &rows)), "{blank}");
    }
}

#[test]
fn infinities_and_wrong_widths_are_named() {
    let mut rows = cloud(300, 4, 6);
    for forest in one_of_each(&rows) {
        assert!(forest.score(&[1.0]).unwrap_err().is_schema_mismatch());
        assert!(forest.score_rows(Array2::zeros((3, 3)).view(), &mut Vec::new()).is_err());
        assert!(forest.contributions(&[0.0; 4], &mut [0.0; 3]).unwrap_err().is_schema_mismatch());
        let infinite = [0.0, f64::NAN, f64::NEG_INFINITY, f64::INFINITY];
        for e in [
            forest.score(&infinite).unwrap_err(),
            forest.contributions(&infinite, &mut [0.0; 4]).unwrap_err(),
        ] {
            assert_eq!(e.to_string(), "row 0, column 2: the value is infinite");
        }
    }
    let forests = one_of_each(&rows);
    rows[[204, 2]] = f64::NEG_INFINITY;
    rows[[299, 0]] = f64::INFINITY;
    let mut out = vec![1.0];
    for forest in forests {
        let e = forest.score_rows(rows.view(), &mut out).unwrap_err();
        assert_eq!(e.to_string(), "row 204, column 2: the value is infinite");
        assert!(out.is_empty());
    }
    let e = builder().build().unwrap().fit(rows.view()).unwrap_err();
    assert_eq!(e.to_string(), "row 204, column 2: the value is infinite");
}

#[test]
fn parameters_out_of_range_are_refused() {
    assert!(builder().trees(0).build().is_err());
    assert!(builder().sample_size(1).build().is_err());
    assert!(builder().max_depth(65).build().is_err());
    assert!(builder().min_span(f64::NAN).build().is_err());
    let e = builder().extension_level(3).build().unwrap().fit(cloud(9, 3, 1).view()).unwrap_err();
    assert!(e.is_invalid_input() && e.to_string().contains("extension_level"), "{e}");
}

#[test]
fn rows_in_any_memory_order_give_the_same() {
    let rows = cloud(300, 4, 16);
    let mut turned = Array2::zeros((4, 300));
    turned.assign(&rows.t());
    for (a, b) in one_of_each(&rows).iter().zip(one_of_each(&turned.t().to_owned())) {
        assert_eq!(*a, b);
        let mut out = Vec::new();
        a.score_rows(turned.t(), &mut out).unwrap();
        assert_eq!(out, scores(a, &rows));
    }
}

/// Numbers of eighths, which can be added and scaled without rounding.
fn eighths(rows: usize, seed: u64) -> Array2<f64> {
    cloud_with_gaps(rows, 4, seed).mapv(|v| (8.0 * v).round() / 8.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_finite_or_missing_values_score_between_0_and_1(
        values in proptest::collection::vec(value(), 3..90),
        row in proptest::collection::vec(value(), 3),
        level in 0..3_usize,
    ) {
        let n = values.len() / 3;
        let rows = Array2::from_shape_vec((n, 3), values[..3 * n].to_vec()).unwrap();
        let params = builder().trees(20).extension_level(level).build().unwrap();
        let forest = params.fit(rows.view()).unwrap();
        let score = forest.score(&row).unwrap();
        prop_assert!(score > 0.0 && score < 1.0, "{}", score);
        let mut parts = [0.0; 3];
        forest.contributions(&row, &mut parts).unwrap();
        prop_assert!(parts.iter().all(|p| p.is_finite()));
    }

    #[test]
    fn many_rows_score_as_each_alone(seed in any::<u64>(), n in 1..300_usize) {
        let rows = cloud_with_gaps(400, 4, seed);
        for forest in one_of_each(&rows) {
            let some = cloud_with_gaps(n, 4, !seed) * 2.0;
            let alone: Vec<f64> =
                some.rows().into_iter().map(|row| forest.score(&row.to_vec()).unwrap()).collect();
            prop_assert_eq!(scores(&forest, &some), alone);
        }
    }

    #[test]
    fn beyond_the_training_values_everything_scores_alike(far in 10.0..1e300f64, seed in any::<u64>()) {
        let rows = cloud(100, 2, seed);
        let params = IsolationForest::builder().trees(20).seed(seed).build().unwrap();
        let forest = params.fit(rows.view()).unwrap();
        prop_assert_eq!(forest.score(&[far, -far]).unwrap(), forest.score(&[10.0, -10.0]).unwrap());
    }

    #[test]
    fn the_order_of_rows_does_not_matter_when_all_are_seen(seed in any::<u64>(), n in 1..63_usize) {
        // Every tree sees all rows, and so does who looks for origins.
        let rows = eighths(n, seed);
        let mut order: Vec<usize> = (0..n).collect();
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        (1..n).for_each(|i| order.swap(i, rng.random_range(0..=i)));
        prop_assert_eq!(fitted(&rows), fitted(&rows.select(ndarray::Axis(0), &order)));
    }

    #[test]
    fn powers_of_two_as_units_change_no_score(
        seed in any::<u64>(), powers in proptest::array::uniform4(-30..30_i32),
    ) {
        // Such a factor is exact, so every threshold is multiplied exactly too.
        let rows = cloud_with_gaps(300, 4, seed);
        let factors = Array1::from_iter(powers.map(|p| f64::from(p).exp2()));
        let other = &rows * &factors;
        for (a, b) in one_of_each(&rows).iter().zip(one_of_each(&other)) {
            prop_assert_eq!(scores(a, &rows), scores(&b, &other));
        }
    }

    #[test]
    fn where_zero_is_changes_no_score(seed in any::<u64>(), far in -1_000_000_000..1_000_000_000_i64) {
        // The precision is that of the distance from usual values, however far from zero these are.
        let rows = eighths(300, seed);
        let moved = &rows + far as f64;
        for (a, b) in one_of_each(&rows).iter().zip(one_of_each(&moved)) {
            prop_assert_eq!(scores(a, &rows), scores(&b, &moved));
        }
    }

    #[test]
    fn a_seed_and_rows_give_one_forest(seed in any::<u64>(), level in 0..4_usize) {
        let rows = cloud_with_gaps(300, 4, seed);
        let params = IsolationForest::builder().trees(5).extension_level(level).seed(seed);
        let (one, two) = (params.clone().build().unwrap(), params.build().unwrap());
        prop_assert_eq!(one.fit(rows.view()).unwrap(), two.fit(rows.view()).unwrap());
    }
}
