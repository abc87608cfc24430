//! Training: fit on the older rows, calibrate on the newer ones, then fit on all.

use super::inputs::{Inputs, PER_FEATURE};
use super::model::{BRANCHES, ForestDetector, GUESSES};
use super::range::Ranges;
use super::scale::FeatureScale;
use super::tail::{KEPT, Tail};
use crate::isolation_forest::{IsolationForest, IsolationForestParams};
use crate::stats;
use ndarray::Array2;
use overseer_core::{
    Detector, DetectorTrainer, Error, Frame, ModelKind, ModelMetadata, Result, Schema, Span,
    Timestamp,
};

/// The fewest rows worth learning from.
const MIN_ROWS: usize = 30;

/// The share of rows held back, at most as many as a calibration keeps.
const HELD_BACK: f64 = 0.3;

/// The forest draws its samples from at most so many rows, evenly spread over the frame.
const FOREST_ROWS: usize = 20_000;

/// Less than this much of an input is no difference: about two thirds of a unit from the usual value.
const MIN_SPAN: f64 = 0.25;

/// Evidence above which a held-back row counts as flagged: a p-value below 0.001.
const FLAGGED: f64 = 3.0;

/// Of fewer judged rows than this the share of flagged ones says nothing.
const MIN_JUDGED: usize = 50;

/// What the rows held back say.
#[derive(Debug)]
pub(super) struct Calibration {
    /// Fitted to the rows before them and calibrated on them.
    pub(super) detector: ForestDetector,
    /// Their evidence by the finished calibration, ascending.
    pub(super) heldout: Vec<f64>,
    /// The share of the newer half that was flagged when it came; NaN below [`MIN_JUDGED`] rows.
    pub(super) flagged_share: f64,
}

/// Collects the parameters of a [`ForestDetectorTrainer`]; `build` checks them.
#[derive(Debug, Clone)]
pub struct ForestDetectorTrainerBuilder {
    trees: usize,
    sample_size: usize,
    seed: u64,
}

impl ForestDetectorTrainerBuilder {
    /// How many trees the forest has, 1 to 10,000; 100 unless told.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// How many rows each tree sees, 2 to 1,048,576; 256 unless told.
    #[must_use]
    pub fn sample_size(mut self, rows: usize) -> Self {
        self.sample_size = rows;
        self
    }

    /// Where the random numbers start; the same seed and frame give the same detector.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If one is outside the range its method documents ([`Error::is_invalid_input`]).
    pub fn build(self) -> Result<ForestDetectorTrainer> {
        let forest = IsolationForest::builder()
            .trees(self.trees)
            .sample_size(self.sample_size)
            .min_span(MIN_SPAN)
            .seed(self.seed)
            .build()?;
        Ok(ForestDetectorTrainer { forest })
    }
}

/// Fits [`ForestDetector`]s to frames of any schema and restores stored ones.
#[derive(Debug, Clone)]
pub struct ForestDetectorTrainer {
    forest: IsolationForestParams,
}

impl ForestDetectorTrainer {
    /// Starts from 100 trees of 256 rows each and seed 0.
    #[must_use]
    pub fn builder() -> ForestDetectorTrainerBuilder {
        ForestDetectorTrainerBuilder { trees: 100, sample_size: 256, seed: 0 }
    }

    /// As [`DetectorTrainer::fit`], with the detector's own type.
    ///
    /// The newest 30 % of the rows, at most 4096, are held back. A detector fitted on the rest scores them as they
    /// came, which calibrates it; its forest, scales and ranges are then fitted anew on all rows. A pause longer than
    /// three usual intervals restarts the lags.
    ///
    /// The metadata's `heldout_rows` says how many held-back rows had a value, and `flagged_share` which share of the
    /// newer half had a p-value below 0.001 when it came; that is NaN below 50 such rows.
    ///
    /// # Errors
    /// As [`DetectorTrainer::fit`].
    pub fn fit_detector(&self, frame: &Frame) -> Result<ForestDetector> {
        let n = frame.len();
        if n < MIN_ROWS {
            return Err(Error::not_enough_data("training a detector", MIN_ROWS, n));
        }
        if frame.values().iter().all(|v| v.is_nan()) {
            return Err(Error::not_enough_data("training a detector", 1, 0));
        }
        let step = usual_interval(frame);
        let Calibration { detector: early, heldout, flagged_share } =
            self.calibrate(frame, step)?;
        let mut detector = self.fit_rows(frame, step)?;
        detector.tails = early.tails;
        detector.calibrated = early.calibrated;
        let metadata = &mut detector.metadata;
        metadata.set_quality("heldout_rows", heldout.len() as f64);
        metadata.set_quality("flagged_share", flagged_share);
        tracing::debug!(rows = n, held_out = heldout.len(), flagged_share, "trained a detector");
        detector.heldout = heldout;
        Ok(detector)
    }

    /// Fits a detector to the older rows and has it score and learn the newer ones as they came.
    pub(super) fn calibrate(&self, frame: &Frame, step: Span) -> Result<Calibration> {
        let n = frame.len();
        let held_back = ((HELD_BACK * n as f64) as usize).min(KEPT);
        let first_held_back = n - held_back;
        // The second half is judged by a calibration on what came before it, which is how good it really is.
        let first_judged = first_held_back + held_back / 2;
        let mut detector = self.fit_rows(&frame.slice(0, first_held_back), step)?;
        let mut scores: Vec<[f64; BRANCHES]> = Vec::with_capacity(held_back);
        let (mut judged, mut flagged) = (0, 0);
        for row in first_held_back..n {
            let (found, evidence) = detector.look(frame.timestamps()[row], frame.row(row));
            if detector.is_blank() {
                continue;
            }
            if row >= first_judged {
                judged += 1;
                flagged += usize::from(evidence > FLAGGED);
            }
            detector.learn(found, evidence);
            scores.push(found);
        }
        detector.tails.iter_mut().for_each(Tail::fit);
        let mut heldout: Vec<f64> = scores.iter().map(|s| detector.combine(s)).collect();
        heldout.sort_unstable_by(f64::total_cmp);
        let enough = judged >= MIN_JUDGED;
        let flagged_share = if enough { flagged as f64 / judged as f64 } else { f64::NAN };
        Ok(Calibration { detector, heldout, flagged_share })
    }

    /// A detector without calibration whose scales, ranges and forest are those of `frame`, and whose lags end there.
    pub(super) fn fit_rows(&self, frame: &Frame, step: Span) -> Result<ForestDetector> {
        let schema = frame.schema();
        let d = schema.len();
        let scales: Vec<FeatureScale> = schema
            .features()
            .iter()
            .enumerate()
            .map(|(j, feature)| FeatureScale::learn(frame.column(j), feature))
            .collect();
        let ranges = Ranges::new(&scales);
        let mut inputs = Inputs::new(scales);
        let every = frame.len().div_ceil(FOREST_ROWS).max(1);
        let mut seen = Vec::with_capacity(frame.len().div_ceil(every) * d * PER_FEATURE);
        let mut last_time = None;
        for (row, (time, values)) in frame.rows().enumerate() {
            if last_time.is_some_and(|last| Timestamp::is_gap(last, time, step)) {
                inputs.reset();
            }
            last_time = Some(time);
            inputs.push(values);
            if row % every == 0 {
                seen.extend_from_slice(inputs.forest());
            }
        }
        let rows = Array2::from_shape_vec((seen.len() / (d * PER_FEATURE), d * PER_FEATURE), seen)
            .map_err(|e| Error::other("arranging the training rows", e))?;
        Ok(ForestDetector {
            metadata: describe(frame, step),
            schema: schema.clone(),
            inputs,
            forest: self.forest.fit(rows.view())?,
            ranges,
            tails: GUESSES.map(Tail::new),
            heldout: Vec::new(),
            calibrated: 0,
            strong_run: 0,
            strong_first: [0.0; BRANCHES],
            last: Vec::with_capacity(d),
            last_time,
            decisive: 0,
        })
    }
}

impl DetectorTrainer for ForestDetectorTrainer {
    fn min_rows(&self) -> usize {
        MIN_ROWS
    }

    fn fit(&self, frame: &Frame) -> Result<Box<dyn Detector>> {
        Ok(Box::new(self.fit_detector(frame)?))
    }

    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Detector>> {
        Ok(Box::new(ForestDetector::decode(bytes, schema)?))
    }
}

/// The median time between rows; zero if most have the same time.
pub(super) fn usual_interval(frame: &Frame) -> Span {
    let times = frame.timestamps();
    let passed = times.windows(2).map(|w| w[1].since(w[0]).as_millis() as f64);
    Span::from_millis(stats::median(passed) as i64)
}

fn describe(frame: &Frame, step: Span) -> ModelMetadata {
    let mut metadata = ModelMetadata::new("detector", ModelKind::Detector, "isolation forest");
    if let (Some(&from), Some(&to)) = (frame.timestamps().first(), frame.timestamps().last()) {
        metadata.trained_on = (from, to);
        metadata.trained_at = to;
    }
    metadata.rows = frame.len();
    metadata.interval_ms = step.as_millis();
    metadata.schema_fingerprint = frame.schema().fingerprint();
    metadata
}
