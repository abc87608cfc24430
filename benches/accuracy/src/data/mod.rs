//! Labelled series: where they are, what belongs to them, and how they are read.

mod checksums;
mod layout;
mod table;

pub use checksums::{Checked, check};
pub use layout::{Split, find};

use crate::metrics::{Event, events};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use overseer_engine::core::{Error, Frame, Result, Span, Timestamp};
use overseer_engine::host::collect::{ReadOptions, read_frame};
use overseer_engine::offline::usual_interval;
use std::path::PathBuf;

/// The corpus of single metrics with labelled windows.
pub const NAB: &str = "nab";

/// Rows that tell how far rows are apart where nothing else does, as for `overseer score`.
const INTERVAL_ROWS: usize = 60;
/// How far they are apart if those rows do not tell.
const DEFAULT_STEP: Span = Span::from_secs(60);

/// A file, and what the list of checksums calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the list: the same wherever the data lie.
    pub key: String,
}

/// A series that was found, not yet read.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The data it belongs to: `nab`, `smd`, `asd`, `js2`.
    pub corpus: String,
    /// Its name there.
    pub name: String,
    parts: Parts,
}

#[derive(Debug, Clone)]
enum Parts {
    /// A history to learn from, rows to judge, and for each of these whether it is anomalous.
    Labels { train: DataFile, test: DataFile, labels: DataFile, step: Span },
    /// Rows with times, learned from as they come, and the first and last time of each anomaly.
    Windows { rows: DataFile, list: DataFile, windows: Vec<(String, String)> },
}

/// A series to judge.
#[derive(Debug, Clone)]
pub struct Series {
    /// As [`Entry::corpus`].
    pub corpus: String,
    /// As [`Entry::name`].
    pub name: String,
    /// What is learned from before the first row; `None` where learning starts with it.
    pub history: Option<Frame>,
    /// What is judged.
    pub rows: Frame,
    /// How far rows are apart.
    pub step: Span,
    /// Which rows are anomalous.
    pub events: Vec<Event>,
}

impl Entry {
    /// The files it is read from.
    pub fn files(&self) -> impl Iterator<Item = &DataFile> {
        match &self.parts {
            Parts::Labels { train, test, labels, .. } => vec![train, test, labels],
            Parts::Windows { rows, list, .. } => vec![rows, list],
        }
        .into_iter()
    }

    /// Reads it.
    ///
    /// # Errors
    /// If a file cannot be read or its parts do not fit together; the message names file and line.
    pub fn read(&self) -> Result<Series> {
        let (history, rows, step, events) = match &self.parts {
            Parts::Labels { train, test, labels, step } => {
                let history = table::frame(&train.path, Timestamp::default(), *step)?;
                let start =
                    history.timestamps().last().map_or(Timestamp::default(), |&l| l + *step);
                let rows = table::frame(&test.path, start, *step)?;
                if rows.schema() != history.schema() {
                    return Err(Error::invalid_value(
                        test.path.display().to_string(),
                        format!(
                            "has {} columns where {} has {}",
                            rows.schema().len(),
                            train.path.display(),
                            history.schema().len()
                        ),
                    ));
                }
                let labels = table::labels(&labels.path, rows.len(), &test.path)?;
                (Some(history), rows, *step, events(&labels))
            }
            Parts::Windows { rows, list, windows } => {
                let frame = read_frame(&rows.path, &ReadOptions::default())?;
                let times = frame.timestamps();
                let step = usual_interval(&times[..times.len().min(INTERVAL_ROWS)]);
                let events = windows_to_events(windows, times).map_err(|message| {
                    Error::invalid_value(format!("{}, {}", list.path.display(), self.name), message)
                })?;
                (None, frame, step.unwrap_or(DEFAULT_STEP), events)
            }
        };
        let (corpus, name) = (self.corpus.clone(), self.name.clone());
        Ok(Series { corpus, name, history, rows, step, events })
    }
}

/// The rows whose times lie in each window, those that hold any.
fn windows_to_events(
    windows: &[(String, String)],
    times: &[Timestamp],
) -> std::result::Result<Vec<Event>, String> {
    let mut events: Vec<Event> = Vec::new();
    for (first, last) in windows {
        let (first, last) = (moment(first)?, moment(last)?);
        let start = times.partition_point(|&t| t < first);
        let end = times.partition_point(|&t| t <= last);
        if events.last().is_some_and(|before| start <= *before.end()) {
            return Err("its windows overlap or are out of order".to_owned());
        }
        if start < end {
            events.push(start..=end - 1);
        }
    }
    Ok(events)
}

/// A time as NAB writes it, in UTC.
fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    let wrong = |e: jiff::Error| format!("`{text}` is not a time: {e}");
    let civil: DateTime = text.parse().map_err(wrong)?;
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(wrong)?;
    Ok(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_the_rows_at_its_ends() {
        let times: Vec<Timestamp> = (0..5).map(|i| Timestamp::from_millis(i * 300_000)).collect();
        let at = |minute: u32| format!("1970-01-01 00:{minute:02}:00.000000");
        let found =
            windows_to_events(&[(at(5), at(10)), (at(11), at(14)), (at(20), at(59))], &times);
        assert_eq!(found.unwrap(), [1..=2, 4..=4]);
        let twice = windows_to_events(&[(at(5), at(10)), (at(10), at(15))], &times);
        assert!(twice.unwrap_err().contains("overlap"));
        assert!(windows_to_events(&[("soon".into(), at(1))], &times).unwrap_err().contains("soon"));
    }
}
