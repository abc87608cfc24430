//! Whole recordings as frames, whatever form they have: CSV, JSON Lines, or sysstat's JSON.

use crate::csv_rows::{CsvRows, ReadOptions};
use crate::{json_lines, sysstat};
use overseer_core::{Error, Frame, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// How much of a file tells its form.
const HEAD: usize = 1 << 16;

/// The form of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    JsonLines,
    Sysstat,
}

/// What begins with a brace is JSON; sysstat's is one object that has but one name in it.
fn form(head: &[u8]) -> Form {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let Some(inside) = head.strip_prefix(b"{") else { return Form::Csv };
    if inside.trim_ascii_start().starts_with(b"\"sysstat\"") {
        Form::Sysstat
    } else {
        Form::JsonLines
    }
}

/// Reads a whole recording, whose form it finds out by itself:
///
/// - CSV as [`CsvRows`] reads it;
/// - JSON Lines: an object in each line, with numbers by the names of features and optionally a `timestamp` as CSV has
///   it; the first line names all features, `null` or a name left out is a missing value;
/// - what `sadf -j` writes from sysstat's daily files: a frame of the host's schema. The number of processes, which
///   sysstat does not record, is missing, as is whatever was not collected. `sadf -j -- -A` gives all there is,
///   and what it gives of several days may stand one after the other in one file.
///
/// ```no_run
/// # use overseer_collect::{ReadOptions, read_frame};
/// # use overseer_core::Span;
/// let frame = read_frame("week.csv", &ReadOptions::default().with_step(Span::from_secs(60)))?;
/// # Ok::<(), overseer_core::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be read, and for the first place that is wrong; the message names file, line and column.
pub fn read_frame(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Frame> {
    let name = path.as_ref().display().to_string();
    let file = File::open(path).map_err(|e| Error::other(format!("cannot open {name}"), e))?;
    read_frame_from(name, file, options)
}

/// Reads all of what `reader` gives, called `name` in errors, as [`read_frame`] does.
///
/// # Errors
/// As [`read_frame`].
pub fn read_frame_from(
    name: impl Into<String>,
    reader: impl Read + Send,
    options: &ReadOptions,
) -> Result<Frame> {
    let name = name.into();
    let mut reader = BufReader::with_capacity(HEAD, reader);
    let head = reader.fill_buf().map_err(|e| Error::other(format!("reading {name}"), e))?;
    match form(head) {
        Form::Csv => {
            let rows = CsvRows::new(name, reader, options)?;
            let mut frame = Frame::new(rows.schema().clone());
            for row in rows {
                frame.push(&row?)?;
            }
            Ok(frame)
        }
        Form::JsonLines => json_lines::read(&name, reader, options),
        Form::Sysstat => sysstat::read(&name, reader, options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_told_by_how_a_file_begins() {
        assert_eq!(form(b"timestamp,cpu\n"), Form::Csv);
        assert_eq!(form(b""), Form::Csv);
        assert_eq!(form(b" {\"timestamp\": 1}\n"), Form::JsonLines);
        assert_eq!(form(b"\xef\xbb\xbf{\"sysstat\": {\n"), Form::Sysstat);
    }
}
