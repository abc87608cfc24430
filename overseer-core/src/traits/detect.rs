//! Models that say how unusual a sample is.

use crate::{FeatureEvidence, Frame, ModelMetadata, Probability, Result, Sample, Schema, Summary};
use std::fmt;

/// What a detector says about one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Judgement {
    /// 0–1, higher is more anomalous, comparable between hosts and schemas.
    pub score: f64,
    /// Share of normal samples that score at least this high; 1 while none were seen.
    pub p_value: f64,
    /// How much of what a full calibration takes has been seen, 0–1.
    pub readiness: Probability,
    /// Share of held-back normal samples that score lower.
    pub rank: Probability,
}

impl Judgement {
    /// A judgement.
    #[must_use]
    pub fn new(score: f64, p_value: f64, readiness: Probability, rank: Probability) -> Self {
        Self { score, p_value, readiness, rank }
    }
}

/// A fitted detector: it turns each further sample into a score, a probability and, if asked, an explanation.
///
/// Scores are causal: a sample's score depends on it and earlier ones only.
pub trait Detector: Send + fmt::Debug {
    /// The features it was fitted on.
    fn schema(&self) -> &Schema;

    /// Scores the next sample and takes it into the detector's lags and running statistics.
    ///
    /// A gap before it ([`crate::Timestamp::is_gap`]) restarts the lags first; detectors without lags need not look.
    ///
    /// # Errors
    /// If the sample has another number of values or an infinite one; the detector is unchanged then.
    fn observe(&mut self, sample: &Sample) -> Result<Judgement>;

    /// Why the sample observed last scored as it did, one entry per feature, the largest contribution first.
    ///
    /// Empty before the first sample.
    fn explain(&self) -> Vec<FeatureEvidence>;

    /// Forgets lags and windows but nothing that was learned, as after a gap; the next sample then follows none.
    fn reset_lags(&mut self);

    /// A copy that can go its own way.
    fn boxed_clone(&self) -> Box<dyn Detector>;

    /// The payload of a model file, from which [`DetectorTrainer::load`] restores an equal detector.
    ///
    /// # Errors
    /// If the detector cannot be stored.
    fn to_bytes(&self) -> Result<Vec<u8>>;

    /// What is known about its training.
    fn metadata(&self) -> &ModelMetadata;

    /// Scores every row of a frame into `out`, which is cleared first, as a copy of this detector would observe them.
    ///
    /// # Errors
    /// As [`Detector::observe`], for the first row that does not fit.
    fn score_into(&self, frame: &Frame, out: &mut Vec<Judgement>) -> Result<()> {
        out.clear();
        out.reserve(frame.len());
        let mut copy = self.boxed_clone();
        for (timestamp, values) in frame.rows() {
            out.push(copy.observe(&Sample::new(timestamp, values.to_vec()))?);
        }
        Ok(())
    }

    /// Scores every row of a frame.
    ///
    /// # Errors
    /// As [`Detector::score_into`].
    fn score(&self, frame: &Frame) -> Result<Vec<Judgement>> {
        let mut out = Vec::new();
        self.score_into(frame, &mut out)?;
        Ok(out)
    }
}

/// Fits detectors and restores stored ones. Its parameters were checked when it was built.
pub trait DetectorTrainer: Send + fmt::Debug {
    /// The fewest rows it can learn from.
    fn min_rows(&self) -> usize;

    /// Learns what is normal from a frame and returns the fitted detector, whose lags end at the frame's last row.
    ///
    /// # Errors
    /// If there are fewer than [`DetectorTrainer::min_rows`] rows, or no feature has a value.
    fn fit(&self, frame: &Frame) -> Result<Box<dyn Detector>>;

    /// As [`DetectorTrainer::fit`], with what is known in less detail of the time before the frame, for what recurs more
    /// seldom than a frame is long. `past` names its features, which need not be all of the frame's, and ends before the
    /// frame begins; a point may stand for a longer time than its own where nothing finer is known. From how many points
    /// it learned is the `earlier_points` of the metadata's quality.
    ///
    /// This default makes no use of the past.
    ///
    /// # Errors
    /// As [`DetectorTrainer::fit`].
    fn fit_after(&self, _past: &Summary, frame: &Frame) -> Result<Box<dyn Detector>> {
        self.fit(frame)
    }

    /// Restores a detector from [`Detector::to_bytes`].
    ///
    /// # Errors
    /// If the bytes are damaged, of an unknown version, or for another schema than `schema`.
    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Detector>>;
}
