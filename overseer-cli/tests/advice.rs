//! `replay`, `outcome` and `recommend`'s other forms, held against the command itself.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::path::Path;
use std::process::{Command, Output};

fn overseer(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_overseer"))
        .args(["--data-dir", dir.join("data").to_str().unwrap()])
        .args(args)
        .env_remove("OVERSEER_LOG")
        .env_remove("OVERSEER_CONFIG")
        .env_remove("OVERSEER_ALARM_BUDGET")
        .output()
        .unwrap()
}

fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Seconds of a host whose CPU is calm but for three times ten seconds.
fn history(dir: &Path) -> String {
    let mut text =
        String::from("timestamp,interval_ms,system.cpu.utilization,system.memory.utilization\n");
    for i in 0..1500_i64 {
        let noise = ((i * 7919) % 1009) as f64 / 1009.0;
        let is_busy = i > 700 && i % 300 < 10;
        let cpu = if is_busy { 0.95 + 0.02 * noise } else { 0.1 + 0.05 * noise };
        let memory = 0.4 + 0.03 * (((i * 104_729) % 997) as f64 / 997.0);
        text.push_str(&format!("{},1000,{cpu},{memory}\n", 1_700_000_000_000 + 1000 * i));
    }
    let path = dir.join("history.csv");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_replay_says_which_alerts_a_configuration_removes_in_text_and_json() {
    let dir = tempfile::tempdir().unwrap();
    let file = history(dir.path());
    // The step is chosen by the first sampler.
    assert!(overseer(dir.path(), &["watch", "--every", "1s", "--samples", "1"]).status.success());
    let imported = overseer(dir.path(), &["import", &file]);
    assert!(imported.status.success(), "{}", error_of(&imported));
    let strict = dir.path().join("strict.toml");
    std::fs::write(&strict, "alarm-budget = \"0.00001/month\"\n").unwrap();
    let loose = dir.path().join("loose.toml");
    std::fs::write(&loose, "alarm-budget = \"5/day\"\n").unwrap();
    let in_force = ["--in-force", loose.to_str().unwrap()];
    let since =
        [&["replay", "--since", "1700000000000", "--until", "1700001500000"], &in_force[..]];
    let since = since.concat();
    let new = ["--config", strict.to_str().unwrap()];
    let text = overseer(dir.path(), &[&since[..], &new[..]].concat());
    assert!(text.status.success(), "{}", error_of(&text));
    let said = String::from_utf8(text.stdout).unwrap();
    assert!(said.contains("Removed by the new configuration") && said.contains("CPU"), "{said}");
    assert!(said.contains("Added by the new configuration: 0"), "{said}");
    let json = overseer(dir.path(), &[&["--format", "json"], &since[..], &new[..]].concat());
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["spans"][0]["rows"], 1500);
    assert_eq!(report["in_force"]["alarm_budget"], "5/day");
    assert!(!report["removed"].as_array().unwrap().is_empty());
    assert!(report["removed"][0]["features"][0]["feature"].is_string());
    let same = ["--config", loose.to_str().unwrap()];
    let alone = overseer(dir.path(), &[&["--format", "json"], &since[..], &same[..]].concat());
    let alone: serde_json::Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert!(alone["new"].is_null());
    assert_eq!(alone["in_force"], report["in_force"]);
    assert_eq!(
        overseer(dir.path(), &["replay", "--since", "1h", "--until", "2h"]).status.code(),
        Some(3)
    );
}

#[test]
fn a_replay_of_a_longer_minimum_duration_compares_it_with_what_is_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let file = history(dir.path());
    assert!(overseer(dir.path(), &["watch", "--every", "1s", "--samples", "1"]).status.success());
    assert!(overseer(dir.path(), &["import", &file]).status.success());
    let config = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let old = config("old.toml", "alarm-budget = \"5/day\"\n");
    let new = config("new.toml", "alarm-budget = \"5/day\"\nmin-duration = \"1h\"\n");
    let since = ["replay", "--since", "1700000000000", "--until", "1700001500000"];
    let how = ["--in-force", &old, "--config", &new];
    let args = [&["--format", "json"], &since[..], &how[..]].concat();
    let output = overseer(dir.path(), &args);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["new"]["min_duration"], 3_600_000, "{}", error_of(&output));
    assert!(!report["in_force"]["alerts"].as_array().unwrap().is_empty());
    assert_eq!(report["new"]["alerts"].as_array().unwrap().len(), 0);
    assert_eq!(report["removed"], report["in_force"]["alerts"]);
    let text = overseer(dir.path(), &[&since[..], &how[..]].concat()).stdout;
    assert!(String::from_utf8(text).unwrap().contains("min duration"));
}

#[test]
fn what_is_not_there_or_not_allowed_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let none = overseer(dir.path(), &["outcome", "7", "helped"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(error_of(&none).contains('7'), "{}", error_of(&none));
    assert_eq!(overseer(dir.path(), &["outcome", "7", "splendid"]).status.code(), Some(64));
    assert_eq!(
        overseer(dir.path(), &["recommend", "--apply", "--dry-run"]).status.code(),
        Some(64)
    );
    let start = std::time::Instant::now();
    let apply = overseer(dir.path(), &["recommend", "--apply"]);
    assert_eq!(apply.status.code(), Some(3));
    assert!(error_of(&apply).contains("the configuration allows no action"), "{apply:?}");
    assert!(apply.stdout.is_empty() && start.elapsed().as_secs() < 10, "told before it looks");
    let why = overseer(dir.path(), &["--format", "json", "recommend", "--why"]);
    let records: serde_json::Value = serde_json::from_slice(&why.stdout).unwrap();
    assert_eq!(records[0]["action"], "nice");
    assert_eq!(records[0]["helped"], 0);
    let text = overseer(dir.path(), &["recommend", "--why"]);
    let said = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(said.contains("regret") && said.contains("Nothing was ever applied here"), "{said}");
    let config = dir.path().join("c.toml");
    std::fs::write(&config, "[actions]\nallow = [\"reboot\"]\n").unwrap();
    let wrong = overseer(dir.path(), &["--config", config.to_str().unwrap(), "recommend"]);
    assert_eq!(wrong.status.code(), Some(64));
    assert!(error_of(&wrong).contains("nice"), "{}", error_of(&wrong));
}
