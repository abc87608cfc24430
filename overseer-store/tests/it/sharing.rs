//! Several processes at one database: waiting, giving up, and starting together.

use crate::contents::{HOST, STEP, open, sample, schema};
use overseer_core::{SampleQuery, Schema, Store};
use overseer_store::SqliteOptions;
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
