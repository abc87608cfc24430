//! Every action: when it fits, what it should do, how it is applied and taken back, and how to see whether it worked.

use crate::room::PROCESS_MEMORY;
use overseer_core::host;
use serde::Serialize;

/// What is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Resource {
    /// Processor time.
    Cpu,
    /// Memory and swap.
    Memory,
    /// The bandwidth of disks.
    Io,
    /// Room on disks.
    Disk,
}

impl Resource {
    /// The resource that a feature speaks of, if an action is about it.
    #[must_use]
    pub fn of(feature: &str) -> Option<Self> {
        match feature {
            "system.cpu.utilization" | "overseer.cpu.load_per_core" | "linux.pressure.cpu" => {
                Some(Self::Cpu)
            }
            "system.memory.utilization"
            | "system.paging.utilization"
            | "linux.pressure.memory"
            | PROCESS_MEMORY => Some(Self::Memory),
            "system.disk.io.read" | "system.disk.io.write" | "linux.pressure.io" => Some(Self::Io),
            "system.filesystem.utilization" => Some(Self::Disk),
            _ => None,
        }
    }
}

/// How to see whether an action worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Watched {
    /// The feature's column in the host's schema.
    pub column: usize,
    /// Whether it should fall; else it should rise.
    pub falls: bool,
}

/// An action of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Action {
    /// Its name, as the configuration allows it.
    pub name: &'static str,
    /// What is short where it fits.
    pub resource: Resource,
    /// When it can be done.
    pub precondition: &'static str,
    /// What it should do.
    pub effect: &'static str,
    /// How it is taken back; empty where it is only proposed.
    pub undo: &'static str,
    /// How to see whether it worked; none where nothing is applied.
    pub watched: Option<Watched>,
    /// What is expected of it before anything came of it, from -1 (worse) to 1 (helped): a guess.
    pub prior: f64,
}

const fn falls(column: usize) -> Option<Watched> {
    Some(Watched { column, falls: true })
}

/// Every action, in the order in which a fixed rule would advise those of one resource.
pub const CATALOGUE: [Action; 9] = [
    Action {
        name: "nice",
        resource: Resource::Cpu,
        precondition: "a process keeps at least half a CPU busy",
        effect: "other processes get the CPU first",
        undo: "its niceness as it was; needs root or CAP_SYS_NICE",
        watched: falls(host::PRESSURE_CPU),
        prior: 0.2,
    },
    Action {
        name: "cpu-weight",
        resource: Resource::Cpu,
        precondition: "that process runs in a control group of its own (cgroup v2)",
        effect: "other groups get the CPU first, whatever the group starts",
        undo: "the group's cpu.weight as it was",
        watched: falls(host::PRESSURE_CPU),
        prior: 0.15,
    },
    Action {
        name: "memory-high",
        resource: Resource::Memory,
        precondition: "the process with the most memory runs in a control group of its own (cgroup v2)",
        effect: "the kernel reclaims from that group first and slows it down above the limit",
        undo: "the group's memory.high as it was",
        watched: falls(host::PRESSURE_MEMORY),
        prior: 0.2,
    },
    Action {
        name: "swappiness",
        resource: Resource::Memory,
        precondition: "vm.swappiness is above 10",
        effect: "the page cache is given up before programs are swapped out",
        undo: "vm.swappiness as it was",
        watched: falls(host::PRESSURE_MEMORY),
        prior: 0.1,
    },
    Action {
        name: "vfs-cache-pressure",
        resource: Resource::Memory,
        precondition: "vm.vfs_cache_pressure is below 200",
        effect: "caches of directories and inodes are given up sooner",
        undo: "vm.vfs_cache_pressure as it was",
        watched: falls(host::MEMORY_UTILIZATION),
        prior: 0.0,
    },
    Action {
        name: "restart",
        resource: Resource::Memory,
        precondition: "the memory of a systemd service was found to grow until it meets its limit",
        effect: "gives back what it leaked",
        undo: "",
        watched: None,
        prior: 0.0,
    },
    Action {
        name: "ionice",
        resource: Resource::Io,
        precondition: "a process reads or writes at least 1 MB/s",
        effect: "other processes get the disk first, with an I/O scheduler that knows classes (BFQ)",
        undo: "its I/O class as it was",
        watched: falls(host::PRESSURE_IO),
        prior: 0.2,
    },
    Action {
        name: "dirty-ratio",
        resource: Resource::Io,
        precondition: "vm.dirty_ratio is above 10, and given as a ratio",
        effect: "writing starts earlier and in smaller bursts",
        undo: "vm.dirty_ratio and vm.dirty_background_ratio as they were",
        watched: falls(host::PRESSURE_IO),
        prior: 0.1,
    },
    Action {
        name: "clean-up",
        resource: Resource::Disk,
        precondition: "caches or logs of at least 10 MB lie on the fullest disk",
        effect: "gives room back; a person decides what goes",
        undo: "",
        watched: None,
        prior: 0.5,
    },
];

/// The action of this name.
#[must_use]
pub fn action(name: &str) -> Option<&'static Action> {
    CATALOGUE.iter().find(|a| a.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_what_is_applied_can_be_seen_and_taken_back() {
        for (i, a) in CATALOGUE.iter().enumerate() {
            assert_eq!(CATALOGUE.iter().position(|b| b.name == a.name), Some(i));
            assert_eq!(a.watched.is_some(), !a.undo.is_empty(), "{}", a.name);
            assert!((-1.0..=1.0).contains(&a.prior));
        }
    }
}
