//! Out into files and in again: the same contents, nothing twice, and a clear word about what is wrong.

use crate::contents::{
    HOST, STEP, anomaly, at, chosen_metadata, metadata, open, pattern, prediction, sample, schema,
};
use crate::incidents::incident;
use crate::tables::{Contents, contents, hold_something};
use overseer_core::{
    Alert, AlertState, AppliedAction, AppliedState, Auxiliary, AuxiliaryQuery, Delivery, Knob,
    KnobSetting, Label, LabelKind, Outcome, OutcomeKind, PatternAnalysis, PatternType,
    PredictionType, Priority, ProcessUsage, Recommendation, Sample, Schema, Severity, Silence,
    SilenceKind, Span, Store, Timestamp, Unit,
};
use overseer_store::transfer::{Form, Imported, Kind, Selection, export, import, import_text};
use overseer_store::{Retention, SqliteOptions, SqliteStore};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HOUR: i64 = 3600;

/// A store with something in every table and every column, of which the oldest samples are gone, and so is a feature.
fn filled(path: &Path) -> SqliteStore {
    let mut keep = Retention::default();
    keep.samples = Some(Span::from_secs(2 * HOUR));
    let earlier = Schema::from_names(["cpu", "memory", "a \"quoted\" name", "gone"]).unwrap();
    let mut store = SqliteOptions::new().open(path, &earlier, HOST).unwrap();
    // The step becomes that of most samples where it is not told.
    store.set_step(Span::from_secs(30)).unwrap();
    let wide = |i: i64| Sample::new(at(-30 * i), vec![0.5, f64::NAN, f64::NAN, 1.0 / i as f64]);
    store.append(Span::from_secs(30), &(1..100).map(wide).collect::<Vec<_>>()).unwrap();
    drop(store);
    let mut store = SqliteOptions::new().retention(keep).open(path, &schema(), HOST).unwrap();
    let samples: Vec<_> = (0..5 * 120)
        .map(|i| {
            let cpu = if i % 7 == 0 { f64::NAN } else { (i as f64).sin() };
            sample(30 * i, [cpu, i as f64, 1e-300 * i as f64])
        })
        .collect();
    store.append(Span::from_secs(30), &samples).unwrap();
    let late = Sample::new(at(5 * HOUR + 1), vec![0.1, f64::NAN, -0.25]);
    store.append(STEP, &[late]).unwrap();
    // One of which there is a feature only that is gone.
    let mut wide = SqliteOptions::new().open(path, &earlier, HOST).unwrap();
    let gone = Sample::new(at(5 * HOUR + 7), vec![f64::NAN, f64::NAN, f64::NAN, 0.75]);
    wide.append(STEP, &[gone]).unwrap();
    drop(wide);
    for minute in 0..300 {
        let mut values =
            vec![Auxiliary::new("system.filesystem.utilization", "/", Unit::Ratio, 0.5)];
        values[0].value += 0.001 * minute as f64;
        values[0].capacity = Some(1.0);
        if minute % 2 == 0 {
            values.push(Auxiliary::new("process.open_files", "", Unit::Count, minute as f64));
        }
        store.append_auxiliary(at(60 * minute), &values).unwrap();
    }
    while store.maintain(at(5 * HOUR + 60), Duration::from_secs(9)).unwrap().behind {}
    findings(&mut store);
    decisions(&mut store);
    store.put_model_metadata(&chosen_metadata("performance_score", 0)).unwrap();
    store.put_model_metadata(&metadata("detector", 5)).unwrap();
    store
}

fn findings(store: &mut SqliteStore) {
    let mut plain =
        PatternAnalysis::new("memory", PatternType::Stable, f64::NAN, crate::contents::p(0.5));
    plain.window = (at(0), at(7));
    let mut odd = anomaly(9);
    odd.description = "\ta \"quoted\", comma'd\nand broken line\u{1}".into();
    let mut full = prediction(7);
    full.driver = Some("cpu".into());
    full.prediction_type =
        PredictionType::TimeToFull { feature: "memory".into(), instance: "/var".into() };
    let predictions = [prediction(5), prediction(6), full];
    store.record(&[anomaly(5), odd], &predictions, &[pattern(5), plain]).unwrap();
    let (mut over, going_on) = (incident(5), incident(900));
    (over.state, over.ended_at) = (AlertState::Resolved, Some(at(99)));
    let id = store.put_incident(&over).unwrap();
    store.put_incident(&going_on).unwrap();
    store.acknowledge_incident(id + 1, at(950), "mine, \"all\" of it").unwrap();
}

fn decisions(store: &mut SqliteStore) {
    let mut label = Label::new(at(5), LabelKind::Expected, at(50));
    label.note = "a backup, \"as usual\"".into();
    store.put_label(&label).unwrap();
    store.put_label(&Label::new(at(9), LabelKind::Incident, at(51))).unwrap();
    let mut silence = Silence::new(SilenceKind::Maintenance, at(0), at(60), at(-1));
    silence.recurrence = Some("{\"every\":\"week\"}".into());
    silence.features = vec!["cpu".into()];
    let id = store.put_silence(&silence).unwrap();
    store.lift_silence(id, at(30)).unwrap();
    store.put_silence(&Silence::new(SilenceKind::Silence, at(0), at(60), at(-1))).unwrap();
    let alert =
        Alert::new(at(5), AlertState::Firing, Severity::High, at(6), "log", "CPU, \"high\"");
    let id = store.queue_alert(&alert).unwrap();
    store.note_delivery(id, &Delivery::Delivered { at: at(7) }).unwrap();
    let alert = Alert::new(at(5), AlertState::Resolved, Severity::High, at(9), "log", "");
    let id = store.queue_alert(&alert).unwrap();
    let failed = Delivery::Failed { error: "no way".into(), retry_at: Some(at(70)) };
    store.note_delivery(id, &failed).unwrap();
    let mut advice = Recommendation::new("cpu", Priority::High, "CPU at 99 %", "wait");
    advice.processes = vec![ProcessUsage::new(7, "burn")];
    store
        .put_recommendation(at(1), None, &Recommendation::new("a", Priority::Low, "b", "c"))
        .unwrap();
    let id = store.put_recommendation(at(2), Some("nice"), &advice).unwrap();
    let mut outcome = Outcome::new(id, OutcomeKind::NoChange, at(3));
    outcome.measured = (0.5, 0.25);
    store.put_outcome(&outcome).unwrap();
    store.put_applied(&applied(id, AppliedState::Kept, Some(at(8)))).unwrap();
}

fn applied(of: i64, state: AppliedState, ended_at: Option<Timestamp>) -> AppliedAction {
    let knob = || Knob::Cgroup { group: "/a.service".into(), file: "cpu.weight".into() };
    let (was, to) = (KnobSetting::new(knob(), "100"), KnobSetting::new(knob(), "20"));
    let mut line = AppliedAction::new(of, "cpu-weight", vec![was], vec![to], at(5));
    (line.state, line.ended_at, line.measured) = (state, ended_at, (0.5, 0.25));
    line
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
    hold_something(original.path());
    let dir = tempfile::tempdir().unwrap();
    let mut copy = open(&dir.path().join("copy.db"));
    for file in files {
        let done = read(&mut copy, file);
        // A fresh database has the features of its schema already.
        let known = if done.duplicates == 3 { 3 } else { 0 };
        assert!(done.stored > 0 && done.duplicates == known, "{file:?}: {done:?}");
    }
    assert_same(&contents(copy.path()), &contents(original.path()));
    assert_eq!(copy.step().unwrap(), original.step().unwrap());
    for file in files {
        let done = read(&mut copy, file);
        assert!(done.stored == 0 && done.duplicates > 0, "{file:?}: {done:?}");
    }
    // Nor does it change the database that it came from, where samples were summarised and removed.
    let before = contents(original.path());
    for file in files {
        assert_eq!(read(original, file).stored, 0);
    }
    assert_same(&contents(original.path()), &before);
    // And what upkeep makes of the copy is what it made of the original.
    while copy.maintain(at(5 * HOUR + 60), Duration::from_secs(9)).unwrap().behind {}
    let of = |path: &Path, table: &str| contents(path)[table].clone();
    for table in ["metrics_1m", "metrics_1h", "auxiliary_1h"] {
        assert_eq!(of(copy.path(), table), of(original.path(), table), "{table}");
    }
}

fn assert_same(a: &Contents, b: &Contents) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (table, rows) in a {
        for (x, y) in rows.iter().zip(&b[table]) {
            assert_eq!(x, y, "{table}");
        }
        assert_eq!(rows.len(), b[table].len(), "{table}");
    }
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

/// Else a file from elsewhere could make the next start set something back that nobody here has set.
#[test]
fn an_action_that_was_under_way_is_imported_as_one_that_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(&dir.path().join("overseer.db"));
    let line = store.applied(1).unwrap().remove(0);
    let mut open_line = applied(line.recommendation, AppliedState::Watching, None);
    open_line.applied_at = at(6);
    store.put_applied(&open_line).unwrap();
    let file = write(&store, &Kind::ALL, Form::JsonLines, dir.path().join("all.jsonl"));
    let mut copy = open(&dir.path().join("copy.db"));
    assert!(read(&mut copy, &file).stored > 0);
    let lines = copy.applied(9).unwrap();
    assert_eq!((lines.len(), lines[0].state, lines[1].state), (2, AppliedState::Stuck, line.state));
    assert_eq!((lines[0].ended_at, lines[0].note.contains("imported")), (Some(at(6)), true));
    assert_eq!(read(&mut copy, &file).stored, 0);
    assert_eq!(read(&mut store, &file).stored, 0);
    assert_eq!(store.applied(1).unwrap()[0].state, AppliedState::Watching);
}

#[test]
fn values_of_a_series_make_it_known_and_their_hours_are_made_as_if_sampled_here() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let csv = |store: &mut SqliteStore, text: &str| {
        import_text(store, "f", text.as_bytes(), Form::Csv, &mut |_| {}).unwrap()
    };
    while store.maintain(at(40 * 24 * HOUR), Duration::from_secs(9)).unwrap().behind {}
    let minutes: String = (0..60)
        .map(|i| format!("{},temp,cpu,celsius,{}\n", at(60 * i).as_millis(), 40 + i))
        .collect();
    let minutes = format!("timestamp,name,instance,unit,value\n{minutes}");
    assert_eq!(csv(&mut store, &minutes).stored, 60);
    let series = "name,instance,unit,capacity\ntemp,cpu,celsius,90\n";
    assert_eq!((csv(&mut store, series).stored, csv(&mut store, series).stored), (1, 0));
    while store.maintain(at(40 * 24 * HOUR + 120), Duration::from_secs(9)).unwrap().behind {}
    let all = store.auxiliary(&AuxiliaryQuery::new(at(-HOUR), at(0), at(9 * HOUR))).unwrap();
    assert_eq!((all.len(), all[0].capacity, all[0].unit), (1, Some(90.0), Unit::Celsius));
    let rows = contents(store.path());
    assert_eq!((rows["auxiliary_metrics"].len(), rows["auxiliary_1h"].len()), (0, 2), "expired");
    // What is in an hour already is not counted once more.
    let again = csv(&mut store, &minutes);
    assert_eq!((again.stored, again.late), (0, 60));
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

/// The same moment as other programs write it, and values that percent were written in place of shares.
#[test]
fn times_of_other_tools_are_read_in_every_form_and_what_cannot_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let schema = overseer_core::host::schema();
    let mut store = SqliteStore::open(&dir.path().join("overseer.db"), &schema, "web-1").unwrap();
    let mut csv = |rows: &str| {
        let text = format!("timestamp,system.cpu.utilization\n{rows}");
        import_text(&mut store, "h.csv", text.as_bytes(), Form::Csv, &mut |_| {})
    };
    let done = csv("2023-11-14T22:13:20Z,0.5\n2023-11-14 22:14:20,0.5\n1700000120,0.5\n").unwrap();
    assert_eq!((done.stored, done.assumed_step), (3, Some(Span::from_secs(60))));
    for same in ["1700000000000", "1700000000", "2023-11-14T23:13:20+01:00"] {
        assert_eq!(csv(&format!("{same},0.5\n")).unwrap().duplicates, 1, "{same}");
    }
    for (row, why) in [
        ("1700000180,7", "line 2, column `system.cpu.utilization`: `7` is above 1"),
        ("1700000180,-0.5", "below zero"),
        ("1700000180000000,0.5", "too large"),
        ("noon,0.5", "`noon` is not a time"),
    ] {
        let e = csv(&format!("{row}\n")).unwrap_err().to_string();
        assert!(e.contains(why), "{e}");
    }
}

#[test]
fn history_of_other_tools_needs_only_times_and_features() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let text = "\u{feff}timestamp,memory,cpu\n1700000000000,0.5,\n1700000005000,NaN,0.25\n1700000010000,,\n";
    let csv = |store: &mut SqliteStore| {
        import_text(store, "h.csv", text.as_bytes(), Form::Csv, &mut |_| {})
    };
    let one = "timestamp,cpu\n1700000000000,0.5\n";
    let e = import_text(&mut store, "h.csv", one.as_bytes(), Form::Csv, &mut |_| {}).unwrap_err();
    assert!(e.to_string().starts_with("h.csv, line 2: there is no column `interval_ms`"), "{e}");
    // Of two and more the times between them tell.
    let done = csv(&mut store).unwrap();
    assert_eq!((done.assumed_step, store.step().unwrap()), (Some(STEP), Some(STEP)));
    assert_eq!(done.latest, Some((Timestamp::from_millis(1_700_000_010_000), 3)));
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
        (Form::Csv, "timestamp,interval_ms,cpu\n1.5,5000,2\n".into(), "line 2, column `timestamp`: `1.5`"),
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
        (Form::Csv, "setting,value\nstep_ms,0\n".into(), "`0` is no step"),
        (Form::Csv, "setting,value\nsecret,1\n".into(), "`secret` is not one of step_ms"),
        (Form::Csv, "setting,value\nfeature,host_id\n".into(), "another purpose"),
        (Form::Csv, "setting,value\nfeature,CPU:min\n".into(), "summaries need a name"),
        (Form::Csv, "setting,value\nfeature,\n".into(), "not a text"),
        (Form::Csv, "name,instance,unit,capacity\nt,,furlong,\n".into(), "column `unit`"),
        (Form::Csv, "name,instance,unit,capacity\nt,,count,0\n".into(), "column `capacity`"),
        (
            Form::Csv,
            "timestamp,name,instance,unit,value\n1,t,,furlong,1\n".into(),
            "column `unit`: it is no known unit",
        ),
        (Form::Csv, "timestamp,name,instance,unit,value\n1,t,,count,\n".into(), "column `value`"),
        (
            Form::Csv,
            "timestamp,name,instance,unit,mean,min,max,count\n5,t,,count,1,1,1,1\n".into(),
            "not the start",
        ),
        (
            Form::Csv,
            "timestamp,name,instance,unit,mean,min,max,count\n0,t,,count,3,1,2,1\n".into(),
            "do not go together",
        ),
        (
            Form::Csv,
            "advised_at,feature,advice,action,knobs_before,knobs_after,applied_at,state,note\n1,a,b,c,[],[],2,kept,\n".into(),
            "the advice it is of",
        ),
        (
            Form::JsonLines,
            "{\"what\":\"models\",\"name\":\"m\",\"kind\":\"oracle\",\"algorithm\":\"\",\"trained_at\":1,\"trained_from\":1,\"trained_to\":1,\"rows\":1,\"interval_ms\":1,\"provisional\":0,\"schema_fingerprint\":\"0\",\"bytes\":1,\"quality\":{}}\n".into(),
            "line 1: column `kind`",
        ),
        (
            Form::JsonLines,
            "{\"what\":\"incidents\",\"kind\":\"anomaly\",\"subject\":\"\",\"state\":\"firing\",\"severity\":\"awful\",\"began_at\":1,\"peak_at\":1,\"peak_severity\":\"high\",\"last_seen\":1,\"samples\":1,\"alert\":1,\"silenced\":0,\"features\":[],\"processes\":[],\"description\":\"\",\"suggested_actions\":[]}\n".into(),
            "line 1: column `severity`",
        ),
        (Form::JsonLines, "[1]\n".into(), "f, line 1: this is no JSON object"),
        (Form::JsonLines, "{\"timestamp\":1,\"cpu\":2}\n{\"timestamp\":".into(), "f, line 2"),
        (
            Form::JsonLines,
            "{\"what\":\"songs\",\"timestamp\":1}\n".into(),
            "`songs` is not one of settings, metrics",
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
    let columns = "SELECT count(*) FROM pragma_table_info('system_metrics')";
    let person = rusqlite::Connection::open(store.path()).unwrap();
    let n: i64 = person.query_row(columns, [], |row| row.get(0)).unwrap();
    assert_eq!(n, 6, "no feature was added");
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
