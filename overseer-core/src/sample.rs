//! One look at a host.

use crate::{Span, Timestamp, Unit, missing};
use serde::{Deserialize, Serialize};
use std::fmt;

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

/// What a sample is of: a ratio of memory means one thing on a host and another within a container's limits.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// The collector does not say.
    #[default]
    Unknown,
    /// A whole host.
    Host,
    /// A container: where there is a limit, utilisation is the container's use of what it may use; else the host's.
    Container {
        /// 1 or 2: the version of the control groups that limit it.
        cgroup_version: u8,
        /// How many CPUs it may keep busy, for example 0.5; none where it may use all.
        cpu_limit: Option<f64>,
        /// How many bytes of memory it may use; none where it may use all.
        memory_limit: Option<u64>,
    },
    /// A recording of some host.
    Recording,
    /// A script, so nothing that ever happened.
    Script,
}

/// As a person says it: `this host`, `a container limited to 0.5 CPUs and 536.9 MB of memory (cgroup v2)`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("an unknown source"),
            Self::Host => f.write_str("this host"),
            Self::Recording => f.write_str("a recording"),
            Self::Script => f.write_str("a script"),
            Self::Container { cgroup_version, cpu_limit, memory_limit } => {
                let cpus = cpu_limit.map(|cpus| format!("{cpus} CPUs"));
                let memory = memory_limit
                    .map(|bytes| format!("{} of memory", Unit::Bytes.humanize(bytes as f64)));
                let limits: Vec<String> = [cpus, memory].into_iter().flatten().collect();
                if limits.is_empty() {
                    return write!(f, "a container without limits (cgroup v{cgroup_version})");
                }
                let limits = limits.join(" and ");
                write!(f, "a container limited to {limits} (cgroup v{cgroup_version})")
            }
        }
    }
}

/// Something that happened to time itself between two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Interruption {
    /// The host slept for so long; rates over that time are missing.
    Suspended(Span),
    /// The wall clock was set forward by so much.
    ClockForward(Span),
    /// The wall clock was set back by so much.
    ClockBack(Span),
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suspended(span) => write!(f, "the host slept for {span}"),
            Self::ClockForward(span) => write!(f, "the clock was set forward by {span}"),
            Self::ClockBack(span) => write!(f, "the clock was set back by {span}"),
        }
    }
}

/// A quantity that is kept beside the samples and not scored: the fullness of one mount, a temperature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Auxiliary {
    /// OpenTelemetry's name where there is one, for example `hw.temperature`.
    pub name: String,
    /// Which of several: a mount point, a sensor; empty where there is but one.
    pub instance: String,
    /// The unit of the value.
    pub unit: Unit,
    /// The value, never NaN: what cannot be had is left out.
    pub value: f64,
    /// The value at which nothing more fits, for example 1 for the fullness of a mount; none where there is no such.
    #[serde(default)]
    pub capacity: Option<f64>,
}

impl Auxiliary {
    /// One value of an auxiliary series.
    pub fn new(
        name: impl Into<String>,
        instance: impl Into<String>,
        unit: Unit,
        value: f64,
    ) -> Self {
        Self { name: name.into(), instance: instance.into(), unit, value, capacity: None }
    }

    /// The same of something that is full at `capacity`; one that is not above zero or not finite is none.
    #[must_use]
    pub fn of_capacity(mut self, capacity: f64) -> Self {
        self.capacity = (capacity.is_finite() && capacity > 0.0).then_some(capacity);
        self
    }
}

/// One auxiliary quantity over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuxiliarySeries {
    /// As [`Auxiliary::name`].
    pub name: String,
    /// As [`Auxiliary::instance`].
    pub instance: String,
    /// The unit of the values.
    pub unit: Unit,
    /// As [`Auxiliary::capacity`], as it was last told.
    pub capacity: Option<f64>,
    /// Times and values, oldest first; the values are finite.
    pub points: Vec<(Timestamp, f64)>,
}

impl AuxiliarySeries {
    /// The series that `auxiliary` is a value of, without any point yet.
    #[must_use]
    pub fn of(auxiliary: &Auxiliary) -> Self {
        Self {
            name: auxiliary.name.clone(),
            instance: auxiliary.instance.clone(),
            unit: auxiliary.unit,
            capacity: auxiliary.capacity,
            points: Vec::new(),
        }
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
    /// What the values are of.
    #[serde(default)]
    pub origin: Origin,
    /// What happened to time since the reading before.
    #[serde(default)]
    pub interruptions: Vec<Interruption>,
}

impl Reading {
    /// A reading about which nothing more is known than its values.
    #[must_use]
    pub fn new(sample: Sample) -> Self {
        Self {
            sample,
            fullest_mount: None,
            missing: Vec::new(),
            origin: Origin::Unknown,
            interruptions: Vec::new(),
        }
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
    fn an_origin_reads_as_a_person_says_it() {
        let limited = |cpu_limit, memory_limit| {
            Origin::Container { cgroup_version: 2, cpu_limit, memory_limit }.to_string()
        };
        let both = "a container limited to 0.5 CPUs and 536.9 MB of memory (cgroup v2)";
        assert_eq!(limited(Some(0.5), Some(512 << 20)), both);
        assert_eq!(limited(Some(2.0), None), "a container limited to 2 CPUs (cgroup v2)");
        assert_eq!(limited(None, None), "a container without limits (cgroup v2)");
        let slept = Interruption::Suspended(Span::from_secs(10_800));
        assert_eq!(slept.to_string(), "the host slept for 3 h");
    }

    #[test]
    fn a_reading_stored_before_it_told_its_origin_is_still_read() {
        let old = r#"{"sample":{"timestamp":5,"values":[]},"fullest_mount":null,"missing":[]}"#;
        let reading: Reading = serde_json::from_str(old).unwrap();
        assert_eq!(reading.origin, Origin::Unknown);
        let text = serde_json::to_string(&Origin::Host).unwrap();
        assert_eq!(text, r#"{"kind":"host"}"#);
    }

    #[test]
    fn zero_is_a_value_and_nan_is_not() {
        assert!(!Sample::new(Timestamp::default(), vec![0.0, f64::NAN]).is_blank());
        assert!(Sample::new(Timestamp::default(), vec![f64::NAN]).is_blank());
    }
}
