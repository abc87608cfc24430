//! How far the upkeep of a host's samples has come, kept among the settings of the installation.

use super::metadata::put_setting;
use super::sums::Summed;
use super::tiers::{self, Tier};
use rusqlite::Connection;

/// Times that split a host's history into what is summarised, what may be gone, and what is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// Every sample before this is in the tier of minutes, or its minute is noted as due.
    pub(super) minutes_done: i64,
    /// Every minute before this is in the tier of hours, or its hour is noted as due.
    pub(super) hours_done: i64,
    /// Samples before this may have been removed.
    pub(super) raw_gone: i64,
    /// Minutes before this may have been removed.
    pub(super) minutes_gone: i64,
    /// Every hour of auxiliary series before this is in their table of hours.
    pub(super) auxiliary_done: i64,
    /// Values of auxiliary series before this may have been removed.
    pub(super) auxiliary_gone: i64,
    /// When upkeep was last done.
    pub(super) upkeep_at: i64,
    /// Until when nothing expires, because the clock jumped.
    pub(super) expiry_paused_until: i64,
    /// Every span before this has its checksum, or is noted as due; in the order of [`Summed::ALL`].
    summed: [i64; Summed::ALL.len()],
}

impl Marks {
    /// Of a host of which nothing was summarised yet.
    const NONE: Self = Self {
        minutes_done: i64::MIN,
        hours_done: i64::MIN,
        raw_gone: i64::MIN,
        minutes_gone: i64::MIN,
        auxiliary_done: i64::MIN,
        auxiliary_gone: i64::MIN,
        upkeep_at: i64::MIN,
        expiry_paused_until: i64::MIN,
        summed: [i64::MIN; Summed::ALL.len()],
    };

    /// Before when every span of these rows has its checksum, or is noted as due.
    pub(super) fn summed_before(&self, kind: Summed) -> i64 {
        self.summed[kind as usize]
    }

    pub(super) fn set_summed(&mut self, kind: Summed, before: i64) {
        self.summed[kind as usize] = before;
    }

    /// A value of an auxiliary series was stored: its hour is made once more, if it was made.
    pub(super) fn auxiliary_came(&mut self, time: i64) {
        if (tiers::EARLIEST..self.auxiliary_done).contains(&time) {
            self.auxiliary_done = tiers::floor(time, tiers::HOUR);
        }
    }

    fn fields(&mut self) -> [(&'static str, &mut i64); 14] {
        let [samples, minutes, hours, anomalies, predictions, patterns] = &mut self.summed;
        [
            ("summed_system_metrics", samples),
            ("summed_metrics_1m", minutes),
            ("summed_metrics_1h", hours),
            ("summed_anomalies", anomalies),
            ("summed_predictions", predictions),
            ("summed_patterns", patterns),
            ("minutes_done", &mut self.minutes_done),
            ("hours_done", &mut self.hours_done),
            ("raw_gone", &mut self.raw_gone),
            ("minutes_gone", &mut self.minutes_gone),
            ("auxiliary_done", &mut self.auxiliary_done),
            ("auxiliary_gone", &mut self.auxiliary_gone),
            ("upkeep_at", &mut self.upkeep_at),
            ("expiry_paused_until", &mut self.expiry_paused_until),
        ]
    }

    pub(super) fn read(connection: &Connection, host: i64) -> rusqlite::Result<Self> {
        let mut marks = Self::NONE;
        let mut statement =
            connection.prepare_cached("SELECT key, value FROM installation WHERE host_id = ?")?;
        let mut rows = statement.query([host])?;
        while let Some(row) = rows.next()? {
            let key = row.get_ref(0)?.as_str()?;
            if let Some((_, field)) = marks.fields().into_iter().find(|(name, _)| *name == key) {
                *field = row.get(1)?;
            }
        }
        Ok(marks)
    }

    /// Writes what differs from `before`.
    pub(super) fn write(
        mut self,
        connection: &Connection,
        host: i64,
        mut before: Self,
    ) -> rusqlite::Result<()> {
        for ((key, new), (_, old)) in self.fields().into_iter().zip(before.fields()) {
            if new != old {
                put_setting(connection, host, key, new)?;
            }
        }
        Ok(())
    }

    /// Whether a sample of this time can no longer be told from those that were summarised and removed: its minute, or
    /// else its hour, is known, and no sample of it is there.
    pub(super) fn is_too_late(
        &self,
        connection: &Connection,
        host: i64,
        interval: i64,
        time: i64,
    ) -> rusqlite::Result<bool> {
        if time >= self.raw_gone {
            return Ok(false);
        }
        let minute = tiers::floor(time, tiers::MINUTE);
        let hour = tiers::floor(time, tiers::HOUR);
        let is_summarised = tiers::has(connection, host, Tier::Minutes, minute)?
            || (time < self.minutes_gone && tiers::has(connection, host, Tier::Hours, hour)?);
        if !is_summarised {
            return Ok(false);
        }
        let mut samples = connection.prepare_cached(
            "SELECT 1 FROM system_metrics WHERE host_id = ? AND interval_ms = ? \
             AND timestamp >= ? AND timestamp < ?",
        )?;
        Ok(!samples.exists([host, interval, minute, minute.saturating_add(tiers::MINUTE)])?)
    }
}
