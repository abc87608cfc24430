//! The faults of the module that Overseer grew out of. Each must never come back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, engine_at, run, start};
use overseer_core::{PatternType, Sample, Severity, Span, Store, host};
use overseer_engine::{Config, Role, TrainOutcome, host as wired};
use std::sync::atomic::Ordering;

fn stored(place: &std::path::Path) -> wired::store::SqliteStore {
    let path = place.join("overseer.db");
    wired::store::SqliteStore::open_or_set_aside(&path, &host::schema(), "test").unwrap().store
}

#[test]
fn a_fresh_installation_trains() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let mut last = None;
    run(&mut engine, start(), 61, |_, report| last = Some(report));
    let report = last.unwrap();
    assert!(report.anomaly.is_some(), "{:?}", report.notices);
    assert_eq!(report.learned.models.len(), 2, "{:?}", report.notices);
}

#[test]
fn of_a_calm_hour_at_most_one_percent_is_flagged() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let (mut flagged, mut judged) = (0, 0);
    run(&mut engine, start(), 60 + 720, |_, report| {
        judged += usize::from(report.anomaly.is_some());
        flagged += usize::from(report.anomaly.is_some_and(|a| a.is_anomaly));
    });
    assert!(judged >= 700, "{judged}");
    assert!(flagged * 100 <= judged, "{flagged} of {judged}");
}

#[test]
fn cpu_memory_and_load_all_saturated_is_critical() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let saturated = host.saturated.clone();
    let mut engine = engine_at(place.path(), host);
    let now = run(&mut engine, start(), 100, |_, _| {});
    saturated.store(true, Ordering::Relaxed);
    let mut worst = Severity::None;
    run(&mut engine, now, 1, |_, report| worst = report.anomaly.unwrap().severity);
    assert_eq!(worst, Severity::Critical);
}

#[test]
fn a_busy_cpu_is_an_alert_within_three_samples_with_the_feature_and_the_process() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let mut engine = engine_at(place.path(), host);
    let now = run(&mut engine, start(), 200, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    let mut alert = None;
    run(&mut engine, now, 3, |_, report| {
        if report.alert {
            alert.get_or_insert(report);
        }
    });
    let report = alert.expect("an alert within three samples");
    let anomaly = report.anomaly.unwrap();
    assert_eq!(anomaly.features[0].feature, "system.cpu.utilization", "{anomaly:?}");
    assert!(anomaly.severity >= Severity::High, "{anomaly:?}");
    assert!(anomaly.description.starts_with("CPU "), "{}", anomaly.description);
    assert_eq!(report.recommendations[0].processes[0].name, "burn");
    assert!(report.recommendations[0].action.contains("burn"));
}

#[test]
fn an_anomaly_is_stored_once_and_read_back() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let mut engine = engine_at(place.path(), host);
    let now = run(&mut engine, start(), 200, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    let mut alerts = Vec::new();
    run(&mut engine, now, 5, |_, report| {
        if report.alert {
            alerts.extend(report.anomaly);
        }
    });
    drop(engine);
    let mut read = stored(place.path()).anomalies(10).unwrap();
    read.reverse();
    assert!(!alerts.is_empty());
    assert_eq!(read, alerts);
}

#[test]
fn model_metadata_replaces_rather_than_appends() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let now = run(&mut engine, start(), 100, |_, _| {});
    for _ in 0..3 {
        assert!(engine.train(true, now).trained());
    }
    drop(engine);
    let names: Vec<String> =
        stored(place.path()).model_metadata().unwrap().into_iter().map(|m| m.name).collect();
    assert_eq!(names, ["detector", "performance_score"]);
}

#[test]
fn no_sample_of_invented_zeros_is_ever_stored() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    host.blank.store(true, Ordering::Relaxed);
    let mut engine = engine_at(place.path(), host);
    let mut noticed = false;
    run(&mut engine, start(), 5, |_, report| noticed |= report.has_warnings());
    drop(engine);
    assert!(noticed, "a host that tells nothing is worth a warning");
    assert_eq!(stored(place.path()).counts().unwrap().samples, 0);
}

#[test]
fn confidence_varies_and_is_earned() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let mut engine = engine_at(place.path(), host);
    let mut calm = Vec::new();
    let now = run(&mut engine, start(), 300, |_, report| {
        calm.extend(report.anomaly.map(|a| a.confidence.get()));
    });
    busy.store(true, Ordering::Relaxed);
    let mut unusual = 0.0;
    run(&mut engine, now, 3, |_, report| unusual = report.anomaly.unwrap().confidence.get());
    let mean = calm.iter().sum::<f64>() / calm.len() as f64;
    let distinct: std::collections::BTreeSet<u64> = calm.iter().map(|c| c.to_bits()).collect();
    assert!(distinct.len() > 10, "{distinct:?}");
    assert!(unusual > mean, "{unusual} against {mean}");
    assert!(unusual < 0.9, "half an hour does not earn {unusual}");
}

#[test]
fn a_daily_period_in_the_stored_history_is_found() {
    let place = tempfile::tempdir().unwrap();
    let minute = Span::from_secs(60);
    let mut now = start();
    let mut samples = Vec::new();
    for i in 0..5 * 1440_i64 {
        now = now + minute;
        let mut row = vec![f64::NAN; 13];
        let day = (i % 1440) as f64 / 1440.0 * std::f64::consts::TAU;
        let noise = ((i * 7919) % 101) as f64 / 101.0 - 0.5;
        row[host::CPU_UTILIZATION] = 0.4 + 0.2 * day.sin() + 0.05 * noise;
        samples.push(Sample::new(now, row));
    }
    stored(place.path()).append(minute, &samples).unwrap();
    let mut config = Config::default();
    config.step = minute;
    let mut engine = wired::with_our_models(
        Box::new(CalmHost::new()),
        Some(Box::new(stored(place.path()))),
        None,
        config,
        Role::Sampler,
    )
    .unwrap();
    let found = engine.patterns().unwrap();
    let pattern = found.iter().find(|p| p.features == ["system.cpu.utilization"]).unwrap();
    assert_eq!(pattern.pattern_type, PatternType::Periodic);
    let hours = pattern.periodicity.unwrap().period.as_secs_f64() / 3600.0;
    assert!((hours - 24.0).abs() < 0.7, "{hours} h");
    assert!(
        pattern.insights.iter().any(|i| i.contains("repeats every 24")),
        "{:?}",
        pattern.insights
    );
}

#[test]
fn force_retrains_and_its_absence_does_not() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let now = run(&mut engine, start(), 100, |_, _| {});
    engine.train(true, now);
    let kept = engine.train(false, now + STEP);
    assert!(kept.models.iter().all(|m| matches!(m, TrainOutcome::Kept(_))), "{kept:?}");
    let forced = engine.train(true, now + STEP);
    for model in &forced.models {
        let TrainOutcome::Trained(metadata) = model else { panic!("{model:?}") };
        assert_eq!(metadata.trained_at, now + STEP);
    }
}

#[test]
fn the_horizon_asked_for_is_the_horizon_predicted() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    run(&mut engine, start(), 400, |_, _| {});
    for seconds in [5, 60, 300, 600] {
        let horizon = Span::from_secs(seconds);
        let predictions = engine.predict(horizon).unwrap();
        let last = predictions.last().unwrap();
        assert_eq!(last.horizon, horizon);
        assert!(last.interval.contains(last.value), "{last:?}");
    }
    let too_far = engine.predict(Span::from_secs(86_400)).unwrap_err();
    assert!(too_far.is_not_enough_data(), "{too_far}");
    assert!(engine.predict(Span::default()).is_err());
}
