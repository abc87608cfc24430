//! What holds for any series.

use super::*;
use overseer_core::{Feature, Unit};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn scale_and_offset_of_an_unknown_unit_do_not_matter(
        seed in any::<u64>(), factor in 1e-3..1e3f64, offset in -20.0..20.0f64,
    ) {
        let rows = noise(400, 3, seed);
        let other: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| vec![row[0], factor * (row[1] + offset), row[2]])
            .collect();
        let scores = |rows: &[Vec<f64>]| {
            let mut detector = trainer().fit(&frame(&unknown(3), &rows[..300])).unwrap();
            observe_all(&mut *detector, 300, &rows[300..])
        };
        for (a, b) in scores(&rows).iter().zip(scores(&other)) {
            prop_assert!((a.score - b.score).abs() < 1e-6, "{:?} {:?}", a, b);
        }
    }

    #[test]
    fn the_order_of_features_does_not_matter(seed in any::<u64>()) {
        let mut rows = noise(600, 4, seed);
        rows[590][2] = 30.0;
        let names = ["d", "a", "c", "b"];
        let turned: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().rev().copied().collect()).collect();
        let scores = |rows: &[Vec<f64>], names: Vec<&str>| {
            let schema = Schema::from_names(names).unwrap();
            let mut detector = trainer().fit(&frame(&schema, &rows[..500])).unwrap();
            observe_all(&mut *detector, 500, &rows[500..])
        };
        let a = scores(&rows, names.to_vec());
        prop_assert_eq!(a, scores(&turned, names.into_iter().rev().collect()));
    }

    #[test]
    fn a_constant_feature_more_changes_nothing(seed in any::<u64>(), value in -1e3..1e3f64) {
        let mut rows = noise(600, 4, seed);
        rows[590][2] = 30.0;
        let more: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| row.iter().copied().chain([value]).collect())
            .collect();
        let scores = |rows: &[Vec<f64>], d: usize| {
            let mut detector = trainer().fit(&frame(&unknown(d), &rows[..500])).unwrap();
            observe_all(&mut *detector, 500, &rows[500..])
        };
        for (a, b) in scores(&rows, 4).iter().zip(scores(&more, 5)) {
            prop_assert!((a.score - b.score).abs() < 1e-6, "{:?} {:?}", a, b);
        }
    }

    #[test]
    fn contributions_are_shares_and_what_is_missing_has_none(
        seed in any::<u64>(), size in -30.0..30.0f64, column in 0..4_usize, lost in 0..4_usize,
    ) {
        let mut rows = noise(325, 4, seed);
        for row in &mut rows[300..] {
            row[column] += size;
            row[lost] = f64::NAN;
        }
        let mut detector = trainer().fit(&frame(&unknown(4), &rows[..300])).unwrap();
        for (i, row) in rows[300..].iter().enumerate() {
            detector.observe(&Sample::new(at(300 + i), row.clone())).unwrap();
            let why = detector.explain();
            prop_assert!(why.iter().all(|e| (0.0..=1.0).contains(&e.contribution)), "{:?}", why);
            let sum: f64 = why.iter().map(|e| e.contribution).sum();
            prop_assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9, "{}", sum);
            let name = format!("column {lost}");
            let gone = why.iter().find(|e| e.feature == name).unwrap();
            prop_assert_eq!(gone.contribution, 0.0);
            prop_assert_eq!(gone.kind, Some(overseer_core::ChangeKind::Missing));
            prop_assert_eq!(gone.since, Some(at(300)));
        }
    }

    #[test]
    fn no_finite_or_missing_value_breaks_it(
        values in proptest::collection::vec(
            prop_oneof![3 => -5.0..5.0f64, 1 => Just(f64::NAN), 1 => Just(0.0), 1 => Just(f64::MAX), 1 => Just(f64::MIN)],
            160,
        ),
    ) {
        let rows: Vec<Vec<f64>> = values.chunks(2).map(<[f64]>::to_vec).collect();
        let unit = Feature::new("b", Unit::BytesPerSecond).with_resolution(1.0);
        let schema = Schema::new(vec![Feature::new("a", Unit::Unknown), unit]).unwrap();
        let mut detector = trainer().fit(&frame(&schema, &rows[..40])).unwrap();
        for judged in observe_all(&mut *detector, 40, &rows[40..]) {
            prop_assert!((0.0..1.0).contains(&judged.score), "{:?}", judged);
            prop_assert!(judged.p_value > 0.0 && judged.p_value <= 1.0);
        }
        let bytes = detector.to_bytes().unwrap();
        prop_assert!(trainer().load(&bytes, &schema).is_ok());
    }
}
