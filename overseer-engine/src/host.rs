//! This host, ready to use: the one place that wires collector, store and models together.

mod kept;
mod kept_models;

use crate::config::Config;
use crate::engine::{Engine, Parts, Role};
use crate::report::{Notice, Stage};
use crate::selection::{Candidate, Contest};
use kept::{KeptStore, Place};
use kept_models::{HasPlace, KeptModels};
use overseer_core::{
    Actuator, Collector, Error, LocalTime, ModelRepository, Result, Schema, Span, Store, Timestamp,
    Utc, host as host_schema,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

mod acting;
mod registry;

pub use acting::Acting;
pub use overseer_collect as collect;
pub use overseer_models as models;
pub use overseer_store as store;
pub use registry::{ModelState, Pruned, StoredModel, StoredVersion, prune_models, stored_models};

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
    /// How many versions of each model are kept, the newest among them.
    pub keep_models: usize,
    /// Further forecasters to choose among, besides ours.
    pub challengers: Vec<Candidate>,
    /// The zone by whose clocks the host's days and weeks go, by its IANA name such as `Europe/Berlin`; by default the
    /// one this host's clocks are set to.
    pub time_zone: Option<String>,
    /// By which name this host's history is kept; by default the name that the host has. A container with a volume has a
    /// new one at each start.
    pub host_name: Option<String>,
    /// How long a database that cannot be opened or written is let alone before it is tried again; half a minute by
    /// default.
    pub retry_every: Duration,
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
            keep_models: store::ModelDirectory::KEPT,
            challengers: Vec::new(),
            time_zone: None,
            host_name: None,
            retry_every: Duration::from_secs(30),
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

/// As [`detector_trainer_by`], for a detector that holds no more than so many bytes of memory, if that is said.
///
/// # Errors
/// If no detector fits in so few.
pub fn detector_trainer_within(
    clocks: Arc<dyn LocalTime>,
    max_bytes: Option<usize>,
) -> Result<models::detector::ForestDetectorTrainer> {
    let mut builder = detector_builder().local_time(clocks);
    if let Some(bytes) = max_bytes {
        builder = builder.max_bytes(bytes);
    }
    builder.build()
}

/// Our detector with its default settings, for days and weeks that go by UTC.
///
/// # Errors
/// Never with the defaults; it is what the builder returns.
pub fn detector_trainer() -> Result<models::detector::ForestDetectorTrainer> {
    detector_trainer_by(Arc::new(Utc))
}

/// Our forecaster's default settings, to be changed in a part: to see what one is worth, or to give it more trees.
#[must_use]
pub fn forecaster_builder() -> models::forecaster::ForestForecasterBuilder {
    models::forecaster::ForestForecasterTrainer::builder().seed(SEED)
}

/// Our forecaster with its default settings.
///
/// # Errors
/// Never with the defaults; it is what the builder returns.
pub fn forecaster_trainer() -> Result<models::forecaster::ForestForecasterTrainer> {
    forecaster_builder().build()
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
    let opened = Opened { collector, store, model_files, role, now: None };
    with_our_models_by(Arc::new(Utc), &[], opened, config)
}

/// What an engine works on, and when it was opened, if history of after that is to be left out.
struct Opened {
    collector: Box<dyn Collector>,
    store: Option<Box<dyn Store>>,
    model_files: Option<Box<dyn ModelRepository>>,
    role: Role,
    now: Option<Timestamp>,
}

/// As [`with_our_models`], for days and weeks that go by these clocks, and with further forecasters to choose among.
fn with_our_models_by(
    clocks: Arc<dyn LocalTime>,
    challengers: &[Candidate],
    opened: Opened,
    config: Config,
) -> Result<Engine> {
    let Opened { collector, store, model_files, role, now } = opened;
    let parts = Parts {
        collector,
        store,
        models: model_files,
        pattern_analyzer: Box::new(
            models::pattern::ShapeAnalyzer::builder().local_time(clocks.clone()).build()?,
        ),
        detector_trainer: Box::new(detector_trainer_within(clocks, config.max_detector_bytes)?),
        forecaster_trainer: Box::new(forecaster_trainer()?),
        fill_forecaster: Box::new(models::time_to_full::RisingFill::with_seed(SEED)),
    };
    let contest = challengers.iter().cloned().fold(forecaster_contest()?, Contest::challenger);
    let contest = contest.training_rows(config.training_rows);
    let mut engine = match now {
        Some(now) => Engine::with_contest_at(parts, contest, config, role, now),
        None => Engine::with_contest(parts, contest, config, role),
    }?;
    engine.know_zones(zone_by_name);
    Ok(engine)
}

/// The zone of this name in the system's database of them, for silences that recur.
///
/// # Errors
/// If there is none of this name.
pub fn zone_by_name(name: &str) -> Result<Arc<dyn LocalTime>> {
    Ok(Arc::new(collect::SystemZone::named(name)?))
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
    store::ModelDirectory::check_keep(options.keep_models)?;
    let collector = Box::new(collect::HostCollector::new()?);
    let name = name_of(options, &collector)?;
    let mut notices = Vec::new();
    let clocks = clocks_of(options.time_zone.as_deref(), &mut notices)?;
    let mut role = Role::Sampler;
    let mut database: Option<Box<dyn Store>> = None;
    let mut model_files: Option<Box<dyn ModelRepository>> = None;
    let mut data_dir = None;
    let mut is_kept = true;
    match options.data_dir.clone().map_or_else(default_data_dir, Ok) {
        Err(e) => notices.push(Notice::warning(Stage::Open, format!("{e}; nothing is stored"))),
        Ok(root) => {
            let dir = store::DataDir::new(&root);
            let access = if options.sample { take_place(&dir, &options.purpose) } else { Ok(None) };
            let lease = match access {
                Ok(Some(store::LeaseOutcome::Held(held))) => Some(held),
                Ok(Some(store::LeaseOutcome::Busy { holder })) => {
                    role = Role::Reader;
                    notices.push(Notice::info(
                        Stage::Open,
                        format!("{holder} samples this host: its samples are read, none are taken"),
                    ));
                    None
                }
                Ok(None) => {
                    role = Role::Reader;
                    None
                }
                // Opening the database says so.
                Err(_) => None,
            };
            let database_options = store::SqliteOptions::new().retention(options.retention.clone());
            let schema = host_schema::schema();
            let mut has_lease = false;
            let has_place = HasPlace::default();
            is_kept = if role == Role::Reader {
                match read_only(&database_options, &dir.database(), &schema, &name) {
                    Ok(opened) => {
                        notices.extend(opened.as_ref().and_then(other_history).map(others_told));
                        database = opened.map(|s| Box::new(s) as Box<dyn Store>);
                    }
                    Err(e) => notices.push(Notice::warning(Stage::Open, e.to_string())),
                }
                true
            } else {
                let place = Place {
                    dir: dir.clone(),
                    options: database_options,
                    schema,
                    host: name.clone(),
                    purpose: options.purpose.clone(),
                    retry_every: options.retry_every,
                    is_held: has_place.clone(),
                };
                let (kept, told) = KeptStore::open(place, lease);
                notices.extend(told.into_iter().map(|said| Notice::warning(Stage::Open, said)));
                notices.extend(kept.opened().and_then(other_history).map(others_told));
                let is_kept = kept.is_writable();
                has_lease = kept.has_lease();
                database = Some(Box::new(kept));
                is_kept
            };
            let mut models = store::ModelDirectory::new(dir.models()).keep(options.keep_models)?;
            if has_lease && let Err(e) = models.remove_leftovers() {
                notices.push(Notice::warning(Stage::Open, e.to_string()));
            }
            model_files = Some(Box::new(KeptModels::new(models, has_place)));
            if has_lease && let Some(store) = &mut database {
                match acting::recover_left(&root, store.as_mut()) {
                    Ok(lines) => notices.extend(lines.iter().map(|line| {
                        let said = format!(
                            "`{}` was left applied and was taken back: {}",
                            line.action, line.note
                        );
                        Notice::warning(Stage::Open, said)
                    })),
                    Err(e) => notices.push(Notice::warning(Stage::Open, e.to_string())),
                }
            }
            data_dir = Some(root.display().to_string());
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
    let opened = Opened { collector, store: database, model_files, role, now: Some(now()) };
    let mut engine = with_our_models_by(clocks, challengers, opened, config)?;
    engine.host.name = name;
    engine.data_dir = data_dir;
    if let Some(hands) = actuator() {
        engine.advise_through(hands);
    }
    engine.store_failed = !is_kept;
    for notice in notices {
        engine.note(notice);
    }
    Ok(engine)
}

/// What changes this host, where there is such a thing for its kind: on Linux.
#[must_use]
pub fn actuator() -> Option<Box<dyn Actuator>> {
    #[cfg(target_os = "linux")]
    return Some(Box::new(collect::LinuxActuator::new()));
    #[cfg(not(target_os = "linux"))]
    None
}

/// The clocks by which an engine opened with this time zone learns what recurs: of the zone, or else of this host, or
/// where that cannot be told, UTC.
///
/// # Errors
/// If the chosen zone is not known here.
pub fn clocks(time_zone: Option<&str>) -> Result<Arc<dyn LocalTime>> {
    clocks_of(time_zone, &mut Vec::new())
}

/// Opens this host's database beside whoever samples: to read it, or also to add to it, making it if there is none.
///
/// # Errors
/// If there is no place for it, it cannot be opened, or to read it there is none; nothing is moved.
pub fn open_store(options: &Options, writes: bool) -> Result<store::SqliteStore> {
    let root = options.data_dir.clone().map_or_else(default_data_dir, Ok)?;
    let dir = store::DataDir::new(root);
    let name = name_of(options, &collect::HostCollector::new()?)?;
    let database = store::SqliteOptions::new().retention(options.retention.clone());
    let schema = host_schema::schema();
    if writes {
        dir.create()?;
        // Made here, it would hide from the next start that it is gone.
        if kept::is_missing(&dir) {
            let why = "it is gone or empty, though there are models that were learned beside it; run `overseer analyze` \
                       first, which starts a fresh one";
            return Err(Error::unavailable(dir.database().display().to_string(), why));
        }
        return database.open(&dir.database(), &schema, &name);
    }
    database.open_read_only(&dir.database(), &schema, &name)
}

/// The name by which this host's history is kept.
fn name_of(options: &Options, collector: &collect::HostCollector) -> Result<String> {
    match options.host_name.as_deref().map(str::trim) {
        Some("") => Err(Error::invalid_parameter("host-name", "it is empty")),
        Some(name) => Ok(name.to_owned()),
        None => Ok(collector.host().name),
    }
}

/// What to say where a database holds the history of another host and next to none of this one: its name changed, mostly.
#[must_use]
pub fn other_history(store: &store::SqliteStore) -> Option<String> {
    let (host, other) = store.other_history().ok().flatten()?;
    Some(format!(
        "the database holds the history of the host `{other}` and next to none of `{host}`, as this one is called: if it is \
         the same host under a new name, go on with its history by `--host-name {other}`, OVERSEER_HOST_NAME={other} or \
         `host-name = \"{other}\"` in the configuration"
    ))
}

fn others_told(said: String) -> Notice {
    Notice::warning(Stage::Open, said)
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

/// Opens the database for reading, if there is one; nothing is touched, for it may be another process's.
fn read_only(
    options: &store::SqliteOptions,
    path: &Path,
    schema: &Schema,
    host: &str,
) -> Result<Option<store::SqliteStore>> {
    if !path.exists() {
        return Ok(None);
    }
    options.open_read_only(path, schema, host).map(Some)
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
