//! Which columns a node looks at.

/// Columns drawn for one node without repetition: each draw swaps one to the front of those left (Fisher and Yates).
///
/// All is put back afterwards, and the random numbers are the node's own. So what a node draws does not hang on how
/// many columns the nodes before it looked at, and a search may end as soon as it likes.
#[derive(Debug)]
pub(super) struct Draws {
    columns: Vec<u32>,
    state: u64,
    /// Which place each draw swapped with.
    swaps: Vec<u32>,
}

impl Draws {
    /// Draws of these columns.
    pub(super) fn of(columns: Vec<u32>) -> Self {
        Self { swaps: Vec::with_capacity(columns.len()), state: 0, columns }
    }

    /// Begins the draws of a node.
    pub(super) fn begin(&mut self, state: u64) {
        self.state = state;
        for (at, &swap) in self.swaps.iter().enumerate().rev() {
            self.columns.swap(at, swap as usize);
        }
        self.swaps.clear();
    }

    /// One of the columns not drawn yet, if there is one.
    pub(super) fn next(&mut self) -> Option<u32> {
        // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), its upper half scaled to the range (Lemire, 2019).
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let drawn = self.swaps.len();
        let left = (self.columns.len() - drawn) as u64;
        if left == 0 {
            return None;
        }
        let swap = drawn + (((z >> 32) * left) >> 32) as usize;
        self.columns.swap(drawn, swap);
        self.swaps.push(swap as u32);
        Some(self.columns[drawn])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(draws: &mut Draws) -> Vec<u32> {
        std::iter::from_fn(|| draws.next()).collect()
    }

    #[test]
    fn every_column_is_drawn_once_and_a_seed_draws_the_same_whatever_was_before() {
        let mut draws = Draws::of(vec![3, 5, 7, 9]);
        draws.begin(1);
        let first = all(&mut draws);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [3, 5, 7, 9]);
        draws.begin(2);
        draws.next();
        draws.begin(1);
        assert_eq!(all(&mut draws), first);
    }

    #[test]
    fn every_column_is_as_likely_to_be_first() {
        let mut draws = Draws::of(vec![0, 1, 2]);
        let mut firsts = [0; 3];
        for seed in 0..3_000 {
            draws.begin(seed);
            firsts[draws.next().unwrap() as usize] += 1;
        }
        assert!(firsts.iter().all(|n| (900..1100).contains(n)), "{firsts:?}");
    }
}
