//! The payload of a stored forecaster: with what it learned the state of its stream, so that a restored one goes on
//! where it stopped.
//!
//! | what | how |
//! |---|---|
//! | version of this payload, 4; it was 1 while the trees had `f64` thresholds, 2 while there were fewer inputs and experts, and 3 while fewer settings could be changed | `u32` |
//! | trees, lags, level, seed | `u64`, `u64`, `f64`, `u64` |
//! | smallest leaf, most moments; whether other features and the clock are seen; experts (0 all, 1 analogues, 2 rules) | `u64` each; `u8` each; `u8` |
//! | target | `u8` (0 the performance score, 1 a column), column `u64` |
//! | farthest horizon, interval in milliseconds | `u64` each |
//! | samples taken in, whether there was one, its time | `u64`, `u8`, `u64` |
//! | target since the last gap, other features now and a row before | `f64` arrays, NaN where missing |
//! | moments whose future is not yet known | values as `f64` array, then leaves as `u32` array each |
//! | past moments | the trees; on how many they were grown; places and counts of their leaves, `u32` arrays; values and what came after |
//! | each horizon of the grid | experts' regrets and losses, scores and hits of intervals, waiting forecasts |

use super::analogues::Analogues;
use super::inputs::{WINDOW, newest, width, width_before_version_3};
use super::lane::Lane;
use super::online::{ForestForecaster, Moment, Stream};
use super::steps::{MAX_MISSING, missing_at_end};
use super::target::LARGEST;
use super::{ExpertSet, Settings, grid, target};
use crate::file::{self, Reader, Writer};
use overseer_core::{Error, ForecastTarget, Result, Schema, Span, Timestamp};
use std::collections::VecDeque;

const KIND: &str = "random_forest_forecaster";

/// Version of the payload.
const VERSION: u32 = 4;
/// So many samples were never taken in; a count below cannot overflow.
const MAX_STEP: u64 = 1 << 62;

fn corrupt(why: &str) -> Error {
    Error::corrupt("the stored forecaster", why)
}

pub(super) fn to_bytes(forecaster: &ForestForecaster) -> Result<Vec<u8>> {
    file::encode(KIND, &forecaster.metadata, &payload(forecaster)?)
}

/// What goes into the container beside the metadata.
pub(super) fn payload(forecaster: &ForestForecaster) -> Result<Vec<u8>> {
    let mut w = Writer::default();
    w.u32(VERSION);
    let Settings { trees, lags, level, seed, min_leaf, moments, others, clock, experts } =
        forecaster.settings;
    w.u64(trees as u64);
    w.u64(lags as u64);
    w.f64(level);
    w.u64(seed);
    w.u64(min_leaf as u64);
    w.u64(moments as u64);
    w.u8(u8::from(others));
    w.u8(u8::from(clock));
    w.u8(match experts {
        ExpertSet::All => 0,
        ExpertSet::Analogues => 1,
        ExpertSet::Rules => 2,
    });
    let (code, column) = match forecaster.target {
        ForecastTarget::PerformanceScore => (0, 0),
        ForecastTarget::Column(column) => (1, column as u64),
        _ => return Err(Error::unsupported("storing a forecaster of this target")),
    };
    w.u8(code);
    w.u64(column);
    w.u64(forecaster.grid.last().copied().unwrap_or(0) as u64);
    w.u64(forecaster.interval.as_millis().unsigned_abs());
    let stream = &forecaster.stream;
    w.u64(stream.step);
    w.u8(u8::from(stream.last.is_some()));
    w.u64(stream.last.unwrap_or_default().as_millis().cast_unsigned());
    w.f64s(newest(&stream.recent, WINDOW).iter().copied());
    w.f64s(stream.others.iter().copied());
    w.f64s(stream.before.iter().copied());
    w.f64s(stream.waiting.iter().map(|moment| moment.value));
    for moment in &stream.waiting {
        w.u32s(moment.leaves.iter().copied());
    }
    forecaster.analogues.write_to(&mut w);
    forecaster.lanes.iter().for_each(|lane| lane.write_to(&mut w));
    Ok(w.into_bytes())
}

pub(super) fn load(bytes: &[u8], schema: &Schema) -> Result<ForestForecaster> {
    let (metadata, payload) = file::decode(bytes, KIND, schema)?;
    let mut forecaster = read_payload(payload, schema)?;
    if metadata.interval_ms != forecaster.interval.as_millis() {
        return Err(corrupt("its interval"));
    }
    forecaster.metadata = metadata;
    forecaster.look()?;
    Ok(forecaster)
}

/// Whether these can be the target since the last gap: within the range of targets, and never missing for long.
fn are_steps(recent: &[f64]) -> bool {
    recent.iter().all(|v| v.is_nan() || v.abs() <= LARGEST)
        && (1..=recent.len()).all(|end| missing_at_end(&recent[..end]) <= MAX_MISSING)
        && (recent.is_empty() || recent.iter().any(|v| !v.is_nan()))
}

/// A truth value.
fn flag(r: &mut Reader<'_>) -> Result<bool> {
    match r.u8()? {
        flag @ 0..=1 => Ok(flag == 1),
        _ => Err(corrupt("neither yes nor no")),
    }
}

/// Reads what [`payload`] wrote.
pub(super) fn read_payload(payload: &[u8], schema: &Schema) -> Result<ForestForecaster> {
    let mut reader = Reader::new(payload);
    let r = &mut reader;
    let version = r.u32()?;
    if !(1..=VERSION).contains(&version) {
        return Err(Error::unsupported(format!("forecaster payload version {version}")));
    }
    let number = |r: &mut Reader<'_>| -> Result<usize> {
        usize::try_from(r.u64()?).map_err(|_| corrupt("a number too large"))
    };
    let mut settings = Settings {
        trees: number(r)?,
        lags: number(r)?,
        level: r.finite()?,
        seed: r.u64()?,
        ..Settings::default()
    };
    if version >= 4 {
        settings.min_leaf = number(r)?;
        settings.moments = number(r)?;
        settings.others = flag(r)?;
        settings.clock = flag(r)?;
        settings.experts = match r.u8()? {
            0 => ExpertSet::All,
            1 => ExpertSet::Analogues,
            2 => ExpertSet::Rules,
            _ => return Err(corrupt("its experts")),
        };
    }
    settings.check().map_err(|_| corrupt("its settings"))?;
    let target = match (r.u8()?, number(r)?) {
        (0, 0) => ForecastTarget::PerformanceScore,
        (1, column) => ForecastTarget::Column(column),
        _ => return Err(corrupt("its target")),
    };
    target::check(target, schema).map_err(|_| corrupt("its target is not in the schema"))?;
    let horizon = number(r)?;
    let interval = i64::try_from(r.u64()?).map_err(|_| corrupt("its interval"))?;
    if horizon == 0 {
        return Err(corrupt("its horizon"));
    }
    let interval = Span::from_millis(interval);
    let step = r.u64()?;
    let known = flag(r)?;
    let last = Timestamp::from_millis(r.u64()?.cast_signed());
    let (recent, now) = (r.f64s()?, r.f64s()?);
    let before = if version < 3 { Vec::new() } else { r.f64s()? };
    let waiting: VecDeque<Moment> = r
        .f64s()?
        .into_iter()
        .map(|value| Ok(Moment { value, leaves: r.u32s()? }))
        .collect::<Result<_>>()?;
    let stream = Stream { step, last: known.then_some(last), recent, others: now, before, waiting };
    let others = settings.others(target, schema);
    let steady = stream.recent.len() <= WINDOW
        && are_steps(&stream.recent)
        && stream.step <= MAX_STEP
        && stream.waiting.len() <= horizon
        && stream.waiting.iter().all(|moment| {
            let value = moment.value;
            value.abs() <= LARGEST || (value.is_nan() && moment.leaves.is_empty())
        })
        && !stream.others.iter().chain(&stream.before).any(|v| v.is_infinite())
        && (stream.before.is_empty() || stream.before.len() == others.len())
        && (stream.others.len() == others.len() || stream.recent.is_empty());
    if !steady {
        return Err(corrupt("the state of its stream"));
    }
    let analogues = Analogues::read_from(r, version)?;
    if horizon >= analogues.grown_on() {
        // Fitting takes more moments than steps ahead; and so the grid is in proportion to the file.
        return Err(corrupt("its horizon"));
    }
    let grid = grid::horizons(horizon);
    // A forecaster that was read from an older payload keeps its forest, and is written in the newest one.
    let widths = [width, width_before_version_3].map(|of| of(settings.lags, others.len()));
    let fits = widths.contains(&analogues.width())
        && analogues.horizons() == grid.len()
        && stream.waiting.iter().all(|m| m.leaves.is_empty() || analogues.holds(&m.leaves));
    if !fits {
        return Err(corrupt("its forest does not fit its inputs or horizons"));
    }
    let limits = target::bounds(target, schema);
    let lanes = grid
        .iter()
        .map(|_| Lane::read_from(r, version, settings.tail(), limits, settings.experts))
        .collect::<Result<Vec<_>>>()?;
    reader.finish()?;
    let mut forecaster =
        ForestForecaster::new(settings, schema.clone(), target, interval, grid, analogues);
    forecaster.lanes = lanes;
    forecaster.stream = stream;
    Ok(forecaster)
}
