//! The hands on a Linux host: niceness, I/O class, control groups and a few kernel settings, and a look at what could be
//! cleaned up. Only what the catalogue of actions names can be set; everything else is refused.

mod clean;
mod process;

use overseer_core::{Actuator, Error, Knob, KnobSetting, Reclaimable, Result};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

/// Kernel settings that may be set.
const SYSCTLS: [&str; 4] =
    ["vm.swappiness", "vm.dirty_ratio", "vm.dirty_background_ratio", "vm.vfs_cache_pressure"];
/// Files of a control group that may be set, and one that may only be read.
const CGROUP_FILES: [&str; 2] = ["cpu.weight", "memory.high"];
const CGROUP_READ_ONLY: &str = "memory.current";

/// Sets knobs of the running Linux host.
#[derive(Debug, Clone)]
pub struct LinuxActuator {
    root: PathBuf,
    home: Option<PathBuf>,
}

impl LinuxActuator {
    /// Of this host.
    #[must_use]
    pub fn new() -> Self {
        Self { root: PathBuf::from("/"), home: std::env::var_os("HOME").map(PathBuf::from) }
    }

    /// Of a host whose `/proc/sys`, `/sys/fs/cgroup` and `/var` lie under another root: for tests.
    pub fn under(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), home: None }
    }

    /// The file behind a setting of the kernel or a control group.
    fn file(&self, knob: &Knob) -> Result<PathBuf> {
        match knob {
            Knob::Sysctl { name } if SYSCTLS.contains(&name.as_str()) => {
                Ok(self.root.join("proc/sys").join(name.replace('.', "/")))
            }
            Knob::Cgroup { group, file }
                if CGROUP_FILES.contains(&file.as_str()) || file == CGROUP_READ_ONLY =>
            {
                let inside = Path::new(group.trim_start_matches('/'));
                let is_plain = inside.components().all(|c| matches!(c, Component::Normal(_)));
                if !group.starts_with('/') || inside.as_os_str().is_empty() || !is_plain {
                    return Err(Error::invalid_parameter(
                        "group",
                        format!("`{group}` is not the path of a control group below the root"),
                    ));
                }
                Ok(self.root.join("sys/fs/cgroup").join(inside).join(file))
            }
            _ => Err(Error::unsupported(format!("setting the {knob}"))),
        }
    }

    fn read_file(&self, knob: &Knob) -> Result<String> {
        let path = self.file(knob)?;
        let text = std::fs::read_to_string(&path)
            .map_err(|e| Error::other(format!("reading {}", path.display()), e))?;
        let value = text.trim().to_owned();
        if value == "0" && matches!(knob, Knob::Sysctl { name } if name.starts_with("vm.dirty_")) {
            // The kernel shows 0 while the sibling in bytes is in force, and 0 written back would not restore that.
            return Err(Error::unsupported(format!(
                "{knob} while its sibling in bytes is in force"
            )));
        }
        Ok(value)
    }
}

impl Default for LinuxActuator {
    fn default() -> Self {
        Self::new()
    }
}

/// Values are short words and numbers; anything else was not made by the catalogue.
fn checked(setting: &KnobSetting) -> Result<&str> {
    let value = setting.value.as_str();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ' ';
    if value.is_empty() || value.len() > 32 || !value.chars().all(is_plain) {
        return Err(Error::invalid_parameter("value", format!("`{value}` is no value of a knob")));
    }
    Ok(value)
}

impl Actuator for LinuxActuator {
    fn read(&mut self, knob: &Knob) -> Result<String> {
        match knob {
            Knob::Niceness { pid } => process::niceness(*pid),
            Knob::IoClass { pid } => process::io_class(*pid),
            _ => self.read_file(knob),
        }
    }

    fn probe(&mut self, knob: &Knob) -> Result<()> {
        self.read(knob)?;
        match knob {
            Knob::Niceness { .. } => process::may_set_niceness(),
            Knob::IoClass { pid } => process::may_set_io_class(*pid),
            Knob::Cgroup { file, .. } if file == CGROUP_READ_ONLY => {
                Err(Error::unsupported(format!("setting {CGROUP_READ_ONLY}")))
            }
            _ => {
                let path = self.file(knob)?;
                let opened = OpenOptions::new().write(true).open(&path);
                opened.map(drop).map_err(|e| match e.kind() {
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                        Error::unavailable(path.display().to_string(), format!("{e}"))
                    }
                    _ => Error::other(format!("opening {}", path.display()), e),
                })
            }
        }
    }

    fn apply(&mut self, setting: &KnobSetting) -> Result<()> {
        let value = checked(setting)?;
        match &setting.knob {
            Knob::Niceness { pid } => process::set_niceness(*pid, value),
            Knob::IoClass { pid } => process::set_io_class(*pid, value),
            Knob::Cgroup { file, .. } if file == CGROUP_READ_ONLY => {
                Err(Error::unsupported(format!("setting {CGROUP_READ_ONLY}")))
            }
            knob => {
                let path = self.file(knob)?;
                // Neither made nor emptied: a knob that is not there must not come to be a file.
                let mut file = OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .map_err(|e| Error::other(format!("opening {}", path.display()), e))?;
                // A plain file under another root keeps what is not overwritten; the kernel's take one write.
                let is_plain = self.root != Path::new("/");
                let written = if is_plain {
                    file.set_len(0).and_then(|()| file.write_all(value.as_bytes()))
                } else {
                    file.write_all(value.as_bytes())
                };
                written.map_err(|e| Error::other(format!("writing {}", path.display()), e))
            }
        }
    }

    fn reclaimable(&mut self, mount: &str) -> Result<Vec<Reclaimable>> {
        clean::candidates(&self.root, self.home.as_deref(), Path::new(mount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fake() -> (tempfile::TempDir, LinuxActuator) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for (path, text) in [
            ("proc/sys/vm/swappiness", "60\n"),
            ("proc/sys/vm/dirty_ratio", "0\n"),
            ("sys/fs/cgroup/system.slice/a.service/cpu.weight", "100\n"),
            ("sys/fs/cgroup/system.slice/a.service/memory.current", "5000000\n"),
        ] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let hands = LinuxActuator::under(root);
        (dir, hands)
    }

    fn sysctl(name: &str) -> Knob {
        Knob::Sysctl { name: name.to_owned() }
    }

    fn cgroup(group: &str, file: &str) -> Knob {
        Knob::Cgroup { group: group.to_owned(), file: file.to_owned() }
    }

    #[test]
    fn a_file_is_set_read_back_and_set_to_what_it_was() {
        let (_dir, mut hands) = fake();
        for (knob, was, to) in [
            (sysctl("vm.swappiness"), "60", "5"),
            (cgroup("/system.slice/a.service", "cpu.weight"), "100", "20"),
        ] {
            assert_eq!(hands.read(&knob).unwrap(), was);
            hands.probe(&knob).unwrap();
            assert_eq!(hands.read(&knob).unwrap(), was, "a probe changes nothing");
            hands.apply(&KnobSetting::new(knob.clone(), to)).unwrap();
            assert_eq!(hands.read(&knob).unwrap(), to);
            hands.undo(&KnobSetting::new(knob.clone(), was)).unwrap();
            assert_eq!(hands.read(&knob).unwrap(), was);
        }
    }

    #[test]
    fn what_the_catalogue_does_not_name_cannot_be_touched() {
        let (dir, mut hands) = fake();
        for knob in [
            sysctl("kernel.panic"),
            sysctl("vm.dirty_ratio"),
            cgroup("/../../etc", "cpu.weight"),
            cgroup("/", "cpu.weight"),
            cgroup("system.slice/a.service", "cpu.weight"),
            cgroup("/system.slice/a.service", "cgroup.kill"),
            cgroup("/system.slice/a.service", "memory.current"),
            cgroup("/system.slice/missing.service", "cpu.weight"),
        ] {
            assert!(hands.probe(&knob).is_err(), "{knob}");
        }
        let missing = cgroup("/system.slice/missing.service", "cpu.weight");
        assert!(hands.apply(&KnobSetting::new(missing, "20")).is_err());
        assert!(!dir.path().join("sys/fs/cgroup/system.slice/missing.service").exists());
        let injected = KnobSetting::new(sysctl("vm.swappiness"), "5\n6");
        assert!(hands.apply(&injected).unwrap_err().is_invalid_input());
        assert_eq!(hands.read(&sysctl("vm.swappiness")).unwrap(), "60");
    }
}
