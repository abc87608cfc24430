//! The few distribution functions that tests on trends and patterns need.
//!
//! Incomplete beta and gamma functions by the continued fractions and series of the NIST Digital Library of
//! Mathematical Functions (8.17.22, 8.9.2, 8.7.1), log-gamma by Lanczos' approximation (SIAM J. Numer. Anal. 1, 1964).

const TINY: f64 = 1.0e-300;
const PRECISION: f64 = 1.0e-14;
const MOST_TERMS: usize = 2000;

/// The natural logarithm of the gamma function for `x > 0`.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        let pi = std::f64::consts::PI;
        return (pi / (pi * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let t = x + 7.5;
    let series = COEFFICIENTS
        .iter()
        .enumerate()
        .fold(0.999_999_999_999_809_9, |sum, (i, c)| sum + c / (x + (i + 1) as f64));
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// The regularised incomplete beta function `I_x(a, b)`.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The continued fraction converges quickly on this side only; the other follows by symmetry.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..MOST_TERMS {
        let m = m as f64;
        for numerator in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            value *= d * c;
        }
        if (d * c - 1.0).abs() < PRECISION {
            break;
        }
    }
    (front * value / a).clamp(0.0, 1.0)
}

/// The probability that a Student-t variable with `freedom` degrees of freedom is at least as far from zero as `t`.
pub(crate) fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if t.is_nan() || freedom.is_nan() || freedom <= 0.0 {
        return 1.0;
    }
    incomplete_beta(0.5 * freedom, 0.5, freedom / (freedom + t * t))
}

/// The value that a Student-t variable with `freedom` degrees of freedom, at least one, is below with probability 0.975.
///
/// Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5), right to 0.1 % from three degrees on; below, where
/// it is not, by interpolation between the printed values of one, two and three.
pub(crate) fn student_quantile_975(freedom: f64) -> f64 {
    const Z: f64 = 1.959_963_985;
    if freedom.is_nan() || freedom < 3.0 {
        let (one, two, three) = (12.706_205, 4.302_653, 3.182_446);
        // In the inverse, between which the values are nearly straight.
        let v = if freedom >= 1.0 { freedom } else { 1.0 };
        let between = |low: f64, a: f64, b: f64| {
            let share = (1.0 / low - 1.0 / v) / (1.0 / low - 1.0 / (low + 1.0));
            a + share * (b - a)
        };
        return if v < 2.0 { between(1.0, one, two) } else { between(2.0, two, three) };
    }
    let z2 = Z * Z;
    let terms = [
        (z2 + 1.0) / 4.0,
        ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0,
        (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0,
        ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92_160.0,
    ];
    Z + Z * terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom)
}

/// The probability that a chi-square variable with `freedom` degrees of freedom is at most `x`.
pub(crate) fn chi_square_at_most(x: f64, freedom: f64) -> f64 {
    let (a, x) = (0.5 * freedom, 0.5 * x);
    if x.is_nan() || x <= 0.0 || a.is_nan() || a <= 0.0 {
        return 0.0;
    }
    if x.is_infinite() {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for i in 1..MOST_TERMS {
            term *= x / (a + i as f64);
            sum += term;
            if term < sum * PRECISION {
                break;
            }
        }
        return (front * sum).clamp(0.0, 1.0);
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut value = d;
    for i in 1..MOST_TERMS {
        let i = i as f64;
        let numerator = -i * (i - a);
        b += 2.0;
        let denominator = numerator * d + b;
        d = 1.0 / if denominator.abs() < TINY { TINY } else { denominator };
        c = b + numerator / c;
        if c.abs() < TINY {
            c = TINY;
        }
        value *= d * c;
        if (d * c - 1.0).abs() < PRECISION {
            break;
        }
    }
    (1.0 - front * value).clamp(0.0, 1.0)
}

/// The probability that the largest distance of a Brownian bridge from zero is at least `x` (Kolmogorov 1933).
pub(crate) fn kolmogorov_at_least(x: f64) -> f64 {
    if x.is_nan() || x < 0.3 {
        return 1.0;
    }
    let sum: f64 = (1..=12)
        .map(|k| {
            let k = f64::from(k);
            let sign = if k % 2.0 == 1.0 { 1.0 } else { -1.0 };
            sign * (-2.0 * k * k * x * x).exp()
        })
        .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_agree_with_printed_tables() {
        // Student's t: 2.228 at 10 degrees and 12.706 at one leave 5 % outside; the normal's 1.96 is the limit.
        assert!((student_two_sided(2.228_138_852, 10.0) - 0.05).abs() < 1e-8);
        assert!((student_two_sided(-12.706_204_736, 1.0) - 0.05).abs() < 1e-8);
        assert!((student_two_sided(1.959_963_985, 1e7) - 0.05).abs() < 1e-6);
        for (freedom, t) in
            [(1.0, 12.706), (2.0, 4.303), (3.0, 3.182), (5.0, 2.571), (30.0, 2.042), (1e9, 1.960)]
        {
            let found = student_quantile_975(freedom);
            assert!((found / t - 1.0).abs() < 2e-3, "{freedom}: {found}");
        }
        // Chi-square: 95 % points.
        assert!((chi_square_at_most(3.841_458_821, 1.0) - 0.95).abs() < 1e-9);
        assert!((chi_square_at_most(18.307_038_053, 10.0) - 0.95).abs() < 1e-9);
        assert!((chi_square_at_most(1_074.679_449, 1_000.0) - 0.95).abs() < 1e-6);
        // Kolmogorov: 1.3581 and 1.6276.
        assert!((kolmogorov_at_least(1.358_098_6) - 0.05).abs() < 1e-6);
        assert!((kolmogorov_at_least(1.627_624) - 0.01).abs() < 1e-6);
    }

    #[test]
    fn nonsense_gives_the_least_significant_answer() {
        assert_eq!(student_two_sided(f64::NAN, 3.0), 1.0);
        assert_eq!(student_two_sided(5.0, 0.0), 1.0);
        assert_eq!(student_two_sided(f64::INFINITY, 5.0), 0.0);
        assert_eq!(chi_square_at_most(f64::NAN, 3.0), 0.0);
        assert_eq!(kolmogorov_at_least(f64::NAN), 1.0);
        assert_eq!(kolmogorov_at_least(f64::INFINITY), 0.0);
    }
}
