use super::*;
use ndarray::{Axis, Slice};

fn moved(rows: &Array2<f64>, by: f64) -> Array2<f64> {
    rows + by
}

#[test]
fn a_forest_refreshed_bit_by_bit_follows_its_data() {
    let (old, new) = (cloud(600, 4, 1), moved(&cloud(600, 4, 2), 6.0));
    for level in [0, 3] {
        let params = builder().extension_level(level).build().unwrap();
        let mut forest = params.fit(old.view()).unwrap();
        let before = mean(&scores(&forest, &new));
        for _ in 0..10 {
            let last = mean(&scores(&forest, &new));
            forest.refresh(new.view(), 10, &params).unwrap();
            assert!(mean(&scores(&forest, &new)) < last);
        }
        assert_eq!(forest.trees(), 100);
        // Now it is as good as one that was fitted to the new rows, and the old ones are strange.
        let fresh = params.fit(new.view()).unwrap();
        let apart = (mean(&scores(&forest, &new)) - mean(&scores(&fresh, &new))).abs();
        assert!(before > 0.6 && apart < 0.01, "{before} {apart}");
        assert!(mean(&scores(&forest, &old)) > 0.6);
    }
}

#[test]
fn two_refreshes_of_five_trees_are_one_of_ten() {
    let (old, new) = (cloud(300, 4, 3), cloud_with_gaps(400, 4, 4));
    for level in [0, 1] {
        let params = builder().trees(30).extension_level(level).build().unwrap();
        let mut once = params.fit(old.view()).unwrap();
        let mut twice = once.clone();
        once.refresh(new.view(), 10, &params).unwrap();
        twice.refresh(new.view(), 5, &params).unwrap();
        assert_ne!(once, twice);
        twice.refresh(new.view(), 5, &params).unwrap();
        assert_eq!(once, twice);
    }
}

#[test]
fn no_two_generations_are_alike() {
    let rows = cloud(300, 4, 5);
    let params = builder().trees(20).build().unwrap();
    let first = params.fit(rows.view()).unwrap();
    let mut second = first.clone();
    second.refresh(rows.view(), 99, &params).unwrap();
    assert_ne!(scores(&first, &rows), scores(&second, &rows));
    let apart = mean(&scores(&first, &rows)) - mean(&scores(&second, &rows));
    assert!(apart.abs() < 0.01, "{apart}");
}

#[test]
fn a_forest_replaced_at_once_is_at_home_wherever_the_rows_are() {
    let (old, new) = (cloud(300, 4, 10), moved(&cloud(300, 4, 11), 1e12));
    for forest in one_of_each(&old) {
        let params = builder().extension_level(forest.extension_level()).build().unwrap();
        let (mut at_once, mut bit_by_bit) = (forest.clone(), forest);
        at_once.refresh(new.view(), 23, &params).unwrap();
        let usual = mean(&scores(&at_once, &new));
        let far = at_once.score(&[1e12 + 5.0; 4]).unwrap();
        assert!(usual < 0.5 && far > 0.65, "{usual} {far}");
        // Seven digits from where the others are, these rows are all the same.
        bit_by_bit.refresh(new.view(), 22, &params).unwrap();
        bit_by_bit.refresh(new.view(), 1, &params).unwrap();
        assert_eq!(bit_by_bit.score(&[1e12 + 5.0; 4]).unwrap(), 0.5);
    }
}

#[test]
fn each_tree_is_judged_by_the_size_of_its_own_sample() {
    let rows = cloud(600, 4, 6);
    let params = builder().build().unwrap();
    let mut forest = params.fit(rows.view()).unwrap();
    let before = mean(&scores(&forest, &rows));
    // Trees of 20 rows are half as deep. Measured as if they had seen 256, all rows would score 0.6 or more.
    forest.refresh(cloud(20, 4, 7).view(), 50, &params).unwrap();
    let after = mean(&scores(&forest, &rows));
    assert!((after - before).abs() < 0.04, "{before} {after}");
    let far = forest.score(&[5.0; 4]).unwrap();
    assert!(far > 0.65, "{far}");
}

#[test]
fn a_young_forest_grows_up() {
    // From linked trees of a few rows to padded ones, through a mixture of both.
    let rows = cloud(600, 4, 8);
    let params = builder().build().unwrap();
    let mut forest = params.fit(rows.slice_axis(Axis(0), Slice::from(..3))).unwrap();
    for _ in 0..4 {
        forest.refresh(rows.view(), 25, &params).unwrap();
        assert_eq!(scores(&forest, &rows)[7], forest.score(&rows.row(7).to_vec()).unwrap());
    }
    let fresh = params.fit(rows.view()).unwrap();
    let apart = mean(&scores(&forest, &rows)) - mean(&scores(&fresh, &rows));
    assert!(apart.abs() < 0.01, "{apart}");
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut rows = cloud(100, 4, 9);
    let params = builder().trees(5).build().unwrap();
    let mut forest = params.fit(rows.view()).unwrap();
    let before = forest.clone();
    let wrong = forest.refresh(cloud(10, 3, 1).view(), 1, &params).unwrap_err();
    assert!(wrong.is_schema_mismatch());
    assert!(forest.refresh(Array2::zeros((0, 4)).view(), 1, &params).is_err());
    let planes = builder().extension_level(1).build().unwrap();
    let wrong = forest.refresh(rows.view(), 1, &planes).unwrap_err();
    assert!(wrong.is_invalid_input() && wrong.to_string().contains("extension_level"), "{wrong}");
    rows[[1, 1]] = f64::INFINITY;
    let wrong = forest.refresh(rows.view(), 1, &params).unwrap_err();
    assert_eq!(wrong.to_string(), "row 1, column 1: the value is infinite");
    assert_eq!(forest, before);
}
