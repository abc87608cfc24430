//! Is a feature steady or restless?

use super::autocorrelation::of_neighbors;
use crate::stats::quantiles_by_selection;
use crate::trend::distribution::chi_square_at_most;

/// The distance between a normal's 5 % and 95 % points, in standard deviations.
const NORMAL_RANGE: f64 = 3.289_707;

/// How values spread about their level, and what a test says to that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// Whether the spread is more than the threshold.
    pub(super) is_volatile: bool,
    /// The spread over the level, 0 or more; infinite about a level of zero whose resolution is unknown.
    pub(super) relative: f64,
    /// One-sided p-value of the side taken: of a spread this large, or this small, at the threshold.
    pub(super) p_value: f64,
}

/// Compares the spread of residuals with a share of the level, or with the resolution if that is larger.
///
/// The spread is the range of the middle nine tenths in units of a normal's, so that a rare outlier is no volatility
/// and frequent bursts are. Its test is the chi-square test of a variance with the number of independent values that
/// autocorrelation leaves, `n (1 - r²) / (1 + r²)` (Bayley and Hammersley, J. R. Stat. Soc. Suppl. 8, 1946).
pub(super) fn judge(residuals: &[f64], level: f64, resolution: f64, share: f64) -> Spread {
    let known: Vec<f64> = residuals.iter().copied().filter(|v| !v.is_nan()).collect();
    let [low, high] = quantiles_by_selection(&known, [0.05, 0.95]);
    let spread = (high - low) / NORMAL_RANGE;
    let scale = level.abs().max(resolution / share);
    // Numbers too large to subtract say nothing.
    if spread.is_nan() {
        return Spread { is_volatile: false, relative: 0.0, p_value: 1.0 };
    }
    // Differences in the last digits are rounding.
    if spread <= 1.0e-12 * level.abs() {
        return Spread { is_volatile: false, relative: 0.0, p_value: 0.0 };
    }
    let relative = spread / scale;
    let r = of_neighbors(residuals).clamp(-0.999, 0.999);
    let independent = known.len() as f64 * (1.0 - r * r) / (1.0 + r * r);
    let freedom = (independent - 1.0).max(1.0);
    let below = chi_square_at_most(freedom * (relative / share).powi(2), freedom);
    let is_volatile = relative > share;
    Spread { is_volatile, relative, p_value: if is_volatile { 1.0 - below } else { below } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(amplitude: f64) -> Vec<f64> {
        (0..200).map(|i| amplitude * f64::from((i * 37) % 101 - 50) / 50.0).collect()
    }

    #[test]
    fn the_same_spread_is_much_about_a_low_level_and_little_about_a_high_one() {
        let low = judge(&waves(1.0), 1.0, 0.0, 0.25);
        let high = judge(&waves(1.0), 100.0, 0.0, 0.25);
        assert!(low.is_volatile && low.p_value < 0.01, "{low:?}");
        assert!(!high.is_volatile && high.p_value < 0.01, "{high:?}");
        // About nothing, a spread below what a person would act on is steady.
        assert!(!judge(&waves(0.01), 0.0, 0.05, 0.25).is_volatile);
        assert!(judge(&waves(0.01), 0.0, 0.0, 0.25).is_volatile);
    }

    #[test]
    fn at_the_threshold_nothing_is_certain() {
        let spread = judge(&waves(1.0), 1.0, 0.0, 0.25).relative;
        assert!((judge(&waves(1.0), spread / 0.25, 0.0, 0.25).p_value - 0.5).abs() < 0.05);
    }

    #[test]
    fn constants_are_steady_for_certain() {
        let s = judge(&[0.0; 30], 5.0, 0.0, 0.25);
        assert_eq!(s, Spread { is_volatile: false, relative: 0.0, p_value: 0.0 });
        assert!(!judge(&[0.0; 30], 0.0, 0.0, 0.25).is_volatile);
    }
}
