//! How much memory each program holds, and how much more it may take.
//!
//! One small file of each process is read, and two more of the few that hold the most; nothing waits, so that it can be
//! asked once a minute.

use super::super::container::{numbers, parse_inactive};
use super::super::files::{Files, HAS_KERNEL_FILES, Source};
use super::super::portable::Portable;
use super::{details, portable};
use overseer_core::{Error, ProcessUsage, ProgramMemory, Result};
use std::collections::HashMap;
use std::path::Path;

/// Of so many times as many processes as programs are wanted it is looked up what they belong to.
const PROCESSES_A_PROGRAM: usize = 3;
/// Where control groups are, as systemd and containers mount them.
const MOUNTS: [&str; 3] = ["sys/fs/cgroup", "sys/fs/cgroup/unified", "sys/fs/cgroup/memory"];

/// The memory of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resident {
    pub(super) pid: u32,
    /// Tells a process from a later one with the same number.
    pub(super) start: u64,
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// The programs with the most memory, the most first. `host` is all memory of the host and what is left of it, in bytes.
pub(in super::super) fn programs(
    top: usize,
    host: Option<(u64, u64)>,
    files: &mut Files,
    portable: &mut Portable,
) -> Result<Vec<ProgramMemory>> {
    let mut all = resident(files, portable)?;
    all.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.pid.cmp(&b.pid)));
    all.truncate(top.saturating_mul(PROCESSES_A_PROGRAM));
    let mut found: Vec<ProgramMemory> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for of in all {
        let mut process = ProcessUsage::new(of.pid, of.name);
        process.memory_bytes = of.bytes as f64;
        details::complete(&mut process, of.start, files, portable);
        let is_service = process.unit.ends_with(".service") && !process.unit.starts_with("user@");
        let name = if is_service { &process.unit } else { &process.name };
        if let Some(&index) = known.get(name) {
            found[index].processes += 1;
            found[index].memory_bytes += process.memory_bytes;
            continue;
        }
        known.insert(name.clone(), found.len());
        // The first is the largest, for they come in that order.
        found.push(ProgramMemory::new(name.clone(), process));
    }
    found.sort_by(|a, b| b.memory_bytes.total_cmp(&a.memory_bytes));
    found.truncate(top);
    for program in &mut found {
        program.left_bytes = host.map(|(_, left)| left as f64);
        let total = host.map_or(u64::MAX, |(total, _)| total);
        if let Some((left, group)) = group_left(files, &program.largest.cgroup, total)
            && program.left_bytes.is_none_or(|host| (left as f64) < host)
        {
            program.left_bytes = Some(left as f64);
            program.limited_by = group;
        }
    }
    Ok(found)
}

fn resident(files: &mut Files, portable: &mut Portable) -> Result<Vec<Resident>> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if HAS_KERNEL_FILES && let Some(all) = super::kernel::resident(files) {
        return Ok(all);
    }
    let _ = (files, HAS_KERNEL_FILES);
    let scan =
        portable::scan(portable).map_err(|reason| Error::unavailable("the processes", reason))?;
    let one = |(pid, p): (u32, super::Totals)| Resident {
        pid,
        start: p.start,
        name: p.name,
        bytes: p.memory_bytes,
    };
    Ok(scan.processes.into_iter().map(one).collect())
}

/// What is left to a control group and those above it, of which the least counts, and which group that is. A limit of
/// more than the host has is none. Caches that the kernel gives up first are not in use.
fn group_left(files: &mut Files, group: &str, total: u64) -> Option<(u64, String)> {
    let below = Path::new(group.strip_prefix('/')?);
    let is_plain = |c: std::path::Component<'_>| matches!(c, std::path::Component::Normal(_));
    if !below.components().all(is_plain) {
        return None;
    }
    let mut least: Option<(u64, String)> = None;
    for mount in MOUNTS {
        for group in below.ancestors().filter(|g| !g.as_os_str().is_empty()) {
            let place = files.path(mount).join(group);
            let mut first = |names: [&str; 2]| {
                names.iter().find_map(|name| numbers(files, &place.join(name))?[0])
            };
            let limit = first(["memory.max", "memory.limit_in_bytes"]);
            let Some(limit) = limit.filter(|limit| *limit > 0 && *limit < total) else { continue };
            let Some(used) = first(["memory.current", "memory.usage_in_bytes"]) else { continue };
            let mut stat = Source::new(place.join("memory.stat"));
            let given_up = files.head(&mut stat).ok().and_then(parse_inactive).unwrap_or(0);
            let left = limit.saturating_sub(used.saturating_sub(given_up));
            if least.as_ref().is_none_or(|(known, _)| left < *known) {
                least = Some((left, format!("/{}", group.display())));
            }
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_with_the_least_left_limits_and_caches_are_not_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let put = |file: &str, text: &str| {
            let path = dir.path().join("sys/fs/cgroup").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("system.slice/memory.max", "9000000\n");
        put("system.slice/memory.current", "8000000\n");
        put("system.slice/memory.stat", "anon 1\ninactive_file 0\n");
        put("system.slice/db.service/memory.max", "5000000\n");
        put("system.slice/db.service/memory.current", "4500000\n");
        put("system.slice/db.service/memory.stat", "anon 1\ninactive_file 1500000\n");
        put("system.slice/web.service/memory.max", "max\n");
        let mut files = Files::new(dir.path().to_owned());
        let left = |files: &mut Files, group: &str| group_left(files, group, u64::MAX);
        let slice = Some((1_000_000, "/system.slice".to_owned()));
        assert_eq!(left(&mut files, "/system.slice/db.service"), slice);
        assert_eq!(left(&mut files, "/system.slice/web.service"), slice);
        put("system.slice/memory.max", "max\n");
        let own = Some((2_000_000, "/system.slice/db.service".to_owned()));
        assert_eq!(left(&mut files, "/system.slice/db.service"), own);
        assert_eq!(left(&mut files, "/system.slice/web.service"), None);
        assert_eq!(group_left(&mut files, "/system.slice/db.service", 4_000_000), None);
        for strange in ["", "/", "/../etc", "relative"] {
            assert_eq!(left(&mut files, strange), None, "{strange}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_test_is_among_the_programs_that_hold_memory() {
        let held = std::hint::black_box(vec![1_u8; 64 << 20]);
        let (mut files, mut portable) = (Files::new("/".into()), Portable::default());
        let found = programs(1000, Some((1 << 40, 1 << 30)), &mut files, &mut portable).unwrap();
        let own = found
            .iter()
            .find(|p| p.largest.pid == std::process::id() || p.memory_bytes >= held.len() as f64);
        assert!(own.is_some_and(|p| p.memory_bytes >= held.len() as f64), "{found:?}");
        let one = programs(1, None, &mut files, &mut portable).unwrap();
        assert_eq!((one.len(), one[0].processes >= 1), (1, true));
        assert!(found.windows(2).all(|p| p[0].memory_bytes >= p[1].memory_bytes));
    }
}
