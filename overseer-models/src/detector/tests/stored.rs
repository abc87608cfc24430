//! What is stored and read again, and what is refused.

use super::*;
use crate::file;

#[test]
fn a_stored_detector_goes_on_as_if_it_had_never_stopped() {
    let rows = noise(700, 3, 61);
    let mut detector = trainer().fit(&frame(&unknown(3), &rows[..300])).unwrap();
    observe_all(&mut *detector, 300, &rows[300..450]);
    let bytes = detector.to_bytes().unwrap();
    let mut loaded = trainer().load(&bytes, &unknown(3)).unwrap();
    assert_eq!(loaded.explain(), detector.explain());
    assert_eq!(loaded.metadata(), detector.metadata());
    let a = observe_all(&mut *detector, 450, &rows[450..]);
    assert_eq!(a, observe_all(&mut *loaded, 450, &rows[450..]));
    assert_eq!(loaded.to_bytes().unwrap(), detector.to_bytes().unwrap());
    assert!(trainer().load(&bytes, &unknown(2)).unwrap_err().is_schema_mismatch());
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let rows = noise(100, 2, 111);
    let mut detector = trainer().fit(&frame(&unknown(2), &rows)).unwrap();
    let before = detector.to_bytes().unwrap();
    assert!(detector.explain().is_empty());
    assert!(detector.observe(&Sample::new(at(100), vec![1.0])).unwrap_err().is_schema_mismatch());
    let e = detector.observe(&Sample::new(at(100), vec![0.0, f64::INFINITY])).unwrap_err();
    assert_eq!(e.to_string(), "column `column 1`: the value is infinite");
    assert_eq!(detector.to_bytes().unwrap(), before);
    let few = frame(&unknown(2), &rows[..29]);
    assert!(trainer().fit(&few).unwrap_err().is_not_enough_data());
    let nothing = frame(&unknown(2), &vec![vec![f64::NAN; 2]; 50]);
    assert!(trainer().fit(&nothing).unwrap_err().is_not_enough_data());
    assert!(ForestDetectorTrainer::builder().trees(0).build().is_err());
}

#[test]
fn damaged_bytes_are_refused() {
    let rows = noise(60, 2, 131);
    let small = ForestDetectorTrainer::builder().trees(2).build().unwrap();
    let detector = small.fit(&frame(&unknown(2), &rows)).unwrap();
    let bytes = detector.to_bytes().unwrap();
    let kind = "isolation_forest_detector";
    let (metadata, payload) = file::decode(&bytes, kind, &unknown(2)).unwrap();
    for i in 0..payload.len() {
        // With a checksum that fits, so that what the payload claims is checked as well.
        let mut damaged = payload.to_vec();
        damaged[i] ^= 1 << (i % 8);
        let again = file::encode(kind, &metadata, &damaged).unwrap();
        if let Ok(mut read) = small.load(&again, &unknown(2)) {
            let judged = read.observe(&Sample::new(at(60), vec![0.5, 0.5])).unwrap();
            assert!((0.0..=1.0).contains(&judged.score), "byte {i}: {judged:?}");
        }
        let cut = file::encode(kind, &metadata, &payload[..i]).unwrap();
        assert!(small.load(&cut, &unknown(2)).is_err());
    }
}
