//! Which predictions and patterns are worth storing: those that say something new.
//!
//! A prediction is made every minute and a pattern every few, and mostly they say what was said before. One is stored
//! when it differs from the last one stored of its kind, at most once a minute, and at least once an hour, so that what
//! is stored is never long out of date.

use overseer_core::{
    PatternAnalysis, PatternType, Prediction, PredictionType, Span, Timestamp, missing,
};

/// No kind is stored more often than this.
const LEAST: Span = Span::from_secs(60);
/// What has not changed is stored this often.
const MOST: Span = Span::from_secs(3600);
/// A value or bound that moved by less than this share of the interval's width has not changed.
const OF_WIDTH: f64 = 0.2;
/// A pattern whose strength moved by less has not changed.
const STRENGTH: f64 = 0.1;
/// A rhythm whose period moved by less than this share has not changed.
const OF_PERIOD: f64 = 0.05;

/// The last ones stored, one of each kind.
#[derive(Debug, Default)]
pub(crate) struct LastStored {
    predictions: Vec<Prediction>,
    patterns: Vec<PatternAnalysis>,
}

impl LastStored {
    /// Those of `all` that say something new.
    pub(crate) fn new_predictions(&self, all: &[Prediction]) -> Vec<Prediction> {
        let is_new = |p: &&Prediction| {
            let last = self.predictions.iter().find(|l| is_of_kind(l, p));
            last.is_none_or(|l| is_due(l.timestamp, p.timestamp, !is_like(l, p)))
        };
        // What each feature will do follows from the samples at any time, and would be most of what is stored.
        let is_kept = |p: &&Prediction| !matches!(p.prediction_type, PredictionType::Feature(_));
        all.iter().filter(is_kept).filter(is_new).cloned().collect()
    }

    /// Those of `all` that say something new.
    pub(crate) fn new_patterns(&self, all: &[PatternAnalysis]) -> Vec<PatternAnalysis> {
        let is_new = |p: &&PatternAnalysis| {
            let last = self.patterns.iter().find(|l| l.features == p.features);
            last.is_none_or(|l| is_due(l.window.1, p.window.1, !has_same_shape(l, p)))
        };
        all.iter().filter(is_new).cloned().collect()
    }

    /// Notes what was stored, the oldest first.
    pub(crate) fn note(&mut self, predictions: Vec<Prediction>, patterns: Vec<PatternAnalysis>) {
        for p in predictions {
            self.predictions.retain(|l| !is_of_kind(l, &p));
            self.predictions.push(p);
        }
        for p in patterns {
            self.patterns.retain(|l| l.features != p.features);
            self.patterns.push(p);
        }
        // A horizon that was asked for once is soon forgotten.
        let extra = self.predictions.len().saturating_sub(64);
        self.predictions.drain(..extra);
    }
}

/// Whether to store, of something last stored at `last`, what is said at `now`; a clock that was set back proves
/// nothing about the past.
fn is_due(last: Timestamp, now: Timestamp, changed: bool) -> bool {
    let since = now.since(last);
    now < last || since >= MOST || (changed && since >= LEAST)
}

fn is_of_kind(a: &Prediction, b: &Prediction) -> bool {
    // How far ahead a time to full is looked for grows with what was seen.
    let is_fill = matches!(a.prediction_type, PredictionType::TimeToFull { .. });
    a.prediction_type == b.prediction_type && (is_fill || a.horizon == b.horizon)
}

fn is_like(a: &Prediction, b: &Prediction) -> bool {
    let moved = OF_WIDTH * (a.interval.upper - a.interval.lower);
    // Where only one of two bounds is known, nothing says how much is little.
    let moved = if moved.is_nan() { OF_WIDTH * a.interval.lower } else { moved };
    let near = |x: f64, y: f64| missing::same(x, y) || (x - y).abs() <= moved;
    near(a.value, b.value)
        && near(a.interval.lower, b.interval.lower)
        && near(a.interval.upper, b.interval.upper)
        && a.recommendations == b.recommendations
}

fn has_same_shape(a: &PatternAnalysis, b: &PatternAnalysis) -> bool {
    let same_period = match (a.periodicity, b.periodicity) {
        (None, None) => true,
        (Some(x), Some(y)) => {
            let (x, y) = (x.period.as_secs_f64(), y.period.as_secs_f64());
            (x - y).abs() <= OF_PERIOD * x
        }
        _ => false,
    };
    let direction = |p: &PatternAnalysis| {
        let slope = p.trend.as_ref().map(|t| t.slope_per_hour.is_sign_negative());
        slope.filter(|_| p.pattern_type == PatternType::Trending)
    };
    a.pattern_type == b.pattern_type
        && same_period
        && direction(a) == direction(b)
        && (a.pattern_strength - b.pattern_strength).abs() <= STRENGTH
        && a.change_points.len() == b.change_points.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Interval, Probability};

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(1000 * secs)
    }

    fn prediction(secs: i64, value: f64) -> Prediction {
        let interval = Interval::new(value - 10.0, value + 10.0, Probability::saturating(0.9));
        let kind = PredictionType::PerformanceScore;
        Prediction::new(kind, value, interval, Span::from_secs(60), at(secs))
    }

    #[test]
    fn a_prediction_is_stored_when_it_changed_at_most_once_a_minute_and_at_least_once_an_hour() {
        let mut last = LastStored::default();
        let mut is_new = |p: Prediction| {
            let new = last.new_predictions(std::slice::from_ref(&p));
            let stored = !new.is_empty();
            last.note(new, Vec::new());
            stored
        };
        assert!(is_new(prediction(0, 50.0)), "the first");
        assert!(!is_new(prediction(30, 90.0)), "too soon");
        assert!(!is_new(prediction(60, 53.9)), "moved by less than a fifth of its width");
        assert!(is_new(prediction(60, 54.1)));
        assert!(!is_new(prediction(60 + 3599, 54.1)));
        assert!(is_new(prediction(60 + 3600, 54.1)));
        assert!(is_new(prediction(0, 54.1)), "the clock was set back");
        let mut warned = prediction(90, 54.1);
        warned.recommendations.push("Start nothing heavy now.".into());
        assert!(is_new(warned));
        let mut farther = prediction(91, 54.1);
        farther.horizon = Span::from_secs(600);
        assert!(is_new(farther), "another horizon is another prediction");
    }

    #[test]
    fn a_time_to_full_is_stored_when_it_changed_and_of_features_nothing_is() {
        let fill = |secs: i64, horizon: i64, lower: f64| {
            let kind = PredictionType::TimeToFull { feature: "f".into(), instance: String::new() };
            let open = Interval::at_least(lower, Probability::ONE);
            Prediction::new(kind, f64::NAN, open, Span::from_secs(horizon), at(secs))
        };
        let mut last = LastStored::default();
        last.note(vec![fill(0, 100, 1000.0)], Vec::new());
        let is_new = |p| !last.new_predictions(&[p]).is_empty();
        assert!(!is_new(fill(300, 200, 900.0)));
        assert!(is_new(fill(300, 200, 700.0)));
        let mut cpu = prediction(300, 1.0);
        cpu.prediction_type = PredictionType::Feature("cpu".into());
        assert!(!is_new(cpu));
    }

    #[test]
    fn a_pattern_is_stored_when_its_shape_changed() {
        let pattern = |secs: i64, kind, strength| {
            let mut p = PatternAnalysis::new("cpu", kind, strength, Probability::ONE);
            p.window = (at(0), at(secs));
            p
        };
        let mut last = LastStored::default();
        last.note(Vec::new(), vec![pattern(300, PatternType::Stable, 0.5)]);
        let is_new = |p| !last.new_patterns(&[p]).is_empty();
        assert!(!is_new(pattern(600, PatternType::Stable, 0.55)));
        assert!(is_new(pattern(600, PatternType::Stable, 0.65)));
        assert!(is_new(pattern(600, PatternType::Volatile, 0.5)));
        assert!(!is_new(pattern(330, PatternType::Volatile, 0.5)), "too soon");
        let mut other = pattern(600, PatternType::Stable, 0.5);
        other.features = vec!["memory".into()];
        assert!(is_new(other));
    }
}
