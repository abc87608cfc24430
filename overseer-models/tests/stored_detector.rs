//! A detector stored in the repository is read and answers as on the day it was written, whatever became of the code
//! that trains detectors since.
//!
//! If the format changes on purpose, its version changes with it, and a new file joins the old ones:
//! `cargo test -p overseer-models --test stored_detector -- --ignored` writes it and prints its answers.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use overseer_core::{
    Detector, DetectorTrainer, Feature, Frame, Judgement, Probability, Sample, Schema, Timestamp,
    Unit,
};
use overseer_models::detector::ForestDetectorTrainer;
use std::path::PathBuf;

/// The version that is written today.
const NEWEST: u32 = 6;

fn path(version: u32) -> PathBuf {
    let file = format!("tests/data/detector_v{version}.model");
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn schema() -> Schema {
    Schema::new(vec![
        Feature::new("system.cpu.utilization", Unit::Ratio).with_resolution(0.02),
        Feature::new("system.network.io", Unit::BytesPerSecond).with_resolution(10_000.0),
    ])
    .unwrap()
}

fn trainer() -> ForestDetectorTrainer {
    ForestDetectorTrainer::builder().trees(10).seed(7).build().unwrap()
}

/// What the newest file was trained by: with a limit, so that it tells of one.
fn limited() -> ForestDetectorTrainer {
    ForestDetectorTrainer::builder().trees(10).seed(7).max_bytes(LIMIT).build().unwrap()
}

const LIMIT: usize = 130_000;

fn at(row: u32) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + 5000 * i64::from(row))
}

/// What the file was trained on: two features that go round at paces of their own, the second missing now and then.
fn history() -> Frame {
    let mut frame = Frame::new(schema());
    for row in 0..400 {
        let cpu = 0.1 + 0.01 * f64::from(row * 37 % 23);
        let network = if row % 19 == 0 { f64::NAN } else { 1e5 + 4e3 * f64::from(row * 53 % 31) };
        frame.push_row(at(row), &[cpu, network]).unwrap();
    }
    frame
}

/// Rows to judge: a usual one, a busy one, one of which half is missing, and after an hour a lively and a wild one.
fn samples() -> [Sample; 5] {
    [
        Sample::new(at(400), vec![0.2, 1.6e5]),
        Sample::new(at(401), vec![0.98, 1.6e5]),
        Sample::new(at(402), vec![f64::NAN, 1.0e5]),
        Sample::new(at(1122), vec![0.4, 1.6e5]),
        Sample::new(at(1123), vec![0.2, 9.0e7]),
    ]
}

fn answers(detector: &mut dyn Detector) -> Vec<Judgement> {
    samples().iter().map(|s| detector.observe(s).unwrap()).collect()
}

/// Score, p-value, readiness and rank of each of [`samples`].
type Answers = [[f64; 4]; 5];

const SIXTH: Answers = [
    [0.07131272966800858, 0.9201896412200947, 0.34, 0.21764705882352942],
    [0.7064689656857054, 2.572203380160773e-5, 0.341, 1.0],
    [0.5583290163393728, 0.03455607612304164, 0.342, 1.0],
    [0.6536147557163344, 0.027243873119597167, 0.343, 1.0],
    [0.6816907247972365, 0.0004366382950965762, 0.344, 1.0],
];

/// Each version that can be read, with what its detector answers.
const STORED: [(u32, Answers); 1] = [(6, SIXTH)];

#[test]
fn a_detector_stored_earlier_still_gives_the_same_answers() {
    for (version, golden) in STORED {
        let bytes = std::fs::read(path(version)).unwrap();
        assert!(bytes.len() < 250_000, "{} bytes", bytes.len());
        let read = trainer().load(&bytes, &schema()).unwrap();
        // Also once it was written in the newest version.
        let again = trainer().load(&read.to_bytes().unwrap(), &schema()).unwrap();
        for mut detector in [read, again] {
            let known = detector.metadata();
            assert_eq!((known.rows, known.interval_ms), (400, 5000));
            assert_eq!(known.trained_on, (at(0), at(399)));
            for (judged, golden) in answers(&mut *detector).iter().zip(golden) {
                let found =
                    [judged.score, judged.p_value, judged.readiness.get(), judged.rank.get()];
                for (found, golden) in found.iter().zip(golden) {
                    let apart = (found - golden).abs();
                    assert!(apart <= 1e-6 * golden.max(1e-12), "{version}: {judged:?} {golden}");
                }
            }
            let why = detector.explain();
            assert_eq!(why[0].feature, "system.network.io");
            assert!(why[0].is_outside());
        }
    }
}

#[test]
fn a_stored_detector_knows_what_it_may_hold() {
    let bytes = std::fs::read(path(NEWEST)).unwrap();
    let quality = trainer().load(&bytes, &schema()).unwrap().metadata().quality.clone();
    assert_eq!(quality["max_bytes"].0, LIMIT as f64);
    assert!(quality["past_rows_kept"].0 < 2048.0);
}

#[test]
fn a_detector_of_an_earlier_kind_is_told_from_damage_so_that_a_new_one_is_trained() {
    // They looked at other inputs or combined their evidence otherwise, and what they took for usual is not what would be
    // usual now.
    for version in 1..NEWEST {
        let bytes = std::fs::read(path(version)).unwrap();
        let error = trainer().load(&bytes, &schema()).unwrap_err();
        assert!(!error.is_corrupt() && !error.is_schema_mismatch(), "{error}");
        assert!(error.to_string().contains(&format!("version {version}")), "{error}");
    }
}

#[test]
fn a_stored_detector_is_written_again_byte_for_byte() {
    let bytes = std::fs::read(path(NEWEST)).unwrap();
    let detector = trainer().load(&bytes, &schema()).unwrap();
    assert_eq!(detector.to_bytes().unwrap(), bytes);
}

#[test]
#[ignore = "writes the file that the other tests read"]
fn write_the_stored_detector() {
    let mut detector = limited().fit(&history()).unwrap();
    std::fs::write(path(NEWEST), detector.to_bytes().unwrap()).unwrap();
    for judged in answers(&mut *detector) {
        let [rank, readiness] = [judged.rank, judged.readiness].map(Probability::get);
        println!("[{:?}, {:?}, {readiness:?}, {rank:?}],", judged.score, judged.p_value);
    }
}
