//! Trees of hyperplanes, linked.

use super::path::AveragePaths;
use super::tree::{PlaneSplit, Term, Tree};
use overseer_core::{Error, Result};

/// So many rows or trees are walked at a time.
const LANES: usize = 4;

/// A forest of linked trees of hyperplanes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planes {
    nodes: Vec<Node>,
    /// The terms of the hyperplanes, one after another.
    terms: Vec<Term>,
    told: Vec<Told>,
    roots: Vec<u32>,
}

/// A split, or a leaf, which is a split that no row passes and that leads to itself.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// Rows whose terms add up to more go right.
    threshold: f32,
    /// Twice the way to the left child, which the right one follows; one more if rows with a missing value go right.
    /// 0 for a leaf.
    link: u32,
    /// Where the terms begin, and how many there are. A leaf looks at as many as most splits do, to no effect, because
    /// loops of equal length are foreseen.
    terms: u32,
    width: u32,
}

/// What tells of a node beyond the scores.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Told {
    /// The mean path of the training rows below it, in units.
    expected: u32,
    /// How many they are.
    rows: u32,
}

impl Planes {
    /// What a node takes in memory.
    pub(super) const NODE_BYTES: usize = size_of::<Node>() + size_of::<Told>();
    /// What a term takes in memory.
    pub(super) const TERM_BYTES: usize = size_of::<Term>();
    /// What a tree takes besides.
    pub(super) const TREE_BYTES: usize = size_of::<u32>();

    /// Lays trees out one after another.
    pub(super) fn lay_out(trees: &[Tree<PlaneSplit>], averages: &AveragePaths) -> Result<Self> {
        let nodes: usize = trees.iter().map(|tree| tree.nodes.len()).sum();
        let terms: usize = trees.iter().map(|tree| tree.terms.len()).sum();
        // A link holds twice the way to a child.
        if nodes.max(terms) > u32::MAX as usize / 2 {
            let why = "so many trees of so many rows do not fit one forest";
            return Err(Error::invalid_parameter("sample_size", why));
        }
        let mut all = Self {
            nodes: Vec::with_capacity(nodes),
            terms: Vec::with_capacity(terms),
            told: Vec::with_capacity(nodes),
            roots: Vec::with_capacity(trees.len()),
        };
        let splits = || trees.iter().flat_map(|tree| &tree.nodes).filter(|node| node.child > 0);
        let widest = splits().map(|node| node.split.width).max().unwrap_or_default();
        trees.iter().for_each(|tree| all.push(tree, &tree.expected(averages), widest));
        Ok(all)
    }

    fn push(&mut self, tree: &Tree<PlaneSplit>, expected: &[u32], widest: u32) {
        self.roots.push(self.nodes.len() as u32);
        let first = self.terms.len() as u32;
        self.terms.extend(&tree.terms);
        for (at, (node, &expected)) in tree.nodes.iter().zip(expected).enumerate() {
            self.told.push(Told { expected, rows: node.rows });
            self.nodes.push(match node.child() {
                Some(child) => Node {
                    threshold: node.split.threshold,
                    link: 2 * (child - at) as u32 + u32::from(node.split.missing_right),
                    terms: first + node.split.terms,
                    width: node.split.width,
                },
                None => Node { threshold: f32::INFINITY, link: 0, terms: 0, width: widest },
            });
        }
    }

    pub(super) fn len(&self) -> usize {
        self.roots.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.nodes.len() * Self::NODE_BYTES
            + self.terms.len() * Self::TERM_BYTES
            + self.roots.len() * Self::TREE_BYTES
    }

    /// The plain tree of this number.
    pub(super) fn plain(&self, number: usize) -> Tree<PlaneSplit> {
        let root = self.roots[number] as usize;
        let mut tree = Tree::root(self.told[root].rows);
        let mut stack = vec![(0, root)];
        while let Some((at, place)) = stack.pop() {
            let Node { threshold, link, .. } = self.nodes[place];
            if link == 0 {
                continue;
            }
            let first = tree.terms.len();
            let terms = self.terms(place);
            tree.terms.extend(terms);
            let (width, missing_right) = (terms.len() as u32, link & 1 == 1);
            let split = PlaneSplit { terms: first as u32, width, threshold, missing_right };
            let left = place + (link / 2) as usize;
            let child = tree.divide(at, split, self.told[left].rows, self.told[left + 1].rows);
            stack.extend([(child + 1, left + 1), (child, left)]);
        }
        tree
    }

    #[inline]
    fn terms(&self, at: usize) -> &[Term] {
        let Node { terms, width, .. } = self.nodes[at];
        &self.terms[terms as usize..][..width as usize]
    }

    /// Where a row goes from a node; it stays at a leaf.
    #[inline]
    fn step(&self, at: usize, row: &[f32]) -> usize {
        let Node { threshold, link, .. } = self.nodes[at];
        let sum = self
            .terms(at)
            .iter()
            .fold(0.0, |sum, term| sum + term.weight * row[term.column as usize]);
        let right = (sum > threshold) | (sum.is_nan() & (link & 1 == 1));
        at + (link / 2) as usize + usize::from(right)
    }

    /// Walks from each of `at` to a leaf, each with a row of its own.
    #[inline]
    fn arrive(&self, mut at: [usize; LANES], rows: [&[f32]; LANES]) -> [usize; LANES] {
        loop {
            let before = at;
            for (at, row) in at.iter_mut().zip(rows) {
                *at = self.step(*at, row);
            }
            if before == at {
                return at;
            }
        }
    }

    /// The sum over all trees of the path of a row, told as distances.
    pub(super) fn path(&self, row: &[f32]) -> u64 {
        let mut total = 0;
        for roots in self.roots.chunks(LANES) {
            let at = std::array::from_fn(|lane| roots[lane.min(roots.len() - 1)] as usize);
            let leaves = self.arrive(at, [row; LANES]);
            total += leaves[..roots.len()].iter().map(|&leaf| self.expected(leaf)).sum::<u64>();
        }
        total
    }

    /// Adds to `totals` the paths of as many rows of `d` distances each.
    pub(super) fn add_paths(&self, rows: &[f32], d: usize, totals: &mut [u64]) {
        for &root in &self.roots {
            for (rows, totals) in rows.chunks(LANES * d).zip(totals.chunks_mut(LANES)) {
                let row = |lane: usize| &rows[lane.min(totals.len() - 1) * d..][..d];
                let leaves = self.arrive([root as usize; LANES], std::array::from_fn(row));
                for (total, leaf) in totals.iter_mut().zip(leaves) {
                    *total += self.expected(leaf);
                }
            }
        }
    }

    fn expected(&self, at: usize) -> u64 {
        u64::from(self.told[at].expected)
    }

    /// Adds to `credits`, per column, by how much the splits over it made the path to be expected shorter.
    pub(super) fn add_credits(&self, row: &[f32], credits: &mut [f64]) {
        for &root in &self.roots {
            let mut at = root as usize;
            loop {
                let next = self.step(at, row);
                if next == at {
                    break;
                }
                let credit = self.expected(at) as f64 - self.expected(next) as f64;
                share(credit, self.terms(at), row, credits);
                at = next;
            }
        }
    }
}

/// Shares the credit of a split among its columns, in proportion to how far each one's term moved the row along the
/// normal, from the column's origin. Where values are missing, it is they that decided, and they share equally.
fn share(credit: f64, terms: &[Term], row: &[f32], credits: &mut [f64]) {
    let moved = |term: &Term| {
        let distance = row[term.column as usize];
        (f64::from(term.weight) * f64::from(distance)).abs()
    };
    let total: f64 = terms.iter().map(moved).sum();
    if total > 0.0 {
        for term in terms {
            credits[term.column as usize] += credit * moved(term) / total;
        }
        return;
    }
    // Nothing was moved, or the sum is unknown.
    let equal = |term: &&Term| moved(term).is_nan() == total.is_nan();
    let number = terms.iter().filter(equal).count() as f64;
    for term in terms.iter().filter(equal) {
        credits[term.column as usize] += credit / number;
    }
}
