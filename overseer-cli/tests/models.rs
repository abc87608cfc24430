//! The model registry by the command itself.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use serde_json::Value;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn overseer(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_overseer"))
        .arg("--data-dir")
        .arg(dir)
        .args(args)
        .env_remove("OVERSEER_LOG")
        .env("TZ", "UTC")
        .output()
        .unwrap()
}

fn text(dir: &Path, args: &[&str]) -> String {
    let output = overseer(dir, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let all: Vec<&str> = ["--format", "json"].iter().chain(args).copied().collect();
    serde_json::from_slice(&overseer(dir, &all).stdout).unwrap()
}

/// The exit code, and what was said on stdout and stderr.
fn told(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = overseer(dir, args);
    let said = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), said(output.stdout), said(output.stderr))
}

/// A place where models were trained so many times, on a hundred samples more each time.
fn trained(times: i64) -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("data");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    for time in 0..times {
        let mut csv =
            "timestamp,interval_ms,system.cpu.utilization,system.memory.utilization\n".to_owned();
        for row in 100 * time..100 * (time + 1) {
            let at = now - 5000 * (100 * times - row);
            let (cpu, memory) =
                (0.1 + 0.01 * (row * 37 % 23) as f64, 0.5 + 0.001 * (row % 7) as f64);
            let _ = writeln!(csv, "{at},5000,{cpu},{memory}");
        }
        let file = place.path().join("samples.csv");
        std::fs::write(&file, csv).unwrap();
        text(&dir, &["import", file.to_str().unwrap()]);
        text(&dir, &["train", "--force"]);
    }
    (place, dir)
}

/// Every file's name, size and time of change.
fn files(dir: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut all = Vec::new();
    for place in [dir.to_owned(), dir.join("models")] {
        for entry in std::fs::read_dir(place).unwrap() {
            let (path, about) = (entry.as_ref().unwrap().path(), entry.unwrap().metadata());
            let about = about.unwrap();
            // What SQLite keeps for readers to share is theirs to make.
            let is_shared = path.to_string_lossy().ends_with("-shm")
                || path.to_string_lossy().ends_with("-wal");
            if about.is_file() && !is_shared {
                all.push((path, about.len(), about.modified().unwrap()));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn what_is_stored_is_listed_shown_and_verified_and_nothing_is_changed() {
    let (_place, dir) = trained(3);
    let before = files(&dir);
    let list = text(&dir, &["models", "list"]);
    for part in ["detector", "performance_score", "forecaster", "sound", " 3 "] {
        assert!(list.contains(part), "{part}: {list}");
    }
    let list = json(&dir, &["models", "list"]);
    assert_eq!(list["models"].as_array().unwrap().len(), 2);
    let detector = json(&dir, &["models", "show", "detector"]);
    assert_eq!(detector, list["models"][0]);
    assert_eq!((&detector["name"], &detector["state"]), (&"detector".into(), &"sound".into()));
    assert_eq!(detector["versions"].as_array().unwrap().len(), 3);
    assert_eq!(detector["recorded"]["rows"], detector["versions"][0]["metadata"]["rows"]);
    assert_eq!(detector["versions"][2]["number"], 2);
    assert!(detector["versions"][0]["saved_at"].as_i64().unwrap() > 1_600_000_000_000);

    let shown = text(&dir, &["models", "show", "detector"]);
    for part in ["isolation forest", "detector.model.2", "ago", "quality", "schema"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let verified = text(&dir, &["models", "verify"]);
    assert!(verified.contains("performance_score.model.1"), "{verified}");
    assert_eq!(json(&dir, &["models", "verify"])["sound"], true);
    assert_eq!(files(&dir), before);
}

#[test]
fn an_unknown_name_is_an_error_that_names_those_there_are() {
    let (_place, dir) = trained(1);
    let (code, _, error) = told(&dir, &["models", "show", "dectetor"]);
    assert_eq!(code, Some(3));
    assert!(error.contains("`dectetor`; there are detector, performance_score"), "{error}");
    let empty = dir.join("elsewhere");
    let (code, _, error) = told(&empty, &["models", "show", "detector"]);
    assert!(code == Some(3) && error.contains("nor any other yet"), "{error}");
    assert!(text(&empty, &["models", "list"]).contains("No models are stored"));
    assert!(text(&empty, &["models", "verify"]).contains("No models are stored"));
    assert_eq!(told(&empty, &["models", "prune"]).0, Some(3));
    assert!(!empty.exists(), "looking makes nothing");
    assert_eq!(told(&dir, &["models"]).0, Some(64));
    assert_eq!(told(&dir, &["models", "prune", "--keep", "0"]).0, Some(64));
}

#[test]
fn whatever_is_not_as_it_should_be_fails_the_verification_and_the_next_start_mends_it() {
    let (_place, dir) = trained(2);
    let file = |name: &str| dir.join("models").join(name);
    let broken = |dir: &Path, state: &str, said: &str| {
        let (code, table, error) = told(dir, &["models", "verify"]);
        assert_eq!(code, Some(3), "{table}");
        assert!(error.contains("1 of 2 are not as they should be"), "{error}");
        assert!(table.contains(state) && table.contains(said), "{table}");
        assert_eq!(json(dir, &["models", "verify"])["sound"], false);
    };
    let mends = |dir: &Path, said: &str| {
        let (code, report, _) = told(dir, &["analyze"]);
        let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == Some(0) && report.contains(said), "{report}");
        text(dir, &["models", "verify"]);
    };
    // One bit in the middle of the newest.
    let mut bytes = std::fs::read(file("detector.model")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(file("detector.model"), &bytes).unwrap();
    broken(&dir, "falls back to an older version", "its checksum does not match");
    mends(&dir, "saved before it is used");
    assert!(text(&dir, &["models", "show", "detector"]).contains("detector.model.unreadable-1"));

    // A file of other contents than the database knows: an older version in place of the newest.
    std::fs::copy(file("performance_score.model.2"), file("performance_score.model")).unwrap();
    let first = json(&dir, &["models", "show", "performance_score"]);
    assert_eq!(first["state"], "disagrees", "{first}");
    broken(&dir, "disagrees with the database", "in the store and");
    mends(&dir, "the store does not describe the file of the model `performance_score`");

    // An older version is damaged, which costs nothing until it is needed.
    std::fs::write(file("performance_score.model.1"), "noise").unwrap();
    broken(&dir, "an older version is unreadable", "cannot be used");
    text(&dir, &["models", "prune", "--keep", "1"]);
    text(&dir, &["models", "verify"]);

    // No version is left.
    std::fs::remove_file(file("detector.model")).unwrap();
    let _ = std::fs::remove_file(file("detector.model.1"));
    broken(&dir, "its file is missing", "no file of it can be read");
    mends(&dir, "a new one is trained");
}

#[test]
fn one_question_alone_has_the_models_trained_that_it_lacks_and_training_says_that_it_is_kept() {
    let (_place, dir) = trained(1);
    for question in [&["anomaly"][..], &["predict", "--horizon", "10s"], &["train"]] {
        for file in ["detector.model", "performance_score.model"] {
            std::fs::write(dir.join("models").join(file), "noise").unwrap();
        }
        let (code, said, error) = told(&dir, question);
        assert_eq!((code, error.contains("not kept")), (Some(0), false), "{question:?}: {error}");
        let all = format!("{said} {error}");
        assert_eq!(all.matches("`detector` cannot be used").count(), 1, "{question:?}: {all}");
        text(&dir, &["models", "verify"]);
        let (_, said, error) = told(&dir, &["anomaly"]);
        assert!(!said.contains("cannot be used") && error.is_empty(), "{said} {error}");
    }
}

#[test]
fn pruning_removes_older_versions_only_and_never_the_one_that_can_be_read() {
    let (_place, dir) = trained(3);
    let said = text(&dir, &["models", "prune", "--keep", "2"]);
    assert!(said.contains("detector.model.2") && said.contains("2 files removed"), "{said}");
    assert!(said.contains("4 kept"), "{said}");
    assert!(text(&dir, &["models", "prune"]).starts_with("0 files removed"));

    std::fs::write(dir.join("models/detector.model"), "noise").unwrap();
    let pruned = json(&dir, &["models", "prune", "--keep", "1"]);
    let (detector, forecaster) = (&pruned["models"][0], &pruned["models"][1]);
    assert_eq!((&detector["kept"], &forecaster["kept"]), (&2.into(), &1.into()), "{pruned}");
    assert_eq!(detector["removed"].as_array().unwrap().len(), 0);
    assert_eq!(forecaster["removed"][0]["number"], 1);
    assert!(dir.join("models/detector.model.1").exists());
}

#[test]
fn beside_a_running_sampler_models_are_looked_at_and_not_removed() {
    let (_place, dir) = trained(2);
    let mut sampler = Command::new(env!("CARGO_BIN_EXE_overseer"))
        .arg("--data-dir")
        .arg(&dir)
        .arg("watch")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(sampler.stdout.take().unwrap()).lines();
    let first = lines.next();
    let looked = ["list", "verify"].map(|what| told(&dir, &["models", what]));
    let shown = told(&dir, &["models", "show", "detector"]);
    let pruned = told(&dir, &["models", "prune", "--keep", "1"]);
    sampler.kill().unwrap();
    sampler.wait().unwrap();
    assert!(first.unwrap().unwrap().starts_with("Watching"));
    for (code, _, error) in looked.iter().chain([&shown]) {
        assert_eq!(*code, Some(0), "{error}");
    }
    assert_eq!(pruned.0, Some(3));
    assert!(
        pruned.2.contains("(watch, running for") && pruned.2.contains("in order itself"),
        "{}",
        pruned.2
    );
    assert!(dir.join("models/detector.model.1").exists());
}

#[test]
fn the_configuration_says_how_many_are_kept() {
    let (place, dir) = trained(3);
    let config = place.path().join("overseer.toml");
    std::fs::write(&config, "keep-models = 2\n").unwrap();
    text(&dir, &["--config", config.to_str().unwrap(), "train", "--force"]);
    let versions = json(&dir, &["models", "show", "detector"])["versions"].clone();
    assert_eq!(versions.as_array().unwrap().len(), 2);
}
