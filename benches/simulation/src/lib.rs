//! Hosts on which nothing is wrong, and what the detector and the alarm policy say of them.
//!
//! An alarm budget is a promise about normal behaviour, of which real recordings hold too little that is known to be
//! normal. These hosts are made up, so all of it is.
//!
//! | module | what it is for |
//! |---|---|
//! | [`draw`], [`noise`], [`interval`] | chance, noise with memory, and a host's own clock |
//! | [`demand`], [`load`] | what a host is asked to do, and the kinds of load it comes from |
//! | [`machine`] | what is measured of it, on the host's schema or as columns of any name |
//! | [`interruption`] | reboots, pauses, missing values, uneven times |
//! | [`hosts`] | kinds of hosts made of these |
//! | [`plan`], [`run`] | which hosts, and one of them through the detector and three budgets at once |
//! | [`tally`], [`report`] | what came of it, by kind, as a table or JSON |
//!
//! `cargo run --release -p overseer-simulation -- --weeks 500` prints the table.

pub mod demand;
pub mod draw;
pub mod hosts;
pub mod interruption;
pub mod interval;
pub mod load;
pub mod machine;
pub mod noise;
pub mod plan;
pub mod report;
pub mod run;
pub mod tally;
