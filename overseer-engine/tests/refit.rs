//! Forecasters that are fitted beside the ticks are the very ones that ticks would have fitted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, run, start};
use overseer_core::{Error, ModelMetadata, Prediction, Store, host};
use overseer_engine::host::store::SqliteStore;
use overseer_engine::{Config, Engine, Role, host as wired};
use std::path::Path;

fn engine_at(place: &Path, elsewhere: bool) -> Engine {
    let store = SqliteStore::open(&place.join("overseer.db"), &host::schema(), "test").unwrap();
    let mut config = Config::default();
    config.refit_elsewhere = elsewhere;
    let host = Box::new(CalmHost::new());
    wired::with_our_models(host, Some(Box::new(store)), None, config, Role::Sampler).unwrap()
}

fn forecaster(engine: &Engine) -> Option<ModelMetadata> {
    engine.learned().models.into_iter().find(|m| m.name == "performance_score")
}

fn rows(engine: &Engine) -> usize {
    forecaster(engine).map_or(0, |m| m.rows)
}

#[test]
fn a_forecaster_fitted_elsewhere_says_what_a_ticks_own_would() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut usual = engine_at(here.path(), false);
    let mut patient = engine_at(there.path(), true);
    let mut now = start();
    let mut refits = 0;
    for tick in 0..200 {
        let a = run(&mut usual, now, 1, |_, _| {});
        let mut is_warned = false;
        let b = run(&mut patient, now, 1, |_, report| {
            is_warned = report.notices.iter().any(|n| n.warning);
        });
        assert!(a == b && !is_warned);
        now = a;
        if let Some(job) = patient.due_refit() {
            assert!(patient.due_refit().is_none(), "one is enough");
            assert!(rows(&patient) < rows(&usual), "the old one goes on");
            // In a thread of its own, while the engine may be used.
            let refitted = std::thread::spawn(move || job.run()).join().unwrap();
            patient.adopt_forecaster(refitted, now);
            refits += 1;
        }
        let (a, b) = (forecaster(&usual), forecaster(&patient));
        let learned = |m: Option<ModelMetadata>| m.map(|m| (m.rows, m.trained_on));
        assert_eq!(learned(a), learned(b), "at tick {tick}");
        let said = |e: &mut Engine| -> Vec<Prediction> { e.predict(STEP.times(20)).unwrap() };
        if tick > 60 && tick % 20 == 0 {
            assert_eq!(said(&mut usual), said(&mut patient), "at tick {tick}");
        }
    }
    assert!(refits >= 2, "{refits}");
    let mut store =
        SqliteStore::open(&there.path().join("overseer.db"), &host::schema(), "test").unwrap();
    let stored = store.model_metadata().unwrap();
    assert_eq!(stored.iter().find(|m| m.name == "performance_score").unwrap().rows, rows(&patient));
}

#[test]
fn a_fit_that_failed_is_told_and_the_older_forecaster_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let mut engine = engine_at(place.path(), true);
    let now = run(&mut engine, start(), 70, |_, _| {});
    let before = forecaster(&engine).unwrap();
    engine.adopt_forecaster(Err(Error::not_enough_data("a forecaster", 9, 1)), now);
    let mut told = false;
    run(&mut engine, now, 1, |_, report| {
        told = report.notices.iter().any(|n| n.message.contains("9 needed"));
    });
    assert!(told);
    assert_eq!(forecaster(&engine).unwrap().trained_at, before.trained_at);
}
