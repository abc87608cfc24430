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
const NEWEST: u32 = 5;

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

// The first two were written when the distance was another: what it makes of the past rows they keep is worked out anew,
// and evidence is weighed as it is today.
const THIRD: Answers = [
    [0.04021701256141139, 0.9562946258989337, 0.34, 0.12352941176470589],
    [0.6846334521979284, 2.572203380160773e-5, 0.341, 1.0],
    [0.5886148706596339, 0.02550164834599198, 0.342, 1.0],
    [0.6648051761470888, 0.015815431513268054, 0.343, 1.0],
    [0.6722819534780767, 0.0003122271698075396, 0.344, 1.0],
];

const FOURTH: Answers = [
    [0.04037471444553417, 0.9552059981774039, 0.34, 0.1264705882352941],
    [0.6831046419461241, 2.572203380160773e-5, 0.341, 1.0],
    [0.5886148706596339, 0.038189228205986366, 0.342, 1.0],
    [0.6625321329185093, 0.030252354606495724, 0.343, 1.0],
    [0.6703267066879873, 0.0006852235366868575, 0.344, 1.0],
];

const FIFTH: Answers = [
    [0.04038708286881898, 0.9562946258989337, 0.34, 0.12352941176470589],
    [0.6840409202007586, 2.572203380160773e-5, 0.341, 1.0],
    [0.5886148706596339, 0.037925787507732026, 0.342, 1.0],
    [0.6639274626019178, 0.03410507027643797, 0.343, 1.0],
    [0.6715255400112047, 0.0006811105883013268, 0.344, 1.0],
];

/// Each version that can be read, with what its detector answers.
const STORED: [(u32, Answers); 3] = [(3, THIRD), (4, FOURTH), (5, FIFTH)];

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
    let read = |version| {
        let bytes = std::fs::read(path(version)).unwrap();
        trainer().load(&bytes, &schema()).unwrap().metadata().quality.clone()
    };
    let (before, now) = (read(3), read(4));
    assert!(!before.contains_key("max_bytes"), "there was no limit then");
    assert_eq!(now["max_bytes"].0, LIMIT as f64);
    assert!(now["past_rows_kept"].0 < 2048.0);
}

#[test]
fn a_detector_of_an_earlier_kind_is_told_from_damage_so_that_a_new_one_is_trained() {
    // They looked at other inputs, and what they learned cannot be turned into what is learned now.
    for version in [1, 2] {
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
