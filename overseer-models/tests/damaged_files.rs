//! Stored models of today's format, damaged one byte at a time: each is refused, and none is believed about lengths.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in tests a panic is the report")]

use overseer_core::{
    DetectorTrainer, Feature, ForecastTarget, ForecasterTrainer, Frame, Schema, Span, Timestamp,
    Unit,
};
use overseer_models::detector::ForestDetectorTrainer;
use overseer_models::file::Reader;
use overseer_models::forecaster::{ForestForecasterTrainer, Rule, RuleForecasterTrainer};

const DETECTOR: &[u8] = include_bytes!("data/detector_v6.model");
const FORECASTER: &[u8] = include_bytes!("data/forecaster_v4.model");

/// The schema of both files; resolutions are the detector's.
fn schema(resolutions: Option<[f64; 2]>) -> Schema {
    let mut features = vec![
        Feature::new("system.cpu.utilization", Unit::Ratio),
        Feature::new("system.network.io", Unit::BytesPerSecond),
    ];
    if let Some(resolutions) = resolutions {
        let with = |(f, r): (Feature, f64)| f.with_resolution(r);
        features = features.into_iter().zip(resolutions).map(with).collect();
    }
    Schema::new(features).unwrap()
}

fn every_damage_is_refused(file: &[u8], loads: impl Fn(&[u8]) -> bool) {
    assert!(loads(file), "the file as it is");
    let mut damaged = file.to_vec();
    for place in 0..file.len() {
        for pattern in [1 << (place % 8), 0xff] {
            damaged[place] ^= pattern;
            assert!(!loads(&damaged), "byte {place} changed by {pattern:#x}");
            damaged[place] = file[place];
        }
    }
}

#[test]
fn a_detector_with_any_byte_changed_is_refused() {
    let trainer = ForestDetectorTrainer::builder().build().unwrap();
    let schema = schema(Some([0.02, 10_000.0]));
    every_damage_is_refused(DETECTOR, |bytes| trainer.load(bytes, &schema).is_ok());
}

#[test]
fn a_forecaster_with_any_byte_changed_is_refused() {
    let trainer = ForestForecasterTrainer::builder().build().unwrap();
    let schema = schema(None);
    every_damage_is_refused(FORECASTER, |bytes| trainer.load(bytes, &schema).is_ok());
}

#[test]
fn a_forecaster_by_a_rule_with_any_byte_changed_is_refused() {
    let mut frame = Frame::new(Schema::from_names(["cpu"]).unwrap());
    for row in 0..200_u32 {
        let time = Timestamp::from_millis(5000 * i64::from(row));
        frame.push_row(time, &[f64::from(row * 37 % 23)]).unwrap();
    }
    for rule in [Rule::LastValue, Rule::Median(5), Rule::Before(Span::from_secs(60))] {
        let trainer = RuleForecasterTrainer::builder(rule).build().unwrap();
        let model = trainer.fit(&frame, ForecastTarget::Column(0), 2).unwrap();
        let file = model.to_bytes().unwrap();
        every_damage_is_refused(&file, |bytes| trainer.load(bytes, frame.schema()).is_ok());
    }
}

/// What announces more than the file has left is refused before anything is allocated for it: a length of 2^63 could
/// not be allocated at all.
#[test]
fn a_length_beyond_the_end_of_the_file_is_refused() {
    for announced in [3_u64, 1 << 40, 1 << 63, u64::MAX] {
        let bytes = [&announced.to_le_bytes()[..], &[0; 8]].concat();
        assert!(Reader::new(&bytes).f64s().unwrap_err().is_corrupt(), "{announced}");
        assert!(Reader::new(&bytes).f32s().unwrap_err().is_corrupt(), "{announced}");
        assert!(Reader::new(&bytes).u32s().unwrap_err().is_corrupt(), "{announced}");
        assert!(announced == 3 || Reader::new(&bytes).length().unwrap_err().is_corrupt());
    }
}

/// Whatever number stands anywhere in a file, the loader allocates no more than the file justifies. Tried in a process
/// that may use 600 MB of addresses, by putting a thousand million in the place of every few bytes: who believed one of
/// them would end that process.
#[cfg(target_os = "linux")]
#[test]
fn no_number_in_a_file_makes_the_loader_allocate_beyond_what_the_file_justifies() {
    const CHILD: &str = "OVERSEER_MODELS_TEST_CHILD";
    const NAME: &str =
        "no_number_in_a_file_makes_the_loader_allocate_beyond_what_the_file_justifies";
    if std::env::var_os(CHILD).is_some() {
        return every_number_is_doubted();
    }
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 600000 && exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("numbers were doubted"), "{said}");
}

#[cfg(target_os = "linux")]
fn every_number_is_doubted() {
    let detectors = ForestDetectorTrainer::builder().trees(2).build().unwrap();
    let forecasters = ForestForecasterTrainer::builder().trees(2).lags(3).build().unwrap();
    let mut frame = Frame::new(Schema::from_names(["cpu"]).unwrap());
    for row in 0..100_u32 {
        let time = Timestamp::from_millis(5000 * i64::from(row));
        frame.push_row(time, &[f64::from(row * 37 % 23)]).unwrap();
    }
    let schema = frame.schema().clone();
    let detector = detectors.fit(&frame).unwrap().to_bytes().unwrap();
    let target = ForecastTarget::Column(0);
    let forecaster = forecasters.fit(&frame, target, 2).unwrap().to_bytes().unwrap();
    let mut doubted = 0;
    for (file, is_detector) in [(detector, true), (forecaster, false)] {
        let stride = 1 + file.len() / 5000;
        for place in (0..file.len() - 12).step_by(stride) {
            for number in [&1_000_000_000_u32.to_le_bytes()[..], &1_000_000_000_u64.to_le_bytes()] {
                let mut bytes = file.clone();
                bytes[place..place + number.len()].copy_from_slice(number);
                let end = bytes.len() - 4;
                let checksum = crc32fast::hash(&bytes[..end]);
                bytes[end..].copy_from_slice(&checksum.to_le_bytes());
                if is_detector {
                    let _ = detectors.load(&bytes, &schema);
                } else {
                    let _ = forecasters.load(&bytes, &schema);
                }
                doubted += 1;
            }
        }
    }
    println!("{doubted} numbers were doubted");
}
