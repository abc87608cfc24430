//! What each part of the detector is worth: the same measurement without it.

use crate::data::Entry;
use crate::measure::{Causality, Results, measure};
use overseer_engine::core::Result;
use overseer_engine::host;
use overseer_engine::host::models::detector::ForestDetectorTrainer;

/// A detector that differs from the shipped one in one thing.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What is different.
    pub name: String,
    /// How it is trained.
    pub trainer: ForestDetectorTrainer,
}

/// What is tried, the shipped detector first.
///
/// # Errors
/// If a variant's parameters are refused.
pub fn variants() -> Result<Vec<Variant>> {
    Ok(vec![Variant { name: "as shipped".to_owned(), trainer: host::detector_trainer()? }])
}

/// Measures each variant on the same series.
///
/// # Errors
/// As [`measure`].
pub fn ablate(entries: &[Entry], variants: &[Variant]) -> Result<Vec<(String, Results)>> {
    variants
        .iter()
        .map(|v| Ok((v.name.clone(), measure(entries, &v.trainer, Causality::Assume)?)))
        .collect()
}
