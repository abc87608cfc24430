//! The isolation forest: anomalies found as well, and rows ordered alike.

use crate::anomalies::SETS;
use crate::chance::{Chance, checksum, single};
use crate::{mean, reference};
use ndarray::Array2;
use overseer_models::isolation_forest::IsolationForest;

const TABLE: &str = include_str!("../sklearn/isolation_forest.csv");
/// The mean score over its seeds of each of the first rows of [`ORDERED`].
const SCORES: &str = include_str!("../sklearn/scores.csv");
const ORDERED: &str = "host";
/// The standard deviation of a mean over so many is under a third of the margin; the script takes three times as many.
const SEEDS: u64 = 20;
const MARGIN: f64 = 0.005;

/// The rows of a set and whether each is an anomaly.
fn data(set: &str) -> (Array2<f64>, Vec<bool>) {
    let place = SETS.iter().position(|(name, _)| *name == set).unwrap();
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    SETS[place].1(&mut Chance(1000 + place as u64), &mut |row, odd| {
        rows.extend(row.iter().map(|&v| single(v)));
        labels.push(odd);
    });
    let answers: Vec<f64> = labels.iter().map(|&odd| f64::from(u8::from(odd))).collect();
    let stored = &reference(TABLE, set)[0];
    assert_eq!(format!("{:08x}", checksum(&rows, &answers)), stored[3], "the data of {set} differ");
    let columns = rows.len() / labels.len();
    (Array2::from_shape_vec((labels.len(), columns), rows).unwrap(), labels)
}

/// The scores of all rows by forests of so many seeds.
fn scores(rows: &Array2<f64>) -> Vec<Vec<f64>> {
    let of_seed = |seed| {
        let forest = IsolationForest::builder().seed(seed).build().unwrap().fit(rows.view());
        let mut out = Vec::new();
        forest.unwrap().score_rows(rows.view(), &mut out).unwrap();
        out
    };
    (0..SEEDS).map(of_seed).collect()
}

/// The rank of each value, from 1; equal ones share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        for &i in equal {
            ranks[i] = before as f64 + 0.5 * (equal.len() + 1) as f64;
        }
        before += equal.len();
    }
    ranks
}

/// The probability that an anomaly scores above another row, half of ties: the area under the ROC curve.
fn area(scores: &[f64], labels: &[bool]) -> f64 {
    let odd: Vec<f64> =
        ranks(scores).iter().zip(labels).filter(|(_, odd)| **odd).map(|(r, _)| *r).collect();
    let (n, others) = (odd.len() as f64, (labels.len() - odd.len()) as f64);
    (odd.iter().sum::<f64>() - 0.5 * n * (n + 1.0)) / (n * others)
}

/// Pearson's correlation, which of ranks is Spearman's.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let of = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>()
    };
    of(a, ma, b, mb) / (of(a, ma, a, ma) * of(b, mb, b, mb)).sqrt()
}

fn finds_as_many(set: &str) {
    let (rows, labels) = data(set);
    let areas: Vec<f64> = scores(&rows).iter().map(|s| area(s, &labels)).collect();
    let (ours, theirs) = (mean(&areas), reference(TABLE, set)[0][4].parse::<f64>().unwrap());
    eprintln!("{set}: area {ours:.4}, scikit-learn {theirs:.4}, {:+.4}", ours - theirs);
    assert!(
        ours >= theirs - MARGIN,
        "{set}: area under the curve {ours:.4}, scikit-learn's {theirs:.4}"
    );
}

#[test]
fn outliers_around_clusters_are_found_as_well() {
    finds_as_many("clusters");
}

#[test]
fn rows_that_break_a_correlation_are_found_as_well() {
    finds_as_many("correlated");
}

#[test]
fn spikes_and_shifts_of_a_host_are_found_as_well() {
    finds_as_many("host");
}

#[test]
fn outliers_beside_heavy_tails_are_found_as_well() {
    finds_as_many("heavy_tails");
}

#[test]
fn outliers_among_irrelevant_columns_are_found_as_well() {
    finds_as_many("irrelevant");
}

#[test]
fn outliers_among_counts_and_constant_columns_are_found_as_well() {
    finds_as_many("discrete");
}

#[test]
fn a_clump_of_outliers_is_found_as_well() {
    finds_as_many("clump");
}

#[test]
fn outliers_among_few_rows_are_found_as_well() {
    finds_as_many("small");
}

#[test]
fn rows_are_ordered_alike() {
    let (rows, _) = data(ORDERED);
    let theirs: Vec<f64> = SCORES.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert_eq!(theirs.len(), 300);
    let by_seed = scores(&rows);
    let ours: Vec<f64> = (0..theirs.len())
        .map(|row| mean(&by_seed.iter().map(|s| s[row]).collect::<Vec<_>>()))
        .collect();
    let agreement = correlation(&ranks(&ours), &ranks(&theirs));
    let apart = mean(&ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).collect::<Vec<_>>());
    eprintln!("{ORDERED}: rank correlation {agreement:.4}, scores {apart:.4} apart");
    assert!(agreement >= 0.98, "{agreement}");
    // Not the order alone but the scores are the paper's.
    assert!(apart < 0.01, "{apart}");
}

#[test]
fn the_measure_of_these_tests_knows_ties_and_reversed_orders() {
    assert_eq!(area(&[0.1, 0.2, 0.3, 0.4], &[false, false, true, true]), 1.0);
    assert_eq!(area(&[0.4, 0.3, 0.2, 0.1], &[false, false, true, true]), 0.0);
    assert_eq!(area(&[0.5, 0.5, 0.5, 0.7], &[false, true, false, true]), 0.75);
    assert_eq!(correlation(&ranks(&[1.0, 5.0, 9.0]), &ranks(&[3.0, 2.0, 1.0])), -1.0);
}
