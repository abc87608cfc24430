//! Recordings, imports and the configuration.

use crate::args::Cli;
use crate::settings::Settings;
use clap::Parser;
use overseer_core::{Frame, Schema, Span, Timestamp};
use overseer_engine::host::collect::{CsvRows, ReadOptions, read_frame_from};
use overseer_engine::host::store::transfer::{Form, import_text};
use overseer_engine::host::store::{Retention, SqliteOptions, SqliteStore};
use std::cell::RefCell;
use std::io::Write;

fn options(first: u8) -> ReadOptions {
    let options = ReadOptions::default();
    let options = if first & 1 == 0 { options } else { options.with_step(Span::from_secs(60)) };
    let berlin = |o: ReadOptions| o.clone().with_time_zone("Europe/Berlin").unwrap_or(o);
    if first & 2 == 0 { options } else { berlin(options) }
}

/// The first byte says how the rows are read: with a step, in another zone.
pub fn csv(data: &[u8]) {
    let Some((&first, text)) = data.split_first() else { return };
    let Ok(rows) = CsvRows::new("input", text, &options(first)) else { return };
    let width = rows.schema().len();
    let mut last: Option<Timestamp> = None;
    for row in rows {
        let Ok(row) = row else { return };
        assert_eq!(row.values.len(), width);
        assert!(row.values.iter().all(|v| !v.is_infinite()), "infinite values are refused");
        assert!(last.is_none_or(|before| before <= row.timestamp), "times never go back");
        last = Some(row.timestamp);
    }
}

/// As [`csv`], of whatever form the file turns out to have.
pub fn recording(data: &[u8]) {
    let Some((&first, text)) = data.split_first() else { return };
    let Ok(frame) = read_frame_from("input", text, &options(first)) else { return };
    check(&frame);
}

fn check(frame: &Frame) {
    let times: Vec<Timestamp> = frame.timestamps().to_vec();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "times never go back");
    assert!(frame.rows().all(|(_, values)| values.iter().all(|v| !v.is_infinite())));
}

/// A store that is used for some hundred inputs, and then replaced before it grows large.
struct Scratch {
    store: SqliteStore,
    _place: tempfile::TempDir,
    used: u32,
}

fn scratch() -> Scratch {
    let place = tempfile::tempdir().expect("a directory for the database");
    let schema = Schema::from_names(["cpu", "memory"]).expect("two features");
    let options = SqliteOptions::new().retention(Retention::forever());
    let store = options.open(&place.path().join("overseer.db"), &schema, "fuzz");
    Scratch { store: store.expect("a new database"), _place: place, used: 0 }
}

/// The first byte says whether it is CSV. What was imported once is not imported again.
pub fn import(data: &[u8]) {
    thread_local! {
        static SCRATCH: RefCell<Option<Scratch>> = const { RefCell::new(None) };
    }
    let Some((&first, text)) = data.split_first() else { return };
    let form = if first & 1 == 0 { Form::Csv } else { Form::JsonLines };
    SCRATCH.with_borrow_mut(|kept| {
        let mut scratch = kept.take().filter(|s| s.used < 300).unwrap_or_else(scratch);
        scratch.used += 1;
        let store = &mut scratch.store;
        if import_text(store, "input", text, form, &mut |_| {}).is_ok() {
            let again = import_text(store, "input", text, form, &mut |_| {});
            assert_eq!(again.expect("what was accepted is accepted again").stored, 0);
        }
        *kept = Some(scratch);
    });
}

/// A configuration file, as the command reads it.
pub fn config(data: &[u8]) {
    thread_local! {
        static FILE: RefCell<Option<tempfile::NamedTempFile>> = const { RefCell::new(None) };
    }
    FILE.with_borrow_mut(|kept| {
        let file = kept.get_or_insert_with(|| tempfile::NamedTempFile::new().expect("a file"));
        std::fs::File::create(file.path())
            .and_then(|mut file| file.write_all(data))
            .expect("a file that can be written");
        let path = file.path().display().to_string();
        let cli = Cli::try_parse_from(["overseer", "--config", &path, "analyze"]);
        if let Ok(settings) = Settings::of(&cli.expect("a right command line")) {
            let _ = settings.engine("fuzzing", false);
        }
    });
}
