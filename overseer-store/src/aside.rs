//! Moving what cannot be read out of the way without deleting or overwriting anything.

use crate::error::{Context, unavailable};
use overseer_core::Result;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// More unreadable files than this beside one another mean that setting aside helps nobody.
const MAX_SET_ASIDE: u32 = 10_000;

/// What SQLite keeps beside a database. The rollback journal must go too, or it would be played into the fresh one.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// `path` with `suffix` appended to its last part.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Moves a file to `<file>.unreadable-<n>` beside it, with the lowest `n` that is free, and says where to.
pub(crate) fn move_file(path: &Path) -> Result<PathBuf> {
    let target = reserve(path)?;
    // The name is ours since `reserve`, so that nothing of value is replaced.
    let moved = fs::rename(path, &target);
    if moved.is_err() {
        let _ = fs::remove_file(&target);
    }
    moved.at(path, "setting it aside")?;
    Ok(target)
}

/// Moves a database and what belongs to it; the companions keep their suffixes so that a recovery tool finds them.
///
/// The database goes last: were this interrupted, what is left is set aside at the next start.
pub(crate) fn move_database(path: &Path) -> Result<PathBuf> {
    // A link is followed, for the companions lie beside what it points to.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let target = reserve(&path)?;
    let moved = move_all(&path, &target);
    if moved.is_err() && fs::metadata(&target).is_ok_and(|m| m.len() == 0) {
        let _ = fs::remove_file(&target);
    }
    moved.at(&path, "setting it aside")?;
    Ok(target)
}

/// Moves the write-ahead log of a database out of its way, and the index of it; says where the log lies now.
pub(crate) fn move_log(path: &Path) -> Result<PathBuf> {
    // A link is followed, for the log lies beside what it points to.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // The index first: were this interrupted, it is made anew from the log.
    let index = with_suffix(&path, "-shm");
    if index.exists() {
        move_file(&index)?;
    }
    move_file(&with_suffix(&path, "-wal"))
}

fn move_all(path: &Path, target: &Path) -> io::Result<()> {
    for suffix in COMPANIONS {
        rename_if_there(&with_suffix(path, suffix), &with_suffix(target, suffix))?;
    }
    rename_if_there(path, target)
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Claims a free name by creating an empty file of it, so that two processes never choose the same one.
fn reserve(path: &Path) -> Result<PathBuf> {
    const DOING: &str = "looking for a name to set it aside under";
    for n in 1..=MAX_SET_ASIDE {
        let target = with_suffix(path, &format!(".unreadable-{n}"));
        let taken = COMPANIONS.iter().any(|s| with_suffix(&target, s).exists());
        if taken {
            continue;
        }
        match OpenOptions::new().write(true).create_new(true).open(&target) {
            Ok(_) => return Ok(target),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e).at(path, DOING),
        }
    }
    Err(unavailable(path, "there are too many unreadable files beside it", DOING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_set_aside_keeps_its_bytes_under_a_name_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        for n in 1..=3 {
            fs::write(&path, format!("content {n}")).unwrap();
            fs::write(with_suffix(&path, "-wal"), format!("wal {n}")).unwrap();
            let target = move_database(&path).unwrap();
            assert_eq!(
                target,
                dir.path().canonicalize().unwrap().join(format!("a.db.unreadable-{n}"))
            );
        }
        assert_eq!(fs::read(dir.path().join("a.db.unreadable-2")).unwrap(), b"content 2");
        assert_eq!(fs::read(dir.path().join("a.db.unreadable-2-wal")).unwrap(), b"wal 2");
        assert!(!path.exists() && !with_suffix(&path, "-wal").exists());
    }

    #[test]
    fn a_file_that_is_not_there_leaves_no_reservation_behind() {
        let dir = tempfile::tempdir().unwrap();
        assert!(move_file(&dir.path().join("a.model")).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
