//! Many samples in one block of memory.

use crate::{Error, Result, Sample, Schema, Timestamp};

/// A schema and time-ordered rows of values, row-major.
///
/// Times never decrease from row to row. Values are finite or NaN (missing); infinities are refused.
#[derive(Debug, Clone)]
pub struct Frame {
    schema: Schema,
    timestamps: Vec<Timestamp>,
    values: Vec<f64>,
}

impl Frame {
    /// A frame without rows.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        Self { schema, timestamps: Vec::new(), values: Vec::new() }
    }

    /// A frame of these samples.
    ///
    /// # Errors
    /// As [`Frame::push`], for the first sample that does not fit.
    pub fn from_samples<'a>(
        schema: Schema,
        samples: impl IntoIterator<Item = &'a Sample>,
    ) -> Result<Self> {
        let mut frame = Self::new(schema);
        for sample in samples {
            frame.push(sample)?;
        }
        Ok(frame)
    }

    /// Appends a row.
    ///
    /// # Errors
    /// If the number of values is not the schema's, a value is infinite, or the time is before the last row's.
    pub fn push(&mut self, sample: &Sample) -> Result<()> {
        self.push_row(sample.timestamp, &sample.values)
    }

    /// Appends a row given as its parts.
    ///
    /// # Errors
    /// As [`Frame::push`].
    pub fn push_row(&mut self, timestamp: Timestamp, values: &[f64]) -> Result<()> {
        if values.len() != self.schema.len() {
            return Err(Error::schema_mismatch(
                format!("{} values", self.schema.len()),
                format!("{} values", values.len()),
            ));
        }
        if let Some(column) = values.iter().position(|v| v.is_infinite()) {
            return Err(Error::invalid_value(
                format!("row {}, column `{}`", self.len(), self.schema.features()[column]),
                "the value is infinite",
            ));
        }
        if self.timestamps.last().is_some_and(|&last| timestamp < last) {
            return Err(Error::invalid_value(
                format!("row {}", self.len()),
                "its time is before the row above",
            ));
        }
        self.timestamps.push(timestamp);
        self.values.extend_from_slice(values);
        Ok(())
    }

    /// What the columns are.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// When each row held.
    #[must_use]
    pub fn timestamps(&self) -> &[Timestamp] {
        &self.timestamps
    }

    /// All values, row after row: `len() * schema().len()` of them.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values of row `index`.
    ///
    /// # Panics
    /// If there is no such row, as indexing a slice does.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f64] {
        let d = self.schema.len();
        &self.values[index * d..(index + 1) * d]
    }

    /// The values of one column from the first row to the last.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn column(&self, index: usize) -> impl ExactSizeIterator<Item = f64> + '_ {
        assert!(index < self.schema.len(), "column {index} of {}", self.schema.len());
        let d = self.schema.len();
        (0..self.len()).map(move |row| self.values[row * d + index])
    }

    /// Times and rows from the first to the last.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (Timestamp, &[f64])> + '_ {
        self.timestamps.iter().copied().zip(self.values.chunks_exact(self.schema.len()))
    }

    /// The rows `from..to` as a frame of its own; bounds past the end are cut to it.
    #[must_use]
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        let d = self.schema.len();
        Self {
            schema: self.schema.clone(),
            timestamps: self.timestamps[from..to].to_vec(),
            values: self.values[from * d..to * d].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_do_not_fit_are_refused_and_named() {
        let mut f = Frame::new(Schema::from_names(["a", "b"]).unwrap());
        f.push_row(Timestamp::from_millis(10), &[1.0, f64::NAN]).unwrap();
        assert!(f.push_row(Timestamp::from_millis(11), &[1.0]).unwrap_err().is_schema_mismatch());
        let e = f.push_row(Timestamp::from_millis(11), &[1.0, f64::INFINITY]).unwrap_err();
        assert_eq!(e.to_string(), "row 1, column `b`: the value is infinite");
        assert!(f.push_row(Timestamp::from_millis(9), &[1.0, 2.0]).is_err());
        assert_eq!(f.len(), 1);
    }

    #[test]
    fn slices_and_columns_agree_with_rows() {
        let mut f = Frame::new(Schema::from_names(["a", "b"]).unwrap());
        for i in 0..5 {
            f.push_row(Timestamp::from_millis(i), &[i as f64, -(i as f64)]).unwrap();
        }
        let s = f.slice(2, 99);
        assert_eq!(s.len(), 3);
        assert_eq!(s.column(1).collect::<Vec<_>>(), [-2.0, -3.0, -4.0]);
        assert_eq!(s.row(0), [2.0, -2.0]);
    }
}
