//! What a host is asked to do in one interval.

use std::ops::AddAssign;

/// The mean demand over one interval, and the levels at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Demand {
    /// Share of all CPUs; more than 1 waits.
    pub cpu: f64,
    /// Bytes a second read from disks.
    pub read: f64,
    /// Bytes a second written to disks.
    pub write: f64,
    /// Bytes a second received.
    pub receive: f64,
    /// Bytes a second sent.
    pub transmit: f64,
    /// Share of memory held.
    pub memory: f64,
    /// Share of the fullest file system held.
    pub filesystem: f64,
    /// Processes.
    pub processes: f64,
}

impl Demand {
    /// All of it, `factor` times.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            cpu: factor * self.cpu,
            read: factor * self.read,
            write: factor * self.write,
            receive: factor * self.receive,
            transmit: factor * self.transmit,
            memory: factor * self.memory,
            filesystem: factor * self.filesystem,
            processes: factor * self.processes,
        }
    }
}

impl AddAssign for Demand {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.read += other.read;
        self.write += other.write;
        self.receive += other.receive;
        self.transmit += other.transmit;
        self.memory += other.memory;
        self.filesystem += other.filesystem;
        self.processes += other.processes;
    }
}
