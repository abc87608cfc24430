//! How many processes there are, and which use the most.
//!
//! Counting reads one directory. Looking at every process costs far more, so that happens only on demand: what a
//! process used is the difference between two scans.

use super::files::{Files, Value};
use overseer_core::ProcessUsage;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// A scan older than this says nothing of what goes on now.
const FRESH: Duration = Duration::from_secs(10);
/// The span measured where there is no fresh scan; CPU time is counted in steps of 10 ms.
const SPAN: Duration = Duration::from_millis(250);
/// A process may have started this long before the earlier scan and yet be missing there: clocks are in seconds.
const START_SLACK: f64 = 2.0;
/// Command lines are cut to this many characters.
const COMMAND_LENGTH: usize = 200;

/// The number of processes: on Linux the directories in `/proc` whose names are numbers.
pub(super) fn count(proc: &PathBuf, files: &Files, system: &mut System) -> Value {
    let listed = std::fs::read_dir(proc).map_or(0, |entries| {
        let is_process = |name: OsString| {
            let bytes = name.as_encoded_bytes();
            !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
        };
        entries.flatten().filter(|e| is_process(e.file_name())).count()
    });
    if listed > 0 {
        return Ok(listed as f64);
    }
    if files.is_native() {
        let kind = ProcessRefreshKind::nothing().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let known = system.processes().len();
        if known > 0 {
            return Ok(known as f64);
        }
    }
    Err("the processes cannot be listed".into())
}

/// What one process has used since it started.
#[derive(Debug, Clone, Default)]
struct Totals {
    name: String,
    /// Tells a process from a later one with the same number; in seconds.
    start: u64,
    age: f64,
    cpu_millis: u64,
    io_bytes: u64,
    memory_bytes: u64,
}

/// All processes at one time.
#[derive(Debug)]
struct Scan {
    at: Instant,
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
    /// Measured since the previous call if that was within 10 s, else over a quarter of a second.
    pub(super) fn top(&mut self, top: usize, system: &mut System) -> Vec<ProcessUsage> {
        if top == 0 {
            return Vec::new();
        }
        let before = match self.last.take().filter(|scan| scan.at.elapsed() < FRESH) {
            Some(scan) => scan,
            None => scan(system),
        };
        // Also where the previous call was a moment ago.
        thread::sleep(SPAN.saturating_sub(before.at.elapsed()));
        let now = scan(system);
        let span = now.at.saturating_duration_since(before.at).as_secs_f64();
        let mut chosen = rank(&before.processes, &now.processes, span, top);
        self.last = Some(now);
        complete(&mut chosen, system);
        chosen
    }
}

fn scan(system: &mut System) -> Scan {
    let kind =
        ProcessRefreshKind::nothing().without_tasks().with_cpu().with_memory().with_disk_usage();
    let at = Instant::now();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    let totals = |p: &sysinfo::Process| {
        let io = p.disk_usage();
        Totals {
            name: p.name().to_string_lossy().into_owned(),
            start: p.start_time(),
            age: p.run_time() as f64,
            cpu_millis: p.accumulated_cpu_time(),
            io_bytes: io.total_read_bytes.saturating_add(io.total_written_bytes),
            memory_bytes: p.memory(),
        }
    };
    let processes = system
        .processes()
        .iter()
        // A thread is part of its process.
        .filter(|(_, p)| p.thread_kind().is_none_or(|k| k == sysinfo::ThreadKind::Kernel))
        .map(|(pid, p)| (pid.as_u32(), totals(p)))
        .collect();
    Scan { at, processes }
}

/// Usage between two scans `span` seconds apart; unknown where the earlier one should have seen a process and did not.
fn usage(pid: u32, before: Option<&Totals>, now: &Totals, span: f64) -> ProcessUsage {
    let (cpu, io) = match before.filter(|b| b.start == now.start) {
        Some(b) => (now.cpu_millis.checked_sub(b.cpu_millis), now.io_bytes.checked_sub(b.io_bytes)),
        // It started in between, so all that it has used falls in the span.
        None if now.age <= span + START_SLACK => (Some(now.cpu_millis), Some(now.io_bytes)),
        None => (None, None),
    };
    let per_second = |x: Option<u64>| x.map_or(f64::NAN, |x| x as f64 / span);
    let mut process = ProcessUsage::new(pid, now.name.clone());
    process.cpu_cores = per_second(cpu) / 1000.0;
    process.io_bytes_per_second = per_second(io);
    process.memory_bytes = now.memory_bytes as f64;
    process
}

/// The union of the `top` by each measure, each process once, the most CPU first; equals are in order of number.
fn rank(
    before: &HashMap<u32, Totals>,
    now: &HashMap<u32, Totals>,
    span: f64,
    top: usize,
) -> Vec<ProcessUsage> {
    if span.is_nan() || span <= 0.0 {
        return Vec::new();
    }
    let mut all: Vec<ProcessUsage> =
        now.iter().map(|(&pid, totals)| usage(pid, before.get(&pid), totals, span)).collect();
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

/// Adds what is worth reading for the few that are shown: command lines, and whether I/O may be known.
fn complete(chosen: &mut [ProcessUsage], system: &mut System) {
    let pids: Vec<Pid> = chosen.iter().map(|p| Pid::from_u32(p.pid)).collect();
    let kind = ProcessRefreshKind::nothing().without_tasks().with_cmd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), false, kind);
    for process in chosen {
        if let Some(known) = system.process(Pid::from_u32(process.pid)) {
            process.command = command_line(known.cmd());
        }
        if !may_know_io(process.pid) {
            process.io_bytes_per_second = f64::NAN;
        }
    }
}

fn command_line(words: &[OsString]) -> String {
    let words: Vec<_> = words.iter().map(|w| w.to_string_lossy()).collect();
    // What a process calls itself must not move the cursor of whoever reads it.
    words
        .join(" ")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(COMMAND_LENGTH)
        .collect()
}

/// Linux shows a process's I/O only to its owner and to root, and `sysinfo` then says 0.
fn may_know_io(pid: u32) -> bool {
    !cfg!(target_os = "linux") || std::fs::read(format!("/proc/{pid}/io")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(start: u64, cpu_millis: u64, io_bytes: u64, memory_bytes: u64) -> Totals {
        Totals { start, cpu_millis, io_bytes, memory_bytes, age: 1000.0, ..Totals::default() }
    }

    #[test]
    fn each_process_once_the_most_cpu_first() {
        let before = HashMap::from([
            (1, totals(1, 0, 0, 0)),
            (2, totals(1, 0, 0, 0)),
            (3, totals(1, 0, 0, 0)),
            (4, totals(1, 0, 0, 0)),
        ]);
        let now = HashMap::from([
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
        let before = HashMap::from([(7, totals(100, 9_000, 9_000, 1))]);
        let mut young = totals(200, 500, 100, 1);
        young.age = 1.0;
        let top = rank(&before, &HashMap::from([(7, young)]), 1.0, 5);
        assert_eq!((top[0].cpu_cores, top[0].io_bytes_per_second), (0.5, 100.0));
        // Old, and yet not seen before: its past is not this span's.
        let top = rank(&before, &HashMap::from([(7, totals(200, 99_999, 1, 1))]), 1.0, 5);
        assert!(top[0].cpu_cores.is_nan() && top[0].memory_bytes == 1.0);
        // The same one with counters that fell.
        let top = rank(&before, &HashMap::from([(7, totals(100, 1, 1, 1))]), 1.0, 5);
        assert!(top[0].cpu_cores.is_nan());
    }

    #[test]
    fn command_lines_are_cut_at_characters_and_hold_no_control_codes() {
        let long = command_line(&["é".repeat(150).into(), "\u{1b}[31m".repeat(40).into()]);
        assert_eq!(long.chars().count(), COMMAND_LENGTH);
        assert!(!long.contains('\u{1b}'));
        assert_eq!(command_line(&["sleep".into(), "1".into()]), "sleep 1");
    }
}
