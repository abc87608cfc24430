//! Does the detector name the feature that was changed?
//!
//! One kind of change after the other is made to one feature after the other of a host on which nothing else happens,
//! and the explanation of the row with the highest score is held to name that feature first.
//! `cargo test -p overseer-models --test attribution -- --nocapture` prints how often it does. With
//! `OVERSEER_ACCURACY_DATA` naming a directory, the same is done to every `*.csv` in it (numbers, with a header or
//! without), which is only printed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]
#![allow(clippy::print_stderr, reason = "the figures are what a person runs these tests for")]

mod change;
mod series;
mod table;

use change::Change;
use overseer_core::{Detector, DetectorTrainer, Sample};
use overseer_models::detector::ForestDetectorTrainer;
use series::Series;
use table::Table;

/// The share of all changes whose feature is to be named first.
const NAMED_FIRST: f64 = 0.9;

/// Makes each change to each feature at several places of the series, and counts what is named.
fn attribute(series: &Series, places: usize, table: &mut Table) {
    let learned = series.rows() * 7 / 10;
    let trainer = ForestDetectorTrainer::builder().seed(5).build().unwrap();
    let mut detector = trainer.fit(&series.frame(learned)).unwrap();
    let rest = series.rows() - learned - Change::LONGEST;
    let mut at = learned;
    for place in 1..=places {
        let begin = learned + rest * place / places;
        while at < begin {
            detector.observe(&series.sample(at)).unwrap();
            at += 1;
        }
        for kind in Change::ALL {
            for feature in 0..series.columns() {
                let seed = (place * 1000 + feature) as u64;
                let Some(changed) = kind.make(series, learned, begin, feature, seed) else {
                    continue;
                };
                let (rank, p_value) = rank_of(&*detector, series, begin, feature, &changed);
                table.add(kind, &series.names()[feature], rank, p_value);
            }
        }
    }
}

/// At which place the feature stands in the explanation of the row with the highest score, and the least p-value.
fn rank_of(
    detector: &dyn Detector,
    series: &Series,
    begin: usize,
    feature: usize,
    changed: &[f64],
) -> (usize, f64) {
    let mut detector = detector.boxed_clone();
    let (mut highest, mut rank, mut least) = (f64::NEG_INFINITY, usize::MAX, 1.0_f64);
    for (i, &value) in changed.iter().enumerate() {
        let mut sample: Sample = series.sample(begin + i);
        sample.values[feature] = value;
        let judged = detector.observe(&sample).unwrap();
        least = least.min(judged.p_value);
        if judged.score > highest {
            highest = judged.score;
            let name = &series.names()[feature];
            rank = detector.explain().iter().position(|e| e.feature == *name).unwrap();
        }
    }
    (rank, least)
}

#[test]
fn the_changed_feature_is_named_first() {
    let mut table = Table::default();
    for seed in 0..3 {
        attribute(&Series::simulated(seed), 2, &mut table);
    }
    eprintln!("{}", table.print("simulated"));
    let (first, of) = table.total();
    assert!(of >= 200, "only {of} changes were made");
    let share = first as f64 / of as f64;
    assert!(share >= NAMED_FIRST, "{first} of {of}");
}

#[test]
fn figures_on_recordings_where_there_are_some() {
    let Some(directory) = std::env::var_os("OVERSEER_ACCURACY_DATA") else { return };
    let mut table = Table::default();
    let mut read = 0;
    let mut files: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "csv")) {
        attribute(&Series::read(file), 3, &mut table);
        read += 1;
    }
    assert!(read > 0, "there is no .csv in {}", directory.display());
    eprintln!("{}", table.print(&format!("{read} recordings")));
}
