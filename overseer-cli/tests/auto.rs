//! Choosing among forecasters, as processes: on demand, and beside a running `watch`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

use overseer_engine::core::{ModelMetadata, Sample, Span, Store, Timestamp, host};
use overseer_engine::host::{now, open_store, store::SqliteStore};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn overseer(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overseer"));
    command.arg("--data-dir").arg(dir).args(args).env_remove("OVERSEER_LOG");
    command
}

/// A history of so many samples at `step`, the newest of a moment ago and one of the day before yesterday: a host whose
/// CPU follows a rhythm.
fn remember(dir: &Path, step: Span, samples: usize) {
    let mut options = overseer_engine::host::Options::default();
    options.data_dir = Some(dir.to_owned());
    let mut store: SqliteStore = open_store(&options, true).unwrap();
    let end = now();
    let sample = |back: Span| {
        let time = end - back;
        let phase = time.as_millis().rem_euclid(12 * step.as_millis()) as f64;
        let noise = (time.as_millis() as f64 * 0.618_033_988_7).fract();
        let mut values = vec![f64::NAN; host::schema().len()];
        values[host::CPU_UTILIZATION] = 0.2 + 0.03 * phase / step.as_millis() as f64 + 0.02 * noise;
        values[host::MEMORY_UTILIZATION] = 0.1;
        Sample::new(time, values)
    };
    let mut all = vec![sample(Span::from_secs(2 * 86_400))];
    all.extend((1..=samples).rev().map(|i| sample(step.times(i))));
    store.set_step(step).unwrap();
    store.append(step, &all).unwrap();
}

fn metadata(dir: &Path) -> Vec<ModelMetadata> {
    let mut options = overseer_engine::host::Options::default();
    options.data_dir = Some(dir.to_owned());
    open_store(&options, false).unwrap().model_metadata().unwrap()
}

fn chosen_at(dir: &Path) -> Option<Timestamp> {
    let models = metadata(dir);
    let model = models.iter().find(|m| m.name == "performance_score")?;
    model.selection.as_ref().map(|s| s.at)
}

#[test]
fn train_auto_prints_a_leaderboard_and_keeps_the_choice() {
    let dir = tempfile::tempdir().unwrap();
    remember(dir.path(), Span::from_secs(5), 300);
    let output = overseer(dir.path(), &["train", "--auto", "--budget", "2s"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for said in ["rank", "last value", "rules weighed", "Chosen: ", "trained  performance_score"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(chosen_at(dir.path()).is_some());
    let dir = tempfile::tempdir().unwrap();
    remember(dir.path(), Span::from_secs(5), 300);
    let json = overseer(dir.path(), &["--format", "json", "train", "--auto", "--budget", "1ms"]);
    let output = { json }.output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let selection = &json["models"][0]["trained"]["selection"];
    assert_eq!((&selection["end"], &selection["chosen"]), (&"stopped".into(), &"forest".into()));
    assert!(selection["margin"].is_null(), "nothing was measured in a millisecond");
    assert_eq!(selection["leaderboard"].as_array().unwrap().len(), 16);
}

#[test]
fn too_little_history_and_a_budget_without_a_contest_are_told() {
    let dir = tempfile::tempdir().unwrap();
    remember(dir.path(), Span::from_secs(5), 80);
    let output = overseer(dir.path(), &["train", "--auto"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("a contest of forecasters"), "{message}");
    let output = overseer(dir.path(), &["train", "--budget", "5s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn watch_chooses_beside_its_ticks_and_delays_none() {
    const STEP: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    remember(dir.path(), Span::from_millis(STEP as i64), 150);
    let mut child = overseer(dir.path(), &["--format", "json", "watch", "--every", "200ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let mut ticks: Vec<i64> = Vec::new();
    let mut told = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let report: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        ticks.push(report["timestamp"].as_i64().unwrap());
        let notices = report["notices"].to_string();
        if told.is_none() && (notices.contains("was chosen") || notices.contains("compared")) {
            told = Some(notices);
        }
        if told.is_some() || start.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    let told = told.expect("a contest comes to its end");
    assert!(told.contains("was chosen"), "{told}");
    let chosen = chosen_at(dir.path()).expect("the choice is stored");
    // While it ran, samples came at their step: none is skipped, but for what a busy machine may cost. The first ticks
    // train the models, as they do without a contest.
    let during: Vec<i64> =
        ticks.iter().copied().skip(2).filter(|t| *t <= chosen.as_millis()).collect();
    let span = during.first().zip(during.last()).map(|(first, last)| last - first);
    // On a fast and idle machine it takes less than a few steps.
    let expected = span.map_or(0, |span| span / STEP as i64 + 1);
    let came = during.len() as i64;
    assert!(10 * came >= 8 * expected, "{came} of {expected} ticks: {during:?}");
}
