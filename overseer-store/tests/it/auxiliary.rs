//! Series that come and go, by the minute and by the hour.

use crate::contents::{HOST, at, open, schema};
use overseer_core::{Auxiliary, AuxiliaryQuery, AuxiliarySeries, Span, Store, Timestamp, Unit};
use overseer_store::{Retention, SqliteOptions, SqliteStore};
use std::path::Path;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(9);
const HOUR: i64 = 3600;

fn mount(point: &str, value: f64) -> Auxiliary {
    Auxiliary::new("system.filesystem.utilization", point, Unit::Ratio, value).of_capacity(1.0)
}

fn open_files(value: f64) -> Auxiliary {
    Auxiliary::new("overseer.files.open", "", Unit::Count, value)
}

/// Everything, by the minute from `fine` on.
fn read(store: &mut SqliteStore, fine: Timestamp) -> Vec<AuxiliarySeries> {
    let (first, last) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    store.auxiliary(&AuxiliaryQuery::new(first, fine, last)).unwrap()
}

/// As of a round hour, so that hours are whole.
fn minute(n: i64) -> Timestamp {
    Timestamp::from_millis(1_699_999_200_000 + 60_000 * n)
}

fn numbers(path: &Path, sql: &str) -> i64 {
    rusqlite::Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn series_come_and_go_and_keep_their_unit_and_capacity() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    assert_eq!(read(&mut store, at(0)), []);
    store.append_auxiliary(at(0), &[mount("/", 0.5), open_files(370.0)]).unwrap();
    store.append_auxiliary(at(60), &[mount("/mnt/usb", 0.9), mount("/", 0.51)]).unwrap();
    // Of a time that is stored, and of no value, nothing is stored.
    store.append_auxiliary(at(60), &[mount("/", 0.99), open_files(f64::NAN)]).unwrap();
    store.append_auxiliary(at(120), &[open_files(371.0).of_capacity(1000.0)]).unwrap();
    let mut reopened = open(&path);
    let all = read(&mut reopened, at(0));
    let told: Vec<_> = all.iter().map(|s| (s.instance.as_str(), s.points.as_slice())).collect();
    assert_eq!(
        told,
        [
            ("", [(at(0), 370.0), (at(120), 371.0)].as_slice()),
            ("/", &[(at(0), 0.5), (at(60), 0.51)]),
            ("/mnt/usb", &[(at(60), 0.9)]),
        ]
    );
    assert_eq!((all[0].unit, all[0].capacity), (Unit::Count, Some(1000.0)));
    assert_eq!((all[1].unit, all[1].capacity), (Unit::Ratio, Some(1.0)));
    let late = AuxiliaryQuery::new(at(1), at(1), at(119));
    assert_eq!(reopened.auxiliary(&late).unwrap().len(), 2);
}

#[test]
fn hours_outlive_the_minutes_and_what_is_late_is_summarised_once_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut keep = Retention::forever();
    keep.samples = Some(Span::from_secs(2 * HOUR));
    let mut store = SqliteOptions::new().retention(keep).open(&path, &schema(), HOST).unwrap();
    for m in 0..300 {
        if m != 7 {
            store.append_auxiliary(minute(m), &[mount("/", m as f64 / 1000.0)]).unwrap();
        }
    }
    // Until upkeep was done everything is read as it was taken.
    assert_eq!(read(&mut store, minute(300))[0].points.len(), 299);
    store.maintain(minute(100), LONG).unwrap();
    store.append_auxiliary(minute(7), &[mount("/", 0.007)]).unwrap();
    store.maintain(minute(300), LONG).unwrap();
    assert_eq!(numbers(&path, "SELECT count FROM auxiliary_1h ORDER BY timestamp LIMIT 1"), 60);
    let points = read(&mut store, minute(0)).remove(0).points;
    // Three hours are over and older than two hours; their means stand in the middle.
    assert_eq!(points[0].0, minute(30));
    assert!((points[0].1 - 0.0295).abs() < 1e-12, "{points:?}");
    assert_eq!(points.len(), 3 + 120);
    assert_eq!(points[3], (minute(180), 0.18));
    // What comes for an hour whose minutes are gone is not stored.
    store.append_auxiliary(minute(5), &[mount("/", 0.9)]).unwrap();
    store.maintain(minute(361), LONG).unwrap();
    assert_eq!(numbers(&path, "SELECT count FROM auxiliary_1h ORDER BY timestamp LIMIT 1"), 60);
    assert_eq!(numbers(&path, "SELECT count(*) FROM auxiliary_1h"), 5);
    let coarse = read(&mut store, minute(10_000)).remove(0).points;
    assert_eq!(coarse.len(), 5);
}

#[test]
fn impossible_times_are_stored_and_never_summarised() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    for millis in [i64::MIN, -1, i64::MAX] {
        store.append_auxiliary(Timestamp::from_millis(millis), &[mount("/", 0.5)]).unwrap();
    }
    let done = store.maintain(minute(0), LONG).unwrap();
    assert_eq!(done.summarised, 1);
    assert!(!read(&mut store, Timestamp::from_millis(i64::MIN)).is_empty());
}
