//! Patterns: a column for each number, JSON for lists of any length.

use super::decisions::optional_time;
use super::findings::RECORDING;
use super::rows::{Number, Record, known, to_json, whole};
use super::texts;
use crate::error::Context;
use overseer_core::{
    ChangeKind, ChangePoint, Crossing, PatternAnalysis, Periodicity, Result, RobustSlope, Span,
    Timestamp, Trend,
};
use rusqlite::{Connection, named_params};
use serde::Deserialize;
use std::path::Path;

const INSERT: &str = "INSERT INTO patterns (host_id, timestamp, window_start, points, \
    pattern_type, pattern_strength, confidence, period_ms, period_strength, slope_per_hour, \
    trend_r_squared, trend_p_value, trend_coefficients, features, insights, change_points, \
    volatility, period_p_value, period_peak, further_rhythms, robust_slope_per_hour, robust_low, \
    robust_high, robust_p_value, crossing_limit, crossing_at, crossing_earliest, crossing_latest) \
    VALUES (:host_id, :timestamp, :window_start, :points, :pattern_type, :pattern_strength, \
    :confidence, :period_ms, :period_strength, :slope_per_hour, :trend_r_squared, \
    :trend_p_value, :trend_coefficients, :features, :insights, :change_points, :volatility, \
    :period_p_value, :period_peak, :further_rhythms, :robust_slope_per_hour, :robust_low, \
    :robust_high, :robust_p_value, :crossing_limit, :crossing_at, :crossing_earliest, \
    :crossing_latest)";

pub(super) fn insert_pattern(
    connection: &Connection,
    path: &Path,
    host_id: i64,
    pattern: &PatternAnalysis,
) -> Result<()> {
    let trend = pattern.trend.as_ref();
    let coefficients = trend.map(|t| to_json(&t.coefficients)).transpose()?;
    let of_trend = |part: fn(&Trend) -> f64| trend.and_then(|t| known(part(t)));
    let robust = trend.and_then(|t| t.robust);
    let of_robust = |part: fn(&RobustSlope) -> f64| robust.and_then(|r| known(part(&r)));
    let crossing = trend.and_then(|t| t.crossing);
    let pack = |text: &str| texts::pack(connection, text).at(path, RECORDING);
    let features = pack(&to_json(&pattern.features)?)?;
    let insights = pack(&to_json(&pattern.insights)?)?;
    let change_points = pack(&to_json(&pattern.change_points)?)?;
    let further = &pattern.further_rhythms;
    let further = if further.is_empty() { None } else { Some(pack(&to_json(further)?)?) };
    connection
        .prepare_cached(INSERT)
        .and_then(|mut statement| {
            statement.execute(named_params! {
                ":host_id": host_id,
                ":timestamp": pattern.window.1.as_millis(),
                ":window_start": pattern.window.0.as_millis(),
                ":points": whole(pattern.points),
                ":pattern_type": pattern.pattern_type.as_str(),
                ":pattern_strength": known(pattern.pattern_strength),
                ":confidence": pattern.confidence.get(),
                ":period_ms": pattern.periodicity.map(|p| p.period.as_millis()),
                ":period_strength": pattern.periodicity.and_then(|p| known(p.strength)),
                ":slope_per_hour": of_trend(|t| t.slope_per_hour),
                ":trend_r_squared": of_trend(|t| t.r_squared),
                ":trend_p_value": of_trend(|t| t.p_value),
                ":trend_coefficients": coefficients,
                ":features": features,
                ":insights": insights,
                ":change_points": change_points,
                ":volatility": pattern.volatility.and_then(known),
                ":period_p_value": pattern.periodicity.and_then(|p| p.p_value).and_then(known),
                ":period_peak": pattern.periodicity.and_then(|p| p.peak).map(Timestamp::as_millis),
                ":further_rhythms": further,
                ":robust_slope_per_hour": of_robust(|r| r.slope_per_hour),
                ":robust_low": of_robust(|r| r.interval.0),
                ":robust_high": of_robust(|r| r.interval.1),
                ":robust_p_value": of_robust(|r| r.p_value),
                ":crossing_limit": crossing.and_then(|c| known(c.limit)),
                ":crossing_at": crossing.map(|c| c.expected.as_millis()),
                ":crossing_earliest": crossing.map(|c| c.earliest.as_millis()),
                ":crossing_latest": crossing.and_then(|c| c.latest).map(Timestamp::as_millis),
            })
        })
        .at(path, RECORDING)?;
    Ok(())
}

pub(super) fn pattern(row: &Record<'_>) -> Result<PatternAnalysis> {
    let mut pattern = PatternAnalysis::new(
        String::new(),
        row.word("pattern_type")?,
        row.real("pattern_strength")?,
        row.probability("confidence")?,
    );
    pattern.window = (row.time("window_start")?, row.time("timestamp")?);
    pattern.points = row.size("points")?;
    pattern.features = row.json("features")?;
    pattern.insights = row.json("insights")?;
    pattern.volatility = row.get("volatility")?;
    if let Some(period) = row.get::<Option<i64>>("period_ms")? {
        let strength = row.real("period_strength")?;
        let mut rhythm = Periodicity::new(Span::from_millis(period), strength);
        rhythm.p_value = row.get("period_p_value")?;
        rhythm.peak = optional_time(row, "period_peak")?;
        pattern.periodicity = Some(rhythm);
    }
    if row.get::<Option<String>>("further_rhythms")?.is_some() {
        let further: Vec<Rhythm> = row.json("further_rhythms")?;
        pattern.further_rhythms = further.into_iter().map(Rhythm::into_core).collect();
    }
    if row.get::<Option<String>>("trend_coefficients")?.is_some() {
        let coefficients: Vec<Number> = row.json("trend_coefficients")?;
        let mut trend = Trend::new(
            coefficients.into_iter().map(|n| n.0).collect(),
            row.real("slope_per_hour")?,
            row.real("trend_r_squared")?,
            row.real("trend_p_value")?,
        );
        trend.robust = robust(row)?;
        trend.crossing = crossing(row)?;
        pattern.trend = Some(trend);
    }
    let changes: Vec<Change> = row.json("change_points")?;
    pattern.change_points = changes.into_iter().map(Change::into_core).collect();
    Ok(pattern)
}

/// A slope of which not even the slope is known is none.
fn robust(row: &Record<'_>) -> Result<Option<RobustSlope>> {
    let Some(slope) = row.get::<Option<f64>>("robust_slope_per_hour")? else { return Ok(None) };
    let interval = (row.real("robust_low")?, row.real("robust_high")?);
    Ok(Some(RobustSlope::new(slope, interval, row.real("robust_p_value")?)))
}

fn crossing(row: &Record<'_>) -> Result<Option<Crossing>> {
    let Some(expected) = optional_time(row, "crossing_at")? else { return Ok(None) };
    let (limit, earliest) = (row.real("crossing_limit")?, row.time("crossing_earliest")?);
    Ok(Some(Crossing::new(limit, expected, earliest, optional_time(row, "crossing_latest")?)))
}

/// [`Periodicity`] as it is read: its strength may be `null`.
#[derive(Deserialize)]
struct Rhythm {
    period: Span,
    strength: Number,
    #[serde(default)]
    p_value: Option<f64>,
    #[serde(default)]
    peak: Option<Timestamp>,
}

impl Rhythm {
    fn into_core(self) -> Periodicity {
        let mut rhythm = Periodicity::new(self.period, self.strength.0);
        (rhythm.p_value, rhythm.peak) = (self.p_value, self.peak);
        rhythm
    }
}

/// [`ChangePoint`] as it is read: any number may be `null`.
#[derive(Deserialize)]
struct Change {
    timestamp: Timestamp,
    levels: (Number, Number),
    // Unknown of what was written before there were other changes than of level.
    kind: Option<ChangeKind>,
    sizes: Option<(Number, Number)>,
    p_value: Option<f64>,
}

impl Change {
    fn into_core(self) -> ChangePoint {
        let mut change = ChangePoint::new(self.timestamp, self.levels.0.0, self.levels.1.0);
        change.kind = self.kind.unwrap_or(change.kind);
        change.sizes = self.sizes.map(|(before, after)| (before.0, after.0));
        change.p_value = self.p_value;
        change
    }
}
