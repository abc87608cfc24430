//! Is a feature stable, trending, volatile or periodic, and when did its level change?
//!
//! One analysis asks four questions, each in a module of its own, and the answers that pass their tests compete by the
//! share of the variance they explain. Noise of metrics remembers its past, so every test allows for that: white
//! noise, autoregressions and random walks are told from trends and rhythms, at the price of missing faint ones.
//!
//! ```
//! use overseer_core::{Frame, PatternAnalyzer, PatternType, Schema, Timestamp};
//! use overseer_models::pattern::ShapeAnalyzer;
//!
//! // A job that runs every twelfth sample.
//! let mut window = Frame::new(Schema::from_names(["jobs"])?);
//! for i in 0..240 {
//!     let running = if i % 12 == 0 { 1.0 } else { 0.0 };
//!     window.push_row(Timestamp::from_millis(5_000 * i), &[running])?;
//! }
//! let found = ShapeAnalyzer::builder().build()?.analyze(&window)?;
//! assert_eq!(found[0].pattern_type, PatternType::Periodic);
//! assert_eq!(found[0].periodicity.map(|p| p.period.to_string()), Some("60 s".to_owned()));
//! # Ok::<(), overseer_core::Error>(())
//! ```

mod autocorrelation;
mod builder;
mod change_point;
mod describe;
mod grid;
mod periodicity;
mod spectrum;
mod spread;

pub use autocorrelation::Autocorrelation;
pub use builder::ShapeAnalyzerBuilder;

use crate::stats::{quantile_sorted, sorted_known};
use crate::trend::{FittedTrend, PolynomialTrend};
use change_point::{Levels, find_levels};
use describe::Description;
use grid::{Grid, median_step};
use overseer_core::{
    ChangePoint, Error, Feature, Frame, PatternAnalysis, PatternAnalyzer, PatternType, Periodicity,
    Probability, Result, Span, Timestamp, Trend,
};
use periodicity::{Rhythm, find_rhythm};

/// A description is stated as certain below this p-value.
const CERTAIN: f64 = 0.05;
/// A trend is material if over the window it moves by at least half the spread of its residuals ...
const MATERIAL_SPREADS: f64 = 0.5;
/// ... and by a thousandth of the level, below which lie rounding and drift that nobody would act on.
const MATERIAL_SHARE: f64 = 0.001;

/// Finds the dominant shape of each feature of a window. Its parameters were checked by the builder.
#[derive(Debug, Clone)]
pub struct ShapeAnalyzer {
    significance: f64,
    min_points: usize,
    min_rhythm_strength: f64,
    volatile_spread: f64,
    /// Polynomials of degree 1 and up; the one with the best criterion is the trend.
    trends: Vec<PolynomialTrend>,
    /// Planned for the longest grid.
    correlator: Autocorrelation,
}

impl ShapeAnalyzer {
    /// A builder with the defaults that its methods name.
    #[must_use]
    pub fn builder() -> ShapeAnalyzerBuilder {
        ShapeAnalyzerBuilder::default()
    }

    /// The trend with the best criterion; what cannot be fitted, as when all values are of one moment, is no trend.
    /// `line` is the first of them where it is known. Only the slope of the best is tested.
    fn trend(
        &self,
        times: &[Timestamp],
        values: &[f64],
        line: Option<&FittedTrend>,
    ) -> Option<FittedTrend> {
        let known = line.map(|line| (0, line.bic));
        let (best, _) = self
            .trends
            .iter()
            .enumerate()
            .skip(usize::from(known.is_some()))
            .filter_map(|(i, t)| Some((i, t.fit_curve(times, values).ok()?.bic())))
            .chain(known)
            .reduce(|best, next| if next.1 < best.1 { next } else { best })?;
        match line {
            Some(line) if best == 0 => Some(line.clone()),
            _ => self.trends.get(best)?.fit(times, values).ok(),
        }
    }
}

/// The known values of one column and when they held.
#[derive(Debug)]
struct Known<'a> {
    feature: &'a Feature,
    window: (Timestamp, Timestamp),
    step: Span,
    times: Vec<Timestamp>,
    values: Vec<f64>,
}

impl Known<'_> {
    fn resolution(&self) -> f64 {
        self.feature.resolution.unwrap_or(0.0)
    }
}

/// A rhythm in the window's own time.
#[derive(Debug)]
struct FoundRhythm {
    rhythm: Rhythm,
    period: Span,
    /// What it adds to each known value.
    parts: Vec<f64>,
}

fn rhythm_of(
    known: &Known<'_>,
    detrended: &[f64],
    analyzer: &ShapeAnalyzer,
) -> Option<FoundRhythm> {
    let grid = Grid::new(&known.times, detrended, known.step)?;
    let rhythm = find_rhythm(
        &analyzer.correlator,
        &grid.cells,
        analyzer.significance,
        analyzer.min_rhythm_strength,
    )?;
    let parts = grid.places.iter().map(|&cell| rhythm.at(cell)).collect();
    let period = Span::from_millis((rhythm.period * grid.step_ms).round() as i64);
    Some(FoundRhythm { rhythm, period, parts })
}

/// The share of the variance of all values that a polynomial explains, 0–1; 0 of none.
fn share_explained(known: &Known<'_>, fit: &FittedTrend) -> f64 {
    // Squares of the largest numbers would overflow.
    let unit = known.values.iter().fold(f64::MIN_POSITIVE, |most: f64, v| most.max(v.abs()));
    let mean = known.values.iter().map(|v| v / unit).sum::<f64>() / known.values.len() as f64;
    let (mut about_mean, mut about_fit) = (0.0, 0.0);
    for (v, &t) in known.values.iter().zip(&known.times) {
        about_mean += (v / unit - mean).powi(2);
        about_fit += (v / unit - fit.predict(t) / unit).powi(2);
    }
    Probability::saturating(1.0 - about_fit / about_mean).get()
}

/// Whether steps describe values better than a polynomial, by Schwarz's criterion.
fn steps_are_better(levels: &Levels, fit: &FittedTrend, n: usize) -> bool {
    let parameters = fit.coefficients.len();
    let line_squares = fit.residual_variance * n.saturating_sub(parameters) as f64;
    let n = n as f64;
    let criterion = |squares: f64, parameters: usize| {
        n * squares.max(f64::MIN_POSITIVE).ln() + parameters as f64 * n.ln()
    };
    !levels.starts.is_empty()
        && criterion(levels.squares, 2 * levels.starts.len() + 1)
            < criterion(line_squares, parameters)
}

impl PatternAnalyzer for ShapeAnalyzer {
    fn analyze_column(&self, window: &Frame, column: usize) -> Result<Option<PatternAnalysis>> {
        let Some(feature) = window.schema().get(column) else {
            let why = format!("must be below {}, was {column}", window.schema().len());
            return Err(Error::invalid_parameter("column", why));
        };
        let all_times = window.timestamps();
        let (Some(&first), Some(&last)) = (all_times.first(), all_times.last()) else {
            return Ok(None);
        };
        let (times, values): (Vec<_>, Vec<_>) = all_times
            .iter()
            .copied()
            .zip(window.column(column))
            .filter(|(_, v)| !v.is_nan())
            .unzip();
        if values.len() < self.min_points {
            return Ok(None);
        }
        let step = median_step(all_times);
        let known = Known { feature, window: (first, last), step, times, values };
        Ok(Some(self.judge(&known, window, column)))
    }
}

/// What the tests found in one column, before a shape is named.
#[derive(Debug)]
struct Evidence {
    rhythm: Option<FoundRhythm>,
    /// Whether the rhythm swings by more than a person would overlook, and its share of the variance of all values.
    rhythm_is_material: bool,
    rhythm_share: f64,
    fit: Option<FittedTrend>,
    /// Whether the slope is significant and material, and the polynomial's share of the variance of all values.
    is_trending: bool,
    trend_share: f64,
    change_points: Vec<ChangePoint>,
    /// What rhythm and levels leave over.
    rest: Vec<f64>,
    /// Median of the values, and their 5 % and 95 % points.
    level: f64,
    range: (f64, f64),
}

/// The dominant shape, how strongly it shows, and the p-value of the test behind it.
#[derive(Debug, Clone, Copy)]
struct Shape {
    pattern_type: PatternType,
    strength: f64,
    p_value: f64,
}

impl ShapeAnalyzer {
    fn judge(&self, known: &Known<'_>, frame: &Frame, column: usize) -> PatternAnalysis {
        let evidence = self.gather(known, frame, column);
        let shape = self.shape(known, &evidence);
        let mut analysis = PatternAnalysis::new(
            known.feature.name.clone(),
            shape.pattern_type,
            shape.strength,
            Probability::saturating(1.0 - shape.p_value),
        );
        analysis.insights = insights(known, &evidence, shape);
        analysis.periodicity =
            evidence.rhythm.map(|r| Periodicity::new(r.period, r.rhythm.strength));
        analysis.trend = evidence.fit.map(|fit| {
            let per_hour = 3600.0 * fit.slope_per_second;
            Trend::new(fit.coefficients, per_hour, evidence.trend_share, fit.slope_p_value)
        });
        analysis.change_points = evidence.change_points;
        analysis.window = known.window;
        analysis.points = known.values.len();
        analysis
    }

    fn gather(&self, known: &Known<'_>, frame: &Frame, column: usize) -> Evidence {
        let line = self.trends.first().and_then(|t| t.fit(&known.times, &known.values).ok());
        let mut detrended = known.values.clone();
        if let Some(line) = &line {
            detrended.iter_mut().zip(&known.times).for_each(|(v, &t)| *v -= line.predict(t));
        }
        let rhythm = rhythm_of(known, &detrended, self);

        // Trend and levels are asked of what the rhythm leaves over.
        let mut rest = known.values.clone();
        if let Some(found) = &rhythm {
            rest.iter_mut().zip(&found.parts).for_each(|(v, part)| *v -= part);
        }
        // Without a rhythm or missing values the line fitted above is the first trend already.
        let is_complete = known.values.len() == frame.len();
        let fitted = line.as_ref().filter(|_| rhythm.is_none() && is_complete);
        // Missing values stay in their places, so that the trend's window is the frame's.
        let mut aligned = rest.iter();
        let values: Vec<f64> = frame
            .column(column)
            .map(|v| if v.is_nan() { v } else { aligned.next().copied().unwrap_or(v) })
            .collect();
        let fit = self.trend(frame.timestamps(), &values, fitted);

        let sorted = sorted_known(known.values.iter().copied());
        let level = quantile_sorted(&sorted, 0.5);
        let mut levels = find_levels(&rest, known.resolution());
        let mut is_trending = fit.as_ref().is_some_and(|fit| {
            let enough = known
                .resolution()
                .max(MATERIAL_SPREADS * fit.residual_variance.sqrt())
                .max(MATERIAL_SHARE * level.abs());
            fit.slope_p_value < self.significance && fit.change().abs() >= enough
        });
        if let (true, Some(fit)) = (is_trending, &fit) {
            // A slope looks like many small steps, and a step like a slope; it is one or the other.
            if steps_are_better(&levels, fit, known.values.len()) {
                is_trending = false;
            } else {
                levels = Levels { starts: Vec::new(), means: Vec::new(), squares: 0.0 };
            }
        }
        let change_points = levels
            .starts
            .iter()
            .zip(levels.means.windows(2))
            .filter_map(|(&at, w)| known.times.get(at).map(|&t| ChangePoint::new(t, w[0], w[1])))
            .collect();
        if !levels.means.is_empty() {
            rest.iter_mut().enumerate().for_each(|(i, v)| *v -= levels.at(i));
        }
        let unexplained_by_line = 1.0 - line.as_ref().map_or(0.0, |l| l.r_squared);
        Evidence {
            rhythm_is_material: rhythm.as_ref().is_some_and(|r| {
                let (low, high) = r.rhythm.swing();
                high - low >= known.resolution()
            }),
            rhythm_share: rhythm.as_ref().map_or(0.0, |r| r.rhythm.strength * unexplained_by_line),
            rhythm,
            trend_share: fit.as_ref().map_or(0.0, |fit| share_explained(known, fit)),
            fit,
            is_trending,
            change_points,
            rest,
            level,
            range: (quantile_sorted(&sorted, 0.05), quantile_sorted(&sorted, 0.95)),
        }
    }

    /// Direction and rhythm compete by the variance they explain; without either it is a question of spread.
    fn shape(&self, known: &Known<'_>, found: &Evidence) -> Shape {
        let rhythm = found.rhythm.as_ref().filter(|_| found.rhythm_is_material);
        match (&found.fit, rhythm) {
            (Some(fit), rhythm)
                if found.is_trending
                    && (rhythm.is_none() || found.trend_share >= found.rhythm_share) =>
            {
                Shape {
                    pattern_type: PatternType::Trending,
                    strength: found.trend_share,
                    p_value: fit.slope_p_value,
                }
            }
            (_, Some(r)) => Shape {
                pattern_type: PatternType::Periodic,
                strength: r.rhythm.strength,
                p_value: r.rhythm.p_value,
            },
            _ => {
                let spread = spread::judge(
                    &found.rest,
                    found.level,
                    known.resolution(),
                    self.volatile_spread,
                );
                // 1/∞ is 0: about a level of nothing any spread is total.
                let steadiness = 1.0 / (1.0 + spread.relative);
                let (pattern_type, strength) = if spread.is_volatile {
                    (PatternType::Volatile, 1.0 - steadiness)
                } else {
                    (PatternType::Stable, steadiness)
                };
                Shape { pattern_type, strength, p_value: spread.p_value }
            }
        }
    }
}

/// The sentences, the one about the dominant shape first.
fn insights(known: &Known<'_>, found: &Evidence, shape: Shape) -> Vec<String> {
    let says = Description { feature: known.feature, window: known.window };
    let trend = found
        .fit
        .as_ref()
        .filter(|_| found.is_trending)
        .map(|fit| says.trend(fit.predict(known.window.0), fit.predict(known.window.1)));
    let rhythm = found.rhythm.as_ref().filter(|_| found.rhythm_is_material).map(|r| {
        let (low, high) = r.rhythm.swing();
        says.rhythm(r.period, (found.level + low, found.level + high), found.rhythm_share)
    });
    let is_volatile = shape.pattern_type == PatternType::Volatile;
    let mut sentences: Vec<String> = match shape.pattern_type {
        PatternType::Trending => trend.into_iter().chain(rhythm).collect(),
        PatternType::Periodic => rhythm.into_iter().chain(trend).collect(),
        // A range across a step describes neither side of it.
        _ if !found.change_points.is_empty() => Vec::new(),
        _ => {
            vec![says.spread(found.level, found.range, is_volatile, shape.p_value < CERTAIN)]
        }
    };
    sentences.extend(found.change_points.iter().map(|c| says.change(c)));
    sentences
}

#[cfg(test)]
mod tests;
