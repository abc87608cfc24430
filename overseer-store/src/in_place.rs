//! Whether a file that is open still has its name. A process goes on writing to a file that was removed or replaced, and
//! nothing tells it that nobody will ever find what it writes.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What tells a file from every other of its machine, where the system knows such a thing: device and inode.
type Identity = Option<(u64, u64)>;

/// A file as it was when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct InPlace {
    path: PathBuf,
    identity: Identity,
}

impl InPlace {
    /// Notes which file has this name now. A link is followed, as opening does.
    pub(crate) fn note(path: &Path) -> Self {
        let identity = fs::metadata(path).ok().and_then(|found| identity(&found));
        Self { path: path.to_owned(), identity }
    }

    /// What became of the file, to follow its name; nothing if it is still there. Where nobody may look, nothing is known
    /// to be wrong.
    pub(crate) fn lost(&self) -> Option<&'static str> {
        match fs::metadata(&self.path) {
            Ok(found) if identity(&found) == self.identity => None,
            Ok(_) => Some("was replaced by another file while it was in use"),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Some("was removed, or moved elsewhere, while it was in use")
            }
            Err(_) => None,
        }
    }
}

#[cfg(unix)]
fn identity(found: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_removed_or_replaced_is_lost_and_one_that_grows_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "a").unwrap();
        let noted = InPlace::note(&path);
        fs::write(&path, "more than before").unwrap();
        assert_eq!(noted.lost(), None);
        fs::write(dir.path().join("other"), "b").unwrap();
        fs::rename(dir.path().join("other"), &path).unwrap();
        assert!(noted.lost().unwrap().contains("replaced"));
        fs::remove_file(&path).unwrap();
        assert!(noted.lost().unwrap().contains("removed"));
        fs::remove_dir(dir.path()).unwrap();
        assert!(noted.lost().unwrap().contains("removed"));
    }
}
