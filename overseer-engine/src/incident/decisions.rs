//! What people decided: labels, silences and acknowledgements, read again when somebody has written to the store.

use super::labels::{Labelled, REMEMBERED, loose};
use super::recurrence::Weekly;
use crate::engine::{Engine, Role};
use crate::report::{Notice, Stage};
use overseer_core::{
    Acknowledgement, Error, Incident, LabelKind, LocalTime, Result, Silence, Timestamp, Utc,
    WhichIncidents,
};
use std::sync::Arc;

/// How many labelled incidents are compared with; the newest.
const MOST_LABELLED: usize = 500;

/// Finds a time zone by its name.
pub type ZoneByName = fn(&str) -> Result<Arc<dyn LocalTime>>;

/// The one zone that is known without a database of them.
pub(crate) fn only_utc(name: &str) -> Result<Arc<dyn LocalTime>> {
    match name {
        "UTC" => Ok(Arc::new(Utc)),
        _ => Err(Error::invalid_parameter("time zone", format!("`{name}` is not known here"))),
    }
}

/// A silence that can be asked whether it holds.
#[derive(Debug)]
pub(crate) struct Holding {
    silence: Silence,
    weekly: Option<(Weekly, Arc<dyn LocalTime>)>,
}

impl Holding {
    pub(crate) fn of(silence: Silence, zone: ZoneByName) -> Result<Self> {
        let weekly = match &silence.recurrence {
            None => None,
            Some(text) => {
                let weekly = Weekly::from_json(text)?;
                let clocks = zone(weekly.zone())?;
                Some((weekly, clocks))
            }
        };
        Ok(Self { silence, weekly })
    }

    fn holds(&self, now: Timestamp) -> bool {
        let (from, to) = (self.silence.starts_at, self.silence.ends_at);
        match &self.weekly {
            None => from <= now && now < to,
            Some((weekly, clocks)) => {
                let occurrence = weekly.current(now, to.since(from), &**clocks);
                occurrence.is_some_and(|(begun, _)| begun >= from)
            }
        }
    }

    /// Whether it held at a moment of the past: made by then, and not lifted yet.
    pub(crate) fn held(&self, then: Timestamp) -> bool {
        let is_lifted = self.silence.lifted_at.is_some_and(|at| at <= then);
        self.silence.made_at <= then && !is_lifted && self.holds(then)
    }

    /// A silence of some features is about what they lead.
    pub(crate) fn is_about(&self, lead: Option<&str>) -> bool {
        let features = &self.silence.features;
        features.is_empty() || lead.is_some_and(|lead| features.iter().any(|f| f == lead))
    }
}

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    silences: Vec<Holding>,
    labelled: Vec<Labelled>,
    revision: Option<i64>,
}

impl Decisions {
    /// Whether a silence covers the incident now.
    pub(super) fn cover(&self, incident: &Incident, now: Timestamp) -> bool {
        let lead = incident.features.first().map(|f| f.feature.as_str());
        self.silences.iter().any(|s| s.holds(now) && s.is_about(lead))
    }

    /// The next tick reads all of it again.
    pub(super) fn forget(&mut self) {
        self.revision = None;
    }

    pub(super) fn labelled(&self) -> &[Labelled] {
        &self.labelled
    }
}

impl Engine {
    /// From now on finds the zones of silences that recur this way; without it, only UTC is known.
    pub fn know_zones(&mut self, zone: ZoneByName) {
        self.zones = zone;
        self.incidents.decisions.forget();
    }

    /// Reads what people decided, if somebody has written to the store since, and obeys.
    pub(crate) fn heed_decisions(&mut self, now: Timestamp) {
        let Some(store) = &mut self.parts.store else { return };
        // Where the store cannot be read, storing the sample says so.
        let Ok(revision) = store.revision() else { return };
        let is_read = revision.is_some() && revision == self.incidents.decisions.revision;
        if self.role == Role::Reader && !is_read {
            self.incidents.open.clear();
            self.incidents.is_resumed = false;
        }
        if !is_read && let Err(e) = self.read_decisions(now) {
            return self.note(Notice::warning(Stage::Store, e.to_string()));
        }
        if !is_read && revision.is_some() {
            // Somebody may have told what came of advice.
            self.advised.forget();
        }
        self.incidents.decisions.revision = revision;
        if !self.incidents.is_resumed {
            self.resume_incidents(now);
        }
    }

    fn read_decisions(&mut self, now: Timestamp) -> Result<()> {
        let Some(store) = &mut self.parts.store else { return Ok(()) };
        let silences = store.silences(now)?;
        let labelled = store.incidents(WhichIncidents::Labelled, MOST_LABELLED)?;
        let mut acknowledged: Vec<(i64, Acknowledgement)> = Vec::new();
        for event in self.incidents.open.iter().filter(|e| e.incident.id > 0) {
            let stored = store.incident(event.incident.id)?.and_then(|i| i.acknowledged);
            let news = stored.filter(|a| Some(a) != event.incident.acknowledged.as_ref());
            acknowledged.extend(news.map(|a| (event.incident.id, a)));
        }
        // Said again of one anomaly, the newest counts.
        let mut alone = loose(&mut **store, now - REMEMBERED, MOST_LABELLED, &labelled)?;
        alone.sort_by_key(|l| (l.began_at, std::cmp::Reverse(l.made_at())));
        alone.dedup_by_key(|l| l.began_at);
        let mut labelled: Vec<Labelled> = labelled.iter().filter_map(Labelled::of).collect();
        labelled.extend(alone);
        let count = |kind| {
            let of = labelled.iter().filter(|l| l.is_anomaly && l.kind == kind);
            of.filter(|l| now.since(l.span.1) < REMEMBERED).count()
        };
        self.policy.heed(count(LabelKind::Incident), count(LabelKind::FalseAlarm));
        self.incidents.decisions.labelled = labelled;
        self.incidents.decisions.silences.clear();
        for silence in silences {
            let id = silence.id;
            match Holding::of(silence, self.zones) {
                Ok(holding) => self.incidents.decisions.silences.push(holding),
                Err(e) => self.note(Notice::warning(
                    Stage::Store,
                    format!("silence {id} is not understood, and holds nothing back: {e}"),
                )),
            }
        }
        for (id, by) in acknowledged {
            self.take_acknowledgement(now, id, by);
        }
        Ok(())
    }
}
