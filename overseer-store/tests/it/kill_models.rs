//! A process that is killed while it saves models leaves whole ones, and none older than what it acknowledged.
//!
//! The test runs this very executable as a child that saves models and prints the number of each it got `Ok` for.

use crate::contents::at;
use overseer_core::ModelRepository;
use overseer_store::{DataDir, LeaseOutcome, ModelDirectory};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

const PLACE: &str = "OVERSEER_STORE_TEST_SAVING_CHILD";
const ROUNDS: u64 = 100;
/// Long enough that a save that is interrupted is often interrupted while it writes.
const WORDS: usize = 100_000;

/// A file that tells its number and whether any of it is missing.
fn file(number: u64) -> Vec<u8> {
    let words = (0..WORDS as u64).map(|i| number.wrapping_mul(i | 1));
    words.chain([number]).flat_map(u64::to_le_bytes).collect()
}

/// The number of a whole file.
fn number(bytes: &[u8]) -> Option<u64> {
    let number = u64::from_le_bytes(bytes.last_chunk::<8>().copied()?);
    (bytes == file(number)).then_some(number)
}

/// Does nothing as a test; as the child it saves until it is killed.
#[test]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let dir = DataDir::new(place);
    let LeaseOutcome::Held(_lease) = dir.lease(at(0), "child").unwrap() else {
        panic!("a killed process still holds the lease");
    };
    let mut models = ModelDirectory::new(dir.models());
    models.remove_leftovers().unwrap();
    models.roll_back("detector").unwrap();
    let last = models.load("detector").unwrap();
    let mut next = last.map_or(1, |bytes| number(&bytes).unwrap() + 1);
    let mut out = std::io::stdout();
    loop {
        models.save("detector", &file(next)).unwrap();
        out.write_all(format!("saved {next}\n").as_bytes()).unwrap();
        out.flush().unwrap();
        next += 1;
    }
}

#[test]
fn a_process_killed_while_it_saves_leaves_whole_models_and_loses_none_it_acknowledged() {
    let place = tempfile::tempdir().unwrap();
    let dir = DataDir::new(place.path().join("data"));
    dir.create().unwrap();
    let models = ModelDirectory::new(dir.models());
    let (mut acknowledged, mut interrupted) = (0, 0);
    let mut random = 98_765_u64;
    for _ in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill_models::child", "--nocapture"])
            .env(PLACE, dir.root())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("saved ") {
            assert!(lines.read_line(&mut text).unwrap() > 0, "the child ended early: {text}");
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_micros((random >> 40) % 30_000));
        child.kill().unwrap();
        lines.read_to_string(&mut text).unwrap();
        child.wait().unwrap();

        // A line counts once it is whole.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let saved = whole.lines().filter_map(|line| line.strip_prefix("saved "));
        acknowledged = saved.map(|n| n.parse().unwrap()).max().unwrap_or(acknowledged);

        let versions = models.versions("detector").unwrap();
        assert!((1..=ModelDirectory::KEPT).contains(&versions.len()), "{versions:?}");
        #[cfg(unix)]
        assert_eq!(versions[0].number, 0, "the newest is never without its name");
        let numbers: Vec<u64> = versions
            .iter()
            .map(|v| models.load_version("detector", v.number).unwrap().unwrap())
            .map(|bytes| number(&bytes).expect("a half file has a name that is read"))
            .collect();
        assert!(numbers.is_sorted_by(|newer, older| newer >= older), "{numbers:?}");
        // What was saved last may not have been acknowledged.
        assert!((acknowledged..=acknowledged + 1).contains(&numbers[0]), "{numbers:?}");
        let files = std::fs::read_dir(dir.models()).unwrap().count();
        interrupted += usize::from(files > versions.len());
    }
    assert!(acknowledged >= ROUNDS, "only {acknowledged} were saved");
    assert!(interrupted > 0, "no save was ever interrupted");
    let mut models = models;
    models.remove_leftovers().unwrap();
    let left = std::fs::read_dir(dir.models()).unwrap().count();
    assert_eq!(left, models.versions("detector").unwrap().len());
}
