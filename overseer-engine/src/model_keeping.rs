//! Models that are saved, and saved later where that is not possible now.

use crate::engine::Engine;
use crate::report::{Notice, Stage};
use overseer_core::{Error, ModelMetadata, Span, Timestamp};

/// How long what could not be saved waits before it is tried again.
const TRY_EVERY: Span = Span::from_secs(30);

/// A model that could not be saved, or what is known of one whose file is there.
#[derive(Debug)]
pub(crate) struct UnsavedModel {
    metadata: ModelMetadata,
    /// Its file's content, unless that is saved.
    bytes: Option<Vec<u8>>,
    tried: Timestamp,
}

impl Engine {
    /// Writes the model file and after it the metadata. What cannot be written now is kept and tried again, until a newer
    /// model of the same name takes its place.
    pub(crate) fn save_model(&mut self, metadata: &ModelMetadata, bytes: &[u8], now: Timestamp) {
        self.unsaved_models.retain(|waiting| waiting.metadata.name != metadata.name);
        let bytes = self.parts.models.is_some().then(|| bytes.to_vec());
        let mut model = UnsavedModel { metadata: metadata.clone(), bytes, tried: now };
        if let Err((stage, e)) = self.try_to_save(&mut model) {
            self.note(Notice::warning(
                stage,
                format!("{e}; the model is in use and will be saved when that is possible again"),
            ));
            self.unsaved_models.push(model);
        }
    }

    /// Tries what could not be saved before, if it is time to.
    pub(crate) fn save_waiting_models(&mut self, now: Timestamp) {
        let is_due = |m: &UnsavedModel| now < m.tried || now.since(m.tried) >= TRY_EVERY;
        if self.unsaved_models.iter().any(is_due) {
            self.save_all_waiting(now);
        }
    }

    /// Tries what could not be saved a last time, and notes what still cannot.
    pub(crate) fn save_models_at_the_end(&mut self) {
        let Some(tried) = self.unsaved_models.first().map(|model| model.tried) else { return };
        self.save_all_waiting(tried);
        let left: Vec<String> =
            self.unsaved_models.iter().map(|m| format!("`{}`", m.metadata.name)).collect();
        if !left.is_empty() {
            let text = format!("the newest models were not saved: {}", left.join(", "));
            self.note(Notice::warning(Stage::Train, text));
        }
    }

    fn save_all_waiting(&mut self, now: Timestamp) {
        for mut model in std::mem::take(&mut self.unsaved_models) {
            model.tried = now;
            match self.try_to_save(&mut model) {
                Ok(()) => self.note(Notice::info(
                    Stage::Train,
                    format!("the model `{}`, which waited, is saved", model.metadata.name),
                )),
                Err((_, e)) => {
                    tracing::debug!(model = model.metadata.name, "still not saved: {e}");
                    self.unsaved_models.push(model);
                }
            }
        }
    }

    fn try_to_save(&mut self, model: &mut UnsavedModel) -> Result<(), (Stage, Error)> {
        if let (Some(models), Some(bytes)) = (&mut self.parts.models, &model.bytes) {
            // Until it is there, the store goes on describing the file that is.
            models.save(&model.metadata.name, bytes).map_err(|e| (Stage::Train, e))?;
            model.bytes = None;
        }
        match &mut self.parts.store {
            Some(store) => store.put_model_metadata(&model.metadata).map_err(|e| (Stage::Store, e)),
            None => Ok(()),
        }
    }
}
