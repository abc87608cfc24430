use super::*;
use overseer_core::Span;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

mod properties;

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
    for (n, phi, change) in [(100, 0.0, 2.5), (1000, 0.0, 1.0), (1000, 0.9, 7.0)] {
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
    let golden = [0.018_729_539_442, 0.106_799_556_805, 0.731_020_420_176, 63.179_397_658_201];
    assert!(found.iter().zip(golden).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
}

/// The Wampler problems of NIST's Statistical Reference Datasets: 1 + t + t² + t³ + t⁴ + t⁵ at t = 0…20 with deviations
/// that leave every coefficient at 1.
fn wampler(size: f64) -> (Vec<Timestamp>, Vec<f64>) {
    const DEVIATIONS: [f64; 21] = [
        759.0, -2048.0, 2048.0, -2048.0, 2523.0, -2048.0, 2048.0, -2048.0, 1838.0, -2048.0, 2048.0,
        -2048.0, 1838.0, -2048.0, 2048.0, -2048.0, 2523.0, -2048.0, 2048.0, -2048.0, 759.0,
    ];
    let times = (0..21).map(|t| Timestamp::from_millis(1000 * t)).collect();
    let values = (0..21).zip(DEVIATIONS).map(|(t, d)| quintic(f64::from(t)) + size * d).collect();
    (times, values)
}

fn quintic(t: f64) -> f64 {
    (0..6).map(|power| t.powi(power)).sum()
}

#[test]
fn the_certified_values_of_polynomials_that_break_solvers_are_reproduced() {
    // Wampler 3, 4 and 5: residual standard deviation, R² and the standard error of the coefficient of t⁵.
    let certified = [
        (1.0, 2_360.145_023_792_68, 0.999_995_559_025_820, 0.112_324_854_679_312),
        (100.0, 236_014.502_379_268, 0.957_478_440_825_662, 11.232_485_467_931_2),
        (10_000.0, 23_601_450.237_926_8, 0.002_246_689_215_749_40, 1_123.248_546_793_12),
    ];
    let trend = PolynomialTrend::builder().degree(5).build().unwrap();
    for (size, deviation, r_squared, error) in certified {
        let (times, values) = wampler(size);
        let closed = trend.fit_curve(&times, &values).unwrap();
        let general = trend.fit_with(&HouseholderQr, &times, &values, None).unwrap();
        for t in 0..21 {
            let at = closed.predict(Timestamp::from_millis(1000 * t));
            let meant = quintic(t as f64);
            assert!((at - meant).abs() < 1e-12 * deviation + 1e-9 * meant, "{t}: {at} {meant}");
        }
        // Half the window is ten seconds.
        let errors = [closed.standard_errors()[5], general.standard_errors[5]];
        for e in errors {
            assert!((e / 1e5 / error - 1.0).abs() < 1e-11, "{e}");
        }
        for v in [closed.residual_variance, general.residual_variance] {
            assert!((v.sqrt() / deviation - 1.0).abs() < 1e-12, "{}", v.sqrt());
        }
        for r in [closed.r_squared, general.r_squared] {
            assert!((r - r_squared).abs() < 1e-14, "{r}");
        }
    }
    // Wampler 1 leaves nothing.
    let (times, values) = wampler(0.0);
    let exact = trend.fit(&times, &values).unwrap();
    assert_eq!((exact.residual_noise, exact.slope_p_value), (ResidualNoise::Absent, 0.0));
    assert!(exact.residual_variance.sqrt() < 1e-7);
}

#[test]
fn the_polynomial_alone_is_that_of_the_whole_fit() {
    let even = every_five_seconds(120);
    let uneven: Vec<_> =
        (0..120).map(|i| even[i] + Span::from_millis((i * i % 7) as i64)).collect();
    let complete = noise(0.5, 120, 9);
    let mut gaps = complete.clone();
    gaps[40] = f64::NAN;
    for (times, values) in [(&even, &complete), (&uneven, &complete), (&even, &gaps)] {
        for builder in [
            PolynomialTrend::builder().degree(3),
            PolynomialTrend::builder().degree_by_criterion(5).criterion(Criterion::Aicc),
        ] {
            let trend = builder.build().unwrap();
            let (curve, whole) =
                (trend.fit_curve(times, values).unwrap(), trend.fit(times, values).unwrap());
            assert_eq!(curve.coefficients(), whole.coefficients);
            assert_eq!(curve.standard_errors(), whole.standard_errors);
            assert_eq!(curve.degree(), whole.degree());
            assert_eq!((curve.aicc(), curve.bic()), (whole.aicc, whole.bic));
            assert_eq!(curve.r_squared, whole.r_squared);
            assert_eq!(curve.residual_variance, whole.residual_variance);
            assert_eq!((curve.points, curve.window), (whole.points, whole.window));
            assert_eq!(curve.change(), whole.change());
            assert_eq!(curve.slope_per_second(), whole.slope_per_second);
            assert_eq!(curve.predict(times[7]), whole.predict(times[7]));
        }
    }
}

#[test]
fn a_start_and_a_step_say_as_much_as_times() {
    let times = every_five_seconds(75);
    let mut values = noise(0.2, 75, 4);
    let step = Span::from_secs(5);
    for trend in [line(), PolynomialTrend::builder().degree_by_criterion(8).build().unwrap()] {
        let by_times = trend.fit_curve(&times, &values).unwrap();
        assert_eq!(trend.fit_uniform(times[0], step, &values).unwrap(), by_times);
    }
    values[30] = f64::NAN;
    let by_times = line().fit_curve(&times, &values).unwrap();
    assert_eq!(by_times.points, 74);
    assert_eq!(line().fit_uniform(times[0], step, &values).unwrap(), by_times);
}

#[test]
fn the_error_of_the_change_is_that_of_a_line_by_hand() {
    // A line's change over the window is twice the coefficient of scaled time, and so is its error.
    let curve = line().fit_curve(&every_five_seconds(40), &noise(0.0, 40, 2)).unwrap();
    assert!((curve.change() - 2.0 * curve.coefficients()[1]).abs() < 1e-15);
    assert!((curve.change_error() / curve.standard_errors()[1] - 2.0).abs() < 1e-12);
    // Of white noise it is the deviation of the change from one series to another.
    let trend = PolynomialTrend::builder().degree(3).build().unwrap();
    let times = every_five_seconds(100);
    let curves: Vec<_> =
        (0..2000).map(|seed| trend.fit_curve(&times, &noise(0.0, 100, seed)).unwrap()).collect();
    let squares = curves.iter().map(|c| c.change().powi(2)).sum::<f64>() / 2000.0;
    let errors = curves.iter().map(|c| c.change_error().powi(2)).sum::<f64>() / 2000.0;
    assert!((squares / errors - 1.0).abs() < 0.1, "{squares} {errors}");
}

#[test]
fn a_polynomial_that_cannot_be_fitted_is_refused_with_the_reason() {
    let start = Timestamp::from_millis(0);
    let y = noise(0.0, 20, 1);
    let second = Span::from_secs(1);
    let refused =
        |values: &[f64], start, step| line().fit_uniform(start, step, values).unwrap_err();
    assert!(refused(&[], start, second).is_not_enough_data());
    assert!(refused(&y[..2], start, second).is_not_enough_data());
    assert!(refused(&[f64::NAN; 20], start, second).is_not_enough_data());
    assert!(refused(&y, start, Span::default()).to_string().contains("one moment"));
    let late = Timestamp::from_millis(i64::MAX - 18_000);
    let error = refused(&y, late, second).to_string();
    assert!(error.contains("20 values 1 s apart"), "{error}");
    assert!(line().fit_uniform(Timestamp::from_millis(i64::MAX - 19_000), second, &y).is_ok());
    let mut infinite = y.clone();
    infinite[7] = f64::NEG_INFINITY;
    assert_eq!(refused(&infinite, start, second).to_string(), "row 7: the value is infinite");
    assert!(line().fit_curve(&every_five_seconds(20), &y[1..]).unwrap_err().is_schema_mismatch());
}

#[test]
fn weighted_and_closed_fits_keep_their_numbers() {
    let times: Vec<_> =
        (0..60).map(|i: i64| Timestamp::from_millis(5_000 * i + i * i % 11)).collect();
    let weights: Vec<f64> = (0..60).map(|i| 1.0 + f64::from(i % 4)).collect();
    let trend = PolynomialTrend::builder().degree_by_criterion(4).build().unwrap();
    let t = trend.fit_weighted(&times, &noise(0.5, 60, 7), &weights).unwrap();
    let cubic = PolynomialTrend::builder().degree(3).build().unwrap();
    let c = cubic.fit_curve(&every_five_seconds(200), &noise(0.5, 200, 42)).unwrap();
    let found = [
        t.coefficients[0],
        t.standard_errors[0],
        t.residual_variance,
        t.slope_p_value,
        t.aicc,
        t.bic,
        c.coefficients()[3],
        c.standard_errors()[3],
        c.change_error(),
        c.r_squared,
        c.aicc(),
        c.bic(),
    ];
    let golden = [
        0.495_426_343_313,
        0.200_630_367_997,
        2.680_043_625_810,
        0.087_300_746_657,
        64.799_659_424_682,
        72.449_764_946_298,
        0.051_871_921_630,
        0.522_660_449_656,
        0.496_021_671_724,
        0.007_717_645_616,
        56.649_627_058_071,
        72.831_935_540_296,
    ];
    assert!(found.iter().zip(golden).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
}
