//! Analyses that say what shape a feature has.

use crate::{Frame, PatternAnalysis, Result};
use std::fmt;

/// Finds trends, rhythms and breaks in a window.
pub trait PatternAnalyzer: Send + fmt::Debug {
    /// Analyses one column of the window; `None` if it has too few known values to say anything.
    ///
    /// # Errors
    /// If there is no such column.
    fn analyze_column(&self, window: &Frame, column: usize) -> Result<Option<PatternAnalysis>>;

    /// Analyses every column that has enough known values.
    ///
    /// # Errors
    /// As [`PatternAnalyzer::analyze_column`].
    fn analyze(&self, window: &Frame) -> Result<Vec<PatternAnalysis>> {
        let mut found = Vec::new();
        for column in 0..window.schema().len() {
            found.extend(self.analyze_column(window, column)?);
        }
        Ok(found)
    }
}
