//! Kinds of change to one feature.

use crate::series::Series;
use overseer_core::ChangeKind;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

/// What happens to one feature while all others go on as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// One row eight deviations away.
    Spike,
    /// A new level, six deviations away.
    Level,
    /// A slope that comes to eight deviations.
    Trend,
    /// Noise of four deviations more.
    Turmoil,
    /// Values that it has had at this time of day, while what it goes along with has others.
    Correlation,
    /// The last value again and again.
    Frozen,
    /// Its values of half a day ago.
    Season,
}

impl Change {
    pub(crate) const ALL: [Self; 7] = [
        Self::Spike,
        Self::Level,
        Self::Trend,
        Self::Turmoil,
        Self::Correlation,
        Self::Frozen,
        Self::Season,
    ];

    /// How many rows the longest of them takes.
    pub(crate) const LONGEST: usize = 60;

    /// What the detector is to call it.
    pub(crate) fn kind(self) -> ChangeKind {
        match self {
            Self::Spike => ChangeKind::Spike,
            Self::Level => ChangeKind::Level,
            Self::Trend => ChangeKind::Trend,
            Self::Turmoil => ChangeKind::Variance,
            Self::Correlation => ChangeKind::CorrelationBroken,
            Self::Frozen => ChangeKind::Frozen,
            Self::Season => ChangeKind::SeasonalSurprise,
        }
    }

    fn rows(self) -> usize {
        match self {
            Self::Spike => 1,
            Self::Level | Self::Turmoil => 24,
            Self::Trend | Self::Correlation | Self::Season => 48,
            Self::Frozen => Self::LONGEST,
        }
    }

    /// The feature's values from row `begin` on, changed; none where this kind of change would be none to this
    /// feature. What is usual is that of the first `learned` rows.
    pub(crate) fn make(
        self,
        series: &Series,
        learned: usize,
        begin: usize,
        feature: usize,
        seed: u64,
    ) -> Option<Vec<f64>> {
        let deviation = series.deviation(learned, feature);
        if deviation <= 0.0 {
            return None;
        }
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut noise = || -> f64 { StandardNormal.sample(&mut rng) };
        let sign = if seed.is_multiple_of(2) { 1.0 } else { -1.0 };
        let rows = self.rows();
        let now: Vec<f64> = (begin..begin + rows).map(|i| series.value(i, feature)).collect();
        let day = series.day();
        let ago = |rows_ago: usize| -> Option<Vec<f64>> {
            let first = begin.checked_sub(rows_ago)?;
            let then: Vec<f64> = (first..first + rows).map(|i| series.value(i, feature)).collect();
            // As good as the same values would be no change.
            let apart = then.iter().zip(&now).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
            ((apart / rows as f64).sqrt() > deviation).then_some(then)
        };
        match self {
            Self::Spike => Some(vec![now[0] + sign * 8.0 * deviation]),
            Self::Level => Some(now.iter().map(|v| v + sign * 6.0 * deviation).collect()),
            Self::Trend => {
                let slope = sign * 8.0 * deviation / rows as f64;
                Some(now.iter().zip(1..).map(|(v, i)| v + slope * f64::from(i)).collect())
            }
            Self::Turmoil => Some(now.iter().map(|v| v + 4.0 * deviation * noise()).collect()),
            Self::Correlation => {
                (series.kinship(learned, feature) >= 0.7).then(|| ago(2 * day)).flatten()
            }
            Self::Frozen => {
                let before: Vec<f64> =
                    (begin - 2 * rows..=begin).map(|i| series.value(i, feature)).collect();
                let changes = before.windows(2).filter(|w| w[0] != w[1]).count();
                (changes * 10 >= 9 * 2 * rows).then(|| vec![series.value(begin - 1, feature); rows])
            }
            Self::Season => {
                (series.rhythm(learned, feature) >= 0.7).then(|| ago(day / 2)).flatten()
            }
        }
    }
}
