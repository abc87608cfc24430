//! One loud feature among many quiet ones.

use crate::scene::{DAY, HOUR, WEEK, calm_columns, calm_host, judge, noticed};
use overseer_core::host;

const LEARNED: usize = 2 * WEEK;
const SEEDS: u64 = 4;

/// A level eight of its own deviations away, twelve of what a row differs from the one expected, is noticed within
/// three rows whatever the number of columns.
#[test]
fn the_number_of_quiet_columns_does_not_hide_a_loud_one() {
    let mut hidden = Vec::new();
    for columns in [1, 2, 5, 10, 20] {
        for seed in 0..SEEDS {
            let mut samples = calm_columns(columns, LEARNED + HOUR, seed);
            samples[LEARNED..].iter_mut().for_each(|s| s.values[columns / 2] += 12.0);
            let rows = judge(&samples, LEARNED);
            if noticed(&rows[..3]).is_none() {
                hidden.push((columns, seed, rows[0].p_value));
            }
        }
    }
    assert!(hidden.is_empty(), "columns, seed, p-value of the first row: {hidden:?}");
}

#[test]
fn traffic_that_stops_is_noticed_within_an_hour() {
    let mut hidden = Vec::new();
    for seed in 0..SEEDS {
        let mut samples = calm_host(LEARNED + DAY, seed);
        // At noon, when there is most of it.
        for sample in &mut samples[LEARNED + DAY / 2..] {
            sample.values[host::NETWORK_RECEIVE] = 0.0;
            sample.values[host::NETWORK_TRANSMIT] = 0.0;
        }
        if noticed(&judge(&samples, LEARNED)[DAY / 2..][..HOUR]).is_none() {
            hidden.push(seed);
        }
    }
    assert!(hidden.is_empty(), "hidden on the hosts of seeds {hidden:?}");
}

/// Each is much more than the host has ever had and well beyond its resolution.
#[test]
fn one_resource_that_is_used_much_more_is_noticed_within_an_hour() {
    let mut hidden = Vec::new();
    for (feature, more) in [
        (host::CPU_UTILIZATION, 0.4),
        (host::MEMORY_UTILIZATION, 0.15),
        (host::PAGING_UTILIZATION, 0.2),
        (host::FILESYSTEM_UTILIZATION, 0.1),
        (host::DISK_READ, 3e7),
        (host::DISK_WRITE, 5e7),
        (host::NETWORK_TRANSMIT, 2e7),
        (host::PROCESS_COUNT, 60.0),
        (host::PRESSURE_IO, 0.3),
        (host::PRESSURE_MEMORY, 0.2),
    ] {
        for seed in 0..SEEDS {
            let mut samples = calm_host(LEARNED + HOUR, seed);
            samples[LEARNED..].iter_mut().for_each(|s| s.values[feature] += more);
            if noticed(&judge(&samples, LEARNED)).is_none() {
                hidden.push((host::schema().features()[feature].name.clone(), seed));
            }
        }
    }
    assert!(hidden.is_empty(), "{hidden:?}");
}
