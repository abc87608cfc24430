//! What each part of the detector is worth: the same measurement without it.

use crate::data::Entry;
use crate::measure::{Causality, Results, measure};
use overseer_engine::core::Result;
use overseer_engine::host;
use overseer_engine::host::models::detector::{Branch, ForestDetectorTrainer};

/// A detector that differs from the shipped one in one thing.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What is different.
    pub name: String,
    /// How it is trained.
    pub trainer: ForestDetectorTrainer,
}

/// Another seed than the shipped detector's.
const SEED: u64 = 1;

/// Limits of the detector's memory, in thousands of bytes: 38 features need at least 1,432 of them. Without a limit the
/// host's 13 features take 1,900, and more features more.
const MEMORY: [usize; 2] = [2000, 1500];

/// What is tried, the shipped detector first. The second differs in nothing but chance, which tells how much the
/// figures of the others owe to it.
///
/// # Errors
/// If a variant's parameters are refused.
pub fn variants() -> Result<Vec<Variant>> {
    let other = ForestDetectorTrainer::builder().seed(SEED);
    let shipped = host::detector_builder();
    let variant = |name: &str, trainer| Variant { name: name.to_owned(), trainer };
    let mut variants = vec![
        variant("as shipped", host::detector_trainer()?),
        variant("another seed", other.build()?),
        variant("10 trees instead of 100", shipped.clone().trees(10).build()?),
        variant("200 trees", shipped.clone().trees(200).build()?),
    ];
    for branch in Branch::ALL {
        let trainer = shipped.clone().without(branch).build()?;
        variants.push(variant(&format!("without {branch}"), trainer));
    }
    for limit in MEMORY {
        let trainer = shipped.clone().max_bytes(1000 * limit).build()?;
        variants.push(variant(&format!("within {limit} kB of memory"), trainer));
    }
    Ok(variants)
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
