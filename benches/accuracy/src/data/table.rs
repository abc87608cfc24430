//! Tables of numbers without a header, plain or compressed with gzip.

use csv::{ByteRecord, ReaderBuilder, Terminator};
use flate2::read::MultiGzDecoder;
use overseer_engine::core::{Error, Frame, Result, Schema, Span, Timestamp};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Rows `step` apart from `start` on, columns called `m00`, `m01` and so on. An empty cell or NaN is missing.
///
/// # Errors
/// If the file cannot be read, is empty, has rows of different lengths or cells that are no finite numbers.
pub(super) fn frame(path: &Path, start: Timestamp, step: Span) -> Result<Frame> {
    let mut frame: Option<Frame> = None;
    let mut time = start;
    let mut values = Vec::new();
    each_row(path, |place, record| {
        values.clear();
        for (column, cell) in record.iter().enumerate() {
            let value = number(cell).map_err(|what| {
                Error::invalid_value(format!("{place}, column {}", column + 1), what)
            })?;
            values.push(value);
        }
        if frame.is_none() {
            let names = (0..values.len()).map(|i| format!("m{i:02}"));
            frame = Some(Frame::new(Schema::from_names(names)?));
        }
        if let Some(frame) = &mut frame {
            if values.len() != frame.schema().len() {
                let expected = frame.schema().len();
                let message =
                    format!("{} cells where the rows above have {expected}", values.len());
                return Err(Error::invalid_value(place.to_owned(), message));
            }
            frame.push_row(time, &values)?;
        }
        time = time + step;
        Ok(())
    })?;
    frame.ok_or_else(|| Error::invalid_value(path.display().to_string(), "the file is empty"))
}

/// The first column, 0 or 1, of as many rows as the series in `of` has.
///
/// # Errors
/// If the file cannot be read, holds anything else, or more or fewer rows.
pub(super) fn labels(path: &Path, rows: usize, of: &Path) -> Result<Vec<bool>> {
    let mut labels = Vec::with_capacity(rows);
    each_row(path, |place, record| {
        let value = record.get(0).map(number);
        match value {
            Some(Ok(0.0)) => labels.push(false),
            Some(Ok(1.0)) => labels.push(true),
            _ => return Err(Error::invalid_value(place.to_owned(), "a label is 0 or 1")),
        }
        Ok(())
    })?;
    if labels.len() != rows {
        let message = format!("{} labels of the {rows} rows of {}", labels.len(), of.display());
        return Err(Error::invalid_value(path.display().to_string(), message));
    }
    Ok(labels)
}

/// Calls `row` with each record and its place in words.
fn each_row(path: &Path, mut row: impl FnMut(&str, &ByteRecord) -> Result<()>) -> Result<()> {
    let name = path.display();
    let file = File::open(path).map_err(|e| Error::other(format!("cannot open {name}"), e))?;
    let is_packed = path.extension().is_some_and(|e| e == "gz");
    let plain: Box<dyn Read> =
        if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    // With its last line ended, a record lies on the line before the one that the reader stands on.
    let plain = plain.chain(&b"\n"[..]);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(plain);
    let mut record = ByteRecord::new();
    loop {
        let before = reader.position().line();
        let more = reader
            .read_byte_record(&mut record)
            .map_err(|e| Error::other(format!("reading {name} from line {before} on"), e))?;
        if !more {
            return Ok(());
        }
        let line = reader.position().line().saturating_sub(1);
        row(&format!("{name}, line {line}"), &record)?;
    }
}

/// A cell as a number; the error is what is wrong with it.
fn number(cell: &[u8]) -> std::result::Result<f64, String> {
    let text = String::from_utf8_lossy(cell);
    let text = text.trim();
    if text.is_empty() {
        return Ok(f64::NAN);
    }
    match text.parse::<f64>() {
        Ok(value) if !value.is_infinite() => Ok(value),
        _ => {
            let start: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
            Err(format!("`{start}` is not a finite number"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        (dir, path)
    }

    fn read(name: &str, content: &[u8]) -> Result<Frame> {
        let (_dir, path) = file(name, content);
        frame(&path, Timestamp::from_millis(7), Span::from_secs(60))
    }

    #[test]
    fn rows_follow_each_other_by_the_step_and_columns_are_numbered() {
        let f = read("a.csv", b"1,2.5\n,NaN\n3e2,-1\n").unwrap();
        assert_eq!(f.schema().features()[1].name, "m01");
        assert_eq!(f.timestamps()[2], Timestamp::from_millis(120_007));
        assert_eq!((f.row(0), f.row(2)), (&[1.0, 2.5][..], &[300.0, -1.0][..]));
        assert!(f.row(1).iter().all(|v| v.is_nan()));
    }

    #[test]
    fn a_packed_file_reads_as_the_plain_one_and_a_damaged_one_is_an_error() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"1,2\n3,4\n").unwrap();
        let packed = packed.finish().unwrap();
        assert_eq!(read("a.csv.gz", &packed).unwrap().values(), [1.0, 2.0, 3.0, 4.0]);
        let message = read("a.csv.gz", &packed[..packed.len() - 9]).unwrap_err().to_string();
        assert!(message.contains("a.csv.gz"), "{message}");
        assert!(read("a.csv.gz", b"1,2\n").is_err());
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_column() {
        let wrong = |content: &[u8], what: &str| {
            let message = read("a.csv", content).unwrap_err().to_string();
            assert!(message.contains("a.csv") && message.contains(what), "{message}");
        };
        wrong(b"1,2\n3,x\n", "line 2, column 2: `x` is not a finite number");
        wrong(b"1,2\n3,inf\n", "line 2, column 2");
        wrong(b"1,2\n\n3\n", "line 3: 1 cells where the rows above have 2");
        wrong(b"1,2\r\n3,4\r\n5,y", "line 3, column 2");
        wrong(b"", "the file is empty");
        wrong(b"1,\xff\n", "line 1, column 2");
    }

    #[test]
    fn labels_are_zero_or_one_and_as_many_as_rows() {
        let read = |content: &[u8], rows| {
            let (_dir, path) = file("l.csv", content);
            labels(&path, rows, Path::new("t.csv"))
        };
        assert_eq!(read(b"0\n1\n1.0\n", 3).unwrap(), [false, true, true]);
        let message = read(b"0\n2\n", 2).unwrap_err().to_string();
        assert!(message.contains("l.csv, line 2: a label is 0 or 1"), "{message}");
        let message = read(b"0\n1\n", 3).unwrap_err().to_string();
        assert!(message.contains("2 labels of the 3 rows of t.csv"), "{message}");
    }
}
