//! How many processes there are, at a cost that does not grow with them.
//!
//! The kernel answers a stat(2) of `/proc` with a link count of two, plus one for each directory of its own there
//! (`fs`, `net`, `sys`, …), plus the number of processes (`proc_root_getattr` in fs/proc/root.c). So the number is
//! that count less the directories that are not processes, which are listed before all processes and change only as
//! drivers come and go. It is believed if it once agreed with a list of all processes. It is of the whole kernel, so
//! in a process namespace of its own it does not agree, and the processes are listed each time.

use super::files::{Files, HAS_KERNEL_FILES, Value};
use super::portable::Portable;
use crate::clock::Clock;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate};

/// How long the number of other directories is believed.
const RELIST: Duration = Duration::from_secs(60);
/// Processes come and go while they are listed, so that a disagreement is not yet one.
const TRIES: usize = 4;
/// The number of the first process namespace, which is the same on every kernel (`PROC_PID_INIT_INO`).
pub(super) const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// How the processes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By the link count, of which so many are not processes.
    Links { others: u64 },
    /// By listing them.
    List,
}

/// Counts the processes.
#[derive(Debug)]
pub(super) struct ProcessCount {
    proc: PathBuf,
    way: Option<(Duration, Way)>,
}

impl ProcessCount {
    pub(super) fn new(files: &Files) -> Self {
        Self { proc: files.path("proc"), way: None }
    }

    /// The number of processes.
    pub(super) fn count(
        &mut self,
        files: &Files,
        clock: &dyn Clock,
        portable: &mut Portable,
    ) -> Value {
        let native = files.is_native();
        if native && !HAS_KERNEL_FILES {
            return ask(portable);
        }
        let at = clock.awake();
        let way = match self.way {
            Some((since, way)) if at.saturating_sub(since) < RELIST => way,
            known => {
                let way = self.choose(files, known.map(|k| k.1));
                self.way = Some((at, way));
                way
            }
        };
        if let Way::Links { others } = way
            && let Some(count) = links(&self.proc).and_then(|n| n.checked_sub(others))
            && count > 0
        {
            return Ok(count as f64);
        }
        match list(&self.proc).0 {
            0 if native => ask(portable),
            0 => Err("the processes cannot be listed".into()),
            listed => Ok(listed as f64),
        }
    }

    fn choose(&self, files: &Files, known: Option<Way>) -> Way {
        if !is_kernels(&self.proc) {
            return Way::List;
        }
        if let Some(Way::Links { .. }) = known {
            return Way::Links { others: 2 + others(&self.proc) };
        }
        // Where the kernel hides the processes of others, the list is short and the link count is right.
        let first = files.link("proc/self/ns/pid").is_some_and(|l| l == Path::new(FIRST_NAMESPACE));
        for _ in 0..TRIES {
            let before = links(&self.proc);
            let (listed, directories) = list(&self.proc);
            let others = 2 + directories;
            let Some(total) = before.filter(|n| links(&self.proc) == Some(*n)) else { continue };
            let counted = total.checked_sub(others);
            if counted.is_some_and(|n| n == listed || (first && directories > 0 && n > listed)) {
                return Way::Links { others };
            }
        }
        Way::List
    }
}

fn is_process(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// How many processes a directory lists, and how many other directories.
fn list(proc: &Path) -> (u64, u64) {
    let (mut processes, mut others) = (0, 0);
    for entry in std::fs::read_dir(proc).into_iter().flatten().flatten() {
        if is_process(&entry.file_name()) {
            processes += 1;
        } else if entry.file_type().is_ok_and(|t| t.is_dir()) {
            others += 1;
        }
    }
    (processes, others)
}

/// How many directories the kernel lists before the first process.
fn others(proc: &Path) -> u64 {
    let entries = std::fs::read_dir(proc).into_iter().flatten().flatten();
    let before = entries.take_while(|e| !is_process(&e.file_name()));
    before.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).count() as u64
}

#[cfg(unix)]
fn links(proc: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(proc).ok().map(|m| m.nlink())
}

#[cfg(not(unix))]
fn links(_proc: &Path) -> Option<u64> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_kernels(proc: &Path) -> bool {
    // The type of the number differs between architectures.
    rustix::fs::statfs(proc).is_ok_and(|fs| fs.f_type as u64 == rustix::fs::PROC_SUPER_MAGIC as u64)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_kernels(_proc: &Path) -> bool {
    false
}

fn ask(portable: &mut Portable) -> Value {
    let system = portable.system()?;
    let kind = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    match system.processes().len() {
        0 => Err("the processes cannot be listed".into()),
        known => Ok(known as f64),
    }
}

#[cfg(all(target_os = "linux", not(feature = "unknown-ci")))]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::process::{Child, Command};

    fn sleepers(n: usize) -> Vec<Child> {
        (0..n).map(|_| Command::new("sleep").arg("60").spawn().unwrap()).collect()
    }

    #[test]
    fn both_ways_of_counting_agree_as_processes_come_and_go() {
        let files = Files::new("/".into());
        let clock = ManualClock::new();
        let mut counter = ProcessCount::new(&files);
        let mut portable = Portable::default();
        counter.count(&files, &clock, &mut portable).unwrap();
        // Where the list is the only way, there is nothing to compare.
        let mut agree = 0;
        for n in [0, 7, 0] {
            let mut children = sleepers(n);
            // Others start and stop processes meanwhile; they do not do so at every moment.
            for _ in 0..200 {
                let counted = counter.count(&files, &clock, &mut portable).unwrap();
                let listed = list(Path::new("/proc")).0 as f64;
                if counted == listed {
                    agree += 1;
                    break;
                }
            }
            for child in &mut children {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            clock.advance(RELIST);
        }
        assert_eq!(agree, 3, "{counter:?}");
        // The cheap way was the one taken, where it can be.
        if files.link("proc/self/ns/pid").is_some_and(|l| l == Path::new(FIRST_NAMESPACE)) {
            assert!(matches!(counter.way, Some((_, Way::Links { .. }))), "{counter:?}");
        }
    }

    #[test]
    fn in_a_plain_directory_processes_are_listed_each_time() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["1", "22", "net", "3x"] {
            std::fs::create_dir_all(dir.path().join("proc").join(name)).unwrap();
        }
        let files = Files::new(dir.path().to_owned());
        let mut counter = ProcessCount::new(&files);
        let mut count = || counter.count(&files, &ManualClock::new(), &mut Portable::default());
        assert_eq!(count(), Ok(2.0));
        std::fs::remove_dir(dir.path().join("proc/22")).unwrap();
        assert_eq!(count(), Ok(1.0));
        std::fs::remove_dir(dir.path().join("proc/1")).unwrap();
        assert!(count().is_err());
    }
}
