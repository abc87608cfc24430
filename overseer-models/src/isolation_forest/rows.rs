//! What is looked at in all rows before any tree is grown: that they can be used, and where their values lie.

use super::forest::infinite;
use crate::stats;
use crate::walk::Columns;
use ndarray::{ArrayView2, CowArray, Ix2};
use overseer_core::{Error, Result};

/// So many rows, evenly spread, say where a column's values are to be found.
const LOOKED_AT: usize = 63;

/// Rows that were checked: there are some, and no value is infinite.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    values: CowArray<'a, f64, Ix2>,
    pub(super) n: usize,
    pub(super) d: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn check(rows: &'a ArrayView2<'_, f64>) -> Result<Self> {
        let (n, d) = rows.dim();
        if n.min(d) == 0 {
            return Err(Error::not_enough_data("an isolation forest", 1, 0));
        }
        let checked = Self { values: rows.as_standard_layout(), n, d };
        match first_infinite(checked.values(), d) {
            Some((row, column)) => Err(infinite(row, column)),
            None => Ok(checked),
        }
    }

    /// Row after row.
    pub(super) fn values(&self) -> &[f64] {
        self.values.as_slice().unwrap_or_default()
    }
}

/// The row and column of the first infinite value among rows of `d` values each.
pub(super) fn first_infinite(values: &[f64], d: usize) -> Option<(usize, usize)> {
    // The largest magnitude of every eighth value, which is found without branches. NaN is never the larger one.
    let mut largest = [0.0_f64; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (largest, value) in largest.iter_mut().zip(chunk) {
            let magnitude = value.abs();
            *largest = if magnitude > *largest { magnitude } else { *largest };
        }
    }
    if largest.iter().chain(rest).all(|v| !v.is_infinite()) {
        return None;
    }
    values.iter().position(|v| v.is_infinite()).map(|at| (at / d, at % d))
}

/// Columns whose origins are typical values of theirs: the median of some known ones.
pub(super) fn learn_columns(values: &[f64], d: usize) -> Columns {
    let n = values.len() / d;
    let looked_at = n.min(LOOKED_AT);
    let origin = |column: usize| {
        let value = |row: usize| values[row * d + column];
        let known = stats::sorted_known((0..looked_at).map(|i| value(i * n / looked_at)));
        // Of a column that is rarely known, any known value will do.
        let any = || (0..n).map(value).find(|v| !v.is_nan()).unwrap_or(0.0);
        known.get(known.len() / 2).copied().unwrap_or_else(any)
    };
    Columns::new((0..d).map(origin).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infinite_value_is_found_wherever_it_is() {
        for at in 0..30 {
            let mut values = [f64::MAX; 30];
            values[(at + 7) % 30] = f64::NAN;
            assert_eq!(first_infinite(&values, 3), None);
            values[at] = f64::NEG_INFINITY;
            values[29] = f64::INFINITY;
            assert_eq!(first_infinite(&values, 3), Some((at / 3, at % 3)));
        }
    }

    #[test]
    fn origins_are_known_values_near_the_others() {
        let nan = f64::NAN;
        let mut values = vec![nan; 3 * 500];
        for row in 0..500 {
            values[3 * row] = 1e9 + row as f64;
        }
        values[3 * 499 + 1] = 7.0;
        let columns = learn_columns(&values, 3);
        assert!((1e9 + 240.0..1e9 + 260.0).contains(&columns.origins()[0]));
        assert_eq!(columns.origins()[1..], [7.0, 0.0]);
    }
}
