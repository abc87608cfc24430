//! How the system's allocator behaves in commands that run for months.
//!
//! glibc gives each thread a heap of its own, up to eight for each processor, and keeps what was freed in it for whatever
//! that thread may need next; and once a large block was freed, blocks as large are no longer given back to the system at
//! once. Here threads work one after another: a forecaster is fitted in one, a range is read in another, and what each of
//! them needed at its peak would stay with it. Under load that was a third of all memory.
//!
//! Both can be set by a program from within only through `unsafe`, or from without by two documented variables, which
//! glibc reads before `main` begins. So the command starts itself once more with those set: the same file with the same
//! arguments in the same process, before it has a thread, a file or a line of output. It does so only where nobody has set
//! anything about it, where it fails it goes on as it is, and what the process starts later, such as a command that is
//! told of an incident, has the two variables too, which changes nothing but its memory.

/// What is set: two heaps, and every block from 128 kiB on goes back when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const WANTED: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "131072")];
/// Whoever set one of these knows better.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KNOWN: [&str; 4] =
    ["MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"];
/// Holds the process that has started itself once more. A program with capabilities of its own loses the variables above
/// on its way, and would start itself for ever.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const STARTED: &str = "OVERSEER_STARTED_AGAIN";

/// To be called first of all, by commands that run for long. Returns where nothing is to be done, or nothing can be.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn keep_small() {
    use std::os::unix::process::CommandExt;
    let process = std::process::id().to_string();
    let is_again = std::env::var(STARTED).is_ok_and(|of| of == process);
    if is_again || KNOWN.iter().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut words = std::env::args_os();
    let mut again = std::process::Command::new(program);
    if let Some(name) = words.next() {
        again.arg0(name);
    }
    // Only a failure returns.
    drop(again.args(words).envs(WANTED).env(STARTED, process).exec());
}

/// Other allocators give back what is free by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_small() {}
