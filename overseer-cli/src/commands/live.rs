//! The commands that look at this host once and end.

use super::{json, print, progress_bar};
use crate::args::Format;
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::core::{Error, Recommendation, Result, Severity, Span};
use overseer_engine::{Engine, Notice, Report, host};

/// The bar that a person sees while a new host is sampled.
pub(super) fn first_look_bar(samples: usize) -> indicatif::ProgressBar {
    progress_bar(samples as u64, "No history yet: getting to know this host")
}

/// Opens the engine and takes the samples that a fresh look needs, with a progress bar on a first run.
fn look(settings: &Settings, purpose: &str) -> Result<Engine> {
    let mut engine = host::open(&settings.engine(purpose, true))?;
    let bar = engine.sampling_plan().map(|plan| first_look_bar(plan.samples));
    host::look(&mut engine, |done, _| {
        if let Some(bar) = &bar {
            bar.set_position(done as u64);
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(engine)
}

/// Says on stderr what went wrong, where no report will.
pub(super) fn warn(notices: &[Notice]) {
    for notice in notices.iter().filter(|n| n.warning) {
        crate::logging::warn(&notice.message);
    }
}

/// Prints a report, or the part of it that a command is about.
fn show(settings: &Settings, engine: &mut Engine, report: &Report, parts: text::Parts) -> Outcome {
    warn(&engine.close());
    match settings.format {
        Format::Json => json(report)?,
        Format::Text => print(&text::report(report, parts, &text::Style::of_stdout()))?,
    }
    if report.current.is_none() {
        return Err(Error::unavailable("this host", "no sample could be had from it"));
    }
    Ok(report.anomaly.as_ref().map_or(Severity::None, |a| a.severity))
}

pub(crate) fn analyze(settings: &Settings) -> Outcome {
    let mut engine = look(settings, "analyze")?;
    let report = engine.analyze(host::now());
    show(settings, &mut engine, &report, text::Parts::ALL)
}

pub(crate) fn anomaly(settings: &Settings) -> Outcome {
    let mut engine = look(settings, "anomaly")?;
    let report = engine.anomaly_report(host::now());
    show(settings, &mut engine, &report, text::Parts::ANOMALY)
}

pub(crate) fn predict(settings: &Settings, horizon: Option<Span>) -> Outcome {
    let mut engine = look(settings, "predict")?;
    let horizon = horizon.unwrap_or_else(|| engine.default_horizon_span());
    let report = match engine.prediction_report(horizon, host::now()) {
        Ok(report) => report,
        Err(e) => {
            warn(&engine.close());
            return Err(e);
        }
    };
    show(settings, &mut engine, &report, text::Parts::PREDICTION)?;
    Ok(Severity::None)
}

pub(crate) fn patterns(settings: &Settings) -> Outcome {
    let mut engine = look(settings, "patterns")?;
    let report = engine.analyze(host::now());
    show(settings, &mut engine, &report, text::Parts::PATTERNS)?;
    Ok(Severity::None)
}

/// Prints the advice and gives it back.
pub(super) fn recommend(settings: &Settings) -> Result<(Severity, Vec<Recommendation>)> {
    let mut engine = look(settings, "recommend")?;
    let report = engine.analyze(host::now());
    let severity = show(settings, &mut engine, &report, text::Parts::ADVICE)?;
    Ok((severity, report.recommendations))
}

pub(crate) fn analytics(settings: &Settings) -> Outcome {
    let mut engine = host::open(&settings.engine("analytics", false))?;
    let analytics = engine.analytics(host::now());
    // That it cannot be read must not pass for there being nothing.
    if analytics.stored.is_none()
        && let Some(why) = analytics.notices.iter().find(|n| n.warning)
    {
        return Err(Error::unavailable("what is stored", why.message.clone()));
    }
    match settings.format {
        Format::Json => json(&analytics)?,
        Format::Text => print(&text::analytics(&analytics, &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}
