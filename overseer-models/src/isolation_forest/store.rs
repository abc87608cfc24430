//! The stored form of a forest, as a part of some model file's payload.
//!
//! Number of features, rows per tree (`u32` each), then as arrays: where each tree begins, and for every node its code
//! (feature, missing direction, or leaf), threshold, left child and training rows. Path lengths follow from these.

use super::forest::{IsolationForest, Node, average_path};
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

impl IsolationForest {
    /// Appends the forest to `w`.
    pub fn write_to(&self, w: &mut Writer) {
        w.u32(self.features as u32);
        w.u32(self.sample_size as u32);
        w.u32s(self.roots.iter().copied());
        w.u32s(self.nodes.iter().map(|n| n.code));
        // A leaf's path length is computed anew when it is read, so what is stored there means nothing.
        w.f64s(self.nodes.iter().map(|n| if n.feature().is_some() { n.threshold } else { 0.0 }));
        w.u32s(self.nodes.iter().map(|n| n.child));
        w.u32s(self.sizes.iter().copied());
    }

    /// Reads what [`IsolationForest::write_to`] wrote.
    ///
    /// Whatever the bytes, what is returned is made of trees: every node but the roots is the child of exactly one
    /// node before it in its own tree, features are in range, thresholds finite, and rows add up.
    ///
    /// # Errors
    /// If the bytes hold anything else ([`Error::is_corrupt`]).
    pub fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let features = r.u32()? as usize;
        let sample_size = r.u32()? as usize;
        let roots = r.u32s()?;
        let codes = r.u32s()?;
        let thresholds = r.f64s()?;
        let children = r.u32s()?;
        let sizes = r.u32s()?;
        let count = codes.len();
        let shape = features > 0 && sample_size > 0 && sample_size <= 1 << 20;
        let lengths = [thresholds.len(), children.len(), sizes.len()].iter().all(|&n| n == count);
        let ordered = roots.first() == Some(&0) && roots.windows(2).all(|w| w[0] < w[1]);
        if !(shape && lengths && ordered && roots.last().is_some_and(|&r| (r as usize) < count)) {
            return Err(corrupt("its arrays do not fit together"));
        }
        let mut nodes: Vec<Node> = codes
            .iter()
            .zip(&thresholds)
            .zip(&children)
            .map(|((&code, &threshold), &child)| Node { threshold, child, code })
            .collect();
        let ends = roots.iter().skip(1).map(|&r| r as usize).chain([count]);
        for (&root, end) in roots.iter().zip(ends) {
            check_tree(&mut nodes, &sizes, root as usize..end, features, sample_size)?;
        }
        Ok(Self::assemble(features, sample_size, nodes, sizes, roots))
    }
}

/// Checks the nodes of one tree and sets the path lengths of its leaves.
fn check_tree(
    nodes: &mut [Node],
    sizes: &[u32],
    tree: std::ops::Range<usize>,
    features: usize,
    sample_size: usize,
) -> Result<()> {
    let root = tree.start;
    if sizes[root] as usize != sample_size {
        return Err(corrupt("a tree does not hold its sample"));
    }
    // The depth of each node, once its parent has been seen.
    let mut depths: Vec<Option<u32>> = vec![None; tree.len()];
    depths[0] = Some(0);
    for at in tree.clone() {
        let depth = depths[at - root].ok_or_else(|| corrupt("a node belongs to no tree"))?;
        let node = nodes[at];
        let Some(feature) = node.feature() else {
            nodes[at] = Node::leaf(f64::from(depth) + average_path(sizes[at] as usize));
            continue;
        };
        let child = node.child as usize;
        if feature >= features || !node.threshold.is_finite() {
            return Err(corrupt("a split is out of range"));
        }
        if child <= at || child + 1 >= tree.end {
            return Err(corrupt("a child is not behind its parent"));
        }
        for next in [child, child + 1] {
            if sizes[next] == 0 || depths[next - root].replace(depth + 1).is_some() {
                return Err(corrupt("a node is empty or has two parents"));
            }
        }
        if u64::from(sizes[child]) + u64::from(sizes[child + 1]) != u64::from(sizes[at]) {
            return Err(corrupt("the rows of two children are not their parent's"));
        }
    }
    Ok(())
}

fn corrupt(why: &str) -> Error {
    Error::corrupt("the isolation forest", why)
}
