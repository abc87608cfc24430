//! Where everything of one installation lies.

use crate::error::Context;
use crate::{Lease, LeaseOutcome};
use overseer_core::{Result, Timestamp};
use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

/// The directory of an installation: `overseer.db`, `models/` and `overseer.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Names the directory and touches nothing.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes the directory, its parents and `models/` where they are missing.
    ///
    /// On Unix what is newly made may be entered by its owner only, for samples and findings tell what a host is used
    /// for. Existing directories keep their permissions.
    ///
    /// # Errors
    /// Unavailable if a directory cannot be made.
    pub fn create(&self) -> Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        for directory in [self.root.clone(), self.models()] {
            builder.create(&directory).at(&directory, "making the data directory")?;
        }
        Ok(())
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("overseer.db")
    }

    /// The directory of model files.
    #[must_use]
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// The file that the one sampling process keeps locked.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join(Lease::FILE_NAME)
    }

    /// Tries to become the one process that samples this installation; see [`Lease::acquire`].
    ///
    /// # Errors
    /// As [`Lease::acquire`].
    pub fn lease(&self, now: Timestamp, purpose: &str) -> Result<LeaseOutcome> {
        Lease::acquire(&self.root, now, purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[cfg(unix)]
    #[test]
    fn a_new_directory_is_its_owners_alone_and_an_old_one_is_left_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::new(place.path().join("state/overseer"));
        dir.create().unwrap();
        assert_eq!((mode(dir.root()), mode(&dir.models())), (0o700, 0o700));

        fs::set_permissions(dir.root(), fs::Permissions::from_mode(0o755)).unwrap();
        dir.create().unwrap();
        assert_eq!(mode(dir.root()), 0o755);
    }

    #[test]
    fn a_file_in_the_way_is_reported_as_such() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("overseer");
        fs::write(&root, "not a directory").unwrap();
        let e = DataDir::new(&root).create().unwrap_err();
        assert!(e.is_unavailable());
        assert!(e.to_string().contains("a file stands where a directory should be"), "{e}");
        assert!(e.to_string().contains(root.to_str().unwrap()), "{e}");
    }
}
