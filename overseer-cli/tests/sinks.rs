//! Who is told of incidents, with real processes: the worker beside `watch`, `kill -9`, trying a sink, the outbox.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

use overseer_engine::core::{
    Alert, AlertState, Notification, NotificationReason, Severity, Store, Timestamp,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

struct Installation {
    dir: tempfile::TempDir,
}

impl Installation {
    fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display().to_string();
        std::fs::write(dir.path().join("o.toml"), config.replace("HERE", &here)).unwrap();
        Self { dir }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn overseer(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_overseer"));
        command.arg("--data-dir").arg(self.file("state")).arg("--config").arg(self.file("o.toml"));
        command.args(args).env_remove("OVERSEER_LOG");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.overseer(args).output().unwrap()
    }

    fn outbox(&self) -> impl Store {
        let mut options = overseer_engine::host::Options::default();
        options.data_dir = Some(self.file("state"));
        overseer_engine::host::open_store(&options, true).unwrap()
    }

    /// Puts a message into the outbox, as the engine does when an incident begins.
    fn queue(&self, sink: &str, incident: i64) -> i64 {
        let at = Timestamp::from_millis(incident);
        let (state, severity) = (AlertState::Firing, Severity::High);
        let mut told =
            Notification::new("web-1", at, NotificationReason::Fired, state, severity, at);
        told.description = "CPU is far above its usual 2–8 %".to_owned();
        let message = serde_json::to_string(&told).unwrap();
        let now = overseer_engine::host::now();
        self.outbox().queue_alert(&Alert::new(at, state, severity, now, sink, message)).unwrap()
    }

    fn alerts(&self) -> Vec<serde_json::Value> {
        let output = self.run(&["--format", "json", "alerts"]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{message}");
        let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        listed["alerts"].as_array().unwrap().clone()
    }
}

fn ids(path: &Path) -> Vec<i64> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let id = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_i64();
    text.lines().map(|line| id(line).unwrap()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const FILE: &str = r#"
[[sinks]]
name = "jsonl"
type = "file"
path = "HERE/alerts.jsonl"

[[sinks]]
name = "broken"
type = "command"
command = ["sh", "-c", "echo no pager >&2; exit 3"]
"#;

#[test]
fn watch_delivers_what_waits_and_alerts_tells_how_far_it_got() {
    let here = Installation::new(FILE);
    // A first run makes the database.
    assert!(here.run(&["watch", "--every", "50ms", "--samples", "1"]).status.success());
    let told = here.queue("jsonl", 1_000);
    let fails = here.queue("broken", 1_000);
    let nobody = here.queue("pager", 1_000);
    let start = Instant::now();
    let watch = here.run(&["watch", "--every", "50ms", "--samples", "3"]);
    assert!(watch.status.success() && start.elapsed() < Duration::from_secs(10));
    let said = text(&watch.stderr);
    assert!(said.contains("`broken` took no message") && said.contains("no pager"), "{said}");
    assert_eq!(ids(&here.file("alerts.jsonl")), [told]);
    let alerts = here.alerts();
    let of = |id: i64| alerts.iter().find(|a| a["id"] == id).unwrap();
    assert_eq!((&of(told)["progress"], &of(told)["attempts"]), (&"delivered".into(), &1.into()));
    assert_eq!((&of(fails)["progress"], &of(fails)["attempts"]), (&"waiting".into(), &1.into()));
    assert!(of(fails)["last_error"].as_str().unwrap().contains("exit code 3: no pager"));
    assert_eq!(
        (&of(nobody)["progress"], &of(nobody)["configured"]),
        (&"waiting".into(), &false.into())
    );
    let shown = text(&here.run(&["alerts"]).stdout);
    assert!(
        shown.contains("to jsonl: delivered") && shown.contains("no sink of this name"),
        "{shown}"
    );
    let one = text(&here.run(&["alerts", "--limit", "1"]).stdout);
    assert!(one.contains("pager") && !one.contains("jsonl"), "{one}");
}

#[test]
fn kill_dash_nine_in_the_middle_of_a_delivery_loses_nothing() {
    // The first time it hangs before it has told anybody.
    let here = Installation::new(
        r#"
[[sinks]]
name = "page"
type = "command"
command = ["sh", "-c", "if mkdir HERE/first 2>/dev/null; then sleep 20; exit 1; fi; cat >>HERE/told"]
"#,
    );
    assert!(here.run(&["watch", "--every", "50ms", "--samples", "1"]).status.success());
    let id = [here.queue("page", 1_000), here.queue("page", 2_000)];
    let mut watch = here
        .overseer(&["watch", "--every", "50ms"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the program runs", || here.file("first").exists());
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert!(ids(&here.file("told")).is_empty());
    let mut watch = here
        .overseer(&["watch", "--every", "50ms"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("both are told after the restart", || ids(&here.file("told")) == id);
    // And it ends within a second or so when told to.
    let start = Instant::now();
    let pid = watch.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(watch.wait().unwrap().success());
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(here.alerts().iter().all(|alert| alert["progress"] == "delivered"));
}

#[test]
fn a_sink_can_be_listed_and_tried() {
    let here = Installation::new(FILE);
    let listed = text(&here.run(&["sinks", "list"]).stdout);
    assert!(listed.contains("jsonl") && listed.contains("command"), "{listed}");
    let list = here.run(&["--format", "json", "sinks", "list"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(
        list["sinks"][1],
        serde_json::json!({"name": "broken", "type": "command", "to": "sh"})
    );

    let tried = here.run(&["sinks", "test", "jsonl"]);
    assert!(tried.status.success() && text(&tried.stdout).contains("was delivered to jsonl"));
    let line = std::fs::read_to_string(here.file("alerts.jsonl")).unwrap();
    assert!(line.contains("\"test\":true") && line.contains("nothing is wrong"), "{line}");

    let tried = here.run(&["--format", "json", "sinks", "test", "broken"]);
    assert_eq!(tried.status.code(), Some(3));
    let said: serde_json::Value = serde_json::from_slice(&tried.stdout).unwrap();
    assert_eq!((&said["delivered"], &said["refused"]), (&false.into(), &false.into()));
    assert!(text(&tried.stderr).contains("would be tried again"));

    let tried = here.run(&["sinks", "test", "jsnol"]);
    assert_eq!(tried.status.code(), Some(3));
    assert!(text(&tried.stderr).contains("there are jsonl, broken"));
}

#[test]
fn a_mistake_in_the_configuration_is_wrong_usage_and_told_at_its_line() {
    let here = Installation::new("every = \"5s\"\n\n[[sinks]]\nname = \"a\"\ntype = \"webhok\"\n");
    let output = here.run(&["sinks", "list"]);
    assert_eq!(output.status.code(), Some(64));
    let said = text(&output.stderr);
    assert!(
        said.contains("o.toml, line 5, column 8") && said.contains("did you mean `webhook`?"),
        "{said}"
    );
}
