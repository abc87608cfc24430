//! Which metrics there are, and where their values come from.

use super::writer::{Family, Format, Page, Type};
use crate::live::{BOUNDS, Latest};
use overseer_engine::Report;
use overseer_engine::core::{
    AlertState, AnomalyDetection, Incident, Prediction, PredictionType, Severity, Timestamp,
};

type Samples<'a> = Vec<(Vec<(&'a str, String)>, f64)>;

/// The page of what is known now.
pub(super) fn write(format: Format, latest: Option<&Latest>, now: Timestamp) -> String {
    let mut page = Page::new(format);
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    page.family(
        gauge("overseer_build_info", "", "The version of Overseer; always 1."),
        [(version, 1.0)],
    );
    if let Some(latest) = latest {
        let report = latest.report.as_ref();
        ticks(&mut page, latest);
        anomaly(&mut page, latest, report);
        features(&mut page, report);
        forecasts(&mut page, report);
        models(&mut page, report, now);
    }
    page.finish()
}

const fn gauge(name: &'static str, unit: &'static str, help: &'static str) -> Family {
    Family { name, kind: Type::Gauge, unit, help }
}

const fn counter(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Type::Counter, unit: "", help }
}

const fn histogram(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Type::Histogram, unit: "seconds", help }
}

fn one(value: f64) -> [(Vec<(&'static str, String)>, f64); 1] {
    [(Vec::new(), value)]
}

fn ticks(page: &mut Page, latest: &Latest) {
    let report = &latest.report;
    page.family(counter("overseer_ticks", "Ticks since the start."), one(latest.ticks as f64));
    page.family(
        gauge("overseer_last_tick_timestamp_seconds", "seconds", "When the last tick was."),
        one(report.timestamp.as_secs_f64()),
    );
    page.family(
        gauge("overseer_step_seconds", "seconds", "The time between ticks."),
        one(latest.step.as_secs_f64()),
    );
    page.family(
        gauge(
            "overseer_sampling",
            "",
            "1 where this process takes samples, 0 where it only reads.",
        ),
        one(f64::from(u8::from(latest.is_sampler))),
    );
    let took = histogram("overseer_tick_duration_seconds", "How long ticks took.");
    let d = &latest.durations;
    page.histogram(took, &BOUNDS, &d.counts, d.count, d.sum);
    let late =
        histogram("overseer_tick_lateness_seconds", "By how much ticks began after they were due.");
    let d = &latest.lateness;
    page.histogram(late, &BOUNDS, &d.counts, d.count, d.sum);
    // A tick may come to a stage more than once; a page must not.
    let mut stages: Samples<'_> = Vec::new();
    for timing in &report.timings {
        let labels = vec![("stage", timing.stage.to_string())];
        match stages.iter_mut().find(|(known, _)| *known == labels) {
            Some((_, seconds)) => *seconds += timing.ms / 1000.0,
            None => stages.push((labels, timing.ms / 1000.0)),
        }
    }
    page.family(
        gauge(
            "overseer_stage_duration_seconds",
            "seconds",
            "How long each stage of the last tick took.",
        ),
        stages,
    );
}

fn anomaly(page: &mut Page, latest: &Latest, report: &Report) {
    page.family(counter("overseer_alerts", "Alerts since the start."), one(latest.alerts as f64));
    page.family(
        gauge("overseer_alerts_last_week", "", "Alerts raised in the last seven days."),
        one(latest.alerts_last_week as f64),
    );
    page.family(
        gauge(
            "overseer_alarm_budget_per_week",
            "",
            "How many alerts a healthy host may raise in a week.",
        ),
        one(latest.alerts_per_week),
    );
    let rate = latest.alarm_rate.as_ref();
    page.family(
        gauge(
            "overseer_alarm_rate_per_week",
            "",
            "How many alerts on normal behaviour there really were in a week, measured over up to 90 days.",
        ),
        rate.into_iter().flat_map(|r| one(r.measured_per_week)),
    );
    page.family(
        gauge(
            "overseer_watched_seconds",
            "seconds",
            "How much of the last 90 days was watched, which the rate of alerts is measured over.",
        ),
        rate.into_iter().flat_map(|r| one(r.watched.as_secs_f64())),
    );
    incidents(page, report);
    page.family(
        gauge(
            "overseer_readiness_ratio",
            "ratio",
            "How much of what a full calibration takes has been seen.",
        ),
        one(report.learned.readiness),
    );
    page.family(
        gauge("overseer_learned_samples", "", "Samples that could be learned from."),
        one(report.learned.samples as f64),
    );
    // Before a detector there is none of these.
    let anomaly = report.anomaly.as_ref();
    page.family(
        gauge("overseer_anomaly_score", "", "How anomalous the host is, 0 to 1."),
        anomaly.into_iter().flat_map(|a| one(a.score)),
    );
    page.family(
        gauge("overseer_anomaly_p_value", "", "How rare that is among normal samples."),
        anomaly.into_iter().flat_map(|a| one(a.p_value)),
    );
    let severity = |a: &AnomalyDetection| match a.severity {
        Severity::None => 0.0,
        Severity::Medium => 1.0,
        Severity::High => 2.0,
        Severity::Critical => 3.0,
    };
    page.family(
        gauge("overseer_anomaly_severity", "", "0 none, 1 medium, 2 high, 3 critical."),
        anomaly.into_iter().flat_map(|a| one(severity(a))),
    );
    let parts = anomaly
        .into_iter()
        .flat_map(|a| &a.features)
        .map(|f| (vec![("feature", f.feature.clone())], f.contribution));
    page.family(
        gauge(
            "overseer_anomaly_contribution_ratio",
            "ratio",
            "The share of the score that a feature makes.",
        ),
        parts,
    );
}

/// Every state and severity that an open incident can have, also with none: a series that comes and goes cannot be
/// alerted on when it ends.
fn incidents(page: &mut Page, report: &Report) {
    let mut samples: Samples<'_> = Vec::new();
    for state in [AlertState::Pending, AlertState::Firing, AlertState::Acknowledged] {
        for severity in [Severity::Medium, Severity::High, Severity::Critical] {
            let is_it = |i: &&Incident| i.state == state && i.severity == severity;
            let labels =
                vec![("state", state.as_str().to_owned()), ("severity", severity.to_string())];
            samples.push((labels, report.incidents.iter().filter(is_it).count() as f64));
        }
    }
    page.family(
        gauge("overseer_incidents", "", "Incidents that go on, by state and worst severity."),
        samples,
    );
}

fn features(page: &mut Page, report: &Report) {
    let current = report.current.as_ref();
    page.family(
        gauge("overseer_performance_score", "", "0 (idle) to 100 (saturated)."),
        current.into_iter().flat_map(|c| one(c.performance_score)),
    );
    let (mut values, mut lower, mut upper) = (Samples::new(), Samples::new(), Samples::new());
    for value in current.into_iter().flat_map(|c| &c.values) {
        let labels = || {
            vec![("feature", value.value.feature.clone()), ("unit", value.unit.symbol().to_owned())]
        };
        values.push((labels(), value.value.value));
        if let Some((low, high)) = value.usual {
            lower.push((labels(), low));
            upper.push((labels(), high));
        }
    }
    page.family(
        gauge("overseer_feature", "", "The newest value of a feature, in its unit."),
        values,
    );
    let help = "Below this a feature is unusual.";
    page.family(gauge("overseer_feature_usual_lower", "", help), lower);
    let help = "Above this a feature is unusual.";
    page.family(gauge("overseer_feature_usual_upper", "", help), upper);
}

/// Predictions of one kind: medians and both bounds.
#[derive(Default)]
struct Ahead<'a> {
    median: Samples<'a>,
    lower: Samples<'a>,
    upper: Samples<'a>,
}

impl Ahead<'_> {
    fn push(&mut self, labels: Vec<(&'static str, String)>, p: &Prediction) {
        self.median.push((labels.clone(), p.value));
        self.lower.push((labels.clone(), p.interval.lower));
        self.upper.push((labels, p.interval.upper));
    }
}

fn forecasts(page: &mut Page, report: &Report) {
    let (mut scores, mut features, mut full) =
        (Ahead::default(), Ahead::default(), Ahead::default());
    let filling = report.room.iter().flat_map(|room| &room.filling);
    for p in report.predictions.iter().chain(filling) {
        let horizon = ("horizon_seconds", p.horizon.as_secs_f64().to_string());
        match &p.prediction_type {
            PredictionType::PerformanceScore => scores.push(vec![horizon], p),
            PredictionType::Feature(name) => {
                features.push(vec![("feature", name.clone()), horizon], p);
            }
            PredictionType::TimeToFull { feature, instance } => {
                // `instance` is what Prometheus calls the host.
                let labels = vec![("feature", feature.clone()), ("of", instance.clone())];
                full.push(labels, p);
            }
            _ => {}
        }
    }
    let median = "The predicted median of the performance score.";
    page.family(gauge("overseer_performance_score_forecast", "", median), scores.median);
    let lower = "The lower bound of its 90 % interval.";
    page.family(gauge("overseer_performance_score_forecast_lower", "", lower), scores.lower);
    let upper = "The upper bound of its 90 % interval.";
    page.family(gauge("overseer_performance_score_forecast_upper", "", upper), scores.upper);
    let median = "The predicted median of a feature.";
    page.family(gauge("overseer_feature_forecast", "", median), features.median);
    page.family(gauge("overseer_feature_forecast_lower", "", lower), features.lower);
    page.family(gauge("overseer_feature_forecast_upper", "", upper), features.upper);
    let median = "In how many seconds something is full, as a median.";
    page.family(gauge("overseer_time_to_full_seconds", "seconds", median), full.median);
    let lower = "At the earliest in how many seconds something is full.";
    page.family(gauge("overseer_time_to_full_lower_seconds", "seconds", lower), full.lower);
}

fn models(page: &mut Page, report: &Report, now: Timestamp) {
    let models = &report.learned.models;
    let name = |m: &overseer_engine::core::ModelMetadata| vec![("model", m.name.clone())];
    page.family(
        gauge("overseer_model_age_seconds", "seconds", "Time since a model was trained."),
        models.iter().map(|m| (name(m), now.since(m.trained_at).as_secs_f64())),
    );
    page.family(
        gauge("overseer_model_rows", "", "From how many samples a model was trained."),
        models.iter().map(|m| (name(m), m.rows as f64)),
    );
    let quality = models.iter().flat_map(|m| {
        m.quality.iter().map(move |(measure, quality)| {
            let labels = vec![("model", m.name.clone()), ("measure", measure.clone())];
            (labels, quality.0)
        })
    });
    let help = "Measures of a model's quality on held-back data.";
    page.family(gauge("overseer_model_quality", "", help), quality);
}
