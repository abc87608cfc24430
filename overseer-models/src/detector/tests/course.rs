//! Time: what comes later, gaps, what is missing, and what recurs.

use super::*;
use overseer_core::{LocalTime, host};
use std::sync::Arc;

#[test]
fn a_score_sees_nothing_that_comes_later() {
    let rows = noise(700, 3, 41);
    let detector = trainer().fit(&frame(&unknown(3), &rows[..400])).unwrap();
    let mut other = rows.clone();
    other[600..].iter_mut().for_each(|row| row.fill(99.0));
    let score = |rows: &[Vec<f64>]| detector.score(&frame(&unknown(3), rows)).unwrap();
    // All at once is where a later row could be looked at: truncated, and with other rows after it.
    let (whole, changed) = (score(&rows), score(&other));
    assert_eq!(whole[..600], score(&rows[..600]));
    assert_eq!(whole[..600], changed[..600]);
    assert_ne!(whole[600..], changed[600..]);
}

#[test]
fn a_gap_or_going_back_in_time_restarts_the_averages() {
    let rows = noise(400, 2, 45);
    let mut shaken = trainer().fit_detector(&frame(&unknown(2), &rows[..300])).unwrap();
    let high = vec![9.0, 9.0];
    observe_all(&mut shaken, 300, &[high.clone(), high.clone(), high]);
    let mut told = shaken.clone();
    told.reset_lags();
    let next = |detector: &ForestDetector, millis: i64| {
        let sample = Sample::new(Timestamp::from_millis(millis), vec![2.0, -1.0]);
        detector.clone().observe(&sample).unwrap()
    };
    let last = at(302).as_millis();
    assert_eq!(next(&shaken, last + 15_000), next(&shaken, last + 5_000));
    assert_ne!(next(&shaken, last + 15_000), next(&told, last + 15_000));
    for millis in [last + 15_001, last - 1] {
        assert_eq!(next(&shaken, millis), next(&told, last + 5_000));
    }
    // All at once and one by one see the same gap, also after the detector was stored between the rows.
    let mut frame = Frame::new(unknown(2));
    frame.push_row(Timestamp::from_millis(last + 60_000), &[2.0, -1.0]).unwrap();
    assert_eq!(shaken.score(&frame).unwrap(), [next(&told, last)]);
    let stored = trainer().load(&shaken.to_bytes().unwrap(), &unknown(2)).unwrap();
    assert_eq!(stored.score(&frame).unwrap(), [next(&told, last)]);
}

#[test]
fn one_by_one_and_all_at_once_score_the_same() {
    let rows = noise(600, 4, 51);
    let mut detector = trainer().fit(&frame(&unknown(4), &rows[..300])).unwrap();
    let batch = detector.score(&frame_from(300, &unknown(4), &rows[300..])).unwrap();
    assert_eq!(batch, observe_all(&mut *detector, 300, &rows[300..]));
}

#[test]
fn missing_features_and_gaps_do_not_break_it() {
    let mut rows = calm_host(900, 101);
    for (i, row) in rows.iter_mut().enumerate() {
        row[host::PRESSURE_CPU] = f64::NAN;
        if i % 7 == 0 {
            row[host::CPU_UTILIZATION] = f64::NAN;
        }
    }
    let mut history = Frame::new(host::schema());
    for (i, row) in rows[..600].iter().enumerate() {
        let pause = if i > 300 { 3_600_000 } else { 0 };
        history.push_row(at(i) + overseer_core::Span::from_millis(pause), row).unwrap();
    }
    let mut detector = trainer().fit(&history).unwrap();
    assert_eq!(detector.metadata().interval_ms, 5000);
    detector.reset_lags();
    let judged = observe_all(&mut *detector, 2000, &rows[600..]);
    assert!(judged.iter().all(|j| j.p_value > 1e-5 && (0.0..1.0).contains(&j.score)));
    // What was never known in training says nothing when it appears; a row without any value is not unusual.
    let mut row = rows[0].clone();
    row[host::PRESSURE_CPU] = 0.9;
    assert!(detector.observe(&Sample::new(at(2300), row)).unwrap().p_value > 1e-4);
    let blank = detector.observe(&Sample::new(at(2301), vec![f64::NAN; 13])).unwrap();
    assert_eq!((blank.score, blank.p_value), (0.0, 1.0));
    assert!(detector.explain().iter().all(|e| e.contribution == 0.0 && e.observed.is_nan()));
}

/// Clocks so many hours ahead of UTC.
#[derive(Debug)]
struct Ahead(i32);

impl LocalTime for Ahead {
    fn name(&self) -> &str {
        if self.0 == 0 { "here" } else { "elsewhere" }
    }

    fn utc_offset_seconds(&self, _: Timestamp) -> i32 {
        3600 * self.0
    }
}

#[test]
fn what_recurs_every_week_is_kept_by_the_same_clocks_and_forgotten_by_others() {
    let by = |hours| {
        let clocks = Arc::new(Ahead(hours));
        ForestDetectorTrainer::builder().seed(3).trees(5).local_time(clocks).build().unwrap()
    };
    // Half an hour apart, for two weeks and three days.
    let mut history = Frame::new(unknown(1));
    let half_hour = |row: i64| Timestamp::from_millis(row * 1_800_000);
    for (row, value) in noise(17 * 48, 1, 161).iter().enumerate() {
        history.push_row(half_hour(row as i64), value).unwrap();
    }
    let detector = by(0).fit_detector(&history).unwrap();
    let readiness = detector.weekly_readiness().get();
    assert!((0.99..=1.0).contains(&readiness), "{readiness}");
    assert_eq!(detector.metadata().quality["weekly_readiness"].0, readiness);
    let bytes = detector.to_bytes().unwrap();
    let weekly = |trainer: ForestDetectorTrainer| {
        let mut loaded = ForestDetector::decode(&bytes, &unknown(1), &trainer.local_time).unwrap();
        let judged = loaded.observe(&Sample::new(half_hour(17 * 48), vec![0.5])).unwrap();
        (loaded.weekly_readiness().get(), judged.readiness)
    };
    let (same, other) = (weekly(by(0)), weekly(by(2)));
    assert_eq!((same.0, other.0), (readiness, 0.0));
    // All else is kept.
    assert_eq!(same.1, other.1);
}
