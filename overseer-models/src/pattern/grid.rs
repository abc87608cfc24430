//! Values on an even grid of time, as everything about rhythm needs them.

use overseer_core::{Span, Timestamp};

/// Longer grids are averaged down to at most this many cells, so that an analysis costs the same for any window.
pub(super) const MOST_CELLS: usize = 2000;

/// Grids up to this, and up to twice this, cost less.
pub(super) const FEW_CELLS: usize = 512;

/// Values on an even grid; NaN where nothing was measured.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) cells: Vec<f64>,
    /// Time between cells in milliseconds.
    pub(super) step_ms: f64,
    /// Whether cells stand for times; otherwise each value just follows the one before.
    pub(super) is_timed: bool,
    /// The cell that each value was laid in.
    pub(super) places: Vec<usize>,
}

impl Grid {
    /// Lays values on a grid of `step`; several in one cell are averaged. `None` if the step is zero.
    ///
    /// Where the times are so uneven that the grid would be mostly empty, values count as evenly spaced.
    pub(super) fn new(times: &[Timestamp], values: &[f64], step: Span) -> Option<Self> {
        let first = *times.first()?;
        let step_ms = step.as_millis() as f64;
        if step_ms <= 0.0 {
            return None;
        }
        let millis = |t: &Timestamp| t.since(first).as_millis() as f64;
        let mut places: Vec<f64> = times.iter().map(|t| millis(t) / step_ms).collect();
        let length = places.last().copied().unwrap_or(0.0);
        let is_timed = length <= 4.0 * times.len() as f64;
        if !is_timed {
            places = (0..times.len()).map(|i| i as f64).collect();
        }
        let length = places.last().map_or(0, |p| p.round() as usize + 1);
        let factor = length.div_ceil(MOST_CELLS).max(1);
        let size = length.div_ceil(factor);
        let mut cells = vec![0.0; size];
        let mut counts = vec![0_u32; size];
        let places: Vec<usize> = places.iter().map(|p| p.round() as usize / factor).collect();
        for (&cell, value) in places.iter().zip(values) {
            if let (Some(sum), Some(count)) = (cells.get_mut(cell), counts.get_mut(cell)) {
                *sum += value;
                *count += 1;
            }
        }
        for (cell, count) in cells.iter_mut().zip(counts) {
            *cell = if count == 0 { f64::NAN } else { *cell / f64::from(count) };
        }
        Some(Self { cells, step_ms: step_ms * factor as f64, is_timed, places })
    }
}

/// The median time from one row to the next that is later; zero if all are of one moment.
pub(super) fn median_step(times: &[Timestamp]) -> Span {
    let mut steps: Vec<i64> =
        times.windows(2).map(|w| w[1].since(w[0]).as_millis()).filter(|&step| step > 0).collect();
    let middle = steps.len() / 2;
    if steps.is_empty() {
        return Span::default();
    }
    Span::from_millis(*steps.select_nth_unstable(middle).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: &[i64]) -> Vec<Timestamp> {
        millis.iter().map(|&m| Timestamp::from_millis(m)).collect()
    }

    #[test]
    fn gaps_are_missing_and_jitter_is_rounded_away() {
        let times = at(&[0, 1010, 1990, 5000, 5100]);
        assert_eq!(median_step(&times), Span::from_millis(1010));
        let g = Grid::new(&times, &[1.0, 2.0, 3.0, 4.0, 6.0], Span::from_secs(1)).unwrap();
        assert_eq!(g.cells[..3], [1.0, 2.0, 3.0]);
        assert!(g.cells[3].is_nan() && g.cells[4].is_nan());
        assert_eq!(g.cells[5], 5.0);
    }

    #[test]
    fn long_grids_are_averaged_and_hopeless_ones_taken_as_even() {
        let times: Vec<_> = (0..6000).map(|i| Timestamp::from_millis(1000 * i)).collect();
        let values: Vec<f64> = (0..6000).map(f64::from).collect();
        let g = Grid::new(&times, &values, Span::from_secs(1)).unwrap();
        assert_eq!((g.cells.len(), g.step_ms, g.cells[1]), (2000, 3000.0, 4.0));
        let g = Grid::new(&at(&[0, 1, 2, i64::MAX]), &[1.0, 2.0, 3.0, 4.0], Span::from_millis(1));
        assert_eq!(g.unwrap().cells, [1.0, 2.0, 3.0, 4.0]);
        assert!(Grid::new(&at(&[5, 5]), &[1.0, 2.0], Span::default()).is_none());
    }
}
