//! The processes that a scripted host shows beside its sample.

use super::{LOGICAL_CPUS, MEMORY_BYTES};
use crate::Fault;
use overseer_core::{ProcessUsage, host};

/// Name, command line, and its shares of the host's CPU time, memory in use and disk traffic.
const USUAL: [(&str, &str, f64, f64, f64); 6] = [
    ("postgres", "postgres: checkpointer", 0.35, 0.40, 0.70),
    ("node", "node /srv/shop/server.js", 0.30, 0.25, 0.05),
    ("nginx", "nginx: worker process", 0.15, 0.05, 0.05),
    ("overseer", "overseer watch", 0.01, 0.01, 0.02),
    ("sshd", "sshd: /usr/sbin/sshd -D", 0.01, 0.01, 0.0),
    ("systemd", "/sbin/init", 0.01, 0.02, 0.01),
];

/// The processes behind a row without faults, and those that the faults start.
pub(super) fn usage(usual: &[f64], row: &[f64], faults: &[Fault]) -> Vec<ProcessUsage> {
    let traffic = |row: &[f64]| row[host::DISK_READ] + row[host::DISK_WRITE];
    let busy = |row: &[f64]| row[host::CPU_UTILIZATION] * LOGICAL_CPUS as f64;
    let memory = |row: &[f64]| row[host::MEMORY_UTILIZATION] * MEMORY_BYTES as f64;
    let process = |pid: u32, name: &str, command: &str, cpu: f64, memory: f64, io: f64| {
        let mut p = ProcessUsage::new(pid, name);
        command.clone_into(&mut p.command);
        (p.cpu_cores, p.memory_bytes, p.io_bytes_per_second) = (cpu, memory, io);
        p
    };
    let saturated = faults.contains(&Fault::CpuSaturation);
    // Whoever was there gets less of the CPUs while another takes all it can.
    let left = if saturated { 0.25 } else { 1.0 };
    let mut list: Vec<ProcessUsage> = (900..)
        .step_by(37)
        .zip(USUAL)
        .map(|(pid, (name, command, cpu, share, io))| {
            process(
                pid,
                name,
                command,
                left * cpu * busy(usual),
                share * memory(usual),
                io * traffic(usual),
            )
        })
        .collect();
    for fault in faults {
        match fault {
            Fault::CpuSaturation => {
                let cpu = (busy(row) - left * busy(usual)).max(0.0);
                list.push(process(4242, "stress", "stress --cpu 16", cpu, 12.0e6, 0.0));
            }
            Fault::MemoryLeak => {
                let grown = (memory(row) - memory(usual)).max(0.0) + 150.0e6;
                list.push(process(4243, "java", "java -jar report.jar", 0.2, grown, 1.0e4));
            }
            Fault::DiskFill => {
                list.push(process(4244, "rsync", "rsync -a /srv /var/backup", 0.3, 8.0e6, 60.0e6));
            }
            Fault::NetworkBurst => {
                list.push(process(
                    4245,
                    "curl",
                    "curl -O https://mirror.example/dump",
                    0.5,
                    9.0e6,
                    2.0e6,
                ));
            }
            Fault::CronJob => {
                list.push(process(4246, "restic", "restic backup /srv", 2.2, 90.0e6, 55.0e6));
            }
            _ => {}
        }
    }
    list
}

/// The union of the `top` by CPU, memory and I/O, the most CPU first.
pub(super) fn choose(mut list: Vec<ProcessUsage>, top: usize) -> Vec<ProcessUsage> {
    let mut chosen = Vec::new();
    let measures: [fn(&ProcessUsage) -> f64; 3] =
        [|p| p.io_bytes_per_second, |p| p.memory_bytes, |p| p.cpu_cores];
    for measure in measures {
        list.sort_by(|a, b| measure(b).total_cmp(&measure(a)));
        chosen.extend(list.iter().take(top).map(|p| p.pid));
    }
    list.retain(|p| chosen.contains(&p.pid));
    list
}
