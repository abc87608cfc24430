//! A process's niceness and I/O class.

use overseer_core::{Error, Result};
use rustix::process::{Pid, getpriority_process, setpriority_process};
use std::process::Command;

/// The capability that lowering a niceness takes (capabilities(7)).
const CAP_SYS_NICE: u32 = 23;

/// The first process, kernel threads' parent and this process are left alone.
fn target(pid: u32) -> Result<Pid> {
    let number = i32::try_from(pid).ok().filter(|&n| n > 2 && pid != std::process::id());
    number
        .and_then(Pid::from_raw)
        .ok_or_else(|| Error::invalid_parameter("pid", format!("{pid} is not to be touched")))
}

pub(super) fn niceness(pid: u32) -> Result<String> {
    let niceness = getpriority_process(Some(target(pid)?))
        .map_err(|e| Error::other(format!("reading the niceness of process {pid}"), e))?;
    Ok(niceness.to_string())
}

pub(super) fn set_niceness(pid: u32, value: &str) -> Result<()> {
    let wanted: i32 = value.parse().ok().filter(|n| (-20..=19).contains(n)).ok_or_else(|| {
        Error::invalid_parameter("niceness", format!("`{value}` is not one of -20 to 19"))
    })?;
    setpriority_process(Some(target(pid)?), wanted)
        .map_err(|e| Error::other(format!("setting the niceness of process {pid}"), e))
}

/// Anybody may raise the niceness of a process of theirs, but not lower it again.
pub(super) fn may_set_niceness() -> Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status.lines().find_map(|l| l.strip_prefix("CapEff:"));
    let capabilities = capabilities.and_then(|c| u64::from_str_radix(c.trim(), 16).ok());
    if capabilities.unwrap_or(0) & (1 << CAP_SYS_NICE) == 0 {
        let why = "it could be raised but not taken back: that needs root or CAP_SYS_NICE";
        return Err(Error::unavailable("the niceness", why));
    }
    Ok(())
}

/// Setting it takes the owner of the process, or root.
pub(super) fn may_set_io_class(pid: u32) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let place = format!("/proc/{pid}");
    let owner = std::fs::metadata(&place)
        .map_err(|e| Error::other(format!("looking at {place}"), e))?
        .uid();
    let we = rustix::process::geteuid().as_raw();
    if we != 0 && we != owner {
        return Err(Error::unavailable("the I/O class", "the process belongs to somebody else"));
    }
    Ok(())
}

/// What `ionice -p` prints, such as `best-effort: prio 4`, as `best-effort 4`.
pub(super) fn io_class(pid: u32) -> Result<String> {
    target(pid)?;
    let said = ionice(&["-p", &pid.to_string()])?;
    let (class, priority) = said.trim().split_once(": prio ").unwrap_or((said.trim(), ""));
    match class {
        "idle" | "none" => Ok(class.to_owned()),
        "best-effort" | "realtime" => Ok(format!("{class} {priority}")),
        other => {
            Err(Error::invalid_value("ionice", format!("it printed `{other}`, which is no class")))
        }
    }
}

pub(super) fn set_io_class(pid: u32, value: &str) -> Result<()> {
    target(pid)?;
    let (class, priority) = value.split_once(' ').unwrap_or((value, ""));
    let number = match class {
        "none" => "0",
        "realtime" => "1",
        "best-effort" => "2",
        "idle" => "3",
        _ => return Err(Error::invalid_parameter("class", format!("`{class}` is none"))),
    };
    let pid = pid.to_string();
    let mut arguments = vec!["-c", number];
    if !priority.is_empty() {
        arguments.extend(["-n", priority]);
    }
    arguments.extend(["-p", &pid]);
    ionice(&arguments).map(drop)
}

/// The system call has no safe form yet; util-linux's command does it, and is not run through a shell.
fn ionice(arguments: &[&str]) -> Result<String> {
    let output = Command::new("ionice")
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .map_err(|e| Error::other("running ionice", e))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::unavailable("ionice", why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Actuator, Knob, KnobSetting};
    use std::process::Child;

    /// A process of the test's own.
    struct Sleeper(Child);

    impl Sleeper {
        fn new() -> Self {
            Self(Command::new("sleep").arg("60").spawn().unwrap())
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn round_trip(knob: &Knob, to: &str) {
        let mut hands = super::super::LinuxActuator::new();
        let was = match hands.read(knob) {
            Ok(was) => was,
            Err(e) => {
                assert!(matches!(knob, Knob::IoClass { .. }), "{e}");
                return; // No ionice here.
            }
        };
        if hands.probe(knob).is_err() {
            assert!(may_set_niceness().is_err(), "only what cannot be taken back is refused");
            return;
        }
        hands.apply(&KnobSetting::new(knob.clone(), to)).unwrap();
        assert_eq!(hands.read(knob).unwrap(), to);
        hands.undo(&KnobSetting::new(knob.clone(), was.clone())).unwrap();
        assert_eq!(hands.read(knob).unwrap(), was);
    }

    #[test]
    fn a_child_of_the_test_is_made_nice_and_idle_and_set_back() {
        let child = Sleeper::new();
        let pid = child.0.id();
        round_trip(&Knob::Niceness { pid }, "10");
        round_trip(&Knob::IoClass { pid }, "idle");
    }

    #[test]
    fn the_first_process_and_this_one_are_left_alone() {
        for pid in [0, 1, 2, std::process::id(), u32::MAX] {
            assert!(set_niceness(pid, "10").unwrap_err().is_invalid_input(), "{pid}");
            assert!(set_io_class(pid, "idle").unwrap_err().is_invalid_input(), "{pid}");
        }
        let child = Sleeper::new();
        assert!(set_niceness(child.0.id(), "99").unwrap_err().is_invalid_input());
    }
}
