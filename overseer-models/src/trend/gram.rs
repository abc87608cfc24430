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
use super::points::largest;
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
    recurrence: Recurrence,
    level: f64,
    amounts: [f64; TERMS],
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
        self.recurrence.residuals(
            values,
            self.level,
            self.amounts.get(..terms).unwrap_or(&self.amounts),
        )
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
    let mut amounts = gram.amounts::<D>(&moments.sums);
    let explained = gram.squares::<D>(&amounts);
    let total = moments.squares - explained[0];
    let squares = explained.iter().fold(moments.squares, |rest, e| rest - e);
    let mut rest = Rest { squares, total, points: n, largest: 0.0, unit: 1.0 };
    if !(squares > CANCELLED * moments.squares && squares > n as f64 * ROUNDING * raw) {
        refine::<D>(&gram, values, level, &mut amounts, &mut rest);
    }
    Some(gram.finish::<D>(trend, scale, level, amounts, rest))
}

/// Fits again to what a fit left over, whose small numbers have digits to spare.
#[cold]
fn refine<const D: usize>(
    gram: &Gram,
    values: &[f64],
    level: f64,
    amounts: &mut [f64; TERMS],
    rest: &mut Rest,
) {
    let residuals = gram.recurrence.residuals(values, level, &amounts[..=D]);
    let moments = Moments::of::<D>(&residuals, 0.0);
    let corrections = gram.amounts::<D>(&moments.sums);
    amounts.iter_mut().zip(corrections).for_each(|(w, c)| *w += c);
    let explained: f64 = gram.squares::<D>(&corrections).iter().sum();
    rest.squares = (moments.squares - explained).max(0.0);
    rest.largest = largest(values);
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
    let fit = gram.finish::<D>(trend, scale, level / unit, [0.0; TERMS], rest);
    Some(GramFit { level, ..fit })
}

/// The polynomials for one number of points.
#[derive(Debug)]
struct Gram {
    recurrence: Recurrence,
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
        let mut b = [0.0; TERMS];
        let mut norms = [n; TERMS];
        let mut inverse_norms = [1.0 / n; TERMS];
        let mut powers = [[0.0; TERMS]; TERMS];
        powers[0][0] = 1.0;
        for k in 1..=D {
            let k2 = (k * k) as f64;
            let above = k2 * (n * n - k2);
            let below = (4.0 * k2 - 1.0) * (last * last);
            b[k] = above / below;
            norms[k] = norms[k - 1] * b[k];
            inverse_norms[k] = inverse_norms[k - 1] * (below / above);
            for j in (k % 2..=k).step_by(2) {
                let shifted = if j > 0 { powers[k - 1][j - 1] } else { 0.0 };
                let before = if k > 1 { b[k - 1] * powers[k - 2][j] } else { 0.0 };
                powers[k][j] = shifted - before;
            }
        }
        Self { recurrence: Recurrence { per_step: 2.0 / last, b }, norms, inverse_norms, powers }
    }

    /// How much of each polynomial there is, from the sums of values times powers of steps from the middle.
    #[inline(always)]
    fn amounts<const D: usize>(&self, sums: &[f64; TERMS]) -> [f64; TERMS] {
        let mut scaled = *sums;
        let mut factor = 1.0;
        for sum in scaled.iter_mut().take(D + 1).skip(1) {
            factor *= self.recurrence.per_step;
            *sum *= factor;
        }
        let mut amounts = [0.0; TERMS];
        for (k, amount) in amounts.iter_mut().enumerate().take(D + 1) {
            for j in (k % 2..=k).step_by(2) {
                *amount += self.powers[k][j] * scaled[j];
            }
            *amount *= self.inverse_norms[k];
        }
        amounts
    }

    /// The squares that each polynomial explains.
    #[inline(always)]
    fn squares<const D: usize>(&self, amounts: &[f64; TERMS]) -> [f64; TERMS] {
        let mut squares = [0.0; TERMS];
        for k in 0..=D {
            squares[k] = amounts[k] * amounts[k] * self.norms[k];
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
        amounts: [f64; TERMS],
        mut rest: Rest,
    ) -> GramFit {
        let polynomial = match trend.degree {
            Degree::Fixed(_) => Polynomial::new(D, scale, level, &self.terms(D, &amounts), rest),
            Degree::UpTo(_) => {
                // What a degree leaves over is what the highest does, and the squares of those between.
                let mut left = self.squares::<D>(&amounts);
                left.copy_within(1.., 0);
                left[D] = rest.squares;
                (0..D).rev().for_each(|k| left[k] += left[k + 1]);
                let floor = rest.floor();
                let above = |degree: usize| left[degree].max(floor);
                let degree = trend.criterion.choose(D, rest.points, above);
                rest.squares = left[degree];
                Polynomial::new(degree, scale, level, &self.terms(degree, &amounts), rest)
            }
        };
        GramFit { polynomial, recurrence: self.recurrence, level, amounts }
    }

    /// The coefficients of the powers of scaled time up to `degree`.
    #[inline(always)]
    fn terms(&self, degree: usize, amounts: &[f64; TERMS]) -> Terms {
        let mut coefficients = [0.0; TERMS];
        let mut variances = [0.0; TERMS];
        let mut change_variance = 0.0;
        for (k, amount) in amounts.iter().enumerate().take(degree + 1) {
            let mut at_end = 0.0;
            for j in (k % 2..=k).step_by(2) {
                let power = self.powers[k][j];
                coefficients[j] += amount * power;
                variances[j] += power * power * self.inverse_norms[k];
                at_end += power;
            }
            // Even polynomials do not change between the ends, odd ones by twice their end.
            if k % 2 == 1 {
                change_variance += 4.0 * at_end * at_end * self.inverse_norms[k];
            }
        }
        Terms { coefficients, variances, change_variance }
    }
}

/// What the polynomials are made by.
#[derive(Debug)]
struct Recurrence {
    /// Scaled time is steps from the middle of the window times this.
    per_step: f64,
    /// The first is 0 for want of a polynomial to multiply.
    b: [f64; TERMS],
}

impl Recurrence {
    /// What the weighted sum of polynomials leaves over of values above their level. The sum is found without powers of
    /// time, which would lose digits (Clenshaw, Math. Tables Aids Comput. 9, 1955).
    fn residuals(&self, values: &[f64], level: f64, amounts: &[f64]) -> Vec<f64> {
        const LANES: usize = 4;
        let filled = values.len().next_multiple_of(LANES);
        let mut residuals = Vec::with_capacity(filled);
        residuals.extend_from_slice(values);
        residuals.resize(filled, level);
        let mut steps: [f64; LANES] = array::from_fn(|lane| lane as f64);
        for block in residuals.chunks_exact_mut(LANES) {
            let mut x = steps;
            x.iter_mut().for_each(|x| *x = *x * self.per_step - 1.0);
            let (mut sum, mut above, mut beyond) = ([0.0; LANES], [0.0; LANES], 0.0);
            for (amount, b) in amounts.iter().zip(&self.b).rev() {
                for lane in 0..LANES {
                    let next = amount + x[lane] * sum[lane] - beyond * above[lane];
                    above[lane] = sum[lane];
                    sum[lane] = next;
                }
                beyond = *b;
            }
            for lane in 0..LANES {
                block[lane] = (block[lane] - level) - sum[lane];
                steps[lane] += LANES as f64;
            }
        }
        residuals.truncate(values.len());
        residuals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::autoregression;
    use crate::trend::{Criterion, FittedTrend, HouseholderQr};
    use overseer_core::Timestamp;
    use proptest::prelude::*;

    fn every_five_seconds(n: usize) -> Vec<Timestamp> {
        (0..n as i64).map(|i| Timestamp::from_millis(1_700_000_000_000 + 5_000 * i)).collect()
    }

    fn of_degree(degree: usize) -> PolynomialTrend {
        PolynomialTrend::builder().degree(degree).build().unwrap()
    }

    fn closed(trend: &PolynomialTrend, times: &[Timestamp], values: &[f64]) -> Option<GramFit> {
        let scale = Scale { start: times[0], end: times[times.len() - 1] };
        GramFit::new(trend, scale, values)
    }

    fn by_qr(trend: &PolynomialTrend, times: &[Timestamp], values: &[f64]) -> FittedTrend {
        trend.fit_with(&HouseholderQr, times, values, None).unwrap()
    }

    /// The largest difference between a closed form and QR, as a share of what is compared: coefficients of themselves
    /// and their standard errors.
    fn disagreement(closed: &Polynomial, qr: &FittedTrend) -> f64 {
        let share = |a: f64, b: f64, of: f64| if a == b { 0.0 } else { (a - b).abs() / of };
        assert_eq!(closed.degree(), qr.degree());
        let coefficients = closed
            .coefficients()
            .iter()
            .zip(&qr.coefficients)
            .zip(&qr.standard_errors)
            .map(|((a, b), e)| share(*a, *b, b.abs() + e));
        let errors = closed.standard_errors().iter().zip(&qr.standard_errors);
        coefficients
            .chain(errors.map(|(a, b)| share(*a, *b, *b)))
            .chain([
                share(closed.residual_variance, qr.residual_variance, qr.residual_variance),
                share(closed.r_squared, qr.r_squared, 1.0),
                share(closed.aicc(), qr.aicc, qr.points as f64 + qr.aicc.abs()),
                share(closed.bic(), qr.bic, qr.points as f64 + qr.bic.abs()),
                share(closed.change(), qr.change(), closed.change_error()),
            ])
            .fold(0.0, f64::max)
    }

    #[test]
    fn five_points_have_the_printed_polynomials() {
        // Tables of orthogonal polynomials (Fisher and Yates, Statistical Tables, table XXIII) give for five points
        // -2 -1 0 1 2, 2 -1 -2 -1 2, -1 2 0 -2 1 and 1 -4 6 -4 1, with leading factors 1, 1, 5/6 and 35/12.
        let printed = [
            ([1.0, 1.0, 1.0, 1.0, 1.0], 1.0),
            ([-2.0, -1.0, 0.0, 1.0, 2.0], 1.0),
            ([2.0, -1.0, -2.0, -1.0, 2.0], 1.0),
            ([-1.0, 2.0, 0.0, -2.0, 1.0], 5.0 / 6.0),
            ([1.0, -4.0, 6.0, -4.0, 1.0], 35.0 / 12.0),
        ];
        let gram = Gram::new::<4>(5);
        for (k, (values, factor)) in printed.iter().enumerate() {
            // Half the window is two steps.
            let leading = factor * 2f64.powi(k as i32);
            for (i, value) in values.iter().enumerate() {
                let x = 0.5 * i as f64 - 1.0;
                let found = leading * crate::trend::basis::evaluate(&gram.powers[k], x);
                assert!((found - value).abs() < 1e-14, "degree {k} at {x}: {found}");
            }
            let squares: f64 = values.iter().map(|v| v * v).sum();
            assert!((gram.norms[k] * leading * leading - squares).abs() < 1e-13);
            assert!((gram.norms[k] * gram.inverse_norms[k] - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn what_squares_cannot_hold_is_left_to_the_general_way_and_constants_are_not() {
        let times = every_five_seconds(50);
        let noise = autoregression(0.0, 50, 1);
        let times_factor = |factor: f64| -> Vec<f64> { noise.iter().map(|v| factor * v).collect() };
        let cubic = of_degree(3);
        assert!(closed(&cubic, &times, &times_factor(1e100)).is_some());
        assert!(closed(&cubic, &times, &times_factor(1e-100)).is_some());
        for extreme in [1e-300, 1e-160, 1e150, 1e300] {
            assert!(closed(&cubic, &times, &times_factor(extreme)).is_none(), "{extreme}");
        }
        for missing in [f64::NAN, f64::INFINITY] {
            let mut values = noise.clone();
            values[17] = missing;
            assert!(closed(&cubic, &times, &values).is_none());
        }
        assert!(closed(&cubic, &times[..4], &noise[..4]).is_none());
        assert!(closed(&cubic, &times[..5], &noise[..5]).is_some());
        for level in [0.0, -0.0, 7.0, 1e-300, -1e300, f64::MAX, 5e-324] {
            let constant = vec![level; 50];
            let found = closed(&cubic, &times, &constant).unwrap().polynomial;
            assert_eq!(found.coefficients(), [level, 0.0, 0.0, 0.0]);
            assert_eq!((found.residual_variance, found.r_squared), (0.0, 0.0));
            let qr = by_qr(&cubic, &times, &constant);
            assert!((found.bic() - qr.bic).abs() < 1e-9 * (1.0 + qr.bic.abs()), "{level}");
        }
    }

    #[test]
    fn a_trend_that_leaves_next_to_nothing_keeps_the_digits_of_the_rest() {
        // Subtracting squares would leave noise of these sizes no digits.
        let times = every_five_seconds(300);
        let noise = autoregression(0.0, 300, 5);
        for size in [1e-3, 1e-5, 1e-7] {
            let values: Vec<f64> = (0..300)
                .map(|i| {
                    let x = i as f64 / 100.0;
                    (1.0 + x * (2.0 - x * (3.0 - x))) + size * noise[i]
                })
                .collect();
            for degree in 3..=8 {
                let trend = of_degree(degree);
                let found = closed(&trend, &times, &values).unwrap().polynomial;
                let off = disagreement(&found, &by_qr(&trend, &times, &values));
                // The values themselves hold the noise to this share.
                assert!(off < 1e-14 / size + 1e-10, "degree {degree}, noise {size}: {off}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn closed_forms_and_qr_agree(
            degree in 0_usize..=8, spare in 2_usize..2_000, offset in -1e6..1e6f64,
            trend in -300.0..300.0f64, persistence in 0.0..1.0f64, seed in any::<u64>(),
        ) {
            let n = (degree + spare).clamp(10, 2_000);
            let times = every_five_seconds(n);
            let values: Vec<f64> = autoregression(persistence, n, seed)
                .iter()
                .enumerate()
                .map(|(i, e)| offset + trend * (i as f64 / n as f64).powi(2) + e)
                .collect();
            let fit = of_degree(degree);
            let found = closed(&fit, &times, &values).unwrap();
            let qr = by_qr(&fit, &times, &values);
            let off = disagreement(&found.polynomial, &qr);
            prop_assert!(off < 1e-9, "{off}");
            let whole = fit.fit(&times, &values).unwrap();
            prop_assert!((whole.slope_p_value - qr.slope_p_value).abs() < 1e-9);
            prop_assert_eq!(whole.residual_noise, qr.residual_noise);
        }

        #[test]
        fn the_degree_chosen_in_one_pass_is_that_of_separate_fits(
            most in 0_usize..=8, n in 2_usize..300, bend in -20.0..20.0f64, seed in any::<u64>(),
            criterion in prop_oneof![Just(Criterion::Aicc), Just(Criterion::Bic)],
        ) {
            let times = every_five_seconds(n);
            let values: Vec<f64> = autoregression(0.5, n, seed)
                .iter()
                .enumerate()
                .map(|(i, e)| bend * (i as f64 / n as f64).powi(3) + e)
                .collect();
            let chosen = PolynomialTrend::builder().degree_by_criterion(most).criterion(criterion);
            let found = closed(&chosen.build().unwrap(), &times, &values).unwrap().polynomial;
            let value = |p: &Polynomial| match criterion {
                Criterion::Aicc => p.aicc(),
                Criterion::Bic => p.bic(),
            };
            for degree in 0..=most.min(n - 2) {
                let one = closed(&of_degree(degree), &times, &values).unwrap().polynomial;
                prop_assert!(value(&found) <= value(&one) + 1e-9 * (n as f64 + value(&one).abs()));
                if degree == found.degree() {
                    let share = found.residual_variance / one.residual_variance;
                    prop_assert!((share - 1.0).abs() < 1e-9, "{share}");
                    let pairs = found.coefficients().iter().zip(one.coefficients());
                    for ((a, b), e) in pairs.zip(one.standard_errors()) {
                        prop_assert!((a - b).abs() <= 1e-9 * (b.abs() + e));
                    }
                }
            }
        }

        #[test]
        fn residuals_are_what_the_polynomial_leaves_and_perpendicular_to_powers_of_time(
            degree in 0_usize..=8, n in 10_usize..200, level in -1e3..1e3f64, seed in any::<u64>(),
        ) {
            let times = every_five_seconds(n);
            let values: Vec<f64> = autoregression(0.9, n, seed).iter().map(|e| level + e).collect();
            let fit = closed(&of_degree(degree), &times, &values).unwrap();
            let residuals = fit.residuals(&values);
            prop_assert_eq!(residuals.len(), n);
            for ((r, v), t) in residuals.iter().zip(&values).zip(&times) {
                prop_assert!((r - (v - fit.polynomial.predict(*t))).abs() < 1e-9);
            }
            for power in 0..=degree as i32 {
                let x = |i: usize| 2.0 * i as f64 / (n - 1) as f64 - 1.0;
                let product: f64 = residuals.iter().enumerate().map(|(i, r)| r * x(i).powi(power)).sum();
                prop_assert!(product.abs() < 1e-9, "{power}: {product}");
            }
        }
    }
}
