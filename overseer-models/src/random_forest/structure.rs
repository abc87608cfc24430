//! The trees of a forest without the rows they were grown on.

use super::RandomForest;
use super::trees::Trees;
use crate::file::{Reader, Writer};
use overseer_core::Result;

/// The trees of a [`RandomForest`]: they tell which leaves a row reaches, and nothing of what was learned there.
///
/// For callers that keep outcomes of their own for each leaf; see [`RandomForest::into_structure`].
#[derive(Debug, Clone)]
pub struct Structure(pub(super) Trees);

impl RandomForest {
    /// Gives up training targets, rows and means of the leaves; the trees and the numbers of their leaves stay.
    #[must_use]
    pub fn into_structure(self) -> Structure {
        Structure(self.trees)
    }
}

impl Structure {
    /// How many columns a row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.0.columns.len()
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.0.len()
    }

    /// How many leaves all trees have together.
    #[must_use]
    pub fn leaf_count(&self) -> usize {
        self.0.leaf_count()
    }

    /// As [`RandomForest::leaves`].
    ///
    /// # Errors
    /// As [`RandomForest::leaves`].
    pub fn leaves(&self, row: &[f64], leaves: &mut Vec<u32>) -> Result<()> {
        self.0.push_leaves(row, leaves)
    }

    /// Appends the structure to `w`, in the form of a forest's trees.
    pub fn write_to(&self, w: &mut Writer) {
        self.0.write_to(w);
    }

    /// Reads what [`Structure::write_to`] wrote, checking that no row can make it fail or never end.
    ///
    /// # Errors
    /// [`overseer_core::Error::is_corrupt`] if anything is out of range.
    pub fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        Trees::read_from(r).map(Self)
    }

    /// Reads the form that version 1 of stored forecasters held.
    ///
    /// # Errors
    /// [`overseer_core::Error::is_corrupt`] if anything is out of range.
    pub(crate) fn read_version_1(r: &mut Reader<'_>) -> Result<Self> {
        super::store_v1::read(r)
    }
}
