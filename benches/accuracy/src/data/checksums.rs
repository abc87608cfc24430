//! Whether the files are those that the published figures were measured on.

use super::{DataFile, Entry};
use overseer_engine::core::{Error, Result};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// `sha256sum` of each file of the development split.
const LIST: &str = include_str!("../../checksums.sha256");

/// How files compare with the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// How many are as listed.
    pub same: usize,
    /// How many there are.
    pub of: usize,
    /// One line for each file that differs, and one for those of a corpus that are not listed.
    pub warnings: Vec<String>,
}

/// What the list says, by the names it gives files.
fn listed() -> BTreeMap<&'static str, &'static str> {
    LIST.lines().filter_map(|line| line.split_once("  ")).map(|(sum, key)| (key, sum)).collect()
}

/// Whether a series belongs to the development split: its files are listed.
pub(super) fn is_development(corpus: &str, name: &str) -> bool {
    let listed = listed();
    listed.contains_key(format!("{corpus}/{name}").as_str())
        || listed.contains_key(format!("mts/{corpus}/{name}.test.csv.gz").as_str())
}

/// Compares the files of these series with the list.
///
/// # Errors
/// If one cannot be read.
pub fn check(entries: &[Entry]) -> Result<Checked> {
    let listed = listed();
    let files: BTreeSet<(&str, &DataFile)> =
        entries.iter().flat_map(|e| e.files().map(|f| (e.corpus.as_str(), f))).collect();
    let sums: Vec<_> = files
        .into_par_iter()
        .map(|(corpus, file)| Ok((corpus, file, sha256(&file.path)?)))
        .collect::<Result<_>>()?;
    let mut checked = Checked { same: 0, of: sums.len(), warnings: Vec::new() };
    let mut unlisted: BTreeMap<&str, Vec<&DataFile>> = BTreeMap::new();
    for (corpus, file, sum) in sums {
        match listed.get(file.key.as_str()) {
            Some(expected) if *expected == sum => checked.same += 1,
            Some(_) => checked.warnings.push(format!(
                "{} is not the file that the published figures were measured on: its sha256 is {sum}",
                file.path.display()
            )),
            None => unlisted.entry(corpus).or_default().push(file),
        }
    }
    for (corpus, files) in unlisted {
        if let Some(first) = files.first() {
            checked.warnings.push(format!(
                "not in checksums.sha256, so that nothing says which version they are: {} of the files of {corpus}, the \
                 first {}",
                files.len(),
                first.path.display()
            ));
        }
    }
    Ok(checked)
}

fn sha256(path: &Path) -> Result<String> {
    let wrong = |e| Error::other(format!("reading {}", path.display()), e);
    let mut file = File::open(path).map_err(wrong)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block).map_err(wrong)? {
            0 => return Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect()),
            n => hash.update(&block[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Parts, Span};

    fn entry(dir: &Path, names: [&str; 3]) -> Entry {
        let file = |name: &str| {
            std::fs::write(dir.join(name), "").unwrap();
            DataFile { path: dir.join(name), key: format!("mts/smd/{name}") }
        };
        let [train, test, labels] = names.map(file);
        let parts = Parts::Labels { train, test, labels, step: Span::from_secs(60) };
        Entry { corpus: "smd".to_owned(), name: "machine-1-6".to_owned(), parts }
    }

    #[test]
    fn the_list_names_each_file_once_with_a_sum() {
        let listed = listed();
        assert_eq!(listed.len(), LIST.lines().count());
        let is_sum = |s: &str| s.len() == 64 && s.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(listed.values().all(|s| is_sum(s)));
        assert!(is_development("smd", "machine-1-6") && !is_development("smd", "machine-1-1"));
        assert!(is_development("nab", "realKnownCause/rogue_agent_key_hold.csv"));
    }

    #[test]
    fn a_file_that_differs_and_files_that_are_not_listed_each_get_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["machine-1-6.test.csv.gz", "a.csv", "b.csv"];
        let checked = check(&[entry(dir.path(), names)]).unwrap();
        assert_eq!((checked.same, checked.of, checked.warnings.len()), (0, 3, 2));
        // The sum of an empty file.
        assert!(checked.warnings[0].contains("machine-1-6.test.csv.gz is not the file"));
        assert!(
            checked.warnings[0]
                .contains("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        );
        assert!(
            checked.warnings[1].contains("2 of the files of smd")
                && checked.warnings[1].contains("a.csv")
        );
    }
}
