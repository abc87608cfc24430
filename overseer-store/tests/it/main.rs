//! What the store promises, asked from outside through the traits of core.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod actions;
mod auxiliary;
mod contents;
mod damage;
mod decisions;
mod defaults;
mod faults;
mod findings;
mod formats;
mod incidents;
mod kill;
mod kill_models;
mod metrics;
mod sharing;
mod sums;
mod tables;
mod tiers;
mod transfer;
