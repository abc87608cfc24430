//! Where the figures come from: machine, versions and command.

use super::Records;
use crate::Result;
use crate::clock::cpu_seconds;
use std::fmt::Write;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

/// The crates that are measured, by the names in the lock file.
const CRATES: [&str; 9] = [
    "overseer-models",
    "smartcore",
    "biosphere",
    "rustyml",
    "extended-isolation-forest",
    "realfft",
    "sysinfo",
    "procfs",
    "rusqlite",
];

/// A paragraph about the machine, the versions and the command.
pub(super) fn describe(
    text: &mut String,
    command: &str,
    dir: &Path,
    records: &Records,
) -> Result<()> {
    let cpus = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let line = cpus.lines().find(|l| l.split(':').next().is_some_and(|k| k.trim() == key));
        line.and_then(|l| l.split_once(':')).map_or("?", |(_, v)| v.trim())
    };
    let cores = cpus.lines().filter(|l| l.starts_with("processor")).count();
    let (name, family, model) = (value("model name"), value("cpu family"), value("model"));
    writeln!(text, "\n- Command: `{command}`")?;
    writeln!(
        text,
        "- Machine: {name} (family {family}, model {model}), {cores} cores, caches {}; a system call takes {:.2} µs; load \
         before the run {}",
        caches(),
        system_call_micros(),
        read_to_string(dir.join("load")).as_deref().unwrap_or("?").trim()
    )?;
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    let crates: Vec<String> =
        CRATES.iter().filter_map(|c| Some(format!("{c} {}", locked(c)?))).collect();
    writeln!(text, "- Rust: {}; {}", rustc.unwrap_or_default(), crates.join(", "))?;
    let mut packages: Vec<String> = records
        .values()
        .filter(|r| r.row == "version")
        .map(|r| format!("{} {}", r.peer, r.note.as_deref().unwrap_or("?")))
        .collect();
    if !packages.is_empty() {
        packages.sort_unstable_by_key(|p| p.to_lowercase());
        writeln!(text, "- Python: {}", packages.join(", "))?;
    }
    Ok(())
}

/// The version in the lock file that this was built from.
fn locked(name: &str) -> Option<&'static str> {
    let start = format!("name = \"{name}\"\nversion = \"");
    include_str!("../../Cargo.lock").split_once(&start)?.1.split('"').next()
}

/// What a system call costs, which differs tenfold between machines and decides what a look at the host does: reading
/// the process's clock is one that does little else.
fn system_call_micros() -> f64 {
    const CALLS: usize = 100_000;
    let before = cpu_seconds();
    for _ in 0..CALLS {
        std::hint::black_box(cpu_seconds());
    }
    1e6 * (cpu_seconds() - before) / CALLS as f64
}

/// The first core's caches for data, such as `32K, 512K, 32768K`.
fn caches() -> String {
    let read = |index: usize, what: &str| {
        read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{what}"))
    };
    let size = |index| {
        let kind = read(index, "type").ok()?;
        (kind.trim() != "Instruction").then(|| read(index, "size").ok()).flatten()
    };
    let sizes: Vec<String> = (0..5).filter_map(size).map(|size| size.trim().to_owned()).collect();
    sizes.join(", ")
}
