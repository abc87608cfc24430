//! Whether a sample is unusual, how much, and by which features.

use crate::{Probability, Timestamp, missing};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much an anomaly matters: rarity joined with impact.
///
/// Medium when the p-value passes the alarm budget's threshold, high at a tenth of it, critical at a hundredth. On
/// the host's schema a peak utilisation under 0.5 caps it at medium, and CPU, memory and load all at 0.95 or more is
/// critical whatever was learned.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing unusual.
    #[default]
    None,
    /// Rare enough to spend some of the alarm budget.
    Medium,
    /// Ten times rarer.
    High,
    /// A hundred times rarer, or the host is saturated.
    Critical,
}

impl Severity {
    /// The lower-case word used on the command line, in tables and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity called `word`, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|s| s.as_str() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a feature has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// Far off for a row or a few, or only just now.
    Spike,
    /// At another level, and staying there.
    Level,
    /// On its way up or down, row after row.
    Trend,
    /// Around where it was, but varying by more or less than usual.
    Variance,
    /// At values of its own usual range that do not go with those of the other features.
    CorrelationBroken,
    /// The same value for longer than it ever stayed the same.
    Frozen,
    /// At values of its own usual range, at a time of day when they are not usual.
    SeasonalSurprise,
    /// Without a value, where there usually is one.
    Missing,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Spike,
        Self::Level,
        Self::Trend,
        Self::Variance,
        Self::CorrelationBroken,
        Self::Frozen,
        Self::SeasonalSurprise,
        Self::Missing,
    ];

    /// The kind in plain words: `correlation broken`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Level => "level",
            Self::Trend => "trend",
            Self::Variance => "variance",
            Self::CorrelationBroken => "correlation broken",
            Self::Frozen => "frozen",
            Self::SeasonalSurprise => "seasonal surprise",
            Self::Missing => "missing",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one feature had to do with a score.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeatureEvidence {
    /// The feature's name.
    pub feature: String,
    /// What was seen, in the feature's unit; NaN if it was missing.
    #[serde(with = "missing")]
    pub observed: f64,
    /// The range it usually keeps, from the model that scored; NaN bounds if none was learned.
    #[serde(with = "missing::pair")]
    pub expected: (f64, f64),
    /// Its share of the score, 0–1; the shares of all features add up to at most 1.
    pub contribution: f64,
    /// How it has changed; `None` where nothing has, or the detector does not say.
    #[serde(default)]
    pub kind: Option<ChangeKind>,
    /// The first row of that change, as far as the detector can tell; `None` where it does not say.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

impl FeatureEvidence {
    /// A feature's evidence.
    pub fn new(
        feature: impl Into<String>,
        observed: f64,
        expected: (f64, f64),
        contribution: f64,
    ) -> Self {
        let (kind, since) = (None, None);
        Self { feature: feature.into(), observed, expected, contribution, kind, since }
    }

    /// The same with how the feature has changed, and since when.
    #[must_use]
    pub fn changed(mut self, kind: ChangeKind, since: Option<Timestamp>) -> Self {
        self.kind = Some(kind);
        self.since = since;
        self
    }

    /// Whether the observed value lies outside the expected range; a missing value does not.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.observed < self.expected.0 || self.observed > self.expected.1
    }
}

impl PartialEq for FeatureEvidence {
    fn eq(&self, o: &Self) -> bool {
        self.feature == o.feature
            && missing::same(self.observed, o.observed)
            && missing::same(self.expected.0, o.expected.0)
            && missing::same(self.expected.1, o.expected.1)
            && missing::same(self.contribution, o.contribution)
            && self.kind == o.kind
            && self.since == o.since
    }
}

/// The state of a host at one time: unusual or not, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnomalyDetection {
    /// Whether the severity is not none: a state, not an alert.
    pub is_anomaly: bool,
    /// Rarity joined with impact.
    pub severity: Severity,
    /// The share of held-back normal samples that score lower, times the model's readiness.
    pub confidence: Probability,
    /// When the sample was taken.
    pub timestamp: Timestamp,
    /// The features that made the score, the largest contribution first.
    pub features: Vec<FeatureEvidence>,
    /// One sentence for a person.
    pub description: String,
    /// What that person could do, most useful first.
    pub suggested_actions: Vec<String>,
    /// 0–1, higher is more anomalous, comparable between hosts.
    pub score: f64,
    /// Calibrated on normal data: the share of normal samples that score at least this high.
    #[serde(with = "missing")]
    pub p_value: f64,
    /// When earlier events began that were made by about the same features in the same direction, newest first. Known
    /// of what was just found only: it is not stored.
    #[serde(default)]
    pub similar: Vec<Timestamp>,
}

impl AnomalyDetection {
    /// A detection of `severity`, with nothing yet said about why.
    #[must_use]
    pub fn new(timestamp: Timestamp, severity: Severity, score: f64, p_value: f64) -> Self {
        Self {
            is_anomaly: severity != Severity::None,
            severity,
            confidence: Probability::ZERO,
            timestamp,
            features: Vec::new(),
            description: String::new(),
            suggested_actions: Vec::new(),
            score,
            p_value,
            similar: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_earlier_releases_are_read_and_kinds_are_words() {
        let old = r#"{"feature":"cpu","observed":null,"expected":[0.1,null],"contribution":0.5}"#;
        let read: FeatureEvidence = serde_json::from_str(old).unwrap();
        assert_eq!(read, FeatureEvidence::new("cpu", f64::NAN, (0.1, f64::NAN), 0.5));
        for kind in ChangeKind::ALL {
            let word = serde_json::to_string(&kind).unwrap();
            assert_eq!(word, format!("\"{}\"", kind.as_str().replace(' ', "_")));
            let since = Some(Timestamp::from_millis(7));
            let text = serde_json::to_string(&read.clone().changed(kind, since)).unwrap();
            let again: FeatureEvidence = serde_json::from_str(&text).unwrap();
            assert_eq!((again.kind, again.since), (Some(kind), since));
        }
    }
}
