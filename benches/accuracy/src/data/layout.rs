//! Finds labelled series: in a folder with a split of its own, or in what was published as it was published.

use super::checksums::is_development;
use super::{DataFile, Entry, NAB, Parts};
use overseer_engine::core::{Error, Result, Span};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Folders of the published data that hold `train`, `test` and `test_label`: the folder's name, what the corpus is
/// called here, and how many seconds its rows are apart.
const FOLDERS: [(&str, &str, i64); 3] =
    [("ServerMachineDataset", "smd", 60), ("ASD", "asd", 300), ("Dataset2", "js2", 300)];

/// How many folders deep the published data may lie.
const DEPTH: usize = 3;

/// Which series are measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// All that are found.
    All,
    /// Those that `split.json` gives this name; of published data, which have none, those listed in
    /// `checksums.sha256` are `dev`.
    Named(String),
}

impl FromStr for Split {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(if text == "all" { Self::All } else { Self::Named(text.to_owned()) })
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Named(name) => name,
        })
    }
}

impl Split {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(own) => own == name,
        }
    }
}

/// The series of a split in `dir`, by corpus and name.
///
/// # Errors
/// If there are none, or a file that says which there are cannot be read.
pub fn find(dir: &Path, split: &Split) -> Result<Vec<Entry>> {
    let list = dir.join("split.json");
    let mut entries = if list.is_file() {
        of_split(dir, &list, split)?
    } else {
        let mut found = Vec::new();
        published(dir, DEPTH, &mut found)?;
        found.retain(|e| match split {
            Split::All => true,
            Split::Named(name) => name == "dev" && is_development(&e.corpus, &e.name),
        });
        found
    };
    if entries.is_empty() {
        return Err(Error::invalid_value(
            dir.display().to_string(),
            format!(
                "no labelled series of the split `{split}`: neither split.json, nor \
                 labels/combined_windows.json beside data/, nor a folder ServerMachineDataset, ASD or Dataset2 with \
                 train, test and test_label, that names any"
            ),
        ));
    }
    entries.sort_by_key(|e| (e.corpus.clone(), natural(&e.name)));
    if let Some(twice) =
        entries.windows(2).find(|w| (&w[0].corpus, &w[0].name) == (&w[1].corpus, &w[1].name))
    {
        let message = format!("{} of {} is there twice", twice[0].name, twice[0].corpus);
        return Err(Error::invalid_value(dir.display().to_string(), message));
    }
    Ok(entries)
}

/// A name such that `omi-9` comes before `omi-11`.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0_u64)];
    let mut in_number = false;
    for c in name.chars() {
        let Some(last) = parts.last_mut() else { break };
        match c.to_digit(10) {
            Some(digit) => {
                last.1 = last.1.saturating_mul(10).saturating_add(u64::from(digit));
                in_number = true;
            }
            None if in_number => {
                parts.push((c.to_string(), 0));
                in_number = false;
            }
            None => last.0.push(c),
        }
    }
    parts
}

#[derive(Debug, Deserialize)]
struct SplitFile {
    #[serde(default)]
    nab: BTreeMap<String, String>,
    #[serde(default)]
    mts: BTreeMap<String, SplitSeries>,
}

#[derive(Debug, Deserialize)]
struct SplitSeries {
    split: String,
    interval_s: i64,
}

/// The layout of the split: `split.json`, `data/SPLIT/nab` and `data/SPLIT/mts`.
fn of_split(dir: &Path, list: &Path, split: &Split) -> Result<Vec<Entry>> {
    let file: SplitFile = json(list)?;
    let mut entries = Vec::new();
    let own = file.nab.iter().filter(|(_, s)| split.has(s));
    let folders: BTreeSet<&String> = own.clone().map(|(_, s)| s).collect();
    for folder in folders {
        let root = dir.join("data").join(folder).join(NAB);
        let names: BTreeSet<&str> =
            own.clone().filter(|(_, s)| *s == folder).map(|(n, _)| n.as_str()).collect();
        let windows =
            DataFile { path: root.join("windows.json"), key: "nab/windows.json".to_owned() };
        entries.extend(of_windows(&root, &windows, |name| names.contains(name))?);
    }
    for (full, series) in file.mts.iter().filter(|(_, s)| split.has(&s.split)) {
        let wrong =
            |what: &str| Error::invalid_value(format!("{}, mts, {full}", list.display()), what);
        let (corpus, name) =
            full.split_once('/').ok_or_else(|| wrong("a name is CORPUS/SERIES"))?;
        if series.interval_s <= 0 {
            return Err(wrong("interval_s must be above 0"));
        }
        let base = dir.join("data").join(&series.split);
        let part = |kind: &str| {
            let key = format!("mts/{full}.{kind}.csv.gz");
            DataFile { path: base.join(&key), key }
        };
        entries.push(Entry {
            corpus: corpus.to_owned(),
            name: name.to_owned(),
            parts: Parts::Labels {
                train: part("train"),
                test: part("test"),
                labels: part("label"),
                step: Span::from_secs(series.interval_s),
            },
        });
    }
    Ok(entries)
}

/// What lies below `dir` as it was published.
fn published(dir: &Path, depth: usize, found: &mut Vec<Entry>) -> Result<()> {
    let windows = dir.join("labels").join("combined_windows.json");
    if windows.is_file() && dir.join("data").is_dir() {
        let list = DataFile { path: windows, key: "nab/combined_windows.json".to_owned() };
        found.extend(of_windows(&dir.join("data"), &list, |_| true)?);
        return Ok(());
    }
    let name = dir.file_name().unwrap_or_default();
    let folder = FOLDERS.iter().find(|(folder, ..)| name == *folder);
    if let Some((_, corpus, step)) = folder
        && ["train", "test", "test_label"].iter().all(|part| dir.join(part).is_dir())
    {
        found.extend(of_folder(dir, corpus, Span::from_secs(*step))?);
        return Ok(());
    }
    if depth > 0 {
        for path in children(dir)? {
            if path.is_dir() {
                published(&path, depth - 1, found)?;
            }
        }
    }
    Ok(())
}

/// Each file of `test` with its namesakes in `train` and `test_label`.
fn of_folder(dir: &Path, corpus: &str, step: Span) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for test in children(&dir.join("test"))? {
        let Some(file) = test.file_name().and_then(|f| f.to_str()).filter(|f| !f.starts_with('.'))
        else {
            continue;
        };
        let part = |kind: &str| DataFile {
            path: dir.join(kind).join(file),
            key: format!("{corpus}/{kind}/{file}"),
        };
        let (train, test, labels) = (part("train"), part("test"), part("test_label"));
        let name = file.split('.').next().unwrap_or(file).to_owned();
        let parts = Parts::Labels { train, test, labels, step };
        entries.push(Entry { corpus: corpus.to_owned(), name, parts });
    }
    Ok(entries)
}

/// The files that a list of windows names.
fn of_windows(root: &Path, list: &DataFile, wanted: impl Fn(&str) -> bool) -> Result<Vec<Entry>> {
    let windows: BTreeMap<String, Vec<(String, String)>> = json(&list.path)?;
    let entry = |(name, windows): (String, Vec<(String, String)>)| Entry {
        corpus: NAB.to_owned(),
        parts: Parts::Windows {
            rows: DataFile { path: root.join(&name), key: format!("{NAB}/{name}") },
            list: list.clone(),
            windows,
        },
        name,
    };
    Ok(windows.into_iter().filter(|(name, _)| wanted(name)).map(entry).collect())
}

fn children(dir: &Path) -> Result<Vec<PathBuf>> {
    let wrong = |e| Error::other(format!("reading the folder {}", dir.display()), e);
    let mut paths = Vec::new();
    for child in std::fs::read_dir(dir).map_err(wrong)? {
        paths.push(child.map_err(wrong)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::other(format!("cannot read {}", path.display()), e))?;
    serde_json::from_str(&text).map_err(|e| Error::other(format!("reading {}", path.display()), e))
}
