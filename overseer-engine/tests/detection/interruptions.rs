//! Counters that restart and collectors that pause.

use crate::scene::{Chance, DAY, HOUR, STEP, WEEK, alerts, calm_host, judge, noticed};
use overseer_core::{Sample, host};

const LEARNED: usize = 2 * WEEK;

/// The rates of the host's schema, which the first sample after a restart does not have.
const RATES: [usize; 8] = [
    host::CPU_UTILIZATION,
    host::DISK_READ,
    host::DISK_WRITE,
    host::NETWORK_RECEIVE,
    host::NETWORK_TRANSMIT,
    host::PRESSURE_CPU,
    host::PRESSURE_IO,
    host::PRESSURE_MEMORY,
];

/// Alerts within an hour after each of these rows.
pub(crate) fn alerts_after(found: &[usize], places: &[usize]) -> usize {
    places.iter().filter(|&&p| found.iter().any(|&a| (p..p + HOUR).contains(&a))).count()
}

#[test]
fn a_counter_that_restarts_is_one_missing_value_and_no_alert() {
    let (mut total, mut restarts) = (0, 0);
    for seed in 0..4 {
        let mut samples = calm_host(LEARNED + WEEK, seed);
        let places: Vec<usize> = (0..WEEK).skip(100).step_by(DAY / 2 + 7).collect();
        for &place in &places {
            RATES.iter().for_each(|&rate| samples[LEARNED + place].values[rate] = f64::NAN);
        }
        let found = alerts(&judge(&samples, LEARNED));
        assert!(places.iter().all(|place| !found.contains(place)), "seed {seed}: {found:?}");
        total += alerts_after(&found, &places);
        restarts += places.len();
    }
    assert!(total <= 1, "{total} alerts within an hour of {restarts} restarts");
}

#[test]
fn after_a_pause_the_host_may_be_anywhere_it_has_been() {
    let (mut total, mut pauses) = (0, 0);
    for seed in 10..14 {
        let samples = calm_host(LEARNED + 2 * WEEK, seed);
        let mut chance = Chance::new(seed);
        let mut kept = samples[..LEARNED].to_vec();
        let mut places = Vec::new();
        let mut at = LEARNED;
        while at < samples.len() {
            let until = (at + DAY / 2 + (chance.even() * DAY as f64) as usize).min(samples.len());
            kept.extend_from_slice(&samples[at..until]);
            places.push(kept.len() - LEARNED);
            at = until + 4 + (chance.even() * 10.0 * HOUR as f64) as usize;
        }
        total += alerts_after(&alerts(&judge(&kept, LEARNED)), &places);
        pauses += places.len();
    }
    assert!(pauses >= 30 && total <= 2, "{total} alerts within an hour after {pauses} pauses");
}

#[test]
fn an_incident_right_after_a_pause_is_noticed() {
    for seed in 20..24 {
        let mut samples = calm_host(LEARNED + DAY, seed);
        for sample in &mut samples[LEARNED + HOUR..] {
            sample.timestamp = sample.timestamp + STEP.times(5 * HOUR);
            sample.values[host::CPU_UTILIZATION] = 0.98;
            sample.values[host::LOAD_PER_CORE] = 1.8;
        }
        let rows = judge(&samples, LEARNED);
        let after = noticed(&rows[HOUR..][..3]);
        assert!(after.is_some(), "seed {seed}: not within three samples");
    }
}

#[test]
fn a_clock_set_back_by_an_hour_is_no_alert() {
    let mut total = 0;
    for seed in 30..34 {
        let mut samples = calm_host(LEARNED + DAY, seed);
        let late: &mut [Sample] = &mut samples[LEARNED + DAY / 2..];
        late.iter_mut().for_each(|s| s.timestamp = s.timestamp - STEP.times(HOUR));
        total += alerts_after(&alerts(&judge(&samples, LEARNED)), &[DAY / 2]);
    }
    assert!(total <= 1, "{total} of 4");
}
