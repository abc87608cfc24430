//! What the builder changes.

use super::*;

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
