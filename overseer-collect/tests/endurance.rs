//! A day's worth of readings leaves nothing behind: no memory, no open file, and a reading allocates nothing.

#![cfg(all(target_os = "linux", not(feature = "unknown-ci")))]
#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use overseer_collect::{HostCollector, ManualClock};
use overseer_core::{Collector, Timestamp};
use std::path::Path;
use std::time::Duration;

/// A reading every five seconds.
const DAY: i64 = 17_280;
const STEP: Duration = Duration::from_secs(5);

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_day_of_readings_leaves_nothing_behind_and_allocates_nothing() {
    let clock = ManualClock::new();
    let mut collector = HostCollector::builder().clock(clock.clone()).build().unwrap();
    let mut reading = collector.collect(Timestamp::default()).unwrap();
    let mut now = 0;
    let mut read = |readings: i64, by: Duration| {
        for _ in 0..readings {
            clock.advance(by);
            now += i64::try_from(by.as_millis()).unwrap();
            collector.collect_into(Timestamp::from_millis(now), &mut reading);
        }
        assert!(reading.interruptions.is_empty(), "{:?}", reading.interruptions);
    };
    read(DAY / 10, STEP);
    let (memory, files) = (resident_bytes(), open_files());
    read(DAY, STEP);
    let grown = resident_bytes().saturating_sub(memory);
    // An allocator keeps some pages for later; a leak of 30 bytes a reading would be more than this.
    assert!(grown <= 512 << 10, "{grown} bytes more");
    assert_eq!(open_files(), files);

    // Devices and mounts are listed anew now and then; between that only a reason that was not there in the reading
    // before takes memory, for a name and a text. Where the kernel has no pressure that is in each reading.
    read(1, STEP);
    const READINGS: i64 = 40;
    let counted = allocation_counter::measure(|| read(READINGS, Duration::from_millis(100)));
    let pressure = Path::new("/proc/pressure/cpu").exists();
    let most = if pressure { READINGS / 2 } else { 12 * READINGS };
    assert!(counted.count_total <= most.unsigned_abs(), "{counted:?}");
}
