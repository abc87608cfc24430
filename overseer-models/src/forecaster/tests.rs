use super::*;
use crate::forecaster::inputs::WINDOW;
use overseer_core::{Sample, Timestamp, host};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;

const STEP: i64 = 5_000;

fn frame_of(values: &[f64]) -> Frame {
    let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
    for (i, &v) in values.iter().enumerate() {
        frame.push_row(Timestamp::from_millis(STEP * i as i64), &[v]).unwrap();
    }
    frame
}

fn sample(i: usize, value: f64) -> Sample {
    Sample::new(Timestamp::from_millis(STEP * i as i64), vec![value])
}

fn trainer() -> ForestForecasterTrainer {
    ForestForecasterTrainer::builder().trees(20).seed(5).build().unwrap()
}

fn fitted(values: &[f64], horizon: usize) -> ForestForecaster {
    trainer().fit_forest(&frame_of(values), ForecastTarget::Column(0), horizon).unwrap()
}

/// A first-order autoregression around 50 with normal noise of deviation 1.
fn autoregression(n: usize, phi: f64, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut x = 0.0;
    (0..n)
        .map(|_| {
            x = phi * x + rng.sample::<f64, _>(StandardNormal);
            50.0 + x
        })
        .collect()
}

/// A host whose CPU follows a rhythm of 48 steps with noise that grows with it, and memory that saws.
fn host_frame(n: usize, seed: u64) -> Frame {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut frame = Frame::new(host::schema());
    for i in 0..n {
        let wave = (std::f64::consts::TAU * i as f64 / 48.0).sin();
        let cpu =
            0.4 + 0.2 * wave + (0.02 + 0.02 * (1.0 + wave)) * rng.sample::<f64, _>(StandardNormal);
        let mut row = vec![f64::NAN; host::schema().len()];
        row[host::CPU_UTILIZATION] = cpu.clamp(0.0, 1.0);
        row[host::LOAD_PER_CORE] = (1.5 * cpu).max(0.0);
        row[host::MEMORY_UTILIZATION] = 0.3 + 0.001 * (i % 100) as f64;
        row[host::NETWORK_RECEIVE] = 1e6 * rng.random::<f64>();
        frame.push_row(Timestamp::from_millis(STEP * i as i64), &row).unwrap();
    }
    frame
}

/// Errors of median and of last value, and the share of truths within the interval, over forecasts from each row on.
fn backtest(
    frame: &Frame,
    target: ForecastTarget,
    train: usize,
    horizon: usize,
) -> (f64, f64, f64) {
    let mut forecaster = trainer().fit_forest(&frame.slice(0, train), target, horizon).unwrap();
    let values: Vec<f64> = frame.rows().map(|(_, r)| super::target::value(target, r)).collect();
    let (mut error, mut last_error, mut hits, mut checks) = (0.0, 0.0, 0.0, 0.0);
    for t in train..frame.len() - horizon {
        forecaster.observe(&Sample::new(frame.timestamps()[t], frame.row(t).to_vec())).unwrap();
        for f in forecaster.forecast(horizon).unwrap() {
            let truth = values[t + f.step];
            error += (truth - f.median).abs();
            last_error += (truth - values[t]).abs();
            hits += f64::from(u8::from(f.interval.contains(truth)));
            checks += 1.0;
        }
    }
    (error / checks, last_error / checks, hits / checks)
}

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

/// A frame of two columns with missing cells, lost rows and gaps.
fn ragged_frame(n: usize, seed: u64) -> Frame {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut frame = Frame::new(Schema::from_names(["x", "y"]).unwrap());
    let mut step = 0;
    for (i, v) in autoregression(n, 0.6, seed).into_iter().enumerate() {
        step += if i % 150 == 149 { 9 } else { 1 + i64::from(rng.random_bool(0.05)) };
        let x = if rng.random_bool(0.05) || i % 190 < 4 { f64::NAN } else { v };
        frame.push_row(Timestamp::from_millis(STEP * step), &[x, rng.random::<f64>()]).unwrap();
    }
    frame
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
fn a_loaded_forecaster_goes_on_where_the_stored_one_stopped() {
    let frame = host_frame(400, 8);
    let target = ForecastTarget::PerformanceScore;
    let mut stored = trainer().fit_forest(&frame.slice(0, 300), target, 40).unwrap();
    let observe = |f: &mut ForestForecaster, rows: std::ops::Range<usize>| {
        for t in rows {
            f.observe(&Sample::new(frame.timestamps()[t], frame.row(t).to_vec())).unwrap();
        }
    };
    observe(&mut stored, 300..350);
    let bytes = stored.to_bytes().unwrap();
    let mut loaded = trainer().load_forest(&bytes, frame.schema()).unwrap();
    assert_eq!(loaded.forecast(40).unwrap(), stored.forecast(40).unwrap());
    assert_eq!(loaded.metadata().trained_on, stored.metadata().trained_on);
    assert_eq!(loaded.metadata().quality.len(), stored.metadata().quality.len());
    observe(&mut stored, 350..400);
    observe(&mut loaded, 350..400);
    assert_eq!(loaded.forecast(40).unwrap(), stored.forecast(40).unwrap());
    assert_eq!(store::payload(&loaded).unwrap(), store::payload(&stored).unwrap());
    let other = Schema::from_names(["x"]).unwrap();
    assert!(trainer().load(&bytes, &other).unwrap_err().is_schema_mismatch());
}

#[test]
fn a_damaged_payload_is_refused_or_answers_without_panic() {
    let forecaster = fitted(&autoregression(60, 0.6, 4), 3);
    let schema = forecaster.schema().clone();
    let payload = store::payload(&forecaster).unwrap();
    for i in (0..payload.len()).step_by(7) {
        assert!(store::read_payload(&payload[..i], &schema).is_err());
        // A flipped bit, and the largest numbers of either sign in place of eight bytes.
        let mut flipped = payload.clone();
        flipped[i] ^= 1 << (i % 8);
        let mut damages = vec![flipped];
        for number in [f64::MAX, -f64::MAX, 1e299, f64::MIN_POSITIVE, f64::NAN] {
            let mut damaged = payload.clone();
            let end = (i + 8).min(payload.len());
            damaged[i..end].copy_from_slice(&number.to_le_bytes()[..end - i]);
            damages.push(damaged);
        }
        for damaged in damages {
            if let Ok(mut read) = store::read_payload(&damaged, &schema) {
                read.look().unwrap();
                let _ = read.forecast(read.max_horizon());
                for step in 0..12 {
                    read.observe(&sample(60 + step, 50.0)).unwrap();
                    let _ = read.forecast(read.max_horizon());
                }
            }
        }
    }
}

#[test]
fn stored_numbers_that_would_overflow_are_refused() {
    let forecaster = fitted(&autoregression(60, 0.6, 4), 3);
    let schema = forecaster.schema().clone();
    let payload = store::payload(&forecaster).unwrap();
    let replaced = |from: f64, to: f64| {
        let at = payload.windows(8).enumerate().filter(|w| w.1 == from.to_le_bytes());
        let places: Vec<usize> = at.map(|w| w.0).collect();
        assert!(!places.is_empty());
        places
            .into_iter()
            .filter(|&at| {
                let mut changed = payload.clone();
                changed[at..at + 8].copy_from_slice(&to.to_le_bytes());
                store::read_payload(&changed, &schema).is_ok()
            })
            .count()
    };
    // The newest value is stored among the lags, the moments that wait, the targets and the forecasts issued at it.
    let newest = autoregression(60, 0.6, 4)[59];
    assert!(replaced(newest, 51.0) > 0);
    for beyond in [1e303, -1e303, f64::MAX, f64::MIN, f64::INFINITY] {
        assert_eq!(replaced(newest, beyond), 0, "{beyond}");
    }
    // Version, settings and target lie before the horizon; interval and step count lie behind it.
    let horizon_at = 4 + 8 * 6 + 3 + 1 + 8;
    assert_eq!(payload[horizon_at..horizon_at + 8], 3_u64.to_le_bytes());
    for horizon in [0, 1 << 20, 1 << 40, u64::MAX] {
        let mut changed = payload.clone();
        changed[horizon_at..horizon_at + 8].copy_from_slice(&u64::to_le_bytes(horizon));
        assert!(store::read_payload(&changed, &schema).unwrap_err().is_corrupt(), "{horizon}");
    }
    for (at, what) in [(horizon_at + 8, "a negative interval"), (horizon_at + 16, "a step count")] {
        let mut changed = payload.clone();
        changed[at..at + 8].copy_from_slice(&(-5_000_i64).to_le_bytes());
        assert!(store::read_payload(&changed, &schema).unwrap_err().is_corrupt(), "{what}");
    }
    let mut newer = payload.clone();
    newer[0] = 9;
    assert!(store::read_payload(&newer, &schema).unwrap_err().to_string().contains("version 9"));
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

#[test]
fn a_fixed_seed_gives_these_numbers() {
    let forecasts = fitted(&autoregression(300, 0.6, 30), 10).forecast(10).unwrap();
    let found: Vec<f64> = [0, 5, 9]
        .into_iter()
        .flat_map(|i| {
            [forecasts[i].interval.lower, forecasts[i].median, forecasts[i].interval.upper]
        })
        .collect();
    let golden = [
        49.293689195000084,
        50.34345859728019,
        52.08428256256334,
        48.012218044472675,
        49.91037954077083,
        52.23543973853338,
        47.314047655847546,
        49.74789355531004,
        51.562788316121214,
    ];
    for (f, g) in found.iter().zip(golden) {
        assert!((f - g).abs() < 1e-9, "{found:?}");
    }
}

#[test]
fn what_the_forest_is_not_to_see_changes_nothing() {
    // Another feature says what comes; without it there is nothing to go by.
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    let mut frame = Frame::new(Schema::from_names(["x", "omen"]).unwrap());
    let draws: Vec<f64> = (0..601).map(|_| rng.random::<f64>()).collect();
    for i in 0..600 {
        let time = Timestamp::from_millis(STEP * i as i64);
        frame.push_row(time, &[draws[i], draws[i + 1]]).unwrap();
    }
    let error = |seen: bool| {
        let trainer = ForestForecasterTrainer::builder().trees(20).other_features(seen);
        let forecaster =
            trainer.build().unwrap().fit_forest(&frame, ForecastTarget::Column(0), 1).unwrap();
        assert_eq!(forecaster.others.len(), usize::from(seen));
        forecaster.metadata().quality["mae"].0
    };
    let (with, without) = (error(true), error(false));
    assert!(with < 0.5 * without, "{with} {without}");

    // Without a clock the same rows at other times give the same forecast.
    let forecast = |start: i64, clock: bool| {
        let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
        for (i, v) in autoregression(900, 0.6, 8).into_iter().enumerate() {
            let hour = (i / 60 % 24) as f64;
            frame
                .push_row(Timestamp::from_millis(start + 300_000 * i as i64), &[v + hour])
                .unwrap();
        }
        let trainer = ForestForecasterTrainer::builder().trees(10).clock(clock).build().unwrap();
        trainer.fit(&frame, ForecastTarget::Column(0), 5).unwrap().forecast(5).unwrap()
    };
    let noon = 43_200_000;
    assert_eq!(forecast(0, false), forecast(noon, false));
    assert_ne!(forecast(0, true), forecast(noon, true));
}

#[test]
fn experts_that_take_no_part_do_not_answer() {
    // White noise: a median of the newest is right, and analogues are not.
    let values = autoregression(600, 0.0, 9);
    let of = |experts| {
        let trainer = ForestForecasterTrainer::builder().trees(10).experts(experts);
        trainer.build().unwrap().fit(&frame_of(&values), ForecastTarget::Column(0), 3).unwrap()
    };
    let candidates: Vec<f64> = inputs::medians(&values, &[1, 3, 5, 10, 20, 40])
        .chain([100, 288].map(|n| crate::stats::median(inputs::newest(&values, n).iter().copied())))
        .collect();
    for f in of(ExpertSet::Rules).forecast(3).unwrap() {
        assert!(candidates.contains(&f.median), "{f:?} {candidates:?}");
        assert!(f.interval.lower < f.median && f.median < f.interval.upper, "{f:?}");
    }
    let forecasts = |experts| of(experts).forecast(3).unwrap();
    assert_ne!(forecasts(ExpertSet::Analogues), forecasts(ExpertSet::Rules));
    assert_ne!(forecasts(ExpertSet::Analogues), forecasts(ExpertSet::All));
}

#[test]
fn fewer_moments_are_the_newest() {
    // A series that turned round: who learns from the newest rows only, knows no other habit.
    let values: Vec<f64> =
        (0..900).map(|i| if i < 600 { (i % 12) as f64 } else { (12 - i % 12) as f64 }).collect();
    let trainer = ForestForecasterTrainer::builder().trees(10).moments(200).build().unwrap();
    let forecaster = trainer.fit_forest(&frame_of(&values), ForecastTarget::Column(0), 3).unwrap();
    assert_eq!(forecaster.analogues.grown_on(), 200 + 3);
    for f in forecaster.forecast(3).unwrap() {
        assert_eq!(f.median, (12 - (899 + f.step) % 12) as f64, "{f:?}");
    }
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
