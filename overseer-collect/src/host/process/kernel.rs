//! The processes as Linux tells of them: two small files of each (proc_pid_stat(5), proc_pid_io(5)).

use super::super::files::{Files, Reason};
use super::super::text::{number, shown, whole_lines, words};
use super::memory::Resident;
use super::{Scan, Totals};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::Instant;

/// A process's start is known to a hundredth of a second.
const SLACK: f64 = 0.02;

/// Number, start, name and resident bytes of every process that has memory of its own, from one small file of each; none
/// if they cannot be listed.
pub(super) fn resident(files: &mut Files) -> Option<Vec<Resident>> {
    let page = rustix::param::page_size() as u64;
    let mut path = String::with_capacity(32);
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(pid) = number(name.as_encoded_bytes()).and_then(|n| u32::try_from(n).ok()) else {
            continue;
        };
        let Ok(text) = files.once(&mut path, pid, "stat") else { continue };
        let Some(stat) = parse_stat(text).filter(|stat| stat.resident_pages > 0) else { continue };
        let bytes = stat.resident_pages.saturating_mul(page);
        found.push(Resident { pid, start: stat.start, name: stat.name, bytes });
    }
    Some(found)
}

/// Every process; none if they cannot be listed.
pub(super) fn scan(files: &mut Files) -> Option<Scan> {
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let page = rustix::param::page_size() as u64;
    let at = Instant::now();
    let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let uptime = uptime.tv_sec as f64 + 1e-9 * uptime.tv_nsec as f64;
    let mut processes = HashMap::new();
    let mut path = String::with_capacity(32);
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(pid) = number(name.as_encoded_bytes()).and_then(|n| u32::try_from(n).ok()) else {
            continue;
        };
        // One that ends while it is looked at is left out.
        let Ok(text) = files.once(&mut path, pid, "stat") else { continue };
        let Some(stat) = parse_stat(text) else { continue };
        let io = files.once(&mut path, pid, "io");
        let io_bytes = match io {
            Ok(text) => parse_io(text).ok_or(Reason::Borrowed("its I/O counters make no sense")),
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                Err("permission denied: a process's I/O is told to its owner and root".into())
            }
            Err(e) => Err(format!("its I/O counters cannot be read: {e}").into()),
        };
        let totals = Totals {
            name: stat.name,
            start: stat.start,
            age: (uptime - stat.start as f64 / ticks as f64).max(0.0),
            cpu_millis: stat.cpu_ticks.saturating_mul(1000) / ticks,
            io_bytes,
            memory_bytes: stat.resident_pages.saturating_mul(page),
        };
        processes.insert(pid, totals);
    }
    (!processes.is_empty()).then_some(Scan { at, slack: SLACK, processes })
}

/// What is wanted of `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    name: String,
    cpu_ticks: u64,
    /// Ticks after the host's start.
    pub(super) start: u64,
    resident_pages: u64,
}

/// The name stands in parentheses and may hold any character, parentheses too.
pub(super) fn parse_stat(text: &[u8]) -> Option<Stat> {
    let text = text.strip_suffix(b"\n")?;
    let open = text.iter().position(|&b| b == b'(')?;
    let close = text.iter().rposition(|&b| b == b')')?;
    let name = shown(text.get(open + 1..close)?);
    let mut rest = words(text.get(close + 1..)?);
    let user = number(rest.nth(11)?)?;
    let system = number(rest.next()?)?;
    let start = number(rest.nth(6)?)?;
    let resident_pages = number(rest.nth(1)?)?;
    Some(Stat { name, cpu_ticks: user.saturating_add(system), start, resident_pages })
}

/// Bytes read from and written to storage together.
fn parse_io(text: &[u8]) -> Option<u64> {
    let value = |key: &[u8]| {
        let line = whole_lines(text).find_map(|line| line.strip_prefix(key))?;
        number(line.trim_ascii())
    };
    Some(value(b"read_bytes:")?.saturating_add(value(b"write_bytes:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &[u8] =
        b"42 (a) (b) S 1 42 42 0 -1 4194560 9 8 7 6 110 23 5 4 20 0 1 0 887766 1000 25 \
        18446744073709551615 1 1\n";

    #[test]
    fn a_name_may_hold_parentheses_and_blanks() {
        let stat = parse_stat(STAT).unwrap();
        let wanted =
            Stat { name: "a) (b".to_owned(), cpu_ticks: 133, start: 887_766, resident_pages: 25 };
        assert_eq!(stat, wanted);
    }

    #[test]
    fn broken_files_of_a_process_tell_nothing() {
        for end in 0..STAT.len() {
            assert_eq!(parse_stat(&STAT[..end]), None);
        }
        for text in ["\n", ")(\n", "1 (x) S\n", "1 (x S 1 2 3\n"] {
            assert_eq!(parse_stat(text.as_bytes()), None, "{text:?}");
        }
        let io =
            b"rchar: 9\nwchar: 9\nread_bytes: 4096\nwrite_bytes: 512\ncancelled_write_bytes: 1\n";
        assert_eq!(parse_io(io), Some(4608));
        assert_eq!(parse_io(b"read_bytes: 4096\nwrite_bytes: 512"), None);
        assert_eq!(parse_io(b""), None);
    }
}
