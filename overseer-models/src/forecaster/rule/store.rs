//! The payload of a stored rule, version 1.
//!
//! | what | how |
//! |---|---|
//! | version of this payload | `u32` |
//! | rule (0 last value, 1 median, 2 a period before), its width or its period in milliseconds, level | `u8`, `u64`, `f64` |
//! | target | `u8` (0 the performance score, 1 a column), column `u64` |
//! | farthest horizon, interval in milliseconds | `u64` each |
//! | samples taken in, whether there was one, its time | `u64`, `u8`, `u64` |
//! | target since the last gap, NaN where missing | `f64` array |
//! | each horizon of the grid | scores and hits of intervals; waiting forecasts, each its step `u64` and five `f64` |

use super::{Issued, LONGEST, Lane, Rule, RuleForecaster, RuleForecasterTrainer, WIDEST};
use crate::file::{self, Reader, Writer};
use crate::forecaster::target::{self, LARGEST, LARGEST_STORED};
use overseer_core::{Error, ForecastTarget, Result, Schema, Span, Timestamp};

const KIND: &str = "rule_forecaster";
const VERSION: u32 = 1;
/// No rule was fitted for more steps ahead, nor have more samples been taken in.
const MAX_HORIZON: usize = 1_000_000;
const MAX_STEP: u64 = 1 << 62;

fn corrupt(why: &str) -> Error {
    Error::corrupt("the stored rule", why)
}

pub(super) fn to_bytes(forecaster: &RuleForecaster) -> Result<Vec<u8>> {
    let mut w = Writer::default();
    w.u32(VERSION);
    let (code, number) = match forecaster.rule {
        Rule::LastValue => (0, 0),
        Rule::Median(width) => (1, width as u64),
        Rule::Before(period) => (2, period.as_millis().unsigned_abs()),
    };
    w.u8(code);
    w.u64(number);
    w.f64(forecaster.level);
    let (code, column) = match forecaster.target {
        ForecastTarget::PerformanceScore => (0, 0),
        ForecastTarget::Column(column) => (1, column as u64),
        _ => return Err(Error::unsupported("storing a forecaster of this target")),
    };
    w.u8(code);
    w.u64(column);
    w.u64(forecaster.grid.last().copied().unwrap_or(0) as u64);
    w.u64(forecaster.interval.as_millis().unsigned_abs());
    w.u64(forecaster.step);
    w.u8(u8::from(forecaster.last.is_some()));
    w.u64(forecaster.last.unwrap_or_default().as_millis().cast_unsigned());
    w.f64s(forecaster.recent.iter().copied());
    for lane in &forecaster.lanes {
        lane.conformal.write_to(&mut w);
        w.u64(lane.pending.len() as u64);
        for issued in &lane.pending {
            w.u64(issued.due);
            numbers(issued).into_iter().for_each(|v| w.f64(v));
        }
    }
    file::encode(KIND, &forecaster.metadata, &w.into_bytes())
}

fn numbers(issued: &Issued) -> [f64; 5] {
    [issued.current, issued.value, issued.scale, issued.lower, issued.upper]
}

pub(super) fn load(bytes: &[u8], schema: &Schema) -> Result<RuleForecaster> {
    let (metadata, payload) = file::decode(bytes, KIND, schema)?;
    let mut forecaster = read_payload(payload, schema)?;
    if metadata.interval_ms != forecaster.interval.as_millis() {
        return Err(corrupt("its interval"));
    }
    forecaster.metadata = metadata;
    Ok(forecaster)
}

/// Reads what [`to_bytes`] put into the container.
pub(super) fn read_payload(payload: &[u8], schema: &Schema) -> Result<RuleForecaster> {
    let mut reader = Reader::new(payload);
    let r = &mut reader;
    let version = r.u32()?;
    if version != VERSION {
        return Err(Error::unsupported(format!("rule payload version {version}")));
    }
    let size = |r: &mut Reader<'_>| -> Result<usize> {
        usize::try_from(r.u64()?).map_err(|_| corrupt("a number too large"))
    };
    let millis = |r: &mut Reader<'_>| -> Result<Span> {
        i64::try_from(r.u64()?).map(Span::from_millis).map_err(|_| corrupt("a time too long"))
    };
    let rule = match r.u8()? {
        0 => match r.u64()? {
            0 => Rule::LastValue,
            _ => return Err(corrupt("its rule")),
        },
        1 => Rule::Median(size(r)?),
        2 => Rule::Before(millis(r)?),
        _ => return Err(corrupt("its rule")),
    };
    let trainer = RuleForecasterTrainer::builder(rule).level(r.finite()?).build();
    let RuleForecasterTrainer { rule, level } = trainer.map_err(|_| corrupt("its rule"))?;
    let target = match (r.u8()?, size(r)?) {
        (0, 0) => ForecastTarget::PerformanceScore,
        (1, column) => ForecastTarget::Column(column),
        _ => return Err(corrupt("its target")),
    };
    target::check(target, schema).map_err(|_| corrupt("its target is not in the schema"))?;
    let (horizon, interval) = (size(r)?, millis(r)?);
    if !(1..=MAX_HORIZON).contains(&horizon) {
        return Err(corrupt("its horizon"));
    }
    let window = rule.window(interval);
    if window > LONGEST {
        return Err(corrupt("its period"));
    }
    let mut forecaster =
        RuleForecaster::new(rule, level, schema.clone(), target, interval, horizon);
    forecaster.step = r.u64()?;
    let known = match r.u8()? {
        flag @ 0..=1 => flag == 1,
        _ => return Err(corrupt("the time of its last sample")),
    };
    let last = Timestamp::from_millis(r.u64()?.cast_signed());
    forecaster.last = known.then_some(last);
    forecaster.recent = r.f64s()?;
    let sound = forecaster.step <= MAX_STEP
        && forecaster.recent.len() <= 2 * window.max(WIDEST)
        && forecaster.recent.iter().all(|v| v.is_nan() || v.abs() <= LARGEST);
    if !sound {
        return Err(corrupt("the state of its stream"));
    }
    for lane in &mut forecaster.lanes {
        read_lane(r, lane)?;
    }
    reader.finish()?;
    Ok(forecaster)
}

fn read_lane(r: &mut Reader<'_>, lane: &mut Lane) -> Result<()> {
    lane.conformal.read_into(r)?;
    for _ in 0..r.length()? {
        let due = r.u64()?;
        let mut next = || r.finite();
        let (current, value, scale) = (next()?, next()?, next()?);
        let issued = Issued { due, current, value, scale, lower: next()?, upper: next()? };
        let sound = numbers(&issued).iter().all(|v| v.abs() <= LARGEST_STORED)
            && scale > 0.0
            && (issued.lower..=issued.upper).contains(&value)
            && lane.pending.back().is_none_or(|before| before.due < due);
        if !sound {
            return Err(corrupt("its waiting forecasts"));
        }
        lane.pending.push_back(issued);
    }
    Ok(())
}
