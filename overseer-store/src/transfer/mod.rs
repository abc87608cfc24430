//! What is stored, out to files of other tools and in again: CSV, JSON Lines and, with the feature `parquet`, Parquet.
//!
//! Rows go through one at a time, so that memory stays bounded however much there is. Times are milliseconds since 1970
//! UTC, and what is missing is an empty field, a `null`, or a name that is left out.

mod csv_file;
mod json_lines;
mod kind;
#[cfg(feature = "parquet")]
mod parquet_file;

pub use kind::Kind;
pub(crate) use kind::kind_of;

use crate::SqliteStore;
use overseer_core::{Error, Result, Span, Timestamp};
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A header and a row a line; one kind a file.
    Csv,
    /// An object a line, which says of what kind it is; any kinds in one file.
    JsonLines,
    /// Apache Parquet; one kind a file. Unsupported without the feature `parquet`.
    Parquet,
}

impl Form {
    /// The form that a file's name tells by its end: `.csv`, `.jsonl` or `.ndjson`, `.parquet`.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Which rows to export.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// Of these kinds.
    pub kinds: Vec<Kind>,
    /// At or after this time.
    pub from: Timestamp,
    /// At or before this time.
    pub to: Timestamp,
}

impl Selection {
    /// Everything of these kinds.
    #[must_use]
    pub fn all_of(kinds: Vec<Kind>) -> Self {
        let (from, to) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        Self { kinds, from, to }
    }
}

/// What became of the rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Imported {
    /// Newly stored.
    pub stored: u64,
    /// Already there; the stored ones were kept.
    pub duplicates: u64,
    /// Samples without any known value; never stored.
    pub blank: u64,
    /// Samples of minutes that were summarised and removed before; not stored, for they may be counted already.
    pub late: u64,
    /// The earliest time of a sample, and the row that has it, counted from 1 without a header.
    pub earliest: Option<(Timestamp, u64)>,
    /// The latest, likewise: whoever has a clock can tell whether it is ahead of it.
    pub latest: Option<(Timestamp, u64)>,
    /// The step at which samples were taken to be that did not say it, where the installation had none.
    pub assumed_step: Option<Span>,
}

impl Imported {
    /// Notes the time of a sample.
    pub(crate) fn saw(&mut self, at: Timestamp, row: u64) {
        if self.earliest.is_none_or(|(first, _)| at < first) {
            self.earliest = Some((at, row));
        }
        if self.latest.is_none_or(|(last, _)| at > last) {
            self.latest = Some((at, row));
        }
    }
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    /// Plain text.
    Text(String),
    /// Text that is JSON.
    Json(String),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Integer,
    Real,
    Text,
    Json,
}

/// A column of a kind of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) holds: Type,
    pub(crate) nullable: bool,
}

/// Rows on their way into a file.
pub(crate) trait RowWriter {
    /// From now on rows are of this kind and have these columns.
    fn begin(&mut self, kind: Kind, columns: &[Column]) -> Result<()>;
    fn row(&mut self, values: &[Value]) -> Result<()>;
    fn finish(&mut self) -> Result<()>;
}

/// A row of a file, its values as they were written and not yet checked.
#[derive(Debug)]
pub(crate) struct Row {
    /// Where it stands, for errors: `metrics.csv, line 7`.
    pub(crate) place: String,
    pub(crate) kind: Kind,
    /// Names and values; what is missing may be left out.
    pub(crate) fields: Vec<(String, Raw)>,
}

/// A value as a file gives it; CSV and JSON Lines have no numbers of their own.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "numbers come from Parquet only"))]
pub(crate) enum Raw {
    Null,
    Integer(i64),
    Real(f64),
    /// A text, or what a form without types writes for anything.
    Text(String),
    /// A list or an object as JSON writes it.
    Json(String),
}

/// Rows on their way out of a file.
pub(crate) trait RowReader {
    fn next_row(&mut self) -> Result<Option<Row>>;
}

/// Writes what is selected into `to`, called `name` in errors, and returns the number of rows. `progress` is told how
/// many of how many are done.
///
/// # Errors
/// If the store cannot be read or `to` not written; invalid if CSV or Parquet is to hold several kinds; unsupported for
/// Parquet without the feature.
pub fn export(
    store: &SqliteStore,
    selection: &Selection,
    form: Form,
    name: &str,
    to: impl Write + Send,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64> {
    if form != Form::JsonLines && selection.kinds.len() != 1 {
        return Err(Error::invalid_parameter(
            "kinds",
            "a file of CSV or Parquet holds exactly one kind; JSON Lines holds any",
        ));
    }
    let mut writer: Box<dyn RowWriter + '_> = match form {
        Form::Csv => Box::new(csv_file::CsvWriter::new(name, to)),
        Form::JsonLines => Box::new(json_lines::JsonWriter::new(name, to)),
        #[cfg(feature = "parquet")]
        Form::Parquet => Box::new(parquet_file::ParquetWriter::new(name, to)),
        #[cfg(not(feature = "parquet"))]
        Form::Parquet => return Err(without_parquet()),
    };
    let rows = store.export_rows(selection, writer.as_mut(), progress)?;
    writer.finish()?;
    Ok(rows)
}

/// Reads a file that [`export`] wrote, or that has the same columns, and stores what is not there yet: the same file
/// twice changes nothing the second time. `progress` is told how many rows were read.
///
/// Samples without a column `interval_ms` are of another program. Their times may be RFC 3339 (without a zone, UTC), Unix
/// seconds or milliseconds; shares must be from 0 to 1, and nothing a host counts is below zero. They are taken to be at the
/// installation's step, or where none was chosen yet at the median of the times between them. The step then becomes the
/// interval of most imported samples. Rows are stored some hundreds at a
/// time; at an error those before the last such batch stay stored, and importing the corrected file goes on from there.
///
/// # Errors
/// For the first row that is wrong, naming file, line and column; if the file cannot be read or the store not written;
/// unsupported for Parquet without the feature.
pub fn import(
    store: &mut SqliteStore,
    path: &Path,
    form: Form,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| Error::other(format!("opening {name}"), e))?;
    match form {
        #[cfg(feature = "parquet")]
        Form::Parquet => {
            store.import_rows(&mut parquet_file::ParquetReader::new(&name, file)?, progress)
        }
        #[cfg(not(feature = "parquet"))]
        Form::Parquet => Err(without_parquet()),
        text => import_text(store, &name, BufReader::new(file), text, progress),
    }
}

/// As [`import`], of CSV or JSON Lines from anything that can be read, called `name` in errors.
///
/// # Errors
/// As [`import`]; unsupported for Parquet, which can only be read from a file.
pub fn import_text(
    store: &mut SqliteStore,
    name: &str,
    from: impl Read,
    form: Form,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported> {
    match form {
        Form::Csv => store.import_rows(&mut csv_file::CsvReader::new(name, from)?, progress),
        Form::JsonLines => {
            store.import_rows(&mut json_lines::JsonReader::new(name, from), progress)
        }
        Form::Parquet => Err(Error::unsupported("Parquet from anything but a file")),
    }
}

#[cfg(not(feature = "parquet"))]
fn without_parquet() -> Error {
    Error::unsupported("Parquet (this program was built without the feature `parquet`)")
}
