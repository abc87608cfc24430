//! The fitted detector.

use super::inputs::{Inputs, PER_FEATURE};
use super::range::{Ranges, distance};
use super::tail::{Tail, TailGuess};
use crate::isolation_forest::IsolationForest;
use overseer_core::{
    Detector, Error, FeatureEvidence, Frame, Judgement, ModelMetadata, Probability, Result, Sample,
    Schema, Span, Timestamp,
};

/// So many kinds of score are combined.
pub(super) const BRANCHES: usize = 3;
/// The forest's score.
pub(super) const FOREST: usize = 0;
/// The distance of the row from the past.
const NOW: usize = 1;
/// The distance of the last rows from the past.
const LATELY: usize = 2;

/// What is assumed of each kind of score before calibration.
///
/// The forest's score is bounded: it may be drawn two powers of ten beyond what was counted and no farther. A
/// distance is in units that matter, and its tail never falls by half within less than half of such a unit: after
/// many calm rows some eleven units beyond the past are one in a million, after a few rows some fourteen.
pub(super) const GUESSES: [TailGuess; BRANCHES] = [
    TailGuess { scale: 0.03, least: 0.015, decades: 2.0 },
    TailGuess { scale: 0.7, least: 0.7, decades: 30.0 },
    TailGuess { scale: 0.7, least: 0.7, decades: 30.0 },
];

/// The evidence, -log10 of the p-value, whose score is one half: about once a week of samples every 5 s.
const MIDDLE: f64 = 5.0;

/// Rows with more evidence than this are strongly anomalous. The first of a run of them is learned when the run is
/// over, so that an incident does not hide its own second row, and while it lasts one in [`DAMPING`] is.
const STRONG: f64 = 3.0;
const DAMPING: u32 = 10;

/// So many rows make a full calibration.
const FULL: f64 = 1000.0;

/// Beyond this excess features count alike in an explanation, so that the order of the schema, which begins with the
/// causes, decides between two that are both far out.
const FAR: f64 = 15.0;

/// A fitted detector: an isolation forest over each feature's departure from its usual value, and the distance from
/// everything seen before, both calibrated on rows they were not fitted on.
#[derive(Debug, Clone)]
pub struct ForestDetector {
    pub(super) schema: Schema,
    pub(super) metadata: ModelMetadata,
    pub(super) inputs: Inputs,
    pub(super) forest: IsolationForest,
    pub(super) ranges: Ranges,
    pub(super) tails: [Tail; BRANCHES],
    /// The evidence of the rows held back in training, ascending.
    pub(super) heldout: Vec<f64>,
    /// Rows the calibration has learned, which of a run of strongly anomalous ones is about one in ten.
    pub(super) calibrated: u64,
    /// How many strongly anomalous rows the current run has.
    pub(super) strong_run: u32,
    /// The scores of its first.
    pub(super) strong_first: [f64; BRANCHES],
    /// The row observed last; empty before the first and after training.
    pub(super) last: Vec<f64>,
    /// When the row before the next one was measured; none after a restart.
    pub(super) last_time: Option<Timestamp>,
    /// Which kind of score decided about it.
    pub(super) decisive: usize,
}

impl ForestDetector {
    /// Scores and learns a row that fits.
    fn advance(&mut self, time: Timestamp, row: &[f64]) -> Judgement {
        self.last.clear();
        self.last.extend_from_slice(row);
        let (scores, evidence) = self.look(time, row);
        if !self.is_blank() {
            self.learn(scores, evidence);
        }
        self.judge(evidence)
    }

    /// Takes a row into the lags, which a gap before it restarts, and says its scores and their combined evidence.
    pub(super) fn look(&mut self, time: Timestamp, row: &[f64]) -> ([f64; BRANCHES], f64) {
        let step = Span::from_millis(self.metadata.interval_ms);
        if self.last_time.is_some_and(|last| Timestamp::is_gap(last, time, step)) {
            self.reset_lags();
        }
        self.last_time = Some(time);
        self.inputs.push(row);
        self.ranges.push(self.inputs.units());
        let mut scores = [0.0; BRANCHES];
        scores[FOREST] = self.forest.score_checked(self.inputs.forest());
        scores[NOW] = distance(self.ranges.now());
        scores[LATELY] = distance(self.ranges.lately());
        if self.is_blank() {
            // Nothing was measured, which is no sign of anything.
            self.decisive = FOREST;
            return (scores, 0.0);
        }
        let evidence = self.combine(&scores);
        (scores, evidence)
    }

    /// The combined evidence of some scores. The smallest p-value times their number is a valid p-value whatever the
    /// dependence between them (Bonferroni).
    pub(super) fn combine(&mut self, scores: &[f64; BRANCHES]) -> f64 {
        let mut largest = 0.0;
        self.decisive = FOREST;
        for (branch, (tail, &score)) in self.tails.iter().zip(scores).enumerate() {
            let evidence = tail.evidence(score);
            if evidence > largest {
                largest = evidence;
                self.decisive = branch;
            }
        }
        (largest - (BRANCHES as f64).log10()).max(0.0)
    }

    pub(super) fn learn(&mut self, scores: [f64; BRANCHES], evidence: f64) {
        if evidence > STRONG {
            if self.strong_run == 0 {
                self.strong_first = scores;
            }
            self.strong_run = self.strong_run.saturating_add(1);
            if self.strong_run.is_multiple_of(DAMPING) {
                self.remember(scores);
            }
            return;
        }
        if self.strong_run > 0 {
            self.strong_run = 0;
            self.remember(self.strong_first);
        }
        self.remember(scores);
    }

    fn remember(&mut self, scores: [f64; BRANCHES]) {
        self.calibrated = self.calibrated.saturating_add(1);
        self.tails.iter_mut().zip(scores).for_each(|(tail, score)| tail.learn(score));
    }

    fn judge(&self, evidence: f64) -> Judgement {
        let lower = self.heldout.partition_point(|&e| e < evidence);
        Judgement::new(
            evidence / (evidence + MIDDLE),
            10_f64.powf(-evidence),
            Probability::saturating(self.calibrated as f64 / FULL),
            Probability::share(lower, self.heldout.len()),
        )
    }

    /// Whether no known feature of the newest row has a value.
    pub(super) fn is_blank(&self) -> bool {
        self.inputs.units().iter().all(|u| u.is_nan())
    }

    fn check(&self, row: &[f64]) -> Result<()> {
        let features = self.schema.features();
        if row.len() != features.len() {
            return Err(Error::schema_mismatch(
                format!("{} values", features.len()),
                format!("{} values", row.len()),
            ));
        }
        match row.iter().zip(features).find(|(v, _)| v.is_infinite()) {
            None => Ok(()),
            Some((_, feature)) => {
                Err(Error::invalid_value(format!("column `{feature}`"), "the value is infinite"))
            }
        }
    }

    /// What each feature added to the score that decided, never negative, in no particular unit.
    fn weights(&self) -> Vec<f64> {
        let far = |excess: &[f64]| excess.iter().map(|e| e.min(FAR).powi(2)).collect();
        match self.decisive {
            NOW => far(self.ranges.now()),
            LATELY => far(self.ranges.lately()),
            _ => {
                let mut parts = vec![0.0; self.inputs.forest().len()];
                // The inputs fit the forest and are finite, so this cannot fail; were it to, nothing is explained.
                if self.forest.contributions(self.inputs.forest(), &mut parts).is_err() {
                    parts.fill(0.0);
                }
                // A missing value follows the majority, which says something of the forest but not of the row.
                let known = self.inputs.units().iter().map(|u| f64::from(u8::from(!u.is_nan())));
                let sums = parts.chunks(PER_FEATURE).map(|c| c.iter().sum::<f64>().max(0.0));
                sums.zip(known).map(|(sum, known)| sum * known).collect()
            }
        }
    }
}

impl Detector for ForestDetector {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn observe(&mut self, sample: &Sample) -> Result<Judgement> {
        self.check(&sample.values)?;
        Ok(self.advance(sample.timestamp, &sample.values))
    }

    /// The kind of score with the smallest p-value decided, so it alone explains: a forest by how much each feature
    /// shortened the row's path, a distance by the squares it is made of.
    fn explain(&self) -> Vec<FeatureEvidence> {
        let weights = if self.last.is_empty() { Vec::new() } else { self.weights() };
        let total: f64 = weights.iter().sum();
        let share = |w: f64| if total > 0.0 { w / total } else { 0.0 };
        let mut evidence: Vec<FeatureEvidence> = weights
            .iter()
            .zip(self.schema.features())
            .zip(self.inputs.scales())
            .zip(&self.last)
            .map(|(((&w, feature), scale), &observed)| {
                FeatureEvidence::new(feature.name.as_str(), observed, scale.expected, share(w))
            })
            .collect();
        evidence.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
        evidence
    }

    fn reset_lags(&mut self) {
        self.inputs.reset();
        self.ranges.reset();
        self.last_time = None;
    }

    fn boxed_clone(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        self.encode()
    }

    fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }

    fn score_into(&self, frame: &Frame, out: &mut Vec<Judgement>) -> Result<()> {
        out.clear();
        let mut copy = self.clone();
        for (time, row) in frame.rows() {
            copy.check(row)?;
            out.push(copy.advance(time, row));
        }
        Ok(())
    }
}
