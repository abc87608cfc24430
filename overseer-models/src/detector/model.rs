//! The fitted detector.

use super::combine::{
    BRANCHES, DISTANCE, FOREST, FROZEN, LATELY, NOVELTY, RANGE, SPIKE, Weights, rarity, score,
};
use super::evidence::{Evidence, PER_FEATURE};
use super::excursion::Excursions;
use super::frozen::Frozen;
use super::inputs::Inputs;
use super::memory::Kept;
use super::novelty::Novelty;
use super::range::Ranges;
use super::reach::Reach;
use super::reservoir::Reservoir;
use super::scale::FeatureScale;
use super::tail::{Kind, Tail};
use crate::isolation_forest::pooled::PooledForest;
use overseer_core::{
    Detector, Error, FeatureEvidence, Frame, Judgement, ModelMetadata, Probability, Result, Sample,
    Schema, Span, Timestamp,
};

/// How each kind of score is calibrated, in the order of [`BRANCHES`](super::combine::BRANCHES): the least mean excess
/// is what a score of that kind has to differ by to mean anything. Only what the distance says does not follow an incident:
/// the forest keeps unusual rows out of its trees already, and where its scores were thinned out as well, hosts with many
/// incidents alerted more often than others for the same.
pub(super) const KINDS: [Kind; BRANCHES] = [
    Kind { least: 0.05, ..PLAIN },
    Kind { many: 0.05, least: 0.05, ..PLAIN },
    Kind { least: 0.25, ..PLAIN },
    Kind { least: 0.05, ..PLAIN },
    Kind { least: 0.1, ..PLAIN },
    Kind { least: 0.05, ..PLAIN },
    Kind { least: 0.02, ..PLAIN },
];
const PLAIN: Kind = Kind {
    kept: 4096,
    remembered: 1.0,
    many: f64::INFINITY,
    wildest: 4.0,
    together: 0.0,
    least: 0.05,
    most: f64::INFINITY,
};

/// How the combined evidence is kept, so that a row can be compared with those before it. It is in powers of ten, so
/// that its mean excess would be 0.43 if they were exact; few rows must not make it much more. About the last third of
/// all rows counts, once there are many: before, the detector knew less and was surprised more often.
pub(super) const RANKS: Kind = Kind {
    kept: 2048,
    remembered: 1.0 / 3.0,
    many: 0.1,
    wildest: 2.3,
    together: 4.0,
    least: 0.05,
    most: 0.6,
};

/// The same for so many features. Among the rows are incidents that nobody labelled. Of several features they are cut
/// sooner than other scores are, or they hide the next ones; of one, whose kinds of evidence seldom agree, what is wild
/// is seldom an incident.
pub(super) fn ranks(features: usize) -> Kind {
    if features == 1 { Kind { wildest: PLAIN.wildest, ..RANKS } } else { RANKS }
}

/// Calibration remembers about so many seconds: a quarter of a year.
pub(super) const MEMORY_SECONDS: f64 = 91.0 * 86_400.0;

/// So many rows make a full calibration.
const FULL: f64 = 1000.0;

/// Rows between two refits: a twentieth of the rows so far, within these.
const REFIT: (u64, u64) = (50, 500);
/// While the past grows by some share of itself, half that share of the trees give way to new ones: a forest that
/// follows the newest rows faster learns the incident that it should report.
const REGROWN: f64 = 0.5;

/// The newest row's share of what has been lately: of one feature's novelty, and of what the forest says of several. An
/// event of hours is hardly more unusual in any of its rows than the rest of the host's life is now and then, but no
/// other hours are as unusual on the whole.
const NEWEST_NOVELTY: f64 = 0.4;
const NEWEST_SCORE: f64 = 0.05;
/// Less than this of the second is nothing: an average that fades would else be above a past of zeros for ever.
const LEAST_LATELY: f64 = 0.02;

/// A fitted detector: an isolation forest over the evidence of all features, and other kinds of evidence beside it,
/// each calibrated on its own past.
#[derive(Debug, Clone)]
pub struct ForestDetector {
    pub(super) schema: Schema,
    pub(super) metadata: ModelMetadata,
    /// Features by name: the place in the schema of each, so that the schema's order does not matter.
    pub(super) order: Vec<usize>,
    pub(super) scales: Vec<FeatureScale>,
    pub(super) weights: Weights,
    /// How many features vary.
    pub(super) varying: usize,
    /// How much of what it learns from it keeps, and the bytes that it must not exceed, if it was told.
    pub(super) kept: Kept,
    pub(super) max_bytes: Option<usize>,
    pub(super) state: State,
    /// The row observed last, in the schema's order; empty before the first and after training.
    pub(super) last: Vec<f64>,
    /// When the row before the next one was measured; none after a restart.
    pub(super) last_time: Option<Timestamp>,
}

/// What changes with every row.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) inputs: Inputs,
    pub(super) evidence: Evidence,
    pub(super) ranges: Ranges,
    pub(super) reach: Reach,
    pub(super) novelties: Vec<Novelty>,
    /// The newest row's novelty of each feature.
    pub(super) novelty: Vec<f64>,
    /// What each feature has been lately: novel where there is but one, else its part in the forest's score.
    pub(super) lately: Vec<f64>,
    pub(super) frozen: Frozen,
    pub(super) excursions: Excursions,
    pub(super) forest: PooledForest,
    pub(super) reservoir: Reservoir,
    pub(super) tails: Vec<Tail>,
    /// Rows learned, and of which the next refit is due.
    pub(super) rows: u64,
    pub(super) next_refit: u64,
    /// Rows whose scores came into question for calibration.
    pub(super) calibrated: u64,
    /// The combined evidence of the last rows calibrated on.
    pub(super) ranks: Tail,
    /// The newest row's evidence of each kind.
    pub(super) found: [f64; BRANCHES],
}

impl ForestDetector {
    pub(super) fn step(&self) -> Span {
        Span::from_millis(self.metadata.interval_ms)
    }

    /// How much is known of what recurs every week, 0 to 1: the share of the half hours of the week, by the clocks of
    /// the trainer's time zone, that were seen in two weeks at least.
    #[must_use]
    pub fn weekly_readiness(&self) -> Probability {
        Probability::saturating(self.state.inputs.week_readiness())
    }

    /// Scores and learns a row that fits.
    pub(super) fn advance(&mut self, time: Timestamp, row: &[f64]) -> Judgement {
        self.last.clear();
        self.last.extend_from_slice(row);
        self.restart_after_gap(time);
        self.metadata.trained_on.1 = self.metadata.trained_on.1.max(time);
        if self.is_blank(row) {
            // Nothing was measured, which is no sign of anything.
            self.state.found = [0.0; BRANCHES];
            let rank = self.state.ranks.rank(0.0);
            let readiness = Probability::saturating(self.state.calibrated as f64 / FULL);
            return Judgement::new(0.0, 1.0, readiness, rank);
        }
        self.look(time, row);
        let scores = self.scores();
        for ((found, tail), score) in self.state.found.iter_mut().zip(&self.state.tails).zip(scores)
        {
            *found = tail.evidence(score);
        }
        // Novelty is a number of decades already.
        self.state.found[NOVELTY] = scores[NOVELTY];
        let combined = self.weights.combine(&self.state.found);
        let judgement = self.judge(combined);
        self.learn(scores, combined);
        judgement
    }

    pub(super) fn restart_after_gap(&mut self, time: Timestamp) {
        let step = self.step();
        if self.last_time.is_some_and(|last| Timestamp::is_gap(last, time, step)) {
            self.reset_lags();
        }
        self.last_time = Some(time);
    }

    /// Takes a row into the windows and turns it into evidence, without learning from it.
    pub(super) fn look(&mut self, time: Timestamp, row: &[f64]) {
        let state = &mut self.state;
        state.inputs.push(time, self.order.iter().map(|&at| row[at]), &self.scales);
        state.evidence.push(&state.inputs);
        state.ranges.push(state.inputs.units());
        state.reach.push(state.inputs.units());
        // Only where there is but one feature.
        for (j, novelty) in state.novelties.iter_mut().enumerate() {
            let unit = state.inputs.units()[j];
            state.novelty[j] = novelty.push(unit);
            state.lately[j] += NEWEST_NOVELTY * (state.novelty[j] - state.lately[j]);
        }
        state.frozen.push(state.inputs.units(), state.inputs.moves());
        let evidence = &state.evidence;
        let row = state.inputs.unseasonal().iter().enumerate();
        let row = row.map(|(j, &v)| (if v.is_nan() { f64::NAN } else { evidence.of(j) }, v));
        state.excursions.push(time, row);
    }

    fn scores(&mut self) -> [f64; BRANCHES] {
        let state = &mut self.state;
        let mut scores = [0.0; BRANCHES];
        scores[FOREST] = state.forest.score(state.evidence.all());
        if state.novelties.is_empty() {
            state.evidence.share(scores[FOREST], NEWEST_SCORE, &mut state.lately);
        }
        scores[DISTANCE] = state.evidence.distance(self.varying);
        scores[SPIKE] = state.evidence.spike();
        scores[RANGE] =
            if state.novelties.is_empty() { state.ranges.total() } else { state.ranges.now() };
        scores[NOVELTY] = state.novelty.iter().sum();
        let lately: f64 = state.lately.iter().sum();
        let is_nothing = lately < LEAST_LATELY && state.novelties.is_empty();
        scores[LATELY] = if is_nothing { 0.0 } else { lately };
        scores[FROZEN] = state.frozen.score();
        scores
    }

    fn learn(&mut self, scores: [f64; BRANCHES], combined: f64) {
        let state = &mut self.state;
        state.rows += 1;
        for (kind, (tail, score)) in state.tails.iter_mut().zip(scores).enumerate() {
            if self.weights.counts(kind) {
                tail.learn(score);
            }
        }
        state.ranks.learn(combined);
        state.calibrated += 1;
        state.evidence.learn(&state.inputs);
        state.reservoir.offer(state.evidence.all(), scores[FOREST]);
        if state.rows >= state.next_refit {
            let share = REGROWN * refit_after(state.rows) as f64 / state.rows as f64;
            self.refit((share * self.kept.trees as f64).ceil() as usize);
            self.plan_refit();
        }
    }

    pub(super) fn plan_refit(&mut self) {
        self.state.next_refit = self.state.rows + refit_after(self.state.rows);
    }

    /// Brings what is learned in steps up to date, and grows so many trees anew.
    pub(super) fn refit(&mut self, trees: usize) {
        let state = &mut self.state;
        state.evidence.groups.iter_mut().for_each(super::groups::Group::refit);
        self.regrow(trees);
    }

    pub(super) fn regrow(&mut self, trees: usize) {
        let state = &mut self.state;
        let width = self.order.len() * PER_FEATURE;
        let weights = state.reservoir.weights();
        state.forest.grow(trees, self.kept.trees, state.reservoir.rows(), width, &weights);
    }

    fn judge(&self, combined: f64) -> Judgement {
        let state = &self.state;
        let readiness = (state.calibrated as f64 / FULL).min(1.0);
        let by_past = state.ranks.evidence(combined);
        let is_known = self.scales.iter().all(|s| s.noise() > 0.0);
        let by_reach = state.reach.evidence();
        let is_alone = self.order.len() == 1;
        let rarity = rarity(combined, by_past, by_reach, readiness, is_known, is_alone);
        Judgement::new(
            score(combined),
            10_f64.powf(-rarity).clamp(f64::MIN_POSITIVE, 1.0),
            Probability::saturating(readiness),
            state.ranks.rank(combined),
        )
    }

    /// Whether no known feature of a row has a value.
    pub(super) fn is_blank(&self, row: &[f64]) -> bool {
        self.order.iter().zip(&self.scales).all(|(&at, scale)| scale.units(row[at]).is_nan())
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
}

/// How many rows after so many the next refit comes.
fn refit_after(rows: u64) -> u64 {
    (rows / 20).clamp(REFIT.0, REFIT.1)
}

impl Detector for ForestDetector {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn observe(&mut self, sample: &Sample) -> Result<Judgement> {
        self.check(&sample.values)?;
        Ok(self.advance(sample.timestamp, &sample.values))
    }

    /// Each kind of evidence counts as much as it had to do with the score, and is shared among the features: what
    /// the forest and the distance look at by how much less unusual the row would be without each feature, the others
    /// by what they are sums of. What kind of change it is and since when is said of features whose evidence is far
    /// above their own usual one, or that made a notable part of the score.
    fn explain(&self) -> Vec<FeatureEvidence> {
        self.explanation()
    }

    fn reset_lags(&mut self) {
        let state = &mut self.state;
        state.inputs.reset();
        state.evidence.reset();
        state.ranges.reset();
        state.reach.reset();
        state.novelties.iter_mut().for_each(Novelty::reset);
        state.lately.fill(0.0);
        state.frozen.reset();
        state.excursions.reset();
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
