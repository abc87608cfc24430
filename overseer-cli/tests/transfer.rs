//! Exports and imports by the command itself, beside a running sampler.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn overseer(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_overseer"))
        .arg("--data-dir")
        .arg(dir)
        .args(args)
        .env_remove("OVERSEER_LOG")
        .output()
        .unwrap()
}

/// What the command says on stderr, when it succeeds.
fn said(dir: &Path, args: &[&str]) -> String {
    let output = overseer(dir, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    said
}

fn watch(dir: &Path, samples: &str) {
    let output = overseer(dir, &["watch", "--every", "50ms", "--samples", samples]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_was_exported_and_imported_exports_the_same_again() {
    let place = tempfile::tempdir().unwrap();
    let (one, two) = (place.path().join("one"), place.path().join("two"));
    watch(&one, "70");
    for (what, name) in [("all", "all.jsonl"), ("metrics", "metrics.csv")] {
        let first = place.path().join(name);
        let first = first.to_str().unwrap();
        assert!(
            said(&one, &["export", "--what", what, "--output", first]).contains("rows exported")
        );
        let rows = said(&two, &["import", first]);
        assert!(rows.contains("rows stored"), "{rows}");
        let again = said(&two, &["import", first]);
        assert!(again.starts_with("0 rows stored, "), "{again}");
        let second = place.path().join(format!("second-{name}"));
        said(&two, &["export", "--what", what, "--output", second.to_str().unwrap()]);
        let (first, second) = (std::fs::read(first).unwrap(), std::fs::read(second).unwrap());
        assert!(!first.is_empty() && first == second, "{name}");
    }
    // And what was imported is looked at as if it had been sampled here.
    let analytics = overseer(&two, &["--format", "json", "analytics"]);
    let analytics: serde_json::Value = serde_json::from_slice(&analytics.stdout).unwrap();
    assert!(analytics.to_string().contains("system.cpu.utilization"));
}

#[test]
fn beside_a_running_sampler_both_work_and_it_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("data");
    watch(&dir, "5");
    // Else the sampler would remove what is imported, which is years old, as soon as it has summarised it.
    let config = place.path().join("overseer.toml");
    std::fs::write(&config, "keep-samples = \"forever\"\n").unwrap();
    let mut sampler = Command::new(env!("CARGO_BIN_EXE_overseer"))
        .arg("--data-dir")
        .arg(&dir)
        .arg("--config")
        .arg(&config)
        .args(["watch", "--every", "50ms", "--samples", "60"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let history = place.path().join("history.csv");
    let rows: String = (0..3000)
        .map(|i| format!("{},0.{:03}\n", 1_700_000_000_000_i64 + 50 * i, i % 1000))
        .collect();
    std::fs::write(&history, format!("timestamp,system.cpu.utilization\n{rows}")).unwrap();
    let imported = said(&dir, &["import", history.to_str().unwrap()]);
    assert!(imported.contains("3000 rows stored"), "{imported}");
    let file = place.path().join("out.jsonl");
    said(&dir, &["export", "--until", "1700000149999", "--output", file.to_str().unwrap()]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 3000);
    assert!(sampler.wait().unwrap().success());
}

#[test]
fn what_cannot_be_done_is_said_and_leaves_no_file() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("data");
    let out = place.path().join("out.csv");
    let out = out.to_str().unwrap();
    let fails = |args: &[&str], code: i32, why: &str| {
        let output = overseer(&dir, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
    };
    fails(&["export", "--output", out], 3, "does not exist");
    watch(&dir, "2");
    fails(&["export", "--output", "history.xls"], 64, "must end in .csv");
    fails(&["export", "--what", "all", "--output", out], 64, "exactly one kind");
    fails(&["export", "--what", "songs", "--output", out], 64, "predictions");
    fails(&["export", "--since", "yesterday", "--output", out], 64, "before now");
    fails(&["import", out], 3, "No such file");
    assert!(!Path::new(out).exists());
    std::fs::write(out, "timestamp,system.cpu.utilization\n1,0.5\nnoon,0.5\n").unwrap();
    fails(&["import", out], 3, "out.csv, line 3, column `timestamp`: `noon`");
}

#[test]
fn verify_says_what_is_sound_and_ends_with_an_error_where_something_is_not() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(overseer(place.path(), &["verify"]).status.code(), Some(3), "there is nothing");
    watch(place.path(), "3");
    let output = overseer(place.path(), &["--format", "json", "verify"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    assert_eq!(report["structure"], serde_json::json!([]));
    assert!(report["without_sum"].as_u64().unwrap() >= 3, "{report}");
    let text = overseer(place.path(), &["verify"]).stdout;
    assert!(String::from_utf8_lossy(&text).contains("structure         sound"));

    // A page in the middle.
    let path = place.path().join("overseer.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let output = overseer(place.path(), &["verify"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("overseer.db"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing was changed");
}

/// A host that was renamed is told where its history is, and has it back by its old name.
#[test]
fn under_another_name_the_history_is_named_and_found_again() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path();
    let rows: String = (0..100).map(|i| format!("{},0.5\n", 1_700_000_000 + 60 * i)).collect();
    let file = dir.join("h.csv");
    std::fs::write(&file, format!("timestamp,system.cpu.utilization\n{rows}")).unwrap();
    said(dir, &["--host-name", "old", "import", file.to_str().unwrap()]);
    let out = said(dir, &["--host-name", "new", "export", "--output", "-"]);
    assert!(out.contains("`--host-name old`") && out.contains("0 rows exported"), "{out}");
    let out = said(dir, &["--host-name", "old", "export", "--output", "-"]);
    assert_eq!(out.trim(), "100 rows exported");
}
