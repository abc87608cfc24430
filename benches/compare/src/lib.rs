//! Our models beside those of others: the same data, the same core, the same run.
//!
//! | module | what it is for |
//! |---|---|
//! | [`data`] | what all learn from, written once and read by Rust and Python alike |
//! | [`clock`] | processor time of repeated calls, and what becomes of a measurement |
//! | [`iforest`], [`forest`], [`trend`], [`rest`] | one kind of work each |
//! | [`table`] | the rows with their goals, and how they are written |
//!
//! The Python half is in `peers/`; `run` runs both. Row names are shared: both sides write records that [`table`] joins.

pub mod clock;
pub mod data;
pub mod forest;
pub mod iforest;
pub mod rest;
pub mod table;
pub mod trend;

/// Whatever went wrong, for the person who started the run.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Any error, as a box.
fn boxed(e: impl std::error::Error + 'static) -> Box<dyn std::error::Error> {
    e.into()
}

/// The name that our own figures are recorded under.
pub const OURS: &str = "ours";
