//! One look at a host.

use crate::{Timestamp, missing};
use serde::{Deserialize, Serialize};

/// One timestamp and one value per feature of some schema; a missing value is NaN.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sample {
    /// When the values held.
    pub timestamp: Timestamp,
    /// One value per feature, in the schema's order and units.
    #[serde(with = "values")]
    pub values: Vec<f64>,
}

impl Sample {
    /// A sample of these values. Whether they fit a schema is checked where they meet one.
    #[must_use]
    pub fn new(timestamp: Timestamp, values: Vec<f64>) -> Self {
        Self { timestamp, values }
    }

    /// Whether no value is known, so that there is nothing to learn from or to store.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.values.iter().all(|v| v.is_nan())
    }
}

/// Equal if the times are and every value is equal or missing in both.
impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        self.timestamp == other.timestamp
            && self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(|(&a, &b)| missing::same(a, b))
    }
}

/// Why a feature has no value in a reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MissingValue {
    /// The feature's name.
    pub feature: String,
    /// The reason as a person reads it.
    pub reason: String,
}

impl MissingValue {
    /// A feature and why it has no value.
    pub fn new(feature: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { feature: feature.into(), reason: reason.into() }
    }
}

/// A sample with what its collector knows about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reading {
    /// The values.
    pub sample: Sample,
    /// The mount whose fullness the sample holds, where one was found.
    pub fullest_mount: Option<String>,
    /// Why values are missing, one entry for each that is.
    pub missing: Vec<MissingValue>,
}

impl Reading {
    /// A reading about which nothing more is known than its values.
    #[must_use]
    pub fn new(sample: Sample) -> Self {
        Self { sample, fullest_mount: None, missing: Vec::new() }
    }
}

mod values {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[f64], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(values.iter().map(|v| v.is_finite().then_some(*v)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<f64>, D::Error> {
        let list = Vec::<Option<f64>>::deserialize(d)?;
        Ok(list.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_survives_json_as_null() {
        let s = Sample::new(Timestamp::from_millis(5), vec![0.5, f64::NAN]);
        let text = serde_json::to_string(&s).unwrap();
        assert_eq!(text, r#"{"timestamp":5,"values":[0.5,null]}"#);
        assert_eq!(serde_json::from_str::<Sample>(&text).unwrap(), s);
    }

    #[test]
    fn zero_is_a_value_and_nan_is_not() {
        assert!(!Sample::new(Timestamp::default(), vec![0.0, f64::NAN]).is_blank());
        assert!(Sample::new(Timestamp::default(), vec![f64::NAN]).is_blank());
    }
}
