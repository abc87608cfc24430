//! A rule stored in the repository is read and answers as on the day it was written.
//!
//! If the format changes on purpose, its version changes with it, and a new file joins the old one:
//! `cargo test -p overseer-models --test stored_rule -- --ignored` writes it.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use overseer_core::{ForecastTarget, ForecasterTrainer, Frame, Sample, Schema, Span, Timestamp};
use overseer_models::forecaster::{Rule, RuleForecasterTrainer};
use std::path::PathBuf;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rule_v1.model")
}

fn schema() -> Schema {
    Schema::from_names(["x"]).unwrap()
}

fn at(row: u32) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + 5000 * i64::from(row))
}

/// A rhythm of a minute under one of its own; now and then a value is missing.
fn value(i: u32) -> f64 {
    if i % 41 == 3 { f64::NAN } else { f64::from(i % 12) + 0.1 * f64::from(i * 5 % 23) }
}

fn trainer() -> RuleForecasterTrainer {
    RuleForecasterTrainer::builder(Rule::Before(Span::from_secs(60))).build().unwrap()
}

/// What the test below found on the day the file was written.
const GOLDEN: [[f64; 3]; 3] = [
    [1.7985890442877968, 2.7, 4.1000000000000005],
    [3.421152632203888, 7.2, 10.58452642267547],
    [7.792577233210611, 11.6, 15.407422766789388],
];

#[test]
fn a_rule_stored_earlier_still_gives_the_same_answers() {
    let bytes = std::fs::read(path()).unwrap();
    let mut forecaster = trainer().load(&bytes, &schema()).unwrap();
    assert_eq!(forecaster.to_bytes().unwrap(), bytes, "and is written again byte for byte");
    for i in 100..110 {
        forecaster.observe(&Sample::new(at(i), vec![value(i)])).unwrap();
    }
    let forecasts = forecaster.forecast(10).unwrap();
    let found = [0, 3, 9].map(|i| {
        let f = forecasts[i];
        [f.interval.lower, f.median, f.interval.upper]
    });
    let near = |(f, g): (&f64, &f64)| (f - g).abs() < 1e-9;
    assert!(found.iter().flatten().zip(GOLDEN.iter().flatten()).all(near), "{found:?}");
}

#[test]
#[ignore = "writes the file that the other test reads"]
fn write_the_stored_rule() {
    let mut frame = Frame::new(schema());
    for i in 0..100 {
        frame.push_row(at(i), &[value(i)]).unwrap();
    }
    let forecaster = trainer().fit(&frame, ForecastTarget::Column(0), 10).unwrap();
    std::fs::write(path(), forecaster.to_bytes().unwrap()).unwrap();
}
