//! Loading the stored models: the newest that can be read, and what the store says of it held against what its file
//! says.

use crate::engine::Engine;
use crate::report::{Notice, Stage};
use crate::training::{DETECTOR, FORECASTER, Fitted};
use overseer_core::{Error, ModelMetadata, Result, Span, Timestamp};

/// A repository that goes on offering older models after so many could not be used is not asked again.
const MOST_TRIED: usize = 1000;

/// How a notice of a stored model ends whose place a new one takes: nothing that is learned from then on is lost.
pub(crate) const TRAINED_ANEW: &str = "a new one is trained";

/// What was found under a name.
struct Found<M: ?Sized> {
    model: Box<M>,
    bytes: usize,
    /// Why not the newest, in words; empty if it is.
    passed_over: String,
}

impl Engine {
    /// Loads the stored models; in place of an unreadable one the newest older one that can be read, else training will
    /// replace it.
    pub(crate) fn load_models(&mut self) {
        if self.parts.models.is_none() {
            return;
        }
        let recorded = self.recorded_models();
        let recorded = recorded.as_deref();
        let found = self.find_model(DETECTOR, recorded, |e, bytes| {
            e.parts.detector_trainer.load(bytes, &e.schema)
        });
        self.detector = found.map(|found| {
            let metadata = self.agreed(DETECTOR, found.model.metadata(), &found, recorded);
            Fitted::new(found.model, metadata)
        });
        self.recall_choice();
        let found =
            self.find_model(FORECASTER, recorded, |e, bytes| e.load_forecaster(bytes, &e.schema));
        self.forecaster = found.map(|found| {
            let metadata = self.agreed(FORECASTER, found.model.metadata(), &found, recorded);
            Fitted::new(found.model, metadata)
        });
        self.drop_models_of_another_step();
        if let Some(d) = &self.detector {
            let end = d.metadata.trained_on.1;
            self.since_training = self.history.iter().filter(|s| s.timestamp > end).count();
        }
    }

    /// What the store knows of the models; none where there is no store, or it cannot say.
    fn recorded_models(&mut self) -> Option<Vec<ModelMetadata>> {
        match self.parts.store.as_mut()?.model_metadata() {
            Ok(recorded) => Some(recorded),
            Err(e) => {
                self.note(Notice::warning(Stage::Store, e.to_string()));
                None
            }
        }
    }

    /// The newest model of a name that can be read.
    ///
    /// What cannot be is moved out of the way, and what was saved before it takes its place; but only the sampler does
    /// so: to a reader the files are somebody else's.
    fn find_model<M: ?Sized>(
        &mut self,
        name: &str,
        recorded: Option<&[ModelMetadata]>,
        read: impl Fn(&Self, &[u8]) -> Result<Box<M>>,
    ) -> Option<Found<M>> {
        let mut passed_over: Vec<String> = Vec::new();
        for back in 0..MOST_TRIED {
            let read = match self.stored(name, back) {
                Ok(Some(bytes)) => read(self, &bytes).map(|model| (model, bytes.len())),
                // A reader's newest may be gone, and older ones there.
                Ok(None) if back == 0 && self.role == crate::Role::Reader => continue,
                Ok(None) => break,
                // It is not one file but the directory that cannot be read: that is told once.
                Err(e) if passed_over.last().is_some_and(|last| *last == unusable(name, &e)) => {
                    break;
                }
                Err(e) => Err(e),
            };
            match read {
                Ok((model, bytes)) => {
                    return Some(Found { model, bytes, passed_over: passed_over.join("; ") });
                }
                Err(e) => {
                    passed_over.push(unusable(name, &e));
                    if self.role == crate::Role::Reader {
                        continue;
                    }
                    let (is_away, what) = self.put_aside(name);
                    passed_over.push(what);
                    if !is_away {
                        break;
                    }
                }
            }
        }
        let is_recorded = recorded.is_some_and(|all| all.iter().any(|m| m.name == name));
        if passed_over.is_empty() && is_recorded {
            passed_over.push(format!("the store knows a model `{name}` that has no file"));
        }
        if !passed_over.is_empty() {
            if self.role == crate::Role::Sampler {
                passed_over.push(TRAINED_ANEW.to_owned());
            }
            self.note(Notice::warning(Stage::Open, passed_over.join("; ")));
        }
        None
    }

    /// The bytes of the newest model, or of the one saved so many saves before. To the sampler the newest is what is
    /// left once what cannot be used is out of the way.
    fn stored(&mut self, name: &str, back: usize) -> Result<Option<Vec<u8>>> {
        let Some(models) = &mut self.parts.models else { return Ok(None) };
        if self.role == crate::Role::Reader && back > 0 {
            return models.load_older(name, back);
        }
        let newest = models.load(name)?;
        if newest.is_none() && self.role == crate::Role::Sampler && models.roll_back(name)? {
            return models.load(name);
        }
        Ok(newest)
    }

    /// Moves a model that cannot be used out of the way: whether it is, and what became of it.
    fn put_aside(&mut self, name: &str) -> (bool, String) {
        match self.parts.models.as_mut().map(|m| m.set_aside(name)) {
            Some(Ok(Some(path))) => (true, format!("it was moved to {}", path.display())),
            Some(Ok(None)) | None => (false, "it is gone".to_owned()),
            Some(Err(e)) => (false, format!("it could not be moved aside: {e}")),
        }
    }

    /// What is known of a model that was found. The file is the truth: where the store says otherwise, that is told and
    /// the store is corrected.
    fn agreed<M: ?Sized>(
        &mut self,
        name: &str,
        file: &ModelMetadata,
        found: &Found<M>,
        recorded: Option<&[ModelMetadata]>,
    ) -> ModelMetadata {
        let told = recorded.and_then(|all| all.iter().find(|m| m.name == name));
        let differences = told.map(|told| differences(told, file, found.bytes));
        if !found.passed_over.is_empty() {
            self.note_older(name, file, &found.passed_over);
        }
        if let (Some(told), Some([])) = (told, differences.as_deref()) {
            let mut metadata = told.clone();
            // A model that may hold less than when it was stored has given up some as it was loaded, and says so.
            metadata.quality.extend(file.quality.clone());
            if metadata != *told {
                self.describe_to_store(&metadata);
            }
            return metadata;
        }
        let metadata = self.told_by_file(name, file, found.bytes);
        let is_sampler = self.role == crate::Role::Sampler;
        match differences {
            // That the store describes the newer one goes without saying.
            _ if !found.passed_over.is_empty() => {}
            Some(differences) => {
                let then = if is_sampler { "; the store was corrected" } else { "" };
                let said = format!(
                    "the store does not describe the file of the model `{name}`: {}; the file is believed{then}",
                    differences.join(", ")
                );
                // Beside a sampler, which may be between the two just now, it need not mean anything.
                self.note(if is_sampler {
                    Notice::warning(Stage::Open, said)
                } else {
                    Notice::info(Stage::Open, said)
                });
            }
            None if recorded.is_some() => {
                let then = if is_sampler { " and was told what its file says" } else { "" };
                self.note(Notice::info(
                    Stage::Open,
                    format!("the store did not know of the model `{name}`{then}"),
                ));
            }
            None => {}
        }
        if recorded.is_some() {
            self.describe_to_store(&metadata);
        }
        metadata
    }

    /// Has the store describe a model so, unless it is somebody else's.
    fn describe_to_store(&mut self, metadata: &ModelMetadata) {
        if self.role == crate::Role::Sampler
            && let Some(store) = &mut self.parts.store
            && let Err(e) = store.put_model_metadata(metadata)
        {
            self.note(Notice::warning(Stage::Store, e.to_string()));
        }
    }

    /// Says that an older model is in use, and from when it is.
    fn note_older(&mut self, name: &str, file: &ModelMetadata, why: &str) {
        let end = file.trained_on.1;
        let newest = [&self.history, &self.fast].into_iter().filter_map(|h| h.last());
        let until = match newest.map(|s| s.timestamp).max() {
            Some(newest) if newest > end => {
                format!(", until {} before the newest sample", newest.since(end))
            }
            Some(_) => ", until the newest sample".to_owned(),
            None => String::new(),
        };
        self.note(Notice::warning(
            Stage::Open,
            format!(
                "{why}; the `{name}` that was saved before it is used, which learned from {} samples{until}",
                file.rows
            ),
        ));
    }

    /// As much of the metadata as the file itself tells.
    fn told_by_file(&self, name: &str, file: &ModelMetadata, bytes: usize) -> ModelMetadata {
        let mut metadata = file.clone();
        name.clone_into(&mut metadata.name);
        metadata.bytes = bytes;
        metadata.trained_at = metadata.trained_on.1;
        metadata.duration_ms = f64::NAN;
        if name == FORECASTER {
            // How it was chosen only the store knows.
            metadata.selection.clone_from(&self.selection);
        }
        // A median time difference may be off by some milliseconds; the nearer interval is meant.
        let distance = |s: Span| (s.as_millis() - file.interval_ms).abs();
        metadata.provisional = distance(self.config.fast_interval) < distance(self.config.step);
        let meant = if metadata.provisional { self.config.fast_interval } else { self.config.step };
        if distance(meant) * 4 < meant.as_millis() {
            metadata.interval_ms = meant.as_millis();
        }
        metadata
    }

    /// A model is of use only at the step or, provisionally, at the fast interval.
    fn drop_models_of_another_step(&mut self) {
        let fits = |m: &ModelMetadata| {
            m.interval_ms == self.config.step.as_millis()
                || m.interval_ms == self.config.fast_interval.as_millis()
        };
        if self.detector.as_ref().is_some_and(|d| !fits(&d.metadata)) {
            self.detector = None;
        }
        if self.forecaster.as_ref().is_some_and(|f| !fits(&f.metadata)) {
            self.forecaster = None;
        }
    }
}

fn unusable(name: &str, why: &Error) -> String {
    format!("the stored model `{name}` cannot be used ({why})")
}

/// Where what the store says of a model is not what its file, of so many bytes, says.
pub(crate) fn differences(
    recorded: &ModelMetadata,
    file: &ModelMetadata,
    bytes: usize,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, recorded: String, file: String| {
        if recorded != file {
            found.push(format!("{what} {recorded} in the store and {file} in the file"));
        }
    };
    let time = |t: Timestamp| t.as_millis().to_string();
    let schema = |m: &ModelMetadata| format!("{:016x}", m.schema_fingerprint);
    compare("kind", recorded.kind.to_string(), file.kind.to_string());
    compare("rows", recorded.rows.to_string(), file.rows.to_string());
    compare("first row", time(recorded.trained_on.0), time(file.trained_on.0));
    compare("last row", time(recorded.trained_on.1), time(file.trained_on.1));
    compare("schema", schema(recorded), schema(file));
    compare("bytes", recorded.bytes.to_string(), bytes.to_string());
    found
}
