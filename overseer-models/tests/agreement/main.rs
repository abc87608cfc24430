//! Our forests against scikit-learn's on the same data, made alike in both languages.
//!
//! `tests/sklearn` holds the script that fits scikit-learn's, and what it found; a checksum of every set proves that
//! both saw the same numbers. `cargo test -p overseer-models --test agreement -- --nocapture` prints all figures.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]
#![allow(clippy::print_stderr, reason = "the figures are what a person runs these tests for")]

mod anomalies;
mod chance;
mod isolation_forest;
mod random_forest;
mod regressions;

/// The rows of one of the script's tables that begin with this set's name, as columns.
fn reference(table: &'static str, set: &str) -> Vec<Vec<&'static str>> {
    let rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let found: Vec<_> = rows.filter(|columns| columns[0] == set).collect();
    assert!(!found.is_empty(), "the script's table has no set {set}");
    found
}

/// The arithmetic mean.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
