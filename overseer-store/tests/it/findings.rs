//! Findings in and out: equal in every field.

use crate::contents::{anomaly, at, open, p, pattern, prediction};
use crate::metrics::value;
use overseer_core::{
    AnomalyDetection, ChangeKind, ChangePoint, Crossing, FeatureEvidence, FeatureValue, Interval,
    PatternAnalysis, PatternType, Periodicity, Prediction, PredictionType, RobustSlope, Severity,
    Span, Store, Timestamp, Trend,
};
use proptest::prelude::*;
use std::fmt::Debug;

#[test]
fn findings_come_back_whole_and_the_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    store.record(&[anomaly(0), anomaly(5)], &[prediction(0)], &[pattern(0)]).unwrap();
    store.record(&[anomaly(3)], &[prediction(5)], &[pattern(5)]).unwrap();
    drop(store);

    let mut store = open(&path);
    assert_eq!(store.anomalies(9).unwrap(), [anomaly(5), anomaly(3), anomaly(0)]);
    assert_eq!(store.anomalies(1).unwrap(), [anomaly(5)]);
    assert_eq!(store.predictions(9).unwrap(), [prediction(5), prediction(0)]);
    assert_eq!(store.patterns(usize::MAX).unwrap(), [pattern(5), pattern(0)]);
    let counts = store.counts().unwrap();
    assert_eq!((counts.anomalies, counts.predictions, counts.patterns), (3, 2, 2));
}

#[test]
fn findings_of_a_span_of_time_are_those_of_it_and_the_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    for secs in [30, 0, 10, 20] {
        store.record(&[anomaly(secs)], &[prediction(secs)], &[pattern(secs)]).unwrap();
    }
    let found = store.anomalies_between(at(10), at(20), 9).unwrap();
    assert_eq!(found, [anomaly(20), anomaly(10)]);
    let found = store.predictions_between(at(0), at(29), 2).unwrap();
    assert_eq!(found, [prediction(20), prediction(10)]);
    assert_eq!(store.patterns_between(at(30), at(30), 9).unwrap(), [pattern(30)]);
    assert!(store.patterns_between(at(31), at(0), 9).unwrap().is_empty());
}

#[test]
fn among_findings_of_one_time_the_last_recorded_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let mut far = prediction(0);
    far.horizon = Span::from_secs(60);
    store.record(&[], &[prediction(0), far.clone()], &[]).unwrap();
    assert_eq!(store.predictions(9).unwrap(), [far, prediction(0)]);
}

#[test]
fn a_person_can_ask_the_columns_without_reading_json() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut unknown = anomaly(5);
    unknown.p_value = f64::NAN;
    open(&path).record(&[anomaly(0), unknown], &[prediction(0)], &[pattern(0)]).unwrap();
    let person = rusqlite::Connection::open(&path).unwrap();
    let count = |sql: &str| person.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM anomalies WHERE severity = 'high' AND score > 0.8"), 2);
    assert_eq!(count("SELECT count(*) FROM anomalies WHERE p_value IS NULL"), 1);
    assert_eq!(
        count("SELECT horizon_ms FROM predictions WHERE value BETWEEN lower AND upper"),
        30_000
    );
    assert_eq!(count("SELECT period_ms FROM patterns WHERE pattern_type = 'periodic'"), 3_600_000);
    // What stands in lists is worded in `texts`.
    let about = "SELECT count(*) FROM anomalies JOIN texts ON features LIKE char(9) || text_id || char(9) || '%' \
                 WHERE text LIKE '%\"feature\":\"cpu\"%'";
    assert_eq!(count(about), 2);
}

#[test]
fn numbers_missing_where_json_has_no_word_for_them_do_not_spoil_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let nan = f64::NAN;
    let mut a = anomaly(0);
    a.score = nan;
    a.features = vec![FeatureEvidence::new("cpu", nan, (nan, 1.0), nan)];
    let mut x = prediction(0);
    (x.value, x.interval.lower, x.interval.upper) = (nan, nan, f64::INFINITY);
    let mut q = pattern(0);
    q.pattern_strength = nan;
    q.periodicity = Some(Periodicity::new(Span::from_secs(1), nan));
    q.trend = Some(Trend::new(vec![nan, 1.0], nan, nan, nan));
    q.change_points = vec![ChangePoint::new(at(0), nan, 1.0)];
    store.record(&[a.clone()], &[x.clone()], &[q.clone()]).unwrap();
    same(&store.anomalies(1).unwrap(), &[a]);
    same(&store.predictions(1).unwrap(), &[x]);
    same(&store.patterns(1).unwrap(), &[q]);
}

#[test]
fn a_row_that_was_edited_wrongly_is_reported_with_its_column() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    store.record(&[anomaly(0)], &[prediction(0)], &[pattern(0)]).unwrap();
    let person = rusqlite::Connection::open(&path).unwrap();
    let edit = |sql: &str| assert_eq!(person.execute(sql, []).unwrap(), 1);
    for (sql, column) in [
        ("UPDATE anomalies SET severity = 'dreadful'", "severity"),
        ("UPDATE anomalies SET severity = 'high', confidence = 2", "confidence"),
        ("UPDATE anomalies SET confidence = 1, features = '[{'", "features"),
    ] {
        edit(sql);
        let e = store.anomalies(9).unwrap_err();
        assert!(e.is_corrupt() && e.to_string().contains(&format!("column `{column}`")), "{e}");
    }
    edit("UPDATE predictions SET prediction_type = 'weather'");
    assert!(store.predictions(9).unwrap_err().to_string().contains("weather"));
    edit("UPDATE patterns SET points = -1");
    assert!(store.patterns(9).unwrap_err().is_corrupt());
}

/// NaN is not equal to itself, but prints the same.
fn same<T: Debug>(a: &[T], b: &[T]) {
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(any::<String>(), 0..3)
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn share() -> impl Strategy<Value = overseer_core::Probability> {
    (0.0..=1.0).prop_map(p)
}

prop_compose! {
    fn any_anomaly()(
        when in time(),
        severity in 0..4_usize,
        numbers in (value(), value()),
        is_anomaly: bool,
        confidence in share(),
        description: String,
        actions in texts(),
        features in prop::collection::vec((any::<String>(), value(), value(), value(), value()), 0..4),
        change in prop::option::of((0..ChangeKind::ALL.len(), prop::option::of(time()))),
    ) -> AnomalyDetection {
        let severity = [Severity::None, Severity::Medium, Severity::High, Severity::Critical][severity];
        let mut a = AnomalyDetection::new(when, severity, numbers.0, numbers.1);
        (a.is_anomaly, a.confidence) = (is_anomaly, confidence);
        (a.description, a.suggested_actions) = (description, actions);
        a.features = features
            .into_iter()
            .map(|(name, observed, low, high, c)| {
                let evidence = FeatureEvidence::new(name, observed, (low, high), c);
                match change {
                    Some((kind, since)) => evidence.changed(ChangeKind::ALL[kind], since),
                    None => evidence,
                }
            })
            .collect();
        a
    }
}

prop_compose! {
    fn any_prediction()(
        when in time(),
        name in prop::option::of(any::<String>()),
        numbers in (value(), value(), value()),
        chances in (share(), share()),
        horizon in 0..i64::MAX,
        explanation: String,
        recommendations in texts(),
        features in prop::collection::vec((any::<String>(), value()), 0..4),
    ) -> Prediction {
        let kind = name.map_or(PredictionType::PerformanceScore, PredictionType::Feature);
        let mut interval = Interval::new(0.0, 0.0, chances.0);
        (interval.lower, interval.upper) = (numbers.0, numbers.1);
        let mut x = Prediction::new(kind, numbers.2, interval, Span::from_millis(horizon), when);
        (x.confidence, x.explanation, x.recommendations) = (chances.1, explanation, recommendations);
        x.features = features.into_iter().map(|(n, v)| FeatureValue::new(n, v)).collect();
        x
    }
}

/// A number that is known, or none.
fn known() -> impl Strategy<Value = Option<f64>> {
    value().prop_map(|x| (!x.is_nan()).then_some(x))
}

prop_compose! {
    fn any_rhythm()(
        period in 0..i64::MAX,
        strength in value(),
        p_value in known(),
        peak in prop::option::of(time()),
    ) -> Periodicity {
        let mut rhythm = Periodicity::new(Span::from_millis(period), strength);
        (rhythm.p_value, rhythm.peak) = (p_value, peak);
        rhythm
    }
}

prop_compose! {
    fn any_change()(
        when in time(),
        levels in (value(), value()),
        kind in 0..ChangeKind::ALL.len(),
        sizes in prop::option::of((value(), value())),
        p_value in known(),
    ) -> ChangePoint {
        let mut change = ChangePoint::new(when, levels.0, levels.1);
        (change.kind, change.sizes, change.p_value) = (ChangeKind::ALL[kind], sizes, p_value);
        change
    }
}

prop_compose! {
    fn any_pattern()(
        kind in 0..4_usize,
        strength in value(),
        confidence in share(),
        window in (time(), time()),
        rhythms in prop::collection::vec(any_rhythm(), 0..4),
        volatility in known(),
        trend in prop::option::of((prop::collection::vec(value(), 0..4), value(), value(), value())),
        robust in prop::option::of((value().prop_filter("a slope", |x| !x.is_nan()), value(), value(), value())),
        crossing in prop::option::of((value(), time(), time(), prop::option::of(time()))),
        features in texts(),
        insights in texts(),
        changes in prop::collection::vec(any_change(), 0..3),
        points in 0..usize::MAX / 2,
    ) -> PatternAnalysis {
        let kind = [PatternType::Stable, PatternType::Trending, PatternType::Volatile, PatternType::Periodic][kind];
        let mut x = PatternAnalysis::new("", kind, strength, confidence);
        let mut rhythms = rhythms.into_iter();
        x.periodicity = rhythms.next();
        x.further_rhythms = rhythms.collect();
        x.volatility = volatility;
        x.trend = trend.map(|(c, slope, r, p)| {
            let mut trend = Trend::new(c, slope, r, p);
            trend.robust = robust.map(|(slope, low, high, p)| RobustSlope::new(slope, (low, high), p));
            trend.crossing = crossing.map(|(limit, at, from, to)| Crossing::new(limit, at, from, to));
            trend
        });
        (x.features, x.insights, x.window, x.points) = (features, insights, window, points);
        x.change_points = changes;
        x
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_finding_reads_back_equal_to_what_was_recorded(
        a in any_anomaly(),
        x in any_prediction(),
        q in any_pattern(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(&dir.path().join("overseer.db"));
        store.record(std::slice::from_ref(&a), std::slice::from_ref(&x), std::slice::from_ref(&q)).unwrap();
        same(&store.anomalies(1).unwrap(), &[a]);
        same(&store.predictions(1).unwrap(), &[x]);
        same(&store.patterns(1).unwrap(), &[q]);
    }
}

#[test]
fn a_time_to_full_and_a_driver_come_back_also_where_no_end_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let mut of_var = prediction(5);
    of_var.prediction_type = PredictionType::TimeToFull {
        feature: "system.filesystem.utilization".into(),
        instance: "/var".into(),
    };
    of_var.value = f64::NAN;
    of_var.interval = Interval::at_least(3600.0, p(0.8));
    let mut driven = prediction(6);
    driven.driver = Some("system.memory.utilization".into());
    store.record(&[], &[of_var.clone(), driven.clone()], &[]).unwrap();
    assert_eq!(store.predictions(9).unwrap(), [driven, of_var]);
}
