//! A forecaster stored in the repository is read and answers as on the day it was written, whatever became of the code
//! that trains forecasters since.
//!
//! If the format changes on purpose, its version changes with it, and a new file joins the old one:
//! `cargo test -p overseer-models --test stored_forecaster -- --ignored --nocapture` writes it and prints its answers.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use overseer_core::{
    Feature, ForecastTarget, Forecaster, ForecasterTrainer, Frame, Probability, Sample, Schema,
    Timestamp, Unit,
};
use overseer_models::forecaster::{ExpertSet, ForestForecasterTrainer};
use std::path::PathBuf;

/// The newest version of the payload.
const NEWEST: usize = 4;

fn path(version: usize) -> PathBuf {
    let name = format!("tests/data/forecaster_v{version}.model");
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn schema() -> Schema {
    Schema::new(vec![
        Feature::new("system.cpu.utilization", Unit::Ratio),
        Feature::new("system.network.io", Unit::BytesPerSecond),
    ])
    .unwrap()
}

fn trainer() -> ForestForecasterTrainer {
    ForestForecasterTrainer::builder().trees(6).seed(7).build().unwrap()
}

/// With each setting that version 4 keeps unlike the default.
fn newest_trainer() -> ForestForecasterTrainer {
    let builder = ForestForecasterTrainer::builder().trees(6).seed(7).min_leaf(8).moments(150);
    builder.other_features(false).clock(false).experts(ExpertSet::Analogues).build().unwrap()
}

fn at(row: u32) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + 5000 * i64::from(row))
}

/// Two features that go round at paces of their own; now and then the first is missing, and the second more often.
fn row(i: u32) -> [f64; 2] {
    let cpu = if i % 41 == 3 { f64::NAN } else { 0.1 + 0.03 * f64::from(i * 5 % 23) };
    let network = if i.is_multiple_of(19) { f64::NAN } else { 1e5 + 4e3 * f64::from(i * 53 % 31) };
    [cpu, network]
}

fn history() -> Frame {
    let mut frame = Frame::new(schema());
    for i in 0..200 {
        frame.push_row(at(i), &row(i)).unwrap();
    }
    frame
}

/// Bounds, median and coverage at one, four and ten steps: as it was stored, and after twenty more rows.
fn answers(forecaster: &mut dyn Forecaster) -> Vec<[f64; 4]> {
    let mut answers = Vec::new();
    let mut ask = |forecaster: &dyn Forecaster| {
        let forecasts = forecaster.forecast(10).unwrap();
        for f in [0, 3, 9].map(|i| forecasts[i]) {
            let coverage = f.coverage.map_or(-1.0, Probability::get);
            answers.push([f.interval.lower, f.median, f.interval.upper, coverage]);
        }
    };
    ask(forecaster);
    for i in 200..220 {
        forecaster.observe(&Sample::new(at(i), row(i).to_vec())).unwrap();
    }
    ask(forecaster);
    answers
}

/// What [`answers`] gave on the day the file of the newest version was written. Forecasters of older versions answer with
/// the analogues, intervals and losses of bounds they held; their medians are weighed anew. A coverage of -1 stands for
/// one not yet known.
const GOLDEN: [[[f64; 4]; 6]; NEWEST] = [
    [
        [0.42999999999999994, 0.42999999999999994, 0.43002885153946113, 0.896551724137931],
        [0.17680161110778242, 0.19, 0.19000000865740355, 0.9636363636363636],
        [0.39999979067703695, 0.4, 0.4057390274046375, 0.9591836734693877],
        [0.6699999999999999, 0.6699999999999999, 0.6700000182322631, 0.8947368421052632],
        [0.4004059180406922, 0.42999999999999994, 0.43, 0.9571428571428572],
        [0.6399902998781166, 0.64, 0.6400270867083007, 0.9322033898305084],
    ],
    [
        [0.42999999999999994, 0.42999999999999994, 0.4300696225603982, 0.9482758620689655],
        [0.17711095211716624, 0.19, 0.1900000468891253, 0.9636363636363636],
        [0.39999791726333433, 0.4, 0.4084199279230274, 0.9387755102040817],
        [0.6699999999999999, 0.6699999999999999, 0.6700000027417039, 0.9473684210526315],
        [0.40973210640833085, 0.42999999999999994, 0.4300000000000013, 0.9571428571428572],
        [0.6399679013846029, 0.64, 0.6400112468926054, 0.9152542372881356],
    ],
    [
        [0.42999999999999994, 0.42999999999999994, 0.4300087858703706, 0.9827586206896551],
        [0.17051731042912316, 0.19000000000000003, 0.19000000241556467, 0.9454545454545454],
        [0.39999888400878364, 0.4, 0.4010424433385332, 0.9387755102040817],
        [0.048999999999999974, 0.6699999999999999, 0.6700000000008494, 0.961038961038961],
        [0.34014072249744615, 0.42999999999999994, 0.4300000027739974, 0.9324324324324325],
        [0.6399949260131164, 0.64, 0.6486888857392815, 0.9411764705882353],
    ],
    [
        [0.4299998556328528, 0.43, 0.43036603749656505, 0.9482758620689655],
        [0.18260106811549068, 0.19000000000000003, 0.19000000005759457, 0.9272727272727272],
        [0.3999999824156254, 0.4, 0.4036919995574305, 0.9591836734693877],
        [0.6699996300649498, 0.6699999999999999, 0.67, 0.935064935064935],
        [0.38779806994164817, 0.42999999999999994, 0.43000000000000005, 0.9324324324324325],
        [0.6399999232185842, 0.64, 0.64, 0.9411764705882353],
    ],
];

#[test]
fn a_forecaster_stored_earlier_still_gives_the_same_answers() {
    // Version 1 held thresholds to the last bit, and values as regular as these lie on them: rounded, a few go the
    // other way.
    for ((version, golden), tolerance) in (1..).zip(GOLDEN).zip([2e-3, 1e-9, 1e-9, 1e-9]) {
        let bytes = std::fs::read(path(version)).unwrap();
        assert!(bytes.len() < 60_000, "{} bytes", bytes.len());
        let mut forecaster = trainer().load(&bytes, &schema()).unwrap();
        assert_eq!(
            (forecaster.target(), forecaster.max_horizon()),
            (ForecastTarget::Column(0), 10)
        );
        let known = forecaster.metadata();
        assert_eq!((known.rows, known.interval_ms), (200, 5000));
        assert_eq!(known.trained_on, (at(0), at(199)));
        let found = answers(&mut *forecaster);
        let near = |(f, g): (&f64, &f64)| (f - g).abs() <= tolerance;
        assert!(
            found.iter().flatten().zip(golden.iter().flatten()).all(near),
            "version {version}: {found:?} {golden:?}"
        );
    }
}

#[test]
fn a_forecaster_of_the_newest_version_is_written_again_byte_for_byte() {
    let bytes = std::fs::read(path(NEWEST)).unwrap();
    let forecaster = trainer().load(&bytes, &schema()).unwrap();
    assert_eq!(forecaster.to_bytes().unwrap(), bytes);
}

#[test]
fn a_forecaster_of_an_older_version_is_written_in_the_newest_and_answers_the_same() {
    let old = trainer().load(&std::fs::read(path(1)).unwrap(), &schema()).unwrap();
    let mut new = trainer().load(&old.to_bytes().unwrap(), &schema()).unwrap();
    assert_eq!(answers(&mut *new), answers(&mut *{ old }));
}

#[test]
#[ignore = "writes the file of the newest version that the other tests read"]
fn write_the_stored_forecaster() {
    let mut forecaster = newest_trainer().fit(&history(), ForecastTarget::Column(0), 10).unwrap();
    std::fs::write(path(NEWEST), forecaster.to_bytes().unwrap()).unwrap();
    for answer in answers(&mut *forecaster) {
        println!("{answer:?},");
    }
}
