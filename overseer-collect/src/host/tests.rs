//! The collector as a whole: this machine's values are plausible, and broken files only cost values.

use super::*;
use crate::clock::ManualClock;
use proptest::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const FIXTURE: [(&str, &str); 17] = [
    ("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n"),
    ("proc/loadavg", "1.00 0.5 0.5 1/99 7\n"),
    ("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 0 kB\n"),
    ("proc/self/mountinfo", "22 1 0:99 / / rw - ext4 /dev/sda1 rw\n"),
    ("proc/diskstats", " 8 0 sda 1 0 1000 0 1 0 2000 0 0 0 0\n"),
    ("proc/net/dev", "eth0: 5000 1 0 0 0 0 0 0 7000 1 0 0 0 0 0 0\n"),
    ("proc/pressure/cpu", "some avg10=0 avg60=0 avg300=0 total=100\n"),
    ("proc/pressure/io", "some avg10=0 avg60=0 avg300=0 total=200\n"),
    ("proc/pressure/memory", "some avg10=0 avg60=0 avg300=0 total=300\n"),
    ("proc/sys/kernel/hostname", "lab\n"),
    ("proc/sys/kernel/osrelease", "6.1.0\n"),
    ("etc/os-release", "PRETTY_NAME=\"x\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"),
    ("sys/devices/system/cpu/online", "0-3\n"),
    ("proc/1/stat", ""),
    ("sys/block/sda/stat", "1 0 1000 0 1 0 2000 0 0 0 0\n"),
    ("sys/class/net/eth0/statistics/rx_bytes", "5000\n"),
    ("sys/class/net/eth0/statistics/tx_bytes", "7000\n"),
];

fn put(root: &Path, file: &str, bytes: &[u8]) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn fixture() -> (tempfile::TempDir, HostCollector, ManualClock) {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in FIXTURE {
        put(dir.path(), file, text.as_bytes());
    }
    for device in ["sys/block/sda/device", "sys/class/net/eth0/device"] {
        std::fs::create_dir_all(dir.path().join(device)).unwrap();
    }
    let clock = ManualClock::new();
    let collector = HostCollector::builder().root(dir.path()).clock(clock.clone()).build().unwrap();
    (dir, collector, clock)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn reason(reading: &Reading, feature: usize) -> &str {
    let name = host::schema().features()[feature].name.clone();
    &reading.missing.iter().find(|m| m.feature == name).expect("a reason").reason
}

/// Every missing value has exactly one reason, and every known one is in its unit's range.
fn assert_honest(reading: &Reading) {
    let schema = host::schema();
    for (feature, &value) in schema.features().iter().zip(&reading.sample.values) {
        let reasons = reading.missing.iter().filter(|m| m.feature == feature.name).count();
        assert_eq!(reasons, usize::from(value.is_nan()), "{feature}");
        assert!(value.is_nan() || (value.is_finite() && value >= 0.0), "{feature} = {value}");
        if feature.unit == overseer_core::Unit::Ratio {
            assert!(value.is_nan() || value <= 1.0, "{feature} = {value}");
        }
    }
}

#[test]
fn two_readings_of_known_files_give_known_values() {
    let (dir, mut collector, clock) = fixture();
    let first = collector.collect(at(5)).unwrap();
    assert_honest(&first);
    assert_eq!(first.sample.timestamp, at(5));
    let v = &first.sample.values;
    assert_eq!((v[host::LOAD_PER_CORE], v[host::MEMORY_UTILIZATION]), (0.25, 0.75));
    assert_eq!(v[host::PROCESS_COUNT], 1.0);
    assert_eq!(reason(&first, host::CPU_UTILIZATION), "needs two readings");
    assert_eq!(reason(&first, host::DISK_READ), "needs two readings");
    assert_eq!(reason(&first, host::PAGING_UTILIZATION), "no swap configured");

    let soon = collector.collect(at(6)).unwrap();
    assert_eq!(reason(&soon, host::CPU_UTILIZATION), "too soon after the previous reading");

    clock.advance(Duration::from_secs(2));
    put(dir.path(), "proc/stat", b"cpu  125 0 100 875 0 0 0 0 0 0\n");
    put(dir.path(), "sys/block/sda/stat", b"1 0 1000 0 1 0 2002 0 0 0 0\n");
    put(dir.path(), "sys/class/net/eth0/statistics/rx_bytes", b"4999\n");
    put(dir.path(), "proc/pressure/io", b"some total=2000200\n");
    let second = collector.collect(at(2005)).unwrap();
    assert_honest(&second);
    let v = &second.sample.values;
    assert_eq!(v[host::CPU_UTILIZATION], 0.25);
    assert_eq!((v[host::DISK_READ], v[host::PRESSURE_CPU], v[host::PRESSURE_IO]), (0.0, 0.0, 1.0));
    assert_eq!(v[host::DISK_WRITE], 512.0);
    assert_eq!(reason(&second, host::NETWORK_RECEIVE), "the counters of eth0 restarted");
    assert_eq!(second.origin, overseer_core::Origin::Host);
}

#[test]
fn after_a_sleep_rates_are_missing_and_a_set_clock_is_told() {
    let (_dir, mut collector, clock) = fixture();
    collector.collect(at(0)).unwrap();
    clock.advance(Duration::from_secs(1));
    clock.sleep(Duration::from_secs(7200));
    let woken = collector.collect(at(7_201_000)).unwrap();
    assert_eq!(woken.interruptions, [Interruption::Suspended(Span::from_secs(7200))]);
    for feature in [host::CPU_UTILIZATION, host::DISK_READ, host::PRESSURE_CPU] {
        assert_eq!(reason(&woken, feature), "the host slept for 2 h");
    }
    assert_honest(&woken);
    // The clock is set back by an hour; rates do not care.
    clock.advance(Duration::from_secs(1));
    let set = collector.collect(at(3_602_000)).unwrap();
    assert_eq!(set.interruptions, [Interruption::ClockBack(Span::from_secs(3600))]);
    assert_eq!(set.sample.values[host::DISK_READ], 0.0);
}

#[test]
fn a_reading_in_place_of_another_is_the_same_as_a_fresh_one() {
    let (dir, mut collector, clock) = fixture();
    let (mut other, mut reused) = (
        HostCollector::builder().root(dir.path()).clock(clock.clone()).build().unwrap(),
        Reading::new(Sample::new(at(0), vec![1.0; 40])),
    );
    // The size of a mount is this machine's, and changes from one reading to the next.
    put(dir.path(), "proc/self/mountinfo", b"");
    for i in 0..4 {
        put(dir.path(), "proc/loadavg", if i == 2 { b"" } else { b"1.0 0 0 1/9 7\n" });
        clock.advance(Duration::from_secs(1));
        let fresh = collector.collect(at(1000 * i)).unwrap();
        other.collect_into(at(1000 * i), &mut reused);
        assert_eq!(fresh, reused);
    }
}

#[test]
fn the_host_is_described_by_its_files() {
    let (_dir, mut collector, _) = fixture();
    let info = collector.host();
    assert_eq!(info.name, "lab");
    assert_eq!(info.system, "Debian GNU/Linux 12, kernel 6.1.0");
    assert_eq!((info.logical_cpus, info.memory_bytes), (4, 1_024_000));
    // Another host's processes are not this one's.
    assert!(collector.processes(3).unwrap().is_empty());
}

#[test]
fn an_empty_root_gives_a_reading_of_reasons() {
    let dir = tempfile::tempdir().unwrap();
    let mut collector = HostCollector::builder().root(dir.path()).build().unwrap();
    let reading = collector.collect(at(0)).unwrap();
    assert!(reading.sample.is_blank());
    assert_honest(&reading);
    assert!(reason(&reading, host::PRESSURE_IO).contains("does not report pressure"));
    assert_eq!(collector.host(), HostInfo::default());
}

#[test]
fn a_file_that_vanishes_costs_its_own_values_only() {
    for (file, _) in
        FIXTURE.into_iter().filter(|(f, _)| f.starts_with("proc/") && !f.contains("sys"))
    {
        let (dir, mut collector, clock) = fixture();
        let before = collector.collect(at(0)).unwrap();
        std::fs::remove_file(dir.path().join(file)).unwrap();
        std::fs::create_dir(dir.path().join(file)).unwrap();
        clock.advance(Duration::from_secs(1));
        let after = collector.collect(at(1)).unwrap();
        assert_honest(&after);
        assert!(after.missing.len() <= before.missing.len() + 2, "{file}");
    }
}

#[cfg(unix)]
#[test]
fn huge_and_endless_files_end() {
    let (dir, mut collector, _) = fixture();
    put(dir.path(), "proc/meminfo", &vec![b'9'; files::FILE_LIMIT + 1]);
    std::fs::remove_file(dir.path().join("proc/net/dev")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("proc/net/dev")).unwrap();
    let reading = collector.collect(at(0)).unwrap();
    assert_honest(&reading);
    assert!(reason(&reading, host::MEMORY_UTILIZATION).contains("not in the expected form"));
    assert!(reason(&reading, host::NETWORK_RECEIVE).contains("too large"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn broken_files_never_panic_and_every_gap_has_a_reason(
        which in 0..FIXTURE.len(),
        cut in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        garbage in prop::option::of(prop::collection::vec(any::<u8>(), 0..80)),
    ) {
        let (dir, mut collector, clock) = fixture();
        assert_honest(&collector.collect(at(0)).unwrap());
        let (file, text) = FIXTURE[which];
        let mut bytes = garbage.unwrap_or_else(|| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.truncate(if bytes.is_empty() { 0 } else { cut.index(bytes.len()) });
            bytes
        });
        for (place, byte) in flips {
            if !bytes.is_empty() {
                let i = place.index(bytes.len());
                bytes[i] = byte;
            }
        }
        put(dir.path(), file, &bytes);
        clock.advance(Duration::from_secs(1));
        // Of the same file as if it had never been otherwise, and as a change between two readings.
        assert_honest(&collector.collect(at(1)).unwrap());
        let mut fresh = HostCollector::builder().root(dir.path()).build().unwrap();
        assert_honest(&fresh.collect(at(2)).unwrap());
        let _ = fresh.host();
    }
}

#[test]
fn this_machine_has_plausible_values() {
    let mut collector = HostCollector::new().unwrap();
    assert_honest(&collector.collect(at(0)).unwrap());
    std::thread::sleep(Duration::from_millis(250));
    let reading = collector.collect(at(250)).unwrap();
    assert_honest(&reading);
    let v = &reading.sample.values;
    assert!(v[host::CPU_UTILIZATION].is_finite(), "{:?}", reading.missing);
    assert!(v[host::MEMORY_UTILIZATION] > 0.0 && v[host::MEMORY_UTILIZATION] < 1.0);
    assert!(v[host::PROCESS_COUNT] >= 1.0);
    assert_eq!(reading.fullest_mount.is_some(), v[host::FILESYSTEM_UTILIZATION].is_finite());
    let info = collector.host();
    assert!(info.logical_cpus > 0 && info.memory_bytes > 1 << 20 && !info.system.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn the_kernels_files_and_sysinfo_agree_under_load() {
    let mut fast = HostCollector::new().unwrap();
    let mut portable = without_the_kernels_files();
    let busy = Busy::start(1);
    let path = std::env::temp_dir().join(format!("overseer-load-{}", std::process::id()));
    let mut least = [f64::INFINITY; 4];
    for round in 0..8 {
        fast.collect(at(0)).unwrap();
        portable.collect(at(0)).unwrap();
        std::fs::write(&path, vec![7; 8 << 20]).unwrap();
        std::fs::File::open(&path).unwrap().sync_all().unwrap();
        std::thread::sleep(Duration::from_millis(600));
        let (a, b) = (fast.collect(at(600)).unwrap(), portable.collect(at(600)).unwrap());
        let (a, b) = (&a.sample.values, &b.sample.values);
        let known = [host::CPU_UTILIZATION, host::LOAD_PER_CORE, host::MEMORY_UTILIZATION];
        for feature in known {
            assert!(a[feature].is_finite() && b[feature].is_finite(), "{feature}");
        }
        // Both read within a moment of each other; what others do in that moment is the difference.
        let apart = |i: usize| (a[i] - b[i]).abs();
        let relative = |i: usize, floor: f64| {
            let either = a[i].is_nan() || b[i].is_nan();
            if either { 0.0 } else { apart(i) / a[i].max(b[i]).max(floor) }
        };
        let worst = [
            apart(host::CPU_UTILIZATION),
            apart(host::MEMORY_UTILIZATION),
            relative(host::DISK_WRITE, 1e6).max(relative(host::NETWORK_RECEIVE, 1e5)),
            relative(host::PROCESS_COUNT, 20.0).max(relative(host::FILESYSTEM_UTILIZATION, 0.01)),
        ];
        // Each has its quiet moment; on a machine with other work they do not have it together.
        for (least, apart) in least.iter_mut().zip(worst) {
            *least = apart.min(*least);
        }
        if least[0] < 0.05 && least[1] < 0.01 && least[2] < 0.05 && least[3] < 0.05 {
            break;
        }
        assert!(round < 7, "CPU, memory, devices, counts differ by {least:?}");
    }
    drop(busy);
    let _ = std::fs::remove_file(path);
}

/// Keeps as many threads busy as asked until dropped.
struct Busy(std::sync::Arc<AtomicBool>, Vec<std::thread::JoinHandle<()>>);

impl Busy {
    fn start(threads: usize) -> Self {
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let spin = |stop: std::sync::Arc<AtomicBool>| {
            move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }
        };
        let threads = (0..threads).map(|_| std::thread::spawn(spin(stop.clone()))).collect();
        Self(stop, threads)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        for thread in self.1.drain(..) {
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_busy_host_is_seen_as_busy() {
    let mut collector = HostCollector::new().unwrap();
    let cpus = collector.host().logical_cpus;
    // A busy loop on every CPU leaves none idle, however many others want them; a slice is lost to timing.
    let busy = Busy::start(cpus);
    std::thread::sleep(Duration::from_millis(50));
    collector.collect(at(0)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let reading = collector.collect(at(500)).unwrap();
    drop(busy);
    let seen = reading.sample.values[host::CPU_UTILIZATION];
    // Less where a container may use only a part of the CPUs it sees.
    let allowed = std::thread::available_parallelism().unwrap().get();
    if allowed >= cpus {
        assert!(seen > 0.6, "{seen} of {cpus} CPUs");
    } else {
        assert!(seen > 0.0);
    }
}

#[test]
fn the_processes_that_use_the_most_come_first_and_once() {
    let mut collector = HostCollector::new().unwrap();
    let first = collector.processes(5).unwrap();
    let again = collector.processes(5).unwrap();
    for list in [&first, &again] {
        assert!(!list.is_empty() && list.len() <= 15);
        let pids: std::collections::HashSet<u32> = list.iter().map(|p| p.pid).collect();
        assert_eq!(pids.len(), list.len());
        let cpu: Vec<f64> = list.iter().map(|p| p.cpu_cores).filter(|c| !c.is_nan()).collect();
        assert!(cpu.windows(2).all(|w| w[0] >= w[1]), "{cpu:?}");
        assert!(list.iter().all(|p| p.command.chars().count() <= 200));
    }
    assert!(collector.processes(0).unwrap().is_empty());
}

#[test]
fn a_process_that_computes_is_seen_to_compute() {
    let _busy = Busy::start(1);
    let mut collector = HostCollector::new().unwrap();
    // On a crowded machine its turn may not come within one short span.
    let seen = (0..20).any(|_| {
        let all = collector.processes(usize::MAX).unwrap();
        let own = all.iter().find(|p| p.pid == std::process::id()).expect("this process");
        assert!(own.memory_bytes > 0.0 && !own.io_bytes_per_second.is_nan());
        assert!(!own.command.is_empty() && !own.name.is_empty());
        own.cpu_cores > 0.0
    });
    assert!(seen);
}

/// A collector of this host for which `sysinfo` has to answer everything.
fn without_the_kernels_files() -> HostCollector {
    let nowhere = Files::new("/nowhere".into());
    let mut collector = HostCollector::new().unwrap();
    collector.cpu = cpu::Cpu::new(&nowhere);
    collector.memory = memory::MemoryReader::new(&nowhere);
    collector.filesystem = filesystem::Filesystem::new(&nowhere);
    collector.disk = disk::Disk::new(&nowhere);
    collector.network = network::Network::new(&nowhere);
    collector.count = count::ProcessCount::new(&nowhere);
    collector
}

#[test]
fn where_the_kernels_files_are_missing_sysinfo_answers() {
    let mut collector = without_the_kernels_files();
    let first = collector.collect(at(0)).unwrap();
    assert_honest(&first);
    assert_eq!(reason(&first, host::CPU_UTILIZATION), "needs two readings");
    let soon = collector.collect(at(1)).unwrap();
    assert_eq!(reason(&soon, host::CPU_UTILIZATION), "too soon after the previous reading");
    std::thread::sleep(Duration::from_millis(300));
    let reading = collector.collect(at(2)).unwrap();
    assert_honest(&reading);
    let known =
        [host::CPU_UTILIZATION, host::LOAD_PER_CORE, host::MEMORY_UTILIZATION, host::PROCESS_COUNT];
    for feature in known {
        assert!(reading.sample.values[feature].is_finite(), "{feature}: {:?}", reading.missing);
    }
}
