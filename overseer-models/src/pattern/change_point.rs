//! Moments at which a level changed for good.
//!
//! PELT on means of neighbouring values first divides too often; then the least certain division is taken back until
//! every one that is left is certain. Its certainty comes from the CUSUM statistic,
//! whose largest value under no change follows Kolmogorov's distribution once divided by the long-run standard
//! deviation. That deviation is what autocorrelation inflates, by `(1 + r) / (1 - r)` for one lag (Robbins, Gallagher,
//! Lund and Aue, Mean shift testing in correlated data, J. Time Series Anal. 32, 2011); it is estimated from what the
//! divisions leave over, so that the changes themselves do not count as noise, and a random walk has none. Noise that
//! forgets more slowly than that makes steps of its own, so the changes must, besides, make the values more likely than
//! the best of several kinds of slow noise does without them (see `trend::slow`).

use super::pelt::divide;
use crate::trend::distribution::kolmogorov_at_least;
use crate::trend::noise::{block_means, block_size};
use crate::trend::slow::Likelihood;

const MOST_SPLITS: usize = 6;
/// So much more likely must each change make the values than slow noise without it would, in logarithms: Schwarz's
/// price of a place and a height in a hundred values.
const WORTH: f64 = 5.5;
/// As many means of neighbouring values are divided.
const MOST_BLOCKS: usize = 100;

/// Splits of a series into stretches of one level each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    /// The first index of each stretch but the first, ascending.
    pub(super) starts: Vec<usize>,
    /// The mean of each stretch, one more than splits.
    pub(super) means: Vec<f64>,
    /// How likely noise alone makes a change as clear, one for each.
    pub(super) p_values: Vec<f64>,
}

/// Finds the lasting changes of level that are certain, each with a p-value below `significance`, and at least
/// `min_change` large.
///
/// A level lasts for at least a twentieth of the series and five values.
pub(super) fn find_levels(values: &[f64], min_change: f64, significance: f64) -> Levels {
    let series = Series::new(values);
    let shortest = (values.len() / 20).max(5);
    let mut bounds = series.divide(shortest);
    let mut noise = Noise::of(&series, &bounds);
    let mut without = None;
    while let Some((i, doubt)) = noise.most_doubtful(&series, &bounds) {
        if doubt < significance {
            // This is asked last, for it takes the longest.
            let likelihood = |bounds: &[usize]| Likelihood::of(&series.left_over(bounds));
            let without = *without.get_or_insert_with(|| likelihood(&[0, values.len()]));
            let worth = WORTH * (bounds.len() - 2) as f64;
            if likelihood(&bounds).gain_over(without) >= worth {
                break;
            }
        }
        bounds.remove(i);
        noise = Noise::of(&series, &bounds);
    }
    // Only then are small changes dropped, for those that are certain are no noise either.
    let enough = min_change.max(0.5 * noise.variance.sqrt());
    while let Some(i) = (1..bounds.len() - 1).find(|&i| series.change(&bounds, i).abs() < enough) {
        bounds.remove(i);
    }
    let means = bounds.windows(2).map(|w| series.mean(w[0], w[1])).collect();
    let p_values = (1..bounds.len() - 1).map(|i| noise.doubt(&series, &bounds, i)).collect();
    let starts = bounds.get(1..bounds.len() - 1).unwrap_or(&[]).to_vec();
    Levels { starts, means, p_values }
}

impl Levels {
    /// The mean of the stretch that holds index `i`.
    pub(super) fn at(&self, i: usize) -> f64 {
        let stretch = self.starts.partition_point(|&start| start <= i);
        self.means.get(stretch).copied().unwrap_or(f64::NAN)
    }
}

/// A series with running sums, from which the mean of any stretch follows at once.
#[derive(Debug)]
struct Series<'a> {
    values: &'a [f64],
    /// Sums of what stands before each index, about the mean of all so that little is lost to rounding.
    sums: Vec<f64>,
    center: f64,
}

impl<'a> Series<'a> {
    fn new(values: &'a [f64]) -> Self {
        let center = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let mut sums = Vec::with_capacity(values.len() + 1);
        let mut sum = 0.0;
        sums.push(0.0);
        for v in values {
            sum += v - center;
            sums.push(sum);
        }
        Self { values, sums, center }
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        self.center + (self.sums[to] - self.sums[from]) / (to - from).max(1) as f64
    }

    /// What the stretches leave over, in means of neighbouring values.
    fn left_over(&self, bounds: &[usize]) -> Vec<f64> {
        let mut rest = Vec::with_capacity(self.values.len());
        for w in bounds.windows(2) {
            let mean = self.mean(w[0], w[1]);
            rest.extend(self.values[w[0]..w[1]].iter().map(|v| v - mean));
        }
        block_means(&rest, block_size(rest.len()))
    }

    /// The change of level at `bounds[i]`.
    fn change(&self, bounds: &[usize], i: usize) -> f64 {
        self.mean(bounds[i], bounds[i + 1]) - self.mean(bounds[i - 1], bounds[i])
    }

    fn squares(&self, from: usize, to: usize) -> f64 {
        let mean = self.mean(from, to);
        self.values[from..to].iter().map(|v| (v - mean) * (v - mean)).sum()
    }

    /// How much dividing a stretch takes from its sum of squares.
    fn gain(&self, from: usize, at: usize, to: usize) -> f64 {
        let (left, length) = ((at - from) as f64, (to - from) as f64);
        let whole = self.sums[to] - self.sums[from];
        let deviation = self.sums[at] - self.sums[from] - whole * left / length;
        deviation * deviation * length / (left * (length - left))
    }

    /// The bounds of stretches, first and last index included: as many as the values may have at most.
    fn divide(&self, shortest: usize) -> Vec<usize> {
        let n = self.values.len();
        let size = n.div_ceil(MOST_BLOCKS).max(1);
        let blocks = n / size;
        let whole = self.squares(0, n);
        let steps: f64 = (1..blocks)
            .map(|b| {
                let (from, at, to) = ((b - 1) * size, b * size, (b + 1) * size);
                (self.sums[to] - 2.0 * self.sums[at] + self.sums[from]).powi(2)
            })
            .sum();
        // Where blocks are alike, what rounding leaves is no change.
        let quick = 0.5 * steps / (blocks * size).max(1) as f64;
        let mut penalty = (2.0 * quick * (blocks.max(2) as f64).ln()).max(1.0e-20 * whole);
        if penalty <= 0.0 || penalty.is_nan() {
            return vec![0, n];
        }
        let index = |block: usize| if block == blocks { n } else { block * size };
        // A stretch's squares, but for what all have in common.
        let cost = |from: usize, to: usize| {
            let (from, to) = (index(from), index(to));
            let sum = self.sums[to] - self.sums[from];
            -sum * sum / (to - from) as f64
        };
        // Means of short stretches would follow slow noise and so hide it.
        let most = (n / 30).clamp(1, MOST_SPLITS);
        loop {
            let bounds = divide(blocks, shortest.div_ceil(size), penalty, cost);
            if bounds.len() <= most + 2 {
                let bounds = bounds.into_iter().map(index).collect();
                return self.refine(bounds, size, shortest);
            }
            penalty *= 2.0;
        }
    }

    /// Moves each bound to where it divides the stretches beside it best, up to two blocks away.
    fn refine(&self, mut bounds: Vec<usize>, size: usize, shortest: usize) -> Vec<usize> {
        for i in 1..bounds.len() - 1 {
            let (from, at, to) = (bounds[i - 1], bounds[i], bounds[i + 1]);
            let low = at.saturating_sub(2 * size).max(from + shortest);
            let high = (at + 2 * size).min(to.saturating_sub(shortest));
            let best = (low..=high)
                .max_by(|&a, &b| self.gain(from, a, to).total_cmp(&self.gain(from, b, to)));
            bounds[i] = best.unwrap_or(at);
        }
        bounds
    }
}

/// What the stretches leave over.
#[derive(Debug)]
struct Noise {
    variance: f64,
    /// The long-run standard deviation.
    long_run: f64,
}

impl Noise {
    fn of(series: &Series<'_>, bounds: &[usize]) -> Self {
        let (mut squares, mut products, mut pairs) = (0.0, 0.0, 0_usize);
        for w in bounds.windows(2) {
            let mean = series.mean(w[0], w[1]);
            let stretch = &series.values[w[0]..w[1]];
            squares += stretch.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
            products += stretch.windows(2).map(|p| (p[0] - mean) * (p[1] - mean)).sum::<f64>();
            pairs += stretch.len().saturating_sub(1);
        }
        let n = series.values.len() as f64;
        let stretches = (bounds.len() - 1) as f64;
        let variance = squares / (n - stretches).max(1.0);
        let scale = series.values.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        if pairs == 0 || variance <= (64.0 * f64::EPSILON * scale).powi(2) {
            return Self { variance: 0.0, long_run: 64.0 * f64::EPSILON * scale };
        }
        let raw = (products / pairs as f64) / (squares / n);
        // Every mean taken away makes neighbours look less alike than they are (Kendall, Biometrika 41, 1954), and so
        // does every split, whose place was chosen to that end.
        let chosen = 2.0 * stretches - 1.0;
        let r = (raw + (1.0 + 3.0 * raw.max(0.0)) * chosen / n).clamp(0.0, 1.0);
        // The upper end of what it may be, for too small a guess is what invents changes.
        let r = (r + 2.0 * ((1.0 - r * r) / n).sqrt()).min(1.0 - 0.1 / n);
        Self { variance, long_run: (variance * (1.0 + r) / (1.0 - r)).sqrt() }
    }

    /// The division that is most likely chance, and how likely.
    fn most_doubtful(&self, series: &Series<'_>, bounds: &[usize]) -> Option<(usize, f64)> {
        (1..bounds.len() - 1)
            .map(|i| (i, self.doubt(series, bounds, i)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The probability that the split at `bounds[i]` is chance.
    fn doubt(&self, series: &Series<'_>, bounds: &[usize], i: usize) -> f64 {
        let (from, at, to) = (bounds[i - 1], bounds[i], bounds[i + 1]);
        let (left, length) = ((at - from) as f64, (to - from) as f64);
        let whole = series.sums[to] - series.sums[from];
        let deviation = (series.sums[at] - series.sums[from] - whole * left / length).abs();
        kolmogorov_at_least(deviation / (self.long_run * length.sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::autoregression;

    fn levels(values: &[f64]) -> Levels {
        find_levels(values, 0.0, 0.001)
    }

    #[test]
    fn steps_without_noise_are_found_where_they_are() {
        let v: Vec<f64> = (0..100)
            .map(|i| {
                if i < 30 {
                    2.0
                } else if i < 70 {
                    5.0
                } else {
                    4.0
                }
            })
            .collect();
        let l = levels(&v);
        assert_eq!(l.starts, [30, 70]);
        for (i, level) in [(0, 2.0), (29, 2.0), (30, 5.0), (99, 4.0)] {
            assert!((l.at(i) - level).abs() < 1e-12, "{i}: {l:?}");
        }
        // A change too small to matter is not reported.
        assert_eq!(find_levels(&v, 2.0, 0.001).starts, [30]);
    }

    #[test]
    fn a_step_of_two_sigmas_in_white_noise_is_found_within_a_few_samples() {
        let found = (0..100)
            .filter(|&seed| {
                let mut v = autoregression(0.0, 300, seed);
                v[180..].iter_mut().for_each(|x| *x += 2.0);
                let l = levels(&v);
                matches!(l.starts[..], [at] if (175..=185).contains(&at))
            })
            .count();
        assert!(found >= 95, "{found} of 100");
    }

    #[test]
    fn noise_of_any_persistence_seldom_changes_its_level() {
        for n in [60, 300, 1000] {
            for phi in [0.0, 0.5, 0.9, 1.0] {
                let false_alarms = (0..200)
                    .filter(|&s| !levels(&autoregression(phi, n, s)).starts.is_empty())
                    .count();
                assert!(false_alarms <= 10, "{false_alarms} of 200 at phi {phi}, {n} values");
            }
        }
    }

    #[test]
    fn constants_spikes_and_the_shortest_series_have_no_change() {
        assert!(levels(&[3.0; 50]).starts.is_empty());
        assert!(levels(&[]).starts.is_empty());
        assert!(levels(&[1.0]).starts.is_empty());
        let mut spike = autoregression(0.0, 200, 5);
        spike[90] += 100.0;
        assert!(levels(&spike).starts.is_empty());
    }
}
