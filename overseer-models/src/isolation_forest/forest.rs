//! The fitted forest and its scores.

use super::layout::{Scratch, Trees};
use super::path::AVERAGE;
use crate::walk::Columns;
use ndarray::ArrayView2;
use overseer_core::{Error, Result};

/// A fitted isolation forest, which says of any row how easily it is separated from those it was fitted on.
#[derive(Debug, Clone, PartialEq)]
pub struct IsolationForest {
    pub(super) columns: Columns,
    /// Of how many columns beyond the first a split may be made.
    pub(super) extension_level: usize,
    /// How many trees were ever grown for it; the oldest were replaced.
    pub(super) grown: u64,
    /// The oldest first.
    pub(super) trees: Trees,
}

impl IsolationForest {
    /// How many features a row has.
    #[must_use]
    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// How many columns beyond the first a split may look at: 0 unless hyperplanes were
    /// [asked for](super::IsolationForestBuilder::extension_level).
    #[must_use]
    pub fn extension_level(&self) -> usize {
        self.extension_level
    }

    /// How many bytes of memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        Self::bytes_without_trees(self.features()) + self.trees.bytes()
    }

    pub(super) fn bytes_without_trees(features: usize) -> usize {
        size_of::<Self>() + size_of::<f64>() * features
    }

    /// The score of one row, between 0 and 1 exclusive: about 0.5 or less for a row like the others, towards 1 for one
    /// that few splits separate. It is 0.5 for every row if the forest saw but one row or only equal ones.
    ///
    /// A value beyond all training values scores as the outermost of them.
    ///
    /// # Errors
    /// If the row has another number of values ([`Error::is_schema_mismatch`]) or an infinite one.
    pub fn score(&self, row: &[f64]) -> Result<f64> {
        self.check_width(row.len())?;
        self.trees
            .path(&self.columns, row)
            .map(|path| self.score_of(path))
            .map_err(|column| infinite(0, column))
    }

    /// The scores of all rows into `out`, which is cleared first; each is what [`IsolationForest::score`] says.
    ///
    /// # Errors
    /// As [`IsolationForest::score`]; an infinite value is named by its row and column, counted from 0. Nothing is in
    /// `out` then.
    pub fn score_rows(&self, rows: ArrayView2<'_, f64>, out: &mut Vec<f64>) -> Result<()> {
        out.clear();
        self.check_width(rows.ncols())?;
        let rows = rows.as_standard_layout();
        let values = rows.as_slice().unwrap_or_default();
        out.resize(rows.nrows(), 0.0);
        let found = self.score_blocks(values, out);
        found.map_err(|(row, column)| {
            out.clear();
            infinite(row, column)
        })
    }

    /// The scores of rows that lie one after another; else the place of the first infinite value.
    #[cfg(not(feature = "rayon"))]
    fn score_blocks(&self, values: &[f64], out: &mut [f64]) -> Result<(), (usize, usize)> {
        let (d, block) = (self.features(), Trees::block(&self.columns));
        let mut scratch = self.trees.scratch(&self.columns, block.min(out.len()));
        for (number, (values, out)) in
            values.chunks(block * d).zip(out.chunks_mut(block)).enumerate()
        {
            self.score_block(number * block, values, out, &mut scratch)?;
        }
        Ok(())
    }

    /// The scores of rows that lie one after another; else the place of the first infinite value.
    #[cfg(feature = "rayon")]
    fn score_blocks(&self, values: &[f64], out: &mut [f64]) -> Result<(), (usize, usize)> {
        use rayon::prelude::*;
        let (d, block) = (self.features(), Trees::block(&self.columns));
        let rows = block.min(out.len());
        let scratch = || self.trees.scratch(&self.columns, rows);
        values
            .par_chunks(block * d)
            .zip(out.par_chunks_mut(block))
            .enumerate()
            .map_init(scratch, |scratch, (number, (values, out))| {
                self.score_block(number * block, values, out, scratch)
            })
            .find_first(Result::is_err)
            .unwrap_or(Ok(()))
    }

    fn score_block(
        &self,
        first: usize,
        values: &[f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    ) -> Result<(), (usize, usize)> {
        let totals = self.trees.paths(&self.columns, values, scratch);
        let totals = totals.map_err(|(row, column)| (first + row, column))?;
        for (out, &total) in out.iter_mut().zip(totals) {
            *out = self.score_of(total);
        }
        Ok(())
    }

    /// The paper's score, from the sum over the trees of a row's path.
    fn score_of(&self, path: u64) -> f64 {
        (-(path as f64) / (AVERAGE * self.trees.len() as f64)).exp2()
    }

    pub(super) fn check_width(&self, found: usize) -> Result<()> {
        if found == self.features() {
            return Ok(());
        }
        let expected = format!("{} values", self.features());
        Err(Error::schema_mismatch(expected, format!("{found} values")))
    }
}

/// The error of an infinite value.
pub(super) fn infinite(row: usize, column: usize) -> Error {
    Error::invalid_value(format!("row {row}, column {column}"), "the value is infinite")
}
