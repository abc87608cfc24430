//! Texts that differ in their numbers only, such as the explanations of a minute's predictions, stored by those numbers.
//!
//! It makes a prediction and an anomaly less than half as large. Whoever reads the database with other tools finds the wordings in
//! `texts`; exports hold the whole text.

use crate::error::corrupt;
use overseer_core::{Error, Result};
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// Stands for a number in a wording, and before what is no plain text.
const TAB: char = '\t';
/// Shorter texts are kept as they are.
const WORTH: usize = 20;
/// No more wordings than this are learned: texts that never repeat would only be stored twice.
const MOST_TEXTS: i64 = 5000;

/// The form of `text` that is stored.
pub(super) fn pack(connection: &Connection, text: &str) -> rusqlite::Result<String> {
    let plain = || if text.starts_with(TAB) { format!("\t\t{text}") } else { text.to_owned() };
    if text.len() < WORTH || text.contains(TAB) {
        return Ok(plain());
    }
    let (wording, numbers) = take_apart(text);
    let Some(id) = id_of(connection, &wording)? else { return Ok(plain()) };
    let mut packed = format!("\t{id}");
    for number in numbers {
        packed.push(TAB);
        packed.push_str(number);
    }
    Ok(packed)
}

/// The text whose stored form this is.
pub(super) fn unpack(connection: &Connection, path: &Path, stored: String) -> Result<String> {
    const DOING: &str = "reading a text";
    let Some(packed) = stored.strip_prefix(TAB) else { return Ok(stored) };
    if let Some(plain) = packed.strip_prefix(TAB) {
        return Ok(plain.to_owned());
    }
    let mut parts = packed.split(TAB);
    let id: Option<i64> = parts.next().and_then(|id| id.parse().ok());
    let wording: Option<String> = connection
        .prepare_cached("SELECT text FROM texts WHERE text_id = ?")
        .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
        .map_err(|e| Error::other(format!("{} (while {DOING})", path.display()), e))?;
    let damaged = || corrupt(path, "a text refers to no wording, or to another one", DOING);
    let wording = wording.ok_or_else(damaged)?;
    let mut text = String::with_capacity(wording.len() + packed.len());
    let mut pieces = wording.split(TAB);
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        text.push_str(parts.next().ok_or_else(damaged)?);
        text.push_str(piece);
    }
    if parts.next().is_some() { Err(damaged()) } else { Ok(text) }
}

/// The number of a wording, which is learned if it is new and there is room.
fn id_of(connection: &Connection, wording: &str) -> rusqlite::Result<Option<i64>> {
    let known = connection
        .prepare_cached("SELECT text_id FROM texts WHERE text = ?")?
        .query_row([wording], |row| row.get(0))
        .optional()?;
    if known.is_some() {
        return Ok(known);
    }
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(text_id) FROM texts")?
        .query_row([], |row| row.get(0))?;
    if last.is_some_and(|n| n >= MOST_TEXTS) {
        return Ok(None);
    }
    connection.prepare_cached("INSERT INTO texts (text) VALUES (?)")?.execute([wording])?;
    Ok(Some(connection.last_insert_rowid()))
}

/// A text with a tab for each number, and the numbers. Putting them back gives the text, whatever counts as a number.
fn take_apart(text: &str) -> (String, Vec<&str>) {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut wording = String::with_capacity(text.len());
    let mut numbers = Vec::new();
    let (mut at, mut plain) = (0, 0);
    while at < bytes.len() {
        let sign = usize::from(bytes[at] == b'-');
        let whole = digits(at + sign);
        if whole == 0 {
            at += 1;
            continue;
        }
        let start = at;
        at += sign + whole;
        if bytes.get(at) == Some(&b'.') && digits(at + 1) > 0 {
            at += 1 + digits(at + 1);
        }
        if bytes.get(at) == Some(&b'e') {
            let sign = usize::from(bytes.get(at + 1) == Some(&b'-'));
            let exponent = digits((at + 1 + sign).min(bytes.len()));
            at += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        // Both ends stand beside ASCII, so they are ends of characters too.
        wording.push_str(&text[plain..start]);
        wording.push(TAB);
        numbers.push(&text[start..at]);
        plain = at;
    }
    wording.push_str(&text[plain..]);
    (wording, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../migrations/0004_texts.sql")).unwrap();
        connection
    }

    fn round(connection: &Connection, text: &str) -> (String, String) {
        let packed = pack(connection, text).unwrap();
        let back = unpack(connection, Path::new("x"), packed.clone()).unwrap();
        (packed, back)
    }

    #[test]
    fn one_wording_serves_texts_that_differ_in_numbers() {
        let c = database();
        let said = |n: f64| format!("In 10 min the score will be near {n}, up from -3 ms");
        let (packed, back) = round(&c, &said(12.5));
        assert_eq!((packed.as_str(), back), ("\t1\t10\t12.5\t-3", said(12.5)));
        assert!(round(&c, &said(1e300)).0.starts_with("\t1\t"));
        let json = r#"[{"feature":"system.cpu.utilization","value":1.5e-7}]"#;
        assert_eq!(round(&c, json), ("\t2\t1.5e-7".to_owned(), json.to_owned()));
    }

    #[test]
    fn a_stored_text_that_leads_nowhere_is_damage() {
        let c = database();
        pack(&c, "a wording with the number 5 in it").unwrap();
        for stored in ["\t", "\tx", "\t2\t5", "\t1", "\t1\t5\t6", "\t-1\t5"] {
            let e = unpack(&c, Path::new("overseer.db"), stored.to_owned()).unwrap_err();
            assert!(e.is_corrupt(), "{stored:?}: {e}");
        }
    }

    #[test]
    fn texts_that_never_repeat_are_kept_as_they_are_once_there_are_many() {
        let c = database();
        for i in 0..MOST_TEXTS + 5 {
            let letters: String = i.to_string().bytes().map(|b| char::from(b + 49)).collect();
            let text = format!("the process {letters} is a new one each time");
            let (packed, back) = round(&c, &text);
            assert_eq!(packed.starts_with(TAB), i < MOST_TEXTS);
            assert_eq!(back, text);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "(\t|é|-|\\.|e|[0-9]|[a-z ]|\u{0}){0,60}") {
            let c = database();
            prop_assert_eq!(round(&c, &text).1, text);
        }
    }
}
