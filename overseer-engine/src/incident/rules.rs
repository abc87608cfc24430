//! Hard rules: few, and none of them learns. What they find is an incident whatever is usual here.
//!
//! | rule | begins | ends below | severity |
//! |---|---|---|---|
//! | the fullest writable mount is practically full | 97 % for a minute | 95 % | high, critical from 99 % on |
//! | memory is practically exhausted | 97 % for a minute | 93 % | high, critical from 99 % on |
//! | a feature that was there has no value | for five minutes | with a value; a day later it is not expected any more | medium |
//!
//! A minute is at least three samples, five minutes at least twelve. They are counted in samples.

use super::event::Seen;
use overseer_core::{
    FeatureEvidence, Incident, IncidentKind, Peak, Schema, Severity, Span, Timestamp, host,
};

const CRITICAL: f64 = 0.99;
const FULL_FOR: (Span, usize) = (Span::from_secs(60), 3);
const MISSING_FOR: (Span, usize) = (Span::from_secs(300), 12);
/// What has been missing for so long is not expected any more.
const FORGOTTEN_AFTER: Span = Span::from_secs(86_400);
/// So many known values make a feature one that was there.
const WAS_THERE: usize = 60;

/// Something that can be full.
#[derive(Debug, Clone)]
struct Full {
    feature: usize,
    begins: f64,
    ends: f64,
    /// Samples in a row at which it was full.
    samples: usize,
    holds: bool,
}

/// The rules with what they remember.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    full: [Full; 2],
    /// Of each feature, how many values were known, and for how many samples there has been none.
    known: Vec<(usize, usize)>,
}

impl Default for Rules {
    fn default() -> Self {
        let full = |feature, ends| Full { feature, begins: 0.97, ends, samples: 0, holds: false };
        Self {
            full: [full(host::FILESYSTEM_UTILIZATION, 0.95), full(host::MEMORY_UTILIZATION, 0.93)],
            known: Vec::new(),
        }
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
        for full in &mut self.full {
            let name = schema.get(full.feature).map(|f| f.name.as_str());
            full.holds |=
                incident.kind == IncidentKind::Full && name == Some(incident.subject.as_str());
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
            for full in &mut self.full {
                found.extend(full.look(look));
            }
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

impl Full {
    /// `None` where nothing is known, which is no evidence of anything.
    fn look(&mut self, look: Look<'_>) -> Option<Seen> {
        let value = look.values.get(self.feature).copied().filter(|v| !v.is_nan())?;
        let name = &look.schema.get(self.feature)?.name;
        self.samples = if value >= self.begins { self.samples + 1 } else { 0 };
        self.holds = match self.holds {
            true => value >= self.ends,
            false => self.samples >= samples(FULL_FOR, look.step),
        };
        let severity = match self.holds {
            false => Severity::None,
            true if value >= CRITICAL => Severity::Critical,
            true => Severity::High,
        };
        let mut seen = seen(look.at, IncidentKind::Full, name, severity);
        if !self.holds {
            return Some(seen);
        }
        seen.features = vec![FeatureEvidence::new(name, value, (0.0, self.begins), 1.0)];
        let percent = format!("{:.1} %", 100.0 * value);
        let (said, action) = if self.feature == host::MEMORY_UTILIZATION {
            (
                format!("Memory is practically exhausted: {percent} of it is in use."),
                "See which process grew, and stop it before the kernel does.",
            )
        } else {
            let mount = look.mount.unwrap_or("The fullest disk");
            (
                format!("{mount} is practically full: {percent}."),
                "Free or add space: what cannot be written any more fails.",
            )
        };
        seen.description = said;
        seen.actions = vec![action.to_owned()];
        Some(seen)
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
mod tests {
    use super::*;

    /// What a rule says after each of these values of a feature, all others being fine.
    fn states(feature: usize, values: &[f64]) -> Vec<Severity> {
        let schema = host::schema();
        let mut rules = Rules::default();
        let says = |value: &f64| {
            let mut row = vec![0.1; schema.len()];
            row[feature] = *value;
            let (at, step) = (Timestamp::default(), Span::from_secs(20));
            let look = Look { at, schema: &schema, values: &row, mount: Some("/var"), step };
            rules.look(look).iter().map(|s| s.peak.severity).max().unwrap()
        };
        values.iter().map(says).collect()
    }

    #[test]
    fn a_full_mount_counts_after_a_minute_and_until_it_is_clearly_below() {
        use Severity::{Critical, High, None};
        let values = [0.98, 0.96, 0.98, 0.98, 0.995, 0.96, f64::NAN, 0.96, 0.94, 0.96];
        let said = states(host::FILESYSTEM_UTILIZATION, &values);
        assert_eq!(said, [None, None, None, None, Critical, High, None, High, None, None]);
        assert_eq!(states(host::MEMORY_UTILIZATION, &[0.969; 9]), [None; 9]);
        assert_eq!(states(host::MEMORY_UTILIZATION, &[0.971; 4])[2..], [High; 2]);
    }

    #[test]
    fn only_what_was_there_is_missed_after_minutes_and_for_a_day() {
        let of = |there: usize, gone: usize| {
            let mut values = vec![0.1; there];
            values.extend(vec![f64::NAN; gone]);
            states(host::PRESSURE_IO, &values)
        };
        assert_eq!(of(59, 100).iter().max(), Some(&Severity::None));
        let said = of(60, 5000);
        let missed: Vec<usize> = (0..said.len()).filter(|&i| said[i] > Severity::None).collect();
        assert_eq!((missed.first(), missed.last()), (Some(&(60 + 14)), Some(&(60 + 4318))));
    }
}
