//! Every format ever written stays readable: a stored database of each is opened by the newest program.

use crate::contents::{
    HOST, STEP, anomaly, at, chosen_metadata, metadata, open, pattern, plain_pattern, prediction,
    sample, schema,
};
use crate::incidents::incident;
use overseer_core::{
    Acknowledgement, AlertState, Auxiliary, AuxiliaryQuery, Label, LabelKind, Sample, SampleQuery,
    Store, Unit, WhichIncidents,
};
use overseer_store::{FORMAT_VERSION, SqliteStore};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn stored(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/v{version}.db"))
}

fn samples() -> Vec<Sample> {
    vec![sample(0, [0.1, f64::NAN, -1.5e300]), sample(5, [0.0, 2.0, f64::NAN])]
}

/// The first format that keeps how a model was chosen.
const KEEPS_CHOICES: u32 = 7;
/// The first that keeps incidents.
const KEEPS_INCIDENTS: u32 = 8;
/// The first that keeps auxiliary series.
const KEEPS_AUXILIARY: u32 = 6;

/// The first that keeps all of a pattern.
const KEEPS_PATTERNS: u32 = 10;

/// Run once for each format, when it is new: `cargo test -p overseer-store -- --ignored write_the_newest_format`.
#[test]
#[ignore = "writes the file that the other tests read"]
fn write_the_newest_format() {
    let path = stored(FORMAT_VERSION);
    assert!(!path.exists(), "a released format is never written anew");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut store = open(&path);
    store.append(STEP, &samples()).unwrap();
    store.set_step(STEP).unwrap();
    store.record(&[anomaly(5)], &[prediction(5)], &[pattern(5)]).unwrap();
    store.put_model_metadata(&chosen_metadata("performance_score", 0)).unwrap();
    store.append_auxiliary(at(5), &[mount()]).unwrap();
    store.put_incident(&incident(5)).unwrap();
    store.acknowledge_incident(1, at(9), "mine").unwrap();
    store.put_label(&Label::new(at(5), LabelKind::Expected, at(9))).unwrap();
    // Two days later everything of it has its checksum.
    while store.maintain(at(2 * 86_400), Duration::from_secs(9)).unwrap().behind {}
}

fn mount() -> Auxiliary {
    Auxiliary::new("system.filesystem.utilization", "/", Unit::Ratio, 0.25).of_capacity(1.0)
}

#[test]
fn checksums_of_an_earlier_release_are_those_of_this_one() {
    const FIRST_WITH_CHECKSUMS: u32 = 5;
    let dir = tempfile::tempdir().unwrap();
    for version in (FIRST_WITH_CHECKSUMS..=FORMAT_VERSION).filter(|&v| stored(v).exists()) {
        let path = dir.path().join(format!("{version}.db"));
        std::fs::copy(stored(version), &path).unwrap();
        let verified = open(&path).verify().unwrap();
        assert!(verified.is_sound(), "{verified:?}");
        // Samples, minutes, hours, anomalies, predictions and patterns: a span of each.
        assert_eq!((verified.spans, verified.rows, verified.without_sum), (6, 7, 0), "{version}");
    }
}

#[test]
fn a_database_of_every_format_opens_with_all_it_held() {
    let stored_versions: Vec<u32> = (1..=FORMAT_VERSION).filter(|&v| stored(v).exists()).collect();
    assert_eq!(stored_versions.first(), Some(&1));
    assert_eq!(
        stored_versions.last(),
        Some(&FORMAT_VERSION),
        "the newest format has no stored file"
    );
    for version in stored_versions {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("overseer.db");
        std::fs::copy(stored(version), &path).unwrap();
        let opened = SqliteStore::open_or_set_aside(&path, &schema(), HOST).unwrap();
        assert_eq!(opened.set_aside, None, "{:?}", opened.reason);
        let mut store = opened.store;
        let frame = store.samples(&SampleQuery::latest(STEP, 99)).unwrap();
        let back: Vec<_> = frame.rows().map(|(t, v)| Sample::new(t, v.to_vec())).collect();
        assert_eq!(back, samples());
        assert_eq!(store.step().unwrap(), Some(STEP));
        assert_eq!(store.anomalies(9).unwrap(), [anomaly(5)]);
        assert_eq!(store.predictions(9).unwrap(), [prediction(5)]);
        let known = if version < KEEPS_PATTERNS { plain_pattern } else { pattern };
        assert_eq!(store.patterns(9).unwrap(), [known(5)]);
        let known = if version < KEEPS_CHOICES { metadata } else { chosen_metadata };
        assert_eq!(store.model_metadata().unwrap(), [known("performance_score", 0)]);
        let kept = store.auxiliary(&AuxiliaryQuery::new(at(0), at(0), at(99))).unwrap();
        let kept: Vec<_> = kept.into_iter().flat_map(|s| s.points).collect();
        assert_eq!(kept, if version < KEEPS_AUXILIARY { vec![] } else { vec![(at(5), 0.25)] });
        let incidents = store.incidents(WhichIncidents::All, 9).unwrap();
        let mut known = incident(5);
        (known.id, known.state) = (1, AlertState::Acknowledged);
        known.acknowledged = Some(Acknowledgement::new(at(9), "mine"));
        known.label = Some(Label::new(at(5), LabelKind::Expected, at(9)));
        assert_eq!(incidents, if version < KEEPS_INCIDENTS { vec![] } else { vec![known] });
        // And it is as good as a new one.
        assert_eq!(store.append(STEP, &[sample(10, [1.0; 3])]).unwrap().stored, 1);
        assert!(store.maintain(at(100), Duration::from_secs(9)).unwrap().summarised > 0);
        let person = rusqlite::Connection::open(&path).unwrap();
        let number = |sql: &str| person.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
        assert_eq!(number("PRAGMA user_version"), i64::from(FORMAT_VERSION));
        assert_eq!(number("PRAGMA auto_vacuum"), 2, "it can give pages back");
        assert_eq!(number("SELECT sum(\"cpu:count\") FROM metrics_1m"), 3);
    }
}
