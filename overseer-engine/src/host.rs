//! This host, ready to use: the one place that wires collector, store and models together.

use crate::config::Config;
use crate::engine::{Engine, Parts, Role};
use crate::report::{Notice, Stage};
use crate::selection::{Candidate, Contest};
use overseer_core::{
    Collector, Error, LocalTime, ModelRepository, Result, Span, Store, Timestamp, Utc,
    host as host_schema,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use overseer_collect as collect;
pub use overseer_models as models;
pub use overseer_store as store;

mod candidates;

pub use candidates::forecaster_contest;

/// The seed of every model trained on a host: the same history gives the same models.
const SEED: u64 = 0x0b5e_55ed;

/// How to open this host's engine.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where everything is kept; by default the XDG state directory of `overseer`.
    pub data_dir: Option<PathBuf>,
    /// The engine's settings.
    pub config: Config,
    /// Whether `config.step` was chosen by somebody; otherwise the step stored with the installation is kept.
    pub step_is_chosen: bool,
    /// Whether to ask for the one sampler's place; otherwise the engine only reads.
    pub sample: bool,
    /// What the sampler's place is wanted for, as a second one is told.
    pub purpose: String,
    /// How long the database keeps what, and how large it may become.
    pub retention: store::Retention,
    /// Further forecasters to choose among, besides ours.
    pub challengers: Vec<Candidate>,
    /// The zone by whose clocks the host's days and weeks go, by its IANA name such as `Europe/Berlin`; by default the
    /// one this host's clocks are set to.
    pub time_zone: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data_dir: None,
            config: Config::default(),
            step_is_chosen: false,
            sample: true,
            purpose: "an embedded engine".to_owned(),
            retention: store::Retention::default(),
            challengers: Vec::new(),
            time_zone: None,
        }
    }
}

/// The wall clock, for passing to the engine.
#[must_use]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Where an installation is kept if nobody says otherwise: `$XDG_STATE_HOME/overseer`, or `~/.local/state/overseer`.
///
/// # Errors
/// If neither `XDG_STATE_HOME` nor `HOME` is set.
pub fn default_data_dir() -> Result<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))
        .map(|state| state.join("overseer"))
        .ok_or_else(|| {
            Error::unavailable("the data directory", "neither XDG_STATE_HOME nor HOME is set")
        })
}

/// Our detector's default settings, to be changed in a part: to see what one is worth, or to give it more trees.
#[must_use]
pub fn detector_builder() -> models::detector::ForestDetectorTrainerBuilder {
    models::detector::ForestDetectorTrainer::builder().seed(SEED)
}

/// Our detector with its default settings, for days and weeks that go by these clocks.
///
/// # Errors
/// Never with the defaults; it is what the builder returns.
pub fn detector_trainer_by(
    clocks: Arc<dyn LocalTime>,
) -> Result<models::detector::ForestDetectorTrainer> {
    detector_builder().local_time(clocks).build()
}

/// Our detector with its default settings, for days and weeks that go by UTC.
///
/// # Errors
/// Never with the defaults; it is what the builder returns.
pub fn detector_trainer() -> Result<models::detector::ForestDetectorTrainer> {
    detector_trainer_by(Arc::new(Utc))
}

/// Our forecaster with its default settings.
///
/// # Errors
/// Never with the defaults; it is what the builder returns.
pub fn forecaster_trainer() -> Result<models::forecaster::ForestForecasterTrainer> {
    models::forecaster::ForestForecasterTrainer::builder().seed(SEED).build()
}

/// An engine of these parts and our models, for days and weeks that go by UTC.
///
/// # Errors
/// If a setting is out of range.
pub fn with_our_models(
    collector: Box<dyn Collector>,
    store: Option<Box<dyn Store>>,
    model_files: Option<Box<dyn ModelRepository>>,
    config: Config,
    role: Role,
) -> Result<Engine> {
    with_our_models_by(Arc::new(Utc), &[], collector, store, model_files, config, role)
}

/// As [`with_our_models`], for days and weeks that go by these clocks, and with further forecasters to choose among.
fn with_our_models_by(
    clocks: Arc<dyn LocalTime>,
    challengers: &[Candidate],
    collector: Box<dyn Collector>,
    store: Option<Box<dyn Store>>,
    model_files: Option<Box<dyn ModelRepository>>,
    config: Config,
    role: Role,
) -> Result<Engine> {
    let parts = Parts {
        collector,
        store,
        models: model_files,
        detector_trainer: Box::new(detector_trainer_by(clocks)?),
        forecaster_trainer: Box::new(forecaster_trainer()?),
        pattern_analyzer: Box::new(models::pattern::ShapeAnalyzer::builder().build()?),
    };
    let contest = challengers.iter().cloned().fold(forecaster_contest()?, Contest::challenger);
    Engine::with_contest(parts, contest.training_rows(config.training_rows), config, role)
}

/// Opens this host's engine: its collector, its database, its models.
///
/// What cannot be opened is worked around, and the next report says so: a database that is not one is moved aside, a
/// directory that cannot be written is read only, and beside another sampler the engine reads what that one stores.
///
/// # Errors
/// If the host cannot be read at all, a setting is out of range, or the chosen time zone is not known here.
pub fn open(options: &Options) -> Result<Engine> {
    options.retention.check()?;
    let collector = Box::new(collect::HostCollector::new()?);
    let name = collector.host().name;
    let mut notices = Vec::new();
    let clocks = clocks_of(options.time_zone.as_deref(), &mut notices)?;
    let mut role = Role::Sampler;
    let mut lease = None;
    let mut database: Option<Box<dyn Store>> = None;
    let mut model_files: Option<Box<dyn ModelRepository>> = None;
    let mut data_dir = None;
    match options.data_dir.clone().map_or_else(default_data_dir, Ok) {
        Err(e) => notices.push(Notice::warning(Stage::Open, format!("{e}; nothing is stored"))),
        Ok(root) => {
            let dir = store::DataDir::new(&root);
            let access = if options.sample { take_place(&dir, &options.purpose) } else { Ok(None) };
            match access {
                Ok(Some(store::LeaseOutcome::Held(held))) => lease = Some(held),
                Ok(Some(store::LeaseOutcome::Busy { holder })) => {
                    role = Role::Reader;
                    notices.push(Notice::info(
                        Stage::Open,
                        format!("{holder} samples this host: its samples are read, none are taken"),
                    ));
                }
                Ok(None) => role = Role::Reader,
                Err(e) => notices.push(Notice::warning(
                    Stage::Open,
                    format!("{e}; what is learned now is not kept"),
                )),
            }
            let database_options = store::SqliteOptions::new().retention(options.retention.clone());
            let opened =
                open_database(&database_options, &dir, &name, lease.is_some(), &mut notices);
            let writable = lease.is_some() && opened.as_ref().is_some_and(|o| o.writable);
            database = opened.map(|o| o.store);
            if writable || role == Role::Reader {
                model_files = Some(Box::new(store::ModelDirectory::new(dir.models())));
                data_dir = Some(root.display().to_string());
            }
        }
    }
    let mut config = options.config.clone();
    if let Some(stored) = database.as_mut().and_then(|d| d.step().ok().flatten())
        && !options.step_is_chosen
    {
        config.step = stored;
        config.fast_interval = config.fast_interval.min(stored);
    }
    let challengers = &options.challengers;
    let mut engine =
        with_our_models_by(clocks, challengers, collector, database, model_files, config, role)?;
    engine.data_dir = data_dir;
    engine.kept = lease.map(|l| Box::new(l) as Box<dyn std::any::Any + Send>);
    for notice in notices {
        engine.note(notice);
    }
    Ok(engine)
}

/// Opens this host's database beside whoever samples: to read it, or also to add to it, making it if there is none.
///
/// # Errors
/// If there is no place for it, it cannot be opened, or to read it there is none; nothing is moved.
pub fn open_store(options: &Options, writes: bool) -> Result<store::SqliteStore> {
    let root = options.data_dir.clone().map_or_else(default_data_dir, Ok)?;
    let dir = store::DataDir::new(root);
    let name = collect::HostCollector::new()?.host().name;
    let database = store::SqliteOptions::new().retention(options.retention.clone());
    let schema = host_schema::schema();
    if writes {
        dir.create()?;
        return database.open(&dir.database(), &schema, &name);
    }
    database.open_read_only(&dir.database(), &schema, &name)
}

/// The clocks of the chosen zone, or this host's. A host whose zone cannot be told goes by UTC, and is told so.
fn clocks_of(chosen: Option<&str>, notices: &mut Vec<Notice>) -> Result<Arc<dyn LocalTime>> {
    if let Some(name) = chosen {
        return Ok(Arc::new(collect::SystemZone::named(name)?));
    }
    Ok(match collect::SystemZone::local() {
        Ok(zone) => Arc::new(zone),
        Err(e) => {
            notices.push(Notice::info(
                Stage::Open,
                format!("{e}; what is usual at a time of the week is learned in UTC"),
            ));
            Arc::new(Utc)
        }
    })
}

/// Makes the directory, and asks for the one sampler's place in it.
fn take_place(dir: &store::DataDir, purpose: &str) -> Result<Option<store::LeaseOutcome>> {
    dir.create()?;
    dir.lease(now(), purpose).map(Some)
}

struct OpenedStore {
    store: Box<dyn Store>,
    writable: bool,
}

/// Opens the database: for the sampler to write, moving a broken one aside; for everybody else to read, touching
/// nothing, for it may be another process's.
fn open_database(
    options: &store::SqliteOptions,
    dir: &store::DataDir,
    host: &str,
    sampler: bool,
    notices: &mut Vec<Notice>,
) -> Option<OpenedStore> {
    let schema = host_schema::schema();
    let path: &Path = &dir.database();
    if sampler {
        match options.open_or_set_aside(path, &schema, host) {
            Ok(opened) => {
                if let Some(aside) = opened.set_aside {
                    notices.push(Notice::warning(
                        Stage::Open,
                        format!(
                            "the database could not be read; it was moved to {} and a fresh one was started",
                            aside.display()
                        ),
                    ));
                }
                return Some(OpenedStore { store: Box::new(opened.store), writable: true });
            }
            Err(e) => notices.push(Notice::warning(
                Stage::Open,
                format!("{e}; what is learned now is not kept"),
            )),
        }
    }
    if !path.exists() {
        return None;
    }
    match options.open_read_only(path, &schema, host) {
        Ok(s) => Some(OpenedStore { store: Box::new(s), writable: false }),
        Err(e) => {
            notices.push(Notice::warning(Stage::Open, e.to_string()));
            None
        }
    }
}

/// Takes the samples that a fresh look at this host needs: on a first run some seconds of fast ones, with models
/// trained from them; later a single one, within a second; beside another sampler, what that one stored.
///
/// `progress` is told how many of how many samples are done.
pub fn look(engine: &mut Engine, mut progress: impl FnMut(usize, usize)) {
    let sampled = sample(engine, |done, total| {
        progress(done, total);
        true
    });
    if sampled {
        engine.train(false, now());
    }
}

/// The sampling of [`look`], without the training, for as long as `go_on` says so after each sample; says whether a
/// first run's samples were taken.
pub fn sample(engine: &mut Engine, mut go_on: impl FnMut(usize, usize) -> bool) -> bool {
    if engine.role() == Role::Reader {
        if let Err(e) = engine.collect(now()) {
            engine.note(Notice::warning(Stage::Collect, e.to_string()));
        }
        return false;
    }
    let plan = engine.sampling_plan();
    let total = plan.map_or(1, |p| p.samples);
    let interval = Duration::from(plan.map_or(engine.config().fast_interval, |p| p.interval));
    // The first call starts the clocks of the rates; processes are measured from here to the report.
    engine.watch_processes();
    engine.prime(now());
    let start = Instant::now();
    for done in 1..=total {
        let due = start + interval * u32::try_from(done).unwrap_or(u32::MAX);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let taken = if plan.is_some() { engine.collect_fast(now()) } else { engine.glance(now()) };
        if let Err(e) = taken {
            engine.note(Notice::warning(Stage::Collect, e.to_string()));
        }
        if plan.is_some() && !go_on(done, total) {
            return true;
        }
    }
    if plan.is_some() {
        engine.note(Notice::info(
            Stage::Collect,
            format!(
                "no history: {total} samples were taken in {}, and what was learned from them is provisional",
                Span::from(interval).times(total)
            ),
        ));
    }
    plan.is_some()
}
