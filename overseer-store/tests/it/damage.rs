//! Databases that cannot be used: damaged ones are moved and kept, others are left alone.

use crate::contents::{HOST, STEP, anomaly, open, sample, schema};
use overseer_core::{SampleQuery, Schema, Store};
use overseer_store::{Opened, SqliteStore};
use std::fs;
use std::path::{Path, PathBuf};

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn open_or_set_aside(path: &Path) -> Opened {
    SqliteStore::open_or_set_aside(path, &schema(), HOST).unwrap()
}

/// Bytes without any order, from a linear congruential generator.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// A database of some hundred samples, cleanly closed.
fn filled(path: &Path) -> Vec<u8> {
    let mut store = open(path);
    let samples: Vec<_> = (0..3000).map(|i| sample(5 * i, [i as f64, 0.5, 0.25])).collect();
    store.append(STEP, &samples).unwrap();
    store.record(&[anomaly(0)], &[], &[]).unwrap();
    drop(store);
    fs::read(path).unwrap()
}

/// Whatever is wrong with `bytes`, they are kept, and a fresh database works.
fn is_set_aside(bytes: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("overseer.db");
    fs::write(&path, bytes).unwrap();

    let e = SqliteStore::open_or_set_aside(&path.join("x"), &schema(), HOST).unwrap_err();
    assert!(e.is_unavailable(), "a file is not a directory: {e}");

    for n in 1..=2 {
        let mut opened = open_or_set_aside(&path);
        let target = beside(&path, &format!(".unreadable-{n}"));
        assert_eq!(opened.set_aside.as_deref(), Some(&*target));
        assert!(opened.reason.unwrap().contains("overseer.db is unreadable"));
        assert_eq!(fs::read(target).unwrap(), bytes);
        assert_eq!(opened.store.append(STEP, &[sample(0, [1.0; 3])]).unwrap().stored, 1);
        drop(opened.store);
        assert_eq!(open_or_set_aside(&path).set_aside, None, "the fresh one is sound");
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(beside(&path, suffix));
        }
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn noise_in_place_of_a_database_is_set_aside_and_kept() {
    is_set_aside(&noise(100_000));
    is_set_aside(b"short");
}

#[test]
fn a_truncated_database_is_set_aside_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let whole = filled(&dir.path().join("overseer.db"));
    // To half a header, to pages and to what is none, and by as little as the last byte.
    let pages = whole.len() / 4096;
    let of_pages = [1, 2, pages / 2, pages - 1].map(|n| 4096 * n);
    let others = [2, 50, 100, 4095, 4097, whole.len() / 2 + 7, whole.len() - 4095, whole.len() - 1];
    for length in of_pages.into_iter().chain(others) {
        println!("{length} of {}", whole.len());
        is_set_aside(&whole[..length]);
    }
}

#[test]
fn damage_in_the_middle_is_found_by_the_check_and_not_by_luck() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = filled(&dir.path().join("overseer.db"));
    // Far from the first pages, which are all that opening reads.
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].copy_from_slice(&noise(4096));
    is_set_aside(&bytes);
}

#[test]
fn a_database_without_one_of_its_tables_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    drop(open(&path));
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE patterns").unwrap();
    let opened = open_or_set_aside(&path);
    assert!(opened.set_aside.is_some() && opened.reason.unwrap().contains("patterns"));
}

#[test]
fn a_log_without_its_database_is_kept_though_sqlite_would_delete_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    store.append(STEP, &[sample(0, [1.0; 3])]).unwrap();
    let log = fs::read(beside(&path, "-wal")).unwrap();
    drop(store);
    assert!(!log.is_empty() && !beside(&path, "-wal").exists());

    for left in [None, Some(""), Some("S")] {
        fs::remove_file(&path).unwrap();
        if let Some(left) = left {
            fs::write(&path, left).unwrap();
        }
        fs::write(beside(&path, "-wal"), &log).unwrap();
        let target = open_or_set_aside(&path).set_aside.unwrap();
        assert_eq!(fs::read(beside(&target, "-wal")).unwrap(), log, "{left:?}");
    }
}

#[test]
fn opening_plainly_reports_damage_and_moves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let bytes = noise(5000);
    fs::write(&path, &bytes).unwrap();
    assert!(SqliteStore::open(&path, &schema(), HOST).unwrap_err().is_corrupt());
    assert!(SqliteStore::open_read_only(&path, &schema(), HOST).unwrap_err().is_corrupt());
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// Every way of opening refuses, and not a byte changes.
fn is_left_untouched(path: &Path, said: &str) {
    let before = fs::read(path).unwrap();
    let open_ways: [fn(&Path) -> overseer_core::Error; 3] = [
        |p| SqliteStore::open(p, &schema(), HOST).unwrap_err(),
        |p| SqliteStore::open_or_set_aside(p, &schema(), HOST).unwrap_err(),
        |p| SqliteStore::open_read_only(p, &schema(), HOST).unwrap_err(),
    ];
    for way in open_ways {
        let e = way(path);
        assert!(!e.is_corrupt() && e.to_string().contains(said), "{e}");
        assert!(e.to_string().contains("untouched"), "{e}");
        assert_eq!(fs::read(path).unwrap(), before);
    }
}

#[test]
fn a_newer_format_is_refused_and_left_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    filled(&path);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    is_left_untouched(&path, "is of format 99, written by a newer version");
}

#[test]
fn the_database_of_another_program_is_refused_and_left_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE songs (x)").unwrap();
    is_left_untouched(&path, "another program");
}

#[test]
fn places_that_cannot_hold_a_database_are_unavailable_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing/overseer.db");
    let e = SqliteStore::open_or_set_aside(&missing, &schema(), HOST).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("missing/overseer.db"), "{e}");
    assert!(e.to_string().contains("does not exist"), "{e}");

    let directory = dir.path().join("overseer.db");
    fs::create_dir(&directory).unwrap();
    let e = SqliteStore::open_or_set_aside(&directory, &schema(), HOST).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("a directory stands"), "{e}");
    assert!(directory.is_dir());
}

/// Makes it impossible to create SQLite's shared-memory file, even for root, whom permissions do not stop: SQLite does
/// not follow a link there.
#[cfg(unix)]
fn forbid_shared_memory(path: &Path) {
    let _ = fs::remove_file(beside(path, "-shm"));
    std::os::unix::fs::symlink("nowhere", beside(path, "-shm")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_database_beside_which_nothing_can_be_written_is_still_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a%20 directory?#");
    fs::create_dir(&path).unwrap();
    let path = path.join("overseer.db");
    filled(&path);
    forbid_shared_memory(&path);
    assert!(SqliteStore::open(&path, &schema(), HOST).unwrap_err().is_unavailable());
    assert!(SqliteStore::open_or_set_aside(&path, &schema(), HOST).unwrap_err().is_unavailable());

    let mut store = SqliteStore::open_read_only(&path, &schema(), HOST).unwrap();
    assert_eq!(store.samples(&SampleQuery::latest(STEP, 5)).unwrap().len(), 5);
    assert_eq!(store.anomalies(9).unwrap(), [anomaly(0)]);
    let e = store.append(STEP, &[sample(0, [1.0; 3])]).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("may only be read"), "{e}");
    assert!(store.remove_samples(STEP).unwrap_err().is_unavailable());
    assert!(store.set_step(STEP).unwrap_err().is_unavailable());
}

#[cfg(unix)]
#[test]
fn data_in_a_log_that_cannot_be_read_is_said_and_not_silently_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    filled(&path);
    fs::write(beside(&path, "-wal"), noise(5000)).unwrap();
    forbid_shared_memory(&path);
    let e = SqliteStore::open_read_only(&path, &schema(), HOST).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("-wal"), "{e}");
}

#[test]
fn reading_only_finds_nothing_of_what_was_never_stored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let e = SqliteStore::open_read_only(&path, &schema(), HOST).unwrap_err();
    assert!(e.is_unavailable() && !path.exists(), "{e}");
    filled(&path);

    let wider = Schema::from_names(["cpu", "never stored"]).unwrap();
    let mut store = SqliteStore::open_read_only(&path, &wider, HOST).unwrap();
    let frame = store.samples(&SampleQuery::latest(STEP, 1)).unwrap();
    assert!(frame.row(0)[0] == 2999.0 && frame.row(0)[1].is_nan());

    let mut store = SqliteStore::open_read_only(&path, &schema(), "another host").unwrap();
    assert_eq!(store.counts().unwrap().samples, 0);
    assert!(store.append(STEP, &[sample(0, [1.0; 3])]).unwrap_err().is_unavailable());
    assert!(store.record(&[anomaly(0)], &[], &[]).unwrap_err().is_unavailable());
}

/// SQLite takes the missing end of a last page for zeros, so that only its length tells; a start sets it aside, and whoever
/// asks before that is told so.
#[test]
fn what_a_start_sets_aside_is_not_verified_as_sound() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut bytes = filled(&path);
    let verify = || {
        let store = SqliteStore::open_read_only(&path, &schema(), HOST).unwrap();
        store.verify().unwrap()
    };
    assert!(verify().is_sound());
    bytes.pop();
    fs::write(&path, &bytes).unwrap();
    let verified = verify();
    assert!(verified.structure.iter().any(|s| s.contains("cut off")), "{verified:?}");
    assert!(open_or_set_aside(&path).set_aside.is_some());
}

/// A host that was renamed has another history; the one it had is named, until it has one of its own.
#[test]
fn the_history_of_another_host_is_named_while_this_one_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    filled(&path);
    let own = SqliteStore::open_read_only(&path, &schema(), HOST).unwrap();
    assert_eq!(own.other_history().unwrap(), None);
    let mut renamed = SqliteStore::open(&path, &schema(), "renamed").unwrap();
    let named = Some(("renamed".to_owned(), HOST.to_owned()));
    assert_eq!(renamed.other_history().unwrap(), named);
    let samples: Vec<_> = (0..60).map(|i| sample(5 * i, [i as f64, 0.5, 0.25])).collect();
    renamed.append(STEP, &samples).unwrap();
    assert_eq!(renamed.other_history().unwrap(), None);
}
