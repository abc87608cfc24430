//! Features that are not there.

use crate::scene::{DAY, HOUR, WEEK, alerts, calm_columns, calm_host, judge, noticed};
use overseer_core::{Sample, host};

const LEARNED: usize = 2 * WEEK;
const SEEDS: u64 = 4;

#[test]
fn a_feature_that_is_lost_for_a_day_is_no_alert_when_it_goes_or_comes_back() {
    let mut total = 0;
    for seed in 0..SEEDS {
        for feature in [host::CPU_UTILIZATION, host::MEMORY_UTILIZATION, host::NETWORK_TRANSMIT] {
            let mut samples = calm_host(LEARNED + 2 * DAY, seed);
            let lost = &mut samples[LEARNED + 6 * HOUR..][..DAY];
            lost.iter_mut().for_each(|s| s.values[feature] = f64::NAN);
            let found = alerts(&judge(&samples, LEARNED));
            let near = |at: usize| found.iter().any(|a| (at..at + HOUR).contains(a));
            total += usize::from(near(6 * HOUR)) + usize::from(near(6 * HOUR + DAY));
        }
    }
    assert!(total <= 1, "{total} alerts within an hour of 24 comings and goings");
}

#[test]
fn what_was_never_there_hides_nothing_else() {
    for seed in 0..SEEDS {
        let mut samples = calm_columns(5, LEARNED + DAY, seed);
        samples.iter_mut().for_each(|s| s.values[4] = f64::NAN);
        samples[LEARNED + HOUR..].iter_mut().for_each(|s| s.values[1] += 12.0);
        let rows = judge(&samples, LEARNED);
        assert!(noticed(&rows[HOUR..][..HOUR / 2]).is_some(), "seed {seed}");
    }
}

#[test]
fn rows_without_any_value_never_alert() {
    let mut samples = calm_columns(3, LEARNED + DAY, 5);
    let blank: &mut [Sample] = &mut samples[LEARNED + HOUR..][..DAY / 2];
    blank.iter_mut().for_each(|s| s.values.fill(f64::NAN));
    let rows = judge(&samples, LEARNED);
    assert!(alerts(&rows[HOUR..][..DAY / 2]).is_empty());
    assert!(rows[HOUR..][..DAY / 2].iter().all(|r| r.score == 0.0 && r.p_value == 1.0));
}

#[test]
fn holes_everywhere_cost_neither_calm_nor_the_incident() {
    let mut total = 0;
    for seed in 0..SEEDS {
        let mut samples = calm_columns(5, LEARNED + WEEK, seed);
        let mut chance = crate::scene::Chance::new(seed + 50);
        samples[LEARNED + 6 * DAY..].iter_mut().for_each(|s| s.values[1] += 12.0);
        for value in samples.iter_mut().flat_map(|s| &mut s.values) {
            if chance.even() < 0.1 {
                *value = f64::NAN;
            }
        }
        let rows = judge(&samples, LEARNED);
        total += alerts(&rows[..6 * DAY]).len();
        assert!(noticed(&rows[6 * DAY..][..HOUR]).is_some(), "seed {seed}");
    }
    assert!(total <= 8, "{total} false alerts in {SEEDS} times six days");
}
