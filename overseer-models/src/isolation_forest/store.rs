//! The stored form of a forest, as a part of some model file's payload.
//!
//! | what | how |
//! |---|---|
//! | the mark of a forest of the second format | `u32` |
//! | features, extension level, trees | `u32` each |
//! | trees ever grown | `u64` |
//! | the origin of each column | `f64` each |
//! | the nodes of every tree, the root first and what is below a left child before what is below the right one | as follows |
//! | a leaf | 0, then its training rows |
//! | a split by one column | its column, plus the number of columns if missing values go right, plus one; then the threshold as a key, `u32` |
//! | a split by a hyperplane | 1, or 2 if missing values go right; the threshold `f32`; how many terms; each term's column, then its weight `f32` |
//!
//! What has no type is a number of as many bytes as it needs, seven bits in each, the lowest first, and the top bit set
//! in all but the last (LEB128). Path lengths follow from the training rows.

use super::forest::IsolationForest;
use super::layout::{PlainTrees, Trees};
use super::store_v1;
use super::tree::{ColumnSplit, PlaneSplit, Term, Tree};
use super::{DEEPEST, MOST_ROWS, MOST_TREES};
use crate::file::{Reader, Writer};
use crate::walk::Columns;
use overseer_core::{Error, Result};

/// What a forest of the second format begins with. The first began with its number of features, which is smaller.
const SECOND: u32 = 1 << 31 | 2;

impl IsolationForest {
    /// Appends the forest to `w`.
    pub fn write_to(&self, w: &mut Writer) {
        w.u32(SECOND);
        w.u32(self.features() as u32);
        w.u32(self.extension_level as u32);
        w.u32(self.trees() as u32);
        w.u64(self.grown);
        self.columns.origins().iter().for_each(|&origin| w.f64(origin));
        match self.trees.plain() {
            PlainTrees::ByColumn(trees) => {
                trees.iter().for_each(|tree| write_tree(tree, &self.columns, w));
            }
            PlainTrees::ByPlane(trees) => {
                trees.iter().for_each(|tree| write_tree(tree, &self.columns, w));
            }
        }
    }

    /// Reads what [`IsolationForest::write_to`] wrote, today or in an earlier version.
    ///
    /// Whatever the bytes, what is returned is made of trees whose splits are in range, and takes memory in proportion
    /// to them.
    ///
    /// # Errors
    /// If the bytes hold anything else ([`Error::is_corrupt`]).
    pub fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let mark = r.u32()?;
        if mark != SECOND {
            return store_v1::read_from(mark, r);
        }
        let features = r.u32()? as usize;
        let extension_level = r.u32()? as usize;
        let count = r.u32()? as usize;
        let grown = r.u64()?;
        let numbered = (count as u64..1 << 62).contains(&grown);
        if extension_level >= features || !(1..=MOST_TREES).contains(&count) || !numbered {
            return Err(corrupt("its shape is out of range"));
        }
        // The numbers may be lies: memory is asked for as they are borne out.
        let mut origins = Vec::new();
        for _ in 0..features {
            origins.push(r.finite()?);
        }
        let columns = Columns::new(origins);
        let context = Context { columns: &columns, width: extension_level + 1 };
        let plain = if extension_level == 0 {
            PlainTrees::ByColumn((0..count).map(|_| read_tree(r, &context)).collect::<Result<_>>()?)
        } else {
            PlainTrees::ByPlane((0..count).map(|_| read_tree(r, &context)).collect::<Result<_>>()?)
        };
        let trees =
            Trees::lay_out(&columns, &plain).map_err(|_| corrupt("its trees are too large"))?;
        Ok(Self { columns, extension_level, grown, trees })
    }
}

/// What the splits of a stored forest must fit.
struct Context<'a> {
    columns: &'a Columns,
    width: usize,
}

/// A split that can be stored.
trait Stored: Copy + Default {
    fn write_to(self, columns: &Columns, terms: &[Term], w: &mut Writer);

    /// Reads a split that begins with `code`, which is not 0, and appends its terms.
    fn read_from(
        code: usize,
        r: &mut Reader<'_>,
        context: &Context<'_>,
        terms: &mut Vec<Term>,
    ) -> Result<Self>;
}

impl Stored for ColumnSplit {
    fn write_to(self, columns: &Columns, _: &[Term], w: &mut Writer) {
        write_number(columns.stored(self.slot as usize) + 1, w);
        w.u32(self.threshold);
    }

    fn read_from(
        code: usize,
        r: &mut Reader<'_>,
        context: &Context<'_>,
        _: &mut Vec<Term>,
    ) -> Result<Self> {
        let threshold = r.u32()?;
        match context.columns.slot_stored_as(code - 1) {
            Some(slot) if Columns::is_known(threshold) => Ok(Self { slot: slot as u32, threshold }),
            _ => Err(corrupt("a split is out of range")),
        }
    }
}

impl Stored for PlaneSplit {
    fn write_to(self, _: &Columns, terms: &[Term], w: &mut Writer) {
        write_number(1 + usize::from(self.missing_right), w);
        w.u32(self.threshold.to_bits());
        write_number(self.width as usize, w);
        for term in &terms[self.terms as usize..][..self.width as usize] {
            write_number(term.column as usize, w);
            w.u32(term.weight.to_bits());
        }
    }

    fn read_from(
        code: usize,
        r: &mut Reader<'_>,
        context: &Context<'_>,
        terms: &mut Vec<Term>,
    ) -> Result<Self> {
        let threshold = f32::from_bits(r.u32()?);
        let width = read_number(r)?;
        if code > 2 || !threshold.is_finite() || !(1..=context.width).contains(&width) {
            return Err(corrupt("a split is out of range"));
        }
        let first = terms.len();
        for _ in 0..width {
            let column = read_number(r)?;
            let weight = f32::from_bits(r.u32()?);
            if column >= context.columns.len() || !weight.is_finite() || weight == 0.0 {
                return Err(corrupt("a term is out of range"));
            }
            terms.push(Term { column: column as u32, weight });
        }
        Ok(Self { terms: first as u32, width: width as u32, threshold, missing_right: code == 2 })
    }
}

fn write_tree<S: Stored>(tree: &Tree<S>, columns: &Columns, w: &mut Writer) {
    let mut stack = vec![0];
    while let Some(at) = stack.pop() {
        let node = &tree.nodes[at];
        if let Some(child) = node.child() {
            node.split.write_to(columns, &tree.terms, w);
            stack.extend([child + 1, child]);
        } else {
            write_number(0, w);
            write_number(node.rows as usize, w);
        }
    }
}

fn read_tree<S: Stored>(r: &mut Reader<'_>, context: &Context<'_>) -> Result<Tree<S>> {
    let mut tree = Tree::root(0);
    let mut stack = vec![(0, 0)];
    while let Some((at, depth)) = stack.pop() {
        let code = read_number(r)?;
        if code == 0 {
            let rows = read_number(r)?;
            if !(1..=MOST_ROWS).contains(&rows) {
                return Err(corrupt("a leaf is out of range"));
            }
            tree.nodes[at].rows = rows as u32;
            continue;
        }
        if depth == DEEPEST {
            return Err(corrupt("a tree is too deep"));
        }
        let split = S::read_from(code, r, context, &mut tree.terms)?;
        let child = tree.divide(at, split, 0, 0);
        stack.extend([(child + 1, depth + 1), (child, depth + 1)]);
    }
    tree.add_up_rows().ok_or_else(|| corrupt("a tree has too many rows"))?;
    Ok(tree)
}

fn write_number(mut v: usize, w: &mut Writer) {
    while v >= 0x80 {
        w.u8(v as u8 | 0x80);
        v >>= 7;
    }
    w.u8(v as u8);
}

/// A number of up to 28 bits.
fn read_number(r: &mut Reader<'_>) -> Result<usize> {
    let mut v = 0;
    for shift in [0, 7, 14, 21] {
        let byte = r.u8()?;
        v |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Ok(v);
        }
    }
    Err(corrupt("a number is too large"))
}

pub(super) fn corrupt(why: &str) -> Error {
    Error::corrupt("the isolation forest", why)
}
