//! What a feature says beyond what all others would have it say.
//!
//! Of features that go together one that changes alone drags the whitened inputs of the others with it. Who it was is
//! told by conditioning: how much less far the row would be from what is usual if this one feature were not known.
//! With the inverse `P` of the inputs' correlations and a row `z` in deviations, that is `b' P_JJ⁻¹ b` with
//! `b = (P z)_J` for the inputs `J` of the feature, which is twice the logarithm of the likelihood ratio of "this
//! feature has changed" for normal inputs.

use super::groups::{Group, RIDGE};
use super::inputs::STATISTICS;
use super::linear::solve;

/// One feature against all others of its group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Conditional {
    /// The squared distance that is gone if the feature is not known, 0 or more.
    pub(super) gain: f64,
    /// The squared distance of its own inputs, whatever the others are; much less than the gain where it is not itself
    /// but beside the others that it is unusual.
    pub(super) own: f64,
}

/// Every feature against the others of its group, in the order of features. `inputs` holds a block a statistic for
/// `d` features; a missing one counts as usual.
pub(super) fn conditionals(groups: &[Group], inputs: &[f64], d: usize) -> Vec<Conditional> {
    let mut all = vec![Conditional::default(); d];
    for group in groups {
        let row = deviations(group, inputs, d);
        let n = row.len();
        let turn = |v: &[f64]| -> Vec<f64> {
            group.root.chunks_exact(n).map(|r| r.iter().zip(v).map(|(a, b)| a * b).sum()).collect()
        };
        let drawn = turn(&turn(&row));
        let k = group.features.len();
        for (place, &feature) in group.features.iter().enumerate() {
            let at = |statistic: usize| statistic * k + place;
            let mut block = [0.0; STATISTICS * STATISTICS];
            for s in 0..STATISTICS {
                for t in 0..=s {
                    let (a, b) = (&group.root[at(s) * n..][..n], &group.root[at(t) * n..][..n]);
                    block[s * STATISTICS + t] = a.iter().zip(b).map(|(a, b)| a * b).sum();
                }
            }
            let pull: [f64; STATISTICS] = std::array::from_fn(|s| drawn[at(s)]);
            let mut shift = pull;
            if solve(&mut block, STATISTICS, &mut shift, 1) {
                let gain: f64 = pull.iter().zip(&shift).map(|(a, b)| a * b).sum();
                let own = own_distance(group, place, |s| row[at(s)]);
                all[feature] = Conditional { gain: gain.max(0.0), own: own.unwrap_or(gain) };
            }
        }
    }
    all
}

/// The squared distance of one feature's inputs by their own correlations; `None` where rounding is in the way.
fn own_distance(group: &Group, place: usize, row: impl Fn(usize) -> f64) -> Option<f64> {
    let (k, n) = (group.features.len(), group.means.len());
    let mut block = [0.0; STATISTICS * STATISTICS];
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
    let inputs: [f64; STATISTICS] = std::array::from_fn(row);
    let mut solved = inputs;
    solve(&mut block, STATISTICS, &mut solved, 1)
        .then(|| inputs.iter().zip(&solved).map(|(a, b)| a * b).sum())
}

/// A group's inputs in deviations from their means; 0 where missing.
fn deviations(group: &Group, inputs: &[f64], d: usize) -> Vec<f64> {
    let k = group.features.len();
    let blocks = inputs.chunks_exact(d);
    let values = blocks.flat_map(|block| group.features.iter().map(|&j| block[j]));
    let scaled = values.zip(&group.means).zip(&group.inverse_deviations);
    debug_assert_eq!(group.means.len(), k * STATISTICS, "a mean for each input");
    scaled.map(|((v, mean), inverse)| if v.is_nan() { 0.0 } else { (v - mean) * inverse }).collect()
}
