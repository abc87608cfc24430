//! Which horizons are predicted directly, and how the steps between them follow.

/// The grid up to 120; from there on it goes on in the proportions 1, 1.5, 2 between doublings.
const GRID: [usize; 14] = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120];

/// The horizons predicted directly: ascending, from 1 to `farthest`, both included.
pub(super) fn horizons(farthest: usize) -> Vec<usize> {
    let further = std::iter::successors(Some(120_usize), |h| h.checked_mul(2))
        .flat_map(|h| [h.saturating_add(h / 2), h.saturating_mul(2)]);
    let mut grid: Vec<usize> =
        GRID.into_iter().chain(further).take_while(|&h| h < farthest).collect();
    grid.push(farthest);
    grid
}

/// Every how many steps a forecast `horizon` steps ahead is issued to be checked later. Those far ahead change
/// little from step to step, and so the memory for them stays bounded.
pub(super) fn stride(horizon: usize) -> usize {
    (horizon / 20).max(1)
}

/// The places in `grid` just below and at or above `step`, and how far between them it lies, 0–1.
pub(super) fn between(grid: &[usize], step: usize) -> (usize, usize, f64) {
    let above = grid.partition_point(|&h| h < step).min(grid.len() - 1);
    if above == 0 || grid[above] == step {
        return (above, above, 0.0);
    }
    let (low, high) = (grid[above - 1], grid[above]);
    (above - 1, above, (step - low) as f64 / (high - low) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farthest_horizon_is_always_on_the_grid() {
        assert_eq!(horizons(1), [1]);
        assert_eq!(horizons(10), [1, 2, 3, 4, 5, 7, 10]);
        assert_eq!(horizons(12), [1, 2, 3, 4, 5, 7, 10, 12]);
        assert_eq!(horizons(720)[12..], [90, 120, 180, 240, 360, 480, 720]);
        assert!(horizons(usize::MAX).windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn steps_between_are_placed_in_proportion() {
        let grid = horizons(10);
        assert_eq!(between(&grid, 7), (5, 5, 0.0));
        assert_eq!(between(&grid, 6), (4, 5, 0.5));
        assert_eq!(between(&grid, 1), (0, 0, 0.0));
    }
}
