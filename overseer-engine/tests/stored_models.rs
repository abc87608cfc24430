//! A stored model that cannot be used gives way to the one saved before it, and what the store says of a model never
//! differs from its file without a word.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, engine_at, run, start};
use overseer_core::{
    DetectorTrainer, Error, Feature, Frame, ModelMetadata, ModelRepository, Result, Schema, Store,
    Timestamp, Unit, host,
};
use overseer_engine::{Config, Engine, Notice, Role, host as wired};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wired::store::{ModelDirectory, SqliteStore};

const NAMES: [&str; 2] = ["detector", "performance_score"];

/// A place where models were saved when 60 and when 120 samples were known, and the time of the last of 130.
fn trained_twice() -> (tempfile::TempDir, Timestamp) {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), CalmHost::new());
    let now = run(&mut engine, start(), 130, |_, _| {});
    drop(engine);
    for name in NAMES {
        assert_eq!(models(place.path()).versions(name).unwrap().len(), 2);
    }
    (place, now)
}

fn models(place: &Path) -> ModelDirectory {
    ModelDirectory::new(place.join("models"))
}

fn sqlite(place: &Path) -> SqliteStore {
    let path = place.join("overseer.db");
    SqliteStore::open_or_set_aside(&path, &host::schema(), "test").unwrap().store
}

fn recorded(place: &Path, name: &str) -> ModelMetadata {
    sqlite(place).model_metadata().unwrap().into_iter().find(|m| m.name == name).unwrap()
}

fn reader_at(place: &Path) -> Engine {
    wired::with_our_models(
        Box::new(CalmHost::new()),
        Some(Box::new(sqlite(place))),
        Some(Box::new(models(place))),
        Config::default(),
        Role::Reader,
    )
    .unwrap()
}

fn notices(mut engine: Engine, now: Timestamp) -> Vec<Notice> {
    engine.analyze(now).notices
}

fn told(notices: &[Notice], texts: &[&str]) -> bool {
    notices.iter().any(|n| texts.iter().all(|text| n.message.contains(text)))
}

fn rows_of(engine: &Engine, name: &str) -> usize {
    engine.learned().models.iter().find(|m| m.name == name).unwrap().rows
}

/// Puts every file back as it was.
fn put_back(place: &Path, files: &[(PathBuf, Vec<u8>)]) {
    std::fs::remove_dir_all(place.join("models")).unwrap();
    std::fs::create_dir(place.join("models")).unwrap();
    files.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
}

fn files(place: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(place.join("models")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn damage_anywhere_in_the_newest_model_leads_back_to_the_one_before() {
    let (place, now) = trained_twice();
    let place = place.path();
    let whole = files(place);
    let known = NAMES.map(|name| recorded(place, name));
    for (name, rows) in NAMES.into_iter().zip(known.each_ref().map(|m| m.rows)) {
        let newest = models(place).load(name).unwrap().unwrap();
        let before = models(place).load_version(name, 1).unwrap().unwrap();
        assert_eq!(rows_of(&engine_at(place, CalmHost::new()), name), rows);
        let flipped = (0..12).map(|i| {
            let mut bytes = newest.clone();
            // Spread over the file, its head and its end among them.
            let at = i * (bytes.len() - 1) / 11;
            bytes[at] ^= 1 << (i % 8);
            bytes
        });
        let cut = [0, 7, newest.len() / 2, newest.len() - 1].map(|n| newest[..n].to_vec());
        let longer = [newest.as_slice(), &[0]].concat();
        let other = NAMES.iter().find(|other| **other != name).unwrap();
        let other = models(place).load(other).unwrap().unwrap();
        for damaged in flipped.chain(cut).chain([longer, other]) {
            std::fs::write(place.join(format!("models/{name}.model")), &damaged).unwrap();
            let engine = engine_at(place, CalmHost::new());
            assert!(rows_of(&engine, name) < rows, "the one before is used");
            assert_eq!(models(place).load(name).unwrap().unwrap(), before);
            let aside = place.join(format!("models/{name}.model.unreadable-1"));
            assert_eq!(std::fs::read(&aside).unwrap(), damaged, "nothing is lost");
            let after = recorded(place, name);
            assert_eq!((after.rows, after.bytes), (rows_of(&engine, name), before.len()));
            let notices = notices(engine, now);
            let moved = aside.display().to_string();
            let said = ["cannot be used", &moved, "saved before it is used", "newest sample"];
            assert!(told(&notices, &said), "{notices:?}");
            put_back(place, &whole);
            known.iter().for_each(|m| sqlite(place).put_model_metadata(m).unwrap());
        }
    }
}

#[test]
fn a_model_of_a_newer_schema_gives_way_to_one_of_this() {
    let (place, now) = trained_twice();
    let place = place.path();
    let mut features = host::schema().features().to_vec();
    features.push(Feature::new("system.of.tomorrow", Unit::Ratio));
    let mut frame = Frame::new(Schema::new(features.clone()).unwrap());
    for row in 0..60_u32 {
        let values: Vec<f64> =
            (0..features.len() as u32).map(|j| f64::from(row * 37 % (7 + j)) / 20.0).collect();
        frame.push_row(start() + STEP.times(row as usize), &values).unwrap();
    }
    let tomorrow = wired::detector_trainer().unwrap().fit(&frame).unwrap().to_bytes().unwrap();
    let rows = recorded(place, "detector").rows;
    models(place).save("detector", &tomorrow).unwrap();

    let engine = engine_at(place, CalmHost::new());
    assert_eq!(rows_of(&engine, "detector"), rows);
    let notices = notices(engine, now);
    assert!(
        told(&notices, &["`detector` cannot be used", "schema", "saved before"]),
        "{notices:?}"
    );
    assert_eq!(models(place).files().unwrap()["detector"].set_aside.len(), 1);
}

#[test]
fn where_no_version_can_be_read_all_are_kept_aside_and_a_new_one_is_trained() {
    let (place, now) = trained_twice();
    let place = place.path();
    for name in NAMES {
        for version in models(place).versions(name).unwrap() {
            std::fs::write(version.path, format!("noise {}", version.number)).unwrap();
        }
    }
    let mut engine = engine_at(place, CalmHost::new());
    let report = engine.tick(now + STEP);
    for name in NAMES {
        let said = [&format!("`{name}` cannot be used"), "unreadable-2", "a new one is trained"];
        assert!(told(&report.notices, &said), "{:?}", report.notices);
        assert_eq!(rows_of(&engine, name), 130);
        let files = &models(place).files().unwrap()[name];
        assert_eq!((files.versions.len(), files.set_aside.len()), (1, 2));
    }
}

#[test]
fn a_reader_falls_back_too_and_moves_nothing() {
    let (place, now) = trained_twice();
    let place = place.path();
    std::fs::write(place.join("models/detector.model"), "noise").unwrap();
    std::fs::remove_file(place.join("models/performance_score.model")).unwrap();
    let before = files(place);
    let known = NAMES.map(|name| recorded(place, name));
    let engine = reader_at(place);
    assert_eq!(engine.learned().models.len(), 2);
    assert!(rows_of(&engine, "detector") < known[0].rows);
    let notices = notices(engine, now);
    assert!(told(&notices, &["`detector` cannot be used", "saved before"]), "{notices:?}");
    assert!(told(&notices, &["does not describe", "`performance_score`"]), "{notices:?}");
    assert!(!told(&notices, &["moved"]) && !told(&notices, &["corrected"]), "{notices:?}");
    assert_eq!((files(place), NAMES.map(|name| recorded(place, name))), (before, known));
}

#[test]
fn metadata_that_differs_from_the_file_is_told_and_corrected_once() {
    let (place, now) = trained_twice();
    let place = place.path();
    let right = recorded(place, "detector");
    type Change = fn(&mut ModelMetadata);
    let changes: [(&str, Change); 5] = [
        ("rows", |m| m.rows += 1),
        ("first row", |m| m.trained_on.0 = m.trained_on.0 - STEP),
        ("last row", |m| m.trained_on.1 = m.trained_on.1 + STEP),
        ("schema", |m| m.schema_fingerprint ^= 1),
        ("bytes", |m| m.bytes -= 1),
    ];
    for (what, change) in changes {
        let mut wrong = right.clone();
        change(&mut wrong);
        sqlite(place).put_model_metadata(&wrong).unwrap();
        let notices = notices(engine_at(place, CalmHost::new()), now);
        assert!(told(&notices, &["`detector`", what, "corrected"]), "{what}: {notices:?}");
        let after = recorded(place, "detector");
        assert_eq!(
            (after.rows, after.trained_on, after.bytes, after.schema_fingerprint),
            (right.rows, right.trained_on, right.bytes, right.schema_fingerprint)
        );
        assert!(!told(&self::notices(engine_at(place, CalmHost::new()), now), &["`detector`"]));
    }
}

#[test]
fn a_file_that_the_store_does_not_know_and_a_model_without_a_file_are_told() {
    let (place, now) = trained_twice();
    let place = place.path();
    std::fs::rename(place.join("overseer.db"), place.join("elsewhere.db")).unwrap();
    let fresh = notices(engine_at(place, CalmHost::new()), now);
    assert!(told(&fresh, &["did not know of the model `detector`", "was told"]), "{fresh:?}");
    assert_eq!(recorded(place, "detector").rows, 120 - 1);

    std::fs::remove_dir_all(place.join("models")).unwrap();
    let gone = notices(engine_at(place, CalmHost::new()), now);
    assert!(told(&gone, &["knows a model `performance_score` that has no file"]), "{gone:?}");
}

/// The least that a repository is: no version but the newest.
#[derive(Debug, Default)]
struct Newest {
    models: HashMap<String, Vec<u8>>,
    is_full: Arc<AtomicBool>,
}

impl ModelRepository for Newest {
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(Error::unavailable("the models", "the disk is full"));
        }
        self.models.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.models.get(name).cloned())
    }
    fn set_aside(&mut self, name: &str) -> Result<Option<PathBuf>> {
        Ok(self.models.remove(name).map(|_| PathBuf::from("aside")))
    }
}

fn engine_with(place: &Path, models: Newest) -> Engine {
    wired::with_our_models(
        Box::new(CalmHost::new()),
        Some(Box::new(sqlite(place))),
        Some(Box::new(models)),
        Config::default(),
        Role::Sampler,
    )
    .unwrap()
}

#[test]
fn a_repository_of_the_newest_only_needs_no_more_than_that() {
    let place = tempfile::tempdir().unwrap();
    let mut repository = Newest::default();
    repository.models.insert("detector".to_owned(), b"noise".to_vec());
    let mut engine = engine_with(place.path(), repository);
    run(&mut engine, start(), 1, |_, report| {
        assert!(told(&report.notices, &["moved to aside; a new one is trained"]));
    });
    run(&mut engine, start() + STEP, 70, |_, _| {});
    assert_eq!(engine.learned().models.len(), 2);
}

#[test]
fn a_model_that_could_not_be_saved_is_not_said_to_be_there() {
    let place = tempfile::tempdir().unwrap();
    let repository = Newest::default();
    let is_full = repository.is_full.clone();
    is_full.store(true, Ordering::Relaxed);
    let mut engine = engine_with(place.path(), repository);
    let mut warned = false;
    let now = run(&mut engine, start(), 70, |_, report| {
        warned |= told(&report.notices, &["disk is full", "will be saved"]);
    });
    assert!(warned && engine.learned().models.len() == 2);
    assert!(sqlite(place.path()).model_metadata().unwrap().is_empty());

    // Half a minute after there is room again it is there, though nothing new was learned.
    is_full.store(false, Ordering::Relaxed);
    let mut saved = 0;
    run(&mut engine, now, 8, |_, report| {
        let texts = report.notices.iter().map(|n| &n.message);
        saved += texts.filter(|text| text.contains("which waited, is saved")).count();
    });
    assert_eq!(saved, 2);
    assert_eq!(sqlite(place.path()).model_metadata().unwrap().len(), 2);
}

#[test]
fn a_detector_that_may_hold_less_than_when_it_was_stored_says_what_it_gave_up() {
    const MOST: usize = 600_000;
    let (place, now) = trained_twice();
    let place = place.path();
    let limit = |models: &[ModelMetadata]| {
        let detector = models.iter().find(|m| m.name == "detector").unwrap();
        detector.quality.get("max_bytes").map(|bytes| bytes.0)
    };
    assert_eq!(limit(&engine_at(place, CalmHost::new()).learned().models), None);
    let mut config = Config::default();
    config.max_detector_bytes = Some(MOST);
    let engine = wired::with_our_models(
        Box::new(CalmHost::new()),
        Some(Box::new(sqlite(place))),
        Some(Box::new(models(place))),
        config,
        Role::Sampler,
    )
    .unwrap();
    assert_eq!(limit(&engine.learned().models), Some(MOST as f64));
    assert_eq!(limit(&[recorded(place, "detector")]), Some(MOST as f64));
    let warnings = notices(engine, now).into_iter().filter(|n| n.warning);
    assert_eq!(warnings.count(), 0, "what was asked for is no fault");
}
