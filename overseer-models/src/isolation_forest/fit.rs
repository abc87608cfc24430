//! Fitting: checks, budget and growing.

use super::by_column::ByColumn;
use super::by_plane::ByPlane;
use super::forest::IsolationForest;
use super::grow::Growth;
use super::layout::{PlainTrees, Trees};
use super::rows::{Rows, learn_columns};
use super::sample::Source;
use super::tree::Shape;
use super::{IsolationForestBuilder, IsolationForestParams};
use crate::walk::Columns;
use ndarray::ArrayView2;
use overseer_core::{Error, Result};
use std::ops::Range;

impl IsolationForestParams {
    /// Grows a forest on `rows`, one sample a row and one feature a column; NaN is missing.
    ///
    /// # Errors
    /// If there is no row or no column ([`Error::is_not_enough_data`]), or a value is infinite, which names its row
    /// and column counted from 0. If a parameter cannot be kept with so many columns ([`Error::is_invalid_input`]):
    /// the extension level must be below their number, a single tree must fit the byte budget, and a million rows a
    /// tree go with some 500 columns at most.
    pub fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<IsolationForest> {
        let rows = Rows::check(&rows)?;
        let columns = learn_columns(rows.values(), rows.d);
        let grown = self.affordable(&rows, self.0.trees, Shape::default)? as u64;
        let plain = self.grow(&rows, &columns, 0..grown);
        let trees = Trees::lay_out(&columns, &plain)?;
        Ok(IsolationForest { columns, extension_level: self.0.extension_level, grown, trees })
    }

    /// How many columns a split looks at.
    pub(super) fn width(&self) -> usize {
        self.0.extension_level + 1
    }

    /// Grows the trees of these numbers.
    pub(super) fn grow(
        &self,
        rows: &Rows<'_>,
        columns: &Columns,
        numbers: Range<u64>,
    ) -> PlainTrees {
        let IsolationForestBuilder { min_span, seed, .. } = self.0;
        let Shape { rows: sample_size, depth: max_depth } = self.shape(rows);
        let source = Source::new(rows.values(), columns, sample_size);
        let growth = Growth { source: &source, sample_size, max_depth, seed };
        if self.width() == 1 {
            PlainTrees::ByColumn(growth.trees(numbers, || ByColumn::new(sample_size, min_span)))
        } else {
            let cutter = || ByPlane::new(self.width(), rows.d, sample_size, min_span);
            PlainTrees::ByPlane(growth.trees(numbers, cutter))
        }
    }

    /// How large trees may be.
    fn shape(&self, rows: &Rows<'_>) -> Shape {
        let size = self.0.sample_size.min(rows.n);
        let balanced = size.next_power_of_two().trailing_zeros().max(1) as usize;
        Shape { rows: size, depth: self.0.max_depth.unwrap_or(balanced) }
    }

    /// How many of `wanted` trees the byte budget allows, whatever their rows turn out to be, with others `among` them.
    pub(super) fn affordable(
        &self,
        rows: &Rows<'_>,
        wanted: usize,
        among: impl FnOnce() -> Shape,
    ) -> Result<usize> {
        let d = rows.d;
        if self.width() > d {
            let level = self.0.extension_level;
            let message = format!("must be below the {d} columns, was {level}");
            return Err(Error::invalid_parameter("extension_level", message));
        }
        if self.shape(rows).rows > u32::MAX as usize / d {
            let message = format!("is too large for {d} columns");
            return Err(Error::invalid_parameter("sample_size", message));
        }
        let Some(budget) = self.0.max_bytes else { return Ok(wanted) };
        let each = Trees::most_bytes(d, self.width(), self.shape(rows).or_more(among()));
        let rest = IsolationForest::bytes_without_trees(d);
        let most = budget.saturating_sub(rest) / each;
        if most == 0 {
            let message = format!("must be {} or more for one tree, was {budget}", rest + each);
            return Err(Error::invalid_parameter("max_bytes", message));
        }
        Ok(wanted.min(most))
    }
}
