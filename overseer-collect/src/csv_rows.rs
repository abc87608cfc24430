//! CSV files as samples, one row at a time in the memory of one row.
//!
//! The form: a header; optionally a first column `timestamp` (in any case), else a given step spaces the rows; every
//! other column is a feature. Empty or `NaN` (in any case) is missing. Whatever else is wrong is an error that names
//! file, line and column, and nothing after it is read.

use crate::csv_time;
use crate::newlines::Newlines;
use crate::zone::SystemZone;
use csv::ByteRecord;
use jiff::tz::TimeZone;
use overseer_core::{Error, Feature, Result, Sample, Schema, Span, Timestamp, Unit, host};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How to read a file beyond what it says itself.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    pub(crate) step: Option<Span>,
    pub(crate) start: Timestamp,
    pub(crate) zone: TimeZone,
}

impl Default for ReadOptions {
    /// No step, so that the file must have times; the epoch as start; UTC.
    fn default() -> Self {
        Self { step: None, start: Timestamp::default(), zone: TimeZone::UTC }
    }
}

impl ReadOptions {
    /// The time between rows of a file without a `timestamp` column; with one it is not used.
    #[must_use]
    pub fn with_step(mut self, step: Span) -> Self {
        self.step = Some(step);
        self
    }

    /// The time of the first row of a file without a `timestamp` column.
    #[must_use]
    pub fn with_start(mut self, start: Timestamp) -> Self {
        self.start = start;
        self
    }

    /// The zone of times that name none, by its IANA name such as `Europe/Berlin`, instead of UTC.
    ///
    /// # Errors
    /// If no such zone is known here.
    pub fn with_time_zone(mut self, name: &str) -> Result<Self> {
        self.zone = SystemZone::named(name)?.zone().clone();
        Ok(self)
    }
}

/// The rows of a CSV file as samples, in order; after an error there are no more.
///
/// ```
/// use overseer_collect::{CsvRows, ReadOptions};
///
/// let text = "timestamp,cpu,disk\n2024-03-01 12:00:00,0.5,\n2024-03-01 12:01:00,0.6,7\n";
/// let rows = CsvRows::new("example.csv", text.as_bytes(), &ReadOptions::default())?;
/// assert_eq!(rows.schema().len(), 2);
/// let samples = rows.collect::<Result<Vec<_>, _>>()?;
/// assert!(samples[0].values[1].is_nan());
/// assert_eq!(samples[1].timestamp.since(samples[0].timestamp).to_string(), "60 s");
/// # Ok::<(), overseer_core::Error>(())
/// ```
pub struct CsvRows<'r> {
    name: String,
    reader: csv::Reader<Newlines<Box<dyn Read + Send + 'r>>>,
    record: ByteRecord,
    schema: Schema,
    timed: bool,
    options: ReadOptions,
    /// The time of the row to come, where the file has none.
    next: Timestamp,
    /// The time and the line of the row above.
    above: Option<Timestamp>,
    line: u64,
    /// Blank lines of a file of one column, which are missing values, before the record that was read past them.
    blank: u64,
    ended: bool,
}

impl CsvRows<'static> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// If the file cannot be read, or as [`CsvRows::new`].
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let file = File::open(path).map_err(|e| Error::other(format!("cannot open {name}"), e))?;
        CsvRows::new(name, file, options)
    }
}

impl<'r> CsvRows<'r> {
    /// Reads the header of what `reader` gives, called `name` in errors.
    ///
    /// # Errors
    /// If there is no header or no feature in it, a name is empty or given twice or not UTF-8, or there is neither a
    /// `timestamp` column nor a step longer than zero.
    pub fn new(
        name: impl Into<String>,
        reader: impl Read + Send + 'r,
        options: &ReadOptions,
    ) -> Result<Self> {
        let name = name.into();
        let reader: Box<dyn Read + Send + 'r> = Box::new(reader);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(Newlines::new(reader));
        let mut record = ByteRecord::new();
        let found = reader
            .read_byte_record(&mut record)
            .map_err(|e| Error::other(format!("reading {name}"), e))?;
        if !found {
            return Err(Error::invalid_value(name, "the file is empty: it needs a header"));
        }
        let line = reader.position().line().saturating_sub(1);
        let (schema, timed) = header(&name, line, &record)?;
        if !timed && options.step.is_none_or(|s| s == Span::default()) {
            let message = format!(
                "{name} has no first column `timestamp`, so a step longer than zero must say how \
                 far its rows are apart"
            );
            return Err(Error::invalid_parameter("step", message));
        }
        Ok(Self {
            name,
            reader,
            record,
            schema,
            timed,
            options: options.clone(),
            next: options.start,
            above: None,
            line,
            blank: 0,
            ended: false,
        })
    }

    /// The features: the columns but `timestamp`, of the host's units where they bear the host's names.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What the file is called in errors.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line of the row that came last, counted from 1; the header's before the first.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether the file gives its own times.
    #[must_use]
    pub fn has_timestamps(&self) -> bool {
        self.timed
    }

    fn read(&mut self) -> Result<Option<Sample>> {
        if self.blank == 0 && !self.advance()? {
            // A file's last value may stand in a line that is not ended, but a file of nothing is a mistake.
            if self.above.is_none() {
                return Err(Error::invalid_value(&self.name, "there is no row below the header"));
            }
            return Ok(None);
        }
        if self.blank > 1 {
            self.blank -= 1;
            self.line += 1;
            let timestamp = self.spaced();
            return Ok(Some(Sample::new(timestamp, vec![f64::NAN])));
        }
        self.blank = 0;
        self.line = self.reader.position().line().saturating_sub(1);
        let columns = self.schema.len() + usize::from(self.timed);
        if self.record.len() != columns {
            let found = self.record.len();
            let fields = if found == 1 { "field" } else { "fields" };
            return Err(Error::invalid_value(
                format!("{}, line {}", self.name, self.line),
                format!("{found} {fields} where the header has {columns}"),
            ));
        }
        let timestamp = if self.timed { self.time()? } else { self.spaced() };
        let mut values = Vec::with_capacity(self.schema.len());
        for (i, feature) in self.schema.features().iter().enumerate() {
            let cell = self.record.get(i + usize::from(self.timed)).unwrap_or_default();
            let value = number(cell).map_err(|what| self.wrong(&feature.name, cell, what))?;
            values.push(value);
        }
        self.above = Some(timestamp);
        Ok(Some(Sample::new(timestamp, values)))
    }

    /// Reads the next record; false at the end of the file.
    fn advance(&mut self) -> Result<bool> {
        let found = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|e| Error::other(format!("reading {}", self.name), e))?;
        if found {
            // The CSV reader steps over blank lines. In a file of one column such a line is a row with a missing
            // value; at the file's end it is only how the file ends.
            let line = self.reader.position().line().saturating_sub(1);
            let one_column = !self.timed && self.schema.len() == 1;
            self.blank = if one_column { line.saturating_sub(self.line) } else { 1 };
        }
        Ok(found)
    }

    /// The time of the next row of a file without times.
    fn spaced(&mut self) -> Timestamp {
        let timestamp = self.next;
        self.next = self.next + self.options.step.unwrap_or_default();
        self.above = Some(timestamp);
        timestamp
    }

    fn time(&self) -> Result<Timestamp> {
        let cell = self.record.get(0).unwrap_or_default();
        let wrong = |what: &str| self.wrong("timestamp", cell, what);
        let text = std::str::from_utf8(cell).map_err(|_| wrong("is not UTF-8"))?.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("nan") {
            return Err(wrong("is not a time, and every row needs one"));
        }
        let time = csv_time::parse(text, &self.options.zone, self.above).map_err(wrong)?;
        if self.above.is_some_and(|above| time < above) {
            return Err(wrong("is before the time of the row above"));
        }
        Ok(time)
    }

    fn wrong(&self, column: &str, cell: &[u8], what: &str) -> Error {
        let place = format!("{}, line {}, column `{column}`", self.name, self.line);
        Error::invalid_value(place, format!("`{}` {what}", shown(cell)))
    }
}

impl Iterator for CsvRows<'_> {
    type Item = Result<Sample>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.read().transpose();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

impl fmt::Debug for CsvRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvRows")
            .field("name", &self.name)
            .field("schema", &self.schema)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Features of the header, and whether its first column is the time.
fn header(name: &str, line: u64, record: &ByteRecord) -> Result<(Schema, bool)> {
    let mut features: Vec<Feature> = Vec::with_capacity(record.len());
    let mut seen = std::collections::HashSet::new();
    let mut timed = false;
    for (i, cell) in record.iter().enumerate() {
        let wrong = |message: String| {
            Error::invalid_value(format!("{name}, line {line}, column {}", i + 1), message)
        };
        let text = std::str::from_utf8(cell)
            .map_err(|_| wrong(format!("the name `{}` is not UTF-8", shown(cell))))?;
        // A byte order mark that the CSV reader got in pieces.
        let text = if i == 0 { text.trim_start_matches('\u{feff}') } else { text }.trim();
        if i == 0 && text.eq_ignore_ascii_case("timestamp") {
            timed = true;
            continue;
        }
        if text.is_empty() {
            return Err(wrong("the column has no name".to_owned()));
        }
        if !seen.insert(text.to_owned()) {
            return Err(wrong(format!("the name `{text}` is given twice")));
        }
        features.push(feature(text));
    }
    if features.is_empty() {
        let place = format!("{name}, line {line}");
        return Err(Error::invalid_value(place, "there is no column besides `timestamp`"));
    }
    if !timed && holds_values(&features) {
        let place = format!("{name}, line {line}");
        let why = "there are values where the names of the columns belong";
        return Err(Error::invalid_value(place, why));
    }
    Ok((Schema::new(features)?, timed))
}

/// Whether names are numbers, and not such as merely count the columns: then the first row was taken for the header.
fn holds_values(features: &[Feature]) -> bool {
    let counts = |name: &str| name.parse().is_ok_and(|n: usize| n <= features.len());
    features.iter().all(|f| f.name.parse::<f64>().is_ok())
        && !features.iter().all(|f| counts(&f.name))
}

/// A column as a feature: the host's where it bears its name.
pub(crate) fn feature(name: &str) -> Feature {
    let known = host::schema();
    let of_host = known.index_of(name).and_then(|i| known.get(i)).cloned();
    of_host.unwrap_or_else(|| Feature::new(name, Unit::Unknown))
}

/// A cell as a value; the error is what is wrong with it, in words that follow its text.
fn number(cell: &[u8]) -> std::result::Result<f64, &'static str> {
    let text = std::str::from_utf8(cell).map_err(|_| "is not UTF-8")?.trim();
    if text.is_empty() {
        return Ok(f64::NAN);
    }
    let value: f64 = text.parse().map_err(|_| "is not a number")?;
    if value.is_infinite() { Err("is infinite") } else { Ok(value) }
}

/// A cell as it can stand in a message: printable and not long.
pub(crate) fn shown(cell: &[u8]) -> String {
    const LENGTH: usize = 40;
    let text = String::from_utf8_lossy(cell);
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut out: String = text.trim().chars().map(plain).take(LENGTH).collect();
    if text.trim().chars().nth(LENGTH).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
