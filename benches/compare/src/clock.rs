//! Processor time of repeated calls, and the records that both halves write.
//!
//! Processor time of the process and not of the thread, because a peer may hand its work to a pool; and not the time
//! on the wall, because the machine may have other work.

use crate::Result;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What is timed at once takes at least this long, so that reading the clock does not count.
const BATCH_SECONDS: f64 = 0.002;
/// More batches than this make a median no better.
const MOST_BATCHES: usize = 1000;

/// One figure of one peer, a line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The row it belongs to, such as `iforest.score_1`.
    pub row: String,
    /// Whose it is.
    pub peer: String,
    /// Microseconds, bytes or a measure of quality, as the row is; none if it could not be had.
    pub value: Option<f64>,
    /// How many timed batches the median is of; 0 for what is not timed.
    #[serde(default)]
    pub runs: usize,
    /// What a reader must know about this figure.
    #[serde(default)]
    pub note: Option<String>,
}

/// Seconds of processor time that this process has used.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64
}

/// What repeated calls took, and what the last one gave.
#[derive(Debug)]
pub struct Timed<T> {
    /// The median over the batches of a call's processor time.
    pub micros: f64,
    /// How many batches that is.
    pub runs: usize,
    /// What the last call returned.
    pub last: T,
}

/// Calls `work` again and again for about `budget` on the wall: once if one call takes longer, else at least three
/// times. It is told how many calls there were before, to choose another row each time.
///
/// # Errors
/// The first that `work` returns.
pub fn time<T>(budget: Duration, mut work: impl FnMut(usize) -> Result<T>) -> Result<Timed<T>> {
    let started = Instant::now();
    let before = cpu_seconds();
    let mut last = black_box(work(0)?);
    let first = cpu_seconds() - before;
    if started.elapsed() > budget {
        return Ok(Timed { micros: 1e6 * first, runs: 1, last });
    }
    let mut calls = 1;
    let mut batch = |n: usize| -> Result<f64> {
        let before = cpu_seconds();
        for _ in 0..n {
            last = black_box(work(calls)?);
            calls += 1;
        }
        Ok((cpu_seconds() - before) / n as f64)
    };
    // The first call also met cold caches, so how many calls make a batch is found from warm ones.
    let mut size = 1;
    loop {
        let seconds = batch(size)? * size as f64;
        if seconds >= BATCH_SECONDS {
            break;
        }
        size = (size as f64 * (1.3 * BATCH_SECONDS / seconds.max(1e-9)).clamp(2.0, 100.0)) as usize;
    }
    let mut seconds = Vec::new();
    while seconds.len() < 3 || (seconds.len() < MOST_BATCHES && started.elapsed() < budget) {
        seconds.push(batch(size)?);
    }
    Ok(Timed { micros: 1e6 * median(&mut seconds), runs: seconds.len(), last })
}

/// The middle value, or the mean of the two in the middle; NaN of none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => 0.5 * (values[n / 2 - 1] + values[n / 2]),
    }
}

/// What is timed by turns; it is told how many calls there were before in its turn.
pub type Work<'a> = &'a mut dyn FnMut(usize) -> Result<()>;

/// Times what it is given and writes a record of it at once. What fails is recorded as missing, and the run goes on.
#[derive(Debug, Clone, Copy)]
pub struct Bench {
    /// How long one row of one peer may be repeated for.
    pub budget: Duration,
}

impl Bench {
    /// Times calls of `work` and returns what the last one gave, if none failed.
    pub fn time<T>(
        &self,
        row: &str,
        peer: &str,
        work: impl FnMut(usize) -> Result<T>,
    ) -> Option<T> {
        self.time_noted(row, peer, None, work)
    }

    /// The same with a note for the reader of the table.
    pub fn time_noted<T>(
        &self,
        row: &str,
        peer: &str,
        note: Option<&str>,
        work: impl FnMut(usize) -> Result<T>,
    ) -> Option<T> {
        match time(self.budget, work) {
            Ok(timed) => {
                write(row, peer, Some(timed.micros), timed.runs, note);
                Some(timed.last)
            }
            Err(e) => {
                write(row, peer, None, 0, Some(&format!("failed: {e}")));
                None
            }
        }
    }

    /// Times several peers by turns, for rows where a few per cent matter: whatever else the machine does meanwhile
    /// then slows all of them alike.
    pub fn by_turns(&self, row: &str, peers: &mut [(&str, Work<'_>)]) {
        const TURNS: usize = 5;
        let mut taken = vec![Vec::new(); peers.len()];
        for _ in 0..TURNS {
            for (taken, (peer, work)) in taken.iter_mut().zip(peers.iter_mut()) {
                match time(self.budget / TURNS as u32, work) {
                    Ok(timed) => taken.push(timed.micros),
                    Err(e) => write(row, peer, None, 0, Some(&format!("failed: {e}"))),
                }
            }
        }
        for (mut taken, (peer, _)) in taken.into_iter().zip(peers) {
            if !taken.is_empty() {
                write(row, peer, Some(median(&mut taken)), taken.len(), None);
            }
        }
    }

    /// Records what is not a time: a size or a measure of quality.
    pub fn note(&self, row: &str, peer: &str, value: f64) {
        write(row, peer, Some(value), 0, None);
    }
}

/// Writes one record to the standard output, and for the person who waits to the standard error.
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "records are what this is run for")]
pub fn write(row: &str, peer: &str, value: Option<f64>, runs: usize, note: Option<&str>) {
    let record = Record {
        row: row.to_owned(),
        peer: peer.to_owned(),
        value: value.filter(|v| v.is_finite()),
        runs,
        note: note.map(str::to_owned),
    };
    eprintln!("{row:32} {peer:36} {:14.3} {}", value.unwrap_or(f64::NAN), note.unwrap_or(""));
    match serde_json::to_string(&record) {
        Ok(line) => println!("{line}"),
        Err(e) => eprintln!("{row}, {peer}: {e}"),
    }
}
