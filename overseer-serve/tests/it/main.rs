//! The service as a client meets it: its JSON, its refusals, its streams, and what nonsense does to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod answers;
mod errors;
mod hostile;
mod scene;
mod security;
mod snapshots;
mod streams;
