//! A choice among forecasters in an engine: when it is made, what becomes of it, and that it lasts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, run, start};
use overseer_core::{
    Forecast, ForecastTarget, Forecaster, ForecasterTrainer, Frame, Interval, ModelKind,
    ModelMetadata, Probability, Result, Sample, Schema, Selection, Span, Store, Timestamp, host,
};
use overseer_engine::host::store::{ModelDirectory, SqliteStore};
use overseer_engine::{
    Candidate, Config, Contest, ContestJob, Engine, Notice, Parts, Role, Stage, TrainOutcome,
    host as wired,
};
use std::path::Path;

/// Says the same value for ever, which it keeps in its file.
#[derive(Debug, Clone)]
struct Always {
    schema: Schema,
    value: f64,
    horizon: usize,
    metadata: ModelMetadata,
}

#[derive(Debug)]
struct AlwaysTrainer(f64);

const MAGIC: &[u8] = b"always";

impl ForecasterTrainer for AlwaysTrainer {
    fn min_rows(&self, horizon: usize) -> usize {
        30 + horizon
    }

    fn fit(&self, frame: &Frame, _: ForecastTarget, horizon: usize) -> Result<Box<dyn Forecaster>> {
        let mut metadata = ModelMetadata::new("performance_score", ModelKind::Forecaster, "always");
        metadata.rows = frame.len();
        let times = frame.timestamps();
        metadata.trained_on = (times[0], times[times.len() - 1]);
        Ok(Box::new(Always { schema: frame.schema().clone(), value: self.0, horizon, metadata }))
    }

    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Forecaster>> {
        let unknown = || overseer_core::Error::corrupt("a constant", "it is none");
        let number = bytes.strip_prefix(MAGIC).and_then(|b| b.try_into().ok());
        let value = number.map(f64::from_le_bytes).ok_or_else(unknown)?;
        let mut metadata = ModelMetadata::new("performance_score", ModelKind::Forecaster, "always");
        metadata.interval_ms = 5_000;
        Ok(Box::new(Always { schema: schema.clone(), value, horizon: 120, metadata }))
    }
}

impl Forecaster for Always {
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn target(&self) -> ForecastTarget {
        ForecastTarget::PerformanceScore
    }
    fn max_horizon(&self) -> usize {
        self.horizon
    }
    fn observe(&mut self, _: &Sample) -> Result<()> {
        Ok(())
    }
    fn forecast(&self, horizon: usize) -> Result<Vec<Forecast>> {
        let interval =
            Interval::new(self.value - 3.0, self.value + 3.0, Probability::saturating(0.9));
        Ok((1..=horizon).map(|h| Forecast::new(h, self.value, interval)).collect())
    }
    fn reset_lags(&mut self) {}
    fn boxed_clone(&self) -> Box<dyn Forecaster> {
        Box::new(self.clone())
    }
    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok([MAGIC, &self.value.to_le_bytes()].concat())
    }
    fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }
}

/// The default says 0, which is wrong; the others say 90 and 43, about where a calm host's memory is.
fn contest() -> Contest {
    Contest::new(
        Candidate::new("nothing", AlwaysTrainer(0.0)),
        Candidate::new("much", AlwaysTrainer(90.0)),
    )
    .challenger(Candidate::new("memory", AlwaysTrainer(43.0)).with("value", 43))
}

fn store_at(place: &Path) -> SqliteStore {
    SqliteStore::open(&place.join("overseer.db"), &host::schema(), "test").unwrap()
}

fn engine_at(place: &Path, config: Config) -> Engine {
    let parts = Parts {
        collector: Box::new(CalmHost::new()),
        store: Some(Box::new(store_at(place))),
        models: Some(Box::new(ModelDirectory::new(place.join("models")))),
        detector_trainer: Box::new(wired::detector_trainer().unwrap()),
        forecaster_trainer: Box::new(AlwaysTrainer(0.0)),
        pattern_analyzer: Box::new(
            wired::models::pattern::ShapeAnalyzer::builder().build().unwrap(),
        ),
        fill_forecaster: Box::new(
            overseer_engine::host::models::time_to_full::RisingFill::default(),
        ),
    };
    Engine::with_contest(parts, contest(), config, Role::Sampler).unwrap()
}

fn choose(engine: &mut Engine) -> Selection {
    engine.choose_forecaster(|_| true).unwrap()
}

fn warnings(report: &overseer_engine::Report) -> Vec<&Notice> {
    report.notices.iter().filter(|n| n.warning).collect()
}

#[test]
fn a_choice_is_used_stored_and_remembered_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = engine_at(dir.path(), Config::default());
    let mut now = run(&mut engine, start(), 400, |_, _| {});
    assert_eq!(engine.predict(STEP.times(3)).unwrap()[0].value, 0.0, "the default as yet");
    let selection = choose(&mut engine);
    assert_eq!((selection.chosen.as_str(), selection.rows), ("memory", 400));
    assert!(selection.horizon < 120, "{}: as far as so little history allows", selection.horizon);

    // Adopting is remembered at once, and takes effect with the next training.
    engine.adopt(selection, now);
    let stored = store_at(dir.path()).model_metadata().unwrap();
    let of = |models: &[ModelMetadata], name: &str| {
        models.iter().find(|m| m.name == name).unwrap().selection.clone()
    };
    let kept = of(&stored, "performance_score").unwrap();
    assert_eq!((kept.at, kept.chosen.as_str()), (now, "memory"));
    assert_eq!(kept.standing("memory").unwrap().parameters["value"], "43");
    assert_eq!(of(&stored, "detector"), None);
    assert_eq!(engine.predict(STEP.times(3)).unwrap()[0].value, 0.0, "not trained anew yet");
    let summary = engine.train_forecaster_now(now);
    let [TrainOutcome::Trained(metadata)] = &summary.models[..] else { panic!("{summary:?}") };
    assert_eq!(
        (metadata.name.as_str(), metadata.algorithm.as_str()),
        ("performance_score", "always")
    );
    assert_eq!(metadata.selection, Some(kept.clone()));
    assert_eq!(engine.predict(STEP.times(3)).unwrap()[0].value, 43.0);
    assert_eq!(
        of(&store_at(dir.path()).model_metadata().unwrap(), "performance_score"),
        Some(kept.clone())
    );
    let mut told = false;
    now = run(&mut engine, now, 1, |_, report| {
        told = report
            .notices
            .iter()
            .any(|n| n.stage == Stage::Train && n.message.contains("`memory`"));
        assert!(report.learned.models.iter().all(|m| m.selection.is_none()), "not in every report");
    });
    assert!(told, "the report says what was chosen");

    // A contest that came to nothing takes nothing back.
    let nothing = engine.choose_forecaster(|_| false).unwrap();
    assert_eq!((nothing.rungs, nothing.chosen.as_str()), (0, "nothing"));
    engine.adopt(nothing, now);
    assert_eq!(engine.selection(), Some(&kept));
    engine.close();
    drop(engine);

    let mut next = engine_at(dir.path(), Config::default());
    assert_eq!(next.selection(), Some(&kept));
    assert_eq!(next.predict(STEP.times(3)).unwrap()[0].value, 43.0, "from its file");
    let summary = next.train(true, now);
    // Its file says nothing of its training, which is told as the models are loaded.
    let later = summary.notices.iter().filter(|n| n.stage != Stage::Open);
    assert!(later.clone().all(|n| !n.warning), "{:?}", summary.notices);
    assert_eq!(next.predict(STEP.times(3)).unwrap()[0].value, 43.0, "and trained anew");
    // For another horizon as well.
    assert_eq!(next.predict(STEP.times(130)).unwrap()[0].value, 43.0);
    run(&mut next, now, 1, |_, report| {
        assert!(warnings(&report).iter().all(|n| n.stage == Stage::Open), "{:?}", report.notices);
    });
}

#[test]
fn a_chosen_candidate_that_is_gone_gives_way_to_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = engine_at(dir.path(), Config::default());
    let now = run(&mut engine, start(), 200, |_, _| {});
    let mut selection = choose(&mut engine);
    selection.chosen = "of an older version".to_owned();
    engine.adopt(selection, now);
    engine.train_forecaster_now(now);
    assert_eq!(engine.predict(STEP.times(3)).unwrap()[0].value, 0.0);
}

/// A job is to go to another thread.
fn is_send<T: Send>(job: T) -> T {
    job
}

#[test]
fn a_running_engine_is_due_once_a_day_when_it_has_left_its_first_look_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = engine_at(dir.path(), Config::default());
    assert!(engine.due_contest(start()).is_none(), "no models yet");
    let now = run(&mut engine, start(), 300, |_, _| {});
    let job: ContestJob = is_send(engine.due_contest(now).unwrap());
    assert!(engine.due_contest(now + Span::from_secs(60)).is_none(), "one was begun just now");

    // 25 minutes of history are too little while watching; with a sample of yesterday there is a day.
    let mut store = store_at(dir.path());
    let error = job.run(&mut store, now, |_| true).unwrap_err();
    assert!(error.is_not_enough_data(), "{error}");
    let yesterday = Sample::new(start() - Span::from_secs(90_000), vec![0.5; host::schema().len()]);
    store.append(STEP, &[yesterday]).unwrap();
    let hour = now + Span::from_secs(3_600);
    let job = engine.due_contest(hour).unwrap();
    // It reads what was stored up to then, by a connection of its own, in a thread of its own.
    let run_apart = std::thread::spawn(move || {
        let mut store = store;
        let first = job.run(&mut store, hour, |_| true).unwrap();
        (first, job.run(&mut store, hour, |_| false).unwrap())
    });
    let (selection, stopped) = run_apart.join().unwrap();
    assert_eq!((selection.rows, selection.chosen.as_str()), (301, "memory"));
    assert_eq!(stopped.rungs, 0);
    engine.adopt(selection, hour);
    assert!(engine.due_contest(hour + Span::from_secs(80_000)).is_none());
    assert!(engine.due_contest(hour + Span::from_secs(86_400)).is_some());
    assert!(engine.due_contest(start() - Span::from_secs(9)).is_some(), "a clock set back");

    let mut never = Config::default();
    never.choose_every = None;
    let mut off = engine_at(dir.path(), never);
    run(&mut off, hour, 100, |_, _| {});
    assert!(off.due_contest(hour + Span::from_secs(10 * 86_400)).is_none());
    let mut before = Timestamp::from_millis(0);
    run(&mut off, hour + Span::from_secs(600), 3, |_, report| {
        assert!(report.timestamp > before);
        before = report.timestamp;
    });
}
