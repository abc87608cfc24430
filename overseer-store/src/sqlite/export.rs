//! Rows out, one after the other, from one snapshot of the database.

use super::layout::{Layout, is_packed};
use super::{SqliteStore, texts};
use crate::error::Context;
use crate::transfer::{Column, Kind, RowWriter, Selection, Type, Value};
use overseer_core::Result;
use rusqlite::params;
use rusqlite::types::ValueRef;

const DOING: &str = "exporting";

/// How often progress is told.
const ROWS_BETWEEN: u64 = 1000;

impl SqliteStore {
    /// Writes every selected row, kind after kind, the oldest first.
    pub(crate) fn export_rows(
        &self,
        selection: &Selection,
        writer: &mut dyn RowWriter,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64> {
        let path = &self.path;
        let _snapshot = self.connection.unchecked_transaction().at(path, DOING)?;
        let range = params![self.host_id, selection.from.as_millis(), selection.to.as_millis()];
        let mut total: u64 = 0;
        for &kind in &selection.kinds {
            let Layout { from, time, .. } = self.layout(kind);
            let sql = format!(
                "SELECT count(*) FROM {from} WHERE host_id = ?1 AND {time} BETWEEN ?2 AND ?3"
            );
            let rows: i64 =
                self.connection.query_row(&sql, range, |row| row.get(0)).at(path, DOING)?;
            total += rows.unsigned_abs();
        }
        progress(0, total);
        let mut done: u64 = 0;
        let mut values = Vec::new();
        for &kind in &selection.kinds {
            let layout = self.layout(kind);
            writer.begin(kind, &layout.columns)?;
            let Layout { from, time, order, .. } = &layout;
            let sql = format!(
                "SELECT {} FROM {from} WHERE host_id = ?1 AND {time} BETWEEN ?2 AND ?3 ORDER BY {order}",
                layout.sources.join(", ")
            );
            let mut statement = self.connection.prepare(&sql).at(path, DOING)?;
            let mut rows = statement.query(range).at(path, DOING)?;
            while let Some(row) = rows.next().at(path, DOING)? {
                values.clear();
                for (i, column) in layout.columns.iter().enumerate() {
                    let value = row.get_ref(i).at(path, DOING)?;
                    values.push(self.value(kind, column, value)?);
                }
                writer.row(&values)?;
                done += 1;
                if done.is_multiple_of(ROWS_BETWEEN) {
                    progress(done, total);
                }
            }
        }
        progress(done, total);
        Ok(done)
    }

    fn value(&self, kind: Kind, column: &Column, value: ValueRef<'_>) -> Result<Value> {
        let text = |bytes: &[u8]| -> Result<String> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if !is_packed(kind, &column.name) {
                return Ok(text);
            }
            texts::unpack(&self.connection, &self.path, text)
        };
        Ok(match (column.holds, value) {
            (_, ValueRef::Null) => Value::Null,
            (Type::Real, ValueRef::Integer(n)) => Value::Real(n as f64),
            (_, ValueRef::Integer(n)) => Value::Integer(n),
            (_, ValueRef::Real(x)) if x.is_finite() => Value::Real(x),
            (_, ValueRef::Real(_)) => Value::Null,
            (Type::Json, ValueRef::Text(bytes)) => Value::Json(text(bytes)?),
            (_, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Value::Text(text(bytes)?),
        })
    }
}
