//! What may happen to a host's disk and clock: the engine goes on, says what is lost, and catches up.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, engine_at, run, start};
use overseer_core::{
    Collector, Interruption, Reading, Result, Sample, SampleQuery, Schema, Severity, Span, Store,
    Timestamp, host,
};
use overseer_engine::host::{self as wired, Options, store};
use overseer_engine::{Engine, Report};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// This host's engine, which tries a database that cannot be opened again with every tick.
fn engine_of(root: &Path) -> Engine {
    let mut options = Options::default();
    options.data_dir = Some(root.to_owned());
    options.retry_every = Duration::ZERO;
    wired::open(&options).unwrap()
}

fn stored(root: &Path, engine: &Engine) -> usize {
    let name = engine.host_info().name.clone();
    let path = root.join("overseer.db");
    let mut store = store::SqliteStore::open_read_only(&path, &host::schema(), &name).unwrap();
    store.samples(&SampleQuery::latest(STEP, usize::MAX)).unwrap().len()
}

fn says(report: &Report, text: &str) -> bool {
    report.notices.iter().any(|n| n.message.contains(text))
}

/// Ten days of samples, and then some that a clock which was years ahead dated: those pass for the newest nowhere, and
/// are told and kept.
#[test]
fn what_is_dated_after_now_is_told_and_kept_and_left_out() {
    let place = tempfile::tempdir().unwrap();
    let name = engine_of(place.path()).host_info().name.clone();
    let path = place.path().join("overseer.db");
    let now = wired::now();
    let mut store = store::SqliteStore::open(&path, &host::schema(), &name).unwrap();
    let row = |at: Timestamp, value: f64| Sample::new(at, vec![value; host::schema().len()]);
    let calm = |i: usize| row(now - STEP.times(i), 0.3 + 0.1 * (i as f64 / 100.0).sin());
    let samples: Vec<Sample> = (1..2000).rev().map(calm).collect();
    store.append(STEP, &samples).unwrap();
    let ahead = Timestamp::from_millis(4_102_444_800_000);
    let wrong: Vec<Sample> = (0..40).map(|i| row(ahead + STEP.times(i), 0.7)).collect();
    store.append(STEP, &wrong).unwrap();
    store.set_step(STEP).unwrap();
    drop(store);

    let mut engine = engine_of(place.path());
    let report = engine.analyze(wired::now());
    let told = report.notices.iter().filter(|n| n.message.contains("dated after now"));
    let told: Vec<&str> = told.map(|n| n.message.as_str()).collect();
    assert!(
        matches!(told[..], [one] if one.starts_with("40 stored samples") && one.contains("2100")),
        "{told:?}"
    );
    let (first, last) = report.learned.span.unwrap();
    assert!(last < now && last.since(first) < Span::from_secs(86_400), "{first:?} to {last:?}");
    assert!(!report.patterns.is_empty());
    let analytics = engine.analytics(wired::now());
    assert!(analytics.features.iter().all(|f| f.max < 0.5), "the wrong ones are all 0.7");
    assert_eq!(stored(place.path(), &engine), 1999 + 40, "all are kept");
}

#[test]
fn a_store_that_could_not_be_opened_at_the_start_is_tried_again_and_takes_what_waited() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("state");
    std::fs::write(&root, "in the way").unwrap();
    let mut engine = engine_of(&root);
    let (mut told, mut waits) = (false, 0);
    let now = run(&mut engine, start(), 5, |_, report| {
        told |= says(&report, "a file stands where a directory should be");
        waits += usize::from(says(&report, "samples wait in memory"));
        assert_eq!(report.learned.data_dir, None);
        assert!(report.current.is_some());
    });
    assert!(told && waits == 5, "{waits}");

    std::fs::remove_file(&root).unwrap();
    let mut back = String::new();
    run(&mut engine, now, 2, |_, report| {
        assert_eq!(report.learned.data_dir, Some(root.display().to_string()));
        back.extend(report.notices.iter().map(|n| n.message.as_str()));
    });
    assert!(back.contains("6 samples that waited were stored"), "{back}");
    assert_eq!(engine.close(), []);
    assert_eq!(stored(&root, &engine), 7);
}

#[test]
fn models_trained_while_nothing_could_be_stored_are_saved_when_that_is_possible() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("state");
    std::fs::write(&root, "in the way").unwrap();
    let mut engine = engine_of(&root);
    let mut waits = 0;
    let now = run(&mut engine, start(), 70, |_, report| {
        waits += usize::from(says(&report, "the model is in use and will be saved"));
    });
    assert!(waits > 0 && engine.learned().models.len() == 2);
    std::fs::remove_file(&root).unwrap();
    run(&mut engine, now, 8, |_, _| {});
    for name in ["detector", "performance_score"] {
        assert!(root.join(format!("models/{name}.model")).exists(), "{name}");
    }
    assert_eq!(engine.close(), []);
    drop(engine);
    let said: Vec<_> = engine_of(&root).close().into_iter().filter(|n| n.warning).collect();
    assert_eq!(said, [], "files and database agree");
}

#[test]
fn a_start_that_finds_models_and_no_database_says_that_it_is_gone() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    let mut engine = engine_of(root);
    let now = run(&mut engine, start(), 70, |_, _| {});
    engine.close();
    drop(engine);
    let gone = |engine: &mut Engine| says(&engine.tick(now), "the database beside them is gone");
    assert!(!gone(&mut engine_of(root)));
    std::fs::remove_file(root.join("overseer.db")).unwrap();
    assert!(gone(&mut engine_of(root)));
    std::fs::write(root.join("overseer.db"), "").unwrap();
    assert!(gone(&mut engine_of(root)), "as an empty one does");
    assert!(!gone(&mut engine_of(root)), "once");
}

#[test]
fn what_waits_is_bounded_and_the_loss_of_the_oldest_is_told() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("state");
    std::fs::write(&root, "in the way").unwrap();
    let mut options = Options::default();
    options.data_dir = Some(root.clone());
    options.retry_every = Duration::ZERO;
    options.config.history_capacity = 100;
    options.config.training_rows = 100;
    let mut engine = wired::open(&options).unwrap();
    let mut lost = 0;
    let now = run(&mut engine, start(), 110, |_, report| {
        lost += usize::from(says(&report, "the oldest unsaved samples are lost"));
    });
    assert_eq!(lost, 10);
    std::fs::remove_file(&root).unwrap();
    run(&mut engine, now, 1, |_, _| {});
    assert_eq!(stored(&root, &engine), 100);
}

#[test]
fn a_step_that_could_not_be_read_at_the_start_is_not_overwritten() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("state");
    let mut options = Options::default();
    options.data_dir = Some(root.clone());
    options.retry_every = Duration::ZERO;
    options.config.step = Span::from_secs(10);
    options.step_is_chosen = true;
    let mut engine = wired::open(&options).unwrap();
    engine.tick(start());
    drop(engine);
    let elsewhere = place.path().join("elsewhere");
    std::fs::rename(&root, &elsewhere).unwrap();
    std::fs::write(&root, "in the way").unwrap();
    let mut engine = engine_of(&root);
    engine.tick(start() + Span::from_secs(10));
    std::fs::remove_file(&root).unwrap();
    std::fs::rename(&elsewhere, &root).unwrap();
    let mut told = false;
    run(&mut engine, start() + Span::from_secs(20), 3, |_, report| {
        told |= says(&report, "the installation's step is 10 s");
    });
    assert!(told);
    drop(engine);
    assert_eq!(engine_of(&root).config().step, Span::from_secs(10));
}

#[test]
fn a_database_that_turns_into_noise_while_it_is_used_is_set_aside_and_what_came_since_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    let path = root.join("overseer.db");
    let mut engine = engine_of(root);
    let now = run(&mut engine, start(), 20, |_, _| {});
    let name = engine.host_info().name.clone();
    // Everything is in the file, and SQLite remembers none of it once another process has written.
    drop(store::SqliteStore::open(&path, &host::schema(), &name).unwrap());
    let mut other = store::SqliteStore::open(&path, &host::schema(), &name).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let log = path.with_extension("db-wal");
    for (i, byte) in bytes.iter_mut().enumerate().skip(8192) {
        *byte = ((i * i) >> 5) as u8;
    }
    std::fs::write(&path, &bytes).unwrap();
    if let Ok(log) = std::fs::OpenOptions::new().write(true).open(&log) {
        let _ = log.set_len(0);
    }
    let _ = other.append(Span::from_secs(1), &[Sample::new(start(), vec![0.5; 13])]);
    let mut said = String::new();
    run(&mut engine, now, 10, |_, report| {
        assert!(report.current.is_some());
        said.extend(report.notices.iter().map(|n| format!("{}\n", n.message)));
    });
    drop(other);
    assert!(said.contains("it was moved to"), "{said}");
    assert_eq!(engine.close(), []);
    assert_eq!(stored(root, &engine), 10, "{said}");
    assert!(root.join("overseer.db.unreadable-1").exists());
}

/// A process that has its files open goes on writing to them when they are gone, and notices nothing by that alone.
#[cfg(unix)]
mod files_that_go {
    use super::*;
    use overseer_engine::Role;

    #[test]
    fn a_directory_that_is_removed_while_it_is_used_is_told_and_made_anew_with_its_step_and_its_lock()
     {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("state");
        let mut options = Options::default();
        options.data_dir = Some(root.clone());
        options.config.step = Span::from_secs(10);
        options.step_is_chosen = true;
        let mut engine = wired::open(&options).unwrap();
        for i in 0..3 {
            engine.tick(start() + Span::from_secs(10 * i));
        }
        std::fs::remove_dir_all(&root).unwrap();
        let mut told = 0;
        for i in 3..8 {
            let report = engine.tick(start() + Span::from_secs(10 * i));
            told +=
                usize::from(says(&report, "was removed, or moved elsewhere, while it was in use"));
        }
        assert_eq!(told, 1);
        options.step_is_chosen = false;
        let other = wired::open(&options).unwrap();
        assert_eq!(other.role(), Role::Reader, "its lock keeps others away again");
        assert_eq!(other.config().step, Span::from_secs(10), "the step of before");
        assert_eq!(engine.close(), []);
        let name = engine.host_info().name.clone();
        let path = root.join("overseer.db");
        let mut store = store::SqliteStore::open_read_only(&path, &host::schema(), &name).unwrap();
        let query = SampleQuery::latest(Span::from_secs(10), usize::MAX);
        assert_eq!(store.samples(&query).unwrap().len(), 5, "what came since is there");
    }

    #[test]
    fn a_database_replaced_by_a_copy_is_told_and_the_copy_is_used() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        let path = root.join("overseer.db");
        let mut engine = engine_of(root);
        let now = run(&mut engine, start(), 3, |_, _| {});
        engine.close();
        drop(engine);
        let copy = root.join("copy");
        std::fs::copy(&path, &copy).unwrap();
        let mut engine = engine_of(root);
        let now = run(&mut engine, now, 4, |_, _| {});
        std::fs::rename(&copy, &path).unwrap();
        let mut said = String::new();
        run(&mut engine, now, 5, |_, report| {
            said.extend(report.notices.iter().map(|n| n.message.as_str()));
        });
        assert!(said.contains("was replaced by another file while it was in use"), "{said}");
        assert_eq!(engine.close(), []);
        // The log of the one that was replaced fits its own copy, and so brings back what came after that.
        assert_eq!(stored(root, &engine), 3 + 4 + 5);
        let path = root.join("overseer.db");
        let name = engine.host_info().name.clone();
        drop(engine);
        let store = store::SqliteStore::open(&path, &host::schema(), &name).unwrap();
        assert!(store.verify().unwrap().is_sound());
    }

    #[test]
    fn an_end_that_finds_the_database_gone_does_not_say_that_all_is_stored() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("state");
        let mut engine = engine_of(&root);
        run(&mut engine, start(), 3, |_, _| {});
        std::fs::remove_dir_all(&root).unwrap();
        let said = engine.close();
        assert!(said.iter().any(|n| n.warning && n.message.contains("was removed")), "{said:?}");
    }
}

const YEAR: Span = Span::from_secs(365 * 86_400);

#[test]
fn a_clock_that_jumps_a_year_ahead_and_back_loses_nothing_and_alerts_nobody() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let mut alerts = 0;
    let mut calm = |report: Report| alerts += usize::from(report.alert);
    let now = run(&mut engine, start(), 200, |_, report| calm(report));
    let ahead = run(&mut engine, now + YEAR, 50, |_, report| calm(report));
    assert_eq!(ahead, now + YEAR + STEP.times(50));
    let now = run(&mut engine, now + STEP.times(50), 200, |_, report| calm(report));
    assert_eq!(alerts, 0);
    assert_eq!(engine.close(), []);
    drop(engine);
    let path = place.path().join("overseer.db");
    let opened = store::SqliteStore::open_or_set_aside(&path, &host::schema(), "test").unwrap();
    assert_eq!((opened.set_aside, opened.warnings), (None, vec![]));
    let mut store = opened.store;
    while store.maintain(now + STEP, Duration::from_secs(9)).unwrap().behind {}
    assert_eq!(store.counts().unwrap().samples, 450, "nothing expired");
    assert!(store.verify().unwrap().is_sound());
    // A restart goes on from now and not from the future.
    drop(store);
    let mut engine = engine_at(place.path(), CalmHost::new());
    run(&mut engine, now + STEP, 20, |_, report| {
        assert!(!report.alert && report.current.is_some());
    });
}

/// A host that tells when its clock is set, as the real one does.
#[derive(Debug)]
struct Clocked {
    host: CalmHost,
    set: Arc<Mutex<Option<Interruption>>>,
}

impl Collector for Clocked {
    fn schema(&self) -> &Schema {
        self.host.schema()
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        let mut reading = self.host.collect(now)?;
        reading.interruptions.extend(self.set.lock().unwrap().take());
        Ok(reading)
    }
}

#[test]
fn an_event_goes_on_over_a_jump_of_the_clock_and_nobody_is_alerted_again() {
    let host = CalmHost::new();
    let (busy, set) = (host.busy.clone(), Arc::new(Mutex::new(None)));
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), Clocked { host, set: set.clone() });
    let now = run(&mut engine, start(), 200, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    let mut seen = Vec::new();
    let mut see = |report: Report| {
        seen.push((report.anomaly.unwrap().severity, report.alert));
    };
    let now = run(&mut engine, now, 5, |_, report| see(report));
    *set.lock().unwrap() = Some(Interruption::ClockForward(YEAR));
    run(&mut engine, now + YEAR, 5, |_, report| see(report));
    *set.lock().unwrap() = Some(Interruption::ClockBack(YEAR));
    run(&mut engine, now + STEP.times(5), 5, |_, report| see(report));
    assert!(seen.iter().all(|(severity, _)| *severity > Severity::None), "{seen:?}");
    assert_eq!(seen.iter().filter(|(_, alert)| *alert).count(), 1, "{seen:?}");
    assert!(seen[0].1);
}
