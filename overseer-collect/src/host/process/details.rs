//! What is worth reading for the few processes that are shown: the command line, the control group, the unit.

use super::super::files::Files;
use super::super::portable::Portable;
use overseer_core::ProcessUsage;

/// Command lines are cut to this many characters.
const COMMAND_LENGTH: usize = 200;

/// Adds them to a process that started at `start`, as its scan counts.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn complete(
    process: &mut ProcessUsage,
    start: u64,
    files: &mut Files,
    portable: &mut Portable,
) {
    use super::kernel::parse_stat;
    use overseer_core::MissingValue;
    if !super::HAS_KERNEL_FILES {
        return ask(process, portable);
    }
    let mut path = String::new();
    let pid = process.pid;
    match files.once(&mut path, pid, "cmdline") {
        // A thread of the kernel has none.
        Ok(text) => process.command = command_line(text.split(|&b| b == 0)),
        Err(e) => process.missing.push(MissingValue::new("command", e.to_string())),
    }
    match files.once(&mut path, pid, "cgroup") {
        Ok(text) => {
            process.cgroup = cgroup(&String::from_utf8_lossy(text));
            process.unit = unit(&process.cgroup);
        }
        Err(e) => process.missing.push(MissingValue::new("cgroup", e.to_string())),
    }
    let still = files.once(&mut path, pid, "stat").ok().and_then(parse_stat);
    if still.is_none_or(|stat| stat.start != start) {
        // What was read may be another's that was given the same number since.
        process.command.clear();
        process.cgroup.clear();
        process.unit.clear();
        process.missing.retain(|m| m.feature != "command" && m.feature != "cgroup");
        process.missing.push(MissingValue::new("command", "it has ended"));
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn complete(
    process: &mut ProcessUsage,
    _start: u64,
    _files: &mut Files,
    portable: &mut Portable,
) {
    ask(process, portable);
}

/// Asks `sysinfo`, which knows command lines alone.
fn ask(process: &mut ProcessUsage, portable: &mut Portable) {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, UpdateKind};
    let Ok(system) = portable.system() else { return };
    let pid = Pid::from_u32(process.pid);
    let kind = ProcessRefreshKind::nothing().without_tasks().with_cmd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
    if let Some(known) = system.process(pid) {
        process.command = command_line(known.cmd().iter().map(|word| word.as_encoded_bytes()));
    }
}

fn command_line<'a>(words: impl Iterator<Item = &'a [u8]>) -> String {
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    // What a process calls itself must not move the cursor of whoever reads it.
    let line: String = words
        .join(" ")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(COMMAND_LENGTH)
        .collect();
    line.trim_end().to_owned()
}

/// The control group from `/proc/PID/cgroup` (cgroups(7)): version 2's, else systemd's, else any but the root.
#[cfg(any(target_os = "linux", target_os = "android", test))]
fn cgroup(text: &str) -> String {
    let group = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let order = match controllers {
            "" => 0,
            "name=systemd" => 1,
            _ => 2,
        };
        (path != "/").then(|| (order, path.to_owned()))
    };
    let best = text.lines().filter_map(group).min_by_key(|g| g.0);
    best.map_or_else(String::new, |g| super::super::text::shown(g.1.as_bytes()))
}

/// The innermost systemd unit that a control group's path names; slices only hold others.
#[cfg(any(target_os = "linux", target_os = "android", test))]
fn unit(cgroup: &str) -> String {
    const KINDS: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];
    let named = |part: &&str| KINDS.iter().any(|kind| part.ends_with(kind));
    cgroup.rsplit('/').find(named).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_cut_at_characters_and_hold_no_control_codes() {
        let words = ["é".repeat(150), "\u{1b}[31m".repeat(40)];
        let long = command_line(words.iter().map(String::as_bytes));
        assert_eq!(long.chars().count(), COMMAND_LENGTH);
        assert!(!long.contains('\u{1b}'));
        assert_eq!(command_line(b"sleep\x001\x00".split(|&b| b == 0)), "sleep 1");
        assert_eq!(command_line(b"".split(|&b| b == 0)), "");
    }

    #[test]
    fn a_unit_is_the_innermost_one() {
        let web = "0::/system.slice/nginx.service\n";
        assert_eq!(cgroup(web), "/system.slice/nginx.service");
        assert_eq!(unit(&cgroup(web)), "nginx.service");
        let app = "/user.slice/user-1000.slice/user@1000.service/app.slice/firefox.scope/x";
        assert_eq!(unit(app), "firefox.scope");
        let old = "4:memory:/docker/x\n1:name=systemd:/system.slice/cron.service\n0::/\n";
        assert_eq!(unit(&cgroup(old)), "cron.service");
        assert_eq!(cgroup("0::/\n"), "");
        assert_eq!(unit("/system.slice"), "");
        assert_eq!(cgroup("garbage"), "");
    }
}
