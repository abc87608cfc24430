//! What is practically full, or will be within minutes: memory, and every mount by its own name.
//!
//! The fullest mount is known with every sample, the others once a minute, when the collector is asked what it knows
//! beside its samples. What was heard then holds until the next such look, and the samples in between count.

use super::super::event::Seen;
use super::pace::{self, Pace};
use super::{FORGOTTEN_AFTER, Look, samples, seen};
use crate::policy::CALM_SAMPLES;
use overseer_core::{
    Auxiliary, FeatureEvidence, Incident, IncidentKind, Schema, Severity, Span, host,
};

const BEGINS: f64 = 0.97;
const MOUNT_ENDS: f64 = 0.95;
const MEMORY_ENDS: f64 = 0.93;
const CRITICAL: f64 = 0.99;
const FULL_FOR: (Span, usize) = (Span::from_secs(60), 3);
/// So many mounts can be full at once; of more, the first.
const MOST_FULL: usize = 8;
/// And of so many it is noted how fast they fill.
const MOST_NOTED: usize = 32;
/// A mount that so many looks in a row did not list is not mounted any more.
const GONE_AFTER: usize = 3;
/// What was not full for so many samples is forgotten: its incident is over by then.
const IDLE: usize = 2 * CALM_SAMPLES;

/// Something that can be full.
#[derive(Debug, Clone)]
pub(super) struct Full {
    feature: usize,
    /// The mount; empty for memory, and where nobody knows its name.
    instance: String,
    ends: f64,
    /// The newest value; NaN before one is known.
    value: f64,
    /// Samples in a row at which it was full.
    samples: usize,
    /// Samples since its newest value.
    unknown: usize,
    /// Looks in a row that did not list it.
    absent: usize,
    /// Samples in a row at which it was clearly not full.
    idle: usize,
    /// Whether its newest value holds until the next look.
    lasts: bool,
    /// Whether it is full, and not only on the way there.
    is_full: bool,
    /// Whether either is told.
    holds: bool,
    /// How fast it fills; none of memory, which a program may take at once and then no more of it.
    pace: Option<Pace>,
}

impl Full {
    fn new(feature: usize, instance: &str, ends: f64) -> Self {
        let instance = instance.to_owned();
        let (samples, unknown, absent, idle) = (0, 0, 0, 0);
        let (value, lasts, pace) = (f64::NAN, false, None);
        let (is_full, holds) = (false, false);
        Self {
            feature,
            instance,
            ends,
            value,
            samples,
            unknown,
            absent,
            idle,
            lasts,
            is_full,
            holds,
            pace,
        }
    }

    pub(super) fn memory() -> Self {
        Self::new(host::MEMORY_UTILIZATION, "", MEMORY_ENDS)
    }

    fn mount(name: &str) -> Self {
        let full = Self::new(host::FILESYSTEM_UTILIZATION, name, MOUNT_ENDS);
        Self { pace: Some(Pace::default()), ..full }
    }

    /// Goes on with an incident that was open before a restart.
    pub(super) fn resume(&mut self, incident: &Incident) {
        let highest = incident.features.first().map(|f| f.observed);
        self.is_full = highest.is_none_or(|value| value >= BEGINS);
        self.holds = true;
        self.pace.iter_mut().for_each(Pace::resume);
    }

    /// What its incident is about: the feature, and the mount where it has a name.
    pub(super) fn subject(&self, schema: &Schema) -> String {
        let feature = schema.get(self.feature).map_or("", |f| f.name.as_str());
        format!("{feature} {}", self.instance).trim_end().to_owned()
    }

    /// Takes a sample's value, or that of a look, which stands for the samples since the last as well.
    ///
    /// It begins only where it may.
    fn take(&mut self, value: f64, of_a_look: bool, step: Span, may_begin: bool) {
        let since = 1 + self.unknown;
        let passed = if of_a_look && self.samples > 0 { since } else { 1 };
        self.samples = if value >= BEGINS { self.samples.saturating_add(passed) } else { 0 };
        if let Some(pace) = &mut self.pace {
            pace.take(value, since, step);
        }
        let fills = self.pace.as_ref().is_some_and(|pace| pace.fills().is_some());
        self.is_full = match self.is_full {
            true => value >= self.ends,
            false => self.samples >= samples(FULL_FOR, step),
        };
        self.holds = (self.is_full || fills) && (self.holds || may_begin);
        (self.value, self.lasts) = (value, of_a_look);
        (self.unknown, self.absent) = (0, 0);
    }

    /// A sample that told nothing of it; after a while it is not there any more.
    fn miss(&mut self, was_looked: bool, step: Span) {
        self.unknown += 1;
        self.absent += usize::from(was_looked);
        let forgotten = FORGOTTEN_AFTER.steps(step).max(samples(FULL_FOR, step));
        if self.absent >= GONE_AFTER || self.unknown >= forgotten {
            (self.samples, self.is_full, self.holds) = (0, false, false);
            (self.value, self.lasts) = (f64::NAN, true);
        }
    }

    /// What the newest sample alone says of it.
    pub(super) fn look(&mut self, look: Look<'_>) -> Option<Seen> {
        let value = look.values.get(self.feature).copied().filter(|v| !v.is_nan())?;
        self.take(value, false, look.step, true);
        self.says(look)
    }

    /// `None` where nothing is known, which is no evidence of anything.
    fn says(&self, look: Look<'_>) -> Option<Seen> {
        if self.unknown > 0 && !self.lasts {
            return None;
        }
        let severity = match self.holds {
            false => Severity::None,
            true if self.value >= CRITICAL => Severity::Critical,
            true if self.is_full => Severity::High,
            true => Severity::Medium,
        };
        let name = &look.schema.get(self.feature)?.name;
        let mut seen = seen(look.at, IncidentKind::Full, &self.subject(look.schema), severity);
        if !self.holds {
            return Some(seen);
        }
        let fills = self.pace.as_ref().and_then(Pace::fills).filter(|_| !self.is_full);
        let most = if fills.is_some() { pace::FROM } else { BEGINS };
        seen.features = vec![FeatureEvidence::new(name, self.value, (0.0, most), 1.0)];
        let percent = format!("{:.1} %", 100.0 * self.value);
        let (said, action) = if self.feature == host::MEMORY_UTILIZATION {
            (
                format!("Memory is practically exhausted: {percent} of it is in use."),
                "See which process grew, and stop it before the kernel does.",
            )
        } else {
            let mount = match self.instance.as_str() {
                "" => "The fullest disk",
                name => name,
            };
            let said = match fills.filter(|fills| fills.a_minute.is_finite()) {
                Some(fills) => format!(
                    "{mount} fills fast: {percent}, {:.1} points more each minute for {}. At that pace it is full in {}.",
                    100.0 * fills.a_minute,
                    fills.grown_for,
                    fills.left
                ),
                None => format!("{mount} is practically full: {percent}."),
            };
            let action = match fills {
                Some(_) => "See what is written there, and stop it or make room before it is full.",
                None => "Free or add space: what cannot be written any more fails.",
            };
            (said, action)
        };
        seen.description = said;
        seen.actions = vec![action.to_owned()];
        Some(seen)
    }

    fn is_over(&mut self) -> bool {
        let is_noted = self.holds || self.samples > 0 || self.value >= pace::NOTED;
        self.idle = if is_noted { 0 } else { self.idle + 1 };
        self.idle > IDLE
    }
}

/// The mounts that are full, or may soon be.
#[derive(Debug, Clone, Default)]
pub(super) struct Mounts {
    full: Vec<Full>,
    /// What a look found since the newest sample.
    looked: Option<Vec<(String, f64)>>,
    /// Whether a look ever listed any.
    are_listed: bool,
}

impl Mounts {
    /// Takes what the collector knows beside its samples; without any mount it is no look at them.
    pub(super) fn take(&mut self, values: &[Auxiliary], feature: &str) {
        let mounts = values.iter().filter(|a| a.name == feature && a.value.is_finite());
        let looked: Vec<_> = mounts.map(|a| (a.instance.clone(), a.value)).collect();
        if !looked.is_empty() {
            self.are_listed = true;
            self.looked = Some(looked);
        }
    }

    /// Goes on with an incident, if it is a mount's.
    pub(super) fn resume(&mut self, incident: &Incident, schema: &Schema) {
        let feature = Full::mount("").subject(schema);
        let Some(name) = incident.subject.strip_prefix(&feature) else { return };
        let mut full = Full::mount(name.trim_start());
        full.resume(incident);
        if self.full.len() < MOST_FULL {
            self.full.push(full);
        }
    }

    /// Whether one more may begin to be full.
    fn may_begin(&self) -> bool {
        self.full.iter().filter(|full| full.holds).count() < MOST_FULL
    }

    /// What each of them says of a sample.
    pub(super) fn look(&mut self, look: Look<'_>) -> Vec<Seen> {
        let looked = self.looked.take();
        let fullest = look.values.get(host::FILESYSTEM_UTILIZATION).filter(|v| !v.is_nan());
        // Where mounts are listed but the fullest has no name, it is one of those.
        let name = look.mount.or((!self.are_listed).then_some(""));
        let fullest = name.zip(fullest.copied());
        let listed = looked.iter().flatten().map(|(name, value)| (name.as_str(), *value));
        for index in 0..self.full.len() {
            let may_begin = self.may_begin();
            let full = &mut self.full[index];
            let of = |(name, _): &(&str, f64)| *name == full.instance;
            match (fullest.filter(of), listed.clone().find(of)) {
                (Some((_, value)), _) => full.take(value, false, look.step, may_begin),
                (None, Some((_, value))) => full.take(value, true, look.step, may_begin),
                (None, None) => full.miss(looked.is_some(), look.step),
            }
        }
        let of_sample = fullest.into_iter().map(|(name, value)| (name, value, false));
        for (name, value, of_a_look) in of_sample.chain(listed.map(|(n, v)| (n, v, true))) {
            let is_known = self.full.iter().any(|f| f.instance == name);
            if value >= pace::NOTED && !is_known && self.full.len() < MOST_NOTED {
                let mut full = Full::mount(name);
                full.take(value, of_a_look, look.step, self.may_begin());
                self.full.push(full);
            }
        }
        let found = self.full.iter().filter_map(|full| full.says(look)).collect();
        self.full.retain_mut(|full| !full.is_over());
        found
    }
}
