//! Samples that do not come evenly.

use crate::scene::{Chance, DAY, HOUR, STEP, WEEK, alerts, calm_columns, judge, noticed};
use overseer_core::{Sample, Span};

const LEARNED: usize = 2 * WEEK;
const SEEDS: u64 = 4;
const INCIDENT: usize = LEARNED + WEEK;

fn hold_to(disturb: impl Fn(Vec<Sample>, &mut Chance) -> Vec<Sample>) {
    let mut total = 0;
    for seed in 0..SEEDS {
        let mut samples = calm_columns(5, INCIDENT + DAY, seed);
        samples[INCIDENT..].iter_mut().for_each(|s| s.values[1] += 12.0);
        let start = samples[INCIDENT].timestamp;
        let samples = disturb(samples, &mut Chance::new(seed + 7));
        let learned = LEARNED * samples.len() / (INCIDENT + DAY);
        // Late or early by less than a step, so the one before may be the first.
        let begins = samples.iter().position(|s| s.timestamp >= start).unwrap() - learned;
        let rows = judge(&samples, learned);
        total += alerts(&rows[..begins - 1]).len();
        assert!(noticed(&rows[begins..][..HOUR / 2]).is_some(), "seed {seed}");
    }
    assert!(total <= 8, "{total} false alerts in {SEEDS} weeks");
}

#[test]
fn samples_that_come_early_or_late_are_judged_as_any() {
    hold_to(|mut samples, chance| {
        for sample in &mut samples {
            let late = chance.even() * 0.8 * STEP.as_millis() as f64;
            sample.timestamp = sample.timestamp + Span::from_millis(late as i64);
        }
        samples
    });
}

#[test]
fn samples_of_which_every_fifth_is_lost_are_judged_as_any() {
    hold_to(|samples, chance| samples.into_iter().filter(|_| chance.even() > 0.2).collect());
}
