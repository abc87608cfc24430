//! Labels, silences, alerts and outcomes: whole in and out, and seen by other processes.

use crate::contents::{HOST, at, open, schema};
use overseer_core::{
    Alert, AlertState, Delivery, Label, LabelKind, Outcome, OutcomeKind, Priority, ProcessUsage,
    Recommendation, Severity, Silence, SilenceKind, Store,
};
use overseer_store::SqliteStore;

#[test]
fn a_label_of_another_process_is_seen_by_the_next_read_and_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut sampler = open(&path);
    assert!(sampler.labels(at(0)).unwrap().is_empty());

    let mut other = open(&path);
    let mut label = Label::new(at(5), LabelKind::FalseAlarm, at(100));
    label.note = "the nightly backup".into();
    other.put_label(&label).unwrap();
    other.put_label(&label).unwrap();
    assert_eq!(sampler.labels(at(0)).unwrap(), [label.clone()]);

    // Said otherwise later: both are kept, and the newest comes last.
    let later = Label::new(at(5), LabelKind::Incident, at(200));
    other.put_label(&later).unwrap();
    other.put_label(&Label::new(at(-5), LabelKind::Expected, at(300))).unwrap();
    assert_eq!(sampler.labels(at(0)).unwrap(), [label, later]);
    assert_eq!(sampler.labels(at(-5)).unwrap().len(), 3);

    let mut elsewhere = SqliteStore::open(&path, &schema(), "web-2").unwrap();
    assert!(elsewhere.labels(at(-5)).unwrap().is_empty());
}

#[test]
fn silences_hold_until_they_are_over_or_ended_and_recurring_ones_until_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    let once = Silence::new(SilenceKind::Silence, at(0), at(60), at(-1));
    let mut weekly = Silence::new(SilenceKind::Maintenance, at(0), at(60), at(-1));
    weekly.recurrence = Some(r#"{"every":"week","zone":"Europe/Berlin"}"#.into());
    weekly.features = vec!["cpu".into()];
    weekly.reason = "backup".into();
    let first = store.put_silence(&once).unwrap();
    let second = store.put_silence(&weekly).unwrap();
    assert!(first > 0 && second > first);
    weekly.id = second;

    let mut other = open(&path);
    assert_eq!(other.silences(at(59)).unwrap().len(), 2);
    assert_eq!(other.silences(at(60)).unwrap(), [weekly.clone()]);
    assert!(store.lift_silence(second, at(70)).unwrap());
    assert!(!store.lift_silence(second, at(80)).unwrap(), "it no longer holds");
    assert!(!store.lift_silence(99, at(80)).unwrap());
    assert!(other.silences(at(60)).unwrap().is_empty());

    let backwards = Silence::new(SilenceKind::Silence, at(9), at(9), at(0));
    assert!(store.put_silence(&backwards).unwrap_err().is_invalid_input());
}

#[test]
fn the_outbox_keeps_what_was_not_delivered_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let alert = |secs: i64, sink: &str| {
        Alert::new(at(0), AlertState::Firing, Severity::High, at(secs), sink, "CPU at 99 %")
    };
    let mut store = open(&path);
    let log = store.queue_alert(&alert(0, "log")).unwrap();
    let hook = store.queue_alert(&alert(1, "webhook")).unwrap();
    drop(store);

    let mut store = open(&path);
    let waiting = store.waiting_alerts(at(1), 9).unwrap();
    assert_eq!(waiting.iter().map(|a| a.id).collect::<Vec<_>>(), [log, hook]);
    assert_eq!(store.waiting_alerts(at(0), 9).unwrap().len(), 1, "the other is not due yet");
    assert_eq!(store.waiting_alerts(at(1), 1).unwrap().len(), 1);

    assert!(store.note_delivery(log, &Delivery::Delivered { at: at(2) }).unwrap());
    let failed = Delivery::Failed { error: "timed out".into(), retry_at: Some(at(30)) };
    assert!(store.note_delivery(hook, &failed).unwrap());
    assert!(!store.note_delivery(log, &failed).unwrap(), "what was delivered stays so");
    assert!(store.waiting_alerts(at(29), 9).unwrap().is_empty());
    let again = store.waiting_alerts(at(30), 9).unwrap();
    assert_eq!((again[0].attempts, again[0].last_error.as_deref()), (1, Some("timed out")));
    store.note_delivery(hook, &Delivery::Failed { error: "gone".into(), retry_at: None }).unwrap();
    assert!(store.waiting_alerts(at(9999), 9).unwrap().is_empty(), "it was given up");

    let all = store.alerts(9).unwrap();
    assert_eq!(all.iter().map(|a| a.id).collect::<Vec<_>>(), [hook, log]);
    assert_eq!((all[0].delivered_at, all[1].delivered_at), (None, Some(at(2))));
    assert_eq!(all[1].message, "CPU at 99 %");
}

#[test]
fn nobody_is_crowded_out_of_the_outbox_by_those_who_cannot_be_reached() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let mut queue = |sink: &str, secs| {
        let firing = AlertState::Firing;
        store.queue_alert(&Alert::new(at(0), firing, Severity::High, at(secs), sink, "m")).unwrap()
    };
    let dead: Vec<i64> = (0..20).map(|secs| queue("dead", secs)).collect();
    let live = queue("live", 99);
    let ids = |alerts: Vec<Alert>| alerts.into_iter().map(|a| a.id).collect::<Vec<_>>();
    assert_eq!(store.waiting_sinks().unwrap(), ["dead", "live"]);
    assert_eq!(ids(store.waiting_alerts_for("live", 5).unwrap()), [live]);
    let later = Delivery::Failed { error: "refused".into(), retry_at: Some(at(9999)) };
    store.note_delivery(dead[0], &later).unwrap();
    assert_eq!(ids(store.waiting_alerts_for("dead", 2).unwrap()), dead[..2], "in written order");
    store.note_delivery(live, &Delivery::Delivered { at: at(100) }).unwrap();
    assert_eq!(store.waiting_sinks().unwrap(), ["dead"]);
}

#[test]
fn outcomes_belong_to_recommendations_of_this_host() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    let mut advice =
        Recommendation::new("cpu", Priority::High, "CPU at 99 %", "lower its priority");
    advice.processes = vec![ProcessUsage::new(4711, "burn")];
    let id = store.put_recommendation(at(0), Some("nice"), &advice).unwrap();
    let kept = store.recommendations(9).unwrap();
    assert_eq!((kept[0].id, kept[0].made_at), (id, at(0)));
    assert_eq!(kept[0].catalogue_action.as_deref(), Some("nice"));
    assert_eq!(kept[0].recommendation, advice);

    let mut outcome = Outcome::new(id, OutcomeKind::Helped, at(600));
    outcome.measured = (0.99, f64::NAN);
    open(&path).put_outcome(&outcome).unwrap();
    assert_eq!(store.outcomes().unwrap(), [outcome.clone()]);

    outcome.recommendation = id + 1;
    let e = store.put_outcome(&outcome).unwrap_err();
    assert!(e.is_invalid_input() && e.to_string().contains(&(id + 1).to_string()), "{e}");
    outcome.recommendation = id;
    let mut elsewhere = SqliteStore::open(&path, &schema(), "web-2").unwrap();
    assert!(elsewhere.put_outcome(&outcome).unwrap_err().is_invalid_input());
    assert_eq!(open(&path).recommendations(9).unwrap().len(), 1, "{HOST}");
}

#[test]
fn a_finding_and_what_is_told_of_it_are_stored_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let alert = Alert::new(at(0), AlertState::Firing, Severity::High, at(0), "log", "CPU");
    let finding = &[crate::contents::anomaly(0)];
    let ids = store.record_and_queue(finding, &[], &[], &[alert.clone(), alert]).unwrap();
    assert_eq!(ids.len(), 2);
    assert_eq!(store.alerts(9).unwrap().iter().map(|a| a.id).collect::<Vec<_>>(), [ids[1], ids[0]]);

    // The outbox refuses: nor is the finding stored.
    let other = rusqlite::Connection::open(store.path()).unwrap();
    let refuse =
        "CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT raise(ABORT, 'full'); END";
    other.execute_batch(refuse).unwrap();
    let alert = store.alerts(1).unwrap().remove(0);
    assert!(store.record_and_queue(finding, &[], &[], &[alert]).is_err());
    assert_eq!(store.counts().unwrap().anomalies, 1);
}
