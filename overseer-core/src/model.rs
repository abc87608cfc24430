//! What is known about a fitted model besides the model.

use crate::{Selection, Timestamp, missing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a stored model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelKind {
    /// Turns samples into scores.
    Detector,
    /// Turns history into future values.
    Forecaster,
}

impl ModelKind {
    /// The word used in tables and file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Forecaster => "forecaster",
        }
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was trained, when, on what, and how good it proved on data it had not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelMetadata {
    /// The name a model is stored and replaced under, such as `detector` or `performance_score`.
    pub name: String,
    /// What it does.
    pub kind: ModelKind,
    /// The algorithm in the papers' words, such as `isolation forest`.
    pub algorithm: String,
    /// When training ended.
    pub trained_at: Timestamp,
    /// First and last time of the rows it saw.
    pub trained_on: (Timestamp, Timestamp),
    /// How many rows it saw.
    pub rows: usize,
    /// The time between those rows in milliseconds.
    pub interval_ms: i64,
    /// How long training took, in milliseconds; NaN if that is not known.
    #[serde(with = "missing")]
    pub duration_ms: f64,
    /// Whether it learned from the fast samples of a first run only and is to be replaced soon.
    pub provisional: bool,
    /// [`crate::Schema::fingerprint`] of what it was trained on.
    pub schema_fingerprint: u64,
    /// Size of the stored model in bytes.
    pub bytes: usize,
    /// Measures of quality on held-back data, by name, such as `flagged_share` or `mae_ratio_to_last_value`.
    pub quality: BTreeMap<String, Quality>,
    /// How it was chosen among others; `None` if nobody chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
}

/// One measure of quality.
///
/// Two measures that could not be taken (NaN) are equal.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quality(#[serde(with = "missing")] pub f64);

impl PartialEq for Quality {
    fn eq(&self, other: &Self) -> bool {
        missing::same(self.0, other.0)
    }
}

impl ModelMetadata {
    /// Metadata with nothing but its name, kind and algorithm known; the public fields take the rest.
    pub fn new(name: impl Into<String>, kind: ModelKind, algorithm: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
            algorithm: algorithm.into(),
            trained_at: Timestamp::default(),
            trained_on: (Timestamp::default(), Timestamp::default()),
            rows: 0,
            interval_ms: 0,
            duration_ms: 0.0,
            provisional: false,
            schema_fingerprint: 0,
            bytes: 0,
            quality: BTreeMap::new(),
            selection: None,
        }
    }

    /// Adds or replaces a measure of quality.
    pub fn set_quality(&mut self, measure: impl Into<String>, value: f64) {
        self.quality.insert(measure.into(), Quality(value));
    }
}
