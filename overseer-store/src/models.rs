//! Model files in a directory: bytes by name, replaced whole or not at all.

use crate::aside;
use crate::error::{Context, corrupt, unavailable};
use overseer_core::{Error, ModelRepository, Result};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The largest model file that is read, in bytes: far above any real one, and far below a host's memory.
pub const MAX_MODEL_BYTES: u64 = 256 << 20;

/// The longest name; with its suffixes it stays below the 255 bytes that file systems allow.
const MAX_NAME_BYTES: usize = 128;

/// A directory of files `<name>.model`.
///
/// A save is written beside the old file, synced and renamed over it, so that a crash at any moment leaves the old or
/// the new file whole.
#[derive(Debug, Clone)]
pub struct ModelDirectory {
    directory: PathBuf,
    max_bytes: u64,
}

impl ModelDirectory {
    /// Names the directory and touches nothing; the first save makes it if it is missing.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), max_bytes: MAX_MODEL_BYTES }
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
}

impl ModelRepository for ModelDirectory {
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name)?;
        replace(&self.directory, &path, bytes).at(&path, "saving a model")
    }

    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        const DOING: &str = "reading a model";
        let path = self.file(name)?;
        // Asked before opening, which would wait for ever at a pipe.
        match fs::metadata(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e).at(&path, DOING),
            Ok(found) if !found.is_file() => {
                return Err(unavailable(&path, "it is not a regular file", DOING));
            }
            Ok(_) => {}
        }
        let mut bytes = Vec::new();
        // One byte past the limit tells a file at the limit from a larger one, even if it grows meanwhile.
        File::open(&path)
            .and_then(|file| file.take(self.max_bytes + 1).read_to_end(&mut bytes))
            .at(&path, DOING)?;
        if bytes.len() as u64 > self.max_bytes {
            let why = format!("it is larger than {} bytes, as no model is", self.max_bytes);
            return Err(corrupt(&path, &why, DOING));
        }
        Ok(Some(bytes))
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
}

fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut file =
        tempfile::Builder::new().prefix(".saving-").suffix(".tmp").tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    // The rename itself is durable only once its directory is.
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
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
    fn a_saved_model_is_read_back_and_replaced_without_remains() {
        let (_dir, mut models) = repository();
        assert_eq!(models.load("detector").unwrap(), None);
        models.save("detector", b"first").unwrap();
        models.save("detector", b"second").unwrap();
        models.save("performance_score.v2", &[0; 100_000]).unwrap();
        assert_eq!(models.load("detector").unwrap().unwrap(), b"second");
        assert_eq!(models.load("performance_score.v2").unwrap().unwrap().len(), 100_000);
        assert_eq!(fs::read_dir(models.path()).unwrap().count(), 2);
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
