//! Moments at which the spread changed for good.
//!
//! What direction, rhythm and levels leave over is freed of its memory of one step, and its distances from nothing, in
//! medians of them and at most 3 so that no outlier counts for more, are searched for changes of their level. That is
//! the cumulated sum of squares of Inclán and Tiao (J. Am. Stat. Assoc. 89, 1994), with a bounded distance in place of
//! the square as heavy tails demand, and a long-run variance as bursts do (Sansó, Aragó and Carrion, Revista de Economía
//! Financiera 4, 2004).

use super::autocorrelation::of_neighbors;
use super::change_point::find_levels;

/// Distances count up to so many medians.
const MOST: f64 = 3.0;
/// Spreads must differ by this factor to be worth a word.
const FACTOR: f64 = 1.5;

/// A change of the spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// The first index after it.
    pub(super) at: usize,
    /// Standard deviations before and after, until the change before or after this one.
    pub(super) spreads: (f64, f64),
    pub(super) p_value: f64,
}

/// Finds the certain changes of the spread of residuals, each with a p-value below `significance`.
pub(super) fn find_changes(residuals: &[f64], significance: f64) -> Vec<Change> {
    let r = of_neighbors(residuals).clamp(-1.0, 1.0);
    let mean = residuals.iter().sum::<f64>() / residuals.len().max(1) as f64;
    let news = |w: &[f64]| ((w[1] - mean) - r * (w[0] - mean)).abs();
    let mut distances: Vec<f64> = residuals.windows(2).map(news).collect();
    if distances.len() < 20 {
        return Vec::new();
    }
    let middle = distances.len() / 2;
    let mut unit = *distances.clone().select_nth_unstable_by(middle, f64::total_cmp).1;
    if unit <= 0.0 {
        // Most values stand still.
        unit = distances.iter().sum::<f64>() / distances.len() as f64;
    }
    if !(unit > 0.0 && unit.is_finite()) {
        return Vec::new();
    }
    distances.iter_mut().for_each(|d| *d = (*d / unit).min(MOST));
    let levels = find_levels(&distances, 0.0, significance);
    let mut bounds = vec![0];
    // A distance belongs to the later of its two values.
    bounds.extend(levels.starts.iter().map(|at| at + 1));
    bounds.push(residuals.len());
    let spreads: Vec<f64> =
        bounds.windows(2).map(|w| deviation(residuals.get(w[0]..w[1]).unwrap_or(&[]))).collect();
    levels
        .starts
        .iter()
        .zip(spreads.windows(2))
        .zip(&levels.p_values)
        .map(|((at, w), &p_value)| Change { at: at + 1, spreads: (w[0], w[1]), p_value })
        .filter(|c| {
            let (low, high) = (c.spreads.0.min(c.spreads.1), c.spreads.0.max(c.spreads.1));
            high >= FACTOR * low
        })
        .collect()
}

/// The standard deviation about the mean.
fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::autoregression;

    #[test]
    fn a_spread_that_doubles_is_found_with_both_sizes() {
        for phi in [0.0, 0.7] {
            let found: Vec<Vec<Change>> = (0..50)
                .map(|seed| {
                    let mut e = autoregression(phi, 600, seed);
                    e[350..].iter_mut().for_each(|v| *v *= 2.5);
                    find_changes(&e, 0.001)
                })
                .collect();
            let right = found
                .iter()
                .filter(|f| {
                    matches!(f[..], [c] if c.at.abs_diff(350) < 25
                        && (c.spreads.1 / c.spreads.0 - 2.5).abs() < 0.8)
                })
                .count();
            assert!(right >= 45, "{right} of 50 at phi {phi}");
        }
    }

    #[test]
    fn noise_of_any_persistence_and_constants_keep_their_spread() {
        for phi in [0.0, 0.9, 1.0] {
            let changes = (0..200)
                .filter(|&s| !find_changes(&autoregression(phi, 300, s), 0.005).is_empty())
                .count();
            assert!(changes <= 10, "{changes} of 200 at phi {phi}");
        }
        assert!(find_changes(&[0.0; 100], 0.05).is_empty());
        assert!(find_changes(&[], 0.05).is_empty());
    }
}
