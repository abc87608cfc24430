//! From inputs to evidence: numbers that are never negative and larger the more unusual a row is.
//!
//! Of each feature: its whitened inputs' size, which is how far they are from what the other features and the past
//! would have them be; how far off a short autoregression on all features has been lately; and how far the feature has
//! been lately from what is usual at this time of day.

use super::groups::{Group, HALF_LIFE};
use super::inputs::{Inputs, STATISTICS};
use super::memory::bytes_of;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// How many numbers of evidence each feature has.
pub(super) const PER_FEATURE: usize = STATISTICS + 2;

/// The newest row's share of what has been lately.
const NEWEST: f64 = 0.2;
/// A residual's unit is never smaller than this, in units of the feature's variation.
const LEAST_RESIDUAL: f64 = 0.05;
/// Residuals are cut to this many of the feature's variation before their unit is learned, to this many of their unit
/// as spikes, and to this many as something that lasts.
const CLIP_LEARNED: f64 = 10.0;
const CLIP_SPIKE: f64 = 20.0;
const CLIP_LASTING: f64 = 8.0;
/// How many of the largest residuals make a spike.
const SPIKES: usize = 3;

/// What is known of the evidence's own size, and what has been lately.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub(super) groups: Vec<Group>,
    /// The variance that each feature's resolution alone explains.
    noise: Vec<f64>,
    /// Per feature: decayed sums of weights and of squared residuals.
    residual_squares: Vec<(f64, f64)>,
    /// The residuals of the newest row in their units; 0 where there is none.
    residuals: Vec<f64>,
    /// What they have been lately, and the surprises.
    lasting: Vec<f64>,
    surprises: Vec<f64>,
    predicted: Vec<f64>,
    whitened: Vec<f64>,
    /// All of it, a block of all features for each number.
    all: Vec<f32>,
}

impl Evidence {
    pub(super) fn new(groups: Vec<Group>, noise: Vec<f64>) -> Self {
        let d = noise.len();
        Self {
            groups,
            noise,
            residual_squares: vec![(0.0, 0.0); d],
            residuals: vec![0.0; d],
            lasting: vec![0.0; d],
            surprises: vec![0.0; d],
            predicted: vec![0.0; d],
            whitened: vec![0.0; d * STATISTICS],
            all: vec![0.0; d * PER_FEATURE],
        }
    }

    /// Looks at the newest row of the inputs, by what was learned before it.
    pub(super) fn push(&mut self, inputs: &Inputs) {
        let d = self.residuals.len();
        for group in &mut self.groups {
            group.whiten(inputs.statistics(), d, &mut self.whitened);
        }
        self.push_residuals(inputs);
        for (j, &value) in inputs.unseasonal().iter().enumerate() {
            if !value.is_nan() {
                self.surprises[j] += NEWEST * (value - self.surprises[j]);
            }
        }
        let (whitened, rest) = self.all.split_at_mut(d * STATISTICS);
        for (all, value) in whitened.iter_mut().zip(&self.whitened) {
            *all = *value as f32;
        }
        let (lasting, surprises) = rest.split_at_mut(d);
        for (j, units) in inputs.units().iter().enumerate() {
            // What was not measured says nothing, whatever it was lately.
            let known = f64::from(u8::from(!units.is_nan()));
            lasting[j] = (known * self.lasting[j]) as f32;
            let surprise = self.surprises[j].abs() - self.noise[j].sqrt();
            surprises[j] = (known * surprise.max(0.0)) as f32;
        }
    }

    fn push_residuals(&mut self, inputs: &Inputs) {
        let d = self.residuals.len();
        self.residuals.fill(0.0);
        let Some(lags) = inputs.lags() else { return };
        for group in &mut self.groups {
            group.predict(lags, d, &mut self.predicted);
        }
        for (j, &value) in inputs.clipped().iter().enumerate() {
            if value.is_nan() {
                continue;
            }
            let residual = value - self.predicted[j];
            let (weight, squares) = self.residual_squares[j];
            let unit = if weight > 0.0 { (squares / weight + self.noise[j]).sqrt() } else { 1.0 };
            let units = residual / unit.max(LEAST_RESIDUAL);
            self.residuals[j] = units.clamp(-CLIP_SPIKE, CLIP_SPIKE);
            self.lasting[j] +=
                NEWEST * (self.residuals[j].abs().min(CLIP_LASTING) - self.lasting[j]);
            learn(&mut self.residual_squares[j], residual.clamp(-CLIP_LEARNED, CLIP_LEARNED));
        }
    }

    /// Takes the newest row into what the next rows are looked at by.
    pub(super) fn learn(&mut self, inputs: &Inputs) {
        let d = self.residuals.len();
        for group in &mut self.groups {
            group.learn_inputs(inputs.statistics(), d);
            if let Some(lags) = inputs.lags() {
                group.learn_next(lags, inputs.held(), d);
            }
        }
    }

    /// All evidence of the newest row, a block of all features for each of [`PER_FEATURE`] numbers.
    pub(super) fn all(&self) -> &[f32] {
        &self.all
    }

    /// The mean of the largest residuals of the newest row alone.
    pub(super) fn spike(&self) -> f64 {
        let mut largest = [0.0; SPIKES];
        for r in &self.residuals {
            let mut size = r.abs();
            for place in &mut largest {
                if size > *place {
                    std::mem::swap(place, &mut size);
                }
            }
        }
        let count = SPIKES.min(self.residuals.len());
        largest[..count].iter().sum::<f64>() / count as f64
    }

    /// The residual of a feature in the newest row, in its own unit.
    pub(super) fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    /// All evidence of one feature of the newest row: the mean of its numbers.
    pub(super) fn of(&self, j: usize) -> f64 {
        let d = self.residuals.len();
        let sum: f64 = self.all.iter().skip(j).step_by(d).map(|&v| f64::from(v)).sum();
        sum / PER_FEATURE as f64
    }

    /// Brings what the features' parts in a score have been lately up to date: the newest row's score is shared out by the
    /// features' evidence, and counts for `newest`. The sum is what the score has been lately.
    pub(super) fn share(&self, score: f64, newest: f64, lately: &mut [f64]) {
        let total = self.total();
        let scale = if total > 0.0 { newest * score / total } else { 0.0 };
        lately.iter_mut().for_each(|part| *part *= 1.0 - newest);
        for block in self.all.chunks_exact(self.residuals.len()) {
            lately.iter_mut().zip(block).for_each(|(part, &v)| *part += scale * f64::from(v));
        }
    }

    /// The distance of the newest row from what is usual, by how the features go together: the mean size of all its
    /// evidence, most of which is whitened, over `varying` features.
    ///
    /// Sizes and not squares, for the sum of squares (Mahalanobis' distance) is decided by a few inputs that are often far
    /// out, and ranks real hosts' rows worse than any other kind of evidence does.
    pub(super) fn distance(&self, varying: usize) -> f64 {
        self.total() / (PER_FEATURE * varying.max(1)) as f64
    }

    fn total(&self) -> f64 {
        self.all.iter().map(|&v| f64::from(v)).sum()
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        let groups: usize = self.groups.iter().map(Group::bytes).sum();
        let lists = [
            &self.noise,
            &self.residuals,
            &self.lasting,
            &self.surprises,
            &self.predicted,
            &self.whitened,
        ];
        let lists: usize = lists.into_iter().map(bytes_of).sum();
        groups
            + bytes_of(&self.groups)
            + bytes_of(&self.residual_squares)
            + lists
            + bytes_of(&self.all)
    }

    pub(super) fn reset(&mut self) {
        self.lasting.fill(0.0);
        self.surprises.fill(0.0);
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.u64(self.groups.len() as u64);
        self.groups.iter().for_each(|g| g.write_to(w));
        w.f64s(self.residual_squares.iter().map(|m| m.0));
        w.f64s(self.residual_squares.iter().map(|m| m.1));
        for list in [&self.residuals, &self.lasting, &self.surprises] {
            w.f64s(list.iter().copied());
        }
        w.f32s(self.all.iter().copied());
    }

    pub(super) fn read_from(r: &mut Reader<'_>, noise: Vec<f64>) -> Result<Self> {
        let d = noise.len();
        let wrong = || Error::corrupt("the detector's evidence", "a value is out of range");
        let count = r.length()?;
        let groups =
            (0..count).map(|_| Group::read_from(r, d, &noise)).collect::<Result<Vec<_>>>()?;
        let mut places: Vec<usize> = groups.iter().flat_map(|g| g.features.clone()).collect();
        places.sort_unstable();
        if !places.into_iter().eq(0..d) {
            return Err(wrong());
        }
        let mut evidence = Self::new(groups, noise);
        let mut read = |lower: f64| -> Result<Vec<f64>> {
            let list = r.f64s()?;
            let usable = list.len() == d && list.iter().all(|v| v.is_finite() && *v >= lower);
            if usable { Ok(list) } else { Err(wrong()) }
        };
        evidence.residual_squares = read(0.0)?.into_iter().zip(read(0.0)?).collect();
        evidence.residuals = read(-CLIP_SPIKE)?;
        evidence.lasting = read(0.0)?;
        evidence.surprises = read(-1e3)?;
        evidence.all = r.f32s()?;
        let usable = evidence.all.len() == d * PER_FEATURE
            && evidence.all.iter().all(|v| v.is_finite() && *v >= 0.0);
        if usable { Ok(evidence) } else { Err(wrong()) }
    }
}

/// Takes a number's square into a decayed sum.
fn learn(sums: &mut (f64, f64), value: f64) {
    let decay = (-1.0 / HALF_LIFE).exp2();
    sums.0 = sums.0 * decay + 1.0;
    sums.1 = sums.1 * decay + value * value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_shared_out_by_evidence_and_fades() {
        let mut evidence = Evidence::new(Vec::new(), vec![0.0; 2]);
        let mut lately = [0.0; 2];
        evidence.share(0.8, 0.05, &mut lately);
        assert_eq!(lately, [0.0; 2], "there was no evidence");
        evidence.all[..2].copy_from_slice(&[3.0, 1.0]);
        evidence.share(0.8, 0.05, &mut lately);
        assert!((lately[0] - 0.03).abs() < 1e-12 && (lately[1] - 0.01).abs() < 1e-12, "{lately:?}");
        (0..200).for_each(|_| evidence.share(0.8, 0.05, &mut lately));
        assert!((lately.iter().sum::<f64>() - 0.8).abs() < 1e-4, "{lately:?}");
        (0..200).for_each(|_| evidence.share(0.0, 0.05, &mut lately));
        assert!(lately.iter().sum::<f64>() < 1e-4, "{lately:?}");
    }
}
