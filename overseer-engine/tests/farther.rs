//! Questions that single samples cannot answer are answered from what is kept by the minute and by the hour.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, run, start};
use overseer_core::{PredictionType, Sample, Span, Store, Timestamp, host};
use overseer_engine::host::store::SqliteStore;
use overseer_engine::{Config, Engine, Role, host as wired};
use std::path::Path;
use std::time::Duration;

const HOUR: i64 = 3600;

/// A CPU that works by a rhythm of six hours, and by chance a little more or less every ten minutes; the same in every
/// run.
fn cpu(at: Timestamp) -> f64 {
    let seconds = at.as_millis() as f64 / 1000.0;
    let noise = |x: f64| (x * 0.618_033_988_7).fract() - 0.5;
    let rhythm = (std::f64::consts::TAU * seconds / (6.0 * HOUR as f64)).sin();
    0.5 + 0.3 * rhythm + 0.02 * noise(seconds) + 0.06 * noise((seconds / 600.0).floor().powi(2))
}

/// The mean over the ten minutes that hold this moment.
fn mean_cpu(at: Timestamp) -> f64 {
    let cell = at - Span::from_millis(at.as_millis().rem_euclid(600_000));
    (0..40).map(|i| cpu(cell + Span::from_secs(15 * i))).sum::<f64>() / 40.0
}

/// A store that has `hours` of a sample every 15 s before [`start`], of which the oldest are minutes only.
fn store(place: &Path, hours: i64) -> SqliteStore {
    let mut store = SqliteStore::open(&place.join("overseer.db"), &host::schema(), "test").unwrap();
    let every = Span::from_secs(15);
    store.set_step(every).unwrap();
    for hour in (1..=hours).rev() {
        let samples: Vec<Sample> = (0..240)
            .map(|i| {
                let at = start() - Span::from_secs(hour * HOUR - 15 * i);
                let mut values = vec![f64::NAN; host::schema().len()];
                values[host::CPU_UTILIZATION] = cpu(at);
                values[host::MEMORY_UTILIZATION] = 0.1;
                Sample::new(at, values)
            })
            .collect();
        store.append(every, &samples).unwrap();
    }
    while store.maintain(start(), Duration::from_secs(9)).unwrap().behind {}
    store
}

fn engine(place: &Path, hours: i64) -> Engine {
    let mut config = Config::default();
    config.step = Span::from_secs(15);
    let store = Box::new(store(place, hours));
    let host = Box::new(CalmHost::new());
    wired::with_our_models(host, Some(store), None, config, Role::Sampler).unwrap()
}

#[test]
fn twelve_hours_ahead_are_told_from_means_and_the_range_holds_what_comes() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine(place.path(), 5 * 24);
    run(&mut engine, start() - Span::from_secs(5), 1, |_, _| {});
    let found = engine.predict(Span::from_secs(12 * HOUR)).unwrap();
    assert_eq!(found.last().unwrap().horizon, Span::from_secs(12 * HOUR));
    assert!(found.len() >= 3, "{found:?}");
    let mut held = 0;
    for p in &found {
        let truth = 100.0 * mean_cpu(start() + p.horizon);
        assert!((p.value - truth).abs() < 12.0, "{truth}: {p:?}");
        // By a forecaster of means, or by the bank where the forecaster's ranges held too little.
        let told = ["about means of 10 min", "what means over minutes or hours came to"];
        assert!(told.iter().any(|told| p.explanation.contains(told)), "{}", p.explanation);
        held += usize::from(p.interval.contains(truth));
    }
    assert!(held + 1 >= found.len(), "{held} of {}", found.len());
}

#[test]
fn what_no_tier_reaches_is_refused_as_before() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine(place.path(), 4);
    run(&mut engine, start() - Span::from_secs(5), 1, |_, _| {});
    let e = engine.predict(Span::from_secs(12 * HOUR)).unwrap_err();
    assert!(e.is_not_enough_data(), "{e}");
    // Nor is an answer given for another time than the one asked for.
    assert!(engine.predict(Span::from_secs(12 * HOUR + 5)).unwrap_err().is_not_enough_data());
}

/// Samples in memory reach a few hours back and know no rhythm of the day; the means do.
#[test]
fn features_hours_ahead_follow_the_rhythm_and_their_ranges_hold() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine(place.path(), 5 * 24);
    run(&mut engine, start() - Span::from_secs(5), 1, |_, _| {});
    let name = &host::schema().features()[host::CPU_UTILIZATION].name.clone();
    for hours in [3, 9, 12] {
        let horizon = Span::from_secs(hours * HOUR);
        let report = engine.prediction_report(horizon, start()).unwrap();
        let is_cpu = |p: &&overseer_core::Prediction| {
            p.horizon == horizon
                && matches!(&p.prediction_type, PredictionType::Feature(f) if f == name)
        };
        let found = report.predictions.iter().find(is_cpu).unwrap();
        let truth = cpu(start() + horizon);
        assert!((found.value - truth).abs() < 0.06, "{truth}: {found:?}");
        assert!(found.interval.contains(truth), "{truth}: {found:?}");
        assert!(found.interval.upper - found.interval.lower < 0.25, "{found:?}");
        assert!(found.confidence.get() > 0.8, "{found:?}");
    }
}
