//! CSV: a header and a row a line. A missing value is an empty field.

use super::{Column, Kind, Raw, Row, RowReader, RowWriter, Value, kind_of};
use overseer_core::{Error, Result};
use std::io::{Read, Write};

#[derive(Debug)]
pub(super) struct CsvWriter<W: Write> {
    name: String,
    writer: csv::Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(name: &str, to: W) -> Self {
        Self { name: name.to_owned(), writer: csv::Writer::from_writer(to) }
    }

    fn failed(&self, e: impl Into<csv::Error>) -> Error {
        Error::other(format!("writing {}", self.name), e.into())
    }
}

impl<W: Write> RowWriter for CsvWriter<W> {
    fn begin(&mut self, _: Kind, columns: &[Column]) -> Result<()> {
        let names = columns.iter().map(|c| &c.name);
        self.writer.write_record(names).map_err(|e| self.failed(e))
    }

    fn row(&mut self, values: &[Value]) -> Result<()> {
        for value in values {
            let done = match value {
                Value::Null => self.writer.write_field(""),
                Value::Integer(n) => self.writer.write_field(n.to_string()),
                Value::Real(x) => self.writer.write_field(x.to_string()),
                Value::Text(text) | Value::Json(text) => self.writer.write_field(text),
            };
            done.map_err(|e| self.failed(e))?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(|e| self.failed(e))
    }

    fn finish(&mut self) -> Result<()> {
        self.writer.flush().map_err(|e| self.failed(e))
    }
}

#[derive(Debug)]
pub(super) struct CsvReader<R: Read> {
    name: String,
    kind: Kind,
    header: Vec<String>,
    reader: csv::Reader<R>,
    record: csv::StringRecord,
}

impl<R: Read> CsvReader<R> {
    pub(super) fn new(name: &str, from: R) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(from);
        let place = format!("{name}, line 1");
        let header = reader.headers().map_err(|e| Error::invalid_value(&place, e.to_string()))?;
        // Spreadsheets put a mark before the first name.
        let header: Vec<String> = header
            .iter()
            .map(|column| column.trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        let kind = kind_of(header.iter().map(String::as_str), &place)?;
        let record = csv::StringRecord::new();
        Ok(Self { name: name.to_owned(), kind, header, reader, record })
    }
}

impl<R: Read> RowReader for CsvReader<R> {
    fn next_row(&mut self) -> Result<Option<Row>> {
        let line = self.reader.position().line();
        match self.reader.read_record(&mut self.record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(e) if e.is_io_error() => {
                return Err(Error::other(format!("reading {}", self.name), e));
            }
            // The message names the line.
            Err(e) => {
                return Err(Error::invalid_value(
                    format!("{}, line {line}", self.name),
                    e.to_string(),
                ));
            }
        }
        let line = self.record.position().map_or(line, csv::Position::line);
        let fields = self.header.iter().zip(&self.record).map(|(name, field)| {
            let raw = if field.is_empty() { Raw::Null } else { Raw::Text(field.to_owned()) };
            (name.clone(), raw)
        });
        let place = format!("{}, line {line}", self.name);
        Ok(Some(Row { place, kind: self.kind, fields: fields.collect() }))
    }
}
