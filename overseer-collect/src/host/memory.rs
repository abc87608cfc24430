//! Memory and swap.
//!
//! Memory in use is what a new program could not get without swapping: one minus `MemAvailable` over `MemTotal`
//! (proc_meminfo(5)). Caches that the kernel would give up are not in use.

use super::files::{Files, Reason, Source, Value};
use super::portable::Portable;
use super::text::{number, whole_lines, words};
use sysinfo::{MemoryRefreshKind, System};

/// In any one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Memory {
    pub(super) total: u64,
    available: u64,
    /// All and free; none where it is not known.
    swap: Option<[u64; 2]>,
}

/// Sizes in bytes; `None` without a total or a way to tell what is available.
fn parse_meminfo(text: &[u8]) -> Option<Memory> {
    const KEYS: [&[u8]; 9] = [
        b"MemTotal",
        b"MemAvailable",
        b"MemFree",
        b"Buffers",
        b"Cached",
        b"SReclaimable",
        b"Shmem",
        b"SwapTotal",
        b"SwapFree",
    ];
    let mut kib = [None::<u64>; 9];
    for line in whole_lines(text) {
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        if let Some(i) = KEYS.iter().position(|k| *k == &line[..colon]) {
            kib[i] = words(&line[colon + 1..]).next().and_then(number);
            // The kernel gives them in this order; what follows is of no use where these are known.
            if i == 8 && kib[1].is_some() {
                break;
            }
        }
    }
    let [total, available, free, buffers, cached, reclaimable, shared, swap_total, swap_free] = kib;
    let total = total?;
    // Before Linux 3.14 there is no MemAvailable; what the kernel can give up is close to it.
    let given_up = || {
        Some(
            free?
                .saturating_add(buffers.unwrap_or(0))
                .saturating_add(cached.unwrap_or(0))
                .saturating_add(reclaimable.unwrap_or(0))
                .saturating_sub(shared.unwrap_or(0))
                .min(total),
        )
    };
    let available = available.or_else(given_up)?;
    let bytes = |kib: u64| kib.saturating_mul(1024);
    Some(Memory {
        total: bytes(total),
        available: bytes(available),
        // Of no swap none is free, said or not.
        swap: match (swap_total, swap_free) {
            (Some(0), _) => Some([0, 0]),
            (total, free) => total.zip(free).map(|(total, free)| [bytes(total), bytes(free)]),
        },
    })
}

impl Memory {
    /// Share of memory not available, then share of swap used.
    fn utilization(&self) -> [Value; 2] {
        let share = |free: u64, total: u64| (1.0 - free as f64 / total as f64).clamp(0.0, 1.0);
        let memory = match self.total {
            0 => Err("the amount of memory is unknown".into()),
            total if self.available > total => Err("more memory is available than there is".into()),
            total => Ok(share(self.available, total)),
        };
        let swap = match self.swap {
            None => Err("the amount of swap is unknown".into()),
            Some([0, _]) => Err("no swap configured".into()),
            Some([total, free]) if free > total => Err("more swap is free than there is".into()),
            Some([total, free]) => Ok(share(free, total)),
        };
        [memory, swap]
    }
}

/// The one file.
#[derive(Debug)]
pub(super) struct MemoryReader(Source);

impl MemoryReader {
    pub(super) fn new(files: &Files) -> Self {
        Self(files.source("proc/meminfo"))
    }

    /// Utilisation of memory and of swap.
    pub(super) fn utilization(&mut self, files: &mut Files, portable: &mut Portable) -> [Value; 2] {
        match self.read(files) {
            Ok(memory) => memory.utilization(),
            Err(_) if files.is_native() => match portable.system() {
                Ok(system) => ask(system).utilization(),
                Err(reason) => [Err(reason.clone()), Err(reason)],
            },
            Err(reason) => [Err(reason.clone()), Err(reason)],
        }
    }

    /// All memory and what is left of it, in bytes.
    pub(super) fn left(
        &mut self,
        files: &mut Files,
        portable: &mut Portable,
    ) -> Option<(u64, u64)> {
        let memory = match self.read(files) {
            Ok(memory) => memory,
            Err(_) if files.is_native() => ask(portable.system().ok()?),
            Err(_) => return None,
        };
        (memory.total > 0 && memory.available <= memory.total)
            .then_some((memory.total, memory.available))
    }

    fn read(&mut self, files: &mut Files) -> Result<Memory, Reason> {
        let text = files.head(&mut self.0)?;
        parse_meminfo(text).ok_or_else(|| self.0.garbled())
    }
}

fn ask(system: &mut System) -> Memory {
    system.refresh_memory_specifics(MemoryRefreshKind::everything());
    Memory {
        total: system.total_memory(),
        available: system.available_memory(),
        swap: Some([system.total_swap(), system.free_swap()]),
    }
}

/// The host's memory in bytes, 0 if unknown.
pub(super) fn total_bytes(files: &mut Files) -> u64 {
    match MemoryReader::new(files).read(files) {
        Ok(memory) => memory.total,
        Err(_) if files.is_native() => System::new().map_or(0, |mut s| ask(&mut s).total),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn caches_are_not_in_use() {
        let m = parse_meminfo(
            b"MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nSwapTotal: 200 kB\nSwapFree: 150 kB\n",
        )
        .unwrap();
        assert_eq!(m.total, 1_024_000);
        assert_eq!(m.utilization(), [Ok(0.4), Ok(0.25)]);
    }

    #[test]
    fn an_old_kernel_without_available_is_estimated() {
        let m =
            parse_meminfo(b"MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 300 kB\nShmem: 50 kB\n");
        assert_eq!(m.unwrap().utilization()[0], Ok(0.65));
    }

    #[test]
    fn no_swap_is_missing_and_not_zero() {
        let m = parse_meminfo(b"MemTotal: 10 kB\nMemAvailable: 5 kB\nSwapTotal: 0 kB\n").unwrap();
        assert_eq!(m.utilization()[1], Err("no swap configured".into()));
    }

    #[test]
    fn what_is_not_told_or_cannot_be_is_missing_and_not_full() {
        let swap = |rest: &str| {
            let text = format!("MemTotal: 10 kB\nMemAvailable: 5 kB\n{rest}");
            parse_meminfo(text.as_bytes()).unwrap().utilization()[1].clone().unwrap_err()
        };
        for text in
            ["", "SwapTotal: 8 kB\n", "SwapTotal: 8 kB\nSwapFree: x kB\n", "SwapFree: 1 kB\n"]
        {
            assert_eq!(swap(text), "the amount of swap is unknown", "{text:?}");
        }
        assert!(swap("SwapTotal: 8 kB\nSwapFree: 9 kB\n").contains("more swap is free"));
        let m = parse_meminfo(b"MemTotal: 10 kB\nMemAvailable: 50 kB\n").unwrap();
        assert!(m.utilization()[0].is_err());
    }

    #[test]
    fn a_file_without_a_total_says_nothing() {
        for text in
            ["", "MemTotal: x kB\n", "MemAvailable: 1 kB\n", "MemTotal: 1 kB\n", "MemTotal: 12"]
        {
            assert_eq!(parse_meminfo(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sizes_that_contradict_each_other_give_ratios_or_nothing(a in any::<[u64; 4]>()) {
            let m = Memory { total: a[0], available: a[1], swap: Some([a[2], a[3]]) };
            for v in m.utilization().into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&v));
            }
        }
    }
}
