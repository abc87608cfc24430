//! Incidents: changed in place, labelled and acknowledged by any process, and stored with what is told of them.

use crate::contents::{anomaly, at, open, schema};
use overseer_core::{
    Acknowledgement, Alert, AlertState, FeatureEvidence, Incident, IncidentKind, Label, LabelKind,
    NotificationReason, Peak, ProcessUsage, Severity, Store, TickRecord, ToldLast, WhichIncidents,
};
use overseer_store::SqliteStore;

pub(crate) fn incident(secs: i64) -> Incident {
    let mut x =
        Incident::new(IncidentKind::Anomaly, Peak::new(at(secs), Severity::High, 0.9, 1e-6));
    (x.since, x.fired_at, x.alert) = (Some(at(secs - 60)), Some(at(secs)), true);
    (x.state, x.last_seen, x.samples) = (AlertState::Firing, at(secs + 10), 3);
    x.told = Some(ToldLast::new(NotificationReason::Fired, at(secs), Severity::High));
    x.features = vec![
        FeatureEvidence::new("cpu", 0.99, (0.1, 0.4), 0.7),
        FeatureEvidence::new("memory", f64::NAN, (f64::NAN, 1.0), 0.1),
    ];
    x.processes = vec![ProcessUsage::new(4711, "burn")];
    x.description = "CPU is far above its usual".into();
    x.suggested_actions = vec!["Look".into()];
    x
}

#[test]
fn an_incident_is_changed_in_place_and_its_acknowledgement_is_not_the_samplers_to_change() {
    let dir = tempfile::tempdir().unwrap();
    let mut sampler = open(&dir.path().join("overseer.db"));
    let mut first = incident(0);
    first.id = sampler.put_incident(&first).unwrap();
    assert_eq!(sampler.incident(first.id).unwrap(), Some(first.clone()));
    let second = sampler.put_incident(&incident(100)).unwrap();
    assert!(second > first.id);

    let before = sampler.revision().unwrap();
    assert_eq!(sampler.revision().unwrap(), before, "nobody else wrote");
    let mut person = open(sampler.path());
    assert!(person.acknowledge_incident(first.id, at(50), "mine").unwrap());
    assert!(!person.acknowledge_incident(99, at(50), "").unwrap());
    assert_ne!(sampler.revision().unwrap(), before, "somebody wrote");

    first.samples = 9;
    sampler.put_incident(&first).unwrap();
    first.acknowledged = Some(Acknowledgement::new(at(50), "mine"));
    assert_eq!(sampler.incident(first.id).unwrap(), Some(first.clone()));

    (first.state, first.ended_at) = (AlertState::Resolved, Some(at(60)));
    sampler.put_incident(&first).unwrap();
    assert!(!person.acknowledge_incident(first.id, at(70), "late").unwrap(), "it is over");
    let ids = |store: &mut SqliteStore, which| {
        store.incidents(which, 9).unwrap().iter().map(|i| i.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&mut sampler, WhichIncidents::All), [second, first.id]);
    assert_eq!(ids(&mut sampler, WhichIncidents::Open), [second]);
    let mut quiet = incident(200);
    (quiet.state, quiet.fired_at) = (AlertState::Resolved, None);
    let quiet = sampler.put_incident(&quiet).unwrap();
    assert_eq!(ids(&mut sampler, WhichIncidents::Notable), [second, first.id]);
    assert_eq!(ids(&mut sampler, WhichIncidents::All), [quiet, second, first.id]);

    first.id = 1234;
    let anew = sampler.put_incident(&first).unwrap();
    assert_eq!(anew, quiet + 1, "what is in no row gets one");
    let mut elsewhere = SqliteStore::open(sampler.path(), &schema(), "web-2").unwrap();
    assert_eq!(elsewhere.incident(second).unwrap(), None);
    assert!(!elsewhere.acknowledge_incident(second, at(0), "").unwrap());
}

#[test]
fn the_newest_label_of_any_of_its_samples_is_the_incidents() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let id = store.put_incident(&incident(0)).unwrap();
    let mut rule = incident(0);
    rule.kind = IncidentKind::Full;
    let rule = store.put_incident(&rule).unwrap();
    store.put_label(&Label::new(at(5), LabelKind::FalseAlarm, at(100))).unwrap();
    store.put_label(&Label::new(at(11), LabelKind::Expected, at(300))).unwrap();
    let mut newer = Label::new(at(0), LabelKind::Incident, at(200));
    let labelled = |store: &mut SqliteStore| store.incidents(WhichIncidents::Labelled, 9).unwrap();
    assert_eq!(labelled(&mut store).iter().map(|i| i.id).collect::<Vec<_>>(), [id]);
    assert_eq!(store.incident(rule).unwrap().unwrap().label, None, "one of several at that time");
    newer.note = "the fan".into();
    store.put_label(&newer).unwrap();
    assert_eq!(store.incident(id).unwrap().unwrap().label, Some(newer));
    assert_eq!(labelled(&mut store).len(), 2, "both began then");
}

#[test]
fn an_incident_is_stored_with_its_messages_or_not_at_all_and_the_outbox_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let alert = |secs| Alert::new(at(0), AlertState::Firing, Severity::High, at(secs), "log", "{}");
    let (anomalies, incidents) = ([anomaly(0)], [incident(0)]);
    let mut alerts: Vec<Alert> = (0..1003).map(alert).collect();
    let other = Alert::new(at(0), AlertState::Firing, Severity::High, at(-1), "mail", "{}");
    alerts.insert(0, other);
    let mut tick = TickRecord::default();
    (tick.anomalies, tick.incidents, tick.alerts) = (&anomalies, &incidents, &alerts);
    assert_eq!(store.record_tick(&tick).unwrap().len(), 1);
    let waiting = store.waiting_alerts(at(9999), 9999).unwrap();
    assert_eq!((waiting.len(), waiting[0].sink.as_str()), (1001, "mail"));
    assert_eq!(waiting[1].made_at, at(3), "the oldest of the crowded sink are given up");
    let all = store.alerts(9999).unwrap();
    let given_up = all.into_iter().rev().find(|a| a.sink == "log").unwrap();
    assert!(given_up.last_error.unwrap().contains("1000"));

    let other = rusqlite::Connection::open(store.path()).unwrap();
    let refuse =
        "CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT raise(ABORT, 'full'); END";
    other.execute_batch(refuse).unwrap();
    assert!(store.record_tick(&tick).is_err());
    assert_eq!(store.incidents(WhichIncidents::All, 9).unwrap().len(), 1);
}
