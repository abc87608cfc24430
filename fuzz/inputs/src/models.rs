//! The loader of models, behind the checksum that would keep nearly every byte from it.

use overseer_core::{
    Detector, DetectorTrainer, Feature, ForecastTarget, Forecaster, ForecasterTrainer, Frame,
    Sample, Schema, Timestamp, Unit,
};
use overseer_models::detector::ForestDetectorTrainer;
use overseer_models::file;
use overseer_models::forecaster::ForestForecasterTrainer;
use std::sync::OnceLock;

const DETECTOR: &str = "isolation_forest_detector";
const FORECASTER: &str = "random_forest_forecaster";

fn schema() -> Schema {
    let features = vec![
        Feature::new("system.cpu.utilization", Unit::Ratio).with_resolution(0.02),
        Feature::new("system.network.io", Unit::BytesPerSecond).with_resolution(10_000.0),
    ];
    Schema::new(features).expect("two features")
}

fn at(row: u32) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + 5000 * i64::from(row))
}

fn sample(row: u32) -> Sample {
    let network =
        if row.is_multiple_of(19) { f64::NAN } else { 1e5 + 4e3 * f64::from(row * 53 % 31) };
    Sample::new(at(row), vec![0.1 + 0.01 * f64::from(row * 37 % 23), network])
}

fn detectors() -> ForestDetectorTrainer {
    ForestDetectorTrainer::builder().trees(2).seed(7).build().expect("two trees")
}

fn forecasters() -> ForestForecasterTrainer {
    ForestForecasterTrainer::builder().trees(2).lags(3).seed(7).build().expect("two trees")
}

/// A detector and a forecaster as small as they come, as model files.
#[must_use]
pub fn small_models() -> &'static [Vec<u8>; 2] {
    static MODELS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    MODELS.get_or_init(|| {
        let mut frame = Frame::new(schema());
        for row in 0..100 {
            frame.push(&sample(row)).expect("a sample of the schema");
        }
        let detector = detectors().fit(&frame).expect("a detector of 100 rows");
        let target = ForecastTarget::Column(0);
        let forecaster = forecasters().fit(&frame, target, 2).expect("a forecaster of 100 rows");
        [detector.to_bytes(), forecaster.to_bytes()].map(|bytes| bytes.expect("a model file"))
    })
}

fn payload(kind: usize) -> &'static [u8] {
    let kinds = [DETECTOR, FORECASTER];
    file::decode(&small_models()[kind], kinds[kind], &schema()).expect("a sound file").1
}

/// Changes to bytes that are sound, twelve bytes each: what to do, where (three bytes), and with what (eight). So a few
/// bytes say a damaged model of many, and the fuzzer need not find out what a model looks like.
fn edited(mut bytes: Vec<u8>, edits: &[u8]) -> Vec<u8> {
    const SPECIAL: [f64; 8] = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        -0.0,
        -1.0,
        1e300,
    ];
    for edit in edits.chunks_exact(12) {
        let place = u32::from_le_bytes([edit[1], edit[2], edit[3], 0]) as usize;
        let place = place % (bytes.len() + 1);
        let value: [u8; 8] = std::array::from_fn(|i| edit[4 + i]);
        let put = |bytes: &mut Vec<u8>, new: &[u8]| {
            for (old, new) in bytes[place..].iter_mut().zip(new) {
                *old = *new;
            }
        };
        match edit[0] % 8 {
            0 => put(&mut bytes, &value[..1]),
            1 => put(&mut bytes, &value[..4]),
            2 => put(&mut bytes, &value),
            3 => put(&mut bytes, &SPECIAL[usize::from(value[0]) % 8].to_le_bytes()),
            4 => bytes.truncate(place),
            5 => drop(bytes.drain(place..(place + usize::from(value[0])).min(bytes.len()))),
            6 => drop(bytes.splice(place..place, value)),
            _ => put(&mut bytes, &(SPECIAL[usize::from(value[0]) % 8] as f32).to_le_bytes()),
        }
    }
    bytes
}

/// The first byte says what the others are: of a detector or a forecaster, changes to the payload of a sound one or to
/// its whole file, or such a payload or file itself. The checksum of a file is made right. What is accepted is
/// stored and loaded again, and judges or forecasts.
pub fn model(data: &[u8]) {
    let Some((&what, body)) = data.split_first() else { return };
    let number = usize::from(what % 2);
    let (is_detector, kind) = (number == 0, [DETECTOR, FORECASTER][number]);
    let sound = &small_models()[number];
    let body = match what / 2 % 4 {
        0 => edited(payload(number).to_vec(), body),
        1 => edited(sound.clone(), body),
        _ => body.to_vec(),
    };
    let bytes = if what / 2 % 2 == 0 {
        let (metadata, _) = file::decode(sound, kind, &schema()).expect("a sound file");
        file::encode(kind, &metadata, &body).expect("metadata that was read")
    } else {
        let body = body.split_last_chunk::<4>().map_or(&*body, |(body, _)| body);
        [body, &crc32fast::hash(body).to_le_bytes()].concat()
    };
    if is_detector {
        if let Ok(detector) = detectors().load(&bytes, &schema()) {
            use_detector(detector);
        }
    } else if let Ok(forecaster) = forecasters().load(&bytes, &schema()) {
        use_forecaster(forecaster);
    }
}

fn use_detector(mut detector: Box<dyn Detector>) {
    let bytes = detector.to_bytes().expect("what was loaded can be stored");
    detectors().load(&bytes, &schema()).expect("what was stored can be loaded");
    for row in 100..104 {
        let _ = detector.observe(&sample(row));
    }
    let _ = detector.explain();
    detector.reset_lags();
    let _ = detector.observe(&sample(900));
    let _ = detector.to_bytes();
}

fn use_forecaster(mut forecaster: Box<dyn Forecaster>) {
    let bytes = forecaster.to_bytes().expect("what was loaded can be stored");
    forecasters().load(&bytes, &schema()).expect("what was stored can be loaded");
    for row in 100..110 {
        let _ = forecaster.observe(&sample(row));
    }
    let _ = forecaster.forecast(1);
    let _ = forecaster.forecast(forecaster.max_horizon().min(100));
    let _ = forecaster.to_bytes();
}
