//! Nothing that comes later plays a part, and the forest sees the same while it learns and while it predicts.

use super::*;

#[test]
fn predictions_get_exactly_the_lags_that_were_trained_on() {
    // With one moment per leaf and no noise, a forest that saw this very window must give what followed it. Were
    // lags reversed, shifted or counted differently when predicting, another window would answer.
    let mut rng = Pcg64Mcg::seed_from_u64(12);
    let cycle: Vec<f64> = (0..37).map(|_| rng.random::<f64>()).collect();
    let values: Vec<f64> = (0..600).map(|i| cycle[i % 37]).collect();
    let mut forecaster = fitted(&values, 5);
    let mut error: f64 = 0.0;
    for i in 600..700 {
        forecaster.observe(&sample(i, cycle[i % 37])).unwrap();
        for f in forecaster.forecast(5).unwrap() {
            error = error.max((f.median - cycle[(i + f.step) % 37]).abs());
        }
    }
    assert!(error < 1e-9, "{error}");
}

#[test]
fn inputs_while_streaming_are_the_inputs_of_training() {
    let frame = ragged_frame(500, 4);
    let target = ForecastTarget::Column(0);
    let mut forecaster = trainer().fit_forest(&frame, target, 3).unwrap();
    forecaster.reset_lags();
    let history = training::History::new(&frame, target, forecaster.interval);
    let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let mut compared = 0;
    for (row, (time, values)) in frame.rows().enumerate() {
        forecaster.observe(&Sample::new(time, values.to_vec())).unwrap();
        if values[0].is_nan() || forecaster.forecast(1).is_err() {
            continue;
        }
        let mut expected = Vec::new();
        history.append_inputs(row, 10, &[1], &mut Vec::new(), &mut expected);
        assert_eq!(bits(forecaster.inputs_now()), bits(&expected), "row {row}");
        compared += 1;
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn forecasts_of_held_out_rows_hang_on_nothing_that_comes_after() {
    let target = ForecastTarget::Column(0);
    let interval = overseer_core::Span::from_millis(STEP);
    // Bounds and median of all held-out forecasts in the order of their truths, with the step each was due at.
    let issued = |frame: &Frame| {
        let history = training::History::new(frame, target, interval);
        let mut all = Vec::new();
        training::evaluate(trainer().settings, &history, target, 10, interval, |issued, _| {
            all.push((issued.due, issued.lower, issued.raw.median, issued.upper));
        })
        .unwrap();
        all
    };
    let values = autoregression(500, 0.6, 7);
    let full = issued(&frame_of(&values));
    for k in [400, 440, 480] {
        let mut other = values.clone();
        other[k..].iter_mut().for_each(|v| *v = 1_000.0 - 3.0 * *v);
        let other = issued(&frame_of(&other));
        // Steps are counted from the first row the stream took in, as many from the end in both.
        let last = full.iter().map(|f| f.0).max().unwrap();
        let due_before = |f: &&(u64, f64, f64, f64)| f.0 + (500 - k as u64) <= last;
        let (before, same): (Vec<_>, Vec<_>) =
            (full.iter().filter(due_before).collect(), other.iter().filter(due_before).collect());
        assert!(before.len() > 100, "{}", before.len());
        assert_eq!(before, same, "rows from {k} on changed");
        assert_ne!(full, other, "and they do count for what is due behind them");
    }
}

#[test]
fn a_forecast_hangs_neither_on_what_comes_after_nor_on_being_asked_before() {
    let values = autoregression(500, 0.6, 7);
    // A forecaster that goes on is compared with one that stops; what it said stays said.
    let mut going_on = fitted(&values[..300], 10);
    let mut said = Vec::new();
    for (i, &v) in values.iter().enumerate().skip(300) {
        going_on.observe(&sample(i, v)).unwrap();
        said.push(going_on.forecast(10).unwrap());
    }
    let mut silent = fitted(&values[..300], 10);
    for (i, &v) in values.iter().enumerate().take(400).skip(300) {
        silent.observe(&sample(i, v)).unwrap();
    }
    assert_eq!(silent.forecast(10).unwrap(), said[99]);
}
