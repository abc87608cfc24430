//! What is kept beside the samples: each mount's fullness and inodes, open files, temperatures.
//!
//! Read only when asked, for none of it is scored.

use super::files::{Files, Source};
use super::filesystem::Filesystem;
use super::text::{number, shown, words};
use overseer_core::{Auxiliary, Unit};
use std::path::Path;

/// More sensors than any machine has.
const MOST: usize = 1024;

/// All that can be had now.
pub(super) fn read(filesystem: &mut Filesystem, files: &mut Files) -> Vec<Auxiliary> {
    let mut list = Vec::new();
    for (point, used, inodes) in filesystem.all(files).into_iter().flatten() {
        let used = Auxiliary::new("system.filesystem.utilization", point, Unit::Ratio, used);
        list.push(used.of_capacity(1.0));
        if let Some(inodes) = inodes {
            let name = "overseer.filesystem.inode_utilization";
            list.push(Auxiliary::new(name, point, Unit::Ratio, inodes).of_capacity(1.0));
        }
    }
    if let Some((open, most)) = open_files(files) {
        let open = Auxiliary::new("overseer.files.open", "", Unit::Count, open as f64);
        list.push(if most < NO_LIMIT { open.of_capacity(most as f64) } else { open });
    }
    list.extend(temperatures(files));
    list
}

/// More file handles than any memory holds: newer kernels have 2⁶³ − 1 for "no limit".
const NO_LIMIT: u64 = 1 << 50;

/// How many file handles the kernel has given out, and how many it would (`/proc/sys/fs/file-nr`).
fn open_files(files: &mut Files) -> Option<(u64, u64)> {
    let mut source = files.source("proc/sys/fs/file-nr");
    let mut words = words(files.head(&mut source).ok()?);
    let open = words.next().and_then(number)?;
    Some((open, words.nth(1).and_then(number).unwrap_or(u64::MAX)))
}

/// Every sensor of the hardware monitors, or where there is none of the thermal zones
/// (Documentation/hwmon/sysfs-interface.rst, driver-api/thermal/sysfs-api.rst).
fn temperatures(files: &mut Files) -> Vec<Auxiliary> {
    let mut found = Vec::new();
    for monitor in entries(&files.path("sys/class/hwmon")) {
        let name = line(files, &monitor.join("name")).unwrap_or_default();
        for input in entries(&monitor) {
            let sensor = input.file_name().and_then(|f| f.to_str()).unwrap_or_default();
            let Some(sensor) = sensor.strip_suffix("_input").filter(|s| s.starts_with("temp"))
            else {
                continue;
            };
            let label = line(files, &monitor.join(format!("{sensor}_label")));
            let instance = format!("{name} {}", label.as_deref().unwrap_or(sensor));
            found.extend(celsius(files, &input).map(|t| (instance.trim().to_owned(), t)));
        }
    }
    if found.is_empty() {
        for zone in entries(&files.path("sys/class/thermal")) {
            let name = line(files, &zone.join("type")).unwrap_or_default();
            found.extend(celsius(files, &zone.join("temp")).map(|t| (name, t)));
        }
    }
    let sensor = |(name, t)| Auxiliary::new("hw.temperature", name, Unit::Celsius, t);
    found.into_iter().map(sensor).collect()
}

/// What a directory holds, in order of name so that series keep their order.
fn entries(directory: &Path) -> Vec<std::path::PathBuf> {
    let read = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = read.take(MOST).map(|e| e.path()).collect();
    paths.sort();
    paths
}

fn line(files: &mut Files, path: &Path) -> Option<String> {
    let mut source = Source::new(path.to_owned());
    let text = files.head(&mut source).ok()?.trim_ascii();
    (!text.is_empty() && text.len() <= 100).then(|| shown(text))
}

/// Millidegrees; a sensor that is not connected reads as something no sensor survives.
fn celsius(files: &mut Files, path: &Path) -> Option<f64> {
    let millis: i32 = line(files, path)?.parse().ok()?;
    let degrees = f64::from(millis) / 1000.0;
    (-100.0..=200.0).contains(&degrees).then_some(degrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn found(root: &Path) -> Vec<(String, String, f64)> {
        let mut files = Files::new(root.to_owned());
        let mut filesystem = Filesystem::new(&files);
        let list = read(&mut filesystem, &mut files);
        list.into_iter().map(|a| (a.name, a.instance, a.value)).collect()
    }

    #[test]
    fn sensors_mounts_and_open_files_are_told_by_name() {
        let dir = tempfile::tempdir().unwrap();
        assert!(found(dir.path()).is_empty());
        put(dir.path(), "sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
        put(dir.path(), "sys/class/thermal/thermal_zone0/temp", "51000\n");
        let zone = ("hw.temperature".to_owned(), "x86_pkg_temp".to_owned(), 51.0);
        assert_eq!(found(dir.path()), [zone]);

        put(dir.path(), "proc/sys/fs/file-nr", "370\t0\t9223372036854775807\n");
        put(dir.path(), "proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
        put(dir.path(), "sys/class/hwmon/hwmon1/name", "coretemp\n");
        put(dir.path(), "sys/class/hwmon/hwmon1/temp1_input", "-40500\n");
        put(dir.path(), "sys/class/hwmon/hwmon1/temp1_label", "Package id 0\n");
        put(dir.path(), "sys/class/hwmon/hwmon1/temp2_input", "9999999\n");
        put(dir.path(), "sys/class/hwmon/hwmon1/temp3_input", "hot\n");
        put(dir.path(), "sys/class/hwmon/hwmon1/fan1_input", "1200\n");
        let list = found(dir.path());
        assert_eq!(list[0].0, "system.filesystem.utilization");
        assert_eq!(list[0].1, "/");
        assert!(list.contains(&("overseer.files.open".to_owned(), String::new(), 370.0)));
        let capacity = |root: &Path| {
            let mut files = Files::new(root.to_owned());
            let mut filesystem = Filesystem::new(&files);
            let all = read(&mut filesystem, &mut files);
            all.into_iter().map(|a| (a.name, a.capacity)).collect::<Vec<_>>()
        };
        let open = |limit| ("overseer.files.open".to_owned(), limit);
        assert!(capacity(dir.path()).contains(&open(None)), "2⁶³ − 1 is no limit");
        put(dir.path(), "proc/sys/fs/file-nr", "370\t0\t99999\n");
        let all = capacity(dir.path());
        assert!(all.contains(&open(Some(99_999.0))), "{all:?}");
        assert_eq!(all[0], ("system.filesystem.utilization".to_owned(), Some(1.0)));
        let sensors: Vec<_> = list.iter().filter(|a| a.0 == "hw.temperature").collect();
        assert_eq!(sensors.len(), 1);
        assert_eq!((sensors[0].1.as_str(), sensors[0].2), ("coretemp Package id 0", -40.5));
    }
}
