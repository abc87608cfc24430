//! What is predicted: its value in a row, its name, and the range it can never leave.

use overseer_core::{Error, ForecastTarget, Result, Schema, Unit, host};

/// Checks that rows of `schema` hold the target.
pub(super) fn check(target: ForecastTarget, schema: &Schema) -> Result<()> {
    match target {
        ForecastTarget::PerformanceScore
            if schema.fingerprint() != host::schema().fingerprint() =>
        {
            Err(Error::schema_mismatch("the host's schema", "another one"))
        }
        ForecastTarget::PerformanceScore => Ok(()),
        ForecastTarget::Column(column) if column < schema.len() => Ok(()),
        ForecastTarget::Column(column) => Err(Error::invalid_parameter(
            "target",
            format!("column {column} where there are {}", schema.len()),
        )),
        _ => Err(Error::unsupported("a forecast of this target")),
    }
}

/// Beyond it differences and sums could overflow; no quantity of a host comes near.
pub(super) const LARGEST: f64 = 1e300;
/// What there were too few of.
pub(super) const KNOWN: &str = "rows with a known target within ±1e300";
/// Numbers that follow from targets, such as a sum of a few, stay within it; so does what is read back.
pub(super) const LARGEST_STORED: f64 = 1e302;

/// The target's value in a row; NaN if missing or beyond ±10³⁰⁰.
pub(super) fn value(target: ForecastTarget, row: &[f64]) -> f64 {
    let value = match target {
        ForecastTarget::PerformanceScore => {
            host::performance_score(row).map_or(f64::NAN, |s| s.value)
        }
        ForecastTarget::Column(column) => row.get(column).copied().unwrap_or(f64::NAN),
        _ => f64::NAN,
    };
    if value.abs() <= LARGEST { value } else { f64::NAN }
}

/// The other columns that the forest sees: the first sixteen that are not the target.
pub(super) fn others(target: ForecastTarget, schema: &Schema) -> Vec<usize> {
    (0..schema.len())
        .filter(|&c| target != ForecastTarget::Column(c))
        .take(super::inputs::MAX_OTHERS)
        .collect()
}

/// The name a model of the target is stored under.
pub(super) fn name(target: ForecastTarget, schema: &Schema) -> String {
    match target {
        ForecastTarget::Column(column) => {
            schema.get(column).map_or_else(|| "column".to_owned(), |f| f.name.clone())
        }
        _ => "performance_score".to_owned(),
    }
}

/// The least and the greatest value there can be.
pub(super) fn bounds(target: ForecastTarget, schema: &Schema) -> (f64, f64) {
    let unit = match target {
        ForecastTarget::Column(column) => schema.get(column).map_or(Unit::Unknown, |f| f.unit),
        _ => return (0.0, 100.0),
    };
    match unit {
        Unit::Ratio => (0.0, 1.0),
        Unit::BytesPerSecond | Unit::Bytes | Unit::Processes => (0.0, LARGEST),
        _ => (-LARGEST, LARGEST),
    }
}
