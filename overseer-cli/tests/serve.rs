//! `overseer serve` as a process: it samples, answers over a real socket, and ends when told to.
#![cfg(all(unix, feature = "serve"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

const SECRET: &str = "0123456789abcdef";

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overseer"));
    command.arg("--data-dir").arg(dir).args(args);
    for variable in ["OVERSEER_LOG", "OVERSEER_TOKEN", "OVERSEER_TOKEN_FILE", "OVERSEER_LISTEN"] {
        command.env_remove(variable);
    }
    command
}

/// A running service, what it says, and where it listens.
struct Service {
    child: Child,
    said: BufReader<ChildStderr>,
    address: String,
    heard: Vec<String>,
}

impl Service {
    #[allow(clippy::zombie_processes, reason = "it is waited for when the service is dropped")]
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut heard = Vec::new();
        loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended: {heard:?}");
            let address = line.split("://").nth(1).and_then(|rest| rest.split('/').next());
            if let Some(address) = address.map(str::to_owned) {
                return Self { child, said, address, heard };
            }
            heard.push(line);
        }
    }

    /// Asks as `curl` would; gives the status and the body.
    fn ask(&self, path: &str, headers: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// Waits until the status says so.
    fn wait_for(&self, what: &str) -> String {
        let start = Instant::now();
        loop {
            let (status, body) = self.ask("/api/v1/status", "");
            assert_eq!(status, 200, "{body}");
            if body.contains(what) {
                return body;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "no {what} in {body}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn end(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn refused(mut command: Command) -> Output {
    command.output().unwrap()
}

#[test]
fn it_samples_and_answers_and_a_second_one_shows_what_the_first_stores() {
    let dir = tempfile::tempdir().unwrap();
    let local = ["serve", "--listen", "127.0.0.1:0", "--every", "50ms"];
    let first = Service::start(command(dir.path(), &local));
    first.wait_for("\"role\":\"sampler\"");
    let (status, page) = first.ask("/", "");
    assert!(status == 200 && page.contains("<title>Overseer</title>"));
    assert!(first.ask("/metrics", "").1.contains("overseer_ticks_total "));
    assert!(first.ask("/api/v1/metrics", "").1.contains("system.cpu.utilization"));

    let second = Service::start(command(dir.path(), &local));
    assert!(
        second.heard.iter().any(|l| l.contains("another process samples")),
        "{:?}",
        second.heard
    );
    let body = second.wait_for("\"role\":\"reader\"");
    assert!(body.contains("system.cpu.utilization"), "{body}");
    assert_eq!(second.end(), 0);
    assert_eq!(first.end(), 0);
}

/// What the process has in its environment, by name.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn environment(process: u32) -> std::collections::HashMap<String, String> {
    let text = std::fs::read_to_string(format!("/proc/{process}/environ")).unwrap();
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn it_has_few_heaps_in_the_process_that_was_started_unless_somebody_chose_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let local = ["serve", "--listen", "127.0.0.1:0", "--no-watch"];
    let mut quiet = command(dir.path(), &local);
    quiet.env_remove("MALLOC_ARENA_MAX").env_remove("MALLOC_MMAP_THRESHOLD_");
    let service = Service::start(quiet);
    let known = environment(service.child.id());
    assert_eq!(known["MALLOC_ARENA_MAX"], "2");
    assert_eq!(known["MALLOC_MMAP_THRESHOLD_"], "131072");
    assert_eq!(known["OVERSEER_STARTED_AGAIN"], service.child.id().to_string());
    let words = std::fs::read_to_string(format!("/proc/{}/cmdline", service.child.id())).unwrap();
    assert!(words.split('\0').skip(3).take(4).eq(local), "the same words: {words}");
    assert_eq!(service.end(), 0);

    let mut chosen = command(dir.path(), &local);
    chosen.env_remove("MALLOC_MMAP_THRESHOLD_").env("MALLOC_ARENA_MAX", "4");
    let service = Service::start(chosen);
    let known = environment(service.child.id());
    assert_eq!(known["MALLOC_ARENA_MAX"], "4");
    assert!(!known.contains_key("MALLOC_MMAP_THRESHOLD_"));
    assert_eq!(service.end(), 0);

    // As for a program whose capabilities make the loader drop the variables on the way: it does not start for ever.
    let dropped = command(dir.path(), &local);
    let mut shelled = Command::new("sh");
    shelled
        .args(["-c", "exec env OVERSEER_STARTED_AGAIN=$$ \"$@\"", "sh"])
        .arg(dropped.get_program())
        .args(dropped.get_args());
    shelled.env_remove("MALLOC_ARENA_MAX").env_remove("MALLOC_MMAP_THRESHOLD_");
    let service = Service::start(shelled);
    assert!(!environment(service.child.id()).contains_key("MALLOC_ARENA_MAX"));
    assert_eq!(service.end(), 0);
}

#[test]
fn who_ends_it_waits_for_no_listener() {
    let dir = tempfile::tempdir().unwrap();
    let service =
        Service::start(command(dir.path(), &["serve", "--listen", "127.0.0.1:0", "--no-watch"]));
    let mut listener = TcpStream::connect(&service.address).unwrap();
    let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n\r\n", service.address);
    listener.write_all(request.as_bytes()).unwrap();
    let mut head = [0; 15];
    listener.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    let start = Instant::now();
    assert_eq!(service.end(), 0);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn beyond_this_host_a_token_is_needed_and_it_is_no_argument() {
    let dir = tempfile::tempdir().unwrap();
    let public = ["serve", "--listen", "0.0.0.0:0", "--no-watch"];
    let output = refused(command(dir.path(), &public));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("OVERSEER_TOKEN"), "{said}");
    let mut short = command(dir.path(), &public);
    short.env("OVERSEER_TOKEN", "short");
    assert_eq!(refused(short).status.code(), Some(64));

    let file = dir.path().join("token");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let mut guarded = command(dir.path(), &public);
    guarded.arg("--token-file").arg(&file);
    let service = Service::start(guarded);
    assert!(service.heard.iter().any(|l| l.contains("in the clear")), "{:?}", service.heard);
    assert_eq!(service.ask("/api/v1/status", "").0, 401);
    assert_eq!(
        service.ask("/api/v1/status", &format!("Authorization: Bearer {SECRET}\r\n")).0,
        200
    );
    assert_eq!(service.end(), 0);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = refused(command(dir.path(), &["serve", "--listen", &address]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains(&address), "{said}");
}
