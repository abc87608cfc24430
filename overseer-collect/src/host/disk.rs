//! Bytes read from and written to whole disks.
//!
//! On Linux `/proc/diskstats` counts sectors of 512 bytes (Documentation/admin-guide/iostats.rst) for every block
//! device; only devices served by a driver count, so that a partition, a mapper or RAID device and the disk beneath
//! them are not one transfer counted three times. Elsewhere `sysinfo` counts by volume.

use super::files::{Files, Value, whole_lines};
use super::hardware::Hardware;
use super::rate::{Counter, Rates};
use std::path::PathBuf;
use std::time::Instant;
use sysinfo::{DiskRefreshKind, Disks};

const SECTOR: u64 = 512;
/// Devices that pass on what others move, or keep it in memory.
const VIRTUAL: [&str; 7] = ["loop", "ram", "zram", "dm-", "md", "sr", "fd"];

/// Name and bytes of every device; lines that make no sense are left out.
fn parse_diskstats(text: &str) -> Vec<Counter> {
    let device = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let name = words.nth(2)?.to_owned();
        let read: u64 = words.nth(2)?.parse().ok()?;
        let written: u64 = words.nth(3)?.parse().ok()?;
        Some(Counter { name, bytes: [read.saturating_mul(SECTOR), written.saturating_mul(SECTOR)] })
    };
    whole_lines(text).filter_map(device).collect()
}

/// The disks' counters at the previous reading, and which devices are disks.
pub(super) struct Disk {
    diskstats: PathBuf,
    hardware: Hardware,
    rates: Rates,
    volumes: Option<Disks>,
}

impl Disk {
    pub(super) fn new(files: &Files) -> Self {
        Self {
            diskstats: files.path("proc/diskstats"),
            hardware: Hardware::new(files.path("sys/block")),
            rates: Rates::default(),
            volumes: None,
        }
    }

    /// Bytes read per second, then bytes written per second.
    pub(super) fn rates(&mut self, files: &mut Files) -> [Value; 2] {
        let at = Instant::now();
        let native = files.is_native();
        let counters = match files.text(&self.diskstats) {
            Ok(text) => parse_diskstats(&text),
            Err(_) if native => return self.rates_of_volumes(at),
            Err(reason) => return [Err(reason.clone()), Err(reason)],
        };
        self.hardware.expire(at);
        let whole = self.whole_disks(counters);
        if whole.is_empty() {
            self.rates = Rates::default();
            return [Err("no disk".into()), Err("no disk".into())];
        }
        self.rates.update(at, whole)
    }

    /// The real disks; where there is none, such as over the network, whatever is neither a part nor a copy.
    fn whole_disks(&mut self, mut counters: Vec<Counter>) -> Vec<Counter> {
        if counters.iter().any(|c| self.hardware.is_real(&c.name)) {
            counters.retain(|c| self.hardware.is_real(&c.name));
        } else {
            counters.retain(|c| {
                !VIRTUAL.iter().any(|v| c.name.starts_with(v)) && self.hardware.is_listed(&c.name)
            });
        }
        counters
    }

    fn rates_of_volumes(&mut self, at: Instant) -> [Value; 2] {
        if self.volumes.is_none() {
            self.volumes = Disks::new().ok();
        }
        let Some(volumes) = &mut self.volumes else {
            return [
                Err("the system lists no disks".into()),
                Err("the system lists no disks".into()),
            ];
        };
        volumes.refresh_specifics(true, DiskRefreshKind::nothing().with_io_usage());
        let mut counters: Vec<Counter> = Vec::new();
        for volume in volumes.iter() {
            let name = volume.name().to_string_lossy().into_owned();
            let usage = volume.usage();
            if !counters.iter().any(|c| c.name == name) {
                let bytes = [usage.total_read_bytes, usage.total_written_bytes];
                counters.push(Counter { name, bytes });
            }
        }
        self.rates.update(at, counters)
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("hardware", &self.hardware).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DISKSTATS: &str = "   8       0 sda 10 0 100 1 20 0 200 2 0 3 4\n   8       1 sda1 9 0 90 1 19 0 190 2 0 3 4\n \
        253       0 dm-0 9 0 90 1 19 0 190 2 0 3 4\n   7       0 loop0 1 0 8 0 0 0 0 0 0 0 0\n";

    #[test]
    fn sectors_are_512_bytes() {
        let all = parse_diskstats(DISKSTATS);
        assert_eq!(all.len(), 4);
        assert_eq!(all[0], Counter { name: "sda".into(), bytes: [51_200, 102_400] });
    }

    #[test]
    fn partitions_mappers_and_loops_are_not_disks() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("sys/block/sda/device")).unwrap();
        std::fs::create_dir_all(dir.path().join("sys/block/dm-0")).unwrap();
        let mut disk = Disk::new(&Files::new(dir.path().to_owned()));
        let names = |d: &mut Disk| -> Vec<String> {
            d.whole_disks(parse_diskstats(DISKSTATS)).into_iter().map(|c| c.name).collect()
        };
        assert_eq!(names(&mut disk), ["sda"]);
        // Without any device that a driver serves, what is listed and not virtual counts.
        std::fs::remove_dir(dir.path().join("sys/block/sda/device")).unwrap();
        let mut disk = Disk::new(&Files::new(dir.path().to_owned()));
        assert_eq!(names(&mut disk), ["sda"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn garbage_never_panics(text in "([0-9]{0,21} ?[a-z]{0,4} ?\n?){0,30}") {
            let _ = parse_diskstats(&text);
        }
    }
}
