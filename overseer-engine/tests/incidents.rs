//! One incident an event, told when it should be and not while a silence holds, whatever happens to store and process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, Unreliable, run, start};
use overseer_core::{
    Alert, AlertState, Collector, HostInfo, Incident, IncidentKind, Interruption, Notification,
    NotificationReason, ProcessUsage, Reading, Result, Schema, Severity, Silence, SilenceKind,
    Span, Store, Timestamp, WhichIncidents, host,
};
use overseer_engine::host::{self as wired, store::SqliteStore};
use overseer_engine::incident::Weekly;
use overseer_engine::{Config, Engine, Role};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

fn database(place: &Path) -> SqliteStore {
    SqliteStore::open(&place.join("overseer.db"), &host::schema(), "test").unwrap()
}

fn engine(place: &Path, host: impl Collector + 'static, config: Config) -> Engine {
    let models = wired::store::ModelDirectory::new(place.join("models"));
    let store = Some(Box::new(database(place)) as Box<dyn Store>);
    let models = Some(Box::new(models) as Box<dyn overseer_core::ModelRepository>);
    wired::with_our_models(Box::new(host), store, models, config, Role::Sampler).unwrap()
}

fn with_sink() -> Config {
    let mut config = Config::default();
    config.sinks = vec!["log".to_owned()];
    config
}

/// What was queued, oldest first.
fn told(place: &Path) -> Vec<(Alert, Notification)> {
    let mut alerts = database(place).alerts(99).unwrap();
    alerts.reverse();
    let read = |a: Alert| {
        let message = serde_json::from_str(&a.message).unwrap();
        (a, message)
    };
    alerts.into_iter().map(read).collect()
}

fn reasons(place: &Path) -> Vec<NotificationReason> {
    told(place).iter().map(|(_, n)| n.reason).collect()
}

fn incidents(place: &Path) -> Vec<Incident> {
    database(place).incidents(WhichIncidents::Notable, 99).unwrap()
}

#[test]
fn an_event_is_one_incident_from_its_first_sample_to_the_last_with_who_did_it() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let mut engine = engine(place.path(), host, with_sink());
    let now = run(&mut engine, start(), 200, |_, r| assert_eq!(r.incidents, []));
    busy.store(true, Ordering::Relaxed);
    let mut ids = Vec::new();
    let now = run(&mut engine, now, 20, |_, r| ids.extend(r.incidents.iter().map(|i| i.id)));
    assert!(ids.len() >= 19 && ids.iter().all(|&id| id == 1), "{ids:?}");
    assert_eq!(incidents(place.path())[0].state, AlertState::Firing);
    busy.store(false, Ordering::Relaxed);
    let mut ended = Vec::new();
    run(&mut engine, now, 60, |_, r| ended.extend(r.incidents));
    let last = ended.last().unwrap();
    assert_eq!(last.state, AlertState::Resolved);

    let stored = incidents(place.path());
    assert_eq!(stored.len(), 1);
    let incident = &stored[0];
    assert!(incident.alert && !incident.silenced && incident.ended_at > Some(incident.last_seen));
    assert!(incident.fired_at >= Some(incident.began_at) && incident.samples >= 19);
    let lead = &incident.features[0].feature;
    assert!(["system.cpu.utilization", "linux.pressure.cpu"].contains(&lead.as_str()), "{lead}");
    assert!(incident.processes.iter().any(|p| p.name == "burn"), "{:?}", incident.processes);
    let said = told(place.path());
    let expected = [NotificationReason::Fired, NotificationReason::Resolved];
    let first_and_last = [said[0].1.reason, said.last().unwrap().1.reason];
    assert_eq!(first_and_last, expected);
    assert!(said.iter().all(|(a, n)| a.incident == incident.began_at && n.number == Some(1)));
    assert!(said[0].1.processes.iter().any(|p| p.name == "burn"));
}

#[test]
fn a_restart_goes_on_with_the_open_incident_and_tells_nothing_twice() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let mut first = engine(place.path(), host.clone(), with_sink());
    let now = run(&mut first, start(), 200, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    let now = run(&mut first, now, 20, |_, _| {});
    let before = reasons(place.path());
    first.close();
    drop(first);
    let mut second = engine(place.path(), host.clone(), with_sink());
    let now = run(&mut second, now, 10, |_, r| assert_eq!(r.incidents[0].id, 1));
    assert_eq!(reasons(place.path()), before);
    drop(second);
    // Away for a day: nobody saw when it ended.
    busy.store(false, Ordering::Relaxed);
    let mut third = engine(place.path(), host, with_sink());
    run(&mut third, now + Span::from_secs(86_400), 5, |_, r| assert_eq!(r.incidents, []));
    let incident = &incidents(place.path())[0];
    assert_eq!(
        (incident.state, incident.ended_at),
        (AlertState::Resolved, Some(incident.last_seen))
    );
    assert_eq!(reasons(place.path()).last(), Some(&NotificationReason::Resolved));
}

#[test]
fn another_process_acknowledges_and_the_next_tick_obeys() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let mut config = with_sink();
    config.remind_every = STEP.times(10);
    let mut engine = engine(place.path(), host, config);
    let now = run(&mut engine, start(), 200, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    let now = run(&mut engine, now, 15, |_, _| {});
    assert_eq!(reasons(place.path()).last(), Some(&NotificationReason::Reminder));
    assert!(database(place.path()).acknowledge_incident(1, now, "mine").unwrap());
    let mut state = None;
    let now = run(&mut engine, now, 1, |_, r| state = Some(r.incidents[0].state));
    assert_eq!(state, Some(AlertState::Acknowledged));
    assert_eq!(reasons(place.path()).last(), Some(&NotificationReason::Acknowledged));
    let count = reasons(place.path()).len();
    run(&mut engine, now, 30, |_, _| {});
    assert_eq!(reasons(place.path()).len(), count, "and nobody is reminded");
    assert_eq!(incidents(place.path())[0].acknowledged.as_ref().unwrap().note, "mine");
}

#[test]
fn what_happens_under_a_silence_is_recorded_and_told_when_it_is_lifted() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let mut engine = engine(place.path(), host, with_sink());
    let now = run(&mut engine, start(), 200, |_, _| {});
    // Every day, from an hour ago for three hours, by UTC.
    let minute = now.as_millis().rem_euclid(86_400_000) / 60_000 - 60;
    let at = minute.rem_euclid(1440);
    let weekly = Weekly::new(&format!("daily {:02}:{:02}", at / 60, at % 60), "UTC").unwrap();
    let begin = now - Span::from_secs(7 * 86_400);
    let mut silence =
        Silence::new(SilenceKind::Maintenance, begin, begin + Span::from_secs(10_800), now);
    silence.recurrence = Some(weekly.to_json().unwrap());
    let mut other = database(place.path());
    let mut elsewhere = Silence::new(SilenceKind::Silence, begin, now + STEP.times(999), now);
    elsewhere.features = vec!["system.network.io.receive".to_owned()];
    other.put_silence(&elsewhere).unwrap();
    let number = other.put_silence(&silence).unwrap();

    busy.store(true, Ordering::Relaxed);
    let now = run(&mut engine, now, 20, |_, _| {});
    assert_eq!(reasons(place.path()), []);
    let incident = incidents(place.path()).remove(0);
    assert!(incident.silenced && incident.state == AlertState::Firing && incident.told.is_none());
    assert!(other.lift_silence(number, now).unwrap());
    let now = run(&mut engine, now, 1, |_, _| {});
    assert_eq!(reasons(place.path()), [NotificationReason::Fired]);

    // It ends under another silence: that is told when this is over.
    let until = now + STEP.times(100);
    other.put_silence(&Silence::new(SilenceKind::Silence, now, until, now)).unwrap();
    busy.store(false, Ordering::Relaxed);
    let now = run(&mut engine, now, 90, |_, _| {});
    assert_eq!(incidents(place.path())[0].state, AlertState::Resolved);
    assert_eq!(reasons(place.path()), [NotificationReason::Fired]);
    run(&mut engine, now, 15, |_, _| {});
    assert_eq!(reasons(place.path()), [NotificationReason::Fired, NotificationReason::Resolved]);
}

#[test]
fn an_incident_that_the_store_could_not_take_is_stored_with_its_messages_when_it_is_back() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let down = Arc::new(AtomicBool::new(false));
    let store = Unreliable { inner: database(place.path()), down: down.clone() };
    let (host, store) = (Box::new(host), Some(Box::new(store) as Box<dyn Store>));
    let mut engine = wired::with_our_models(host, store, None, with_sink(), Role::Sampler).unwrap();
    let now = run(&mut engine, start(), 200, |_, _| {});
    down.store(true, Ordering::Relaxed);
    busy.store(true, Ordering::Relaxed);
    let now = run(&mut engine, now, 10, |_, _| {});
    busy.store(false, Ordering::Relaxed);
    let now = run(&mut engine, now, 60, |_, _| {});
    assert_eq!((incidents(place.path()), reasons(place.path())), (vec![], vec![]));
    down.store(false, Ordering::Relaxed);
    run(&mut engine, now, 1, |_, _| {});
    let stored = incidents(place.path());
    assert_eq!((stored.len(), stored[0].state), (1, AlertState::Resolved));
    let said = reasons(place.path());
    assert_eq!(said.first(), Some(&NotificationReason::Fired));
    assert_eq!(said.last(), Some(&NotificationReason::Resolved));
    assert!(told(place.path()).iter().all(|(a, _)| a.incident == stored[0].began_at));
}

/// A calm host whose clock is set by so much with the next sample.
#[derive(Debug)]
struct Jumping {
    host: CalmHost,
    ahead: Arc<Mutex<(Span, bool)>>,
}

impl Collector for Jumping {
    fn schema(&self) -> &Schema {
        self.host.schema()
    }
    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        let mut reading = self.host.collect(now)?;
        let (by, is_told) = std::mem::take(&mut *self.ahead.lock().unwrap());
        if is_told {
            reading.interruptions.push(Interruption::ClockForward(by));
        }
        Ok(reading)
    }
    fn processes(&mut self, top: usize) -> Result<Vec<ProcessUsage>> {
        self.host.processes(top)
    }
    fn host(&self) -> HostInfo {
        self.host.host()
    }
}

#[test]
fn a_clock_that_jumps_neither_fires_nor_resolves_anything() {
    for is_told in [false, true] {
        let place = tempfile::tempdir().unwrap();
        let host = CalmHost::new();
        let busy = host.busy.clone();
        let ahead = Arc::new(Mutex::new((Span::default(), false)));
        let jumping = Jumping { host, ahead: ahead.clone() };
        let mut engine = engine(place.path(), jumping, with_sink());
        let now = run(&mut engine, start(), 200, |_, _| {});
        busy.store(true, Ordering::Relaxed);
        let now = run(&mut engine, now, 20, |_, _| {});
        let before = reasons(place.path());
        let year = Span::from_secs(365 * 86_400);
        *ahead.lock().unwrap() = (year, is_told);
        run(&mut engine, now + year, 30, |_, r| {
            assert_eq!(r.incidents.iter().map(|i| i.id).collect::<Vec<_>>(), [1]);
            assert_ne!(r.incidents[0].state, AlertState::Resolved);
        });
        assert_eq!(reasons(place.path()), before, "told: {is_told}");
    }
}

#[test]
fn memory_that_is_exhausted_is_an_incident_whatever_is_usual_and_no_alert_of_the_budget() {
    let place = tempfile::tempdir().unwrap();
    let host = CalmHost::new();
    host.saturated.store(true, Ordering::Relaxed);
    let saturated = host.saturated.clone();
    let mut engine = engine(place.path(), host, with_sink());
    let now = run(&mut engine, start(), 20, |_, _| {});
    let full = |place: &Path| {
        let all = incidents(place);
        all.into_iter().find(|i| i.kind == IncidentKind::Full).unwrap()
    };
    let incident = full(place.path());
    assert_eq!(incident.subject, "system.memory.utilization");
    assert!(!incident.alert && incident.fired_at.is_some());
    assert_eq!((incident.severity, incident.state), (Severity::Critical, AlertState::Firing));
    assert!(incident.description.contains("exhausted"), "{}", incident.description);
    saturated.store(false, Ordering::Relaxed);
    run(&mut engine, now, 5, |_, _| {});
    assert_eq!(full(place.path()).state, AlertState::Resolved);
}
