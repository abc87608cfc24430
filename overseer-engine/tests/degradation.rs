//! What is missing or broken costs its own part and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, Unreliable, engine_at, run, start};
use overseer_core::{Prediction, PredictionType, SampleQuery, Severity, Span, Store, host};
use overseer_engine::{Config, Engine, Role, host as wired};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn sqlite(place: &Path) -> wired::store::SqliteStore {
    let path = place.join("overseer.db");
    wired::store::SqliteStore::open_or_set_aside(&path, &host::schema(), "test").unwrap().store
}

fn without_store() -> Engine {
    wired::with_our_models(Box::new(CalmHost::new()), None, None, Config::default(), Role::Sampler)
        .unwrap()
}

#[test]
fn without_a_store_everything_else_works() {
    let mut engine = without_store();
    let mut last = None;
    run(&mut engine, start(), 80, |_, report| last = Some(report));
    let report = last.unwrap();
    assert!(report.anomaly.is_some() && report.learned.samples == 80);
    assert_eq!(report.learned.data_dir, None);
}

/// An engine over a database that refuses everything while the flag is set.
fn over_unreliable(place: &Path, host: CalmHost) -> (Engine, Arc<AtomicBool>) {
    let down = Arc::new(AtomicBool::new(false));
    let store = Unreliable { inner: sqlite(place), down: down.clone() };
    let (host, store) = (Box::new(host), Some(Box::new(store) as Box<dyn Store>));
    let engine = wired::with_our_models(host, store, None, Config::default(), Role::Sampler);
    (engine.unwrap(), down)
}

#[test]
fn a_store_that_fails_for_a_while_delays_no_detection_and_loses_no_sample() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let (mut engine, down) = over_unreliable(place.path(), host);
    let now = run(&mut engine, start(), 100, |_, _| {});
    down.store(true, Ordering::Relaxed);
    busy.store(true, Ordering::Relaxed);
    let mut alerted = false;
    let mut warned = false;
    let now = run(&mut engine, now, 10, |_, report| {
        alerted |= report.alert;
        warned |= report.notices.iter().any(|n| n.warning && n.message.contains("disk is full"));
    });
    assert!(alerted && warned);
    down.store(false, Ordering::Relaxed);
    busy.store(false, Ordering::Relaxed);
    run(&mut engine, now, 1, |_, _| {});
    drop(engine);
    let mut store = sqlite(place.path());
    assert_eq!(store.samples(&SampleQuery::latest(STEP, 1000)).unwrap().len(), 111);
    assert_eq!(store.anomalies(10).unwrap().len(), 1, "the anomaly is stored late, not lost");
}

#[test]
fn what_could_not_be_stored_is_told_in_the_same_tick() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let saturated = host.saturated.clone();
    let (mut engine, down) = over_unreliable(place.path(), host);
    let now = run(&mut engine, start(), 100, |_, r| assert!(r.recommendations.is_empty()));
    down.store(true, Ordering::Relaxed);
    saturated.store(true, Ordering::Relaxed);
    let says = |report: &overseer_engine::Report, what: &str| {
        report.notices.iter().any(|n| n.warning && n.message.contains(what))
    };
    let now = run(&mut engine, now, 1, |_, report| {
        // The finding and what to do are told although neither could be stored, and that is told, too.
        assert!(report.alert && report.anomaly.as_ref().is_some_and(|a| a.is_anomaly));
        assert!(!report.recommendations.is_empty());
        assert!(report.recommendations.iter().all(|r| r.id.is_none()));
        assert!(says(&report, "advice could not be stored and has no number yet"), "{report:?}");
        assert!(says(&report, "samples wait in memory"), "{:?}", report.notices);
    });
    down.store(false, Ordering::Relaxed);
    run(&mut engine, now, 1, |_, report| {
        assert!(report.recommendations.iter().all(|r| r.id.is_some()), "{report:?}");
        assert!(!says(&report, "could not be stored"), "{:?}", report.notices);
    });
    drop(engine);
    let mut store = sqlite(place.path());
    assert!(!store.recommendations(9).unwrap().is_empty());
    assert!(store.anomalies(9).unwrap().iter().any(|a| a.severity == Severity::Critical));
}

#[test]
fn a_second_start_reuses_history_and_models() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let now = run(&mut engine, start(), 150, |_, _| {});
    let trained = engine.learned().models;
    drop(engine);
    let mut engine = engine_at(place.path(), CalmHost::new());
    assert_eq!(engine.learned().models, trained);
    assert_eq!(engine.learned().samples, 150);
    assert!(!engine.train(false, now).trained());
    let predicted = engine.predict(Span::from_secs(60)).unwrap();
    assert!(!predicted.last().unwrap().explanation.contains("not enough samples in a row"));
}

#[test]
fn an_unreadable_model_of_either_kind_is_set_aside_and_replaced() {
    for name in ["detector.model", "performance_score.model"] {
        let place = tempfile::tempdir().unwrap();
        let mut engine = engine_at(place.path(), CalmHost::new());
        let now = run(&mut engine, start(), 150, |_, _| {});
        drop(engine);
        let file = place.path().join("models").join(name);
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        let mut engine = engine_at(place.path(), CalmHost::new());
        let report = engine.tick(now + STEP);
        assert!(report.notices.iter().any(|n| n.warning && n.message.contains("moved to")));
        assert!(report.anomaly.is_some() && !report.predictions.is_empty(), "{name}");
        assert_eq!(report.learned.models.len(), 2, "{name}: a new model is in use at once");
        let kept = std::fs::read_dir(place.path().join("models"))
            .unwrap()
            .filter(|f| f.as_ref().unwrap().file_name().to_string_lossy().contains("unreadable"))
            .count();
        assert_eq!(kept, 1);
        assert_ne!(std::fs::read(&file).unwrap().len(), bytes.len() / 2);
    }
}

#[test]
fn an_alert_is_told_once_even_if_no_new_sample_comes() {
    let host = CalmHost::new();
    let (busy, blank) = (host.busy.clone(), host.blank.clone());
    let mut engine =
        wired::with_our_models(Box::new(host), None, None, Config::default(), Role::Sampler)
            .unwrap();
    let now = run(&mut engine, start(), 100, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    let mut alerts = 0;
    let now = run(&mut engine, now, 1, |_, report| alerts += usize::from(report.alert));
    blank.store(true, Ordering::Relaxed);
    run(&mut engine, now, 3, |_, report| alerts += usize::from(report.alert));
    assert_eq!(alerts, 1);
}

#[test]
fn a_restart_during_an_event_does_not_alert_again() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    host.busy.store(false, Ordering::Relaxed);
    let busy = host.busy.clone();
    let mut engine = engine_at(place.path(), host.clone());
    let now = run(&mut engine, start(), 150, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    let mut before = 0;
    let now = run(&mut engine, now, 3, |_, report| before += usize::from(report.alert));
    drop(engine);
    let mut engine = engine_at(place.path(), host);
    let mut after = 0;
    run(&mut engine, now, 3, |_, report| after += usize::from(report.alert));
    assert!(before >= 1);
    assert_eq!(after, 0);
}

#[test]
fn forecasts_from_stale_lags_are_not_passed_off_as_current() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let plan = engine.sampling_plan().unwrap();
    let mut now = start();
    for _ in 0..plan.samples {
        now = now + plan.interval;
        engine.collect_fast(now).unwrap();
    }
    engine.train(false, now);
    let stale = "has not seen the newest samples";
    assert!(!engine.analyze(now).predictions[0].explanation.contains(stale));
    // Samples at the step are no continuation of lags that are 200 ms apart.
    now = now + Span::from_secs(60);
    let report = engine.tick(now);
    let is_score = |p: &&Prediction| p.prediction_type == PredictionType::PerformanceScore;
    for p in report.predictions.iter().filter(is_score) {
        assert!(p.explanation.contains(stale), "{}", p.explanation);
    }
}

#[test]
fn a_clock_that_goes_back_starts_the_windows_anew_and_says_so() {
    let mut engine = without_store();
    let now = run(&mut engine, start(), 80, |_, _| {});
    let mut noticed = false;
    run(&mut engine, now - Span::from_secs(3600), 3, |_, report| {
        noticed |= report.notices.iter().any(|n| n.message.contains("clock went back"));
        assert!(report.current.is_some());
    });
    assert!(noticed);
}

#[test]
fn beside_another_sampler_its_samples_are_read_and_none_are_stored() {
    let place = tempfile::tempdir().unwrap();
    let mut sampler = engine_at(place.path(), CalmHost::new());
    let now = run(&mut sampler, start(), 100, |_, _| {});
    let mut reader = wired::with_our_models(
        Box::new(CalmHost::new()),
        Some(Box::new(sqlite(place.path()))),
        Some(Box::new(wired::store::ModelDirectory::new(place.path().join("models")))),
        Config::default(),
        Role::Reader,
    )
    .unwrap();
    let now = run(&mut sampler, now, 5, |_, _| {});
    reader.collect(now).unwrap();
    let report = reader.analyze(now);
    assert_eq!(report.current.unwrap().timestamp, now);
    assert!(report.anomaly.is_some());
    assert_eq!(sqlite(place.path()).counts().unwrap().samples, 105);
}

#[test]
fn a_gap_restarts_the_lags_and_the_prediction_says_what_it_is() {
    let mut engine = without_store();
    let now = run(&mut engine, start(), 150, |_, _| {});
    let later = now + Span::from_secs(3600);
    engine.tick(later);
    let predicted = engine.predict(Span::from_secs(60)).unwrap();
    let said = &predicted[0].explanation;
    assert!(said.contains("not enough samples in a row"), "{said}");
    assert!(predicted[0].confidence.get() > 0.5);
}

#[test]
fn a_first_run_learns_provisionally_and_real_samples_replace_that() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let plan = engine.sampling_plan().expect("a new host is sampled first");
    let mut now = start();
    for _ in 0..plan.samples {
        now = now + plan.interval;
        engine.collect_fast(now).unwrap();
    }
    assert!(engine.train(false, now).trained());
    assert!(engine.sampling_plan().is_none());
    let report = engine.analyze(now);
    assert!(report.learned.provisional && report.anomaly.is_some());
    assert!(report.learned.readiness < 0.5);
    assert!(!report.predictions.is_empty(), "{:?}", report.notices);
    let mut provisional_until = 0;
    run(&mut engine, now, 70, |i, report| {
        if report.learned.provisional {
            provisional_until = i;
        }
    });
    assert_eq!(provisional_until, 58, "the 60th sample at the step ends the provisional time");
    let fast = SampleQuery::latest(plan.interval, 1000);
    assert_eq!(sqlite(place.path()).samples(&fast).unwrap().len(), 0);
}

#[test]
fn a_clock_that_was_set_and_a_sleep_are_told_and_work_goes_on() {
    use overseer_engine::host::collect::{HostCollector, ManualClock};
    use std::time::Duration;
    let place = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let host = HostCollector::builder().clock(clock.clone()).build().unwrap();
    let mut engine = engine_at(place.path(), host);
    let told = |report: &overseer_engine::Report, text: &str| {
        report.notices.iter().any(|n| n.message.contains(text))
    };
    let first = engine.tick(start());
    clock.advance(Duration::from_secs(5));
    let set = engine.tick(start() + Span::from_secs(3605));
    assert!(!told(&first, "clock") && told(&set, "the clock was set forward by 60 min"));
    clock.advance(Duration::from_secs(5));
    clock.sleep(Duration::from_secs(600));
    let slept = engine.tick(start() + Span::from_secs(4210));
    assert!(told(&slept, "the host slept for 10 min"), "{:?}", slept.notices);
    assert_eq!(slept.current.unwrap().timestamp, start() + Span::from_secs(4210));
}
