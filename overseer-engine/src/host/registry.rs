//! The model registry: what is stored under which name, whether all of it can be read, and whether the database says
//! the same.

use super::{
    Options, default_data_dir, detector_trainer, forecaster_trainer, now, open_store, store,
};
use crate::stored_models::differences;
use crate::training::{DETECTOR, FORECASTER};
use overseer_core::{
    DetectorTrainer, Error, ForecasterTrainer, ModelKind, ModelMetadata, Result, Schema, Store,
    Timestamp, host as host_schema,
};
use overseer_models::file::inspect;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// A sampler writes a model's file and then what is known of it: what looks wrong between the two is right so much
/// later.
const BETWEEN: Duration = Duration::from_millis(300);

/// How it stands with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelState {
    /// Every version can be read, and the database describes the newest.
    Sound,
    /// Every version can be read, and the database says something else, or nothing.
    Disagrees,
    /// The newest can be read, an older one cannot.
    OlderUnreadable,
    /// The newest cannot be read and gives way to an older one at the next start.
    FallsBack,
    /// No version can be read: it is trained anew at the next start.
    Unreadable,
}

impl ModelState {
    /// The state in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Disagrees => "disagrees with the database",
            Self::OlderUnreadable => "an older version is unreadable",
            Self::FallsBack => "falls back to an older version",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Everything that is stored of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredModel {
    /// The name it is stored under.
    pub name: String,
    /// How it stands with it.
    pub state: ModelState,
    /// Its files, newest first.
    pub versions: Vec<StoredVersion>,
    /// What the database says of it; `null` if it says nothing.
    pub recorded: Option<ModelMetadata>,
    /// Where that is not what the newest readable file says.
    pub disagreements: Vec<String>,
    /// Files of it that could not be read once and were moved aside.
    pub set_aside: Vec<PathBuf>,
}

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredVersion {
    /// 0 is the newest; the higher, the older.
    pub number: usize,
    /// Where it is.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was written, as far as the file system knows.
    pub saved_at: Option<Timestamp>,
    /// What the file says of its model, where not even its container is damaged: also of one of another schema or
    /// release. Its `trained_at` is the time of the last row it saw, and how long training took it does not tell.
    pub metadata: Option<ModelMetadata>,
    /// Why it cannot be used; `null` if it can.
    pub problem: Option<String>,
}

impl StoredModel {
    /// The newest version that can be used, which is what the next start uses.
    #[must_use]
    pub fn usable(&self) -> Option<&StoredVersion> {
        self.versions.iter().find(|v| v.problem.is_none())
    }

    /// What is known of the model: as the database says where the file agrees, else as the file says.
    #[must_use]
    pub fn metadata(&self) -> Option<&ModelMetadata> {
        let file = self.usable().and_then(|v| v.metadata.as_ref());
        self.recorded.as_ref().filter(|_| self.disagreements.is_empty()).or(file)
    }
}

/// What was removed of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pruned {
    /// The model's name.
    pub name: String,
    /// How many versions are left.
    pub kept: usize,
    /// The older ones that were removed, newest first.
    pub removed: Vec<StoredVersion>,
}

/// Reads every version of every model entirely and compares it with the database; by name. Changes nothing.
///
/// # Errors
/// If the directory of models exists and cannot be read.
pub fn stored_models(options: &Options) -> Result<Vec<StoredModel>> {
    let found = look(options)?;
    if found.iter().all(|model| model.state == ModelState::Sound) {
        return Ok(found);
    }
    std::thread::sleep(BETWEEN);
    look(options)
}

/// Removes the older versions of every model but the newest `keep` in all, 1 to 1000. The newest stays in any case, and
/// so does the newest that can be read.
///
/// # Errors
/// If another process samples this host, for it saves models; if there is no installation, or a file cannot be removed.
pub fn prune_models(options: &Options, keep: usize) -> Result<Vec<Pruned>> {
    let keep = store::ModelDirectory::check_keep(keep)?;
    let root = options.data_dir.clone().map_or_else(default_data_dir, Ok)?;
    let dir = store::DataDir::new(&root);
    if !root.is_dir() {
        return Err(Error::unavailable(root.display().to_string(), "nothing is stored there"));
    }
    let _lease = match dir.lease(now(), &options.purpose)? {
        store::LeaseOutcome::Held(lease) => lease,
        store::LeaseOutcome::Busy { holder } => {
            return Err(Error::unavailable(
                "the model directory",
                format!("{holder} samples this host and keeps the models in order itself"),
            ));
        }
    };
    let mut models = store::ModelDirectory::new(dir.models());
    models.remove_leftovers()?;
    let readers = Readers::new()?;
    let mut pruned = Vec::new();
    for (name, files) in models.files()? {
        let versions = files.versions.iter().map(|v| readers.read(&models, &name, v));
        let versions: Vec<StoredVersion> = versions.collect();
        let usable = versions.iter().position(|v| v.problem.is_none());
        let mut at = 0..;
        let (kept, over): (Vec<_>, Vec<_>) = versions
            .into_iter()
            .partition(|_| at.next().is_some_and(|at| at < keep || Some(at) == usable));
        let mut done = Pruned { name, kept: kept.len(), removed: Vec::new() };
        for version in over {
            if version.number > 0 {
                models.remove(&done.name, version.number)?;
                done.removed.push(version);
            }
        }
        pruned.push(done);
    }
    Ok(pruned)
}

fn look(options: &Options) -> Result<Vec<StoredModel>> {
    let root = options.data_dir.clone().map_or_else(default_data_dir, Ok)?;
    let dir = store::DataDir::new(root);
    let models = store::ModelDirectory::new(dir.models());
    let recorded = if dir.database().exists() {
        open_store(options, false).and_then(|mut database| database.model_metadata())
    } else {
        Err(Error::unavailable("the database", "there is none"))
    };
    let mut files = models.files()?;
    for name in recorded.iter().flatten().map(|m| &m.name) {
        files.entry(name.clone()).or_default();
    }
    let readers = Readers::new()?;
    let model = |(name, files): (String, store::ModelFiles)| {
        let versions: Vec<StoredVersion> =
            files.versions.iter().map(|v| readers.read(&models, &name, v)).collect();
        let mut model = StoredModel {
            state: ModelState::Sound,
            versions,
            recorded: None,
            disagreements: Vec::new(),
            set_aside: files.set_aside,
            name,
        };
        match &recorded {
            Err(e) => model.disagreements.push(e.to_string()),
            Ok(all) => {
                model.recorded = all.iter().find(|m| m.name == model.name).cloned();
                model.disagreements = disagreements(&model);
            }
        }
        model.state = state(&model);
        model
    };
    Ok(files
        .into_iter()
        // What was only set aside is no model any more.
        .filter(|(name, files)| {
            !files.versions.is_empty() || recorded.iter().flatten().any(|m| m.name == *name)
        })
        .map(model)
        .collect())
}

fn disagreements(model: &StoredModel) -> Vec<String> {
    let file = model.usable().and_then(|v| Some((v.metadata.as_ref()?, v.bytes)));
    match (&model.recorded, file) {
        (Some(recorded), Some((file, bytes))) => {
            differences(recorded, file, usize::try_from(bytes).unwrap_or(usize::MAX))
        }
        (Some(_), None) => vec!["the store knows it, and no file of it can be read".to_owned()],
        (None, _) => vec!["the store does not know it".to_owned()],
    }
}

fn state(model: &StoredModel) -> ModelState {
    let is_usable = |v: &StoredVersion| v.problem.is_none();
    match model.versions.as_slice() {
        [newest, older @ ..] if is_usable(newest) && newest.number == 0 => {
            if !older.iter().all(is_usable) {
                ModelState::OlderUnreadable
            } else if model.disagreements.is_empty() {
                ModelState::Sound
            } else {
                ModelState::Disagrees
            }
        }
        versions if versions.iter().any(is_usable) => ModelState::FallsBack,
        _ => ModelState::Unreadable,
    }
}

/// Reads model files as a start does.
struct Readers {
    schema: Schema,
    detector: overseer_models::detector::ForestDetectorTrainer,
    forecaster: overseer_models::forecaster::ForestForecasterTrainer,
}

impl Readers {
    fn new() -> Result<Self> {
        Ok(Self {
            schema: host_schema::schema(),
            detector: detector_trainer()?,
            forecaster: forecaster_trainer()?,
        })
    }

    fn read(
        &self,
        models: &store::ModelDirectory,
        name: &str,
        version: &store::ModelVersion,
    ) -> StoredVersion {
        let mut read = StoredVersion {
            number: version.number,
            file: version.path.clone(),
            bytes: version.bytes,
            saved_at: version.saved_at,
            metadata: None,
            problem: None,
        };
        let missing = || Error::unavailable(version.path.display().to_string(), "it is gone");
        let bytes =
            models.load_version(name, version.number).and_then(|bytes| bytes.ok_or_else(missing));
        match bytes.and_then(|bytes| self.metadata(name, &bytes, &mut read)) {
            Ok(metadata) => read.metadata = Some(metadata),
            Err(e) => read.problem = Some(e.to_string()),
        }
        if let Some(metadata) = &mut read.metadata {
            // What a file cannot say of itself.
            metadata.bytes = usize::try_from(read.bytes).unwrap_or(usize::MAX);
            metadata.duration_ms = f64::NAN;
        }
        read
    }

    /// What a model says of itself once all of it was read, and on the way what its container says.
    fn metadata(
        &self,
        name: &str,
        bytes: &[u8],
        read: &mut StoredVersion,
    ) -> Result<ModelMetadata> {
        read.bytes = bytes.len() as u64;
        let container = inspect(bytes)?.metadata;
        let kind = match name {
            DETECTOR => ModelKind::Detector,
            FORECASTER => ModelKind::Forecaster,
            _ => container.kind,
        };
        read.metadata = Some(container);
        match kind {
            ModelKind::Detector => Ok(self.detector.load(bytes, &self.schema)?.metadata().clone()),
            ModelKind::Forecaster => {
                Ok(self.forecaster.load(bytes, &self.schema)?.metadata().clone())
            }
            _ => Err(Error::unsupported("a model of this kind")),
        }
    }
}
