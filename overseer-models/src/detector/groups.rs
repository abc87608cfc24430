//! Features in groups of correlated ones, so that work grows with the number of features and not with its square.

use super::conditional::factors;
use super::inputs::{LAGS, STATISTICS};
use super::linear::{add_outer, add_product, inverse_root, solve};
use super::memory::bytes_of;
use crate::file::{Reader, Writer};
use ndarray::Array2;
use overseer_core::{Error, Result};

/// The most features of a group.
pub(super) const LARGEST: usize = 32;

/// Rows after which a row's weight in the moments has halved.
pub(super) const HALF_LIFE: f64 = 15_000.0;

/// Added to every standard deviation of the inputs, which are in units of a feature's usual variation.
const FLOOR: f64 = 0.05;
/// Added to every eigenvalue of the correlations: directions in which features never vary together are noise, and a
/// whitening that blows them up to full size finds what nobody would.
pub(super) const RIDGE: f64 = 0.4;
/// The penalty of a regression's coefficients, as a number of rows, and of its intercept.
const PENALTY: f64 = 10.0;
const INTERCEPT_PENALTY: f64 = 1e-6;

/// Some features, how their inputs go together, and what their last rows say of the next.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Their places, ascending.
    pub(super) features: Vec<usize>,
    /// The variance that each feature's resolution alone explains.
    pub(super) noise: Vec<f64>,
    /// The sum of the rows' weights, of which the newest is [`Group::weight`].
    pub(super) total: f64,
    weight: f64,
    /// Weighted sums of the inputs, and of their products (lower triangle).
    sums: Vec<f64>,
    pub(super) products: Vec<f64>,
    /// The means, the inverse deviations and the inverse root of the correlations, as of the last refit.
    pub(super) means: Vec<f64>,
    pub(super) inverse_deviations: Vec<f64>,
    pub(super) root: Vec<f64>,
    /// What tells one feature from the others of the group, which follows from the root.
    pub(super) conditional: Vec<f64>,
    /// How much of an input's variance its feature's resolution explains.
    explained: Vec<f64>,
    /// Weighted sums of the products of the lags and 1 (lower triangle), and with the next row.
    gram: Vec<f64>,
    cross: Vec<f64>,
    /// The regression's coefficients, as of the last refit: a row per lag of a feature and one for the intercept.
    coefficients: Vec<f64>,
    scratch: Vec<f64>,
}

impl Group {
    pub(super) fn new(features: Vec<usize>, noise: &[f64]) -> Self {
        let (k, n, x) = sizes(features.len());
        Self {
            noise: features.iter().map(|&j| noise[j]).collect(),
            features,
            total: 0.0,
            weight: 1.0,
            sums: vec![0.0; n],
            products: vec![0.0; n * n],
            means: vec![0.0; n],
            inverse_deviations: vec![1.0; n],
            root: vec![0.0; n * n],
            conditional: vec![0.0; k * STATISTICS * STATISTICS],
            explained: vec![0.0; n],
            gram: vec![0.0; x * x],
            cross: vec![0.0; x * k],
            coefficients: vec![0.0; x * k],
            scratch: Vec::with_capacity(n.max(x)),
        }
    }

    /// Takes the inputs of a row into the moments. `inputs` holds one block a statistic; a missing one counts as its
    /// mean.
    pub(super) fn learn_inputs(&mut self, inputs: &[f64], d: usize) {
        self.weight *= (1.0 / HALF_LIFE).exp2();
        self.total += self.weight;
        self.gather(inputs, d);
        for (sum, value) in self.sums.iter_mut().zip(&self.scratch) {
            *sum += self.weight * value;
        }
        add_outer(&mut self.products, &self.scratch, self.weight);
    }

    fn gather(&mut self, inputs: &[f64], d: usize) {
        self.scratch.clear();
        self.scratch.reserve_exact(self.means.len());
        for block in inputs.chunks_exact(d) {
            self.scratch.extend(self.features.iter().map(|&j| block[j]));
        }
        for (value, &mean) in self.scratch.iter_mut().zip(&self.means) {
            if value.is_nan() {
                *value = mean;
            }
        }
    }

    /// Takes a row and the rows before it into the regression; `lags` holds the newest of these first.
    pub(super) fn learn_next(&mut self, lags: &[f64], row: &[f64], d: usize) {
        self.gather_lags(lags, d);
        add_outer(&mut self.gram, &self.scratch, self.weight);
        let k = self.features.len();
        for (sums, &x) in self.cross.chunks_exact_mut(k).zip(&self.scratch) {
            if x != 0.0 {
                for (sum, &j) in sums.iter_mut().zip(&self.features) {
                    *sum += self.weight * x * row[j];
                }
            }
        }
    }

    fn gather_lags(&mut self, lags: &[f64], d: usize) {
        self.scratch.clear();
        self.scratch.reserve_exact(lags.len() / d * self.features.len() + 1);
        for lag in lags.chunks_exact(d) {
            self.scratch.extend(self.features.iter().map(|&j| lag[j]));
        }
        self.scratch.push(1.0);
    }

    /// What the rows before say of the next one, into the features' places of `out`.
    pub(super) fn predict(&mut self, lags: &[f64], d: usize, out: &mut [f64]) {
        self.gather_lags(lags, d);
        let mut predicted = [0.0; LARGEST];
        let predicted = &mut predicted[..self.features.len()];
        add_product(predicted, &self.scratch, &self.coefficients);
        for (&j, &value) in self.features.iter().zip(predicted.iter()) {
            out[j] = value;
        }
    }

    /// The size of the whitened inputs, into the features' places of `out`, a block a statistic. What is missing is 0,
    /// and so is what a feature's resolution explains.
    pub(super) fn whiten(&mut self, inputs: &[f64], d: usize, out: &mut [f64]) {
        self.gather(inputs, d);
        for ((value, mean), inverse) in
            self.scratch.iter_mut().zip(&self.means).zip(&self.inverse_deviations)
        {
            *value = (*value - mean) * inverse;
        }
        let mut whitened = [0.0; LARGEST * STATISTICS];
        let whitened = &mut whitened[..self.means.len()];
        add_product(whitened, &self.scratch, &self.root);
        let k = self.features.len();
        for (((block, explained), out), inputs) in whitened
            .chunks_exact(k)
            .zip(self.explained.chunks_exact(k))
            .zip(out.chunks_exact_mut(d))
            .zip(inputs.chunks_exact(d))
        {
            for ((&j, &value), explained) in self.features.iter().zip(block).zip(explained) {
                out[j] = if inputs[j].is_nan() { 0.0 } else { (value.abs() - explained).max(0.0) };
            }
        }
    }

    /// Brings everything that is derived from the sums up to date.
    pub(super) fn refit(&mut self) {
        if self.total <= 0.0 {
            return;
        }
        let scale = 1.0 / self.weight;
        for sums in [&mut self.sums, &mut self.products, &mut self.gram, &mut self.cross] {
            sums.iter_mut().for_each(|v| *v *= scale);
        }
        self.total *= scale;
        self.weight = 1.0;
        self.refit_whitening();
        self.refit_regression();
    }

    fn refit_whitening(&mut self) {
        let n = self.means.len();
        for (mean, sum) in self.means.iter_mut().zip(&self.sums) {
            *mean = sum / self.total;
        }
        for (i, inverse) in self.inverse_deviations.iter_mut().enumerate() {
            let variance = self.products[i * n + i] / self.total - self.means[i] * self.means[i];
            let noise = self.noise[i % self.noise.len()];
            let variance = variance.max(0.0) + noise;
            self.explained[i] = if noise > 0.0 { noise / variance } else { 0.0 };
            *inverse = 1.0 / (variance.sqrt() + FLOOR);
        }
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| {
            let (low, high) = (i.min(j), i.max(j));
            let covariance =
                self.products[high * n + low] / self.total - self.means[i] * self.means[j];
            let noise = if i == j { self.noise[i % self.noise.len()] } else { 0.0 };
            let ridge = if i == j { RIDGE } else { 0.0 };
            (covariance + noise) * self.inverse_deviations[i] * self.inverse_deviations[j] + ridge
        });
        let root = inverse_root(&matrix, RIDGE);
        if root.iter().all(|v| v.is_finite()) {
            self.root.clear();
            self.root.extend(root.iter());
            self.conditional = factors(&self.root, self.features.len());
        }
    }

    fn refit_regression(&mut self) {
        let (k, _, x) = sizes(self.features.len());
        let mut gram = self.gram.clone();
        for i in 0..x {
            gram[i * x + i] += if i + 1 < x { PENALTY } else { INTERCEPT_PENALTY };
        }
        let mut solution = self.cross.clone();
        if solve(&mut gram, x, &mut solution, k) && solution.iter().all(|v| v.is_finite()) {
            self.coefficients = solution;
        }
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.u32s(self.features.iter().map(|&j| j as u32));
        w.f64(self.total);
        w.f64(self.weight);
        for list in self.lists() {
            w.f64s(list.iter().copied());
        }
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        let (_, n, x) = sizes(self.features.len());
        let lists: usize = self.lists().into_iter().map(bytes_of).sum();
        lists
            + bytes_of(&self.conditional)
            + bytes_of(&self.features)
            + bytes_of(&self.noise)
            + n.max(x) * size_of::<f64>()
    }

    fn lists(&self) -> [&Vec<f64>; 9] {
        [
            &self.explained,
            &self.sums,
            &self.products,
            &self.means,
            &self.inverse_deviations,
            &self.root,
            &self.gram,
            &self.cross,
            &self.coefficients,
        ]
    }

    pub(super) fn read_from(r: &mut Reader<'_>, d: usize, noise: &[f64]) -> Result<Self> {
        let wrong = |why: &str| Error::corrupt("the detector's groups", why);
        let features: Vec<usize> = r.u32s()?.into_iter().map(|j| j as usize).collect();
        let places = features.is_sorted_by(|a, b| a < b) && features.iter().all(|&j| j < d);
        if features.is_empty() || features.len() > LARGEST || !places {
            return Err(wrong("a feature is out of range"));
        }
        let mut group = Self::new(features, noise);
        group.total = r.finite()?;
        group.weight = r.finite()?;
        let lengths = group.lists().map(Vec::len);
        let mut lists = Vec::with_capacity(lengths.len());
        for length in lengths {
            let list = r.f64s()?;
            if list.len() != length || list.iter().any(|v| !v.is_finite()) {
                return Err(wrong("a moment is out of range"));
            }
            lists.push(list);
        }
        if group.total < 0.0 || !(1.0..1e9).contains(&group.weight) {
            return Err(wrong("a weight is out of range"));
        }
        let Ok(
            [explained, sums, products, means, inverse_deviations, root, gram, cross, coefficients],
        ) = <[Vec<f64>; 9]>::try_from(lists)
        else {
            return Err(wrong("a moment is missing"));
        };
        let scratch = std::mem::take(&mut group.scratch);
        let conditional = factors(&root, group.features.len());
        Ok(Self {
            conditional,
            explained,
            sums,
            products,
            means,
            inverse_deviations,
            root,
            gram,
            cross,
            coefficients,
            scratch,
            ..group
        })
    }
}

/// The number of features, of inputs, and of lags with an intercept.
fn sizes(features: usize) -> (usize, usize, usize) {
    (features, features * STATISTICS, features * LAGS + 1)
}

/// Puts features together that go together: at most `largest` a group, those that vary before those that do not.
///
/// A group begins with the first feature that has none and takes the ones most correlated with it. `rows` are rows of
/// `d` values, none of them missing.
pub(super) fn correlated(
    rows: &[f64],
    d: usize,
    varies: &[bool],
    largest: usize,
) -> Vec<Vec<usize>> {
    let mut groups = Vec::new();
    for kind in [true, false] {
        let mut left: Vec<usize> = (0..d).filter(|&j| varies[j] == kind).collect();
        let parts = left.len().div_ceil(largest);
        for part in 0..parts {
            let size = left.len().div_ceil(parts - part);
            let mut group = if part + 1 == parts {
                std::mem::take(&mut left)
            } else {
                let first = left[0];
                let mut by_kinship: Vec<(f64, usize)> =
                    left.iter().map(|&j| (kinship(rows, d, first, j), j)).collect();
                by_kinship.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                by_kinship.truncate(size);
                by_kinship.into_iter().map(|(_, j)| j).collect()
            };
            left.retain(|j| !group.contains(j));
            group.sort_unstable();
            groups.push(group);
        }
    }
    groups
}

/// The absolute correlation of two columns; 2 of a column with itself.
fn kinship(rows: &[f64], d: usize, a: usize, b: usize) -> f64 {
    if a == b {
        return 2.0;
    }
    let n = (rows.len() / d) as f64;
    let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for row in rows.chunks_exact(d) {
        let (x, y) = (row[a], row[b]);
        sa += x;
        sb += y;
        saa += x * x;
        sbb += y * y;
        sab += x * y;
    }
    let covariance = sab - sa * sb / n;
    let variances = (saa - sa * sa / n) * (sbb - sb * sb / n);
    if variances > 0.0 { (covariance / variances.sqrt()).abs() } else { 0.0 }
}
