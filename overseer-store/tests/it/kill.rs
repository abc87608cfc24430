//! What was acknowledged survives `kill -9` at any moment of writing, upkeep and migration, and the lease ends with its
//! holder.
//!
//! The tests run this very executable as a child that works and prints what it got `Ok` for, and kill it hundreds of
//! times. The waits come from a fixed generator; where in its work a child dies is the machine's chance.

use crate::contents::{HOST, STEP, anomaly, at, sample, schema};
use overseer_core::{SampleQuery, Span, Store, SummaryQuery};
use overseer_store::{
    DataDir, FORMAT_VERSION, LeaseOutcome, Retention, SqliteOptions, SqliteStore,
};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PLACE: &str = "OVERSEER_STORE_TEST_CHILD";
const JOB: &str = "OVERSEER_STORE_TEST_JOB";
const FROM: &str = "OVERSEER_STORE_TEST_FROM";

/// How often each kind of work is killed.
const ROUNDS: usize = 100;

/// Does nothing as a test; as the child it works until it is killed.
#[test]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let dir = DataDir::new(place);
    match std::env::var(JOB).unwrap().as_str() {
        "write" => write(&dir),
        "upkeep" => upkeep(&dir, std::env::var(FROM).unwrap().parse().unwrap()),
        "migrate" => {
            say("stored 0");
            drop(SqliteStore::open(&dir.database(), &schema(), HOST).unwrap());
        }
        other => panic!("{other} is no work"),
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn write(dir: &DataDir) {
    let LeaseOutcome::Held(_lease) = dir.lease(at(0), "child").unwrap() else {
        panic!("a killed process still holds the lease");
    };
    let opened = SqliteStore::open_or_set_aside(&dir.database(), &schema(), HOST).unwrap();
    assert_eq!((opened.set_aside, opened.warnings), (None, vec![]), "{:?}", opened.reason);
    let mut store = opened.store;
    let last = store.samples(&SampleQuery::latest(STEP, 1)).unwrap();
    let mut secs = last.timestamps().last().map_or(0, |t| t.since(at(0)).as_millis() / 1000 + 1);
    loop {
        store.append(STEP, &[sample(secs, [secs as f64, 0.5, f64::NAN])]).unwrap();
        store.record(&[anomaly(secs)], &[], &[]).unwrap();
        say(&format!("stored {secs}"));
        secs += 1;
    }
}

/// Keeps samples for an hour and minutes for three, so that there is always something to summarise, to sum, to remove
/// and to give back.
fn upkeep_options() -> SqliteOptions {
    let mut keep = Retention::default();
    keep.samples = Some(Span::from_secs(3600));
    keep.minutes = Some(Span::from_secs(3 * 3600));
    SqliteOptions::new().retention(keep)
}

/// The start of a whole hour, as [`at`] counts.
const HOUR_START: i64 = 3600 - 1_700_000_000 % 3600;
/// The seconds that one batch of samples covers.
const BATCH: i64 = 1200;

/// Stores batch after batch, each later, with upkeep in between.
fn upkeep(dir: &DataDir, mut batch: i64) {
    let opened = upkeep_options().open_or_set_aside(&dir.database(), &schema(), HOST).unwrap();
    assert_eq!((opened.set_aside, opened.warnings), (None, vec![]), "{:?}", opened.reason);
    let mut store = opened.store;
    loop {
        let start = HOUR_START + batch * BATCH;
        let samples: Vec<_> =
            (0..BATCH / 5).map(|i| sample(start + 5 * i, [i as f64, 0.5, batch as f64])).collect();
        store.append(STEP, &samples).unwrap();
        say(&format!("stored {batch}"));
        batch += 1;
        for _ in 0..3 {
            let done = store.maintain(at(start + BATCH), Duration::from_millis(4)).unwrap();
            assert_eq!(done.damaged, [], "a kill is no damage");
        }
    }
}

/// A fixed sequence of waits below `most` microseconds.
struct Waits(u64);

impl Waits {
    fn next(&mut self, most: u64) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Duration::from_micros((self.0 >> 33) % most)
    }
}

/// Starts the child, kills it after `wait`, and returns the numbers it said were stored. Unless it is killed `anywhere`,
/// the wait begins when it says the first one.
fn run_and_kill(dir: &DataDir, job: &str, from: i64, wait: Duration, anywhere: bool) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(PLACE, dir.root())
        .env(JOB, job)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !anywhere && !text.contains("stored ") {
        if lines.read_line(&mut text).unwrap() == 0 {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("the child ended early: {text}{said}");
        }
    }
    let start = Instant::now();
    while start.elapsed() < wait {
        std::thread::sleep((wait - start.elapsed()).min(Duration::from_millis(5)));
    }
    child.kill().unwrap();
    lines.read_to_string(&mut text).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    assert!(!said.contains("panicked"), "{said}");
    // A line counts once it is whole.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let stored = whole.lines().filter_map(|line| line.strip_prefix("stored "));
    stored.map(|number| number.parse().unwrap()).collect()
}

fn place() -> (tempfile::TempDir, DataDir) {
    let place = tempfile::tempdir().unwrap();
    let dir = DataDir::new(place.path().join("data"));
    dir.create().unwrap();
    (place, dir)
}

/// No database was set aside, and this one is whole to the last page and checksum.
fn is_sound(store: &SqliteStore) {
    let verified = store.verify().unwrap();
    assert!(verified.is_sound(), "{verified:?}");
    let beside = std::fs::read_dir(store.path().parent().unwrap()).unwrap();
    let names: Vec<_> = beside.map(|f| f.unwrap().file_name()).collect();
    assert!(names.iter().all(|n| !n.to_string_lossy().contains("unreadable")), "{names:?}");
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed_while_it_writes() {
    let (_place, dir) = place();
    let mut acknowledged: Vec<i64> = Vec::new();
    let mut waits = Waits(12_345);
    for round in 0..ROUNDS {
        // Every fifth is killed wherever it may be, even while it opens the database; the others while they store.
        let anywhere = round % 5 == 0;
        acknowledged.extend(run_and_kill(&dir, "write", 0, waits.next(15_000), anywhere));
    }
    println!("{ROUNDS} kills, {} samples and anomalies acknowledged", acknowledged.len());
    assert!(acknowledged.len() > ROUNDS / 2, "only {} were stored", acknowledged.len());

    let opened = SqliteStore::open_or_set_aside(&dir.database(), &schema(), HOST).unwrap();
    assert_eq!((opened.set_aside, opened.warnings), (None, vec![]), "{:?}", opened.reason);
    let mut store = opened.store;
    is_sound(&store);
    let frame = store.samples(&SampleQuery::latest(STEP, usize::MAX)).unwrap();
    let samples: HashSet<_> = frame.timestamps().iter().copied().collect();
    let found = store.anomalies(usize::MAX).unwrap();
    let anomalies: HashSet<_> = found.iter().map(|a| a.timestamp).collect();
    for &secs in &acknowledged {
        assert!(samples.contains(&at(secs)), "the sample of {secs} was lost");
        assert!(anomalies.contains(&at(secs)), "the anomaly of {secs} was lost");
    }
}

#[test]
fn nothing_is_lost_or_counted_twice_when_the_process_is_killed_during_upkeep() {
    let (_place, dir) = place();
    let mut next = 0;
    let mut waits = Waits(54_321);
    for round in 0..ROUNDS {
        let stored = run_and_kill(&dir, "upkeep", next, waits.next(30_000), round % 5 == 0);
        next = stored.last().map_or(next, |last| last + 1);
    }
    println!("{ROUNDS} kills, {} samples acknowledged", next * BATCH / 5);
    assert!(next > ROUNDS as i64 / 2, "only {next} batches");

    let opened = upkeep_options().open_or_set_aside(&dir.database(), &schema(), HOST).unwrap();
    assert_eq!((opened.set_aside, opened.warnings), (None, vec![]), "{:?}", opened.reason);
    let mut store = opened.store;
    is_sound(&store);
    let end = HOUR_START + next * BATCH;
    while store.maintain(at(end), Duration::from_secs(60)).unwrap().behind {}
    is_sound(&store);
    assert!(store.counts().unwrap().samples < 1500, "samples were removed, once summarised");
    // Each hour counts every sample once, whatever moment of its way through the tiers a kill hit.
    let query = SummaryQuery::new(at(HOUR_START), at(end - 1), Span::from_secs(3600));
    let summary = store.summary(&query).unwrap();
    let whole_hours = (next * BATCH / 3600) as usize;
    for hour in 0..whole_hours {
        let cell = summary.point(hour)[0];
        assert_eq!(cell.count, 720, "hour {hour} of {whole_hours}");
        assert_eq!((cell.min, cell.max), (0.0, 239.0));
    }
}

#[test]
fn a_migration_that_is_killed_is_done_by_the_next_start_and_nothing_is_lost() {
    const ROWS: i64 = 3000;
    let (_place, dir) = place();
    // A database of the first format, with enough in it that its migration takes a while.
    let old = dir.root().join("old.db");
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/v1.db");
    std::fs::copy(stored, &old).unwrap();
    let person = rusqlite::Connection::open(&old).unwrap();
    person
        .execute_batch(&format!(
            "INSERT INTO system_metrics (host_id, interval_ms, timestamp, cpu) \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) \
             SELECT 1, 5000, 1800000000000 + 5000 * i, i / 7.0 FROM n"
        ))
        .unwrap();
    drop(person);
    let old = std::fs::read(&old).unwrap();

    let (mut waits, mut undone) = (Waits(999), 0);
    // Half of the kills are to come too early, whatever the machine.
    let mut most = 12_000;
    for round in 0..ROUNDS {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(dir.root().join(format!("overseer.db{suffix}")));
        }
        std::fs::write(dir.database(), &old).unwrap();
        run_and_kill(&dir, "migrate", 0, waits.next(most), false);
        {
            // A look from outside that changes nothing.
            let copy = rusqlite::Connection::open_with_flags(
                dir.database(),
                rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
            );
            let version =
                copy.unwrap().query_row("PRAGMA user_version", [], |r| r.get::<_, u32>(0));
            match version.unwrap() {
                1 => {
                    undone += 1;
                    most = (most + most / 8).min(2_000_000);
                }
                found => {
                    assert_eq!(found, FORMAT_VERSION, "a migration is done as a whole");
                    most -= most / 8;
                }
            }
        }
        let opened = SqliteStore::open_or_set_aside(&dir.database(), &schema(), HOST).unwrap();
        assert_eq!((opened.set_aside, opened.warnings), (None, vec![]), "round {round}");
        let mut store = opened.store;
        assert_eq!(store.counts().unwrap().samples, ROWS as u64 + 2);
        assert_eq!(store.anomalies(9).unwrap(), [anomaly(5)]);
        if round % 10 == 0 {
            is_sound(&store);
        }
    }
    println!("{ROUNDS} kills, {undone} of them before the migration was done");
    assert!((1..ROUNDS).contains(&undone), "{undone} of {ROUNDS} were killed before the migration");
}
