//! The service over a host that is made up: for a demonstration, and for tests that need an event at a chosen moment.
//!
//! `cargo run --release -p overseer-serve --example made_up -- --days 30 --hours 6`, then open what it says. A line on
//! standard input that holds a number has something take all CPUs for so many seconds: `echo 20`.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `--data-dir DIR` | where the database is | a directory under the temporary one |
//! | `--listen ADDRESS` | where to serve | `127.0.0.1:0`, a free port |
//! | `--every MS` | the time between samples | 1000 |
//! | `--budget RATE` | the alarm budget | `1/week` |
//! | `--rows N` | samples at that step to have learned from | 3000 |
//! | `--days N` | before those, so many days by the minute | 0 |
//! | `--hours N` | the newest hours are lived through tick by tick, with some faults in them | 0 |

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "for the person who started it")]

mod options;

use options::{Given, wrong};
use overseer_engine::core::{
    Collector, HostInfo, ProcessUsage, Reading, Result, Schema, Span, Store, Timestamp,
};
use overseer_engine::host::collect::{Fault, ScriptedHost};
use overseer_engine::host::{Options, now, open_store, with_our_models};
use overseer_engine::policy::AlarmBudget;
use overseer_engine::{Engine, Role};
use overseer_serve::{EngineLink, Server, Settings, connect, router};
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

const SEED: u64 = 7;
const MINUTE: Span = Span::from_secs(60);

fn main() -> Result<()> {
    let wanted = Wanted::parse(Given::of_this_program()?)?;
    let mut options = Options::default();
    options.data_dir = Some(wanted.data_dir.clone());
    options.config.step = wanted.every;
    options.config.alarm_budget = wanted.budget;
    options.config.fast_interval = options.config.fast_interval.min(wanted.every);
    let troubled_until = Arc::new(AtomicI64::new(i64::MIN));
    let mut engine = past(&options, &wanted, &troubled_until)?;
    let (handle, mut link) = connect(options);
    listen_to_commands(Arc::clone(&troubled_until));
    let server = Server::bind(wanted.listen, None)?;
    eprintln!("a made-up host at http://{}/ until Ctrl-C", server.address()?);
    std::thread::spawn(move || tick(&mut engine, &mut link));
    server.run(router(handle, &Settings::default()), &Arc::new(AtomicBool::new(false)))
}

/// Ticks for ever, each tick when it is due.
fn tick(engine: &mut Engine, link: &mut EngineLink) {
    let step = Duration::from(engine.config().step);
    let mut due = Instant::now();
    loop {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let lateness = due.elapsed();
        let report = engine.tick(now());
        link.publish(engine, &report, lateness);
        link.attend(engine);
        due = (due + step).max(Instant::now());
    }
}

/// A database with a history, and an engine that learned from it.
fn past(options: &Options, wanted: &Wanted, troubled_until: &Arc<AtomicI64>) -> Result<Engine> {
    let mut store = open_store(options, true)?;
    store.set_step(wanted.every)?;
    let lived = Span::from_secs(3600 * wanted.hours);
    let begin_of_ticks = now() - lived;
    let begin_of_rows = begin_of_ticks - wanted.every.times(wanted.rows);
    let minutes = 1440 * wanted.days;
    let mut host = Troubled::new(begin_of_ticks, lived, troubled_until)?;
    fill(&mut store, &mut host, begin_of_rows - MINUTE.times(minutes), MINUTE, minutes)?;
    fill(&mut store, &mut host, begin_of_rows, wanted.every, wanted.rows)?;
    // Summed up by the minute and the hour, as a service that took them itself would have done by now.
    while store.maintain(begin_of_ticks, Duration::from_secs(1))?.behind {}

    let (host, store) = (Box::new(host), Some(Box::new(store) as Box<dyn Store>));
    let mut engine = with_our_models(host, store, None, options.config.clone(), Role::Sampler)?;
    engine.train(false, begin_of_ticks);
    for i in 0..lived.steps(wanted.every) {
        engine.tick(begin_of_ticks + wanted.every.times(i));
    }
    Ok(engine)
}

fn fill(
    store: &mut impl Store,
    host: &mut Troubled,
    start: Timestamp,
    step: Span,
    rows: usize,
) -> Result<()> {
    for first in (0..rows).step_by(1000) {
        let times = (first..rows.min(first + 1000)).map(|i| start + step.times(i));
        let samples = times.map(|t| host.collect(t).map(|reading| reading.sample));
        store.append(step, &samples.collect::<Result<Vec<_>>>()?)?;
    }
    Ok(())
}

/// Every line that holds a number asks for trouble of so many seconds from now on.
fn listen_to_commands(troubled_until: Arc<AtomicI64>) {
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
            if let Ok(seconds) = line.trim().parse::<u32>() {
                let end = now() + Span::from_secs(seconds.into());
                troubled_until.store(end.as_millis(), Ordering::Relaxed);
            }
        }
    });
}

/// A host, and the same one while something takes all its CPUs: which of them is seen can be chosen at any time.
#[derive(Debug)]
struct Troubled {
    usual: ScriptedHost,
    saturated: ScriptedHost,
    until: Arc<AtomicI64>,
    is_troubled: bool,
}

impl Troubled {
    /// With some faults over the stretch that is lived through quickly.
    fn new(begin: Timestamp, lived: Span, until: &Arc<AtomicI64>) -> Result<Self> {
        let always = Timestamp::from_millis(i64::MAX);
        let mut usual = ScriptedHost::builder(SEED);
        let at = |part: f64| begin + Span::from_millis((lived.as_millis() as f64 * part) as i64);
        if lived > Span::from_secs(0) {
            usual = usual
                .fault(Fault::CpuSaturation, at(0.3), at(0.32))
                .fault(Fault::NetworkBurst, at(0.6), at(0.62))
                .fault(Fault::DiskFill, at(0.8), at(0.85));
        }
        let saturated = ScriptedHost::builder(SEED).fault(Fault::CpuSaturation, begin, always);
        Ok(Self {
            usual: usual.build()?,
            saturated: saturated.build()?,
            until: Arc::clone(until),
            is_troubled: false,
        })
    }
}

impl Collector for Troubled {
    fn schema(&self) -> &Schema {
        self.usual.schema()
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        let (usual, saturated) = (self.usual.collect(now)?, self.saturated.collect(now)?);
        self.is_troubled = now.as_millis() < self.until.load(Ordering::Relaxed);
        Ok(if self.is_troubled { saturated } else { usual })
    }

    fn processes(&mut self, top: usize) -> Result<Vec<ProcessUsage>> {
        let (usual, saturated) = (self.usual.processes(top)?, self.saturated.processes(top)?);
        Ok(if self.is_troubled { saturated } else { usual })
    }

    fn host(&self) -> HostInfo {
        self.usual.host()
    }
}

/// What was asked for on the command line.
struct Wanted {
    data_dir: PathBuf,
    listen: SocketAddr,
    every: Span,
    budget: AlarmBudget,
    rows: usize,
    days: usize,
    hours: i64,
}

impl Wanted {
    fn parse(mut given: Given) -> Result<Self> {
        let every = Span::from_millis(given.number("--every", 1000)?.into());
        let rows = given.number("--rows", 3000)? as usize;
        let days = given.number("--days", 0)? as usize;
        let hours = given.number("--hours", 0)?.into();
        let made_up = std::env::temp_dir().join(format!("overseer-made-up-{}", std::process::id()));
        let data_dir = given.text("--data-dir").map_or(made_up, PathBuf::from);
        let budget = given.text("--budget").unwrap_or_else(|| "1/week".to_owned()).parse()?;
        let listen = given.text("--listen").unwrap_or_else(|| "127.0.0.1:0".to_owned());
        let listen = listen.parse().map_err(|_| wrong("--listen", "must be an address"))?;
        given.no_more()?;
        Ok(Self { data_dir, listen, every, budget, rows, days, hours })
    }
}
