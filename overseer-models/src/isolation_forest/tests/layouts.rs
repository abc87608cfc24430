//! The fast layouts are held equal to the plain trees they were made of.

use super::*;
use crate::isolation_forest::layout::{PlainTrees, Trees};
use crate::isolation_forest::linked::Linked;
use crate::isolation_forest::padded::{Padded, WINDOW};
use crate::isolation_forest::path::AveragePaths;
use crate::isolation_forest::tree::{ColumnSplit, PlaneSplit, Tree};

/// The place of the leaf that a row comes to.
fn leaf<S>(tree: &Tree<S>, goes_right: impl Fn(&S) -> bool) -> usize {
    let mut at = 0;
    while let Some(child) = tree.nodes[at].child() {
        at = child + usize::from(goes_right(&tree.nodes[at].split));
    }
    at
}

fn plain_path(forest: &IsolationForest, row: &[f64]) -> u64 {
    let columns = &forest.columns;
    let averages = AveragePaths::up_to(1000);
    let mut keys = vec![0; columns.slots()];
    columns.keys(row, &mut keys).unwrap();
    let mut distances = vec![0.0; columns.len()];
    columns.distances(row, &mut distances);
    let by_column = |split: &ColumnSplit| keys[split.slot as usize] > split.threshold;
    let by_plane = |tree: &Tree<PlaneSplit>, split: &PlaneSplit| {
        let terms = tree.terms[split.terms as usize..][..split.width as usize].iter();
        let sum: f32 = terms.fold(0.0, |sum, t| sum + t.weight * distances[t.column as usize]);
        if sum.is_nan() { split.missing_right } else { sum > split.threshold }
    };
    match forest.trees.plain() {
        PlainTrees::ByColumn(trees) => trees
            .iter()
            .map(|tree| u64::from(tree.expected(&averages)[leaf(tree, by_column)]))
            .sum(),
        PlainTrees::ByPlane(trees) => trees
            .iter()
            .map(|tree| u64::from(tree.expected(&averages)[leaf(tree, |s| by_plane(tree, s))]))
            .sum(),
    }
}

#[test]
fn a_value_at_a_threshold_goes_left_in_every_layout() {
    let forests = one_of_each(&cloud_with_gaps(300, 4, 2));
    for forest in &forests[..2] {
        let PlainTrees::ByColumn(trees) = forest.trees.plain() else { unreachable!() };
        let mut met = 0;
        for node in trees.iter().flat_map(|tree| &tree.nodes).filter(|node| node.child().is_some())
        {
            let (column, _) = forest.columns.column_of(node.split.slot as usize);
            let value = forest.columns.value(column, node.split.threshold);
            met += usize::from(forest.columns.key(column, value) == node.split.threshold);
            let mut row = [0.1; 4];
            row[column] = value;
            let path = forest.trees.path(&forest.columns, &row).unwrap();
            assert_eq!(path, plain_path(forest, &row));
        }
        assert!(met > 1000, "{met}");
    }
}

#[test]
fn each_layout_is_used_where_it_is_meant_to() {
    let [padded, linked, two, all] = one_of_each(&cloud(300, 4, 1)).map(|forest| forest.trees);
    assert!(matches!(padded, Trees::Padded(_)) && matches!(linked, Trees::Linked(_)));
    assert!(matches!(two, Trees::Planes(_)) && matches!(all, Trees::Planes(_)));
    // Of few rows padding would be most of a tree, and many columns have more keys than a window.
    let params = builder().trees(2).build().unwrap();
    for rows in [cloud(8, 4, 1), cloud(300, 129, 1)] {
        assert!(matches!(params.fit(rows.view()).unwrap().trees, Trees::Linked(_)));
    }
    assert!(matches!(params.fit(cloud(300, 128, 1).view()).unwrap().trees, Trees::Padded(_)));
    // What no leaf of padded trees can count.
    let many = builder().trees(2).sample_size(70_000).max_depth(6).build().unwrap();
    let rows = cloud(70_000, 1, 1);
    let forest = many.fit(rows.view()).unwrap();
    assert!(matches!(forest.trees, Trees::Linked(_)));
    assert!(forest.score(&[9.0]).unwrap() > forest.score(&[0.0]).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_layout_walks_as_the_plain_trees_do(
        seed in any::<u64>(), row in proptest::array::uniform4(value()),
    ) {
        let rows = cloud_with_gaps(300, 4, seed);
        for forest in one_of_each(&rows) {
            let some = [row.to_vec(), rows.row(5).to_vec()];
            for row in some {
                let path = forest.trees.path(&forest.columns, &row).unwrap();
                prop_assert_eq!(path, plain_path(&forest, &row));
            }
        }
    }

    #[test]
    fn plain_trees_come_back_out_of_every_layout(seed in any::<u64>(), n in 1..300_usize) {
        let rows = cloud_with_gaps(n, 4, seed);
        for forest in one_of_each(&rows) {
            let again = Trees::lay_out(&forest.columns, &forest.trees.plain()).unwrap();
            prop_assert_eq!(&again, &forest.trees);
            prop_assert_eq!(again.plain(), forest.trees.plain());
        }
    }

    #[test]
    fn padded_and_linked_trees_say_the_same(
        seed in any::<u64>(), row in proptest::array::uniform4(value()),
    ) {
        let rows = cloud_with_gaps(300, 4, seed);
        let forest = fitted(&rows);
        let PlainTrees::ByColumn(trees) = forest.trees.plain() else { unreachable!() };
        let averages = AveragePaths::up_to(300);
        let padded = Padded::lay_out(&forest.columns, &trees, &averages).unwrap();
        let linked = Linked::lay_out(&forest.columns, &trees, &averages).unwrap();
        let mut keys = [0; WINDOW];
        forest.columns.keys(&row, &mut keys[..8]).unwrap();
        prop_assert_eq!(padded.path(&keys), linked.path(&keys));
        let (mut a, mut b) = ([0; WINDOW], [0; WINDOW]);
        padded.add_credits(&keys, &mut a);
        linked.add_credits(&keys, &mut b);
        prop_assert_eq!(a, b);
    }
}
