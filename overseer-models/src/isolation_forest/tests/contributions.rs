use super::*;

fn largest(found: &[f64]) -> usize {
    (0..found.len()).max_by(|&a, &b| found[a].total_cmp(&found[b])).unwrap()
}

#[test]
fn the_largest_contribution_names_the_injected_feature() {
    // Far more rows than a tree sees, or as many as the trees can look at without taking samples apart.
    for (n, level) in [(500, 0), (5000, 0), (500, 1), (500, 5)] {
        let rows = cloud(n, 6, 2);
        let forest = builder().extension_level(level).build().unwrap().fit(rows.view()).unwrap();
        let mut found = [0.0; 6];
        for feature in 0..6 {
            for amount in [4.0, -4.0, 1e30, f64::MIN] {
                let mut row = [0.05; 6];
                row[feature] = amount;
                forest.contributions(&row, &mut found).unwrap();
                assert_eq!(largest(&found), feature, "level {level}, {amount}: {found:?}");
                assert!(found[feature] > 0.05, "level {level}, {amount}: {found:?}");
                let others = found.iter().sum::<f64>() - found[feature];
                assert!(others < found[feature] / 2.0, "level {level}, {amount}: {found:?}");
            }
        }
    }
}

#[test]
fn a_missing_value_is_no_reason_to_stand_out() {
    // Whether or not any was missing in training.
    for rows in [cloud(500, 4, 3), cloud_with_gaps(500, 4, 3)] {
        let mut found = [0.0; 4];
        for forest in one_of_each(&rows) {
            for feature in 0..4 {
                let mut row = [0.1, -0.1, 0.2, 0.0];
                row[feature] = f64::NAN;
                forest.contributions(&row, &mut found).unwrap();
                assert!(found[feature] < 0.0, "{found:?}");
            }
        }
    }
}

#[test]
fn contributions_add_up_to_the_shortening_of_the_path() {
    let rows = cloud_with_gaps(300, 4, 3);
    for forest in one_of_each(&rows) {
        let path = |row: &[f64]| -forest.score(row).unwrap().log2();
        let total = |row: &[f64]| {
            let mut out = vec![0.0; 4];
            forest.contributions(row, &mut out).unwrap();
            out.iter().sum::<f64>()
        };
        // Whatever the row, path and contributions add up to the same: the path of an average training row.
        let (a, b) = ([0.1, 0.0, -0.2, 0.0], [3.0, f64::NAN, 0.0, -9.0]);
        assert!((path(&a) + total(&a) - path(&b) - total(&b)).abs() < 1e-9);
    }
}

#[test]
fn the_expected_path_is_that_of_the_training_rows() {
    // All trees see all rows, so the mean over rows of what contributions add up to is nothing.
    let rows = cloud_with_gaps(200, 4, 9);
    for forest in one_of_each(&rows) {
        let mut total = 0.0;
        let mut out = [0.0; 4];
        for row in rows.rows() {
            forest.contributions(&row.to_vec(), &mut out).unwrap();
            total += out.iter().sum::<f64>();
        }
        assert!((total / 200.0).abs() < 1e-6, "{total}");
    }
}
