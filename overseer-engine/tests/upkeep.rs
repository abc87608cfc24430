//! What a tick does for its store besides storing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, engine_at, run, start};
use overseer_core::{Sample, Span, Store, SummaryQuery, host};
use overseer_engine::host::store::{Retention, SqliteOptions, SqliteStore};
use overseer_engine::{Config, Role, Stage, host as wired};
use std::time::Duration;

const TICKS: usize = 400;

#[test]
fn ticks_summarise_what_they_store_and_store_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = engine_at(dir.path(), CalmHost::new());
    let mut made = 0;
    let now = run(&mut engine, start(), TICKS, |_, report| made += report.predictions.len());
    engine.close();

    let path = dir.path().join("overseer.db");
    let mut store = SqliteStore::open(&path, &host::schema(), "test").unwrap();
    assert_eq!(store.maintain(now, Duration::from_secs(9)).unwrap().summarised, 0, "all is done");
    let minutes = SummaryQuery::new(start(), now, Span::from_secs(60));
    let summary = store.summary(&minutes).unwrap();
    let counted: u64 = (0..summary.len()).map(|i| summary.point(i)[0].count).sum();
    assert_eq!(counted, TICKS as u64);
    assert!((TICKS / 12..=TICKS / 12 + 1).contains(&summary.len()), "{}", summary.len());

    let counts = store.counts().unwrap();
    assert!(counts.predictions > 0 && counts.predictions as usize <= made, "{counts:?} of {made}");
    // Thirteen features, each of which was looked at several times and hardly changed.
    assert!((13..=39).contains(&counts.patterns), "{counts:?}");
    assert_eq!(STEP.times(12), Span::from_secs(60));
}

#[test]
fn what_a_full_database_drops_is_reported() {
    const ROWS: usize = 100_000;
    let dir = tempfile::tempdir().unwrap();
    let mut keep = Retention::forever();
    keep.most_bytes = Some(8 << 20);
    let options = SqliteOptions::new().retention(keep);
    let path = dir.path().join("overseer.db");
    let mut store = options.open(&path, &host::schema(), "test").unwrap();
    let sample = |i: usize| {
        let values = (1..=host::schema().len()).map(|j| (i * j) as f64 / ROWS as f64 / 13.1);
        Sample::new(start() + STEP.times(i), values.collect())
    };
    let samples: Vec<Sample> = (0..ROWS).map(sample).collect();
    store.append(STEP, &samples).unwrap();
    let last = samples[ROWS - 1].timestamp;
    let mut engine = wired::with_our_models(
        Box::new(CalmHost::new()),
        Some(Box::new(store)),
        None,
        Config::default(),
        Role::Sampler,
    )
    .unwrap();
    let mut said = Vec::new();
    run(&mut engine, last, 3000, |_, report| {
        said.extend(report.notices.into_iter().filter(|n| n.stage == Stage::Store));
    });
    let dropped = said.iter().find(|n| n.message.contains("largest size"));
    let dropped = dropped.unwrap_or_else(|| panic!("{said:?}"));
    assert!(dropped.warning && dropped.message.contains(" samples "), "{dropped:?}");
    engine.close();
    drop(engine);
    assert!(std::fs::metadata(&path).unwrap().len() <= 8 << 20);
}

#[test]
fn a_reader_looks_at_now_and_not_at_what_a_wrong_clock_left_in_the_future() {
    let dir = tempfile::tempdir().unwrap();
    let mut sampler = engine_at(dir.path(), CalmHost::new());
    let now = run(&mut sampler, start(), 100, |_, _| {});
    run(&mut sampler, now + Span::from_secs(365 * 86_400), 10, |_, _| {});
    sampler.close();
    drop(sampler);
    let store =
        SqliteStore::open_read_only(&dir.path().join("overseer.db"), &host::schema(), "test");
    let mut reader = wired::with_our_models(
        Box::new(CalmHost::new()),
        Some(Box::new(store.unwrap())),
        None,
        Config::default(),
        Role::Reader,
    )
    .unwrap();
    reader.collect(now).unwrap();
    let report = reader.analyze(now);
    assert_eq!(report.current.unwrap().timestamp, now);
    assert_eq!(report.learned.samples, 100);
}
