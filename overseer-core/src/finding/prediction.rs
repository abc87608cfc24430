//! What a quantity will be, and how far off that may be.

use crate::{Error, Probability, Result, Span, Timestamp, missing};
use serde::{Deserialize, Serialize};

/// What is predicted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PredictionType {
    /// [`crate::host::performance_score`], 0 (idle) to 100 (saturated).
    PerformanceScore,
    /// The feature of this name, in its unit.
    Feature(String),
    /// The seconds until something is full. The value is missing where less than half of the futures that were drawn
    /// reach that within the horizon, and the interval's upper bound where less than nine in ten do.
    TimeToFull {
        /// What it is measured by, for example `system.filesystem.utilization`.
        feature: String,
        /// Which of several: a mount point; empty where there is but one.
        instance: String,
    },
}

/// A range that is meant to hold the truth with a stated probability.
///
/// A bound that is not known is NaN: the range is open there.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "StoredInterval")]
#[non_exhaustive]
pub struct Interval {
    /// Lower bound.
    #[serde(with = "missing")]
    pub lower: f64,
    /// Upper bound, at least the lower.
    #[serde(with = "missing")]
    pub upper: f64,
    /// The probability the interval is built for, such as 0.9.
    pub level: Probability,
}

impl Interval {
    /// An interval; the bounds are put in order.
    #[must_use]
    pub fn new(a: f64, b: f64, level: Probability) -> Self {
        Self { lower: a.min(b), upper: a.max(b), level }
    }

    /// An interval of which only the lower bound is known.
    #[must_use]
    pub fn at_least(lower: f64, level: Probability) -> Self {
        Self { lower, upper: f64::NAN, level }
    }

    /// Whether `value` lies in it, bounds included; a missing value lies nowhere.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        let holds = |within: bool, bound: f64| within || bound.is_nan();
        !value.is_nan()
            && holds(value >= self.lower, self.lower)
            && holds(value <= self.upper, self.upper)
    }
}

/// Equal if the levels are and each bound is equal or missing in both.
impl PartialEq for Interval {
    fn eq(&self, other: &Self) -> bool {
        self.level == other.level
            && missing::same(self.lower, other.lower)
            && missing::same(self.upper, other.upper)
    }
}

/// An interval as it is read back, its bounds not yet compared.
#[derive(Deserialize)]
struct StoredInterval {
    #[serde(with = "missing")]
    lower: f64,
    #[serde(with = "missing")]
    upper: f64,
    level: Probability,
}

impl TryFrom<StoredInterval> for Interval {
    type Error = Error;
    fn try_from(stored: StoredInterval) -> Result<Self> {
        let StoredInterval { lower, upper, level } = stored;
        if lower > upper {
            return Err(Error::invalid_parameter(
                "interval",
                format!("its lower bound {lower} is above its upper bound {upper}"),
            ));
        }
        Ok(Self { lower, upper, level })
    }
}

/// A feature and a value of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeatureValue {
    /// The feature's name.
    pub feature: String,
    /// The value in its unit, NaN if missing.
    #[serde(with = "missing")]
    pub value: f64,
}

impl FeatureValue {
    /// A feature and its value.
    pub fn new(feature: impl Into<String>, value: f64) -> Self {
        Self { feature: feature.into(), value }
    }
}

impl PartialEq for FeatureValue {
    fn eq(&self, other: &Self) -> bool {
        self.feature == other.feature && missing::same(self.value, other.value)
    }
}

/// One predicted value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prediction {
    /// What is predicted.
    pub prediction_type: PredictionType,
    /// The predicted value: a median, so as likely too high as too low.
    #[serde(with = "missing")]
    pub value: f64,
    /// Where the truth is meant to lie.
    pub interval: Interval,
    /// How far ahead of `timestamp` the value is predicted for.
    pub horizon: Span,
    /// The share of its recent intervals that held the truth; 0 until one could be checked.
    pub confidence: Probability,
    /// When the prediction was made: the time of the newest sample it knew.
    pub timestamp: Timestamp,
    /// The current values that the prediction started from, the most telling first.
    pub features: Vec<FeatureValue>,
    /// The feature that will set the value, where several may: of the performance score.
    #[serde(default)]
    pub driver: Option<String>,
    /// One sentence for a person.
    pub explanation: String,
    /// What to do about it; empty when nothing needs doing.
    pub recommendations: Vec<String>,
}

/// Equal if every part is, and the values are equal or missing in both.
impl PartialEq for Prediction {
    fn eq(&self, o: &Self) -> bool {
        self.prediction_type == o.prediction_type
            && missing::same(self.value, o.value)
            && self.interval == o.interval
            && self.horizon == o.horizon
            && self.confidence == o.confidence
            && self.timestamp == o.timestamp
            && self.features == o.features
            && self.driver == o.driver
            && self.explanation == o.explanation
            && self.recommendations == o.recommendations
    }
}

impl Prediction {
    /// A prediction with nothing yet said about why.
    #[must_use]
    pub fn new(
        prediction_type: PredictionType,
        value: f64,
        interval: Interval,
        horizon: Span,
        timestamp: Timestamp,
    ) -> Self {
        Self {
            prediction_type,
            value,
            interval,
            horizon,
            confidence: Probability::ZERO,
            timestamp,
            features: Vec::new(),
            driver: None,
            explanation: String::new(),
            recommendations: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_in_order_however_it_is_made() {
        let made = Interval::new(3.0, 1.0, Probability::ONE);
        assert!(made.contains(1.0) && made.contains(3.0) && !made.contains(3.1));
        let text = serde_json::to_string(&made).unwrap();
        assert_eq!(text, r#"{"lower":1.0,"upper":3.0,"level":1.0}"#);
        assert_eq!(serde_json::from_str::<Interval>(&text).unwrap(), made);
        let turned = r#"{"lower":3.0,"upper":1.0,"level":1.0}"#;
        assert!(
            serde_json::from_str::<Interval>(turned).unwrap_err().to_string().contains("above")
        );
    }

    #[test]
    fn a_bound_that_is_not_known_is_open_and_null() {
        let open = Interval::at_least(3.0, Probability::ONE);
        assert!(open.contains(3.0) && open.contains(1e9) && !open.contains(2.0));
        assert!(!open.contains(f64::NAN));
        let text = serde_json::to_string(&open).unwrap();
        assert_eq!(text, r#"{"lower":3.0,"upper":null,"level":1.0}"#);
        assert_eq!(serde_json::from_str::<Interval>(&text).unwrap(), open);
    }

    #[test]
    fn a_prediction_of_earlier_releases_is_still_read_and_one_without_a_value_is_null() {
        let kind = PredictionType::TimeToFull { feature: "f".into(), instance: "/var".into() };
        let open = Interval::at_least(3.0, Probability::ONE);
        let p = Prediction::new(kind, f64::NAN, open, Span::from_secs(9), Timestamp::default());
        let text = serde_json::to_string(&p).unwrap();
        let expected = r#"{"prediction_type":{"time_to_full":{"feature":"f","instance":"/var"}},"value":null,"#;
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(serde_json::from_str::<Prediction>(&text).unwrap(), p);
        let old = text.replace(r#""driver":null,"#, "");
        assert!(old.len() < text.len());
        assert_eq!(serde_json::from_str::<Prediction>(&old).unwrap(), p);
    }
}
