//! Reading the rows of findings with an error that names table and column, for a person may have edited them.

use super::texts;
use crate::error::{Context, corrupt};
use overseer_core::{Error, Probability, Result, Timestamp};
use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row};
use serde::de::{DeserializeOwned, IntoDeserializer, value};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One row of a table, read by the names of its columns.
#[derive(Debug)]
pub(super) struct Record<'a> {
    connection: &'a Connection,
    row: &'a Row<'a>,
    path: &'a Path,
    doing: &'a str,
}

/// Every row that `sql` gives, made into a `T`.
pub(super) fn read_all<T>(
    connection: &Connection,
    path: &Path,
    doing: &str,
    sql: &str,
    params: impl Params,
    mut make: impl FnMut(&Record<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).at(path, doing)?;
    let mut rows = statement.query(params).at(path, doing)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next().at(path, doing)? {
        all.push(make(&Record { connection, row, path, doing })?);
    }
    Ok(all)
}

impl Record<'_> {
    pub(super) fn get<T: FromSql>(&self, column: &str) -> Result<T> {
        self.row.get(column).at(self.path, self.doing)
    }

    /// A text, which may be stored by the numbers in it.
    pub(super) fn text(&self, column: &str) -> Result<String> {
        texts::unpack(self.connection, self.path, self.get(column)?)
    }

    /// The same where it may be NULL, which is nothing.
    pub(super) fn optional_text(&self, column: &str) -> Result<Option<String>> {
        let stored: Option<String> = self.get(column)?;
        stored.map(|text| texts::unpack(self.connection, self.path, text)).transpose()
    }

    /// NULL is NaN.
    pub(super) fn real(&self, column: &str) -> Result<f64> {
        Ok(self.get::<Option<f64>>(column)?.unwrap_or(f64::NAN))
    }

    pub(super) fn time(&self, column: &str) -> Result<Timestamp> {
        self.get(column).map(Timestamp::from_millis)
    }

    pub(super) fn size(&self, column: &str) -> Result<usize> {
        let number: i64 = self.get(column)?;
        usize::try_from(number).map_err(|_| self.damaged(column, &"the number is negative"))
    }

    pub(super) fn probability(&self, column: &str) -> Result<Probability> {
        Probability::new(self.real(column)?).map_err(|e| self.damaged(column, &e))
    }

    /// A lower-case word of a fixed set, such as a kind or a type.
    pub(super) fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        let word: String = self.get(column)?;
        T::deserialize(IntoDeserializer::<value::Error>::into_deserializer(word.as_str()))
            .map_err(|e| self.damaged(column, &e))
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|e| self.damaged(column, &e))
    }

    /// NULL is nothing.
    pub(super) fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        let text: Option<String> = self.get(column)?;
        let read = |text: String| serde_json::from_str(&text).map_err(|e| self.damaged(column, &e));
        text.map(read).transpose()
    }

    pub(super) fn damaged(&self, column: &str, why: &dyn std::fmt::Display) -> Error {
        corrupt(self.path, &format!("column `{column}`: {why}"), self.doing)
    }
}

/// A number for a nullable column: NaN is NULL.
pub(super) fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// A number for an INTEGER column, which holds up to 2⁶³ − 1.
pub(super) fn whole(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A list as JSON; what is not finite in it becomes `null`.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::other("writing a finding as JSON", e))
}

/// A number in JSON that reads `null` as NaN, also where the finding's own type would refuse it.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Number(#[serde(with = "overseer_core::missing")] pub(super) f64);
