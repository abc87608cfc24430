//! Which series are forecast, and from where on.

use overseer_engine::core::{Error, Frame, Result};
use overseer_engine::host::collect::{ReadOptions, read_frame};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A column of a file with the rows to forecast from.
#[derive(Debug, Clone)]
pub struct Series {
    /// The data it belongs to.
    pub corpus: String,
    /// The file and the column there.
    pub name: String,
    path: PathBuf,
    column: String,
    /// How many rows there are.
    pub rows: usize,
    /// How many are learned from before the first forecast.
    pub train_rows: usize,
    /// Every how many rows a forecast is made.
    pub stride: usize,
}

#[derive(Debug, Deserialize)]
struct SplitFile {
    forecast: BTreeMap<String, Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    split: String,
    n: usize,
    n_train: usize,
    stride: usize,
}

impl Series {
    /// The series of a split that `DIR/split.json` lists, from `DIR/data/SPLIT/forecast/`, by name.
    ///
    /// # Errors
    /// If the list cannot be read or understood, or has none of that split.
    pub fn find(dir: &Path, split: &str) -> Result<Vec<Self>> {
        let list = dir.join("split.json");
        let place = list.display().to_string();
        let text = std::fs::read_to_string(&list)
            .map_err(|e| Error::other(format!("reading {place}"), e))?;
        let file: SplitFile = serde_json::from_str(&text)
            .map_err(|e| Error::invalid_value(place.clone(), e.to_string()))?;
        let mut found = Vec::new();
        for (full, listed) in file.forecast.into_iter().filter(|(_, l)| l.split == split) {
            let wrong =
                |what: &str| Error::invalid_value(format!("{place}, forecast, {full}"), what);
            let (file, column) =
                full.rsplit_once(':').ok_or_else(|| wrong("has no `:` before its column"))?;
            let (corpus, name) =
                full.split_once('/').ok_or_else(|| wrong("has no `/` behind its corpus"))?;
            if file.split('/').any(|part| part == "..") {
                return Err(wrong("leads out of its folder"));
            }
            if listed.stride == 0 || listed.n_train == 0 {
                return Err(wrong("`stride` and `n_train` must be at least 1"));
            }
            found.push(Self {
                corpus: corpus.to_owned(),
                name: name.to_owned(),
                path: dir.join(format!("data/{split}/forecast/{file}.csv")),
                column: column.to_owned(),
                rows: listed.n,
                train_rows: listed.n_train,
                stride: listed.stride,
            });
        }
        if found.is_empty() {
            return Err(Error::invalid_value(place, format!("no series to forecast of `{split}`")));
        }
        Ok(found)
    }

    /// All columns of its file, and which of them is forecast.
    ///
    /// # Errors
    /// If the file cannot be read, has another number of rows than listed, or not that column.
    pub fn read(&self) -> Result<(Frame, usize)> {
        let frame = read_frame(&self.path, &ReadOptions::default())?;
        let wrong = |what: String| Error::invalid_value(self.path.display().to_string(), what);
        if frame.len() != self.rows {
            return Err(wrong(format!("{} rows where {} are listed", frame.len(), self.rows)));
        }
        let column = frame.schema().features().iter().position(|f| f.name == self.column);
        match column {
            Some(column) => Ok((frame, column)),
            None => Err(wrong(format!("has no column `{}`", self.column))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_found_and_what_is_wrong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let list = |key: &str| {
            write(
                "split.json",
                &format!(
                    r#"{{"forecast": {{"{key}": {{"split": "dev", "n": 3, "n_train": 2, "stride": 1}}}}}}"#
                ),
            );
        };
        list("hosts/a:cpu");
        write("data/dev/forecast/hosts/a.csv", "timestamp,mem,cpu\n0,1,2\n60,3,4\n120,5,6\n");
        let found = Series::find(dir.path(), "dev").unwrap();
        assert_eq!((found[0].corpus.as_str(), found[0].name.as_str()), ("hosts", "a:cpu"));
        let (frame, column) = found[0].read().unwrap();
        assert_eq!((frame.len(), column), (3, 1));
        assert!(Series::find(dir.path(), "other").unwrap_err().to_string().contains("other"));
        for (key, what) in [("hosts/a", ":"), ("a:cpu", "/"), ("hosts/../a:cpu", "leads out")] {
            list(key);
            let error = Series::find(dir.path(), "dev").unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        list("hosts/a:disk");
        let error = Series::find(dir.path(), "dev").unwrap()[0].read().unwrap_err().to_string();
        assert!(error.contains("`disk`"), "{error}");
    }
}
