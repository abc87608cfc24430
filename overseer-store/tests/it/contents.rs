//! Findings with every field set, so that a field which is forgotten on the way is noticed.

use overseer_core::{
    AnomalyDetection, ChangeKind, ChangePoint, Crossing, FeatureEvidence, FeatureValue, Interval,
    ModelKind, ModelMetadata, PatternAnalysis, PatternType, Periodicity, Prediction,
    PredictionType, Probability, Quality, RobustSlope, Sample, Schema, Selection, SelectionEnd,
    Severity, Span, Standing, Timestamp, Trend,
};
use overseer_store::SqliteStore;
use std::path::Path;

pub(crate) const HOST: &str = "web-1";
pub(crate) const STEP: Span = Span::from_secs(5);

pub(crate) fn schema() -> Schema {
    Schema::from_names(["cpu", "memory", "a \"quoted\" name"]).unwrap()
}

pub(crate) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, &schema(), HOST).unwrap()
}

/// A time `secs` seconds after a fixed one.
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + 1000 * secs)
}

pub(crate) fn sample(secs: i64, values: [f64; 3]) -> Sample {
    Sample::new(at(secs), values.to_vec())
}

pub(crate) fn p(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

pub(crate) fn anomaly(secs: i64) -> AnomalyDetection {
    let mut a = AnomalyDetection::new(at(secs), Severity::High, 0.875, 0.0001);
    a.confidence = p(0.9);
    a.features = vec![
        FeatureEvidence::new("cpu", 0.99, (0.1, 0.4), 0.7),
        FeatureEvidence::new("memory", f64::NAN, (f64::NAN, f64::NAN), 0.0),
    ];
    a.description = "CPU at 99.0 %, usually 10–40 %".into();
    a.suggested_actions = vec!["Look at the busiest process".into()];
    a
}

pub(crate) fn prediction(secs: i64) -> Prediction {
    let interval = Interval::new(40.0, 60.0, p(0.9));
    let kind = PredictionType::PerformanceScore;
    let mut x = Prediction::new(kind, 50.5, interval, Span::from_secs(30), at(secs));
    x.confidence = p(0.88);
    x.features = vec![FeatureValue::new("cpu", 0.5), FeatureValue::new("memory", f64::NAN)];
    x.explanation = "Rising since noon".into();
    x.recommendations = vec!["Nothing yet".into(), "Look again".into()];
    x
}

/// What the first formats keep of a pattern.
pub(crate) fn plain_pattern(secs: i64) -> PatternAnalysis {
    let mut x = PatternAnalysis::new("cpu", PatternType::Periodic, 0.6, p(0.99));
    x.periodicity = Some(Periodicity::new(Span::from_secs(3600), 0.55));
    x.trend = Some(Trend::new(vec![0.1, 0.2, 0.3], 0.01, 0.4, 0.03));
    x.insights = vec!["Repeats every hour".into()];
    x.change_points = vec![ChangePoint::new(at(secs - 60), 0.2, 0.5)];
    x.window = (at(secs - 600), at(secs));
    x.points = 120;
    x
}

/// The same with all that is kept since.
pub(crate) fn pattern(secs: i64) -> PatternAnalysis {
    let rhythm = |period, strength, p_value, peak| {
        let mut rhythm = Periodicity::new(Span::from_secs(period), strength);
        (rhythm.p_value, rhythm.peak) = (p_value, peak);
        rhythm
    };
    let mut x = plain_pattern(secs);
    x.periodicity = Some(rhythm(3600, 0.55, Some(0.001), Some(at(secs - 100))));
    x.further_rhythms =
        vec![rhythm(86_400, 0.25, Some(0.004), Some(at(secs - 200))), rhythm(7, 0.2, None, None)];
    x.volatility = Some(0.125);
    if let Some(trend) = &mut x.trend {
        trend.robust = Some(RobustSlope::new(0.02, (0.01, 0.03), 0.002));
        let latest = Some(at(secs + 9000));
        trend.crossing = Some(Crossing::new(1.0, at(secs + 6000), at(secs + 5000), latest));
    }
    let change = ChangePoint::new(at(secs - 30), 0.5, 0.5);
    x.change_points.push(change.of_kind(ChangeKind::Trend, 0.0, 0.75));
    x.change_points[1].p_value = Some(0.0005);
    x
}

pub(crate) fn metadata(name: &str, trained: i64) -> ModelMetadata {
    let mut m = ModelMetadata::new(name, ModelKind::Forecaster, "random forest");
    m.trained_at = at(trained);
    m.trained_on = (at(trained - 3600), at(trained - 5));
    m.rows = 720;
    m.interval_ms = 5000;
    m.duration_ms = 12.5;
    m.provisional = true;
    m.schema_fingerprint = u64::MAX - 1;
    m.bytes = 54_321;
    m.set_quality("mae_ratio_to_last_value", 0.8);
    m
}

/// The same of a model that was chosen among others.
pub(crate) fn chosen_metadata(name: &str, trained: i64) -> ModelMetadata {
    let mut winner = Standing::new("short");
    winner.parameters = [("lags".to_owned(), "4".to_owned())].into();
    (winner.loss, winner.error) = (Quality(0.7), Quality(0.02));
    (winner.gain, winner.gain_error) = (Quality(0.1), Quality(0.03));
    (winner.better, winner.rungs, winner.folds) = (true, 3, 8);
    let mut failed = Standing::new("broken");
    failed.failed = Some("not enough data".to_owned());
    let mut selection = Selection::new("short", "usual", "last value");
    selection.at = at(trained + 60);
    (selection.margin, selection.margin_error) = (Quality(0.3), Quality(0.02));
    selection.seed = u64::MAX - 2;
    (selection.rows, selection.span) = (20_000, (at(trained - 3600), at(trained - 5)));
    (selection.horizon, selection.folds, selection.rungs) = (120, 8, 3);
    selection.end = SelectionEnd::Decided;
    selection.leaderboard = vec![winner, failed];
    let mut m = metadata(name, trained);
    m.selection = Some(selection);
    m
}
