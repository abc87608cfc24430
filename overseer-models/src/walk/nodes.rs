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
        (node.link & ((1 << self.shift) - 1)) as usize
    }
}

/// The nodes of one or more trees, their roots known to the owner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nodes {
    pub(crate) nodes: Vec<Node>,
    pub(crate) packing: Packing,
}

impl Nodes {
    /// Walks from each of `at` to a leaf, each with the row whose keys begin at the same place of `offsets` in `keys`,
    /// and returns the leaves' numbers.
    ///
    /// `at` must be places of nodes, and `keys` must hold a whole row behind each offset.
    #[inline]
    pub(crate) fn walk<const LANES: usize>(
        &self,
        at: [u32; LANES],
        keys: &[u32],
        offsets: [u32; LANES],
    ) -> [u32; LANES] {
        self.arrive(at, keys, offsets).map(|at| self.nodes[at as usize].threshold - ABOVE_ALL)
    }

    /// As [`Nodes::walk`], but returns the places of the leaves.
    #[inline]
    pub(crate) fn arrive<const LANES: usize>(
        &self,
        mut at: [u32; LANES],
        keys: &[u32],
        offsets: [u32; LANES],
    ) -> [u32; LANES] {
        let (nodes, shift) = (self.nodes.as_slice(), self.packing.shift);
        let mask = (1_u32 << shift) - 1;
        loop {
            let mut moved = 0;
            // Leaves are asked for now and then only: a question costs about as much as a step.
            for _ in 0..2 {
                moved = 0;
                for (at, offset) in at.iter_mut().zip(offsets) {
                    let node = nodes[*at as usize];
                    let key = keys[(offset + (node.link >> shift)) as usize];
                    let ahead = node.link & mask;
                    moved |= ahead;
                    *at += ahead + u32::from(node.threshold < key);
                }
            }
            if moved == 0 {
                return at;
            }
        }
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
        assert_eq!(nodes.walk([0; 4], &keys, [0, 2, 4, 6]), [7, 8, 9, 8]);
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
