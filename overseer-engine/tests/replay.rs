//! Stored history once more: the very alerts that `score` gives, causal, and nothing is written.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod common;

use common::CalmHost;
use overseer_core::{
    Collector, Incident, IncidentKind, Label, LabelKind, Peak, Result, Sample, Severity, Silence,
    SilenceKind, Span, Store, Timestamp, host,
};
use overseer_engine::host::detector_trainer;
use overseer_engine::host::store::{Retention, SqliteOptions, SqliteStore};
use overseer_engine::offline::Scorer;
use overseer_engine::policy::AlarmBudget;
use overseer_engine::replay::{Replay, ReplayReport, ReplayedAlert};
use std::sync::atomic::Ordering;
use std::time::Duration;

const MINUTE: i64 = 60_000;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(1_699_999_980_000 + MINUTE * minute)
}

/// A calm host that is busy for some minutes now and then, and saturated once.
fn samples(rows: i64) -> Vec<Sample> {
    let mut calm = CalmHost::new();
    (0..rows)
        .map(|i| {
            calm.busy.store(i > 500 && i % 400 < 6, Ordering::Relaxed);
            calm.saturated.store((2900..2906).contains(&i), Ordering::Relaxed);
            calm.collect(at(i)).unwrap().sample
        })
        .collect()
}

fn store_in(dir: &std::path::Path, rows: &[Sample], retention: Retention) -> SqliteStore {
    let options = SqliteOptions::new().retention(retention);
    let mut store = options.open(&dir.join("overseer.db"), &host::schema(), "test").unwrap();
    store.set_step(Span::from_secs(60)).unwrap();
    store.append(Span::from_secs(60), rows).unwrap();
    store
}

fn budget(text: &str) -> AlarmBudget {
    text.parse().unwrap()
}

fn trainer() -> Result<Box<dyn overseer_core::DetectorTrainer>> {
    Ok(Box::new(detector_trainer()?))
}

fn replay(store: &mut SqliteStore, since: i64, until: i64) -> ReplayReport {
    let replay = Replay::new(at(since), at(until), &trainer, budget("3/day")).unwrap();
    replay.run(store, &mut |_, _| {}).unwrap()
}

/// Alerts that `score` gives on the rows from `since` on, of all rows or after a history.
fn scored(rows: &[Sample], history: usize, since: i64) -> Vec<(Timestamp, Severity, f64)> {
    let step = Span::from_secs(60);
    let trainer = Box::new(detector_trainer().unwrap());
    let mut scorer = Scorer::new(host::schema(), trainer, budget("3/day"), step).unwrap();
    if history > 0 {
        let frame = overseer_core::Frame::from_samples(host::schema(), &rows[..history]).unwrap();
        scorer.learn(&frame).unwrap();
    }
    let mut alerts = Vec::new();
    for row in &rows[history..] {
        let said = scorer.observe(row).unwrap();
        if said.is_anomaly && row.timestamp >= at(since) {
            alerts.push((row.timestamp, said.severity, said.score));
        }
    }
    alerts
}

fn brief(alerts: &[ReplayedAlert]) -> Vec<(Timestamp, Severity, f64)> {
    alerts.iter().map(|a| (a.timestamp, a.severity, a.score)).collect()
}

#[test]
fn a_replay_gives_the_very_alerts_that_score_gives() {
    let rows = samples(1400);
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &rows, Retention::default());
    let all = replay(&mut store, 0, 2000);
    assert_eq!(brief(&all.in_force.alerts), scored(&rows, 0, 0));
    assert!(all.in_force.alerts.len() >= 2, "{all:?}");
    let alert = &all.in_force.alerts[0];
    assert!(alert.description.contains("CPU"), "{}", alert.description);
    assert!(alert.features.iter().any(|f| f.feature == "system.cpu.utilization"));
    assert!(all.new.is_none() && all.spans.len() == 1 && !all.spans[0].approximate);
    // A little of what precedes is learned from, and not told.
    assert!(all.in_force.alerts_per_week.is_nan(), "less than a day says nothing of a week");
    let later = replay(&mut store, 1000, 2000);
    assert_eq!(brief(&later.in_force.alerts), scored(&rows, 0, 1000));
    assert_eq!((later.rows(), later.spans[0].learned_before), (400, 1000));
}

#[test]
fn enough_of_what_precedes_is_learned_from_at_once_as_a_history_is() {
    let rows = samples(3000);
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &rows, Retention::default());
    let found = replay(&mut store, 2600, 4000);
    let alerts = brief(&found.in_force.alerts);
    assert_eq!(alerts, scored(&rows, 2600, 2600));
    assert!(!alerts.is_empty());
    assert_eq!(found.spans[0].known_from, Some(at(2600)));
}

#[test]
fn what_is_said_of_a_time_does_not_depend_on_what_came_later() {
    let rows = samples(1400);
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &rows, Retention::default());
    let all = replay(&mut store, 0, 1400).in_force.alerts;
    for until in [803, 1000, 1201] {
        let cut = replay(&mut store, 0, until).in_force.alerts;
        let expected: Vec<_> = all.iter().filter(|a| a.timestamp <= at(until)).cloned().collect();
        assert_eq!(cut, expected, "until {until}");
    }
}

#[test]
fn a_stricter_budget_removes_alerts_and_one_judgement_serves_both() {
    let rows = samples(1600);
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &rows, Retention::default());
    let before = std::fs::read(dir.path().join("overseer.db")).unwrap();
    let (few, many) = (budget("0.00001/month"), budget("5/day"));
    let of = |old, new, own: bool, store: &mut SqliteStore| {
        let replay = Replay::new(at(0), at(1600), &trainer, old).unwrap();
        replay.beside(new, own.then_some(&trainer)).run(store, &mut |_, _| {}).unwrap()
    };
    let stricter = of(many, few, false, &mut store);
    assert!(!stricter.removed.is_empty(), "{stricter:?}");
    assert!(stricter.added.is_empty());
    let looser = of(few, many, false, &mut store);
    assert_eq!(looser.added, stricter.removed);
    assert_eq!(stricter.in_force, looser.new.clone().unwrap());
    // A detector of its own that is the same one comes to the same.
    assert_eq!(of(few, many, true, &mut store), looser);
    assert_eq!(std::fs::read(dir.path().join("overseer.db")).unwrap(), before);
}

#[test]
fn where_samples_are_gone_their_minutes_are_replayed_and_marked() {
    // Samples every 30 s of two days, of which the first is only kept as minutes.
    let mut calm = CalmHost::new();
    let rows: Vec<Sample> = (0..2 * 2880)
        .map(|i| {
            calm.busy.store((1500..1520).contains(&i), Ordering::Relaxed);
            calm.collect(at(0) + Span::from_secs(30 * i)).unwrap().sample
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let mut keep = Retention::default();
    keep.samples = Some(Span::from_secs(86_400));
    let options = SqliteOptions::new().retention(keep);
    let path = dir.path().join("overseer.db");
    let mut store = options.open(&path, &host::schema(), "test").unwrap();
    store.set_step(Span::from_secs(30)).unwrap();
    store.append(Span::from_secs(30), &rows).unwrap();
    let end = rows.last().unwrap().timestamp;
    while store.maintain(end, Duration::from_secs(1)).unwrap().behind {}
    let replay = Replay::new(at(0), end, &trainer, budget("3/day")).unwrap();
    let found = replay.run(&mut store, &mut |_, _| {}).unwrap();
    let kinds: Vec<bool> = found.spans.iter().map(|s| s.approximate).collect();
    assert_eq!(kinds, [true, false], "{:?}", found.spans);
    assert!(found.spans[0].to < found.spans[1].from, "no minute is replayed twice");
    assert_eq!(found.spans[0].interval, Span::from_secs(60));
    assert!(found.notes.iter().any(|n| n.contains("approximate")), "{:?}", found.notes);
    let told: Vec<_> = found.in_force.alerts.iter().filter(|a| a.approximate).collect();
    let busy = at(0) + Span::from_secs(30 * 1500)..at(0) + Span::from_secs(30 * 1530);
    assert!(told.iter().any(|a| busy.contains(&a.timestamp)), "{told:?}");
}

#[test]
fn a_longer_minimum_duration_tells_an_event_later_or_not_at_all() {
    let rows = samples(1400);
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &rows, Retention::default());
    let event = at(800)..at(806);
    let mut within = |minutes: i64| {
        let replay = Replay::new(at(0), at(1400), &trainer, budget("3/day")).unwrap();
        let longer = Span::from_secs(60 * minutes);
        let replay = replay.beside(budget("3/day"), None).min_durations(Span::default(), longer);
        let found = replay.run(&mut store, &mut |_, _| {}).unwrap();
        let of = |alerts: &[ReplayedAlert]| {
            let times = alerts.iter().map(|a| a.timestamp).filter(|t| event.contains(t));
            times.collect::<Vec<_>>()
        };
        let new = found.new.unwrap();
        assert_eq!(new.min_duration, longer);
        (of(&found.in_force.alerts), of(&new.alerts), of(&found.removed))
    };
    let (at_once, same, removed) = within(0);
    assert_eq!((at_once.len(), &removed[..]), (1, &[][..]));
    assert_eq!(same, at_once);
    // The event is two minutes old at its third sample.
    assert_eq!(within(2).1, [at(802)]);
    assert_eq!(within(300), (at_once.clone(), Vec::new(), at_once));
}

#[test]
fn what_hard_rules_told_is_not_replayed_and_the_notes_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &samples(300), Retention::default());
    let says = |report: &ReplayReport| report.notes.iter().any(|n| n.contains("hard rule"));
    assert!(!says(&replay(&mut store, 0, 300)));
    let peak = Peak::new(at(100), Severity::High, f64::NAN, f64::NAN);
    let mut full = Incident::new(IncidentKind::Full, peak);
    full.subject = "system.filesystem.utilization /var".to_owned();
    store.put_incident(&full).unwrap();
    let found = replay(&mut store, 0, 300);
    assert!(says(&found) && found.in_force.alerts.is_empty(), "{:?}", found.notes);
    assert!(!says(&replay(&mut store, 150, 300)), "it was over by then");
}

#[test]
fn nothing_stored_is_an_error_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &samples(10), Retention::default());
    let replay = Replay::new(at(500), at(600), &trainer, budget("3/day")).unwrap();
    assert!(replay.run(&mut store, &mut |_, _| {}).unwrap_err().is_not_enough_data());
    assert!(Replay::new(at(5), at(5), &trainer, budget("3/day")).is_err());
}

/// The incident that an alert was of, as a running engine would have stored it.
fn incident_of(alert: &ReplayedAlert) -> Incident {
    let peak = Peak::new(alert.timestamp, alert.severity, alert.score, alert.p_value);
    let mut incident = Incident::new(IncidentKind::Anomaly, peak);
    incident.features = alert.features.clone();
    incident.last_seen = alert.timestamp + Span::from_millis(5 * MINUTE);
    incident.ended_at = Some(incident.last_seen);
    incident.alert = true;
    incident
}

fn times(report: &ReplayReport) -> Vec<Timestamp> {
    report.in_force.alerts.iter().map(|a| a.timestamp).collect()
}

#[test]
fn a_label_counts_from_the_time_on_at_which_it_was_given() {
    let rows = samples(2000);
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &rows, Retention::default());
    let before = replay(&mut store, 0, 2000);
    let weeks = before.in_force.time_judged.as_secs_f64() / 604_800.0;
    let rate = before.in_force.alerts.len() as f64 / weeks;
    assert!((before.in_force.alerts_per_week - rate).abs() < 1e-9, "{before:?}");
    let (first, second) = (at(800), at(1200));
    // Of the minutes in which it was busy; what is told of the first calm one after them is another thing.
    let of = |report: &ReplayReport, event: Timestamp| {
        let range = event..event + Span::from_millis(6 * MINUTE);
        times(report).iter().filter(|t| range.contains(t)).count()
    };
    assert!(of(&before, first) > 0 && of(&before, second) > 0, "{:?}", times(&before));

    let range = first..first + Span::from_millis(10 * MINUTE);
    let alert = before.in_force.alerts.iter().find(|a| range.contains(&a.timestamp)).unwrap();
    store.put_incident(&incident_of(alert)).unwrap();
    let label = |store: &mut SqliteStore, minute: i64, kind| {
        store.put_label(&Label::new(alert.timestamp, kind, at(minute))).unwrap();
    };
    // Given after the second event, it changes nothing of it; all that comes later is excused.
    label(&mut store, 1300, LabelKind::Expected);
    let late = replay(&mut store, 0, 2000);
    let until =
        |r: &ReplayReport| -> Vec<_> { times(r).into_iter().filter(|t| *t <= at(1300)).collect() };
    assert_eq!(until(&late), until(&before));
    assert_eq!(of(&late, at(1600)), 0, "{:?}", times(&late));
    assert!(late.notes.iter().any(|n| n.contains("1 label and 0 silences")), "{:?}", late.notes);
    // A replay that ends before it was given knows nothing of it.
    let early = replay(&mut store, 0, 1290);
    assert!(early.notes.iter().all(|n| !n.contains("label")), "{:?}", early.notes);

    label(&mut store, 900, LabelKind::Expected);
    let soon = replay(&mut store, 0, 2000);
    assert!(of(&soon, first) > 0 && of(&soon, second) == 0, "{:?}", times(&soon));
    // Who changes their mind is obeyed from then on.
    label(&mut store, 1000, LabelKind::Incident);
    let turned = replay(&mut store, 0, 2000);
    assert!(of(&turned, second) > 0 && of(&turned, at(1600)) == 0, "{:?}", times(&turned));
}

#[test]
fn a_silence_of_the_past_holds_back_until_it_was_over_or_lifted() {
    let rows = samples(1400);
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_in(dir.path(), &rows, Retention::default());
    let before = times(&replay(&mut store, 0, 1400));
    let event = *before.iter().find(|t| **t >= at(800)).unwrap();
    let silenced = |from: i64, to: i64, made: i64, lifted: Option<i64>, feature: &str| {
        let dir = tempfile::tempdir().unwrap();
        let mut store = store_in(dir.path(), &rows, Retention::default());
        let mut silence = Silence::new(SilenceKind::Silence, at(from), at(to), at(made));
        silence.features.extend((!feature.is_empty()).then(|| feature.to_owned()));
        let id = store.put_silence(&silence).unwrap();
        if let Some(minute) = lifted {
            assert!(store.lift_silence(id, at(minute)).unwrap());
        }
        replay(&mut store, 0, 1400)
    };
    let all = silenced(790, 900, 780, None, "");
    assert!(!times(&all).contains(&event) && all.in_force.silenced == 1, "{all:?}");
    assert!(all.notes.iter().any(|n| n.contains("nobody would have been told")), "{:?}", all.notes);
    // It still goes on when the silence ends, and is told then.
    let short = silenced(790, 803, 780, None, "");
    assert!(times(&short).contains(&at(803)) && !times(&short).contains(&event));
    assert_eq!(short.in_force.silenced, 0);
    assert_eq!(times(&silenced(790, 900, 780, Some(795), "")), before, "lifted before");
    assert!(times(&silenced(790, 900, 780, Some(803), "")).contains(&at(803)), "lifted meanwhile");
    assert_eq!(times(&silenced(790, 900, 850, None, "")), before, "made afterwards");
    assert_eq!(times(&silenced(790, 900, 780, None, "system.network.io.receive")), before);
}
