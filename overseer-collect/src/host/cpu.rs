//! CPU utilisation and load.
//!
//! On Linux utilisation is the difference of two readings of `/proc/stat` (proc_stat(5)): user, nice, system, irq,
//! softirq and steal are busy; idle and iowait are not. Guest time is part of user and nice already. Elsewhere
//! `sysinfo` measures it.

use super::files::{Files, Reason, Value, garbled, whole_lines};
use super::rate::{MIN_SPAN, NEEDS_TWO, TOO_SOON};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use sysinfo::System;

/// The first line is what matters; on a host with many interrupts the whole file is a hundred times longer.
const STAT_HEAD: usize = 4096;
/// CPUs are plugged in and out rarely.
const RECOUNT: Duration = Duration::from_secs(30);
/// More logical CPUs than Linux can be built for, so that a broken file cannot make up a number.
const MAX_CPUS: usize = 1 << 16;

/// Time spent by all CPUs together since boot, in the kernel's ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CpuTimes {
    /// User, nice, system, irq, softirq, steal.
    busy: [u64; 6],
    /// Idle and iowait.
    idle: [u64; 2],
}

impl CpuTimes {
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
fn parse_stat(text: &str) -> Option<CpuTimes> {
    let line = whole_lines(text).find_map(|line| line.strip_prefix("cpu "))?;
    let mut columns = [0_u64; 8];
    let mut count = 0;
    for (slot, word) in columns.iter_mut().zip(line.split_ascii_whitespace()) {
        *slot = word.parse().ok()?;
        count += 1;
    }
    let [user, nice, system, idle, iowait, irq, softirq, steal] = columns;
    (count >= 4).then_some(CpuTimes {
        busy: [user, nice, system, irq, softirq, steal],
        idle: [idle, iowait],
    })
}

/// The 1-minute load average: the first word of `/proc/loadavg`.
fn parse_load(text: &str) -> Option<f64> {
    let load: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    (load.is_finite() && load >= 0.0).then_some(load)
}

/// How many CPUs a list such as `0-3,8` names.
fn parse_cpu_list(text: &str) -> Option<usize> {
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
    stat: PathBuf,
    loadavg: PathBuf,
    previous: Option<(Instant, CpuTimes)>,
    /// When `sysinfo` last measured, where it has to.
    measured: Option<Instant>,
    logical: Option<usize>,
    counted: Option<Instant>,
}

impl Cpu {
    pub(super) fn new(files: &Files) -> Self {
        Self {
            stat: files.path("proc/stat"),
            loadavg: files.path("proc/loadavg"),
            previous: None,
            measured: None,
            logical: None,
            counted: None,
        }
    }

    /// Share of all CPUs' time since the previous reading in which they were busy.
    pub(super) fn utilization(&mut self, files: &mut Files, system: &mut System) -> Value {
        let native = files.is_native();
        let at = Instant::now();
        let times = files
            .head(&self.stat, STAT_HEAD)
            .and_then(|text| parse_stat(&text).ok_or_else(|| garbled(&self.stat)));
        match times {
            Ok(times) => self.update(at, times),
            Err(_) if native => self.measure(at, system),
            Err(reason) => Err(reason),
        }
    }

    fn update(&mut self, at: Instant, times: CpuTimes) -> Value {
        let Some((since, before)) = &self.previous else {
            self.previous = Some((at, times));
            return Err(NEEDS_TWO);
        };
        if at.saturating_duration_since(*since) < MIN_SPAN {
            return Err(TOO_SOON);
        }
        let value = times.utilization_since(before);
        self.previous = Some((at, times));
        value.ok_or(Reason::Borrowed("the CPU counters restarted"))
    }

    fn measure(&mut self, at: Instant, system: &mut System) -> Value {
        if let Some(before) = self.measured
            && at.saturating_duration_since(before) < sysinfo::MINIMUM_CPU_UPDATE_INTERVAL
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
    pub(super) fn load_per_core(&mut self, files: &mut Files) -> Value {
        let native = files.is_native();
        let load = match files.head(&self.loadavg, 256) {
            Ok(text) => parse_load(&text).ok_or_else(|| garbled(&self.loadavg)),
            // Windows has no load average; `sysinfo` says so or estimates one.
            Err(_) if native => {
                System::load_average().map(|l| l.one).map_err(|e| e.to_string().into())
            }
            Err(reason) => Err(reason),
        }?;
        let now = Instant::now();
        if self.counted.is_none_or(|c| now.saturating_duration_since(c) > RECOUNT) {
            self.logical = logical_cpus(files);
            self.counted = Some(now);
        }
        let cpus = self.logical.ok_or("the number of CPUs is unknown")?;
        let value = load / cpus as f64;
        if value.is_finite() { Ok(value) } else { Err("the load average is not a number".into()) }
    }
}

/// How many logical CPUs are online, limits of containers set aside: load and utilisation are the host's too.
pub(super) fn logical_cpus(files: &mut Files) -> Option<usize> {
    let online = files.path("sys/devices/system/cpu/online");
    let listed = files.head(&online, 4096).ok().and_then(|text| parse_cpu_list(&text));
    if listed.is_some() || !files.is_native() {
        return listed;
    }
    std::thread::available_parallelism().ok().map(std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str = "cpu  100 10 50 800 40 5 5 10 99 9\ncpu0 1 2 3 4\nbtime 1\n";

    #[test]
    fn busy_is_everything_but_idle_and_iowait() {
        let before = parse_stat(STAT).unwrap();
        assert_eq!(before.busy, [100, 10, 50, 5, 5, 10]);
        assert_eq!(before.idle, [800, 40]);
        let after = parse_stat("cpu  110 10 60 840 60 5 10 15 99 9\n").unwrap();
        // 10 user, 10 system, 5 softirq, 5 steal are busy; 40 idle and 20 iowait are not.
        assert_eq!(after.utilization_since(&before), Some(30.0 / 90.0));
    }

    #[test]
    fn counters_that_stand_still_or_fall_give_no_utilization() {
        let t = parse_stat(STAT).unwrap();
        assert_eq!(t.utilization_since(&t), None);
        let less = parse_stat("cpu  1 0 0 8\n").unwrap();
        assert_eq!(less.utilization_since(&t), None);
        let mut iowait_fell = t;
        iowait_fell.idle = [810, 35];
        assert_eq!(iowait_fell.utilization_since(&t), Some(0.0));
    }

    #[test]
    fn broken_stat_files_give_nothing() {
        for text in
            ["", "cpu", "cpu \n", "cpu  1 2 3\n", "cpu  1 2 x 4\n", "cpu  1 2 3 4", "intr 1\n"]
        {
            assert_eq!(parse_stat(text), None, "{text:?}");
        }
    }

    #[test]
    fn cpu_lists_are_counted_and_nonsense_is_not() {
        assert_eq!(parse_cpu_list("0-3,8,10-11\n"), Some(7));
        assert_eq!(parse_cpu_list("0"), Some(1));
        for text in ["", "a", "3-1", "0-18446744073709551615", "0-,2", "0-65535,0-65535"] {
            assert_eq!(parse_cpu_list(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_load_is_the_first_word() {
        assert_eq!(parse_load("0.50 1 2 1/300 99\n"), Some(0.5));
        for text in ["", "x", "-1 2", "inf", "NaN 1"] {
            assert_eq!(parse_load(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn garbage_never_panics_and_utilization_is_a_ratio(
            garbage in "(cpu )?[ 0-9a-z,.\\-\n]{0,60}\n?",
            a in any::<[u64; 8]>(), b in any::<[u64; 8]>(),
        ) {
            let _ = (parse_stat(&garbage), parse_load(&garbage), parse_cpu_list(&garbage));
            let line = |c: [u64; 8]| format!("cpu  {}\n", c.map(|x| x.to_string()).join(" "));
            let (a, b) = (parse_stat(&line(a)).unwrap(), parse_stat(&line(b)).unwrap());
            if let Some(u) = b.utilization_since(&a) {
                prop_assert!((0.0..=1.0).contains(&u));
            }
        }
    }
}
