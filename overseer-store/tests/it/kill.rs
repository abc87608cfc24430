//! What was acknowledged survives `kill -9` at any moment, and the lease ends with its holder.
//!
//! The test runs this very executable as a child that stores samples and prints each time it got `Ok` for.

use crate::contents::{HOST, STEP, anomaly, at, sample, schema};
use overseer_core::{SampleQuery, Store};
use overseer_store::{DataDir, LeaseOutcome, SqliteStore};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

const PLACE: &str = "OVERSEER_STORE_TEST_CHILD";
const ROUNDS: i64 = 25;

/// Does nothing as a test; as the child it stores until it is killed.
#[test]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let dir = DataDir::new(place);
    let LeaseOutcome::Held(_lease) = dir.lease(at(0), "child").unwrap() else {
        panic!("a killed process still holds the lease");
    };
    let opened = SqliteStore::open_or_set_aside(&dir.database(), &schema(), HOST).unwrap();
    assert_eq!(opened.set_aside, None, "{:?}", opened.reason);
    let mut store = opened.store;
    let last = store.samples(&SampleQuery::latest(STEP, 1)).unwrap();
    let mut secs = last.timestamps().last().map_or(0, |t| t.since(at(0)).as_millis() / 1000 + 1);
    let mut out = std::io::stdout();
    loop {
        store.append(STEP, &[sample(secs, [secs as f64, 0.5, f64::NAN])]).unwrap();
        store.record(&[anomaly(secs)], &[], &[]).unwrap();
        out.write_all(format!("stored {secs}\n").as_bytes()).unwrap();
        out.flush().unwrap();
        secs += 1;
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let place = tempfile::tempdir().unwrap();
    let dir = DataDir::new(place.path().join("data"));
    dir.create().unwrap();
    let mut acknowledged: Vec<i64> = Vec::new();
    let mut random = 12345_u64;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture"])
            .env(PLACE, dir.root())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        // Every fifth is killed wherever it may be, even while it opens the database; the others while they store.
        while round % 5 != 0 && !text.contains("stored ") {
            assert!(lines.read_line(&mut text).unwrap() > 0, "the child ended early: {text}");
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_micros((random >> 40) % 40_000));
        child.kill().unwrap();
        lines.read_to_string(&mut text).unwrap();
        child.wait().unwrap();

        // A line counts once it is whole.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let stored = whole.lines().filter_map(|line| line.strip_prefix("stored "));
        acknowledged.extend(stored.map(|secs| secs.parse::<i64>().unwrap()));
    }
    assert!(acknowledged.len() as i64 > ROUNDS, "only {} were stored", acknowledged.len());

    let opened = SqliteStore::open_or_set_aside(&dir.database(), &schema(), HOST).unwrap();
    assert_eq!(opened.set_aside, None, "{:?}", opened.reason);
    let mut store = opened.store;
    let frame = store.samples(&SampleQuery::latest(STEP, usize::MAX)).unwrap();
    let samples: HashSet<_> = frame.timestamps().iter().copied().collect();
    let found = store.anomalies(usize::MAX).unwrap();
    let anomalies: HashSet<_> = found.iter().map(|a| a.timestamp).collect();
    for &secs in &acknowledged {
        assert!(samples.contains(&at(secs)), "the sample of {secs} was lost");
        assert!(anomalies.contains(&at(secs)), "the anomaly of {secs} was lost");
    }
}
