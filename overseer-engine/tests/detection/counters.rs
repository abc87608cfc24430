//! The whole way of a rate: counters in the kernel's files, the collector, the detector, the policy. Where a counter
//! restarts or wraps a value is missing, and nobody is told of it.

use crate::interruptions::alerts_after;
use crate::scene::{DAY, HOUR, WEEK, alerts, calm_host, judge, noticed};
use overseer_core::{Collector, Sample, host};
use overseer_engine::host::collect::{HostCollector, ManualClock};
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const LEARNED: usize = WEEK;
const SECONDS: f64 = 300.0;
const NETWORK: [usize; 2] = [host::NETWORK_RECEIVE, host::NETWORK_TRANSMIT];
const DISK: [usize; 2] = [host::DISK_READ, host::DISK_WRITE];
/// But for the pressure on memory, of which this host has none: a counter at 0 that begins anew goes on.
const TIMES: [usize; 3] = [host::CPU_UTILIZATION, host::PRESSURE_CPU, host::PRESSURE_IO];

/// A machine whose kernel counts what a made-up host does, and the collector that reads its files.
struct Machine {
    root: TempDir,
    clock: ManualClock,
    collector: HostCollector,
    /// What each feature has added up to since its counter began: bytes, or seconds.
    sums: Vec<f64>,
    idle: f64,
    /// The most that a counter of bytes can hold, and then it begins at 0 again.
    modulus: u64,
    /// Whether the next reading finds the network's counters at 0.
    is_network_blank: bool,
}

impl Machine {
    fn new(modulus: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 550000 kB\n");
        put(root.path(), "sys/devices/system/cpu/online", "0\n");
        for device in ["sys/block/sda/device", "sys/class/net/eth0/device"] {
            std::fs::create_dir_all(root.path().join(device)).unwrap();
        }
        let clock = ManualClock::new();
        let collector =
            HostCollector::builder().root(root.path()).clock(clock.clone()).build().unwrap();
        // As after some months: a counter that falls to 0 falls far.
        let mut sums = vec![1e6; host::schema().len()];
        [NETWORK, DISK].concat().iter().for_each(|&f| sums[f] = 1e12);
        Self { root, clock, collector, sums, idle: 1e7, modulus, is_network_blank: false }
    }

    /// These counters begin anew.
    fn restart(&mut self, features: &[usize]) {
        features.iter().for_each(|&f| self.sums[f] = 0.0);
        if features.contains(&host::CPU_UTILIZATION) {
            self.idle = 0.0;
        }
    }

    /// Time goes on by a step in which the host does what `truth` says; what the collector makes of it.
    fn read(&mut self, truth: &Sample) -> Sample {
        self.clock.advance(Duration::from_secs_f64(SECONDS));
        self.sums.iter_mut().zip(&truth.values).for_each(|(sum, v)| *sum += v * SECONDS);
        self.idle += (1.0 - truth.values[host::CPU_UTILIZATION]) * SECONDS;
        self.collect(truth)
    }

    fn collect(&mut self, truth: &Sample) -> Sample {
        let root = self.root.path();
        let bytes = |feature: usize| self.sums[feature] as u64 % self.modulus;
        let is_blank = std::mem::take(&mut self.is_network_blank);
        let [received, sent] = NETWORK.map(|f| if is_blank { 0 } else { bytes(f) });
        let row = format!("eth0: {received} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0\n");
        put(root, "proc/net/dev", &row);
        let [read, written] = DISK.map(|f| bytes(f) / 512);
        put(root, "proc/diskstats", &format!(" 8 0 sda 1 0 {read} 0 1 0 {written} 0 0 0 0\n"));
        let [busy, idle] = [self.sums[host::CPU_UTILIZATION], self.idle].map(|s| 100.0 * s);
        put(root, "proc/stat", &format!("cpu  {busy:.0} 0 0 {idle:.0} 0 0 0 0 0 0\n"));
        for (file, feature) in [
            ("cpu", host::PRESSURE_CPU),
            ("io", host::PRESSURE_IO),
            ("memory", host::PRESSURE_MEMORY),
        ] {
            let total = (1e6 * self.sums[feature]) as u64;
            put(root, &format!("proc/pressure/{file}"), &format!("some avg10=0 total={total}\n"));
        }
        let load = truth.values[host::LOAD_PER_CORE];
        put(root, "proc/loadavg", &format!("{load} 0 0 1/99 7\n"));
        self.collector.collect(truth.timestamp).unwrap().sample
    }
}

fn put(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // A file that is emptied and filled anew is written out at once by some file systems, and this one thousands of times.
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_len(text.len() as u64).unwrap();
}

/// What befalls counters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// The network card's driver is loaded again.
    Network,
    /// A disk is taken out and another one gets its name.
    Disk,
    /// Everything begins at 0, as after a restart that the collector slept through or a snapshot that was restored.
    All,
    /// One reading finds nothing, and the next what it always would have.
    NetworkOnce,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Network, Self::Disk, Self::All, Self::NetworkOnce];

    /// The features whose rate nobody can know.
    fn features(self) -> Vec<usize> {
        match self {
            Self::Network | Self::NetworkOnce => NETWORK.to_vec(),
            Self::Disk => DISK.to_vec(),
            Self::All => [&NETWORK[..], &DISK, &TIMES].concat(),
        }
    }
}

/// Whether what was read is what was done, up to the counters' units.
fn agrees(read: f64, truth: f64) -> bool {
    (read - truth).abs() <= 1e-4 + 4.0 / SECONDS * truth.max(1.0)
}

#[test]
fn counters_that_restart_are_missing_once_and_no_alert() {
    let (mut total, mut restarts) = (0, 0);
    for seed in 0..3 {
        let truth = calm_host(LEARNED + WEEK, seed);
        let mut machine = Machine::new(u64::MAX);
        machine.collect(&truth[0]);
        let places: Vec<usize> = (0..WEEK).skip(100).step_by(DAY / 2 + 7).collect();
        let fault_at = |row: usize| {
            let place = places.iter().position(|p| LEARNED + p == row)?;
            Some(Fault::ALL[(place + seed as usize) % Fault::ALL.len()])
        };
        let samples: Vec<Sample> = (0..truth.len())
            .map(|row| {
                let fault = fault_at(row);
                match fault {
                    Some(Fault::NetworkOnce) => machine.is_network_blank = true,
                    Some(fault) => machine.restart(&fault.features()),
                    None => {}
                }
                let read = machine.read(&truth[row]);
                // A false low reading is found out by the next one, whose difference is none either.
                let before = row.checked_sub(1).and_then(fault_at);
                let again = before.filter(|f| *f == Fault::NetworkOnce);
                let unknown = fault.or(again).map_or(Vec::new(), Fault::features);
                for feature in [&NETWORK[..], &DISK, &TIMES].concat() {
                    let (read, truth) = (read.values[feature], truth[row].values[feature]);
                    let is_right = if unknown.contains(&feature) {
                        read.is_nan()
                    } else {
                        agrees(read, truth)
                    };
                    assert!(is_right, "row {row}, feature {feature}: {read}, {truth}, {fault:?}");
                }
                read
            })
            .collect();
        let found = alerts(&judge(&samples, LEARNED));
        assert!(places.iter().all(|place| !found.contains(place)), "seed {seed}: {found:?}");
        total += alerts_after(&found, &places);
        restarts += places.len();
    }
    assert!(total <= 1, "{total} alerts within an hour of {restarts} restarts");
}

/// The bytes at which a counter of 32 bits begins anew.
const WRAP: u64 = 1 << 32;

#[test]
fn counters_of_32_bits_that_wrap_every_hour_or_two_are_no_alert_and_hide_none() {
    let (mut false_alerts, mut wraps) = (0, 0);
    let busy = LEARNED + WEEK - DAY;
    for seed in 10..13 {
        let mut truth = calm_host(LEARNED + WEEK, seed);
        truth[busy..][..HOUR].iter_mut().for_each(|s| s.values[host::NETWORK_TRANSMIT] += 6e6);
        let mut machine = Machine::new(WRAP);
        machine.collect(&truth[0]);
        let samples: Vec<Sample> = truth.iter().map(|truth| machine.read(truth)).collect();
        for (sample, truth) in samples.iter().zip(&truth) {
            let (read, truth) =
                (sample.values[host::NETWORK_RECEIVE], truth.values[host::NETWORK_RECEIVE]);
            assert!(read.is_nan() || agrees(read, truth), "{read} was never received, but {truth}");
            wraps += usize::from(read.is_nan());
        }
        let rows = judge(&samples, LEARNED);
        false_alerts += alerts(&rows[..WEEK - DAY]).len();
        assert!(noticed(&rows[WEEK - DAY..][..HOUR]).is_some(), "seed {seed}: traffic is hidden");
    }
    assert!(wraps > 500, "only {wraps} wraps");
    assert!(false_alerts <= 5, "{false_alerts} false alerts in three times six days of wraps");
}

#[test]
fn what_would_be_a_wrap_is_an_alert_if_it_really_was_sent() {
    for seed in 20..23 {
        let mut truth = calm_host(LEARNED + DAY, seed);
        let sent = &mut truth[LEARNED + HOUR].values[host::NETWORK_TRANSMIT];
        *sent = WRAP as f64 / SECONDS;
        let mut machine = Machine::new(u64::MAX);
        machine.collect(&truth[0]);
        let samples: Vec<Sample> = truth.iter().map(|truth| machine.read(truth)).collect();
        assert!(noticed(&judge(&samples, LEARNED)[HOUR..][..2]).is_some(), "seed {seed}");
    }
}
