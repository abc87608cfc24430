//! Rows in: checked one by one, stored some hundreds at a time, and never twice.

mod insert;
mod settings;
mod step;
mod time;
mod values;

use super::layout::Layout;
use super::marks::Marks;
use super::sums::{self, Summed};
use super::tiers;
use super::{SqliteStore, write};
use crate::error::Context;
use crate::transfer::{Imported, Kind, Raw, Row, RowReader, Value};
use insert::Done;
use overseer_core::{Error, Result, Sample, Span, Timestamp};
use std::collections::BTreeMap;
use step::Waiting;
use values::{at_place, in_range, missing, number, tier_of, whole, wrong};

const DOING: &str = "importing";

/// How many rows are stored in one transaction.
const AT_ONCE: usize = 1000;

impl SqliteStore {
    /// Stores every row that is not there yet.
    pub(crate) fn import_rows(
        &mut self,
        reader: &mut dyn RowReader,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Imported> {
        self.require_host(DOING)?;
        // What is imported may have features that today's schema has not any more.
        let own = self.schema.clone();
        self.see_schema(self.whole_schema());
        let done = self.import_all(reader, progress);
        self.see_schema(own);
        done
    }

    fn import_all(
        &mut self,
        reader: &mut dyn RowReader,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Imported> {
        let mut imported = Imported::default();
        let mut samples = Samples::default();
        let mut others: Vec<Row> = Vec::new();
        let mut intervals: BTreeMap<Span, u64> = BTreeMap::new();
        let mut rows: u64 = 0;
        let mut waiting = Waiting::default();
        let mut step = self.read_step()?;
        while let Some(row) = reader.next_row()? {
            rows += 1;
            match row.kind {
                Kind::Metrics => {
                    let (interval, sample) = self.sample(&row)?;
                    imported.saw(sample.timestamp, rows);
                    let Some(interval) = interval.or(step) else {
                        waiting.push(&row.place, sample);
                        if waiting.len() >= AT_ONCE {
                            step = Some(self.step_of(&mut waiting, &mut samples, &mut imported)?);
                            *intervals.entry(step.unwrap_or_default()).or_default() +=
                                AT_ONCE as u64;
                        }
                        continue;
                    };
                    if samples.must_go_before(interval, &sample) {
                        self.store_samples(&mut samples, &mut imported)?;
                    }
                    samples.push(interval, sample);
                    *intervals.entry(interval).or_default() += 1;
                }
                Kind::Settings => {
                    if self.import_setting(&row)? {
                        imported.stored += 1;
                    } else {
                        imported.duplicates += 1;
                    }
                }
                _ => others.push(row),
            }
            if others.len() >= AT_ONCE {
                self.store_others(&mut others, &mut imported)?;
            }
            if rows.is_multiple_of(AT_ONCE as u64) {
                progress(rows);
            }
        }
        if waiting.len() > 0 {
            let rest = waiting.len() as u64;
            let step = self.step_of(&mut waiting, &mut samples, &mut imported)?;
            *intervals.entry(step).or_default() += rest;
        }
        self.store_samples(&mut samples, &mut imported)?;
        self.store_others(&mut others, &mut imported)?;
        if let Some((&most, _)) = intervals.iter().max_by_key(|(_, n)| **n)
            && self.read_step()?.is_none()
        {
            self.write_step(most)?;
        }
        progress(rows);
        Ok(imported)
    }

    fn store_samples(&mut self, samples: &mut Samples, imported: &mut Imported) -> Result<()> {
        if samples.batch.is_empty() {
            return Ok(());
        }
        let done = self.append_samples(samples.interval, &samples.batch)?;
        samples.batch.clear();
        imported.stored += done.stored as u64;
        imported.duplicates += done.duplicates as u64;
        imported.blank += done.blank as u64;
        imported.late += done.late as u64;
        Ok(())
    }

    /// The step of samples that did not say it; they go with the others.
    fn step_of(
        &mut self,
        waiting: &mut Waiting,
        samples: &mut Samples,
        imported: &mut Imported,
    ) -> Result<Span> {
        let (step, all) = waiting.take()?;
        imported.assumed_step = Some(step);
        for sample in all {
            if samples.must_go_before(step, &sample) {
                self.store_samples(samples, imported)?;
            }
            samples.push(step, sample);
        }
        Ok(step)
    }

    /// A row of features, and its interval if it says it; a feature that has no column is missing.
    fn sample(&self, row: &Row) -> Result<(Option<Span>, Sample)> {
        // What this program wrote says its interval, and is taken by the letter.
        let is_ours = row.fields.iter().any(|(n, raw)| n == "interval_ms" && *raw != Raw::Null);
        let mut values = vec![f64::NAN; self.schema.len()];
        let (mut time, mut interval) = (None, None);
        for (name, raw) in &row.fields {
            match name.as_str() {
                "timestamp" if is_ours => time = Some(whole(raw, &row.place, name)?),
                "timestamp" => time = Some(time::of(raw, &row.place)?),
                "interval_ms" if !is_ours => {}
                "interval_ms" => interval = Some(whole(raw, &row.place, name)?),
                feature => {
                    let index = self.schema.index_of(feature).ok_or_else(|| {
                        Error::invalid_value(
                            format!("{}, column `{feature}`", row.place),
                            "it is no feature of this host",
                        )
                    })?;
                    values[index] = number(raw, &row.place, name)?.unwrap_or(f64::NAN);
                    if !is_ours {
                        let feature = &self.schema.features()[index];
                        in_range(values[index], feature.unit, &row.place, name)?;
                    }
                }
            }
        }
        let time = time.ok_or_else(|| missing(&row.place, "timestamp"))?;
        let interval = match interval {
            Some(ms) if ms > 0 => Some(Span::from_millis(ms)),
            Some(ms) => return Err(wrong(&row.place, "interval_ms", &format!("it is {ms}"))),
            None => None,
        };
        Ok((interval, Sample::new(Timestamp::from_millis(time), values)))
    }

    fn store_others(&mut self, rows: &mut Vec<Row>, imported: &mut Imported) -> Result<()> {
        let checked = rows
            .iter()
            .map(|row| {
                let kind = tier_of(row)?;
                let layout = self.layout(kind);
                let values = self.checked(row, kind, &layout)?;
                Ok((row.place.as_str(), kind, layout, values))
            })
            .collect::<Result<Vec<_>>>()?;
        let (path, host) = (&self.path, self.host_id);
        let (done, marks) = write(&mut self.connection, path, DOING, |transaction| {
            let mut done = Imported::default();
            let before = Marks::read(transaction, host).at(path, DOING)?;
            let mut marks = before;
            let into = insert::Into { connection: transaction, path, host, marks: &before };
            for (place, kind, layout, values) in &checked {
                let inserted = into.insert(*kind, layout, values);
                match inserted.map_err(|e| at_place(place, e))? {
                    Done::Known => done.duplicates += 1,
                    Done::Late => done.late += 1,
                    Done::Stored => {
                        into.check_readable(place, *kind, values)?;
                        done.stored += 1;
                        let Some(Value::Integer(time)) = values.first() else { continue };
                        if let Some(summed) = Summed::of_table(layout.table) {
                            sums::note_change(transaction, host, &before, summed, *time)
                                .at(path, DOING)?;
                        }
                        if *kind == Kind::Auxiliary {
                            marks.auxiliary_came(*time);
                        }
                    }
                }
            }
            marks.write(transaction, host, before).at(path, DOING)?;
            Ok((done, marks))
        })?;
        if let Some(mine) = &mut self.upkeep.marks {
            mine.auxiliary_done = marks.auxiliary_done;
        }
        drop(checked);
        rows.clear();
        imported.stored += done.stored;
        imported.duplicates += done.duplicates;
        imported.late += done.late;
        Ok(())
    }

    /// The values of a row in the order of its columns, each of the type that its column holds.
    fn checked(&self, row: &Row, kind: Kind, layout: &Layout) -> Result<Vec<Value>> {
        let known = |name: &str| layout.columns.iter().any(|c| c.name == name);
        if let Some((name, _)) = row.fields.iter().find(|(name, _)| !known(name)) {
            return Err(wrong(&row.place, name, &format!("{kind} have no such column")));
        }
        let values = layout
            .columns
            .iter()
            .map(|column| {
                let raw = row.fields.iter().find(|(name, _)| *name == column.name);
                values::checked(row, column, raw.map_or(&Raw::Null, |(_, raw)| raw))
            })
            .collect::<Result<Vec<Value>>>()?;
        values::check_together(row, kind, &values)?;
        Ok(values)
    }
}

/// Samples on their way into the database.
#[derive(Debug, Default)]
struct Samples {
    interval: Span,
    batch: Vec<Sample>,
}

impl Samples {
    /// Whether what is here must be stored first: a minute is stored in one piece, so that upkeep in between does not
    /// take its second half for something that was there before.
    fn must_go_before(&self, interval: Span, next: &Sample) -> bool {
        let minute = |s: &Sample| tiers::floor(s.timestamp.as_millis(), tiers::MINUTE);
        let Some(last) = self.batch.last() else { return false };
        let is_next_minute = minute(last) != minute(next);
        self.interval != interval
            || (self.batch.len() >= AT_ONCE && is_next_minute)
            || self.batch.len() >= 100 * AT_ONCE
    }

    fn push(&mut self, interval: Span, sample: Sample) {
        self.interval = interval;
        self.batch.push(sample);
    }
}
