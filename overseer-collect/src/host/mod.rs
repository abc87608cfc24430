//! The running host as a collector: one file for each family of metrics, put together here.
//!
//! On Linux a reading is a handful of the kernel's files, kept open, and the size of each disk; it costs the same
//! however many processes there are, and memory is allocated only to say why a value is missing. On other systems,
//! and where such a file cannot be read, `sysinfo` answers. What cannot be had is missing with a reason.

mod auxiliary;
mod container;
mod count;
mod cpu;
mod devices;
mod disk;
mod files;
mod filesystem;
mod hardware;
mod memory;
mod network;
mod portable;
mod pressure;
mod process;
mod rate;
mod text;

pub(crate) use disk::is_virtual as is_virtual_disk;
pub(crate) use network::is_loopback;

use crate::clock::{Clock, SystemClock, Watch};
use files::{Files, Reason, Value};
use overseer_core::{
    Auxiliary, Collector, HostInfo, Interruption, MissingValue, ProcessUsage, ProgramMemory,
    Reading, Result, Sample, Schema, Span, Timestamp, host,
};
use portable::Portable;
use std::path::PathBuf;
use sysinfo::System;

/// Takes samples of the host it runs on, in the order of [`overseer_core::host::schema`].
///
/// Rates and CPU utilisation are over the time since the previous [`collect`](Collector::collect), by the steady
/// clock of the system. The first call has no rates, nor has one within 100 ms of the call before; that one leaves the
/// span to the next. A counter that restarts or jumps makes its rate missing once, and so does a sleep of the host
/// all rates; a sleep and a wall clock that was set are told in [`Reading::interruptions`].
///
/// In a container with limits, utilisation of CPU and memory is of what the container may use, and
/// [`Reading::origin`] says so; everything else is the host's, as far as the container can see it.
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
/// # assert!(!(reading.sample.values[host::MEMORY_UTILIZATION] > 1.0));
/// # Ok::<(), overseer_core::Error>(())
/// ```
pub struct HostCollector {
    schema: Schema,
    files: Files,
    clock: Box<dyn Clock>,
    watch: Watch,
    portable: Portable,
    container: container::Container,
    cpu: cpu::Cpu,
    memory: memory::MemoryReader,
    filesystem: filesystem::Filesystem,
    disk: disk::Disk,
    network: network::Network,
    count: count::ProcessCount,
    /// CPU, I/O and memory.
    pressure: [pressure::Pressure; 3],
    processes: process::Processes,
}

/// Chooses where a [`HostCollector`] reads.
#[derive(Debug)]
pub struct HostCollectorBuilder {
    root: PathBuf,
    clock: Box<dyn Clock>,
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

    /// Takes rates by these clocks instead of the system's: for tests and simulations.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The collector. Nothing is read yet.
    ///
    /// # Errors
    /// None at present; on a platform about which nothing is known every value is missing with that reason.
    pub fn build(self) -> Result<HostCollector> {
        let files = Files::new(self.root);
        Ok(HostCollector {
            schema: host::schema(),
            clock: self.clock,
            watch: Watch::default(),
            portable: Portable::default(),
            container: container::Container::default(),
            cpu: cpu::Cpu::new(&files),
            memory: memory::MemoryReader::new(&files),
            filesystem: filesystem::Filesystem::new(&files),
            disk: disk::Disk::new(&files),
            network: network::Network::new(&files),
            count: count::ProcessCount::new(&files),
            pressure: ["cpu", "io", "memory"].map(|r| pressure::Pressure::new(&files, r)),
            processes: process::Processes::default(),
            files,
        })
    }
}

impl HostCollector {
    /// A collector of the running host.
    ///
    /// # Errors
    /// As [`HostCollectorBuilder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// A builder for a collector that reads elsewhere or by other clocks.
    #[must_use]
    pub fn builder() -> HostCollectorBuilder {
        HostCollectorBuilder { root: PathBuf::from("/"), clock: Box::new(SystemClock) }
    }

    /// [`Collector::collect`] in place of an earlier reading, whose memory is used again.
    pub fn collect_into(&mut self, now: Timestamp, reading: &mut Reading) {
        let (slept, step) = self.watch.note(now, &*self.clock);
        if slept.is_some() {
            self.reset();
        }
        let Self { files, portable, container, .. } = self;
        let clock = &*self.clock;
        let mut row = Row::new(&self.schema, now, slept, reading);
        row.reading.origin = container.origin(files, clock);
        row.reading.interruptions.extend(slept.map(Interruption::Suspended));
        row.reading.interruptions.extend(step);
        let cpu = container.cpu_utilization(files, clock);
        let cpu = cpu.unwrap_or_else(|| self.cpu.utilization(files, clock, portable));
        row.set(host::CPU_UTILIZATION, cpu);
        row.set(host::LOAD_PER_CORE, self.cpu.load_per_core(files, clock));
        let [memory, swap] = self.memory.utilization(files, portable);
        row.set(host::MEMORY_UTILIZATION, container.memory_utilization(files).unwrap_or(memory));
        row.set(host::PAGING_UTILIZATION, swap);
        let (used, mount) = self.filesystem.utilization(files, clock);
        row.name_mount(mount);
        row.set(host::FILESYSTEM_UTILIZATION, used);
        let [read, written] = self.disk.rates(files, clock);
        row.set(host::DISK_READ, read);
        row.set(host::DISK_WRITE, written);
        let [received, sent] = self.network.rates(files, clock);
        row.set(host::NETWORK_RECEIVE, received);
        row.set(host::NETWORK_TRANSMIT, sent);
        row.set(host::PROCESS_COUNT, self.count.count(files, clock, portable));
        let pressures = [host::PRESSURE_CPU, host::PRESSURE_IO, host::PRESSURE_MEMORY];
        for (feature, pressure) in pressures.into_iter().zip(&mut self.pressure) {
            row.set(feature, pressure.ratio(files, clock));
        }
        row.finish();
    }

    /// Makes the next reading a first one for all rates.
    fn reset(&mut self) {
        self.container.reset();
        self.cpu.reset();
        self.disk.reset();
        self.network.reset();
        self.pressure.iter_mut().for_each(pressure::Pressure::reset);
    }
}

impl Collector for HostCollector {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        let mut reading = Reading::new(Sample::new(now, Vec::new()));
        self.collect_into(now, &mut reading);
        Ok(reading)
    }

    fn auxiliary(&mut self) -> Result<Vec<Auxiliary>> {
        Ok(auxiliary::read(&mut self.filesystem, &mut self.files))
    }

    fn processes(&mut self, top: usize) -> Result<Vec<ProcessUsage>> {
        if !self.files.is_native() {
            return Ok(Vec::new());
        }
        self.processes.top(top, &mut self.files, &mut self.portable)
    }

    fn memory(&mut self, top: usize) -> Result<Vec<ProgramMemory>> {
        if !self.files.is_native() {
            return Ok(Vec::new());
        }
        // In a container its own limit comes before what the host has.
        let left = self
            .container
            .memory_left(&mut self.files)
            .or_else(|| self.memory.left(&mut self.files, &mut self.portable));
        process::programs(top, left, &mut self.files, &mut self.portable)
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
    reading: &'a mut Reading,
    /// How long the host slept, which is why rates have to begin anew.
    slept: Option<Span>,
    missing: usize,
}

impl<'a> Row<'a> {
    fn new(
        schema: &'a Schema,
        now: Timestamp,
        slept: Option<Span>,
        reading: &'a mut Reading,
    ) -> Self {
        reading.sample.timestamp = now;
        reading.sample.values.clear();
        reading.sample.values.resize(schema.len(), f64::NAN);
        reading.interruptions.clear();
        Self { schema, reading, slept, missing: 0 }
    }

    fn set(&mut self, feature: usize, value: Value) {
        let reason = match value {
            Ok(x) if x.is_finite() => {
                self.reading.sample.values[feature] = x;
                return;
            }
            Ok(_) => "the measured value is not a number".into(),
            Err(reason) if reason == rate::NEEDS_TWO => match self.slept {
                Some(span) => Reason::from(format!("the host slept for {span}")),
                None => reason,
            },
            Err(reason) => reason,
        };
        let name = self.schema.features()[feature].name.as_str();
        tracing::trace!(feature = %name, %reason, "no value");
        // What was said last time gives its memory.
        match self.reading.missing.get_mut(self.missing) {
            Some(said) => {
                name.clone_into(&mut said.feature);
                reason.as_ref().clone_into(&mut said.reason);
            }
            None => self.reading.missing.push(MissingValue::new(name, reason)),
        }
        self.missing += 1;
    }

    fn name_mount(&mut self, mount: Option<&str>) {
        match (&mut self.reading.fullest_mount, mount) {
            (Some(before), Some(now)) => now.clone_into(before),
            (before, now) => *before = now.map(str::to_owned),
        }
    }

    fn finish(self) {
        self.reading.missing.truncate(self.missing);
    }
}

/// `Debian GNU/Linux 12, kernel 6.1.0`; empty if nothing is known.
fn system_name(files: &mut Files) -> String {
    let mut release = files.source("etc/os-release");
    let text = files.head(&mut release).map(|text| String::from_utf8_lossy(text).into_owned());
    let named = text.ok().and_then(|text| parse_os_release(&text));
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
    let mut source = files.source(relative);
    let text = String::from_utf8_lossy(files.head(&mut source).ok()?);
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// What the running system says, unless another's files are being read.
fn ask<T>(files: &Files, question: fn() -> std::result::Result<T, sysinfo::Error>) -> Option<T> {
    files.is_native().then(question)?.ok()
}

impl std::fmt::Debug for HostCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostCollector")
            .field("root", &self.files.path(""))
            .field("filesystem", &self.filesystem)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
