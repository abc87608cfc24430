//! Reading the configuration file so that a mistake is told with its file, its line, its key, and what would be right.

use overseer_engine::core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file and its text, to which mistakes are traced back.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    place: &'a str,
    text: &'a str,
    /// Keys that may stand in a table beside those of what is read from it.
    beside: &'static [&'static str],
}

/// What a table says of one key.
type Entry<'t, 'a> = (&'t Spanned<std::borrow::Cow<'a, str>>, &'t Spanned<DeValue<'a>>);

impl<'a> Source<'a> {
    pub(super) fn new(place: &'a str, text: &'a str) -> Self {
        Self { place, text, beside: &[] }
    }

    /// The same for tables in which these keys were read before.
    pub(super) fn beside(self, keys: &'static [&'static str]) -> Self {
        Self { beside: keys, ..self }
    }

    /// The file as a table, for what is said of its keys later, and as what it is to be.
    pub(super) fn parse<T: Deserialize<'a>>(&self) -> Result<(Spanned<DeTable<'a>>, T)> {
        let table = DeTable::parse(self.text).map_err(|e| self.mistake(&e, &DeTable::new()))?;
        let value = self.value(table.clone())?;
        Ok((table, value))
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
        let ErrorKind::InvalidParameter { name, message } = error.kind() else {
            return self.wrong(table.span(), &error.to_string());
        };
        // A key of a table within is written with that table's: `actions.allow`.
        let (mut within, mut span) = (Some(table.get_ref()), table.span());
        for part in name.split('.') {
            let Some((key, value)) = within.and_then(|t| t.get_key_value(part)) else { break };
            span = key.span();
            within = value.get_ref().as_table();
        }
        self.wrong(span, &format!("`{name}`: {message}"))
    }

    /// What the parser found wrong, in the words of whoever wrote the file.
    fn mistake(&self, error: &toml::de::Error, within: &DeTable<'a>) -> Error {
        // The value's own error names its parameter, which here is the key.
        let message = error.message().trim();
        let message = message
            .strip_prefix("parameter `")
            .map_or(message, |rest| rest.split_once("`: ").map_or(message, |(_, message)| message));
        let span = error.span().unwrap_or_default();
        let key = key_at(within, span.start);
        let mut quoted = message.split('`').skip(1).step_by(2);
        let message = if message.starts_with("unknown field") {
            let unknown = quoted.next().unwrap_or_default();
            let known: Vec<&str> = self.beside.iter().copied().chain(quoted).collect();
            // The parser may point at the whole table.
            let span = within.get_key_value(unknown).map_or(span, |(at, _)| at.span());
            return self.wrong(span, &unknown_word("key", unknown, &known));
        } else if message.starts_with("unknown variant") {
            let unknown = quoted.next().unwrap_or_default();
            unknown_word("value", unknown, &quoted.collect::<Vec<_>>())
        } else if message.starts_with("missing field") {
            format!("the key `{}` is missing", quoted.next().unwrap_or_default())
        } else {
            let accepted = key.as_deref().and_then(accepted);
            let is_of_wrong_type = ["invalid type", "invalid value", "wanted"];
            let accepted =
                accepted.filter(|_| is_of_wrong_type.iter().any(|w| message.contains(w)));
            accepted.map_or_else(|| plain(message), |accepted| format!("write {accepted}"))
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
        distance(word) <= close || (unknown.len() > 2 && word.starts_with(unknown))
    });
    let known = known.join(", ");
    match nearest {
        Some(word) => {
            format!("there is no {what} `{unknown}`, did you mean `{word}`? There are {known}")
        }
        None => format!("there is no {what} `{unknown}`; there are {known}"),
    }
}

/// What the value of a key must look like, where its type alone does not say it.
fn accepted(key: &str) -> Option<&'static str> {
    let last = key.rsplit('.').next().unwrap_or(key);
    Some(match last {
        "every" | "keep-samples" | "keep-minutes" | "keep-hours" | "keep-findings"
        | "min-duration" | "remind-every" | "watch-for" | "timeout" | "resend-every" => {
            "a text of a number and a unit, such as \"500ms\", \"5s\", \"30m\", \"2h\" or \"1d\""
        }
        "max-database-size" | "max-detector-size" => {
            "a text of a number and a unit, such as \"500MB\" or \"2GiB\""
        }
        "alarm-budget" => {
            "a text of a number of alerts per hour, day, week or month, such as \"1/week\""
        }
        "host-name" => "the name by which this host's history is kept, such as \"web-1\"",
        "time-zone" => "the name of a time zone, such as \"Europe/Berlin\" or \"UTC\"",
        "auto" => "\"daily\" or \"off\"",
        "format" => "\"generic\" or \"slack\"",
        "tls" => "\"implicit\", \"starttls\" or \"none\"",
        "port" => "a whole number from 0 to 65535",
        "history-samples" | "history-anomalies" | "keep-models" => "a whole number, not below zero",
        "allow" => "a list of actions, such as [\"nice\", \"dirty-ratio\"]",
        "command" => "a list of a program and its arguments, such as [\"/usr/bin/page\", \"ops\"]",
        "to" => "a list of addresses, such as [\"ops@example.org\"]",
        _ => return None,
    })
}

/// The words of whoever reads a configuration, not of Rust.
fn plain(message: &str) -> String {
    let words = [
        ("expected usize", "expected a whole number, not below zero"),
        ("expected a sequence", "expected a list in brackets"),
        ("expected path string", "expected a text in quotes"),
        ("expected a string", "expected a text in quotes"),
        ("expected a map", "expected a table"),
        ("\n", " "),
    ];
    words.iter().fold(message.to_owned(), |text, (rust, plain)| text.replace(rust, plain))
}

/// The key whose name or value holds a place in the text, after those of the tables that it is in.
fn key_at(table: &DeTable<'_>, place: usize) -> Option<String> {
    let within = |(key, value): Entry<'_, '_>| {
        let nested = match value.get_ref() {
            DeValue::Table(table) => {
                key_at(table, place).map(|inner| format!("{}.{inner}", key.get_ref()))
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[allow(dead_code, reason = "only what is wrong is of interest")]
    struct Some {
        data_dir: Option<String>,
        samples: Option<usize>,
        mode: Option<Mode>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        Daily,
        Off,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only what is wrong is of interest")]
    struct Inner {
        path: String,
    }

    fn mistake(text: &str) -> String {
        Source::new("o.toml", text).parse::<Some>().unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_names_file_line_key_and_what_would_be_right() {
        for (text, said) in [
            (
                "# x\ndata-dri = \"/x\"",
                "o.toml, line 2, column 1: there is no key `data-dri`, did you mean `data-dir`? \
                 There are data-dir, samples, mode, inner",
            ),
            (
                "zebra = 1",
                "o.toml, line 1, column 1: there is no key `zebra`; there are data-dir, samples, \
                 mode, inner",
            ),
            (
                "mode = \"of\"",
                "o.toml, line 1, column 8: `mode`: there is no value `of`, did you mean `off`? \
                 There are daily, off",
            ),
            (
                "\n\nsamples = \"x\"",
                "o.toml, line 3, column 11: `samples`: invalid type: string \"x\", expected a whole \
                 number, not below zero",
            ),
            ("[inner]\nway = 1", "o.toml, line 2, column 1: there is no key `way`; there are path"),
            (
                "samples = 1\n[inner]",
                "o.toml, line 2, column 1: `inner`: the key `path` is missing",
            ),
            (
                "[inner]\npath = 5",
                "`inner.path`: invalid type: integer `5`, expected a text in quotes",
            ),
            ("mode = \"", "o.toml, line 1"),
            ("samples = 1\nsamples = 2", "o.toml, line 2, column 1: duplicate key"),
        ] {
            let e = mistake(text);
            assert!(e.contains(said), "{text:?} gives\n{e}\nand not\n{said}");
            assert!(e.starts_with("o.toml, line "), "{e}");
        }
    }

    #[test]
    fn columns_count_characters() {
        let e = mistake("data-dir = \"ü\"\nmode = \"ü\" # ü");
        assert!(e.contains("line 2, column 8"), "{e}");
    }
}
