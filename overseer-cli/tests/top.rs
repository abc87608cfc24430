//! `overseer top` as a person has it: in a real pseudo-terminal, whose screen is read as an emulator shows it.
#![cfg(all(unix, feature = "top"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);

struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    modes: String,
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn cells(n: u16) -> std::num::NonZeroU16 {
    n.try_into().unwrap()
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

impl Terminal {
    fn start(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(size(24, 80)).unwrap();
        let before = modes(&*pair.master);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_overseer"));
        command.args(["--data-dir", dir.to_str().unwrap(), "top", "--every", "200ms"]);
        command.args(args);
        command.cwd(dir);
        for variable in ["OVERSEER_LOG", "OVERSEER_LOG_FORMAT", "OVERSEER_CONFIG", "NO_COLOR"] {
            command.env_remove(variable);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        env.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(24), cells(80), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (shown, kept) = (Arc::clone(&screen), Arc::clone(&raw));
        std::thread::spawn(move || {
            let mut some = [0; 8192];
            while let Ok(n @ 1..) = reader.read(&mut some) {
                shown.lock().unwrap().process(&some[..n]);
                kept.lock().unwrap().extend_from_slice(&some[..n]);
            }
        });
        Self { master: pair.master, keys, child, screen, raw, modes: before }
    }

    fn seen(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn wait_for(&self, what: &str) -> String {
        let start = Instant::now();
        loop {
            let seen = self.seen();
            if seen.contains(what) {
                return seen;
            }
            assert!(start.elapsed() < PATIENCE, "no {what:?} on\n{seen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn resize(&self, rows: u16, cols: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(cells(rows), cells(cols));
        self.master.resize(size(rows, cols)).unwrap();
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits until it has ended, and says whether the terminal is as it was.
    fn ended(mut self) -> u32 {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it goes on\n{}", self.seen());
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(
            modes(&*self.master),
            self.modes,
            "the modes of the terminal are those of before"
        );
        // What was written last may still be on its way to the screen.
        let is_given_back = || {
            let parser = self.screen.lock().unwrap();
            !parser.screen().alternate_screen() && !parser.screen().hide_cursor()
        };
        while !is_given_back() {
            assert!(start.elapsed() < PATIENCE, "the screen is still taken");
            std::thread::sleep(Duration::from_millis(20));
        }
        let left = self.seen();
        assert!(
            !left.contains("Features"),
            "nothing of it is left on the screen of before:\n{left}"
        );
        status.exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn it_gets_to_know_the_host_shows_it_obeys_keys_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let mut top = Terminal::start(dir.path(), &[], &[]);
    let first = top.wait_for("Getting to know this host");
    assert!(first.contains("q quit") && first.contains("of 75 samples"), "{first}");
    assert!(top.screen.lock().unwrap().screen().alternate_screen());
    assert_ne!(modes(&*top.master), top.modes, "keys come as they are pressed");
    let seen = top.wait_for("usual ");
    for said in ["CPU", "memory", "fullest disk", "Performance", "budget 1/week", "every 200 ms"] {
        assert!(seen.contains(said), "no {said:?} on\n{seen}");
    }
    top.wait_for("ready");
    top.press("?");
    top.wait_for("look after the chosen incident");
    top.press("x\u{1b}[B\r");
    top.wait_for("system.cpu.utilization");
    top.wait_for("Now ");
    top.press("\u{1b}");
    top.wait_for("Incidents: ");
    top.press("+");
    top.wait_for("last 15 min");
    top.press("2");
    top.wait_for("pid");
    top.press("a");
    top.wait_for("There is no incident to look after.");
    top.press("w");
    let said = top.wait_for("was written to overseer-top-");
    let name = said.split("written to ").nth(1).unwrap().split(".txt").next().unwrap();
    let written = std::fs::read_to_string(dir.path().join(format!("{name}.txt"))).unwrap();
    assert!(written.contains("last 15 min") && written.lines().count() == 24, "{written}");
    assert!(!written.contains('\u{1b}'));
    top.resize(40, 140);
    top.wait_for("Patterns");
    top.wait_for("Notes");
    top.resize(10, 40);
    top.wait_for("too small");
    top.resize(24, 80);
    top.wait_for("Performance");
    assert!(String::from_utf8_lossy(&top.raw.lock().unwrap()).contains("\u{1b}[38;5;"), "colours");
    top.press("q");
    assert_eq!(top.ended(), 0);
    assert!(dir.path().join("overseer.db").exists(), "it sampled as `watch` does");
}

#[test]
fn signals_and_ctrl_c_give_the_terminal_back() {
    let dir = tempfile::tempdir().unwrap();
    for end in ["-TERM", "-INT", "-HUP", "-QUIT", "\u{3}"] {
        let mut top = Terminal::start(dir.path(), &["--no-watch"], &[]);
        top.wait_for("q quit");
        if end.starts_with('-') {
            top.signal(end);
        } else {
            top.press(end);
        }
        assert_eq!(top.ended(), 0, "{end:?}");
    }
}

#[test]
fn it_goes_back_to_the_shell_and_comes_again_though_the_terminal_answers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut top = Terminal::start(dir.path(), &["--no-watch"], &[]);
    top.wait_for("q quit");
    let is_taken = |top: &Terminal, wanted: bool| {
        let start = Instant::now();
        while top.screen.lock().unwrap().screen().alternate_screen() != wanted {
            assert!(start.elapsed() < PATIENCE, "{wanted}\n{}", top.seen());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    for _ in 0..2 {
        top.press("\u{1a}");
        is_taken(&top, false);
        assert!(!top.seen().contains("q quit"), "that is the shell's screen");
        // It gives the screen back a moment before it stops.
        std::thread::sleep(Duration::from_millis(200));
        top.signal("-CONT");
        is_taken(&top, true);
        top.wait_for("q quit");
    }
    // Whatever was written over it is drawn anew.
    top.screen.lock().unwrap().process(b"\x1b[24;1Hgarbled by somebody else");
    top.press("r");
    top.wait_for("q quit");
    top.press("q");
    assert_eq!(top.ended(), 0);
}

#[test]
fn when_its_terminal_goes_away_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let pair = native_pty_system().openpty(size(24, 80)).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_overseer"));
    command.args(["--data-dir", dir.path().to_str().unwrap(), "top", "--no-watch"]);
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (mut seen, mut some) = (String::new(), [0; 4096]);
    while !seen.contains("quit") {
        let n = reader.read(&mut some).unwrap();
        seen.push_str(&String::from_utf8_lossy(&some[..n]));
    }
    drop(reader);
    drop(pair.master);
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("it goes on without a terminal");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn beside_a_watch_it_shows_what_that_one_stores_and_decides_through_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let mut watch = Command::new(env!("CARGO_BIN_EXE_overseer"))
        .args(["--data-dir", data, "watch", "--every", "200ms"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !dir.path().join("overseer.db").exists() {
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut top = Terminal::start(dir.path(), &[], &[("NO_COLOR", "1")]);
    top.wait_for("stored samples");
    top.wait_for("usual ");
    top.press("s");
    top.wait_for("Silence everything for");
    top.press("1");
    top.wait_for("Silence #1: nobody is told of everything for 60 min");
    top.press("q");
    let raw = Arc::clone(&top.raw);
    assert_eq!(top.ended(), 0);
    let raw = String::from_utf8_lossy(&raw.lock().unwrap()).into_owned();
    // SGR 30 to 49 and 90 to 107 are colours; 39 and 49 are none.
    for sgr in raw.split("\u{1b}[").skip(1).filter_map(|s| s.split_once('m').map(|(a, _)| a)) {
        let is_color = |n: &str| matches!(n.parse::<u16>(), Ok(30..=38 | 40..=48 | 90..=107));
        let is_sgr = sgr.chars().all(|c| c.is_ascii_digit() || c == ';');
        assert!(!(is_sgr && sgr.split(';').any(is_color)), "a colour: {sgr:?}");
    }
    let listed = Command::new(env!("CARGO_BIN_EXE_overseer"))
        .args(["--data-dir", data, "silence", "list"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("from overseer top"));
    let pid = watch.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(watch.wait().unwrap().success());
}

#[test]
fn where_there_is_no_terminal_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let said = Command::new(env!("CARGO_BIN_EXE_overseer"))
        .args(["--data-dir", dir.path().to_str().unwrap(), "top"])
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(3));
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(error.contains("draws on one") && error.contains("watch"), "{error}");
    assert!(said.stdout.is_empty());
}
