//! Why a row scores as it does.

use super::forest::{IsolationForest, infinite};
use super::path::AVERAGE;
use overseer_core::Result;

impl IsolationForest {
    /// How much each feature adds to the score of a row, into `out`; positive pushes towards anomalous. It takes about
    /// as long as two scores.
    ///
    /// Following the row down each tree, a split is credited with how much it shortened the path length to be expected
    /// (A. Saabas, *Interpreting random forests*, 2014, for path lengths). In units of the average path and averaged
    /// over the trees, so that the contributions add up to how much shorter the row's path is than an average training
    /// row's.
    ///
    /// Features share the credit of a hyperplane in proportion to how far each moved the row along the plane's normal,
    /// from a typical value of the feature; where values are missing, it is those that share it.
    ///
    /// # Errors
    /// As [`IsolationForest::score`], also if `out` has not one place per feature ([`is_schema_mismatch`](overseer_core::Error::is_schema_mismatch)).
    pub fn contributions(&self, row: &[f64], out: &mut [f64]) -> Result<()> {
        self.check_width(row.len())?;
        self.check_width(out.len())?;
        self.trees.credits(&self.columns, row, out).map_err(|column| infinite(0, column))?;
        let whole = AVERAGE * self.trees.len() as f64;
        out.iter_mut().for_each(|v| *v /= whole);
        Ok(())
    }
}
