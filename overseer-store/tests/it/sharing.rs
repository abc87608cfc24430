//! Several processes at one database: waiting, giving up, and starting together.

use crate::contents::{HOST, STEP, at, open, sample, schema};
use overseer_core::{Sample, SampleQuery, Schema, Span, Store, SummaryQuery};
use overseer_store::{SqliteOptions, SqliteStore};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn a_locked_database_is_unavailable_within_the_timeout_and_readable_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    open(&path).append(STEP, &[sample(0, [1.0; 3])]).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();

    let options = SqliteOptions::new().busy_timeout(Duration::from_millis(100));
    // A known host and schema need no write, so that looking never waits for a sampler.
    let opened = options.open_or_set_aside(&path, &schema(), HOST).unwrap();
    assert_eq!(opened.set_aside, None);
    let mut store = opened.store;
    assert_eq!(store.samples(&SampleQuery::latest(STEP, 9)).unwrap().len(), 1);
    let start = Instant::now();
    let e = store.append(STEP, &[sample(5, [1.0; 3])]).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("locked"), "{e}");
    assert!((90..1500).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());

    other.execute_batch("COMMIT").unwrap();
    assert_eq!(store.append(STEP, &[sample(5, [1.0; 3])]).unwrap().stored, 1);
}

#[test]
fn a_database_that_another_process_keeps_for_itself_is_not_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    drop(open(&path));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT").unwrap();

    let options = SqliteOptions::new().busy_timeout(Duration::from_millis(50));
    let start = Instant::now();
    let e = options.open_or_set_aside(&path, &schema(), HOST).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("locked"), "{e}");
    assert!(start.elapsed() < Duration::from_secs(2));
    let names = std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().file_name());
    assert!(names.into_iter().all(|n| !n.to_string_lossy().contains("unreadable")));
}

#[test]
fn many_openers_at_once_make_one_sound_database() {
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("overseer.db");
        std::thread::scope(|scope| {
            for i in 0..6 {
                let path = &path;
                scope.spawn(move || {
                    let names = ["cpu".to_owned(), format!("own feature {i}")];
                    let own = Schema::from_names(names).unwrap();
                    let options = SqliteOptions::new().busy_timeout(Duration::from_secs(20));
                    let mut store = options.open(path, &own, &format!("host {}", i % 3)).unwrap();
                    let row = overseer_core::Sample::new(crate::contents::at(i), vec![0.5, 0.5]);
                    store.append(STEP, &[row]).unwrap();
                });
            }
        });
        let person = rusqlite::Connection::open(&path).unwrap();
        let count = |sql: &str| person.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM hosts"), 3);
        assert_eq!(count("SELECT count(*) FROM system_metrics"), 6);
        assert_eq!(count("SELECT count(*) FROM pragma_table_info('system_metrics')"), 3 + 1 + 6);
    }
}

#[test]
fn readers_beside_a_writer_wait_for_nothing_and_see_whole_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut writer = open(&path);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (path, done) = (&path, &done);
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(move || {
                    // Any wait would be an error here.
                    let options = SqliteOptions::new().busy_timeout(Duration::ZERO);
                    let mut store = options.open_read_only(path, &schema(), HOST).unwrap();
                    let (mut reads, mut last) = (0, 0);
                    while !done.load(Ordering::Acquire) {
                        let rows =
                            store.samples(&SampleQuery::latest(STEP, usize::MAX)).unwrap().len();
                        assert!(rows >= last && rows.is_multiple_of(10), "{rows} after {last}");
                        let all = SummaryQuery::new(at(0), at(1 << 20), Span::from_secs(600));
                        let summary = store.summary(&all).unwrap();
                        let counted: u64 =
                            (0..summary.len()).map(|i| summary.point(i)[0].count).sum();
                        assert!(
                            counted >= rows as u64 && counted.is_multiple_of(10),
                            "{counted} of {rows}"
                        );
                        (reads, last) = (reads + 1, rows);
                    }
                    reads
                })
            })
            .collect();
        for batch in 0..400 {
            let rows: Vec<_> =
                (10 * batch..10 * batch + 10).map(|i| sample(5 * i, [1.0; 3])).collect();
            writer.append(STEP, &rows).unwrap();
            let now = rows[9].timestamp;
            writer.maintain(now, Duration::from_millis(1)).unwrap();
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    assert_eq!(writer.counts().unwrap().samples, 4000);
}

#[test]
fn what_another_process_appends_while_one_does_the_upkeep_is_summarised_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut sampler = open(&path);
    let mut importer = open(&path);
    for minute in 0..30 {
        let now = at(60 * minute);
        sampler.append(STEP, &[sample(60 * minute, [1.0; 3])]).unwrap();
        sampler.maintain(now, Duration::from_secs(1)).unwrap();
        // Some before, some after what was summarised.
        for late in [600 - 20 * minute, 60 * minute - 95, 60 * minute + 7] {
            importer.append(STEP, &[sample(late, [2.0; 3])]).unwrap();
        }
    }
    // Even two that do the upkeep, which the lease forbids, lose nothing.
    importer.maintain(at(1800), Duration::from_secs(1)).unwrap();
    sampler.append(STEP, &[sample(1771, [3.0; 3])]).unwrap();
    sampler.maintain(at(3600), Duration::from_secs(1)).unwrap();
    sampler.maintain(at(3700), Duration::from_secs(1)).unwrap();
    let stored = sampler.samples(&SampleQuery::latest(STEP, 999)).unwrap().len() as u64;
    for resolution in [60, 3600] {
        let all = SummaryQuery::new(at(-9999), at(3600), Span::from_secs(resolution));
        let summary = sampler.summary(&all).unwrap();
        let counted: u64 = (0..summary.len()).map(|i| summary.point(i)[0].count).sum();
        assert_eq!(counted, stored, "at {resolution} s");
    }
}

#[test]
fn a_feature_that_another_process_adds_is_summarised_by_a_sampler_that_runs_already() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut sampler = open(&path);
    sampler.append(STEP, &[sample(0, [1.0; 3])]).unwrap();
    sampler.maintain(at(90), Duration::from_secs(1)).unwrap();
    let wider = Schema::from_names(["cpu", "memory", "a \"quoted\" name", "gpu"]).unwrap();
    let mut newer = SqliteStore::open(&path, &wider, HOST).unwrap();
    newer.append(STEP, &[Sample::new(at(5), vec![3.0, 1.0, 1.0, 0.25])]).unwrap();
    sampler.append(STEP, &[sample(200, [1.0; 3])]).unwrap();
    sampler.maintain(at(400), Duration::from_secs(1)).unwrap();
    let person = rusqlite::Connection::open(&path).unwrap();
    let minute = "SELECT \"cpu:count\", gpu FROM metrics_1m ORDER BY timestamp LIMIT 1";
    let found: (i64, Option<f64>) =
        person.query_row(minute, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(found, (2, Some(0.25)));
}
