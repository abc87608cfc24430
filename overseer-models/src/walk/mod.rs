//! What both forests share: rows as keys whose order is that of the values, and trees as flat nodes of 8 bytes down
//! which several rows walk at once.
//!
//! A walk is a chain of loads that each wait for the one before. So a single walk leaves the processor idle most of the
//! time, and the speed of a forest is that of many walks in flight.

mod columns;
mod nodes;

pub(crate) use columns::{ABOVE_ALL as NO_THRESHOLD, Columns, Infinite};
pub(crate) use nodes::{LARGEST_LEAF, Node, Nodes, Packing, Rows};
