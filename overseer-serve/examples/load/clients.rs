//! Clients: plain HTTP over a socket each, so that what is measured is the service.

use overseer_engine::core::Span;
use overseer_engine::host::now;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// No answer for so long is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the clients got.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    events: AtomicU64,
    failed: AtomicU64,
    /// How long each answer took, in seconds.
    took: Mutex<Vec<f64>>,
}

impl Counts {
    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn answered(&self) -> usize {
        self.took.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn fail(&self, what: &str, why: &dyn fmt::Display) {
        // One line says enough of what may happen a thousand times.
        if self.failed.fetch_add(1, Ordering::Relaxed) == 0 {
            eprintln!("the first failure: {what}: {why}");
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
        took.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| {
            let last = took.len().saturating_sub(1);
            1000.0 * took.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
        };
        write!(
            f,
            "{} events heard; {} ranges answered, half within {:.0} ms, 99 % within {:.0} ms; {} failed",
            self.events(),
            took.len(),
            at(0.5),
            at(0.99),
            self.failed()
        )
    }
}

/// What a client does, until it is told to stop.
pub(crate) struct Asked {
    pub(crate) address: SocketAddr,
    pub(crate) counts: Arc<Counts>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) seed: u64,
    /// How long the stored history is.
    pub(crate) history: Span,
}

impl Asked {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Streams events; a stream that ends by itself has failed.
    pub(crate) fn listen(self) {
        if let Err(e) = self.stream() {
            self.counts.fail("a stream of events", &e);
        }
    }

    fn stream(&self) -> io::Result<()> {
        let mut answer = ask(self.address, "/api/v1/events", "")?;
        let mut line = String::new();
        while self.goes_on() {
            line.clear();
            if answer.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.starts_with("event: tick") {
                self.counts.events.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Asks for one range after the other, long and short ones, as a chart would.
    pub(crate) fn ask(self) {
        let mut chance = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = move || {
            // Marsaglia's xorshift is luck enough here.
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            (chance >> 11) as f64 / (1_u64 << 53) as f64
        };
        while self.goes_on() {
            // From five minutes to all there is, each scale as often.
            let (least, most) = (300_000_f64, self.history.as_millis() as f64);
            let length = (least * (most / least).powf(random())) as i64;
            let end = now().as_millis() - (random() * (most - length as f64)).max(0.0) as i64;
            let path = format!("/api/v1/metrics?from={}&to={end}&points=300", end - length);
            let begun = Instant::now();
            match get(self.address, &path) {
                Ok(text) if text.contains("\"features\":[{") => {
                    let took = begun.elapsed().as_secs_f64();
                    self.counts.took.lock().unwrap_or_else(PoisonError::into_inner).push(took);
                }
                Ok(text) => self.counts.fail(&path, &text),
                Err(e) => self.counts.fail(&path, &e),
            }
        }
    }
}

/// The body of an answer; anything but 200 is an error.
pub(crate) fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut answer = ask(address, path, "Connection: close\r\n")?;
    let mut text = String::new();
    answer.read_to_string(&mut text)?;
    Ok(text)
}

/// Asks, and reads the head of the answer.
fn ask(address: SocketAddr, path: &str, more: &str) -> io::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{more}\r\n")?;
    let mut answer = BufReader::new(stream);
    let mut status = String::new();
    answer.read_line(&mut status)?;
    let mut line = String::new();
    while answer.read_line(&mut line)? > 2 {
        line.clear();
    }
    if !status.starts_with("HTTP/1.1 200") {
        return Err(io::Error::other(status.trim().to_owned()));
    }
    Ok(answer)
}
