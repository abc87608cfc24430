//! Stored models of today's format, damaged one byte at a time: each is refused, and none is believed about lengths.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use overseer_core::{DetectorTrainer, Feature, ForecasterTrainer, Schema, Unit};
use overseer_models::detector::ForestDetectorTrainer;
use overseer_models::file::Reader;
use overseer_models::forecaster::ForestForecasterTrainer;

const DETECTOR: &[u8] = include_bytes!("data/detector_v3.model");
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
