//! What a person is told of an anomaly, from the host's samples to the sentence.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, engine_at, run, start};
use overseer_core::Timestamp;
use overseer_engine::Report;
use std::sync::atomic::Ordering;

#[test]
fn a_second_saturation_is_like_the_first_also_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    // Saturated, so that it is an event however much of it was learned before; and busy, so that a process is to blame.
    let (busy, saturated) = (host.busy.clone(), host.saturated.clone());
    let mut engine = engine_at(place.path(), host);
    let mut now = run(&mut engine, start(), 200, |_, _| {});
    let alert_of = |engine: &mut overseer_engine::Engine, now: Timestamp| {
        let mut alert: Option<Report> = None;
        busy.store(true, Ordering::Relaxed);
        saturated.store(true, Ordering::Relaxed);
        let now = run(engine, now, 6, |_, report| {
            if report.alert {
                alert.get_or_insert(report);
            }
        });
        busy.store(false, Ordering::Relaxed);
        saturated.store(false, Ordering::Relaxed);
        (alert.expect("an alert within six samples").anomaly.unwrap(), now)
    };
    let (first, later) = alert_of(&mut engine, now);
    assert!(first.similar.is_empty(), "{:?}", first.similar);
    assert!(first.description.contains("above its usual"), "{}", first.description);
    assert!(first.description.contains("busiest: `burn` ("), "{}", first.description);
    let cpu = &first.features[0];
    assert!(cpu.kind.is_some(), "{cpu:?}");
    let since = cpu.since.unwrap();
    assert!(now <= since + STEP && since <= first.timestamp, "{now:?} {cpu:?}");

    now = run(&mut engine, later, 1000, |_, _| {});
    engine.close();
    drop(engine);
    let host = CalmHost::new();
    let again = host.saturated.clone();
    let mut engine = engine_at(place.path(), host);
    now = run(&mut engine, now, 20, |_, _| {});
    again.store(true, Ordering::Relaxed);
    let mut second = None;
    run(&mut engine, now, 6, |_, report| {
        second = report.anomaly.filter(|a| !a.suggested_actions.is_empty()).or(second.take());
    });
    let second = second.expect("an anomaly within six samples");
    assert_eq!(second.similar, [first.timestamp], "{first:#?} {second:#?}");
}
