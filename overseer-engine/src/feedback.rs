//! What people say of incidents, and the silences they make: for whoever has a store, beside a running engine or in it.
//!
//! A running engine obeys by its next tick. An unknown number is told with those that exist.

use crate::engine::Engine;
use crate::utc::utc;
use overseer_core::{
    AnomalyDetection, Error, Incident, Label, LabelKind, Result, Silence, Span, Store, Timestamp,
    WhichIncidents,
};

/// How many numbers an error names.
const NAMED: usize = 10;
/// The rest of the second in which an anomaly is named.
const SECOND: Span = Span::from_millis(999);

/// The incident of this number.
///
/// # Errors
/// If there is none, with those that exist; or the store cannot be read.
pub fn incident(store: &mut dyn Store, id: i64) -> Result<Incident> {
    match store.incident(id)? {
        Some(incident) => Ok(incident),
        None => {
            let known = store.incidents(WhichIncidents::All, NAMED + 1)?;
            let ids = known.iter().map(|i| i.id);
            Err(unknown("incident", id, ids))
        }
    }
}

/// That there is no such number, with those that there are, newest first.
fn unknown(what: &str, id: i64, known: impl Iterator<Item = i64>) -> Error {
    let known: Vec<String> = known.map(|id| format!("#{id}")).collect();
    let message = match known.len() {
        0 => format!("there is no #{id}, nor any other yet"),
        n if n > NAMED => {
            format!("there is no #{id}; the newest are {}", known[..NAMED].join(", "))
        }
        _ => format!("there is no #{id}; there are {}", known.join(", ")),
    };
    Error::invalid_parameter(what, message)
}

/// Notes that somebody looks after an incident, so that it reminds nobody any more.
///
/// # Errors
/// If there is no such incident, it is over, or the store cannot be written.
pub fn acknowledge(store: &mut dyn Store, id: i64, note: &str, now: Timestamp) -> Result<Incident> {
    let known = incident(store, id)?;
    // Said again without a note, the former one stays.
    let former = known.acknowledged.map(|by| by.note).unwrap_or_default();
    let note = if note.is_empty() { former.as_str() } else { note };
    if !store.acknowledge_incident(id, now, note)? {
        return Err(Error::invalid_parameter("incident", format!("#{id} is over already")));
    }
    incident(store, id)
}

/// Says what an incident was, from the next tick on also for those like it. Said again, the newest counts.
///
/// # Errors
/// If there is no such incident, or the store cannot be written.
pub fn label(
    store: &mut dyn Store,
    id: i64,
    kind: LabelKind,
    note: &str,
    now: Timestamp,
) -> Result<Incident> {
    let known = incident(store, id)?;
    let mut label = Label::new(known.began_at, kind, now);
    note.clone_into(&mut label.note);
    store.put_label(&label)?;
    incident(store, id)
}

/// Says what an anomaly was that belongs to no incident, such as one that was imported or found by an earlier version;
/// its time, to the second, names it. From the next tick on it decides about those like it as a labelled incident does.
/// Of one that is part of an incident it is said of that.
///
/// # Errors
/// If no anomaly of that second is stored, with the newest that are, or the store cannot be written.
pub fn label_at(
    store: &mut dyn Store,
    at: Timestamp,
    kind: LabelKind,
    note: &str,
    now: Timestamp,
) -> Result<AnomalyDetection> {
    let Some(anomaly) = store.anomalies_between(at, at + SECOND, 1)?.pop() else {
        let known = store.anomalies(NAMED)?;
        let times: Vec<String> = known.iter().map(|a| utc(a.timestamp)).collect();
        let known = match times.is_empty() {
            true => "no anomaly is stored yet".to_owned(),
            false => format!("the newest are of {}", times.join(", ")),
        };
        return Err(Error::invalid_parameter(
            "anomaly",
            format!("none is of {}; {known}", utc(at)),
        ));
    };
    let mut label = Label::new(anomaly.timestamp, kind, now);
    note.clone_into(&mut label.note);
    store.put_label(&label)?;
    Ok(anomaly)
}

/// Ends a silence.
///
/// # Errors
/// If none of this number holds, with those that do; or the store cannot be written.
pub fn lift_silence(store: &mut dyn Store, id: i64, now: Timestamp) -> Result<()> {
    if store.lift_silence(id, now)? {
        return Ok(());
    }
    let known = store.silences(now)?;
    Err(unknown("silence", id, known.iter().rev().map(|s| s.id)))
}

impl Engine {
    /// As [`acknowledge`], in the engine's own store.
    ///
    /// # Errors
    /// As [`acknowledge`], and if there is no store.
    pub fn acknowledge(&mut self, id: i64, note: &str, now: Timestamp) -> Result<Incident> {
        self.decide(|store| acknowledge(store, id, note, now))
    }

    /// As [`label`], in the engine's own store.
    ///
    /// # Errors
    /// As [`label`], and if there is no store.
    pub fn label(
        &mut self,
        id: i64,
        kind: LabelKind,
        note: &str,
        now: Timestamp,
    ) -> Result<Incident> {
        self.decide(|store| label(store, id, kind, note, now))
    }

    /// As [`label_at`], in the engine's own store.
    ///
    /// # Errors
    /// As [`label_at`], and if there is no store.
    pub fn label_at(
        &mut self,
        at: Timestamp,
        kind: LabelKind,
        note: &str,
        now: Timestamp,
    ) -> Result<AnomalyDetection> {
        self.decide(|store| label_at(store, at, kind, note, now))
    }

    /// Makes a silence in the engine's own store, and returns its number.
    ///
    /// # Errors
    /// As [`Store::put_silence`], and if there is no store.
    pub fn silence(&mut self, silence: &Silence) -> Result<i64> {
        self.decide(|store| store.put_silence(silence))
    }

    /// As [`lift_silence`], in the engine's own store.
    ///
    /// # Errors
    /// As [`lift_silence`], and if there is no store.
    pub fn lift_silence(&mut self, id: i64, now: Timestamp) -> Result<()> {
        self.decide(|store| lift_silence(store, id, now))
    }

    /// What is written here is no news to the store, so it is read again whatever that says.
    fn decide<T>(&mut self, work: impl FnOnce(&mut dyn Store) -> Result<T>) -> Result<T> {
        self.incidents.forget_decisions();
        match &mut self.parts.store {
            Some(store) => work(&mut **store),
            None => Err(Error::unavailable("the store", "this engine has none")),
        }
    }
}
