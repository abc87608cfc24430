//! What can be done on a host, and what was: knobs, advised actions, and the journal of those that were applied.

use crate::{Timestamp, missing};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something of the host that can be set to another value and back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "knob", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Knob {
    /// A process's niceness, -20 (first) to 19 (last).
    Niceness {
        /// Its number.
        pid: u32,
    },
    /// A process's I/O class: `none`, `idle`, or `best-effort` and `realtime` with a priority such as `best-effort 4`.
    IoClass {
        /// Its number.
        pid: u32,
    },
    /// A control group's file, such as `cpu.weight`.
    Cgroup {
        /// The group, such as `/system.slice/backup.service`.
        group: String,
        /// The file's name.
        file: String,
    },
    /// A setting of the kernel by its sysctl name, such as `vm.swappiness`.
    Sysctl {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Niceness { pid } => write!(f, "niceness of process {pid}"),
            Self::IoClass { pid } => write!(f, "I/O class of process {pid}"),
            Self::Cgroup { group, file } => write!(f, "{file} of {group}"),
            Self::Sysctl { name } => f.write_str(name),
        }
    }
}

/// A knob and what to set it to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KnobSetting {
    /// What is set.
    #[serde(flatten)]
    pub knob: Knob,
    /// To what, as the host writes it.
    pub value: String,
}

impl KnobSetting {
    /// A knob at a value.
    pub fn new(knob: Knob, value: impl Into<String>) -> Self {
        Self { knob, value: value.into() }
    }
}

impl fmt::Display for KnobSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.knob, self.value)
    }
}

/// A file or directory that may be cleaned up, by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reclaimable {
    /// Where it is.
    pub path: String,
    /// Bytes in it, as far as was looked.
    pub bytes: u64,
    /// Whether the look ended at its bound, so that there may be more.
    pub at_least: bool,
}

impl Reclaimable {
    /// What was found at a place.
    pub fn new(path: impl Into<String>, bytes: u64, at_least: bool) -> Self {
        Self { path: path.into(), bytes, at_least }
    }
}

/// An action of the catalogue that would serve a recommendation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProposedAction {
    /// Its name in the catalogue.
    pub action: String,
    /// The very command that a person would type.
    pub command: String,
    /// What the command sets; empty for what only a person does.
    pub settings: Vec<KnobSetting>,
    /// What is expected of it here: the mean of what came of it, from -1 (worse) to 1 (helped), as a prior and the
    /// outcomes so far have it.
    #[serde(with = "missing")]
    pub expected: f64,
    /// The standard deviation of that belief.
    #[serde(with = "missing")]
    pub uncertainty: f64,
    /// How many outcomes of it are known.
    pub tried: u32,
}

impl ProposedAction {
    /// An action of which no outcome is known.
    pub fn new(
        action: impl Into<String>,
        command: impl Into<String>,
        settings: Vec<KnobSetting>,
    ) -> Self {
        Self {
            action: action.into(),
            command: command.into(),
            settings,
            expected: f64::NAN,
            uncertainty: f64::NAN,
            tried: 0,
        }
    }
}

impl PartialEq for ProposedAction {
    fn eq(&self, o: &Self) -> bool {
        self.action == o.action
            && self.command == o.command
            && self.settings == o.settings
            && missing::same(self.expected, o.expected)
            && missing::same(self.uncertainty, o.uncertainty)
            && self.tried == o.tried
    }
}

words! {
    /// How far an action that was applied has come.
    AppliedState {
        /// Written down before anything is changed; of a process that ended here nobody knows how far it came.
        Applying = "applying",
        /// Applied, and its effect is watched.
        Watching = "watching",
        /// It helped and stays.
        Kept = "kept",
        /// It was taken back.
        Undone = "undone",
        /// It could not be taken back.
        Stuck = "stuck",
    }
}

impl AppliedState {
    /// Whether it is neither kept nor taken back yet.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Applying | Self::Watching)
    }
}

/// One line of the journal of applied actions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AppliedAction {
    /// Its number in the store, above zero; 0 until it was stored.
    pub id: i64,
    /// The number of the recommendation that it follows.
    pub recommendation: i64,
    /// The action's name in the catalogue.
    pub action: String,
    /// What was set before, knob after knob, in the order in which they are changed.
    pub before: Vec<KnobSetting>,
    /// What they are set to.
    pub after: Vec<KnobSetting>,
    /// When it was begun.
    pub applied_at: Timestamp,
    /// How far it is.
    pub state: AppliedState,
    /// When it came to an end; none while it is open.
    pub ended_at: Option<Timestamp>,
    /// The watched feature before and after, in its unit; NaN where nothing was measured.
    #[serde(with = "missing::pair")]
    pub measured: (f64, f64),
    /// More, for a person; may be empty.
    pub note: String,
}

impl AppliedAction {
    /// An action that is about to be applied.
    pub fn new(
        recommendation: i64,
        action: impl Into<String>,
        before: Vec<KnobSetting>,
        after: Vec<KnobSetting>,
        applied_at: Timestamp,
    ) -> Self {
        Self {
            id: 0,
            recommendation,
            action: action.into(),
            before,
            after,
            applied_at,
            state: AppliedState::Applying,
            ended_at: None,
            measured: (f64::NAN, f64::NAN),
            note: String::new(),
        }
    }
}

impl PartialEq for AppliedAction {
    fn eq(&self, o: &Self) -> bool {
        self.id == o.id
            && self.recommendation == o.recommendation
            && self.action == o.action
            && self.before == o.before
            && self.after == o.after
            && self.applied_at == o.applied_at
            && self.state == o.state
            && self.ended_at == o.ended_at
            && missing::same(self.measured.0, o.measured.0)
            && missing::same(self.measured.1, o.measured.1)
            && self.note == o.note
    }
}
