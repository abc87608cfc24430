//! What a person decides, and the incidents it is about. All of it may be done beside a running `watch`.

use super::{json, print};
use crate::args::Format;
use crate::args::decisions::{Acknowledge, Incidents, Label, Named, Silence, Silences};
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::core::{
    self, Error, Incident, LocalTime, Result, Severity, SilenceKind, Store, WhichIncidents,
};
use overseer_engine::feedback;
use overseer_engine::host::collect::SystemZone;
use overseer_engine::host::{now, open_store};
use overseer_engine::incident::Weekly;
use serde::Serialize;

#[derive(Serialize)]
struct Listed<'a> {
    incidents: &'a [Incident],
}

pub(crate) fn incidents(settings: &Settings, args: &Incidents) -> Outcome {
    let mut store = open_store(&settings.engine("incidents", false), false)?;
    let which = if args.all { WhichIncidents::All } else { WhichIncidents::Notable };
    let incidents = store.incidents(which, args.limit)?;
    match settings.format {
        Format::Json => json(&Listed { incidents: &incidents })?,
        Format::Text => {
            print(&text::incidents(&incidents, args.all, now(), &text::Style::of_stdout()))?;
        }
    }
    let open = incidents.iter().filter(|i| i.is_open() && i.fired_at.is_some());
    Ok(open.map(|i| i.severity).max().unwrap_or_default())
}

pub(crate) fn acknowledge(settings: &Settings, args: &Acknowledge) -> Outcome {
    let mut store = open_store(&settings.engine("acknowledge", false), true)?;
    let incident = feedback::acknowledge(&mut store, args.id, &args.note, now())?;
    show(settings, &incident)
}

pub(crate) fn label(settings: &Settings, args: &Label) -> Outcome {
    let mut store = open_store(&settings.engine("label", false), true)?;
    let kind = args.kind.into();
    match args.id {
        Named::Incident(id) => {
            let incident = feedback::label(&mut store, id, kind, &args.note, now())?;
            show(settings, &incident)
        }
        Named::Anomaly(at) => {
            let anomaly = feedback::label_at(&mut store, at, kind, &args.note, now())?;
            match settings.format {
                Format::Json => json(&anomaly)?,
                Format::Text => print(&text::labelled(&anomaly, kind))?,
            }
            Ok(Severity::None)
        }
    }
}

fn show(settings: &Settings, incident: &Incident) -> Outcome {
    match settings.format {
        Format::Json => json(incident)?,
        Format::Text => print(&text::incident(incident, now(), &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}

pub(crate) fn silence(settings: &Settings, args: &Silence) -> Outcome {
    match (&args.what, args.lasting) {
        (Some(Silences::List), _) => list(settings),
        (Some(Silences::Lift { id }), _) => lift(settings, *id),
        (None, Some(lasting)) => make(settings, args, lasting),
        (None, None) => Err(Error::invalid_parameter("for", "say how long, such as --for 2h")),
    }
}

fn make(settings: &Settings, args: &Silence, lasting: core::Span) -> Outcome {
    let options = settings.engine("silence", false);
    let kind = if args.maintenance { SilenceKind::Maintenance } else { SilenceKind::Silence };
    let now = now();
    let mut silence = core::Silence::new(kind, now, now + lasting, now);
    if let Some(weekly) = &args.weekly {
        let zone = zone(args.tz.as_deref().or(options.time_zone.as_deref()))?;
        let weekly = Weekly::new(weekly, zone.name())?;
        if lasting > core::Span::from_secs(7 * 86_400) {
            return Err(Error::invalid_parameter("for", "what recurs weekly lasts at most 7d"));
        }
        let first = weekly.next(now, lasting, &zone);
        (silence.starts_at, silence.ends_at) = first.ok_or_else(|| {
            Error::invalid_parameter("weekly", "there is no such time in the next days")
        })?;
        silence.recurrence = Some(weekly.to_json()?);
    }
    silence.features.clone_from(&args.features);
    silence.reason.clone_from(&args.reason);
    silence.id = open_store(&options, true)?.put_silence(&silence)?;
    match settings.format {
        Format::Json => json(&silence)?,
        Format::Text => print(&text::silences(&[silence], now, &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}

/// A zone that can be found again by its name.
fn zone(name: Option<&str>) -> Result<SystemZone> {
    if let Some(name) = name {
        return SystemZone::named(name);
    }
    let local = SystemZone::local()?;
    SystemZone::named(local.name()).map_err(|_| {
        Error::invalid_parameter("tz", "this host's time zone has no name: give one, such as UTC")
    })
}

#[derive(Serialize)]
struct Holding<'a> {
    silences: &'a [core::Silence],
}

fn list(settings: &Settings) -> Outcome {
    let mut store = open_store(&settings.engine("silence list", false), false)?;
    let silences = store.silences(now())?;
    match settings.format {
        Format::Json => json(&Holding { silences: &silences })?,
        Format::Text => print(&text::silences(&silences, now(), &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}

#[derive(Serialize)]
struct Lifted {
    lifted: i64,
}

fn lift(settings: &Settings, id: i64) -> Outcome {
    let mut store = open_store(&settings.engine("silence lift", false), true)?;
    feedback::lift_silence(&mut store, id, now())?;
    match settings.format {
        Format::Json => json(&Lifted { lifted: id })?,
        Format::Text => print(&format!("Silence #{id} is over.\n"))?,
    }
    Ok(Severity::None)
}
