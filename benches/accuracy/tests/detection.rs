//! Detection on real data: excerpts of two hosts with five labelled events (`tests/data/NOTICE`).
//!
//! The bounds are loose, so that they hold for any sound change of the detector and break when detection does.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use overseer_accuracy::data::{Entry, Split, find};
use overseer_accuracy::measure::{Causality, Corpus, Results, measure};
use overseer_accuracy::metrics::shipped::Fate;
use overseer_engine::core::{
    Detector, DetectorTrainer, Error, FeatureEvidence, Frame, Judgement, ModelKind, ModelMetadata,
    Probability, Result, Sample, Schema,
};
use overseer_engine::host;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn excerpts() -> Vec<Entry> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    find(&dir, &Split::Named("excerpt".to_owned())).unwrap()
}

fn corpora(results: &Results) -> impl Iterator<Item = &Corpus> {
    results.mts.iter().flat_map(|m| m.corpora.values())
}

/// What is wrong with how events are found.
fn shortcomings(results: &Results) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut want = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let series = || corpora(results).flat_map(|c| &c.series);
    let alerted = series().flat_map(|s| &s.fates).filter(|f| **f == Fate::Alerted).count();
    want(alerted >= 2, &format!("alerts in {alerted} of 5 events, as shipped"));
    let quiet = series().all(|s| s.fa_per_week <= 2.0);
    want(quiet, "more than two false alarms a week, as shipped");
    for corpus in corpora(results) {
        let summary = corpus.a_day.per_series;
        want(summary.recall >= 0.5, &format!("at one false alarm a day: {summary:?}"));
        want(corpus.vus_pr >= 0.4, &format!("VUS-PR {}", corpus.vus_pr));
        want(corpus.as_shipped.time_in_alarm <= 0.05, "in alarm for a twentieth of normal time");
    }
    wrong
}

#[test]
fn real_events_are_found_normal_time_is_quiet_and_later_rows_change_nothing() {
    let trainer = host::detector_trainer().unwrap();
    let results = measure(&excerpts(), &trainer, Causality::Check).unwrap();
    assert_eq!(corpora(&results).map(|c| c.as_shipped.events).sum::<usize>(), 5);
    assert_eq!(shortcomings(&results), Vec::<String>::new());
    assert!(results.is_causal());
}

/// Says something that has nothing to do with the data.
#[derive(Debug, Clone)]
struct Noise {
    schema: Schema,
    state: u64,
    metadata: ModelMetadata,
}

/// Trains [`Noise`]: always the same, or another each time.
#[derive(Debug, Clone, Default)]
struct NoiseTrainer {
    trained: Option<Arc<AtomicU64>>,
}

impl DetectorTrainer for NoiseTrainer {
    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, frame: &Frame) -> Result<Box<dyn Detector>> {
        let state = self.trained.as_ref().map_or(0, |t| t.fetch_add(1, Ordering::SeqCst));
        let metadata = ModelMetadata::new("noise", ModelKind::Detector, "noise");
        Ok(Box::new(Noise { schema: frame.schema().clone(), state, metadata }))
    }

    fn load(&self, _: &[u8], _: &Schema) -> Result<Box<dyn Detector>> {
        Err(Error::unsupported("loading noise"))
    }
}

impl Detector for Noise {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn observe(&mut self, _: &Sample) -> Result<Judgement> {
        // Knuth's linear congruential generator.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let p_value = (self.state >> 11) as f64 / (1_u64 << 53) as f64;
        let score = 1.0 - p_value;
        Ok(Judgement::new(score, p_value, Probability::ONE, Probability::saturating(score)))
    }

    fn explain(&self) -> Vec<FeatureEvidence> {
        Vec::new()
    }

    fn reset_lags(&mut self) {}

    fn boxed_clone(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }
}

#[test]
fn a_detector_that_looks_at_nothing_falls_short() {
    let results = measure(&excerpts(), &NoiseTrainer::default(), Causality::Check).unwrap();
    let wrong = shortcomings(&results);
    assert!(wrong.len() >= 2, "{wrong:?}");
    assert!(results.is_causal());
}

#[test]
fn a_detector_that_says_something_else_each_time_is_not_taken_for_causal() {
    let trainer = NoiseTrainer { trained: Some(Arc::default()) };
    let results = measure(&excerpts(), &trainer, Causality::Check).unwrap();
    assert!(!results.is_causal());
}

#[test]
fn a_history_too_short_to_learn_from_is_an_error_that_names_the_series() {
    let dir = tempfile::tempdir().unwrap();
    for (part, content) in [("train", "1,2\n3,4\n"), ("test", "5,6\n"), ("test_label", "0\n")] {
        let folder = dir.path().join("ASD").join(part);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("omi-3.csv"), content).unwrap();
    }
    let entries = find(dir.path(), &Split::All).unwrap();
    let trainer = host::detector_trainer().unwrap();
    let error = measure(&entries, &trainer, Causality::Assume).unwrap_err().to_string();
    assert!(error.contains("asd omi-3") && error.contains("not enough data"), "{error}");
}
