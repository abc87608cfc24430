//! `incidents`, `acknowledge`, `label` and `silence`, as processes.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use overseer_engine::core::{
    AlertState, AnomalyDetection, Collector, Incident, IncidentKind, Peak, Severity, Store,
    Timestamp, host,
};
use overseer_engine::host::{collect::HostCollector, store::SqliteStore};
use std::path::Path;
use std::process::{Command, Output};

fn overseer(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overseer"));
    command.arg("--data-dir").arg(dir).args(args).env_remove("OVERSEER_LOG");
    command.output().unwrap()
}

fn json(dir: &Path, args: &[&str]) -> serde_json::Value {
    let output = overseer(dir, &[&["--format", "json"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(dir: &Path, args: &[&str], code: i32) -> String {
    let output = overseer(dir, args);
    assert_eq!(output.status.code(), Some(code), "{args:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn store(dir: &Path) -> SqliteStore {
    let name = HostCollector::new().unwrap().host().name;
    SqliteStore::open(&dir.join("overseer.db"), &host::schema(), &name).unwrap()
}

fn incident(state: AlertState) -> Incident {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let mut incident =
        Incident::new(IncidentKind::Anomaly, Peak::new(at, Severity::High, 0.9, 1e-6));
    (incident.state, incident.fired_at, incident.alert) = (state, Some(at), true);
    incident.description = "CPU is far above its usual.".into();
    incident
}

#[test]
fn an_incident_is_acknowledged_and_labelled_by_the_number_that_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path()).put_incident(&incident(AlertState::Firing)).unwrap();
    let text = String::from_utf8(overseer(dir.path(), &["incidents"]).stdout).unwrap();
    assert!(text.starts_with("#1 ") && text.contains("HIGH") && text.contains("firing"), "{text}");

    let mine = json(dir.path(), &["acknowledge", "#1", "--note", "mine"]);
    assert_eq!(
        (&mine["state"], &mine["acknowledged"]["note"]),
        (&"acknowledged".into(), &"mine".into())
    );
    let still = json(dir.path(), &["acknowledge", "1"]);
    assert_eq!(still["acknowledged"]["note"], "mine", "who says nothing more takes nothing back");
    let said = json(dir.path(), &["label", "1", "false-alarm"]);
    assert_eq!(said["label"]["kind"], "false_alarm");
    let again = json(dir.path(), &["label", "1", "expected", "--note", "a backup"]);
    assert_eq!(again["label"]["kind"], "expected", "the newest counts");
    let listed = json(dir.path(), &["incidents"]);
    assert_eq!(listed["incidents"][0], again);

    let unknown = refused(dir.path(), &["label", "7", "expected"], 3);
    assert!(unknown.contains("there is no #7; there are #1"), "{unknown}");
    assert!(refused(dir.path(), &["label", "1", "wrong"], 64).contains("false-alarm"));
    refused(dir.path(), &["acknowledge", "one"], 64);
    let code = overseer(dir.path(), &["--exit-code", "incidents"]).status.code();
    assert_eq!(code, Some(1), "one of high severity goes on");
}

#[test]
fn silences_are_made_listed_and_lifted() {
    let dir = tempfile::tempdir().unwrap();
    drop(store(dir.path()));
    let once =
        json(dir.path(), &["silence", "--for", "2h", "--feature", "cpu", "--reason", "test"]);
    assert_eq!((&once["id"], &once["features"][0]), (&1.into(), &"system.cpu.utilization".into()));
    let lasting =
        |s: &serde_json::Value| s["ends_at"].as_i64().unwrap() - s["starts_at"].as_i64().unwrap();
    assert_eq!(lasting(&once), 7_200_000);
    let weekly =
        ["silence", "--weekly", "sat,sun 02:00", "--for", "3h", "--tz", "UTC", "--maintenance"];
    let weekly = json(dir.path(), &weekly);
    assert_eq!((&weekly["kind"], lasting(&weekly)), (&"maintenance".into(), 10_800_000));
    assert_eq!(weekly["starts_at"].as_i64().unwrap().rem_euclid(86_400_000), 7_200_000);
    assert_eq!(json(dir.path(), &["silence", "list"])["silences"].as_array().unwrap().len(), 2);
    assert_eq!(json(dir.path(), &["silence", "lift", "1"])["lifted"], 1);
    assert_eq!(json(dir.path(), &["silence", "list"])["silences"][0]["id"], 2);

    let gone = refused(dir.path(), &["silence", "lift", "1"], 3);
    assert!(gone.contains("there is no #1; there are #2"), "{gone}");
    assert!(refused(dir.path(), &["silence"], 64).contains("--for"));
    let day = refused(dir.path(), &["silence", "--for", "1h", "--weekly", "caturday 02:00"], 64);
    assert!(day.contains("`caturday` is no day"), "{day}");
    let zone = ["silence", "--for", "1h", "--weekly", "sat 02:00", "--tz", "Mars/Olympus"];
    assert!(refused(dir.path(), &zone, 3).contains("Mars/Olympus"));
    let long = ["silence", "--for", "8d", "--weekly", "sat 02:00", "--tz", "UTC"];
    assert!(refused(dir.path(), &long, 3).contains("7d"));
    refused(dir.path(), &["silence", "--for", "1h", "--tz", "UTC"], 64);
}

#[test]
fn an_anomaly_that_is_part_of_no_incident_is_labelled_by_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let at = Timestamp::from_millis(1_700_000_000_250);
    let mut anomaly = AnomalyDetection::new(at, Severity::High, 0.9, 1e-6);
    anomaly.description = "CPU was far above its usual.".into();
    store(dir.path()).record(&[anomaly], &[], &[]).unwrap();
    let said = overseer(dir.path(), &["label", "2023-11-14T22:13:20Z", "false-alarm"]).stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("is labelled false alarm: CPU was far above its usual."), "{said}");
    let labels = store(dir.path()).labels(Timestamp::from_millis(0)).unwrap();
    assert_eq!(labels.iter().map(|l| l.anomaly).collect::<Vec<_>>(), [at]);
    let unknown = refused(dir.path(), &["label", "2023-11-14T22:13:21Z", "expected"], 3);
    assert!(unknown.contains("the newest are of 2023-11-14T22:13:20Z"), "{unknown}");
}

#[test]
fn a_file_where_the_data_directory_should_be_is_told_and_not_for_each_model_that_may_be_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = overseer(&file, &["analytics"]);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("a file stands where a directory should be"), "{said}");
    assert!(said.len() < 4000, "{} characters", said.len());
}
