//! Times as other programs write them: the forms that `overseer score` reads.

use super::values::{missing, wrong};
use crate::transfer::Raw;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use overseer_core::Result;

/// Numbers below it are seconds (until the year 5138), above it milliseconds (since March 1973).
const SECONDS_BELOW: f64 = 1e11;
/// Larger numbers are neither.
const MILLIS_BELOW: f64 = 1e14;

/// Milliseconds since 1970: of RFC 3339, a date and time in UTC, or Unix seconds or milliseconds.
pub(super) fn of(raw: &Raw, place: &str) -> Result<i64> {
    let refused = |why: &str| wrong(place, "timestamp", why);
    match raw {
        Raw::Null => Err(missing(place, "timestamp")),
        Raw::Integer(n) => from_number(*n as f64).map_err(refused),
        Raw::Real(x) => from_number(*x).map_err(refused),
        Raw::Json(_) => Err(refused("a list is not a time")),
        Raw::Text(text) => {
            let text = text.trim();
            if let Ok(number) = text.parse::<f64>() {
                return from_number(number).map_err(refused);
            }
            if let Ok(moment) = text.parse::<jiff::Timestamp>() {
                return Ok(moment.as_millisecond());
            }
            let local: Option<DateTime> = text.parse().ok();
            let moment = local.and_then(|local| local.to_zoned(TimeZone::UTC).ok());
            moment.map(|m| m.timestamp().as_millisecond()).ok_or_else(|| {
                refused(&format!(
                    "`{text}` is not a time: RFC 3339, `YYYY-MM-DD HH:MM:SS`, Unix seconds or milliseconds are"
                ))
            })
        }
    }
}

fn from_number(number: f64) -> Result<i64, &'static str> {
    let size = number.abs();
    if size < SECONDS_BELOW {
        Ok((number * 1000.0).round() as i64)
    } else if size < MILLIS_BELOW {
        Ok(number.round() as i64)
    } else {
        Err("it is too large for Unix seconds or milliseconds")
    }
}
