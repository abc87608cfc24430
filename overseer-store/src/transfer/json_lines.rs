//! JSON Lines: an object a line, whose `what` says of what kind it is. Lists stand in it as they are.

use super::{Column, Kind, Raw, Row, RowReader, RowWriter, Value, kind_of};
use overseer_core::{Error, Result};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};

/// A longer line is no row: a row of all the features that fit a table has a quarter of this.
const LONGEST_LINE: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct JsonWriter<W: Write> {
    name: String,
    to: std::io::BufWriter<W>,
    /// What stands before each value: `{"what":"metrics","timestamp":`, then `,"interval_ms":` and so on.
    before: Vec<String>,
    line: String,
}

impl<W: Write> JsonWriter<W> {
    pub(super) fn new(name: &str, to: W) -> Self {
        let to = std::io::BufWriter::new(to);
        Self { name: name.to_owned(), to, before: Vec::new(), line: String::new() }
    }

    fn failed(&self, e: std::io::Error) -> Error {
        Error::other(format!("writing {}", self.name), e)
    }
}

fn quoted(text: &str) -> Result<String> {
    serde_json::to_string(text).map_err(|e| Error::other("writing JSON", e))
}

impl<W: Write> RowWriter for JsonWriter<W> {
    fn begin(&mut self, kind: Kind, columns: &[Column]) -> Result<()> {
        let mut lead = format!("{{\"what\":\"{kind}\"");
        self.before.clear();
        for column in columns {
            lead.push_str(&format!(",{}:", quoted(&column.name)?));
            self.before.push(std::mem::take(&mut lead));
        }
        Ok(())
    }

    fn row(&mut self, values: &[Value]) -> Result<()> {
        self.line.clear();
        for (before, value) in self.before.iter().zip(values) {
            self.line.push_str(before);
            match value {
                Value::Null => self.line.push_str("null"),
                Value::Integer(n) => self.line.push_str(&n.to_string()),
                Value::Real(x) => self.line.push_str(&x.to_string()),
                Value::Text(text) => self.line.push_str(&quoted(text)?),
                Value::Json(json) => self.line.push_str(json),
            }
        }
        self.line.push_str("}\n");
        self.to.write_all(self.line.as_bytes()).map_err(|e| self.failed(e))
    }

    fn finish(&mut self) -> Result<()> {
        self.to.flush().map_err(|e| self.failed(e))
    }
}

#[derive(Debug)]
pub(super) struct JsonReader<R: Read> {
    name: String,
    from: BufReader<R>,
    line: u64,
    bytes: Vec<u8>,
}

impl<R: Read> JsonReader<R> {
    pub(super) fn new(name: &str, from: R) -> Self {
        Self { name: name.to_owned(), from: BufReader::new(from), line: 0, bytes: Vec::new() }
    }
}

impl<R: Read> RowReader for JsonReader<R> {
    fn next_row(&mut self) -> Result<Option<Row>> {
        loop {
            self.bytes.clear();
            self.line += 1;
            let place = format!("{}, line {}", self.name, self.line);
            let read = (&mut self.from).take(LONGEST_LINE).read_until(b'\n', &mut self.bytes);
            match read.map_err(|e| Error::other(format!("reading {}", self.name), e))? {
                0 => return Ok(None),
                n if n as u64 == LONGEST_LINE => {
                    let why = format!("it is longer than {LONGEST_LINE} bytes");
                    return Err(Error::invalid_value(place, why));
                }
                _ if self.bytes.trim_ascii().is_empty() => {}
                _ => return row(place, &self.bytes).map(Some),
            }
        }
    }
}

fn row(place: String, line: &[u8]) -> Result<Row> {
    let wrong = |why: String| Error::invalid_value(place.clone(), why);
    let object: BTreeMap<String, &RawValue> =
        serde_json::from_slice(line).map_err(|e| wrong(format!("this is no JSON object: {e}")))?;
    let mut fields = Vec::with_capacity(object.len());
    let mut named = None;
    for (name, value) in object {
        if name == "what" && named.is_none() {
            named = Some(value);
            continue;
        }
        let text = value.get();
        let raw = match text.as_bytes().first() {
            Some(b'n') => Raw::Null,
            Some(b'"') => Raw::Text(
                serde_json::from_str(text).map_err(|e| wrong(format!("column `{name}`: {e}")))?,
            ),
            Some(b'[' | b'{') => Raw::Json(text.to_owned()),
            _ => Raw::Text(text.to_owned()),
        };
        fields.push((name, raw));
    }
    let kind = match named {
        // What other programs write needs no kind.
        None => kind_of(fields.iter().map(|(name, _)| name.as_str()), &place)?,
        Some(word) => {
            let word: String = serde_json::from_str(word.get()).unwrap_or_default();
            Kind::from_word(&word).ok_or_else(|| {
                let known: Vec<&str> = Kind::ALL.iter().map(|k| k.as_str()).collect();
                wrong(format!("`what`: `{word}` is not one of {}", known.join(", ")))
            })?
        }
    };
    Ok(Row { place, kind, fields })
}
