//! What kind of change a feature's newest rows show.
//!
//! First what needs no shape: no value, the same value for too long. Then, if the values have left their usual range,
//! the shape that leaves the least: a step, a ramp, or turmoil around where they were. If they have not, they are unusual
//! for the time of day or beside what the other features do, whichever stands out more.

use overseer_core::ChangeKind;

/// A step that is not older than this many rows may be a spike.
const FRESH: usize = 3;
/// Values count as unusual in themselves if this share of an excursion is outside the usual range.
const OUTSIDE: f64 = 0.25;
/// The shape of fewer rows than these says nothing.
const SHAPED: usize = 5;
/// A ramp must climb so many times what is left around it.
const CLIMBS: f64 = 3.0;
/// Turmoil varies so many times as much as usual.
const WILD: f64 = 2.0;

/// Deviations from what is usual at the time of day that make a surprise.
const UNSEASONAL: f64 = 2.0;

/// What is known of one feature in an excursion.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// Its newest known rows in units, oldest first.
    pub(super) recent: Vec<f64>,
    /// How many of them belong to the excursion, if not all.
    pub(super) rows: usize,
    /// What is usual, in units.
    pub(super) range: (f64, f64),
    /// How much it usually varies within some rows, in units.
    pub(super) noise: f64,
    /// How many deviations the excursion is from what is usual at its time of day, and whether that tells much.
    pub(super) unseasonal: f64,
    pub(super) is_seasonal: bool,
    /// Whether it is the other features beside which it is unusual.
    pub(super) is_unlike_others: bool,
    pub(super) is_missing: bool,
    pub(super) is_frozen: bool,
}

impl Course {
    /// The kind of change, and with how many rows ago it began where its shape tells.
    pub(super) fn kind(&self) -> (ChangeKind, Option<usize>) {
        if self.is_missing {
            return (ChangeKind::Missing, None);
        }
        let n = self.recent.len();
        let rows = self.rows.clamp(1, n.max(1)).min(n);
        let excursion = &self.recent[n - rows..];
        let is_outside = |v: &f64| *v < self.range.0 || *v > self.range.1;
        // What is stuck at an unusual value is at another level.
        if self.is_frozen && !self.recent.last().is_some_and(is_outside) {
            return (ChangeKind::Frozen, None);
        }
        let outside = excursion.iter().filter(|v| is_outside(v)).count();
        let is_over = excursion.last().is_some_and(|v| !is_outside(v));
        // Here and gone again, or not here for long enough to say more.
        if outside > 0 && (rows <= FRESH || (outside <= FRESH && is_over && rows > 2 * outside)) {
            return (ChangeKind::Spike, None);
        }
        let is_wild = deviation(excursion) > WILD * self.noise && rows >= SHAPED;
        if (outside as f64) < OUTSIDE * rows as f64 {
            let seasonal = if self.is_seasonal { self.unseasonal } else { 0.0 };
            if seasonal >= UNSEASONAL {
                return (ChangeKind::SeasonalSurprise, None);
            }
            if is_wild && turns(excursion) {
                return (ChangeKind::Variance, None);
            }
            if self.is_unlike_others {
                return (ChangeKind::CorrelationBroken, None);
            }
        }
        self.shape(rows)
    }

    /// A step, a ramp or turmoil.
    fn shape(&self, rows: usize) -> (ChangeKind, Option<usize>) {
        let n = self.recent.len();
        let before = n - rows;
        if n < SHAPED {
            return (ChangeKind::Level, None);
        }
        let (step, _) = best(&self.recent, |_| 1.0);
        let (ramp, start) = best(&self.recent, |age| age);
        let excursion = &self.recent[before..];
        let usual = if before >= SHAPED {
            mean(&self.recent[..before])
        } else {
            0.5 * (self.range.0 + self.range.1)
        };
        let shift = (mean(excursion) - usual).abs();
        let left = (ramp.min(step) / n as f64).sqrt();
        if left > shift && turns(excursion) && deviation(excursion) > WILD * self.noise {
            return (ChangeKind::Variance, None);
        }
        let climb = (self.recent[n - 1] - mean(&self.recent[..=start])).abs();
        let is_ramp = ramp < step && n - start > SHAPED && climb > CLIMBS * left;
        match is_ramp {
            true => (ChangeKind::Trend, Some(n - 1 - start)),
            false => (ChangeKind::Level, None),
        }
    }
}

/// The least sum of squares left by a constant and, from some row on, `course` of the rows since times a factor; and
/// that row.
fn best(values: &[f64], course: impl Fn(f64) -> f64) -> (f64, usize) {
    let n = values.len();
    let (mean, total) = (mean(values), deviation(values).powi(2) * n as f64);
    let mut least = (total, 0);
    for start in 0..n.saturating_sub(2) {
        let x: Vec<f64> =
            (0..n).map(|i| if i <= start { 0.0 } else { course((i - start) as f64) }).collect();
        let middle = x.iter().sum::<f64>() / n as f64;
        let (mut xx, mut xy) = (0.0, 0.0);
        for (x, y) in x.iter().zip(values) {
            xx += (x - middle).powi(2);
            xy += (x - middle) * (y - mean);
        }
        let left = if xx > 0.0 { total - xy * xy / xx } else { total };
        if left < least.0 {
            least = (left.max(0.0), start);
        }
    }
    least
}

/// Whether values go back and forth rather than one way: a third of them turn.
fn turns(values: &[f64]) -> bool {
    let middle = mean(values);
    let crossings = values.windows(2).filter(|w| (w[0] > middle) != (w[1] > middle)).count();
    4 * crossings >= values.len()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values);
    let squares: f64 = values.iter().map(|v| (v - middle).powi(2)).sum();
    (squares / values.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A calm feature that varies by one tenth of a unit.
    fn course(rows: usize, change: impl Fn(usize) -> f64) -> Course {
        let noise = |i: usize| 0.1 * ((i * 37 % 11) as f64 - 5.0) / 3.2;
        Course {
            recent: (0..45)
                .map(|i| noise(i) + if i + rows >= 45 { change(i + rows - 45) } else { 0.0 })
                .collect(),
            rows,
            range: (-0.5, 0.5),
            noise: 0.1,
            unseasonal: 0.0,
            is_seasonal: false,
            is_unlike_others: false,
            is_missing: false,
            is_frozen: false,
        }
    }

    fn kind(course: &Course) -> ChangeKind {
        course.kind().0
    }

    #[test]
    fn shapes_outside_the_usual_range_have_their_names() {
        assert_eq!(kind(&course(1, |_| 3.0)), ChangeKind::Spike);
        assert_eq!(kind(&course(12, |i| if i == 0 { 3.0 } else { 0.0 })), ChangeKind::Spike);
        assert_eq!(kind(&course(20, |_| 3.0)), ChangeKind::Level);
        assert_eq!(kind(&course(45, |_| 3.0)), ChangeKind::Level);
        assert_eq!(kind(&course(30, |i| -0.2 * i as f64)), ChangeKind::Trend);
        let wild = |i: usize| if i * 7 % 5 < 2 { 2.0 } else { -1.8 };
        assert_eq!(kind(&course(20, wild)), ChangeKind::Variance);
    }

    #[test]
    fn a_ramp_also_says_when_it_began() {
        let (_, ago) = course(30, |i| 0.2 * i as f64).kind();
        assert!(ago.is_some_and(|ago| (26..=32).contains(&ago)), "{ago:?}");
    }

    #[test]
    fn usual_values_are_unusual_for_the_hour_or_beside_the_others() {
        let mut usual = course(20, |_| 0.2);
        (usual.is_unlike_others, usual.unseasonal) = (true, 4.0);
        assert_eq!(kind(&usual), ChangeKind::CorrelationBroken);
        usual.is_seasonal = true;
        assert_eq!(kind(&usual), ChangeKind::SeasonalSurprise);
        usual.is_frozen = true;
        assert_eq!(kind(&usual), ChangeKind::Frozen);
        usual.is_missing = true;
        assert_eq!(kind(&usual), ChangeKind::Missing);
    }

    #[test]
    fn a_course_of_no_rows_is_still_named() {
        let mut none = course(20, |_| 0.0);
        none.recent.clear();
        assert_eq!(kind(&none), ChangeKind::Level);
    }
}
