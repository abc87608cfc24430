//! What the tests find in one column, before a shape is named.

use super::ShapeAnalyzer;
use super::direction::Direction;
use super::grid::{FEW_CELLS, Grid};
use super::periodicity::{Rhythm, Search, find_rhythms};
use super::unrest::find_changes;
use crate::stats::quantiles_by_selection;
use overseer_core::{
    ChangeKind, ChangePoint, Feature, Frame, Periodicity, Probability, Span, Timestamp,
};

/// The known values of one column and when they held.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) feature: &'a Feature,
    pub(super) window: (Timestamp, Timestamp),
    pub(super) step: Span,
    pub(super) times: Vec<Timestamp>,
    pub(super) values: Vec<f64>,
}

impl Known<'_> {
    pub(super) fn resolution(&self) -> f64 {
        self.feature.resolution.unwrap_or(0.0)
    }

    /// The share of the variance of all values that a model leaves unexplained, 0–1; 1 of none.
    pub(super) fn share_left(&self, model: impl Fn(usize) -> f64) -> f64 {
        // Squares of the largest numbers would overflow.
        let unit = self.values.iter().fold(f64::MIN_POSITIVE, |most: f64, v| most.max(v.abs()));
        let mean = self.values.iter().map(|v| v / unit).sum::<f64>() / self.values.len() as f64;
        let (mut about_mean, mut about_model) = (0.0, 0.0);
        for (i, v) in self.values.iter().enumerate() {
            about_mean += (v / unit - mean).powi(2);
            about_model += (v / unit - model(i) / unit).powi(2);
        }
        let left = about_model / about_mean;
        if left.is_nan() { 1.0 } else { left.clamp(0.0, 1.0) }
    }
}

/// A rhythm in the window's own time.
#[derive(Debug)]
pub(super) struct FoundRhythm {
    pub(super) rhythm: Rhythm,
    pub(super) periodicity: Periodicity,
    /// Whether it swings by more than a person would overlook, and its share of the variance of all values.
    pub(super) is_material: bool,
    pub(super) share_of_all: f64,
}

/// What was found in one column.
#[derive(Debug)]
pub(super) struct Evidence {
    /// The strongest first.
    pub(super) rhythms: Vec<FoundRhythm>,
    pub(super) direction: Direction,
    /// The shares of the variance of all values that the direction and the polynomial explain, 0–1.
    pub(super) trend_share: f64,
    pub(super) polynomial_share: f64,
    /// Changes of level, direction and spread, oldest first.
    pub(super) changes: Vec<ChangePoint>,
    /// What rhythms, direction and levels leave over.
    pub(super) rest: Vec<f64>,
    /// Mean of the values, about which rhythms swing.
    pub(super) mean: f64,
    /// Median of the values, and their 5 % and 95 % points.
    pub(super) level: f64,
    pub(super) range: (f64, f64),
}

impl ShapeAnalyzer {
    pub(super) fn gather(&self, known: &Known<'_>, frame: &Frame, column: usize) -> Evidence {
        let line = self.trends.first().and_then(|t| t.fit_curve(&known.times, &known.values).ok());
        let mut detrended = known.values.clone();
        if let Some(line) = &line {
            detrended.iter_mut().zip(&known.times).for_each(|(v, &t)| *v -= line.predict(t));
        }
        let unexplained_by_line = 1.0 - line.as_ref().map_or(0.0, |l| l.r_squared);
        // Trend and levels are asked of what the rhythms leave over.
        let mut rest = known.values.clone();
        let rhythms = self.rhythms(known, &detrended, unexplained_by_line, &mut rest);

        let [level, low, high] = quantiles_by_selection(&known.values, [0.5, 0.05, 0.95]);
        // Without a rhythm or missing values the line fitted above is the first trend already.
        let is_complete = known.values.len() == frame.len();
        let fitted = line.as_ref().filter(|_| rhythms.is_empty() && is_complete);
        let (direction, mut changes) = self.direction(known, frame, column, &rest, fitted, level);
        rest.iter_mut().enumerate().for_each(|(i, v)| *v -= direction.at(known, i));
        let polynomial_share = direction.polynomial_share(known);
        let trend_share = match direction.significance() {
            Some(_) => 1.0 - known.share_left(|i| direction.at(known, i)),
            None => 0.0,
        };

        let spreads = find_changes(&rest, self.change_significance());
        changes.extend(spreads.iter().filter_map(|c| {
            let at = *known.times.get(c.at)?;
            let mut change = ChangePoint::new(at, level, level).of_kind(
                ChangeKind::Variance,
                c.spreads.0,
                c.spreads.1,
            );
            change.levels =
                (direction.at(known, c.at.saturating_sub(1)), direction.at(known, c.at));
            change.p_value = Some(c.p_value);
            let enough = (c.spreads.1 - c.spreads.0).abs() >= 0.5 * known.resolution();
            enough.then_some(change)
        }));
        changes.sort_by_key(|c| c.timestamp);
        Evidence {
            rhythms,
            direction,
            trend_share: Probability::saturating(trend_share).get(),
            polynomial_share: Probability::saturating(polynomial_share).get(),
            changes,
            rest,
            mean: known.values.iter().map(|v| v / known.values.len() as f64).sum(),
            level,
            range: (low, high),
        }
    }

    /// The rhythms of detrended values, which are taken off `rest`.
    fn rhythms(
        &self,
        known: &Known<'_>,
        detrended: &[f64],
        unexplained_by_line: f64,
        rest: &mut [f64],
    ) -> Vec<FoundRhythm> {
        let Some(grid) = Grid::new(&known.times, detrended, known.step) else { return Vec::new() };
        let [few, some, most] = &self.correlators;
        let correlator = match grid.cells.len() {
            n if n <= FEW_CELLS => few,
            n if n <= 2 * FEW_CELLS => some,
            _ => most,
        };
        let search = Search {
            correlator,
            significance: self.significance,
            min_strength: self.min_rhythm_strength,
            step_ms: grid.step_ms,
        };
        let found = find_rhythms(&search, &grid.cells);
        for rhythm in &found {
            rest.iter_mut().zip(&grid.places).for_each(|(v, &cell)| *v -= rhythm.at(cell));
        }
        let millis = |cells: f64| Span::from_millis((cells * grid.step_ms).round() as i64);
        let start = known.times.first().copied().unwrap_or_default();
        found
            .into_iter()
            .map(|rhythm| {
                let mut periodicity = Periodicity::new(millis(rhythm.period), rhythm.strength);
                periodicity.p_value = Some(rhythm.p_value);
                periodicity.peak = rhythm
                    .last_peak(grid.cells.len())
                    .filter(|_| grid.is_timed)
                    .map(|cell| start + millis(cell));
                let (low, high) = rhythm.swing();
                FoundRhythm {
                    is_material: high - low >= known.resolution(),
                    share_of_all: rhythm.strength * unexplained_by_line,
                    periodicity,
                    rhythm,
                }
            })
            .collect()
    }
}
