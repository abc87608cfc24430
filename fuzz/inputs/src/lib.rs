//! What each reader of files must hold to, whatever bytes it is given: it answers or refuses, it never panics, and what
//! it accepted works. The fuzzer looks for bytes with which that is not so; the tests try those it found of interest.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a panic is the finding")]

mod files;
mod models;

// The configuration is read by the command, which is no library.
#[allow(dead_code, unreachable_pub, reason = "only the reading of files is of interest here")]
#[path = "../../../overseer-cli/src/args.rs"]
mod args;
#[allow(dead_code, unreachable_pub, reason = "only the reading of files is of interest here")]
#[path = "../../../overseer-cli/src/settings.rs"]
mod settings;

pub use files::{config, csv, import, recording};
pub use models::{model, small_models};

/// A reader of files, as the fuzzer calls it.
pub type Target = fn(&[u8]);

/// Every target with the name of its corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("model", model),
    ("csv", csv),
    ("recording", recording),
    ("import", import),
    ("config", config),
];
