//! The commands that look at this machine, as processes: signals, `kill -9`, broken files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn overseer(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overseer"));
    command.arg("--data-dir").arg(dir).args(args).env_remove("OVERSEER_LOG");
    command
}

fn json(dir: &Path, args: &[&str]) -> serde_json::Value {
    let output = overseer(dir, &["--format", "json"]).args(args).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{message}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn watch(dir: &Path) -> Child {
    overseer(dir, &["--format", "json", "watch", "--every", "50ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The times of the samples that complete lines acknowledge.
fn acknowledged(child: &mut Child) -> impl Iterator<Item = i64> + use<> {
    BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).filter_map(|line| {
        let report: serde_json::Value = serde_json::from_str(&line).ok()?;
        report["current"]["timestamp"].as_i64()
    })
}

fn stored_times(dir: &Path) -> BTreeSet<i64> {
    use overseer_engine::core::{SampleQuery, Span, Store, host};
    let mut store = overseer_engine::host::store::SqliteStore::open_or_set_aside(
        &dir.join("overseer.db"),
        &host::schema(),
        &hostname(dir),
    )
    .unwrap()
    .store;
    let query = SampleQuery::latest(Span::from_millis(50), usize::MAX);
    store.samples(&query).unwrap().timestamps().iter().map(|t| t.as_millis()).collect()
}

fn hostname(dir: &Path) -> String {
    json(dir, &["anomaly"])["host"]["name"].as_str().unwrap().to_owned()
}

#[test]
fn kill_dash_nine_of_watch_loses_no_acknowledged_sample() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = BTreeSet::new();
    for round in 0..20_u64 {
        let mut child = watch(dir.path());
        let lines = acknowledged(&mut child);
        // Moments that are spread without a generator; the first round also takes its first look.
        let patience = Duration::from_millis(100 + (round * 7919) % 400);
        let mut first = None;
        for time in lines {
            seen.insert(time);
            let first = *first.get_or_insert_with(Instant::now);
            if first.elapsed() > patience {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
    }
    assert!(seen.len() > 40, "{}", seen.len());
    let stored = stored_times(dir.path());
    let lost: Vec<&i64> = seen.difference(&stored).collect();
    assert!(lost.is_empty(), "{} of {} lost", lost.len(), seen.len());
}

#[test]
fn watch_ends_cleanly_on_sigterm_and_a_second_sampler_is_told_who_samples() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = watch(dir.path());
    let pid = child.id().to_string();
    let mut lines = acknowledged(&mut child);
    lines.next().expect("a first sample");
    let second = overseer(dir.path(), &["watch"]).output().unwrap();
    assert_eq!(second.status.code(), Some(3));
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(message.contains(&pid), "{message}");
    let report = json(dir.path(), &["analyze"]);
    let notices = report["notices"].to_string();
    assert!(notices.contains(&pid), "{notices}");
    assert!(!report["current"].is_null());
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let last = lines.last();
    assert!(child.wait().unwrap().success());
    assert!(stored_times(dir.path()).contains(&last.unwrap()));
}

#[test]
fn noise_in_place_of_the_database_is_kept_and_worked_around() {
    let dir = tempfile::tempdir().unwrap();
    let noise: Vec<u8> =
        (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(dir.path().join("overseer.db"), &noise).unwrap();
    let report = json(dir.path(), &["analyze"]);
    assert!(report["notices"].to_string().contains("moved to"), "{}", report["notices"]);
    assert!(report["learned"]["samples"].as_u64().unwrap() >= 70);
    let kept = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|f| f.unwrap().path())
        .find(|p| p.to_string_lossy().contains("unreadable"))
        .expect("the noise is still there");
    assert_eq!(std::fs::read(kept).unwrap(), noise);
}

#[test]
fn a_data_directory_that_cannot_be_made_costs_only_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "in the way").unwrap();
    let report = json(&file.join("state"), &["analyze"]);
    assert!(report["notices"].to_string().contains("not kept"), "{}", report["notices"]);
    assert!(!report["anomaly"].is_null() && !report["predictions"].as_array().unwrap().is_empty());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "in the way");
}

#[test]
fn a_quota_that_is_full_neither_ends_watch_nor_loses_what_was_stored() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("data");
    let limited = "ulimit -f 300; exec \"$0\" \"$@\"";
    let output = Command::new("bash")
        .args(["-c", limited, env!("CARGO_BIN_EXE_overseer"), "--data-dir"])
        .arg(&dir)
        .args(["watch", "--every", "50ms", "--samples", "150"])
        .output()
        .unwrap();
    // The shell would tell of a signal by 128 and more, and so would a missing code.
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    let told = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("not all of it could be stored"), "{told}");
    let verified = Command::new(env!("CARGO_BIN_EXE_overseer"))
        .arg("--data-dir")
        .arg(&dir)
        .arg("verify")
        .output()
        .unwrap();
    assert!(verified.status.success());
}
