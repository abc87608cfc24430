//! A recording as a collector: each call gives its next row.

use crate::csv_rows::{CsvRows, ReadOptions};
use overseer_core::{
    Collector, Error, Frame, HostInfo, MissingValue, Origin, Reading, Result, Sample, Schema,
    Timestamp,
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
        Ok(recorded(now, sample.values, &self.schema, |at| format!("line {line} {at}")))
    }

    fn host(&self) -> HostInfo {
        let mut info = HostInfo::default();
        info.name = self.rows.name().to_owned();
        info
    }
}

/// A row of a recording as a reading; `said` puts the place before what is said of a missing value.
fn recorded(
    now: Timestamp,
    values: Vec<f64>,
    schema: &Schema,
    said: impl Fn(&str) -> String,
) -> Reading {
    let mut reading = Reading::new(Sample::new(now, values));
    reading.origin = Origin::Recording;
    for (feature, value) in schema.features().iter().zip(&reading.sample.values) {
        if value.is_nan() {
            let reason = said("of the recording has no value");
            reading.missing.push(MissingValue::new(feature.name.as_str(), reason));
        }
    }
    reading
}

/// Replays a frame row by row, whatever form it was read from (see [`read_frame`](crate::read_frame)).
///
/// As with [`CsvReplay`] a sample is stamped with the caller's time.
#[derive(Debug)]
pub struct FrameReplay {
    name: String,
    frame: Frame,
    next: usize,
}

impl FrameReplay {
    /// Replays `frame`, called `name` in errors and as the host.
    pub fn new(name: impl Into<String>, frame: Frame) -> Self {
        Self { name: name.into(), frame, next: 0 }
    }

    /// When the row to come was recorded; `None` at the end.
    #[must_use]
    pub fn next_time(&self) -> Option<Timestamp> {
        self.frame.timestamps().get(self.next).copied()
    }
}

impl Collector for FrameReplay {
    fn schema(&self) -> &Schema {
        self.frame.schema()
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        if self.next >= self.frame.len() {
            return Err(Error::unavailable(&self.name, "the recording has ended"));
        }
        let values = self.frame.row(self.next).to_vec();
        self.next += 1;
        let row = self.next;
        Ok(recorded(now, values, self.frame.schema(), |at| format!("row {row} {at}")))
    }

    fn host(&self) -> HostInfo {
        let mut info = HostInfo::default();
        info.name.clone_from(&self.name);
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
    fn a_frame_is_replayed_as_it_was_recorded() {
        let text = "{\"timestamp\":1,\"a\":2}\n{\"timestamp\":4,\"a\":null}\n";
        let options = ReadOptions::default();
        let frame = crate::read_frame_from("f.jsonl", text.as_bytes(), &options).unwrap();
        let mut replay = FrameReplay::new("f.jsonl", frame);
        let mut seen = Vec::new();
        while let Some(time) = replay.next_time() {
            seen.push(replay.collect(time).unwrap());
        }
        assert_eq!(seen[0].sample, Sample::new(Timestamp::from_millis(1000), vec![2.0]));
        assert_eq!(seen[0].origin, Origin::Recording);
        assert_eq!(seen[1].missing[0].reason, "row 2 of the recording has no value");
        let end = replay.collect(Timestamp::default()).unwrap_err();
        assert_eq!(end.to_string(), "f.jsonl is unavailable: the recording has ended");
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
