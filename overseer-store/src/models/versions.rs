//! What was saved under a name before: numbering, making room for the next, and looking at what there is.

use super::{ModelDirectory, SAVING, sync};
use crate::aside::with_suffix;
use crate::error::Context;
use overseer_core::{Error, Result, Timestamp};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelVersion {
    /// 0 is the newest; the higher, the older. Numbers may be left out.
    pub number: usize,
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written, as far as the file system knows.
    pub saved_at: Option<Timestamp>,
}

/// The files of one name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelFiles {
    /// Every version, newest first.
    pub versions: Vec<ModelVersion>,
    /// What could not be read once and was moved aside, by name.
    pub set_aside: Vec<PathBuf>,
}

impl ModelDirectory {
    /// Every model there is a file of, by name.
    ///
    /// # Errors
    /// If the directory exists and cannot be read.
    pub fn files(&self) -> Result<BTreeMap<String, ModelFiles>> {
        const DOING: &str = "looking which models there are";
        let mut all: BTreeMap<String, ModelFiles> = BTreeMap::new();
        let entries = match fs::read_dir(self.path()) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(all),
            entries => entries.at(self.path(), DOING)?,
        };
        for entry in entries {
            let entry = entry.at(self.path(), DOING)?;
            let file_name = entry.file_name();
            let Some((name, rest)) = file_name.to_str().and_then(split) else { continue };
            if self.file(name).is_err() {
                continue;
            }
            let files = all.entry(name.to_owned()).or_default();
            if rest.contains(".unreadable-") {
                files.set_aside.push(entry.path());
            } else if let Some(number) = number_of(rest) {
                let found = match fs::metadata(entry.path()) {
                    // Another process gave it another name meanwhile.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                    found => found.at(&entry.path(), DOING)?,
                };
                files.versions.push(ModelVersion {
                    number,
                    path: entry.path(),
                    bytes: found.len(),
                    saved_at: found.modified().ok().and_then(since_epoch),
                });
            }
        }
        for files in all.values_mut() {
            files.versions.sort_unstable_by_key(|v| v.number);
            files.set_aside.sort_unstable();
        }
        all.retain(|_, files| *files != ModelFiles::default());
        Ok(all)
    }

    /// Every version of a model, newest first.
    ///
    /// # Errors
    /// If the name is none of a model, or the directory exists and cannot be read.
    pub fn versions(&self, name: &str) -> Result<Vec<ModelVersion>> {
        self.file(name)?;
        Ok(self.files()?.remove(name).unwrap_or_default().versions)
    }

    /// Reads one version; `None` if there is none of this number.
    ///
    /// # Errors
    /// If the name is none of a model, or the file exists and cannot be read.
    pub fn load_version(&self, name: &str, number: usize) -> Result<Option<Vec<u8>>> {
        self.read(&numbered(&self.file(name)?, number))
    }

    /// Removes an older version for good.
    ///
    /// # Errors
    /// If it is the newest, there is none of this number, or it cannot be removed.
    pub fn remove(&mut self, name: &str, number: usize) -> Result<()> {
        const DOING: &str = "removing an older model";
        if number == 0 {
            return Err(Error::invalid_parameter("number", "the newest version is never removed"));
        }
        let path = numbered(&self.file(name)?, number);
        fs::remove_file(&path).and_then(|()| sync(self.path())).at(&path, DOING)
    }

    /// Removes the half-written files of killed processes, and says how many there were. To be called only by who
    /// holds the installation's lease, for nobody else saves models then.
    ///
    /// # Errors
    /// If the directory or one of them cannot be read or removed.
    pub fn remove_leftovers(&mut self) -> Result<usize> {
        const DOING: &str = "removing what a killed process left";
        let entries = match fs::read_dir(self.path()) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries.at(self.path(), DOING)?,
        };
        let mut removed = 0;
        for entry in entries {
            let path = entry.at(self.path(), DOING)?.path();
            let is_leftover = path
                .file_name()
                .and_then(|n| n.to_str())
                .is_some_and(|n| n.starts_with(SAVING.0) && n.ends_with(SAVING.1));
            if is_leftover {
                fs::remove_file(&path).at(&path, DOING)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Shifts what is there so that the newest version is the first of the older ones too, and may be replaced; `keep` of
/// them are left with the one to come.
///
/// At every moment the newest stays where it is, and no older version is under no name or under two but the oldest,
/// which gives way.
pub(super) fn make_room(directory: &Path, newest: &Path, keep: usize) -> io::Result<()> {
    let is_kept = |path: &Path| fs::symlink_metadata(path).is_ok_and(|m| !m.is_dir());
    let first = numbered(newest, 1);
    // They are the same where a process was killed before it could replace the newest.
    if keep < 2 || !is_kept(newest) || is_same(newest, &first) {
        return Ok(());
    }
    let last = (1..keep - 1).find(|&n| !is_kept(&numbered(newest, n))).unwrap_or(keep - 1);
    for n in (1..last).rev() {
        fs::rename(numbered(newest, n), numbered(newest, n + 1))?;
    }
    link(directory, newest, &first).or_else(|_| fs::rename(newest, &first))
}

/// Gives a file a second name, replacing what has that name. Some file systems cannot.
fn link(directory: &Path, from: &Path, to: &Path) -> io::Result<()> {
    let linked = tempfile::Builder::new()
        .prefix(SAVING.0)
        .suffix(SAVING.1)
        .make_in(directory, |path| fs::hard_link(from, path))?;
    linked.into_temp_path().persist(to).map_err(|e| e.error)
}

#[cfg(unix)]
fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| fs::symlink_metadata(path).ok().map(|m| (m.dev(), m.ino()));
    id(one).is_some_and(|one| Some(one) == id(other))
}

#[cfg(not(unix))]
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

fn numbered(newest: &Path, number: usize) -> PathBuf {
    if number == 0 { newest.to_owned() } else { with_suffix(newest, &format!(".{number}")) }
}

/// The model's name and what follows `.model` in a file's name.
fn split(file_name: &str) -> Option<(&str, &str)> {
    let at = file_name.rfind(".model")?;
    let (name, rest) = (&file_name[..at], &file_name[at + ".model".len()..]);
    (rest.is_empty() || rest.starts_with('.')).then_some((name, rest))
}

/// `` is 0 and `.7` is 7; whatever else is no version.
fn number_of(rest: &str) -> Option<usize> {
    if rest.is_empty() {
        return Some(0);
    }
    let digits = rest.strip_prefix('.')?;
    let number = digits.parse().ok()?;
    (number > 0 && digits == usize::to_string(&number)).then_some(number)
}

fn since_epoch(time: SystemTime) -> Option<Timestamp> {
    let passed = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(passed.as_millis()).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::ModelRepository;

    fn repository(keep: usize) -> (tempfile::TempDir, ModelDirectory) {
        let dir = tempfile::tempdir().unwrap();
        let models = ModelDirectory::new(dir.path().join("models")).keep(keep).unwrap();
        (dir, models)
    }

    fn kept(models: &ModelDirectory, name: &str) -> Vec<(usize, Vec<u8>)> {
        let versions = models.versions(name).unwrap();
        let read = |n: usize| models.load_version(name, n).unwrap().unwrap();
        versions.into_iter().map(|v| (v.number, read(v.number))).collect()
    }

    #[test]
    fn the_newest_versions_are_kept_and_the_oldest_gives_way() {
        for keep in 1..=4 {
            let (_dir, mut models) = repository(keep);
            for n in 1..=6_u8 {
                models.save("detector", &[n]).unwrap();
                models.save("detector.model", &[100 + n]).unwrap();
            }
            let newest: Vec<(usize, Vec<u8>)> =
                (0..keep).zip((1..=6_u8).rev()).map(|(k, n)| (k, vec![n])).collect();
            assert_eq!(kept(&models, "detector"), newest);
            assert_eq!(kept(&models, "detector.model").len(), keep);
            assert_eq!(fs::read_dir(models.path()).unwrap().count(), 2 * keep);
        }
        assert!(ModelDirectory::new("x").keep(0).unwrap_err().is_invalid_input());
    }

    #[test]
    fn keeping_fewer_removes_what_is_over_and_keeping_more_removes_nothing() {
        let (_dir, mut models) = repository(4);
        (1..=4_u8).for_each(|n| models.save("m", &[n]).unwrap());
        models = models.keep(2).unwrap();
        models.save("m", &[5]).unwrap();
        assert_eq!(kept(&models, "m"), [(0, vec![5]), (1, vec![4])]);
        models = models.keep(3).unwrap();
        models.save("m", &[6]).unwrap();
        assert_eq!(kept(&models, "m"), [(0, vec![6]), (1, vec![5]), (2, vec![4])]);
    }

    #[test]
    fn wherever_a_save_was_interrupted_the_next_goes_on_and_loses_no_version() {
        let (_dir, mut models) = repository(3);
        let path = |n| numbered(&models.path().join("m.model"), n);
        fs::create_dir_all(models.path()).unwrap();
        // Killed after the older versions moved on, and after the newest had its second name.
        for second_name in [false, true] {
            fs::write(path(0), [2]).unwrap();
            fs::write(path(2), [1]).unwrap();
            if second_name {
                fs::hard_link(path(0), path(1)).unwrap();
            }
            models.clone().save("m", &[3]).unwrap();
            assert_eq!(kept(&models, "m"), [(0, vec![3]), (1, vec![2]), (2, vec![1])]);
            (0..3).for_each(|n| fs::remove_file(path(n)).unwrap());
        }
        // Killed where no second name can be given and the newest was moved.
        fs::write(path(1), [2]).unwrap();
        fs::write(path(2), [1]).unwrap();
        assert_eq!(models.load("m").unwrap(), None);
        assert!(models.roll_back("m").unwrap());
        assert_eq!(kept(&models, "m"), [(0, vec![2]), (2, vec![1])]);
    }

    #[test]
    fn going_back_makes_the_newest_older_version_the_newest_and_only_where_there_is_none() {
        let (_dir, mut models) = repository(3);
        assert!(!models.roll_back("m").unwrap());
        (1..=3_u8).for_each(|n| models.save("m", &[n]).unwrap());
        assert!(!models.roll_back("m").unwrap(), "there is a newest");
        for n in (1..=2_u8).rev() {
            assert_eq!(models.load_older("m", 1).unwrap().unwrap(), [n]);
            let aside = models.set_aside("m").unwrap().unwrap();
            assert_eq!(fs::read(aside).unwrap(), [n + 1]);
            assert!(models.roll_back("m").unwrap());
            assert_eq!(models.load("m").unwrap().unwrap(), [n]);
        }
        models.set_aside("m").unwrap().unwrap();
        assert!(!models.roll_back("m").unwrap());
        let files = models.files().unwrap();
        assert_eq!((files["m"].versions.len(), files["m"].set_aside.len()), (0, 3));
    }

    #[test]
    fn what_is_no_version_is_none_and_older_ones_are_counted_over_gaps() {
        let (_dir, mut models) = repository(10);
        models.save("m", &[0]).unwrap();
        for other in ["m.model.01", "m.model.x", "m.model.0", "m.models", "m.model.", ".model", "m"]
        {
            fs::write(models.path().join(other), "").unwrap();
        }
        fs::write(models.path().join("m.model.4"), [4]).unwrap();
        assert_eq!(kept(&models, "m"), [(0, vec![0]), (4, vec![4])]);
        assert_eq!(models.files().unwrap().len(), 1);
        assert_eq!(models.load_older("m", 1).unwrap().unwrap(), [4]);
        assert_eq!(models.load_older("m", 2).unwrap(), None);
        assert_eq!(models.load_older("m", 0).unwrap(), None);
    }

    #[test]
    fn the_newest_is_never_removed_and_leftovers_are() {
        let (_dir, mut models) = repository(3);
        assert_eq!(models.remove_leftovers().unwrap(), 0);
        models.save("m", &[1]).unwrap();
        models.save("m", &[2]).unwrap();
        assert!(models.remove("m", 0).unwrap_err().is_invalid_input());
        models.remove("m", 1).unwrap();
        assert!(models.remove("m", 1).unwrap_err().is_unavailable());
        fs::write(models.path().join(".saving-abc.tmp"), "half").unwrap();
        fs::write(models.path().join(".saving-notes"), "somebody's").unwrap();
        assert_eq!(models.remove_leftovers().unwrap(), 1);
        assert_eq!(kept(&models, "m"), [(0, vec![2])]);
        assert!(models.path().join(".saving-notes").exists());
    }

    #[test]
    fn a_directory_in_the_way_of_an_older_version_does_not_stop_a_save() {
        let (_dir, mut models) = repository(2);
        models.save("m", &[1]).unwrap();
        fs::create_dir(models.path().join("m.model.1")).unwrap();
        models.save("m", &[2]).unwrap();
        assert_eq!(models.load("m").unwrap().unwrap(), [2]);
    }
}
