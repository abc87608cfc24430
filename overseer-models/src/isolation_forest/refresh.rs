//! Learning on: old trees give way to trees grown on newer rows.

use super::IsolationForestParams;
use super::forest::IsolationForest;
use super::layout::{PlainTrees, Trees, average_paths};
use super::rows::{Rows, learn_columns};
use super::tree::{Shape, Tree};
use crate::walk::Columns;
use ndarray::ArrayView2;
use overseer_core::{Error, Result};

impl IsolationForest {
    /// Replaces the `trees` oldest trees, or all if there are fewer, by ones grown on `rows` with `params`; so a forest
    /// follows its data without ever being fitted as a whole. In the time between, old and new trees judge together,
    /// each against the average path of its own sample.
    ///
    /// The n-th tree ever grown depends on `params`' seed, on n and on the rows, on nothing else: so two calls for five
    /// trees each do what one for ten does. The number of trees stays, whatever `params` says of it, unless the
    /// [byte budget](super::IsolationForestBuilder::max_bytes) asks for fewer: then the oldest go.
    ///
    /// A value is known to 7 digits of its distance from what was typical of its column when the forest was fitted, or
    /// when all trees were last replaced by one call. That matters for columns that move far and vary little, such as
    /// times.
    ///
    /// # Errors
    /// As [`IsolationForestParams::fit`]; also if the rows have another number of columns
    /// ([`Error::is_schema_mismatch`]) or `params` another extension level than the forest
    /// ([`Error::is_invalid_input`]). The forest is as before then.
    pub fn refresh(
        &mut self,
        rows: ArrayView2<'_, f64>,
        trees: usize,
        params: &IsolationForestParams,
    ) -> Result<()> {
        let rows = Rows::check(&rows)?;
        self.check_width(rows.d)?;
        if params.width() != self.extension_level + 1 {
            let message = format!("must be {}, as the forest's", self.extension_level);
            return Err(Error::invalid_parameter("extension_level", message));
        }
        let total = params.affordable(&rows, self.trees(), || self.trees.plain().shape())?;
        let new = trees.min(total);
        let kept = total - new;
        // With no old tree left nothing is bound to the old origins.
        let learned = (kept == 0).then(|| learn_columns(rows.values(), rows.d));
        let columns = learned.as_ref().unwrap_or(&self.columns);
        let grown = params.grow(&rows, columns, self.grown..self.grown + new as u64);
        self.trees.replace(self.trees.len() - kept, columns, grown)?;
        self.grown += new as u64;
        if let Some(columns) = learned {
            self.columns = columns;
        }
        Ok(())
    }
}

impl Trees {
    /// Lets the oldest trees go, so many, and lays new ones out behind the others.
    fn replace(&mut self, oldest: usize, columns: &Columns, new: PlainTrees) -> Result<()> {
        if let (Self::Padded(padded), PlainTrees::ByColumn(new)) = (&mut *self, &new)
            && padded.replace(oldest, columns, new, &average_paths(new))
        {
            return Ok(());
        }
        *self = Self::lay_out(columns, &self.plain().without_oldest(oldest).and(new))?;
        Ok(())
    }
}

impl PlainTrees {
    /// The most rows that a tree saw, and the most splits on the way to a leaf.
    fn shape(&self) -> Shape {
        fn most<S>(trees: &[Tree<S>]) -> Shape {
            let shapes = trees.iter().map(|tree| Shape { rows: tree.rows(), depth: tree.depth() });
            shapes.fold(Shape::default(), Shape::or_more)
        }
        match self {
            Self::ByColumn(trees) => most(trees),
            Self::ByPlane(trees) => most(trees),
        }
    }

    fn without_oldest(mut self, oldest: usize) -> Self {
        match &mut self {
            Self::ByColumn(trees) => drop(trees.drain(..oldest)),
            Self::ByPlane(trees) => drop(trees.drain(..oldest)),
        }
        self
    }

    /// These trees and behind them others of the same kind.
    fn and(mut self, others: Self) -> Self {
        match (&mut self, others) {
            (Self::ByColumn(trees), Self::ByColumn(others)) => trees.extend(others),
            (Self::ByPlane(trees), Self::ByPlane(others)) => trees.extend(others),
            // The kind follows from the extension level, which was compared.
            _ => {}
        }
        self
    }
}
