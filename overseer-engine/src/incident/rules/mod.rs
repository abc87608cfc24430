//! Hard rules: few, and none of them learns. What they find is an incident whatever is usual here.
//!
//! | rule | begins | ends below | severity |
//! |---|---|---|---|
//! | a writable mount is practically full, each by itself | 97 % for a minute | 95 % | high, critical from 99 % on |
//! | or fills so fast that it is full within a quarter of an hour | 90 % and grown for as long, five minutes at most | 90 %, or five minutes after it stopped | medium |
//! | memory is practically exhausted | 97 % for a minute | 93 % | high, critical from 99 % on |
//! | a feature that was there has no value | for five minutes | with a value; a day later it is not expected any more | medium |
//!
//! A minute is at least three samples, five minutes at least twelve. They are counted in samples.

mod full;
mod pace;

use super::event::Seen;
use full::{Full, Mounts};
use overseer_core::{
    Auxiliary, FeatureEvidence, Incident, IncidentKind, Peak, Schema, Severity, Span, Timestamp,
    host,
};

const MISSING_FOR: (Span, usize) = (Span::from_secs(300), 12);
/// What has been missing for so long is not expected any more.
const FORGOTTEN_AFTER: Span = Span::from_secs(86_400);
/// So many known values make a feature one that was there.
const WAS_THERE: usize = 60;

/// The rules with what they remember.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    memory: Full,
    mounts: Mounts,
    /// Of each feature, how many values were known, and for how many samples there has been none.
    known: Vec<(usize, usize)>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { memory: Full::memory(), mounts: Mounts::default(), known: Vec::new() }
    }
}

/// A sample with what is known about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) at: Timestamp,
    pub(super) schema: &'a Schema,
    pub(super) values: &'a [f64],
    pub(super) mount: Option<&'a str>,
    pub(super) step: Span,
}

impl Rules {
    /// Takes what the collector knows beside its samples, of which the fullness of each mount counts.
    pub(super) fn take_mounts(&mut self, values: &[Auxiliary], schema: &Schema) {
        if let Some(feature) = schema.get(host::FILESYSTEM_UTILIZATION) {
            self.mounts.take(values, &feature.name);
        }
    }

    /// Counts the values of a sample from before.
    pub(super) fn remember(&mut self, values: &[f64]) {
        self.known.resize(values.len(), (0, 0));
        for ((known, missing), value) in self.known.iter_mut().zip(values) {
            if value.is_nan() {
                *missing += 1;
            } else {
                (*known, *missing) = (known.saturating_add(1), 0);
            }
        }
    }

    /// Goes on with an incident that one of them found before a restart.
    pub(super) fn resume(&mut self, incident: &Incident, schema: &Schema, step: Span) {
        if incident.kind == IncidentKind::Full && self.memory.subject(schema) == incident.subject {
            self.memory.resume(incident);
        } else if incident.kind == IncidentKind::Full {
            self.mounts.resume(incident, schema);
        }
        if incident.kind == IncidentKind::Missing {
            self.known.resize(schema.len(), (0, 0));
            let missing = incident.features.iter().filter_map(|f| schema.index_of(&f.feature));
            for index in missing {
                self.known[index] = (WAS_THERE, samples(MISSING_FOR, step));
            }
        }
    }

    /// What each of them says of a sample.
    pub(super) fn look(&mut self, look: Look<'_>) -> Vec<Seen> {
        let mut found = Vec::new();
        if *look.schema == host::schema() {
            found.extend(self.memory.look(look));
            found.extend(self.mounts.look(look));
        }
        self.remember(look.values);
        found.push(self.missing(look));
        found
    }

    fn missing(&self, look: Look<'_>) -> Seen {
        let long = samples(MISSING_FOR, look.step);
        let forgotten = FORGOTTEN_AFTER.steps(look.step).max(long);
        let missing: Vec<&str> = self
            .known
            .iter()
            .zip(look.schema.features())
            .filter(|((known, gone), _)| *known >= WAS_THERE && (long..forgotten).contains(gone))
            .map(|(_, feature)| feature.name.as_str())
            .collect();
        let severity = if missing.is_empty() { Severity::None } else { Severity::Medium };
        let mut seen = seen(look.at, IncidentKind::Missing, "", severity);
        if missing.is_empty() {
            return seen;
        }
        let share = 1.0 / missing.len().max(1) as f64;
        let evidence =
            |name: &&str| FeatureEvidence::new(*name, f64::NAN, (f64::NAN, f64::NAN), share);
        seen.features = missing.iter().map(evidence).collect();
        let names: Vec<&str> = missing.iter().map(|name| host::plain_name(name)).collect();
        let last = names.len().saturating_sub(5);
        let more = if last > 0 { format!(" and {last} more") } else { String::new() };
        let names = names[..names.len() - last].join(", ");
        seen.description = format!(
            "There has been no value of {names}{more} for {} and more.",
            look.step.times(long)
        );
        seen.actions = vec!["See why it cannot be read: `overseer analyze` says.".to_owned()];
        seen
    }
}

fn samples((lasting, least): (Span, usize), step: Span) -> usize {
    lasting.steps(step).max(least)
}

fn seen(at: Timestamp, kind: IncidentKind, subject: &str, severity: Severity) -> Seen {
    Seen {
        kind,
        subject: subject.to_owned(),
        peak: Peak::new(at, severity, f64::NAN, f64::NAN),
        lingering: false,
        alert: false,
        features: Vec::new(),
        description: String::new(),
        actions: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
