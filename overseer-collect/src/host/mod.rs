//! The running host as a collector: one file for each family of metrics, put together here.
//!
//! On Linux a reading is eight small files of the kernel, one directory and the size of each disk; on other systems,
//! and where such a file cannot be read, `sysinfo` answers. What cannot be had is missing with a reason.

mod cpu;
mod disk;
mod files;
mod filesystem;
mod hardware;
mod memory;
mod network;
mod pressure;
mod process;
mod rate;

use files::{Files, Value};
use overseer_core::{
    Collector, Error, HostInfo, MissingValue, ProcessUsage, Reading, Result, Sample, Schema,
    Timestamp, host,
};
use std::path::PathBuf;
use sysinfo::System;

/// Takes samples of the host it runs on, in the order of [`overseer_core::host::schema`].
///
/// Rates and CPU utilisation are over the time since the previous [`collect`](Collector::collect), by the steady
/// clock of the system. On Linux that clock stands still while the host sleeps, so a rate after a sleep is over the
/// time awake. The first call has no rates, nor has one within 100 ms of the call before; that one leaves the span
/// to the next. A counter that restarts makes its rate missing once.
///
/// ```
/// use overseer_collect::HostCollector;
/// use overseer_core::{Collector, Timestamp, host};
///
/// let mut collector = HostCollector::new()?;
/// let reading = collector.collect(Timestamp::from_millis(1_700_000_000_000))?;
/// // Every value is known or has a reason.
/// let unknown = reading.sample.values.iter().filter(|v| v.is_nan()).count();
/// assert_eq!(unknown, reading.missing.len());
/// # assert!(reading.sample.values[host::MEMORY_UTILIZATION] <= 1.0);
/// # Ok::<(), overseer_core::Error>(())
/// ```
pub struct HostCollector {
    schema: Schema,
    files: Files,
    system: System,
    cpu: cpu::Cpu,
    memory: memory::MemoryReader,
    filesystem: filesystem::Filesystem,
    disk: disk::Disk,
    network: network::Network,
    /// CPU, I/O and memory.
    pressure: [pressure::Pressure; 3],
    proc: PathBuf,
    processes: process::Processes,
}

/// Chooses where a [`HostCollector`] reads.
#[derive(Debug, Clone)]
pub struct HostCollectorBuilder {
    root: PathBuf,
}

impl HostCollectorBuilder {
    /// Reads `/proc`, `/sys` and `/etc` beneath `root` instead of `/`: for tests, and to look at another host's files.
    ///
    /// Beneath another root nothing is asked of the running system in place of a file that is missing there, except
    /// the sizes of the mounts that `proc/self/mountinfo` lists, and there are no [`processes`](Collector::processes).
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// The collector. Nothing is read yet.
    ///
    /// # Errors
    /// If `sysinfo` does not support the system.
    pub fn build(self) -> Result<HostCollector> {
        let system =
            System::new().map_err(|e| Error::other("cannot ask the system about itself", e))?;
        let files = Files::new(self.root);
        Ok(HostCollector {
            schema: host::schema(),
            cpu: cpu::Cpu::new(&files),
            memory: memory::MemoryReader::new(&files),
            filesystem: filesystem::Filesystem::new(&files),
            disk: disk::Disk::new(&files),
            network: network::Network::new(&files),
            pressure: ["cpu", "io", "memory"].map(|r| pressure::Pressure::new(&files, r)),
            proc: files.path("proc"),
            processes: process::Processes::default(),
            files,
            system,
        })
    }
}

impl HostCollector {
    /// A collector of the running host.
    ///
    /// # Errors
    /// If `sysinfo` does not support the system.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// A builder for a collector that reads elsewhere.
    #[must_use]
    pub fn builder() -> HostCollectorBuilder {
        HostCollectorBuilder { root: PathBuf::from("/") }
    }
}

impl Collector for HostCollector {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        let files = &mut self.files;
        let system = &mut self.system;
        let mut row = Row::new(&self.schema, now);
        row.set(host::CPU_UTILIZATION, self.cpu.utilization(files, system));
        row.set(host::LOAD_PER_CORE, self.cpu.load_per_core(files));
        let [memory, swap] = self.memory.utilization(files, system);
        row.set(host::MEMORY_UTILIZATION, memory);
        row.set(host::PAGING_UTILIZATION, swap);
        let (used, mount) = self.filesystem.utilization(files);
        row.set(host::FILESYSTEM_UTILIZATION, used);
        row.reading.fullest_mount = mount;
        let [read, written] = self.disk.rates(files);
        row.set(host::DISK_READ, read);
        row.set(host::DISK_WRITE, written);
        let [received, sent] = self.network.rates(files);
        row.set(host::NETWORK_RECEIVE, received);
        row.set(host::NETWORK_TRANSMIT, sent);
        row.set(host::PROCESS_COUNT, process::count(&self.proc, files, system));
        let pressures = [host::PRESSURE_CPU, host::PRESSURE_IO, host::PRESSURE_MEMORY];
        for (feature, pressure) in pressures.into_iter().zip(&mut self.pressure) {
            row.set(feature, pressure.ratio(files));
        }
        Ok(row.reading)
    }

    fn processes(&mut self, top: usize) -> Result<Vec<ProcessUsage>> {
        if !self.files.is_native() {
            return Ok(Vec::new());
        }
        Ok(self.processes.top(top, &mut self.system))
    }

    fn host(&self) -> HostInfo {
        let mut files = Files::new(self.files.path(""));
        let mut info = HostInfo::default();
        info.name = first_line(&mut files, "proc/sys/kernel/hostname")
            .or_else(|| ask(&files, System::host_name))
            .unwrap_or_default();
        info.system = system_name(&mut files);
        info.logical_cpus = cpu::logical_cpus(&mut files).unwrap_or(0);
        info.memory_bytes = memory::total_bytes(&mut files);
        info
    }
}

/// A reading that is being filled in.
struct Row<'a> {
    schema: &'a Schema,
    reading: Reading,
}

impl<'a> Row<'a> {
    fn new(schema: &'a Schema, now: Timestamp) -> Self {
        let blank = Sample::new(now, vec![f64::NAN; schema.len()]);
        Self { schema, reading: Reading::new(blank) }
    }

    fn set(&mut self, feature: usize, value: Value) {
        let reason = match value {
            Ok(x) if x.is_finite() => {
                self.reading.sample.values[feature] = x;
                return;
            }
            Ok(_) => "the measured value is not a number".into(),
            Err(reason) => reason,
        };
        let name = self.schema.features()[feature].name.clone();
        tracing::trace!(feature = %name, %reason, "no value");
        self.reading.missing.push(MissingValue::new(name, reason));
    }
}

/// `Debian GNU/Linux 12, kernel 6.1.0`; empty if nothing is known.
fn system_name(files: &mut Files) -> String {
    let release = files.path("etc/os-release");
    let named = files.head(&release, 1 << 16).ok().and_then(|text| parse_os_release(&text));
    let system = named.or_else(|| {
        let name = ask(files, System::name)?;
        Some(match ask(files, System::os_version) {
            Some(version) => format!("{name} {version}"),
            None => name,
        })
    });
    let kernel = first_line(files, "proc/sys/kernel/osrelease")
        .or_else(|| ask(files, System::kernel_version))
        .map(|kernel| format!("kernel {kernel}"));
    [system, kernel].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Name and version from os-release(5).
fn parse_os_release(text: &str) -> Option<String> {
    let value = |key: &str| {
        let quoted = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='))?;
        let plain = quoted.trim().trim_matches(['"', '\'']).trim();
        (!plain.is_empty()).then(|| plain.to_owned())
    };
    let name = value("NAME").or_else(|| value("PRETTY_NAME"))?;
    Some(match value("VERSION_ID") {
        Some(version) => format!("{name} {version}"),
        None => name,
    })
}

fn first_line(files: &mut Files, relative: &str) -> Option<String> {
    let path = files.path(relative);
    let text = files.head(&path, 1024).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// What the running system says, unless another's files are being read.
fn ask<T>(files: &Files, question: fn() -> std::result::Result<T, sysinfo::Error>) -> Option<T> {
    files.is_native().then(question)?.ok()
}

impl std::fmt::Debug for HostCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the processes: there are hundreds.
        f.debug_struct("HostCollector")
            .field("root", &self.files.path(""))
            .field("filesystem", &self.filesystem)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
