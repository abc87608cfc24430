//! A program of the user's own.

use crate::context::Stop;
use crate::message::{TEST_ID, json, one_line};
use crate::text::{body, rfc3339, subject};
use overseer_core::{Error, Notification, Result, Sink};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Of what a program writes to stderr, the first so many bytes are kept for the error.
const KEPT_BYTES: usize = 2048;
/// A longer environment variable is cut: systems refuse to start a program with one of 128 KiB.
const VARIABLE_CHARACTERS: usize = 8000;
/// How often it is looked at whether the program has ended.
const GLANCE: Duration = Duration::from_millis(10);
/// What of this process's environment the program gets: nothing in which secrets are kept.
const PASSED_ON: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Runs a program for each notification, never through a shell.
///
/// It gets the JSON of the notification on stdin, and the same in short in the environment: `OVERSEER_ID`,
/// `OVERSEER_HOST`, `OVERSEER_REASON`, `OVERSEER_STATE`, `OVERSEER_SEVERITY`, `OVERSEER_INCIDENT` (milliseconds since
/// 1970), `OVERSEER_STARTED_AT` and `OVERSEER_ENDED_AT` (RFC 3339; empty while it goes on), `OVERSEER_DESCRIPTION`,
/// `OVERSEER_FEATURES` (names with commas between), `OVERSEER_SUBJECT`, `OVERSEER_TEXT`, and `OVERSEER_TEST` (`1` for a
/// test, else empty). Of this process's own environment it gets `PATH` and a few more, and nothing else.
///
/// It has delivered when it ends with exit code 0. One that takes longer than its time is killed with what it started.
#[derive(Debug)]
pub struct CommandSink {
    name: String,
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
    stop: Stop,
}

impl CommandSink {
    /// A program with its arguments, which has 30 seconds.
    ///
    /// # Errors
    /// If `command` names no program, or holds a NUL character.
    pub fn new(name: impl Into<String>, command: &[String]) -> Result<Self> {
        let Some((program, arguments)) = command.split_first().filter(|(p, _)| !p.is_empty())
        else {
            return Err(Error::invalid_parameter("command", "names no program"));
        };
        if command.iter().any(|word| word.contains('\0')) {
            return Err(Error::invalid_parameter("command", "holds a NUL character"));
        }
        Ok(Self {
            name: name.into(),
            program: program.clone(),
            arguments: arguments.to_vec(),
            timeout: Duration::from_secs(30),
            stop: Stop::new(),
        })
    }

    /// How long it may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A word upon which a running program is ended at the time it names, and not left behind.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    fn start(&self, id: i64, n: &Notification) -> Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        for (name, value) in variables(id, n) {
            let value: String =
                value.chars().filter(|&c| c != '\0').take(VARIABLE_CHARACTERS).collect();
            command.env(name, value);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        #[cfg(unix)]
        // A group of its own, so that what it starts can be ended with it, and Ctrl-C does not reach it.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().map_err(|e| Error::unavailable(&self.program, e.to_string()))
    }

    /// The time until which it may run, and why it ends then.
    fn patience(&self, start: Instant) -> (Instant, String) {
        let end = start + self.timeout;
        let whole = overseer_core::Span::from(self.timeout);
        match self.stop.deadline() {
            Some(deadline) if deadline < end => {
                (deadline, "it had to end with Overseer".to_owned())
            }
            _ => (end, format!("it took longer than {whole} and was killed")),
        }
    }

    /// How it ended, or why it was ended.
    fn wait(&self, child: &mut Child) -> std::result::Result<ExitStatus, String> {
        let start = Instant::now();
        loop {
            let status = child.try_wait().map_err(|e| e.to_string())?;
            if let Some(status) = status {
                return Ok(status);
            }
            let (until, why) = self.patience(start);
            if Instant::now() >= until {
                kill(child);
                return Err(why);
            }
            std::thread::sleep(GLANCE);
        }
    }
}

impl Sink for CommandSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, id: i64, notification: &Notification) -> Result<()> {
        let line = json(id, notification)?;
        let mut child = self.start(id, notification)?;
        if let Some(mut stdin) = child.stdin.take() {
            // Beside the waiting, for a program that does not read would block it; whether it reads is its affair.
            std::thread::spawn(move || {
                let _ = stdin.write_all(line.as_bytes()).and_then(|()| stdin.write_all(b"\n"));
            });
        }
        let said = child.stderr.take().map(listen);
        let ended = self.wait(&mut child);
        // What it started may hold its stderr open; nobody waits for that.
        let said = said.and_then(|said| said.recv_timeout(Duration::from_millis(200)).ok());
        let said = one_line(&String::from_utf8_lossy(&said.unwrap_or_default()), 300);
        let with = |why: String| if said.is_empty() { why } else { format!("{why}: {said}") };
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::unavailable(&self.program, with(ending(status)))),
            Err(why) => Err(Error::unavailable(&self.program, with(why))),
        }
    }
}

fn variables(id: i64, n: &Notification) -> [(&'static str, String); 13] {
    let features: Vec<&str> = n.features.iter().map(|f| f.feature.as_str()).collect();
    [
        ("OVERSEER_ID", id.to_string()),
        ("OVERSEER_TEST", if id == TEST_ID { "1".to_owned() } else { String::new() }),
        ("OVERSEER_HOST", n.host.clone()),
        ("OVERSEER_REASON", n.reason.to_string()),
        ("OVERSEER_STATE", n.state.to_string()),
        ("OVERSEER_SEVERITY", n.severity.to_string()),
        ("OVERSEER_INCIDENT", n.incident.as_millis().to_string()),
        ("OVERSEER_STARTED_AT", rfc3339(n.incident)),
        ("OVERSEER_ENDED_AT", n.ended_at.map(rfc3339).unwrap_or_default()),
        ("OVERSEER_DESCRIPTION", n.description.clone()),
        ("OVERSEER_FEATURES", features.join(",")),
        ("OVERSEER_SUBJECT", subject(id, n)),
        ("OVERSEER_TEXT", body(id, n)),
    ]
}

/// Reads all of it, so that the writer never waits, and keeps the first part.
fn listen(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut part = [0; 1024];
        while let Ok(n @ 1..) = from.read(&mut part) {
            let room = KEPT_BYTES.saturating_sub(kept.len());
            kept.extend_from_slice(&part[..n.min(room)]);
        }
        let _ = tell.send(kept);
    });
    told
}

fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("it ended with exit code {code}"),
        None => format!("it was ended ({status})"),
    }
}

fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // It may have ended by itself just now; both ways it is gone after this.
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::test_notification;
    use overseer_core::Timestamp;

    fn sh(script: &str, more: &[&str]) -> CommandSink {
        let words = ["sh", "-c", script, "sh"].into_iter().chain(more.iter().copied());
        CommandSink::new("page", &words.map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_program_gets_the_notification_on_stdin_and_in_its_environment_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out").display().to_string();
        let mut told = test_notification("web-1", Timestamp::from_millis(1_500));
        told.description = "$(rm -rf /); `x` \"quoted\" \0".to_owned();
        let script = "cat >\"$1\"; env >\"$1.env\"; printf %s \"$OVERSEER_DESCRIPTION\" >\"$1.said\"; \
                      printf %s \"$2\" >\"$1.arg\"";
        sh(script, &[&out, "$HOME; a b"]).deliver(7, &told).unwrap();
        let read = |end: &str| std::fs::read_to_string(format!("{out}{end}")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&read("")).unwrap();
        assert_eq!((json["id"].as_i64(), json["host"].as_str()), (Some(7), Some("web-1")));
        assert_eq!(read(".said"), "$(rm -rf /); `x` \"quoted\" ");
        assert_eq!(read(".arg"), "$HOME; a b", "no shell of ours has seen it");
        let env = read(".env");
        for line in
            ["OVERSEER_ID=7", "OVERSEER_STARTED_AT=1970-01-01T00:00:01.5Z", "OVERSEER_TEST="]
        {
            assert!(env.lines().any(|l| l == line), "{line}\n{env}");
        }
        // Cargo sets this one for tests: it stands for whatever else is around.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !env.contains("CARGO_"));
    }

    #[test]
    fn a_failure_says_how_it_ended_and_what_was_written_within_bounds() {
        let told = test_notification("web-1", Timestamp::from_millis(0));
        let e = sh("echo no pager >&2; exit 4", &[]).deliver(1, &told).unwrap_err();
        assert_eq!(e.to_string(), "sh is unavailable: it ended with exit code 4: no pager");
        let loud = sh("head -c 5000000 /dev/zero | tr '\\0' x >&2; exit 1", &[]);
        let e = { loud }.deliver(1, &told).unwrap_err();
        assert!(e.to_string().len() < 500);
        let absent = ["/no/such/program".to_owned()];
        let e = CommandSink::new("page", &absent).unwrap().deliver(1, &told).unwrap_err();
        assert!(e.is_unavailable() && e.to_string().contains("/no/such/program"), "{e}");
        assert!(CommandSink::new("page", &[]).unwrap_err().is_invalid_input());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_that_hangs_is_killed_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pids = dir.path().join("pids").display().to_string();
        let told = test_notification("web-1", Timestamp::from_millis(0));
        let script = "echo waiting >&2; sleep 1000 & echo $! >\"$1\"; wait";
        let start = Instant::now();
        let hangs = sh(script, &[&pids]).timeout(Duration::from_millis(500));
        let e = { hangs }.deliver(1, &told).unwrap_err().to_string();
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(e.contains("longer than 500 ms") && e.contains("waiting"), "{e}");
        let pid = std::fs::read_to_string(&pids).unwrap();
        let gone = || !is_alive(pid.trim());
        assert!((0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            gone()
        }));
    }

    /// Whether a process runs: one that ended and was not waited for does not.
    #[cfg(target_os = "linux")]
    fn is_alive(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    }

    #[test]
    fn a_program_that_reads_nothing_and_leaves_a_child_behind_has_delivered() {
        let mut told = test_notification("web-1", Timestamp::from_millis(0));
        told.suggested_actions = vec!["x".repeat(1000); 500];
        let start = Instant::now();
        sh("sleep 3 & exit 0", &[]).deliver(1, &told).unwrap();
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn the_word_to_stop_ends_a_running_program() {
        let told = test_notification("web-1", Timestamp::from_millis(0));
        let stop = Stop::new();
        stop.within(Duration::from_millis(100));
        let start = Instant::now();
        let e = sh("sleep 1000", &[]).stop(stop).deliver(1, &told).unwrap_err();
        assert!(e.is_unavailable() && start.elapsed() < Duration::from_secs(5), "{e}");
    }
}
