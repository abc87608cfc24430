//! The moment at which a trend became another.
//!
//! Every place away from the ends is tried for a line that bends there. The best one's test statistic is Student's, with
//! the long-run variance of what the bent line leaves over, as for a slope; that it is the best of many is corrected for
//! by the number of independent tries that the critical values of Andrews' sup-Wald test are worth (Econometrica 61,
//! 1993, table I: 8.85 and 12.35 in place of 3.84 and 6.63 for the middle 70 %, which is 17 and 23 tries). Where the
//! bent line leaves a random walk over, or slow noise about a straight line would explain the values as well, nothing is
//! said.

use crate::trend::distribution::student_two_sided;
use crate::trend::noise::{Memory, block_means, block_size};
use crate::trend::slow::Likelihood;

const TRIES: f64 = 20.0;
/// So much more likely must the bend make the values than slow noise about a straight line would, in logarithms.
const WORTH: f64 = 5.5;
/// No bend is looked for nearer to an end than this share of the series.
const MARGIN: f64 = 0.15;
/// A unit root hides from a test that may place a bend, as far as from a polynomial of this degree (Zivot and Andrews,
/// J. Bus. Econ. Stat. 10, 1992, model B: -4.93 at 1 %).
const AS_DEGREE: usize = 4;

/// A line with one bend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kink {
    /// The first index after the bend.
    pub(super) at: usize,
    x: f64,
    /// The line before it is `level + before * (x - place)`.
    level: f64,
    /// Slopes in the unit of the values over that of the places.
    pub(super) before: f64,
    pub(super) after: f64,
    pub(super) p_value: f64,
}

impl Kink {
    /// The place of the bend.
    pub(super) fn place(&self) -> f64 {
        self.x
    }

    /// The bent line at a place.
    pub(super) fn at_place(&self, x: f64) -> f64 {
        let slope = if x < self.x { self.before } else { self.after };
        self.level + slope * (x - self.x)
    }
}

/// Finds the bend of values at ascending places, if there is one with a p-value below `significance`.
pub(super) fn find_kink(places: &[f64], values: &[f64], significance: f64) -> Option<Kink> {
    let size = block_size(values.len());
    let (x, y) = (block_means(places, size), block_means(values, size));
    let n = y.len();
    if n < 30 {
        return None;
    }
    let straight = Bend::straight(&x, &y);
    let bend = Bend::best(&x, &straight)?;
    let kink = bend.line(&x, &y);
    let rest: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - kink.at_place(*x)).collect();
    let variance = rest.iter().map(|r| r * r).sum::<f64>() / (n - 4) as f64;
    let p_value = |inflation: f64| {
        let freedom = (n as f64 / inflation - 4.0).max(1.0);
        let t = (bend.gain / (variance * inflation)).sqrt();
        (TRIES * student_two_sided(t, freedom)).min(1.0)
    };
    // Memory only makes it less sure.
    if p_value(1.0) >= significance {
        return None;
    }
    let Memory::Fading { long_run } = Memory::of(&rest, AS_DEGREE) else { return None };
    let p_value = p_value((long_run / variance).max(1.0));
    if p_value >= significance {
        return None;
    }
    // Slow noise bends too, and may have made the values as likely.
    if Likelihood::of(&rest).gain_over(Likelihood::of(&straight)) < WORTH {
        return None;
    }
    let at = places.partition_point(|&p| p < kink.x);
    Some(Kink { at, p_value, ..kink })
}

/// Where a line is best bent, and how much that takes from the sum of squares.
#[derive(Debug, Clone, Copy)]
struct Bend {
    block: usize,
    gain: f64,
}

impl Bend {
    /// What the best straight line leaves over.
    fn straight(x: &[f64], y: &[f64]) -> Vec<f64> {
        let count = x.len() as f64;
        let (mx, my) = (x.iter().sum::<f64>() / count, y.iter().sum::<f64>() / count);
        let sxx: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
        let sxy: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
        x.iter().zip(y).map(|(x, y)| y - my - sxy / sxx * (x - mx)).collect()
    }

    fn best(x: &[f64], straight: &[f64]) -> Option<Self> {
        let n = x.len();
        let count = n as f64;
        let mx = x.iter().sum::<f64>() / count;
        let sxx: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
        let edge = (MARGIN * count).ceil() as usize;
        // Sums over all blocks from one on: of x, its square, the line's residual, and that times x.
        let (mut s0, mut s1, mut s2, mut r0, mut r1) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let mut best: Option<Self> = None;
        for block in (edge..n).rev() {
            let d = x[block] - mx;
            let residual = straight[block];
            s0 += 1.0;
            s1 += d;
            s2 += d * d;
            r0 += residual;
            r1 += residual * d;
            if block >= n - edge {
                continue;
            }
            // The part of max(x - place, 0) that no line explains.
            let place = d;
            let hinge = s1 - place * s0;
            let with_x = s2 - place * s1;
            let squares = s2 - 2.0 * place * s1 + place * place * s0;
            let free = squares - hinge * hinge / count - with_x * with_x / sxx;
            let with_residual = r1 - place * r0;
            if free > 1.0e-9 * squares {
                let gain = with_residual * with_residual / free;
                if best.is_none_or(|b| gain > b.gain) {
                    best = Some(Self { block, gain });
                }
            }
        }
        best.filter(|b| b.gain.is_finite() && b.gain > 0.0)
    }

    /// The least-squares line that bends here.
    fn line(&self, x: &[f64], y: &[f64]) -> Kink {
        let bend = x[self.block];
        // Values over 1, min(x - bend, 0) and max(x - bend, 0): normal equations of three unknowns.
        let mut m = [[0.0; 4]; 3];
        for (x, y) in x.iter().zip(y) {
            let row = [1.0, (x - bend).min(0.0), (x - bend).max(0.0), *y];
            for i in 0..3 {
                for j in 0..4 {
                    m[i][j] += row[i] * row[j];
                }
            }
        }
        for i in 0..3 {
            let pivot = m[i];
            for row in m.iter_mut().skip(i + 1) {
                let factor = row[i] / pivot[i];
                row.iter_mut().zip(pivot).for_each(|(v, p)| *v -= factor * p);
            }
        }
        let after = m[2][3] / m[2][2];
        let before = (m[1][3] - m[1][2] * after) / m[1][1];
        let level = (m[0][3] - m[0][1] * before - m[0][2] * after) / m[0][0];
        Kink { at: 0, x: bend, level, before, after, p_value: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::autoregression;

    fn places(n: usize) -> Vec<f64> {
        (0..n).map(|i| 2.0 * i as f64 / (n - 1) as f64 - 1.0).collect()
    }

    fn bent(n: usize, phi: f64, seed: u64) -> Vec<f64> {
        autoregression(phi, n, seed)
            .iter()
            .zip(places(n))
            .map(|(e, x)| 3.0 * x + 12.0 * (x - 0.2).max(0.0) + e)
            .collect()
    }

    #[test]
    fn a_bend_is_found_where_it_is_with_both_slopes() {
        let found: Vec<Kink> =
            (0..50).filter_map(|s| find_kink(&places(400), &bent(400, 0.3, s), 0.01)).collect();
        assert!(found.len() >= 48, "{}", found.len());
        for k in &found {
            assert!((k.at as f64 / 400.0 - 0.6).abs() < 0.12, "{k:?}");
            assert!((k.before - 3.0).abs() < 2.0 && (k.after - 15.0).abs() < 4.0, "{k:?}");
        }
    }

    #[test]
    fn straight_lines_seldom_bend_whatever_the_noise() {
        for phi in [0.0, 0.5, 0.9, 0.98, 1.0] {
            let bends = (0..200)
                .filter(|&seed| {
                    let line: Vec<f64> = autoregression(phi, 300, seed)
                        .iter()
                        .zip(places(300))
                        .map(|(e, x)| 5.0 * x + e)
                        .collect();
                    find_kink(&places(300), &line, 0.05).is_some()
                })
                .count();
            assert!(bends <= 14, "{bends} of 200 at phi {phi}");
        }
    }

    #[test]
    fn constants_exact_lines_and_short_series_have_none() {
        assert!(find_kink(&places(100), &[1.0; 100], 0.05).is_none());
        assert!(find_kink(&places(100), &places(100), 0.05).is_none());
        assert!(find_kink(&places(20), &bent(20, 0.0, 1), 0.05).is_none());
        assert!(find_kink(&[0.0; 50], &bent(50, 0.0, 1), 0.05).is_none());
        assert!(find_kink(&[], &[], 0.05).is_none());
    }
}
