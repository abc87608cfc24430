//! The limits of a container, where this process is in one.
//!
//! A container is a process namespace that is not the first. There the host's memory and CPUs are not what can run
//! short: its control group's limits are (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst,
//! scheduler/sched-bwc.rst). A service that only has a limit of its own still watches the whole host. The limit that
//! counts is the tightest of the process's group and the groups above it that can be seen. Memory in use is the
//! group's charge less the inactive file cache, which the kernel gives up first.

use super::count::FIRST_NAMESPACE;
use super::files::{Files, Source, Value};
use super::filesystem::parse_mount;
use super::rate::{MIN_SPAN, NEEDS_TWO, TOO_SOON};
use super::text::{number, whole_lines, words};
use super::{cpu, memory};
use crate::clock::Clock;
use overseer_core::Origin;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Limits can be changed while a container runs, but seldom are.
const RELIST: Duration = Duration::from_secs(60);

/// How many CPUs may be busy, and the file that tells how long they were.
#[derive(Debug)]
struct CpuLimit {
    cpus: f64,
    usage: Source,
}

/// How much memory may be used, and the files that tell how much is.
#[derive(Debug)]
struct MemoryLimit {
    bytes: u64,
    current: Source,
    stat: Source,
}

/// What limits this container.
#[derive(Debug, Default)]
pub(super) struct Container {
    looked: Option<Duration>,
    /// The version of the control groups; none where this is not a container.
    version: Option<u8>,
    cpu: Option<CpuLimit>,
    memory: Option<MemoryLimit>,
    previous: Option<(Duration, u64)>,
}

impl Container {
    /// Looks for limits if it is time, and tells what a sample is of.
    pub(super) fn origin(&mut self, files: &mut Files, clock: &dyn Clock) -> Origin {
        let now = clock.awake();
        if self.looked.is_none_or(|l| now.saturating_sub(l) >= RELIST) {
            self.looked = Some(now);
            let counter =
                |limit: &Option<CpuLimit>| limit.as_ref().map(|l| l.usage.path().to_owned());
            let before = counter(&self.cpu);
            self.look(files);
            if counter(&self.cpu) != before {
                // Between the counters of two groups there is no difference to take.
                self.previous = None;
            }
        }
        match self.version {
            None => Origin::Host,
            Some(cgroup_version) => Origin::Container {
                cgroup_version,
                cpu_limit: self.cpu.as_ref().map(|l| l.cpus),
                memory_limit: self.memory.as_ref().map(|l| l.bytes),
            },
        }
    }

    /// Forgets every reading, so that the next one is a first.
    pub(super) fn reset(&mut self) {
        self.previous = None;
    }

    /// Share of the CPU time that may be used which was; none where there is no limit.
    pub(super) fn cpu_utilization(
        &mut self,
        files: &mut Files,
        clock: &dyn Clock,
    ) -> Option<Value> {
        let limit = self.cpu.as_mut()?;
        let at = clock.awake();
        let text = match files.head(&mut limit.usage) {
            Ok(text) => text,
            Err(reason) => return Some(Err(reason)),
        };
        let Some(used) = parse_cpu_usage(text) else { return Some(Err(limit.usage.garbled())) };
        let Some((since, before)) = self.previous else {
            self.previous = Some((at, used));
            return Some(Err(NEEDS_TWO));
        };
        let span = at.saturating_sub(since);
        if span < MIN_SPAN {
            return Some(Err(TOO_SOON));
        }
        self.previous = Some((at, used));
        let Some(busy) = used.checked_sub(before) else {
            return Some(Err("the container's CPU counter restarted".into()));
        };
        Some(Ok((1e-6 * busy as f64 / (limit.cpus * span.as_secs_f64())).clamp(0.0, 1.0)))
    }

    /// All memory that may be used and what is left of it, in bytes; none where there is no limit.
    pub(super) fn memory_left(&mut self, files: &mut Files) -> Option<(u64, u64)> {
        let used = self.memory_utilization(files)?.ok()?;
        let bytes = self.memory.as_ref()?.bytes;
        Some((bytes, ((1.0 - used) * bytes as f64) as u64))
    }

    /// Share of the memory that may be used which is; none where there is no limit.
    pub(super) fn memory_utilization(&mut self, files: &mut Files) -> Option<Value> {
        let limit = self.memory.as_mut()?;
        let current = match files.head(&mut limit.current) {
            Ok(text) => text.strip_suffix(b"\n").and_then(number),
            Err(reason) => return Some(Err(reason)),
        };
        let Some(current) = current else { return Some(Err(limit.current.garbled())) };
        let inactive = match files.head(&mut limit.stat) {
            Ok(text) => parse_inactive(text),
            Err(reason) => return Some(Err(reason)),
        };
        let Some(inactive) = inactive else { return Some(Err(limit.stat.garbled())) };
        let used = current.saturating_sub(inactive);
        Some(Ok((used as f64 / limit.bytes as f64).clamp(0.0, 1.0)))
    }

    fn look(&mut self, files: &mut Files) {
        let inside =
            files.link("proc/self/ns/pid").is_some_and(|l| l != Path::new(FIRST_NAMESPACE));
        (self.version, self.cpu, self.memory) = (None, None, None);
        if !inside {
            return;
        }
        let cpus = cpu::logical_cpus(files).unwrap_or(usize::MAX) as f64;
        let memory = memory::total_bytes(files);
        let groups = Groups::read(files);
        self.version = Some(if groups.of("memory").is_some() { 1 } else { 2 });
        for group in groups.all("cpu") {
            // A quota of more CPUs than there are is no limit.
            if let Some(limit) = cpu_limit(&group, files).filter(|limit| *limit < cpus)
                && self.cpu.as_ref().is_none_or(|known| limit < known.cpus)
                && let Some(usage) = cpu_usage(&group, &groups)
            {
                self.cpu = Some(CpuLimit { cpus: limit, usage });
            }
        }
        for group in groups.all("memory") {
            let limit = ["memory.max", "memory.limit_in_bytes"]
                .into_iter()
                .find_map(|file| numbers(files, &group.join(file))?[0])
                .filter(|limit| *limit > 0 && (memory == 0 || *limit < memory));
            if let Some(bytes) = limit
                && self.memory.as_ref().is_none_or(|known| bytes < known.bytes)
            {
                let current = ["memory.current", "memory.usage_in_bytes"]
                    .map(|file| group.join(file))
                    .into_iter()
                    .find(|path| path.exists());
                let stat = Source::new(group.join("memory.stat"));
                self.memory =
                    current.map(|path| MemoryLimit { bytes, current: Source::new(path), stat });
            }
        }
    }
}

/// Microseconds of CPU time: `usage_usec` of version 2's `cpu.stat`, or all of version 1's `cpuacct.usage`, in
/// nanoseconds.
fn parse_cpu_usage(text: &[u8]) -> Option<u64> {
    let mut lines = whole_lines(text);
    let first = lines.next()?;
    if let Some(nanoseconds) = number(first) {
        return Some(nanoseconds / 1000);
    }
    std::iter::once(first).chain(lines).find_map(|line| number(line.strip_prefix(b"usage_usec ")?))
}

/// Bytes of cache that the kernel gives up first; version 1 has them with the groups beneath as `total_`.
pub(super) fn parse_inactive(text: &[u8]) -> Option<u64> {
    let value = |key: &[u8]| {
        whole_lines(text).find_map(|line| number(line.strip_prefix(key)?.strip_prefix(b" ")?))
    };
    value(b"total_inactive_file").or_else(|| value(b"inactive_file"))
}

/// The first two words of a file as numbers; a word that is none, such as `max`, is none.
pub(super) fn numbers(files: &mut Files, path: &Path) -> Option<[Option<u64>; 2]> {
    let mut source = Source::new(path.to_owned());
    let mut words = words(files.head(&mut source).ok()?.strip_suffix(b"\n")?);
    Some([words.next().and_then(number), words.next().and_then(number)])
}

/// How many CPUs a group may keep busy.
fn cpu_limit(group: &Path, files: &mut Files) -> Option<f64> {
    let [quota, period] = numbers(files, &group.join("cpu.max")).or_else(|| {
        let [quota, _] = numbers(files, &group.join("cpu.cfs_quota_us"))?;
        let [period, _] = numbers(files, &group.join("cpu.cfs_period_us"))?;
        Some([quota, period])
    })?;
    let limit = quota? as f64 / period? as f64;
    (limit.is_finite() && limit > 0.0).then_some(limit)
}

/// The file of a group's CPU time; in version 1 it may be in another hierarchy, then at the same place.
fn cpu_usage(group: &Path, groups: &Groups) -> Option<Source> {
    let beside = groups.of("cpu").zip(groups.of("cpuacct")).and_then(|(cpu, accounts)| {
        let below = group.strip_prefix(&cpu.mount).ok()?;
        Some(accounts.mount.join(below).join("cpuacct.usage"))
    });
    let places = [beside, Some(group.join("cpuacct.usage")), Some(group.join("cpu.stat"))];
    places.into_iter().flatten().find(|path| path.exists()).map(Source::new)
}

/// One hierarchy of control groups and this process's place in it.
#[derive(Debug)]
struct Hierarchy {
    /// The controllers of version 1; empty for version 2.
    controllers: String,
    mount: PathBuf,
    group: PathBuf,
}

/// The hierarchies.
#[derive(Debug)]
struct Groups(Vec<Hierarchy>);

impl Groups {
    /// From `/proc/self/cgroup` (cgroups(7)) and the mounts.
    fn read(files: &mut Files) -> Self {
        let root = files.path("");
        let mut text = |name: &str| {
            let mut source = files.source(name);
            files.whole(&mut source).map(|t| String::from_utf8_lossy(t).into_owned())
        };
        let (Ok(own), Ok(mounts)) = (text("proc/self/cgroup"), text("proc/self/mountinfo")) else {
            return Self(Vec::new());
        };
        let mounts: Vec<_> = mounts
            .lines()
            .filter_map(parse_mount)
            .filter(|m| m.kind == "cgroup" || m.kind == "cgroup2")
            .collect();
        let hierarchy = |line: &str| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let mount = mounts.iter().find(|m| {
                let mounted = |c: &str| m.options.split(',').any(|o| o == c);
                if controllers.is_empty() {
                    m.kind == "cgroup2"
                } else {
                    m.kind == "cgroup" && controllers.split(',').all(mounted)
                }
            })?;
            // A path beneath what is mounted is found there; another's is the mount itself, as in a container whose
            // group is mounted as the root.
            let below = Path::new(path).strip_prefix(&mount.root).ok();
            let below = below.filter(|b| !b.components().any(|c| c.as_os_str() == ".."));
            let point = root.join(mount.point.strip_prefix("/").unwrap_or(&mount.point));
            let group = point.join(below.unwrap_or(Path::new("")));
            Some(Hierarchy { controllers: controllers.to_owned(), mount: point, group })
        };
        Self(own.lines().filter_map(hierarchy).collect())
    }

    /// The hierarchy of a controller of version 1.
    fn of(&self, controller: &str) -> Option<&Hierarchy> {
        self.0.iter().find(|h| h.controllers.split(',').any(|c| c == controller))
    }

    /// This process's group for a controller and those above it.
    fn all(&self, controller: &str) -> Vec<PathBuf> {
        let hierarchy = self.of(controller).or_else(|| self.of(""));
        hierarchy.map_or_else(Vec::new, |h| {
            let above = h.group.ancestors().take_while(|g| g.starts_with(&h.mount));
            above.map(Path::to_owned).collect()
        })
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    struct Fixture(tempfile::TempDir);

    impl Fixture {
        fn new(namespace: &str, files: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(dir.path().join("proc/self/ns")).unwrap();
            std::os::unix::fs::symlink(namespace, dir.path().join("proc/self/ns/pid")).unwrap();
            let fixture = Self(dir);
            fixture.put("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 5 kB\n");
            fixture.put("sys/devices/system/cpu/online", "0-7\n");
            for (file, text) in files {
                fixture.put(file, text);
            }
            fixture
        }

        fn put(&self, file: &str, text: &str) {
            let path = self.0.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn files(&self) -> Files {
            Files::new(self.0.path().to_owned())
        }
    }

    const V2: [(&str, &str); 9] = [
        ("proc/self/cgroup", "0::/inner\n"),
        ("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
        ("sys/fs/cgroup/inner/memory.max", "max\n"),
        ("sys/fs/cgroup/inner/cpu.max", "200000 100000\n"),
        ("sys/fs/cgroup/memory.max", "102400000\n"),
        ("sys/fs/cgroup/memory.current", "61440000\n"),
        ("sys/fs/cgroup/memory.stat", "anon 1\ninactive_file 10240000\nactive_file 7\n"),
        ("sys/fs/cgroup/cpu.max", "50000 100000\n"),
        ("sys/fs/cgroup/cpu.stat", "usage_usec 1000000\nuser_usec 1\n"),
    ];

    #[test]
    fn the_tightest_limit_of_version_2_counts() {
        let fixture = Fixture::new("pid:[4026532999]", &V2);
        let (mut files, clock) = (fixture.files(), ManualClock::new());
        let mut container = Container::default();
        let limits = Origin::Container {
            cgroup_version: 2,
            cpu_limit: Some(0.5),
            memory_limit: Some(102_400_000),
        };
        assert_eq!(container.origin(&mut files, &clock), limits);
        assert_eq!(container.memory_utilization(&mut files), Some(Ok(0.5)));
        assert_eq!(container.cpu_utilization(&mut files, &clock), Some(Err(NEEDS_TWO)));
        clock.advance(Duration::from_secs(2));
        fixture.put("sys/fs/cgroup/cpu.stat", "usage_usec 1250000\n");
        assert_eq!(container.cpu_utilization(&mut files, &clock), Some(Ok(0.25)));
        // A limit that is lifted is seen after a minute.
        fixture.put("sys/fs/cgroup/cpu.max", "max 100000\n");
        clock.advance(RELIST);
        let Origin::Container { cpu_limit, .. } = container.origin(&mut files, &clock) else {
            panic!("not a container")
        };
        assert_eq!(cpu_limit, None, "the inner group's usage cannot be read");
    }

    #[test]
    fn where_another_group_limits_most_its_time_begins_anew() {
        let fixture = Fixture::new("pid:[4026532999]", &V2);
        fixture.put("sys/fs/cgroup/inner/cpu.max", "20000 100000\n");
        fixture.put("sys/fs/cgroup/inner/cpu.stat", "usage_usec 5\n");
        let (mut files, clock) = (fixture.files(), ManualClock::new());
        let mut container = Container::default();
        let mut look = |seconds| {
            clock.advance(Duration::from_secs(seconds));
            container.origin(&mut files, &clock);
            container.cpu_utilization(&mut files, &clock)
        };
        assert_eq!(look(0), Some(Err(NEEDS_TWO)));
        assert_eq!(look(5), Some(Ok(0.0)));
        fixture.put("sys/fs/cgroup/inner/cpu.max", "max 100000\n");
        assert_eq!(look(60), Some(Err(NEEDS_TWO)), "the outer group has used more");
        assert_eq!(look(5), Some(Ok(0.0)));
    }

    #[test]
    fn version_1_has_a_hierarchy_for_each_controller() {
        let fixture = Fixture::new(
            "pid:[4026532999]",
            &[
                ("proc/self/cgroup", "4:memory:/docker/x\n3:cpuacct:/docker/x\n2:cpu:/docker/x\n"),
                (
                    "proc/self/mountinfo",
                    "31 20 0:27 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
                     32 20 0:28 /docker/x /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n\
                     33 20 0:29 /docker/x /sys/fs/cgroup/cpuacct ro - cgroup cgroup rw,cpuacct\n",
                ),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n"),
                ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
                ("sys/fs/cgroup/cpuacct/cpuacct.usage", "2000000000\n"),
            ],
        );
        let (mut files, clock) = (fixture.files(), ManualClock::new());
        let mut container = Container::default();
        let limits =
            Origin::Container { cgroup_version: 1, cpu_limit: Some(1.5), memory_limit: None };
        assert_eq!(container.origin(&mut files, &clock), limits);
        assert_eq!(container.memory_utilization(&mut files), None);
        let _ = container.cpu_utilization(&mut files, &clock);
        clock.advance(Duration::from_secs(1));
        fixture.put("sys/fs/cgroup/cpuacct/cpuacct.usage", "3500000000\n");
        assert_eq!(container.cpu_utilization(&mut files, &clock), Some(Ok(1.0)));
    }

    #[test]
    fn a_service_with_a_limit_of_its_own_watches_the_whole_host() {
        let fixture = Fixture::new(FIRST_NAMESPACE, &V2);
        let mut container = Container::default();
        let (mut files, clock) = (fixture.files(), ManualClock::new());
        assert_eq!(container.origin(&mut files, &clock), Origin::Host);
        assert_eq!(container.memory_utilization(&mut files), None);
        assert_eq!(container.cpu_utilization(&mut files, &clock), None);
    }

    #[test]
    fn broken_group_files_give_a_reason_or_no_limit() {
        for text in
            ["", "x", "max", "50000\n", "0 0\n", "1 0\n", "-1\n", "99999999999999999999999 1\n"]
        {
            for (file, _) in &V2[2..] {
                let fixture = Fixture::new("pid:[1]", &V2);
                fixture.put(file, text);
                let (mut files, clock) = (fixture.files(), ManualClock::new());
                let mut container = Container::default();
                container.origin(&mut files, &clock);
                for value in [
                    container.cpu_utilization(&mut files, &clock),
                    container.memory_utilization(&mut files),
                ] {
                    assert!(value.is_none_or(|v| v.is_err() || (0.0..=1.0).contains(&v.unwrap())));
                }
            }
        }
    }
}
