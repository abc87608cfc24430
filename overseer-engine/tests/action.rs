//! Actions: advised with a number, tried with a journal, and taken back unless they help, also after a crash.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, run, start};
use overseer_core::{
    Actuator, AppliedState, Error, Knob, KnobSetting, Outcome, OutcomeKind, Priority,
    ProposedAction, Recommendation, Result, Span, Store, Timestamp, host,
};
use overseer_engine::Engine;
use overseer_engine::action::{ActionRules, Trial, check, judge, recover};
use overseer_engine::host::store::SqliteStore;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A host of knobs in memory, which can break down when the n-th is set.
#[derive(Debug, Clone, Default)]
struct Script {
    knobs: Arc<Mutex<HashMap<String, String>>>,
    /// Every setting that was tried.
    sets: Arc<Mutex<Vec<String>>>,
    /// The process is killed instead of setting the knob of this number.
    killed_at: Option<usize>,
    /// Setting the knob of this number is refused.
    refused_at: Option<usize>,
}

impl Script {
    fn new(knobs: &[(&Knob, &str)]) -> Self {
        let script = Self::default();
        for (knob, value) in knobs {
            script.put(knob, value);
        }
        script
    }

    fn put(&self, knob: &Knob, value: &str) {
        self.knobs.lock().unwrap().insert(knob.to_string(), value.to_owned());
    }

    fn get(&self, knob: &Knob) -> String {
        self.knobs.lock().unwrap()[&knob.to_string()].clone()
    }

    fn sets(&self) -> usize {
        self.sets.lock().unwrap().len()
    }
}

impl Actuator for Script {
    fn read(&mut self, knob: &Knob) -> Result<String> {
        let found = self.knobs.lock().unwrap().get(&knob.to_string()).cloned();
        found.ok_or_else(|| Error::unavailable(knob.to_string(), "gone"))
    }

    fn probe(&mut self, knob: &Knob) -> Result<()> {
        self.read(knob).map(drop)
    }

    fn apply(&mut self, setting: &KnobSetting) -> Result<()> {
        let number = self.sets();
        assert_ne!(self.killed_at, Some(number), "killed");
        self.sets.lock().unwrap().push(setting.to_string());
        if self.refused_at == Some(number) {
            return Err(Error::unavailable(setting.knob.to_string(), "refused"));
        }
        self.put(&setting.knob, &setting.value);
        Ok(())
    }
}

fn sysctl(name: &str) -> Knob {
    Knob::Sysctl { name: name.to_owned() }
}

fn background() -> Knob {
    sysctl("vm.dirty_background_ratio")
}

fn most() -> Knob {
    sysctl("vm.dirty_ratio")
}

fn dirty() -> ProposedAction {
    let settings = vec![KnobSetting::new(background(), "5"), KnobSetting::new(most(), "10")];
    ProposedAction::new("dirty-ratio", "sysctl", settings)
}

fn writer() -> Script {
    Script::new(&[(&background(), "10"), (&most(), "20")])
}

fn allowed() -> ActionRules {
    ActionRules { allow: vec!["dirty-ratio".to_owned()], ..ActionRules::default() }
}

fn open(dir: &Path) -> SqliteStore {
    let path = dir.join("overseer.db");
    SqliteStore::open_or_set_aside(&path, &host::schema(), "test").unwrap().store
}

fn at(secs: i64) -> Timestamp {
    start() + Span::from_secs(secs)
}

/// A store with a recommendation, whose number is returned.
fn advised(dir: &Path) -> (SqliteStore, i64) {
    let mut store = open(dir);
    let advice = Recommendation::new("linux.pressure.io", Priority::High, "it waits", "wait less");
    let id = store.put_recommendation(at(0), Some("dirty-ratio"), &advice).unwrap();
    (store, id)
}

fn begin(hands: &mut Script, store: &mut SqliteStore, id: i64, before: f64) -> Result<Trial> {
    Trial::begin(&allowed(), id, &dirty(), before, hands, store, at(1))
}

#[test]
fn what_helps_stays_and_what_does_not_is_taken_back_and_both_are_journalled() {
    for (after, kind, state, left) in [
        (0.1, OutcomeKind::Helped, AppliedState::Kept, ("5", "10")),
        (0.395, OutcomeKind::NoChange, AppliedState::Undone, ("10", "20")),
        (0.6, OutcomeKind::Worse, AppliedState::Undone, ("10", "20")),
        (f64::NAN, OutcomeKind::NoChange, AppliedState::Undone, ("10", "20")),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, id) = advised(dir.path());
        let mut hands = writer();
        let trial = begin(&mut hands, &mut store, id, 0.4).unwrap();
        assert_eq!((hands.get(&background()), hands.get(&most())), ("5".into(), "10".into()));
        assert_eq!(store.applied(9).unwrap()[0].state, AppliedState::Watching);
        // One at a time.
        assert!(begin(&mut hands, &mut store, id, 0.4).unwrap_err().is_unavailable());
        let (line, came) = trial.end(after, &mut hands, &mut store, at(61)).unwrap();
        assert_eq!((came, line.state), (kind, state), "{after}");
        assert_eq!((hands.get(&background()), hands.get(&most())), (left.0.into(), left.1.into()));
        let journal = store.applied(9).unwrap();
        assert_eq!(journal, [line]);
        assert_eq!(journal[0].before[0], KnobSetting::new(background(), "10"));
        let outcomes = store.outcomes().unwrap();
        assert_eq!((outcomes.len(), outcomes[0].kind), (1, kind));
        assert_eq!(outcomes[0].measured.0, 0.4);
    }
}

#[test]
fn a_process_that_is_killed_at_any_moment_leaves_nothing_applied_after_the_next_start() {
    for killed_at in [Some(0), Some(1), None] {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, id) = advised(dir.path());
        let mut hands = writer();
        hands.killed_at = killed_at;
        let trial = catch_unwind(AssertUnwindSafe(|| begin(&mut hands, &mut store, id, 0.4)));
        assert_eq!(trial.is_err(), killed_at.is_some());
        drop((trial, store));
        // The next start.
        let mut store = open(dir.path());
        hands.killed_at = None;
        let back = recover(&mut hands, &mut store, at(99)).unwrap();
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].state, AppliedState::Undone, "{back:?}");
        assert!(back[0].note.contains("ended before"), "{back:?}");
        assert_eq!((hands.get(&background()), hands.get(&most())), ("10".into(), "20".into()));
        assert!(recover(&mut hands, &mut store, at(100)).unwrap().is_empty(), "once");
        assert!(store.outcomes().unwrap().is_empty(), "nobody knows what it did");
    }
}

#[test]
fn a_knob_that_is_refused_takes_the_others_back_and_one_set_by_somebody_else_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, id) = advised(dir.path());
    let mut hands = writer();
    hands.refused_at = Some(1);
    assert!(begin(&mut hands, &mut store, id, 0.4).unwrap_err().to_string().contains("refused"));
    assert_eq!((hands.get(&background()), hands.get(&most())), ("10".into(), "20".into()));
    assert_eq!(store.applied(9).unwrap()[0].state, AppliedState::Undone);

    hands.refused_at = None;
    let trial = begin(&mut hands, &mut store, id, 0.4).unwrap();
    hands.put(&most(), "33");
    let (line, _) = trial.end(0.4, &mut hands, &mut store, at(61)).unwrap();
    assert_eq!((hands.get(&background()), hands.get(&most())), ("10".into(), "33".into()));
    assert!(line.note.contains("meanwhile set to 33"), "{line:?}");
}

#[test]
fn nothing_is_done_that_is_not_allowed_by_name_and_a_dry_run_does_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, id) = advised(dir.path());
    let mut hands = writer();
    let none = ActionRules::default();
    let refused = Trial::begin(&none, id, &dirty(), 0.4, &mut hands, &mut store, at(1));
    assert!(refused.unwrap_err().to_string().contains("allow"));
    let only_proposed = ProposedAction::new("restart", "systemctl restart x", Vec::new());
    let rules = ActionRules { allow: vec!["restart".to_owned()], ..none };
    assert!(rules.permits(&only_proposed).is_err());
    let found = check(&dirty(), &mut hands);
    assert_eq!(found[1].now.as_deref(), Some("20"));
    assert!(found.iter().all(|c| c.problem.is_none()));
    assert!(check(&dirty(), &mut Script::default()).iter().all(|c| c.problem.is_some()));
    assert_eq!(hands.sets(), 0);
    assert!(store.applied(9).unwrap().is_empty());
}

#[test]
fn an_effect_is_a_tenth_of_what_was_and_no_whim_of_the_last_digit() {
    assert_eq!(judge(0.5, 0.44, true), OutcomeKind::Helped);
    assert_eq!(judge(0.5, 0.46, true), OutcomeKind::NoChange);
    assert_eq!(judge(0.5, 0.56, true), OutcomeKind::Worse);
    assert_eq!(judge(0.5, 0.56, false), OutcomeKind::Helped);
    assert_eq!(judge(0.001, 0.0, true), OutcomeKind::NoChange);
    assert_eq!(judge(f64::NAN, 0.1, true), OutcomeKind::NoChange);
}

/// An engine that watches a host which gets busy on demand, and advises through two knobs.
fn with_two_knobs(place: &Path) -> (Engine, Arc<AtomicBool>, Script) {
    let host = CalmHost::new();
    let busy = host.busy.clone();
    let mut engine = common::engine_at(place, host);
    let group = Knob::Cgroup { group: "/x.service".into(), file: "cpu.weight".into() };
    let hands = Script::new(&[(&Knob::Niceness { pid: 4711 }, "0"), (&group, "100")]);
    engine.advise_through(Box::new(hands.clone()));
    (engine, busy, hands)
}

#[test]
fn advice_has_an_action_and_one_number_and_what_a_person_reports_ranks_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut engine, busy, hands) = with_two_knobs(dir.path());
    let now = run(&mut engine, start(), 80, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    let mut seen = Vec::new();
    let now = run(&mut engine, now, 3, |_, report| {
        engine_advice(&report, &mut seen);
    });
    engine.look_at_processes();
    let report = engine.analyze(now);
    engine_advice(&report, &mut seen);
    let (ids, actions): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
    assert!(!ids.is_empty() && ids.iter().all(|id: &Option<i64>| id.is_some()), "{ids:?}");
    let with_action = actions.iter().position(|a: &Vec<String>| !a.is_empty()).unwrap();
    assert_eq!(actions[with_action], ["nice"]);
    assert_eq!(ids.last(), ids.get(with_action), "the same advice keeps its number");
    drop(engine);
    let mut store = open(dir.path());
    let stored = store.recommendations(99).unwrap();
    let nice: Vec<_> =
        stored.iter().filter(|r| r.catalogue_action.as_deref() == Some("nice")).collect();
    assert_eq!(nice.len(), 1, "{stored:?}");
    store.put_outcome(&Outcome::new(nice[0].id, OutcomeKind::Worse, now)).unwrap();
    let known = overseer_engine::action::Experience::read(&mut store).unwrap();
    let nice = known.records().into_iter().find(|r| r.action == "nice").unwrap();
    assert!(nice.worse == 1 && nice.expected < nice.prior, "{nice:?}");
    assert_eq!(hands.sets(), 0, "advice sets nothing");
}

#[test]
fn an_outcome_that_another_process_tells_is_known_to_the_next_tick() {
    let dir = tempfile::tempdir().unwrap();
    let (mut engine, busy, _hands) = with_two_knobs(dir.path());
    let now = run(&mut engine, start(), 80, |_, _| {});
    busy.store(true, Ordering::Relaxed);
    // Of the advice to make something nicer, wherever it now ranks: its number, and how often it was tried.
    let tried = |report: &overseer_engine::Report| -> Vec<(Option<i64>, u32)> {
        let of = |r: &Recommendation| {
            let nice = r.actions.iter().find(|a| a.action == "nice")?;
            Some((r.id, nice.tried))
        };
        report.recommendations.iter().filter_map(of).collect()
    };
    let mut before = Vec::new();
    let now = run(&mut engine, now, 3, |_, report| before.extend(tried(&report)));
    engine.look_at_processes();
    before.extend(tried(&engine.analyze(now)));
    let id = before[0].0.unwrap();
    assert!(before.iter().all(|&(_, times)| times == 0), "{before:?}");
    open(dir.path()).put_outcome(&Outcome::new(id, OutcomeKind::Helped, now)).unwrap();
    // Seconds later; advice is given anew when somebody asks.
    engine.look_at_processes();
    let after: Vec<u32> = tried(&engine.analyze(now)).iter().map(|(_, times)| *times).collect();
    assert_eq!(after, [1]);
}

/// The number and the actions of the advice about the CPU.
fn engine_advice(report: &overseer_engine::Report, seen: &mut Vec<(Option<i64>, Vec<String>)>) {
    let about = report.recommendations.iter().filter(|r| {
        overseer_engine::action::Resource::of(&r.feature)
            == Some(overseer_engine::action::Resource::Cpu)
    });
    seen.extend(about.map(|r| (r.id, r.actions.iter().map(|a| a.action.clone()).collect())));
}
