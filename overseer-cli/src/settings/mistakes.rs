//! Reading the configuration file so that a mistake is told with its file, its line, its key, and what would be right.

use overseer_engine::core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file and its text, to which mistakes are traced back.
pub(super) struct Source<'a> {
    place: &'a str,
    text: &'a str,
}

/// What a table says of one key.
type Entry<'t, 'a> = (&'t Spanned<std::borrow::Cow<'a, str>>, &'t Spanned<DeValue<'a>>);

impl<'a> Source<'a> {
    pub(super) fn new(place: &'a str, text: &'a str) -> Self {
        Self { place, text }
    }

    /// All but the sinks, and the sinks as they are written.
    pub(super) fn parse<T: Deserialize<'a>>(&self) -> Result<(T, Option<Spanned<DeValue<'a>>>)> {
        let document = DeTable::parse(self.text).map_err(|e| self.mistake(&e, &DeTable::new()))?;
        let sinks = document.get_ref().get("sinks").cloned();
        Ok((self.value(document)?, sinks))
    }

    /// A table as what it is to be.
    pub(super) fn value<T: Deserialize<'a>>(&self, table: Spanned<DeTable<'a>>) -> Result<T> {
        let within = table.get_ref().clone();
        T::deserialize(table.into_deserializer()).map_err(|e| self.mistake(&e, &within))
    }

    /// An error at a place in the file.
    pub(super) fn wrong(&self, span: Range<usize>, message: &str) -> Error {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::invalid_value(format!("{}, line {line}, column {column}", self.place), message)
    }

    /// An error about a parameter, at the key of this name, or at the table where it is missing.
    pub(super) fn about(&self, error: &Error, table: &Spanned<DeTable<'a>>) -> Error {
        let (key, message) = match error.kind() {
            ErrorKind::InvalidParameter { name, message } => (name.as_str(), message.clone()),
            _ => ("", error.to_string()),
        };
        match table.get_ref().get_key_value(key) {
            Some((at, _)) => self.wrong(at.span(), &format!("`{key}`: {message}")),
            None => self.wrong(table.span(), &error.to_string()),
        }
    }

    /// What the parser found wrong, in the words of whoever wrote the file.
    fn mistake(&self, error: &toml::de::Error, within: &DeTable<'a>) -> Error {
        let message = error.message().trim();
        let span = error.span().unwrap_or_default();
        let key = key_at(within, span.start);
        let mut quoted = message.split('`').skip(1).step_by(2);
        let message = if message.starts_with("unknown field") {
            let unknown = quoted.next().unwrap_or_default();
            let known: Vec<&str> = quoted.collect();
            // The parser may point at the whole table.
            let span = within.get_key_value(unknown).map_or(span, |(at, _)| at.span());
            return self.wrong(span, &unknown_word("key", unknown, &known));
        } else if message.starts_with("unknown variant") {
            let unknown = quoted.next().unwrap_or_default();
            unknown_word("value", unknown, &quoted.collect::<Vec<_>>())
        } else if message.starts_with("missing field") {
            format!("the key `{}` is missing", quoted.next().unwrap_or_default())
        } else {
            message.replace('\n', " ")
        };
        match key {
            Some(key) if !message.contains(&format!("`{key}`")) => {
                self.wrong(span, &format!("`{key}`: {message}"))
            }
            _ => self.wrong(span, &message),
        }
    }
}

/// That a word is none of those known, which of them was probably meant, and which there are.
pub(super) fn unknown_word(what: &str, unknown: &str, known: &[&str]) -> String {
    let distance = |word: &&&str| strsim::damerau_levenshtein(unknown, word);
    let nearest = known.iter().min_by_key(distance).filter(|word| {
        let close = (unknown.chars().count() / 3).max(2);
        distance(word) <= close
    });
    let hint = nearest.map_or_else(String::new, |word| format!(", did you mean `{word}`?"));
    let all = known.join(", ");
    format!(
        "there is no {what} `{unknown}`{hint}{} {what}s are {all}",
        if hint.is_empty() { ";" } else { "" }
    )
}

/// The key whose name or value holds a place in the text.
fn key_at(table: &DeTable<'_>, place: usize) -> Option<String> {
    let within = |(key, value): Entry<'_, '_>| {
        let nested = match value.get_ref() {
            DeValue::Table(table) => key_at(table, place),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(table) => key_at(table, place),
                _ => None,
            }),
            _ => None,
        };
        nested.or_else(|| {
            let here = key.span().contains(&place) || value.span().contains(&place);
            here.then(|| key.get_ref().to_string())
        })
    };
    table.iter().find_map(within)
}
