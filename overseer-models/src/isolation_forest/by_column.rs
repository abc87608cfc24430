//! Splits by one column each, as in the original forest.

use super::divide::{Division, divide, draw_between};
use super::draw::below;
use super::grow::{Cutter, Front};
use super::sample::Sample;
use super::tree::{ColumnSplit, Term};
use crate::walk::Columns;
use rand_pcg::Pcg64Mcg;

/// Divides a node's rows by a column drawn among those that vary there, at a threshold drawn evenly between the least
/// and the greatest value.
#[derive(Debug)]
pub(super) struct ByColumn {
    min_span: f64,
    /// The values of a node's rows in the column drawn.
    numbers: Vec<f32>,
}

impl ByColumn {
    /// For samples of so many rows.
    pub(super) fn new(sample_size: usize, min_span: f64) -> Self {
        Self { min_span, numbers: vec![0.0; sample_size] }
    }
}

impl Cutter for ByColumn {
    type Split = ColumnSplit;

    fn cut(
        &mut self,
        sample: &Sample<'_>,
        rows: &mut [u32],
        front: &mut Front<'_>,
        rng: &mut Pcg64Mcg,
        _terms: &mut Vec<Term>,
    ) -> Option<(ColumnSplit, usize)> {
        let numbers = &mut self.numbers[..rows.len()];
        while front.varying > 0 {
            let at = below(rng, front.varying);
            let column = front.columns[at] as usize;
            let extent = sample.look(column, rows, numbers);
            if !extent.varies(self.min_span) {
                front.drop_constant(at);
                continue;
            }
            let threshold = draw_between(extent, rng);
            let Division { middle, missing_right } =
                divide(numbers, rows, threshold, sample.some_missing());
            let slot = sample.columns().slot(column, missing_right) as u32;
            return Some((ColumnSplit { slot, threshold: Columns::key_at(threshold) }, middle));
        }
        None
    }
}
