//! Continuous monitoring: the loop, the signals and the printing around the engine's tick.

use super::background::Background;
use super::incident_log::IncidentLog;
use super::live::first_look_bar;
use super::sinks::Deliveries;
use super::{json, print};
use crate::args::Format;
use crate::settings::Settings;
use crate::{Outcome, service, text};
use overseer_engine::core::{Error, Severity};
use overseer_engine::{Engine, Role, Stage, host};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a wait for the next sample may ignore a signal.
const ATTENTION: Duration = Duration::from_millis(50);

pub(crate) fn watch(settings: &Settings, samples: Option<u64>) -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|e| Error::other("listening for signals", e))?;
    }
    let mut options = settings.engine("watch", true);
    options.config.refit_elsewhere = true;
    let mut engine = host::open(&options)?;
    if engine.role() == Role::Reader {
        let notices = engine.close();
        let holder = notices.iter().rev().find(|n| n.stage == Stage::Open);
        let holder = holder.map_or("another process samples this host", |n| &n.message);
        return Err(Error::unavailable("this installation", holder));
    }
    let deliveries = Deliveries::start(settings, &options)?;
    let step = Duration::from(engine.config().step);
    service::ready(step);
    if let Some(plan) = engine.sampling_plan() {
        let bar = first_look_bar(plan.samples);
        first_look(&mut engine, &stop, |done, _| bar.set_position(done as u64));
        bar.finish_and_clear();
    }
    let style = text::Style::of_stdout();
    if settings.format == Format::Text {
        print(&text::watch_start(&engine.learned(), engine.config(), &style))?;
    }
    engine.prime(host::now());
    let start = Instant::now();
    let mut worst = Severity::None;
    let mut before = text::Before::default();
    let mut ticks = 0_u64;
    let mut due = 0_u32;
    let mut log = IncidentLog::default();
    let mut background = Background::new(options, &stop);
    while samples.is_none_or(|n| ticks < n) {
        due = next_due(start, step, due);
        wait_until(start + step * due, &stop);
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let report = engine.tick(host::now());
        ticks += 1;
        let severity = report.anomaly.as_ref().map_or(Severity::None, |a| a.severity);
        worst = worst.max(severity);
        match settings.format {
            Format::Json => json(&report)?,
            Format::Text => print(&before.changes(&report, &style))?,
        }
        log.changes(&report);
        service::ticked(&report);
        deliveries.tell();
        background.attend(&mut engine);
    }
    service::stopping();
    let unsaved = engine.close();
    deliveries.stop();
    if settings.format == Format::Text {
        print(&text::watch_end(ticks, &engine.learned(), &unsaved, &style))?;
    }
    Ok(worst)
}

/// On a new host a quick look comes first, so that what hurts is noticed from the start.
pub(super) fn first_look(
    engine: &mut Engine,
    stop: &AtomicBool,
    mut looked: impl FnMut(usize, usize),
) {
    if engine.sampling_plan().is_none() {
        return;
    }
    host::sample(engine, |done, total| {
        looked(done, total);
        service::looking(done, total);
        !stop.load(Ordering::Relaxed)
    });
    engine.train(false, host::now());
}

/// The next sample's number: the one after the last, or after a pause (a suspended host) the newest that is due, so
/// that missed samples stay missing instead of being taken in a burst.
pub(super) fn next_due(start: Instant, step: Duration, last: u32) -> u32 {
    let passed = start.elapsed().as_millis() / step.as_millis().max(1);
    let passed = u32::try_from(passed).unwrap_or(u32::MAX - 1);
    (last + 1).max(passed)
}

pub(super) fn wait_until(due: Instant, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(ATTENTION));
    }
}
