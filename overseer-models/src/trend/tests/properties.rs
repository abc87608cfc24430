//! What holds of any values and times.

use super::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_panics_and_answers_are_in_range(
        values in proptest::collection::vec(
            prop_oneof![8 => -1e6..1e6f64, 1 => Just(f64::NAN), 1 => Just(0.0), 1 => any::<f64>()], 0..80),
        gaps in proptest::collection::vec(0_i64..100_000, 80),
        degree in 0_usize..=8,
        chosen in any::<bool>(),
    ) {
        let mut now = 0;
        let times: Vec<_> = values.iter().zip(gaps).map(|(_, g)| { now += g; Timestamp::from_millis(now) }).collect();
        let b = PolynomialTrend::builder();
        let b = if chosen { b.degree_by_criterion(degree) } else { b.degree(degree) };
        if let Ok(t) = b.build().unwrap().fit(&times, &values) {
            prop_assert!((0.0..=1.0).contains(&t.slope_p_value), "{t:?}");
            prop_assert!((0.0..=1.0).contains(&t.r_squared), "{t:?}");
            prop_assert!(t.effective_points <= t.points as f64 + 1e-9);
        }
    }

    #[test]
    fn shifting_and_scaling_the_values_moves_the_trend_with_them(
        seed in any::<u64>(), offset in -100.0..100.0f64, factor in 0.01..100.0f64,
    ) {
        let times = every_five_seconds(60);
        let y = noise(0.3, 60, seed);
        let moved: Vec<f64> = y.iter().map(|v| offset + factor * v).collect();
        let (a, b) = (line().fit(&times, &y).unwrap(), line().fit(&times, &moved).unwrap());
        prop_assert!((a.slope_per_second * factor - b.slope_per_second).abs() < 1e-9 * factor);
        prop_assert!((a.slope_p_value - b.slope_p_value).abs() < 1e-6);
        prop_assert!((a.r_squared - b.r_squared).abs() < 1e-6);
    }

    #[test]
    fn a_window_moved_or_stretched_in_time_has_the_same_polynomial(
        seed in any::<u64>(), start in -1_000_000_000_i64..1_000_000_000, stretch in 1_i64..1000,
        degree in 0_usize..=8, even in any::<bool>(),
    ) {
        let place = |i: i64| if even { 7 * i } else { 7 * i + i * i % 5 };
        let times: Vec<_> = (0..40).map(|i| Timestamp::from_millis(place(i))).collect();
        let moved: Vec<_> = (0..40).map(|i| Timestamp::from_millis(start + stretch * place(i))).collect();
        let y = noise(0.3, 40, seed);
        let trend = PolynomialTrend::builder().degree(degree).build().unwrap();
        let (a, b) = (trend.fit_curve(&times, &y).unwrap(), trend.fit_curve(&moved, &y).unwrap());
        for (a, b) in a.coefficients().iter().zip(b.coefficients()) {
            prop_assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()));
        }
        let slowed = b.slope_per_second() * stretch as f64;
        prop_assert!((a.slope_per_second() - slowed).abs() <= 1e-9 * (1.0 + slowed.abs()));
        prop_assert!((a.predict(times[13]) - b.predict(moved[13])).abs() < 1e-9);
    }

    #[test]
    fn values_moved_and_scaled_move_and_scale_the_polynomial_however_large(
        seed in any::<u64>(), exponent in -1000_i32..1000, offset in -1e3..1e3f64, uneven in 0_i64..2,
    ) {
        let times: Vec<_> =
            (0..50).map(|i: i64| Timestamp::from_millis(1000 * i + uneven * (i * i % 13))).collect();
        let y = noise(0.5, 50, seed);
        // A power of two, so that only overflow or underflow could change a digit.
        let factor = 2f64.powi(exponent);
        let scaled: Vec<f64> = y.iter().map(|v| factor * v).collect();
        let cubic = PolynomialTrend::builder().degree(3).build().unwrap();
        let (a, b) = (cubic.fit_curve(&times, &y).unwrap(), cubic.fit_curve(&times, &scaled).unwrap());
        let pairs = a.coefficients().iter().zip(b.coefficients());
        for (a, b) in pairs.chain(a.standard_errors().iter().zip(b.standard_errors())) {
            prop_assert!((a - b / factor).abs() <= 1e-9 * (1.0 + a.abs()), "{a} {}", b / factor);
        }
        prop_assert!((a.r_squared - b.r_squared).abs() < 1e-9);
        prop_assert!((b.bic() - a.bic() - 100.0 * factor.ln()).abs() < 1e-6);
        let moved: Vec<f64> = y.iter().map(|v| offset + v).collect();
        let c = cubic.fit_curve(&times, &moved).unwrap();
        prop_assert!((c.coefficients()[0] - offset - a.coefficients()[0]).abs() < 1e-9);
        prop_assert!((c.residual_variance / a.residual_variance - 1.0).abs() < 1e-9);
    }

    #[test]
    fn points_of_one_moment_may_change_places_with_their_weights(
        seed in any::<u64>(), degree in 0_usize..=4,
        weights in proptest::collection::vec(0.1..10.0f64, 40),
    ) {
        // Two values at each of twenty moments.
        let times: Vec<_> = (0..40).map(|i: i64| Timestamp::from_millis(1000 * (i / 2))).collect();
        let y = noise(0.3, 40, seed);
        let swapped = |v: &[f64]| -> Vec<f64> { v.chunks(2).flat_map(|p| [p[1], p[0]]).collect() };
        let trend = PolynomialTrend::builder().degree(degree).build().unwrap();
        let a = trend.fit_weighted(&times, &y, &weights).unwrap();
        let b = trend.fit_weighted(&times, &swapped(&y), &swapped(&weights)).unwrap();
        for (a, b) in a.coefficients.iter().zip(&b.coefficients) {
            prop_assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()));
        }
        prop_assert!((a.residual_variance / b.residual_variance - 1.0).abs() < 1e-9);
    }

    #[test]
    fn equal_weights_are_no_weights(seed in any::<u64>(), degree in 0_usize..=8, weight in 0.01..100.0f64) {
        let times = every_five_seconds(50);
        let y = noise(0.3, 50, seed);
        let trend = PolynomialTrend::builder().degree(degree).build().unwrap();
        let (a, b) = (trend.fit(&times, &y).unwrap(), trend.fit_weighted(&times, &y, &[weight; 50]).unwrap());
        let pairs = a.coefficients.iter().zip(&b.coefficients);
        for (a, b) in pairs.chain(a.standard_errors.iter().zip(&b.standard_errors)) {
            prop_assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()));
        }
        prop_assert!((a.residual_variance * weight / b.residual_variance - 1.0).abs() < 1e-9);
        prop_assert!((a.slope_p_value - b.slope_p_value).abs() < 1e-9);
    }

    #[test]
    fn one_decomposition_chooses_what_separate_ones_would(
        seed in any::<u64>(), most in 0_usize..=8, bend in -20.0..20.0f64,
        criterion in prop_oneof![Just(Criterion::Aicc), Just(Criterion::Bic)],
        missing in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let times: Vec<_> =
            (0..80).map(|i: i64| Timestamp::from_millis(1000 * i + i * i % 97)).collect();
        let mut y: Vec<f64> = noise(0.3, 80, seed)
            .iter()
            .enumerate()
            .map(|(i, e)| bend * (i as f64 / 80.0).powi(3) + e)
            .collect();
        missing.iter().for_each(|i| y[i.index(80)] = f64::NAN);
        let weights: Vec<f64> = (0..80).map(|i| 1.0 + f64::from(i % 3)).collect();
        let build = PolynomialTrend::builder;
        let chosen = build().degree_by_criterion(most).criterion(criterion).build().unwrap();
        let found = chosen.fit_weighted(&times, &y, &weights).unwrap();
        let value = |t: &FittedTrend| if criterion == Criterion::Aicc { t.aicc } else { t.bic };
        for degree in 0..=most {
            let one = build().degree(degree).build().unwrap().fit_weighted(&times, &y, &weights).unwrap();
            prop_assert!(value(&found) <= value(&one) + 1e-9 * (1.0 + value(&one).abs()));
            if degree == found.degree() {
                let pairs = found.coefficients.iter().zip(&one.coefficients);
                for (a, b) in pairs.chain(found.standard_errors.iter().zip(&one.standard_errors)) {
                    prop_assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()));
                }
                prop_assert!((found.residual_variance / one.residual_variance - 1.0).abs() < 1e-9);
                prop_assert!((found.slope_p_value - one.slope_p_value).abs() < 1e-9);
            }
        }
    }
}
