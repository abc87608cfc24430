//! Model files that are written only while this process has the sampler's place, which it may get late, or lose.

use super::store::ModelDirectory;
use overseer_core::{Error, ModelRepository, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process has the sampler's place, for whoever has to know.
pub(super) type HasPlace = Arc<AtomicBool>;

/// A [`ModelDirectory`] that may be read at any time, and written while the place is held.
#[derive(Debug)]
pub(super) struct KeptModels {
    files: ModelDirectory,
    has_place: HasPlace,
}

impl KeptModels {
    pub(super) fn new(files: ModelDirectory, has_place: HasPlace) -> Self {
        Self { files, has_place }
    }

    fn may_write(&self) -> Result<()> {
        if self.has_place.load(Ordering::Relaxed) {
            return Ok(());
        }
        let why =
            "the data directory could not be taken into use yet, and another process may use it";
        Err(Error::unavailable("the directory of models", why))
    }
}

impl ModelRepository for KeptModels {
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.may_write()?;
        self.files.save(name, bytes)
    }

    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.files.load(name)
    }

    fn set_aside(&mut self, name: &str) -> Result<Option<PathBuf>> {
        self.may_write()?;
        self.files.set_aside(name)
    }

    fn load_older(&self, name: &str, back: usize) -> Result<Option<Vec<u8>>> {
        self.files.load_older(name, back)
    }

    fn roll_back(&mut self, name: &str) -> Result<bool> {
        self.may_write()?;
        self.files.roll_back(name)
    }
}
