//! Least squares on a uniform grid in closed form.
//!
//! Gram's polynomials, also called Chebyshev's of a discrete variable, are perpendicular on `n` even steps. They are
//! Hahn's with α = β = 0 (NIST Digital Library of Mathematical Functions, table 18.19.1), whose recurrence (18.22.2,
//! 18.22.3) on time `x` scaled to −1…+1 and for leading coefficients of one reads
//!
//! ```text
//! p(0) = 1,  p(1) = x,  p(k+1) = x p(k) - b(k) p(k-1),  b(k) = k² (n² - k²) / ((4k² - 1) (n - 1)²)
//! Σ p(k)² = n b(1) b(2) … b(k)
//! ```
//!
//! so neither a design matrix nor a decomposition is needed: the sums of values times powers of time hold everything.
//! Every degree up to the highest is found in one pass, as a coefficient does not depend on those above it.

use super::basis::{Scale, TERMS};
use super::moments::Moments;
use super::polynomial::{Polynomial, ROUNDING, Rest, Terms};
use super::{Degree, PolynomialTrend};
use std::array;

/// Below this share of the squares, what is left over has lost too many digits to the subtraction that gave it, and the
/// residuals are fitted again. Five of sixteen digits are lost at most otherwise.
const CANCELLED: f64 = 1.0e-5;
/// Squares outside this range may have lost digits to underflow or overflow.
const SAFE: (f64, f64) = (1.0e-250, 1.0e250);

/// A polynomial fitted to values on a uniform grid.
#[derive(Debug)]
pub(super) struct GramFit {
    pub(super) polynomial: Polynomial,
    gram: Gram,
    level: f64,
    weights: [f64; TERMS],
}

impl GramFit {
    /// Fits values that are evenly spaced over the window; `None` where the general way must do it, or say why it
    /// cannot: values are missing, infinite, too few, or so large or small that squares leave the range of numbers.
    #[inline]
    pub(super) fn new(trend: &PolynomialTrend, scale: Scale, values: &[f64]) -> Option<Self> {
        let spare = values.len().checked_sub(2)?;
        let most = match trend.degree {
            Degree::Fixed(degree) if degree > spare => return None,
            Degree::Fixed(degree) => degree,
            Degree::UpTo(most) => most.min(spare),
        };
        match most {
            0 => fit::<0>(trend, scale, values),
            1 => fit::<1>(trend, scale, values),
            2 => fit::<2>(trend, scale, values),
            3 => fit::<3>(trend, scale, values),
            4 => fit::<4>(trend, scale, values),
            5 => fit::<5>(trend, scale, values),
            6 => fit::<6>(trend, scale, values),
            7 => fit::<7>(trend, scale, values),
            8 => fit::<8>(trend, scale, values),
            _ => None,
        }
    }

    /// What the polynomial leaves over of the values it was fitted to.
    pub(super) fn residuals(&self, values: &[f64]) -> Vec<f64> {
        let terms = self.polynomial.degree() + 1;
        self.gram.residuals(values, self.level, self.weights.get(..terms).unwrap_or(&self.weights))
    }
}

fn fit<const D: usize>(trend: &PolynomialTrend, scale: Scale, values: &[f64]) -> Option<GramFit> {
    let n = values.len();
    let level = *values.get(n / 2)?;
    let moments = Moments::of::<D>(values, level);
    let gram = Gram::new::<D>(n);
    // The squares of the values themselves, of which rounding is a share.
    let raw = moments.squares + level * (2.0 * moments.sums[0] + level * n as f64);
    // Written so that NaN fails too.
    if !(moments.squares > SAFE.0 && raw < SAFE.1) {
        return constant::<D>(trend, scale, values, level, gram);
    }
    let mut weights = gram.weights::<D>(&moments.sums);
    let explained = gram.squares::<D>(&weights);
    let total = moments.squares - explained[0];
    let squares = explained.iter().fold(moments.squares, |rest, e| rest - e);
    let mut rest = Rest { squares, total, points: n, largest: 0.0, unit: 1.0 };
    if !(squares > CANCELLED * moments.squares && squares > n as f64 * ROUNDING * raw) {
        refine::<D>(&gram, values, level, &mut weights, &mut rest);
    }
    Some(gram.finish::<D>(trend, scale, level, weights, rest))
}

/// Fits again to what a fit left over, whose small numbers have digits to spare.
#[cold]
fn refine<const D: usize>(
    gram: &Gram,
    values: &[f64],
    level: f64,
    weights: &mut [f64; TERMS],
    rest: &mut Rest,
) {
    let residuals = gram.residuals(values, level, &weights[..=D]);
    let moments = Moments::of::<D>(&residuals, 0.0);
    let corrections = gram.weights::<D>(&moments.sums);
    weights.iter_mut().zip(corrections).for_each(|(w, c)| *w += c);
    let explained: f64 = gram.squares::<D>(&corrections).iter().sum();
    rest.squares = (moments.squares - explained).max(0.0);
    rest.largest = values.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
}

/// Values that are all the same, which squares cannot tell from tiny or missing ones.
#[cold]
fn constant<const D: usize>(
    trend: &PolynomialTrend,
    scale: Scale,
    values: &[f64],
    level: f64,
    gram: Gram,
) -> Option<GramFit> {
    if !(level.is_finite() && values.iter().all(|v| *v == level)) {
        return None;
    }
    let unit = if level == 0.0 { 1.0 } else { level.abs() };
    let rest = Rest { squares: 0.0, total: 0.0, points: values.len(), largest: 1.0, unit };
    Some(gram.finish::<D>(trend, scale, level, [0.0; TERMS], rest))
}

/// The polynomials for one number of points.
#[derive(Debug)]
struct Gram {
    /// Scaled time is steps from the middle of the window times this.
    per_step: f64,
    /// The recurrence's coefficients, the first of which is 0 for want of a polynomial to multiply.
    recurrence: [f64; TERMS],
    /// The sums of squares over the grid.
    norms: [f64; TERMS],
    inverse_norms: [f64; TERMS],
    /// Coefficients of the powers of scaled time: a row for each polynomial.
    powers: [[f64; TERMS]; TERMS],
}

impl Gram {
    /// The polynomials of degree 0 to `D` on `n` points, more than `D`.
    #[inline(always)]
    fn new<const D: usize>(n: usize) -> Self {
        let n = n as f64;
        let last = n - 1.0;
        let mut recurrence = [0.0; TERMS];
        let mut norms = [n; TERMS];
        let mut inverse_norms = [1.0 / n; TERMS];
        let mut powers = [[0.0; TERMS]; TERMS];
        powers[0][0] = 1.0;
        for k in 1..=D {
            let k2 = (k * k) as f64;
            let above = k2 * (n * n - k2);
            let below = (4.0 * k2 - 1.0) * (last * last);
            recurrence[k] = above / below;
            norms[k] = norms[k - 1] * recurrence[k];
            inverse_norms[k] = inverse_norms[k - 1] * (below / above);
            let mut j = k % 2;
            while j <= k {
                let shifted = if j > 0 { powers[k - 1][j - 1] } else { 0.0 };
                let before = if k > 1 { recurrence[k - 1] * powers[k - 2][j] } else { 0.0 };
                powers[k][j] = shifted - before;
                j += 2;
            }
        }
        Self { per_step: 2.0 / last, recurrence, norms, inverse_norms, powers }
    }

    /// How much of each polynomial there is, from the sums of values times powers of steps from the middle.
    #[inline(always)]
    fn weights<const D: usize>(&self, sums: &[f64; TERMS]) -> [f64; TERMS] {
        let mut scaled = *sums;
        let mut factor = 1.0;
        for sum in scaled.iter_mut().take(D + 1).skip(1) {
            factor *= self.per_step;
            *sum *= factor;
        }
        let mut weights = [0.0; TERMS];
        for k in 0..=D {
            let mut j = k % 2;
            while j <= k {
                weights[k] += self.powers[k][j] * scaled[j];
                j += 2;
            }
            weights[k] *= self.inverse_norms[k];
        }
        weights
    }

    /// The squares that each polynomial explains.
    #[inline(always)]
    fn squares<const D: usize>(&self, weights: &[f64; TERMS]) -> [f64; TERMS] {
        let mut squares = [0.0; TERMS];
        for k in 0..=D {
            squares[k] = weights[k] * weights[k] * self.norms[k];
        }
        squares
    }

    /// Chooses the degree if that is asked, and gives the polynomial in powers of time.
    #[inline(always)]
    fn finish<const D: usize>(
        self,
        trend: &PolynomialTrend,
        scale: Scale,
        level: f64,
        weights: [f64; TERMS],
        mut rest: Rest,
    ) -> GramFit {
        let polynomial = match trend.degree {
            Degree::Fixed(_) => {
                Polynomial::new(D, scale, level, &self.terms(D, &weights), rest)
            }
            Degree::UpTo(_) => {
                // What a degree leaves over is what the highest does, and the squares of those between.
                let mut left = self.squares::<D>(&weights);
                left.copy_within(1.., 0);
                left[D] = rest.squares;
                (0..D).rev().for_each(|k| left[k] += left[k + 1]);
                let floor = rest.floor();
                let above = |degree: usize| left[degree].max(floor);
                let degree = trend.criterion.choose(D, rest.points, above);
                rest.squares = left[degree];
                Polynomial::new(degree, scale, level, &self.terms(degree, &weights), rest)
            }
        };
        GramFit { polynomial, gram: self, level, weights }
    }

    /// The coefficients of the powers of scaled time up to `degree`.
    #[inline(always)]
    fn terms(&self, degree: usize, weights: &[f64; TERMS]) -> Terms {
        let mut coefficients = [0.0; TERMS];
        let mut variances = [0.0; TERMS];
        let mut change_variance = 0.0;
        for k in 0..TERMS.min(degree + 1) {
            let mut at_end = 0.0;
            let mut j = k % 2;
            while j <= k {
                let power = self.powers[k][j];
                coefficients[j] += weights[k] * power;
                variances[j] += power * power * self.inverse_norms[k];
                at_end += power;
                j += 2;
            }
            // Even polynomials do not change between the ends, odd ones by twice their end.
            if k % 2 == 1 {
                change_variance += 4.0 * at_end * at_end * self.inverse_norms[k];
            }
        }
        Terms { coefficients, variances, change_variance }
    }

    /// What the weighted sum of polynomials leaves over of values above their level.
    fn residuals(&self, values: &[f64], level: f64, weights: &[f64]) -> Vec<f64> {
        const BLOCK: usize = 8;
        let mut residuals = Vec::with_capacity(values.len());
        for (block, values) in values.chunks(BLOCK).enumerate() {
            let x: [f64; BLOCK] =
                array::from_fn(|i| (block * BLOCK + i) as f64 * self.per_step - 1.0);
            let (mut before, mut current, mut sum) = ([0.0; BLOCK], [1.0; BLOCK], [0.0; BLOCK]);
            for (weight, b) in weights.iter().zip(self.recurrence) {
                for i in 0..BLOCK {
                    sum[i] += weight * current[i];
                    let next = x[i] * current[i] - b * before[i];
                    before[i] = current[i];
                    current[i] = next;
                }
            }
            residuals.extend(values.iter().zip(sum).map(|(v, fitted)| (v - level) - fitted));
        }
        residuals
    }
}
