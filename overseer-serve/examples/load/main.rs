//! What the service bears: while clients stream events and others ask for ranges of a large database as fast as they are
//! answered, ticks must begin when they are due, memory must stay small, and no request may fail.
//!
//! `cargo build --release -p overseer-cli -p overseer-serve --bin overseer --example load`, then
//! `target/release/examples/load`. It makes a database of a million rows, starts `overseer serve` over it, measures for a
//! while without and then with load, prints the figures, and ends with an error if one of them is not kept.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `--overseer FILE` | the program | `overseer` beside the directory of this example |
//! | `--rows N` | how large the database is | 1000000 |
//! | `--seconds N` | how long it is measured under load | 240 |
//! | `--every MS` | the time between ticks | 200 |
//! | `--listeners N`, `--askers N` | how many clients stream events, and how many ask for ranges | 200, 20 |

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "for the person who started it")]

mod clients;
#[path = "../options/mod.rs"]
mod options;
mod service;

use clients::{Asked, Counts};
use options::{Given, wrong};
use overseer_engine::core::{Error, Result, Span, Store};
use overseer_engine::host::collect::ScriptedHost;
use overseer_engine::host::{Options, now, open_store};
use service::{Lateness, Service};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// 99.9 % of the ticks begin at most so late. It is one of the bounds that the service counts by.
const LATE: f64 = 0.05;
const SHARE: f64 = 0.999;
const MOST_BYTES: u64 = 80_000_000;
/// How long a part without load is measured, to compare with.
const IDLE: Duration = Duration::from_secs(40);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("load: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let wanted = Wanted::parse(Given::of_this_program()?)?;
    let dir = std::env::temp_dir().join(format!("overseer-load-{}", std::process::id()));
    let done = measured(&wanted, &dir);
    let removed = std::fs::remove_dir_all(&dir);
    let holds = done?;
    removed.map_err(|e| Error::other("removing the database", e))?;
    Ok(holds)
}

fn measured(wanted: &Wanted, dir: &Path) -> Result<bool> {
    let begun = Instant::now();
    fill(dir, wanted)?;
    println!("{} rows, made in {:.0} s", wanted.rows, begun.elapsed().as_secs_f64());
    let service = Service::start(&wanted.overseer, dir, wanted.every)?;
    service.until_it_ticks()?;

    let idle = service.over(|| std::thread::sleep(IDLE))?;
    println!("without load: {idle}; {}", memory(service.memory()?));
    let cpu = service.cpu()?;
    let (counts, loaded) = under_load(&service, wanted)?;
    let cores = (service.cpu()? - cpu).as_secs_f64() / wanted.long.as_secs_f64();
    println!("with {} listeners and {} askers: {loaded}", wanted.listeners, wanted.askers);
    println!("{counts}");
    let (now, most) = service.memory()?;
    println!("{}; {cores:.2} cores busy", memory((now, most)));

    let is_on_time = loaded.share_within(LATE) >= SHARE;
    let is_small = most < MOST_BYTES;
    let all_answered = counts.failed() == 0 && counts.answered() > 0 && counts.events() > 0;
    for (kept, what) in [
        (is_on_time, "99.9 % of the ticks begin within 50 ms of when they are due"),
        (is_small, "memory stays under 80 MB"),
        (all_answered, "no request fails"),
    ] {
        println!("{}: {what}", if kept { "kept" } else { "BROKEN" });
    }
    Ok(is_on_time && is_small && all_answered)
}

fn memory((now, most): (u64, u64)) -> String {
    format!("memory {:.1} MB, at most {:.1} MB", now as f64 / 1e6, most as f64 / 1e6)
}

/// A made-up host's samples until now, summarised as a service that took them itself would have.
fn fill(dir: &Path, wanted: &Wanted) -> Result<()> {
    const AT_ONCE: usize = 5000;
    let mut options = Options::default();
    options.data_dir = Some(dir.to_owned());
    let mut store = open_store(&options, true)?;
    store.set_step(wanted.every)?;
    let mut host = ScriptedHost::builder(7).build()?;
    let start = now() - wanted.every.times(wanted.rows);
    for first in (0..wanted.rows).step_by(AT_ONCE) {
        let rows = AT_ONCE.min(wanted.rows - first);
        let frame = host.frame(start + wanted.every.times(first), wanted.every, rows)?;
        let sample =
            |(time, row): (_, &[f64])| overseer_engine::core::Sample::new(time, row.to_vec());
        store.append(wanted.every, &frame.rows().map(sample).collect::<Vec<_>>())?;
    }
    while store.maintain(now(), Duration::from_secs(1))?.behind {}
    Ok(())
}

fn under_load(service: &Service, wanted: &Wanted) -> Result<(Arc<Counts>, Lateness)> {
    let stop = Arc::new(AtomicBool::new(false));
    let counts = Arc::new(Counts::default());
    let history = wanted.every.times(wanted.rows);
    let mut threads = Vec::new();
    for client in 0..wanted.listeners + wanted.askers {
        let asked = Asked {
            address: service.address,
            counts: Arc::clone(&counts),
            stop: Arc::clone(&stop),
            seed: client as u64,
            history,
        };
        let listens = client < wanted.listeners;
        let client = std::thread::Builder::new().stack_size(256 * 1024);
        let started = client.spawn(move || if listens { asked.listen() } else { asked.ask() });
        threads.push(started.map_err(|e| Error::other("starting a client", e))?);
    }
    let lateness = service.over(|| std::thread::sleep(wanted.long));
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| Error::unavailable("a client", "it ended in a panic"))?;
    }
    Ok((counts, lateness?))
}

/// What was asked for on the command line.
struct Wanted {
    overseer: PathBuf,
    rows: usize,
    long: Duration,
    every: Span,
    listeners: usize,
    askers: usize,
}

impl Wanted {
    fn parse(mut given: Given) -> Result<Self> {
        let rows = given.number("--rows", 1_000_000)? as usize;
        let long = Duration::from_secs(given.number("--seconds", 240)?.into());
        let every = Span::from_millis(given.number("--every", 200)?.into());
        let listeners = given.number("--listeners", 200)? as usize;
        let askers = given.number("--askers", 20)? as usize;
        let beside = || {
            let here = std::env::current_exe().ok()?;
            Some(here.parent()?.parent()?.join("overseer"))
        };
        let overseer = given.text("--overseer").map(PathBuf::from).or_else(beside);
        let overseer = overseer.filter(|file| file.is_file());
        let overseer = overseer.ok_or_else(|| {
            wrong("--overseer", "names no file: cargo build --release -p overseer-cli")
        })?;
        given.no_more()?;
        Ok(Self { overseer, rows, long, every, listeners, askers })
    }
}
