//! Missing values and lost time.

use super::*;

#[test]
fn a_gap_or_more_than_three_missing_targets_restart_the_lags() {
    let values = autoregression(200, 0.6, 4);
    let forecaster = fitted(&values, 10);
    // Three steps are no gap; more are, and so is a step back in time.
    let mut near = forecaster.clone();
    near.observe(&sample(202, 50.0)).unwrap();
    assert!(near.forecast(1).is_ok());
    for at in [203, 150] {
        let mut broken = forecaster.clone();
        broken.observe(&sample(at, 50.0)).unwrap();
        for i in 1..10 {
            assert!(broken.forecast(1).unwrap_err().is_not_enough_data(), "{i} after {at}");
            broken.observe(&sample(at + i, 50.0)).unwrap();
        }
        assert!(broken.forecast(1).is_ok(), "after {at}");
    }
    // Three missing values are borne, rows without a value and lost rows alike.
    let mut missing = forecaster.clone();
    for i in [200, 202] {
        missing.observe(&sample(i, f64::NAN)).unwrap();
        assert!(missing.forecast(1).is_ok());
    }
    let mut back = missing.clone();
    back.observe(&sample(203, 50.0)).unwrap();
    assert!(back.forecast(1).is_ok());
    missing.observe(&sample(203, f64::NAN)).unwrap();
    assert!(missing.forecast(1).unwrap_err().is_not_enough_data());
    let mut reset = forecaster.boxed_clone();
    reset.reset_lags();
    assert!(reset.forecast(1).unwrap_err().is_not_enough_data());
}

#[test]
fn missing_cells_and_lost_rows_cost_little() {
    // A rhythm of 37 steps; one in ten cells is missing, and one in twenty rows.
    let mut rng = Pcg64Mcg::seed_from_u64(6);
    let truth = |i: usize| 10.0 * (std::f64::consts::TAU * i as f64 / 37.0).sin();
    let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
    let mut rows = Vec::new();
    for i in 0..900 {
        let value = if rng.random_bool(0.1) { f64::NAN } else { truth(i) };
        if !rng.random_bool(0.05) {
            rows.push((i, value));
        }
    }
    for &(i, value) in rows.iter().filter(|r| r.0 < 600) {
        frame.push_row(Timestamp::from_millis(STEP * i as i64), &[value]).unwrap();
    }
    let mut forecaster = trainer().fit_forest(&frame, ForecastTarget::Column(0), 10).unwrap();
    let (mut asked, mut answered, mut error) = (0, 0, 0.0);
    for &(i, value) in rows.iter().filter(|r| r.0 >= 600) {
        forecaster.observe(&sample(i, value)).unwrap();
        asked += 1;
        if let Ok(forecasts) = forecaster.forecast(10) {
            answered += 1;
            // At a missing value the forecast starts from the last known one.
            if !value.is_nan() {
                error +=
                    forecasts.iter().map(|f| (f.median - truth(i + f.step)).abs()).sum::<f64>()
                        / 10.0;
            }
        }
    }
    assert!(answered * 10 >= asked * 9, "{answered} of {asked}");
    assert!(error / f64::from(answered) < 0.5, "{}", error / f64::from(answered));
}

#[test]
fn nothing_is_learned_across_a_gap() {
    // A saw-tooth that a long pause shifts: pairs across the pause would teach that 4 is followed by 100.
    let tooth = |i: usize| (i % 5) as f64;
    let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
    for i in 0..400 {
        let pause = 1_000 * (i / 20);
        let level = 100.0 * (i / 20 % 2) as f64;
        let time = Timestamp::from_millis(STEP * (i + pause) as i64);
        frame.push_row(time, &[level + tooth(i)]).unwrap();
    }
    let forecaster = trainer().fit_forest(&frame, ForecastTarget::Column(0), 2).unwrap();
    for f in forecaster.forecast(2).unwrap() {
        assert!((f.median - (100.0 + tooth(399 + f.step))).abs() < 1.0, "{f:?}");
        assert!(f.interval.lower > 90.0, "{f:?}");
    }
}
