//! What the analyzer says of a series, a value a minute.

use overseer_core::{
    ChangeKind, Feature, Frame, PatternAnalysis, PatternAnalyzer, Schema, Timestamp, Unit,
};
use overseer_models::pattern::ShapeAnalyzer;

pub(crate) const START: i64 = 1_700_000_000_000;

pub(crate) fn frame_of(values: &[f64]) -> Frame {
    let feature = Feature::new("x", Unit::Unknown);
    let mut frame = Frame::new(Schema::new(vec![feature]).unwrap());
    for (i, &v) in values.iter().enumerate() {
        frame.push_row(Timestamp::from_millis(START + 60_000 * i as i64), &[v]).unwrap();
    }
    frame
}

pub(crate) fn analyzer(significance: f64) -> ShapeAnalyzer {
    ShapeAnalyzer::builder().significance(significance).build().unwrap()
}

pub(crate) fn analyze(analyzer: &ShapeAnalyzer, values: &[f64]) -> PatternAnalysis {
    analyzer.analyze_column(&frame_of(values), 0).unwrap().unwrap()
}

/// Whether the note says that it rose or fell.
pub(crate) fn says_trend(a: &PatternAnalysis) -> bool {
    a.insights.iter().any(|i| i.starts_with("x rose from") || i.starts_with("x fell from"))
}

/// Periods named, in minutes.
pub(crate) fn periods(a: &PatternAnalysis) -> Vec<f64> {
    a.periodicity.iter().chain(&a.further_rhythms).map(|p| p.period.as_secs_f64() / 60.0).collect()
}

pub(crate) fn has(a: &PatternAnalysis, kind: ChangeKind) -> bool {
    a.change_points.iter().any(|c| c.kind == kind)
}
