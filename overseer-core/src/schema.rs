//! What is measured: features and their ordered lists.

use crate::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::sync::Arc;

/// The unit a feature is measured in, with UCUM symbols as OpenTelemetry writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// A ratio 0–1 (`1`), shown to people as a percentage.
    Ratio,
    /// Bytes per second (`By/s`), heavy-tailed and never negative.
    BytesPerSecond,
    /// Bytes (`By`).
    Bytes,
    /// Processes (`{process}`).
    Processes,
    /// Degrees Celsius (`Cel`).
    Celsius,
    /// A number of things, such as open files (`{count}`).
    Count,
    /// A dimensionless quantity that may exceed 1, such as load per core.
    Dimensionless,
    /// Nothing is known about the unit: a column of somebody's file.
    #[default]
    Unknown,
}

impl Unit {
    /// The UCUM symbol; empty where the unit is unknown.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Ratio | Self::Dimensionless => "1",
            Self::BytesPerSecond => "By/s",
            Self::Bytes => "By",
            Self::Processes => "{process}",
            Self::Celsius => "Cel",
            Self::Count => "{count}",
            Self::Unknown => "",
        }
    }

    /// A value of this unit as a person reads it: `42.0 %`, `1.5 MB/s`, `63 processes`, `no value`. Beyond all that is
    /// ever measured digits say nothing: `1.0e302 %`.
    #[must_use]
    pub fn humanize(self, value: f64) -> String {
        if !value.is_finite() {
            return "no value".to_owned();
        }
        match self {
            // A percentage of the largest numbers would be infinite.
            Self::Ratio => format!("{} %", decimal((100.0 * value).clamp(f64::MIN, f64::MAX), 1)),
            Self::BytesPerSecond => format!("{}/s", bytes(value)),
            Self::Bytes => bytes(value),
            Self::Processes => format!("{} processes", decimal(value, 0)),
            Self::Celsius => format!("{} °C", decimal(value, 1)),
            Self::Count => decimal(value, 0),
            Self::Dimensionless => decimal(value, 2),
            Self::Unknown => {
                let magnitude = value.abs();
                if value == 0.0 || (0.01..1e6).contains(&magnitude) {
                    let text = format!("{value:.3}");
                    text.trim_end_matches('0').trim_end_matches('.').to_owned()
                } else {
                    format!("{value:.3e}")
                }
            }
        }
    }
}

/// Numbers from here on are told by their power of ten.
const MANY_DIGITS: f64 = 1e15;

/// A number with so many decimals, without the sign of what they round to nothing.
fn decimal(value: f64, decimals: usize) -> String {
    if value.abs() >= MANY_DIGITS {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.to_owned(),
        _ => text,
    }
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut scaled = value;
    let mut unit = 0;
    while scaled.abs() >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    format!("{} {}", decimal(scaled, usize::from(unit > 0)), UNITS[unit])
}

/// One named quantity with a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Feature {
    /// The OpenTelemetry name where there is one, for example `system.cpu.utilization`.
    pub name: String,
    /// The unit of every value.
    pub unit: Unit,
    /// The smallest change, in the unit, that a person would act on, where that is known.
    ///
    /// Detectors never take a scale below it, so that a quiet host's tiny jitter is not an event.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "stored_resolution"
    )]
    pub resolution: Option<f64>,
}

impl Feature {
    /// A feature with a unit and no known resolution.
    pub fn new(name: impl Into<String>, unit: Unit) -> Self {
        Self { name: name.into(), unit, resolution: None }
    }

    /// The same feature with a resolution; one that is not positive and finite means "not known".
    #[must_use]
    pub fn with_resolution(mut self, resolution: f64) -> Self {
        self.resolution = known_resolution(resolution);
        self
    }
}

/// A resolution that is not positive and finite is not known.
fn known_resolution(resolution: f64) -> Option<f64> {
    (resolution.is_finite() && resolution > 0.0).then_some(resolution)
}

fn stored_resolution<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.and_then(known_resolution))
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// An ordered list of features with distinct names. Cloning is cheap.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Feature>", into = "Vec<Feature>")]
pub struct Schema {
    features: Arc<[Feature]>,
}

impl Schema {
    /// Checks and wraps the list.
    ///
    /// # Errors
    /// If the list is empty, or a name is empty or given twice.
    pub fn new(features: Vec<Feature>) -> Result<Self> {
        if features.is_empty() {
            return Err(Error::invalid_parameter("features", "a schema needs at least one"));
        }
        let mut seen = std::collections::HashSet::new();
        for (i, feature) in features.iter().enumerate() {
            if feature.name.trim().is_empty() {
                return Err(Error::invalid_value(format!("feature {i}"), "its name is empty"));
            }
            if !seen.insert(feature.name.as_str()) {
                return Err(Error::invalid_value(
                    format!("feature {i}"),
                    format!("the name `{}` is given twice", feature.name),
                ));
            }
        }
        Ok(Self { features: features.into() })
    }

    /// A schema of features of unknown unit, as the columns of a file are.
    ///
    /// # Errors
    /// As [`Schema::new`].
    pub fn from_names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Result<Self> {
        Self::new(names.into_iter().map(|n| Feature::new(n, Unit::Unknown)).collect())
    }

    /// The features in order.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// How many features there are, at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a schema is never empty")]
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// The place of the feature called `name`.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|f| f.name == name)
    }

    /// The feature at `index`, if there is one.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Feature> {
        self.features.get(index)
    }

    /// A 64-bit FNV-1a hash of names and units in order: what a model file is bound to.
    ///
    /// Resolutions are left out, for a model keeps its own scales.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat = |byte: u8| {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        };
        for feature in self.features.iter() {
            feature.name.bytes().for_each(&mut eat);
            eat(0);
            feature.unit.symbol().bytes().for_each(&mut eat);
            eat(1);
        }
        hash
    }
}

impl TryFrom<Vec<Feature>> for Schema {
    type Error = Error;
    fn try_from(features: Vec<Feature>) -> Result<Self> {
        Self::new(features)
    }
}

impl From<Schema> for Vec<Feature> {
    fn from(schema: Schema) -> Self {
        schema.features.to_vec()
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.features.iter().map(|x| &x.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_present() {
        assert!(Schema::from_names(["a", "b", "a"]).unwrap_err().to_string().contains("twice"));
        assert!(Schema::from_names(["a", " "]).is_err());
        assert!(Schema::from_names(Vec::<String>::new()).is_err());
    }

    #[test]
    fn the_fingerprint_sees_order_names_and_units() {
        let ab = Schema::from_names(["a", "b"]).unwrap();
        let ba = Schema::from_names(["b", "a"]).unwrap();
        let units =
            Schema::new(vec![Feature::new("a", Unit::Ratio), Feature::new("b", Unit::Unknown)])
                .unwrap();
        assert_ne!(ab.fingerprint(), ba.fingerprint());
        assert_ne!(ab.fingerprint(), units.fingerprint());
        // FNV-1a of "a\0\1b\0\1"; stored model files carry such numbers, so it must never change.
        assert_eq!(ab.fingerprint(), 6_652_085_132_818_231_244);
    }

    #[test]
    fn values_read_as_people_say_them() {
        assert_eq!(Unit::Ratio.humanize(0.4215), "42.1 %");
        assert_eq!(Unit::BytesPerSecond.humanize(1_500_000.0), "1.5 MB/s");
        assert_eq!(Unit::Bytes.humanize(999_900.0), "1.0 MB");
        assert_eq!(Unit::Ratio.humanize(f64::NAN), "no value");
        assert_eq!(Unit::Ratio.humanize(1e300), "1.0e302 %");
        assert_eq!(Unit::Ratio.humanize(f64::MAX), "1.8e308 %");
        assert_eq!(Unit::Ratio.humanize(-1e-300), "0.0 %");
        assert_eq!(Unit::Bytes.humanize(-1e-300), "0 B");
        assert_eq!(Unit::Bytes.humanize(1e300), "1.0e288 TB");
        assert_eq!(Unit::Processes.humanize(-1e300), "-1.0e300 processes");
        assert_eq!(Unit::Celsius.humanize(41.5), "41.5 °C");
        assert_eq!(Unit::Unknown.humanize(12.5), "12.5");
        assert_eq!(Unit::Unknown.humanize(1.0e9), "1.000e9");
    }

    #[test]
    fn a_stored_resolution_means_what_a_given_one_means() {
        let read = |resolution: &str| {
            let text = format!(r#"{{"name":"a","unit":"ratio"{resolution}}}"#);
            serde_json::from_str::<Feature>(&text).unwrap().resolution
        };
        assert_eq!(read(r#","resolution":0.05"#), Some(0.05));
        for unknown in [r#","resolution":-1.0"#, r#","resolution":0"#, r#","resolution":null"#, ""]
        {
            assert_eq!(read(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_schema_survives_json() {
        let s = crate::host::schema();
        let text = serde_json::to_string(&s).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), s);
    }
}
