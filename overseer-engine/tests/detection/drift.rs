//! What changes slowly is not an incident.

use crate::scene::{DAY, WEEK, alerts, calm_columns, calm_host, judge};
use overseer_core::host;

const LEARNED: usize = 2 * WEEK;
const SEEDS: u64 = 4;
/// Three weeks of each host at one a week, and two and a half standard deviations of chance.
const MOST: usize = 21;

#[test]
fn a_disk_that_fills_and_memory_that_creeps_stay_within_the_budget() {
    let mut total = 0;
    for seed in 0..SEEDS {
        let mut samples = calm_host(LEARNED + 3 * WEEK, seed);
        for (i, sample) in samples.iter_mut().enumerate() {
            let days = i as f64 / DAY as f64;
            sample.values[host::FILESYSTEM_UTILIZATION] = 0.3 + 0.008 * days;
            sample.values[host::MEMORY_UTILIZATION] += 0.006 * days;
        }
        total += alerts(&judge(&samples, LEARNED)).len();
    }
    assert!(total <= MOST, "{total} alerts in {SEEDS} times three weeks");
}

#[test]
fn a_column_that_drifts_by_its_deviation_every_two_days_stays_within_the_budget() {
    let mut total = 0;
    for seed in 0..SEEDS {
        let mut samples = calm_columns(5, LEARNED + 3 * WEEK, seed);
        for (i, sample) in samples.iter_mut().enumerate() {
            sample.values[2] += 0.5 * i as f64 / DAY as f64;
        }
        total += alerts(&judge(&samples, LEARNED)).len();
    }
    assert!(total <= MOST, "{total} alerts in {SEEDS} times three weeks");
}
