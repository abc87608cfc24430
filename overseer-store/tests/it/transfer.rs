//! Out into files and in again: the same contents, nothing twice, and a clear word about what is wrong.

use crate::contents::{HOST, STEP, anomaly, at, open, pattern, prediction, sample, schema};
use overseer_core::{
    Alert, AlertState, Delivery, Label, LabelKind, Outcome, OutcomeKind, PatternAnalysis,
    PatternType, Priority, ProcessUsage, Recommendation, Severity, Silence, SilenceKind, Span,
    Store,
};
use overseer_store::transfer::{Form, Imported, Kind, Selection, export, import, import_text};
use overseer_store::{Retention, SqliteOptions, SqliteStore};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HOUR: i64 = 3600;

/// A store with something of every kind, of which the oldest samples are gone.
fn filled(path: &Path) -> SqliteStore {
    let mut keep = Retention::default();
    keep.samples = Some(Span::from_secs(2 * HOUR));
    let mut store = SqliteOptions::new().retention(keep).open(path, &schema(), HOST).unwrap();
    let samples: Vec<_> = (0..5 * 120)
        .map(|i| {
            let cpu = if i % 7 == 0 { f64::NAN } else { (i as f64).sin() };
            sample(30 * i, [cpu, i as f64, 1e-300 * i as f64])
        })
        .collect();
    // The step becomes that of most samples where it is not told.
    store.set_step(Span::from_secs(30)).unwrap();
    store.append(Span::from_secs(30), &samples).unwrap();
    store.append(STEP, &[sample(5 * HOUR + 1, [0.1, f64::NAN, -0.25])]).unwrap();
    while store.maintain(at(5 * HOUR + 60), Duration::from_secs(9)).unwrap().behind {}
    let mut plain =
        PatternAnalysis::new("memory", PatternType::Stable, f64::NAN, crate::contents::p(0.5));
    plain.window = (at(0), at(7));
    let mut odd = anomaly(9);
    odd.description = "\ta \"quoted\", comma'd\nand broken line\u{1}".into();
    store
        .record(&[anomaly(5), odd], &[prediction(5), prediction(6)], &[pattern(5), plain])
        .unwrap();
    let mut label = Label::new(at(5), LabelKind::Expected, at(50));
    label.note = "a backup, \"as usual\"".into();
    store.put_label(&label).unwrap();
    store.put_label(&Label::new(at(9), LabelKind::Incident, at(51))).unwrap();
    let mut silence = Silence::new(SilenceKind::Maintenance, at(0), at(60), at(-1));
    silence.recurrence = Some("{\"every\":\"week\"}".into());
    silence.features = vec!["cpu".into()];
    store.put_silence(&silence).unwrap();
    let alert =
        Alert::new(at(5), AlertState::Firing, Severity::High, at(6), "log", "CPU, \"high\"");
    let id = store.queue_alert(&alert).unwrap();
    store
        .queue_alert(&Alert::new(at(5), AlertState::Resolved, Severity::High, at(9), "log", ""))
        .unwrap();
    store.note_delivery(id, &Delivery::Delivered { at: at(7) }).unwrap();
    let mut advice = Recommendation::new("cpu", Priority::High, "CPU at 99 %", "wait");
    advice.processes = vec![ProcessUsage::new(7, "burn")];
    store
        .put_recommendation(at(1), None, &Recommendation::new("a", Priority::Low, "b", "c"))
        .unwrap();
    let id = store.put_recommendation(at(2), Some("nice"), &advice).unwrap();
    let mut outcome = Outcome::new(id, OutcomeKind::NoChange, at(3));
    outcome.measured = (0.5, f64::NAN);
    store.put_outcome(&outcome).unwrap();
    store
}

/// What a person reads from every table, without the numbers that mean nothing elsewhere.
fn contents(store: &mut SqliteStore) -> Vec<String> {
    let person = rusqlite::Connection::open(store.path()).unwrap();
    let mut all = Vec::new();
    for table in ["system_metrics", "metrics_1m", "metrics_1h"] {
        let sql = format!("SELECT * FROM {table} ORDER BY timestamp");
        let mut statement = person.prepare(&sql).unwrap();
        let n = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..n).map(|i| row.get::<_, rusqlite::types::Value>(i)).collect::<Result<Vec<_>, _>>()
        });
        all.extend(rows.unwrap().map(|row| format!("{table}: {:?}", row.unwrap())));
    }
    all.push(format!("{:?}", store.anomalies(99).unwrap()));
    all.push(format!("{:?}", store.predictions(99).unwrap()));
    all.push(format!("{:?}", store.patterns(99).unwrap()));
    all.push(format!("{:?}", store.labels(at(0)).unwrap()));
    all.push(format!("{:?}", store.silences(at(0)).unwrap()));
    all.push(format!("{:?}", store.alerts(99).unwrap()));
    all.push(format!("{:?}", store.recommendations(99).unwrap()));
    all.push(format!("{:?}", store.outcomes().unwrap()));
    all.push(format!("{:?}", store.step().unwrap()));
    all
}

fn write(store: &SqliteStore, kinds: &[Kind], form: Form, path: PathBuf) -> PathBuf {
    let name = path.display().to_string();
    let selection = Selection::all_of(kinds.to_vec());
    let mut told = Vec::new();
    let file = File::create(&path).unwrap();
    let rows =
        export(store, &selection, form, &name, file, &mut |done, all| told.push((done, all)))
            .unwrap();
    assert_eq!(told.last(), Some(&(rows, rows)));
    assert!(rows > 0, "{kinds:?}");
    path
}

fn read(store: &mut SqliteStore, path: &Path) -> Imported {
    import(store, path, Form::of_name(path).unwrap(), &mut |_| {}).unwrap()
}

/// Exported, imported into a fresh database, and once more: the same contents each time.
fn goes_round(files: &[PathBuf], original: &mut SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let mut copy = open(&dir.path().join("copy.db"));
    for file in files {
        let done = read(&mut copy, file);
        assert!(done.stored > 0 && done.duplicates == 0, "{file:?}: {done:?}");
    }
    assert_eq!(contents(&mut copy), contents(original));
    for file in files {
        let done = read(&mut copy, file);
        assert!(done.stored == 0 && done.duplicates > 0, "{file:?}: {done:?}");
    }
    // Nor does it change the database that it came from, where samples were summarised and removed.
    let before = contents(original);
    for file in files {
        assert_eq!(read(original, file).stored, 0);
    }
    assert_eq!(contents(original), before);
}

#[test]
fn json_lines_hold_everything_and_come_back_whole_and_only_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(&dir.path().join("overseer.db"));
    let file = write(&store, &Kind::ALL, Form::JsonLines, dir.path().join("all.jsonl"));
    goes_round(&[file], &mut store);
}

fn one_file_a_kind(form: Form, extension: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(&dir.path().join("overseer.db"));
    let files: Vec<PathBuf> = Kind::ALL
        .iter()
        .map(|&k| write(&store, &[k], form, dir.path().join(format!("{k}.{extension}"))))
        .collect();
    goes_round(&files, &mut store);
    let two = Selection::all_of(vec![Kind::Metrics, Kind::Labels]);
    assert!(
        export(&store, &two, form, "x", Vec::new(), &mut |_, _| {}).unwrap_err().is_invalid_input()
    );
}

#[test]
fn csv_holds_one_kind_and_comes_back_whole_and_only_once() {
    one_file_a_kind(Form::Csv, "csv");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_one_kind_and_comes_back_whole_and_only_once() {
    one_file_a_kind(Form::Parquet, "parquet");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn without_the_feature_parquet_is_refused_and_the_feature_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("overseer.db"));
    let all = Selection::all_of(vec![Kind::Metrics]);
    let e = export(&store, &all, Form::Parquet, "x", Vec::new(), &mut |_, _| {}).unwrap_err();
    assert!(e.to_string().contains("feature `parquet`"), "{e}");
}

#[test]
fn a_selection_is_of_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("overseer.db"));
    let mut selection = Selection::all_of(vec![Kind::Hours]);
    (selection.from, selection.to) = (at(HOUR), at(3 * HOUR));
    let mut text = Vec::new();
    assert_eq!(export(&store, &selection, Form::Csv, "x", &mut text, &mut |_, _| {}).unwrap(), 2);
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.starts_with("timestamp,interval_ms,cpu,cpu:min,cpu:max,cpu:count,memory"),
        "{text}"
    );
}

#[test]
fn history_of_other_tools_needs_only_times_and_features() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let text = "\u{feff}timestamp,memory,cpu\n1700000000000,0.5,\n1700000005000,NaN,0.25\n1700000010000,,\n";
    let csv = |store: &mut SqliteStore| {
        import_text(store, "h.csv", text.as_bytes(), Form::Csv, &mut |_| {})
    };
    let e = csv(&mut store).unwrap_err();
    assert!(e.to_string().starts_with("h.csv, line 2: there is no column `interval_ms`"), "{e}");
    store.set_step(STEP).unwrap();
    let done = csv(&mut store).unwrap();
    assert_eq!((done.stored, done.blank), (2, 1));
    let lines = "{\"timestamp\":1700000020000,\"cpu\":1}\n\n{\"timestamp\":1700000025000,\"cpu\":null,\"memory\":2e0}\n";
    let done = import_text(&mut store, "h.jsonl", lines.as_bytes(), Form::JsonLines, &mut |_| {});
    assert_eq!(done.unwrap().stored, 2);
    let frame = store.samples(&overseer_core::SampleQuery::latest(STEP, 9)).unwrap();
    assert_eq!(frame.len(), 4);
    assert_eq!(frame.row(3)[1], 2.0);
}

/// Each wrong file with what the error must name; nothing of its batch is stored.
#[test]
fn a_wrong_row_is_refused_with_its_place_and_nothing_of_its_batch_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    store.set_step(STEP).unwrap();
    let good = "timestamp,is_anomaly,severity,score,p_value,confidence,description,features,suggested_actions";
    let long = format!("{{\"timestamp\":1,\"cpu\":{}}}", "1".repeat(2 << 20));
    let wrong: Vec<(Form, String, &str)> = vec![
        (Form::Csv, String::new(), "no column `timestamp`"),
        (Form::Csv, "time,cpu\n1,2\n".into(), "no column `timestamp`"),
        (
            Form::Csv,
            "timestamp,cpu\n1,2\n2,x\n".into(),
            "f, line 3, column `cpu`: `x` is not a number",
        ),
        (Form::Csv, "timestamp,cpu\n1,inf\n".into(), "column `cpu`: the value is infinite"),
        (Form::Csv, "timestamp,cpu\n1.5,2\n".into(), "line 2, column `timestamp`: `1.5`"),
        (Form::Csv, "timestamp,cpu\n,2\n".into(), "column `timestamp`: it has no value"),
        (Form::Csv, "timestamp,gpu\n1,2\n".into(), "column `gpu`: it is no feature"),
        (Form::Csv, "timestamp,cpu\n1,2,3\n".into(), "line 2"),
        (Form::Csv, "timestamp,interval_ms,cpu\n1,-5,3\n".into(), "column `interval_ms`: it is -5"),
        (Form::Csv, format!("{good}\n1,1,huge,0.5,0.1,0.5,d,[],[]\n"), "line 2: column `severity`"),
        (
            Form::Csv,
            format!("{good}\n1,1,high,0.5,0.1,1.5,d,[],[]\n"),
            "line 2: column `confidence`",
        ),
        (
            Form::Csv,
            format!("{good}\n1,1,high,0.5,0.1,0.5,d,nonsense,[]\n"),
            "line 2: column `features`",
        ),
        (Form::Csv, format!("{good}\n1,1,high,0.5,0.1,,d,[],[]\n"), "line 2, column `confidence`"),
        (
            Form::Csv,
            "timestamp,interval_ms,cpu,cpu:min,cpu:max,cpu:count\n60000,60000,5,6,7,1\n".into(),
            "do not go together",
        ),
        (
            Form::Csv,
            "timestamp,interval_ms,cpu,cpu:min,cpu:max,cpu:count\n60001,60000,6,6,7,1\n".into(),
            "not the start",
        ),
        (Form::Csv, "timestamp,interval_ms,cpu:count\n60000,5,0\n".into(), "60000 or 3600000"),
        (Form::Csv, "anomaly,kind,made_at,note\n1,dunno,2,\n".into(), "line 2: column `kind`"),
        (
            Form::Csv,
            "advised_at,feature,action,kind,made_at,note\n1,cpu,wait,helped,2,\n".into(),
            "line 2: outcome: the advice it is of",
        ),
        (
            Form::Csv,
            "made_at,feature,priority,evidence,action,processes\n1,a,soon,b,c,[]\n".into(),
            "line 2: column `priority`",
        ),
        (Form::JsonLines, "[1]\n".into(), "f, line 1: this is no JSON object"),
        (Form::JsonLines, "{\"timestamp\":1,\"cpu\":2}\n{\"timestamp\":".into(), "f, line 2"),
        (
            Form::JsonLines,
            "{\"what\":\"songs\",\"timestamp\":1}\n".into(),
            "`songs` is not one of metrics",
        ),
        (Form::JsonLines, "{\"what\":5,\"timestamp\":1}\n".into(), "is not one of"),
        (Form::JsonLines, "{\"timestamp\":1,\"cpu\":[1]}\n".into(), "a list is not a number"),
        (Form::JsonLines, long, "longer than"),
    ];
    for (form, text, said) in wrong {
        let e = import_text(&mut store, "f", text.as_bytes(), form, &mut |_| {}).unwrap_err();
        assert!(e.is_invalid_input() && e.to_string().contains(said), "{said}: {e}");
    }
    let counts = store.counts().unwrap();
    assert_eq!((counts.samples, counts.anomalies), (0, 0));
    assert!(store.labels(at(-2_000_000_000)).unwrap().is_empty());
}

#[cfg(feature = "parquet")]
#[test]
fn a_damaged_parquet_file_is_refused_and_nothing_worse() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("overseer.db"));
    let file = write(&store, &[Kind::Hours], Form::Parquet, dir.path().join("x.parquet"));
    let whole = std::fs::read(&file).unwrap();
    let mut copy = open(&dir.path().join("copy.db"));
    let mut refused = 0;
    let cut = (0..whole.len()).step_by(37).map(|n| whole[..n].to_vec());
    let flipped = (0..whole.len()).step_by(11).map(|n| {
        let mut bytes = whole.clone();
        bytes[n] ^= 0x55;
        bytes
    });
    for bytes in cut.chain(flipped) {
        std::fs::write(&file, bytes).unwrap();
        refused += usize::from(import(&mut copy, &file, Form::Parquet, &mut |_| {}).is_err());
    }
    assert!(refused > 100, "{refused}");
}
