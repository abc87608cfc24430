//! What a feature says beyond what all others would have it say.
//!
//! Of features that go together one that changes alone drags the whitened inputs of the others with it. Who it was is
//! told by conditioning: how much less far the row would be from what is usual if this one feature were not known.
//! With the inverse `P` of the inputs' correlations and a row `z` in deviations, that is `b' P_JJ⁻¹ b` with
//! `b = (P z)_J` for the inputs `J` of the feature, which is twice the logarithm of the likelihood ratio of "this
//! feature has changed" for normal inputs.

use super::groups::{Group, RIDGE};
use super::inputs::STATISTICS;
use super::linear::{factor, solve, substitute};

/// The numbers of a square of one feature's inputs.
const SQUARE: usize = STATISTICS * STATISTICS;

/// For every feature of a group in turn the squared distance that is gone if the feature is not known, 0 or more, into
/// the features' places of `out`. `inputs` holds a block a statistic for `d` features; a missing one counts as usual.
pub(super) fn gains(group: &Group, inputs: &[f64], d: usize, out: &mut [f64]) {
    let drawn = turn(group, &turn(group, &deviations(group, inputs, d)));
    let k = group.features.len();
    for (place, (&feature, factor)) in
        group.features.iter().zip(group.conditional.chunks_exact(SQUARE)).enumerate()
    {
        if factor[0] > 0.0 {
            let pull: [f64; STATISTICS] = std::array::from_fn(|s| drawn[s * k + place]);
            let mut shift = pull;
            substitute(factor, STATISTICS, &mut shift, 1);
            let gain: f64 = pull.iter().zip(&shift).map(|(a, b)| a * b).sum();
            out[feature] = gain.max(0.0);
        }
    }
}

/// The inverse root times a vector. The root is its own transpose, so that its rows can be added up side by side.
fn turn(group: &Group, v: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; v.len()];
    for (row, v) in group.root.chunks_exact(v.len()).zip(v) {
        out.iter_mut().zip(row).for_each(|(out, r)| *out += r * v);
    }
    out
}

/// Cholesky's factor of `P_JJ` for every feature of a group, a square each; zeros where rounding is in the way.
pub(super) fn factors(root: &[f64], k: usize) -> Vec<f64> {
    let n = k * STATISTICS;
    let mut all = vec![0.0; k * SQUARE];
    for (place, block) in all.chunks_exact_mut(SQUARE).enumerate() {
        let row = |statistic: usize| &root[(statistic * k + place) * n..][..n];
        for s in 0..STATISTICS {
            for t in 0..=s {
                block[s * STATISTICS + t] = row(s).iter().zip(row(t)).map(|(a, b)| a * b).sum();
            }
        }
        if !factor(block, STATISTICS) {
            block.fill(0.0);
        }
    }
    all
}

/// The squared distance of one feature's inputs by their own correlations, whatever the others are; much less than its
/// gain where it is not itself but beside the others that it is unusual. `None` where rounding is in the way.
pub(super) fn own_distance(group: &Group, place: usize, inputs: &[f64], d: usize) -> Option<f64> {
    let (k, n) = (group.features.len(), group.means.len());
    let mut block = [0.0; SQUARE];
    for s in 0..STATISTICS {
        for t in 0..=s {
            let (i, j) = (s * k + place, t * k + place);
            let product = group.products[i * n + j] / group.total;
            let covariance = product - group.means[i] * group.means[j];
            let (noise, ridge) = if s == t { (group.noise[place], RIDGE) } else { (0.0, 0.0) };
            let scale = group.inverse_deviations[i] * group.inverse_deviations[j];
            block[s * STATISTICS + t] = (covariance + noise) * scale + ridge;
        }
    }
    let feature = *group.features.get(place)?;
    let inputs: [f64; STATISTICS] =
        std::array::from_fn(|s| deviation(group, s * k + place, inputs[s * d + feature]));
    let mut solved = inputs;
    solve(&mut block, STATISTICS, &mut solved, 1)
        .then(|| inputs.iter().zip(&solved).map(|(a, b)| a * b).sum())
}

/// A group's inputs in deviations from their means; 0 where missing.
fn deviations(group: &Group, inputs: &[f64], d: usize) -> Vec<f64> {
    let blocks = inputs.chunks_exact(d);
    let values = blocks.flat_map(|block| group.features.iter().map(|&j| block[j]));
    values.enumerate().map(|(i, v)| deviation(group, i, v)).collect()
}

fn deviation(group: &Group, i: usize, v: f64) -> f64 {
    if v.is_nan() { 0.0 } else { (v - group.means[i]) * group.inverse_deviations[i] }
}
