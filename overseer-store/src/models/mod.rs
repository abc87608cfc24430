//! Model files in a directory: bytes by name, replaced whole or not at all, with the versions before the newest.

mod versions;

pub use versions::{ModelFiles, ModelVersion};

use crate::aside;
use crate::error::{Context, corrupt, unavailable};
use overseer_core::{Error, ModelRepository, Result};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// The largest model file that is read, in bytes: far above any real one, and far below a host's memory.
pub const MAX_MODEL_BYTES: u64 = 256 << 20;

/// The longest name; with its suffixes it stays below the 255 bytes that file systems allow.
const MAX_NAME_BYTES: usize = 128;

/// How many versions of a model may be kept.
const VERSIONS: RangeInclusive<usize> = 1..=1000;

/// What a file is called while it is written, around some random letters.
const SAVING: (&str, &str) = (".saving-", ".tmp");

/// A directory of files `<name>.model`, and of what was saved under a name before: `<name>.model.1`, `<name>.model.2`
/// and so on, the higher the older.
///
/// A save is written beside the old files and synced before any of them changes its name, and every change is a
/// rename, so that a crash at any moment leaves the old or the new file whole under its name.
#[derive(Debug, Clone)]
pub struct ModelDirectory {
    directory: PathBuf,
    max_bytes: u64,
    keep: usize,
}

impl ModelDirectory {
    /// How many versions of each model are kept unless told otherwise, the newest among them.
    pub const KEPT: usize = 3;

    /// Names the directory and touches nothing; the first save makes it if it is missing.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), max_bytes: MAX_MODEL_BYTES, keep: Self::KEPT }
    }

    /// Keeps the newest so many versions of each model, 1 to 1000.
    ///
    /// # Errors
    /// If the number is out of range.
    pub fn keep(mut self, versions: usize) -> Result<Self> {
        self.keep = Self::check_keep(versions)?;
        Ok(self)
    }

    /// Whether so many versions can be kept: the number itself.
    ///
    /// # Errors
    /// If it is not 1 to 1000.
    pub fn check_keep(versions: usize) -> Result<usize> {
        if VERSIONS.contains(&versions) {
            return Ok(versions);
        }
        let (least, most) = (VERSIONS.start(), VERSIONS.end());
        let why = format!("must be {least} to {most} versions, was {versions}");
        Err(Error::invalid_parameter("keep-models", why))
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Names begin with a letter, digit, `_` or `-`: one that began with a dot could be hidden or lead out of here.
    fn file(&self, name: &str) -> Result<PathBuf> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let valid = (1..=MAX_NAME_BYTES).contains(&name.len())
            && name.chars().all(fits)
            && !name.starts_with('.');
        if !valid {
            return Err(Error::invalid_parameter(
                "name",
                format!(
                    "must be 1 to {MAX_NAME_BYTES} letters, digits, `_`, `-` and `.`, and not \
                     begin with `.`, was `{}`",
                    name.escape_debug()
                ),
            ));
        }
        Ok(self.directory.join(format!("{name}.model")))
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        const DOING: &str = "reading a model";
        // Asked before opening, which would wait for ever at a pipe.
        match fs::metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e).at(path, DOING),
            Ok(found) if !found.is_file() => {
                return Err(unavailable(path, "it is not a regular file", DOING));
            }
            Ok(_) => {}
        }
        let mut bytes = Vec::new();
        // One byte past the limit tells a file at the limit from a larger one, even if it grows meanwhile.
        File::open(path)
            .and_then(|file| file.take(self.max_bytes + 1).read_to_end(&mut bytes))
            .at(path, DOING)?;
        if bytes.len() as u64 > self.max_bytes {
            let why = format!("it is larger than {} bytes, as no model is", self.max_bytes);
            return Err(corrupt(path, &why, DOING));
        }
        Ok(Some(bytes))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let new = write(&self.directory, bytes)?;
        if let Err(e) = versions::make_room(&self.directory, path, self.keep) {
            // The newest is worth more than those before it.
            tracing::warn!(path = %path.display(), "the version before is not kept: {e}");
        }
        new.persist(path).map_err(|e| e.error)?;
        sync(&self.directory)
    }

    /// Removes the versions that a smaller number than before leaves over.
    fn remove_beyond(&mut self, name: &str) -> Result<()> {
        for version in self.versions(name)? {
            if version.number >= self.keep {
                self.remove(name, version.number)?;
            }
        }
        Ok(())
    }
}

impl ModelRepository for ModelDirectory {
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name)?;
        self.replace(&path, bytes).at(&path, "saving a model")?;
        if let Err(e) = self.remove_beyond(name) {
            // The model is saved all the same.
            tracing::warn!("more versions than wanted are left: {e}");
        }
        Ok(())
    }

    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.read(&self.file(name)?)
    }

    fn set_aside(&mut self, name: &str) -> Result<Option<PathBuf>> {
        let path = self.file(name)?;
        match fs::symlink_metadata(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).at(&path, "setting a model aside"),
            Ok(_) => {
                let target = aside::move_file(&path)?;
                tracing::warn!(from = %path.display(), to = %target.display(), "model set aside");
                Ok(Some(target))
            }
        }
    }

    fn load_older(&self, name: &str, back: usize) -> Result<Option<Vec<u8>>> {
        let mut older = self.versions(name)?.into_iter().filter(|v| v.number > 0);
        match back.checked_sub(1).and_then(|at| older.nth(at)) {
            Some(version) => self.read(&version.path),
            None => Ok(None),
        }
    }

    fn roll_back(&mut self, name: &str) -> Result<bool> {
        const DOING: &str = "going back to an older model";
        let path = self.file(name)?;
        match fs::metadata(&path) {
            Ok(_) => return Ok(false),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e).at(&path, DOING),
        }
        let Some(older) = self.versions(name)?.into_iter().find(|v| v.number > 0) else {
            return Ok(false);
        };
        fs::rename(&older.path, &path).and_then(|()| sync(&self.directory)).at(&path, DOING)?;
        tracing::warn!(from = %older.path.display(), "went back to an older model");
        Ok(true)
    }
}

/// Writes a file that has no name to be found by yet.
fn write(directory: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    let mut file =
        tempfile::Builder::new().prefix(SAVING.0).suffix(SAVING.1).tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// Makes renames durable: they are only once their directory is.
fn sync(directory: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = directory;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> (tempfile::TempDir, ModelDirectory) {
        let dir = tempfile::tempdir().unwrap();
        let models = ModelDirectory::new(dir.path().join("models"));
        (dir, models)
    }

    #[test]
    fn a_saved_model_is_read_back_and_replaced_without_remains_but_the_version_before() {
        let (_dir, mut models) = repository();
        assert_eq!(models.load("detector").unwrap(), None);
        models.save("detector", b"first").unwrap();
        models.save("detector", b"second").unwrap();
        models.save("performance_score.v2", &[0; 100_000]).unwrap();
        assert_eq!(models.load("detector").unwrap().unwrap(), b"second");
        assert_eq!(models.load("performance_score.v2").unwrap().unwrap().len(), 100_000);
        assert_eq!(models.files().unwrap().len(), 2);
        assert_eq!(fs::read_dir(models.path()).unwrap().count(), 3, "the first is kept too");
    }

    #[test]
    fn names_that_could_lead_elsewhere_are_refused() {
        let (_dir, mut models) = repository();
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "a\0b", "é", ".hidden", "a b", &long] {
            assert!(models.save(name, b"").unwrap_err().is_invalid_input(), "{name:?}");
            assert!(models.load(name).unwrap_err().is_invalid_input(), "{name:?}");
            assert!(models.set_aside(name).unwrap_err().is_invalid_input(), "{name:?}");
        }
        assert!(!models.path().exists());
    }

    #[test]
    fn an_unreadable_model_is_moved_aside_with_its_bytes() {
        let (_dir, mut models) = repository();
        assert_eq!(models.set_aside("detector").unwrap(), None);
        for n in 1..=2_u8 {
            models.save("detector", &[n]).unwrap();
            let moved = models.set_aside("detector").unwrap().unwrap();
            assert_eq!(moved, models.path().join(format!("detector.model.unreadable-{n}")));
            assert_eq!(fs::read(moved).unwrap(), [n]);
            assert_eq!(models.load("detector").unwrap(), None);
        }
    }

    #[test]
    fn a_file_larger_than_any_model_is_corrupt_and_not_read_whole() {
        let (_dir, mut models) = repository();
        models.max_bytes = 10;
        models.save("fits", &[7; 10]).unwrap();
        models.save("too_large", &[7; 11]).unwrap();
        assert_eq!(models.load("fits").unwrap().unwrap().len(), 10);
        assert!(models.load("too_large").unwrap_err().is_corrupt());
    }

    #[test]
    fn a_failed_save_leaves_the_old_model_whole_and_says_where() {
        let (dir, mut models) = repository();
        let blocked = dir.path().join("models");
        fs::write(&blocked, "a file where the directory should be").unwrap();
        let e = models.save("detector", b"new").unwrap_err();
        assert!(e.is_unavailable() && e.to_string().contains("detector.model"), "{e}");
        assert_eq!(fs::read(&blocked).unwrap(), b"a file where the directory should be");

        fs::remove_file(&blocked).unwrap();
        fs::create_dir_all(blocked.join("detector.model/inside")).unwrap();
        assert!(models.save("detector", b"new").unwrap_err().is_unavailable());
        assert!(models.load("detector").unwrap_err().is_unavailable());
        assert_eq!(fs::read_dir(&blocked).unwrap().count(), 1, "a temporary file was left");
    }
}
