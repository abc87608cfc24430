//! CPU utilisation and load.
//!
//! On Linux utilisation is the difference of two readings of `/proc/stat` (proc_stat(5)): user, nice, system, irq,
//! softirq and steal are busy; idle and iowait are not. Guest time is part of user and nice already. Elsewhere
//! `sysinfo` measures it.

use super::files::{Files, Reason, Source, Value};
use super::portable::Portable;
use super::rate::{MIN_SPAN, NEEDS_TWO, TOO_SOON, most_in};
use super::text::{fraction, number, whole_lines, words};
use crate::clock::Clock;
use std::time::Duration;
use sysinfo::System;

/// CPUs are plugged in and out rarely.
const RECOUNT: Duration = Duration::from_secs(30);
/// More logical CPUs than Linux can be built for, so that a broken file cannot make up a number.
const MAX_CPUS: usize = 1 << 16;

/// In which the kernel tells CPU time whatever its own clock is (proc_stat(5), `USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Time spent by all CPUs together since boot, in the kernel's ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CpuTimes {
    /// User, nice, system, irq, softirq, steal.
    busy: [u64; 6],
    /// Idle and iowait.
    idle: [u64; 2],
}

impl CpuTimes {
    /// Whether more time was spent since `before` than `cpus` can have spent in `span`, as after a virtual machine was
    /// stopped for a while: then the whole stop is told as stolen.
    fn jumped_since(&self, before: &Self, span: Duration, cpus: usize) -> bool {
        let spent = rises(&self.busy, &before.busy).saturating_add(rises(&self.idle, &before.idle));
        spent as f64 > TICKS_PER_SECOND * cpus as f64 * most_in(span).as_secs_f64()
    }

    /// The share of time since `before` in which the CPUs were busy, 0–1.
    fn utilization_since(&self, before: &Self) -> Option<f64> {
        let total = |t: &Self| sum(&t.busy).saturating_add(sum(&t.idle));
        if total(self) <= total(before) {
            return None;
        }
        // Iowait may fall, and steal may after a virtual machine has moved (proc_stat(5)); such a part counts as none.
        let busy = rises(&self.busy, &before.busy);
        let idle = rises(&self.idle, &before.idle);
        let all = busy.saturating_add(idle);
        (all > 0).then(|| (busy as f64 / all as f64).clamp(0.0, 1.0))
    }
}

fn sum(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |a, &b| a.saturating_add(b))
}

fn rises(now: &[u64], before: &[u64]) -> u64 {
    now.iter().zip(before).fold(0, |a, (n, b)| a.saturating_add(n.saturating_sub(*b)))
}

/// The `cpu` line of `/proc/stat`; kernels before 2.6 have fewer columns, which then are zero.
fn parse_stat(text: &[u8]) -> Option<CpuTimes> {
    let line = whole_lines(text).find_map(|line| line.strip_prefix(b"cpu "))?;
    let mut columns = [0_u64; 8];
    let mut count = 0;
    for (slot, word) in columns.iter_mut().zip(words(line)) {
        *slot = number(word)?;
        count += 1;
    }
    let [user, nice, system, idle, iowait, irq, softirq, steal] = columns;
    (count >= 4).then_some(CpuTimes {
        busy: [user, nice, system, irq, softirq, steal],
        idle: [idle, iowait],
    })
}

/// The 1-minute load average: the first word of `/proc/loadavg`.
fn parse_load(text: &[u8]) -> Option<f64> {
    fraction(words(text).next()?).filter(|load| *load >= 0.0)
}

/// How many CPUs a list such as `0-3,8` names.
fn parse_cpu_list(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    let mut count = 0_usize;
    for part in text.trim().split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
        if to < from || to >= MAX_CPUS {
            return None;
        }
        count += to - from + 1;
        if count > MAX_CPUS {
            return None;
        }
    }
    (count > 0).then_some(count)
}

/// What is remembered from one reading to the next.
#[derive(Debug)]
pub(super) struct Cpu {
    stat: Source,
    loadavg: Source,
    previous: Option<(Duration, CpuTimes)>,
    /// When `sysinfo` last measured, where it has to.
    measured: Option<Duration>,
    logical: Option<usize>,
    counted: Option<Duration>,
}

impl Cpu {
    pub(super) fn new(files: &Files) -> Self {
        Self {
            stat: files.source("proc/stat"),
            loadavg: files.source("proc/loadavg"),
            previous: None,
            measured: None,
            logical: None,
            counted: None,
        }
    }

    /// Forgets every reading, so that the next one is a first.
    pub(super) fn reset(&mut self) {
        self.previous = None;
        self.measured = None;
    }

    /// Share of all CPUs' time since the previous reading in which they were busy.
    pub(super) fn utilization(
        &mut self,
        files: &mut Files,
        clock: &dyn Clock,
        portable: &mut Portable,
    ) -> Value {
        let native = files.is_native();
        let at = clock.awake();
        let times = files
            .head(&mut self.stat)
            .and_then(|text| parse_stat(text).ok_or_else(|| self.stat.garbled()));
        match times {
            Ok(times) => self.update(at, times, files),
            Err(_) if native => self.measure(at, portable),
            Err(reason) => Err(reason),
        }
    }

    fn update(&mut self, at: Duration, times: CpuTimes, files: &mut Files) -> Value {
        let Some((since, before)) = self.previous else {
            self.previous = Some((at, times));
            return Err(NEEDS_TWO);
        };
        let span = at.saturating_sub(since);
        if span < MIN_SPAN {
            return Err(TOO_SOON);
        }
        self.previous = Some((at, times));
        let jumped =
            |cpus: Option<usize>| cpus.is_some_and(|cpus| times.jumped_since(&before, span, cpus));
        if jumped(self.cpus(files, at)) {
            // Unless CPUs were plugged in.
            self.counted = None;
            if jumped(self.cpus(files, at)) {
                return Err("the CPU counters jumped".into());
            }
        }
        times.utilization_since(&before).ok_or(Reason::Borrowed("the CPU counters restarted"))
    }

    fn measure(&mut self, at: Duration, portable: &mut Portable) -> Value {
        let system = portable.system()?;
        if let Some(before) = self.measured
            && at.saturating_sub(before) < sysinfo::MINIMUM_CPU_UPDATE_INTERVAL
        {
            return Err(TOO_SOON);
        }
        system.refresh_cpu_usage();
        if self.measured.replace(at).is_none() {
            return Err(NEEDS_TWO);
        }
        let share = f64::from(system.global_cpu_usage()) / 100.0;
        if system.cpus().is_empty() || !share.is_finite() {
            return Err("the system tells nothing of its CPUs".into());
        }
        Ok(share.clamp(0.0, 1.0))
    }

    /// The 1-minute load average over the number of logical CPUs.
    pub(super) fn load_per_core(&mut self, files: &mut Files, clock: &dyn Clock) -> Value {
        let native = files.is_native();
        let load = match files.head(&mut self.loadavg) {
            Ok(text) => parse_load(text).ok_or_else(|| self.loadavg.garbled()),
            // Windows has no load average; `sysinfo` says so or estimates one.
            Err(_) if native => {
                System::load_average().map(|l| l.one).map_err(|e| e.to_string().into())
            }
            Err(reason) => Err(reason),
        }?;
        let cpus = self.cpus(files, clock.awake()).ok_or("the number of CPUs is unknown")?;
        let value = load / cpus as f64;
        if value.is_finite() { Ok(value) } else { Err("the load average is not a number".into()) }
    }

    /// The number of logical CPUs, counted now and then.
    fn cpus(&mut self, files: &mut Files, now: Duration) -> Option<usize> {
        if self.counted.is_none_or(|c| now.saturating_sub(c) > RECOUNT) {
            self.logical = logical_cpus(files);
            self.counted = Some(now);
        }
        self.logical
    }
}

/// How many logical CPUs are online, limits of containers set aside: the load is the host's too.
pub(super) fn logical_cpus(files: &mut Files) -> Option<usize> {
    let mut online = files.source("sys/devices/system/cpu/online");
    let listed = files.head(&mut online).ok().and_then(parse_cpu_list);
    if listed.is_some() || !files.is_native() {
        return listed;
    }
    std::thread::available_parallelism().ok().map(std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &[u8] = b"cpu  100 10 50 800 40 5 5 10 99 9\ncpu0 1 2 3 4\nbtime 1\n";

    #[test]
    fn busy_is_everything_but_idle_and_iowait() {
        let before = parse_stat(STAT).unwrap();
        assert_eq!(before.busy, [100, 10, 50, 5, 5, 10]);
        assert_eq!(before.idle, [800, 40]);
        let after = parse_stat(b"cpu  110 10 60 840 60 5 10 15 99 9\n").unwrap();
        // 10 user, 10 system, 5 softirq, 5 steal are busy; 40 idle and 20 iowait are not.
        assert_eq!(after.utilization_since(&before), Some(30.0 / 90.0));
    }

    #[test]
    fn counters_that_stand_still_or_fall_give_no_utilization() {
        let t = parse_stat(STAT).unwrap();
        assert_eq!(t.utilization_since(&t), None);
        let less = parse_stat(b"cpu  1 0 0 8\n").unwrap();
        assert_eq!(less.utilization_since(&t), None);
        let mut iowait_fell = t;
        iowait_fell.idle = [810, 35];
        assert_eq!(iowait_fell.utilization_since(&t), Some(0.0));
    }

    #[test]
    fn more_time_than_went_by_is_a_jump_and_no_spike() {
        let dir = tempfile::tempdir().unwrap();
        let online = dir.path().join("sys/devices/system/cpu");
        std::fs::create_dir_all(&online).unwrap();
        std::fs::write(online.join("online"), "0-1\n").unwrap();
        let mut files = Files::new(dir.path().to_owned());
        let mut cpu = Cpu::new(&files);
        let mut times = parse_stat(STAT).unwrap();
        let mut after = |seconds: u64, busy: u64, idle: u64, files: &mut Files| {
            times.busy[5] += busy;
            times.idle[0] += idle;
            cpu.update(Duration::from_secs(seconds), times, files)
        };
        assert_eq!(after(0, 0, 0, &mut files), Err(NEEDS_TWO));
        assert_eq!(after(5, 250, 750, &mut files), Ok(0.25));
        // An hour of two CPUs within five seconds.
        assert_eq!(after(10, 720_000, 900, &mut files), Err("the CPU counters jumped".into()));
        assert_eq!(after(15, 500, 500, &mut files), Ok(0.5));
        std::fs::write(online.join("online"), "0-15\n").unwrap();
        assert_eq!(after(20, 2000, 6000, &mut files), Ok(0.25));
    }

    #[test]
    fn broken_stat_files_give_nothing() {
        for text in
            ["", "cpu", "cpu \n", "cpu  1 2 3\n", "cpu  1 2 x 4\n", "cpu  1 2 3 4", "intr 1\n"]
        {
            assert_eq!(parse_stat(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn cpu_lists_are_counted_and_nonsense_is_not() {
        assert_eq!(parse_cpu_list(b"0-3,8,10-11\n"), Some(7));
        assert_eq!(parse_cpu_list(b"0"), Some(1));
        for text in ["", "a", "3-1", "0-18446744073709551615", "0-,2", "0-65535,0-65535"] {
            assert_eq!(parse_cpu_list(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn the_load_is_the_first_word() {
        assert_eq!(parse_load(b"0.50 1 2 1/300 99\n"), Some(0.5));
        for text in ["", "x", "-1 2", "inf", "NaN 1"] {
            assert_eq!(parse_load(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn garbage_never_panics_and_utilization_is_a_ratio(
            garbage in "(cpu )?[ 0-9a-z,.\\-\n]{0,60}\n?",
            a in any::<[u64; 8]>(), b in any::<[u64; 8]>(),
        ) {
            let garbage = garbage.as_bytes();
            let _ = (parse_stat(garbage), parse_load(garbage), parse_cpu_list(garbage));
            let line = |c: [u64; 8]| format!("cpu  {}\n", c.map(|x| x.to_string()).join(" "));
            let (a, b) = (parse_stat(line(a).as_bytes()).unwrap(), parse_stat(line(b).as_bytes()).unwrap());
            if let Some(u) = b.utilization_since(&a) {
                prop_assert!((0.0..=1.0).contains(&u));
            }
        }
    }
}
