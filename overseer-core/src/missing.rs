//! Serde for values where absence is NaN in memory and `null` in text.
//!
//! Use as `#[serde(with = "overseer_core::missing")]` on an `f64`. Infinities are written as `null` too: JSON has no
//! word for them and no measurement is infinite.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes a finite number as itself and everything else as `null`.
///
/// # Errors
/// Those of the serializer.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` passes references")]
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(serializer)
}

/// Reads a number, or NaN for `null`.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The same for a pair of numbers, such as the bounds of a range.
pub mod pair {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes each finite number as itself and everything else as `null`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(pair: &(f64, f64), serializer: S) -> Result<S::Ok, S::Error> {
        let known = |v: f64| v.is_finite().then_some(v);
        (known(pair.0), known(pair.1)).serialize(serializer)
    }

    /// Reads two numbers, NaN for each `null`.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(f64, f64), D::Error> {
        let (a, b) = <(Option<f64>, Option<f64>)>::deserialize(deserializer)?;
        Ok((a.unwrap_or(f64::NAN), b.unwrap_or(f64::NAN)))
    }
}

/// Whether two values are the same measurement: equal, or both missing.
#[must_use]
pub fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}
