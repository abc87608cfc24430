//! Values that changed on the disk are found by the checksum of their span, told, and left as they are.

use crate::contents::{HOST, STEP, anomaly, at, open, pattern, prediction, sample, schema};
use overseer_core::{Damaged, Span, Store};
use overseer_store::{Retention, SqliteOptions, SqliteStore};
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;

const DAY: i64 = 86_400;
/// The start of a day by UTC, as [`at`] counts.
const START: i64 = DAY - 1_700_000_000 % DAY;

fn maintain(store: &mut SqliteStore, secs: i64) -> Vec<Damaged> {
    let mut damaged = Vec::new();
    loop {
        let done = store.maintain(at(secs), Duration::from_secs(60)).unwrap();
        damaged.extend(done.damaged);
        if !done.behind {
            return damaged;
        }
    }
}

/// Two hours of samples and some findings, all of them summed.
fn filled(path: &Path) -> SqliteStore {
    let mut store = open(path);
    let samples: Vec<_> =
        (0..1440).map(|i| sample(START + 5 * i, [i as f64 / 7.0, 0.5, f64::NAN])).collect();
    store.append(STEP, &samples).unwrap();
    store.record(&[anomaly(START)], &[prediction(START)], &[pattern(START)]).unwrap();
    assert_eq!(maintain(&mut store, START + 2 * DAY), []);
    store
}

/// Changes the database as a person could, past the store.
fn change(path: &Path, sql: &str) {
    assert_eq!(Connection::open(path).unwrap().execute(sql, []).unwrap(), 1, "{sql}");
}

#[test]
fn a_changed_value_of_any_summed_table_is_found_and_told_and_left_as_it_is() {
    let first = |table: &str, set: &str, key: &str| {
        let row = format!("SELECT {key} FROM {table} ORDER BY {key} LIMIT 1");
        format!("UPDATE {table} SET {set} WHERE {key} = ({row})")
    };
    let cases = [
        ("samples", 600, first("system_metrics", "memory = 0.5000001", "timestamp")),
        ("samples", 600, first("system_metrics", "cpu = NULL", "timestamp")),
        (
            "samples",
            600,
            format!("DELETE FROM system_metrics WHERE timestamp = {}", at(START).as_millis()),
        ),
        ("samples", 600, first("system_metrics", "timestamp = timestamp + 1", "timestamp")),
        ("minutes", 3600, first("metrics_1m", "\"cpu:count\" = 11", "timestamp")),
        ("hours", DAY, first("metrics_1h", "\"cpu:max\" = 1e9", "timestamp")),
        ("anomalies", DAY, first("anomalies", "severity = 'medium'", "anomaly_id")),
        ("predictions", 3600, first("predictions", "value = 1", "prediction_id")),
        ("patterns", 3600, first("patterns", "insights = '[]'", "pattern_id")),
    ];
    for (what, length, sql) in cases {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("overseer.db");
        let mut store = filled(&path);
        let sound = store.verify().unwrap();
        assert!(sound.is_sound() && sound.spans == 12 + 2 + 1 + 3, "{sound:?}");
        assert_eq!((sound.rows, sound.without_sum), (1440 + 120 + 2 + 3, 0));

        change(&path, &sql);
        let damage = Damaged::new(what, at(START), at(START + length));
        let verified = store.verify().unwrap();
        assert_eq!((&*verified.damaged, &*verified.structure), (&[damage.clone()][..], &[][..]));

        // Upkeep comes to it as well, within as many minutes as there are spans, and tells it once.
        let mut told = Vec::new();
        for minute in 0..2 * sound.spans as i64 {
            told.extend(maintain(&mut store, START + 2 * DAY + 60 * (minute + 1)));
        }
        assert_eq!(told, std::slice::from_ref(&damage), "{sql}");
        // A restart does not make it good, and a late sample, for which the span is summed once more, does not either.
        drop(store);
        let mut store = open(&path);
        store.append(STEP, &[sample(START + 1, [0.0; 3])]).unwrap();
        assert_eq!(maintain(&mut store, START + 3 * DAY), []);
        assert_eq!(store.verify().unwrap().damaged, [damage], "{sql}");
        let read_only = SqliteStore::open_read_only(&path, &schema(), HOST).unwrap();
        assert!(!read_only.verify().unwrap().is_sound());
    }
}

#[test]
fn what_rightly_changes_a_summed_span_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = filled(&path);
    let now = START + 2 * DAY;
    // Out of order, of another interval, and removed again; findings that waited; a new column; a new start.
    store.append(STEP, &[sample(START + 2, [9.0; 3]), sample(START + 3601, [9.0; 3])]).unwrap();
    store.append(Span::from_millis(200), &[sample(START + 4, [8.0; 3])]).unwrap();
    store.record(&[anomaly(START + 9)], &[prediction(START + 9)], &[pattern(START + 9)]).unwrap();
    assert!(store.verify().unwrap().is_sound(), "what is due is not checked");
    assert!(store.verify().unwrap().without_sum > 0);
    assert_eq!(maintain(&mut store, now + 60), []);
    let verified = store.verify().unwrap();
    assert!(verified.is_sound() && verified.without_sum == 0, "{verified:?}");

    store.remove_samples(Span::from_millis(200)).unwrap();
    assert_eq!(maintain(&mut store, now + 120), []);
    let wider = ["cpu", "memory", "a \"quoted\" name", "new"];
    let wider = overseer_core::Schema::from_names(wider).unwrap();
    drop(store);
    let mut store = SqliteStore::open(&path, &wider, HOST).unwrap();
    assert!(store.verify().unwrap().is_sound());
    // Another process, which knows of no upkeep.
    let mut other = SqliteStore::open(&path, &wider, HOST).unwrap();
    let late = overseer_core::Sample::new(at(START + 7), vec![0.1; 4]);
    other.append(STEP, &[late]).unwrap();
    for minute in 3..60 {
        assert_eq!(maintain(&mut store, now + 60 * minute), []);
    }
    let verified = store.verify().unwrap();
    assert!(verified.is_sound() && verified.without_sum == 0, "{verified:?}");
}

#[test]
fn what_expires_takes_its_checksums_along() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    drop(filled(&path));
    let mut keep = Retention::default();
    keep.samples = Some(Span::from_secs(3600));
    keep.minutes = Some(Span::from_secs(3600));
    keep.findings = Some(Span::from_secs(3600));
    let options = SqliteOptions::new().retention(keep);
    let mut store = options.open(&path, &schema(), HOST).unwrap();
    assert_eq!(maintain(&mut store, START + 2 * DAY + 60), []);
    let verified = store.verify().unwrap();
    assert!(verified.is_sound(), "{verified:?}");
    // A day of hours, and the anomaly.
    assert_eq!((verified.spans, verified.rows, verified.without_sum), (2, 3, 0));
}

#[test]
fn a_clock_that_jumps_ahead_and_back_leaves_checksums_that_agree() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = filled(&path);
    let now = START + 2 * DAY;
    store.append(STEP, &[sample(now + 365 * DAY, [1.0; 3])]).unwrap();
    assert_eq!(maintain(&mut store, now + 365 * DAY + 60), []);
    for i in 0..1000 {
        store.append(STEP, &[sample(now + 120 + 5 * i, [1.0; 3])]).unwrap();
        assert_eq!(maintain(&mut store, now + 120 + 5 * i), []);
    }
    assert_eq!(maintain(&mut store, now + 3 * DAY), []);
    let verified = store.verify().unwrap();
    assert!(verified.is_sound(), "{verified:?}");
    // The far sample is of a day that is not over by any clock that is right.
    assert!(verified.without_sum <= 3, "{verified:?}");
}
