//! The trees of a forest without the rows they were grown on.

use super::RandomForest;
use super::nodes::{Node, walk};
use super::store::{check_nodes, corrupt, read_nodes, write_nodes};
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

/// The trees of a [`RandomForest`]: they tell which leaves a row reaches, and nothing of what was learned there.
///
/// For callers that keep outcomes of their own for each leaf; see [`RandomForest::into_structure`].
#[derive(Debug, Clone)]
pub struct Structure {
    columns: usize,
    leaves: usize,
    nodes: Vec<Node>,
    roots: Vec<u32>,
}

impl RandomForest {
    /// Gives up training targets, rows and means of the leaves; the trees and the numbers of their leaves stay.
    #[must_use]
    pub fn into_structure(self) -> Structure {
        let leaves = self.leaf_count();
        Structure {
            columns: self.columns,
            leaves,
            nodes: self.trees.nodes,
            roots: self.trees.roots,
        }
    }
}

impl Structure {
    /// How many columns a row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// How many leaves all trees have together.
    #[must_use]
    pub fn leaf_count(&self) -> usize {
        self.leaves
    }

    /// As [`RandomForest::leaves`].
    ///
    /// # Errors
    /// As [`RandomForest::leaves`].
    pub fn leaves<'a>(
        &'a self,
        row: &'a [f64],
    ) -> Result<impl ExactSizeIterator<Item = usize> + 'a> {
        check_row(row, self.columns)?;
        Ok(self.roots.iter().map(move |&root| walk(&self.nodes, root, |c| row[c])))
    }

    /// Appends the structure to `w`: columns and leaves as `u64`, then roots and nodes as a forest's.
    pub fn write_to(&self, w: &mut Writer) {
        w.u64(self.columns as u64);
        w.u64(self.leaves as u64);
        write_nodes(w, &self.roots, &self.nodes);
    }

    /// Reads what [`Structure::write_to`] wrote, checking that no row can make it fail or never end.
    ///
    /// # Errors
    /// [`Error::is_corrupt`] if anything is out of range.
    pub fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let number =
            |v: u64| usize::try_from(v).map_err(|_| corrupt("its number of columns or leaves"));
        let (columns, leaves) = (number(r.u64()?)?, number(r.u64()?)?);
        let (roots, nodes) = read_nodes(r)?;
        check_nodes(&roots, &nodes, columns, leaves)?;
        Ok(Self { columns, leaves, nodes, roots })
    }
}

pub(super) fn check_row(row: &[f64], columns: usize) -> Result<()> {
    if row.len() != columns {
        return Err(Error::schema_mismatch(
            format!("{columns} values"),
            format!("{} values", row.len()),
        ));
    }
    match row.iter().position(|v| v.is_infinite()) {
        Some(column) => {
            Err(Error::invalid_value(format!("column {column}"), "the value is infinite"))
        }
        None => Ok(()),
    }
}
