//! Linux pressure stall information: for what share of the time some task waited.
//!
//! The kernel counts the stalled microseconds (`total=` in `/proc/pressure/*`, Documentation/accounting/psi.rst).
//! Their difference over the time between two readings is the ratio over exactly that time, unlike its 10-second
//! averages.

use super::files::{Files, Reason, Source, Value};
use super::rate::{MIN_SPAN, NEEDS_TWO, TOO_SOON, most_in};
use super::text::{number, whole_lines, words};
use crate::clock::Clock;
use std::time::Duration;

/// The stalled microseconds of the `some` line.
fn parse_pressure(text: &[u8]) -> Option<u64> {
    let line = whole_lines(text).find_map(|line| line.strip_prefix(b"some "))?;
    number(words(line).find_map(|word| word.strip_prefix(b"total="))?)
}

/// One resource's pressure.
#[derive(Debug)]
pub(super) struct Pressure {
    source: Source,
    previous: Option<(Duration, u64)>,
}

impl Pressure {
    /// The pressure on `resource`: `cpu`, `io` or `memory`.
    pub(super) fn new(files: &Files, resource: &str) -> Self {
        Self { source: files.source(&format!("proc/pressure/{resource}")), previous: None }
    }

    /// Forgets every reading, so that the next one is a first.
    pub(super) fn reset(&mut self) {
        self.previous = None;
    }

    /// Share of the time since the previous reading in which some task waited.
    pub(super) fn ratio(&mut self, files: &mut Files, clock: &dyn Clock) -> Value {
        let at = clock.awake();
        let total = match files.head(&mut self.source) {
            Ok(text) => parse_pressure(text).ok_or_else(|| self.source.garbled())?,
            Err(reason) => {
                self.previous = None;
                return Err(format!("the kernel does not report pressure ({reason})").into());
            }
        };
        self.update(at, total)
    }

    fn update(&mut self, at: Duration, total: u64) -> Value {
        let Some((since, before)) = self.previous else {
            self.previous = Some((at, total));
            return Err(NEEDS_TWO);
        };
        let span = at.saturating_sub(since);
        if span < MIN_SPAN {
            return Err(TOO_SOON);
        }
        self.previous = Some((at, total));
        let stalled =
            total.checked_sub(before).ok_or(Reason::Borrowed("the pressure counter restarted"))?;
        if u128::from(stalled) > most_in(span).as_micros() {
            return Err("the pressure counter jumped".into());
        }
        Ok((stalled as f64 / (1e6 * span.as_secs_f64())).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_stalled_time_over_time() {
        let text = b"some avg10=0.14 avg60=0.57 avg300=0.89 total=11346402\nfull avg10=0 total=7\n";
        assert_eq!(parse_pressure(text), Some(11_346_402));
        let mut p = Pressure::new(&Files::new("/nowhere".into()), "cpu");
        let t = Duration::from_secs(9);
        assert_eq!(p.update(t, 1_000_000), Err(NEEDS_TWO));
        assert_eq!(p.update(t + Duration::from_millis(10), 1_000_000), Err(TOO_SOON));
        assert_eq!(p.update(t + Duration::from_secs(2), 1_500_000), Ok(0.25));
        // A little more than the time that went by is rounding; much more is not.
        assert_eq!(p.update(t + Duration::from_secs(3), 2_501_000), Ok(1.0));
        let jumped = p.update(t + Duration::from_secs(4), 99_500_000);
        assert_eq!(jumped, Err("the pressure counter jumped".into()));
        assert!(p.update(t + Duration::from_secs(5), 3).is_err());
        assert_eq!(p.update(t + Duration::from_secs(6), 100_003), Ok(0.1));
        p.reset();
        assert_eq!(p.update(t + Duration::from_secs(9), 100_003), Err(NEEDS_TWO));
    }

    #[test]
    fn broken_pressure_files_say_nothing() {
        let cases =
            ["", "some total=12", "some total=x\n", "full total=3\n", "some avg10=0\n", "\0\n"];
        for text in cases {
            assert_eq!(parse_pressure(text.as_bytes()), None, "{text:?}");
        }
    }
}
