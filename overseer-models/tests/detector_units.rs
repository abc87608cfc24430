//! Units are a matter of taste: what is measured from another zero or in other units is judged the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

use overseer_core::{DetectorTrainer, Frame, Judgement, Schema, Timestamp};
use overseer_models::detector::ForestDetectorTrainer;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

const COLUMNS: usize = 4;
const LEARNED: usize = 500;
const ROWS: usize = 700;

/// Noise with memory, partly shared, and a spike and a new level among the rows to judge.
fn rows(seed: u64) -> Vec<Vec<f64>> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut normal = move || -> f64 { StandardNormal.sample(&mut rng) };
    let mut values = [0.0; COLUMNS];
    let mut row = |i: usize| {
        let shared = normal();
        for value in &mut values {
            *value = 0.7 * *value + 0.5 * (shared + normal());
        }
        let mut row = values.to_vec();
        row[1] += if i == 600 { 15.0 } else { 0.0 };
        row[2] += if i >= 650 { 6.0 } else { 0.0 };
        row
    };
    (0..ROWS).map(&mut row).collect()
}

fn judge(rows: &[Vec<f64>]) -> Vec<Judgement> {
    let schema = Schema::from_names((0..COLUMNS).map(|j| format!("column {j}"))).unwrap();
    let mut frame = Frame::new(schema);
    for (i, row) in rows.iter().enumerate() {
        frame.push_row(Timestamp::from_millis(i as i64 * 60_000), row).unwrap();
    }
    let trainer = ForestDetectorTrainer::builder().seed(2).build().unwrap();
    let detector = trainer.fit(&frame.slice(0, LEARNED)).unwrap();
    detector.score(&frame.slice(LEARNED, ROWS)).unwrap()
}

/// The largest difference between scores.
fn apart(a: &[Judgement], b: &[Judgement]) -> f64 {
    a.iter().zip(b).fold(0.0, |most, (a, b)| f64::max(most, (a.score - b.score).abs()))
}

/// Every column with a factor and an offset of its own.
fn moved(rows: &[Vec<f64>], factors: &[f64], offsets: &[f64]) -> Vec<Vec<f64>> {
    let of = |row: &Vec<f64>| {
        let parts = row.iter().zip(factors).zip(offsets);
        parts.map(|((value, factor), offset)| factor * (value + offset)).collect()
    };
    rows.iter().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_column_may_have_a_unit_of_its_own(
        seed in any::<u64>(),
        exponents in proptest::collection::vec(-12.0..12.0f64, COLUMNS),
        offsets in proptest::collection::vec(-100.0..100.0f64, COLUMNS),
    ) {
        let rows = rows(seed);
        let factors: Vec<f64> = exponents.iter().map(|e| 10_f64.powf(*e)).collect();
        let apart = apart(&judge(&rows), &judge(&moved(&rows, &factors, &offsets)));
        prop_assert!(apart <= 1e-6, "{}", apart);
    }

    #[test]
    #[ignore = "a column that deviates by less than a thousandth of its mean is taken for a constant"]
    fn zero_may_be_far_away(seed in any::<u64>(), offset in 1e3..1e6f64) {
        let rows = rows(seed);
        let far = moved(&rows, &[1.0; COLUMNS], &[0.0, offset, 0.0, 0.0]);
        let apart = apart(&judge(&rows), &judge(&far));
        prop_assert!(apart <= 1e-6, "{} at {}", apart, offset);
    }
}

#[test]
fn the_series_of_this_test_have_something_to_judge() {
    let judged = judge(&rows(1));
    let least = |part: &[Judgement]| part.iter().fold(1.0, |p: f64, j| p.min(j.p_value));
    assert!(least(&judged[100..101]) < 1e-3, "the spike: {:?}", judged[100]);
    assert!(least(&judged[150..170]) < 0.05, "the level: {:?}", &judged[150..170]);
    assert!(judged[..100].iter().filter(|j| j.p_value < 1e-2).count() < 10);
}
