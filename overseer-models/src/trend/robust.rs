//! A slope that outliers do not move, and whether values are in an order that chance seldom gives.
//!
//! Theil's and Sen's slope is the median of the slopes between all pairs of points (Sen, J. Am. Stat. Assoc. 63, 1968);
//! Kendall's test counts how many of those rise and how many fall (Mann, Econometrica 13, 1945; ties as in Kendall,
//! Rank Correlation Methods, 1975). Both take neighbours for news, which a metric's are not: the variance of the count
//! is multiplied by `n / n*`, where `n* = n σ² / Λ` is the effective sample size of Yue and Wang (Water Resources
//! Management 18, 2004), with the long-run variance `Λ` of an autoregression fitted to what the line leaves over in
//! place of a sum of sample autocorrelations, for those come out too small in short series. Sen's interval is widened by
//! the same factor. Where what is left over is a random walk (see [`ResidualNoise`]), no such factor exists, and the
//! walk's drift is told and tested instead.
//!
//! Points are first joined to at most 100 medians of neighbouring values, so that the pairs are few.

use super::distribution::{student_quantile_975, student_two_sided};
use super::noise::{Drift, Memory, ResidualNoise, block_means, block_size};
use super::points::Points;
use crate::stats::{ordered, value_of};
use overseer_core::{Result, Span, Timestamp};

/// A robust straight line through a window.
///
/// ```
/// use overseer_core::Timestamp;
/// use overseer_models::trend::RobustTrend;
///
/// // A byte a second, but every ninth value is nonsense.
/// let times: Vec<_> = (0..90).map(|i| Timestamp::from_millis(5_000 * i)).collect();
/// let bytes: Vec<_> = (0..90).map(|i| if i % 9 == 4 { 1e9 } else { 5.0 * f64::from(i) }).collect();
///
/// let trend = RobustTrend::fit(&times, &bytes)?;
/// assert!((trend.slope_per_second - 1.0).abs() < 0.01);
/// assert!(trend.p_value < 0.001);
/// # Ok::<(), overseer_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RobustTrend {
    /// The median slope, or a walk's mean drift, in the values' unit per second.
    pub slope_per_second: f64,
    /// The slope's 95 % interval, in the same unit.
    pub interval: (f64, f64),
    /// Kendall's τ: pairs that rise less those that fall, over all pairs, −1–1.
    pub tau: f64,
    /// Probability of a τ this far from zero if there were no trend, autocorrelation allowed for, 0–1.
    pub p_value: f64,
    /// How many independent points the medians are worth, 2 to 100.
    pub effective_points: f64,
    /// Which noise the line leaves over.
    pub residual_noise: ResidualNoise,
    /// First and last time of the window, those of missing values included.
    pub window: (Timestamp, Timestamp),
    /// The line, or the walk, at the window's end, in the values' unit.
    pub level_at_end: f64,
    /// The variance of the line about the middle of the window, and of a walk per second.
    level_variance: f64,
    walk_variance: f64,
    /// Student's 97.5 % point of the slope's error.
    quantile: f64,
}

/// When a line reaches a limit, counted from the end of the window, with the 95 % interval of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// When the line is there.
    pub expected: Span,
    /// The interval's beginning.
    pub earliest: Span,
    /// The interval's end; none if the line may as well never get there.
    pub latest: Option<Span>,
}

impl RobustTrend {
    /// Fits the line to values at times that never decrease; missing values (NaN) are left out.
    ///
    /// # Errors
    /// If there are fewer than three known values ([`overseer_core::Error::is_not_enough_data`]), all of them are of one
    /// moment, a value is infinite, a time decreases, or the slices differ in length.
    pub fn fit(times: &[Timestamp], values: &[f64]) -> Result<Self> {
        let points = Points::new(times, values, None)?;
        points.check(1)?;
        Ok(Self::of(&points))
    }

    fn of(points: &Points) -> Self {
        let size = block_size(points.x.len());
        let x = block_means(&points.x, size);
        let y = block_medians(&points.y, size);
        let count = y.len() as f64;
        let mut pairs = Pairs::of(&x, &y);
        let mut slope = pairs.median();
        // In place of the median of what is left over, whose error would be the larger.
        let middle = median(&mut x.clone());
        let mut above: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - slope * (x - middle)).collect();
        let level = median(&mut above.clone());
        above.iter_mut().for_each(|v| *v -= level);
        let variance = above.iter().map(|v| v * v).sum::<f64>() / (count - 2.0).max(1.0);
        let is_exact = above.iter().all(|v| v.abs() <= 1.0e-12 * points.largest);

        let (residual_noise, inflation) = if is_exact {
            (ResidualNoise::Absent, 1.0)
        } else {
            // What wanders does so in medians and in means.
            let means = block_means(&points.y, size);
            let about: Vec<f64> =
                x.iter().zip(&means).map(|(x, y)| y - level - slope * (x - middle)).collect();
            match inflation(&above).or_else(|| inflation(&about)) {
                Some(factor) => (ResidualNoise::Stationary, factor),
                None => (ResidualNoise::RandomWalk, f64::INFINITY),
            }
        };
        let mut effective_points = (count / inflation).max(2.0);
        let freedom = (effective_points - 2.0).max(1.0);
        let mut quantile = student_quantile_975(freedom);
        let (mut level_at_end, mut level_variance, mut walk_variance) =
            (level + slope * (1.0 - middle), variance * inflation / count, 0.0);
        let (interval, p_value) = if residual_noise == ResidualNoise::RandomWalk {
            let blocks = block_means(&points.y, size);
            let drift = Drift::of(&blocks);
            let step = (x[x.len() - 1] - x[0]) / drift.steps;
            slope = drift.mean / step;
            quantile = student_quantile_975(drift.steps - 1.0);
            effective_points = 2.0;
            level_at_end = y[y.len() - 1] + slope * (1.0 - x[x.len() - 1]);
            level_variance = 0.0;
            walk_variance = drift.error * drift.error * drift.steps / step;
            let reach = quantile * drift.error / step;
            ((slope - reach, slope + reach), drift.p_value())
        } else {
            let deviation = (pairs.variance * inflation).sqrt();
            // A whole step is taken off: the count moves by two.
            let surplus = (pairs.surplus.abs() - 1.0).max(0.0);
            let p =
                if deviation > 0.0 { student_two_sided(surplus / deviation, freedom) } else { 1.0 };
            let reach = 0.5 * quantile * deviation;
            (pairs.about_median(reach), p)
        };
        let seconds = points.scale.seconds();
        let unit = points.unit;
        let per_second = |per_half_window: f64| 2.0 * per_half_window * unit / seconds;
        Self {
            slope_per_second: per_second(slope),
            interval: (per_second(interval.0), per_second(interval.1)),
            tau: pairs.surplus / (pairs.slopes.len().max(1)) as f64,
            p_value,
            effective_points,
            residual_noise,
            window: (points.scale.start, points.scale.end),
            level_at_end: level_at_end * unit,
            level_variance: level_variance * unit * unit,
            walk_variance: walk_variance * unit * unit * 2.0 / seconds,
            quantile,
        }
    }

    /// The probability that the change over the window is `margin` or more, one way or the other, by two one-sided tests
    /// (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987): below 0.05, the values are as good as level.
    #[must_use]
    pub fn level_p_value(&self, margin: f64) -> f64 {
        let seconds = self.window.1.since(self.window.0).as_secs_f64();
        let change = (self.slope_per_second * seconds).abs();
        let reach = 0.5 * (self.interval.1 - self.interval.0) * seconds;
        let error = reach / self.quantile;
        if error <= 0.0 && (change < margin || change == 0.0) {
            return 0.0;
        }
        if change >= margin {
            return 1.0;
        }
        0.5 * student_two_sided((margin - change) / error, (self.effective_points - 2.0).max(1.0))
    }

    /// When the line reaches `limit`; `None` if it leads away from it or stands beyond it.
    ///
    /// The interval holds the moments at which a line within its 95 % band could be there (Fieller, J. R. Stat. Soc. B
    /// 16, 1954), a walk's band being wider the further ahead.
    #[must_use]
    pub fn reach(&self, limit: f64) -> Option<Reach> {
        let (slope, distance) = (self.slope_per_second, limit - self.level_at_end);
        let expected = distance / slope;
        if !(expected.is_finite() && expected >= 0.0 && slope != 0.0) {
            return None;
        }
        let half = 0.5 * self.window.1.since(self.window.0).as_secs_f64();
        let t2 = self.quantile * self.quantile;
        let error = 0.5 * (self.interval.1 - self.interval.0) / self.quantile;
        // (distance - slope h)² = t² (level + walk h + error² (h + middle)²), a quadratic in h.
        let middle = if self.walk_variance > 0.0 { 0.0 } else { half };
        let e2 = error * error;
        let a = slope * slope - t2 * e2;
        let b = -(2.0 * distance * slope + t2 * (self.walk_variance + 2.0 * e2 * middle));
        let c = distance * distance - t2 * (self.level_variance + e2 * middle * middle);
        let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
        // Of the two forms of a root, the one that subtracts nothing.
        let q = -0.5 * (b - root);
        let earliest = if c <= 0.0 { 0.0 } else { c / q };
        let latest = (a > 0.0).then_some(q / a);
        let span = |seconds: f64| Span::from_millis((1000.0 * seconds).round() as i64);
        Some(Reach {
            expected: span(expected),
            earliest: span(earliest.min(expected)),
            latest: latest.map(|l| span(l.max(expected))),
        })
    }
}

/// By what the long-run variance of residuals exceeds their variance, at least 1; `None` of a random walk.
fn inflation(residuals: &[f64]) -> Option<f64> {
    let variance = residuals.iter().map(|v| v * v).sum::<f64>() / (residuals.len() as f64 - 2.0);
    match Memory::of(residuals, 1) {
        Memory::Fading { long_run } => Some((long_run / variance).max(1.0)),
        Memory::Lasting => None,
    }
}

/// The slopes between all pairs of points.
#[derive(Debug)]
struct Pairs {
    /// As whole numbers of the same order, which are compared in a step: thousands are put in order three times.
    slopes: Vec<i64>,
    /// How many more rise than fall, and the variance of that if the order were chance.
    surplus: f64,
    variance: f64,
}

impl Pairs {
    fn of(x: &[f64], y: &[f64]) -> Self {
        let n = y.len();
        let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
        let mut surplus = 0_i64;
        for (i, (&xi, &yi)) in x.iter().zip(y).enumerate() {
            for (&xj, &yj) in x.iter().zip(y).skip(i + 1) {
                // Points of one moment are in no order.
                if xj > xi {
                    surplus += i64::from(yj > yi) - i64::from(yj < yi);
                    slopes.push(ordered((yj - yi) / (xj - xi)));
                }
            }
        }
        let mut sorted = y.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let term = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
        let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|c| term(c.len() as f64)).sum();
        Self {
            slopes,
            surplus: surplus as f64,
            variance: ((term(n as f64) - ties) / 18.0).max(0.0),
        }
    }

    /// The median slope. Afterwards those below it stand before those above it.
    fn median(&mut self) -> f64 {
        let middle = self.slopes.len() / 2;
        let is_even = self.slopes.len().is_multiple_of(2);
        let (below, &mut upper, _) = self.slopes.select_nth_unstable(middle);
        let upper = value_of(upper);
        match below.iter().max() {
            Some(&lower) if is_even => 0.5 * (value_of(lower) + upper),
            _ => upper,
        }
    }

    /// The slopes that `reach` fewer, and `reach` more, are below than the median, which must have been asked for.
    fn about_median(&mut self, reach: f64) -> (f64, f64) {
        let middle = self.slopes.len() / 2;
        let (below, above) = self.slopes.split_at_mut(middle);
        // The slopes furthest out where the interval would go beyond them.
        let low = (middle as f64 - reach).max(0.0) as usize;
        let high = ((reach.ceil() as usize).saturating_sub(1)).min(above.len() - 1);
        let upper = *above.select_nth_unstable(high).1;
        let lower = if low < below.len() {
            *below.select_nth_unstable(low).1
        } else {
            above.iter().copied().min().unwrap_or(upper)
        };
        (value_of(lower), value_of(upper))
    }
}

/// Values up to the middle afterwards stand before those above it.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let is_even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().fold(f64::NEG_INFINITY, |most, v| most.max(*v));
    if is_even { 0.5 * (lower + upper) } else { upper }
}

/// Medians of consecutive blocks of `size` values; a shorter rest at the end joins the last block.
pub(crate) fn block_medians(values: &[f64], size: usize) -> Vec<f64> {
    if size == 1 {
        return values.to_vec();
    }
    let blocks = (values.len() / size).max(1);
    let mut block = Vec::with_capacity(2 * size);
    (0..blocks)
        .map(|b| {
            let end = if b + 1 == blocks { values.len() } else { (b + 1) * size };
            block.clear();
            block.extend_from_slice(values.get(b * size..end).unwrap_or(&[]));
            median(&mut block)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::autoregression;

    fn minutes(n: usize) -> Vec<Timestamp> {
        (0..n).map(|i| Timestamp::from_millis(60_000 * i as i64)).collect()
    }

    #[test]
    fn sens_slope_and_kendalls_count_of_a_few_values_by_hand() {
        // Slopes 1, 2, 1.5 (a pair 2 apart), 3, 2.5 and 2: the median is 2. Every pair rises.
        let values = [1.0, 2.0, 4.0, 7.0];
        let t = RobustTrend::fit(&minutes(4), &values).unwrap();
        assert!((t.slope_per_second * 60.0 - 2.0).abs() < 1e-12, "{t:?}");
        assert_eq!(t.tau, 1.0);
        let tied = RobustTrend::fit(&minutes(4), &[1.0, 1.0, 1.0, 1.0]).unwrap();
        assert_eq!((tied.slope_per_second, tied.tau, tied.p_value), (0.0, 0.0, 1.0));
    }

    #[test]
    fn outliers_move_neither_slope_nor_significance() {
        let mut values: Vec<f64> = autoregression(0.0, 300, 1)
            .iter()
            .enumerate()
            .map(|(i, e)| 0.05 * i as f64 + e)
            .collect();
        let before = RobustTrend::fit(&minutes(300), &values).unwrap();
        (0..300).step_by(17).for_each(|i| values[i] = 1e6);
        values[33] = f64::NAN;
        let after = RobustTrend::fit(&minutes(300), &values).unwrap();
        for t in [before, after] {
            assert!((t.slope_per_second * 60.0 - 0.05).abs() < 0.005, "{t:?}");
            assert!(t.p_value < 1e-6 && t.interval.0 > 0.0);
        }
    }

    #[test]
    fn as_good_as_level_is_a_statement_of_its_own() {
        let flat: Vec<f64> = autoregression(0.0, 300, 2).iter().map(|e| 50.0 + e).collect();
        let t = RobustTrend::fit(&minutes(300), &flat).unwrap();
        assert!(t.level_p_value(5.0) < 0.001 && t.level_p_value(0.01) > 0.5, "{t:?}");
        // A walk may have gone anywhere.
        let walk = RobustTrend::fit(&minutes(300), &autoregression(1.0, 300, 3)).unwrap();
        assert!(walk.level_p_value(5.0) > 0.05, "{walk:?}");
        assert_eq!(RobustTrend::fit(&minutes(50), &[7.0; 50]).unwrap().level_p_value(0.1), 0.0);
    }

    #[test]
    fn a_limit_is_reached_when_the_line_is_there() {
        let exact: Vec<f64> = (0..100).map(f64::from).collect();
        let t = RobustTrend::fit(&minutes(100), &exact).unwrap();
        let reach = t.reach(199.0).unwrap();
        assert_eq!(reach.expected, Span::from_secs(6000));
        assert!(reach.earliest <= reach.expected && reach.latest.unwrap() >= reach.expected);
        assert_eq!(t.reach(50.0), None, "it is behind");
        let flat = RobustTrend::fit(&minutes(100), &[1.0; 100]).unwrap();
        assert_eq!(flat.reach(2.0), None);
    }

    #[test]
    fn too_little_is_refused_and_the_largest_numbers_are_not() {
        assert!(RobustTrend::fit(&minutes(2), &[1.0, 2.0]).unwrap_err().is_not_enough_data());
        assert!(RobustTrend::fit(&minutes(3), &[1.0, 2.0]).is_err());
        assert!(RobustTrend::fit(&[minutes(1)[0]; 9], &[1.0; 9]).is_err());
        let huge: Vec<f64> = (0..60).map(|i| f64::from(i) * 1e306).collect();
        let t = RobustTrend::fit(&minutes(60), &huge).unwrap();
        assert!((t.slope_per_second * 60.0 / 1e306 - 1.0).abs() < 1e-9, "{t:?}");
    }
}
