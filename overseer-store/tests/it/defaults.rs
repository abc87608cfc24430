//! What a store gets for nothing: the default methods of the trait, held to those of the database.

use crate::contents::{STEP, anomaly, at, open, pattern, prediction, sample};
use overseer_core::{
    Alert, AlertState, AnomalyDetection, Appended, Frame, Label, LabelKind, ModelMetadata,
    PatternAnalysis, Prediction, Result, Sample, SampleQuery, Severity, Span, Store, StoredCounts,
    SummaryQuery, TickRecord,
};
use overseer_store::SqliteStore;
use std::time::Duration;

/// A store that has no method beyond those it must have.
#[derive(Debug)]
struct Plain(SqliteStore);

impl Store for Plain {
    fn append(&mut self, interval: Span, samples: &[Sample]) -> Result<Appended> {
        self.0.append(interval, samples)
    }
    fn samples(&mut self, query: &SampleQuery) -> Result<Frame> {
        self.0.samples(query)
    }
    fn record(
        &mut self,
        anomalies: &[AnomalyDetection],
        predictions: &[Prediction],
        patterns: &[PatternAnalysis],
    ) -> Result<()> {
        self.0.record(anomalies, predictions, patterns)
    }
    fn anomalies(&mut self, limit: usize) -> Result<Vec<AnomalyDetection>> {
        self.0.anomalies(limit)
    }
    fn predictions(&mut self, limit: usize) -> Result<Vec<Prediction>> {
        self.0.predictions(limit)
    }
    fn patterns(&mut self, limit: usize) -> Result<Vec<PatternAnalysis>> {
        self.0.patterns(limit)
    }
    fn put_model_metadata(&mut self, metadata: &ModelMetadata) -> Result<()> {
        self.0.put_model_metadata(metadata)
    }
    fn model_metadata(&mut self) -> Result<Vec<ModelMetadata>> {
        self.0.model_metadata()
    }
    fn step(&mut self) -> Result<Option<Span>> {
        self.0.step()
    }
    fn set_step(&mut self, step: Span) -> Result<()> {
        self.0.set_step(step)
    }
    fn counts(&mut self) -> Result<StoredCounts> {
        self.0.counts()
    }
    fn remove_samples(&mut self, interval: Span) -> Result<usize> {
        self.0.remove_samples(interval)
    }
}

#[test]
fn a_plain_store_summarises_as_the_database_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let query = |resolution| SummaryQuery::new(at(3), at(5 * 45_000), Span::from_secs(resolution));
    let mut plain = Plain(open(store.path()));
    assert!(plain.summary(&query(60)).unwrap().is_empty(), "before a step was chosen");
    store.set_step(STEP).unwrap();
    // More than are read at once.
    let samples: Vec<Sample> = (0..45_000)
        .map(|i| {
            let cpu = if i % 9 == 0 { f64::NAN } else { f64::from(i % 1000) };
            sample(5 * i64::from(i), [cpu, f64::from(i), f64::NAN])
        })
        .collect();
    store.append(STEP, &samples).unwrap();
    for resolution in [30, 600, 7200] {
        let a = plain.summary(&query(resolution)).unwrap();
        let b = store.summary(&query(resolution)).unwrap();
        assert_eq!((&a.starts, &a.features), (&b.starts, &b.features));
        for (x, y) in a.cells.iter().zip(&b.cells) {
            assert_eq!(
                (x.count, x.min.to_bits(), x.max.to_bits()),
                (y.count, y.min.to_bits(), y.max.to_bits())
            );
            assert!((x.mean - y.mean).abs() <= 1e-9 * x.mean.abs() || x.count == 0);
        }
    }
    let one = query(600).of(vec!["memory".into()]);
    assert_eq!(plain.summary(&one).unwrap().features, ["memory"]);
    assert!(plain.summary(&query(600).of(vec!["gpu".into()])).unwrap_err().is_invalid_input());
    assert!(!plain.maintain(at(0), Duration::ZERO).unwrap().behind);
}

#[test]
fn a_plain_store_tells_what_it_does_not_keep() {
    let dir = tempfile::tempdir().unwrap();
    let mut plain = Plain(open(&dir.path().join("overseer.db")));
    assert!(plain.put_label(&Label::new(at(0), LabelKind::Incident, at(0))).is_err());
    assert!(plain.labels(at(0)).unwrap().is_empty() && plain.silences(at(0)).unwrap().is_empty());
    let alert = Alert::new(at(0), AlertState::Firing, Severity::High, at(0), "log", "");
    assert!(plain.record_and_queue(&[anomaly(0)], &[], &[], &[alert]).is_err());
    // It keeps no incidents, and what else a tick leaves is stored all the same.
    let (anomalies, incidents) = ([anomaly(5)], [crate::incidents::incident(5)]);
    let mut tick = TickRecord::default();
    (tick.anomalies, tick.incidents) = (&anomalies, &incidents);
    assert_eq!(plain.record_tick(&tick).unwrap(), [0]);
    assert!(plain.put_incident(&incidents[0]).is_err() && plain.incident(1).unwrap().is_none());
    assert_eq!(plain.revision().unwrap(), None);
    for secs in [10, 20] {
        plain.record(&[anomaly(secs)], &[prediction(secs)], &[pattern(secs)]).unwrap();
    }
    assert_eq!(
        plain.anomalies_between(at(0), at(15), 9).unwrap(),
        [anomaly(10), anomaly(5), anomaly(0)]
    );
    assert_eq!(plain.predictions_between(at(0), at(20), 1).unwrap(), [prediction(20)]);
    assert_eq!(plain.patterns_between(at(15), at(25), 9).unwrap(), [pattern(20)]);
}
