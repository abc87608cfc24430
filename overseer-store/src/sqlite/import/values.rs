//! What files give, as the values that columns hold.

use crate::sqlite::tiers::{self, Tier};
use crate::transfer::{Column, Kind, Raw, Row, Type, Value};
use overseer_core::{Error, Result, Unit};

pub(super) fn wrong(place: &str, column: &str, why: &str) -> Error {
    Error::invalid_value(format!("{place}, column `{column}`"), why)
}

pub(super) fn missing(place: &str, column: &str) -> Error {
    wrong(place, column, "it has no value")
}

/// What is wrong with a row, where it stands; other errors are as they were.
pub(super) fn at_place(place: &str, error: Error) -> Error {
    if error.is_invalid_input() { Error::invalid_value(place, error.to_string()) } else { error }
}

/// A number, of which there is none where it is missing.
pub(super) fn number(raw: &Raw, place: &str, column: &str) -> Result<Option<f64>> {
    let value = match raw {
        Raw::Null => return Ok(None),
        Raw::Integer(n) => *n as f64,
        Raw::Real(x) => *x,
        Raw::Text(text) => match text.trim() {
            "" | "NaN" | "nan" => return Ok(None),
            text => text
                .parse()
                .map_err(|_| wrong(place, column, &format!("`{text}` is not a number")))?,
        },
        Raw::Json(_) => return Err(wrong(place, column, "a list is not a number")),
    };
    if value.is_nan() {
        return Ok(None);
    }
    if value.is_infinite() {
        return Err(wrong(place, column, "the value is infinite"));
    }
    Ok(Some(value))
}

/// Makes sure that a value of another program can be one of the feature: percent would pass for a host that is on fire.
pub(super) fn in_range(value: f64, unit: Unit, place: &str, column: &str) -> Result<()> {
    // What is measured over a short time may be off by a little.
    const SLACK: f64 = 0.01;
    let known = matches!(unit, Unit::Ratio | Unit::BytesPerSecond | Unit::Processes);
    if known && value < -SLACK {
        return Err(wrong(place, column, &format!("`{value}` is below zero")));
    }
    if unit == Unit::Ratio && value > 1.0 + SLACK {
        let why = format!("`{value}` is above 1: shares are from 0 to 1, so that 7 % is 0.07");
        return Err(wrong(place, column, &why));
    }
    Ok(())
}

pub(super) fn whole(raw: &Raw, place: &str, column: &str) -> Result<i64> {
    match raw {
        Raw::Integer(n) => Ok(*n),
        Raw::Null => Err(missing(place, column)),
        Raw::Text(text) => text
            .trim()
            .parse()
            .map_err(|_| wrong(place, column, &format!("`{text}` is not a whole number"))),
        Raw::Real(_) | Raw::Json(_) => Err(wrong(place, column, "this is not a whole number")),
    }
}

pub(super) fn checked(row: &Row, column: &Column, raw: &Raw) -> Result<Value> {
    let (place, name) = (row.place.as_str(), column.name.as_str());
    if *raw == Raw::Null {
        return match column.holds {
            _ if column.nullable => Ok(Value::Null),
            // An empty field of CSV is an empty text where there must be one.
            Type::Text => Ok(Value::Text(String::new())),
            // Of a feature that is not in the file there are no values.
            Type::Integer if name.ends_with(":count") => Ok(Value::Integer(0)),
            _ => Err(missing(place, name)),
        };
    }
    match column.holds {
        Type::Integer => whole(raw, place, name).map(Value::Integer),
        Type::Real => match number(raw, place, name)? {
            Some(x) => Ok(Value::Real(x)),
            None if column.nullable => Ok(Value::Null),
            None => Err(missing(place, name)),
        },
        Type::Text => match raw {
            Raw::Text(text) => Ok(Value::Text(text.clone())),
            _ => Err(wrong(place, name, "this is not a text")),
        },
        Type::Json => match raw {
            Raw::Text(text) | Raw::Json(text) => Ok(Value::Json(text.clone())),
            _ => Err(wrong(place, name, "this is not a list")),
        },
    }
}

/// Summaries say by their interval to which tier they belong.
pub(super) fn tier_of(row: &Row) -> Result<Kind> {
    if !matches!(row.kind, Kind::Minutes | Kind::Hours) {
        return Ok(row.kind);
    }
    let raw = row.fields.iter().find(|(name, _)| name == "interval_ms");
    match raw.map(|(_, raw)| whole(raw, &row.place, "interval_ms")).transpose()? {
        Some(tiers::MINUTE) => Ok(Kind::Minutes),
        Some(tiers::HOUR) => Ok(Kind::Hours),
        _ => Err(wrong(&row.place, "interval_ms", "of summaries it is 60000 or 3600000")),
    }
}

/// Makes sure of what the values of a row must be to each other.
pub(super) fn check_together(row: &Row, kind: Kind, values: &[Value]) -> Result<()> {
    match kind {
        Kind::Minutes => check_tier(row, Tier::Minutes, values),
        Kind::Hours => check_tier(row, Tier::Hours, values),
        Kind::AuxiliaryHours => {
            check_start(row, tiers::HOUR, values)?;
            check_four(row, &values[4..])
        }
        _ => Ok(()),
    }
}

fn check_start(row: &Row, width: i64, values: &[Value]) -> Result<()> {
    let Some(Value::Integer(start)) = values.first() else {
        return Err(missing(&row.place, "timestamp"));
    };
    if start.rem_euclid(width) != 0 {
        return Err(wrong(&row.place, "timestamp", "it is not the start of a minute or an hour"));
    }
    Ok(())
}

fn check_tier(row: &Row, tier: Tier, values: &[Value]) -> Result<()> {
    check_start(row, tier.width(), values)?;
    values[2..].chunks_exact(4).try_for_each(|four| check_four(row, four))
}

/// A summary that no samples could have given would mislead for years.
fn check_four(row: &Row, four: &[Value]) -> Result<()> {
    let real = |value: &Value| if let Value::Real(x) = value { *x } else { f64::NAN };
    let (mean, min, max) = (real(&four[0]), real(&four[1]), real(&four[2]));
    let sound = match four[3] {
        Value::Integer(0) => mean.is_nan() && min.is_nan() && max.is_nan(),
        // A mean may be off by its rounding.
        Value::Integer(n) if n > 0 => {
            let slack = 1e-9 * min.abs().max(max.abs());
            min <= max && mean >= min - slack && mean <= max + slack
        }
        _ => false,
    };
    if sound {
        return Ok(());
    }
    let why = "a mean, least, most and number of values that do not go together";
    Err(Error::invalid_value(row.place.clone(), why))
}
