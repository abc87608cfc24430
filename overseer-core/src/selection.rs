//! How a model was chosen among candidates, and by how much.

use crate::{Quality, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The outcome of a contest of forecasters over a host's own history.
///
/// Losses are shares of the simplest candidate's, so that units cancel: 1 is as good as repeating the last value, 0.8
/// is a fifth better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Selection {
    /// When the contest ended.
    pub at: Timestamp,
    /// The name of the candidate that is used from now on.
    pub chosen: String,
    /// The name of the one that is used if nothing is better beyond noise.
    pub default: String,
    /// The name of the one that every other is measured by.
    pub simplest: String,
    /// By how much of the simplest one's loss the chosen one is better; negative if it is worse, NaN if not known.
    pub margin: Quality,
    /// The standard error of the margin.
    pub margin_error: Quality,
    /// What decided the order in which stretches of the history were forecast.
    pub seed: u64,
    /// How many rows of history there were.
    pub rows: usize,
    /// First and last time of those rows.
    pub span: (Timestamp, Timestamp),
    /// How many steps ahead was forecast.
    pub horizon: usize,
    /// How many stretches the last candidates were forecast on.
    pub folds: usize,
    /// How many rounds were completed.
    pub rungs: usize,
    /// Why there was not another round.
    pub end: SelectionEnd,
    /// Every candidate, the best first: those that lasted longer before those that left earlier.
    pub leaderboard: Vec<Standing>,
}

/// Why a contest ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SelectionEnd {
    /// All planned rounds were run.
    Completed,
    /// Further rounds could not change the choice: what is apart is apart beyond noise.
    Decided,
    /// Time or work ran out, or somebody stopped it; only completed rounds count.
    Stopped,
}

/// How one candidate did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Standing {
    /// The candidate's name.
    pub name: String,
    /// What it was built with, for people.
    pub parameters: BTreeMap<String, String>,
    /// Mean loss as a share of the simplest candidate's on the same rows; NaN if there is none.
    pub loss: Quality,
    /// The standard error of that.
    pub error: Quality,
    /// By how much its loss is below the default's on the same rows, in the unit of `loss`.
    pub gain: Quality,
    /// The standard error of the gain.
    pub gain_error: Quality,
    /// Whether the gain is beyond noise, many candidates having been tried.
    pub better: bool,
    /// How many rounds it took part in to their end.
    pub rungs: usize,
    /// How many stretches of the history it was forecast on.
    pub folds: usize,
    /// Why it dropped out, if it failed.
    pub failed: Option<String>,
}

impl Selection {
    /// A choice of which nothing but the names is known; the public fields take the rest.
    pub fn new(
        chosen: impl Into<String>,
        default: impl Into<String>,
        simplest: impl Into<String>,
    ) -> Self {
        let (unknown, never) = (Quality(f64::NAN), Timestamp::default());
        Self {
            at: never,
            chosen: chosen.into(),
            default: default.into(),
            simplest: simplest.into(),
            margin: unknown,
            margin_error: unknown,
            seed: 0,
            rows: 0,
            span: (never, never),
            horizon: 0,
            folds: 0,
            rungs: 0,
            end: SelectionEnd::Completed,
            leaderboard: Vec::new(),
        }
    }

    /// Whether something else than the default was chosen.
    #[must_use]
    pub fn is_other(&self) -> bool {
        self.chosen != self.default
    }

    /// How the candidate of this name did.
    #[must_use]
    pub fn standing(&self, name: &str) -> Option<&Standing> {
        self.leaderboard.iter().find(|s| s.name == name)
    }
}

impl Standing {
    /// A candidate that was not measured yet; the public fields take the rest.
    pub fn new(name: impl Into<String>) -> Self {
        let unknown = Quality(f64::NAN);
        Self {
            name: name.into(),
            parameters: BTreeMap::new(),
            loss: unknown,
            error: unknown,
            gain: unknown,
            gain_error: unknown,
            better: false,
            rungs: 0,
            folds: 0,
            failed: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModelKind, ModelMetadata};

    #[test]
    fn a_choice_is_part_of_what_is_known_of_a_model_and_old_metadata_has_none() {
        let mut metadata = ModelMetadata::new("m", ModelKind::Forecaster, "random forest");
        let without = serde_json::to_string(&metadata).unwrap();
        assert!(
            !without.contains("selection"),
            "what was not chosen says nothing of it: {without}"
        );
        assert_eq!(serde_json::from_str::<ModelMetadata>(&without).unwrap(), metadata);

        let mut selection = Selection::new("b", "a", "c");
        selection.leaderboard = vec![Standing::new("b"), Standing::new("a")];
        selection.leaderboard[1].failed = Some("too few rows".to_owned());
        assert!(selection.is_other());
        assert_eq!(selection.standing("a"), Some(&selection.leaderboard[1]));
        metadata.selection = Some(selection);
        let with = serde_json::to_string(&metadata).unwrap();
        assert!(with.contains("\"margin\":null"), "not known is null: {with}");
        assert_eq!(serde_json::from_str::<ModelMetadata>(&with).unwrap(), metadata);
    }
}
