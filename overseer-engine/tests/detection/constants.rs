//! Features that never change, until they do.

use crate::scene::{DAY, HOUR, WEEK, alerts, calm_columns, calm_host, judge, noticed};
use overseer_core::host;

const LEARNED: usize = 2 * WEEK;

#[test]
fn nothing_but_constants_never_alerts() {
    for value in [0.0, -3.5, 1e12] {
        let mut samples = calm_columns(4, LEARNED + WEEK, 1);
        samples.iter_mut().for_each(|s| s.values.fill(value));
        let rows = judge(&samples, LEARNED);
        assert!(alerts(&rows).is_empty(), "{value}");
        assert!(noticed(&rows).is_none(), "{value}");
    }
}

#[test]
fn a_column_that_leaves_its_constant_is_reported() {
    for seed in 0..4 {
        let mut samples = calm_columns(5, LEARNED + DAY, seed);
        samples.iter_mut().for_each(|s| s.values[3] = 7.0);
        samples[LEARNED + HOUR..].iter_mut().for_each(|s| s.values[3] = 9.0);
        let rows = judge(&samples, LEARNED);
        assert!(noticed(&rows[HOUR..][..6]).is_some(), "seed {seed}");
    }
}

#[test]
fn swap_that_was_never_used_and_fills_is_reported() {
    for seed in 0..4 {
        let mut samples = calm_host(LEARNED + DAY, seed);
        for (i, sample) in samples[LEARNED + HOUR..].iter_mut().enumerate() {
            sample.values[host::PAGING_UTILIZATION] = (0.02 * (i + 1) as f64).min(0.6);
        }
        let rows = judge(&samples, LEARNED);
        assert!(noticed(&rows[HOUR..][..HOUR]).is_some(), "seed {seed}");
    }
}

#[test]
fn a_change_within_the_resolution_of_a_constant_is_nothing() {
    let mut total = 0;
    for seed in 0..4 {
        let mut samples = calm_host(LEARNED + DAY, seed);
        let fuller =
            |s: &mut overseer_core::Sample| s.values[host::FILESYSTEM_UTILIZATION] += 0.004;
        samples[LEARNED + HOUR..].iter_mut().for_each(fuller);
        let rows = judge(&samples, LEARNED);
        total += alerts(&rows[HOUR..][..6 * HOUR]).len();
    }
    assert!(total <= 1, "{total} alerts on four hosts");
}
