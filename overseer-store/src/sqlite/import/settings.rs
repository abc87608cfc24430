//! Settings in: what only an installation knows that has none of its own.

use super::values::{at_place, wrong};
use crate::sqlite::{SqliteStore, metrics, tiers};
use crate::transfer::{Raw, Row};
use overseer_core::{Feature, Result, Schema, Span, Unit};

impl SqliteStore {
    /// Stores and reads samples with the features of `schema` from now on.
    pub(super) fn see_schema(&mut self, schema: Schema) {
        self.sql = metrics::Statements::new(&schema, &self.features);
        self.schema = schema;
    }

    /// Whether the setting was news: a step where there is none, a feature that has no column.
    pub(super) fn import_setting(&mut self, row: &Row) -> Result<bool> {
        let text = |name: &str| match row.fields.iter().find(|(n, _)| n == name) {
            Some((_, Raw::Text(text))) => Ok(text.as_str()),
            _ => Err(wrong(&row.place, name, "this is not a text")),
        };
        if let Some((name, _)) = row.fields.iter().find(|(n, _)| n != "setting" && n != "value") {
            return Err(wrong(&row.place, name, "settings have no such column"));
        }
        let value = text("value")?;
        match text("setting")? {
            "step_ms" => {
                let step = value.parse().ok().filter(|ms: &i64| *ms > 0);
                let step = step.ok_or_else(|| {
                    wrong(&row.place, "value", &format!("`{value}` is no step in milliseconds"))
                })?;
                if self.read_step()?.is_some() {
                    return Ok(false);
                }
                self.write_step(Span::from_millis(step))?;
                Ok(true)
            }
            "feature" => self.add_feature(value).map_err(|e| at_place(&row.place, e)),
            other => {
                let why = format!("`{other}` is not one of step_ms, feature");
                Err(wrong(&row.place, "setting", &why))
            }
        }
    }

    /// Makes columns for a feature that has none, as if a schema had had it once.
    fn add_feature(&mut self, name: &str) -> Result<bool> {
        if self.features.iter().any(|f| f.eq_ignore_ascii_case(name)) {
            return Ok(false);
        }
        let mut features = self.schema.features().to_vec();
        features.push(Feature::new(name, Unit::Unknown));
        let schema = Schema::new(features)?;
        metrics::check_names(&schema)?;
        let path = self.path.clone();
        let columns = metrics::ensure_columns(&mut self.connection, &path, &schema)?;
        tiers::ensure_columns(&mut self.connection, &path, &columns)?;
        self.see_columns(columns);
        self.see_schema(schema);
        Ok(true)
    }
}
