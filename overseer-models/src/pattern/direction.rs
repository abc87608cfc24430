//! Where a feature is going: nowhere, along a polynomial, along a line that bends, or from level to level.
//!
//! Each answer must pass its own test. A slope looks like many small steps, a step like a slope, and a bend like
//! either: of several that pass, the one with the best criterion is taken. The criterion is Schwarz's, of what a model
//! leaves over once freed of its memory of one step (Cochrane and Orcutt, J. Am. Stat. Assoc. 44, 1949), for neighbours
//! that are alike are no independent evidence.

use super::ShapeAnalyzer;
use super::autocorrelation::of_neighbors;
use super::change_point::{Levels, find_levels};
use super::describe::Description;
use super::evidence::{Evidence, Known};
use super::kink::{Kink, find_kink};
use crate::trend::noise::block_size;
use crate::trend::robust::block_medians;
use crate::trend::slow::Likelihood;
use crate::trend::{Polynomial, ResidualNoise, RobustTrend};
use overseer_core::{ChangeKind, ChangePoint, Crossing, Frame, RobustSlope, Timestamp, Trend};

/// A trend is material if over the window it moves by at least half the spread of its residuals ...
const MATERIAL_SPREADS: f64 = 0.5;
/// ... and by a thousandth of the level, below which lie rounding and drift that nobody would act on.
const MATERIAL_SHARE: f64 = 0.001;
/// So much more likely must a trend make the values than slow noise about a level would, in logarithms: Schwarz's price of
/// a slope in a hundred values.
const WORTH: f64 = 2.0;
/// A window speaks for a future of at most so many times its length.
const FAR: usize = 10;

/// What was found about where a feature is going.
#[derive(Debug)]
pub(super) struct Direction {
    /// The polynomial with the best criterion, the robust line and its p-value, whether or not they say anything.
    fit: Option<Polynomial>,
    robust: Option<RobustTrend>,
    p_value: f64,
    course: Course,
    crossing: Option<Crossing>,
}

/// What passed its test and describes the values best.
#[derive(Debug)]
enum Course {
    Level,
    Polynomial,
    Bent(Kink),
    Steps(Levels),
}

impl ShapeAnalyzer {
    /// The trend with the best criterion; what cannot be fitted, as when all values are of one moment, is no trend.
    /// `line` is the first of them where it is known.
    fn trend(
        &self,
        times: &[Timestamp],
        values: &[f64],
        line: Option<&Polynomial>,
    ) -> Option<Polynomial> {
        self.trends
            .iter()
            .skip(usize::from(line.is_some()))
            .filter_map(|t| t.fit_curve(times, values).ok())
            .chain(line.cloned())
            .reduce(|best, next| {
                // Of equals, the lower degree.
                let (a, b) = (best.bic(), next.bic());
                if b < a || (b == a && next.degree() < best.degree()) { next } else { best }
            })
    }

    /// Where values freed of rhythms, `rest`, are going, and the changes of level or direction on the way.
    pub(super) fn direction(
        &self,
        known: &Known<'_>,
        frame: &Frame,
        column: usize,
        rest: &[f64],
        line: Option<&Polynomial>,
        level: f64,
    ) -> (Direction, Vec<ChangePoint>) {
        // Missing values stay in their places, so that the trend's window is the frame's.
        let mut aligned = rest.iter();
        let values: Vec<f64> = frame
            .column(column)
            .map(|v| if v.is_nan() { v } else { aligned.next().copied().unwrap_or(v) })
            .collect();
        let fit = self.trend(frame.timestamps(), &values, line);
        let robust = RobustTrend::fit(frame.timestamps(), &values).ok();
        let p_value = robust.as_ref().map_or(1.0, |r| r.p_value);

        let places: Vec<f64> = known.times.iter().map(|&t| scaled(known.window, t)).collect();
        let material = known.resolution().max(MATERIAL_SHARE * level.abs());
        let levels = find_levels(rest, known.resolution(), self.change_significance());
        let kink = find_kink(&places, rest, self.change_significance());

        let mut best = (Course::Level, f64::INFINITY);
        let mut offer = |course: Course, left: Vec<f64>, parameters: usize| {
            let criterion = whitened_criterion(&left, parameters);
            if criterion < best.1 {
                best = (course, criterion);
            }
        };
        let is_exact = robust.as_ref().is_some_and(|r| r.residual_noise == ResidualNoise::Absent);
        let is_flat = levels.starts.is_empty() && kink.is_none();
        if let Some(fit) = &fit {
            let enough = material.max(MATERIAL_SPREADS * fit.residual_variance.sqrt());
            let is_trend = p_value < self.significance
                && fit.change().abs() >= enough
                && (is_exact || beats_slow_noise(fit, known, rest));
            // Steps that describe a slope worse than the slope does are none, even if it is not certain itself.
            if is_trend || !is_flat {
                let left =
                    rest.iter().zip(&known.times).map(|(v, &t)| v - fit.predict(t)).collect();
                let course = if is_trend { Course::Polynomial } else { Course::Level };
                offer(course, left, fit.coefficients().len());
            }
        }
        if !levels.starts.is_empty() {
            let left = rest.iter().enumerate().map(|(i, v)| v - levels.at(i)).collect();
            let parameters = 2 * levels.starts.len() + 1;
            offer(Course::Steps(levels), left, parameters);
        }
        if let Some(kink) = kink {
            let left: Vec<f64> =
                rest.iter().zip(&places).map(|(v, &x)| v - kink.at_place(x)).collect();
            // What the bend changes by the end of the window.
            let change = (kink.after - kink.before) * (1.0 - kink.place());
            let spread = (left.iter().map(|v| v * v).sum::<f64>() / left.len() as f64).sqrt();
            if change.abs() >= material.max(2.0 * MATERIAL_SPREADS * spread) {
                offer(Course::Bent(kink), left, 4);
            }
        }
        let mut direction = Direction { fit, robust, p_value, course: best.0, crossing: None };
        direction.crossing =
            self.limit_of(known).and_then(|l| direction.crossing_of(known, rest, l));
        let changes = direction.changes(known);
        (direction, changes)
    }
}

/// Whether a polynomial makes the values likelier than slow noise about a level would.
fn beats_slow_noise(fit: &Polynomial, known: &Known<'_>, rest: &[f64]) -> bool {
    let size = block_size(rest.len());
    let left: Vec<f64> = rest.iter().zip(&known.times).map(|(v, &t)| v - fit.predict(t)).collect();
    let likelihood = |values: &[f64]| Likelihood::of(&block_medians(values, size));
    likelihood(&left).gain_over(likelihood(rest)) >= WORTH
}

/// A moment as a place in the window, -1 at its start and +1 at its end.
fn scaled(window: (Timestamp, Timestamp), t: Timestamp) -> f64 {
    let length = window.1.since(window.0).as_millis() as f64;
    if length > 0.0 { 2.0 * t.since(window.0).as_millis() as f64 / length - 1.0 } else { -1.0 }
}

/// Schwarz's criterion of what a model of so many parameters leaves over, freed of its memory of one step.
fn whitened_criterion(left: &[f64], parameters: usize) -> f64 {
    let n = left.len() as f64;
    let r = of_neighbors(left).clamp(0.0, 1.0);
    let squares: f64 = left.windows(2).map(|w| (w[1] - r * w[0]).powi(2)).sum();
    n * squares.max(f64::MIN_POSITIVE).ln() + parameters as f64 * n.ln()
}

impl Direction {
    /// What goes on at the time of a known value.
    pub(super) fn at(&self, known: &Known<'_>, index: usize) -> f64 {
        let time = known.times.get(index).copied().unwrap_or_default();
        match (&self.course, &self.fit) {
            (Course::Polynomial, Some(fit)) => fit.predict(time),
            (Course::Bent(kink), _) => kink.at_place(scaled(known.window, time)),
            (Course::Steps(levels), _) => levels.at(index),
            _ => 0.0,
        }
    }

    /// The p-value of going somewhere; `None` if that is not significant.
    pub(super) fn significance(&self) -> Option<f64> {
        match &self.course {
            Course::Polynomial => Some(self.p_value),
            Course::Bent(kink) => Some(kink.p_value),
            Course::Level | Course::Steps(_) => None,
        }
    }

    /// The p-value of keeping the level, or the levels that were found: below it the values moved by less than `margin`
    /// from one end to the other.
    pub(super) fn level_p_value(&self, known: &Known<'_>, found: &Evidence, margin: f64) -> f64 {
        let robust = match self.course {
            Course::Steps(_) => RobustTrend::fit(&known.times, &found.rest).ok(),
            _ => self.robust,
        };
        robust.map_or(1.0, |r| r.level_p_value(margin))
    }

    pub(super) fn as_trend(&self, found: &Evidence) -> Option<Trend> {
        let fit = self.fit.as_ref()?;
        let mut trend = Trend::new(
            fit.coefficients().to_vec(),
            3600.0 * fit.slope_per_second(),
            found.polynomial_share,
            self.p_value,
        );
        trend.robust = self.robust.map(|r| {
            let interval = (3600.0 * r.interval.0, 3600.0 * r.interval.1);
            RobustSlope::new(3600.0 * r.slope_per_second, interval, r.p_value)
        });
        trend.crossing = self.crossing;
        Some(trend)
    }

    /// The share of the variance that the polynomial explains, whether or not it says anything.
    pub(super) fn polynomial_share(&self, known: &Known<'_>) -> f64 {
        let Some(fit) = &self.fit else { return 0.0 };
        1.0 - known.share_left(|i| known.times.get(i).map_or(f64::NAN, |&t| fit.predict(t)))
    }

    /// When a significant trend reaches a limit, if the window can tell. Growth that bends is asked of its newest part.
    fn crossing_of(&self, known: &Known<'_>, rest: &[f64], limit: f64) -> Option<Crossing> {
        let newest =
            |from: usize| RobustTrend::fit(known.times.get(from..)?, rest.get(from..)?).ok();
        let line = match &self.course {
            Course::Polynomial if self.fit.as_ref().is_some_and(|f| f.degree() > 1) => {
                newest(known.values.len() / 2)?
            }
            Course::Polynomial => self.robust?,
            Course::Bent(kink) => newest(kink.at)?,
            Course::Level | Course::Steps(_) => return None,
        };
        let reach = line.reach(limit)?;
        let end = known.window.1;
        let far = end.since(known.window.0).times(FAR);
        (reach.expected <= far).then(|| {
            let latest = reach.latest.map(|l| end + l);
            Crossing::new(limit, end + reach.expected, end + reach.earliest, latest)
        })
    }

    /// The changes of level or direction that describe the values best.
    fn changes(&self, known: &Known<'_>) -> Vec<ChangePoint> {
        let time = |at: usize| known.times.get(at).copied();
        match &self.course {
            Course::Level | Course::Polynomial => Vec::new(),
            Course::Steps(levels) => levels
                .starts
                .iter()
                .zip(levels.means.windows(2))
                .zip(&levels.p_values)
                .filter_map(|((&at, w), &p_value)| {
                    let mut change = ChangePoint::new(time(at)?, w[0], w[1]);
                    change.p_value = Some(p_value);
                    Some(change)
                })
                .collect(),
            Course::Bent(kink) => {
                let hours = known.window.1.since(known.window.0).as_secs_f64() / 3600.0;
                let per_hour = |slope: f64| 2.0 * slope / hours;
                let mean = |from: f64, to: f64| kink.at_place(0.5 * (from + to));
                time(kink.at)
                    .map(|at| {
                        let place = kink.place();
                        let mut change = ChangePoint::new(at, mean(-1.0, place), mean(place, 1.0))
                            .of_kind(
                                ChangeKind::Trend,
                                per_hour(kink.before),
                                per_hour(kink.after),
                            );
                        change.p_value = Some(kink.p_value);
                        change
                    })
                    .into_iter()
                    .collect()
            }
        }
    }

    /// What is to be said about it, but for the changes.
    pub(super) fn sentences(&self, says: &Description<'_>, known: &Known<'_>) -> Vec<String> {
        let window = known.window;
        let moved = match (&self.course, &self.fit) {
            (Course::Polynomial, Some(fit)) => {
                let slope = self.robust.map(|r| r.interval);
                Some(says.trend(fit.predict(window.0), fit.predict(window.1), slope))
            }
            // The change of direction says it all.
            _ => None,
        };
        let crossing = self.crossing.map(|c| says.crossing(&c));
        moved.into_iter().chain(crossing).collect()
    }
}
