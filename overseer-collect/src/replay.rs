//! A recording as a collector: each call gives the next row of a CSV file.

use crate::csv_rows::{CsvRows, ReadOptions};
use overseer_core::{
    Collector, Error, HostInfo, MissingValue, Reading, Result, Sample, Schema, Timestamp,
};
use std::io::Read;
use std::path::Path;

/// Replays a CSV file (see [`CsvRows`] for its form) row by row.
///
/// A sample is stamped with the time that [`collect`](Collector::collect) is called with, as a collector's must be.
/// To replay the recording at its own times, call it with [`next_time`](Self::next_time):
///
/// ```
/// use overseer_collect::{CsvReplay, ReadOptions};
/// use overseer_core::Collector;
///
/// let text = "timestamp,cpu\n100,0.5\n160,0.7\n";
/// let mut replay = CsvReplay::new("example.csv", text.as_bytes(), &ReadOptions::default())?;
/// let mut seen = Vec::new();
/// while let Some(now) = replay.next_time()? {
///     let sample = replay.collect(now)?.sample;
///     seen.push((sample.timestamp.as_millis(), sample.values[0]));
/// }
/// assert_eq!(seen, [(100_000, 0.5), (160_000, 0.7)]);
/// # Ok::<(), overseer_core::Error>(())
/// ```
#[derive(Debug)]
pub struct CsvReplay {
    rows: CsvRows<'static>,
    schema: Schema,
    /// The row to come with its line, read ahead when its time was asked for.
    ahead: Option<(u64, Sample)>,
}

impl CsvReplay {
    /// Opens a file.
    ///
    /// # Errors
    /// As [`CsvRows::open`].
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        Ok(Self::of(CsvRows::open(path, options)?))
    }

    /// Replays what `reader` gives, called `name` in errors.
    ///
    /// # Errors
    /// As [`CsvRows::new`].
    pub fn new(
        name: impl Into<String>,
        reader: impl Read + Send + 'static,
        options: &ReadOptions,
    ) -> Result<Self> {
        Ok(Self::of(CsvRows::new(name, reader, options)?))
    }

    fn of(rows: CsvRows<'static>) -> Self {
        Self { schema: rows.schema().clone(), rows, ahead: None }
    }

    /// When the row to come was recorded; `None` at the end.
    ///
    /// # Errors
    /// If the row to come cannot be read.
    pub fn next_time(&mut self) -> Result<Option<Timestamp>> {
        if self.ahead.is_none()
            && let Some(row) = self.rows.next()
        {
            self.ahead = Some((self.rows.line(), row?));
        }
        Ok(self.ahead.as_ref().map(|(_, sample)| sample.timestamp))
    }
}

impl Collector for CsvReplay {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        self.next_time()?;
        let Some((line, sample)) = self.ahead.take() else {
            return Err(Error::unavailable(self.rows.name(), "the recording has ended"));
        };
        let mut reading = Reading::new(Sample::new(now, sample.values));
        for (feature, value) in self.schema.features().iter().zip(&reading.sample.values) {
            if value.is_nan() {
                let reason = format!("line {line} of the recording has no value");
                reading.missing.push(MissingValue::new(feature.name.as_str(), reason));
            }
        }
        Ok(reading)
    }

    fn host(&self) -> HostInfo {
        let mut info = HostInfo::default();
        info.name = self.rows.name().to_owned();
        info
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(text: &'static str) -> CsvReplay {
        CsvReplay::new("f.csv", text.as_bytes(), &ReadOptions::default()).unwrap()
    }

    #[test]
    fn a_sample_is_stamped_with_the_callers_time_and_gaps_have_reasons() {
        let mut r = replay("timestamp,a,b\n1,2,\n");
        let reading = r.collect(Timestamp::from_millis(77)).unwrap();
        assert_eq!(reading.sample.timestamp.as_millis(), 77);
        assert_eq!(reading.missing.len(), 1);
        assert_eq!(reading.missing[0].feature, "b");
        assert!(reading.missing[0].reason.contains("line 2"));
        assert_eq!(r.host().name, "f.csv");
    }

    #[test]
    fn the_end_is_an_error_and_stays_one() {
        let mut r = replay("timestamp,a\n1,2\n");
        r.collect(Timestamp::default()).unwrap();
        assert_eq!(r.next_time().unwrap(), None);
        for _ in 0..2 {
            let e = r.collect(Timestamp::default()).unwrap_err();
            assert_eq!(e.to_string(), "f.csv is unavailable: the recording has ended");
        }
    }

    #[test]
    fn a_wrong_row_is_an_error_where_it_stands() {
        let mut r = replay("timestamp,a\n1,2\n2,x\n");
        r.collect(Timestamp::default()).unwrap();
        assert!(r.next_time().unwrap_err().to_string().contains("line 3"));
        assert_eq!(r.next_time().unwrap(), None);
    }
}
