use super::*;
use overseer_core::Span;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

fn every_five_seconds(n: usize) -> Vec<Timestamp> {
    (0..n)
        .map(|i| Timestamp::from_millis(1_700_000_000_000) + Span::from_secs(5).times(i))
        .collect()
}

/// An autoregression of one lag; `phi` 0 is white noise and 1 a random walk.
fn noise(phi: f64, n: usize, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut x = 0.0;
    (0..n + 50)
        .map(|_| {
            let e: f64 = StandardNormal.sample(&mut rng);
            x = phi * x + e;
            x
        })
        .skip(50)
        .collect()
}

fn line() -> PolynomialTrend {
    PolynomialTrend::builder().degree(1).build().unwrap()
}

#[test]
fn a_printed_regression_is_reproduced() {
    // Anscombe's first data set (Am. Stat. 27, 1973): intercept 3.0001 (1.1247), slope 0.5001 (0.1179), R² 0.6665.
    let x = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
    let y = [4.26, 5.68, 7.24, 4.82, 6.95, 8.81, 8.04, 8.33, 10.84, 7.58, 9.96];
    let times: Vec<_> = x.iter().map(|&s| Timestamp::from_millis(1000 * s)).collect();
    let t = line().fit(&times, &y).unwrap();
    assert!((t.slope_per_second - 0.500_090_9).abs() < 1e-7);
    assert!((t.predict(Timestamp::from_millis(0)) - 3.000_090_9).abs() < 1e-6);
    assert!((t.r_squared - 0.666_542_5).abs() < 1e-7);
    assert!((t.residual_variance.sqrt() - 1.236_603).abs() < 1e-6);
    // Half the window is 5 s, so the slope's printed error is a fifth of this coefficient's.
    assert!((t.standard_errors[1] / 5.0 - 0.117_905_5).abs() < 1e-7);
}

#[test]
fn uneven_times_and_missing_values_change_nothing_about_an_exact_polynomial() {
    let times: Vec<_> = [0, 1, 2, 30, 31, 90, 95, 200, 210, 211, 400, 500, 700, 1000]
        .map(|s| Timestamp::from_millis(1000 * s))
        .to_vec();
    let mut y: Vec<f64> = times
        .iter()
        .map(|t| 2.0 - 3.0 * t.as_secs_f64() + 0.01 * t.as_secs_f64().powi(2))
        .collect();
    y[3] = f64::NAN;
    y[9] = f64::NAN;
    let t =
        PolynomialTrend::builder().degree_by_criterion(6).build().unwrap().fit(&times, &y).unwrap();
    assert_eq!((t.degree(), t.points, t.residual_noise), (2, 12, ResidualNoise::Absent));
    assert!((t.predict(times[3]) - (2.0 - 90.0 + 9.0)).abs() < 1e-8);
    assert!((t.slope_per_second - 7.0).abs() < 1e-9);
    assert!((t.change() - 7_000.0).abs() < 1e-6);
}

#[test]
fn degree_eight_keeps_its_digits() {
    let times = every_five_seconds(200);
    let truth = [1.0, -2.0, 0.5, 3.0, -1.0, 0.25, 2.0, -0.125, 1.5];
    let y: Vec<f64> = (0..200)
        .map(|i| {
            let x = 2.0 * f64::from(i) / 199.0 - 1.0;
            truth.iter().rev().fold(0.0, |v, c| v * x + c)
        })
        .collect();
    let t = PolynomialTrend::builder().degree(8).build().unwrap().fit(&times, &y).unwrap();
    for (found, meant) in t.coefficients.iter().zip(truth) {
        assert!((found - meant).abs() < 1e-9, "{found} {meant}");
    }
}

#[test]
fn the_criterion_finds_the_degree_behind_noise() {
    let times = every_five_seconds(300);
    let quadratic: Vec<f64> = noise(0.0, 300, 3)
        .iter()
        .enumerate()
        .map(|(i, e)| 0.001 * (i as f64 - 100.0).powi(2) + e)
        .collect();
    let chosen = |y: &[f64]| {
        let t = PolynomialTrend::builder().degree_by_criterion(6).build().unwrap();
        t.fit(&times, y).unwrap().degree()
    };
    assert_eq!(chosen(&quadratic), 2);
    assert_eq!(chosen(&noise(0.0, 300, 4)), 0);
}

#[test]
fn a_weight_counts_as_so_many_points() {
    let times: Vec<_> = (0..6).map(|i| Timestamp::from_millis(1000 * i)).collect();
    let y = [1.0, 3.0, 2.0, 5.0, 4.0, 9.0];
    let weighted = line().fit_weighted(&times, &y, &[1.0, 2.0, 1.0, 0.0, 1.0, 1.0]).unwrap();
    let t: Vec<_> = [0, 1, 1, 2, 4, 5].map(|i: usize| times[i]).to_vec();
    let repeated = line().fit(&t, &[1.0, 3.0, 3.0, 2.0, 4.0, 9.0]).unwrap();
    assert_eq!(weighted.points, 5);
    for (a, b) in weighted.coefficients.iter().zip(&repeated.coefficients) {
        assert!((a - b).abs() < 1e-12);
    }
}

#[test]
fn weights_that_rise_make_no_trend_of_a_level() {
    let times = every_five_seconds(6);
    let weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let level = [100.2, 99.9, 100.1, 99.8, 100.3, 100.0];
    let t = line().fit_weighted(&times, &level, &weights).unwrap();
    assert_eq!(t.residual_noise, ResidualNoise::RandomWalk);
    assert!(t.slope_p_value > 0.05, "{}", t.slope_p_value);
    let tenfold = line().fit_weighted(&times, &level, &weights.map(|w| 10.0 * w)).unwrap();
    assert!((tenfold.slope_p_value - t.slope_p_value).abs() < 1e-12);
    assert!((tenfold.standard_errors[1] - t.standard_errors[1]).abs() < 1e-12);
    let rising = [100.0, 101.1, 101.9, 103.0, 104.2, 104.9];
    assert!(line().fit_weighted(&times, &rising, &weights).unwrap().slope_p_value < 0.01);
}

#[test]
fn what_cannot_be_fitted_is_refused_with_the_reason() {
    let times = every_five_seconds(20);
    let same = vec![times[0]; 20];
    let y = noise(0.0, 20, 1);
    assert!(PolynomialTrend::builder().degree(9).build().unwrap_err().is_invalid_input());
    assert!(line().fit(&times[..2], &y[..2]).unwrap_err().is_not_enough_data());
    assert!(line().fit(&times, &[f64::NAN; 20]).unwrap_err().is_not_enough_data());
    assert!(line().fit(&[], &[]).unwrap_err().is_not_enough_data());
    assert!(line().fit(&same, &y).unwrap_err().to_string().contains("one moment"));
    assert!(line().fit(&times, &y[1..]).unwrap_err().is_schema_mismatch());
    let mut infinite = y.clone();
    infinite[7] = f64::INFINITY;
    assert_eq!(
        line().fit(&times, &infinite).unwrap_err().to_string(),
        "row 7: the value is infinite"
    );
    let backwards: Vec<_> = times.iter().rev().copied().collect();
    assert!(line().fit(&backwards, &y).unwrap_err().to_string().contains("row 1"));
    assert!(line().fit_weighted(&times, &y, &[-1.0; 20]).unwrap_err().is_invalid_input());
    // Nineteen milliseconds and then a year: the window has two places, and a cubic needs four.
    let mut bunched: Vec<_> = (0..19).map(Timestamp::from_millis).collect();
    bunched.push(Timestamp::from_millis(31_536_000_000));
    let cubic = PolynomialTrend::builder().degree(3).build().unwrap();
    assert!(cubic.fit(&bunched, &y).unwrap_err().to_string().contains("ill-conditioned"));
}

#[test]
fn noise_of_any_persistence_seldom_has_a_significant_slope() {
    for n in [30, 100, 300, 1000] {
        let times = every_five_seconds(n);
        for phi in [0.0, 0.5, 0.9, 0.97, 1.0] {
            let false_alarms = (0..200)
                .filter(|&seed| {
                    line().fit(&times, &noise(phi, n, seed)).unwrap().slope_p_value < 0.01
                })
                .count();
            assert!(false_alarms <= 10, "{false_alarms} of 200 at phi {phi}, {n} points");
        }
    }
}

#[test]
fn a_slope_of_some_sigmas_over_the_window_is_found() {
    for (n, phi, change) in [(100, 0.0, 2.5), (1000, 0.0, 1.0), (1000, 0.9, 6.0)] {
        let times = every_five_seconds(n);
        let found = (0..100)
            .filter(|&seed| {
                let mut y = noise(phi, n, seed);
                y.iter_mut().enumerate().for_each(|(i, v)| *v += change * i as f64 / n as f64);
                line().fit(&times, &y).unwrap().slope_p_value < 0.01
            })
            .count();
        assert!(found >= 90, "{found} of 100 at phi {phi}, {n} points");
    }
}

#[test]
fn a_fit_keeps_its_numbers() {
    let t = line().fit(&every_five_seconds(200), &noise(0.5, 200, 42)).unwrap();
    let found = [t.coefficients[0], t.coefficients[1], t.slope_p_value, t.bic];
    let golden = [0.018_729_539_442, 0.106_799_556_805, 0.654_009_022_168, 63.179_397_658_201];
    assert!(found.iter().zip(golden).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
}

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
}
