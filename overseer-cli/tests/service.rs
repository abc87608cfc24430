//! What systemd hears of `watch` and `serve` over a real socket, and what a log looks like in each form.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn overseer(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overseer"));
    command.arg("--data-dir").arg(dir).args(args).stdout(Stdio::null()).stderr(Stdio::null());
    for variable in [
        "OVERSEER_LOG",
        "OVERSEER_LOG_FORMAT",
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "JOURNAL_STREAM",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Ends the process when a test is over, however it ends.
struct Running(Child);

impl Running {
    fn terminate(&self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Messages up to and with the first that says `what`.
fn hear(socket: &UnixDatagram, what: &str) -> Vec<String> {
    let mut heard = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        let n =
            socket.recv(&mut bytes).unwrap_or_else(|e| panic!("no {what} after {heard:?}: {e}"));
        let said = String::from_utf8(bytes[..n].to_vec()).unwrap();
        let is_it = said.lines().any(|line| line == what);
        heard.push(said);
        if is_it {
            return heard;
        }
    }
}

#[test]
fn systemd_hears_that_it_is_ready_that_it_ticks_and_that_it_ends() {
    for args in [
        vec!["watch", "--every", "200ms"],
        vec!["serve", "--every", "200ms", "--listen", "127.0.0.1:0"],
    ] {
        if args[0] == "serve" && !cfg!(feature = "serve") {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut command = overseer(dir.path(), &args);
        // A watchdog of half a second is less than four steps of 200 ms.
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "500000");
        let mut running = Running(command.spawn().unwrap());
        let ready = hear(&socket, "READY=1");
        assert!(ready.last().unwrap().contains("\nWATCHDOG_USEC=800000\n"), "{ready:?}");
        let looking = hear(&socket, "WATCHDOG=1");
        assert!(
            looking.last().unwrap().contains("STATUS=getting to know this host"),
            "{looking:?}"
        );
        // Past the first look, whose samples are 75.
        let mut last = String::new();
        for _ in 0..100 {
            last = hear(&socket, "WATCHDOG=1").pop().unwrap();
            if !last.contains("getting to know") {
                break;
            }
        }
        assert!(last.contains("STATUS=") && !last.contains("getting to know"), "{last}");
        running.terminate();
        hear(&socket, "STOPPING=1");
        assert!(running.0.wait().unwrap().success());
    }
}

#[test]
fn an_abstract_socket_is_found_and_one_that_nobody_reads_delays_no_tick() {
    let dir = tempfile::tempdir().unwrap();
    let name = format!("overseer-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = overseer(dir.path(), &["watch", "--every", "50ms", "--samples", "150"]);
    command.env("NOTIFY_SOCKET", format!("@{name}"));
    let mut running = Running(command.spawn().unwrap());
    hear(&socket, "READY=1");
    // From here on nobody reads: a queue of the kernel's length fills up, and the 150 ticks are done all the same.
    assert!(running.0.wait().unwrap().success());
}

fn logged(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> (Option<i32>, String) {
    let all: Vec<&str> =
        args.iter().copied().chain(["watch", "--every", "50ms", "--samples", "3"]).collect();
    let mut command = overseer(dir, &all);
    command.envs(env.iter().copied());
    let output = command.stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn each_form_of_the_log_is_what_its_readers_expect() {
    let dir = tempfile::tempdir().unwrap();
    let (_, silent) = logged(dir.path(), &[], &[]);
    assert_eq!(silent, "", "nothing is logged unless it is asked for");
    let debug = [("OVERSEER_LOG", "debug")];
    let (_, json) = logged(dir.path(), &["--log-format", "json"], &debug);
    assert!(json.lines().count() >= 3, "{json}");
    for line in json.lines() {
        assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
        for key in ["\"timestamp\":", "\"level\":", "\"target\":"] {
            assert!(line.contains(key), "no {key} in {line}");
        }
    }
    let (_, logfmt) = logged(dir.path(), &[], &[debug[0], ("OVERSEER_LOG_FORMAT", "logfmt")]);
    assert!(logfmt.lines().count() >= 3, "{logfmt}");
    for line in logfmt.lines() {
        assert!(
            line.starts_with("ts=20") && line.contains(" level=") && line.contains(" target="),
            "{line}"
        );
    }
    assert!(logfmt.contains(" msg=tick "), "{logfmt}");
    let (_, text) = logged(dir.path(), &["--log-format", "text"], &debug);
    assert!(text.contains(" DEBUG ") && !text.contains('\u{1b}'), "{text}");
    let (code, wrong) = logged(dir.path(), &[], &[("OVERSEER_LOG", "overseer=loud")]);
    assert_eq!(code, Some(64));
    assert!(wrong.contains("OVERSEER_LOG") && wrong.contains("overseer=loud"), "{wrong}");
}

#[test]
fn in_the_journal_each_line_has_its_level_and_no_time_of_its_own() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    // A file stands for the journal's stream: what counts is that the variable names it.
    let path = dir.path().join("journal");
    let file = std::fs::File::create(&path).unwrap();
    let found = file.metadata().unwrap();
    let mut command =
        overseer(&dir.path().join("data"), &["watch", "--every", "50ms", "--samples", "3"]);
    command.env("JOURNAL_STREAM", format!("{}:{}", found.dev(), found.ino()));
    command.env("OVERSEER_LOG", "debug");
    assert!(command.stderr(file).status().unwrap().success());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.lines().count() >= 3, "{text}");
    for line in text.lines() {
        let level = line.split_once('>').map(|(level, _)| level);
        assert!(matches!(level, Some("<3" | "<4" | "<6" | "<7")), "{line}");
    }
    assert!(text.lines().any(|l| l.starts_with("<7>DEBUG ")), "no time before the level: {text}");
}
