//! What could be cleaned up on a disk: caches and logs in well-known places, with their sizes. Nothing is removed.

use overseer_core::{Error, Reclaimable, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where caches and logs lie, under the root.
const PLACES: [&str; 4] = ["var/cache", "var/log", "var/tmp", "var/crash"];
/// And under the home directory.
const HOME: [&str; 1] = [".cache"];
/// Entries that are looked at, over all places.
const ENTRIES: usize = 50_000;
/// Less is not worth a person's time.
const WORTH: u64 = 10 << 20;
/// What is listed at most.
const LISTED: usize = 8;

/// The largest entries of the well-known places that lie on the file system of `mount`.
pub(super) fn candidates(
    root: &Path,
    home: Option<&Path>,
    mount: &Path,
) -> Result<Vec<Reclaimable>> {
    let inside = root.join(mount.strip_prefix("/").unwrap_or(mount));
    let device = std::fs::metadata(&inside)
        .map_err(|e| Error::other(format!("looking at {}", inside.display()), e))?
        .dev();
    let mut places: Vec<PathBuf> = PLACES.iter().map(|p| root.join(p)).collect();
    places.extend(home.into_iter().flat_map(|h| HOME.iter().map(|p| h.join(p))));
    let mut left = ENTRIES;
    let mut found = Vec::new();
    for place in places {
        for entry in std::fs::read_dir(&place).into_iter().flatten().flatten() {
            let (bytes, at_least) = size(&entry.path(), device, &mut left);
            if bytes >= WORTH {
                found.push(Reclaimable::new(entry.path().display().to_string(), bytes, at_least));
            }
            if left == 0 {
                break;
            }
        }
    }
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    found.truncate(LISTED);
    Ok(found)
}

/// Bytes on disk of everything at or below a path on this device, and whether the look ended at its bound. Links are
/// not followed.
fn size(path: &Path, device: u64, left: &mut usize) -> (u64, bool) {
    let mut bytes = 0_u64;
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        if *left == 0 {
            return (bytes, true);
        }
        *left -= 1;
        let Ok(about) = std::fs::symlink_metadata(&path) else { continue };
        if about.dev() != device {
            continue;
        }
        bytes = bytes.saturating_add(about.blocks().saturating_mul(512));
        if about.is_dir() {
            // A directory of millions of entries is read as far as the bound goes.
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            waiting.extend(entries.take(*left + 1).map(|e| e.path()));
        }
    }
    (bytes, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_come_first_the_small_are_left_out_and_nothing_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, megabytes: usize| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![1_u8; megabytes << 20]).unwrap();
        };
        put("var/cache/apt/archives/a.deb", 12);
        put("var/cache/apt/archives/b.deb", 12);
        put("var/log/journal/x", 15);
        put("var/log/small", 1);
        put("home/.cache/pip/wheel", 20);
        put("srv/data", 40);
        std::os::unix::fs::symlink(dir.path().join("srv"), dir.path().join("var/cache/link"))
            .unwrap();
        let home = dir.path().join("home");
        let found = candidates(dir.path(), Some(&home), Path::new("/")).unwrap();
        let names: Vec<&str> = found.iter().map(|f| f.path.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["apt", "pip", "journal"], "{found:?}");
        assert!(found[0].bytes >= 24 << 20 && !found[0].at_least);
        assert!(dir.path().join("var/cache/apt/archives/a.deb").exists());
        assert!(candidates(dir.path(), None, Path::new("/missing")).is_err());
    }

    #[test]
    fn a_look_ends_at_its_bound_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        for i in 0..20 {
            std::fs::write(dir.path().join(i.to_string()), b"x").unwrap();
        }
        let device = std::fs::metadata(dir.path()).unwrap().dev();
        let mut left = 10;
        assert!(size(dir.path(), device, &mut left).1);
        assert_eq!(left, 0);
    }
}
