//! A new level that stays.

use crate::scene::{DAY, HOUR, WEEK, alerts, calm_columns, calm_host, judge, noticed};
use overseer_core::{Sample, host};

const LEARNED: usize = 2 * WEEK;
const SEEDS: u64 = 4;

/// A change right after learning is reported within an hour, by at most `MOST` alerts on its first day (a severity that
/// rises alerts again), and by the second week the host is as calm as any.
const MOST: usize = 3;

fn hold_to(make: impl Fn(u64) -> Vec<Sample>, change: impl Fn(&mut Sample)) {
    let mut late = 0;
    for seed in 0..SEEDS {
        let mut samples = make(seed);
        samples[LEARNED..].iter_mut().for_each(&change);
        let rows = judge(&samples, LEARNED);
        assert!(noticed(&rows[..HOUR]).is_some(), "seed {seed}: not noticed within an hour");
        let first = alerts(&rows[..DAY]).len();
        assert!((1..=MOST).contains(&first), "seed {seed}: {first} alerts on the first day");
        late += alerts(&rows[WEEK..2 * WEEK]).len();
    }
    // One a week of each is the budget.
    assert!(late <= SEEDS as usize + 3, "{late} alerts in the second week of {SEEDS} hosts");
}

#[test]
fn a_service_that_moves_in_is_reported_and_then_normal() {
    hold_to(
        |seed| calm_host(LEARNED + 2 * WEEK, seed),
        |sample| {
            sample.values[host::CPU_UTILIZATION] += 0.4;
            sample.values[host::LOAD_PER_CORE] += 0.45;
            sample.values[host::MEMORY_UTILIZATION] += 0.2;
            sample.values[host::PROCESS_COUNT] += 40.0;
        },
    );
}

#[test]
fn a_column_on_a_new_level_is_reported_and_then_normal() {
    hold_to(|seed| calm_columns(5, LEARNED + 2 * WEEK, seed), |sample| sample.values[2] += 12.0);
}

#[test]
fn a_column_alone_on_a_new_level_is_reported_and_then_normal() {
    hold_to(|seed| calm_columns(1, LEARNED + 2 * WEEK, seed), |sample| sample.values[0] += 12.0);
}
