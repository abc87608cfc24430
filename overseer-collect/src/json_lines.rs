//! JSON Lines: an object in each line, with the same meaning as the cells of a CSV row.

use crate::csv_rows::{ReadOptions, feature, shown};
use crate::csv_time;
use overseer_core::{Error, Frame, Result, Schema, Span, Timestamp};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, Read};

/// A longer line is no sample.
const LONGEST: u64 = 4 << 20;

/// The names and values of an object in the order in which they stand.
struct Pairs(Vec<(String, Cell)>);

/// What may stand for a value or a time.
enum Cell {
    Number(f64),
    Text(String),
    Missing,
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and numbers")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs: Vec<(String, Cell)> = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = Cell;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or null")
            }
            fn visit_i64<E: de::Error>(self, x: i64) -> Result<Cell, E> {
                Ok(Cell::Number(x as f64))
            }
            fn visit_u64<E: de::Error>(self, x: u64) -> Result<Cell, E> {
                Ok(Cell::Number(x as f64))
            }
            fn visit_f64<E: de::Error>(self, x: f64) -> Result<Cell, E> {
                Ok(Cell::Number(x))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Cell, E> {
                Ok(Cell::Text(text.to_owned()))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Cell, E> {
                Ok(Cell::Missing)
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

/// Reads all lines; the first one names all features.
pub(crate) fn read(name: &str, mut reader: impl BufRead, options: &ReadOptions) -> Result<Frame> {
    let mut line = 0_u64;
    let mut text = Vec::new();
    let mut frame: Option<Frame> = None;
    // A line may have as many names as fit in it, each of which is looked up.
    let mut columns: HashMap<String, usize> = HashMap::new();
    let mut next = options.start;
    loop {
        text.clear();
        line += 1;
        let length = (&mut reader)
            .take(LONGEST)
            .read_until(b'\n', &mut text)
            .map_err(|e| Error::other(format!("reading {name}"), e))?;
        if length == 0 {
            break;
        }
        let place = || format!("{name}, line {line}");
        if length as u64 == LONGEST {
            return Err(Error::invalid_value(place(), "the line is too long to be a sample"));
        }
        let trimmed = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii();
        if trimmed.is_empty() {
            continue;
        }
        let Pairs(pairs) = serde_json::from_slice(trimmed)
            .map_err(|e| Error::invalid_value(place(), format!("not an object of numbers: {e}")))?;
        let frame = match &mut frame {
            Some(frame) => frame,
            None => {
                let schema = schema(&pairs, &place())?;
                let names = schema.features().iter().map(|f| f.name.to_string());
                columns = names.zip(0..).collect();
                frame.insert(Frame::new(schema))
            }
        };
        let above = frame.timestamps().last().copied();
        let mut time = None;
        let mut row = vec![f64::NAN; frame.schema().len()];
        let mut given = vec![false; row.len()];
        for (key, cell) in &pairs {
            let place = || format!("{name}, line {line}, column `{}`", shown(key.as_bytes()));
            let wrong = |message: &str| Error::invalid_value(place(), message);
            if key.eq_ignore_ascii_case("timestamp") {
                if time.replace(moment(cell, options, above).map_err(|m| wrong(&m))?).is_some() {
                    return Err(wrong("the name is given twice"));
                }
                continue;
            }
            let column = columns.get(key).copied();
            let column = column.ok_or_else(|| wrong("the first line has no such name"))?;
            if std::mem::replace(&mut given[column], true) {
                return Err(wrong("the name is given twice"));
            }
            row[column] = match cell {
                Cell::Number(x) => *x,
                Cell::Missing => f64::NAN,
                Cell::Text(text) if text.is_empty() || text.eq_ignore_ascii_case("nan") => f64::NAN,
                Cell::Text(_) => return Err(wrong("is text where a number or null should be")),
            };
        }
        let time = match (time, options.step.filter(|step| *step > Span::default())) {
            (Some(time), _) => time,
            (None, Some(step)) => {
                let time = next;
                next = next + step;
                time
            }
            (None, None) => {
                let message = "there is no `timestamp`, so a step longer than zero must be given";
                return Err(Error::invalid_value(place(), message));
            }
        };
        if above.is_some_and(|above| time < above) {
            return Err(Error::invalid_value(place(), "its time is before that of the line above"));
        }
        frame.push_row(time, &row)?;
    }
    frame.ok_or_else(|| Error::invalid_value(name, "there is no line with a sample"))
}

fn schema(pairs: &[(String, Cell)], place: &str) -> Result<Schema> {
    let names = pairs.iter().map(|p| &p.0).filter(|n| !n.eq_ignore_ascii_case("timestamp"));
    Schema::new(names.map(|n| feature(n)).collect())
        .map_err(|e| Error::invalid_value(place, e.to_string()))
}

fn moment(
    cell: &Cell,
    options: &ReadOptions,
    above: Option<Timestamp>,
) -> Result<Timestamp, String> {
    let text = match cell {
        Cell::Number(x) => x.to_string(),
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Missing => return Err("is null, and every line needs a time".to_owned()),
    };
    csv_time::parse(&text, &options.zone, above)
        .map_err(|what| format!("`{}` {what}", shown(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_frame_from;
    use proptest::prelude::*;

    fn frame(text: &str) -> Result<Frame> {
        read_frame_from("f.jsonl", text.as_bytes(), &ReadOptions::default())
    }

    #[test]
    fn lines_are_rows_and_what_is_left_out_is_missing() {
        let f = frame(
            "{\"timestamp\":\"2024-03-01T12:00:00Z\",\"system.cpu.utilization\":0.5,\"b\":2}\n\n\
             {\"b\":null,\"timestamp\":1709294460}\n{\"timestamp\":1709294520000,\"b\":7e3}",
        )
        .unwrap();
        assert_eq!(f.len(), 3);
        assert_eq!(f.schema().features()[0].unit, overseer_core::Unit::Ratio);
        assert_eq!(f.timestamps()[2].since(f.timestamps()[0]), Span::from_secs(120));
        assert_eq!(f.row(0), [0.5, 2.0]);
        assert!(f.row(1).iter().all(|x| x.is_nan()));
        assert_eq!(f.row(2)[1], 7000.0);
    }

    #[test]
    fn without_times_a_step_spaces_the_lines() {
        let options = ReadOptions::default().with_step(Span::from_secs(5));
        let text = "{\"a\":1}\n{\"a\":2}\n";
        let f = read_frame_from("f", text.as_bytes(), &options).unwrap();
        assert_eq!(f.timestamps()[1], Timestamp::from_millis(5000));
        assert!(frame(text).unwrap_err().to_string().contains("f.jsonl, line 1: there is no `ti"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let said = |text: &str| frame(text).unwrap_err().to_string();
        let ok = "{\"timestamp\":1,\"a\":1}\n";
        assert!(said(&format!("{ok}{{\"timestamp\":2,\"b\":1}}")).contains("line 2, column `b`"));
        assert!(said(&format!("{ok}{{\"timestamp\":2,\"a\":\"x\"}}")).contains("is text"));
        assert!(said(&format!("{ok}{{\"timestamp\":2,\"a\":1,\"a\":2}}")).contains("twice"));
        assert!(said(&format!("{ok}{{\"timestamp\":0,\"a\":1}}")).contains("before"));
        assert!(said(&format!("{ok}{{\"timestamp\":2,\"a\":[1]}}")).contains("line 2"));
        assert!(said(&format!("{ok}{{\"timestamp\":2,\"a\"")).contains("line 2"));
        assert!(said("{\"timestamp\":1,\"a\":1,\"a\":2}\n").contains("twice"));
        assert!(said("{\"timestamp\":1}\n").contains("at least one"));
        assert!(said("{").contains("line 1"));
    }

    #[test]
    fn a_line_of_very_many_names_takes_no_time_to_speak_of() {
        let names: String = (0..200_000).map(|i| format!(",\"k{i}\":{i}")).collect();
        let start = std::time::Instant::now();
        let f = frame(&format!("{{\"timestamp\":1{names}}}\n")).unwrap();
        assert_eq!((f.schema().len(), f.row(0)[199_999]), (200_000, 199_999.0));
        // Looking each up among all takes minutes.
        assert!(start.elapsed().as_secs() < 10);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_whatever_panics(text in "\\{(\"(timestamp|a|b)\":[0-9e.\"-]{0,6},?){0,3}\\}?\n?.{0,20}") {
            let _ = frame(&text);
        }

        #[test]
        fn what_was_written_is_read_back(rows in prop::collection::vec(any::<f64>(), 1..20)) {
            let rows: Vec<f64> = rows.into_iter().filter(|x| x.is_finite()).collect();
            let line = |(i, x): (usize, &f64)| format!("{{\"timestamp\":{i},\"a\":{x:e}}}\n");
            let text: String = rows.iter().enumerate().map(line).collect();
            prop_assume!(!rows.is_empty());
            let f = frame(&text).unwrap();
            prop_assert_eq!(f.column(0).collect::<Vec<_>>(), rows);
        }
    }
}
