//! The journal of applied actions.

use overseer_core::{
    AppliedAction, AppliedState, Knob, KnobSetting, Priority, Recommendation, Store, Timestamp,
    host,
};
use overseer_store::SqliteOptions;

#[test]
fn a_line_is_changed_in_place_is_read_as_it_was_written_and_follows_advice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = SqliteOptions::new().open(&path, &host::schema(), "host").unwrap();
    let at = Timestamp::from_millis;
    let knob = || Knob::Cgroup { group: "/a.service".into(), file: "cpu.weight".into() };
    let (was, to) = (KnobSetting::new(knob(), "100"), KnobSetting::new(knob(), "20"));
    let mut line = AppliedAction::new(1, "cpu-weight", vec![was], vec![to], at(5));
    let orphan = store.put_applied(&line).unwrap_err();
    assert!(orphan.to_string().contains("none with the number 1"), "{orphan}");

    let advice = Recommendation::new("linux.pressure.cpu", Priority::High, "busy", "wait");
    line.recommendation = store.put_recommendation(at(1), Some("cpu-weight"), &advice).unwrap();
    line.id = store.put_applied(&line).unwrap();
    assert!(line.id > 0);
    line.state = AppliedState::Stuck;
    (line.ended_at, line.measured) = (Some(at(9)), (0.5, f64::NAN));
    "it stays".clone_into(&mut line.note);
    assert_eq!(store.put_applied(&line).unwrap(), line.id);
    let mut other = line.clone();
    other.id = 99;
    assert!(store.put_applied(&other).unwrap_err().is_invalid_input());
    drop(store);

    let mut store = SqliteOptions::new().open_read_only(&path, &host::schema(), "host").unwrap();
    assert_eq!(store.applied(10).unwrap(), [line]);
    assert!(store.applied(0).unwrap().is_empty());
}
