//! Trees as flat nodes, and walks down them.

use super::columns::ABOVE_ALL;

/// A leaf's number is at most this.
pub(crate) const LARGEST_LEAF: u32 = u32::MAX - ABOVE_ALL;

/// A split or a leaf in 8 bytes.
///
/// A leaf is a split that no key passes and that leads to itself; so a walk may go on at a leaf, and several walks of
/// different lengths can go in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    /// Keys above it go right. Of a leaf: [`ABOVE_ALL`] plus the leaf's number.
    threshold: u32,
    /// The place of the key to look at, and how far behind this node the left child is, packed as [`Packing`] says.
    /// The right child follows the left one. Of a leaf: 0.
    link: u32,
}

impl Node {
    /// A leaf of this number, at most [`LARGEST_LEAF`].
    pub(crate) fn leaf(number: u32) -> Self {
        Self { threshold: ABOVE_ALL.saturating_add(number), link: 0 }
    }

    /// The leaf's number, if it is one.
    pub(crate) fn as_leaf(self) -> Option<u32> {
        self.threshold.checked_sub(ABOVE_ALL)
    }

    /// Keys above it go right.
    pub(crate) fn threshold(self) -> u32 {
        self.threshold
    }
}

/// Where both halves of a link have half of its bits, the processor reads each by itself: steps are shorter by two
/// instructions.
const HALF: u32 = u32::BITS / 2;

/// How a link's 32 bits are shared between the place of a key and the way to a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packing {
    shift: u32,
}

impl Packing {
    /// A packing for rows of so many keys and trees of at most so many nodes; none if 32 bits do not hold both.
    pub(crate) fn new(slots: usize, largest_tree: usize) -> Option<Self> {
        let bits = |n: usize| usize::BITS - n.leading_zeros();
        let (slot_bits, child_bits) = (bits(slots).max(1), bits(largest_tree).max(1));
        if slot_bits.max(child_bits) <= HALF {
            return Some(Self { shift: HALF });
        }
        (slot_bits + child_bits <= u32::BITS).then_some(Self { shift: u32::BITS - slot_bits })
    }

    /// A split: keys at `slot` above the threshold go right; the left child is `ahead` nodes behind this one.
    pub(crate) fn split(self, slot: usize, threshold: u32, ahead: usize) -> Node {
        Node { threshold, link: (slot as u32) << self.shift | ahead as u32 }
    }

    /// The place of the key that a split looks at.
    pub(crate) fn slot(self, node: Node) -> usize {
        (node.link >> self.shift) as usize
    }

    /// How far behind a split its left child is.
    pub(crate) fn ahead(self, node: Node) -> usize {
        (node.link & self.mask()) as usize
    }

    /// The bits of a link that lead to a child.
    fn mask(self) -> u32 {
        (1 << self.shift) - 1
    }
}

/// The nodes of one or more trees, their roots known to the owner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nodes {
    pub(crate) nodes: Vec<Node>,
    pub(crate) packing: Packing,
}

/// The keys of some rows, one row after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    keys: &'a [u32],
    /// From one row to the next.
    stride: usize,
    /// By how many bits a slot is more than the place of a key.
    halved: u32,
}

impl<'a> Rows<'a> {
    /// Rows of [all places' keys](super::Columns::keys).
    pub(crate) fn new(keys: &'a [u32], columns: usize) -> Self {
        Self { keys, stride: 2 * columns, halved: 0 }
    }

    /// Rows of [one key a column](super::Columns::known_keys).
    pub(crate) fn known(keys: &'a [u32], columns: usize) -> Self {
        Self { keys, stride: columns, halved: 1 }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len() / self.stride
    }

    /// Where a row's keys begin.
    pub(crate) fn offset(&self, row: usize) -> u32 {
        (row * self.stride) as u32
    }
}

/// Walks in flight: enough that the processor always has one to go on with.
const LANES: usize = 8;
/// So many steps go by before arrivals are looked for, which costs about as much as a step.
const BURST: usize = 4;

/// Walks under way, each thing of all of them beside one another: so the compiler keeps more of them in registers.
struct Flock {
    numbers: [u32; LANES],
    at: [u32; LANES],
    /// Where the keys of each one's row begin.
    offsets: [u32; LANES],
}

impl Nodes {
    /// As [`Nodes::arrive`], but `leaves` gets the leaves' numbers.
    #[inline]
    pub(crate) fn walk(
        &self,
        rows: Rows<'_>,
        start: impl Fn(usize) -> (u32, u32),
        leaves: &mut [u32],
    ) {
        self.arrive(rows, start, leaves);
        for leaf in leaves {
            *leaf = self.nodes[*leaf as usize].threshold - ABOVE_ALL;
        }
    }

    /// Makes `leaves.len()` walks. `start` gives the place where the walk of a number begins and the offset of its row;
    /// `leaves` gets the places of the leaves that are reached.
    ///
    /// As a walk arrives the next one takes its lane: so long walks are not waited for.
    #[inline]
    pub(crate) fn arrive(
        &self,
        rows: Rows<'_>,
        start: impl Fn(usize) -> (u32, u32),
        leaves: &mut [u32],
    ) {
        match (self.packing.shift == HALF, rows.halved == 1) {
            (true, true) => self.fly::<true, true>(rows, start, leaves),
            (true, false) => self.fly::<true, false>(rows, start, leaves),
            (false, true) => self.fly::<false, true>(rows, start, leaves),
            (false, false) => self.fly::<false, false>(rows, start, leaves),
        }
    }

    // By itself, for what it is inlined into would ask for its registers.
    #[inline(never)]
    fn fly<const EVEN: bool, const HALVED: bool>(
        &self,
        rows: Rows<'_>,
        start: impl Fn(usize) -> (u32, u32),
        leaves: &mut [u32],
    ) {
        let walks = leaves.len();
        if walks == 0 {
            return;
        }
        // Where there are fewer walks than lanes the last one is made several times.
        let begin = |first: usize| {
            let numbers = std::array::from_fn(|lane| (first + lane).min(walks - 1) as u32);
            let starts = numbers.map(|number| start(number as usize));
            Flock { numbers, at: starts.map(|s| s.0), offsets: starts.map(|s| s.1) }
        };
        let mut flock = begin(0);
        let mut next = LANES.min(walks);
        while next + LANES <= walks {
            let ahead = self.burst::<EVEN, HALVED>(rows.keys, &mut flock);
            let lanes = flock.numbers.iter_mut().zip(&mut flock.at).zip(&mut flock.offsets);
            for (((number, at), offset), ahead) in lanes.zip(ahead) {
                // Written whether it is a leaf or on the way: that spares a branch that could not be predicted.
                leaves[*number as usize] = *at;
                let arrived = ahead == 0;
                let (root, row) = start(next);
                *at = if arrived { root } else { *at };
                *offset = if arrived { row } else { *offset };
                *number = if arrived { next as u32 } else { *number };
                next += usize::from(arrived);
            }
        }
        loop {
            while self.burst::<EVEN, HALVED>(rows.keys, &mut flock) != [0; LANES] {}
            for (&number, at) in flock.numbers.iter().zip(flock.at) {
                leaves[number as usize] = at;
            }
            if next == walks {
                break;
            }
            flock = begin(next);
            next = walks.min(next + LANES);
        }
    }

    /// Some steps of each walk; the last of them went so far, nowhere if it was at a leaf.
    #[inline(always)]
    fn burst<const EVEN: bool, const HALVED: bool>(
        &self,
        keys: &[u32],
        flock: &mut Flock,
    ) -> [u32; LANES] {
        let nodes = self.nodes.as_slice();
        let packing = if EVEN { Packing { shift: HALF } } else { self.packing };
        let (mask, shift) = (packing.mask(), packing.shift + u32::from(HALVED));
        let mut last = [0; LANES];
        for _ in 0..BURST {
            for ((at, offset), ahead) in flock.at.iter_mut().zip(&flock.offsets).zip(&mut last) {
                let node = nodes[*at as usize];
                let key = keys[(offset + (node.link >> shift)) as usize];
                *ahead = node.link & mask;
                *at += *ahead + u32::from(node.threshold < key);
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::Columns;

    #[test]
    fn walks_of_different_lengths_end_at_their_leaves() {
        let columns = Columns::new(vec![0.0]);
        let packing = Packing::new(columns.slots(), 5).unwrap();
        let at = |v: f64| columns.key(0, v);
        // Up to 1: leaf 7. Above 1 and up to 2: leaf 8. Above: leaf 9. Missing values go right, then left.
        let nodes = Nodes {
            nodes: vec![
                packing.split(columns.slot(0, true), at(1.0), 1),
                Node::leaf(7),
                packing.split(columns.slot(0, false), at(2.0), 1),
                Node::leaf(8),
                Node::leaf(9),
            ],
            packing,
        };
        let mut keys = Vec::new();
        for value in [1.0, 1.5, 3.0, f64::NAN] {
            let mut row = [0; 2];
            columns.keys(&[value], &mut row).unwrap();
            keys.extend(row);
        }
        let mut leaves = [0; 4];
        let rows = Rows::new(&keys, 1);
        nodes.walk(rows, |row| (0, rows.offset(row)), &mut leaves);
        assert_eq!(leaves, [7, 8, 9, 8]);
        assert_eq!(nodes.nodes[1].as_leaf(), Some(7));
        assert_eq!(nodes.nodes[2].as_leaf(), None);
        assert_eq!((packing.slot(nodes.nodes[2]), packing.ahead(nodes.nodes[2])), (0, 1));
    }

    #[test]
    fn what_32_bits_cannot_hold_is_refused() {
        assert!(Packing::new(160, 1 << 22).is_some());
        assert!(Packing::new(1 << 16, 1 << 16).is_none());
    }
}
