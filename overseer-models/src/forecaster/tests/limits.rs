//! What is refused, and what is borne at the edges.

use super::*;

#[test]
fn sixty_rows_are_enough_for_ten_steps_and_fewer_are_an_error() {
    let values = autoregression(60, 0.6, 4);
    assert_eq!(trainer().min_rows(10), 60);
    let forecasts = fitted(&values, 10).forecast(10).unwrap();
    assert_eq!(forecasts.iter().map(|f| f.step).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    let error = trainer().fit(&frame_of(&values[..59]), ForecastTarget::Column(0), 10).unwrap_err();
    assert!(error.is_not_enough_data(), "{error}");
    for horizon in [1, 3, 25, 130] {
        let rows = trainer().min_rows(horizon);
        let forecaster = fitted(&autoregression(rows, 0.6, 4), horizon);
        assert_eq!(forecaster.forecast(horizon).unwrap().len(), horizon);
    }
}

#[test]
fn a_horizon_beyond_what_is_learned_from_takes_more_rows_and_not_fewer() {
    let trainer = ForestForecasterTrainer::builder().trees(1).build().unwrap();
    let rows = trainer.min_rows(5_000);
    let frame = frame_of(&(0..rows).map(|i| (i % 7) as f64).collect::<Vec<_>>());
    let forecaster = trainer.fit(&frame, ForecastTarget::Column(0), 5_000).unwrap();
    assert_eq!(forecaster.forecast(5_000).unwrap().len(), 5_000);
}

#[test]
fn only_horizons_it_was_fitted_for_are_answered() {
    let forecaster = fitted(&autoregression(120, 0.6, 4), 12);
    assert_eq!(forecaster.max_horizon(), 12);
    assert_eq!(forecaster.forecast(5).unwrap().len(), 5);
    assert!(forecaster.forecast(0).unwrap_err().is_invalid_input());
    assert!(forecaster.forecast(13).unwrap_err().is_invalid_input());
    // A shorter forecast is the beginning of a longer one.
    assert_eq!(forecaster.forecast(5).unwrap()[..], forecaster.forecast(12).unwrap()[..5]);
}

#[test]
fn a_constant_series_stays_what_it_is() {
    let mut forecaster = fitted(&[3.5; 100], 10);
    for i in 100..120 {
        forecaster.observe(&sample(i, 3.5)).unwrap();
    }
    for f in forecaster.forecast(10).unwrap() {
        assert_eq!(f.median, 3.5);
        assert!(f.interval.upper - f.interval.lower < 1e-6, "{f:?}");
    }
    assert_eq!(forecaster.metadata().quality["mae"].0, 0.0);
}

#[test]
fn a_target_that_is_never_known_is_an_error() {
    let error =
        trainer().fit(&frame_of(&[f64::NAN; 200]), ForecastTarget::Column(0), 10).unwrap_err();
    assert!(error.is_not_enough_data(), "{error}");
    assert!(trainer().fit(&frame_of(&[1.0; 200]), ForecastTarget::Column(1), 10).is_err());
    let error =
        trainer().fit(&frame_of(&[1.0; 200]), ForecastTarget::PerformanceScore, 10).unwrap_err();
    assert!(error.is_schema_mismatch());
}

#[test]
fn a_refused_sample_changes_nothing() {
    let mut forecaster = fitted(&autoregression(200, 0.6, 4), 10);
    let before = forecaster.to_bytes().unwrap();
    assert!(
        forecaster.observe(&sample(200, f64::INFINITY)).unwrap_err().to_string().contains("`x`")
    );
    let two = Sample::new(Timestamp::from_millis(0), vec![1.0, 2.0]);
    assert!(forecaster.observe(&two).unwrap_err().is_schema_mismatch());
    assert_eq!(forecaster.to_bytes().unwrap(), before);
}

#[test]
fn ratios_and_scores_stay_within_their_range() {
    let mut frame = Frame::new(host::schema());
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    for i in 0..300 {
        let mut row = vec![f64::NAN; host::schema().len()];
        row[host::CPU_UTILIZATION] = f64::from(u8::from(rng.random_bool(0.5)));
        row[host::DISK_READ] = if rng.random_bool(0.2) { 1e6 * rng.random::<f64>() } else { 0.0 };
        frame.push_row(Timestamp::from_millis(STEP * i), &row).unwrap();
    }
    let within = |target, low: f64, high: f64| {
        for f in trainer().fit(&frame, target, 5).unwrap().forecast(5).unwrap() {
            let i = f.interval;
            assert!(
                low <= i.lower && i.lower <= f.median && f.median <= i.upper && i.upper <= high
            );
        }
    };
    within(ForecastTarget::PerformanceScore, 0.0, 100.0);
    within(ForecastTarget::Column(host::CPU_UTILIZATION), 0.0, 1.0);
    within(ForecastTarget::Column(host::DISK_READ), 0.0, f64::MAX);
}

#[test]
fn waiting_forecasts_are_bounded() {
    let mut forecaster = fitted(&autoregression(800, 0.6, 4), 360);
    let size = forecaster.to_bytes().unwrap().len();
    for i in 800..2_000 {
        forecaster.observe(&sample(i, 50.0)).unwrap();
    }
    // Each horizon: two rings of scores, a ring of hits, at most forty waiting forecasts, and what came after each
    // moment. Each step ahead: a moment's value and its leaves.
    let horizon = forecaster.grid.len() * (500 * 17 + 40 * 160 + 1_200 * 8);
    let bound = size + horizon + 1_200 * 8 + 360 * (16 + 20 * 4);
    assert!(forecaster.to_bytes().unwrap().len() < bound);
}

#[test]
fn unusable_parameters_cannot_be_built() {
    let b = ForestForecasterTrainer::builder;
    assert!(b().trees(0).build().is_err());
    assert!(b().lags(1).build().is_err());
    assert!(b().lags(WINDOW + 1).build().is_err());
    assert!(b().level(1.0).build().is_err());
    assert!(b().level(f64::NAN).build().is_err());
    assert!(b().min_leaf(0).build().is_err());
    assert!(b().moments(99).build().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_comes_the_median_lies_within_a_finite_interval(
        values in proptest::collection::vec(
            prop_oneof![8 => -9.0..9.0f64, 1 => Just(0.0), 1 => Just(f64::MAX), 1 => Just(-1e299), 1 => Just(f64::NAN)], 0..120),
        horizon in 1..15_usize,
    ) {
        let mut forecaster = fitted(&autoregression(100, 0.6, 30), horizon);
        for (i, &v) in values.iter().enumerate() {
            forecaster.observe(&sample(100 + i, v)).unwrap();
            if let Ok(forecasts) = forecaster.forecast(horizon) {
                prop_assert_eq!(forecasts.len(), horizon);
                for f in forecasts {
                    let i = f.interval;
                    prop_assert!(i.lower <= f.median && f.median <= i.upper, "{f:?}");
                    prop_assert!(i.lower.is_finite() && i.upper.is_finite(), "{f:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_forecaster(seed in any::<u64>()) {
        let frame = frame_of(&autoregression(80, 0.6, seed));
        let trainer = ForestForecasterTrainer::builder().trees(8).seed(seed).build().unwrap();
        let bytes = || trainer.fit(&frame, ForecastTarget::Column(0), 5).unwrap().to_bytes().unwrap();
        prop_assert_eq!(bytes(), bytes());
    }
}
