//! Training: scales from all rows, and then through the rows as they came.

use super::combine::{BRANCHES, Branch, Weights};
use super::evidence::{Evidence, PER_FEATURE};
use super::excursion::Excursions;
use super::frozen::Frozen;
use super::groups::{Group, correlated};
use super::inputs::Inputs;
use super::memory::{Kept, LEAST_BYTES, TOGETHERS};
use super::model::{ForestDetector, KINDS, MEMORY_SECONDS, State, ranks};
use super::novelty::Novelty;
use super::range::Ranges;
use super::reach::Reach;
use super::reservoir::Reservoir;
use super::scale::FeatureScale;
use super::tail::Tail;
use crate::isolation_forest::pooled::{PooledForest, Pools};
use crate::stats;
use overseer_core::{
    Detector, DetectorTrainer, Error, Frame, LocalTime, ModelKind, ModelMetadata, Result, Schema,
    Span, Summary, Utc,
};
use std::sync::Arc;

/// The fewest rows worth learning from.
const MIN_ROWS: usize = 30;

/// The rows that the first models are fitted to; in a frame of many rows more.
const FIRST: usize = 60;
const MANY_ROWS: usize = 2000;
const FIRST_OF_MANY: usize = 200;

/// How many pools of evidence the forest's splits look at.
const POOLS: usize = 384;

/// The most rows, evenly spread over the frame, that tell which features go together.
const KINSHIP_ROWS: usize = 500;

/// A judged row with a smaller p-value counts as flagged.
const FLAGGED: f64 = 1e-3;

/// Of fewer judged rows than this the share of flagged ones says nothing.
const MIN_JUDGED: usize = 50;

/// Collects the parameters of a [`ForestDetectorTrainer`]; `build` checks them.
#[derive(Debug, Clone)]
pub struct ForestDetectorTrainerBuilder {
    trees: usize,
    seed: u64,
    local_time: Arc<dyn LocalTime>,
    without: u8,
    max_bytes: Option<usize>,
}

impl ForestDetectorTrainerBuilder {
    /// Leaves a part out, to see what it is worth; may be said of several.
    #[must_use]
    pub fn without(mut self, branch: Branch) -> Self {
        self.without |= branch.bit();
        self
    }

    /// How many trees the forest has, 1 to 10,000; 100 unless told.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// How many bytes of memory a detector may hold, at least 65,536; as many as it likes unless told, which are 1.9 MB
    /// for the host's schema.
    ///
    /// Told less than it likes, it gives up past rows and scores, trees, and how many features it looks at together, in
    /// the order that [`Kept`] lists, and says so: [`ForestDetector::kept`]. It keeps the limit while it learns. What it
    /// needs at least depends on the number of features; below that, training refuses. A stored detector that holds
    /// more gives up as much when it is loaded, and one that gave up more gets nothing back: it takes a new one.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Where the random numbers start; the same seed and frame give the same detector.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The clocks by which the host's days and weeks go; UTC unless told. A detector that was stored by other clocks
    /// is loaded without what it knows of times of the day and the week.
    #[must_use]
    pub fn local_time(mut self, clocks: Arc<dyn LocalTime>) -> Self {
        self.local_time = clocks;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If one is outside the range its method documents ([`Error::is_invalid_input`]).
    pub fn build(self) -> Result<ForestDetectorTrainer> {
        if !(1..=10_000).contains(&self.trees) {
            let message = format!("must be 1 to 10000, was {}", self.trees);
            return Err(Error::invalid_parameter("trees", message));
        }
        if let Some(bytes) = self.max_bytes.filter(|&bytes| bytes < LEAST_BYTES) {
            let message = format!("must be at least {LEAST_BYTES}, was {bytes}");
            return Err(Error::invalid_parameter("max_bytes", message));
        }
        let Self { trees, seed, local_time, without, max_bytes } = self;
        Ok(ForestDetectorTrainer { trees, seed, local_time, without, max_bytes })
    }
}

/// Fits [`ForestDetector`]s to frames of any schema and restores stored ones.
#[derive(Debug, Clone)]
pub struct ForestDetectorTrainer {
    trees: usize,
    seed: u64,
    pub(super) local_time: Arc<dyn LocalTime>,
    without: u8,
    max_bytes: Option<usize>,
}

impl ForestDetectorTrainer {
    /// Starts from 100 trees, seed 0 and UTC.
    #[must_use]
    pub fn builder() -> ForestDetectorTrainerBuilder {
        ForestDetectorTrainerBuilder {
            trees: 100,
            seed: 0,
            local_time: Arc::new(Utc),
            without: 0,
            max_bytes: None,
        }
    }

    /// As [`DetectorTrainer::fit`], with the detector's own type.
    ///
    /// Scales are those of the whole frame. Then the detector goes through the rows as they came: it judges each by
    /// what it learned from those before, which calibrates it, and learns from it. A pause longer than three usual
    /// intervals restarts the lags.
    ///
    /// The metadata's `heldout_rows` says how many rows were judged so, and `flagged_share` which share of the newer
    /// half had a p-value below 0.001; that is NaN below 50 such rows. `weekly_readiness` is
    /// [`ForestDetector::weekly_readiness`] as training ended.
    ///
    /// # Errors
    /// As [`DetectorTrainer::fit`].
    pub fn fit_detector(&self, frame: &Frame) -> Result<ForestDetector> {
        self.fit_detector_after(None, frame)
    }

    /// As [`Self::fit_detector`], with what is known in less detail of the time before the frame: from it the detector
    /// learns what is usual at times of the day and the week, and between what the features kept. How many points it
    /// learned from is the metadata's `earlier_points`.
    ///
    /// # Errors
    /// As [`DetectorTrainer::fit`].
    pub fn fit_detector_after(
        &self,
        past: Option<&Summary>,
        frame: &Frame,
    ) -> Result<ForestDetector> {
        let n = frame.len();
        if n < MIN_ROWS {
            return Err(Error::not_enough_data("training a detector", MIN_ROWS, n));
        }
        if frame.values().iter().all(|v| v.is_nan()) {
            return Err(Error::not_enough_data("training a detector", 1, 0));
        }
        let mut detector = self.unfitted_within(frame)?;
        let first = if n >= MANY_ROWS { FIRST_OF_MANY } else { FIRST.min(n / 2) };
        if let (Some(past), Some(&first)) = (past, frame.timestamps().first()) {
            let points = detector.learn_past(past, first);
            detector.metadata.set_quality("earlier_points", points as f64);
        }
        self.begin(&mut detector, frame, first);
        let (mut next, mut judged, mut flagged) = (3 * first / 2 + 1, 0, 0);
        // Its own refits are those of a detector in use.
        detector.state.next_refit = u64::MAX;
        for row in first..n {
            let judgement = detector.advance(frame.timestamps()[row], frame.row(row));
            if row >= first + (n - first) / 2 && judgement.p_value < 1.0 {
                judged += 1;
                flagged += usize::from(judgement.p_value < FLAGGED);
            }
            if row + 1 == next.min(n) {
                detector.refit(detector.kept.trees);
                next = 3 * next / 2 + 1;
            }
        }
        detector.plan_refit();
        detector.last.clear();
        let share = if judged >= MIN_JUDGED { flagged as f64 / judged as f64 } else { f64::NAN };
        let heldout = detector.state.calibrated as f64;
        detector.metadata.set_quality("heldout_rows", heldout);
        detector.metadata.set_quality("flagged_share", share);
        let weekly = detector.weekly_readiness().get();
        detector.metadata.set_quality("weekly_readiness", weekly);
        tracing::debug!(rows = n, heldout, flagged_share = share, "trained a detector");
        Ok(detector)
    }

    /// Learns from the first rows how inputs go together, and then looks at them by that, which is what the first
    /// forest is grown on.
    fn begin(&self, detector: &mut ForestDetector, frame: &Frame, first: usize) {
        let empty = detector.state.clone();
        let rows = || frame.rows().take(first).filter(|(_, row)| !row.iter().all(|v| v.is_nan()));
        for (time, row) in rows() {
            detector.restart_after_gap(time);
            detector.look(time, row);
            detector.state.evidence.learn(&detector.state.inputs);
        }
        detector.refit(0);
        let groups = std::mem::take(&mut detector.state.evidence.groups);
        detector.state = empty;
        detector.state.evidence.groups = groups;
        detector.last_time = None;
        for (time, row) in rows() {
            detector.restart_after_gap(time);
            detector.look(time, row);
            let state = &mut detector.state;
            state.rows += 1;
            state.reservoir.offer(state.evidence.all(), f64::NAN);
        }
        detector.regrow(detector.kept.trees);
    }

    /// A detector with the scales of `frame` that has seen nothing and will never hold more than it may.
    fn unfitted_within(&self, frame: &Frame) -> Result<ForestDetector> {
        let Some(most) = self.max_bytes else { return self.unfitted(frame, TOGETHERS[0]) };
        let mut refused = None;
        for together in TOGETHERS {
            let mut detector = self.unfitted(frame, together)?;
            if detector.keep_within(most) {
                return Ok(detector);
            }
            refused = Some(detector.too_small(most));
        }
        Err(refused.unwrap_or_else(|| Error::invalid_parameter("max_bytes", "it is too small")))
    }

    /// A detector with the scales of `frame` that has seen nothing and looks at so many features together.
    fn unfitted(&self, frame: &Frame, together: usize) -> Result<ForestDetector> {
        let schema = frame.schema();
        let d = schema.len();
        let step = usual_interval(frame);
        let mut order: Vec<usize> = (0..d).collect();
        order.sort_by(|&a, &b| schema.features()[a].name.cmp(&schema.features()[b].name));
        let scales: Vec<FeatureScale> = order
            .iter()
            .map(|&at| FeatureScale::learn(frame.column(at), &schema.features()[at]))
            .collect();
        let mut varies: Vec<bool> = scales.iter().map(FeatureScale::varies).collect();
        if !varies.contains(&true) {
            varies.fill(true);
        }
        let every = frame.len().div_ceil(KINSHIP_ROWS).max(1);
        let sparse: Vec<f64> = frame
            .rows()
            .step_by(every)
            .flat_map(|(_, row)| {
                order.iter().zip(&scales).map(|(&at, s)| s.units(row[at])).collect::<Vec<_>>()
            })
            .map(|unit| if unit.is_nan() { 0.0 } else { unit.clamp(-15.0, 15.0) })
            .collect();
        let noise: Vec<f64> = scales.iter().map(FeatureScale::noise).collect();
        let groups = correlated(&sparse, d, &varies, together);
        let groups = groups.into_iter().map(|g| Group::new(g, &noise)).collect();
        let pools = Pools::draw(POOLS, d * PER_FEATURE, |column| varies[column % d], self.seed);
        let seconds = (step.as_millis() as f64 / 1000.0).max(1e-3);
        let memory = (MEMORY_SECONDS / seconds) as u64;
        let kept = Kept { features_together: together, ..Kept::all(self.trees) };
        let state = State {
            inputs: Inputs::new(&scales, seconds, Arc::clone(&self.local_time)),
            evidence: Evidence::new(groups, noise),
            ranges: Ranges::new(&scales),
            reach: Reach::new(&scales),
            novelties: novelties(&scales),
            novelty: vec![0.0; d],
            lately: vec![0.0; d],
            frozen: Frozen::new(d),
            excursions: Excursions::new(d),
            forest: PooledForest::new(pools, self.seed),
            reservoir: Reservoir::new(d * PER_FEATURE, kept.past_rows, self.seed),
            tails: KINDS.iter().map(|&kind| Tail::new(kind, memory)).collect(),
            rows: 0,
            next_refit: u64::MAX,
            calibrated: 0,
            ranks: Tail::new(ranks(d), memory),
            found: [0.0; BRANCHES],
        };
        Ok(ForestDetector {
            metadata: describe(frame, step),
            schema: schema.clone(),
            order,
            weights: Weights::new(d == 1, self.without),
            varying: varies.iter().filter(|v| **v).count(),
            scales,
            kept,
            max_bytes: None,
            state,
            last: Vec::with_capacity(d),
            last_time: None,
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

    fn fit_after(&self, past: &Summary, frame: &Frame) -> Result<Box<dyn Detector>> {
        Ok(Box::new(self.fit_detector_after(Some(past), frame)?))
    }

    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Detector>> {
        let mut detector = ForestDetector::decode(bytes, schema, &self.local_time)?;
        if let Some(most) =
            self.max_bytes.filter(|&most| detector.max_bytes.is_none_or(|b| b > most))
            && !detector.keep_within(most)
        {
            return Err(detector.too_small(most));
        }
        Ok(Box::new(detector))
    }
}

/// What each feature has been through, which is of use where there is but one.
fn novelties(scales: &[FeatureScale]) -> Vec<Novelty> {
    match scales {
        [one] => vec![Novelty::new(one.usual)],
        _ => Vec::new(),
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
