//! Bytes read from and written to whole disks.
//!
//! On Linux the kernel counts sectors of 512 bytes (Documentation/admin-guide/iostats.rst) for every block device;
//! only devices served by a driver count, so that a partition, a mapper or RAID device and the disk beneath them are
//! not one transfer counted three times. Elsewhere `sysinfo` counts by volume.

use super::devices::{Class, Devices, Kind};
use super::files::{Files, Value};
use super::hardware::Hardware;
use super::text::{number, words};
use crate::clock::Clock;
use sysinfo::{DiskRefreshKind, Disks};

/// Devices that pass on what others move, or keep it in memory.
const VIRTUAL: [&str; 7] = ["loop", "ram", "zram", "dm-", "md", "sr", "fd"];

static DISKS: Kind = Kind {
    table: "proc/diskstats",
    directory: "sys/block",
    files: &[("stat", &[2, 6])],
    scale: 512,
    line: parse_line,
    class,
    none: "no disk",
};

/// Name and sectors read and written.
fn parse_line(line: &[u8]) -> Option<(&[u8], [u64; 2])> {
    let mut words = words(line);
    let name = words.nth(2)?;
    Some((name, [number(words.nth(2)?)?, number(words.nth(3)?)?]))
}

/// The real disks; where there is none, such as over the network, whatever is neither a part nor a copy.
fn class(hardware: &mut Hardware, name: &str) -> Class {
    if hardware.is_real(name) {
        Class::Real
    } else if !is_virtual(name) && hardware.is_listed(name) {
        Class::Stand
    } else {
        Class::Not
    }
}

/// Whether a disk of this name is one that passes on what others move.
pub(crate) fn is_virtual(name: &str) -> bool {
    VIRTUAL.iter().any(|v| name.starts_with(v))
}

/// The disks and their counters.
pub(super) struct Disk {
    devices: Devices,
    volumes: Option<Disks>,
}

impl Disk {
    pub(super) fn new(files: &Files) -> Self {
        Self { devices: Devices::new(files, &DISKS), volumes: None }
    }

    /// Forgets every reading, so that the next one is a first.
    pub(super) fn reset(&mut self) {
        self.devices.reset();
    }

    /// Bytes read per second, then bytes written per second.
    pub(super) fn rates(&mut self, files: &mut Files, clock: &dyn Clock) -> [Value; 2] {
        match self.devices.rates(files, clock) {
            Ok(rates) => rates,
            Err(reason) if reason == DISKS.none || !files.is_native() => {
                [Err(reason.clone()), Err(reason)]
            }
            Err(_) => self.rates_of_volumes(clock),
        }
    }

    fn rates_of_volumes(&mut self, clock: &dyn Clock) -> [Value; 2] {
        if self.volumes.is_none() {
            self.volumes = Disks::new().ok();
        }
        let Some(volumes) = &mut self.volumes else {
            let reason = "the system lists no disks";
            return [Err(reason.into()), Err(reason.into())];
        };
        volumes.refresh_specifics(true, DiskRefreshKind::nothing().with_io_usage());
        let rates = self.devices.rates_mut();
        for volume in volumes.iter() {
            let usage = volume.usage();
            // Of two volumes on one disk, the first counts.
            let bytes = [usage.total_read_bytes, usage.total_written_bytes];
            rates.observe(volume.name().as_encoded_bytes(), bytes);
        }
        rates.finish(clock.awake())
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("devices", &self.devices).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    const DISKSTATS: &str = "   8       0 sda 10 0 100 1 20 0 200 2 0 3 4\n   8       1 sda1 9 0 90 1 19 0 190 2 0 3 4\n \
        253       0 dm-0 9 0 90 1 19 0 190 2 0 3 4\n   7       0 loop0 1 0 8 0 0 0 0 0 0 0 0\n";

    #[test]
    fn the_third_and_the_seventh_counter_are_sectors() {
        let line = DISKSTATS.lines().next().unwrap();
        assert_eq!(parse_line(line.as_bytes()), Some((&b"sda"[..], [100, 200])));
        assert_eq!(parse_line(b"8 0 sda 1 0 x 1 2 0 2"), None);
    }

    fn host(with_files: bool) -> (tempfile::TempDir, Files, Disk) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("proc")).unwrap();
        fs::create_dir_all(dir.path().join("sys/block/sda/device")).unwrap();
        fs::create_dir_all(dir.path().join("sys/block/dm-0")).unwrap();
        put(dir.path(), "proc/diskstats", DISKSTATS);
        if with_files {
            put(dir.path(), "sys/block/sda/stat", "10 0 100 1 20 0 200 2 0 3 4\n");
        }
        let files = Files::new(dir.path().to_owned());
        let disk = Disk::new(&files);
        (dir, files, disk)
    }

    fn put(root: &Path, file: &str, text: &str) {
        fs::write(root.join(file), text).unwrap();
    }

    #[test]
    fn only_whole_disks_count_in_sectors_of_512_bytes() {
        let (dir, mut files, mut disk) = host(false);
        let clock = ManualClock::new();
        let _ = disk.rates(&mut files, &clock);
        clock.advance(Duration::from_secs(2));
        let later = DISKSTATS.replace("10 0 100 1 20 0 200", "10 0 104 1 20 0 202");
        put(dir.path(), "proc/diskstats", &later.replace(" 90 ", " 9999 "));
        assert_eq!(disk.rates(&mut files, &clock), [Ok(1024.0), Ok(512.0)]);
    }

    #[test]
    fn without_a_real_disk_what_is_listed_and_not_virtual_counts() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["sda", "dm-0"] {
            fs::create_dir_all(dir.path().join("sys/block").join(name)).unwrap();
        }
        let mut hardware = Hardware::new(dir.path().join("sys/block"));
        let classes = ["sda", "sda1", "dm-0"].map(|name| class(&mut hardware, name));
        assert_eq!(classes, [Class::Stand, Class::Not, Class::Not]);
        fs::create_dir_all(dir.path().join("sys/block/sda/device")).unwrap();
        hardware.forget();
        assert_eq!(class(&mut hardware, "sda"), Class::Real);
    }

    #[test]
    fn a_disks_own_file_is_read_where_it_agrees_with_the_table() {
        let (dir, mut files, mut disk) = host(true);
        let clock = ManualClock::new();
        let _ = disk.rates(&mut files, &clock);
        put(dir.path(), "sys/block/sda/stat", "10 0 102 1 20 0 200 2 0 3 4\n");
        clock.advance(Duration::from_secs(1));
        assert_eq!(disk.rates(&mut files, &clock), [Ok(1024.0), Ok(0.0)]);
        // The disk is pulled out.
        fs::remove_dir_all(dir.path().join("sys/block/sda")).unwrap();
        put(dir.path(), "proc/diskstats", "   7       0 loop0 1 0 8 0 0 0 0 0 0 0 0\n");
        clock.advance(Duration::from_secs(11));
        assert_eq!(disk.rates(&mut files, &clock)[0], Err("no disk".into()));
    }

    #[test]
    fn a_disks_own_file_that_disagrees_with_the_table_is_not_believed() {
        let (dir, mut files, mut disk) = host(true);
        put(dir.path(), "sys/block/sda/stat", "10 0 99 1 20 0 200 2 0 3 4\n");
        let clock = ManualClock::new();
        let _ = disk.rates(&mut files, &clock);
        put(dir.path(), "sys/block/sda/stat", "10 0 999999 1 20 0 200 2 0 3 4\n");
        clock.advance(Duration::from_secs(1));
        assert_eq!(disk.rates(&mut files, &clock), [Ok(0.0), Ok(0.0)]);
        // Nor one that is cut off.
        put(dir.path(), "sys/block/sda/stat", "10 0 100 1 20 0 200 2 0 3 4");
        clock.advance(Duration::from_secs(11));
        let _ = disk.rates(&mut files, &clock);
        put(dir.path(), "sys/block/sda/stat", "10 0 999999 1 20 0 200 2 0 3 4");
        clock.advance(Duration::from_secs(1));
        assert_eq!(disk.rates(&mut files, &clock), [Ok(0.0), Ok(0.0)]);
    }
}
