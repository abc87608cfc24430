//! Linux pressure stall information: for what share of the time some task waited.
//!
//! The kernel counts the stalled microseconds (`total=` in `/proc/pressure/*`, Documentation/accounting/psi.rst).
//! Their difference over the time between two readings is the ratio over exactly that time, unlike its 10-second
//! averages.

use super::files::{Files, Reason, Value, garbled, whole_lines};
use super::rate::{MIN_SPAN, NEEDS_TWO, TOO_SOON};
use std::path::PathBuf;
use std::time::Instant;

/// The stalled microseconds of the `some` line.
fn parse_pressure(text: &str) -> Option<u64> {
    whole_lines(text)
        .find_map(|line| line.strip_prefix("some "))?
        .split_ascii_whitespace()
        .find_map(|word| word.strip_prefix("total="))?
        .parse()
        .ok()
}

/// One resource's pressure.
#[derive(Debug)]
pub(super) struct Pressure {
    path: PathBuf,
    previous: Option<(Instant, u64)>,
}

impl Pressure {
    /// The pressure on `resource`: `cpu`, `io` or `memory`.
    pub(super) fn new(files: &Files, resource: &str) -> Self {
        Self { path: files.path(&format!("proc/pressure/{resource}")), previous: None }
    }

    /// Share of the time since the previous reading in which some task waited.
    pub(super) fn ratio(&mut self, files: &mut Files) -> Value {
        let at = Instant::now();
        let total = match files.head(&self.path, 1024) {
            Ok(text) => parse_pressure(&text).ok_or_else(|| garbled(&self.path))?,
            Err(reason) => {
                self.previous = None;
                return Err(format!("the kernel does not report pressure ({reason})").into());
            }
        };
        self.update(at, total)
    }

    fn update(&mut self, at: Instant, total: u64) -> Value {
        let Some((since, before)) = self.previous else {
            self.previous = Some((at, total));
            return Err(NEEDS_TWO);
        };
        let span = at.saturating_duration_since(since);
        if span < MIN_SPAN {
            return Err(TOO_SOON);
        }
        self.previous = Some((at, total));
        let stalled =
            total.checked_sub(before).ok_or(Reason::Borrowed("the pressure counter restarted"))?;
        Ok((stalled as f64 / (1e6 * span.as_secs_f64())).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_ratio_is_stalled_time_over_time() {
        let text = "some avg10=0.14 avg60=0.57 avg300=0.89 total=11346402\nfull avg10=0 total=7\n";
        assert_eq!(parse_pressure(text), Some(11_346_402));
        let mut p = Pressure::new(&Files::new("/nowhere".into()), "cpu");
        let t = Instant::now();
        assert_eq!(p.update(t, 1_000_000), Err(NEEDS_TWO));
        assert_eq!(p.update(t + Duration::from_millis(10), 1_000_000), Err(TOO_SOON));
        assert_eq!(p.update(t + Duration::from_secs(2), 1_500_000), Ok(0.25));
        assert_eq!(p.update(t + Duration::from_secs(3), 9_500_000), Ok(1.0));
        assert!(p.update(t + Duration::from_secs(4), 3).is_err());
        assert_eq!(p.update(t + Duration::from_secs(5), 100_003), Ok(0.1));
    }

    #[test]
    fn broken_pressure_files_say_nothing() {
        let cases =
            ["", "some total=12", "some total=x\n", "full total=3\n", "some avg10=0\n", "\0\n"];
        for text in cases {
            assert_eq!(parse_pressure(text), None, "{text:?}");
        }
    }
}
