//! What people say of an event decides about those like it, and about no other.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod common;

use overseer_collect::{Fault, ScriptedHost};
use overseer_core::{AlertState, Label, LabelKind, Span, Store, Timestamp, WhichIncidents, host};
use overseer_engine::host::{self as wired, store::SqliteStore};
use overseer_engine::{Config, Engine, Role};
use std::path::Path;

const STEP: Span = Span::from_secs(60);
const HOUR: Span = Span::from_secs(3600);

fn database(place: &Path) -> SqliteStore {
    SqliteStore::open(&place.join("overseer.db"), &host::schema(), "test").unwrap()
}

/// Every so many hours something is fetched for ten minutes; on the last day other things happen.
fn scripted(begin: Timestamp) -> ScriptedHost {
    let lasting = Span::from_secs(600);
    let at = |hour: usize| begin + HOUR.times(hour);
    let mut builder = ScriptedHost::builder(3);
    for hour in FETCHES {
        builder = builder.fault(Fault::NetworkBurst, at(hour), at(hour) + lasting);
    }
    builder.fault(Fault::CpuSaturation, at(CPU), at(CPU) + lasting).build().unwrap()
}

const FETCHES: [usize; 4] = [40, 53, 67, 84];
const CPU: usize = 76;

fn engine(place: &Path, begin: Timestamp) -> Engine {
    let mut config = Config::default();
    config.step = STEP;
    config.sinks = vec!["log".to_owned()];
    (config.predict_every, config.patterns_every) = (HOUR.times(999), HOUR.times(999));
    let store = Some(Box::new(database(place)) as Box<dyn Store>);
    let host = Box::new(scripted(begin));
    wired::with_our_models(host, store, None, config, Role::Sampler).unwrap()
}

/// At which hours the engine alerted, when the first fetch is given this label two hours later.
fn alerts(label: Option<LabelKind>) -> (Vec<usize>, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let begin = Timestamp::from_millis(1_700_006_400_000);
    let mut engine = engine(place.path(), begin);
    let (mut hours, mut excused) = (Vec::new(), Vec::new());
    for minute in 1..=90 * 60 {
        let now = begin + STEP.times(minute);
        if minute == (FETCHES[0] + 2) * 60
            && let Some(kind) = label
        {
            let mut other = database(place.path());
            let all = other.incidents(WhichIncidents::Notable, 9).unwrap();
            let fetch = all.iter().find(|i| i.began_at >= begin + HOUR.times(FETCHES[0])).unwrap();
            assert_eq!(fetch.state, AlertState::Resolved);
            other.put_label(&Label::new(fetch.began_at, kind, now)).unwrap();
        }
        let report = engine.tick(now);
        if report.alert {
            hours.push(minute / 60);
        }
        let said = report.anomaly.map(|a| a.description).unwrap_or_default();
        if said.contains("was labelled") {
            excused.push(said);
        }
    }
    hours.dedup();
    (hours, excused)
}

#[test]
fn one_label_removes_a_recurring_false_alarm_and_hides_nothing_else() {
    let (without, none) = alerts(None);
    for hour in FETCHES.iter().chain([&CPU]) {
        assert!(without.contains(hour), "{hour} in {without:?}");
    }
    assert_eq!(none, [] as [&str; 0]);
    for kind in [LabelKind::FalseAlarm, LabelKind::Expected] {
        let (with, excused) = alerts(Some(kind));
        let of_fetches = with.iter().filter(|hour| FETCHES[1..].contains(hour)).count();
        assert_eq!(of_fetches, 0, "{kind}: {with:?}");
        assert!(with.contains(&CPU), "{kind}: {with:?}");
        assert!(with.contains(&FETCHES[0]) && !excused.is_empty());
        assert!(excused[0].contains(&kind.as_str().replace('_', " ")), "{}", excused[0]);
    }
}
