//! The processes as `sysinfo` sees them.

use super::super::files::Reason;
use super::super::portable::Portable;
use super::{Scan, Totals};
use std::time::Instant;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate};

/// Its clocks are in seconds.
const SLACK: f64 = 2.0;

pub(super) fn scan(portable: &mut Portable) -> Result<Scan, Reason> {
    let system = portable.system()?;
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
            io_bytes: Ok(io.total_read_bytes.saturating_add(io.total_written_bytes)),
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
    Ok(Scan { at, slack: SLACK, processes })
}
