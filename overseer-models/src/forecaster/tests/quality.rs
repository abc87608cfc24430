//! How good forecasts are, and whether what is said of that is true.

use super::*;

#[test]
fn a_mean_reverting_series_is_forecast_better_than_by_its_last_value() {
    let frame = frame_of(&autoregression(1_500, 0.5, 1));
    let (error, last_error, held) = backtest(&frame, ForecastTarget::Column(0), 800, 10);
    assert!(error < 0.8 * last_error, "{error} {last_error}");
    assert!((0.84..=0.96).contains(&held), "{held}");
}

#[test]
fn intervals_of_a_seasonal_host_hold_nine_in_ten_truths() {
    let frame = host_frame(1_500, 2);
    let (error, last_error, held) = backtest(&frame, ForecastTarget::PerformanceScore, 800, 10);
    assert!(error < 0.6 * last_error, "{error} {last_error}");
    assert!((0.84..=0.96).contains(&held), "{held}");
}

#[test]
fn the_stated_coverage_is_what_was_measured() {
    let values = autoregression(2_100, 0.7, 3);
    let mut forecaster = fitted(&values[..800], 10);
    assert!(forecaster.forecast(10).unwrap().iter().all(|f| f.coverage.is_some()));
    // For each step ahead, whether the forecasts given held their truth, in the order of the truths.
    let mut held = vec![Vec::new(); 11];
    for t in 800..2_100 {
        forecaster.observe(&sample(t, values[t])).unwrap();
        for f in forecaster.forecast(10).unwrap() {
            if let Some(&truth) = values.get(t + f.step) {
                held[f.step].push(f.interval.contains(truth));
            }
        }
    }
    // Those steps are on the grid, and the newest 1,000 are counted.
    let stated = forecaster.forecast(10).unwrap();
    for step in [1, 5, 10] {
        let newest = &held[step][held[step].len() - 1_000..];
        let measured = newest.iter().filter(|held| **held).count() as f64 / 1_000.0;
        assert_eq!(stated[step - 1].coverage.unwrap().get(), measured, "at {step}");
        assert!((0.85..=0.95).contains(&measured), "{measured} at {step}");
    }
}

#[test]
fn a_step_after_a_calm_stretch_widens_intervals_by_no_more_than_a_few_steps() {
    let mut forecaster = fitted(&[0.0; 200], 10);
    for i in 200..400 {
        forecaster.observe(&sample(i, 100.0)).unwrap();
        for f in forecaster.forecast(10).into_iter().flatten() {
            assert!(f.interval.upper - f.interval.lower < 500.0, "{f:?} after {i}");
        }
    }
}

#[test]
fn a_broken_promise_shows_in_the_coverage() {
    let values = autoregression(600, 0.7, 3);
    let mut forecaster = fitted(&values, 10);
    let before = forecaster.forecast(1).unwrap()[0].coverage.unwrap().get();
    // Swings of a thousand deviations, as none were ever seen.
    for i in 600..640 {
        forecaster.observe(&sample(i, if i % 3 == 0 { 1_000.0 } else { -1_000.0 })).unwrap();
    }
    let after = forecaster.forecast(1).unwrap()[0].coverage.unwrap().get();
    assert!(after < before, "{before} {after}");
}

#[test]
fn what_waited_while_fitting_is_learned_from_afterwards() {
    let values = autoregression(320, 0.6, 4);
    let mut forecaster = fitted(&values[..300], 10);
    let learned = |f: &ForestForecaster| f.analogues.moments();
    let before = learned(&forecaster);
    assert_eq!(before, 300 - 9 - 10, "each row with its lags and its horizon");
    for (i, &v) in values.iter().enumerate().skip(300) {
        forecaster.observe(&sample(i, v)).unwrap();
        assert_eq!(learned(&forecaster), before + i - 299);
    }
}

#[test]
fn the_metadata_says_what_was_learned_and_how_well() {
    let frame = host_frame(400, 8);
    let forecaster = trainer().fit(&frame, ForecastTarget::PerformanceScore, 10).unwrap();
    let m = forecaster.metadata();
    assert_eq!((m.name.as_str(), m.algorithm.as_str()), ("performance_score", "random forest"));
    assert_eq!((m.rows, m.interval_ms), (400, STEP));
    assert_eq!(m.trained_on, (frame.timestamps()[0], frame.timestamps()[399]));
    assert_eq!(m.schema_fingerprint, host::schema().fingerprint());
    let quality = |name: &str| m.quality[name].0;
    assert!(quality("mae") > 0.0 && quality("mae_ratio_to_last_value") < 1.0);
    assert!((0.8..=1.0).contains(&quality("interval_coverage")));
    assert!((100.0..=130.0).contains(&quality("heldout_rows")));
    let column = trainer().fit(&frame, ForecastTarget::Column(0), 10).unwrap();
    assert_eq!(column.metadata().name, "system.cpu.utilization");
}

#[test]
fn a_new_habit_is_learned_without_fitting_again() {
    // The series always turned back; then it begins to go on.
    let mut rng = Pcg64Mcg::seed_from_u64(13);
    let mut series = |n: usize, habit: f64| -> Vec<f64> {
        let mut x = 1.0_f64;
        (0..n)
            .map(|_| {
                x = habit * x + 0.1 * rng.sample::<f64, _>(StandardNormal);
                x = x.clamp(-5.0, 5.0);
                x
            })
            .collect()
    };
    let mut values = series(400, -0.95);
    values.extend(series(600, 0.95));
    let mut forecaster = fitted(&values[..400], 1);
    let mut error = |rows: std::ops::Range<usize>| {
        let n = rows.len() as f64;
        let sum: f64 = rows
            .map(|i| {
                forecaster.observe(&sample(i, values[i])).unwrap();
                (forecaster.forecast(1).unwrap()[0].median - values[i + 1]).abs()
            })
            .sum();
        sum / n
    };
    let (early, late) = (error(400..450), error(450..999));
    assert!(late < 0.15 && late < 0.7 * early, "{early} {late}");
}
