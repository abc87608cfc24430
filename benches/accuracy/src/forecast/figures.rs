//! Figures of forecasts: how far off, how wide, how often right.

use serde::Serialize;

/// The levels of the three quantiles that a forecast gives.
const LEVELS: [f64; 3] = [0.05, 0.5, 0.95];
/// Twenty is two over the share of truths that may lie outside.
const OUTSIDE: f64 = 20.0;
/// So much of the usual change from row to row is added to both errors that are compared, so that a series that never
/// moves compares as equal.
const STILL: f64 = 0.01;

/// Figures of one series, over some horizons.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Mean absolute error over that of the last value; below 1 is better than it.
    pub rel: f64,
    /// Twice the mean pinball loss at 5 %, 50 % and 95 %, in usual changes from row to row: three points of the
    /// continuous ranked probability score.
    pub crps3: f64,
    /// Share of truths within their 90 % interval.
    pub cov90: f64,
    /// The interval score (Gneiting and Raftery 2007) in usual changes: the width, and 20 times how far a truth lay
    /// outside.
    pub msis: f64,
}

/// Sums up forecasts of one series.
#[derive(Debug, Clone)]
pub struct Tally {
    scale: f64,
    count: f64,
    error: f64,
    last_value_error: f64,
    pinball: f64,
    held: f64,
    interval_score: f64,
}

impl Tally {
    /// Nothing yet; `train` is what was learned from before the first forecast.
    #[must_use]
    pub fn new(train: &[f64]) -> Self {
        let steps = train.windows(2).map(|w| (w[1] - w[0]).abs()).filter(|v| !v.is_nan());
        let (sum, n) = steps.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
        Self {
            scale: sum / n,
            count: 0.0,
            error: 0.0,
            last_value_error: 0.0,
            pinball: 0.0,
            held: 0.0,
            interval_score: 0.0,
        }
    }

    /// Adds a forecast made where the value was `last`. A missing truth or value is left out.
    pub fn add(&mut self, last: f64, truth: f64, median: f64, (lower, upper): (f64, f64)) {
        if last.is_nan() || truth.is_nan() {
            return;
        }
        self.count += 1.0;
        self.error += (truth - median).abs();
        self.last_value_error += (truth - last).abs();
        for (q, predicted) in LEVELS.into_iter().zip([lower, median, upper]) {
            let error = truth - predicted;
            self.pinball += (q * error).max((q - 1.0) * error) * 2.0 / 3.0;
        }
        self.held += f64::from(u8::from((lower..=upper).contains(&truth)));
        let outside = (lower - truth).max(0.0) + (truth - upper).max(0.0);
        self.interval_score += upper - lower + OUTSIDE * outside;
    }

    /// The figures of all that was added.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let mean = |sum: f64| sum / self.count;
        let still = STILL * self.scale;
        Figures {
            rel: (mean(self.error) + still) / (mean(self.last_value_error) + still),
            crps3: mean(self.pinball) / self.scale,
            cov90: mean(self.held),
            msis: mean(self.interval_score) / self.scale,
        }
    }
}

/// The geometric mean.
#[must_use]
pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, n) =
        values.into_iter().fold((0.0, 0.0), |(sum, n), v| (sum + v.max(1e-6).ln(), n + 1.0));
    (sum / n).exp()
}

/// The median.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_their_definitions() {
        // Values change by 2 from row to row.
        let mut tally = Tally::new(&[1.0, 3.0, 1.0]);
        // Off by 1 where the last value was off by 4, within 8 to 12.
        tally.add(6.0, 10.0, 9.0, (8.0, 12.0));
        // Off by 3 where the last value was off by 2, and 1 above 10 to 12.
        tally.add(11.0, 13.0, 10.0, (10.0, 12.0));
        tally.add(1.0, f64::NAN, 5.0, (0.0, 9.0));
        let f = tally.figures();
        assert!((f.rel - (2.0 + 0.02) / (3.0 + 0.02)).abs() < 1e-12);
        assert_eq!(f.cov90, 0.5);
        // Widths 4 and 2, and once 20 for being outside by 1; in units of 2.
        assert!((f.msis - 26.0 / 2.0 / 2.0).abs() < 1e-12);
        // Pinball losses: .05·2, .5·1, .05·2; .05·3, .5·3, .95·1.
        let pinball = (0.1 + 0.5 + 0.1) + (0.15 + 1.5 + 0.95);
        assert!((f.crps3 - pinball * 2.0 / 3.0 / 2.0 / 2.0).abs() < 1e-12);
    }

    #[test]
    fn means_and_medians() {
        assert!((geometric_mean([2.0, 8.0]) - 4.0).abs() < 1e-12);
        assert_eq!((median([3.0, 1.0, 2.0]), median([1.0, 2.0])), (2.0, 1.5));
        assert!(median([]).is_nan());
    }
}
