//! Actions on this very host: a process of the test's own is really given another I/O class (or niceness), and it is
//! really taken back, also by the next start after the process that applied it was killed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

use overseer_core::{
    Actuator, AppliedState, Knob, KnobSetting, Outcome, OutcomeKind, Priority, ProposedAction,
    Recommendation, Store, Timestamp,
};
use overseer_engine::action::{ActionRules, Trial};
use overseer_engine::host::{self as wired, Acting, Options, actuator};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PLACE: &str = "OVERSEER_TEST_ACTING";

/// A process that does nothing, ended with the test.
struct Idle(Child);

impl Idle {
    fn new() -> Self {
        Self(Command::new("sleep").arg("300").spawn().unwrap())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What may be set of a process here: its I/O class can be taken back without a privilege, its niceness with one.
fn harmless(pid: u32, hands: &mut dyn Actuator) -> ProposedAction {
    let knobs = [("ionice", Knob::IoClass { pid }, "idle"), ("nice", Knob::Niceness { pid }, "7")];
    let found = knobs.into_iter().find(|(_, knob, _)| hands.probe(knob).is_ok());
    let (name, knob, value) = found.unwrap_or_else(|| panic!("nothing may be set here"));
    ProposedAction::new(name, "", vec![KnobSetting::new(knob, value)])
}

fn options(place: &Path) -> Options {
    let mut options = Options::default();
    options.data_dir = Some(place.to_owned());
    options
}

fn rules(proposed: &ProposedAction) -> ActionRules {
    ActionRules { allow: vec![proposed.action.clone()], ..ActionRules::default() }
}

/// Applies it, as `overseer recommend --apply` does.
fn begin(acting: &mut Acting, proposed: &ProposedAction) -> Trial {
    let advice = Recommendation::new("linux.pressure.io", Priority::High, "it waits", "wait less");
    let now = wired::now();
    let id = acting.store.put_recommendation(now, Some(&proposed.action), &advice).unwrap();
    let hands = acting.hands.as_mut();
    Trial::begin(&rules(proposed), id, proposed, 0.4, hands, &mut acting.store, now).unwrap()
}

#[test]
fn what_helps_stays_set_on_a_real_process_and_what_does_not_is_really_taken_back() {
    for (after, kind, is_kept) in
        [(0.1, OutcomeKind::Helped, true), (0.41, OutcomeKind::NoChange, false)]
    {
        let (place, idle) = (tempfile::tempdir().unwrap(), Idle::new());
        let mut acting = Acting::open(&options(place.path())).unwrap();
        assert!(acting.recovered.is_empty());
        let proposed = harmless(idle.0.id(), acting.hands.as_mut());
        let setting = &proposed.settings[0];
        // Read by other hands than those that set it.
        let mut eyes = actuator().unwrap();
        let was = eyes.read(&setting.knob).unwrap();
        assert_ne!(was, setting.value);
        let trial = begin(&mut acting, &proposed);
        assert_eq!(eyes.read(&setting.knob).unwrap(), setting.value);
        let hands = acting.hands.as_mut();
        let (line, came) = trial.end(after, hands, &mut acting.store, wired::now()).unwrap();
        assert_eq!(came, kind, "{line:?}");
        let expected = if is_kept { &setting.value } else { &was };
        assert_eq!(&eyes.read(&setting.knob).unwrap(), expected);
        assert_eq!(line.before, [KnobSetting::new(setting.knob.clone(), was)]);
        let outcomes: Vec<Outcome> = acting.store.outcomes().unwrap();
        assert_eq!(outcomes.iter().map(|o| o.kind).collect::<Vec<_>>(), [kind]);
    }
}

/// Applies, says so, and never gets to see what it did.
#[test]
#[ignore = "is the process that the test below starts and kills"]
fn applies_and_waits_to_be_killed() {
    let Ok(told) = std::env::var(PLACE) else { return };
    let (pid, place) = told.split_once(' ').unwrap();
    let mut acting = Acting::open(&options(&PathBuf::from(place))).unwrap();
    let proposed = harmless(pid.parse().unwrap(), acting.hands.as_mut());
    let _trial = begin(&mut acting, &proposed);
    println!("\napplied");
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

#[test]
fn the_start_after_a_kill_takes_back_what_was_applied() {
    let (place, idle) = (tempfile::tempdir().unwrap(), Idle::new());
    let mut eyes = actuator().unwrap();
    let setting = harmless(idle.0.id(), eyes.as_mut()).settings.remove(0);
    let was = eyes.read(&setting.knob).unwrap();
    let mut acts = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "applies_and_waits_to_be_killed"])
        .env(PLACE, format!("{} {}", idle.0.id(), place.path().display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(acts.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.into_iter().any(|line| line == "applied"), "it ended before it applied anything");
    assert_eq!(eyes.read(&setting.knob).unwrap(), setting.value, "it is applied");
    let busy = Acting::open(&options(place.path())).unwrap_err();
    assert!(busy.to_string().contains("another process applies"), "one at a time: {busy}");
    acts.kill().unwrap();
    acts.wait().unwrap();
    assert_eq!(eyes.read(&setting.knob).unwrap(), setting.value, "nobody took it back");

    // Any command that samples takes it back, not only one that acts.
    let mut engine = wired::open(&options(place.path())).unwrap();
    assert_eq!(eyes.read(&setting.knob).unwrap(), was);
    let said = engine.tick(wired::now()).notices;
    assert!(said.iter().any(|n| n.message.contains("taken back")), "{said:?}");
    drop(engine);
    let mut store = wired::open_store(&options(place.path()), true).unwrap();
    let journal = store.applied(9).unwrap();
    assert_eq!(journal.len(), 1);
    assert_eq!(journal[0].state, AppliedState::Undone);
    assert!(journal[0].ended_at > Some(Timestamp::default()));
    assert!(store.outcomes().unwrap().is_empty(), "nobody knows what it did");
}
