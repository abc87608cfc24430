//! Path lengths, and the unit they are told in.
//!
//! A path is told as its share of the average path of the tree's sample, so that trees of samples of different sizes
//! can be averaged, and as an integer, so that a sum of them is exact and the order of adding does not matter.

/// The average path as a number of the unit. The longest path there can be, 64 splits in a sample of 65 rows, is below
/// 9 of it, so 32 bits hold every path.
pub(super) const AVERAGE: f64 = (1_u32 << 28) as f64;

const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// Up to here harmonic numbers are added up term by term.
const SUMMED: usize = 1000;

/// The average number of splits that isolate one of `n` rows in a random tree: `c(n) = 2 H(n-1) - 2 (n-1) / n` in the
/// paper, with the harmonic number itself rather than the logarithm that approximates it.
#[derive(Debug)]
pub(super) struct AveragePaths(Vec<f64>);

impl AveragePaths {
    /// Those of samples of up to so many rows.
    pub(super) fn up_to(rows: usize) -> Self {
        let mut harmonic = 0.0;
        let first = (0..=rows.min(SUMMED)).map(|n| {
            if n < 2 {
                return 0.0;
            }
            let k = (n - 1) as f64;
            harmonic += 1.0 / k;
            2.0 * harmonic - 2.0 * k / n as f64
        });
        Self(first.collect())
    }

    /// The average path of `n` rows.
    pub(super) fn of(&self, n: usize) -> f64 {
        if let Some(&known) = self.0.get(n) {
            return known;
        }
        let k = (n - 1) as f64;
        // Euler and Maclaurin's series; what is left out is below 1e-14 here.
        let harmonic = k.ln() + EULER_GAMMA + 1.0 / (2.0 * k) - 1.0 / (12.0 * k * k);
        2.0 * harmonic - 2.0 * k / n as f64
    }
}

/// A path in the unit, for a tree whose average path this is.
///
/// In a tree of one row there is nothing to tell apart: its only path is the average one.
pub(super) fn in_units(path: f64, average: f64) -> u32 {
    if average > 0.0 { (path / average * AVERAGE + 0.5) as u32 } else { AVERAGE as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_path_is_the_paper_s() {
        let paths = AveragePaths::up_to(2000);
        let c = |n| paths.of(n);
        assert_eq!((c(0), c(1), c(2)), (0.0, 0.0, 1.0));
        let step = 2.0 / 1000.0 - 2.0 * (1000.0 / 1001.0 - 999.0 / 1000.0);
        assert!((c(1001) - c(1000) - step).abs() < 1e-12);
        assert!((c(256) - 10.248_689_925).abs() < 1e-8, "{}", c(256));
    }

    #[test]
    fn the_longest_path_fits_the_unit() {
        let paths = AveragePaths::up_to(1 << 20);
        // Every split on the way leaves a row behind.
        for rows in [1, 2, 10, 1000, (1 << 20) - 64] {
            let path = 64.0 + paths.of(rows);
            let average = paths.of(rows + 64);
            assert!(path / average < 9.0, "{rows}");
            let back = f64::from(in_units(path, average)) / AVERAGE * average;
            assert!((back - path).abs() < 1e-6, "{rows}: {back}");
        }
    }
}
