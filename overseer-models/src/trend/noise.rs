//! What the residuals of a fit say about its slope, for metrics whose neighbouring values are alike.
//!
//! Ordinary least squares believes every residual to be news. A metric's are not: after a high value comes a high
//! value, and a random walk looks like a trend in nearly every window. So the test first asks which kind of noise it
//! sees (the augmented Dickey–Fuller test with MacKinnon's response surfaces, Queen's Economics Department working
//! paper 1227, 2010), then:
//! - *stationary* noise widens the slope's error by the long-run variance of an autoregression fitted to the residuals.
//!   For one lag that is the effective sample size `n (1 - r) / (1 + r)` of Santer et al., J. Geophys. Res. 105 (2000),
//!   with `r` corrected for its bias in short series (Kendall, Biometrika 41, 1954). If the slowest part of the residuals
//!   holds more than the autoregression knows of, that counts (see [`super::slow`]);
//! - a *random walk* has a slope only if its steps have a mean other than zero or go one way more often than the
//!   other, and both are tested.
//!
//! Residuals are first averaged in at most 100 blocks: a slope lives in the slow part of a series, and averages make
//! quick noise of any shape nearly white.

use super::distribution::student_two_sided;
use super::least_squares::dot;
use super::slow::slow_variance;

const MOST_BLOCKS: usize = 100;
const MOST_LAGS: usize = 8;

/// Which noise the residuals of a trend were found to be; it decides how the slope is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResidualNoise {
    /// None beyond rounding: the polynomial goes through every point.
    Absent,
    /// It returns to zero, quickly or slowly; the slope's error is widened by its long-run variance.
    Stationary,
    /// It wanders, or too few points tell otherwise; the mean of the steps is tested.
    RandomWalk,
}

/// A slope's significance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SlopeTest {
    pub(super) noise: ResidualNoise,
    pub(super) p_value: f64,
    /// How many independent residuals those of the fit are worth.
    pub(super) effective_points: f64,
}

/// What the test needs of a fit of `degree` to values in the order of their times. In a weighted fit the residuals are
/// multiplied by the roots of their weights, which makes them alike in variance, and the values are as measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit<'a> {
    pub(super) degree: usize,
    pub(super) values: &'a [f64],
    pub(super) residuals: &'a [f64],
    /// The fitted change from the start of the window to its end.
    pub(super) change: f64,
    /// The variance of that change if the residuals were independent and of variance one.
    pub(super) unit_variance: f64,
}

pub(super) fn test_slope(fit: Fit<'_>) -> SlopeTest {
    let n = fit.residuals.len();
    let size = block_size(n);
    let u = block_means(fit.residuals, size);
    let parameters = (fit.degree + 1) as f64;
    let variance = dot(fit.residuals, fit.residuals) / (n as f64 - parameters);
    let Memory::Fading { long_run } = Memory::of(&u, fit.degree) else {
        let drift = Drift::of(&block_means(fit.values, size));
        return SlopeTest {
            noise: ResidualNoise::RandomWalk,
            p_value: drift.p_value(),
            effective_points: 2.0,
        };
    };
    // Residuals that alternate could narrow the error; that is not relied on.
    let long_run = (size as f64 * long_run).max(variance);
    let effective_points = (n as f64 * variance / long_run).min(n as f64);
    let t = fit.change / (fit.unit_variance * long_run).sqrt();
    let freedom = (effective_points - parameters).max(1.0);
    SlopeTest {
        noise: ResidualNoise::Stationary,
        p_value: student_two_sided(t, freedom),
        effective_points,
    }
}

/// How many neighbouring values are taken as one.
pub(crate) fn block_size(values: usize) -> usize {
    values.div_ceil(MOST_BLOCKS).max(1)
}

/// How long residuals of a polynomial remember.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Memory {
    /// They forget, with this long-run variance of one of them.
    Fading {
        /// What their variance would be if they were independent and their mean as uncertain as it is.
        long_run: f64,
    },
    /// They wander, or are too few to tell.
    Lasting,
}

impl Memory {
    /// Of residuals of a polynomial of this degree.
    pub(crate) fn of(residuals: &[f64], degree: usize) -> Self {
        let n = residuals.len();
        let Some(ar) = Persistence::of(residuals) else { return Self::Lasting };
        if ar.t_statistic > dickey_fuller_critical(degree, n) {
            return Self::Lasting;
        }
        let parameters = (degree + 1) as f64;
        // The sum of the autoregressive coefficients comes out too small in short series, by about this much.
        let bias = (parameters + (parameters + 2.0) * ar.sum) / n as f64;
        let distance_from_one = (1.0 - ar.sum - bias.max(0.0)).max(0.5 / n as f64);
        let of_ar = ar.innovation_variance / (distance_from_one * distance_from_one);
        Self::Fading { long_run: of_ar.max(slow_variance(residuals)) }
    }
}

/// Whether a walk goes somewhere: what its steps have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drift {
    /// The mean step from one value to the next, and its error with the steps' autocorrelation allowed for.
    pub(super) mean: f64,
    pub(super) error: f64,
    /// How many more steps go up than down, in standard deviations of a walk that goes nowhere.
    surplus: f64,
    pub(super) steps: f64,
}

impl Drift {
    /// Of the means of consecutive blocks, which are at least two.
    pub(super) fn of(blocks: &[f64]) -> Self {
        let steps: Vec<f64> = blocks.windows(2).map(|w| w[1] - w[0]).collect();
        let count = steps.len() as f64;
        let mean = steps.iter().sum::<f64>() / count;
        let centered: Vec<f64> = steps.iter().map(|s| s - mean).collect();
        let variance = centered.iter().map(|s| s * s).sum::<f64>() / (count - 1.0);
        let long_run = Persistence::of(&centered).map_or(variance, |ar| {
            let distance_from_one = (1.0 - ar.sum).max(1.0 / count);
            ar.innovation_variance / (distance_from_one * distance_from_one)
        });
        // Growth that quickens has steps of all sizes and one sign, which a walk's steps have not. Averaging made
        // steps of a walk alike by a quarter (Working, Econometrica 28, 1960), so that their signs spread by half as
        // much again.
        let signs: f64 = steps.iter().map(|s| if *s == 0.0 { 0.0 } else { s.signum() }).sum();
        Self {
            mean,
            error: (long_run.max(variance) / count).sqrt(),
            surplus: signs / (1.5 * count).sqrt(),
            steps: count,
        }
    }

    /// The smaller of two tests' p-values, doubled for there being two: of the mean step, and of the steps' signs.
    pub(super) fn p_value(&self) -> f64 {
        let freedom = self.steps - 1.0;
        let of_mean = student_two_sided(self.mean / self.error, freedom);
        (2.0 * of_mean.min(student_two_sided(self.surplus, freedom))).min(1.0)
    }
}

/// Means of consecutive blocks of `size` values; a shorter rest at the end is spread over the last block.
pub(crate) fn block_means(values: &[f64], size: usize) -> Vec<f64> {
    let blocks = (values.len() / size).max(1);
    (0..blocks)
        .map(|b| {
            let end = if b + 1 == blocks { values.len() } else { (b + 1) * size };
            let block = values.get(b * size..end).unwrap_or(&[]);
            block.iter().sum::<f64>() / block.len() as f64
        })
        .collect()
}

/// An autoregression in Dickey and Fuller's form, `Δu(t) = (sum - 1) u(t-1) + Σ δ(j) Δu(t-j) + e(t)`.
#[derive(Debug, Clone, Copy)]
struct Persistence {
    /// The sum of the autoregressive coefficients: 0 for white noise, 1 for a random walk.
    sum: f64,
    /// The t statistic of `sum - 1`.
    t_statistic: f64,
    innovation_variance: f64,
}

impl Persistence {
    /// Fits orders 1 to 9 and keeps the one with the smallest Akaike criterion; `None` of too few or constant values.
    fn of(u: &[f64]) -> Option<Self> {
        let lags = MOST_LAGS.min(u.len() / 12);
        let first = lags + 1;
        let rows = u.len().checked_sub(first)?;
        if rows < 6 {
            return None;
        }
        let steps: Vec<f64> = u.windows(2).map(|w| w[1] - w[0]).collect();
        // Regressors are the level, then the lagged steps; the response stands last. Each is a part of a series that
        // is at hand, so their products need no rows. Once, for all orders.
        let width = lags + 2;
        let regressor = |i: usize| {
            let (series, lag) = match i {
                0 => (u, 0),
                i if i + 1 == width => (&steps[..], 0),
                i => (&steps[..], i),
            };
            let end = series.len() - lag - usize::from(i == 0);
            series.get(end.saturating_sub(rows)..end).unwrap_or(&[])
        };
        let mut products = [[0.0; MOST_LAGS + 2]; MOST_LAGS + 2];
        for (i, row) in products.iter_mut().enumerate().take(width) {
            for (j, product) in row.iter_mut().enumerate().take(i + 1) {
                *product = dot(regressor(i), regressor(j));
            }
        }
        // Cholesky's factor of the products holds those of every lower order, and its last row what each explains.
        let mut factor = [[0.0; MOST_LAGS + 2]; MOST_LAGS + 2];
        let mut usable = 0;
        for i in 0..width {
            if i + 1 < width && usable < i {
                continue;
            }
            let columns = if i + 1 == width { usable } else { i };
            for j in 0..columns {
                let dot: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                factor[i][j] = (products[i][j] - dot) / factor[j][j];
            }
            let squares: f64 = (0..columns).map(|k| factor[i][k].powi(2)).sum();
            let pivot = products[i][i] - squares;
            if i + 1 < width && pivot > 1.0e-10 * products[i][i] {
                factor[i][i] = pivot.sqrt();
                usable = i + 1;
            }
        }
        let explained = |k: usize| factor[width - 1][k];
        let total = products[width - 1][width - 1];
        let n = rows as f64;
        let (mut best, mut rest) = (None, total);
        for k in 0..usable {
            rest = (rest - explained(k).powi(2)).max(1.0e-14 * total);
            let criterion = n * (rest / n).ln() + 2.0 * (k + 2) as f64;
            if best.is_none_or(|(c, _, _)| criterion < c) {
                best = Some((criterion, k + 1, rest));
            }
        }
        let (_, order, rest) = best?;
        // Back substitution for the level's coefficient, and for its place in the inverse.
        let first_of = |target: &dyn Fn(usize) -> f64| {
            let mut x = vec![0.0; order];
            for i in (0..order).rev() {
                let dot: f64 = (i + 1..order).map(|k| factor[k][i] * x[k]).sum();
                x[i] = (target(i) - dot) / factor[i][i];
            }
            x[0]
        };
        let coefficient = first_of(&explained);
        let mut unit = vec![0.0; order];
        for i in 0..order {
            let dot: f64 = (0..i).map(|k| factor[i][k] * unit[k]).sum();
            let one = if i == 0 { 1.0 } else { 0.0 };
            unit[i] = (one - dot) / factor[i][i];
        }
        let inverse: f64 = unit.iter().map(|v| v * v).sum();
        let innovation_variance = rest / (n - order as f64).max(1.0);
        let t_statistic = coefficient / (innovation_variance * inverse).sqrt();
        t_statistic.is_finite().then_some(Self {
            sum: 1.0 + coefficient,
            t_statistic,
            innovation_variance,
        })
    }
}

/// The value that a random walk's t statistic is below in one of twenty series of `n` detrended values.
///
/// Published for degrees 0 to 2; beyond, each degree moves it as far as from 1 to 2.
fn dickey_fuller_critical(degree: usize, n: usize) -> f64 {
    const SURFACES: [[f64; 4]; 3] = [
        [-2.861_54, -2.8903, -4.234, -40.04],
        [-3.410_49, -4.3904, -9.036, -45.374],
        [-3.832_39, -5.9057, -12.49, -118.284],
    ];
    let [a, b, c, d] = SURFACES[degree.min(2)];
    let n = n.max(10) as f64;
    let beyond = degree.saturating_sub(2) as f64;
    a + b / n + c / (n * n) + d / (n * n * n) - 0.42 * beyond
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::autoregression;

    #[test]
    fn the_persistence_of_an_autoregression_is_recovered() {
        for phi in [0.0, 0.5, 0.9] {
            let found = Persistence::of(&autoregression(phi, 20_000, 7)).unwrap();
            assert!((found.sum - phi).abs() < 0.03, "{phi}: {found:?}");
            assert!((found.innovation_variance - 1.0).abs() < 0.05, "{found:?}");
        }
    }

    #[test]
    fn a_random_walk_is_seldom_taken_for_stationary_and_white_noise_never_for_a_walk() {
        let critical = dickey_fuller_critical(0, 200);
        let rejected = |phi: f64| {
            (0..300)
                .filter(|&seed| {
                    let mut u = autoregression(phi, 200, seed);
                    let mean = u.iter().sum::<f64>() / 200.0;
                    u.iter_mut().for_each(|v| *v -= mean);
                    Persistence::of(&u).unwrap().t_statistic < critical
                })
                .count()
        };
        assert!(rejected(1.0) <= 27, "{}", rejected(1.0));
        assert!(rejected(0.0) >= 285, "{}", rejected(0.0));
    }

    #[test]
    fn blocks_take_every_value_once() {
        assert_eq!(block_means(&[1.0, 3.0, 5.0, 7.0, 12.0], 2), [2.0, 8.0]);
        assert_eq!(block_means(&[1.0, 2.0], 1), [1.0, 2.0]);
    }

    #[test]
    fn constants_have_no_persistence() {
        assert!(Persistence::of(&[0.0; 100]).is_none());
        assert!(Persistence::of(&[1.0, 2.0]).is_none());
    }
}
