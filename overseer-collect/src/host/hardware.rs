//! Which of the kernel's devices are real: the others only pass on what a real one moves.
//!
//! Linux links a device that a driver serves to it as `NAME/device` in sysfs. Partitions, loop devices, RAID and
//! mapper devices, bridges, bonds, tunnels and virtual pairs have no such link, and counting them too would count
//! the same bytes twice.

use std::collections::HashMap;
use std::path::PathBuf;

/// Remembers which names in one directory of sysfs are real devices.
#[derive(Debug)]
pub(super) struct Hardware {
    directory: PathBuf,
    known: HashMap<String, bool>,
}

impl Hardware {
    /// Devices in `directory`, such as `/sys/block`.
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory, known: HashMap::new() }
    }

    /// Forgets what was found, for a name can change hands.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Whether `name` is served by a driver.
    pub(super) fn is_real(&mut self, name: &str) -> bool {
        if let Some(&real) = self.known.get(name) {
            return real;
        }
        let real = self.place(name).join("device").exists();
        self.known.insert(name.to_owned(), real);
        real
    }

    /// Whether sysfs has an entry of this name at all; a partition has none in `/sys/block`.
    pub(super) fn is_listed(&self, name: &str) -> bool {
        self.place(name).exists()
    }

    /// The directory of the device.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.directory.join(file_name(name))
    }
}

/// A device's name as sysfs spells it: `cciss/c0d0` is `cciss!c0d0`, and so no name leads out of the directory.
fn file_name(name: &str) -> String {
    if name.is_empty() || name == "." || name == ".." {
        "!".to_owned()
    } else {
        name.replace('/', "!")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_out_of_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("x/device")).unwrap();
        std::fs::create_dir_all(dir.path().join("block/cciss!c0d0/device")).unwrap();
        let mut hardware = Hardware::new(dir.path().join("block"));
        assert!(!hardware.is_real("../x"));
        assert!(!hardware.is_real(".."));
        assert!(hardware.is_real("cciss/c0d0"));
    }
}
