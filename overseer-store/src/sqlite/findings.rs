//! Anomalies and predictions: columns for what a person asks by, JSON for lists.

use super::decisions::{add_alert, bound_outbox};
use super::incidents;
use super::marks::Marks;
use super::patterns::{insert_pattern, pattern};
use super::rows::{Number, Record, known, read_all, to_json, whole};
use super::sums::{self, Summed};
use super::{SqliteStore, texts, write};
use crate::error::Context;
use overseer_core::{
    AnomalyDetection, Error, FeatureEvidence, Interval, PatternAnalysis, Prediction,
    PredictionType, Result, Span, TickRecord, Timestamp,
};
use rusqlite::{Connection, named_params};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

pub(super) const RECORDING: &str = "storing findings";

const INSERT_ANOMALY: &str = "INSERT INTO anomalies (host_id, timestamp, is_anomaly, severity, \
    score, p_value, confidence, description, features, suggested_actions) \
    VALUES (:host_id, :timestamp, :is_anomaly, :severity, :score, :p_value, :confidence, \
    :description, :features, :suggested_actions)";

const INSERT_PREDICTION: &str = "INSERT INTO predictions (host_id, timestamp, horizon_ms, \
    prediction_type, feature, instance, value, lower, upper, level, confidence, driver, \
    explanation, features, recommendations) VALUES (:host_id, :timestamp, :horizon_ms, \
    :prediction_type, :feature, :instance, :value, :lower, :upper, :level, :confidence, :driver, \
    :explanation, :features, :recommendations)";

/// First and last time of what is asked for.
type Range = (Timestamp, Timestamp);

/// All of time.
pub(super) const ALWAYS: Range =
    (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));

impl SqliteStore {
    /// Stores all of a tick or nothing, and returns the numbers of its incidents and of its messages.
    pub(super) fn record_all(&mut self, tick: &TickRecord<'_>) -> Result<(Vec<i64>, Vec<i64>)> {
        self.require_host(RECORDING)?;
        let (path, host_id, known) = (&self.path, self.host_id, self.upkeep.marks);
        write(&mut self.connection, path, RECORDING, |transaction| {
            let marks = known.map_or_else(|| Marks::read(transaction, host_id), Ok);
            let marks = marks.at(path, RECORDING)?;
            let changed = |kind, time: Timestamp| {
                sums::note_change(transaction, host_id, &marks, kind, time.as_millis())
                    .at(path, RECORDING)
            };
            for anomaly in tick.anomalies {
                insert_anomaly(transaction, path, host_id, anomaly)?;
                changed(Summed::Anomalies, anomaly.timestamp)?;
            }
            for prediction in tick.predictions {
                insert_prediction(transaction, path, host_id, prediction)?;
                changed(Summed::Predictions, prediction.timestamp)?;
            }
            for pattern in tick.patterns {
                insert_pattern(transaction, path, host_id, pattern)?;
                changed(Summed::Patterns, pattern.window.1)?;
            }
            let incidents = tick.incidents.iter();
            let incidents = incidents.map(|i| incidents::put(transaction, path, host_id, i));
            let incidents = incidents.collect::<Result<_>>()?;
            let queued = tick.alerts.iter().map(|alert| add_alert(transaction, host_id, alert));
            let queued: Vec<i64> = queued.collect::<rusqlite::Result<_>>().at(path, RECORDING)?;
            let sinks: BTreeSet<&str> = tick.alerts.iter().map(|a| a.sink.as_str()).collect();
            for sink in sinks {
                bound_outbox(transaction, host_id, sink).at(path, RECORDING)?;
            }
            Ok((incidents, queued))
        })
    }

    pub(super) fn read_anomalies(
        &self,
        range: Range,
        limit: usize,
    ) -> Result<Vec<AnomalyDetection>> {
        let sql = "SELECT * FROM anomalies WHERE host_id = ?1 AND timestamp BETWEEN ?2 AND ?3 \
                   ORDER BY timestamp DESC, anomaly_id DESC LIMIT ?4";
        self.read_findings("reading anomalies", sql, range, limit, anomaly)
    }

    pub(super) fn read_predictions(&self, range: Range, limit: usize) -> Result<Vec<Prediction>> {
        let sql = "SELECT * FROM predictions WHERE host_id = ?1 AND timestamp BETWEEN ?2 AND ?3 \
                   ORDER BY timestamp DESC, prediction_id DESC LIMIT ?4";
        self.read_findings("reading predictions", sql, range, limit, prediction)
    }

    pub(super) fn read_patterns(&self, range: Range, limit: usize) -> Result<Vec<PatternAnalysis>> {
        let sql = "SELECT * FROM patterns WHERE host_id = ?1 AND timestamp BETWEEN ?2 AND ?3 \
                   ORDER BY timestamp DESC, pattern_id DESC LIMIT ?4";
        self.read_findings("reading patterns", sql, range, limit, pattern)
    }

    fn read_findings<T>(
        &self,
        doing: &str,
        sql: &str,
        (from, to): Range,
        limit: usize,
        make: impl FnMut(&Record<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let params = [self.host_id, from.as_millis(), to.as_millis(), whole(limit)];
        read_all(&self.connection, &self.path, doing, sql, params, make)
    }
}

fn insert_anomaly(
    connection: &Connection,
    path: &Path,
    host_id: i64,
    anomaly: &AnomalyDetection,
) -> Result<()> {
    let pack = |text: &str| texts::pack(connection, text).at(path, RECORDING);
    let description = pack(&anomaly.description)?;
    let features = pack(&to_json(&anomaly.features)?)?;
    let suggested_actions = pack(&to_json(&anomaly.suggested_actions)?)?;
    connection
        .prepare_cached(INSERT_ANOMALY)
        .and_then(|mut statement| {
            statement.execute(named_params! {
                ":host_id": host_id,
                ":timestamp": anomaly.timestamp.as_millis(),
                ":is_anomaly": anomaly.is_anomaly,
                ":severity": anomaly.severity.as_str(),
                ":score": known(anomaly.score),
                ":p_value": known(anomaly.p_value),
                ":confidence": anomaly.confidence.get(),
                ":description": description,
                ":features": features,
                ":suggested_actions": suggested_actions,
            })
        })
        .at(path, RECORDING)?;
    Ok(())
}

pub(super) fn anomaly(row: &Record<'_>) -> Result<AnomalyDetection> {
    let mut anomaly = AnomalyDetection::new(
        row.time("timestamp")?,
        row.word("severity")?,
        row.real("score")?,
        row.real("p_value")?,
    );
    anomaly.is_anomaly = row.get("is_anomaly")?;
    anomaly.confidence = row.probability("confidence")?;
    anomaly.description = row.text("description")?;
    anomaly.suggested_actions = row.json("suggested_actions")?;
    let features: Vec<Evidence> = row.json("features")?;
    anomaly.features = features.into_iter().map(Evidence::into_core).collect();
    Ok(anomaly)
}

/// [`FeatureEvidence`] as it is read: any number may be `null`.
#[derive(Deserialize)]
pub(super) struct Evidence {
    feature: String,
    observed: Number,
    expected: (Number, Number),
    contribution: Number,
    /// Findings of earlier releases have neither of these, and those of later ones may have kinds unknown here.
    #[serde(default)]
    kind: Option<serde_json::Value>,
    #[serde(default)]
    since: Option<Timestamp>,
}

impl Evidence {
    pub(super) fn into_core(self) -> FeatureEvidence {
        let expected = (self.expected.0.0, self.expected.1.0);
        let mut evidence =
            FeatureEvidence::new(self.feature, self.observed.0, expected, self.contribution.0);
        evidence.kind = self.kind.and_then(|kind| serde_json::from_value(kind).ok());
        evidence.since = self.since;
        evidence
    }
}

fn insert_prediction(
    connection: &Connection,
    path: &Path,
    host_id: i64,
    prediction: &Prediction,
) -> Result<()> {
    let (prediction_type, feature, instance) = match &prediction.prediction_type {
        PredictionType::PerformanceScore => (PERFORMANCE_SCORE, None, None),
        PredictionType::Feature(name) => (FEATURE, Some(name), None),
        PredictionType::TimeToFull { feature, instance } => {
            (TIME_TO_FULL, Some(feature), Some(instance))
        }
        other => return Err(Error::unsupported(format!("storing predictions of {other:?}"))),
    };
    let pack = |text: &str| texts::pack(connection, text).at(path, RECORDING);
    let driver = prediction.driver.as_deref().map(pack).transpose()?;
    let explanation = pack(&prediction.explanation)?;
    let features = pack(&to_json(&prediction.features)?)?;
    let recommendations = pack(&to_json(&prediction.recommendations)?)?;
    connection
        .prepare_cached(INSERT_PREDICTION)
        .and_then(|mut statement| {
            statement.execute(named_params! {
                ":host_id": host_id,
                ":timestamp": prediction.timestamp.as_millis(),
                ":horizon_ms": prediction.horizon.as_millis(),
                ":prediction_type": prediction_type,
                ":feature": feature,
                ":instance": instance,
                ":driver": driver,
                ":value": known(prediction.value),
                ":lower": known(prediction.interval.lower),
                ":upper": known(prediction.interval.upper),
                ":level": prediction.interval.level.get(),
                ":confidence": prediction.confidence.get(),
                ":explanation": explanation,
                ":features": features,
                ":recommendations": recommendations,
            })
        })
        .at(path, RECORDING)?;
    Ok(())
}

const PERFORMANCE_SCORE: &str = "performance_score";
const FEATURE: &str = "feature";
const TIME_TO_FULL: &str = "time_to_full";

pub(super) fn prediction(row: &Record<'_>) -> Result<Prediction> {
    let prediction_type = match row.get::<String>("prediction_type")?.as_str() {
        PERFORMANCE_SCORE => PredictionType::PerformanceScore,
        FEATURE => PredictionType::Feature(row.get("feature")?),
        TIME_TO_FULL => PredictionType::TimeToFull {
            feature: row.get("feature")?,
            instance: row.get::<Option<String>>("instance")?.unwrap_or_default(),
        },
        other => return Err(row.damaged("prediction_type", &format!("`{other}` is unknown"))),
    };
    // The constructor would order the bounds, and take a known one for both where the other is missing.
    let mut interval = Interval::new(0.0, 0.0, row.probability("level")?);
    interval.lower = row.real("lower")?;
    interval.upper = row.real("upper")?;
    let horizon = Span::from_millis(row.get("horizon_ms")?);
    let mut prediction = Prediction::new(
        prediction_type,
        row.real("value")?,
        interval,
        horizon,
        row.time("timestamp")?,
    );
    prediction.confidence = row.probability("confidence")?;
    prediction.features = row.json("features")?;
    prediction.driver = row.optional_text("driver")?;
    prediction.explanation = row.text("explanation")?;
    prediction.recommendations = row.json("recommendations")?;
    Ok(prediction)
}
