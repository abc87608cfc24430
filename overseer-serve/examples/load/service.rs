//! The service as a process of its own, and what it says of itself.

use crate::clients::get;
use overseer_engine::core::{Error, Result, Span};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to start.
const START: Duration = Duration::from_secs(120);
/// How often the kernel counts a process's time, in a second.
const CLOCK: f64 = 100.0;

/// `overseer serve` over a database; it ends with this value.
pub(crate) struct Service {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Service {
    pub(crate) fn start(program: &Path, data_dir: &Path, every: Span) -> Result<Self> {
        let mut process = Command::new(program)
            .arg("--data-dir")
            .arg(data_dir)
            .args(["serve", "--listen", "127.0.0.1:0", "--every"])
            .arg(format!("{}ms", every.as_millis()))
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| Error::other(format!("starting {}", program.display()), e))?;
        let said = process.stderr.take().map(BufReader::new);
        let mut lines =
            said.into_iter().flat_map(BufRead::lines).map_while(std::result::Result::ok);
        let address = lines.find_map(|line| {
            let address = line.split("http://").nth(1)?.split('/').next()?;
            address.parse().ok()
        });
        // Whatever else it says is read, so that it never waits for that.
        std::thread::spawn(move || lines.for_each(|line| eprintln!("  {line}")));
        match address {
            Some(address) => Ok(Self { process, address }),
            None => {
                drop(process.kill());
                Err(Error::unavailable("the service", "it ended before it said where it is"))
            }
        }
    }

    /// Waits until models are there and ticks go on.
    pub(crate) fn until_it_ticks(&self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < START {
            std::thread::sleep(Duration::from_millis(500));
            if self.lateness().is_ok_and(|l| l.count >= 20) {
                return Ok(());
            }
        }
        Err(Error::unavailable("the service", "it does not tick"))
    }

    /// How late ticks were while `what` went on.
    pub(crate) fn over(&self, what: impl FnOnce()) -> Result<Lateness> {
        let before = self.lateness()?;
        what();
        Ok(self.lateness()?.since(&before))
    }

    fn lateness(&self) -> Result<Lateness> {
        let page =
            get(self.address, "/metrics").map_err(|e| Error::other("asking for /metrics", e))?;
        let mut lateness = Lateness::default();
        for line in page.lines() {
            let Some(rest) = line.strip_prefix("overseer_tick_lateness_seconds_") else { continue };
            let Some((name, value)) = rest.rsplit_once(' ') else { continue };
            let value: u64 = value.parse::<f64>().unwrap_or_default() as u64;
            if name == "count" {
                lateness.count = value;
            } else if let Some(bound) = name.strip_prefix("bucket{le=\"") {
                let bound = bound.trim_end_matches("\"}").parse().unwrap_or(f64::INFINITY);
                lateness.within.push((bound, value));
            }
        }
        Ok(lateness)
    }

    /// Resident memory now, and the most there was; in bytes.
    pub(crate) fn memory(&self) -> Result<(u64, u64)> {
        let path = format!("/proc/{}/status", self.process.id());
        let text = std::fs::read_to_string(&path).map_err(|e| Error::other(path, e))?;
        let bytes = |name: &str| {
            let line = text.lines().find_map(|l| l.strip_prefix(name));
            let kib = line.and_then(|l| l.trim_start_matches(':').split_whitespace().next());
            1024 * kib.and_then(|k| k.parse::<u64>().ok()).unwrap_or(u64::MAX / 1024)
        };
        Ok((bytes("VmRSS"), bytes("VmHWM")))
    }

    /// Processor time used so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.process.id());
        let text = std::fs::read_to_string(&path).map_err(|e| Error::other(path, e))?;
        // After the name, which may hold anything: the state is field 3, user and system time are 14 and 15.
        let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: f64 = fields.skip(11).take(2).filter_map(|f| f.parse::<f64>().ok()).sum();
        Ok(Duration::from_secs_f64(ticks / CLOCK))
    }
}

/// How many ticks began at most so late.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lateness {
    within: Vec<(f64, u64)>,
    count: u64,
}

impl Lateness {
    fn since(&self, before: &Self) -> Self {
        let of_before = |bound: f64| before.within.iter().find(|(b, _)| *b == bound);
        let within = self
            .within
            .iter()
            .map(|&(bound, n)| (bound, n - of_before(bound).map_or(0, |&(_, before)| before)));
        Self { within: within.collect(), count: self.count - before.count }
    }

    /// The share of the ticks that began at most so many seconds late.
    pub(crate) fn share_within(&self, seconds: f64) -> f64 {
        let within = self.within.iter().find(|(bound, _)| *bound == seconds);
        within.map_or(0.0, |&(_, n)| n as f64 / self.count.max(1) as f64)
    }

    /// Within how many seconds such a share began, as exactly as the service counts.
    fn quantile(&self, share: f64) -> f64 {
        let enough = |&&(_, n): &&(f64, u64)| n as f64 >= share * self.count as f64;
        self.within.iter().find(enough).map_or(f64::INFINITY, |&(bound, _)| bound)
    }
}

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ticks, begun late by at most", self.count)?;
        for (i, share) in [0.5, 0.99, 0.999, 1.0].into_iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(f, "{comma} {} ms ({} %)", 1000.0 * self.quantile(share), 100.0 * share)?;
        }
        Ok(())
    }
}
