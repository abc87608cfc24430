//! What the store promises, asked from outside through the traits of core.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod auxiliary;
mod contents;
mod damage;
mod decisions;
mod defaults;
mod findings;
mod formats;
mod kill;
mod metrics;
mod sharing;
mod tiers;
mod transfer;
