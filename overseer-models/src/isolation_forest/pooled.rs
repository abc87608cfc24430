//! An isolation forest for evidence: many numbers of which none is negative and larger always means more unusual.
//!
//! A plain forest looks at one column a split and sees too little of a weak sign in many columns. Here a split looks at
//! the mean of a random subset of columns, a pool: from one column to all of them, log-uniform in size, so these are
//! hyperplanes of positive coefficients between an axis and the plain sum, and every fourth pool is that plain sum: how
//! far a row is from the usual in all directions together. Pools are drawn once, whatever the data.
//!
//! A threshold is an order statistic in the upper half of the node's values, and the score is the mean over the trees of
//! the logarithm of the share of rows that went right with this one, an estimate of the joint survival; beyond a
//! node's largest value it goes on growing, where path lengths are the same for everything.

use super::draw::below;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Rows a tree is grown on.
const SAMPLE: usize = 256;
const DEPTH: usize = 5;
/// Places of a complete tree of that depth; the root is 1 and the children of `i` are `2 i` and `2 i + 1`.
const PLACES: usize = 1 << DEPTH;
/// How often a node looks for a pool that varies.
const TRIES: usize = 8;
/// Beyond a node's largest value a row gains in proportion, in units of how far that is above the threshold, but at most
/// this: one node must not decide alone.
const BEYOND: f32 = 20.0;
/// One pool in so many is the mean of all columns.
const PLAIN: usize = 4;
/// How far above rows that are all equal a row must be to stand out.
const STANDS_OUT: f32 = 0.1;
/// A node's largest value is never taken for nearer to the threshold than this share of it.
const NARROWEST: f32 = 1e-3;
/// What rounding may change of a pool's value, as a share of it, so that a row equal to a threshold goes right.
const ROUNDING: f32 = 1e-6;

/// Random subsets of columns, and the means over them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pools {
    /// The members of the pools one after another, those of the plain sum once.
    members: Vec<u32>,
    /// Where each pool's members end; a plain sum after the first has none of its own.
    ends: Vec<u32>,
    /// How many of each pool's members vary; they come first.
    varying: Vec<u32>,
}

impl Pools {
    /// `count` pools of the columns below `columns` that `varies`.
    ///
    /// Each column that does not vary joins pools at random as well, so that it is seen when it begins to, but it has
    /// no part in how the others are drawn.
    pub(crate) fn draw(
        count: usize,
        columns: usize,
        varies: impl Fn(usize) -> bool,
        seed: u64,
    ) -> Self {
        let varying: Vec<u32> = (0..columns as u32).filter(|&c| varies(c as usize)).collect();
        let still: Vec<u32> = (0..columns as u32).filter(|&c| !varies(c as usize)).collect();
        let p = varying.len().max(1);
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut still_rng = Pcg64Mcg::seed_from_u64(seed ^ 0x5eed);
        let mut pools = Self { members: Vec::new(), ends: Vec::new(), varying: Vec::new() };
        let mut order = varying.clone();
        for at in 0..count {
            let size = (rng.random::<f64>() * (p as f64 + 0.49).ln()).exp().round() as usize;
            let size = if at % PLAIN == 0 { p } else { size.clamp(1, p) }.min(order.len());
            for place in 0..size {
                let other = place + below(&mut rng, order.len() - place);
                order.swap(place, other);
            }
            let start = pools.members.len();
            let is_known = at > 0 && at.is_multiple_of(PLAIN);
            pools.members.extend(&order[..size]);
            pools.members[start..].sort_unstable();
            pools.varying.push(size as u32);
            let share = size as f64 / p as f64;
            pools.members.extend(still.iter().filter(|_| still_rng.random::<f64>() < share));
            if is_known {
                pools.members.truncate(start);
            }
            pools.ends.push(pools.members.len() as u32);
        }
        pools.shrink();
        pools
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The members of a pool, ascending.
    fn of(&self, pool: usize) -> &[u32] {
        let pool = if pool.is_multiple_of(PLAIN) { 0 } else { pool };
        let start = if pool == 0 { 0 } else { self.ends[pool - 1] as usize };
        &self.members[start..self.ends[pool] as usize]
    }

    fn mean(&self, pool: usize, row: &[f32]) -> f32 {
        let (members, still) = self.of(pool).split_at(self.varying[pool] as usize);
        let (four, rest) = members.as_chunks::<4>();
        let mut sums = [0.0_f32; 4];
        for places in four {
            for (sum, &place) in sums.iter_mut().zip(places) {
                *sum += row[place as usize];
            }
        }
        for (sum, &place) in sums.iter_mut().zip(rest) {
            *sum += row[place as usize];
        }
        let still: f32 = still.iter().map(|&place| row[place as usize]).sum();
        (sums[0] + sums[1] + sums[2] + sums[3] + still) / members.len().max(1) as f32
    }

    /// The pools whose members are kept, each with the number of its members as they are stored: the plain sum's as
    /// often as it occurs.
    fn stored(&self) -> (Vec<u32>, Vec<u32>) {
        let (mut members, mut ends) = (Vec::new(), Vec::new());
        for pool in 0..self.len() {
            members.extend_from_slice(self.of(pool));
            ends.push(members.len() as u32);
        }
        (members, ends)
    }

    /// The pools of what [`Pools::stored`] gives; none where a plain sum is not the first.
    fn of_stored(members: &[u32], ends: &[u32], varying: Vec<u32>) -> Option<Self> {
        let mut pools = Self { members: Vec::new(), ends: Vec::new(), varying };
        let mut start = 0;
        for (pool, &end) in ends.iter().enumerate() {
            let own = &members[start..end as usize];
            start = end as usize;
            if pool == 0 || !pool.is_multiple_of(PLAIN) {
                pools.members.extend_from_slice(own);
            } else if own != pools.of(0) {
                return None;
            }
            pools.ends.push(pools.members.len() as u32);
        }
        pools.shrink();
        Some(pools)
    }

    fn shrink(&mut self) {
        for list in [&mut self.members, &mut self.ends, &mut self.varying] {
            list.shrink_to_fit();
        }
    }

    /// The means of a row over all pools.
    pub(crate) fn means(&self, row: &[f32], out: &mut Vec<f32>) {
        out.clear();
        if self.len() == 0 {
            return;
        }
        // Every so many pools are the same.
        let plain = self.mean(0, row);
        let mean = |pool| if pool % PLAIN == 0 { plain } else { self.mean(pool, row) };
        out.extend((0..self.len()).map(mean));
    }
}

/// One tree, complete to its depth: where nothing is split no value is high enough to go right.
#[derive(Debug, Clone, PartialEq)]
struct Tree {
    pools: [u16; PLACES],
    thresholds: [f32; PLACES],
    /// The largest value of the rows of a node.
    largest: [f32; PLACES],
    /// The logarithm of how much rarer going right makes a row.
    gains: [f32; PLACES],
}

/// The forest: the oldest trees first.
#[derive(Debug, Clone)]
pub(crate) struct PooledForest {
    pools: Pools,
    trees: Vec<Tree>,
    /// How many trees were ever grown.
    grown: u64,
    seed: u64,
    means: Vec<f32>,
}

impl PooledForest {
    /// What a tree takes.
    pub(crate) const TREE_BYTES: usize = size_of::<Tree>();

    /// A forest without trees, in which nothing is unusual.
    pub(crate) fn new(pools: Pools, seed: u64) -> Self {
        Self { pools, trees: Vec::new(), grown: 0, seed, means: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.trees.len()
    }

    /// Keeps only the newest trees, so many of them.
    pub(crate) fn keep(&mut self, trees: usize) {
        self.trees.drain(..self.trees.len().saturating_sub(trees));
        self.trees.shrink_to_fit();
    }

    /// The bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        let pools = [&self.pools.members, &self.pools.ends, &self.pools.varying];
        let pools = pools.into_iter().map(Vec::capacity).sum::<usize>() * size_of::<u32>();
        pools + self.tree_bytes() + self.scratch_bytes()
    }

    /// Those of its trees.
    pub(crate) fn tree_bytes(&self) -> usize {
        self.trees.capacity() * Self::TREE_BYTES
    }

    /// Those that a row's means take while it is scored, now and at most.
    pub(crate) fn scratch_bytes(&self) -> usize {
        self.means.capacity() * size_of::<f32>()
    }

    pub(crate) fn most_scratch_bytes(&self) -> usize {
        self.pools.len() * size_of::<f32>()
    }

    /// How unusual a row is: 0 or more, in natural logarithms.
    pub(crate) fn score(&mut self, row: &[f32]) -> f64 {
        if self.trees.is_empty() {
            return 0.0;
        }
        let mut means = std::mem::take(&mut self.means);
        self.pools.means(row, &mut means);
        let mut sum = 0.0_f32;
        for tree in &self.trees {
            tree.walk(&means, |gain| sum += gain);
        }
        self.means = means;
        f64::from(sum) / self.trees.len() as f64
    }

    /// Replaces the `count` oldest of at most `most` trees by ones grown on rows of `width` columns; a row is drawn in
    /// proportion to its weight.
    pub(crate) fn grow(
        &mut self,
        count: usize,
        most: usize,
        rows: &[f32],
        width: usize,
        weights: &[f64],
    ) {
        let mut total = 0.0;
        let cumulated: Vec<f64> = weights
            .iter()
            .map(|w| {
                total += w;
                total
            })
            .collect();
        if total <= 0.0 {
            return;
        }
        let count = count.min(most);
        self.trees.drain(..(self.trees.len() + count).saturating_sub(most).min(self.trees.len()));
        self.trees.reserve_exact(count);
        for _ in 0..count {
            let mut rng = Pcg64Mcg::seed_from_u64(mix(self.seed ^ mix(self.grown)));
            self.grown += 1;
            let mut drawn: Vec<usize> = (0..SAMPLE)
                .map(|_| {
                    let at = rng.random::<f64>() * total;
                    cumulated.partition_point(|&c| c <= at).min(weights.len() - 1)
                })
                .collect();
            drawn.sort_unstable();
            drawn.dedup();
            let mut tree = Tree::empty();
            tree.split(1, &mut drawn, &self.pools, rows, width, &mut rng);
            self.trees.push(tree);
        }
    }

    pub(crate) fn write_to(&self, w: &mut Writer) {
        w.u64(self.seed);
        w.u64(self.grown);
        let (members, ends) = self.pools.stored();
        w.u32s(members.into_iter());
        w.u32s(ends.into_iter());
        w.u32s(self.pools.varying.iter().copied());
        w.u64(self.trees.len() as u64);
        for tree in &self.trees {
            tree.pools.iter().for_each(|&p| w.u32(u32::from(p)));
            for list in [&tree.thresholds, &tree.largest, &tree.gains] {
                list.iter().for_each(|v| w.raw(&v.to_le_bytes()));
            }
        }
    }

    /// Reads a forest for rows of `columns` columns.
    pub(crate) fn read_from(r: &mut Reader<'_>, columns: usize) -> Result<Self> {
        let wrong = |why: &str| Error::corrupt("the pooled forest", why);
        let (seed, grown) = (r.u64()?, r.u64()?);
        let (members, ends, varying) = (r.u32s()?, r.u32s()?, r.u32s()?);
        let in_range = members.iter().all(|&c| (c as usize) < columns);
        let increasing = ends.first().is_none_or(|&e| e > 0) && ends.is_sorted_by(|a, b| a < b);
        if !in_range || !increasing || ends.last().map_or(0, |&e| e as usize) != members.len() {
            return Err(wrong("a pool is out of range"));
        }
        let pools = Pools::of_stored(&members, &ends, varying)
            .ok_or_else(|| wrong("a pool is out of range"))?;
        let parts = pools.varying.len() == pools.len()
            && (0..pools.len()).all(|p| pools.varying[p] as usize <= pools.of(p).len());
        if !parts {
            return Err(wrong("a pool is out of range"));
        }
        let count = r.length()?;
        let mut trees = Vec::new();
        for _ in 0..count {
            let mut tree = Tree::empty();
            for pool in &mut tree.pools {
                *pool = u16::try_from(r.u32()?).map_err(|_| wrong("a pool is out of range"))?;
            }
            for list in [&mut tree.thresholds, &mut tree.largest, &mut tree.gains] {
                for value in list {
                    *value = f32::from_bits(r.u32()?);
                }
            }
            let usable = tree.pools.iter().all(|&p| usize::from(p) < pools.len())
                && tree.thresholds.iter().all(|v| !v.is_nan())
                && tree.largest.iter().all(|v| v.is_finite())
                && tree.gains.iter().all(|v| (0.0..100.0).contains(v));
            if !usable {
                return Err(wrong("a tree is out of range"));
            }
            trees.push(tree);
        }
        Ok(Self { pools, trees, grown, seed, means: Vec::new() })
    }
}

impl Tree {
    fn empty() -> Self {
        Self {
            pools: [0; PLACES],
            thresholds: [f32::INFINITY; PLACES],
            largest: [0.0; PLACES],
            gains: [0.0; PLACES],
        }
    }

    /// Calls back with the gain of each turn to the right.
    fn walk(&self, means: &[f32], mut turn: impl FnMut(f32)) {
        let mut at = 1;
        while at < PLACES {
            let pool = usize::from(self.pools[at]);
            let (value, threshold) = (means[pool], self.thresholds[at]);
            if value < threshold {
                at *= 2;
                continue;
            }
            let mut gain = self.gains[at];
            let largest = self.largest[at];
            if value > largest {
                let beyond = (value - threshold) / (largest - threshold).max(NARROWEST * largest);
                gain += (beyond - 1.0).clamp(0.0, BEYOND);
            }
            turn(gain);
            at = 2 * at + 1;
        }
    }

    fn split(
        &mut self,
        at: usize,
        sample: &mut [usize],
        pools: &Pools,
        rows: &[f32],
        width: usize,
        rng: &mut Pcg64Mcg,
    ) {
        let m = sample.len();
        if at >= PLACES || m < 2 {
            return;
        }
        for _ in 0..TRIES {
            let pool = below(rng, pools.len());
            let mut values: Vec<(f32, usize)> = sample
                .iter()
                .map(|&row| (pools.mean(pool, &rows[row * width..][..width]), row))
                .collect();
            values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let (least, largest) = (values[0].0, values[m - 1].0);
            if largest - least <= ROUNDING * largest {
                continue;
            }
            let rank = ((0.5 + 0.5 * rng.random::<f64>()) * m as f64) as usize;
            let mut threshold = values[rank.min(m - 1)].0 * (1.0 - ROUNDING);
            if threshold <= least {
                // Half-way to the next larger value.
                let next = values.partition_point(|v| v.0 <= least * (1.0 + ROUNDING));
                threshold = least + 0.5 * (values[next.min(m - 1)].0 - least);
            }
            let left = values.partition_point(|v| v.0 < threshold);
            for (place, (_, row)) in sample.iter_mut().zip(values) {
                *place = row;
            }
            self.pools[at] = pool as u16;
            self.thresholds[at] = threshold;
            self.largest[at] = largest;
            self.gains[at] = (m as f32 / (m - left).max(1) as f32).ln();
            let (low, high) = sample.split_at_mut(left);
            self.split(2 * at, low, pools, rows, width, rng);
            self.split(2 * at + 1, high, pools, rows, width, rng);
            return;
        }
        self.watch(at, sample, pools, rows, width, rng);
    }
}

impl Tree {
    /// Where nothing varies among a node's rows, a row stands out that is well above them: none of them goes right.
    fn watch(
        &mut self,
        at: usize,
        sample: &[usize],
        pools: &Pools,
        rows: &[f32],
        width: usize,
        rng: &mut Pcg64Mcg,
    ) {
        let pool = below(rng, pools.len());
        let value = pools.mean(pool, &rows[sample[0] * width..][..width]);
        self.pools[at] = pool as u16;
        self.thresholds[at] = value + STANDS_OUT;
        self.largest[at] = value + 2.0 * STANDS_OUT;
        self.gains[at] = (sample.len() as f32 + 1.0).ln();
    }
}

/// Spreads the bits of a number (the finaliser of SplitMix64, Steele, Lea and Flood 2014).
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
