//! Disks that fill: each mount has an incident and advice of its own, also after a restart; and what is told of a burst.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, run, start};
use overseer_core::{
    AlertState, Auxiliary, Collector, Incident, IncidentKind, Reading, Result, Schema, Severity,
    Span, Store, Unit, WhichIncidents, host,
};
use overseer_engine::host::collect::{Fault, ScriptedHost};
use overseer_engine::host::{self as wired, store::SqliteStore};
use overseer_engine::{Config, Engine, Role};
use std::path::Path;
use std::sync::{Arc, Mutex};

const FULLNESS: &str = "system.filesystem.utilization";

type Mounts = Arc<Mutex<Vec<(&'static str, f64)>>>;

/// A calm host whose mounts a test fills; the fullest is in each sample, as on a real one.
#[derive(Debug)]
struct WithMounts {
    host: CalmHost,
    mounts: Mounts,
}

impl Collector for WithMounts {
    fn schema(&self) -> &Schema {
        self.host.schema()
    }
    fn collect(&mut self, now: overseer_core::Timestamp) -> Result<Reading> {
        let mut reading = self.host.collect(now)?;
        let mounts = self.mounts.lock().unwrap();
        let fullest = mounts.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        reading.sample.values[host::FILESYSTEM_UTILIZATION] = fullest.1;
        reading.fullest_mount = Some(fullest.0.to_owned());
        Ok(reading)
    }
    fn auxiliary(&mut self) -> Result<Vec<Auxiliary>> {
        let of = |&(point, used): &(&'static str, f64)| {
            Auxiliary::new(FULLNESS, point, Unit::Ratio, used).of_capacity(1.0)
        };
        Ok(self.mounts.lock().unwrap().iter().map(of).collect())
    }
}

fn store(place: &Path) -> SqliteStore {
    SqliteStore::open(&place.join("overseer.db"), &host::schema(), "test").unwrap()
}

fn engine(place: &Path, host: impl Collector + 'static) -> Engine {
    let mut config = Config::default();
    config.sinks = vec!["log".to_owned()];
    let store = Some(Box::new(store(place)) as Box<dyn Store>);
    wired::with_our_models(Box::new(host), store, None, config, Role::Sampler).unwrap()
}

fn incidents(place: &Path, kind: IncidentKind) -> Vec<Incident> {
    let all = store(place).incidents(WhichIncidents::All, 99).unwrap();
    all.into_iter().filter(|i| i.kind == kind).collect()
}

#[test]
fn two_disks_that_are_full_are_two_incidents_with_two_pieces_of_advice_also_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let mounts: Mounts = Arc::new(Mutex::new(vec![("/", 0.5), ("/var", 0.3), ("/data", 0.3)]));
    let host = || WithMounts { host: CalmHost::new(), mounts: mounts.clone() };
    let mut first = engine(place.path(), host());
    let now = run(&mut first, start(), 100, |_, r| {
        assert!(r.incidents.iter().all(|i| i.kind != IncidentKind::Full));
    });
    *mounts.lock().unwrap() = vec![("/", 0.5), ("/var", 0.995), ("/data", 0.98)];
    let advice = |r: &overseer_engine::Report| {
        let of = r.recommendations.iter().filter(|a| a.feature == FULLNESS);
        let mut all: Vec<_> = of.map(|a| (a.action.contains("/data"), a.id)).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let mut said = Vec::new();
    let now = run(&mut first, now, 40, |_, r| said = advice(&r));
    let full = |place| incidents(place, IncidentKind::Full);
    let mut subjects: Vec<(String, Severity)> =
        full(place.path()).into_iter().map(|i| (i.subject, i.severity)).collect();
    subjects.sort_unstable();
    let of = |mount: &str, severity| (format!("{FULLNESS} {mount}"), severity);
    assert_eq!(subjects, [of("/data", Severity::High), of("/var", Severity::Critical)]);
    assert!(full(place.path()).iter().all(|i| i.state == AlertState::Firing && i.told.is_some()));
    assert!(full(place.path())[0].description.contains("/data is practically full: 98.0 %"));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].1.is_some() && said[1].1.is_some() && said[0].1 != said[1].1, "{said:?}");

    let told = store(place.path()).alerts(99).unwrap().len();
    drop(first);
    let mut second = engine(place.path(), host());
    let mut again = Vec::new();
    let now = run(&mut second, now, 20, |_, r| again = advice(&r));
    assert_eq!(again, said, "numbers are kept");
    assert_eq!(full(place.path()).len(), 2);
    assert_eq!(store(place.path()).alerts(99).unwrap().len(), told, "nothing is told twice");

    // One is freed, the other unmounted.
    *mounts.lock().unwrap() = vec![("/", 0.5), ("/var", 0.6)];
    run(&mut second, now, 70, |_, _| {});
    let states: Vec<AlertState> = full(place.path()).iter().map(|i| i.state).collect();
    assert_eq!(states, [AlertState::Resolved; 2]);
}

/// What an hour, or five minutes, of a fault makes of a made-up host that was watched for four hours.
fn after(fault: Fault, seconds: i64) -> (tempfile::TempDir, Vec<Severity>) {
    let place = tempfile::tempdir().unwrap();
    let begin = start() + STEP.times(3100);
    let end = begin + Span::from_secs(seconds);
    let mut host = ScriptedHost::builder(7).fault(fault, begin, end).build().unwrap();
    let mut past = store(place.path());
    past.set_step(STEP).unwrap();
    let rows: Vec<_> =
        (0..3000).map(|i| host.collect(start() + STEP.times(i)).unwrap().sample).collect();
    past.append(STEP, &rows).unwrap();
    let mut engine = engine(place.path(), host);
    let mut states = Vec::new();
    let ticks = 100 + Span::from_secs(seconds).steps(STEP) + 20;
    run(&mut engine, start() + STEP.times(3000), ticks, |_, r| {
        states.extend(r.anomaly.map(|a| a.severity));
    });
    (place, states)
}

#[test]
fn a_disk_that_fills_within_the_hour_is_told_before_it_is_full_whatever_the_budget_thinks_of_it() {
    // From 57 to 99 %, and then it is freed: the shorter one is never full for a minute.
    for (seconds, at_least) in [(3600, 10), (1200, 3)] {
        let (place, _) = after(Fault::DiskFill, seconds);
        let full = incidents(place.path(), IncidentKind::Full);
        assert_eq!(full.len(), 1, "{full:?}");
        assert!(full[0].told.is_some() && full[0].ended_at.is_some(), "{full:?}");
        let end = start() + STEP.times(3100) + Span::from_secs(seconds);
        let lead = end.since(full[0].fired_at.unwrap());
        assert!(lead >= Span::from_secs(60 * at_least), "{lead} before the end");
        let alerts = store(place.path()).alerts(9).unwrap();
        let told: Vec<&str> = alerts.iter().map(|alert| alert.message.as_str()).collect();
        assert!(told.iter().any(|t| t.contains("/var fills fast: 9")), "{told:?}");
        assert!(told.iter().any(|t| t.contains("At that pace it is full in ")), "{told:?}");
        assert_eq!(told.iter().any(|t| t.contains("/var is practically full: 9")), seconds == 3600);
    }
}

#[test]
fn a_burst_that_hurts_nothing_is_an_incident_and_no_alert() {
    let (place, states) = after(Fault::NetworkBurst, 300);
    assert_eq!(states.iter().max(), Some(&Severity::Medium));
    let bursts = incidents(place.path(), IncidentKind::Anomaly);
    assert_eq!(bursts.len(), 1, "{bursts:?}");
    assert!(bursts[0].description.starts_with("Network in has jumped"), "{bursts:?}");
    assert!(!bursts[0].alert && bursts[0].fired_at.is_none() && bursts[0].told.is_none());
}
