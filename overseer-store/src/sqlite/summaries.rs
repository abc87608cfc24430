//! Reading summaries: from the coarsest tier that serves the resolution, and where that ends, from the finer ones.

use super::SqliteStore;
use super::marks::Marks;
use super::metrics::quoted;
use super::tiers::{self, Tier};
use super::upkeep;
use crate::error::Context;
use overseer_core::{Error, Result, Summary, SummaryBuilder, SummaryCell, SummaryQuery, Timestamp};
use rusqlite::{Row, params};

const DOING: &str = "reading summaries";

/// Where a part of the history is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Samples,
    Tier(Tier),
}

impl SqliteStore {
    pub(super) fn read_summary(&self, query: &SummaryQuery) -> Result<Summary> {
        let features = self.chosen(&query.features)?;
        let mut builder = SummaryBuilder::new(features.clone(), query.resolution);
        // One snapshot, for a sample moves from one tier to the next meanwhile.
        let snapshot = self.connection.unchecked_transaction().at(&self.path, DOING)?;
        let marks = Marks::read(&snapshot, self.host_id).at(&self.path, DOING)?;
        let (from, to) = (query.from.as_millis(), query.to.as_millis().saturating_add(1));
        for (source, from, to) in parts(&marks, query.resolution.as_millis(), from, to) {
            match source {
                Source::Samples => self.add_samples(&mut builder, &features, (from, to))?,
                Source::Tier(tier) => self.add_tier(&mut builder, &features, tier, (from, to))?,
            }
        }
        Ok(builder.build())
    }

    /// The features asked for, each as it is spelt in the schema.
    fn chosen(&self, wanted: &[String]) -> Result<Vec<String>> {
        let all = || self.schema.features().iter().map(|f| f.name.clone());
        if wanted.is_empty() {
            return Ok(all().collect());
        }
        match wanted.iter().find(|name| self.schema.index_of(name).is_none()) {
            None => Ok(wanted.to_vec()),
            Some(unknown) => Err(Error::invalid_parameter(
                "features",
                format!("`{unknown}` is not one of {}", all().collect::<Vec<_>>().join(", ")),
            )),
        }
    }

    fn add_samples(
        &self,
        builder: &mut SummaryBuilder,
        features: &[String],
        (from, to): (i64, i64),
    ) -> Result<()> {
        let columns = self.columns_or_null(features, |feature| vec![quoted(feature)]);
        let sql = format!(
            "SELECT timestamp{columns} FROM system_metrics WHERE host_id = ? AND interval_ms = ? \
             AND timestamp >= ? AND timestamp < ?"
        );
        for interval in upkeep::intervals(&self.connection, self.host_id).at(&self.path, DOING)? {
            let mut statement = self.connection.prepare_cached(&sql).at(&self.path, DOING)?;
            let mut rows =
                statement.query(params![self.host_id, interval, from, to]).at(&self.path, DOING)?;
            while let Some(row) = rows.next().at(&self.path, DOING)? {
                let cells = (0..features.len()).map(|i| real(row, 1 + i).map(SummaryCell::of));
                let cells = cells.collect::<rusqlite::Result<Vec<_>>>().at(&self.path, DOING)?;
                builder.add(time(row).at(&self.path, DOING)?, cells);
            }
        }
        Ok(())
    }

    fn add_tier(
        &self,
        builder: &mut SummaryBuilder,
        features: &[String],
        tier: Tier,
        (from, to): (i64, i64),
    ) -> Result<()> {
        let columns = self.columns_or_null(features, |feature| tiers::four(feature).to_vec());
        let sql = format!(
            "SELECT timestamp{columns} FROM {} WHERE host_id = ? AND timestamp >= ? \
             AND timestamp < ? ORDER BY timestamp",
            tier.table()
        );
        // The minute or hour in which the range begins belongs to it.
        let from = tiers::floor(from, tier.width());
        let mut statement = self.connection.prepare_cached(&sql).at(&self.path, DOING)?;
        let mut rows = statement.query([self.host_id, from, to]).at(&self.path, DOING)?;
        while let Some(row) = rows.next().at(&self.path, DOING)? {
            let cells = (0..features.len()).map(|i| {
                let at = |part: usize| 1 + 4 * i + part;
                let count: Option<i64> = row.get(at(3))?;
                let count = count.unwrap_or(0).unsigned_abs();
                Ok(SummaryCell::new(real(row, at(0))?, real(row, at(1))?, real(row, at(2))?, count))
            });
            let cells = cells.collect::<rusqlite::Result<Vec<_>>>().at(&self.path, DOING)?;
            builder.add(time(row).at(&self.path, DOING)?, cells);
        }
        Ok(())
    }

    /// The columns of each feature, or as many NULLs where the database does not know it.
    fn columns_or_null(
        &self,
        features: &[String],
        columns: impl Fn(&String) -> Vec<String>,
    ) -> String {
        let mut list = String::new();
        for feature in features {
            let is_there = self.features.iter().any(|f| f.eq_ignore_ascii_case(feature));
            for column in columns(feature) {
                list.push_str(", ");
                list.push_str(if is_there { &column } else { "NULL" });
            }
        }
        list
    }
}

fn time(row: &Row<'_>) -> rusqlite::Result<Timestamp> {
    row.get(0).map(Timestamp::from_millis)
}

fn real(row: &Row<'_>, column: usize) -> rusqlite::Result<f64> {
    Ok(row.get::<_, Option<f64>>(column)?.unwrap_or(f64::NAN))
}

/// What to read from where, from `from` to before `to`, in the order of time: the coarsest source that is no coarser
/// than `resolution`; a coarser one where finer rows are gone, and a finer one where the coarser is not made yet.
fn parts(marks: &Marks, resolution: i64, from: i64, to: i64) -> Vec<(Source, i64, i64)> {
    let hours = Source::Tier(Tier::Hours);
    let minutes = Source::Tier(Tier::Minutes);
    // From when on each source is complete, and until when.
    let (minutes_from, samples_from) = (marks.minutes_gone, marks.raw_gone);
    let ends = if resolution >= tiers::HOUR {
        [(hours, marks.hours_done), (minutes, marks.minutes_done)]
    } else if resolution >= tiers::MINUTE {
        [(hours, minutes_from), (minutes, marks.minutes_done)]
    } else {
        [(hours, minutes_from.min(samples_from)), (minutes, samples_from)]
    };
    let mut all = Vec::new();
    let mut at = from;
    for (source, end) in ends.into_iter().chain([(Source::Samples, i64::MAX)]) {
        let end = end.min(to);
        if at < end {
            all.push((source, at, end));
            at = end;
        }
    }
    all
}
