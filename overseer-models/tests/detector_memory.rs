//! A detector holds as much memory as it says, and never more than it may.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use allocation_counter::measure;
use overseer_core::{Detector, DetectorTrainer, Frame, Judgement, Sample, Schema, Timestamp, host};
use overseer_models::detector::{
    ForestDetector, ForestDetectorTrainer, ForestDetectorTrainerBuilder as Builder,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

/// What the detector of the host's schema may hold.
const DEFAULT: usize = 2_000_000;
/// What learning takes for a moment besides, with that schema.
const FOR_A_MOMENT: usize = 800_000;

fn trainer(max_bytes: Option<usize>) -> ForestDetectorTrainer {
    let builder = ForestDetectorTrainer::builder().seed(5);
    max_bytes.into_iter().fold(builder, Builder::max_bytes).build().unwrap()
}

fn at(row: usize) -> Timestamp {
    Timestamp::from_millis(row as i64 * 300_000)
}

fn columns(features: usize) -> Schema {
    Schema::from_names((0..features).map(|i| format!("column {i}"))).unwrap()
}

/// Features that go together, of which the third never varies, with a missing value now and then.
fn rows(from: usize, to: usize, schema: &Schema) -> Frame {
    let mut frame = Frame::new(schema.clone());
    for i in from..to {
        let mut rng = Pcg64Mcg::seed_from_u64(i as u64);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let shared = normal();
        let mut row: Vec<f64> = (0..schema.len()).map(|_| shared + normal()).collect();
        if let Some(still) = row.get_mut(2) {
            *still = 7.0;
        }
        if i % 17 == 0 && schema.len() > 1 {
            row[i % schema.len()] = f64::NAN;
        }
        frame.push_row(at(i), &row).unwrap();
    }
    frame
}

fn observe(detector: &mut ForestDetector, frame: &Frame) -> Vec<Judgement> {
    let observe = |(time, row): (Timestamp, &[f64])| {
        detector.observe(&Sample::new(time, row.to_vec())).unwrap()
    };
    frame.rows().map(observe).collect()
}

/// The least that such a detector needs, as it says itself. What its trees look at together hangs on chance, and so a
/// little of that too.
fn least(builder: Builder, history: &Frame) -> usize {
    let trainer = builder.max_bytes(65_536).build().unwrap();
    let error = trainer.fit_detector(history).unwrap_err().to_string();
    let words = error.split_whitespace().collect::<Vec<_>>();
    let place = words.iter().position(|word| *word == "least").unwrap();
    words[place + 1].parse().unwrap()
}

#[test]
fn what_it_says_to_hold_is_what_it_holds() {
    for (schema, max) in [
        (columns(1), None),
        (columns(3), Some(200_000)),
        (host::schema(), None),
        (host::schema(), Some(700_000)),
        (columns(45), Some(2_500_000)),
    ] {
        let (history, coming) = (rows(0, 400, &schema), rows(400, 1300, &schema));
        let mut kept = None;
        let fitted = measure(|| {
            let mut detector = trainer(max).fit_detector(&history).unwrap();
            coming.rows().for_each(|(time, row)| {
                detector.observe(&Sample::new(time, row.to_vec())).unwrap();
            });
            kept = Some(detector);
        });
        let mut copied = None;
        let detector = kept.unwrap();
        let next = rows(1300, 1301, &schema);
        let copy = measure(|| {
            let mut copy = detector.clone();
            observe(&mut copy, &next);
            copied = Some(copy);
        });
        for (detector, counted) in [(detector, fitted), (copied.unwrap(), copy)] {
            // The detector itself is on the stack here, and the clocks are counted to nobody.
            let said = (detector.memory_bytes() - size_of::<ForestDetector>()) as i64;
            let apart = (said - counted.bytes_current).abs();
            assert!(apart <= 256, "{} features: {said} and {counted:?}", schema.len());
        }
    }
}

#[test]
fn the_hosts_schema_takes_less_than_two_megabytes_and_learning_a_moments_more() {
    let schema = host::schema();
    let mut detector = trainer(None).fit_detector(&rows(0, 5000, &schema)).unwrap();
    assert!(detector.memory_bytes() <= DEFAULT, "{}", detector.memory_bytes());
    assert!(detector.memory_bytes() > DEFAULT / 2, "this is the whole of it");
    let coming = rows(5000, 6200, &schema);
    let counted = measure(|| {
        for (time, row) in coming.rows() {
            detector.observe(&Sample::new(time, row.to_vec())).unwrap();
        }
    });
    assert!(detector.memory_bytes() <= DEFAULT, "{}", detector.memory_bytes());
    assert!(counted.bytes_max <= FOR_A_MOMENT as u64, "{counted:?}");
    assert_eq!(detector.max_bytes(), None);
    assert!(!detector.metadata().quality.contains_key("max_bytes"));
}

#[test]
fn what_is_given_up_comes_in_the_order_that_is_told() {
    let schema = columns(20);
    let history = rows(0, 40, &schema);
    let least = least(ForestDetectorTrainer::builder().seed(5), &history);
    let kept = |max: usize| trainer(Some(max)).fit_detector(&history).unwrap();
    let (mut before, mut seen) = (kept(10_000_000).kept(), Vec::new());
    assert_eq!((before.past_rows, before.past_scores, before.trees), (2048, 4096, 100));
    assert_eq!(before.features_together, 32);
    for max in (least..4_000_000).rev().step_by(30_000).chain([least]) {
        let detector = kept(max);
        let now = detector.kept();
        let what = [
            now.past_rows == 2048,
            now.past_scores == 4096,
            now.trees == 100,
            now.features_together == 32,
        ];
        // With fewer features together there is room for the rest again.
        if now.features_together == before.features_together {
            assert!(now.past_rows <= before.past_rows && now.past_scores < before.past_scores + 9);
        }
        if now.past_scores < 4096 {
            assert_eq!(now.past_rows, 256, "{max}: {now:?}");
        }
        if now.trees < 100 {
            // What is left over is less than a tree, which may be some scores.
            assert!(now.past_rows == 256 && now.past_scores < 520, "{max}: {now:?}");
        }
        let told = &detector.metadata().quality;
        if what == [true; 4] {
            assert!(!told.contains_key("past_rows_kept"));
        } else {
            assert_eq!(told["max_bytes"].0, max as f64);
            assert_eq!(told["past_rows_kept"].0, now.past_rows as f64);
            assert_eq!(told["past_scores_kept"].0, now.past_scores as f64);
            assert_eq!(told["trees_kept"].0, now.trees as f64);
            assert_eq!(told["features_together"].0, now.features_together as f64);
        }
        seen.push(what);
        before = now;
    }
    for way in 0..4 {
        assert!(seen.iter().any(|what| !what[way]), "number {way} is given up nowhere");
    }
}

#[test]
fn less_than_the_least_is_refused() {
    let history = rows(0, 100, &host::schema());
    let least = least(ForestDetectorTrainer::builder().seed(5), &history);
    let mut smallest = trainer(Some(least)).fit_detector(&history).unwrap();
    observe(&mut smallest, &rows(100, 700, &host::schema()));
    assert!(smallest.memory_bytes() <= least, "{} {least}", smallest.memory_bytes());
    let refused = trainer(Some(least - 1)).fit_detector(&history).unwrap_err();
    assert!(refused.is_invalid_input());
    assert_eq!(
        refused.to_string(),
        format!(
            "parameter `max_bytes`: a detector of 13 features needs at least {least} bytes, and {} were allowed",
            least - 1
        )
    );
    let absurd = ForestDetectorTrainer::builder().max_bytes(65_535).build().unwrap_err();
    assert!(absurd.to_string().contains("65536"), "{absurd}");
}

#[test]
fn a_limit_is_stored_and_a_loaded_detector_gives_up_what_is_too_much() {
    let schema = columns(6);
    let history = rows(0, 3000, &schema);
    let coming = rows(3000, 3400, &schema);
    let whole = trainer(None).fit_detector(&history).unwrap();
    let limited = trainer(Some(500_000)).fit_detector(&history).unwrap();
    // With another limit or none it goes on as it is.
    for max in [None, Some(600_000)] {
        let mut loaded = trainer(max).load(&limited.to_bytes().unwrap(), &schema).unwrap();
        assert_eq!(loaded.metadata(), limited.metadata());
        let mut limited = limited.clone();
        let judged: Vec<Judgement> = coming
            .rows()
            .map(|(t, row)| loaded.observe(&Sample::new(t, row.to_vec())).unwrap())
            .collect();
        assert_eq!(judged, observe(&mut limited, &coming));
        assert_eq!(loaded.to_bytes().unwrap(), limited.to_bytes().unwrap());
    }
    let bytes = whole.to_bytes().unwrap();
    let smaller = trainer(Some(400_000)).load(&bytes, &schema).unwrap();
    assert!(smaller.metadata().quality["past_rows_kept"].0 < 2048.0);
    let counted = measure(|| drop(smaller.boxed_clone()));
    assert!(counted.bytes_max <= 400_000, "{counted:?}");
    assert!(smaller.score(&coming).unwrap().iter().all(|j| (0.0..1.0).contains(&j.score)));
    let refused = trainer(Some(65_536)).load(&bytes, &schema).unwrap_err();
    assert!(!refused.is_corrupt() && refused.to_string().contains("at least"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_limit_is_ever_exceeded(
        features in prop_oneof![6 => 1..16_usize, 2 => 16..40_usize, 1 => 40..70_usize],
        trained in 30..400_usize,
        part in 0.0..1.0f64,
        trees in 1..150_usize,
        seed in any::<u64>(),
    ) {
        let schema = columns(features);
        let history = rows(0, trained, &schema);
        let trainer = ForestDetectorTrainer::builder().seed(seed).trees(trees);
        let least = least(trainer.clone(), &history);
        let max = least + (part * 3.0 * least as f64) as usize;
        let trainer = trainer.max_bytes(max);
        let mut detector = trainer.build().unwrap().fit_detector(&history).unwrap();
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        for (i, (time, row)) in rows(trained, trained + 400, &schema).rows().enumerate() {
            let mut row = row.to_vec();
            if i % 50 < 5 {
                row[rng.random_range(0..features)] = 1e6 * rng.random::<f64>();
            }
            detector.observe(&Sample::new(time, row)).unwrap();
            prop_assert!(detector.memory_bytes() <= max, "row {}: {}", i, detector.memory_bytes());
            if i == 200 {
                let bytes = detector.to_bytes().unwrap();
                let loaded = self::trainer(Some(max)).load(&bytes, &schema);
                prop_assert!(loaded.is_ok());
                let copy = measure(|| drop(detector.clone()));
                prop_assert!(copy.bytes_max <= max as u64);
            }
        }
    }

    #[test]
    fn more_than_is_needed_changes_nothing(features in 1..20_usize, seed in any::<u64>()) {
        let schema = columns(features);
        let history = rows(0, 300, &schema);
        let coming = rows(300, 500, &schema);
        let judged = |max: Option<usize>| {
            let builder = ForestDetectorTrainer::builder().seed(seed);
            let builder = max.into_iter().fold(builder, Builder::max_bytes);
            let mut detector = builder.build().unwrap().fit_detector(&history).unwrap();
            (observe(&mut detector, &coming), detector.metadata().clone())
        };
        prop_assert_eq!(judged(None), judged(Some(8_000_000)));
    }
}
