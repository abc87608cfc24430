//! What to do about a finding.

use crate::{MissingValue, ProposedAction, Reclaimable, missing};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How soon something should be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Priority {
    /// When there is time.
    Low,
    /// This week.
    Medium,
    /// Today.
    High,
    /// Now.
    Critical,
}

impl Priority {
    /// The lower-case word used in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one process used over a short span.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProcessUsage {
    /// The process's number.
    pub pid: u32,
    /// The name of its executable.
    pub name: String,
    /// Its command line, cut to 200 characters; empty where it could not be read.
    pub command: String,
    /// CPUs kept busy: 1.0 is one whole logical CPU; NaN if not measured.
    #[serde(with = "missing")]
    pub cpu_cores: f64,
    /// Resident memory in bytes; NaN if not measured.
    #[serde(with = "missing")]
    pub memory_bytes: f64,
    /// Bytes read and written to storage per second; NaN if not permitted to know.
    #[serde(with = "missing")]
    pub io_bytes_per_second: f64,
    /// The control group it runs in, such as `/system.slice/nginx.service`; empty where there is none to tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cgroup: String,
    /// The systemd unit it belongs to, such as `nginx.service`; empty where it belongs to none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What could not be had of it, and why: a refusal is said and not guessed around.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingValue>,
}

impl ProcessUsage {
    /// A process of which nothing is measured yet.
    pub fn new(pid: u32, name: impl Into<String>) -> Self {
        Self {
            pid,
            name: name.into(),
            command: String::new(),
            cpu_cores: f64::NAN,
            memory_bytes: f64::NAN,
            io_bytes_per_second: f64::NAN,
            cgroup: String::new(),
            unit: String::new(),
            missing: Vec::new(),
        }
    }
}

impl PartialEq for ProcessUsage {
    fn eq(&self, o: &Self) -> bool {
        self.pid == o.pid
            && self.name == o.name
            && self.command == o.command
            && missing::same(self.cpu_cores, o.cpu_cores)
            && missing::same(self.memory_bytes, o.memory_bytes)
            && missing::same(self.io_bytes_per_second, o.io_bytes_per_second)
            && self.cgroup == o.cgroup
            && self.unit == o.unit
            && self.missing == o.missing
    }
}

/// A piece of advice that follows from findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recommendation {
    /// The feature it is about.
    pub feature: String,
    /// How soon.
    pub priority: Priority,
    /// What was found, with the numbers.
    pub evidence: String,
    /// What to do.
    pub action: String,
    /// The processes that matter, the heaviest first; empty where none do or none could be read.
    pub processes: Vec<ProcessUsage>,
    /// Its number in the store, by which an outcome is told; none where it is not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Actions of the catalogue that would serve, the one that is advised first; empty where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ProposedAction>,
    /// What could be cleaned up, the largest first; nothing is ever deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reclaimable: Vec<Reclaimable>,
}

impl Recommendation {
    /// A piece of advice.
    pub fn new(
        feature: impl Into<String>,
        priority: Priority,
        evidence: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        Self {
            feature: feature.into(),
            priority,
            evidence: evidence.into(),
            action: action.into(),
            processes: Vec::new(),
            id: None,
            actions: Vec::new(),
            reclaimable: Vec::new(),
        }
    }
}
