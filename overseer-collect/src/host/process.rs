//! Which processes use the most.
//!
//! Looking at every process costs far more than a reading, so that happens only on demand: what a process used is the
//! difference between two scans.

mod details;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod kernel;
mod memory;
mod portable;

pub(super) use memory::programs;

use super::files::{Files, HAS_KERNEL_FILES, Reason};
use super::portable::Portable;
use overseer_core::{Error, MissingValue, ProcessUsage, Result};
use std::collections::{HashMap, HashSet};
use std::thread;
use std::time::{Duration, Instant};

/// A scan older than this says nothing of what goes on now.
const FRESH: Duration = Duration::from_secs(10);
/// The span measured where there is no fresh scan; CPU time is counted in steps of 10 ms.
const SPAN: Duration = Duration::from_millis(250);

/// What one process has used since it started.
#[derive(Debug, Clone)]
struct Totals {
    name: String,
    /// Tells a process from a later one with the same number; in a unit of the scan's.
    start: u64,
    /// Seconds since it started.
    age: f64,
    cpu_millis: u64,
    io_bytes: std::result::Result<u64, Reason>,
    memory_bytes: u64,
}

/// All processes at one time.
#[derive(Debug)]
struct Scan {
    at: Instant,
    /// A process may seem to have started so many seconds before the earlier scan and yet be missing there.
    slack: f64,
    processes: HashMap<u32, Totals>,
}

/// Scans processes and keeps the last scan.
#[derive(Debug, Default)]
pub(super) struct Processes {
    last: Option<Scan>,
}

impl Processes {
    /// The `top` processes by CPU, by memory and by I/O, the most CPU first.
    ///
    /// Measured since the previous call if that was within 10 s, else over a quarter of a second. With a `top` of zero
    /// only the span of the next call begins.
    pub(super) fn top(
        &mut self,
        top: usize,
        files: &mut Files,
        portable: &mut Portable,
    ) -> Result<Vec<ProcessUsage>> {
        let before = match self.last.take().filter(|scan| scan.at.elapsed() < FRESH) {
            Some(scan) => scan,
            None => scan(files, portable)?,
        };
        if top == 0 {
            self.last = Some(before);
            return Ok(Vec::new());
        }
        // Also where the previous call was a moment ago.
        thread::sleep(SPAN.saturating_sub(before.at.elapsed()));
        let now = scan(files, portable)?;
        let span = now.at.saturating_duration_since(before.at).as_secs_f64();
        let mut chosen = rank(&before, &now, span, top);
        for process in &mut chosen {
            let start = now.processes.get(&process.pid).map_or(0, |p| p.start);
            details::complete(process, start, files, portable);
        }
        self.last = Some(now);
        Ok(chosen)
    }
}

fn scan(files: &mut Files, portable: &mut Portable) -> Result<Scan> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if HAS_KERNEL_FILES && let Some(scan) = kernel::scan(files) {
        return Ok(scan);
    }
    let _ = (files, HAS_KERNEL_FILES);
    portable::scan(portable).map_err(|reason| Error::unavailable("the processes", reason))
}

/// Usage between two scans `span` seconds apart; unknown where the earlier one should have seen a process and did not.
fn usage(pid: u32, before: Option<&Totals>, now: &Totals, span: f64, slack: f64) -> ProcessUsage {
    let known = before.filter(|b| b.start == now.start);
    // If it started in between, all that it has used falls in the span.
    let young = known.is_none() && now.age <= span + slack;
    let since = |now: u64, then: Option<u64>| match then {
        Some(then) => now.checked_sub(then).ok_or(Reason::Borrowed("its counter fell")),
        None if young => Ok(now),
        None => Err("it was not seen before".into()),
    };
    let cpu = since(now.cpu_millis, known.map(|b| b.cpu_millis));
    let io = now.io_bytes.clone().and_then(|io| match known.map(|b| &b.io_bytes) {
        Some(Err(reason)) => Err(reason.clone()),
        Some(Ok(then)) => since(io, Some(*then)),
        None => since(io, None),
    });
    let mut process = ProcessUsage::new(pid, now.name.clone());
    let mut per_second = |name: &str, value: std::result::Result<u64, Reason>| match value {
        Ok(x) => x as f64 / span,
        Err(reason) => {
            process.missing.push(MissingValue::new(name, reason));
            f64::NAN
        }
    };
    let cpu = per_second("cpu_cores", cpu) / 1000.0;
    let io = per_second("io_bytes_per_second", io);
    (process.cpu_cores, process.io_bytes_per_second) = (cpu, io);
    process.memory_bytes = now.memory_bytes as f64;
    process
}

/// The union of the `top` by each measure, each process once, the most CPU first; equals are in order of number.
fn rank(before: &Scan, now: &Scan, span: f64, top: usize) -> Vec<ProcessUsage> {
    if span.is_nan() || span <= 0.0 {
        return Vec::new();
    }
    let one = |(&pid, totals): (&u32, &Totals)| {
        usage(pid, before.processes.get(&pid), totals, span, now.slack)
    };
    let mut all: Vec<ProcessUsage> = now.processes.iter().map(one).collect();
    let mut chosen = HashSet::new();
    let measures: [fn(&ProcessUsage) -> f64; 3] =
        [|p| p.io_bytes_per_second, |p| p.memory_bytes, |p| p.cpu_cores];
    for measure in measures {
        sort(&mut all, measure);
        // Who uses none of something is not among those who use the most of it.
        chosen.extend(all.iter().take(top).filter(|p| measure(p) > 0.0).map(|p| p.pid));
    }
    all.retain(|p| chosen.contains(&p.pid));
    all
}

/// Descending, unknown last.
fn sort(list: &mut [ProcessUsage], measure: fn(&ProcessUsage) -> f64) {
    let key = |p: &ProcessUsage| if measure(p).is_nan() { -1.0 } else { measure(p) };
    list.sort_by(|a, b| key(b).total_cmp(&key(a)).then(a.pid.cmp(&b.pid)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(start: u64, cpu_millis: u64, io_bytes: u64, memory_bytes: u64) -> Totals {
        let io_bytes = Ok(io_bytes);
        Totals { name: String::new(), start, age: 1000.0, cpu_millis, io_bytes, memory_bytes }
    }

    fn at_once<const N: usize>(processes: [(u32, Totals); N]) -> Scan {
        Scan { at: Instant::now(), slack: 2.0, processes: HashMap::from(processes) }
    }

    #[test]
    fn each_process_once_the_most_cpu_first() {
        let before = at_once([
            (1, totals(1, 0, 0, 0)),
            (2, totals(1, 0, 0, 0)),
            (3, totals(1, 0, 0, 0)),
            (4, totals(1, 0, 0, 0)),
        ]);
        let now = at_once([
            (1, totals(1, 1000, 0, 10)),
            (2, totals(1, 4000, 0, 99)),
            (3, totals(1, 10, 500, 20)),
            (4, totals(1, 20, 1, 30)),
        ]);
        let top = rank(&before, &now, 2.0, 1);
        assert_eq!(top.iter().map(|p| p.pid).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((top[0].cpu_cores, top[0].memory_bytes), (2.0, 99.0));
        assert_eq!(top[1].io_bytes_per_second, 250.0);
        assert!(rank(&before, &now, 0.0, 3).is_empty());
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let before = at_once([(7, totals(100, 9_000, 9_000, 1))]);
        let mut young = totals(200, 500, 100, 1);
        young.age = 1.0;
        let top = rank(&before, &at_once([(7, young)]), 1.0, 5);
        assert_eq!((top[0].cpu_cores, top[0].io_bytes_per_second), (0.5, 100.0));
        // Old, and yet not seen before: its past is not this span's.
        let top = rank(&before, &at_once([(7, totals(200, 99_999, 1, 1))]), 1.0, 5);
        assert!(top[0].cpu_cores.is_nan() && top[0].memory_bytes == 1.0);
        // The same one with counters that fell.
        let top = rank(&before, &at_once([(7, totals(100, 1, 1, 1))]), 1.0, 5);
        assert!(top[0].cpu_cores.is_nan());
    }

    #[test]
    fn a_refusal_is_said_and_is_not_zero() {
        let mut hidden = totals(1, 10, 0, 5);
        hidden.io_bytes = Err("permission denied".into());
        let before = at_once([(7, hidden.clone())]);
        let top = rank(&before, &at_once([(7, hidden)]), 1.0, 5);
        assert!(top[0].io_bytes_per_second.is_nan());
        let said = MissingValue::new("io_bytes_per_second", "permission denied");
        assert_eq!(top[0].missing, [said]);
    }
}
