//! What each part of the forecaster is worth: the same measurement without it.

use overseer_engine::core::Result;
use overseer_engine::host;
use overseer_engine::host::models::forecaster::{ExpertSet, ForestForecasterTrainer};

/// A forecaster that differs from the shipped one in one thing.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What is different.
    pub name: &'static str,
    /// How it is fitted.
    pub trainer: ForestForecasterTrainer,
}

/// Another seed than the shipped forecaster's.
const SEED: u64 = 1;

/// What is tried, the shipped forecaster first. The second differs in nothing but chance, which tells how much the
/// figures of the others owe to it.
///
/// # Errors
/// If a variant's parameters are refused.
pub fn variants() -> Result<Vec<Variant>> {
    let shipped = host::forecaster_builder;
    [
        ("as shipped", shipped()),
        ("another seed", shipped().seed(SEED)),
        ("without the other metrics of the machine", shipped().other_features(false)),
        ("without the time of day and of the hour", shipped().clock(false)),
        ("with 3 lags instead of 10", shipped().lags(3)),
        ("the forest alone: without the last value, medians and quantiles of the past", {
            shipped().experts(ExpertSet::Analogues)
        }),
        ("without the forest", shipped().experts(ExpertSet::Rules).trees(1)),
    ]
    .into_iter()
    .map(|(name, builder)| Ok(Variant { name, trainer: builder.build()? }))
    .collect()
}
