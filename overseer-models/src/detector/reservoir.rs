//! A fair sample of all rows that ever came, in bounded memory.

use super::memory::{bytes_of, make_room};
use crate::file::{Reader, Writer};
use crate::isolation_forest::pooled::mix;
use overseer_core::{Error, Result};

/// Rows beyond this quantile of the scores are kept out of training, the more the further they are.
const USUAL: f64 = 0.98;
const STEEPNESS: i32 = 32;
const STEPS: f64 = 256.0;

/// Rows, each kept with the same probability (J. S. Vitter's algorithm R, 1985), and what they scored when they came.
#[derive(Debug, Clone)]
pub(super) struct Reservoir {
    width: usize,
    /// How many rows are kept at most.
    kept: usize,
    rows: Vec<f32>,
    /// NaN of rows that came before there was a score.
    scores: Vec<f32>,
    offered: u64,
    seed: u64,
}

impl Reservoir {
    pub(super) fn new(width: usize, kept: usize, seed: u64) -> Self {
        Self { width, kept, rows: Vec::new(), scores: Vec::new(), offered: 0, seed }
    }

    pub(super) fn offer(&mut self, row: &[f32], score: f64) {
        self.offered += 1;
        if self.scores.len() < self.kept {
            make_room(&mut self.rows, self.width, self.kept * self.width);
            make_room(&mut self.scores, 1, self.kept);
            self.rows.extend_from_slice(row);
            self.scores.push(score as f32);
            return;
        }
        let place = (mix(self.seed ^ mix(self.offered)) % self.offered) as usize;
        if place < self.kept {
            self.rows[place * self.width..][..self.width].copy_from_slice(row);
            self.scores[place] = score as f32;
        }
    }

    /// Keeps at most so many rows from now on; of more, ones evenly spread, which are as fair a sample.
    pub(super) fn keep(&mut self, kept: usize) {
        self.kept = kept;
        let n = self.scores.len();
        if n <= kept {
            return;
        }
        let places = || (0..kept).map(|at| at * n / kept);
        self.scores = places().map(|at| self.scores[at]).collect();
        let mut rows = Vec::with_capacity(kept * self.width);
        places().for_each(|at| rows.extend_from_slice(&self.rows[at * self.width..][..self.width]));
        self.rows = rows;
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.rows) + bytes_of(&self.scores)
    }

    pub(super) fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// How much each row counts in training: what was very unusual when it came is kept out.
    pub(super) fn weights(&self) -> Vec<f64> {
        let mut known: Vec<f32> = self.scores.iter().copied().filter(|s| !s.is_nan()).collect();
        known.sort_unstable_by(f32::total_cmp);
        let limit = crate::stats::quantile_sorted(
            &known.iter().map(|&s| f64::from(s)).collect::<Vec<f64>>(),
            USUAL,
        );
        let weight = |score: f32| {
            let ratio = limit / f64::from(score).max(1e-3);
            let weight = if ratio < 1.0 { ratio.powi(STEEPNESS) } else { 1.0 };
            // In steps, so that what rounding does to a score changes nothing about what is drawn.
            (weight * STEPS).round() / STEPS
        };
        self.scores.iter().map(|&score| weight(score)).collect()
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.f32s(self.rows.iter().copied());
        w.f32s(self.scores.iter().copied());
        w.u64(self.offered);
        w.u64(self.seed);
    }

    pub(super) fn read_from(r: &mut Reader<'_>, width: usize, kept: usize) -> Result<Self> {
        let (rows, scores) = (r.f32s()?, r.f32s()?);
        let (offered, seed) = (r.u64()?, r.u64()?);
        let usable = scores.len() <= kept
            && rows.len() == scores.len() * width
            && offered >= scores.len() as u64
            && rows.iter().all(|v| v.is_finite() && *v >= 0.0)
            && scores.iter().all(|s| s.is_nan() || (s.is_finite() && *s >= 0.0));
        if !usable {
            return Err(Error::corrupt("the detector's past rows", "a value is out of range"));
        }
        Ok(Self { width, kept, rows, scores, offered, seed })
    }
}
