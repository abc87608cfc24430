//! Detection as a user meets it: rows go into a `Scorer`, alerts come out.
//!
//! Each module is one thing that happens to hosts. Figures in them are what is promised, not what was found: where
//! chance has a part, several seeds are asked and their sum is held to the bound.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod causality;
mod constants;
mod counters;
mod drift;
mod frozen;
mod interruptions;
mod levels;
mod missing;
mod poisoned;
mod retrained;
mod scene;
mod single;
mod uneven;
mod weekly_job;
