//! What is stored goes on where it stopped, and damage is found.

use super::*;

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
