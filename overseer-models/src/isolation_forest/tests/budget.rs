use super::*;
use ndarray::{Axis, Slice};

#[test]
fn a_forest_lives_within_its_budget() {
    let rows = cloud_with_gaps(500, 4, 1);
    for budget in [30_000, 100_000, 250_000, 400_000] {
        for (level, depth) in [(0, 8), (0, 20), (1, 8), (3, 30)] {
            let params = builder().extension_level(level).max_depth(depth).max_bytes(budget);
            let params = params.build().unwrap();
            for n in [1, 20, 500] {
                let few = rows.slice_axis(Axis(0), Slice::from(..n));
                let mut forest = params.fit(few).unwrap();
                assert!(forest.bytes() <= budget, "{} {budget}", forest.bytes());
                for trees in [3, 50, 1000] {
                    forest.refresh(rows.view(), trees, &params).unwrap();
                    assert!(forest.bytes() <= budget, "{} {budget}", forest.bytes());
                    assert!(forest.score(&[9.0; 4]).unwrap() > 0.5 || n == 1);
                }
            }
        }
    }
}

#[test]
fn as_many_trees_as_fit_are_grown() {
    let rows = cloud(500, 4, 2);
    let trees = |budget: usize| {
        let params = builder().max_bytes(budget).build().unwrap();
        params.fit(rows.view()).unwrap().trees()
    };
    let whole = fitted(&rows).bytes();
    assert_eq!((trees(whole), trees(whole - 1), trees(usize::MAX)), (100, 99, 100));
    assert_eq!(trees(whole / 2), 49);
}

#[test]
fn a_budget_that_no_tree_fits_is_named() {
    let rows = cloud(500, 4, 3);
    let params = builder().max_bytes(4000).build().unwrap();
    let e = params.fit(rows.view()).unwrap_err();
    assert!(e.is_invalid_input() && e.to_string().contains("max_bytes"), "{e}");
    let mut forest = fitted(&rows);
    let before = forest.clone();
    assert!(forest.refresh(rows.view(), 1, &params).is_err());
    assert_eq!(forest, before);
}

#[test]
fn a_budget_given_later_drops_the_oldest_trees() {
    let rows = cloud(500, 4, 4);
    for forest in one_of_each(&rows) {
        let mut forest = forest;
        let budget = forest.bytes() / 2;
        let params = builder().extension_level(forest.extension_level()).max_bytes(budget);
        // Small new trees do not hide how large the old ones are.
        forest.refresh(cloud(5, 4, 5).view(), 1, &params.build().unwrap()).unwrap();
        assert!(forest.bytes() <= budget && forest.trees() > 1, "{}", forest.bytes());
    }
}
