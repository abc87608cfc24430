//! Apache Parquet: a column a column, uncompressed, in groups of rows, so that memory stays bounded.

use super::{Column, Kind, Raw, Row, RowReader, RowWriter, Type, Value, kind_of};
use overseer_core::{Error, Result};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::{Type as Schema, TypePtr};
use std::fs::File;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// How many rows wait in memory for their group to be written.
const ROWS_A_GROUP: usize = 10_000;

pub(super) struct ParquetWriter<W: Write + Send> {
    name: String,
    /// Taken when the columns are known.
    to: Option<W>,
    writer: Option<SerializedFileWriter<W>>,
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl<W: Write + Send> ParquetWriter<W> {
    pub(super) fn new(name: &str, to: W) -> Self {
        let (columns, rows) = (Vec::new(), Vec::new());
        Self { name: name.to_owned(), to: Some(to), writer: None, columns, rows }
    }

    fn failed(&self, e: ParquetError) -> Error {
        Error::other(format!("writing {}", self.name), e)
    }

    fn write_group(&mut self) -> Result<()> {
        let Some(writer) = self.writer.as_mut().filter(|_| !self.rows.is_empty()) else {
            return Ok(());
        };
        let done = group(writer, &self.columns, &self.rows);
        self.rows.clear();
        done.map_err(|e| self.failed(e))
    }
}

fn group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &[Column],
    rows: &[Vec<Value>],
) -> parquet::errors::Result<()> {
    let mut group = writer.next_row_group()?;
    let mut index = 0;
    while let Some(mut column) = group.next_column()? {
        let values = || rows.iter().map(|row| &row[index]);
        let levels: Vec<i16> = values().map(|v| i16::from(*v != Value::Null)).collect();
        let levels = columns[index].nullable.then_some(levels.as_slice());
        match columns[index].holds {
            Type::Integer => {
                let known = values().filter_map(|v| match v {
                    Value::Integer(n) => Some(*n),
                    _ => None,
                });
                let known: Vec<i64> = known.collect();
                column.typed::<Int64Type>().write_batch(&known, levels, None)?;
            }
            Type::Real => {
                let known = values().filter_map(|v| match v {
                    Value::Real(x) => Some(*x),
                    _ => None,
                });
                let known: Vec<f64> = known.collect();
                column.typed::<DoubleType>().write_batch(&known, levels, None)?;
            }
            Type::Text | Type::Json => {
                let known = values().filter_map(|v| match v {
                    Value::Text(text) | Value::Json(text) => Some(ByteArray::from(text.as_str())),
                    _ => None,
                });
                let known: Vec<ByteArray> = known.collect();
                column.typed::<ByteArrayType>().write_batch(&known, levels, None)?;
            }
        }
        column.close()?;
        index += 1;
    }
    group.close().map(drop)
}

fn schema(columns: &[Column]) -> parquet::errors::Result<TypePtr> {
    let fields = columns.iter().map(|column| {
        let (physical, logical) = match column.holds {
            Type::Integer => (Physical::INT64, None),
            Type::Real => (Physical::DOUBLE, None),
            Type::Text | Type::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        Schema::primitive_type_builder(&column.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<parquet::errors::Result<Vec<_>>>()?;
    Schema::group_type_builder("overseer").with_fields(fields).build().map(Arc::new)
}

impl<W: Write + Send> RowWriter for ParquetWriter<W> {
    fn begin(&mut self, _: Kind, columns: &[Column]) -> Result<()> {
        let Some(to) = self.to.take() else {
            return Err(Error::unsupported("a second kind in one file of Parquet"));
        };
        columns.clone_into(&mut self.columns);
        let properties = Arc::new(WriterProperties::builder().build());
        let writer = schema(columns).and_then(|s| SerializedFileWriter::new(to, s, properties));
        self.writer = Some(writer.map_err(|e| self.failed(e))?);
        Ok(())
    }

    fn row(&mut self, values: &[Value]) -> Result<()> {
        self.rows.push(values.to_vec());
        if self.rows.len() >= ROWS_A_GROUP { self.write_group() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<()> {
        self.write_group()?;
        match self.writer.take().map(SerializedFileWriter::close) {
            Some(Err(e)) => Err(self.failed(e)),
            _ => Ok(()),
        }
    }
}

/// Reads by the library, which asserts some of what a file claims: a damaged one must be an error and not the end.
fn guarded<T>(place: &str, read: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T> {
    match std::panic::catch_unwind(AssertUnwindSafe(read)) {
        Ok(done) => done.map_err(|e| Error::invalid_value(place, e.to_string())),
        Err(_) => Err(Error::invalid_value(place, "the file is damaged")),
    }
}

pub(super) struct ParquetReader {
    name: String,
    kind: Kind,
    rows: RowIter<'static>,
    row: u64,
}

impl ParquetReader {
    pub(super) fn new(name: &str, file: File) -> Result<Self> {
        let reader = guarded(name, || SerializedFileReader::new(file))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let kind = kind_of(schema.columns().iter().map(|c| c.name()), name)?;
        let rows = guarded(name, || Ok(reader.into_iter()))?;
        Ok(Self { name: name.to_owned(), kind, rows, row: 0 })
    }
}

impl RowReader for ParquetReader {
    fn next_row(&mut self) -> Result<Option<Row>> {
        self.row += 1;
        let place = format!("{}, row {}", self.name, self.row);
        let Some(row) = guarded(&place, || self.rows.next().transpose())? else { return Ok(None) };
        let fields = row.get_column_iter().map(|(name, field)| {
            let raw = match field {
                Field::Null => Raw::Null,
                Field::Byte(n) => Raw::Integer((*n).into()),
                Field::Short(n) => Raw::Integer((*n).into()),
                Field::Int(n) => Raw::Integer((*n).into()),
                Field::Long(n) | Field::TimestampMillis(n) => Raw::Integer(*n),
                Field::TimestampMicros(n) => Raw::Integer(n.div_euclid(1000)),
                Field::Bool(b) => Raw::Integer((*b).into()),
                Field::Float(x) => Raw::Real((*x).into()),
                Field::Double(x) => Raw::Real(*x),
                Field::Str(text) => Raw::Text(text.clone()),
                other => {
                    let why = format!("a value of the kind `{other:?}` cannot be imported");
                    return Err(Error::invalid_value(format!("{place}, column `{name}`"), why));
                }
            };
            Ok((name.clone(), raw))
        });
        let fields = fields.collect::<Result<_>>()?;
        Ok(Some(Row { place, kind: self.kind, fields }))
    }
}
