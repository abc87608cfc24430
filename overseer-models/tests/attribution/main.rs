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
use table::{Case, Table};

/// The share of all changes whose feature is to be named first, that are to be called what they are, and of which it is
/// to be said when they began.
const NAMED_FIRST: f64 = 0.9;
const CALLED: f64 = 0.8;
const DATED: f64 = 0.9;

/// The rows of the longest window: when a change began is to be told within these.
const WINDOW: usize = 45;

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
                let name = &series.names()[feature];
                table.add(follow(&*detector, series, begin, feature, &changed, kind, name));
            }
        }
    }
}

/// Watches a change to its end: at which place its feature stands in the explanation of the row with the highest score,
/// the least p-value, and what is said of it in the last row.
fn follow(
    detector: &dyn Detector,
    series: &Series,
    begin: usize,
    feature: usize,
    changed: &[f64],
    change: Change,
    name: &str,
) -> Case {
    let mut detector = detector.boxed_clone();
    let mut highest = f64::NEG_INFINITY;
    let mut case = Case::new(change, name);
    for (i, &value) in changed.iter().enumerate() {
        let mut sample: Sample = series.sample(begin + i);
        sample.values[feature] = value;
        let judged = detector.observe(&sample).unwrap();
        case.p_value = case.p_value.min(judged.p_value);
        let is_last = i + 1 == changed.len();
        if judged.score <= highest && !is_last {
            continue;
        }
        let explained = detector.explain();
        let place = explained.iter().position(|e| e.feature == name).unwrap();
        if judged.score > highest {
            highest = judged.score;
            case.rank = place;
        }
        if is_last {
            case.said = explained[place].kind;
            case.is_dated = explained[place].since.is_some_and(|since| {
                let apart = since.since(series.sample(begin).timestamp);
                apart.as_millis().abs() <= series.step().times(WINDOW).as_millis()
            });
        }
    }
    case
}

#[test]
fn the_changed_feature_is_named_first_and_its_change_called_what_it_is() {
    let mut table = Table::default();
    for seed in 0..3 {
        attribute(&Series::simulated(seed), 2, &mut table);
    }
    eprintln!("{}", table.print("simulated"));
    let (first, of) = table.count(None, |c| c.rank == 0);
    assert!(of >= 200, "only {of} changes were made");
    assert!(first as f64 >= NAMED_FIRST * of as f64, "{first} of {of}");
    let (dated, of) = table.count(None, |c| c.is_dated);
    assert!(dated as f64 >= DATED * of as f64, "{dated} of {of}");
    for kind in Change::ALL {
        // What goes its own way comes near the others again and again by chance.
        let least = if kind == Change::Correlation { 0.25 } else { CALLED };
        let (called, of) = table.count(Some(kind), Case::is_named);
        assert!(of > 0 && called as f64 >= least * of as f64, "{kind:?}: {called} of {of}");
    }
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
