//! From forecasts to findings: the performance score ahead, its interval, and what that means.

use crate::ahead::Past;
use crate::digits::seven_digits;
use crate::engine::Engine;
use crate::hours::{BY_MEANS, Of, Said};
use crate::report::{Notice, Stage};
use crate::sentence::range;
use overseer_core::{
    Error, FeatureValue, Frame, Interval, Prediction, PredictionType, Probability, Result, Span,
    Timestamp, Unit, host,
};

impl Engine {
    /// Predicts the performance score `horizon` ahead of the newest sample, and at a few times before it.
    ///
    /// Where no forecaster can answer, because too few samples in a row are known, the prediction is what this host
    /// usually does, and says so. A horizon of whole minutes that samples do not reach is answered from the means that
    /// the store keeps, where there are enough.
    ///
    /// # Errors
    /// If nothing at all is known, the horizon is zero, or it is farther than the history can support.
    pub fn predict(&mut self, horizon: Span) -> Result<Vec<Prediction>> {
        self.timed(Stage::Predict, |e| e.predict_ahead(horizon, Steps::Shown))
    }

    /// The performance score at every step up to `horizon`, then what each feature will do at the horizons that a person
    /// is shown.
    pub(crate) fn predict_all(&mut self, horizon: Span) -> Result<Vec<Prediction>> {
        let mut all = self.predict_ahead(horizon, Steps::All)?;
        let interval = self.active().interval();
        for steps in report_steps(horizon.steps(interval), interval) {
            all.extend(self.predict_features(steps)?);
        }
        Ok(all)
    }

    /// What each feature will do `steps` ahead, in the schema's order; a feature of which too little is known is left
    /// out.
    ///
    /// Half an hour ahead and more it is the [means](crate::hours) that tell, where enough of them are kept; a range that
    /// would not hold what it claims is not told.
    fn predict_features(&mut self, steps: usize) -> Result<Vec<Prediction>> {
        let frame = self.active().frame(&self.schema, usize::MAX)?;
        let Some(newest) = self.newest().cloned() else { return Ok(Vec::new()) };
        let interval = self.active().interval();
        let horizon = interval.times(steps);
        let schema = self.schema.clone();
        let mut all = Vec::new();
        for (column, feature) in schema.features().iter().enumerate() {
            let values: Vec<f64> = frame.column(column).collect();
            let past = Past { times: frame.timestamps(), values: &values, interval };
            let now = newest.values[column];
            let found = match self.hours_ahead(Of::Column(column), horizon)? {
                Said::Ahead(ahead) if now.is_finite() => Some(ahead),
                Said::NotAsked => past.ahead(now, steps, limits(feature.unit)),
                _ => None,
            };
            let Some(ahead) = found else { continue };
            let kind = PredictionType::Feature(feature.name.clone());
            let mut p =
                Prediction::new(kind, ahead.median, ahead.interval, horizon, newest.timestamp);
            p.confidence = ahead.held;
            p.features.push(FeatureValue::new(&feature.name, seven_digits(now)));
            p.explanation = explain_feature(&p, feature.unit, now);
            all.push(p);
        }
        Ok(all)
    }

    /// The feature that will set the performance score `steps` ahead, by what each of them will do.
    fn driver_ahead(
        &mut self,
        pasts: &[(usize, Vec<f64>)],
        times: &[Timestamp],
        steps: usize,
    ) -> Option<String> {
        let newest = self.newest()?.clone();
        let interval = self.active().interval();
        let mut row = vec![f64::NAN; self.schema.len()];
        for (column, values) in pasts {
            let past = Past { times, values, interval };
            let far = self.near_hours_ahead(*column, interval.times(steps)).ok().flatten();
            let near = || past.near(newest.values[*column], steps);
            row[*column] = far.or_else(near).unwrap_or(f64::NAN);
        }
        let score = host::performance_score(&row)?;
        Some(self.schema.features()[score.driver].name.clone())
    }

    /// Adds to predictions of the performance score which feature will set it.
    fn add_drivers(&mut self, predictions: &mut [Prediction]) -> Result<()> {
        let Some(newest) = self.newest().cloned() else { return Ok(()) };
        let interval = self.active().interval();
        let frame = self.active().frame(&self.schema, usize::MAX)?;
        // What takes no part in the score, or has no value now, cannot set it.
        let pasts: Vec<(usize, Vec<f64>)> = (0..self.schema.len())
            .filter(|&c| host::performance_score(&only(c, newest.values[c])).is_some())
            .map(|c| (c, frame.column(c).collect()))
            .collect();
        let now = host::performance_score(&newest.values);
        for p in predictions {
            p.driver = self.driver_ahead(&pasts, frame.timestamps(), p.horizon.steps(interval));
            if let (Some(now), Some(driver)) = (now, &p.driver)
                && *driver != self.schema.features()[now.driver].name
            {
                p.explanation =
                    format!("{} Then {} will set it.", p.explanation, host::plain_name(driver));
            }
        }
        Ok(())
    }

    /// The horizon a report uses when none is asked for: as far as the forecaster was trained for.
    #[must_use]
    pub fn default_horizon_span(&self) -> Span {
        let interval = self.active().interval();
        let steps =
            self.forecaster.as_ref().map_or(self.config.horizon_steps, |f| f.model.max_horizon());
        interval.times(round_steps(steps, interval).unwrap_or(steps))
    }

    fn predict_ahead(&mut self, horizon: Span, which: Steps) -> Result<Vec<Prediction>> {
        let mut found = match self.predict_scores(horizon, which) {
            Err(e) if e.is_not_enough_data() => self.scores_by_means(horizon)?.ok_or(e)?,
            found => found?,
        };
        self.keep_promises(&mut found)?;
        self.add_drivers(&mut found)?;
        Ok(found)
    }

    fn predict_scores(&mut self, horizon: Span, which: Steps) -> Result<Vec<Prediction>> {
        let interval = self.active().interval();
        let steps = horizon.steps(interval);
        if steps == 0 {
            return Err(Error::invalid_parameter("horizon", "must be longer than nothing"));
        }
        if self.schema != host::schema() {
            return Err(Error::unsupported(
                "the performance score of another schema than the host's",
            ));
        }
        if !self.has_fresh_lags(interval) {
            return self.each_without_lags(steps);
        }
        let farthest = self.forecaster.as_ref().map_or(0, |f| f.model.max_horizon());
        if farthest < steps {
            // The horizon asked for is the horizon predicted, or an error: never a shorter one in its place.
            let farther = self.fit_forecaster(steps)?;
            let usual = self.forecaster.replace(farther);
            self.catch_up_forecaster();
            let answer = self.forecast(steps, interval, which);
            self.forecaster = usual;
            return answer;
        }
        self.forecast(steps, interval, which)
    }

    /// Whether the newest sample is in the forecaster's lags.
    fn has_fresh_lags(&self, interval: Span) -> bool {
        let newest = self.newest().map(|s| s.timestamp);
        self.forecaster.as_ref().zip(newest).is_some_and(|(f, newest)| {
            f.metadata.interval_ms == interval.as_millis()
                && !Timestamp::is_gap(f.seen.min(newest), newest, interval)
        })
    }

    fn forecast(&mut self, steps: usize, interval: Span, which: Steps) -> Result<Vec<Prediction>> {
        match self.forecaster.as_ref().map(|f| f.model.forecast(steps)) {
            Some(Ok(path)) => {
                let ahead = report_steps(steps, interval);
                Ok(path
                    .iter()
                    .filter(|f| which == Steps::All || ahead.contains(&f.step))
                    .map(|f| {
                        let horizon = interval.times(f.step);
                        self.finding(f.median, f.interval, f.coverage, horizon, None)
                    })
                    .collect())
            }
            Some(Err(e)) if !e.is_not_enough_data() => Err(e),
            _ => self.each_without_lags(steps),
        }
    }

    /// [`Engine::without_lags`] at the steps that are shown; the last of them must succeed.
    fn each_without_lags(&mut self, steps: usize) -> Result<Vec<Prediction>> {
        let last = self.without_lags(steps)?;
        let before = report_steps(steps, self.active().interval());
        let before = before.into_iter().filter(|&s| s < steps).collect::<Vec<_>>();
        let mut all: Vec<Prediction> =
            before.into_iter().filter_map(|s| self.without_lags(s).ok()).flatten().collect();
        all.extend(last);
        Ok(all)
    }

    /// For when no lags are at hand: the value now and how far it moved over such a time before, or, where too little
    /// is known of that, the spread of all known values.
    ///
    /// The range comes from the older two thirds of what is known; the confidence is the share of the newest third
    /// that it would have held.
    fn without_lags(&mut self, steps: usize) -> Result<Vec<Prediction>> {
        let interval = self.active().interval();
        // What means came to knows the time of day, which the newest value does not.
        let horizon = interval.times(steps);
        if let Said::Ahead(a) = self.hours_ahead(Of::Score, horizon)?
            && a.held > Probability::ZERO
        {
            let caveat = format!("{}, so {BY_MEANS}", self.why_no_forecast());
            let told = self.finding(a.median, a.interval, Some(a.held), horizon, Some(&caveat));
            return Ok(vec![told]);
        }
        let frame = self.active().frame(&self.schema, usize::MAX)?;
        let now = self.newest().and_then(|s| host::performance_score(&s.values)).map(|s| s.value);
        let changes = changes(&frame, steps, interval);
        let (center, known, why) = match now {
            Some(now) if changes.len() >= NEEDED => {
                (now, changes, "this is the value now and how far it moved over such a time before")
            }
            _ => {
                let rows = frame.len();
                if interval.times(rows) < interval.times(steps) {
                    let what = format!("a prediction {} ahead", interval.times(steps));
                    return Err(Error::not_enough_data(what, steps, rows));
                }
                (0.0, scores(&frame), "this is what the host usually does")
            }
        };
        if known.len() < NEEDED {
            return Err(Error::not_enough_data("any prediction", NEEDED, known.len()));
        }
        let (older, newer) = known.split_at(known.len() * 2 / 3);
        let mut sorted = older.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| sorted[((sorted.len() - 1) as f64 * q).round() as usize];
        let level = Probability::saturating(0.9);
        let moved = Interval::new(at(0.05), at(0.95), level);
        let held = newer.iter().filter(|&&x| moved.contains(x)).count();
        let score = |x: f64| (center + x).clamp(0.0, 100.0);
        let range = Interval::new(score(moved.lower), score(moved.upper), level);
        let caveat = format!("{}, so {why}", self.why_no_forecast());
        let coverage = Some(Probability::share(held, newer.len()));
        Ok(vec![self.finding(
            score(at(0.5)),
            range,
            coverage,
            interval.times(steps),
            Some(&caveat),
        )])
    }

    /// Why no forecaster answers, as it is.
    fn why_no_forecast(&self) -> &'static str {
        let Some(forecaster) = &self.forecaster else {
            return "no model that forecasts is trained yet";
        };
        if forecaster.metadata.interval_ms != self.active().interval().as_millis() {
            return "the model that forecasts was learned from samples of a first run, which came faster than those now";
        }
        if !self.has_fresh_lags(self.active().interval()) {
            return "the model that forecasts has not seen the newest samples, or there is a gap before them";
        }
        "there are not enough samples in a row for a forecast"
    }

    pub(crate) fn finding(
        &self,
        value: f64,
        interval: Interval,
        coverage: Option<Probability>,
        horizon: Span,
        caveat: Option<&str>,
    ) -> Prediction {
        let newest = self.newest();
        let timestamp = newest.map_or(Timestamp::default(), |s| s.timestamp);
        let mut p =
            Prediction::new(PredictionType::PerformanceScore, value, interval, horizon, timestamp);
        p.confidence = coverage.unwrap_or(Probability::ZERO);
        let now = newest.and_then(|s| host::performance_score(&s.values).map(|score| (score, s)));
        if let Some((score, sample)) = now {
            let features = self.schema.features();
            let told = |name: &str, v| FeatureValue::new(name, seven_digits(v));
            p.features.push(told(&features[score.driver].name, sample.values[score.driver]));
            for (f, &v) in features.iter().zip(&sample.values).take(host::PAGING_UTILIZATION) {
                if f.name != features[score.driver].name {
                    p.features.push(told(&f.name, v));
                }
            }
            p.explanation = explain(&p, score, &features[score.driver].name, caveat);
        } else {
            p.explanation = caveat.map(|c| format!("Note: {c}.")).unwrap_or_default();
        }
        p.recommendations = recommendations(&p);
        p
    }

    /// Makes new predictions for a tick or a report, noting why there are none.
    pub(crate) fn refresh_predictions(&mut self, horizon: Span, now: Timestamp) {
        self.predictions = match self.predict(horizon) {
            Ok(mut predictions) => {
                let steps = horizon.steps(self.active().interval());
                match self.timed(Stage::Predict, |e| e.predict_features(steps)) {
                    Ok(features) => predictions.extend(features),
                    Err(e) => self.note(Notice::info(Stage::Predict, e.to_string())),
                }
                predictions
            }
            Err(e) => {
                self.note(Notice::info(Stage::Predict, format!("no prediction: {e}")));
                Vec::new()
            }
        };
        self.predicted_at = Some(now);
    }
}

/// Which steps are answered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Steps {
    /// Those that a person is shown.
    Shown,
    All,
}

/// Values of a unit that there can be.
pub(crate) fn limits(unit: Unit) -> (f64, f64) {
    match unit {
        Unit::Ratio => (0.0, 1.0),
        Unit::Celsius | Unit::Unknown => (f64::NEG_INFINITY, f64::INFINITY),
        _ => (0.0, f64::INFINITY),
    }
}

/// A row of the host's schema that knows one value.
fn only(column: usize, value: f64) -> Vec<f64> {
    let mut row = vec![f64::NAN; host::schema().len()];
    if let Some(cell) = row.get_mut(column) {
        *cell = value;
    }
    row
}

fn explain_feature(p: &Prediction, unit: Unit, now: f64) -> String {
    let PredictionType::Feature(name) = &p.prediction_type else { return String::new() };
    let checked = if p.confidence > Probability::ZERO {
        format!(", and would lately have done so for {}", p.confidence)
    } else {
        ", which could not be checked yet".to_owned()
    };
    format!(
        "In {} {} will be near {}, now {}; the range {} is meant to hold {} of what comes{checked}.",
        p.horizon,
        host::plain_name(name),
        unit.humanize(p.value),
        unit.humanize(now),
        range(unit, p.interval.lower, p.interval.upper),
        p.interval.level
    )
}

/// Fewer known values or changes than this say nothing about their spread.
const NEEDED: usize = 30;

/// How far the performance score moved over `steps` steps without a gap between, oldest first.
fn changes(frame: &Frame, steps: usize, interval: Span) -> Vec<f64> {
    let times = frame.timestamps();
    let longest = interval.times(steps + 3);
    (steps..frame.len())
        .filter(|&i| times[i].since(times[i - steps]) <= longest)
        .filter_map(|i| {
            let score = |row: usize| host::performance_score(frame.row(row)).map(|s| s.value);
            Some(score(i)? - score(i - steps)?)
        })
        .collect()
}

/// The known performance scores of a frame, oldest first.
pub(crate) fn scores(frame: &Frame) -> Vec<f64> {
    frame.rows().filter_map(|(_, row)| host::performance_score(row)).map(|s| s.value).collect()
}

/// Times ahead that a person would ask for.
const ROUND: [i64; 17] =
    [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/// The longest time ahead that a person would ask for and that is no more than `steps`, in steps.
fn round_steps(steps: usize, interval: Span) -> Option<usize> {
    let steps_of = |s: &i64| Span::from_secs(*s).steps(interval);
    ROUND.iter().rev().map(steps_of).find(|&s| s <= steps)
}

/// The horizons up to `horizon` that a person is shown, for samples `interval` apart.
#[must_use]
pub fn shown_horizons(horizon: Span, interval: Span) -> Vec<Span> {
    let steps = report_steps(horizon.steps(interval), interval);
    steps.into_iter().map(|s| interval.times(s)).collect()
}

/// The steps ahead that a report shows: the horizon, and round times of about half, a sixth and a thirtieth of it.
pub(crate) fn report_steps(steps: usize, interval: Span) -> Vec<usize> {
    if steps == 0 {
        return Vec::new();
    }
    let before = [steps.div_ceil(30), steps.div_ceil(6), steps.div_ceil(2)];
    let mut shown: Vec<usize> =
        before.into_iter().filter_map(|s| round_steps(s, interval)).chain([steps]).collect();
    shown.dedup();
    shown
}

fn explain(
    p: &Prediction,
    now: host::PerformanceScore,
    driver: &str,
    caveat: Option<&str>,
) -> String {
    let name = host::plain_name(driver);
    let change = p.value - now.value;
    let width = (p.interval.upper - p.interval.lower).max(0.0);
    let direction = if p.interval.contains(now.value) && change.abs() <= 0.5 * width.max(2.0) {
        format!("about as now ({:.0}, set by {name})", now.value)
    } else if change > 0.0 {
        format!("up from {:.0}, which {name} sets now", now.value)
    } else {
        format!("down from {:.0}, which {name} sets now", now.value)
    };
    let checked = if p.confidence > Probability::ZERO {
        format!(", and lately did so for {}", p.confidence)
    } else {
        ", which could not be checked yet".to_owned()
    };
    let caveat = caveat.map(|c| format!(" Note: {c}.")).unwrap_or_default();
    format!(
        "In {} the performance score will be near {:.0}, {direction}; the range {:.0}–{:.0} is meant to hold {} of what comes{checked}.{caveat}",
        p.horizon, p.value, p.interval.lower, p.interval.upper, p.interval.level
    )
}

fn recommendations(p: &Prediction) -> Vec<String> {
    if p.value > host::SATURATION_WARNING {
        vec!["The host is heading for saturation: move or postpone work now.".to_owned()]
    } else if p.value > host::SATURATION_ADVICE {
        vec!["Little is left in reserve: start nothing heavy now.".to_owned()]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_the_horizon_asked_for_last_and_round_times_before_it() {
        let step = Span::from_secs(5);
        assert_eq!(report_steps(1, step), [1]);
        assert_eq!(report_steps(360, step), [12, 60, 180, 360]); // 1, 5, 15 and 30 minutes
        assert_eq!(report_steps(120, step), [2, 12, 60, 120]); // 10 s, 1, 5 and 10 minutes
        assert_eq!(report_steps(17, Span::from_millis(200)), [5, 17]); // 1 and 3.4 s
        assert!(report_steps(0, step).is_empty());
        let shown = shown_horizons(Span::from_secs(1800), step);
        assert_eq!(shown.last(), Some(&Span::from_secs(1800)));
    }

    #[test]
    fn advice_comes_with_saturation_only() {
        let at = |value: f64| {
            let i = Interval::new(value, value, Probability::saturating(0.9));
            let p = Prediction::new(
                PredictionType::PerformanceScore,
                value,
                i,
                Span::from_secs(60),
                Timestamp::default(),
            );
            recommendations(&p).len()
        };
        assert_eq!((at(20.0), at(70.0), at(90.0)), (0, 1, 1));
    }
}
