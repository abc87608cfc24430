//! Is a feature stable, trending, volatile or periodic, and when did that change?
//!
//! One analysis asks what goes on, what repeats, what changed and how far it spreads, each in a module of its own, and
//! the answers that pass their tests compete by the share of the variance they explain. Noise of metrics remembers its
//! past, so every test allows for that: white noise, autoregressions and random walks are told from trends and rhythms,
//! at the price of missing faint ones. `docs/patterns.md` says how often each is stated where it is not, and found
//! where it is.
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
mod direction;
mod evidence;
mod grid;
mod kink;
mod pelt;
mod periodicity;
mod spectrum;
mod spread;
mod unrest;

pub use autocorrelation::Autocorrelation;
pub use builder::ShapeAnalyzerBuilder;

use crate::trend::PolynomialTrend;
use describe::Description;
use evidence::{Evidence, Known};
use grid::median_step;
use overseer_core::{
    ChangeKind, ChangePoint, Error, Frame, LocalTime, PatternAnalysis, PatternAnalyzer,
    PatternType, Probability, Result, Unit,
};
use std::sync::Arc;

/// A description is stated as certain below this p-value.
const CERTAIN: f64 = 0.05;

/// Finds the dominant shape of each feature of a window. Its parameters were checked by the builder.
#[derive(Debug, Clone)]
pub struct ShapeAnalyzer {
    significance: f64,
    min_points: usize,
    min_rhythm_strength: f64,
    volatile_spread: f64,
    /// Limits of features by their names.
    limits: Vec<(String, f64)>,
    /// By whose clocks phases are said.
    local_time: Arc<dyn LocalTime>,
    /// Polynomials of degree 1 and up; the one with the best criterion is the trend.
    trends: Vec<PolynomialTrend>,
    /// Planned for ever longer grids, the last for the longest.
    correlators: [Autocorrelation; 3],
}

impl ShapeAnalyzer {
    /// A builder with the defaults that its methods name.
    #[must_use]
    pub fn builder() -> ShapeAnalyzerBuilder {
        ShapeAnalyzerBuilder::default()
    }

    /// The p-value below which a change is stated: a series may hold several, each of which is a claim.
    fn change_significance(&self) -> f64 {
        0.1 * self.significance
    }

    /// What a feature cannot or should not go beyond, in its unit.
    fn limit_of(&self, known: &Known<'_>) -> Option<f64> {
        let told = self.limits.iter().rev().find(|(name, _)| *name == known.feature.name);
        told.map(|(_, limit)| *limit).or((known.feature.unit == Unit::Ratio).then_some(1.0))
    }
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
        let spread = self.spread(known, &evidence);
        let shape = self.shape(known, &evidence, &spread);
        let mut analysis = PatternAnalysis::new(
            known.feature.name.clone(),
            shape.pattern_type,
            shape.strength,
            Probability::saturating(1.0 - shape.p_value),
        );
        analysis.insights = self.insights(known, &evidence, shape, &spread);
        let mut rhythms = evidence.rhythms.iter().map(|r| r.periodicity);
        analysis.periodicity = rhythms.next();
        analysis.further_rhythms = rhythms.collect();
        analysis.volatility = Some(spread.relative).filter(|v| v.is_finite());
        analysis.trend = evidence.direction.as_trend(&evidence);
        analysis.change_points = evidence.changes;
        analysis.window = known.window;
        analysis.points = known.values.len();
        analysis
    }

    fn spread(&self, known: &Known<'_>, found: &Evidence) -> spread::Spread {
        spread::judge(&found.rest, found.level, known.resolution(), self.volatile_spread)
    }

    /// How far a level may move, or spread, that is still called stable.
    fn margin(&self, known: &Known<'_>, found: &Evidence) -> f64 {
        known.resolution().max(self.volatile_spread * found.level.abs())
    }

    /// Direction and rhythm compete by the variance they explain; without either it is a question of spread.
    fn shape(&self, known: &Known<'_>, found: &Evidence, spread: &spread::Spread) -> Shape {
        let rhythm = found.rhythms.iter().find(|r| r.is_material);
        let direction = found.direction.significance();
        match (direction, rhythm) {
            (Some(p_value), rhythm)
                if rhythm.is_none_or(|r| found.trend_share >= r.share_of_all) =>
            {
                Shape { pattern_type: PatternType::Trending, strength: found.trend_share, p_value }
            }
            (_, Some(r)) => Shape {
                pattern_type: PatternType::Periodic,
                strength: r.periodicity.strength,
                p_value: r.rhythm.p_value,
            },
            _ => {
                // 1/∞ is 0: about a level of nothing any spread is total.
                let steadiness = 1.0 / (1.0 + spread.relative);
                if spread.is_volatile {
                    return Shape {
                        pattern_type: PatternType::Volatile,
                        strength: 1.0 - steadiness,
                        p_value: spread.p_value,
                    };
                }
                // Stable is what neither spreads nor moves: the weaker of the two statements counts.
                let margin = self.margin(known, found);
                let level = found.direction.level_p_value(known, found, margin);
                Shape {
                    pattern_type: PatternType::Stable,
                    strength: steadiness,
                    p_value: spread.p_value.max(level),
                }
            }
        }
    }

    /// The sentences, the one about the dominant shape first.
    fn insights(
        &self,
        known: &Known<'_>,
        found: &Evidence,
        shape: Shape,
        spread: &spread::Spread,
    ) -> Vec<String> {
        let says = Description {
            feature: known.feature,
            window: known.window,
            clocks: self.local_time.as_ref(),
        };
        let direction = found.direction.sentences(&says, known);
        let rhythms = found.rhythms.iter().filter(|r| r.is_material).map(|r| {
            let (low, high) = r.rhythm.swing();
            says.rhythm(&r.periodicity, (found.mean + low, found.mean + high), r.share_of_all)
        });
        let is_volatile = shape.pattern_type == PatternType::Volatile;
        let mut sentences: Vec<String> = match shape.pattern_type {
            PatternType::Trending => direction.into_iter().chain(rhythms).collect(),
            PatternType::Periodic => rhythms.chain(direction).collect(),
            // A range across a step describes neither side of it.
            _ if !found.changes.is_empty() => Vec::new(),
            _ => vec![says.spread(
                found.level,
                found.range,
                spread.relative,
                is_volatile,
                shape.p_value < CERTAIN,
            )],
        };
        sentences.extend(found.changes.iter().enumerate().map(|(i, c)| {
            let next = found.changes[i + 1..].iter().find(|next| next.kind == c.kind);
            says.change(c, next.map(|next| next.timestamp))
        }));
        let margin = self.margin(known, found);
        let is_far = |c: &&ChangePoint| {
            c.kind == ChangeKind::Level && (c.levels.1 - c.levels.0).abs() > margin
        };
        if shape.pattern_type == PatternType::Stable && found.changes.iter().any(|c| is_far(&c)) {
            sentences.push(says.stable_beside_steps());
        }
        sentences
    }
}

#[cfg(test)]
mod tests;
