//! A noisy feature that stops changing: the sensor or its collector hangs.

use crate::scene::{DAY, WEEK, calm_columns, calm_host, judge, noticed};
use overseer_core::{Sample, host};

const LEARNED: usize = 2 * WEEK;
/// Rows within which it must be reported. White noise repeats its last value by chance never, noise that is rounded
/// does; what is sampled every five minutes is then known within four hours.
const WITHIN: usize = 48;

fn freeze(samples: &mut [Sample], feature: usize) {
    let value = samples[LEARNED].values[feature];
    samples[LEARNED..].iter_mut().for_each(|s| s.values[feature] = value);
}

/// How many of the seeds' hosts are reported in time.
fn reported(make: impl Fn(u64) -> Vec<Sample>, feature: usize) -> usize {
    let found = |seed: &u64| {
        let mut samples = make(*seed);
        freeze(&mut samples, feature);
        noticed(&judge(&samples, LEARNED)[1..=WITHIN]).is_some()
    };
    (0..4).filter(found).count()
}

#[test]
fn one_column_alone_that_freezes_is_reported() {
    assert_eq!(reported(|seed| calm_columns(1, LEARNED + DAY, seed), 0), 4);
}

#[test]
fn one_of_five_columns_that_freezes_is_reported() {
    assert!(reported(|seed| calm_columns(5, LEARNED + DAY, seed), 2) >= 3);
}

#[test]
fn network_traffic_that_freezes_is_reported() {
    assert!(reported(|seed| calm_host(LEARNED + DAY, seed), host::NETWORK_RECEIVE) >= 3);
}
