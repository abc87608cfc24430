//! Whether a difference is more than noise.

/// A mean with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) mean: f64,
    /// NaN of a single block.
    pub(super) error: f64,
    pub(super) blocks: usize,
}

/// The mean of blocks that were measured one after the other, those of one inner list without a break between. The
/// variance of the mean counts neighbours in, by half as Newey and West (1987) do at one lag, and only where they go
/// together.
pub(super) fn estimate(runs: &[Vec<f64>]) -> Estimate {
    let n = runs.iter().map(Vec::len).sum::<usize>();
    let count = n as f64;
    let mean = runs.iter().flatten().sum::<f64>() / count;
    if n < 2 {
        return Estimate { mean, error: f64::NAN, blocks: n };
    }
    let variance = runs.iter().flatten().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let neighbours = runs.iter().flat_map(|run| run.windows(2));
    let together = neighbours.map(|w| (w[0] - mean) * (w[1] - mean)).sum::<f64>() / (count - 1.0);
    Estimate { mean, error: ((variance + together.max(0.0)) / count).sqrt(), blocks: n }
}

/// Fewer blocks than this decide nothing.
const FEWEST_BLOCKS: usize = 6;
/// No difference of relative losses below it matters.
const LEAST: f64 = 1e-6;

impl Estimate {
    /// Whether the mean is above zero beyond noise, where so many questions are asked and one in twenty times any of
    /// them may be answered wrongly.
    pub(super) fn is_positive(&self, questions: usize) -> bool {
        let share = 0.05 / questions.max(1) as f64;
        self.blocks >= FEWEST_BLOCKS
            && self.mean > LEAST
            && self.mean > critical(share, self.blocks - 1) * self.error
    }
}

/// What Student's t with so many degrees of freedom exceeds with this small probability: Abramowitz and Stegun (1964),
/// 26.2.23 for the normal quantile (within 4.5e-4) and 26.7.5 for t.
fn critical(share: f64, freedom: usize) -> f64 {
    let t = (-2.0 * share.ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let z = t - numerator / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    let (n, z2) = (freedom.max(1) as f64, z * z);
    let terms = [
        (z2 + 1.0) / 4.0,
        ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0,
        (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0,
        ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92_160.0,
    ];
    z * terms.iter().rev().fold(0.0, |sum, term| (sum + term) / n) + z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_values_are_those_of_the_tables() {
        for (share, freedom, t) in [
            (0.05, 10, 1.812),
            (0.025, 30, 2.042),
            (0.005, 7, 3.499),
            (0.001, 20, 3.552),
            (0.001, 7, 4.785),
            (0.01, 1_000_000, 2.326),
        ] {
            let found = critical(share, freedom);
            assert!((found - t).abs() < 0.01 * t, "{share} {freedom}: {found}, not {t}");
        }
    }

    #[test]
    fn blocks_that_go_together_say_less() {
        let apart = estimate(&[vec![1.0, -1.0, 1.0, -1.0], vec![1.0, -1.0, 1.0, -1.0]]);
        let together = estimate(&[vec![1.0, 1.0, 1.0, 1.0], vec![-1.0, -1.0, -1.0, -1.0]]);
        assert_eq!((apart.mean, together.mean), (0.0, 0.0));
        assert!(together.error > 1.2 * apart.error, "{together:?} {apart:?}");
    }

    #[test]
    fn a_difference_must_be_seen_often_and_clearly() {
        let clear = vec![1.0, 1.2, 0.9, 1.1, 1.0, 0.8];
        assert!(estimate(std::slice::from_ref(&clear)).is_positive(10));
        assert!(!estimate(&[clear[..5].to_vec()]).is_positive(1), "five blocks decide nothing");
        assert!(!estimate(&[vec![1.0, -0.9, 0.8, -1.1, 1.3, 0.1]]).is_positive(1));
        assert!(!estimate(&[vec![0.0; 9]]).is_positive(1));
        assert!(!estimate(&[vec![f64::NAN; 9]]).is_positive(1));
    }

    #[test]
    fn noise_is_seldom_taken_for_more() {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(5);
        let mut wrong = 0;
        for _ in 0..2_000 {
            let runs: Vec<Vec<f64>> = (0..4)
                .map(|_| (0..4).map(|_| rng.sample::<f64, _>(rand_distr::StandardNormal)).collect())
                .collect();
            wrong += usize::from(estimate(&runs).is_positive(1));
        }
        assert!((40..=150).contains(&wrong), "{wrong} of 2,000 at one in twenty");
    }
}
