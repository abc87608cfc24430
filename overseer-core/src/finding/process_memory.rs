//! The memory of programs, as it is watched for leaks.

use super::ProcessUsage;
use serde::{Deserialize, Serialize};

/// The memory of one program: of all its processes together, and what it has left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProgramMemory {
    /// The systemd service that it is, else the name of its executable. It stays the same when a process is started
    /// anew.
    pub name: String,
    /// How many processes it has.
    pub processes: usize,
    /// Their resident memory together, in bytes; what they share is counted for each.
    pub memory_bytes: f64,
    /// The process that has the most of it.
    pub largest: ProcessUsage,
    /// How much more it may take, in bytes: what is left to its control group, or on the host where that is less; none
    /// where it is not known.
    pub left_bytes: Option<f64>,
    /// The control group whose limit it will meet first, such as `/system.slice/batch.service`; empty where it is what
    /// the host has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub limited_by: String,
}

impl ProgramMemory {
    /// A program of one process, with nothing known of what it has left.
    pub fn new(name: impl Into<String>, largest: ProcessUsage) -> Self {
        Self {
            name: name.into(),
            processes: 1,
            memory_bytes: largest.memory_bytes,
            largest,
            left_bytes: None,
            limited_by: String::new(),
        }
    }
}
