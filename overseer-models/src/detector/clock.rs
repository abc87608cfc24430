//! Local time, asked for once in a quarter of an hour: no zone changes its clocks more often.

use overseer_core::{LocalTime, Timestamp};
use std::sync::Arc;

const QUARTER_MS: i64 = 900_000;

/// Clocks on the wall of a time zone.
#[derive(Debug, Clone)]
pub(super) struct WallClock {
    zone: Arc<dyn LocalTime>,
    /// The quarter of an hour asked for last, and how far local time was ahead of UTC in it, in milliseconds.
    known: Option<(i64, i64)>,
}

impl WallClock {
    pub(super) fn new(zone: Arc<dyn LocalTime>) -> Self {
        Self { zone, known: None }
    }

    pub(super) fn name(&self) -> &str {
        self.zone.name()
    }

    /// Milliseconds since 1970 began by these clocks.
    pub(super) fn local_ms(&mut self, at: Timestamp) -> i64 {
        let quarter = at.as_millis().div_euclid(QUARTER_MS);
        let ahead = match self.known {
            Some((known, ahead)) if known == quarter => ahead,
            _ => {
                // As of its beginning, so that it does not matter which row asks.
                let begin = Timestamp::from_millis(quarter.saturating_mul(QUARTER_MS));
                1000 * i64::from(self.zone.utc_offset_seconds(begin))
            }
        };
        self.known = Some((quarter, ahead));
        at.as_millis().saturating_add(ahead)
    }
}
