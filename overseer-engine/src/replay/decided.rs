//! What people had decided by a moment: labels and silences, each from the time on at which it was given.

use crate::incident::{Holding, Labelled, REMEMBERED, ZoneByName, like, loose};
use crate::policy::AlarmPolicy;
use overseer_core::{
    FeatureEvidence, Frame, IncidentKind, LabelKind, Result, Store, Timestamp, WhichIncidents,
};
use std::collections::HashMap;

/// As many labelled incidents as a running engine compares with.
const MOST_LABELLED: usize = 500;

/// All labels and silences that are stored, and how many of the labels were given by the newest row.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// In the order in which they were given.
    labels: Vec<Labelled>,
    given: Option<usize>,
    silences: Vec<Holding>,
    /// Silences that cannot be understood, in whole sentences.
    pub(super) notes: Vec<String>,
}

impl Decided {
    /// Reads what was decided up to `until`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) fn read(
        store: &mut dyn Store,
        (since, until): (Timestamp, Timestamp),
        zone: ZoneByName,
    ) -> Result<Self> {
        let mut decided = Self::default();
        let incidents = store.incidents(WhichIncidents::Labelled, MOST_LABELLED)?;
        let first = incidents.iter().map(|i| i.began_at).min();
        let labels = first.map(|first| store.labels(first)).transpose()?.unwrap_or_default();
        for incident in &incidents {
            let last = match incident.kind {
                IncidentKind::Anomaly => incident.last_seen,
                _ => incident.began_at,
            };
            let of = |at: Timestamp| incident.began_at <= at && at <= last;
            let given = labels.iter().filter(|l| of(l.anomaly) && l.made_at <= until);
            decided.labels.extend(given.map(|label| Labelled::said(incident, label)));
        }
        let alone = loose(store, since - REMEMBERED, MOST_LABELLED, &incidents)?;
        decided.labels.extend(alone.into_iter().filter(|l| l.made_at() <= until));
        decided.labels.sort_by_key(Labelled::made_at);
        for silence in store.silences_since(since)? {
            let id = silence.id;
            if silence.made_at > until {
                continue;
            }
            match Holding::of(silence, zone) {
                Ok(holding) => decided.silences.push(holding),
                Err(e) => decided.notes.push(format!(
                    "Silence {id} is not understood, and holds nothing back here: {e}."
                )),
            }
        }
        Ok(decided)
    }

    /// How many labels and silences there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.labels.len(), self.silences.len())
    }

    /// The policies are new ones: they have heeded nothing yet.
    pub(super) fn begin(&mut self) {
        self.given = None;
    }

    /// Has policies heed what was said by `now`, if that is more than before.
    pub(super) fn heed<'a>(
        &mut self,
        now: Timestamp,
        policies: impl Iterator<Item = &'a mut AlarmPolicy>,
    ) {
        let before = self.given.unwrap_or(0);
        let more = self.labels[before..].iter().take_while(|l| l.made_at() <= now).count();
        if self.given.replace(before + more) == Some(before + more) {
            return;
        }
        // Of several labels of one incident the newest counts.
        let newest: HashMap<Timestamp, &Labelled> =
            self.given().iter().map(|l| (l.began_at, l)).collect();
        let recent = newest.values().filter(|l| l.is_anomaly && now.since(l.span.1) < REMEMBERED);
        let count = |kind| recent.clone().filter(|l| l.kind == kind).count();
        let (incidents, false_alarms) = (count(LabelKind::Incident), count(LabelKind::FalseAlarm));
        policies.for_each(|policy| policy.heed(incidents, false_alarms));
    }

    fn given(&self) -> &[Labelled] {
        &self.labels[..self.given.unwrap_or(0)]
    }

    /// Whether anything was said yet, so that it need be asked what a row is like.
    pub(super) fn says_anything(&self) -> bool {
        !self.given().is_empty()
    }

    /// What was said of the event that a row of these features is like.
    pub(super) fn label(&self, features: &[FeatureEvidence]) -> Option<LabelKind> {
        like(features, self.given()).map(|l| l.kind)
    }

    /// Whether a silence that had been made covers what this feature leads.
    pub(super) fn cover(&self, lead: Option<&str>, now: Timestamp) -> bool {
        self.silences.iter().any(|s| s.held(now) && s.is_about(lead))
    }

    /// The rows that nobody had called an incident by `now`.
    ///
    /// # Errors
    /// Never, with the rows of a frame; it is what pushing a row returns.
    pub(super) fn without_incidents(&self, rows: Frame, now: Timestamp) -> Result<Frame> {
        let said = self.labels.iter().filter(|l| l.made_at() <= now).map(|l| (l.began_at, l));
        let newest: HashMap<Timestamp, &Labelled> = said.collect();
        let is_within = |at: Timestamp| {
            let incidents = newest.values().filter(|l| l.kind == LabelKind::Incident);
            incidents.map(|l| l.span).any(|(from, to)| from <= at && at <= to)
        };
        if !rows.timestamps().iter().copied().any(is_within) {
            return Ok(rows);
        }
        let mut rest = Frame::new(rows.schema().clone());
        for (at, values) in rows.rows().filter(|&(at, _)| !is_within(at)) {
            rest.push_row(at, values)?;
        }
        Ok(rest)
    }
}
