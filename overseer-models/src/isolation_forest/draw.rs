//! Drawing the rows of a tree's sample.

use rand::Rng;

/// Draws rows without replacement.
#[derive(Debug)]
pub(super) struct Drawer {
    /// A bit for each row, all clear between two draws.
    taken: Vec<u64>,
    rows: usize,
}

impl Drawer {
    /// Draws among so many rows.
    pub(super) fn new(rows: usize) -> Self {
        Self { taken: vec![0; rows.div_ceil(64)], rows }
    }

    /// Draws `count` of the rows into `drawn`.
    pub(super) fn draw(&mut self, rng: &mut impl Rng, count: usize, drawn: &mut Vec<usize>) {
        drawn.clear();
        if 2 * count <= self.rows {
            self.take(rng, count, drawn);
            drawn.iter().for_each(|row| self.taken[row / 64] = 0);
            return;
        }
        // Of more than half of the rows, it is those to leave out that are drawn.
        self.take(rng, self.rows - count, drawn);
        drawn.clear();
        drawn.extend((0..self.rows).filter(|row| self.taken[row / 64] >> (row % 64) & 1 == 0));
        self.taken.fill(0);
    }

    fn take(&mut self, rng: &mut impl Rng, count: usize, drawn: &mut Vec<usize>) {
        drawn.resize(count, 0);
        let mut found = 0;
        while found < count {
            let row = below(rng, self.rows);
            let (word, bit) = (&mut self.taken[row / 64], 1 << (row % 64));
            // A row that was drawn before is overwritten by the next; whether it was cannot be foreseen.
            drawn[found] = row;
            found += usize::from(*word & bit == 0);
            *word |= bit;
        }
    }
}

/// A number below `end`. With 64 random bits the odds of two numbers differ by less than any test could tell.
#[inline]
pub(super) fn below(rng: &mut impl Rng, end: usize) -> usize {
    ((u128::from(rng.next_u64()) * end as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn every_row_is_drawn_about_as_often_and_never_twice() {
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let mut drawn = Vec::new();
        // Few of many, more than half, and all.
        for (rows, count) in [(100, 10), (100, 70), (7, 7), (1, 1)] {
            let mut drawer = Drawer::new(rows);
            let mut times = vec![0; rows];
            for _ in 0..2000 {
                drawer.draw(&mut rng, count, &mut drawn);
                assert_eq!(drawn.len(), count);
                let mut seen = vec![false; rows];
                for &row in &drawn {
                    assert!(
                        !std::mem::replace(&mut seen[row], true),
                        "row {row} of {rows} came twice"
                    );
                    times[row] += 1;
                }
            }
            let usual = 2000.0 * count as f64 / rows as f64;
            for (row, &times) in times.iter().enumerate() {
                assert!(
                    (f64::from(times) - usual).abs() < 5.0 * usual.sqrt(),
                    "row {row} of {rows}: {times}"
                );
            }
        }
    }
}
