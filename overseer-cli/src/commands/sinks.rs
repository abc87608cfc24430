//! Who is told of incidents: listing them, trying one, and the worker that tells them beside `watch`.

use super::{json, print};
use crate::args::{Format, Sinks};
use crate::settings::{Settings, SinkSettings};
use crate::{Outcome, text};
use overseer_engine::core::{Collector, Error, Result, Severity, Store};
use overseer_engine::host::{self, Options};
use overseer_notify::{Stop, TEST_ID, Worker, WorkerOptions, test_notification};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the worker has for what is due when `watch` ends.
const GRACE: Duration = Duration::from_secs(1);

pub(crate) fn sinks(settings: &Settings, what: &Sinks) -> Outcome {
    match what {
        Sinks::List => list(settings),
        Sinks::Test { name } => test(settings, name),
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    sinks: Vec<Sink<'a>>,
}

#[derive(Serialize)]
struct Sink<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    to: &'a str,
}

impl<'a> From<&'a SinkSettings> for Sink<'a> {
    fn from(sink: &'a SinkSettings) -> Self {
        Self { name: &sink.name, kind: sink.kind, to: &sink.to }
    }
}

fn list(settings: &Settings) -> Outcome {
    match settings.format {
        Format::Json => {
            json(&Listed { sinks: settings.sinks.iter().map(Sink::from).collect() })?;
        }
        Format::Text => print(&text::sinks(&settings.sinks, &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}

#[derive(Serialize)]
struct Tested<'a> {
    sink: &'a str,
    delivered: bool,
    /// Whether trying again would be of no use.
    refused: bool,
    error: Option<String>,
    duration_ms: u64,
}

fn test(settings: &Settings, name: &str) -> Outcome {
    let Some(sink) = settings.sinks.iter().find(|sink| sink.name == name) else {
        let names: Vec<&str> = settings.sinks.iter().map(|sink| sink.name.as_str()).collect();
        let why = match names.as_slice() {
            [] => "there are none: write `[[sinks]]` into the file that --config names".to_owned(),
            names => format!("there is no `{name}`; there are {}", names.join(", ")),
        };
        return Err(Error::invalid_value("the configured sinks", why));
    };
    let host_name = host::collect::HostCollector::new()?.host().name;
    let start = Instant::now();
    let told =
        sink.build(&Stop::new())?.deliver(TEST_ID, &test_notification(host_name, host::now()));
    let took = start.elapsed();
    match settings.format {
        Format::Json => json(&Tested {
            sink: name,
            delivered: told.is_ok(),
            refused: told.as_ref().is_err_and(Error::is_invalid_input),
            error: told.as_ref().err().map(ToString::to_string),
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        })?,
        Format::Text if told.is_ok() => {
            let took = text::Style::of_stdout().dim(&format!("({} ms)", took.as_millis()));
            print(&format!("A test notification was delivered to {name}, {} {took}\n", sink.to))?;
        }
        Format::Text => {}
    }
    told.map_err(|e| {
        let again = if e.is_invalid_input() {
            "an alert would be given up"
        } else {
            "an alert would be tried again"
        };
        Error::unavailable(format!("the sink {name}"), format!("{e} ({again})"))
    })?;
    Ok(Severity::None)
}

/// Delivers what waits, beside a running `watch`.
pub(super) struct Deliveries(Worker);

impl Deliveries {
    pub(super) fn start(settings: &Settings, options: &Options) -> Result<Self> {
        let mut worker = WorkerOptions::new(Arc::new(host::now));
        // Hosts that lose the same receiver do not all come back to it at once.
        worker.backoff.seed = u64::from(std::process::id());
        let sinks = settings.sinks.iter().map(|sink| sink.build(&worker.stop));
        let sinks = sinks.collect::<Result<Vec<_>>>()?;
        let options = options.clone();
        let root = options.data_dir.clone().map_or_else(host::default_data_dir, Ok);
        worker.file = root.ok().map(|root| host::store::DataDir::new(root).database());
        let open = Box::new(move || {
            host::open_store(&options, true).map(|store| Box::new(store) as Box<dyn Store>)
        });
        Worker::start(sinks, open, worker).map(Self)
    }

    /// Says on stderr what became of deliveries since this was last called.
    #[allow(clippy::print_stderr, reason = "stdout is for data")]
    pub(super) fn tell(&self) {
        for said in self.0.notices() {
            eprintln!("overseer: {said}");
        }
    }

    /// Delivers what is due for a second at most.
    #[allow(clippy::print_stderr, reason = "stdout is for data")]
    pub(super) fn stop(self) {
        self.tell();
        for name in self.0.stop(GRACE) {
            eprintln!(
                "overseer: the sink `{name}` is in the middle of a delivery, which is left; it is \
                 tried again at the next start"
            );
        }
    }
}
