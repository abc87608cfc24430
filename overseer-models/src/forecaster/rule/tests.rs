use super::*;
use crate::file;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;

const STEP: i64 = 5_000;

fn at(i: usize) -> Timestamp {
    Timestamp::from_millis(STEP * i as i64)
}

fn frame_of(values: &[f64]) -> Frame {
    let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
    for (i, &v) in values.iter().enumerate() {
        frame.push_row(at(i), &[v]).unwrap();
    }
    frame
}

fn fitted(rule: Rule, values: &[f64], horizon: usize) -> RuleForecaster {
    let trainer = RuleForecasterTrainer::builder(rule).build().unwrap();
    trainer.fit_rule(&frame_of(values), ForecastTarget::Column(0), horizon).unwrap()
}

fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    (0..n).map(|_| rng.sample::<f64, _>(StandardNormal)).collect()
}

fn rules() -> [Rule; 3] {
    [Rule::LastValue, Rule::Median(10), Rule::Before(Span::from_secs(60))]
}

#[test]
fn each_rule_says_what_it_is_called() {
    let mut values: Vec<f64> = (0..200).map(|i| (i % 12) as f64).collect();
    values[199] = 50.0;
    let medians = |rule| {
        let forecasts = fitted(rule, &values, 14).forecast(14).unwrap();
        forecasts.iter().map(|f| f.median).collect::<Vec<_>>()
    };
    assert_eq!(medians(Rule::LastValue), [50.0; 14]);
    // The newest five are 3, 4, 5, 6 and 50.
    assert_eq!(medians(Rule::Median(5)), [5.0; 14]);
    // A minute is twelve steps; the thirteenth value to come is that of the first.
    let expected = [8.0, 9.0, 10.0, 11.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 50.0, 8.0, 9.0];
    assert_eq!(medians(Rule::Before(Span::from_secs(60))), expected);
}

#[test]
fn intervals_hold_nine_in_ten_truths() {
    let values = noise(3_000, 4);
    for rule in rules() {
        let mut forecaster = fitted(rule, &values[..1_500], 8);
        let (mut held, mut checks) = (0.0, 0.0);
        for i in 1_500..2_990 {
            let sample = Sample::new(at(i), vec![values[i]]);
            forecaster.observe(&sample).unwrap();
            for f in forecaster.forecast(8).unwrap() {
                checks += 1.0;
                held += f64::from(u8::from(f.interval.contains(values[i + f.step])));
            }
        }
        let share = held / checks;
        assert!((0.87..=0.93).contains(&share), "{rule:?}: {share}");
        let stated = forecaster.forecast(1).unwrap()[0].coverage.unwrap().get();
        assert!((0.86..=0.94).contains(&stated), "{rule:?}: {stated}");
    }
}

#[test]
fn a_forecast_hangs_on_nothing_that_comes_after_and_streaming_equals_fitting() {
    let values = noise(400, 5);
    for rule in rules() {
        let whole = fitted(rule, &values, 10);
        let mut grown = fitted(rule, &values[..300], 10);
        for (i, &v) in values.iter().enumerate().skip(300) {
            grown.observe(&Sample::new(at(i), vec![v])).unwrap();
        }
        assert_eq!(whole.forecast(10).unwrap(), grown.forecast(10).unwrap(), "{rule:?}");
        let mut other = values.clone();
        other[350..].fill(1e6);
        let mut changed = fitted(rule, &other[..300], 10);
        let mut same = fitted(rule, &values[..300], 10);
        for i in 300..350 {
            changed.observe(&Sample::new(at(i), vec![other[i]])).unwrap();
            same.observe(&Sample::new(at(i), vec![values[i]])).unwrap();
        }
        assert_eq!(changed.forecast(10).unwrap(), same.forecast(10).unwrap(), "{rule:?}");
    }
}

#[test]
fn gaps_and_missing_values_are_borne_as_the_forest_bears_them() {
    let mut values = noise(300, 6);
    values[250] = f64::NAN;
    for rule in rules() {
        let forecaster = fitted(rule, &values, 10);
        let mut missing = forecaster.clone();
        for i in 300..303 {
            missing.observe(&Sample::new(at(i), vec![f64::NAN])).unwrap();
            assert!(missing.forecast(10).unwrap().iter().all(|f| f.median.is_finite()));
        }
        missing.observe(&Sample::new(at(303), vec![f64::NAN])).unwrap();
        assert!(missing.forecast(1).unwrap_err().is_not_enough_data());
        let mut gap = forecaster.clone();
        gap.observe(&Sample::new(at(900), vec![1.0])).unwrap();
        assert_eq!(gap.forecast(1).is_ok(), !matches!(rule, Rule::Before(_)), "{rule:?}");
        let infinite = Sample::new(at(301), vec![f64::INFINITY]);
        assert!(gap.observe(&infinite).unwrap_err().is_invalid_input());
    }
}

#[test]
fn what_cannot_be_fitted_is_an_error() {
    let build = |rule| RuleForecasterTrainer::builder(rule).build();
    assert!(build(Rule::Median(0)).is_err() && build(Rule::Median(WIDEST + 1)).is_err());
    assert!(build(Rule::Before(Span::default())).is_err());
    assert!(RuleForecasterTrainer::builder(Rule::LastValue).level(f64::NAN).build().is_err());
    let frame = frame_of(&noise(60, 1));
    let fit = |rule, horizon| {
        build(rule).unwrap().fit(&frame, ForecastTarget::Column(0), horizon).map(|_| ())
    };
    assert_eq!(build(Rule::LastValue).unwrap().min_rows(14), 60);
    assert!(fit(Rule::LastValue, 14).is_ok());
    assert!(fit(Rule::LastValue, 15).unwrap_err().is_not_enough_data());
    assert!(fit(Rule::LastValue, 0).unwrap_err().is_invalid_input());
    assert!(fit(Rule::Before(Span::from_secs(3600)), 1).unwrap_err().is_not_enough_data());
    assert!(fit(Rule::Before(Span::from_secs(1)), 1).is_err(), "shorter than a step");
}

#[test]
fn a_stored_rule_goes_on_where_it_stopped_and_damage_is_refused_or_harmless() {
    let values = noise(260, 7);
    for rule in rules() {
        let mut stored = fitted(rule, &values[..200], 10);
        let bytes = stored.to_bytes().unwrap();
        let trainer = RuleForecasterTrainer::builder(Rule::LastValue).build().unwrap();
        let schema = stored.schema().clone();
        let mut loaded = trainer.load(&bytes, &schema).unwrap();
        assert_eq!(loaded.to_bytes().unwrap(), bytes);
        assert_eq!(loaded.metadata(), stored.metadata());
        for (i, &v) in values.iter().enumerate().skip(200) {
            stored.observe(&Sample::new(at(i), vec![v])).unwrap();
            loaded.observe(&Sample::new(at(i), vec![v])).unwrap();
        }
        assert_eq!(loaded.forecast(10).unwrap(), stored.forecast(10).unwrap());

        let (_, payload) = file::decode(&bytes, "rule_forecaster", &schema).unwrap();
        for i in (0..payload.len()).step_by(5) {
            assert!(super::store::read_payload(&payload[..i], &schema).is_err());
            for number in [f64::MAX, -1e299, f64::MIN_POSITIVE, f64::NAN] {
                let mut damaged = payload.to_vec();
                let end = (i + 8).min(damaged.len());
                damaged[i..end].copy_from_slice(&number.to_le_bytes()[..end - i]);
                if let Ok(mut read) = super::store::read_payload(&damaged, &schema) {
                    for step in 0..4 {
                        read.observe(&Sample::new(at(200 + step), vec![0.5])).unwrap();
                        let _ = read.forecast(read.max_horizon().min(50));
                    }
                }
            }
        }
    }
}
